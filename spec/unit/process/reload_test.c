/* SPDX-License-Identifier: Apache-2.0 */
/* reload_test.c -- what the command and the supervisor tell each other. */
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
#include "process/reload.h"

static bool has(char **environment, const char *variable)
{
    for (char **at = environment; at != NULL && *at != NULL; at++)
        if (strcmp(*at, variable) == 0)
            return true;
    return false;
}

/* A supervisor that answers one request; exits with 0 if the request is what it should be. */
static pid_t start_supervisor(const char *prefix, const char *answer)
{
    int ready[2];
    char byte;
    assert_int_equal(pipe(ready), 0);
    pid_t pid = fork();
    if (pid != 0) {
        assert_int_equal(read(ready[0], &byte, 1), 1);
        close(ready[0]);
        close(ready[1]);
        return pid;
    }
    sigset_t mask;
    int number;
    char *error = NULL;
    struct reload_request request;
    sigemptyset(&mask);
    sigaddset(&mask, SIGHUP);
    sigprocmask(SIG_BLOCK, &mask, NULL);
    if (pid_file_enter(prefix, &error) < 0 || write(ready[1], "x", 1) != 1)
        _exit(2);
    alarm(20);
    if (sigwait(&mask, &number) != 0)
        _exit(3);
    reload_take(prefix, &request);
    bool is_right = request.id[0] != '\0' && request.config_path != NULL &&
                    strcmp(request.config_path, "/some/file") == 0 &&
                    has(request.environment, "KONG_LOG_LEVEL=debug") &&
                    !has(request.environment, "RELOAD_TEST=1");
    reload_answer(prefix, &request, answer);
    sigwait(&mask, &number); /* stays alive: the command asks whether it is */
    _exit(is_right ? 0 : 4);
}

static void end(pid_t pid, int expected)
{
    int status;
    kill(pid, SIGHUP);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), expected);
}

static void the_command_hears_that_it_went_well(void **state)
{
    char *error = NULL;
    setenv("KONG_LOG_LEVEL", "debug", 1);
    setenv("RELOAD_TEST", "1", 1);
    pid_t pid = start_supervisor(*state, NULL);
    assert_true(reload_ask(*state, pid, "/some/file", &error));
    end(pid, 0);
}

static void the_command_hears_why_it_failed(void **state)
{
    char *error = NULL;
    setenv("KONG_LOG_LEVEL", "debug", 1);
    pid_t pid = start_supervisor(*state, "two\nlines");
    assert_false(reload_ask(*state, pid, "/some/file", &error));
    assert_string_equal(error, "two\nlines");
    free(error);
    end(pid, 0);
}

static void a_signal_without_a_request_is_no_request(void **state)
{
    struct reload_request request;
    char text[64];
    reload_take(*state, &request);
    assert_string_equal(request.id, "");
    assert_null(request.config_path);
    assert_null(request.environment);
    reload_answer(*state, &request, "nobody asked");
    assert_string_equal(process_support_read(*state, "pids/reload.result", text, sizeof(text)), "");
    reload_request_clear(&request);
}

static void a_request_that_makes_no_sense_is_dropped(void **state)
{
    const char *const texts[] = {"", "{", "[]", "{\"id\":5}",
                                 "{\"id\":\"0123456789012345678901234567890123\"}"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct reload_request request;
        char path[128];
        (void)snprintf(path, sizeof(path), "%s/pids/reload.request", (const char *)*state);
        FILE *file = fopen(path, "we");
        assert_non_null(file);
        (void)fputs(texts[i], file);
        (void)fclose(file);
        reload_take(*state, &request);
        assert_string_equal(request.id, "");
        assert_int_not_equal(access(path, F_OK), 0);
        reload_request_clear(&request);
    }
}

static void variables_of_the_request_replace_those_of_the_same_name(void **state)
{
    (void)state;
    char one[] = "KONG_A=1", two[] = "KONG_AB=2", three[] = "PATH=/bin";
    char *current[] = {one, two, three, NULL};
    char four[] = "KONG_A=4", five[] = "SLUICE_B=5";
    char *asked[] = {four, five, NULL};
    struct reload_request request = {.environment = asked};
    char **merged = reload_environment(current, &request);
    assert_false(has(merged, "KONG_A=1"));
    assert_true(has(merged, "KONG_A=4"));
    assert_true(has(merged, "KONG_AB=2"));
    assert_true(has(merged, "PATH=/bin"));
    assert_true(has(merged, "SLUICE_B=5"));
    reload_environment_free(merged);
}

int main(void)
{
#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, process_support_set_up, process_support_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(the_command_hears_that_it_went_well),
        TEST(the_command_hears_why_it_failed),
        TEST(a_signal_without_a_request_is_no_request),
        TEST(a_request_that_makes_no_sense_is_dropped),
        TEST(variables_of_the_request_replace_those_of_the_same_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
