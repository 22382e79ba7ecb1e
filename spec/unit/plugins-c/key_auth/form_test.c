/* SPDX-License-Identifier: Apache-2.0 */
/* form_test.c -- finding and removing arguments, escaped or not. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugins-c/key_auth/form.c"

static struct found find(const char *text)
{
    return form_find(pdk_str_of(text), PDK_STR("apikey"));
}

static void names_are_compared_decoded(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum found_kind kind;
        const char *value;
    } cases[] = {
        {"apikey=v", FOUND_TEXT, "v"},
        {"a=1&apikey=v&b", FOUND_TEXT, "v"},
        {"%61pi%6Bey=v", FOUND_TEXT, "v"},
        {"apikey=a=b", FOUND_TEXT, "a=b"},
        {"apikey=", FOUND_TEXT, ""},
        {"apikey", FOUND_OTHER, NULL},
        {"apikey&apikey", FOUND_SEVERAL, NULL},
        {"apikey=v&apikey", FOUND_SEVERAL, NULL},
        {"apikey=v&api%6bey=v", FOUND_SEVERAL, NULL},
        {"", FOUND_NOTHING, NULL},
        {"&&", FOUND_NOTHING, NULL},
        {"=apikey", FOUND_NOTHING, NULL},
        {"APIKEY=v&apikey2=v&apike=v&xapikey=v", FOUND_NOTHING, NULL},
        {"apikey%=v&apikey%6=v&apike%6=v&apikey%00=v", FOUND_NOTHING, NULL},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct found found = find(cases[i].text);
        if (found.kind != cases[i].kind)
            fail_msg("'%s': kind %d, wanted %d", cases[i].text, found.kind, cases[i].kind);
        if (cases[i].value != NULL)
            assert_true(pdk_str_eq(found.text, pdk_str_of(cases[i].value)));
    }
}

static void values_are_decoded(void **state)
{
    (void)state;
    char out[64];
    struct pdk_str decoded = form_decode(PDK_STR("a+b%20c%zz%4"), out);
    assert_true(pdk_str_eq(decoded, PDK_STR("a b c%zz%4")));
}

static void every_byte_survives_its_escape(void **state)
{
    (void)state;
    for (int byte = 0; byte < 256; byte++) {
        char text[4], out;
        snprintf(text, sizeof(text), "%%%02x", byte);
        struct pdk_str decoded = form_decode(pdk_str_of(text), &out);
        assert_int_equal(decoded.len, 1);
        assert_int_equal((unsigned char)out, byte);
    }
}

static void the_rest_stays_as_it_was(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"apikey=v", ""},
        {"apikey=v&a=1", "a=1"},
        {"a=%2f+x&apikey=v&bare&=odd&&b=2", "a=%2f+x&bare&=odd&&b=2"},
        {"a=1&apikey&api%6bey=w", "a=1"},
        {"a=1", "a=1"},
        {"a=\xc3\xa9#\x01 &apikey=v", "a=%C3%A9%23%01%20"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char out[256];
        struct pdk_str rest = form_remove(pdk_str_of(cases[i][0]), PDK_STR("apikey"), out);
        if (!pdk_str_eq(rest, pdk_str_of(cases[i][1])))
            fail_msg("'%s': left '%.*s'", cases[i][0], (int)rest.len, rest.ptr);
    }
}

static void a_text_of_escapes_alone_fits_the_promised_room(void **state)
{
    (void)state;
    char text[101], *out = malloc(FORM_GROWTH * 100);
    memset(text, 0xff, 100);
    text[100] = '\0';
    assert_int_equal(form_remove(pdk_str_of(text), PDK_STR("apikey"), out).len, 300);
    free(out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_compared_decoded),
        cmocka_unit_test(values_are_decoded),
        cmocka_unit_test(every_byte_survives_its_escape),
        cmocka_unit_test(the_rest_stays_as_it_was),
        cmocka_unit_test(a_text_of_escapes_alone_fits_the_promised_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
