/* SPDX-License-Identifier: Apache-2.0 */
/* command_store.h -- what a command needs of the store before a gateway may start. */
#ifndef SLUICE_PROCESS_COMMAND_STORE_H
#define SLUICE_PROCESS_COMMAND_STORE_H

#include <stdbool.h>
#include <stddef.h>

struct options;

enum { COMMAND_STORE_NAME_BYTES = 512 };

/* "postgres 'kong' at 127.0.0.1:5432" or "sqlite /path". */
void command_store_name(const struct options *options, char *out, size_t size);
/* Whether the schema is what this build expects. SQLite is migrated here, PostgreSQL only when
 * asked to. False: *error is a heap line that says what to do, or NULL when out of memory. */
bool command_store_ready(const struct options *options, bool is_migrating, double lock_timeout_s,
                         char **error) __attribute__((warn_unused_result));

#endif
