/* SPDX-License-Identifier: Apache-2.0 */
/* form_test.c -- names of form fields become nested JSON (admin/form.c). */
#include "admin/form.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

struct example {
    const char *input;
    const char *json;
};

/* A pointer to the value, because the decoder may run after the arguments are read. */
static char *as_text(enum form_result result, json_t **value)
{
    assert_int_equal(result, FORM_OK);
    char *text = json_dumps(*value, JSON_COMPACT | JSON_SORT_KEYS);
    assert_non_null(text);
    json_decref(*value);
    return text;
}

static void check_body(const char *input, const char *expected)
{
    json_t *value = NULL;
    char *text = as_text(form_decode_urlencoded(slice_of(input), true, &value), &value);
    assert_string_equal(text, expected);
    free(text);
}

static void every_name_syntax_gives_its_json(void **state)
{
    (void)state;
    static const struct example examples[] = {
        {"", "{}"},
        {"a=1", "{\"a\":\"1\"}"},
        {"a", "{\"a\":\"\"}"},
        {"a=", "{\"a\":\"\"}"},
        {"=x&&a=1", "{\"a\":\"1\"}"},
        {"a=1&a=2&a=3", "{\"a\":[\"1\",\"2\",\"3\"]}"},
        {"paths[]=/x&paths[]=/y", "{\"paths\":[\"/x\",\"/y\"]}"},
        {"paths%5B%5D=%2Fpreprocess", "{\"paths\":[\"/preprocess\"]}"},
        {"a[2]=y&a[1]=x", "{\"a\":[\"x\",\"y\"]}"},
        {"a[3]=z", "{\"a\":[\"z\"]}"},
        {"config.minute=20&config.policy=local",
         "{\"config\":{\"minute\":\"20\",\"policy\":\"local\"}}"},
        {"service.id=u", "{\"service\":{\"id\":\"u\"}}"},
        {"a[key]=v&a[k2][k3]=w", "{\"a\":{\"k2\":{\"k3\":\"w\"},\"key\":\"v\"}}"},
        {"a.b[1].c=v&a.b[1].d=w&a.b[2].c=x",
         "{\"a\":{\"b\":[{\"c\":\"v\",\"d\":\"w\"},{\"c\":\"x\"}]}}"},
        {"headers.x-foo[]=v", "{\"headers\":{\"x-foo\":[\"v\"]}}"},
        {"config.headers.X-A=v", "{\"config\":{\"headers\":{\"X-A\":\"v\"}}}"},
        {".a=1&b.=2", "{\".a\":\"1\",\"b.\":\"2\"}"},
        {"a..b=1", "{\"a\":{\"b\":\"1\"}}"},
        {"name=hello+world%21", "{\"name\":\"hello world!\"}"},
        {"a=1&a.b=2", "{\"a\":{\"b\":\"2\"}}"},
        {"[]=1", "{\"[]\":\"1\"}"},
        {"a]=1", "{\"a]\":\"1\"}"},
        {"a[0]=x", "{\"a\":{\"0\":\"x\"}}"},
    };
    for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++)
        check_body(examples[i].input, examples[i].json);
}

static void a_query_knows_no_maps(void **state)
{
    (void)state;
    json_t *value = NULL;
    char *text = as_text(form_decode_urlencoded(SLICE("a[key]=v&size=2"), false, &value), &value);
    assert_string_equal(text, "{\"a[key]\":\"v\",\"size\":\"2\"}");
    free(text);
}

static void bytes_that_are_no_text_are_refused(void **state)
{
    (void)state;
    static const char *const inputs[] = {"a=%ff", "%ff=a", "a=%00", "%00=a", "x.%c3%28=1"};
    for (size_t i = 0; i < sizeof(inputs) / sizeof(inputs[0]); i++) {
        json_t *value = NULL;
        assert_int_equal(form_decode_urlencoded(slice_of(inputs[i]), true, &value), FORM_BAD);
        assert_null(value);
    }
}

static void a_position_far_away_is_refused(void **state)
{
    (void)state;
    json_t *value = NULL;
    assert_int_equal(form_decode_urlencoded(SLICE("a[900000000]=x"), true, &value), FORM_BAD);
    assert_int_equal(form_decode_urlencoded(SLICE("a[999999999][1]=x"), true, &value), FORM_BAD);
    assert_int_equal(form_decode_urlencoded(SLICE("a[1][1]=x&a[1][99999]=y"), true, &value),
                     FORM_BAD);
}

static void a_name_that_is_too_deep_is_refused(void **state)
{
    (void)state;
    char input[256] = "a";
    size_t length = 1;
    for (int i = 0; i < FORM_MAX_DEPTH; i++)
        length += (size_t)sprintf(input + length, ".b");
    json_t *value = NULL;
    assert_int_equal(form_decode_urlencoded(slice_make(input, length), true, &value), FORM_BAD);
    length = 1;
    for (int i = 0; i < FORM_MAX_DEPTH + 1; i++)
        length += (size_t)sprintf(input + length, "[]");
    assert_int_equal(form_decode_urlencoded(slice_make(input, length), true, &value), FORM_BAD);
}

static void the_number_of_fields_is_bounded(void **state)
{
    (void)state;
    char input[2 * (FORM_MAX_FIELDS + 1) + 1];
    for (size_t i = 0; i <= FORM_MAX_FIELDS; i++) {
        input[2 * i] = 'a';
        input[2 * i + 1] = '&';
    }
    json_t *value = NULL;
    assert_int_equal(form_decode_urlencoded(slice_make(input, 2 * FORM_MAX_FIELDS), true, &value),
                     FORM_OK);
    assert_int_equal(json_array_size(json_object_get(value, "a")), FORM_MAX_FIELDS);
    json_decref(value);
    assert_int_equal(
        form_decode_urlencoded(slice_make(input, 2 * FORM_MAX_FIELDS + 2), true, &value),
        FORM_TOO_MANY);
}

static const char multipart[] =
    "preamble\r\n"
    "--B\r\n"
    "Content-Disposition: form-data; name=\"config.minute\"\r\n"
    "\r\n"
    "20\r\n"
    "--B\r\n"
    "content-disposition: form-data; filename=\"a;b.pem\"; name=cert\r\n"
    "Content-Type: application/x-pem-file\r\n"
    "\r\n"
    "line 1\r\n\r\nline 3\r\n"
    "--B\r\n"
    "Content-Disposition: form-data; name=\"tags\"\r\n"
    "Content-Type: application/json; charset=utf-8\r\n"
    "\r\n"
    "[\"a\",1]\r\n"
    "--B\r\n"
    "Content-Disposition: form-data; name=\"empty\"\r\n"
    "\r\n"
    "\r\n"
    "--B--\r\n";

static void multipart_parts_are_fields(void **state)
{
    (void)state;
    json_t *value = NULL;
    char *text =
        as_text(form_decode_multipart(slice_of(multipart),
                                      SLICE("multipart/form-data; boundary=\"B\""), &value),
                &value);
    assert_string_equal(text,
                        "{\"cert\":\"line 1\\r\\n\\r\\nline 3\",\"config\":{\"minute\":\"20\"},"
                        "\"empty\":\"\",\"tags\":[\"a\",1]}");
    free(text);
}

/* Wherever it is cut before its closing delimiter, nothing is taken from it. */
static void a_cut_multipart_body_is_refused(void **state)
{
    (void)state;
    size_t whole = sizeof(multipart) - 1 - 4; /* the closing delimiter, without "--\r\n" */
    for (size_t length = 0; length < whole; length++) {
        /* A copy of exactly this size lets the sanitizer see a read behind its end. */
        char *copy = malloc(length + 1);
        assert_non_null(copy);
        for (size_t i = 0; i < length; i++)
            copy[i] = multipart[i];
        json_t *value = NULL;
        assert_int_equal(form_decode_multipart(slice_make(copy, length),
                                               SLICE("multipart/form-data; boundary=B"), &value),
                         FORM_BAD);
        free(copy);
    }
}

static void a_multipart_body_needs_a_boundary(void **state)
{
    (void)state;
    static const char *const types[] = {
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=\"\"",
        ("multipart/form-data; boundary=0123456789012345678901234567890123456789"
         "0123456789012345678901234567890"),
    };
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        json_t *value = NULL;
        assert_int_equal(form_decode_multipart(slice_of(multipart), slice_of(types[i]), &value),
                         FORM_BAD);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_name_syntax_gives_its_json),
        cmocka_unit_test(a_query_knows_no_maps),
        cmocka_unit_test(bytes_that_are_no_text_are_refused),
        cmocka_unit_test(a_position_far_away_is_refused),
        cmocka_unit_test(a_name_that_is_too_deep_is_refused),
        cmocka_unit_test(the_number_of_fields_is_bounded),
        cmocka_unit_test(multipart_parts_are_fields),
        cmocka_unit_test(a_cut_multipart_body_is_refused),
        cmocka_unit_test(a_multipart_body_needs_a_boundary),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
