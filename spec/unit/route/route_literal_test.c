/* SPDX-License-Identifier: Apache-2.0 */
/* route_literal_test.c -- what is certain about the beginning of a match, and never more. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "base/arena.h"
#include "route/route_literal.h"
#include "route/route_regex.h"

static void the_text_reaches_to_the_first_special_character(void **state)
{
    (void)state;
    const char *const rows[][2] = {
        {"/plain", "/plain"},
        {"^/plain", "/plain"},
        {"/a\\.b", "/a.b"},
        {"/a.b", "/a"},
        {"/a\\d", "/a"},
        {"/users/(\\d+)/x", "/users/"},
        {"/users/(?<id>\\d+)", "/users/"},
        {"/v(?:1|2)/x", "/v"},
        {"/v[a|b]x", "/v"},
        {"/v[]|]x", "/v"},
        {"/v[^]|]x", "/v"},
        {"/v\\|x", "/v|x"},
        {"/ab?c", "/a"},
        {"/ab*c", "/a"},
        {"/ab+c", "/a"},
        {"/ab{0}c", "/a"},
        {"/ab$", "/ab"},
        {"/ab\\E?c", "/a"},
        {"/ab\\Q\\E?c", "/a"},
        {"/ab(?#note)?c", "/a"},
        {"/ab\\", "/ab"},
        {"/a|/b", ""},
        {"/a(b)|/c", ""},
        {"/a(b[)]|c)", "/a"},
        {"/a(b\\)|c)", "/a"},
        {"/a\\Q(\\E|/b", ""},
        {"/a[[:alpha:]]|/b", ""},
        {"/a(?#()|/b", ""},
        {"(?i)/a", ""},
        {"(*UTF)/a", ""},
        {"(/a)", ""},
        {"", ""},
        {"^", ""},
        {"^*/a", ""},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct arena arena;
        struct slice literal;
        arena_init(&arena, NULL);
        assert_true(route_literal_of(&arena, slice_of(rows[i][0]), &literal));
        if (!slice_eq(literal, slice_of(rows[i][1])))
            fail_msg("%s: got \"%.*s\", expected \"%s\"", rows[i][0], SLICE_ARG(literal),
                     rows[i][1]);
        arena_clear(&arena);
    }
}

static uint32_t next_random(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*seed >> 33);
}

static struct slice random_text(uint64_t *seed, const char *const *pieces, size_t piece_count,
                                char out[64])
{
    size_t len = 0;
    for (uint32_t left = next_random(seed) % 7; left > 0; left--) {
        struct slice piece = slice_of(pieces[next_random(seed) % piece_count]);
        memcpy(out + len, piece.ptr, piece.len);
        len += piece.len;
    }
    return slice_make(out, len);
}

/* Most of these patterns are nonsense; those that compile are what counts. */
static void every_match_of_a_random_pattern_begins_with_its_text(void **state)
{
    (void)state;
    static const char *const syntax[] = {
        "a",   "b",   "/",    "a",    "b",     "|",   "(",   ")",   "(?:", "?",     "*", "+",
        "[",   "]",   "[^",   "{0}",  "{0,1}", "\\Q", "\\E", "\\",  "^",   "$",     ".", "\\b",
        "\\|", "(?=", "(?#a", "(?i)", "(?x)",  "#",   " ",   "(?|", "\\K", "(?<n>", "-", "\\.",
    };
    static const char *const text[] = {"a", "b", "/", "A", "|", ".", "#", " "};
    uint64_t seed = 4711;
    size_t compiled = 0, matched = 0, certain = 0;
    for (int round = 0; round < 60; round++) {
        struct arena arena;
        arena_init(&arena, NULL);
        struct route_regex_set *set = route_regex_set_create(&arena);
        assert_non_null(set);
        for (int i = 0; i < 500; i++) {
            char pattern_bytes[64], subject_bytes[64], error[160];
            const struct route_regex *regex;
            struct slice pattern =
                random_text(&seed, syntax, sizeof(syntax) / sizeof(*syntax), pattern_bytes);
            pattern = arena_copy(&arena, pattern);
            assert_true(
                route_regex_add(set, pattern, ROUTE_REGEX_PATH, &regex, error, sizeof(error)));
            if (regex == NULL)
                continue;
            compiled++;
            certain += route_regex_literal(regex).len > 0;
            for (int j = 0; j < 40; j++) {
                struct slice subject =
                    random_text(&seed, text, sizeof(text) / sizeof(*text), subject_bytes);
                if (!route_regex_match(regex, subject, NULL))
                    continue;
                matched++;
                if (!slice_starts_with(subject, route_regex_literal(regex)))
                    fail_msg("%.*s matches %.*s, which does not begin with \"%.*s\"",
                             SLICE_ARG(pattern), SLICE_ARG(subject),
                             SLICE_ARG(route_regex_literal(regex)));
            }
        }
        arena_clear(&arena);
    }
    /* Or the test says nothing. */
    assert_true(compiled > 1000);
    assert_true(matched > 1000);
    assert_true(certain > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_text_reaches_to_the_first_special_character),
        cmocka_unit_test(every_match_of_a_random_pattern_begins_with_its_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
