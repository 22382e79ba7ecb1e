/* SPDX-License-Identifier: Apache-2.0 */
/* process_support.h -- a prefix, ports and options for the tests of runtime/process/. */
#ifndef SPEC_UNIT_PROCESS_SUPPORT_H
#define SPEC_UNIT_PROCESS_SUPPORT_H

#include <stdbool.h>
#include <stddef.h>

struct options;

/* Makes an empty folder with pids/ in it; *state is its path. Variables of the configuration are
 * removed from the environment. For cmocka's set-up and tear-down. */
int process_support_set_up(void **state);
int process_support_tear_down(void **state);
/* A loopback port that nobody listens on. */
int process_support_port(void);
/* Options of a node below the prefix with one proxy port and nothing else to listen on; fails the
 * test if they are refused. `settings` is a configuration file's text. */
struct options *process_support_options(const char *prefix, int port, const char *settings);
/* Content of a file below the prefix, NUL-terminated and cut to fit; "" if there is none. */
const char *process_support_read(const char *prefix, const char *name, char *out, size_t size);
/* Calls is_done(context) every few ms for up to 10 s. */
bool process_support_wait(bool (*is_done)(void *context), void *context);

#endif
