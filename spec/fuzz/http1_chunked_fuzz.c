/* SPDX-License-Identifier: Apache-2.0 */
/* http1_chunked_fuzz.c -- the chunked decoder gives the same body, end and verdict in every split.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "http/http1_chunked.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct outcome {
    enum http1_chunk_result result;
    size_t used;
    size_t body_len;
    char *body; /* as large as the input; NULL: not kept */
};

static void check(bool is_true)
{
    if (!is_true)
        abort();
}

static struct outcome decode(struct slice wire, size_t step)
{
    struct outcome out = {.result = HTTP1_CHUNK_MORE, .body = malloc(wire.len + 1)};
    struct http1_chunked decoder = {0};
    check(out.body != NULL);
    while (out.used < wire.len) {
        struct slice piece = slice_from(wire, out.used), data = {NULL, 0};
        size_t consumed = SIZE_MAX;
        if (piece.len > step)
            piece.len = step;
        out.result = http1_chunked_decode(&decoder, piece, &consumed, &data);
        check(consumed <= piece.len);
        out.used += consumed;
        if (out.result == HTTP1_CHUNK_DATA) {
            check(data.len > 0 && data.ptr + data.len == piece.ptr + consumed);
            memcpy(out.body + out.body_len, data.ptr, data.len);
            out.body_len += data.len;
        } else if (out.result == HTTP1_CHUNK_MORE) {
            check(consumed == piece.len);
        } else {
            break;
        }
    }
    if (out.result ==
        HTTP1_CHUNK_DATA) /* the last event differs with the split, the state does not */
        out.result = HTTP1_CHUNK_MORE;
    return out;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice wire = slice_make((const char *)data, size);
    struct outcome whole = decode(wire, SIZE_MAX);
    for (size_t step = 1; step <= 7; step += 3) {
        struct outcome pieces = decode(wire, step);
        check(pieces.result == whole.result && pieces.used == whole.used);
        check(pieces.body_len == whole.body_len);
        check(memcmp(pieces.body, whole.body, whole.body_len) == 0);
        free(pieces.body);
    }
    free(whole.body);
    return 0;
}
