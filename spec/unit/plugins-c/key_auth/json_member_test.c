/* SPDX-License-Identifier: Apache-2.0 */
/* json_member_test.c -- what counts as a member, and what as JSON. Texts are copied to memory of
 * their exact size, so that a sanitizer sees every byte read too many. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugins-c/key_auth/json_member.c"

static enum found_kind kind_in(const char *text, size_t len)
{
    char *copy = malloc(len + (len == 0));
    assert_non_null(copy);
    memcpy(copy, text, len);
    struct found found = json_member_find((struct pdk_str){copy, len}, PDK_STR("key"));
    free(copy);
    return found.kind;
}

static void expect_kind(const char *text, enum found_kind kind)
{
    enum found_kind got = kind_in(text, strlen(text));
    if (got != kind)
        fail_msg("'%s': kind %d, wanted %d", text, (int)got, (int)kind);
}

static void only_a_string_of_the_top_level_is_a_text(void **state)
{
    (void)state;
    expect_kind("{\"key\":\"v\"}", FOUND_TEXT);
    expect_kind(" {\"a\" : 1 , \"key\" : \"v\" } \n", FOUND_TEXT);
    expect_kind("{\"\\u006bey\":\"v\"}", FOUND_TEXT);
    expect_kind("{\"key\":\"\"}", FOUND_TEXT);
    expect_kind("{\"a\":{\"key\":\"v\"},\"b\":[\"key\"]}", FOUND_NOTHING);
    expect_kind("{\"Key\":1,\"key2\":1,\"ke\":1,\"\\u1234key\":1}", FOUND_NOTHING);
    expect_kind("{}", FOUND_NOTHING);
    expect_kind("{\"key\":1}", FOUND_OTHER);
    expect_kind("{\"key\":null}", FOUND_OTHER);
    expect_kind("{\"key\":false}", FOUND_OTHER);
    expect_kind("{\"key\":[\"v\"]}", FOUND_SEVERAL);
    expect_kind("{\"key\":{}}", FOUND_SEVERAL);
    expect_kind("{\"key\":\"a\",\"key\":\"a\"}", FOUND_SEVERAL);
}

static void what_is_not_json_has_no_members(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "{",
        "[]",
        "\"key\"",
        "{\"key\":\"v\"",
        "{\"key\":\"v\"}}",
        "{\"key\":\"v\"} x",
        "{\"key\":\"v\",}",
        "{,\"key\":\"v\"}",
        "{\"key\":\"v\" \"a\":1}",
        "{\"key\":\"v\",\"a\"}",
        "{\"key\":\"v\",\"a\":}",
        "{\"key\":\"v\",\"a\":tru}",
        "{\"key\":\"v\",\"a\":01}",
        "{\"key\":\"v\",\"a\":1.}",
        "{\"key\":\"v\",\"a\":-}",
        "{\"key\":\"v\",\"a\":1e}",
        "{\"key\":\"v\",\"a\":[1,]}",
        "{\"key\":\"v\",\"a\":[1}}",
        "{\"key\":\"v\",\"a\":{\"b\"}}",
        "{\"key\":\"v\",\"a\":\"\\x\"}",
        "{\"key\":\"v\",\"a\":\"\\u12g4\"}",
        "{\"key\":\"v\",\"a\":\"\n\"}",
        "{'key':'v'}",
        "{\"key\":\"v\"}//",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        expect_kind(texts[i], FOUND_NOTHING);
}

static void values_of_all_kinds_are_passed_over(void **state)
{
    (void)state;
    expect_kind("{\"a\":[[],{},[{\"b\":[1,-0.5e+3,2E1]}],\"]}\\\\\\\"\",true,false,null],"
                "\"key\":\"v\"}",
                FOUND_TEXT);
}

static void no_beginning_of_a_text_is_taken_for_the_whole(void **state)
{
    (void)state;
    static const char text[] = "{\"a\":[1,{\"b\":\"\\u00e9\\n\"}],\"key\":\"v\",\"c\":true}";
    for (size_t len = 0; len < sizeof(text) - 1; len++)
        assert_int_equal(kind_in(text, len), FOUND_NOTHING);
    expect_kind(text, FOUND_TEXT);
}

static void a_text_too_deep_is_refused_without_harm(void **state)
{
    (void)state;
    enum { DEEP = 100000 };
    static const char start[] = "{\"key\":";
    char *text = malloc(sizeof(start) + 2 * DEEP);
    assert_non_null(text);
    size_t n = sizeof(start) - 1;
    memcpy(text, start, n);
    memset(text + n, '[', DEEP);
    memset(text + n + DEEP, ']', DEEP);
    text[n + 2 * DEEP] = '}';
    assert_int_equal(kind_in(text, n + 2 * DEEP + 1), FOUND_NOTHING);
    free(text);
}

static void escapes_are_decoded(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"plain", "plain"},
        {"\\\"\\\\\\/\\b\\f\\n\\r\\t", "\"\\/\b\f\n\r\t"},
        {"\\u0041\\u00e9\\u20AC", "A\xc3\xa9\xe2\x82\xac"},
        {"\\ud83d\\ude00", "\xf0\x9f\x98\x80"},
        {"\\ud83d!", "\xef\xbf\xbd!"},
        {"\\ude00\\ud83d", "\xef\xbf\xbd\xef\xbf\xbd"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t len = strlen(cases[i][0]);
        char *raw = malloc(len), *out = malloc(len);
        memcpy(raw, cases[i][0], len);
        struct pdk_str decoded = json_member_decode((struct pdk_str){raw, len}, out);
        if (!pdk_str_eq(decoded, pdk_str_of(cases[i][1])))
            fail_msg("'%s': got '%.*s'", cases[i][0], (int)decoded.len, decoded.ptr);
        free(raw);
        free(out);
    }
}

static void the_other_members_stay_as_they_were(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"{\"key\":\"v\"}", "{}"},
        {"{\"key\":\"v\", \"a\": 1.50 }", "{\"a\": 1.50}"},
        {"{ \"a\":[ 1 ],\"key\":\"v\",\"b\":{\"key\":2}}", "{\"a\":[ 1 ],\"b\":{\"key\":2}}"},
        {"{\"key\":1,\"a\":2,\"\\u006bey\":3}", "{\"a\":2}"},
        {"{\"a\":1}", "{\"a\":1}"},
        {"{\"key\":\"v\"", "{\"key\":\"v\""},
        {"[\"key\"]", "[\"key\"]"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *out = malloc(strlen(cases[i][0]));
        struct pdk_str rest = json_member_remove(pdk_str_of(cases[i][0]), PDK_STR("key"), out);
        if (!pdk_str_eq(rest, pdk_str_of(cases[i][1])))
            fail_msg("'%s': left '%.*s'", cases[i][0], (int)rest.len, rest.ptr);
        free(out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_a_string_of_the_top_level_is_a_text),
        cmocka_unit_test(what_is_not_json_has_no_members),
        cmocka_unit_test(values_of_all_kinds_are_passed_over),
        cmocka_unit_test(no_beginning_of_a_text_is_taken_for_the_whole),
        cmocka_unit_test(a_text_too_deep_is_refused_without_harm),
        cmocka_unit_test(escapes_are_decoded),
        cmocka_unit_test(the_other_members_stay_as_they_were),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
