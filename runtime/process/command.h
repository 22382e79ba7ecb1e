/* SPDX-License-Identifier: Apache-2.0 */
/* command.h -- the command line: `sluice <command> [options]` (reference/config-and-cli.md section
 * 5).
 *
 * Plain lines on stdout; errors on stderr as "Error: <text>", exit status 1. Every command is one
 * function that gets the parsed arguments and returns the exit status. */
#ifndef SLUICE_PROCESS_COMMAND_H
#define SLUICE_PROCESS_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct options;

enum { COMMAND_WORDS = 4 };

struct command_arguments {
    const char *config_path; /* -c; NULL: not given, like all texts */
    const char *prefix;      /* -p */
    const char
        *words[COMMAND_WORDS + 1]; /* what is no option: sub-command, file; NULL-terminated */
    double db_timeout_s;           /* 0: not given */
    double lock_timeout_s;         /* 60 */
    double quit_timeout_s;         /* 10 */
    double quit_wait_s;            /* 0 */
    bool is_yes, is_quiet, is_forced, is_all, has_run_migrations, has_help;
    int verbosity; /* 0; 1: --v; 2: --vv */
};

/* Runs a whole command line; the exit status. */
int command_main(int argc, char **argv);

/* Prints an error the usual way; returns 1. */
int command_fail(const struct command_arguments *arguments, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* A line on stderr, with --v only. */
void command_verbose(const struct command_arguments *arguments, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Loads and checks the configuration; NULL: the errors were printed. */
struct options *command_load(const struct command_arguments *arguments)
    __attribute__((warn_unused_result));
/* The prefix; heap; NULL: the error was printed. */
char *command_prefix(const struct command_arguments *arguments) __attribute__((warn_unused_result));

/* Stops what runs in the prefix, if anything, and says nothing unless that fails. */
int command_stop_quietly(const struct command_arguments *arguments, const char *prefix);

int command_start(const struct command_arguments *arguments);
int command_stop(const struct command_arguments *arguments);
int command_quit(const struct command_arguments *arguments);
int command_restart(const struct command_arguments *arguments);
int command_reload(const struct command_arguments *arguments);
int command_health(const struct command_arguments *arguments);
int command_check(const struct command_arguments *arguments);
int command_prepare(const struct command_arguments *arguments);
int command_version(const struct command_arguments *arguments);
int command_migrations(const struct command_arguments *arguments);
int command_config(const struct command_arguments *arguments);

#endif
