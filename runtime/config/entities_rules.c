/* SPDX-License-Identifier: Apache-2.0 */
/* entities_rules.c -- rules over several fields of a service or a route.
 *
 * What a route may and must match on depends on its protocols; Kong keeps one sub-schema per family
 * of protocols and chooses it by the first one, and so does this file. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "config/entities.h"
#include "http/uri.h"

/* --------------------------------------------------------------------------------- service.url */

struct url {
    struct slice scheme, host, port, path; /* absent or empty if not there */
};

/* Length of a scheme at the start of `text`, without its colon; 0: there is none. */
static size_t scheme_length(struct slice text)
{
    size_t length = 0;
    while (length < text.len && (isalnum((unsigned char)text.ptr[length]) ||
                                 (length > 0 && strchr("+-.", text.ptr[length]) != NULL)))
        length++;
    return length < text.len && text.ptr[length] == ':' ? length : 0;
}

/* "user@host:port"; brackets around an IPv6 address are left out. */
static void split_authority(struct slice authority, struct url *url)
{
    size_t at = slice_find(authority, '@');
    if (at < authority.len)
        authority = slice_from(authority, at + 1);
    size_t colon = authority.len;
    while (colon > 0 && authority.ptr[colon - 1] != ':' && authority.ptr[colon - 1] != ']')
        colon--;
    if (colon > 0 && authority.ptr[colon - 1] == ':') {
        url->port = slice_from(authority, colon);
        authority.len = colon - 1;
    }
    if (authority.len >= 2 && authority.ptr[0] == '[' && authority.ptr[authority.len - 1] == ']')
        authority = slice_make(authority.ptr + 1, authority.len - 2);
    url->host = authority;
}

static struct url split_url(struct slice text)
{
    struct url url = {{NULL, 0}, {NULL, 0}, {NULL, 0}, {NULL, 0}};
    text.len = slice_find(text, '#');
    size_t scheme = scheme_length(text);
    if (scheme > 0) {
        url.scheme = slice_make(text.ptr, scheme);
        text = slice_from(text, scheme + 1);
    }
    text.len = slice_find(text, '?');
    if (slice_starts_with(text, SLICE("//"))) {
        text = slice_from(text, 2);
        size_t length = slice_find(text, '/');
        split_authority(slice_make(text.ptr, length), &url);
        text = slice_from(text, length);
    }
    url.path = text;
    return url;
}

static json_t *text_or_null(struct slice text)
{
    json_t *value = text.len == 0 ? json_null() : json_stringn(text.ptr, text.len);
    return value == NULL ? json_null() : value;
}

static json_t *port_of(const struct url *url, struct slice protocol)
{
    uint64_t port;
    if (slice_to_u64(url->port, &port) && port <= 1000000)
        return json_integer((json_int_t)port);
    if (url->port.len > 0) /* wrong: validation says so */
        return text_or_null(url->port);
    return json_integer(slice_eq(protocol, SLICE("https")) ? 443 : 80);
}

void entities_expand_service(json_t *service, struct schema_errors *errors)
{
    json_t *value = json_incref(json_object_get(service, "url"));
    (void)json_object_del(service, "url");
    if (value == NULL || json_is_null(value)) {
        json_decref(value);
        return;
    }
    if (!json_is_string(value) || json_string_length(value) == 0) {
        schema_errors_add(errors, "url", "%s",
                          json_is_string(value) ? "length must be at least 1"
                                                : "expected a string");
        json_decref(value);
        return;
    }
    struct url url = split_url(slice_make(json_string_value(value), json_string_length(value)));
    struct slice protocol = url.scheme;
    if (protocol.len == 0)
        protocol = slice_eq(url.port, SLICE("443")) ? SLICE("https") : SLICE("http");
    (void)json_object_set_new(service, "protocol", text_or_null(protocol));
    (void)json_object_set_new(service, "host", text_or_null(url.host));
    (void)json_object_set_new(service, "port", port_of(&url, protocol));
    (void)json_object_set_new(service, "path", text_or_null(url.path));
    json_decref(value);
}

/* -------------------------------------------------------------------------------------- routes */

enum family { FAMILY_NONE, FAMILY_HTTP, FAMILY_STREAM, FAMILY_GRPC };

static enum family family_of(const json_t *route)
{
    static const struct {
        const char *protocol;
        enum family family;
    } families[] = {
        {"http", FAMILY_HTTP},  {"https", FAMILY_HTTP}, {"tcp", FAMILY_STREAM},
        {"tls", FAMILY_STREAM}, {"udp", FAMILY_STREAM}, {"tls_passthrough", FAMILY_STREAM},
        {"grpc", FAMILY_GRPC},  {"grpcs", FAMILY_GRPC},
    };
    const json_t *protocols = json_object_get(route, "protocols");
    for (size_t i = 0; i < json_array_size(protocols); i++) {
        const char *protocol = json_string_value(json_array_get(protocols, i));
        for (size_t j = 0; protocol != NULL && j < sizeof(families) / sizeof(*families); j++)
            if (strcmp(families[j].protocol, protocol) == 0)
                return families[j].family;
    }
    return FAMILY_NONE;
}

void entities_prepare_route(json_t *route, struct schema_errors *errors)
{
    (void)errors;
    if (family_of(route) == FAMILY_GRPC && json_object_get(route, "strip_path") == NULL)
        (void)json_object_set_new(route, "strip_path", json_false());
}

static bool has_protocol(const json_t *route, const char *name)
{
    const json_t *protocols = json_object_get(route, "protocols");
    for (size_t i = 0; i < json_array_size(protocols); i++) {
        const char *protocol = json_string_value(json_array_get(protocols, i));
        if (protocol != NULL && strcmp(protocol, name) == 0)
            return true;
    }
    return false;
}

/* A value of a wrong type counts as one: it has been reported already. */
static bool is_filled(const json_t *value)
{
    if (value == NULL || json_is_null(value))
        return false;
    if (json_is_array(value))
        return json_array_size(value) > 0;
    return !json_is_object(value) || json_object_size(value) > 0;
}

/* Demands one of the fields, named in a list that NULL ends. */
static void demand_one(const json_t *route, const char *const *fields, const char *message,
                       struct schema_errors *errors)
{
    for (size_t i = 0; fields[i] != NULL; i++)
        if (is_filled(json_object_get(route, fields[i])))
            return;
    schema_errors_add(errors, "@entity", "%s", message);
}

/* Refuses fields that mean nothing for the protocols `when`. */
static void refuse(const json_t *route, const char *const *fields, const char *when,
                   struct schema_errors *errors)
{
    for (size_t i = 0; fields[i] != NULL; i++) {
        const json_t *value = json_object_get(route, fields[i]);
        if (value != NULL && !json_is_null(value))
            schema_errors_add(errors, fields[i], "cannot set '%s' when 'protocols' is %s",
                              fields[i], when);
    }
}

static const char *const addresses[] = {"sources", "destinations", NULL};
static const char *const stream_matches[] = {"sources", "destinations", "snis", NULL};
static const char *const only_snis[] = {"snis", NULL};
static const char *const http_matches[] = {"methods", "hosts", "headers", "paths", NULL};
static const char *const https_matches[] = {"methods", "hosts", "headers", "paths", "snis", NULL};
static const char *const grpc_matches[] = {"hosts", "headers", "paths", NULL};
static const char *const grpcs_matches[] = {"hosts", "headers", "paths", "snis", NULL};
static const char *const methods[] = {"methods", NULL};

static void check_http(const json_t *route, struct schema_errors *errors)
{
    refuse(route, addresses, "'http' or 'https'", errors);
    if (has_protocol(route, "https"))
        demand_one(
            route, https_matches,
            "must set one of 'methods', 'hosts', 'headers', 'paths', 'snis' when 'protocols' is "
            "'https'",
            errors);
    else
        demand_one(
            route, http_matches,
            "must set one of 'methods', 'hosts', 'headers', 'paths' when 'protocols' is 'http'",
            errors);
}

static void check_grpc(const json_t *route, struct schema_errors *errors)
{
    refuse(route, methods, "'grpc' or 'grpcs'", errors);
    refuse(route, addresses, "'grpc' or 'grpcs'", errors);
    if (json_is_true(json_object_get(route, "strip_path")))
        schema_errors_add(errors, "strip_path",
                          "cannot set 'strip_path' when 'protocols' is 'grpc' or 'grpcs'");
    if (has_protocol(route, "grpcs"))
        demand_one(
            route, grpcs_matches,
            "must set one of 'hosts', 'headers', 'paths', 'snis' when 'protocols' is 'grpcs'",
            errors);
    else
        demand_one(route, grpc_matches,
                   "must set one of 'hosts', 'headers', 'paths' when 'protocols' is 'grpc'",
                   errors);
}

static void check_stream(const json_t *route, struct schema_errors *errors)
{
    refuse(route, http_matches, "'tcp', 'tls', 'tls_passthrough' or 'udp'", errors);
    if (has_protocol(route, "tls_passthrough"))
        demand_one(route, only_snis, "must set snis when 'protocols' is 'tls_passthrough'", errors);
    else
        demand_one(
            route, stream_matches,
            "must set one of 'sources', 'destinations', 'snis' when 'protocols' is 'tcp', 'tls' "
            "or 'udp'",
            errors);
}

/* A single value that starts with "~*" is a regular expression; the router would trip over a bad
 * one. */
static void check_header_regexes(const json_t *route, struct schema_errors *errors)
{
    json_t *headers = json_object_get(route, "headers");
    for (void *at = json_object_iter(headers); at != NULL;
         at = json_object_iter_next(headers, at)) {
        const json_t *values = json_object_iter_value(at);
        const json_t *only = json_array_size(values) == 1 ? json_array_get(values, 0) : NULL;
        struct slice text = slice_make(json_string_value(only), json_string_length(only));
        char *message = json_is_string(only) && slice_starts_with(text, SLICE("~*"))
                            ? entities_check_regex(slice_from(text, 2))
                            : NULL;
        if (message != NULL)
            schema_errors_add(errors, "headers", "%s", message);
        free(message);
    }
}

void entities_check_route(const void *context, const json_t *route, struct schema_errors *errors)
{
    (void)context;
    check_header_regexes(route, errors);
    switch (family_of(route)) {
    case FAMILY_HTTP: check_http(route, errors); break;
    case FAMILY_GRPC: check_grpc(route, errors); break;
    case FAMILY_STREAM: check_stream(route, errors); break;
    case FAMILY_NONE: break;
    }
}
