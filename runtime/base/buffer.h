/* SPDX-License-Identifier: Apache-2.0 */
/* buffer.h -- bytes in one piece of memory, appended at the end and consumed at the front.
 *
 * Owned by whoever holds the struct; an all-zero struct is an empty buffer. Growth is bounded by
 * `max_bytes` given to each call that grows. */
#ifndef SLUICE_BASE_BUFFER_H
#define SLUICE_BASE_BUFFER_H

#include "base/slice.h"

struct buffer {
    char *data;
    size_t start; /* first byte not consumed */
    size_t end;   /* behind the last byte */
    size_t capacity;
};

static inline size_t buffer_len(const struct buffer *buffer)
{
    return buffer->end - buffer->start;
}

static inline char *buffer_head(const struct buffer *buffer)
{
    return buffer->data + buffer->start;
}

static inline struct slice buffer_slice(const struct buffer *buffer)
{
    return slice_make(buffer->data == NULL ? "" : buffer_head(buffer), buffer_len(buffer));
}

static inline char *buffer_tail(const struct buffer *buffer)
{
    return buffer->data + buffer->end;
}

/* Bytes that fit behind the end without moving anything. */
static inline size_t buffer_room(const struct buffer *buffer)
{
    return buffer->capacity - buffer->end;
}

/* Makes room for `bytes` more, moving the content to the front first. False if out of memory or if
 * content and room together exceed `max_bytes`; the content is then unchanged. */
bool buffer_reserve(struct buffer *buffer, size_t bytes, size_t max_bytes)
    __attribute__((warn_unused_result));
bool buffer_append(struct buffer *buffer, struct slice bytes, size_t max_bytes)
    __attribute__((warn_unused_result));
/* `bytes` must not exceed buffer_len(). An empty buffer starts over at its front. */
void buffer_consume(struct buffer *buffer, size_t bytes);
/* Frees the memory. */
void buffer_clear(struct buffer *buffer);

#endif
