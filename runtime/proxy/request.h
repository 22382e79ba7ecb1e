/* SPDX-License-Identifier: Apache-2.0 */
/* request.h -- one request on its way through the gateway: the state machine and its parts.
 *
 *   REWRITE -> ACCESS -> RESOLVE -> CONNECT -> SEND -> RELAY -> DONE
 *      |         |  \________|_________|________|
 *      |         |                | no route, plugin's exit, upstream failure
 *      +---------+----------------+-> LOCAL -> DONE
 *
 * Only the file named after a part writes to it. Whatever happens, request_finish() ends the
 * request and the log phase runs exactly once. The request and everything it points to live in the
 * arena of its client connection, which is cleared when it is over. */
#ifndef SLUICE_PROXY_REQUEST_H
#define SLUICE_PROXY_REQUEST_H

#include "base/buffer.h"
#include "balance/balancer.h"
#include "base/log.h"
#include "http/http1_chunked.h"
#include "http/http1_parse.h"
#include "pdk.h"
#include "plugin/chain.h"
#include "proxy/sender.h"
#include "proxy/worker.h"
#include "snapshot/snapshot.h"

struct client;
struct upstream_conn;

enum request_state {
    REQUEST_REWRITE, /* rewrite handlers, perhaps suspended */
    REQUEST_ACCESS,  /* routed; access handlers, perhaps suspended */
    REQUEST_RESOLVE, /* waiting for DNS */
    REQUEST_CONNECT, /* waiting for connect() and TLS */
    REQUEST_SEND,    /* sending it, waiting for the response head */
    REQUEST_COLLECT, /* a plugin wants the response whole: its body is being collected */
    REQUEST_RELAY,   /* passing the response on */
    REQUEST_LOCAL,   /* writing a response made here */
    REQUEST_DONE,
};

/* What the client sent. */
struct request_in {
    struct http1_head head;
    struct slice raw_path;  /* as received, without query */
    struct slice path;      /* normalised */
    struct slice query;     /* raw; absent without "?" */
    struct slice host;      /* without port, lower case */
    int host_port;          /* 0: none given */
    struct slice client_ip; /* after trusted-proxy handling */
    bool is_peer_trusted;
    bool is_tls;
    uint64_t head_bytes;
    char id[32];
};

enum body_state { BODY_NONE, BODY_READING, BODY_DONE, BODY_BROKEN };

/* The request's body on its way from the client (body.c). */
struct request_body {
    enum body_state state;
    enum http1_body framing;
    uint64_t left; /* of a declared length */
    struct http1_chunked decoder;
    struct slice piece;  /* decoded, not consumed yet; points into the client's block */
    uint64_t received;   /* wire bytes of the body so far */
    bool is_held;        /* all of it fits the block and stays there until the request is over */
    uint32_t held_start; /* where it starts in the block */
    struct buffer whole; /* collected for a plugin */
    bool is_collected;   /* `whole` (or `replaced`) is the body */
    bool is_wanted;      /* a suspended handler waits for it */
    bool is_too_large;
    bool has_sent_continue;
};

/* What goes to the upstream: the client's request as changed by plugins (pdk_service.c). */
struct request_shape {
    struct slice method;
    struct slice path;        /* absent: from route and service */
    struct slice query;       /* absent: none */
    struct slice host;        /* Host set by a plugin; absent: by the rules */
    struct slice target_host; /* set_target; absent: the service's */
    int target_port;
    enum protocol scheme;
    bool has_scheme;
    int retries;
    int64_t connect_ms, write_ms, read_ms;
    bool has_body; /* set_raw_body */
    struct slice body;
    bool is_buffering; /* collect the response */
    struct slice uri;  /* path and query as sent, for the log */
};

struct request_match {
    const struct snapshot_route *route;     /* NULL: none */
    const struct snapshot_service *service; /* NULL: none */
    struct router_match router;
    struct slice prefix; /* stripped from the path; absent: nothing */
};

/* One try at one address, for the log. */
struct request_try {
    int64_t start_ms; /* wall clock */
    char ip[46];
    int port;
    int status; /* of a failed try: 502 or 504; else 0 */
};

enum { REQUEST_LOGGED_TRIES = 8 };

/* Sending it on (upstream.c, target.c). */
struct request_attempt {
    struct upstream_conn *upstream; /* NULL: none now */
    struct dns_answer *answer;      /* one reference; what is being tried */
    struct dns_query *query;        /* while in REQUEST_RESOLVE */
    struct balancer_tried tried;    /* addresses that failed */
    size_t address_index;
    int tries, tries_left;
    bool is_fresh_only;     /* a reused connection turned out dead: take a new one */
    bool is_head_sent;      /* all of the request head was written */
    bool is_body_begun;     /* body bytes that cannot be sent again are gone */
    bool is_last_put;       /* the end of the body is in the sender */
    bool is_all_sent;       /* and written */
    bool has_response;      /* first byte of a response was seen */
    unsigned interim_count; /* 1xx responses in this try */
    struct http1_scan scan;
    struct request_try log[REQUEST_LOGGED_TRIES];
    uint32_t next_piece; /* of a held body: how much was sent in this try */
};

enum response_source { SOURCE_NONE, SOURCE_SERVICE, SOURCE_EXIT, SOURCE_ERROR };

/* What goes to the client (response.c, local.c). */
struct request_out {
    enum response_source source;
    int status;
    int upstream_status;          /* 0: none */
    struct http_headers headers;  /* to be sent */
    struct http_headers early;    /* set by plugins before the upstream answered */
    struct http_headers upstream; /* as the upstream sent them */
    struct http1_head head;       /* of the upstream */
    struct slice local_body;
    enum http1_body from; /* framing of the upstream's body */
    enum http1_body to;   /* framing towards the client */
    uint64_t left;        /* of a declared length from the upstream */
    struct http1_chunked decoder;
    bool has_status;   /* set_status() before the upstream answered */
    bool is_body_done; /* the last piece was taken from the upstream or the local body */
    bool is_upstream_reusable;
    bool is_head_made;       /* the header phase ran and the head is on its way */
    bool is_replaced;        /* set_raw_body(): the rest of the upstream's body is dropped */
    bool is_filtered;        /* a body handler takes part */
    bool is_cut;             /* the body ended early: the client must notice */
    bool is_collecting;      /* get_raw_body() of the body phase */
    struct buffer collected; /* by response buffering or by the body phase */
    struct buffer filtered;  /* output of body handlers, not written yet */
    struct buffer changed;   /* what a body handler has set instead of the chunk */
    struct slice chunk;      /* at hand in the body phase */
    bool is_last_chunk;
    uint64_t body_bytes;
};

struct request_phase {
    const struct chain *chain;
    const struct plugin_config **selected; /* by chain step; NULL entries do not run */
    unsigned running;                      /* enum pdk_phase bit; 0: none */
    size_t index;                          /* of the handler that runs or is suspended */
    const struct plugin_config *config;    /* of the handler that runs */
    struct pdk_ticket *ticket;
    bool is_suspended;
    bool has_exited;
};

struct request_timing {
    int64_t start_ms; /* monotonic, as all below; 0: not reached */
    int64_t start_wall_ms;
    int64_t access_end_ms; /* plugins are done, the upstream is next */
    int64_t sent_ms;       /* present try began */
    int64_t head_ms;       /* response head was there */
};

struct request_identity {
    const struct pdk_consumer *consumer;
    const struct pdk_credential *credential;
};

struct request {
    struct arena *arena; /* the client's */
    struct client *client;
    struct worker *worker;
    struct snapshot_lease *lease;
    enum request_state state;
    bool is_finishing;
    struct request_in in;
    struct request_body body;
    struct request_shape shape;
    struct request_match match;
    struct request_attempt attempt;
    struct request_out out;
    struct request_phase phase;
    struct request_timing timing;
    struct request_identity identity;
    struct pdk_slot *slots;       /* ctx values (pdk_ctx.c) */
    struct log_value *log_values; /* set_serialize_value() */
};

static inline struct request *request_of(struct pdk_request *req)
{
    return (struct request *)(void *)req;
}

static inline struct pdk_request *request_pdk(struct request *request)
{
    return (struct pdk_request *)(void *)request;
}

/* Begins with the request whose head was parsed; runs as far as it gets. */
void request_start(struct request *request);
/* Goes on in the present state; called after a suspension. */
void request_run(struct request *request);
/* The client's connection became readable or writable, or its peer is gone. */
void request_on_client(struct request *request);
/* Runs the log phase, writes the access line, lets go of everything. The client goes on with the
 * next request or closes. */
void request_finish(struct request *request);
/* Ends it without (further) response: the client is gone or cannot be answered any more. */
void request_abort(struct request *request, const char *why);
/* Lines about a request: level, text, client, host, id. */
void request_log(struct request *request, enum log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
