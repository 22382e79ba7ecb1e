/* SPDX-License-Identifier: Apache-2.0 */
/* response.h -- the way back: head, header phase, body phase, framing towards the client. */
#ifndef SLUICE_PROXY_RESPONSE_H
#define SLUICE_PROXY_RESPONSE_H

#include "proxy/request.h"

/* The upstream's head is in out.head: decides framing, runs the header phase, begins to send. */
void response_begin(struct request *request);
/* Moves body bytes on as far as both sides go. */
void response_pump(struct request *request);
/* Adds the gateway's own fields (Server, Via, latencies, request id) to out.headers, as configured.
 * False: out of memory. */
bool response_add_own(struct request *request, bool is_local) __attribute__((warn_unused_result));
/* Runs header and body phases over a body that is there in one piece, and sends it. */
void response_send_whole(struct request *request, struct slice body);
/* "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 section 5.6.7) into `out`. */
void response_date(int64_t unix_s, char out[30]);

#endif
