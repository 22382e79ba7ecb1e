/* SPDX-License-Identifier: Apache-2.0 */
/* multipart_test.c -- parts by name; malformed bodies have none. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugins-c/key_auth/multipart.c"

#define PART(name, content)                                                                        \
    "--b\r\nContent-Disposition: form-data; name=\"" name "\"\r\n\r\n" content "\r\n"

static struct found find(const char *body)
{
    return multipart_find(pdk_str_of(body), PDK_STR("b"), PDK_STR("key"));
}

static void the_boundary_is_a_parameter_of_the_content_type(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"multipart/form-data; boundary=abc", "abc"},
        {"multipart/form-data; charset=x; BOUNDARY=\"a b;c\"; x=y", "a b;c"},
        {"multipart/form-data;boundary=abc ;x", "abc"},
        {"multipart/form-data; x=\"; boundary=no\"; boundary=yes", "yes"},
        {"multipart/form-data", ""},
        {"multipart/form-data; boundary=", ""},
        {"multipart/form-data; boundary", ""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_true(
            pdk_str_eq(multipart_boundary(pdk_str_of(cases[i][0])), pdk_str_of(cases[i][1])));
}

static void a_part_is_found_by_its_name(void **state)
{
    (void)state;
    struct found found = find("preamble\r\n" PART("a", "1") PART("key", "the\r\nvalue") "--b--");
    assert_int_equal(found.kind, FOUND_TEXT);
    assert_true(pdk_str_eq(found.text, PDK_STR("the\r\nvalue")));
    found = find("--b\r\nX: y\r\ncontent-disposition:form-data;name=key\r\n\r\n\r\n--b--\r\n");
    assert_int_equal(found.kind, FOUND_TEXT);
    assert_int_equal(found.text.len, 0);
    assert_int_equal(find(PART("key", "1") PART("key", "1") "--b--").kind, FOUND_SEVERAL);
    assert_int_equal(find(PART("a", "name=\"key\"") "--b--").kind, FOUND_NOTHING);
    assert_int_equal(find("--b\r\n\r\nno head\r\n--b--").kind, FOUND_NOTHING);
}

static void a_line_that_only_begins_like_a_delimiter_is_content(void **state)
{
    (void)state;
    struct found found = find(PART("key", "x\r\n--bc\r\n --b") "--b--");
    assert_true(pdk_str_eq(found.text, PDK_STR("x\r\n--bc\r\n --b")));
}

static void a_body_that_is_cut_off_has_no_parts(void **state)
{
    (void)state;
    static const char body[] = PART("key", "value") "--b--";
    for (size_t len = 0; len < sizeof(body) - 1; len++) {
        char *copy = malloc(len + 1);
        memcpy(copy, body, len);
        struct pdk_str text = {copy, len};
        assert_int_equal(multipart_find(text, PDK_STR("b"), PDK_STR("key")).kind, FOUND_NOTHING);
        free(copy);
    }
    assert_int_equal(find(body).kind, FOUND_TEXT);
}

static void the_other_parts_stay_as_they_were(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"pre\r\n" PART("a", "1") PART("key", "v") PART("c", "3") "--b--\r\nend",
         "pre\r\n" PART("a", "1") PART("c", "3") "--b--\r\nend"},
        {PART("key", "v") "--b--", "--b--"},
        {PART("key", "v") "--b", PART("key", "v") "--b"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *out = malloc(strlen(cases[i][0]));
        struct pdk_str rest =
            multipart_remove(pdk_str_of(cases[i][0]), PDK_STR("b"), PDK_STR("key"), out);
        assert_true(pdk_str_eq(rest, pdk_str_of(cases[i][1])));
        free(out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_boundary_is_a_parameter_of_the_content_type),
        cmocka_unit_test(a_part_is_found_by_its_name),
        cmocka_unit_test(a_line_that_only_begins_like_a_delimiter_is_content),
        cmocka_unit_test(a_body_that_is_cut_off_has_no_parts),
        cmocka_unit_test(the_other_parts_stay_as_they_were),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
