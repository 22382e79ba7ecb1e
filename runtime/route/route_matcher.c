/* SPDX-License-Identifier: Apache-2.0 */
/* route_matcher.c -- from routes to the ordered list of matchers. */
#include "route/route_matcher.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/log.h"
#include "config/entity.h"

/* Positions in Kong's priority number, from the lowest bit. */
enum {
    PATH_LEN_BITS = 19,
    REGEX_PRIORITY_SHIFT = 19,
    REGEX_SHIFT = 51,
    HEADERS_SHIFT = 52,
    PLAIN_HOSTS_SHIFT = 60,
    CRITERIA_SHIFT = 61,
};

struct work {
    struct route_matchers *matchers;
    struct arena *arena;
    struct route_regex_set *regexes;
    struct log *log;
};

/* NULL with *is_wrong set: logged. NULL otherwise: out of memory. */
static const struct route_regex *add_regex(struct work *work, const struct route *route,
                                           struct slice pattern, enum route_regex_use use,
                                           bool *is_wrong)
{
    char error[160] = "";
    const struct route_regex *regex;
    *is_wrong = false;
    if (!route_regex_add(work->regexes, pattern, use, &regex, error, sizeof(error)))
        return NULL;
    if (regex == NULL) {
        *is_wrong = true;
        log_write(work->log, LOG_LEVEL_ERROR, "route %.*s: %s regex '%.*s' never matches: %s",
                  SLICE_ARG(route->entity.id), use == ROUTE_REGEX_PATH ? "path" : "header",
                  SLICE_ARG(pattern), error);
    }
    return regex;
}

/* ------------------------------------------------------------------------------------ priority */

static bool has_wildcard(const struct route *route)
{
    for (size_t i = 0; i < route->host_count; i++)
        if (slice_find(route->hosts[i], '*') < route->hosts[i].len)
            return true;
    return false;
}

/* What the matchers of a route have in common in their number. */
static uint64_t base_priority(const struct route *route)
{
    uint64_t criteria = (route->method_count > 0) + (route->host_count > 0) +
                        (route->header_count > 0) + (route->path_count > 0) +
                        (route->sni_count > 0);
    uint64_t headers = route->header_count < 255 ? route->header_count : 255;
    uint64_t has_plain_hosts = route->host_count > 0 && !has_wildcard(route);
    return criteria << CRITERIA_SHIFT | has_plain_hosts << PLAIN_HOSTS_SHIFT |
           headers << HEADERS_SHIFT;
}

static uint64_t plain_priority(size_t path_len)
{
    const uint64_t most = (1u << PATH_LEN_BITS) - 1;
    return path_len < most ? path_len : most;
}

/* The 32 bits are unsigned; regex_priority may be negative and must then sort below 0. */
static uint64_t regex_priority(const struct route *route)
{
    int64_t priority = route->regex_priority;
    if (priority < INT32_MIN)
        priority = INT32_MIN;
    if (priority > INT32_MAX)
        priority = INT32_MAX;
    return UINT64_C(1) << REGEX_SHIFT | (uint64_t)(priority - INT32_MIN) << REGEX_PRIORITY_SHIFT;
}

/* ------------------------------------------------------------------------------------ criteria */

struct route_host route_matcher_host(struct slice text)
{
    struct route_host host = {.name = text, .kind = ROUTE_HOST_EXACT};
    size_t colon = slice_find(text, ':');
    bool is_bracketed = text.len > 0 && text.ptr[0] == '[';
    if (is_bracketed)
        colon = slice_find(text, ']') + 1;
    uint64_t port;
    /* More than one colon without brackets is an IPv6 address, which then has no port. */
    if (colon < text.len && text.ptr[colon] == ':' &&
        slice_to_u64(slice_from(text, colon + 1), &port) && port <= UINT16_MAX) {
        host.has_port = true;
        host.port = (uint16_t)port;
        host.name.len = colon;
    }
    if (host.name.len > 0 && host.name.ptr[0] == '*') {
        host.kind = ROUTE_HOST_SUFFIX;
        host.name = slice_from(host.name, 1);
    } else if (host.name.len > 0 && host.name.ptr[host.name.len - 1] == '*') {
        host.kind = ROUTE_HOST_PREFIX;
        host.name.len--;
    }
    return host;
}

static bool init_snis(struct work *work, const struct route *route, struct route_criteria *criteria)
{
    criteria->snis = arena_alloc(work->arena, (route->sni_count + 1) * sizeof(*criteria->snis));
    if (criteria->snis == NULL)
        return false;
    for (size_t i = 0; i < route->sni_count; i++) {
        struct slice sni = route->snis[i];
        if (sni.len > 1 && sni.ptr[sni.len - 1] == '.')
            sni.len--;
        criteria->snis[i] = route_matcher_host(sni);
    }
    return true;
}

/* *is_dead: a regex is wrong, so that the route never matches. */
static bool init_rules(struct work *work, const struct route *route,
                       struct route_criteria *criteria, bool *is_dead)
{
    criteria->rules =
        arena_calloc(work->arena, (route->header_count + 1) * sizeof(*criteria->rules));
    if (criteria->rules == NULL)
        return false;
    for (size_t i = 0; i < route->header_count; i++) {
        const struct route_header *header = &route->headers[i];
        struct route_rule *rule = &criteria->rules[criteria->rule_count++];
        *rule = (struct route_rule){.name = header->name,
                                    .id = http_name_find(header->name),
                                    .values = header->values,
                                    .value_count = header->value_count};
        bool is_wrong;
        if (header->is_regex) {
            rule->regex = add_regex(work, route, header->values[0], ROUTE_REGEX_HEADER, &is_wrong);
            if (rule->regex == NULL && !is_wrong)
                return false;
            *is_dead |= is_wrong;
        }
    }
    return true;
}

/* ------------------------------------------------------------------------------------ matchers */

static void add_matcher(struct work *work, struct route_matcher matcher)
{
    const struct route *route = matcher.criteria->route;
    matcher.is_unconditional = route->method_count == 0 && route->sni_count == 0 &&
                               route->header_count == 0 && matcher.regex_count == 0;
    work->matchers->items[work->matchers->count++] = matcher;
}

static int by_len_and_bytes(const void *left, const void *right)
{
    const struct slice *a = left, *b = right;
    if (a->len != b->len)
        return a->len < b->len ? -1 : 1;
    return memcmp(a->ptr, b->ptr, a->len);
}

/* One matcher for each run of paths of one length. */
static void split_plain(struct work *work, const struct route_criteria *criteria, uint64_t base,
                        struct slice *paths, size_t count)
{
    if (count > 1)
        qsort(paths, count, sizeof(*paths), by_len_and_bytes);
    for (size_t i = 0, end; i < count; i = end) {
        for (end = i + 1; end < count && paths[end].len == paths[i].len; end++)
            ;
        add_matcher(work, (struct route_matcher){.criteria = criteria,
                                                 .priority = base | plain_priority(paths[i].len),
                                                 .paths = paths + i,
                                                 .path_len = paths[i].len,
                                                 .path_count = (uint32_t)(end - i)});
    }
}

static bool add_by_paths(struct work *work, const struct route_criteria *criteria, uint64_t base)
{
    const struct route *route = criteria->route;
    struct slice *plain = arena_alloc(work->arena, (route->path_count + 1) * sizeof(*plain));
    const struct route_regex **regexes =
        arena_alloc(work->arena, (route->path_count + 1) * sizeof(*regexes));
    if (plain == NULL || regexes == NULL)
        return false;
    size_t plain_count = 0;
    uint32_t regex_count = 0;
    for (size_t i = 0; i < route->path_count; i++) {
        struct slice path = route->paths[i];
        bool is_wrong;
        if (path.len == 0 || path.ptr[0] != '~') {
            plain[plain_count++] = path;
            continue;
        }
        regexes[regex_count] =
            add_regex(work, route, slice_from(path, 1), ROUTE_REGEX_PATH, &is_wrong);
        if (regexes[regex_count] == NULL && !is_wrong)
            return false;
        regex_count += !is_wrong;
    }
    split_plain(work, criteria, base, plain, plain_count);
    if (regex_count > 0)
        add_matcher(work, (struct route_matcher){.criteria = criteria,
                                                 .priority = base | regex_priority(route),
                                                 .regexes = regexes,
                                                 .regex_count = regex_count});
    return true;
}

static bool add_route(struct work *work, const struct route *route, struct route_criteria *criteria)
{
    bool is_dead = false;
    uint64_t base = base_priority(route);
    if (!init_snis(work, route, criteria) || !init_rules(work, route, criteria, &is_dead))
        return false;
    if (is_dead)
        return true;
    if (route->path_count > 0)
        return add_by_paths(work, criteria, base);
    add_matcher(work, (struct route_matcher){.criteria = criteria, .priority = base});
    return true;
}

/* Highest number first, then the higher id. The rest only makes the order total. */
static int by_priority(const void *left, const void *right)
{
    const struct route_matcher *a = left, *b = right;
    if (a->priority != b->priority)
        return a->priority > b->priority ? -1 : 1;
    struct slice x = a->criteria->route->entity.id, y = b->criteria->route->entity.id;
    int order = memcmp(x.ptr, y.ptr, x.len < y.len ? x.len : y.len);
    if (order != 0)
        return order > 0 ? -1 : 1;
    if (x.len != y.len)
        return x.len > y.len ? -1 : 1;
    return a->criteria->index < b->criteria->index ? -1 : a->criteria->index > b->criteria->index;
}

bool route_matchers_init(struct route_matchers *matchers, struct arena *arena,
                         struct route *const *routes, size_t count, struct route_regex_set *regexes,
                         struct log *log)
{
    struct work work = {.matchers = matchers, .arena = arena, .regexes = regexes, .log = log};
    size_t most = 0;
    for (size_t i = 0; i < count; i++)
        most += routes[i]->path_count + 1;
    struct route_criteria *criteria = arena_calloc(arena, (count + 1) * sizeof(*criteria));
    *matchers =
        (struct route_matchers){.items = arena_alloc(arena, (most + 1) * sizeof(*matchers->items))};
    if (criteria == NULL || matchers->items == NULL)
        return false;
    for (size_t i = 0; i < count; i++) {
        criteria[i] = (struct route_criteria){.route = routes[i], .index = i};
        if (!add_route(&work, routes[i], &criteria[i]))
            return false;
    }
    qsort(matchers->items, matchers->count, sizeof(*matchers->items), by_priority);
    return true;
}
