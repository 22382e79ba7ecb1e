/* SPDX-License-Identifier: Apache-2.0 */
/* upstream.c -- one try after another until an upstream answers or there is nothing left to try. */
#include "proxy/upstream.h"

#include <stdlib.h>
#include <errno.h>
#include <string.h>

#include "proxy/body.h"
#include "proxy/client.h"
#include "proxy/local.h"
#include "proxy/response.h"
#include "proxy/target.h"
#include "proxy/upstream_head.h"

enum { MAX_INTERIM = 32 }; /* 1xx responses of one try: their fields stay in the arena */

static void send_more(struct request *request);

void upstream_start(struct request *request)
{
    request->timing.access_end_ms = loop_now_ms(request->worker->loop);
    request->attempt.tries_left = request->shape.retries + 1;
    if (!upstream_head_uri(request)) {
        local_failure(request, 500);
        return;
    }
    upstream_try(request);
}

static void set_deadline(struct request *request, int64_t timeout_ms)
{
    struct upstream_conn *upstream = request->attempt.upstream;
    deadline_set(request->worker->loop, &upstream->deadline,
                 loop_now_ms(request->worker->loop) + timeout_ms);
}

static struct request_try *last_try(struct request *request)
{
    int at = request->attempt.tries - 1;
    return at >= 0 && at < REQUEST_LOGGED_TRIES ? &request->attempt.log[at] : NULL;
}

static void note_try(struct request *request, const struct upstream_key *key)
{
    request->attempt.tries++;
    struct request_try *entry = last_try(request);
    if (entry == NULL)
        return;
    entry->start_ms = loop_wall_ms(request->worker->loop);
    entry->status = 0;
    trusted_print(&key->address, entry->ip);
    entry->port = key->address.ss_family == AF_INET6
                      ? ntohs(((const struct sockaddr_in6 *)&key->address)->sin6_port)
                      : ntohs(((const struct sockaddr_in *)&key->address)->sin_port);
}

/* RFC 9110 section 9.2.2; Kong does not repeat POST, PATCH and LOCK. */
static bool is_idempotent(struct slice method)
{
    return !slice_eq(method, SLICE("POST")) && !slice_eq(method, SLICE("PATCH")) &&
           !slice_eq(method, SLICE("LOCK"));
}

static bool may_retry(struct request *request, bool was_sent)
{
    return !request->out.is_head_made && body_is_replayable(request) &&
           (!was_sent || is_idempotent(request->shape.method));
}

static void begin_again(struct request *request)
{
    struct request_attempt *attempt = &request->attempt;
    attempt->is_head_sent = attempt->is_last_put = attempt->is_all_sent = false;
    attempt->has_response = false;
    attempt->interim_count = 0;
    attempt->scan = (struct http1_scan){0};
    request->timing.head_ms = 0;
    body_rewind(request);
}

/* The present try failed with `status` (502 or 504) for the reason `text`. True: everything is
 * ready for another one; otherwise the client has its answer. */
static bool is_retry_due(struct request *request, int status, const char *text)
{
    struct request_attempt *attempt = &request->attempt;
    struct upstream_conn *upstream = attempt->upstream;
    bool was_sent = upstream != NULL && upstream->out.sent > 0;
    bool was_dead =
        upstream != NULL && upstream->is_reused && !attempt->has_response && status == 502;
    struct request_try *entry = last_try(request);
    struct slice address = entry == NULL ? SLICE("?") : slice_of(entry->ip);
    request_log(request, LOG_LEVEL_ERROR, "%s while talking to upstream %.*s:%d", text,
                SLICE_ARG(address), entry == NULL ? 0 : entry->port);
    if (entry != NULL)
        entry->status = status;
    if (upstream != NULL) {
        attempt->upstream = NULL;
        upstream_pool_close(upstream);
    }
    if (request->out.is_head_made) {
        request->out.is_cut = true;
        request_finish(request);
        return false;
    }
    if (request->state == REQUEST_COLLECT || !may_retry(request, was_sent)) {
        local_failure(request, status);
        return false;
    }
    /* An idle connection that died in the pool says nothing about the upstream: once more, on a
     * fresh connection to the same kind of target, without using up a try. */
    if (was_dead && !attempt->is_fresh_only) {
        attempt->is_fresh_only = true;
        begin_again(request);
        return true;
    }
    target_avoid(request);
    if (--attempt->tries_left <= 0) {
        local_failure(request, status);
        return false;
    }
    begin_again(request);
    return true;
}

static void try_failed(struct request *request, int status, const char *text)
{
    if (is_retry_due(request, status, text))
        upstream_try(request);
}

void upstream_drop(struct request *request)
{
    struct upstream_conn *upstream = request->attempt.upstream;
    target_clear(request);
    if (upstream == NULL)
        return;
    request->attempt.upstream = NULL;
    upstream_pool_close(upstream);
}

void upstream_done(struct request *request)
{
    struct upstream_conn *upstream = request->attempt.upstream;
    target_clear(request);
    if (upstream == NULL)
        return;
    request->attempt.upstream = NULL;
    if (request->out.is_upstream_reusable && request->attempt.is_all_sent &&
        request->out.head.is_keep_alive && inbuf_len(&upstream->in) == 0)
        upstream_pool_release(upstream);
    else
        upstream_pool_close(upstream);
}

static void begin_sending(struct request *request)
{
    struct upstream_conn *upstream = request->attempt.upstream;
    size_t len = upstream_head_write(request);
    if (len == 0) {
        request_log(request, LOG_LEVEL_ERROR, "the request head is too large to be forwarded");
        local_failure(request, 500);
        return;
    }
    request->state = REQUEST_SEND;
    sender_reset(&upstream->out);
    upstream->out.prefix = slice_make(request->worker->scratch, len);
    send_more(request);
}

/* False: it failed at once and another address is to be tried. */
static bool connect_now(struct request *request, const struct upstream_key *key)
{
    struct worker *worker = request->worker;
    int error = 0;
    request->timing.sent_ms = loop_now_ms(worker->loop);
    note_try(request, key);
    if (!request->attempt.is_fresh_only) {
        request->attempt.upstream = upstream_pool_acquire(worker, key, request);
        if (request->attempt.upstream != NULL) {
            begin_sending(request);
            return true;
        }
    }
    request->state = REQUEST_CONNECT;
    request->attempt.upstream = upstream_pool_connect(worker, key, request, &error);
    if (request->attempt.upstream == NULL) {
        const char *why = strerrordesc_np(error);
        return !is_retry_due(request, 502, why == NULL ? "unknown error" : why);
    }
    set_deadline(request, request->shape.connect_ms);
    return true;
}

/* What is known of the address, when there is none. */
static void refuse_target(struct request *request, enum target_result result, const char *text)
{
    struct slice host = request->shape.target_host.ptr != NULL
                            ? request->shape.target_host
                            : request->match.service->service->host;
    switch (result) {
    case TARGET_NOT_FOUND:
        request_log(request, LOG_LEVEL_ERROR, "name resolution failed for '%.*s': %s",
                    SLICE_ARG(host), text);
        local_refuse(request, 503, SLICE("name resolution failed"));
        return;
    case TARGET_FAILED: {
        struct slice message = arena_printf(
            request->arena, "failed the initial dns/balancer resolve for '%.*s' with: %s",
            SLICE_ARG(host), text);
        request_log(request, LOG_LEVEL_ERROR, "%.*s", SLICE_ARG(message));
        local_refuse(request, 500, message);
        return;
    }
    case TARGET_NO_MEMORY: local_failure(request, 500); return;
    case TARGET_READY:
    case TARGET_WAITING: return;
    }
}

void upstream_try(struct request *request)
{
    for (;;) { /* not a recursion: a service may have 32767 retries */
        struct upstream_key key;
        const char *text = "";
        request->state = REQUEST_RESOLVE;
        enum target_result result = target_next(request, &key, &text);
        if (result != TARGET_READY) {
            refuse_target(request, result, text);
            return;
        }
        if (connect_now(request, &key))
            return;
    }
}

/* Puts the next piece of the body behind what is in the sender. */
static enum body_result put_piece(struct request *request)
{
    struct sender *sender = &request->attempt.upstream->out;
    struct slice piece = {NULL, 0}, head = sender->prefix;
    bool is_last = false;
    uint64_t length;
    enum body_result result = body_next(request, &piece, &is_last);
    if (body_length(request, &length)) {
        if (result == BODY_PIECE)
            sender->piece = piece;
        return result;
    }
    if (result != BODY_PIECE && result != BODY_END)
        return result;
    sender_put_chunk(sender, piece, is_last || result == BODY_END);
    if (head.len > 0) {
        char *scratch = request->worker->scratch; /* upstream_head_write() leaves room */
        if (sender->prefix.len > 0)
            memcpy(scratch + head.len, sender->prefix.ptr, sender->prefix.len);
        sender->prefix = slice_make(scratch, head.len + sender->prefix.len);
    }
    if (is_last || result == BODY_END)
        request->attempt.is_last_put = true;
    return result;
}

static void body_failed(struct request *request)
{
    if (request->body.is_too_large) {
        local_failure(request, 413);
        return;
    }
    if (request->client->conn.has_peer_closed || !conn_is_open(&request->client->conn) ||
        request->client->conn.error != 0) {
        request_abort(request, "the client went away while sending its body");
        return;
    }
    request->in.head.is_keep_alive = false;
    local_failure(request, 400);
}

/* Everything is out: now the answer is waited for. */
static void all_sent(struct request *request)
{
    request->attempt.is_all_sent = true;
    deadline_clear(&request->client->deadline);
    set_deadline(request, request->shape.read_ms);
}

static void send_more(struct request *request)
{
    struct upstream_conn *upstream = request->attempt.upstream;
    bool is_head_fresh = upstream->out.prefix.ptr == request->worker->scratch;
    for (;;) {
        enum body_result body = BODY_PIECE;
        /* A head that is fresh in the scratch takes the first piece along; a saved one does not:
         * the scratch has been another request's since. */
        if (!request->attempt.is_last_put && upstream->out.piece.len == 0 &&
            upstream->out.suffix.len == 0 && (upstream->out.prefix.len == 0 || is_head_fresh)) {
            is_head_fresh = false;
            body = put_piece(request);
            if (body == BODY_FAILED) {
                body_failed(request);
                return;
            }
        }
        size_t sent = 0;
        enum conn_result result = sender_flush(&upstream->out, &upstream->conn, &sent);
        body_consume(request, sent);
        if (result == CONN_AGAIN) {
            deadline_clear(&request->client->deadline); /* it is not the client that is slow */
            set_deadline(request, request->shape.write_ms);
            return;
        }
        if (result != CONN_OK) {
            /* An early answer may be there although the upstream takes no more. */
            if (upstream->conn.can_read || upstream->conn.has_peer_closed) {
                set_deadline(request, request->shape.read_ms);
                upstream_on_ready(request);
                return;
            }
            try_failed(request, 502, conn_error_text(&upstream->conn));
            return;
        }
        request->attempt.is_head_sent = true;
        if (request->attempt.is_last_put || body == BODY_END) {
            all_sent(request);
            return;
        }
        if (body == BODY_WAIT) {
            set_deadline(request, request->worker->options->client.body_timeout_ms +
                                      request->shape.write_ms);
            return;
        }
    }
}

void upstream_send_body(struct request *request)
{
    if (!request->attempt.is_all_sent)
        send_more(request);
}

enum conn_result upstream_read(struct request *request)
{
    struct upstream_conn *upstream = request->attempt.upstream;
    size_t n = 0;
    if (!inbuf_prepare(&upstream->in, &request->worker->blocks))
        return CONN_FAILED;
    inbuf_compact(&upstream->in);
    if (inbuf_room(&upstream->in) == 0)
        return CONN_FAILED; /* the head alone fills the block */
    enum conn_result result = conn_read(&upstream->conn, upstream->in.data + upstream->in.end,
                                        inbuf_room(&upstream->in), &n);
    if (result == CONN_OK) {
        upstream->in.end += (uint32_t)n;
        request->attempt.has_response = true;
        set_deadline(request, request->shape.read_ms);
    }
    return result;
}

void upstream_wait(struct request *request, bool is_waiting)
{
    struct upstream_conn *upstream = request->attempt.upstream;
    if (upstream == NULL)
        return;
    if (!is_waiting)
        deadline_clear(&upstream->deadline);
    else if (upstream->deadline.at_ms == 0)
        set_deadline(request, request->shape.read_ms);
}

/* A response head was parsed. False: it was an interim one, go on reading. */
static bool take_head(struct request *request, size_t consumed)
{
    struct upstream_conn *upstream = request->attempt.upstream;
    struct http1_head *head = &request->out.head;
    upstream->in.start += (uint32_t)consumed;
    if (head->status >= 100 && head->status < 200) {
        if (head->status == 101) {
            request->attempt.tries_left = 1; /* it has acted on the request: no other try */
            try_failed(request, 502, "upstream switched protocols without being asked");
            return true;
        }
        if (++request->attempt.interim_count > MAX_INTERIM) {
            request->attempt.tries_left = 1;
            try_failed(request, 502, "upstream sent too many interim responses");
            return true;
        }
        request->attempt.scan = (struct http1_scan){0};
        *head = (struct http1_head){0};
        inbuf_make_room(&upstream->in);
        return false;
    }
    upstream->in.floor = upstream->in.start;
    request->timing.head_ms = loop_now_ms(request->worker->loop);
    if (!request->attempt.is_all_sent)
        request->in.head.is_keep_alive = false; /* the rest of the upload is not wanted */
    response_begin(request);
    return true;
}

static void read_head(struct request *request)
{
    struct upstream_conn *upstream = request->attempt.upstream;
    for (;;) {
        size_t consumed = 0;
        enum http1_result parsed = HTTP1_INCOMPLETE;
        if (inbuf_len(&upstream->in) > 0)
            parsed = http1_parse_response(inbuf_slice(&upstream->in), &request->attempt.scan,
                                          request->shape.method, request->arena, &request->out.head,
                                          &consumed);
        if (parsed == HTTP1_OK) {
            if (take_head(request, consumed))
                return;
            continue;
        }
        if (parsed != HTTP1_INCOMPLETE) {
            struct slice why = request->out.head.error;
            request_log(request, LOG_LEVEL_ERROR, "upstream sent an invalid response: %.*s",
                        SLICE_ARG(why));
            request->attempt.tries_left = 1; /* it has acted on the request: no other try */
            try_failed(request, 502, "invalid response");
            return;
        }
        switch (upstream_read(request)) {
        case CONN_OK: break;
        case CONN_AGAIN: return;
        case CONN_EOF:
            try_failed(request, 502,
                       inbuf_len(&upstream->in) > 0 ? "upstream closed the connection in its head"
                                                    : "upstream closed the connection");
            return;
        case CONN_FAILED: try_failed(request, 502, conn_error_text(&upstream->conn)); return;
        }
    }
}

static void establish(struct request *request)
{
    struct upstream_conn *upstream = request->attempt.upstream;
    switch (conn_establish(&upstream->conn)) {
    case CONN_OK: begin_sending(request); return;
    case CONN_AGAIN: return;
    case CONN_EOF:
    case CONN_FAILED: try_failed(request, 502, conn_error_text(&upstream->conn)); return;
    }
}

void upstream_on_ready(struct request *request)
{
    struct upstream_conn *upstream = request->attempt.upstream;
    if (request->state == REQUEST_CONNECT) {
        establish(request);
        return;
    }
    if (request->state == REQUEST_SEND) {
        if (!request->attempt.is_all_sent && upstream->conn.can_write && !upstream->conn.can_read &&
            upstream->conn.error == 0) {
            send_more(request);
            return;
        }
        if (upstream->conn.can_read || upstream->conn.has_peer_closed || upstream->conn.error != 0)
            read_head(request);
        return;
    }
    if (request->state == REQUEST_RELAY || request->state == REQUEST_COLLECT)
        response_pump(request);
}

void upstream_on_timeout(struct request *request)
{
    static const char *const texts[] = {"connect timed out", "sending timed out",
                                        "waiting for the response timed out"};
    int which = request->state == REQUEST_CONNECT ? 0 : request->attempt.is_all_sent ? 2 : 1;
    try_failed(request, 504, texts[which]);
}
