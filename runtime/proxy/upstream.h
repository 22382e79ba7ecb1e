/* SPDX-License-Identifier: Apache-2.0 */
/* upstream.h -- sending a request on: tries, connections, the response head.
 *
 * Retries (reference/proxy-behaviour.md section 11): a failed connection goes to the next address;
 * after bytes were sent only idempotent methods are tried again, and only while the body can be
 * sent from its beginning; never once response bytes went to the client. */
#ifndef SLUICE_PROXY_UPSTREAM_H
#define SLUICE_PROXY_UPSTREAM_H

#include <stdbool.h>

#include "net/conn.h"

struct request;

/* Finds the address and begins the first try. */
void upstream_start(struct request *request);
/* An address is known, or waiting for it failed (target.c calls this). */
void upstream_try(struct request *request);
/* Its connection became readable or writable, or timed out. */
void upstream_on_ready(struct request *request);
void upstream_on_timeout(struct request *request);
/* More of the request body may have come. */
void upstream_send_body(struct request *request);
/* Reads into the upstream's block; renews the read deadline. */
enum conn_result upstream_read(struct request *request) __attribute__((warn_unused_result));
/* Starts (if it is not running) or stops the read deadline. */
void upstream_wait(struct request *request, bool is_waiting);
/* Closes the connection, if any, and stops waiting for DNS. */
void upstream_drop(struct request *request);
/* The response is over: the connection is kept if both messages are wholly finished. */
void upstream_done(struct request *request);

#endif
