/* SPDX-License-Identifier: Apache-2.0 */
/* buffer.c -- growable byte queue in one piece. */
#include "base/buffer.h"

#include <assert.h>
#include <stdlib.h>

enum { FIRST_BYTES = 1024 };

bool buffer_reserve(struct buffer *buffer, size_t bytes, size_t max_bytes)
{
    size_t len = buffer_len(buffer), need;
    if (buffer_room(buffer) >= bytes && buffer->data != NULL)
        return true;
    if (__builtin_add_overflow(len, bytes, &need) || need > max_bytes)
        return false;
    if (buffer->data != NULL && need <= buffer->capacity) {
        memmove(buffer->data, buffer_head(buffer), len);
        buffer->start = 0;
        buffer->end = len;
        return true;
    }
    size_t capacity = buffer->capacity < FIRST_BYTES ? FIRST_BYTES : buffer->capacity;
    while (capacity < need)
        capacity = capacity > SIZE_MAX / 2 ? need : capacity * 2;
    if (capacity > max_bytes)
        capacity = max_bytes;
    char *data = malloc(capacity == 0 ? 1 : capacity);
    if (data == NULL)
        return false;
    if (len > 0)
        memcpy(data, buffer_head(buffer), len);
    free(buffer->data);
    *buffer = (struct buffer){.data = data, .end = len, .capacity = capacity};
    return true;
}

bool buffer_append(struct buffer *buffer, struct slice bytes, size_t max_bytes)
{
    if (bytes.len == 0)
        return true;
    if (!buffer_reserve(buffer, bytes.len, max_bytes))
        return false;
    memcpy(buffer_tail(buffer), bytes.ptr, bytes.len);
    buffer->end += bytes.len;
    return true;
}

void buffer_consume(struct buffer *buffer, size_t bytes)
{
    assert(bytes <= buffer_len(buffer));
    buffer->start += bytes;
    if (buffer->start == buffer->end)
        buffer->start = buffer->end = 0;
}

void buffer_clear(struct buffer *buffer)
{
    free(buffer->data);
    *buffer = (struct buffer){0};
}
