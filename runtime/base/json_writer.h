/* SPDX-License-Identifier: Apache-2.0 */
/* json_writer.h -- appends JSON to a buffer, without a tree in between.
 *
 * For output made per request (log records). The first failure is remembered; json_writer_is_ok() is
 * asked once at the end. Any bytes may come in as text: what is not UTF-8 becomes U+FFFD. */
#ifndef SLUICE_BASE_JSON_WRITER_H
#define SLUICE_BASE_JSON_WRITER_H

#include "base/buffer.h"

struct json_writer {
    struct buffer *out;
    size_t max_bytes;
    bool is_failed;
    bool needs_comma;
};

/* Appends to `out`, up to `max_bytes` in all. */
void json_writer_init(struct json_writer *writer, struct buffer *out, size_t max_bytes);
void json_writer_begin(struct json_writer *writer, char bracket); /* '{' or '[' */
void json_writer_end(struct json_writer *writer, char bracket);   /* '}' or ']' */
void json_writer_key(struct json_writer *writer, struct slice key);
/* A key in which ASCII capitals are written small: header names. */
void json_writer_key_lower(struct json_writer *writer, struct slice key);
void json_writer_string(struct json_writer *writer, struct slice text);
void json_writer_integer(struct json_writer *writer, int64_t value);
void json_writer_boolean(struct json_writer *writer, bool value);
/* A value that is JSON already. */
void json_writer_raw(struct json_writer *writer, struct slice json);
static inline bool json_writer_is_ok(const struct json_writer *writer)
{
    return !writer->is_failed;
}

#endif
