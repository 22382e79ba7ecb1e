/* SPDX-License-Identifier: Apache-2.0 */
/* body.c -- reads the request body from the client's block.
 *
 * Invariants: for a held body the block's floor and start are behind the received part; for a
 * streaming one `piece` is the decoded front of the block and body_consume() moves start over it.
 */
#include "proxy/body.h"

#include "proxy/client.h"

bool body_start(struct request *request)
{
    struct request_body *body = &request->body;
    const struct http1_head *head = &request->in.head;
    const struct inbuf *in = &request->client->in;
    uint64_t most = request->worker->options->client_max_body_bytes;
    body->framing = head->body;
    body->state = BODY_READING;
    if (head->body == HTTP1_BODY_LENGTH) {
        if (most > 0 && head->content_length > most) {
            body->is_too_large = true;
            return false;
        }
        body->left = head->content_length;
        body->is_held = head->content_length <= INBUF_BYTES - in->floor;
        body->held_start = in->start;
        if (body->left == 0)
            body->state = BODY_DONE;
    } else if (head->body != HTTP1_BODY_CHUNKED) {
        body->state = BODY_NONE;
    }
    return true;
}

/* "Expect: 100-continue" is answered when the body is first wanted and has not begun to arrive. */
static bool send_continue(struct request *request)
{
    struct client *client = request->client;
    static const char line[] = "HTTP/1.1 100 Continue\r\n\r\n";
    if (!request->in.head.is_expecting_100)
        return true;
    if (!request->body.has_sent_continue) {
        request->body.has_sent_continue = true;
        if (inbuf_len(&client->in) > 0 || request->body.received > 0)
            return true;
        client->out.prefix = slice_make(line, sizeof(line) - 1);
    }
    return sender_is_empty(&client->out) ||
           sender_flush(&client->out, &client->conn, NULL) != CONN_FAILED;
}

/* Takes what has arrived of a held body. */
static void hold_received(struct request *request)
{
    struct request_body *body = &request->body;
    struct inbuf *in = &request->client->in;
    size_t n = inbuf_len(in);
    if (n > body->left)
        n = (size_t)body->left;
    in->start += (uint32_t)n;
    in->floor = in->start;
    body->left -= n;
    body->received += n;
    if (body->left == 0)
        body->state = BODY_DONE;
}

/* More bytes of the body from the client; BODY_PIECE: there are some. */
static enum body_result fill(struct request *request)
{
    struct client *client = request->client;
    if (!send_continue(request)) {
        request->body.state = BODY_BROKEN;
        return BODY_FAILED;
    }
    switch (client_read(client)) {
    case CONN_OK:
        client_set_deadline(client, request->worker->options->client.body_timeout_ms);
        return BODY_PIECE;
    case CONN_AGAIN:
        if (client->deadline.at_ms == 0)
            client_set_deadline(client, request->worker->options->client.body_timeout_ms);
        return BODY_WAIT;
    case CONN_EOF:
    case CONN_FAILED: break;
    }
    request->body.state = BODY_BROKEN;
    return BODY_FAILED;
}

static bool is_over_limit(struct request *request, uint64_t bytes)
{
    uint64_t most = request->worker->options->client_max_body_bytes;
    if (most == 0 || bytes <= most)
        return false;
    request->body.is_too_large = true;
    request->body.state = BODY_BROKEN;
    return true;
}

/* Decodes the front of the block into body.piece. BODY_WAIT: more bytes are needed. */
static enum body_result decode(struct request *request)
{
    struct request_body *body = &request->body;
    struct inbuf *in = &request->client->in;
    if (body->framing == HTTP1_BODY_LENGTH) {
        size_t n = inbuf_len(in) > body->left ? (size_t)body->left : inbuf_len(in);
        body->piece = slice_make(in->data + in->start, n);
        body->left -= n;
        body->received += n;
        if (body->left == 0)
            body->state = BODY_DONE;
        return n > 0 ? BODY_PIECE : BODY_WAIT;
    }
    while (inbuf_len(in) > 0) {
        size_t used = 0;
        struct slice data = {NULL, 0};
        enum http1_chunk_result result =
            http1_chunked_decode(&body->decoder, inbuf_slice(in), &used, &data);
        body->received += used;
        if (result == HTTP1_CHUNK_BAD || is_over_limit(request, body->received)) {
            body->state = BODY_BROKEN;
            return BODY_FAILED;
        }
        if (result == HTTP1_CHUNK_DATA) {
            in->start = (uint32_t)(data.ptr - in->data);
            body->piece = data;
            return BODY_PIECE;
        }
        in->start += (uint32_t)used;
        if (result == HTTP1_CHUNK_DONE) {
            body->state = BODY_DONE;
            return BODY_END;
        }
    }
    return BODY_WAIT;
}

/* The body as one piece of memory, as far as it is there; false: it streams. */
static bool in_one_piece(const struct request *request, struct slice *all, bool *is_complete)
{
    const struct request_body *body = &request->body;
    if (request->shape.has_body) {
        *all = request->shape.body;
        *is_complete = true;
        return true;
    }
    if (body->is_collected) {
        *all = buffer_slice(&body->whole);
        *is_complete = true;
        return true;
    }
    if (!body->is_held)
        return false;
    const struct inbuf *in = &request->client->in;
    *all = slice_make(in->data + body->held_start, in->floor - body->held_start);
    *is_complete = body->state == BODY_DONE;
    return true;
}

static enum body_result next_in_one_piece(struct request *request, struct slice *piece,
                                          bool *is_last)
{
    struct slice all;
    for (;;) {
        bool is_complete = false;
        if (request->body.is_held && request->body.state == BODY_READING)
            hold_received(request);
        if (!in_one_piece(request, &all, &is_complete))
            return BODY_FAILED;
        *piece = slice_from(all, request->attempt.next_piece);
        *is_last = is_complete;
        if (piece->len > 0)
            return BODY_PIECE;
        if (is_complete)
            return BODY_END;
        enum body_result result = fill(request);
        if (result != BODY_PIECE)
            return result;
    }
}

enum body_result body_next(struct request *request, struct slice *piece, bool *is_last)
{
    struct request_body *body = &request->body;
    *is_last = false;
    if (request->shape.has_body || body->is_collected || body->is_held)
        return next_in_one_piece(request, piece, is_last);
    for (;;) {
        if (body->piece.len > 0) {
            *piece = body->piece;
            *is_last = body->state == BODY_DONE;
            return BODY_PIECE;
        }
        if (body->state == BODY_NONE || body->state == BODY_DONE)
            return BODY_END;
        if (body->state == BODY_BROKEN)
            return BODY_FAILED;
        enum body_result result = decode(request);
        if (result == BODY_WAIT)
            result = fill(request);
        if (result != BODY_PIECE)
            return result;
    }
}

void body_consume(struct request *request, size_t bytes)
{
    struct request_body *body = &request->body;
    if (bytes == 0)
        return;
    if (request->shape.has_body || body->is_collected || body->is_held) {
        request->attempt.next_piece += (uint32_t)bytes;
        return;
    }
    struct inbuf *in = &request->client->in;
    in->start += (uint32_t)bytes;
    body->piece = slice_from(body->piece, bytes);
    request->attempt.is_body_begun = true;
}

bool body_is_replayable(const struct request *request)
{
    return request->shape.has_body || request->body.is_collected || request->body.is_held ||
           request->body.state == BODY_NONE || !request->attempt.is_body_begun;
}

void body_rewind(struct request *request)
{
    request->attempt.next_piece = 0;
}

bool body_length(const struct request *request, uint64_t *length)
{
    const struct request_body *body = &request->body;
    if (request->shape.has_body)
        *length = request->shape.body.len;
    else if (body->is_collected)
        *length = buffer_len(&body->whole);
    else if (body->framing == HTTP1_BODY_LENGTH)
        *length = request->in.head.content_length;
    else if (body->framing == HTTP1_BODY_NONE)
        *length = 0;
    else
        return false;
    return true;
}

static enum body_result collect_failed(struct request *request)
{
    if (request->body.is_too_large)
        request_log(request, LOG_LEVEL_WARN,
                    "request body is larger than the %zu bytes that a plugin may have buffered",
                    request->worker->options->body_buffer_bytes);
    return BODY_FAILED;
}

enum body_result body_collect(struct request *request, struct slice *whole)
{
    struct request_body *body = &request->body;
    size_t most = request->worker->options->body_buffer_bytes;
    if (request->shape.has_body || body->is_collected || body->is_held) {
        bool is_complete = false;
        for (;;) {
            if (body->is_held && body->state == BODY_READING)
                hold_received(request);
            if (in_one_piece(request, whole, &is_complete) && is_complete)
                return BODY_END;
            enum body_result result = body->state == BODY_BROKEN ? BODY_FAILED : fill(request);
            if (result != BODY_PIECE)
                return result;
        }
    }
    for (;;) {
        struct slice piece;
        bool is_last;
        enum body_result result = body_next(request, &piece, &is_last);
        if (result == BODY_END) {
            body->is_collected = body->framing != HTTP1_BODY_NONE;
            *whole = buffer_slice(&body->whole);
            return BODY_END;
        }
        if (result != BODY_PIECE)
            return result == BODY_FAILED ? collect_failed(request) : result;
        if (!buffer_append(&body->whole, piece, most)) {
            body->is_too_large = true;
            body->state = BODY_BROKEN;
            return collect_failed(request);
        }
        body_consume(request, piece.len);
    }
}

void body_skip(struct request *request)
{
    struct request_body *body = &request->body;
    struct inbuf *in = &request->client->in;
    if (body->state == BODY_READING && body->is_held)
        hold_received(request);
    while (body->state == BODY_READING || body->piece.len > 0) {
        if (body->piece.len > 0) {
            in->start += (uint32_t)body->piece.len;
            body->piece = SLICE("");
            continue;
        }
        if (decode(request) != BODY_PIECE)
            return;
    }
}

void body_clear(struct request *request)
{
    buffer_clear(&request->body.whole);
}
