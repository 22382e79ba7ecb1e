/* SPDX-License-Identifier: Apache-2.0 */
/* http1_chunked.c -- incremental decoder of the chunked transfer coding (RFC 9112 section 7.1).
 *
 *   SIZE -> [SIZE_BLANK -> EXT] -> SIZE_LF -> DATA -> DATA_CR -> DATA_LF -> SIZE ...   one data
 * chunk SIZE_LF -> LINE -> [NAME -> VALUE -> VALUE_LF -> LINE] LINE -> END_LF -> DONE the last one
 *   any -> BAD, which stays
 *
 * No I/O, no allocation. Extensions and trailers are checked for their bytes, bounded and dropped.
 * A bare LF or CR, a blank that no extension follows, or a size over 60 bits is refused: two
 * parsers that read one stream differently are a request-smuggling hole. */
#include "http/http1_chunked.h"

#include "http/char_class.h"

enum state {
    CHUNK_SIZE, /* must be 0: an all-zero struct is ready */
    CHUNK_SIZE_BLANK,
    CHUNK_EXT,
    CHUNK_SIZE_LF,
    CHUNK_DATA,
    CHUNK_DATA_CR,
    CHUNK_DATA_LF,
    CHUNK_LINE,
    CHUNK_NAME,
    CHUNK_VALUE,
    CHUNK_VALUE_LF,
    CHUNK_END_LF,
    CHUNK_DONE,
    CHUNK_BAD,
};

/* Digits of a size, leading zeros included: 60 bits, so that nothing overflows. */
enum { MAX_DIGITS = 15 };

static bool go(struct http1_chunked *d, enum state state)
{
    d->state = (uint8_t)state;
    return true;
}

static bool push_digit(struct http1_chunked *d, char c)
{
    int value = char_class_hex(c);
    if (value < 0 || d->digits == MAX_DIGITS)
        return false;
    d->digits++;
    d->left = d->left * 16 + (uint64_t)value;
    return true;
}

static bool end_chunk(struct http1_chunked *d)
{
    d->digits = 0;
    d->line = 0;
    return go(d, CHUNK_SIZE);
}

/* Takes one framing byte. False if the grammar does not allow it here. */
static bool step(struct http1_chunked *d, char c)
{
    switch ((enum state)d->state) {
    case CHUNK_SIZE:
        if (d->digits == 0 || char_class_is(c, CHAR_HEX))
            return push_digit(d, c);
        if (c == '\r')
            return go(d, CHUNK_SIZE_LF);
        if (c == ';')
            return go(d, CHUNK_EXT);
        return (c == ' ' || c == '\t') && go(d, CHUNK_SIZE_BLANK);
    case CHUNK_SIZE_BLANK: return c == ';' ? go(d, CHUNK_EXT) : c == ' ' || c == '\t';
    case CHUNK_EXT: return c == '\r' ? go(d, CHUNK_SIZE_LF) : char_class_is(c, CHAR_VALUE);
    case CHUNK_SIZE_LF: return c == '\n' && go(d, d->left > 0 ? CHUNK_DATA : CHUNK_LINE);
    case CHUNK_DATA_CR: return c == '\r' && go(d, CHUNK_DATA_LF);
    case CHUNK_DATA_LF: return c == '\n' && end_chunk(d);
    case CHUNK_LINE:
        return c == '\r' ? go(d, CHUNK_END_LF) : char_class_is(c, CHAR_TOKEN) && go(d, CHUNK_NAME);
    case CHUNK_NAME: return c == ':' ? go(d, CHUNK_VALUE) : char_class_is(c, CHAR_TOKEN);
    case CHUNK_VALUE: return c == '\r' ? go(d, CHUNK_VALUE_LF) : char_class_is(c, CHAR_VALUE);
    case CHUNK_VALUE_LF: return c == '\n' && go(d, CHUNK_LINE);
    case CHUNK_END_LF: return c == '\n' && go(d, CHUNK_DONE);
    case CHUNK_DATA:
    case CHUNK_DONE:
    case CHUNK_BAD: break;
    }
    return false;
}

/* Counts the byte that step() is about to take against the limit of its line or section. */
static bool count(struct http1_chunked *d)
{
    if (d->state <= CHUNK_SIZE_LF)
        return ++d->line <= HTTP1_MAX_CHUNK_LINE;
    if (d->state >= CHUNK_LINE)
        return ++d->trailers <= HTTP1_MAX_TRAILERS;
    return true;
}

static struct slice take_data(struct http1_chunked *d, struct slice bytes, size_t at)
{
    struct slice data = slice_from(bytes, at);
    if (data.len >= d->left) {
        data.len = (size_t)d->left;
        go(d, CHUNK_DATA_CR);
    }
    d->left -= data.len;
    return data;
}

enum http1_chunk_result http1_chunked_decode(struct http1_chunked *decoder, struct slice bytes,
                                             size_t *consumed, struct slice *data)
{
    size_t at = 0;
    while (at < bytes.len && decoder->state != CHUNK_DONE) {
        if (decoder->state == CHUNK_DATA) {
            *data = take_data(decoder, bytes, at);
            *consumed = at + data->len;
            return HTTP1_CHUNK_DATA;
        }
        if (!count(decoder) || !step(decoder, bytes.ptr[at])) {
            go(decoder, CHUNK_BAD);
            break;
        }
        at++;
    }
    *consumed = at;
    if (decoder->state == CHUNK_BAD)
        return HTTP1_CHUNK_BAD;
    return decoder->state == CHUNK_DONE ? HTTP1_CHUNK_DONE : HTTP1_CHUNK_MORE;
}
