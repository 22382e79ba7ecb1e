/* SPDX-License-Identifier: Apache-2.0 */
/* local.h -- responses made by the gateway: a plugin's exit, error bodies, engine failures
 * (reference/proxy-behaviour.md section 10). */
#ifndef SLUICE_PROXY_LOCAL_H
#define SLUICE_PROXY_LOCAL_H

#include "proxy/request.h"

/* Sets the answer of kong.response.exit(); sent by local_send() once the phase is over. `body`
 * absent: none. It is copied. False: out of memory. */
bool local_exit(struct request *request, int status, struct slice body)
    __attribute__((warn_unused_result));
/* Sets Kong's error body for `status`; `message` absent: the default one. Type by Accept, else
 * JSON. */
void local_error(struct request *request, int status, struct slice message);
/* The engine failed (malformed request, upstream failure): type by Accept, the request's
 * Content-Type, else error_default_type. Sends it, or ends the request if a response has begun. */
void local_failure(struct request *request, int status);
/* As local_error() for the engine's own refusals after routing (404, 503), and sends it. */
void local_refuse(struct request *request, int status, struct slice message);
/* Runs header and body phases over what was set and writes it. */
void local_send(struct request *request);

#endif
