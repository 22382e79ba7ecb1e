/* SPDX-License-Identifier: Apache-2.0 */
/* route_match.c -- the criteria one by one, the cheap ones first and regex paths last. */
#include "route/route_match.h"

#include <stdlib.h>

#include "config/entity.h"

enum { SMALL_VALUE = 512 };

static bool has_method(const struct route *route, struct slice method)
{
    for (size_t i = 0; i < route->method_count; i++)
        if (slice_eq(route->methods[i], method))
            return true;
    return route->method_count == 0;
}

static bool is_host(const struct route_host *host, struct slice name)
{
    switch (host->kind) {
    case ROUTE_HOST_EXACT: return slice_eq(host->name, name);
    case ROUTE_HOST_SUFFIX: return name.len > host->name.len && slice_ends_with(name, host->name);
    case ROUTE_HOST_PREFIX: return name.len > host->name.len && slice_starts_with(name, host->name);
    case ROUTE_HOST_KINDS: break;
    }
    return false;
}

/* Clear text has no SNI: the criterion is then left out, as in Kong. */
static bool has_sni(const struct route_criteria *criteria, const struct router_request *request)
{
    size_t count = criteria->route->sni_count;
    if (count == 0 || !request->is_tls)
        return true;
    struct slice sni = request->sni;
    if (sni.len > 1 && sni.ptr[sni.len - 1] == '.')
        sni.len--;
    for (size_t i = 0; i < count; i++)
        if (is_host(&criteria->snis[i], sni))
            return true;
    return false;
}

static bool has_lower_match(const struct route_regex *regex, struct slice value)
{
    char small[SMALL_VALUE];
    char *lower = value.len <= sizeof(small) ? small : malloc(value.len);
    if (lower == NULL)
        return false;
    for (size_t i = 0; i < value.len; i++)
        lower[i] = slice_lower(value.ptr[i]);
    bool is_match = route_regex_match(regex, slice_make(lower, value.len), NULL);
    if (lower != small)
        free(lower);
    return is_match;
}

static bool is_value(const struct route_rule *rule, struct slice value)
{
    if (rule->regex != NULL)
        return has_lower_match(rule->regex, value);
    for (size_t i = 0; i < rule->value_count; i++)
        if (slice_eq_nocase(rule->values[i], value))
            return true;
    return false;
}

/* Any field of that name counts, not only the first. */
static bool has_header(const struct route_rule *rule, const struct http_headers *headers)
{
    if (rule->id != HTTP_NAME_OTHER && !http_headers_has(headers, rule->id))
        return false;
    for (uint32_t i = 0; i < headers->count; i++) {
        const struct http_field *field = &headers->fields[i];
        if (field->id == rule->id &&
            (rule->id != HTTP_NAME_OTHER || slice_eq_nocase(field->name, rule->name)) &&
            is_value(rule, field->value))
            return true;
    }
    return false;
}

static bool has_headers(const struct route_criteria *criteria, const struct http_headers *headers)
{
    for (size_t i = 0; i < criteria->rule_count; i++)
        if (!has_header(&criteria->rules[i], headers))
            return false;
    return true;
}

/* The paths are sorted and of one length. */
static bool has_plain_path(const struct route_matcher *matcher, struct slice path)
{
    size_t low = 0, high = matcher->path_count, len = matcher->path_len;
    if (path.len < len)
        return false;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = memcmp(path.ptr, matcher->paths[middle].ptr, len);
        if (order == 0)
            return true;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return false;
}

/* The first of the route's regexes that matches counts. */
static bool has_regex_path(const struct route_matcher *matcher, struct slice path,
                           struct route_hit *hit)
{
    for (size_t i = 0; i < matcher->regex_count; i++) {
        const struct route_regex *regex = matcher->regexes[i];
        if (!slice_starts_with(path, route_regex_literal(regex)) ||
            !route_regex_match(regex, path, &hit->groups))
            continue;
        hit->regex = regex;
        hit->path_len = hit->groups.end[0];
        return true;
    }
    return false;
}

bool route_match_test(const struct route_matcher *matcher, const struct router_request *request,
                      bool is_path_known, struct route_hit *hit)
{
    const struct route_criteria *criteria = matcher->criteria;
    if (!matcher->is_unconditional &&
        (!has_method(criteria->route, request->method) || !has_sni(criteria, request) ||
         !has_headers(criteria, request->headers)))
        return false;
    if (matcher->regex_count > 0) {
        if (!has_regex_path(matcher, request->path, hit))
            return false;
    } else {
        if (matcher->path_count > 0 && !is_path_known && !has_plain_path(matcher, request->path))
            return false;
        hit->regex = NULL;
        hit->path_len = matcher->path_len;
    }
    hit->matcher = matcher;
    return true;
}
