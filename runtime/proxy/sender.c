/* SPDX-License-Identifier: Apache-2.0 */
/* sender.c -- gathered writes with the rest kept for later. */
#include "proxy/sender.h"

enum { SAVED_MAX_BYTES = 128 * 1024 }; /* a head is at most half of that */

void sender_reset(struct sender *sender)
{
    sender->prefix = sender->piece = sender->suffix = SLICE("");
    sender->sent = 0;
    buffer_consume(&sender->saved, buffer_len(&sender->saved));
}

void sender_clear(struct sender *sender)
{
    buffer_clear(&sender->saved);
    *sender = (struct sender){0};
}

static size_t take(struct slice *part, size_t bytes)
{
    size_t n = bytes < part->len ? bytes : part->len;
    if (n > 0) /* an absent slice has no address to count from */
        *part = slice_from(*part, n);
    return n;
}

static bool is_stable(const struct sender *sender)
{
    const char *ptr = sender->prefix.ptr;
    return sender->prefix.len == 0 ||
           (ptr >= sender->line && ptr < sender->line + sizeof(sender->line)) ||
           (sender->saved.data != NULL && ptr >= sender->saved.data &&
            ptr < sender->saved.data + sender->saved.capacity);
}

static bool save_prefix(struct sender *sender)
{
    if (is_stable(sender))
        return true;
    buffer_consume(&sender->saved, buffer_len(&sender->saved));
    if (!buffer_append(&sender->saved, sender->prefix, SAVED_MAX_BYTES))
        return false;
    sender->prefix = buffer_slice(&sender->saved);
    return true;
}

enum conn_result sender_flush(struct sender *sender, struct conn *conn, size_t *piece_sent)
{
    size_t of_piece = 0;
    enum conn_result result = CONN_OK;
    while (!sender_is_empty(sender)) {
        struct iovec parts[3];
        int count = 0;
        const struct slice all[3] = {sender->prefix, sender->piece, sender->suffix};
        for (int i = 0; i < 3; i++)
            if (all[i].len > 0)
                /* writev() takes a pointer to non-const but does not write through it */
                parts[count++] = (struct iovec){(void *)(uintptr_t)all[i].ptr, all[i].len};
        size_t n = 0;
        result = conn_writev(conn, parts, count, &n);
        if (result != CONN_OK)
            break;
        sender->sent += n;
        n -= take(&sender->prefix, n);
        size_t m = take(&sender->piece, n);
        of_piece += m;
        take(&sender->suffix, n - m);
    }
    if (piece_sent != NULL)
        *piece_sent = of_piece;
    if (result == CONN_AGAIN && !save_prefix(sender))
        return CONN_FAILED;
    return result;
}

size_t sender_chunk_line(char *line, size_t bytes)
{
    static const char hex[] = "0123456789abcdef";
    char digits[16];
    size_t count = 0, n = 0;
    do {
        digits[count++] = hex[bytes & 15];
        bytes >>= 4;
    } while (bytes > 0);
    while (count > 0)
        line[n++] = digits[--count];
    line[n++] = '\r';
    line[n++] = '\n';
    return n;
}

void sender_put_chunk(struct sender *sender, struct slice piece, bool is_last)
{
    if (piece.len > 0) {
        sender->prefix = slice_make(sender->line, sender_chunk_line(sender->line, piece.len));
        sender->suffix = is_last ? SLICE("\r\n0\r\n\r\n") : SLICE("\r\n");
    } else {
        sender->prefix = SLICE("");
        sender->suffix = is_last ? SLICE("0\r\n\r\n") : SLICE("");
    }
    sender->piece = piece;
}
