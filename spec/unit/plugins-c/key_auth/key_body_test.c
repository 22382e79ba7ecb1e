/* SPDX-License-Identifier: Apache-2.0 */
/* key_body_test.c -- which Content-Type makes a body what. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "plugins-c/key_auth/form.h"
#include "plugins-c/key_auth/json_member.h"
#include "plugins-c/key_auth/key_body.c"
#include "plugins-c/key_auth/multipart.h"

/* The readers have tests of their own: here it only matters which of them is asked. */
struct found form_find(struct pdk_str text, struct pdk_str name)
{
    (void)name;
    return (struct found){FOUND_TEXT, text};
}

struct pdk_str form_decode(struct pdk_str text, char *out)
{
    out[0] = 'f';
    return (struct pdk_str){out, text.len > 0};
}

struct pdk_str form_remove(struct pdk_str text, struct pdk_str name, char *out)
{
    (void)name;
    return form_decode(text, out);
}

struct found json_member_find(struct pdk_str text, struct pdk_str name)
{
    (void)name;
    return (struct found){FOUND_OTHER, text};
}

struct pdk_str json_member_decode(struct pdk_str text, char *out)
{
    out[0] = 'j';
    return (struct pdk_str){out, text.len > 0};
}

struct pdk_str json_member_remove(struct pdk_str text, struct pdk_str name, char *out)
{
    (void)name;
    return json_member_decode(text, out);
}

struct pdk_str multipart_boundary(struct pdk_str content_type)
{
    const char *equals = memchr(content_type.ptr, '=', content_type.len);
    return equals == NULL ? (struct pdk_str){NULL, 0} : PDK_STR("b");
}

struct found multipart_find(struct pdk_str body, struct pdk_str boundary, struct pdk_str name)
{
    (void)name;
    return (struct found){boundary.len == 1 ? FOUND_SEVERAL : FOUND_NOTHING, body};
}

struct pdk_str multipart_remove(struct pdk_str body, struct pdk_str boundary, struct pdk_str name,
                                char *out)
{
    (void)name;
    out[0] = 'm';
    return (struct pdk_str){out, boundary.len == 1 && body.len > 0};
}

static void the_media_type_decides(void **state)
{
    (void)state;
    static const struct {
        const char *type;
        enum key_body_kind kind;
    } cases[] = {
        {"application/json", KEY_BODY_JSON},
        {"Application/JSON ; charset=utf-8", KEY_BODY_JSON},
        {"application/x-www-form-urlencoded;charset=utf-8", KEY_BODY_FORM},
        {"multipart/form-data; boundary=b", KEY_BODY_MULTIPART},
        {"multipart/form-data", KEY_BODY_OPAQUE},
        {"application/jsonp", KEY_BODY_OPAQUE},
        {"text/plain; x=application/json", KEY_BODY_OPAQUE},
        {"", KEY_BODY_OPAQUE},
        {NULL, KEY_BODY_OPAQUE},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(key_body_of(pdk_str_of(cases[i].type)).kind, cases[i].kind);
}

static void each_kind_has_its_reader(void **state)
{
    (void)state;
    static const struct {
        const char *type;
        enum found_kind found;
        const char *decoded, *removed;
    } cases[] = {
        {"application/x-www-form-urlencoded", FOUND_TEXT, "f", "f"},
        {"application/json", FOUND_OTHER, "j", "j"},
        {"multipart/form-data; boundary=b", FOUND_SEVERAL, "text", "m"},
        {"image/png", FOUND_NOTHING, "text", "text"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char out[8];
        struct key_body body = key_body_of(pdk_str_of(cases[i].type));
        body.text = PDK_STR("text");
        assert_int_equal(key_body_find(&body, PDK_STR("key")).kind, cases[i].found);
        struct pdk_str decoded = key_body_decode(&body, body.text, out);
        assert_true(pdk_str_eq(decoded, pdk_str_of(cases[i].decoded)));
        struct pdk_str rest = key_body_remove(&body, PDK_STR("key"), out);
        assert_true(pdk_str_eq(rest, pdk_str_of(cases[i].removed)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_media_type_decides),
        cmocka_unit_test(each_kind_has_its_reader),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
