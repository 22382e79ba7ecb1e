/* SPDX-License-Identifier: Apache-2.0 */
/* headers_test.c -- known names and the field list. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "http/headers.h"

struct fixture {
    struct arena arena;
    struct http_headers headers;
};

static int setup(void **state)
{
    static struct fixture fixture;
    fixture = (struct fixture){0};
    arena_init(&fixture.arena, NULL);
    *state = &fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    arena_clear(&f->arena);
    return 0;
}

static void add(struct fixture *f, const char *name, const char *value)
{
    assert_true(http_headers_add(&f->headers, &f->arena, slice_of(name), slice_of(value),
                                 http_name_find(slice_of(name))));
}

/* "name=value;" of every field, in order. */
static void expect_fields(const struct http_headers *headers, const char *wanted)
{
    char text[512] = "";
    size_t len = 0;
    for (uint32_t i = 0; i < headers->count; i++)
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%.*s=%.*s;",
                                SLICE_ARG(headers->fields[i].name),
                                SLICE_ARG(headers->fields[i].value));
    assert_string_equal(text, wanted);
}

/* The bits of `known` are those of the fields, whatever was done to them. */
static void expect_known_is_true(const struct http_headers *headers)
{
    uint64_t known = 0;
    for (uint32_t i = 0; i < headers->count; i++)
        if (headers->fields[i].id != HTTP_NAME_OTHER)
            known |= UINT64_C(1) << headers->fields[i].id;
    assert_true(headers->known == known);
}

static void every_known_name_is_found_in_any_case(void **state)
{
    (void)state;
    for (int id = 1; id < HTTP_NAME_COUNT; id++) {
        struct slice lower = http_name_text((enum http_name)id);
        char upper[32];
        for (size_t i = 0; i < lower.len; i++)
            upper[i] = lower.ptr[i] >= 'a' ? (char)(lower.ptr[i] - 32) : lower.ptr[i];
        assert_int_equal(http_name_find(lower), id);
        assert_int_equal(http_name_find(slice_make(upper, lower.len)), id);
    }
}

static void a_name_with_one_other_byte_is_not_found(void **state)
{
    (void)state;
    for (int id = 1; id < HTTP_NAME_COUNT; id++) {
        struct slice lower = http_name_text((enum http_name)id);
        for (size_t at = 0; at < lower.len; at++) {
            for (int c = 0; c < 256; c++) {
                char name[32];
                memcpy(name, lower.ptr, lower.len);
                name[at] = (char)c;
                struct slice changed = slice_make(name, lower.len);
                int wanted = slice_eq_nocase(changed, lower) ? id : HTTP_NAME_OTHER;
                assert_int_equal(http_name_find(changed), wanted);
            }
        }
    }
}

static void other_names_of_every_length_are_not_found(void **state)
{
    (void)state;
    char name[64];
    memset(name, 'q', sizeof(name));
    for (size_t len = 0; len <= sizeof(name); len++)
        assert_int_equal(http_name_find(slice_make(name, len)), HTTP_NAME_OTHER);
}

static void the_first_value_of_a_name_is_got(void **state)
{
    struct fixture *f = *state;
    add(f, "X-One", "1");
    add(f, "Accept", "a");
    add(f, "x-one", "2");
    add(f, "ACCEPT", "b");
    assert_true(slice_eq(http_headers_get(&f->headers, SLICE("X-ONE")), SLICE("1")));
    assert_true(slice_eq(http_headers_get(&f->headers, SLICE("accept")), SLICE("a")));
    assert_true(slice_eq(http_headers_get_known(&f->headers, HTTP_NAME_ACCEPT), SLICE("a")));
    expect_known_is_true(&f->headers);
}

static void a_name_that_is_not_there_is_absent(void **state)
{
    struct fixture *f = *state;
    assert_null(http_headers_get(&f->headers, SLICE("Host")).ptr);
    add(f, "X-One", "1");
    assert_null(http_headers_get(&f->headers, SLICE("Host")).ptr);
    assert_null(http_headers_get(&f->headers, SLICE("X-Two")).ptr);
    assert_null(http_headers_get(&f->headers, SLICE("")).ptr);
    assert_null(http_headers_get_known(&f->headers, HTTP_NAME_HOST).ptr);
    assert_null(http_headers_get_known(&f->headers, HTTP_NAME_OTHER).ptr);
}

static void removing_takes_every_field_of_the_name_and_keeps_the_order(void **state)
{
    struct fixture *f = *state;
    add(f, "Via", "1");
    add(f, "X-A", "2");
    add(f, "via", "3");
    add(f, "X-B", "4");
    add(f, "x-a", "5");
    assert_int_equal(http_headers_remove(&f->headers, SLICE("VIA")), 2);
    expect_fields(&f->headers, "X-A=2;X-B=4;x-a=5;");
    expect_known_is_true(&f->headers);
    assert_int_equal(http_headers_remove(&f->headers, SLICE("X-A")), 2);
    assert_int_equal(http_headers_remove(&f->headers, SLICE("X-A")), 0);
    assert_int_equal(http_headers_remove_known(&f->headers, HTTP_NAME_VIA), 0);
    assert_int_equal(http_headers_remove_known(&f->headers, HTTP_NAME_OTHER), 0);
    expect_fields(&f->headers, "X-B=4;");
}

static void setting_replaces_the_first_and_removes_the_others(void **state)
{
    struct fixture *f = *state;
    add(f, "Server", "1");
    add(f, "X-A", "2");
    add(f, "server", "3");
    add(f, "x-a", "4");
    assert_true(http_headers_set(&f->headers, &f->arena, SLICE("SERVER"), SLICE("5")));
    assert_true(http_headers_set(&f->headers, &f->arena, SLICE("X-A"), SLICE("6")));
    assert_true(http_headers_set(&f->headers, &f->arena, SLICE("Date"), SLICE("7")));
    expect_fields(&f->headers, "SERVER=5;X-A=6;Date=7;");
    expect_known_is_true(&f->headers);
}

static void the_list_grows_without_losing_a_field(void **state)
{
    struct fixture *f = *state;
    char names[300][16];
    for (int i = 0; i < 300; i++) {
        snprintf(names[i], sizeof(names[i]), "n%d", i);
        add(f, names[i], names[i]);
    }
    for (int i = 0; i < 300; i++)
        assert_true(
            slice_eq(http_headers_get(&f->headers, slice_of(names[i])), slice_of(names[i])));
}

static void tokens_and_values_are_told_from_others_for_every_byte(void **state)
{
    (void)state;
    for (int c = 0; c < 256; c++) {
        char text[] = {'a', (char)c, 'b'};
        bool is_control = (c < 32 && c != '\t') || c == 127;
        assert_int_equal(http_is_field_value(slice_make(text, 3)), !is_control);
        bool is_token = c > 32 && c < 127 && strchr("\"(),/:;<=>?@[\\]{}", c) == NULL;
        assert_int_equal(http_is_token(slice_make(text, 3)), is_token);
    }
    assert_false(http_is_token(SLICE("")));
    assert_true(http_is_field_value(SLICE("")));
}

static void a_list_has_its_elements_in_any_case_and_no_parts_of_them(void **state)
{
    (void)state;
    const struct {
        const char *value;
        bool has;
    } cases[] = {
        {"close", true},      {"Close", true},          {"a, close", true}, {"close,b", true},
        {" \tclose ", true},  {"a ,\tCLOSE\t,b", true}, {",close", true},   {"", false},
        {",", false},         {"closed", false},        {"xclose", false},  {"clo se", false},
        {"close;q=1", false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (http_list_has(slice_of(cases[i].value), SLICE("close")) != cases[i].has)
            fail_msg("'%s' should%s have 'close'", cases[i].value, cases[i].has ? "" : " not");
    assert_false(http_list_has((struct slice){NULL, 0}, SLICE("close")));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_known_name_is_found_in_any_case),
        TEST(a_name_with_one_other_byte_is_not_found),
        TEST(other_names_of_every_length_are_not_found),
        TEST(the_first_value_of_a_name_is_got),
        TEST(a_name_that_is_not_there_is_absent),
        TEST(removing_takes_every_field_of_the_name_and_keeps_the_order),
        TEST(setting_replaces_the_first_and_removes_the_others),
        TEST(the_list_grows_without_losing_a_field),
        TEST(tokens_and_values_are_told_from_others_for_every_byte),
        TEST(a_list_has_its_elements_in_any_case_and_no_parts_of_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
