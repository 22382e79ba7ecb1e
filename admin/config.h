/* SPDX-License-Identifier: Apache-2.0 */
/* config.h -- /config: the declarative configuration of a node without a database. */
#ifndef SLUICE_ADMIN_CONFIG_H
#define SLUICE_ADMIN_CONFIG_H

#include <stdbool.h>

struct call;
struct store;

enum { CONFIG_HASH_BYTES = 33 };

/* 32 hexadecimal digits and a NUL for what the store holds; all "0" if it is empty. False: it
 * cannot be read. */
bool config_hash_store(struct store *store, char hash[CONFIG_HASH_BYTES])
    __attribute__((warn_unused_result));
void config_run(struct call *call); /* GET and POST /config */

#endif
