/* SPDX-License-Identifier: Apache-2.0 */
/* body.h -- the request body on its way from the client: decoded, bounded, piece by piece.
 *
 * A body of declared length that fits behind its head in the receive block is held there until the
 * request is over, so it can be sent again to another upstream and read by plugins without a copy.
 * Larger and chunked ones stream; a plugin that asks for the whole gets it collected up to
 * options->body_buffer_bytes. */
#ifndef SLUICE_PROXY_BODY_H
#define SLUICE_PROXY_BODY_H

#include "proxy/request.h"

enum body_result {
    BODY_PIECE, /* *piece has bytes, or it is the (possibly empty) last */
    BODY_WAIT,  /* nothing now: the client's connection will become readable */
    BODY_END,   /* everything was handed out before */
    BODY_FAILED /* malformed, cut short, or too large (see body.state, body.is_too_large) */
};

/* Decides how the body is read, from the head. False: declared larger than allowed. */
bool body_start(struct request *request) __attribute__((warn_unused_result));
/* Next piece to send in this try; call body_consume() for what was sent of it before asking again.
 * *is_last: the body ends with it. */
enum body_result body_next(struct request *request, struct slice *piece, bool *is_last);
void body_consume(struct request *request, size_t bytes);
/* Can the body be sent from its beginning (again)? */
bool body_is_replayable(const struct request *request);
/* Starts over for another try; only if replayable. */
void body_rewind(struct request *request);
/* Framing for the upstream: true with *length, or false: chunked. A request without body has length
 * 0 and no Content-Length field unless the client sent one. */
bool body_length(const struct request *request, uint64_t *length);
/* Collects the whole body. BODY_END: it is in *body. */
enum body_result body_collect(struct request *request, struct slice *body);
/* Uses up what has already arrived of a body that nobody wants. */
void body_skip(struct request *request);
void body_clear(struct request *request);

#endif
