/* SPDX-License-Identifier: Apache-2.0 */
/* reload.h -- how `sluice reload` and a running supervisor talk.
 *
 * The command writes pids/reload.request (which configuration file, and its own KONG_* and SLUICE_*
 * variables), sends SIGHUP and waits until pids/reload.result answers the request's id. A lock
 * makes commands wait for each other. A SIGHUP without a request is a reload as at start. */
#ifndef SLUICE_PROCESS_RELOAD_H
#define SLUICE_PROCESS_RELOAD_H

#include <stdbool.h>
#include <sys/types.h>

struct reload_request {
    char id[33];        /* "" if nobody asked for an answer */
    char *config_path;  /* absolute; NULL: as before */
    char **environment; /* "NAME=value", NULL-terminated; NULL: as before */
};

/* Command: asks the supervisor of the prefix and waits for the answer. `config_path` may be NULL.
 * False: *error is a heap text, or NULL when out of memory. */
bool reload_ask(const char *prefix, pid_t supervisor, const char *config_path, char **error)
    __attribute__((warn_unused_result));

/* Supervisor: takes the request that came with a SIGHUP; all empty if there is none. */
void reload_take(const char *prefix, struct reload_request *request);
/* `error` NULL: the new generation serves. Nothing happens for a request without id. */
void reload_answer(const char *prefix, const struct reload_request *request, const char *error);
void reload_request_clear(struct reload_request *request);
/* `current` with the request's variables set: a heap list of its own; reload_environment_free().
 * NULL: out of memory. */
char **reload_environment(char *const *current, const struct reload_request *request)
    __attribute__((warn_unused_result));
void reload_environment_free(char **environment);

#endif
