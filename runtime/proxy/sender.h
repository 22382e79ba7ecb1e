/* SPDX-License-Identifier: Apache-2.0 */
/* sender.h -- what is to be written to one peer next: framing, a piece of body, framing.
 *
 * One writev() takes all three. The piece is borrowed from where it was received and is released by
 * its owner once it is written: that is the back-pressure. */
#ifndef SLUICE_PROXY_SENDER_H
#define SLUICE_PROXY_SENDER_H

#include "base/buffer.h"
#include "net/conn.h"

struct sender {
    struct slice prefix; /* head, chunk size line */
    struct slice piece;
    struct slice suffix; /* static text */
    struct buffer saved; /* keeps a prefix that could not be written at once */
    char line[24];       /* chunk size line */
    uint64_t sent;       /* bytes written since sender_reset() */
};

void sender_reset(struct sender *sender);
void sender_clear(struct sender *sender);
static inline bool sender_is_empty(const struct sender *sender)
{
    return sender->prefix.len + sender->piece.len + sender->suffix.len == 0;
}
/* Writes as much as goes. CONN_OK: all of it; CONN_AGAIN: the rest later (a borrowed prefix has
 * been saved); CONN_FAILED, also when out of memory. *piece_sent (may be NULL): bytes of the piece.
 */
enum conn_result sender_flush(struct sender *sender, struct conn *conn, size_t *piece_sent)
    __attribute__((warn_unused_result));
/* Puts `piece` as one chunk, and the end of the body behind it if `is_last`. The former content
 * must have been written, but for a prefix without piece that the chunk is then written behind. */
void sender_put_chunk(struct sender *sender, struct slice piece, bool is_last);
/* Writes the chunk size line for `bytes` to `line` (24 bytes); its length. */
size_t sender_chunk_line(char *line, size_t bytes);

#endif
