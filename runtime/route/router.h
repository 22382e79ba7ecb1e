/* SPDX-License-Identifier: Apache-2.0 */
/* router.h -- a set of routes compiled for matching (reference/proxy-behaviour.md sections 3 and
 * 4).
 *
 * Built on the admin thread, immutable afterwards; matching is safe from all workers and allocates
 * nothing but captures (from the request's arena). Kong's traditional_compatible priorities. */
#ifndef SLUICE_ROUTE_ROUTER_H
#define SLUICE_ROUTE_ROUTER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"
#include "http/headers.h"

struct arena;
struct log;
struct route;
struct router;

/* What of a request decides. */
struct router_request {
    struct slice method;
    struct slice host; /* Host header without port, as received; "" if none */
    int port;          /* port of the Host header, or 0: then listener_port counts */
    int listener_port;
    struct slice path; /* normalised */
    struct slice sni;  /* absent: none */
    bool is_tls;
    const struct http_headers *headers;
};

enum { ROUTER_MAX_CAPTURES = 16 };

struct router_capture {
    struct slice name;  /* absent: unnamed */
    struct slice value; /* absent: did not take part */
};

struct router_match {
    const struct route *route;
    size_t index;    /* of the route in the array given to router_create() */
    size_t path_len; /* bytes of the path that the route's path matched; 0: not matched by path */
    bool has_path;   /* the route matched by a path (prefix or regex) */
    struct router_capture *captures; /* of a regex path: [0] is the whole match */
    size_t capture_count;
};

/* `routes` (borrowed: the caller keeps a reference to each for the router's life). A regex that
 * does not compile makes its path unmatchable and is logged. NULL: out of memory. */
struct router *router_create(struct route *const *routes, size_t count, struct log *log)
    __attribute__((warn_unused_result));
void router_destroy(struct router *router);
/* False: no route, or no memory for the captures. A regex that runs into a limit does not match. */
bool router_match(const struct router *router, const struct router_request *request,
                  struct arena *arena, struct router_match *match)
    __attribute__((warn_unused_result));

#endif
