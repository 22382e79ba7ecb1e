/* SPDX-License-Identifier: Apache-2.0 */
/* http1_chunked.h -- incremental decoder of the chunked transfer coding (RFC 9112 section 7.1).
 * No I/O, no allocation; an all-zero struct is ready. */
#ifndef SLUICE_HTTP_HTTP1_CHUNKED_H
#define SLUICE_HTTP_HTTP1_CHUNKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

enum http1_chunk_result {
    HTTP1_CHUNK_MORE, /* all input was used; the body goes on */
    HTTP1_CHUNK_DATA, /* *data is a piece of the body; call again with the rest */
    HTTP1_CHUNK_DONE, /* the body and its trailers are over; *consumed bytes were used */
    HTTP1_CHUNK_BAD,
};

enum { HTTP1_MAX_CHUNK_LINE = 4096, HTTP1_MAX_TRAILERS = 16384 };

struct http1_chunked {
    uint64_t left;     /* of the current chunk */
    uint32_t line;     /* bytes of the current size line with extensions */
    uint32_t trailers; /* bytes of the trailer section */
    uint8_t digits;
    uint8_t state;
};

/* Decodes the front of `bytes`: uses *consumed of them and returns at the first event. */
enum http1_chunk_result http1_chunked_decode(struct http1_chunked *decoder, struct slice bytes,
                                             size_t *consumed, struct slice *data)
    __attribute__((warn_unused_result));

#endif
