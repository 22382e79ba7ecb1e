/* SPDX-License-Identifier: Apache-2.0 */
/* route_matcher.h -- routes as matchers, in the order in which they are tried
 * (reference/proxy-behaviour.md section 4.1).
 *
 * A route is one matcher, or several: one for each distinct length of its plain paths and one for
 * all of its regex paths. Everything lives in the router's arena and points into its routes. */
#ifndef SLUICE_ROUTE_ROUTE_MATCHER_H
#define SLUICE_ROUTE_ROUTE_MATCHER_H

#include "http/headers.h"
#include "route/route_regex.h"

struct arena;
struct log;
struct route;

/* A host or SNI of a route, taken apart. */
enum route_host_kind {
    ROUTE_HOST_EXACT,
    ROUTE_HOST_SUFFIX, /* "*" in front: stands for one byte or more */
    ROUTE_HOST_PREFIX, /* "*" behind: likewise */
    ROUTE_HOST_KINDS,
};

struct route_host {
    struct slice name; /* without port and "*" */
    enum route_host_kind kind;
    bool has_port;
    uint16_t port;
};

/* One header criterion. */
struct route_rule {
    struct slice name; /* lower case */
    enum http_name id;
    const struct slice *values; /* lower case */
    size_t value_count;
    const struct route_regex *regex; /* instead of values; NULL: none */
};

/* What all matchers of a route share. */
struct route_criteria {
    const struct route *route;
    size_t index; /* in the caller's array */
    struct route_rule *rules;
    size_t rule_count;
    struct route_host *snis;
};

struct route_matcher {
    const struct route_criteria *criteria;
    uint64_t priority;   /* Kong's number; regex_priority in it is biased to be unsigned */
    struct slice *paths; /* plain, all of path_len bytes, sorted */
    size_t path_len;
    uint32_t path_count;
    uint32_t regex_count;               /* a matcher has plain paths, regexes, or neither */
    const struct route_regex **regexes; /* in the order of the route */
    bool is_unconditional;              /* hosts and plain paths are all that it asks for */
};

struct route_matchers {
    struct route_matcher *items; /* highest priority first */
    size_t count;
};

/* Routes that can never match (a wrong header regex, only wrong paths) are left out; each wrong
 * regex is logged. False: out of memory. */
bool route_matchers_init(struct route_matchers *matchers, struct arena *arena,
                         struct route *const *routes, size_t count, struct route_regex_set *regexes,
                         struct log *log) __attribute__((warn_unused_result));
struct route_host route_matcher_host(struct slice text);

#endif
