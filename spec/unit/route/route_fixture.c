/* SPDX-License-Identifier: Apache-2.0 */
/* route_fixture.c -- see route_fixture.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "route_fixture.h"

static struct route *route_of(json_t *row, size_t position)
{
    if (json_object_get(row, "id") == NULL) {
        char id[64];
        snprintf(id, sizeof(id), "%08zx-0000-4000-8000-000000000000", position);
        json_object_set_new(row, "id", json_string(id));
    }
    if (json_object_get(row, "protocols") == NULL)
        json_object_set_new(row, "protocols", json_pack("[ss]", "http", "https"));
    struct route *route = route_create(row);
    if (route == NULL)
        fail_msg("row %zu makes no route", position);
    return route;
}

void route_fixture_load(struct route_fixture *fixture, json_t *rows)
{
    *fixture = (struct route_fixture){.count = json_array_size(rows)};
    arena_init(&fixture->arena, NULL);
    fixture->routes = calloc(fixture->count + 1, sizeof(*fixture->routes));
    assert_non_null(fixture->routes);
    for (size_t i = 0; i < fixture->count; i++)
        fixture->routes[i] = route_of(json_array_get(rows, i), i);
}

void route_fixture_open(struct route_fixture *fixture, const char *rows)
{
    char *text = slice_dup(slice_of(rows));
    assert_non_null(text);
    for (char *c = text; *c != '\0'; c++)
        if (*c == '\'')
            *c = '"';
    json_error_t error;
    json_t *json = json_loads(text, 0, &error);
    free(text);
    if (json == NULL)
        fail_msg("bad rows in the test: %s: %s", error.text, rows);
    route_fixture_load(fixture, json);
    json_decref(json);
    fixture->router = router_create(fixture->routes, fixture->count, NULL);
    assert_non_null(fixture->router);
}

void route_fixture_close(struct route_fixture *fixture)
{
    router_destroy(fixture->router);
    for (size_t i = 0; i < fixture->count; i++)
        entity_unref(&fixture->routes[i]->entity);
    free(fixture->routes);
    arena_clear(&fixture->arena);
    *fixture = (struct route_fixture){0};
}

static struct slice slice_or(const char *text, const char *otherwise)
{
    return slice_of(text == NULL ? otherwise : text);
}

static const struct http_headers *headers_of(struct route_fixture *fixture, const char *lines)
{
    struct http_headers *headers = arena_calloc(&fixture->arena, sizeof(*headers));
    assert_non_null(headers);
    struct slice rest = slice_of(lines), line;
    while (lines != NULL && slice_split(&rest, '\n', &line)) {
        size_t colon = slice_find(line, ':');
        struct slice name = slice_make(line.ptr, colon);
        assert_true(http_headers_add(headers, &fixture->arena, name,
                                     slice_trim(slice_from(line, colon + 1)),
                                     http_name_find(name)));
    }
    return headers;
}

struct router_request route_fixture_request(struct route_fixture *fixture,
                                            const struct route_fixture_request *request)
{
    return (struct router_request){
        .method = slice_or(request->method, "GET"),
        .host = slice_or(request->host, "a.test"),
        .port = request->port,
        .listener_port = request->listener_port == 0 ? 8000 : request->listener_port,
        .path = slice_or(request->path, "/"),
        .sni = slice_of(request->sni),
        .is_tls = request->is_tls,
        .headers = headers_of(fixture, request->headers),
    };
}

const char *route_fixture_match(struct route_fixture *fixture,
                                const struct route_fixture_request *request)
{
    struct router_request asked = route_fixture_request(fixture, request);
    if (!router_match(fixture->router, &asked, &fixture->arena, &fixture->match))
        return NULL;
    assert_ptr_equal(fixture->match.route, fixture->routes[fixture->match.index]);
    const char *name = fixture->match.route->entity.name.ptr; /* copied with a NUL */
    return name == NULL ? "" : name;
}

bool route_fixture_matches(const char *rows, const struct route_fixture_request *request)
{
    struct route_fixture fixture;
    route_fixture_open(&fixture, rows);
    bool is_match = route_fixture_match(&fixture, request) != NULL;
    route_fixture_close(&fixture);
    return is_match;
}
