/* SPDX-License-Identifier: Apache-2.0 */
/* json_writer.h -- appends JSON to a buffer, without a tree in between.
 *
 * For output made per request (log records), so it writes through a pointer and checks the room
 * once per value. The first failure is remembered; json_writer_finish() is called once at the end.
 * Any bytes may come in as text: what is not UTF-8 becomes U+FFFD. */
#ifndef SLUICE_BASE_JSON_WRITER_H
#define SLUICE_BASE_JSON_WRITER_H

#include "base/buffer.h"

struct json_writer {
    char *at;
    char *end; /* of the room reserved in `out` */
    struct buffer *out;
    size_t max_bytes;
    bool is_failed;
    bool needs_comma;
};

/* Appends to `out`, up to `max_bytes` in all. `out` must not be touched before
 * json_writer_finish().
 */
void json_writer_init(struct json_writer *writer, struct buffer *out, size_t max_bytes);
/* True if everything was written; `out` then holds it. */
bool json_writer_finish(struct json_writer *writer) __attribute__((warn_unused_result));
/* Makes room for `bytes` more. False: full or out of memory; that is remembered. */
bool json_writer_grow(struct json_writer *writer, size_t bytes);

void json_writer_begin(struct json_writer *writer, char bracket); /* '{' or '[' */
void json_writer_end(struct json_writer *writer, char bracket);   /* '}' or ']' */
/* A key of printable ASCII without quotes and backslashes: what the program itself names. */
static inline void json_writer_key(struct json_writer *writer, struct slice key)
{
    if ((size_t)(writer->end - writer->at) < key.len + 4 && !json_writer_grow(writer, key.len + 4))
        return;
    char *at = writer->at;
    if (writer->needs_comma)
        *at++ = ',';
    *at++ = '"';
    memcpy(at, key.ptr, key.len);
    at += key.len;
    *at++ = '"';
    *at++ = ':';
    writer->at = at;
    writer->needs_comma = false;
}
/* A key from outside. */
void json_writer_key_escaped(struct json_writer *writer, struct slice key);
/* A key of token characters in which ASCII capitals are written small: header names. */
void json_writer_key_lower(struct json_writer *writer, struct slice key);
void json_writer_string(struct json_writer *writer, struct slice text);
void json_writer_integer(struct json_writer *writer, int64_t value);
void json_writer_boolean(struct json_writer *writer, bool value);
/* A value that is JSON already. */
void json_writer_raw(struct json_writer *writer, struct slice json);

#endif
