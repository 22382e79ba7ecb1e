/* SPDX-License-Identifier: Apache-2.0 */
/* forwarded.h -- who the client is and what it asked for, seen through trusted proxies
 * (reference/proxy-behaviour.md sections 8 and 15). */
#ifndef SLUICE_PROXY_FORWARDED_H
#define SLUICE_PROXY_FORWARDED_H

#include "base/slice.h"

struct http_headers;
struct request;

/* Finds the client's address: the peer's, or what a trusted peer says. */
void forwarded_find_client(struct request *request);
struct slice forwarded_scheme(const struct request *request);
struct slice forwarded_host(const struct request *request);
int forwarded_port(const struct request *request);
struct slice forwarded_path(const struct request *request);
/* The stripped prefix; absent if nothing was stripped, or only "/". */
struct slice forwarded_prefix(const struct request *request);
/* Is `name` listed in a Connection field? */
bool forwarded_is_named(const struct http_headers *headers, struct slice name);

#endif
