/* SPDX-License-Identifier: Apache-2.0 */
/* relay.c -- the response body. Source: the upstream's block, decoded in place. Sink: the client's
 * sender. In between, if any plugin has one, the body handlers. */
#include "proxy/relay.h"

#include "proxy/client.h"
#include "proxy/local.h"
#include "proxy/phase.h"
#include "proxy/response.h"
#include "proxy/upstream.h"

enum source_result { SOURCE_PIECE, SOURCE_WAIT, SOURCE_END, SOURCE_FAILED };

static enum source_result fill(struct request *request)
{
    switch (upstream_read(request)) {
    case CONN_OK: return SOURCE_PIECE;
    case CONN_AGAIN: return SOURCE_WAIT;
    case CONN_EOF: return request->out.from == HTTP1_BODY_UNTIL_CLOSE ? SOURCE_END : SOURCE_FAILED;
    case CONN_FAILED: break;
    }
    return SOURCE_FAILED;
}

/* Decodes the front of the block. The piece stays in the block until take_piece(). */
static enum source_result decode(struct request *request, struct slice *piece)
{
    struct request_out *out = &request->out;
    struct inbuf *in = &request->attempt.upstream->in;
    switch (out->from) {
    case HTTP1_BODY_NONE: return SOURCE_END;
    case HTTP1_BODY_LENGTH: {
        if (out->left == 0)
            return SOURCE_END;
        size_t n = inbuf_len(in) > out->left ? (size_t)out->left : inbuf_len(in);
        *piece = slice_make(in->data + in->start, n);
        out->left -= n;
        return n > 0 ? SOURCE_PIECE : SOURCE_WAIT;
    }
    case HTTP1_BODY_UNTIL_CLOSE:
        *piece = inbuf_slice(in);
        return piece->len > 0 ? SOURCE_PIECE : SOURCE_WAIT;
    case HTTP1_BODY_CHUNKED: break;
    }
    while (inbuf_len(in) > 0) {
        size_t used = 0;
        switch (http1_chunked_decode(&out->decoder, inbuf_slice(in), &used, piece)) {
        case HTTP1_CHUNK_DATA: in->start = (uint32_t)(piece->ptr - in->data); return SOURCE_PIECE;
        case HTTP1_CHUNK_DONE: in->start += (uint32_t)used; return SOURCE_END;
        case HTTP1_CHUNK_BAD: return SOURCE_FAILED;
        case HTTP1_CHUNK_MORE: in->start += (uint32_t)used; break;
        }
    }
    return SOURCE_WAIT;
}

/* Is the message over with what was handed out? For chunked bodies the end is looked for behind the
 * piece, so that it travels in the same write. */
static bool is_at_end(struct request *request, struct slice piece)
{
    struct request_out *out = &request->out;
    struct inbuf *in = &request->attempt.upstream->in;
    if (out->from == HTTP1_BODY_LENGTH)
        return out->left == 0;
    if (out->from != HTTP1_BODY_CHUNKED)
        return false;
    size_t behind = (size_t)(piece.ptr - in->data) + piece.len, used = 0;
    struct slice rest = slice_make(in->data + behind, in->end - behind), data;
    struct http1_chunked ahead = out->decoder;
    if (rest.len == 0 || http1_chunked_decode(&ahead, rest, &used, &data) != HTTP1_CHUNK_DONE)
        return false;
    out->decoder = ahead;
    in->end = (uint32_t)behind + (uint32_t)(rest.len - used); /* bytes after the message, if any */
    if (rest.len > used)
        memmove(in->data + behind, rest.ptr + used, rest.len - used);
    return true;
}

static enum source_result next_piece(struct request *request, struct slice *piece, bool *is_last)
{
    *is_last = false;
    for (;;) {
        enum source_result result = decode(request, piece);
        if (result == SOURCE_PIECE) {
            *is_last = is_at_end(request, *piece);
            return SOURCE_PIECE;
        }
        if (result == SOURCE_WAIT)
            result = fill(request);
        if (result != SOURCE_PIECE)
            return result;
    }
}

static void take_piece(struct request *request, size_t bytes)
{
    if (request->attempt.upstream != NULL)
        request->attempt.upstream->in.start += (uint32_t)bytes;
}

/* Runs the body handlers over the chunk at hand; what they leave is in out.chunk. */
static void run_handlers(struct request *request, struct slice chunk, bool is_last)
{
    request->out.chunk = chunk;
    request->out.is_last_chunk = is_last;
    phase_run(request, PLUGIN_BODY);
}

struct slice relay_filter_whole(struct request *request, struct slice body)
{
    run_handlers(request, body, true);
    return request->out.chunk;
}

/* Puts bytes into the client's sender with the framing that was chosen. The prefix may hold the
 * head, which lies in the scratch: a chunk line is written right behind it. */
static void put(struct request *request, struct slice piece, bool is_last)
{
    struct request_out *out = &request->out;
    struct sender *sender = &request->client->out;
    struct slice head = sender->prefix;
    out->body_bytes += piece.len;
    out->is_body_done = is_last;
    if (out->to == HTTP1_BODY_NONE) { /* nobody will write it: it is used up here */
        if (!out->is_filtered)
            take_piece(request, piece.len);
        return;
    }
    if (out->to != HTTP1_BODY_CHUNKED) {
        sender->piece = piece;
        return;
    }
    sender_put_chunk(sender, piece, is_last);
    if (head.len == 0)
        return;
    char *scratch = request->worker->scratch; /* send_head() leaves room behind the head */
    if (sender->prefix.len > 0)
        memcpy(scratch + head.len, sender->prefix.ptr, sender->prefix.len);
    sender->prefix = slice_make(scratch, head.len + sender->prefix.len);
}

/* Bytes beyond the declared length are dropped: framing must stay true whatever a handler does. */
static struct slice fit_length(struct request *request, struct slice piece)
{
    uint64_t declared = request->out.head.content_length;
    uint64_t sent = request->out.body_bytes;
    if (request->out.to != HTTP1_BODY_LENGTH || sent + piece.len <= declared)
        return piece;
    request_log(request, LOG_LEVEL_ERROR,
                "a body handler made the body longer than Content-Length says; the rest is cut");
    return slice_make(piece.ptr, (size_t)(declared - sent));
}

/* What the handlers leave of a piece is copied: it may point anywhere, and the block is needed. */
static bool put_filtered(struct request *request, struct slice piece, bool is_last)
{
    struct request_out *out = &request->out;
    run_handlers(request, piece, is_last);
    is_last |= out->is_replaced;
    struct slice result = fit_length(request, out->chunk);
    buffer_consume(&out->filtered, buffer_len(&out->filtered));
    if (!buffer_append(&out->filtered, result, SIZE_MAX))
        return false;
    take_piece(request, piece.len);
    put(request, buffer_slice(&out->filtered), is_last);
    if (is_last && out->to == HTTP1_BODY_LENGTH && out->body_bytes < out->head.content_length)
        out->is_cut = true;
    return true;
}

/* Gets the next piece into the sender. SOURCE_PIECE: there is something to write, or the body is
 * over. */
static enum source_result advance(struct request *request)
{
    struct request_out *out = &request->out;
    struct slice piece = {NULL, 0};
    bool is_last = false;
    enum source_result result = next_piece(request, &piece, &is_last);
    if (result == SOURCE_WAIT || result == SOURCE_FAILED)
        return result;
    if (result == SOURCE_END) {
        piece = SLICE("");
        is_last = true;
    }
    if (is_last && out->from != HTTP1_BODY_UNTIL_CLOSE)
        out->is_upstream_reusable = true;
    if (out->is_filtered)
        return put_filtered(request, piece, is_last) ? SOURCE_PIECE : SOURCE_FAILED;
    put(request, piece, is_last);
    return SOURCE_PIECE;
}

/* The upstream's body ended before its time: the client must be able to tell, so no terminating
 * chunk is sent and the connection closes. */
static void cut_short(struct request *request)
{
    request_log(request, LOG_LEVEL_ERROR, "upstream cut its response short");
    request->out.is_cut = true;
    request->out.is_upstream_reusable = false;
    upstream_drop(request);
    request_finish(request);
}

static void written(struct request *request, size_t piece_sent)
{
    if (!request->out.is_filtered && request->state == REQUEST_RELAY)
        take_piece(request, piece_sent);
}

void relay_pump(struct request *request)
{
    struct client *client = request->client;
    struct request_out *out = &request->out;
    for (;;) {
        size_t sent = 0;
        /* The head waits for the first piece if that is there already: one write for both. Not so a
         * head that was saved: the scratch has been another request's since. */
        bool is_head_only = client->out.prefix.len > 0 && client->out.piece.len == 0 &&
                            client->out.suffix.len == 0 && !out->is_body_done &&
                            client->out.prefix.ptr == request->worker->scratch;
        if (is_head_only) {
            enum source_result early = advance(request);
            if (early == SOURCE_FAILED) {
                cut_short(request);
                return;
            }
        }
        enum conn_result result = sender_flush(&client->out, &client->conn, &sent);
        written(request, sent);
        if (result == CONN_AGAIN) {
            client_set_deadline(client, request->worker->options->client.send_timeout_ms);
            upstream_wait(request, false); /* it is not the upstream that is slow */
            return;
        }
        if (result != CONN_OK) {
            request_abort(request, "the client closed its connection");
            return;
        }
        if (out->is_body_done) {
            request_finish(request);
            return;
        }
        switch (advance(request)) {
        case SOURCE_PIECE:
        case SOURCE_END: break;
        case SOURCE_WAIT:
            deadline_clear(&client->deadline);
            upstream_wait(request, true);
            return;
        case SOURCE_FAILED: cut_short(request); return;
        }
    }
}

void relay_collect(struct request *request)
{
    struct request_out *out = &request->out;
    for (;;) {
        struct slice piece = {NULL, 0};
        bool is_last = false;
        switch (next_piece(request, &piece, &is_last)) {
        case SOURCE_WAIT: return;
        case SOURCE_FAILED:
            request_log(request, LOG_LEVEL_ERROR, "upstream cut its response short");
            local_failure(request, 502);
            return;
        case SOURCE_END:
            is_last = true;
            piece = SLICE("");
            break;
        case SOURCE_PIECE: break;
        }
        if (!buffer_append(&out->collected, piece, request->worker->options->body_buffer_bytes)) {
            request_log(request, LOG_LEVEL_ERROR,
                        "the response is larger than the %zu bytes that a plugin may have buffered",
                        request->worker->options->body_buffer_bytes);
            local_failure(request, 502);
            return;
        }
        take_piece(request, piece.len);
        if (!is_last)
            continue;
        out->is_upstream_reusable = out->from != HTTP1_BODY_UNTIL_CLOSE;
        if (phase_has(request, PLUGIN_RESPONSE) &&
            phase_run(request, PLUGIN_RESPONSE) == PHASE_EXITED) {
            local_send(request);
            return;
        }
        request->state = REQUEST_LOCAL;
        response_send_whole(request, buffer_slice(&out->collected));
        return;
    }
}
