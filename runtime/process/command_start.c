/* SPDX-License-Identifier: Apache-2.0 */
/* command_start.c -- `sluice start`, `sluice restart`.
 *
 * Everything that can be refused is refused here, on the terminal: configuration, prefix, store,
 * addresses. Then the process becomes the supervisor, or forks it into the background and waits
 * until its gateway accepts requests. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "config/options.h"
#include "process/command.h"
#include "process/command_store.h"
#include "process/gateway.h"
#include "process/pid_file.h"
#include "process/prefix.h"
#include "process/supervisor.h"

enum { REPORT_MS = GENERATION_START_MS + 2 * GENERATION_STOP_MS };

/* ----------------------------------------------------------------------------------- foreground */
static void on_start_here(void *context, const char *error)
{
    if (error != NULL) {
        (void)command_fail(context, "%s", error);
    } else {
        (void)puts("Sluice started");
        (void)fflush(stdout);
    }
}

static int run_here(const struct command_arguments *arguments, struct supervisor_setup *setup)
{
    struct command_arguments mine = *arguments;
    setup->on_start = on_start_here;
    setup->context = &mine;
    setup->report_fd = -1;
    return supervisor_run(setup);
}

/* ----------------------------------------------------------------------------------- background */
struct report {
    int fd;
};

static void on_start_there(void *context, const char *error)
{
    struct report *report = context;
    ssize_t written =
        error == NULL ? write(report->fd, "ok\n", 3) : write(report->fd, error, strlen(error));
    (void)written; /* the command may have been interrupted; the gateway goes on */
    close(report->fd);
    report->fd = -1;
}

static bool logs_to(const struct options *options, const char *path)
{
    const char *const logs[] = {options->proxy_access_log,  options->proxy_error_log,
                                options->admin_access_log,  options->admin_error_log,
                                options->status_access_log, options->status_error_log};
    for (size_t i = 0; i < sizeof(logs) / sizeof(logs[0]); i++)
        if (strcmp(logs[i], path) == 0)
            return true;
    return false;
}

/* Lets go of the terminal, but for what a log is told to write to. */
static void detach(const struct options *options)
{
    int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    (void)setsid();
    if (null_fd < 0)
        return;
    (void)dup2(null_fd, STDIN_FILENO);
    if (!logs_to(options, "/dev/stdout"))
        (void)dup2(null_fd, STDOUT_FILENO);
    if (!logs_to(options, "/dev/stderr"))
        (void)dup2(null_fd, STDERR_FILENO);
    close(null_fd);
}

static void run_there(struct supervisor_setup *setup, int fd)
{
    struct report report = {.fd = fd};
    detach(setup->options);
    setup->on_start = on_start_there;
    setup->context = &report;
    setup->report_fd = fd;
    exit(supervisor_run(setup));
}

/* Reads until the end, the answer "ok", or the deadline. */
static void read_report(int fd, char *out, size_t size)
{
    int64_t deadline_ms = clock_now_ms() + REPORT_MS;
    size_t len = 0;
    out[0] = '\0';
    while (len + 1 < size && strcmp(out, "ok\n") != 0) {
        int64_t left_ms = deadline_ms - clock_now_ms();
        struct pollfd fds = {fd, POLLIN, 0};
        int ready = left_ms <= 0 ? 0 : poll(&fds, 1, (int)left_ms);
        if (ready < 0 && errno == EINTR)
            continue;
        ssize_t n = ready <= 0 ? 0 : read(fd, out + len, size - 1 - len);
        if (n <= 0)
            return;
        len += (size_t)n;
        out[len] = '\0';
    }
}

/* A start that failed is over when its processes are: the user may try again at once. */
static void wait_end(pid_t supervisor)
{
    enum { POLL_MS = 10 };
    int64_t deadline_ms = clock_now_ms() + 2 * GENERATION_STOP_MS;
    while (waitpid(supervisor, NULL, WNOHANG) == 0 && clock_now_ms() < deadline_ms)
        (void)poll(NULL, 0, POLL_MS);
}

static int wait_for_start(const struct command_arguments *arguments, const char *error_log,
                          pid_t supervisor, int fd)
{
    char report[GENERATION_ANSWER_BYTES];
    read_report(fd, report, sizeof(report));
    if (strcmp(report, "ok\n") == 0) {
        (void)puts("Sluice started");
        return 0;
    }
    wait_end(supervisor);
    if (report[0] == '\0')
        return command_fail(
            arguments, "the gateway did not report that it started; %s may say more", error_log);
    return command_fail(arguments, "%s", report);
}

static int run_in_background(const struct command_arguments *arguments,
                             struct supervisor_setup *setup)
{
    int report[2];
    (void)fflush(NULL); /* else the child would print it again */
    if (pipe2(report, O_CLOEXEC) != 0)
        return command_fail(arguments, "cannot start a process: %s", strerror(errno));
    pid_t pid = fork();
    if (pid == 0) {
        close(report[0]);
        run_there(setup, report[1]);
    }
    close(report[1]);
    int status = pid < 0
                     ? command_fail(arguments, "cannot start a process: %s", strerror(errno))
                     : wait_for_start(arguments, setup->options->proxy_error_log, pid, report[0]);
    close(report[0]);
    sockets_plan_clear(&setup->plan);
    sockets_forget(setup->sockets);
    options_destroy(setup->options);
    return status;
}

/* ---------------------------------------------------------------------------------------- start */
static bool prepare(const struct command_arguments *arguments, const struct options *options,
                    struct sockets *sockets, struct gateway_sockets *plan, char **error)
{
    *error = NULL;
    if (pid_file_supervisor(options->prefix) != 0) {
        if (asprintf(error, "Sluice is already running in %s", options->prefix) < 0)
            *error = NULL;
        return false;
    }
    return prefix_prepare(options, error) &&
           command_store_ready(options, arguments->has_run_migrations, arguments->lock_timeout_s,
                               error) &&
           sockets_plan(sockets, options, plan, error);
}

/* Takes the options. */
static int start(const struct command_arguments *arguments, struct options *options)
{
    struct sockets sockets = {0};
    struct supervisor_setup setup = {
        .options = options,
        .sockets = &sockets,
        .run = gateway_run,
    };
    char *error;
    if (!prepare(arguments, options, &sockets, &setup.plan, &error)) {
        int status = command_fail(arguments, "%s", error != NULL ? error : "out of memory");
        free(error);
        sockets_clear(&sockets);
        options_destroy(options);
        return status;
    }
    /* Only a file that was named is read again by a reload; the default places are looked at anew.
     * A copy: the options live only as long as they are current. */
    char *config_path = arguments->config_path == NULL || options->config_path == NULL
                            ? NULL
                            : strdup(options->config_path);
    setup.config_path = config_path;
    int status =
        options->is_daemon ? run_in_background(arguments, &setup) : run_here(arguments, &setup);
    free(config_path);
    return status;
}

int command_start(const struct command_arguments *arguments)
{
    struct options *options = command_load(arguments);
    return options == NULL ? 1 : start(arguments, options);
}

/* A configuration that cannot be used must not stop what runs. */
int command_restart(const struct command_arguments *arguments)
{
    struct options *options = command_load(arguments);
    if (options == NULL)
        return 1;
    if (command_stop_quietly(arguments, options->prefix) == 0)
        return start(arguments, options);
    options_destroy(options);
    return 1;
}
