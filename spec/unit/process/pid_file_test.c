/* SPDX-License-Identifier: Apache-2.0 */
/* pid_file_test.c -- who runs in a prefix. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "process/pid_file.h"
#include "process/process_support.h"

/* A process that has entered the prefix and waits to be killed; told by the pipe. */
static pid_t start_holder(const char *prefix)
{
    int ready[2];
    char byte;
    assert_int_equal(pipe(ready), 0);
    pid_t pid = fork();
    if (pid == 0) {
        char *error = NULL;
        if (pid_file_enter(prefix, &error) < 0 || write(ready[1], "x", 1) != 1)
            _exit(1);
        for (;;)
            pause();
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    close(ready[1]);
    return pid;
}

static void end(pid_t pid)
{
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void the_holder_of_the_lock_is_found(void **state)
{
    char text[32], expected[32];
    assert_int_equal(pid_file_supervisor(*state), 0);
    pid_t pid = start_holder(*state);
    (void)snprintf(expected, sizeof(expected), "%ld\n", (long)pid);
    assert_int_equal(pid_file_supervisor(*state), pid);
    assert_string_equal(process_support_read(*state, "pids/sluice.pid", text, sizeof(text)),
                        expected);
    end(pid);
}

static void a_file_left_behind_is_nobodys_even_if_the_pid_lives(void **state)
{
    char path[128];
    (void)snprintf(path, sizeof(path), "%s/pids/sluice.pid", (const char *)*state);
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    (void)fprintf(file, "%ld\n", (long)getppid());
    (void)fclose(file);
    assert_int_equal(pid_file_supervisor(*state), 0);
    end(start_holder(*state)); /* enters in spite of it */
    assert_int_equal(pid_file_supervisor(*state), 0);
}

static void only_one_enters_a_prefix(void **state)
{
    char *error = NULL;
    pid_t pid = start_holder(*state);
    assert_int_equal(pid_file_enter(*state, &error), -1);
    assert_non_null(strstr(error, "Sluice is already running in /tmp/process_test."));
    free(error);
    end(pid);
    int fd = pid_file_enter(*state, &error);
    assert_true(fd >= 0);
    pid_file_leave(*state, fd);
}

static void leaving_removes_the_files(void **state)
{
    char *error = NULL;
    char text[32];
    int fd = pid_file_enter(*state, &error);
    assert_true(fd >= 0);
    assert_false(pid_file_has_gateway(*state));
    pid_file_set_gateway(*state, getpid());
    assert_true(pid_file_has_gateway(*state));
    pid_file_set_gateway(*state, 0);
    assert_false(pid_file_has_gateway(*state));
    pid_file_set_gateway(*state, getpid());
    pid_file_leave(*state, fd);
    assert_false(pid_file_has_gateway(*state));
    assert_string_equal(process_support_read(*state, "pids/sluice.pid", text, sizeof(text)), "");
}

static void a_prefix_that_is_not_there_is_reported(void **state)
{
    char *error = NULL;
    (void)state;
    assert_int_equal(pid_file_supervisor("/nonexistent"), 0);
    assert_int_equal(pid_file_enter("/nonexistent", &error), -1);
    assert_non_null(strstr(error, "/nonexistent/pids/sluice.pid: No such file"));
    free(error);
}

int main(void)
{
#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, process_support_set_up, process_support_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(the_holder_of_the_lock_is_found),
        TEST(a_file_left_behind_is_nobodys_even_if_the_pid_lives),
        TEST(only_one_enters_a_prefix),
        TEST(leaving_removes_the_files),
        TEST(a_prefix_that_is_not_there_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
