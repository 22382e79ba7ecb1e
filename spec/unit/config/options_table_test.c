/* SPDX-License-Identifier: Apache-2.0 */
/* options_table_test.c -- the table of configuration keys. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "config/options_table.h"

static void every_key_is_found_by_its_name_and_listed_once(void **state)
{
    (void)state;
    for (const struct option_key *key = options_table; key->name != NULL; key++) {
        assert_ptr_equal(options_table_find(key->name), key);
        if (key->kind == OPTION_CHOICE || key->kind == OPTION_CHOICES)
            assert_non_null(key->accepts);
        if (key->kind == OPTION_NUMBER)
            assert_true(key->max > key->min);
    }
}

static void a_synonym_leads_to_its_key(void **state)
{
    (void)state;
    assert_string_equal(options_table_find("workers")->name, "nginx_worker_processes");
    assert_string_equal(options_table_find("daemon")->name, "nginx_daemon");
    assert_string_equal(options_table_find("nginx_proxy_real_ip_header")->name, "real_ip_header");
    assert_null(options_table_find("worker"));
    assert_null(options_table_find(""));
}

static void directives_of_nginx_are_accepted_by_their_prefix(void **state)
{
    (void)state;
    assert_true(options_table_is_dynamic("nginx_http_lua_shared_dict"));
    assert_true(options_table_is_dynamic("vault_env_prefix"));
    assert_false(options_table_is_dynamic("nginx_http_"));
    assert_false(options_table_is_dynamic("nginx_foo_bar"));
}

static void a_misspelt_name_finds_what_was_meant(void **state)
{
    (void)state;
    const struct {
        const char *name, *nearest;
    } cases[] = {
        {"proxy_listne", "proxy_listen"}, {"databse", "database"},
        {"pg_pasword", "pg_password"},    {"worker", "workers"},
        {"loglevel", "log_level"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_string_equal(options_table_nearest(cases[i].name), cases[i].nearest);
}

static void a_name_that_is_like_no_other_finds_nothing(void **state)
{
    (void)state;
    char longest[300];
    memset(longest, 'a', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    assert_null(options_table_nearest("zzz"));
    assert_null(options_table_nearest("something_else_entirely"));
    assert_null(options_table_nearest(""));
    assert_null(options_table_nearest(longest));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_is_found_by_its_name_and_listed_once),
        cmocka_unit_test(a_synonym_leads_to_its_key),
        cmocka_unit_test(directives_of_nginx_are_accepted_by_their_prefix),
        cmocka_unit_test(a_misspelt_name_finds_what_was_meant),
        cmocka_unit_test(a_name_that_is_like_no_other_finds_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
