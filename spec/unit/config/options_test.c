/* SPDX-License-Identifier: Apache-2.0 */
/* options_test.c -- the configuration as a whole: layers, checks, typed members, JSON forms. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/options.h"

extern char **environ;

struct fixture {
    char folder[64];
    char file[96];
};

/* No variable of the environment that the test runs in reaches the configuration. */
static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    for (char **at = environ; *at != NULL;) {
        char name[256];
        (void)snprintf(name, sizeof(name), "%.*s", (int)strcspn(*at, "="), *at);
        if (strncmp(name, "KONG_", 5) == 0 || strncmp(name, "SLUICE_", 7) == 0) {
            unsetenv(name);
            at = environ;
        } else {
            at++;
        }
    }
    (void)snprintf(fixture->folder, sizeof(fixture->folder), "/tmp/options_test.XXXXXX");
    if (mkdtemp(fixture->folder) == NULL)
        return -1;
    (void)snprintf(fixture->file, sizeof(fixture->file), "%s/test.conf", fixture->folder);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    (void)unlink(fixture->file);
    (void)rmdir(fixture->folder);
    free(fixture);
    return 0;
}

static void write_file(const struct fixture *fixture, const char *text)
{
    FILE *file = fopen(fixture->file, "we");
    assert_non_null(file);
    assert_int_equal(fputs(text, file) < 0, 0);
    assert_int_equal(fclose(file), 0);
}

static struct options *load_file(const struct fixture *fixture, const char *text)
{
    char *error = NULL;
    write_file(fixture, text);
    struct options *options = options_load(fixture->file, NULL, &error);
    if (options == NULL)
        fail_msg("%s", error);
    return options;
}

static char *load_bad(const struct fixture *fixture, const char *text)
{
    char *error = NULL;
    write_file(fixture, text);
    assert_null(options_load(fixture->file, NULL, &error));
    assert_non_null(error);
    return error;
}

/* What `options_load` writes to stderr. */
static char *warnings_of(const struct fixture *fixture, const char *text)
{
    static char out[4096];
    char path[128];
    (void)snprintf(path, sizeof(path), "%s/stderr", fixture->folder);
    int saved = dup(STDERR_FILENO);
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    (void)fflush(stderr);
    dup2(fd, STDERR_FILENO);
    options_destroy(load_file(fixture, text));
    (void)fflush(stderr);
    dup2(saved, STDERR_FILENO);
    ssize_t len = pread(fd, out, sizeof(out) - 1, 0);
    out[len < 0 ? 0 : len] = '\0';
    close(fd);
    close(saved);
    (void)unlink(path);
    return out;
}

/* --------------------------------------------------------------------------------------- layers */
static void without_any_source_the_defaults_hold(void **state)
{
    (void)state;
    char *error = NULL;
    struct options *options = options_load(NULL, "/tmp/nowhere", &error);
    assert_non_null(options);
    assert_string_equal(options->database, "sqlite");
    assert_string_equal(options->sqlite_path, "/tmp/nowhere/sluice.db");
    assert_string_equal(options->proxy_error_log, "/tmp/nowhere/logs/error.log");
    assert_string_equal(options->status_access_log, "off");
    assert_int_equal(options->proxy_listen.count, 2);
    assert_true(options->proxy_listen.items[1].is_ssl);
    assert_string_equal(options->admin_listen.items[0].host, "127.0.0.1");
    assert_int_equal(options->log_level, LOG_LEVEL_NOTICE);
    assert_true(options->workers >= 1);
    assert_true(options->is_daemon);
    assert_int_equal(options->client.idle_timeout_ms, 75000);
    assert_int_equal(options->upstream_keepalive.pool_size, 512);
    assert_int_equal(options->dns.valid_ttl_ms, -1);
    assert_true(options->headers.via && options->headers.request_id);
    assert_false(options->headers.upstream_status);
    assert_int_equal(strlen(options->node_id), 36);
    options_destroy(options);
}

static void each_layer_wins_over_the_one_below(void **state)
{
    const struct fixture *fixture = *state;
    write_file(fixture, "log_level = debug\npg_host = file\npg_user = file\nprefix = /tmp/file\n");
    setenv("KONG_PG_HOST", "kong", 1);
    setenv("KONG_PG_USER", "kong", 1);
    setenv("SLUICE_PG_USER", "sluice", 1);
    setenv("SLUICE_PREFIX", "/tmp/variable", 1);
    char *error = NULL;
    struct options *options = options_load(fixture->file, "/tmp/argument/", &error);
    assert_non_null(options);
    assert_int_equal(options->log_level, LOG_LEVEL_DEBUG);
    assert_string_equal(options->pg.host, "kong");
    assert_string_equal(options->pg.user, "sluice");
    assert_string_equal(options->prefix, "/tmp/argument");
    assert_string_equal(json_string_value(json_object_get(options->origins, "pg_user")),
                        "SLUICE_PG_USER");
    options_destroy(options);
}

static void an_empty_variable_unsets_a_key(void **state)
{
    const struct fixture *fixture = *state;
    setenv("KONG_PG_PASSWORD", "", 1);
    struct options *options = load_file(fixture, "pg_password = secret\nprefix = /tmp/x\n");
    assert_null(options->pg.password);
    assert_null(options_text(options, "pg_password"));
    options_destroy(options);
}

static void a_synonym_sets_its_key(void **state)
{
    const struct fixture *fixture = *state;
    setenv("KONG_NGINX_DAEMON", "off", 1);
    struct options *options = load_file(fixture, "workers = 3\nclient_max_body_size = 2k\n");
    assert_int_equal(options->workers, 3);
    assert_false(options->is_daemon);
    assert_int_equal(options->client_max_body_bytes, 2048);
    assert_string_equal(options_text(options, "workers"), "3");
    assert_string_equal(options_text(options, "nginx_worker_processes"), "3");
    options_destroy(options);
}

static void a_file_has_comments_and_escapes_and_any_line_ends(void **state)
{
    const struct fixture *fixture = *state;
    struct options *options = load_file(
        fixture,
        "# head\r\n\r\n  pg_user=  me # not you\r\npg_password = a\\#b\r\n\t\npg_host = h");
    assert_string_equal(options->pg.user, "me");
    assert_string_equal(options->pg.password, "a#b");
    assert_string_equal(options->pg.host, "h");
    options_destroy(options);
}

static void a_reference_is_resolved_but_not_shown(void **state)
{
    const struct fixture *fixture = *state;
    setenv("OPTIONS_TEST_SECRET", "s3cret", 1);
    struct options *options =
        load_file(fixture, "pg_user = {vault://env/options-test-secret}\nprefix = /tmp/x\n");
    assert_string_equal(options->pg.user, "s3cret");
    assert_string_equal(json_string_value(json_object_get(options->effective, "pg_user")),
                        "******");
    assert_string_equal(json_string_value(json_object_get(options->references, "pg_user")),
                        "{vault://env/options-test-secret}");
    options_destroy(options);
}

/* ------------------------------------------------------------------------------------- problems */
static void every_problem_is_listed_with_its_origin(void **state)
{
    const struct fixture *fixture = *state;
    setenv("KONG_LOG_LEVEL", "loud", 1);
    char *error =
        load_bad(fixture, "database = mysql\npg_port = many\nssl_cert = /nonexistent\n"
                          "proxy_listen = nonsense\nheaders = via, x-foo\n"
                          "drain_timeout = soon\nnode_id = 12\ntrusted_ips = 10.0.0.0/33\n"
                          "plugins\n");
    const char *const expected[] = {
        "log_level has an invalid value: 'loud' (debug, info, notice, ",
        "crit, alert, emerg); set by KONG_LOG_LEVEL",
        "database has an invalid value: 'mysql' (sqlite, postgres, off); set by ",
        "test.conf:1\n",
        "pg_port is not a number: 'many'",
        "ssl_cert: no such file at /nonexistent",
        "ssl_cert_key must be specified",
        "proxy_listen must be of form: ",
        "headers: invalid entry 'x-foo'",
        "drain_timeout is not a time: 'soon'",
        "node_id must be a valid UUID: '12'",
        "trusted_ips: invalid entry '10.0.0.0/33'",
        "test.conf:9: expected 'key = value', found 'plugins'",
    };
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
        if (strstr(error, expected[i]) == NULL)
            fail_msg("missing '%s' in:\n%s", expected[i], error);
    assert_true(error[strlen(error) - 1] != '\n');
    free(error);
}

static void a_number_has_limits(void **state)
{
    const struct fixture *fixture = *state;
    char *error = load_bad(fixture, "pg_port = 0\nlua_max_uri_args = 1001\nworkers = 0\n");
    assert_non_null(strstr(error, "pg_port has an invalid value: '0' (1 to 65535)"));
    assert_non_null(strstr(error, "lua_max_uri_args has an invalid value: '1001' (1 to 1000)"));
    assert_non_null(
        strstr(error, "nginx_worker_processes has an invalid value: '0' (auto, 1 to 1024)"));
    free(error);
}

static void a_file_that_was_asked_for_must_exist(void **state)
{
    (void)state;
    char *error = NULL;
    assert_null(options_load("/nonexistent/sluice.conf", NULL, &error));
    assert_string_equal(error, "no file at: /nonexistent/sluice.conf");
    free(error);
    assert_null(options_load("/tmp", NULL, &error));
    assert_non_null(strstr(error, "is a directory"));
    free(error);
}

static void a_role_that_is_not_served_is_refused(void **state)
{
    const struct fixture *fixture = *state;
    char *error = load_bad(fixture, "role = data_plane\n");
    assert_non_null(strstr(error, "role: 'data_plane' is not available"));
    free(error);
}

static void an_unknown_key_warns_with_the_nearest_name(void **state)
{
    const struct fixture *fixture = *state;
    setenv("KONG_PROXY_LISTNE", "x", 1);
    setenv("KONG_PROXY_SERVICE_HOST", "10.0.0.1", 1);
    setenv("KONG_PORT", "tcp://10.0.0.1:8000", 1);
    const char *text = warnings_of(fixture, "databse = off\nnginx_http_foo = bar\nzzz = 1\n"
                                            "cluster_rpc = on\n");
    assert_non_null(strstr(text, "'databse' ("));
    assert_non_null(strstr(text, "test.conf:1) is ignored; did you mean 'database'?\n"));
    assert_non_null(strstr(text, "'proxy_listne' (KONG_PROXY_LISTNE) is ignored; did you mean "
                                 "'proxy_listen'?"));
    assert_non_null(strstr(text, "test.conf:3) is ignored\n"));
    assert_null(strstr(text, "nginx_http_foo"));
    assert_null(strstr(text, "cluster_rpc"));
    assert_null(strstr(text, "service_host"));
    assert_null(strstr(text, "'port'"));
}

/* --------------------------------------------------------------------------------------- values */
static void plugins_expand_bundled_and_off(void **state)
{
    const struct fixture *fixture = *state;
    struct options *options = load_file(fixture, "plugins = mine, bundled, key-auth, mine\n");
    const char *const expected[] = {"mine", "key-auth", "rate-limiting", "file-log", NULL};
    for (size_t i = 0; expected[i] != NULL; i++)
        assert_string_equal(options->plugins[i], expected[i]);
    assert_null(options->plugins[4]);
    options_destroy(options);
    options = load_file(fixture, "plugins = off\n");
    assert_null(options->plugins[0]);
    options_destroy(options);
}

static void header_tokens_switch_groups_and_single_headers(void **state)
{
    const struct fixture *fixture = *state;
    struct options *options = load_file(
        fixture, "headers = latency_tokens, x-kong-upstream-status\nheaders_upstream = off\n");
    assert_true(options->headers.proxy_latency && options->headers.admin_latency);
    assert_true(options->headers.upstream_status);
    assert_false(options->headers.via || options->headers.server || options->headers.request_id);
    assert_false(options->headers.upstream_request_id);
    options_destroy(options);
    options = load_file(fixture, "headers = off, via\n");
    assert_false(options->headers.via);
    options_destroy(options);
}

static void log_paths_are_below_the_prefix_unless_absolute(void **state)
{
    const struct fixture *fixture = *state;
    struct options *options = load_file(
        fixture,
        "prefix = /tmp/p\nproxy_access_log = logs/a.log basic\nproxy_error_log = /dev/stderr\n"
        "admin_access_log = off\n");
    assert_string_equal(options->proxy_access_log, "/tmp/p/logs/a.log");
    assert_string_equal(options->proxy_error_log, "/dev/stderr");
    assert_string_equal(options->admin_access_log, "off");
    options_destroy(options);
}

static void database_encryption_follows_kongs_keys(void **state)
{
    const struct fixture *fixture = *state;
    const struct {
        const char *text, *mode;
    } cases[] = {{"", "disable"},
                 {"pg_ssl = on\n", "prefer"},
                 {"pg_ssl = on\npg_ssl_required = on\n", "require"},
                 {"pg_ssl = on\npg_ssl_verify = on\n", "verify-ca"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct options *options = load_file(fixture, cases[i].text);
        assert_string_equal(options->pg.ssl_mode, cases[i].mode);
        options_destroy(options);
    }
}

static void a_certificate_may_be_base64(void **state)
{
    const struct fixture *fixture = *state;
    /* "-----BEGIN X-----\n" */
    struct options *options = load_file(fixture, "ssl_cert = LS0tLS1CRUdJTiBYLS0tLS0K\n"
                                                 "ssl_cert_key = LS0tLS1CRUdJTiBYLS0tLS0K\n");
    assert_string_equal(options->ssl_cert, "-----BEGIN X-----\n");
    options_destroy(options);
}

static void the_node_id_of_the_prefix_is_kept(void **state)
{
    const struct fixture *fixture = *state;
    char path[128], text[256];
    const char id[] = "11111111-2222-4333-8444-555555555555";
    (void)snprintf(path, sizeof(path), "%s/kong.id", fixture->folder);
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    (void)fprintf(file, "%s\n", id);
    (void)fclose(file);
    (void)snprintf(text, sizeof(text), "prefix = %s\n", fixture->folder);
    struct options *options = load_file(fixture, text);
    assert_string_equal(options->node_id, id);
    options_destroy(options);
    options = load_file(fixture, "node_id = 99999999-2222-4333-8444-555555555555\n");
    assert_string_equal(options->node_id, "99999999-2222-4333-8444-555555555555");
    options_destroy(options);
    (void)unlink(path);
}

/* ----------------------------------------------------------------------------------------- JSON */
static void the_effective_configuration_has_types_and_no_secrets(void **state)
{
    const struct fixture *fixture = *state;
    struct options *options = load_file(
        fixture, "pg_password = secret\npg_port = 5433\nadmin_listen = 127.0.0.1:8001 reuseport, "
                 "[::1]:8444 ssl\nreal_ip_recursive = on\nkic = on\ntracing_sampling_rate = 0.5\n"
                 "nginx_http_foo = bar\n");
    const json_t *shown = options->effective;
    char *text = json_dumps(shown, 0);
    assert_null(strstr(text, "secret"));
    free(text);
    assert_string_equal(json_string_value(json_object_get(shown, "pg_password")), "******");
    assert_int_equal(json_integer_value(json_object_get(shown, "pg_port")), 5433);
    assert_true(json_real_value(json_object_get(shown, "tracing_sampling_rate")) == 0.5);
    assert_true(json_is_true(json_object_get(shown, "kic")));
    assert_string_equal(json_string_value(json_object_get(shown, "real_ip_recursive")), "on");
    assert_string_equal(json_string_value(json_object_get(shown, "nginx_http_foo")), "bar");
    assert_int_equal(json_array_size(json_object_get(shown, "admin_listen")), 2);
    assert_int_equal(json_array_size(json_object_get(shown, "trusted_ips")), 0);
    const json_t *second = json_array_get(json_object_get(shown, "admin_listeners"), 1);
    assert_true(json_is_true(json_object_get(second, "ssl")));
    assert_int_equal(json_integer_value(json_object_get(second, "port")), 8444);
    assert_string_equal(json_string_value(json_object_get(second, "listener")), "[::1]:8444 ssl");
    assert_true(
        json_is_true(json_object_get(json_object_get(shown, "loaded_plugins"), "key-auth")));
    assert_string_equal(options_text(options, "pg_password"), "secret");
    options_destroy(options);
}

static void the_prefix_alone_does_not_need_a_valid_configuration(void **state)
{
    const struct fixture *fixture = *state;
    char *error = NULL;
    write_file(fixture, "log_level = nonsense\nprefix = relative/\n");
    char *prefix = options_prefix(fixture->file, NULL, &error);
    assert_non_null(prefix);
    assert_int_equal(prefix[0], '/');
    assert_non_null(strstr(prefix, "/relative"));
    assert_true(prefix[strlen(prefix) - 1] != '/');
    free(prefix);
    assert_null(options_prefix("/nonexistent", NULL, &error));
    free(error);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(without_any_source_the_defaults_hold),
        TEST(each_layer_wins_over_the_one_below),
        TEST(an_empty_variable_unsets_a_key),
        TEST(a_synonym_sets_its_key),
        TEST(a_file_has_comments_and_escapes_and_any_line_ends),
        TEST(a_reference_is_resolved_but_not_shown),
        TEST(every_problem_is_listed_with_its_origin),
        TEST(a_number_has_limits),
        TEST(a_file_that_was_asked_for_must_exist),
        TEST(a_role_that_is_not_served_is_refused),
        TEST(an_unknown_key_warns_with_the_nearest_name),
        TEST(plugins_expand_bundled_and_off),
        TEST(header_tokens_switch_groups_and_single_headers),
        TEST(log_paths_are_below_the_prefix_unless_absolute),
        TEST(database_encryption_follows_kongs_keys),
        TEST(a_certificate_may_be_base64),
        TEST(the_node_id_of_the_prefix_is_kept),
        TEST(the_effective_configuration_has_types_and_no_secrets),
        TEST(the_prefix_alone_does_not_need_a_valid_configuration),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
