/* SPDX-License-Identifier: Apache-2.0 */
/* generation_test.c -- one gateway process, seen from its supervisor; the gateways here are fakes.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "process/generation.h"

static void nothing(void *context)
{
    (void)context;
}

static void say(int fd, const char *text)
{
    if (write(fd, text, strlen(text)) < 0)
        _exit(9);
    close(fd);
}

/* Ready at once; its exit status is the first order it gets, 0 when the supervisor is gone. */
static int obey(const struct options *options, const struct gateway_sockets *sockets, int ready_fd,
                int control_fd)
{
    (void)options;
    (void)sockets;
    char byte = 0;
    say(ready_fd, "ok\n");
    _exit(read(control_fd, &byte, 1) == 1 ? byte : 0);
}

static int refuse(const struct options *options, const struct gateway_sockets *sockets,
                  int ready_fd, int control_fd)
{
    (void)options;
    (void)sockets;
    (void)control_fd;
    say(ready_fd, "no such plugin\n/a\n/b\n");
    _exit(1);
}

static int crash(const struct options *options, const struct gateway_sockets *sockets, int ready_fd,
                 int control_fd)
{
    (void)options;
    (void)sockets;
    (void)ready_fd;
    (void)control_fd;
    (void)signal(SIGSEGV, SIG_DFL);
    (void)raise(SIGSEGV);
    return 0;
}

static int hang(const struct options *options, const struct gateway_sockets *sockets, int ready_fd,
                int control_fd)
{
    (void)options;
    (void)sockets;
    (void)control_fd;
    say(ready_fd, "ok\n");
    for (;;)
        pause();
    return 0;
}

static enum generation_answer wait_answer(struct generation *generation)
{
    enum generation_answer answer;
    do {
        struct pollfd fds = {generation->ready_fd, POLLIN, 0};
        assert_int_equal(poll(&fds, 1, 10000), 1);
    } while ((answer = generation_listen(generation)) == GENERATION_SILENT);
    return answer;
}

static struct generation *start(generation_run run)
{
    struct generation *generation = generation_start(NULL, NULL, run, nothing, NULL);
    assert_non_null(generation);
    assert_int_equal(generation->state, GENERATION_STARTING);
    return generation;
}

static int wait_exit(struct generation *generation)
{
    int status;
    assert_int_equal(waitpid(generation->pid, &status, 0), generation->pid);
    generation_destroy(generation);
    return status;
}

static void a_ready_gateway_takes_orders(void **state)
{
    (void)state;
    struct generation *generation = start(obey);
    assert_int_equal(wait_answer(generation), GENERATION_READY);
    generation_serve(generation);
    assert_int_equal(generation->deadline_ms, 0);
    generation_drain(generation, 1000);
    assert_int_equal(generation->state, GENERATION_DRAINING);
    assert_true(generation->deadline_ms > 0);
    assert_int_equal(WEXITSTATUS(wait_exit(generation)), GATEWAY_DRAIN);
}

static void a_gateway_that_refuses_says_why_in_several_lines(void **state)
{
    (void)state;
    struct generation *generation = start(refuse);
    assert_int_equal(wait_answer(generation), GENERATION_FAILED);
    assert_string_equal(generation->answer, "no such plugin\n/a\n/b");
    (void)wait_exit(generation);
}

static void a_crash_before_the_answer_is_an_empty_failure(void **state)
{
    (void)state;
    char how[128];
    struct generation *generation = start(crash);
    assert_int_equal(wait_answer(generation), GENERATION_FAILED);
    assert_string_equal(generation->answer, "");
    generation_describe_exit(wait_exit(generation), how, sizeof(how));
    assert_string_equal(how, "was killed by signal 11 (Segmentation fault)");
}

static void one_that_does_not_follow_is_stopped_then_killed(void **state)
{
    (void)state;
    struct generation *generation = start(hang);
    assert_int_equal(wait_answer(generation), GENERATION_READY);
    generation_serve(generation);
    generation_drain(generation, 1000);
    generation_enforce(generation, generation->deadline_ms - 1);
    assert_int_equal(generation->state, GENERATION_DRAINING);
    generation_enforce(generation, generation->deadline_ms);
    assert_int_equal(generation->state, GENERATION_STOPPING);
    generation_enforce(generation, generation->deadline_ms);
    int status = wait_exit(generation);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGKILL);
}

static void the_end_of_the_control_pipe_ends_the_gateway(void **state)
{
    (void)state;
    int status;
    struct generation *generation = start(obey);
    pid_t pid = generation->pid;
    assert_int_equal(wait_answer(generation), GENERATION_READY);
    generation_destroy(generation);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_ready_gateway_takes_orders),
        cmocka_unit_test(a_gateway_that_refuses_says_why_in_several_lines),
        cmocka_unit_test(a_crash_before_the_answer_is_an_empty_failure),
        cmocka_unit_test(one_that_does_not_follow_is_stopped_then_killed),
        cmocka_unit_test(the_end_of_the_control_pipe_ends_the_gateway),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
