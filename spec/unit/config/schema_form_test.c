/* SPDX-License-Identifier: Apache-2.0 */
/* schema_form_test.c -- the text of a form gets the types of the description. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "config/schema_support.h"

static void assert_converts(const char *schema, const char *form, const char *expected)
{
    json_t *input = json_of(form), *wanted = json_of(expected);
    schema_convert_form(schema_find(schema), input, find_plugin, NULL);
    if (json_equal(input, wanted) == 0) {
        char *found = json_dumps(input, 0);
        fail_msg("%s became %s, expected %s", form, found, expected);
    }
    json_decref(input);
    json_decref(wanted);
}

static void text_becomes_what_the_field_is(void **state)
{
    (void)state;
    static const char *const cases[][3] = {
        {"services", "{'port':'80'}", "{'port':80}"},
        {"services", "{'port':' 80 '}", "{'port':80}"},
        {"services", "{'port':'8e1'}", "{'port':80}"},
        {"services", "{'port':'80.5'}", "{'port':80.5}"},
        {"services", "{'port':'80x'}", "{'port':'80x'}"},
        {"services", "{'port':'nan'}", "{'port':'nan'}"},
        {"services", "{'port':'0x50'}", "{'port':'0x50'}"},
        {"services", "{'enabled':'true'}", "{'enabled':true}"},
        {"services", "{'enabled':'false'}", "{'enabled':false}"},
        {"services", "{'enabled':'1'}", "{'enabled':'1'}"},
        {"services", "{'name':'80'}", "{'name':'80'}"},
        {"services", "{'name':''}", "{'name':null}"},
        {"services", "{'nope':'1'}", "{'nope':'1'}"},
        {"routes", "{'paths':'/a'}", "{'paths':['/a']}"},
        {"routes", "{'paths':'/a,/b'}", "{'paths':['/a,/b']}"},
        {"routes", "{'paths':['/a','/b']}", "{'paths':['/a','/b']}"},
        {"routes", "{'paths':''}", "{'paths':null}"},
        {"routes", "{'headers':{'x':'1'}}", "{'headers':{'x':['1']}}"},
        {"routes", "{'sources':[{'ip':'10.0.0.1','port':'80'}]}",
         "{'sources':[{'ip':'10.0.0.1','port':80}]}"},
        {"routes", "{'service':{'id':'u'}}", "{'service':{'id':'u'}}"},
        {"plugins",
         "{'name':'limits','config':{'minute':'20','redis':{'port':'1'}},'enabled':'false'}",
         "{'name':'limits','config':{'minute':20,'redis':{'port':1}},'enabled':false}"},
        {"plugins", "{'name':'limits','config':{'redis_port':'1'}}",
         "{'name':'limits','config':{'redis_port':1}}"},
        {"plugins", "{'name':'nope','config':{'minute':'20'},'enabled':'true'}",
         "{'name':'nope','config':{'minute':'20'},'enabled':true}"},
        {"keyauth_credentials", "{'ttl':'60'}", "{'ttl':60}"},
        {"consumers", "{'ttl':'60'}", "{'ttl':'60'}"},
        {"consumers", "[]", "[]"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        assert_converts(cases[i][0], cases[i][1], cases[i][2]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(text_becomes_what_the_field_is)};
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    schema_shutdown();
    return failed;
}
