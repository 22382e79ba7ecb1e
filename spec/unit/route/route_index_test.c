/* SPDX-License-Identifier: Apache-2.0 */
/* route_index_test.c -- the index gives the answer of trying all routes in order.
 *
 * The reference below knows no index, no bits and none of the router's code: it splits routes,
 * sorts what results by comparing one property after the other, and tries everything. */
#define PCRE2_CODE_UNIT_WIDTH 8

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>

#include "route_fixture.h"

enum {
    SETS = 400,
    REQUESTS = 300, /* of each set */
    MAX_ROUTES = 60,
    MAX_ENTRIES = 2048,
};

/* ----------------------------------------------------------------------------------- reference */

struct entry {
    const struct route *route;
    size_t index;
    size_t path_len; /* of plain paths; 0: regexes, or no paths */
    bool is_regex;
};

static int compare(int64_t a, int64_t b) /* higher first */
{
    return a > b ? -1 : a < b;
}

static int64_t criteria_of(const struct route *route)
{
    int64_t count = 0;
    if (route->method_count > 0)
        count++;
    if (route->host_count > 0)
        count++;
    if (route->header_count > 0)
        count++;
    if (route->path_count > 0)
        count++;
    if (route->sni_count > 0)
        count++;
    return count;
}

static bool has_plain_hosts(const struct route *route)
{
    for (size_t i = 0; i < route->host_count; i++)
        if (memchr(route->hosts[i].ptr, '*', route->hosts[i].len) != NULL)
            return false;
    return route->host_count > 0;
}

static int by_order(const void *left, const void *right)
{
    const struct entry *a = left, *b = right;
    int order = compare(criteria_of(a->route), criteria_of(b->route));
    if (order == 0)
        order = compare(has_plain_hosts(a->route), has_plain_hosts(b->route));
    if (order == 0)
        order = compare((int64_t)a->route->header_count, (int64_t)b->route->header_count);
    if (order == 0)
        order = compare(a->is_regex, b->is_regex);
    if (order == 0 && a->is_regex)
        order = compare(a->route->regex_priority, b->route->regex_priority);
    if (order == 0)
        order = compare((int64_t)a->path_len, (int64_t)b->path_len);
    if (order == 0)
        order = strcmp(b->route->entity.id.ptr, a->route->entity.id.ptr);
    return order;
}

static size_t split(const struct route *route, size_t index, struct entry *out)
{
    size_t count = 0;
    if (route->path_count == 0)
        out[count++] = (struct entry){route, index, 0, false};
    for (size_t i = 0; i < route->path_count; i++) {
        bool is_regex = route->paths[i].ptr[0] == '~', is_there = false;
        size_t len = is_regex ? 0 : route->paths[i].len;
        for (size_t j = 0; j < count; j++)
            is_there = is_there || (out[j].is_regex == is_regex && out[j].path_len == len);
        if (!is_there)
            out[count++] = (struct entry){route, index, len, is_regex};
    }
    return count;
}

static bool regex_matches(struct slice pattern, struct slice text, uint32_t options, size_t *len)
{
    int code;
    PCRE2_SIZE offset;
    pcre2_code *regex =
        pcre2_compile((PCRE2_SPTR)pattern.ptr, pattern.len, options, &code, &offset, NULL);
    assert_non_null(regex);
    pcre2_match_data *data = pcre2_match_data_create_from_pattern(regex, NULL);
    assert_non_null(data);
    bool is_match = pcre2_match(regex, (PCRE2_SPTR)text.ptr, text.len, 0, 0, data, NULL) > 0;
    if (is_match)
        *len = pcre2_get_ovector_pointer(data)[1];
    pcre2_match_data_free(data);
    pcre2_code_free(regex);
    return is_match;
}

static bool name_matches(struct slice pattern, struct slice name)
{
    if (pattern.ptr[0] == '*')
        return name.len >= pattern.len && slice_ends_with(name, slice_from(pattern, 1));
    if (pattern.ptr[pattern.len - 1] == '*')
        return name.len >= pattern.len &&
               slice_starts_with(name, slice_make(pattern.ptr, pattern.len - 1));
    return slice_eq(pattern, name);
}

static bool host_matches(const struct route *route, const struct router_request *request)
{
    for (size_t i = 0; i < route->host_count; i++) {
        struct slice host = route->hosts[i];
        const char *colon = memchr(host.ptr, ':', host.len);
        int port = request->port != 0 ? request->port : request->listener_port;
        if (colon != NULL && atoi(colon + 1) != port)
            continue;
        if (colon != NULL)
            host.len = (size_t)(colon - host.ptr);
        if (name_matches(host, request->host))
            return true;
    }
    return route->host_count == 0;
}

static bool method_matches(const struct route *route, const struct router_request *request)
{
    for (size_t i = 0; i < route->method_count; i++)
        if (slice_eq(route->methods[i], request->method))
            return true;
    return route->method_count == 0;
}

static bool sni_matches(const struct route *route, const struct router_request *request)
{
    for (size_t i = 0; i < route->sni_count; i++)
        if (name_matches(route->snis[i], request->sni))
            return true;
    return route->sni_count == 0 || !request->is_tls;
}

static bool value_matches(const struct route_header *header, struct slice value)
{
    char lower[64];
    size_t len;
    for (size_t i = 0; i < value.len; i++)
        lower[i] = slice_lower(value.ptr[i]);
    struct slice text = slice_make(lower, value.len);
    if (header->is_regex)
        return regex_matches(header->values[0], text, 0, &len);
    for (size_t i = 0; i < header->value_count; i++)
        if (slice_eq(header->values[i], text))
            return true;
    return false;
}

static bool headers_match(const struct route *route, const struct router_request *request)
{
    for (size_t i = 0; i < route->header_count; i++) {
        bool is_match = false;
        for (size_t j = 0; j < request->headers->count; j++) {
            const struct http_field *field = &request->headers->fields[j];
            is_match = is_match || (slice_eq_nocase(field->name, route->headers[i].name) &&
                                    value_matches(&route->headers[i], field->value));
        }
        if (!is_match)
            return false;
    }
    return true;
}

static bool path_matches(const struct entry *entry, const struct router_request *request,
                         size_t *len)
{
    const struct route *route = entry->route;
    for (size_t i = 0; i < route->path_count; i++) {
        struct slice path = route->paths[i];
        bool is_regex = path.ptr[0] == '~';
        if (is_regex && entry->is_regex &&
            regex_matches(slice_from(path, 1), request->path, PCRE2_ANCHORED, len))
            return true;
        if (!is_regex && path.len == entry->path_len && slice_starts_with(request->path, path)) {
            *len = path.len;
            return true;
        }
    }
    *len = 0;
    return route->path_count == 0;
}

static const struct entry *find(const struct entry *entries, size_t count,
                                const struct router_request *request, size_t *path_len)
{
    for (size_t i = 0; i < count; i++)
        if (method_matches(entries[i].route, request) && host_matches(entries[i].route, request) &&
            sni_matches(entries[i].route, request) && headers_match(entries[i].route, request) &&
            path_matches(&entries[i], request, path_len))
            return &entries[i];
    return NULL;
}

/* ------------------------------------------------------------------------------------- chances */

static uint64_t seed = 20240607;

static uint32_t chance(uint32_t below)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed >> 33) % below;
}

#define PICK(list) list[chance(sizeof(list) / sizeof(*(list)))]

static const char *const methods[] = {"GET", "POST", "PUT"};
static const char *const hosts[] = {
    "a.test", "b.test",    "x.a.test",  "a.org",     "*.test",      "*.a.test", "a.*",
    "x.a.*",  "a.test:81", "a.test:82", "*.test:81", "*.a.test:82", "b.test:81"};
static const char *const regexes[] = {
    "~/a",      "~/a/\\d+", "~/(a|b)/",    "~/a|/b",      "~/b/(?<n>[^/]+)",
    "~/[ab]b*", "~/a/b?a",  "~/a\\.b",     "~/(?:a/)*b$", "~/ab+",
    "~/.*b",    "~/(?i)A",  "~/a/(?:b|c)", "~^/b/a(/|$)", "~/a(?=/b)/(.)",
    "~/b{2}",   "~/"};
static const char *const header_names[] = {"x-a", "x-b", "accept"};
static const char *const header_values[] = {"1", "2", "three", "Four"};
static const char *const header_regexes[] = {"~*^t", "~*[12]", "~*r$"};
static const char *const snis[] = {"a.test", "b.test", "*.test", "a.*"};
static const char *const names[] = {"a.test", "b.test",  "x.a.test", "y.x.a.test",
                                    "a.org",  "x.a.org", ".test",    "a.",
                                    "test",   "c.test",  ""};

static void random_path(char out[32], bool is_request)
{
    static const char *const pieces[] = {"/a", "/b", "/", "a", "b", "/1", "."};
    strcpy(out, "/");
    for (uint32_t i = chance(is_request ? 6 : 4); i > 0; i--)
        strcat(out, PICK(pieces));
}

static json_t *random_list(const char *const *from, uint32_t from_count, uint32_t most)
{
    json_t *list = json_array();
    for (uint32_t i = 1 + chance(most); i > 0; i--)
        json_array_append_new(list, json_string(from[chance(from_count)]));
    return list;
}
#define RANDOM_LIST(from, most) random_list(from, sizeof(from) / sizeof(*(from)), most)

static json_t *random_paths(uint32_t most)
{
    json_t *list = json_array();
    for (uint32_t i = 1 + chance(most); i > 0; i--) {
        char path[32];
        random_path(path, false);
        json_array_append_new(list, json_string(chance(3) == 0 ? PICK(regexes) : path));
    }
    return list;
}

static json_t *random_headers(void)
{
    json_t *headers = json_object();
    for (uint32_t i = 1 + chance(2); i > 0; i--)
        json_object_set_new(headers, PICK(header_names),
                            chance(4) == 0 ? json_pack("[s]", PICK(header_regexes))
                                           : RANDOM_LIST(header_values, 2));
    return headers;
}

/* `odds`: one in so many routes has a criterion; low ones give routes that ask for all. */
static json_t *random_route(uint32_t odds)
{
    char id[64];
    /* Few different first bytes: neighbours in the order of ids differ in the last ones. */
    snprintf(id, sizeof(id), "%02x-%08x", chance(4), chance(UINT32_MAX));
    json_t *row = json_pack("{ss}", "id", id);
    bool is_large = chance(20) == 0;
    if (chance(odds) == 0)
        json_object_set_new(row, "methods", RANDOM_LIST(methods, 2));
    if (chance(odds) == 0)
        json_object_set_new(row, "hosts", RANDOM_LIST(hosts, is_large ? 12 : 3));
    if (chance(odds) == 0)
        json_object_set_new(row, "headers", random_headers());
    if (chance(odds * 2) == 0)
        json_object_set_new(row, "snis", RANDOM_LIST(snis, 2));
    if (chance(odds) == 0 || json_object_size(row) == 1)
        json_object_set_new(row, "paths", random_paths(is_large ? 30 : 3));
    if (chance(3) == 0)
        json_object_set_new(row, "regex_priority", json_integer((int64_t)chance(5) - 2));
    return row;
}

static struct route_fixture_request random_request(char path[32], char headers[64])
{
    random_path(path, true);
    headers[0] = '\0';
    for (uint32_t i = chance(4); i > 0; i--)
        sprintf(headers + strlen(headers), "%s%s: %s", headers[0] == '\0' ? "" : "\n",
                PICK(header_names), PICK(header_values));
    return (struct route_fixture_request){
        .method = PICK(methods),
        .host = PICK(names),
        .path = path,
        .port = (int)(chance(2) * (80 + chance(3))),
        .listener_port = (int)(80 + chance(3)),
        .is_tls = chance(2) == 0,
        .sni = chance(4) == 0 ? NULL : PICK(names),
        .headers = headers[0] == '\0' ? NULL : headers,
    };
}

/* --------------------------------------------------------------------------------------- tests */

static void check(struct route_fixture *fixture, const struct entry *entries, size_t entry_count,
                  size_t *hits)
{
    char path[32], headers[64];
    struct route_fixture_request asked = random_request(path, headers);
    struct router_request request = route_fixture_request(fixture, &asked);
    size_t path_len = 0;
    const struct entry *expected = find(entries, entry_count, &request, &path_len);
    struct router_match match;
    bool is_match = router_match(fixture->router, &request, &fixture->arena, &match);
    if (is_match == (expected != NULL) &&
        (!is_match ||
         (match.index == expected->index && match.route == expected->route &&
          match.path_len == path_len && match.has_path == (expected->route->path_count > 0)))) {
        *hits += is_match;
        return;
    }
    fail_msg("%s host %s port %d/%d path %s sni %s headers %s: got %s (%zu), expected %s (%zu)",
             asked.method, asked.host, asked.port, asked.listener_port, path,
             asked.sni ? asked.sni : "-", headers, is_match ? match.route->entity.json.ptr : "none",
             is_match ? match.path_len : 0,
             expected != NULL ? expected->route->entity.json.ptr : "none", path_len);
}

static void the_answer_is_that_of_trying_all_in_order(void **state)
{
    (void)state;
    static struct entry entries[MAX_ENTRIES];
    size_t hits = 0;
    for (int set = 0; set < SETS; set++) {
        json_t *rows = json_array();
        uint32_t odds = 1 + chance(4);
        for (uint32_t i = 1 + chance(MAX_ROUTES); i > 0; i--)
            json_array_append_new(rows, random_route(odds));
        struct route_fixture fixture;
        route_fixture_load(&fixture, rows);
        json_decref(rows);
        size_t count = 0;
        for (size_t i = 0; i < fixture.count; i++)
            count += split(fixture.routes[i], i, entries + count);
        qsort(entries, count, sizeof(*entries), by_order);
        fixture.router = router_create(fixture.routes, fixture.count, NULL);
        assert_non_null(fixture.router);
        for (int i = 0; i < REQUESTS; i++)
            check(&fixture, entries, count, &hits);
        route_fixture_close(&fixture);
    }
    /* Or the test says nothing. */
    assert_in_range(hits, SETS * REQUESTS / 4, SETS * REQUESTS * 3 / 4 + SETS * REQUESTS / 8);
}

/* Names the bounds of the loops over a long host: nothing is read outside of it. */
static void a_long_host_finds_its_wildcards(void **state)
{
    (void)state;
    char host[8000];
    for (size_t i = 0; i < sizeof(host) - 1; i++)
        host[i] = i % 2 == 0 ? 'a' : '.';
    host[sizeof(host) - 1] = '\0';
    struct route_fixture fixture;
    route_fixture_open(&fixture, "[{'name':'suffix','hosts':['*.a.a','*.b.long.test']},"
                                 "{'name':'other','hosts':['c.*','b.a.*']}]");
    const struct route_fixture_request request = {.host = host};
    assert_string_equal(route_fixture_match(&fixture, &request), "suffix");
    host[0] = 'c';
    host[sizeof(host) - 2] = 'x';
    assert_string_equal(route_fixture_match(&fixture, &request), "other");
    host[0] = 'd';
    assert_null(route_fixture_match(&fixture, &request));
    route_fixture_close(&fixture);
}

static void a_router_without_routes_matches_nothing(void **state)
{
    (void)state;
    assert_false(route_fixture_matches("[]", &(struct route_fixture_request){.path = "/"}));
}

static json_t *many_routes(size_t count)
{
    json_t *rows = json_array();
    for (size_t i = 0; i < count; i++) {
        char path[32], host[32];
        snprintf(path, sizeof(path), "/r%zu/x", i);
        snprintf(host, sizeof(host), "h%zu.test", i);
        json_t *row = i % 2 == 0 ? json_pack("{s[s]}", "paths", path)
                                 : json_pack("{s[s]s[s]}", "paths", "/", "hosts", host);
        json_array_append_new(rows, row);
    }
    return rows;
}

static void ten_thousand_routes_are_all_found(void **state)
{
    (void)state;
    const size_t count = 10000;
    struct route_fixture fixture;
    json_t *rows = many_routes(count);
    route_fixture_load(&fixture, rows);
    json_decref(rows);
    fixture.router = router_create(fixture.routes, fixture.count, NULL);
    assert_non_null(fixture.router);
    for (size_t i = 0; i < count; i++) {
        char path[32], host[32];
        snprintf(path, sizeof(path), "/r%zu/xyz", i);
        snprintf(host, sizeof(host), "h%zu.test", i);
        const struct route_fixture_request request = {.path = i % 2 == 0 ? path : "/y",
                                                      .host = i % 2 == 0 ? "a.test" : host};
        assert_non_null(route_fixture_match(&fixture, &request));
        assert_int_equal(fixture.match.index, i);
    }
    assert_null(route_fixture_match(&fixture, &(struct route_fixture_request){.path = "/"}));
    route_fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_answer_is_that_of_trying_all_in_order),
        cmocka_unit_test(a_long_host_finds_its_wildcards),
        cmocka_unit_test(a_router_without_routes_matches_nothing),
        cmocka_unit_test(ten_thousand_routes_are_all_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
