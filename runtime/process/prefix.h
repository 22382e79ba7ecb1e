/* SPDX-License-Identifier: Apache-2.0 */
/* prefix.h -- the directory that a gateway works in, and what it keeps there
 * (reference/config-and-cli.md section 4):
 *
 *   pids/sluice.pid, pids/gateway.pid   see pid_file.h
 *   .kong_env                           the configuration in effect, as a configuration file
 *   kong.id                             the node's id
 *   logs/  ssl/  sluice.db              logs, generated certificates, the embedded store */
#ifndef SLUICE_PROCESS_PREFIX_H
#define SLUICE_PROCESS_PREFIX_H

#include <stdbool.h>

struct options;

/* Makes the directories, kong.id and .kong_env (mode 0600: it holds passwords). False: *error is a
 * heap text that names the path and the reason, or NULL when out of memory; so everywhere here. */
bool prefix_prepare(const struct options *options, char **error)
    __attribute__((warn_unused_result));
/* Certificate and key of a listener kind, as tls_server_create() takes them: what the options name,
 * else a self-signed pair below ssl/ that is made now if it is missing. `kind`: "default" (proxy)
 * or "admin" (also for the Status API). Both are heap texts. */
bool prefix_tls_pair(const struct options *options, const char *kind, char **cert, char **key,
                     char **error) __attribute__((warn_unused_result));
/* "<prefix>/<name>", heap; NULL: out of memory. */
char *prefix_path(const char *prefix, const char *name) __attribute__((warn_unused_result));
/* Replaces a file in one step, mode 0600: readers see the old content or the new, never a part. */
bool prefix_write(const char *prefix, const char *name, const char *text, char **error)
    __attribute__((warn_unused_result));

#endif
