/* SPDX-License-Identifier: Apache-2.0 */
/* command_stop.c -- the commands for a gateway that runs: stop, quit, reload, health. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "process/command.h"
#include "process/pid_file.h"
#include "process/reload.h"

enum {
    POLL_MS = 20,
    STOP_MS = 20000, /* more than the supervisor needs to kill a gateway that hangs */
};

static void pause_ms(int ms)
{
    (void)poll(NULL, 0, ms);
}

/* The supervisor's pid; 0: *status is the exit status, and unless `is_silent` the error was
 * printed. */
static pid_t find(const struct command_arguments *arguments, const char *prefix, bool is_silent)
{
    struct stat status;
    pid_t pid = pid_file_supervisor(prefix);
    if (pid != 0 || is_silent)
        return pid;
    if (stat(prefix, &status) != 0)
        (void)command_fail(arguments, "no such prefix: %s", prefix);
    else
        (void)command_fail(arguments, "Sluice is not running in prefix: %s", prefix);
    return 0;
}

static bool wait_gone(const char *prefix, pid_t pid, double seconds)
{
    int64_t deadline_ms = clock_now_ms() + (int64_t)(seconds * 1000);
    while (pid_file_supervisor(prefix) == pid) {
        if (clock_now_ms() >= deadline_ms)
            return false;
        pause_ms(POLL_MS);
    }
    return true;
}

static bool send_signal(const struct command_arguments *arguments, pid_t pid, int number)
{
    if (kill(pid, number) == 0 || errno == ESRCH)
        return true;
    (void)command_fail(arguments, "cannot send a signal to the process %ld: %s", (long)pid,
                       strerror(errno));
    return false;
}

/* 0: stopped, or nothing ran and `is_silent`. */
static int stop(const struct command_arguments *arguments, const char *prefix, bool is_silent)
{
    pid_t pid = find(arguments, prefix, is_silent);
    if (pid == 0)
        return is_silent ? 0 : 1;
    if (!send_signal(arguments, pid, SIGTERM))
        return 1;
    if (!wait_gone(prefix, pid, STOP_MS / 1000.0))
        return command_fail(arguments, "the process %ld did not stop within %d s", (long)pid,
                            STOP_MS / 1000);
    return 0;
}

int command_stop(const struct command_arguments *arguments)
{
    char *prefix = command_prefix(arguments);
    int status = prefix == NULL ? 1 : stop(arguments, prefix, false);
    if (status == 0)
        (void)puts("Sluice stopped");
    free(prefix);
    return status;
}

static int quit(const struct command_arguments *arguments, const char *prefix)
{
    pid_t pid = find(arguments, prefix, false);
    if (pid == 0)
        return 1;
    if (arguments->quit_wait_s > 0)
        (void)wait_gone(prefix, pid, arguments->quit_wait_s);
    if (!send_signal(arguments, pid, SIGQUIT))
        return 1;
    if (wait_gone(prefix, pid, arguments->quit_timeout_s)) {
        (void)puts("Sluice stopped (gracefully)");
        return 0;
    }
    int status = stop(arguments, prefix, true);
    if (status == 0)
        (void)puts("Timeout, Sluice stopped forcefully");
    return status;
}

int command_quit(const struct command_arguments *arguments)
{
    char *prefix = command_prefix(arguments);
    int status = prefix == NULL ? 1 : quit(arguments, prefix);
    free(prefix);
    return status;
}

int command_stop_quietly(const struct command_arguments *arguments, const char *prefix)
{
    return stop(arguments, prefix, true);
}

static int reload(const struct command_arguments *arguments, const char *prefix)
{
    char *error = NULL;
    char *config_path = NULL;
    pid_t pid = find(arguments, prefix, false);
    if (pid == 0)
        return 1;
    if (arguments->config_path != NULL &&
        (config_path = realpath(arguments->config_path, NULL)) == NULL)
        return command_fail(arguments, "no file at: %s", arguments->config_path);
    bool is_ok = reload_ask(prefix, pid, config_path, &error);
    if (is_ok)
        (void)puts("Sluice reloaded");
    else
        (void)command_fail(arguments, "%s", error != NULL ? error : "out of memory");
    free(config_path);
    free(error);
    return is_ok ? 0 : 1;
}

int command_reload(const struct command_arguments *arguments)
{
    char *prefix = command_prefix(arguments);
    int status = prefix == NULL ? 1 : reload(arguments, prefix);
    free(prefix);
    return status;
}

int command_health(const struct command_arguments *arguments)
{
    char *prefix = command_prefix(arguments);
    struct stat info;
    int status = 1;
    if (prefix == NULL)
        return 1;
    if (stat(prefix, &info) != 0) {
        (void)command_fail(arguments, "no such prefix: %s", prefix);
    } else if (pid_file_supervisor(prefix) == 0) {
        (void)command_fail(arguments, "Sluice is not running at %s", prefix);
    } else {
        bool has_gateway = pid_file_has_gateway(prefix);
        (void)printf("gateway.....%s\n\n", has_gateway ? "running" : "not running");
        status = has_gateway ? 0 : 1;
        if (has_gateway)
            (void)printf("Sluice is healthy at %s\n", prefix);
        else
            (void)command_fail(arguments, "some services are not running at %s", prefix);
    }
    free(prefix);
    return status;
}
