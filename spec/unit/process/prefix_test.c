/* SPDX-License-Identifier: Apache-2.0 */
/* prefix_test.c -- the files of a prefix. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/options.h"
#include "process/prefix.h"
#include "process/process_support.h"

static mode_t mode_of(const char *prefix, const char *name)
{
    struct stat info;
    char *path = prefix_path(prefix, name);
    mode_t mode = stat(path, &info) == 0 ? info.st_mode & 0777 : 0;
    free(path);
    return mode;
}

static void prepare_makes_the_folders_and_keeps_secrets_private(void **state)
{
    char text[8192];
    char *error = NULL;
    struct options *options = process_support_options(*state, 8000, "pg_password = a\\#b\n");
    assert_true(prefix_prepare(options, &error));
    assert_int_equal(mode_of(*state, "logs"), 0755);
    assert_int_equal(mode_of(*state, "ssl"), 0700);
    assert_int_equal(mode_of(*state, ".kong_env"), 0600);
    process_support_read(*state, ".kong_env", text, sizeof(text));
    assert_non_null(strstr(text, "\npg_password = a\\#b\n"));
    assert_non_null(strstr(text, "\nlog_level = notice\n"));
    process_support_read(*state, "kong.id", text, sizeof(text));
    assert_memory_equal(text, options->node_id, 36);
    options_destroy(options);
}

static void the_written_configuration_reads_back_the_same(void **state)
{
    char *error = NULL;
    struct options *options =
        process_support_options(*state, 8000, "pg_password = a\\#b\nplugins = off\n");
    assert_true(prefix_prepare(options, &error));
    char *path = prefix_path(*state, ".kong_env");
    struct options *again = options_load(path, NULL, &error);
    assert_non_null(again);
    assert_true(json_equal(options->raw, again->raw));
    assert_string_equal(options->node_id, again->node_id);
    free(path);
    options_destroy(again);
    options_destroy(options);
}

static void a_reference_is_written_instead_of_the_secret(void **state)
{
    char text[8192];
    char *error = NULL;
    setenv("PREFIX_TEST_SECRET", "hidden", 1);
    struct options *options =
        process_support_options(*state, 8000, "pg_password = {vault://env/prefix-test-secret}\n");
    assert_string_equal(options->pg.password, "hidden");
    assert_true(prefix_prepare(options, &error));
    process_support_read(*state, ".kong_env", text, sizeof(text));
    assert_null(strstr(text, "hidden"));
    assert_non_null(strstr(text, "pg_password = {vault://env/prefix-test-secret}"));
    options_destroy(options);
}

static void a_prefix_that_cannot_be_made_is_named(void **state)
{
    char *error = NULL;
    char folder[128];
    struct options *options = process_support_options(*state, 8000, "");
    free(options->prefix);
    (void)snprintf(folder, sizeof(folder), "%s/test.conf/below", (const char *)*state);
    options->prefix = strdup(folder);
    assert_false(prefix_prepare(options, &error));
    assert_non_null(strstr(error, folder));
    assert_non_null(strstr(error, "Not a directory"));
    free(error);
    options_destroy(options);
}

static void a_certificate_is_made_once_unless_one_is_configured(void **state)
{
    char first[4096], second[4096];
    char *cert = NULL, *key = NULL, *error = NULL;
    struct options *options = process_support_options(*state, 8000, "");
    assert_true(prefix_prepare(options, &error));
    assert_true(prefix_tls_pair(options, "admin", &cert, &key, &error));
    assert_non_null(strstr(cert, "/ssl/admin-kong-default.crt"));
    assert_int_equal(mode_of(*state, "ssl/admin-kong-default.key"), 0600);
    process_support_read(*state, "ssl/admin-kong-default.crt", first, sizeof(first));
    free(cert);
    free(key);
    assert_true(prefix_tls_pair(options, "admin", &cert, &key, &error));
    process_support_read(*state, "ssl/admin-kong-default.crt", second, sizeof(second));
    assert_string_equal(first, second);
    free(cert);
    free(key);
    options->ssl_cert = strdup("/own.crt");
    options->ssl_cert_key = strdup("/own.key");
    assert_true(prefix_tls_pair(options, "default", &cert, &key, &error));
    assert_string_equal(cert, "/own.crt");
    assert_string_equal(key, "/own.key");
    free(cert);
    free(key);
    options_destroy(options);
}

static void a_failed_write_leaves_no_draft_behind(void **state)
{
    char *error = NULL;
    /* A folder in the way of the file. */
    assert_false(prefix_write(*state, "pids", "text", &error));
    assert_non_null(strstr(error, "/pids: "));
    free(error);
    char *draft = prefix_path(*state, "pids");
    assert_int_equal(rmdir(draft), 0);
    assert_int_equal(rmdir(*state), 0); /* fails if anything is left in it */
    assert_int_equal(mkdir(*state, 0755), 0);
    free(draft);
}

int main(void)
{
#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, process_support_set_up, process_support_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(prepare_makes_the_folders_and_keeps_secrets_private),
        TEST(the_written_configuration_reads_back_the_same),
        TEST(a_reference_is_written_instead_of_the_secret),
        TEST(a_prefix_that_cannot_be_made_is_named),
        TEST(a_certificate_is_made_once_unless_one_is_configured),
        TEST(a_failed_write_leaves_no_draft_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
