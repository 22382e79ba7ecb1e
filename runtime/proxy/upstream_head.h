/* SPDX-License-Identifier: Apache-2.0 */
/* upstream_head.h -- the request head as the upstream gets it (reference/proxy-behaviour.md
 * sections 6 and 8). */
#ifndef SLUICE_PROXY_UPSTREAM_HEAD_H
#define SLUICE_PROXY_UPSTREAM_HEAD_H

#include "base/slice.h"

struct request;

/* Path and query to be sent, from route, service and plugins; also kept in shape.uri. False: out of
 * memory. */
bool upstream_head_uri(struct request *request) __attribute__((warn_unused_result));
/* Host field to be sent. */
struct slice upstream_head_host(const struct request *request);
/* Writes the head into the worker's scratch; its length, 0 if it does not fit. */
size_t upstream_head_write(struct request *request);

#endif
