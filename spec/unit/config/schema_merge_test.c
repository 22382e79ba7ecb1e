/* SPDX-License-Identifier: Apache-2.0 */
/* schema_merge_test.c -- a partial update over a stored row. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "config/schema_support.h"

static void assert_merges(const char *schema, const char *stored, const char *change,
                          const char *expected)
{
    json_t *old = json_of(stored), *new = json_of(change), *wanted = json_of(expected);
    json_t *before = json_deep_copy(old);
    json_t *merged = schema_merge_entity(schema_find(schema), old, new, find_plugin, NULL);
    assert_non_null(merged);
    if (json_equal(merged, wanted) == 0) {
        char *found = json_dumps(merged, 0);
        fail_msg("%s over %s: %s, expected %s", change, stored, found, expected);
    }
    assert_true(json_equal(old, before));
    json_decref(old);
    json_decref(new);
    json_decref(wanted);
    json_decref(before);
    json_decref(merged);
}

static void members_are_replaced_and_others_stay(void **state)
{
    (void)state;
    assert_merges("routes", "{'paths':['/a'],'name':'n','headers':{'x':['1']}}",
                  "{'paths':['/b'],'headers':{'y':['2']},'tags':null}",
                  "{'paths':['/b'],'name':'n','headers':{'y':['2']},'tags':null}");
}

static void unknown_members_stay_for_the_check_to_find(void **state)
{
    (void)state;
    assert_merges("consumers", "{'username':'a'}", "{'x':1}", "{'username':'a','x':1}");
}

static void records_are_merged_member_by_member(void **state)
{
    (void)state;
    assert_merges(
        "plugins", "{'name':'limits','config':{'minute':1,'hour':2,'redis':{'host':'h','port':1}}}",
        "{'config':{'minute':5,'hour':null,'redis':{'port':2}}}",
        "{'name':'limits','config':{'minute':5,'hour':null,'redis':{'host':'h','port':2}}}");
}

static void an_echoed_alias_does_not_stand_in_the_way(void **state)
{
    (void)state;
    assert_merges("plugins", "{'name':'limits','config':{'redis':{'host':'h'},'redis_host':'h'}}",
                  "{'config':{'redis':{'host':'new'}}}",
                  "{'name':'limits','config':{'redis':{'host':'new'}}}");
}

static void an_alias_in_the_change_takes_over(void **state)
{
    (void)state;
    assert_merges("plugins",
                  "{'name':'limits','config':{'redis':{'host':'h','port':1},'redis_host':'h'}}",
                  "{'config':{'redis_host':'new'}}",
                  "{'name':'limits','config':{'redis':{'port':1},'redis_host':'new'}}");
}

static void another_plugin_starts_with_its_own_config(void **state)
{
    (void)state;
    assert_merges("plugins", "{'name':'other','config':{'x':1},'enabled':true}",
                  "{'name':'limits'}", "{'name':'limits','enabled':true}");
}

static void a_plugin_that_is_gone_still_merges(void **state)
{
    (void)state;
    assert_merges("plugins", "{'name':'gone','config':{'a':1,'b':{'c':1}}}",
                  "{'config':{'b':{'d':1}}}", "{'name':'gone','config':{'a':1,'b':{'d':1}}}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_are_replaced_and_others_stay),
        cmocka_unit_test(unknown_members_stay_for_the_check_to_find),
        cmocka_unit_test(records_are_merged_member_by_member),
        cmocka_unit_test(an_echoed_alias_does_not_stand_in_the_way),
        cmocka_unit_test(an_alias_in_the_change_takes_over),
        cmocka_unit_test(another_plugin_starts_with_its_own_config),
        cmocka_unit_test(a_plugin_that_is_gone_still_merges),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    schema_shutdown();
    return failed;
}
