/* SPDX-License-Identifier: Apache-2.0 */
/* lua_pattern_test.c -- Lua patterns match what Lua 5.1 says, and nothing runs away. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "config/lua_pattern.h"

static void assert_result(const char *subject, const char *pattern,
                          enum lua_pattern_result expected)
{
    enum lua_pattern_result found = lua_pattern_match(slice_of(subject), slice_of(pattern));
    if (found != expected)
        fail_msg("'%s' against '%s': %d, expected %d", subject, pattern, found, expected);
}

static void patterns_find_what_lua_finds(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *matching, *other;
    } cases[] = {
        {"", "", NULL},
        {"b", "abc", "xyz"},
        {"^b", "bc", "abc"},
        {"b$", "ab", "abc"},
        {"^$", "", "a"},
        {"a$b", "a$b", "ab"},
        {".", "x", ""},
        {"^%a+$", "abcXYZ", "abc1"},
        {"^%A+$", "123", "12a"},
        {"^%d+$", "0129", "12x"},
        {"^%l+$", "abc", "aBc"},
        {"^%u+$", "GET", "GEt"},
        {"^%w+$", "a1B2", "a_1"},
        {"^%x+$", "09afAF", "0g"},
        {"^%s+$", " \t\n\v\f\r", " a"},
        {"^%p+$", "!?.,", "!a"},
        {"^%c+$", "\x01\x1f", "\x01 "},
        {"^%.%%%*$", ".%*", "a%*"},
        {"^[abc]+$", "cab", "cad"},
        {"^[^abc]+$", "xyz", "xyza"},
        {"^[a-cx-z]+$", "abcxyz", "abcd"},
        {"^[%a%-_]+$", "a-b_c", "a-1"},
        {"^[]]$", "]", "["},
        {"^[^]]$", "a", "]"},
        {"^[a-]+$", "a-", "ab"},
        {"^[%]]$", "]", "%"},
        {"^ab*c$", "abbbc", "abbbd"},
        {"^ab*c$", "ac", "a"},
        {"^ab+c$", "abc", "ac"},
        {"^ab?c$", "ac", "abbc"},
        {"^ab?c$", "abc", "abd"},
        {"^a.-c$", "abbc", "abbd"},
        {"^(a+)(b+)$", "aabb", "aab1"},
        {"^(%w+)=%1$", "ab=ab", "ab=ac"},
        {"^()a()$", "a", "b"},
        {"^%b()$", "(a(b)c)", "(a(b)c"},
        {"%f[%w]cat%f[%W]", "a cat sat", "concatenate"},
        {"^[^*]*%*?[^*]*$", "*.a.b", "*.*"},
        {"^%-?%d+$", "-12", "--12"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        assert_result(cases[i].matching, cases[i].pattern, LUA_PATTERN_MATCH);
        if (cases[i].other != NULL)
            assert_result(cases[i].other, cases[i].pattern, LUA_PATTERN_NO_MATCH);
    }
}

static void a_zero_byte_is_a_character_like_any_other(void **state)
{
    (void)state;
    struct slice text = slice_make("a\0b", 3);
    assert_int_equal(lua_pattern_match(text, SLICE("^a%zb$")), LUA_PATTERN_MATCH);
    assert_int_equal(lua_pattern_match(text, SLICE("^a%Zb$")), LUA_PATTERN_NO_MATCH);
    assert_int_equal(lua_pattern_match(text, SLICE("^a[%z]b$")), LUA_PATTERN_MATCH);
}

static void malformed_patterns_are_said_to_be_bad(void **state)
{
    (void)state;
    static const char *const bad[] = {"%",  "[a", "[",   "[^",  "[%",   "(a",
                                      "a)", "%1", "%b(", "%fa", "(()%1"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_result("a(a)", bad[i], LUA_PATTERN_BAD);
}

static void a_pattern_that_would_backtrack_for_ever_is_given_up(void **state)
{
    (void)state;
    char subject[200];
    memset(subject, 'a', sizeof(subject));
    assert_int_equal(
        lua_pattern_match(slice_make(subject, sizeof(subject)), SLICE("^a*a*a*a*a*a*a*a*a*b$")),
        LUA_PATTERN_TOO_BIG);
}

static void recursion_is_bounded(void **state)
{
    (void)state;
    char pattern[2001];
    for (size_t i = 0; i < 1000; i++)
        memcpy(pattern + 2 * i, "a?", 2);
    char subject[1001];
    memset(subject, 'a', 1000);
    assert_int_equal(lua_pattern_match(slice_make(subject, 1000), slice_make(pattern, 2000)),
                     LUA_PATTERN_TOO_BIG);
}

static void a_long_text_needs_no_recursion(void **state)
{
    (void)state;
    size_t len = 500000;
    char *subject = malloc(len);
    assert_non_null(subject);
    memset(subject, 'a', len);
    assert_int_equal(lua_pattern_match(slice_make(subject, len), SLICE("^[a-z]+$")),
                     LUA_PATTERN_MATCH);
    free(subject);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns_find_what_lua_finds),
        cmocka_unit_test(a_zero_byte_is_a_character_like_any_other),
        cmocka_unit_test(malformed_patterns_are_said_to_be_bad),
        cmocka_unit_test(a_pattern_that_would_backtrack_for_ever_is_given_up),
        cmocka_unit_test(recursion_is_bounded),
        cmocka_unit_test(a_long_text_needs_no_recursion),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
