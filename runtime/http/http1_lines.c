/* SPDX-License-Identifier: Apache-2.0 */
/* http1_lines.c -- finds the end of a head and reads its field lines (RFC 9112 sections 2.2 and 5).
 *
 * Every line ends with CR LF and nothing else: no bare LF, no bare CR, no folded lines. The
 * scanning loops need no bounds, because what http1_lines_find() gives ends with LF, which no class
 * of bytes contains: every loop stops there at the latest. */
#include "http/http1_lines.h"

#include <assert.h>
#include <endian.h>
#include <string.h>

#include "base/arena.h"
#include "http/char_class.h"

#define NAME_BIT(id) (UINT64_C(1) << (id))
/* Fields that decide framing or authority: a second one leaves it in doubt. */
#define SINGLE_FIELDS                                                                              \
    (NAME_BIT(HTTP_NAME_HOST) | NAME_BIT(HTTP_NAME_CONTENT_LENGTH) |                               \
     NAME_BIT(HTTP_NAME_TRANSFER_ENCODING))

static enum http1_result fail(struct slice *error, enum http1_result result, struct slice text)
{
    *error = text;
    return result;
}

static enum http1_result line_too_long(struct slice *error)
{
    return fail(error, HTTP1_LINE_TOO_LONG, SLICE("first line longer than 8192 bytes"));
}

/* Walks the line ends from where the last call stopped, until an empty line behind the first line.
 * `start`: where the first line begins. On HTTP1_OK *end is behind the empty line. */
static enum http1_result search(struct slice bytes, struct http1_scan *scan, size_t start,
                                size_t *end, struct slice *error)
{
    size_t limit = bytes.len < HTTP1_MAX_HEAD ? bytes.len : HTTP1_MAX_HEAD;
    size_t at = scan->searched > start ? scan->searched : start;
    while (at < limit) {
        const char *lf = memchr(bytes.ptr + at, '\n', limit - at);
        if (lf == NULL)
            break;
        at = (size_t)(lf - bytes.ptr) + 1;
        if (at == start + 1 || lf[-1] != '\r')
            return fail(error, HTTP1_BAD, SLICE("line ends with LF without CR"));
        if (!scan->has_line) {
            if (at == start + 2)
                return fail(error, HTTP1_BAD, SLICE("empty line in place of the first line"));
            if (at - 2 - start > HTTP1_MAX_LINE)
                return line_too_long(error);
            scan->has_line = true;
        } else if (lf[-2] == '\n') {
            *end = at;
            return HTTP1_OK;
        }
    }
    scan->searched = limit;
    if (!scan->has_line && limit > start + HTTP1_MAX_LINE + 1)
        return line_too_long(error);
    if (limit == HTTP1_MAX_HEAD)
        return fail(error, HTTP1_HEAD_TOO_LARGE, SLICE("head larger than 32768 bytes"));
    return HTTP1_INCOMPLETE;
}

enum http1_result http1_lines_find(struct slice bytes, struct http1_scan *scan, size_t max_empty,
                                   struct slice *lines, struct slice *error)
{
    size_t start = 0;
    while (max_empty-- > 0 && bytes.len - start >= 2 && memcmp(bytes.ptr + start, "\r\n", 2) == 0)
        start += 2;
    *lines = slice_from(bytes, start);
    /* Usually a read brings one whole head and nothing else: then there is nothing to search. */
    if (lines->len >= 4 && bytes.len <= HTTP1_MAX_HEAD &&
        memcmp(lines->ptr + lines->len - 4, "\r\n\r\n", 4) == 0)
        return HTTP1_OK;
    /* A lone CR may yet become an empty line; the first line begins behind it. */
    if (lines->len == 0 || (lines->len == 1 && lines->ptr[0] == '\r'))
        return HTTP1_INCOMPLETE;
    size_t end = 0;
    enum http1_result result = search(bytes, scan, start, &end, error);
    if (result == HTTP1_OK)
        lines->len = end - start;
    return result;
}

/* First byte at or after `at` that a field value may not have; eight bytes a step. The sums flag
 * bytes below 0x20 and 0x7f, and by borrow or carry now and then a good one: the table has the last
 * word. The first bad byte of a word is flagged always, so none is passed over. */
static const char *skip_value(const char *at, const char *end)
{
    const uint64_t ones = 0x0101010101010101u;
    while (end - at >= 8) {
        uint64_t word;
        memcpy(&word, at, sizeof(word));
        word = le64toh(word);
        uint64_t flags = ((word - ones * 0x20) | (word + ones)) & ~word & (ones * 0x80);
        if (flags == 0) {
            at += 8;
            continue;
        }
        at += __builtin_ctzll(flags) / 8;
        if (!char_class_is(*at, CHAR_VALUE))
            return at;
        at++;
    }
    return char_class_skip(at, CHAR_VALUE);
}

/* A space or tab, of the bytes that a value may have. */
static bool is_blank(char c)
{
    return (unsigned char)c <= ' ' && char_class_is(c, CHAR_VALUE);
}

enum http1_result http1_lines_fields(const char **at, const char *end, struct arena *arena,
                                     struct http_headers *headers, struct slice *error)
{
    const char *p = *at;
    while (*p != '\r') {
        const char *name = p;
        p = char_class_skip(p, CHAR_TOKEN);
        if (p == name && is_blank(*p))
            return fail(error, HTTP1_BAD, SLICE("folded header line"));
        if (p == name || *p != ':')
            return fail(error, HTTP1_BAD, SLICE("invalid header name"));
        size_t name_len = (size_t)(p - name);
        do
            p++;
        while (is_blank(*p));
        const char *value = p;
        p = skip_value(p, end);
        if (p[0] != '\r' || p[1] != '\n')
            return fail(error, HTTP1_BAD, SLICE("control character in a header value"));
        size_t value_len = (size_t)(p - value);
        while (value_len > 0 && is_blank(value[value_len - 1]))
            value_len--;
        p += 2;
        assert(p < end);

        enum http_name id = http_name_find(slice_make(name, name_len));
        if ((headers->known & NAME_BIT(id) & SINGLE_FIELDS) != 0)
            return fail(error, HTTP1_BAD,
                        SLICE("Host, Content-Length or Transfer-Encoding more than once"));
        if (headers->count == HTTP1_MAX_FIELDS)
            return fail(error, HTTP1_HEAD_TOO_LARGE, SLICE("more than 200 header fields"));
        if (!http_headers_add(headers, arena, slice_make(name, name_len),
                              slice_make(value, value_len), id))
            return fail(error, HTTP1_NO_MEMORY, SLICE("out of memory"));
    }
    if (p[1] != '\n')
        return fail(error, HTTP1_BAD, SLICE("CR without LF in the head"));
    *at = p + 2;
    return HTTP1_OK;
}
