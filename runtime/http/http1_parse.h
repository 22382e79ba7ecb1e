/* SPDX-License-Identifier: Apache-2.0 */
/* http1_parse.h -- strict parser of HTTP/1.x message heads (RFC 9112), one function a direction.
 *
 * Pure: bytes in, slices into those bytes out; no I/O, no clock. The head is parsed in one pass
 * once its last line has arrived; until then HTTP1_INCOMPLETE. Framing is decided here and nowhere
 * else. */
#ifndef SLUICE_HTTP_HTTP1_PARSE_H
#define SLUICE_HTTP_HTTP1_PARSE_H

#include "http/headers.h"

enum http1_result {
    HTTP1_OK,
    HTTP1_INCOMPLETE,     /* nothing wrong so far */
    HTTP1_BAD,            /* 400 / 502: malformed, or framing in doubt */
    HTTP1_LINE_TOO_LONG,  /* 414 */
    HTTP1_HEAD_TOO_LARGE, /* 431 / 502 */
    HTTP1_BAD_VERSION,    /* 505: not HTTP/1.x */
    HTTP1_BAD_METHOD,     /* 501: not used for unknown tokens, which are allowed; CONNECT: 405 */
    HTTP1_BAD_CODING,     /* 501: a transfer coding other than chunked */
    HTTP1_NO_MEMORY,
};

enum http1_limits {
    HTTP1_MAX_LINE = 8192,  /* request line */
    HTTP1_MAX_HEAD = 32768, /* whole head */
    HTTP1_MAX_FIELDS = 200,
};

enum http1_body {
    HTTP1_BODY_NONE,
    HTTP1_BODY_LENGTH,
    HTTP1_BODY_CHUNKED,
    HTTP1_BODY_UNTIL_CLOSE, /* responses only */
};

struct http1_head {
    /* request line */
    struct slice method;
    struct slice target;     /* as received */
    struct slice path_query; /* origin-form; of absolute-form its path and query, which begin with
                              * "/"; "*" of OPTIONS * */
    struct slice authority; /* host[:port]: of absolute-form, else the Host value; "" in HTTP/1.0 */
    struct slice host;      /* of the authority, as written */
    int port;               /* of the authority; 0: none */
    struct slice scheme;    /* of absolute-form, else absent */
    /* status line */
    int status;
    struct slice reason;
    /* both */
    int minor_version; /* 0 or 1 */
    struct http_headers headers;
    enum http1_body body;
    uint64_t content_length; /* with HTTP1_BODY_LENGTH; may be 0, never above INT64_MAX */
    bool is_keep_alive;      /* as the message itself says (version, Connection); false with
                              * HTTP1_BODY_UNTIL_CLOSE */
    bool has_named_fields;   /* Connection lists more than close, keep-alive, upgrade */
    bool has_upgrade;        /* Connection: upgrade and an Upgrade field */
    bool is_expecting_100;   /* Expect: 100-continue on HTTP/1.1 */
    struct slice error;      /* static text for the log when the result is not OK */
};

/* Remembers how far an incomplete head was searched, so that slow arrival costs no rescans. Zero it
 * for each new message. */
struct http1_scan {
    size_t searched;
    bool has_line; /* the request line is complete */
};

/* Parses the request head at `bytes`. Up to two empty lines before it are skipped. On HTTP1_OK
 * *consumed is the size of the head including its empty line; otherwise only head->error counts.
 * The slices point into `bytes`; the field array, and the path of "http://host?query", come from
 * `arena`. Call again with the same bytes and more behind them while HTTP1_INCOMPLETE. A wrong
 * first line is reported as soon as it has arrived, everything else when the head is complete. */
enum http1_result http1_parse_request(struct slice bytes, struct http1_scan *scan,
                                      struct arena *arena, struct http1_head *head,
                                      size_t *consumed) __attribute__((warn_unused_result));
/* Parses a response head, likewise; no empty lines before it. `request_method` decides framing
 * (HEAD, CONNECT). 1xx heads are returned as they are, with HTTP1_BODY_NONE; so are 204 and 304,
 * whatever length they tell. Status 100 to 999. Every fault is HTTP1_BAD or HTTP1_HEAD_TOO_LARGE.
 */
enum http1_result http1_parse_response(struct slice bytes, struct http1_scan *scan,
                                       struct slice request_method, struct arena *arena,
                                       struct http1_head *head, size_t *consumed)
    __attribute__((warn_unused_result));

#endif
