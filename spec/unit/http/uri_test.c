/* SPDX-License-Identifier: Apache-2.0 */
/* uri_test.c -- targets: tables of input and output. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "http/uri.h"

static int setup(void **state)
{
    static struct arena arena;
    arena_init(&arena, NULL);
    *state = &arena;
    return 0;
}

static int teardown(void **state)
{
    arena_clear(*state);
    return 0;
}

static void expect(struct slice got, const char *input, const char *wanted)
{
    if (!slice_eq(got, slice_of(wanted)))
        fail_msg("'%s': got '%.*s', wanted '%s'", input, SLICE_ARG(got), wanted);
}

static void a_target_is_split_at_the_first_question_mark(void **state)
{
    (void)state;
    struct slice path, query;
    uri_split(SLICE("/a?b?c"), &path, &query);
    assert_true(slice_eq(path, SLICE("/a")) && slice_eq(query, SLICE("b?c")));
    uri_split(SLICE("/a?"), &path, &query);
    assert_true(slice_eq(path, SLICE("/a")) && query.ptr != NULL && query.len == 0);
    uri_split(SLICE("/a"), &path, &query);
    assert_true(slice_eq(path, SLICE("/a")) && query.ptr == NULL);
}

static void a_normal_path_is_returned_itself(void **state)
{
    struct arena *arena = *state;
    const char *const paths[] = {
        "",          "/",        "*",        "/a/b/c.txt", "/.well-known/x",
        "/a/..b/",   "/a/.../b", "/a.b./c",  "/%2F/%25",   "/a%3Fb",
        "/\xc3\xa4", "/a b",     "/a;b=c,d", "/..a",       "/a/b../c"};
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        struct slice result = uri_normalize(arena, slice_of(paths[i]));
        assert_ptr_equal(result.ptr, paths[i]);
        assert_int_equal(result.len, strlen(paths[i]));
    }
}

static void a_usual_path_costs_no_allocation(void **state)
{
    struct arena *arena = *state;
    assert_non_null(uri_normalize(arena, SLICE("/api/v1/users.d/.hidden/42")).ptr);
    assert_null(arena->blocks);
}

static void paths_are_normalised_as_kong_does(void **state)
{
    struct arena *arena = *state;
    const struct {
        const char *path, *normal;
    } cases[] = {
        {"//", "/"},
        {"///a//b///", "/a/b/"},
        {"/./a", "/a"},
        {"/a/.", "/a/"},
        {"/a/./b/.", "/a/b/"},
        {"/a/..", "/"},
        {"/a/../b", "/b"},
        {"/a/b/..", "/a/"},
        {"/a/b/../../../../c", "/c"},
        {"/..", "/"},
        {"/../", "/"},
        {"/../../etc/passwd", "/etc/passwd"},
        {"/a//../b", "/a/b"}, /* dots first, slashes afterwards */
        {"/a/..//..//b", "/b"},
        {"/%2e%2E/a", "/a"},
        {"/a/%2e./b", "/b"},
        {"/a/.%2E", "/"},
        {"/a%2fb", "/a%2Fb"},
        {"/a%2f..%2fb", "/a%2F..%2Fb"}, /* a reserved byte never becomes a separator */
        {"/%41%42", "/AB"},
        {"/%7euser/%2d%5f", "/~user/-_"},
        {"/a%20b", "/a b"},
        {"/%c3%a4", "/\xc3\xa4"},
        {"/%3a%40%25%3F%23", "/%3A%40%25%3F%23"},
        {"/%2541", "/%2541"},
        {"/%252e%252e/a", "/%252e%252e/a"}, /* never decoded twice */
        {"/%5c..%5c", "/\\..\\"},
        {"/%7f%01", "/\x7f\x01"},
        {"/.//a", "/a"},
        {"a/../b", "/b"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        expect(uri_normalize(arena, slice_of(cases[i].path)), cases[i].path, cases[i].normal);
}

static void wrong_triplets_and_nul_are_refused(void **state)
{
    struct arena *arena = *state;
    const struct slice bad[] = {
        SLICE("/%"),     SLICE("/%4"),     SLICE("/%4g"), SLICE("/%g4"),
        SLICE("/a%%41"), SLICE("/%-1"),    SLICE("/%00"), SLICE("/a\0b"),
        SLICE("/%0"),    SLICE("/%u0041"), SLICE("/% 1"),
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (uri_normalize(arena, bad[i]).ptr != NULL)
            fail_msg("accepted: '%.*s'", SLICE_ARG(bad[i]));
}

static void every_byte_survives_normalising_and_escaping(void **state)
{
    struct arena *arena = *state;
    for (int c = 1; c < 256; c++) {
        char path[8];
        int len = snprintf(path, sizeof(path), "/x%%%02xy", (unsigned)c);
        struct slice normal = uri_normalize(arena, slice_make(path, (size_t)len));
        assert_non_null(normal.ptr);
        struct slice wire = uri_escape_path(arena, normal);
        assert_non_null(wire.ptr);
        for (size_t i = 0; i < wire.len; i++)
            assert_in_range(wire.ptr[i], '!', '~');
        assert_true(slice_eq(uri_normalize(arena, wire), normal));
        struct slice decoded = uri_decode(arena, wire, false);
        assert_int_equal(decoded.len, 4);
        assert_int_equal((unsigned char)decoded.ptr[2], c);
    }
}

static void only_bytes_outside_the_wire_set_are_escaped(void **state)
{
    struct arena *arena = *state;
    const char kept[] = "/!#$&'()*+,/:;=?@[]AZaz09-_.~%";
    assert_ptr_equal(uri_escape_path(arena, slice_of(kept)).ptr, kept);
    expect(uri_escape_path(arena, SLICE("/a b\"<\x7f\xc3")), "bytes", "/a%20b%22%3C%7F%C3");
    expect(uri_escape_path(arena, SLICE("\\^`{|}")), "bytes", "%5C%5E%60%7B%7C%7D");
    expect(uri_escape_path(arena, SLICE("")), "", "");
}

static void text_is_decoded_and_wrong_triplets_stay(void **state)
{
    struct arena *arena = *state;
    const char plain[] = "a+b";
    assert_ptr_equal(uri_decode(arena, slice_of(plain), false).ptr, plain);
    expect(uri_decode(arena, SLICE("a+b%2B"), true), "form", "a b+");
    expect(uri_decode(arena, SLICE("a+b%2B"), false), "not form", "a+b+");
    expect(uri_decode(arena, SLICE("%%41%4%zz%"), true), "wrong", "%A%4%zz%");
    expect(uri_decode(arena, SLICE("%2541"), true), "once", "%41");
    assert_non_null(uri_decode(arena, (struct slice){NULL, 0}, true).ptr);
}

static void arguments_come_off_a_query_one_by_one(void **state)
{
    (void)state;
    struct slice rest = SLICE("a=1&b&c=&&=x&d=e=f&g"), name, value;
    const struct {
        const char *name, *value;
        bool is_bare;
    } wanted[] = {
        {"a", "1", false}, {"b", "", true}, {"c", "", false}, {"d", "e=f", false}, {"g", "", true}};
    bool is_bare;
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        assert_true(uri_query_next(&rest, &name, &value, &is_bare));
        assert_true(slice_eq(name, slice_of(wanted[i].name)));
        assert_true(slice_eq(value, slice_of(wanted[i].value)));
        assert_int_equal(is_bare, wanted[i].is_bare);
    }
    assert_false(uri_query_next(&rest, &name, &value, &is_bare));
    rest = SLICE("");
    assert_false(uri_query_next(&rest, &name, &value, &is_bare));
    rest = slice_of(NULL);
    assert_false(uri_query_next(&rest, &name, &value, &is_bare));
}

static void authorities_are_split_into_host_and_port(void **state)
{
    (void)state;
    const struct {
        const char *authority, *host;
        int port;
    } good[] = {
        {"example.com", "example.com", 0},
        {"Example.COM:8080", "Example.COM", 8080},
        {"127.0.0.1:1", "127.0.0.1", 1},
        {"a_b-c.d~e:65535", "a_b-c.d~e", 65535},
        {"[::1]", "[::1]", 0},
        {"[2001:db8::1]:443", "[2001:db8::1]", 443},
        {"[::ffff:1.2.3.4]", "[::ffff:1.2.3.4]", 0},
        {"a:00080", "a", 80},
        {"example.com.", "example.com.", 0},
    };
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        struct slice host;
        int port = -1;
        if (!uri_parse_authority(slice_of(good[i].authority), &host, &port))
            fail_msg("refused: '%s'", good[i].authority);
        expect(host, good[i].authority, good[i].host);
        assert_int_equal(port, good[i].port);
    }
}

static void doubtful_authorities_are_refused(void **state)
{
    (void)state;
    const struct slice bad[] = {
        SLICE(""),
        SLICE(":"),
        SLICE(":80"),
        SLICE("a:"),
        SLICE("a:0"),
        SLICE("a:65536"),
        SLICE("a:080000"),
        SLICE("a:+80"),
        SLICE("a:8o"),
        SLICE("a:80:80"),
        SLICE("u@a"),
        SLICE("u:p@a"),
        SLICE("a b"),
        SLICE("a,b"),
        SLICE("a/b"),
        SLICE("a\\b"),
        SLICE("a?b"),
        SLICE("a#b"),
        SLICE("a%41"),
        SLICE("\xc3\xa4"),
        SLICE("a\0b"),
        SLICE("["),
        SLICE("[]"),
        SLICE("[::1"),
        SLICE("::1"),
        SLICE("[::1]x"),
        SLICE("[::1]:"),
        SLICE("[::1]80"),
        SLICE("[1.2.3.4]"),
        SLICE("[v1.a]"),
        SLICE("[::1%eth0]"),
        SLICE("[::1%25lo]"),
        SLICE("[::1]:0"),
        SLICE("[[::1]]"),
        SLICE("a]"),
        SLICE("[:::1]"),
        SLICE("[1:2:3:4:5:6:7:8:9]"),
        SLICE("[::1\0]"),
        SLICE("\"a\""),
        SLICE("[0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000]"),
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct slice host;
        int port;
        if (uri_parse_authority(bad[i], &host, &port))
            fail_msg("accepted: '%.*s'", SLICE_ARG(bad[i]));
    }
}

static void an_absent_text_does_no_harm(void **state)
{
    const struct slice absent = slice_of(NULL);
    struct slice host;
    int port;
    assert_false(uri_parse_authority(absent, &host, &port));
    assert_int_equal(uri_normalize(*state, absent).len, 0);
    assert_int_equal(uri_escape_path(*state, absent).len, 0);
    assert_int_equal(uri_decode(*state, absent, true).len, 0);
}

static void the_upstream_path_follows_kongs_table(void **state)
{
    struct arena *arena = *state;
    const struct {
        const char *base, *request;
        size_t match_len;
        bool strip;
        const char *wanted;
    } cases[] = {
        {"/", "/r", 2, true, "/"},
        {"/", "/r/", 2, true, "/"},
        {"/", "/r/x", 2, true, "/x"},
        {"/", "/rx", 2, true, "/x"},
        {"/", "/r/x", 2, false, "/r/x"},
        {"/", "/", 1, true, "/"},
        {"/", "/x", 0, true, "/x"},
        {"/", "/x", 0, false, "/x"},
        {"/s/", "/r", 2, true, "/s"},
        {"/s/", "/r/", 3, true, "/s/"},
        {"/s/", "/r/x", 2, true, "/s/x"},
        {"/s/", "/rx", 2, true, "/s/x"},
        {"/s/", "/r/x", 2, false, "/s/r/x"},
        {"/s/", "/", 1, false, "/s/"},
        {"/s/", "/", 1, true, "/s"},
        {"/s", "/r", 2, true, "/s"},
        {"/s", "/r/", 2, true, "/s/"},
        {"/s", "/r/", 3, true, "/s/"},
        {"/s", "/r/x", 2, true, "/s/x"},
        {"/s", "/rx", 2, true, "/s/x"},
        {"/s", "/", 1, true, "/s"},
        {"/s", "/", 1, false, "/s"},
        {"/s", "/r/x", 2, false, "/s/r/x"},
        {"/s", "/x", 0, true, "/s/x"},
        {"/s", "/", 0, true, "/s"},
        {"/s", "/r..", 2, true, "/s"}, /* does not climb out of the base */
        {"/s", "/r../x", 2, true, "/s/x"},
        {"/s", "/r./x", 2, true, "/s/x"},
        {"/s", "/r.", 2, true, "/s"},
        {"/", "/r../x", 2, true, "/x"},
        {"", "/r/x", 2, true, "/x"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct slice got =
            uri_upstream_path(arena, slice_of(cases[i].base), slice_of(cases[i].request),
                              cases[i].match_len, cases[i].strip);
        if (!slice_eq(got, slice_of(cases[i].wanted)))
            fail_msg("base %s, request %s, matched %zu, strip %d: got %.*s, wanted %s",
                     cases[i].base, cases[i].request, cases[i].match_len, cases[i].strip,
                     SLICE_ARG(got), cases[i].wanted);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_target_is_split_at_the_first_question_mark),
        TEST(a_normal_path_is_returned_itself),
        TEST(a_usual_path_costs_no_allocation),
        TEST(paths_are_normalised_as_kong_does),
        TEST(wrong_triplets_and_nul_are_refused),
        TEST(every_byte_survives_normalising_and_escaping),
        TEST(only_bytes_outside_the_wire_set_are_escaped),
        TEST(text_is_decoded_and_wrong_triplets_stay),
        TEST(arguments_come_off_a_query_one_by_one),
        TEST(authorities_are_split_into_host_and_port),
        TEST(doubtful_authorities_are_refused),
        TEST(an_absent_text_does_no_harm),
        TEST(the_upstream_path_follows_kongs_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
