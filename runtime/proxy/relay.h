/* SPDX-License-Identifier: Apache-2.0 */
/* relay.h -- body bytes from the upstream through the body phase to the client.
 *
 * At most one receive block and one filtered chunk are in memory per response: a client that does
 * not read stops the upstream. */
#ifndef SLUICE_PROXY_RELAY_H
#define SLUICE_PROXY_RELAY_H

#include "proxy/request.h"

/* Writes what is ready and fetches more until one side has to be waited for; ends the request after
 * the last byte. */
void relay_pump(struct request *request);
/* Collects the whole response body, then runs the response phase and sends it. */
void relay_collect(struct request *request);
/* Runs the body phase once over a whole body; what is to be sent instead. */
struct slice relay_filter_whole(struct request *request, struct slice body);

#endif
