/* SPDX-License-Identifier: Apache-2.0 */
/* supervisor_test.c -- signals, restarts and reloads with a fake gateway that answers one line to
 * each connection: its generation (its pid) and its log level. What it does wrong is asked for by
 * log_level: emerg refuses to start, alert dies before it is ready; a connection that sends 'c'
 * crashes it. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "config/options.h"
#include "process/pid_file.h"
#include "process/process_support.h"
#include "process/reload.h"
#include "process/supervisor.h"

/* --------------------------------------------------------------------------------- fake gateway */
static void say(int fd, const char *text)
{
    if (write(fd, text, strlen(text)) < 0)
        _exit(9);
}

static void answer(const struct options *options, int listener)
{
    char line[64], asked = 0;
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0)
        return;
    if (read(fd, &asked, 1) == 1 && asked == 'c')
        (void)kill(getpid(), SIGKILL);
    (void)snprintf(line, sizeof(line), "%ld %s\n", (long)getpid(),
                   log_level_name(options->log_level));
    say(fd, line);
    close(fd);
}

static int run_fake(const struct options *options, const struct gateway_sockets *sockets,
                    int ready_fd, int control_fd)
{
    if (options->log_level == LOG_LEVEL_EMERG) {
        say(ready_fd, "the plugin is missing\n");
        _exit(1);
    }
    if (options->log_level == LOG_LEVEL_ALERT)
        (void)kill(getpid(), SIGKILL);
    say(ready_fd, "ok\n");
    close(ready_fd);
    for (;;) {
        char order;
        struct pollfd fds[3] = {{control_fd, POLLIN, 0},
                                {sockets->proxy[0], POLLIN, 0},
                                {sockets->proxy[1], POLLIN, 0}};
        (void)poll(fds, 3, -1);
        if (fds[0].revents != 0) {
            if (read(control_fd, &order, 1) != 1 || order == GATEWAY_STOP || order == GATEWAY_DRAIN)
                _exit(0);
            FILE *file = fopen(options->proxy_access_log, "ae");
            if (file != NULL)
                (void)fclose(file);
        }
        for (int i = 1; i < 3; i++)
            if (fds[i].revents != 0)
                answer(options, fds[i].fd);
    }
}

/* ------------------------------------------------------------------------------------- fixture */
struct running {
    pid_t pid;
    int port;
    char report[256];
};

static void on_start(void *context, const char *error)
{
    int fd = *(int *)context;
    say(fd, error == NULL ? "ok" : error);
    close(fd);
}

static struct running start(const char *prefix, const char *settings)
{
    struct running out = {.port = process_support_port()};
    int report[2];
    assert_int_equal(pipe(report), 0);
    out.pid = fork();
    if (out.pid == 0) {
        char *error = NULL;
        struct sockets sockets = {0};
        struct options *options = process_support_options(prefix, out.port, settings);
        struct supervisor_setup setup = {.options = options,
                                         .sockets = &sockets,
                                         .config_path = options->config_path,
                                         .run = run_fake,
                                         .report_fd = report[1],
                                         .on_start = on_start,
                                         .context = &report[1]};
        close(report[0]);
        if (!sockets_plan(&sockets, options, &setup.plan, &error))
            _exit(8);
        _exit(supervisor_run(&setup));
    }
    close(report[1]);
    ssize_t len = read(report[0], out.report, sizeof(out.report) - 1);
    out.report[len < 0 ? 0 : len] = '\0';
    close(report[0]);
    return out;
}

static int wait_end(pid_t pid)
{
    int status;
    alarm(30); /* ends the test program, should the supervisor hang */
    assert_int_equal(waitpid(pid, &status, 0), pid);
    alarm(0);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int stop(const struct running *running)
{
    kill(running->pid, SIGTERM);
    return wait_end(running->pid);
}

/* Sends a byte, reads the line: pid of the gateway, or 0. */
static long ask(int port, const char *byte, char level[32])
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                  .sin_port = htons((uint16_t)port)};
    char line[64] = "";
    const struct timeval limit = {.tv_sec = 10};
    long pid = 0;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    level[0] = '\0';
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 && write(fd, byte, 1) == 1 &&
        read(fd, line, sizeof(line) - 1) > 0)
        (void)sscanf(line, "%ld %31s", &pid, level);
    close(fd);
    return pid;
}

struct change {
    int port;
    long old_pid;
    char level[32];
};

static bool is_another_gateway(void *context)
{
    struct change *change = context;
    long pid = ask(change->port, "x", change->level);
    return pid != 0 && pid != change->old_pid;
}

/* --------------------------------------------------------------------------------------- tests */
static void it_reports_serves_and_stops(void **state)
{
    char level[32], text[64];
    struct running running = start(*state, "log_level = info\n");
    assert_string_equal(running.report, "ok");
    assert_int_equal(pid_file_supervisor(*state), running.pid);
    assert_true(pid_file_has_gateway(*state));
    assert_true(ask(running.port, "x", level) > 0);
    assert_string_equal(level, "info");
    assert_int_equal(stop(&running), 0);
    assert_int_equal(pid_file_supervisor(*state), 0);
    assert_string_equal(process_support_read(*state, "pids/sluice.pid", text, sizeof(text)), "");
    assert_int_equal(ask(running.port, "x", level), 0);
}

static void a_first_start_that_fails_is_reported_and_ends_it(void **state)
{
    struct running running = start(*state, "log_level = emerg\n");
    assert_string_equal(running.report, "the plugin is missing");
    assert_int_equal(wait_end(running.pid), 1);
    running = start(*state, "log_level = alert\n");
    assert_string_equal(running.report,
                        "the gateway process was killed by signal 9 (Killed) before it was ready");
    assert_int_equal(wait_end(running.pid), 1);
}

static void a_crashed_gateway_is_replaced_and_clients_only_wait(void **state)
{
    char level[32];
    struct running running = start(*state, "");
    long before = ask(running.port, "x", level);
    assert_int_equal(ask(running.port, "c", level), 0);
    /* The socket is the supervisor's: this connection waits in its queue. */
    long after = ask(running.port, "x", level);
    assert_true(after > 0 && after != before);
    before = after;
    assert_int_equal(ask(running.port, "c", level), 0);
    after = ask(running.port, "x", level);
    assert_true(after > 0 && after != before);
    assert_int_equal(stop(&running), 0);
}

static void quit_ends_it_and_frees_the_port(void **state)
{
    char level[32];
    struct running running = start(*state, "");
    kill(running.pid, SIGQUIT);
    assert_int_equal(wait_end(running.pid), 0);
    assert_int_equal(ask(running.port, "x", level), 0);
}

static void a_hangup_reads_the_file_again(void **state)
{
    struct running running = start(*state, "log_level = info\n");
    struct change change = {.port = running.port};
    change.old_pid = ask(running.port, "x", change.level);
    options_destroy(process_support_options(*state, running.port, "log_level = debug\n"));
    kill(running.pid, SIGHUP);
    assert_true(process_support_wait(is_another_gateway, &change));
    assert_string_equal(change.level, "debug");
    assert_int_equal(stop(&running), 0);
}

static void a_reload_takes_variables_and_answers(void **state)
{
    char level[32];
    char *error = NULL;
    struct running running = start(*state, "");
    setenv("KONG_LOG_LEVEL", "debug", 1);
    assert_true(reload_ask(*state, running.pid, NULL, &error));
    assert_true(ask(running.port, "x", level) > 0);
    assert_string_equal(level, "debug");
    unsetenv("KONG_LOG_LEVEL");
    assert_true(reload_ask(*state, running.pid, NULL, &error)); /* it is remembered */
    (void)ask(running.port, "x", level);
    assert_string_equal(level, "debug");
    assert_int_equal(stop(&running), 0);
}

static void a_reload_that_fails_changes_nothing(void **state)
{
    const struct {
        const char *level, *why;
    } cases[] = {
        {"nonsense", "log_level has an invalid value: 'nonsense'"},
        {"emerg", "the plugin is missing"},
        {"alert", "was killed by signal 9 (Killed) before it was ready"},
    };
    char level[32];
    struct running running = start(*state, "");
    long before = ask(running.port, "x", level);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *error = NULL;
        setenv("KONG_LOG_LEVEL", cases[i].level, 1);
        assert_false(reload_ask(*state, running.pid, NULL, &error));
        assert_non_null(strstr(error, cases[i].why));
        free(error);
        assert_int_equal(ask(running.port, "x", level), before);
    }
    unsetenv("KONG_LOG_LEVEL");
    assert_true(reload_ask(*state, running.pid, NULL, &(char *){NULL}));
    assert_int_equal(stop(&running), 0);
}

static void the_prefix_and_the_database_survive_a_reload(void **state)
{
    char level[32], text[8192];
    struct running running = start(*state, "");
    setenv("KONG_PREFIX", "/nonexistent", 1);
    setenv("KONG_DATABASE", "off", 1);
    assert_true(reload_ask(*state, running.pid, NULL, &(char *){NULL}));
    unsetenv("KONG_PREFIX");
    unsetenv("KONG_DATABASE");
    assert_int_equal(pid_file_supervisor(*state), running.pid);
    assert_true(ask(running.port, "x", level) > 0);
    process_support_read(*state, ".kong_env", text, sizeof(text));
    assert_non_null(strstr(text, "database = sqlite"));
    assert_int_equal(stop(&running), 0);
}

static bool has_access_log(void *context)
{
    char path[256];
    (void)snprintf(path, sizeof(path), "%s/access.log", (const char *)context);
    return access(path, F_OK) == 0;
}

static void usr1_reaches_the_gateway(void **state)
{
    struct running running = start(*state, "proxy_access_log = access.log\n");
    assert_false(has_access_log(*state));
    kill(running.pid, SIGUSR1);
    assert_true(process_support_wait(has_access_log, *state));
    assert_int_equal(stop(&running), 0);
}

static bool is_gone(void *context)
{
    return waitpid(*(pid_t *)context, NULL, WNOHANG) > 0;
}

static void no_gateway_outlives_its_supervisor(void **state)
{
    char level[32];
    struct running running = start(*state, "");
    pid_t gateway = (pid_t)ask(running.port, "x", level);
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0); /* it becomes our child */
    kill(running.pid, SIGKILL);
    assert_int_equal(waitpid(running.pid, NULL, 0), running.pid);
    assert_true(process_support_wait(is_gone, &gateway));
    assert_int_equal(pid_file_supervisor(*state), 0);
}

int main(void)
{
#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, process_support_set_up, process_support_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(it_reports_serves_and_stops),
        TEST(a_first_start_that_fails_is_reported_and_ends_it),
        TEST(a_crashed_gateway_is_replaced_and_clients_only_wait),
        TEST(quit_ends_it_and_frees_the_port),
        TEST(a_hangup_reads_the_file_again),
        TEST(a_reload_takes_variables_and_answers),
        TEST(a_reload_that_fails_changes_nothing),
        TEST(the_prefix_and_the_database_survive_a_reload),
        TEST(usr1_reaches_the_gateway),
        TEST(no_gateway_outlives_its_supervisor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
