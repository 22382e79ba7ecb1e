/* SPDX-License-Identifier: Apache-2.0 */
/* options_table.c -- see options_table.h. Names and defaults are Kong's
 * (reference/config-and-cli.md section 2) except for a few keys of our own: body_buffer_size,
 * dns_timeout, drain_timeout, lua_jit, plugin_dirs, sqlite_path. `prefix` has its default in
 * options_source.c, for it depends on who runs. */
#include "config/options_table.h"

#include <string.h>

const struct option_key options_table[] = {
    /* general */
    {.name = "prefix", .kind = OPTION_TEXT},
    {.name = "log_level",
     .kind = OPTION_CHOICE,
     .value = "notice",
     .accepts = "debug, info, notice, warn, error, crit, alert, emerg"},
    {.name = "plugins", .kind = OPTION_LIST, .value = "bundled"},
    {.name = "plugin_dirs", .kind = OPTION_LIST},
    {.name = "vaults", .kind = OPTION_LIST, .value = "bundled"},
    {.name = "vault_env_prefix", .kind = OPTION_TEXT},
    {.name = "anonymous_reports", .kind = OPTION_BOOLEAN, .value = "on"},
    {.name = "port_maps", .kind = OPTION_LIST},
    {.name = "node_id", .kind = OPTION_TEXT},
    {.name = "role",
     .kind = OPTION_CHOICE,
     .value = "traditional",
     .accepts = "traditional, control_plane, data_plane"},
    {.name = "router_flavor",
     .kind = OPTION_CHOICE,
     .value = "traditional_compatible",
     .accepts = "traditional, traditional_compatible, expressions"},
    {.name = "worker_consistency",
     .kind = OPTION_CHOICE,
     .value = "eventual",
     .accepts = "strict, eventual"},
    {.name = "worker_state_update_frequency",
     .kind = OPTION_NUMBER,
     .value = "5",
     .min = 0.001,
     .max = 2147483647},
    {.name = "untrusted_lua",
     .kind = OPTION_CHOICE,
     .value = "sandbox",
     .accepts = "on, off, sandbox"},
    {.name = "untrusted_lua_sandbox_requires", .kind = OPTION_LIST},
    {.name = "untrusted_lua_sandbox_environment", .kind = OPTION_LIST},
    {.name = "lua_jit", .kind = OPTION_BOOLEAN, .value = "off"},
    {.name = "lua_package_path", .kind = OPTION_TEXT, .value = "./?.lua;./?/init.lua;"},
    {.name = "lua_package_cpath", .kind = OPTION_TEXT},
    {.name = "lua_socket_pool_size",
     .kind = OPTION_NUMBER,
     .value = "256",
     .min = 1,
     .max = 2147483647},
    {.name = "lua_max_req_headers", .kind = OPTION_NUMBER, .value = "100", .min = 1, .max = 1000},
    {.name = "lua_max_resp_headers", .kind = OPTION_NUMBER, .value = "100", .min = 1, .max = 1000},
    {.name = "lua_max_uri_args", .kind = OPTION_NUMBER, .value = "100", .min = 1, .max = 1000},
    {.name = "lua_max_post_args", .kind = OPTION_NUMBER, .value = "100", .min = 1, .max = 1000},
    {.name = "proxy_server", .kind = OPTION_TEXT, .is_secret = true},
    {.name = "proxy_server_ssl_verify", .kind = OPTION_BOOLEAN, .value = "off"},
    {.name = "error_template_html", .kind = OPTION_TEXT},
    {.name = "error_template_json", .kind = OPTION_TEXT},
    {.name = "error_template_xml", .kind = OPTION_TEXT},
    {.name = "error_template_plain", .kind = OPTION_TEXT},
    {.name = "allow_debug_header", .kind = OPTION_BOOLEAN, .value = "off"},
    {.name = "request_debug", .kind = OPTION_BOOLEAN, .value = "on"},
    {.name = "request_debug_token", .kind = OPTION_TEXT, .is_secret = true},
    {.name = "kic", .kind = OPTION_BOOLEAN, .value = "off"},
    {.name = "legacy_worker_events", .kind = OPTION_BOOLEAN, .value = "off"},
    {.name = "legacy_hybrid_protocol", .kind = OPTION_BOOLEAN, .value = "off"},
    {.name = "pluginserver_names", .kind = OPTION_LIST},
    {.name = "wasm", .kind = OPTION_BOOLEAN, .value = "off"},
    {.name = "wasm_filters_path", .kind = OPTION_TEXT},
    {.name = "wasm_filters", .kind = OPTION_LIST},
    {.name = "wasm_dynamic_module", .kind = OPTION_UNUSED},
    {.name = "drain_timeout", .kind = OPTION_TIME, .value = "60"},
    /* HTTP behaviour */
    {.name = "headers",
     .kind = OPTION_CHOICES,
     .value = "server_tokens, latency_tokens, X-Kong-Request-Id",
     .accepts = "server_tokens, latency_tokens, Server, Via, X-Kong-Proxy-Latency, "
                "X-Kong-Response-Latency, X-Kong-Admin-Latency, X-Kong-Upstream-Latency, "
                "X-Kong-Upstream-Status, X-Kong-Request-Id, off"},
    {.name = "headers_upstream",
     .kind = OPTION_CHOICES,
     .value = "X-Kong-Request-Id",
     .accepts = "X-Kong-Request-Id, off"},
    {.name = "trusted_ips", .kind = OPTION_LIST},
    {.name = "real_ip_header", .kind = OPTION_TEXT, .value = "X-Real-IP"},
    {.name = "real_ip_recursive", .kind = OPTION_SWITCH, .value = "off"},
    {.name = "error_default_type",
     .kind = OPTION_CHOICE,
     .value = "text/plain",
     .accepts = "application/json, application/xml, text/html, text/plain"},
    {.name = "upstream_keepalive_pool_size",
     .kind = OPTION_NUMBER,
     .value = "512",
     .min = 0,
     .max = 2147483647},
    {.name = "upstream_keepalive_max_requests",
     .kind = OPTION_NUMBER,
     .value = "10000",
     .min = 0,
     .max = 2147483647},
    {.name = "upstream_keepalive_idle_timeout",
     .kind = OPTION_NUMBER,
     .value = "60",
     .min = 0,
     .max = 2147483647},
    {.name = "client_body_buffer_size", .kind = OPTION_SIZE, .value = "8k"},
    {.name = "body_buffer_size", .kind = OPTION_SIZE, .value = "8m"},
    {.name = "nginx_http_client_max_body_size", .kind = OPTION_SIZE, .value = "0"},
    {.name = "nginx_http_client_body_buffer_size", .kind = OPTION_SIZE, .value = "8k"},
    {.name = "nginx_http_keepalive_requests",
     .kind = OPTION_NUMBER,
     .value = "10000",
     .min = 1,
     .max = 2147483647},
    {.name = "nginx_http_keepalive_timeout", .kind = OPTION_TIME, .value = "75"},
    {.name = "nginx_http_client_header_timeout", .kind = OPTION_TIME, .value = "60"},
    {.name = "nginx_http_client_body_timeout", .kind = OPTION_TIME, .value = "60"},
    {.name = "nginx_http_send_timeout", .kind = OPTION_TIME, .value = "60"},
    {.name = "nginx_admin_client_max_body_size", .kind = OPTION_SIZE, .value = "10m"},
    {.name = "nginx_admin_client_body_buffer_size", .kind = OPTION_SIZE, .value = "10m"},
    {.name = "nginx_worker_processes",
     .kind = OPTION_COUNT,
     .value = "auto",
     .min = 1,
     .max = 1024},
    {.name = "nginx_daemon", .kind = OPTION_SWITCH, .value = "on"},
    {.name = "nginx_user", .kind = OPTION_TEXT, .value = "kong kong"},
    {.name = "nginx_main_worker_rlimit_nofile", .kind = OPTION_UNUSED, .value = "auto"},
    {.name = "nginx_events_worker_connections", .kind = OPTION_UNUSED, .value = "auto"},
    {.name = "nginx_events_multi_accept", .kind = OPTION_UNUSED, .value = "on"},
    {.name = "nginx_conf", .kind = OPTION_TEXT},
    /* listeners */
    {.name = "proxy_listen", .kind = OPTION_LISTEN, .value = "0.0.0.0:8000, 0.0.0.0:8443 ssl"},
    {.name = "stream_listen", .kind = OPTION_UNUSED, .value = "off"},
    {.name = "admin_listen", .kind = OPTION_LISTEN, .value = "127.0.0.1:8001, 127.0.0.1:8444 ssl"},
    {.name = "admin_gui_listen", .kind = OPTION_LISTEN, .value = "off"},
    {.name = "status_listen", .kind = OPTION_LISTEN, .value = "127.0.0.1:8007"},
    {.name = "cluster_listen", .kind = OPTION_UNUSED, .value = "0.0.0.0:8005"},
    /* TLS */
    {.name = "ssl_cert", .kind = OPTION_LIST},
    {.name = "ssl_cert_key", .kind = OPTION_LIST, .is_secret = true},
    {.name = "ssl_cipher_suite",
     .kind = OPTION_CHOICE,
     .value = "intermediate",
     .accepts = "modern, intermediate, old, fips, custom"},
    {.name = "ssl_ciphers", .kind = OPTION_TEXT},
    {.name = "ssl_protocols", .kind = OPTION_TEXT, .value = "TLSv1.2 TLSv1.3"},
    {.name = "ssl_prefer_server_ciphers", .kind = OPTION_SWITCH, .value = "on"},
    {.name = "ssl_dhparam", .kind = OPTION_TEXT},
    {.name = "ssl_session_tickets", .kind = OPTION_SWITCH, .value = "on"},
    {.name = "ssl_session_timeout", .kind = OPTION_TEXT, .value = "1d"},
    {.name = "ssl_session_cache_size", .kind = OPTION_TEXT, .value = "10m"},
    {.name = "admin_ssl_cert", .kind = OPTION_LIST},
    {.name = "admin_ssl_cert_key", .kind = OPTION_LIST, .is_secret = true},
    {.name = "admin_gui_ssl_cert", .kind = OPTION_LIST},
    {.name = "admin_gui_ssl_cert_key", .kind = OPTION_LIST, .is_secret = true},
    {.name = "status_ssl_cert", .kind = OPTION_LIST},
    {.name = "status_ssl_cert_key", .kind = OPTION_LIST, .is_secret = true},
    {.name = "client_ssl", .kind = OPTION_BOOLEAN, .value = "off"},
    {.name = "client_ssl_cert", .kind = OPTION_TEXT},
    {.name = "client_ssl_cert_key", .kind = OPTION_TEXT, .is_secret = true},
    {.name = "lua_ssl_trusted_certificate", .kind = OPTION_LIST, .value = "system"},
    {.name = "lua_ssl_verify_depth", .kind = OPTION_NUMBER, .value = "1", .min = 0, .max = 100},
    {.name = "lua_ssl_protocols", .kind = OPTION_TEXT, .value = "TLSv1.2 TLSv1.3"},
    /* datastore */
    {.name = "database",
     .kind = OPTION_CHOICE,
     .value = "sqlite",
     .accepts = "sqlite, postgres, off"},
    {.name = "sqlite_path", .kind = OPTION_TEXT},
    {.name = "pg_host", .kind = OPTION_TEXT, .value = "127.0.0.1"},
    {.name = "pg_port", .kind = OPTION_NUMBER, .value = "5432", .min = 1, .max = 65535},
    {.name = "pg_database", .kind = OPTION_TEXT, .value = "kong"},
    {.name = "pg_user", .kind = OPTION_TEXT, .value = "kong"},
    {.name = "pg_password", .kind = OPTION_TEXT, .is_secret = true},
    {.name = "pg_schema", .kind = OPTION_TEXT},
    {.name = "pg_timeout", .kind = OPTION_NUMBER, .value = "5000", .min = 1, .max = 2147483647},
    {.name = "pg_ssl", .kind = OPTION_BOOLEAN, .value = "off"},
    {.name = "pg_ssl_required", .kind = OPTION_BOOLEAN, .value = "off"},
    {.name = "pg_ssl_verify", .kind = OPTION_BOOLEAN, .value = "off"},
    {.name = "pg_ssl_version", .kind = OPTION_TEXT, .value = "tlsv1_2"},
    {.name = "pg_max_concurrent_queries",
     .kind = OPTION_NUMBER,
     .value = "0",
     .min = 0,
     .max = 2147483647},
    {.name = "pg_semaphore_timeout",
     .kind = OPTION_NUMBER,
     .value = "60000",
     .min = 0,
     .max = 2147483647},
    {.name = "pg_keepalive_timeout", .kind = OPTION_NUMBER, .min = 0, .max = 2147483647},
    {.name = "pg_pool_size", .kind = OPTION_NUMBER, .min = 0, .max = 2147483647},
    {.name = "pg_backlog", .kind = OPTION_NUMBER, .min = 0, .max = 2147483647},
    {.name = "pg_ro_host", .kind = OPTION_TEXT},
    {.name = "pg_ro_port", .kind = OPTION_NUMBER, .min = 1, .max = 65535},
    {.name = "pg_ro_database", .kind = OPTION_TEXT},
    {.name = "pg_ro_user", .kind = OPTION_TEXT},
    {.name = "pg_ro_password", .kind = OPTION_TEXT, .is_secret = true},
    {.name = "pg_ro_schema", .kind = OPTION_TEXT},
    {.name = "pg_ro_timeout", .kind = OPTION_NUMBER, .min = 1, .max = 2147483647},
    {.name = "pg_ro_ssl", .kind = OPTION_BOOLEAN},
    {.name = "pg_ro_ssl_required", .kind = OPTION_BOOLEAN},
    {.name = "pg_ro_ssl_verify", .kind = OPTION_BOOLEAN},
    {.name = "pg_ro_ssl_version", .kind = OPTION_TEXT},
    {.name = "pg_ro_max_concurrent_queries", .kind = OPTION_NUMBER, .min = 0, .max = 2147483647},
    {.name = "pg_ro_semaphore_timeout", .kind = OPTION_NUMBER, .min = 0, .max = 2147483647},
    {.name = "pg_ro_keepalive_timeout", .kind = OPTION_NUMBER, .min = 0, .max = 2147483647},
    {.name = "pg_ro_pool_size", .kind = OPTION_NUMBER, .min = 0, .max = 2147483647},
    {.name = "pg_ro_backlog", .kind = OPTION_NUMBER, .min = 0, .max = 2147483647},
    {.name = "declarative_config", .kind = OPTION_TEXT},
    {.name = "declarative_config_string", .kind = OPTION_TEXT, .is_secret = true},
    {.name = "lmdb_environment_path", .kind = OPTION_TEXT, .value = "dbless.lmdb"},
    {.name = "lmdb_map_size", .kind = OPTION_TEXT, .value = "2048m"},
    /* caches */
    {.name = "db_update_frequency",
     .kind = OPTION_NUMBER,
     .value = "5",
     .min = 0.001,
     .max = 2147483647},
    {.name = "db_update_propagation",
     .kind = OPTION_NUMBER,
     .value = "0",
     .min = 0,
     .max = 2147483647},
    {.name = "db_cache_ttl", .kind = OPTION_NUMBER, .value = "0", .min = 0, .max = 2147483647},
    {.name = "db_cache_neg_ttl", .kind = OPTION_NUMBER, .min = 0, .max = 2147483647},
    {.name = "db_resurrect_ttl", .kind = OPTION_NUMBER, .value = "30", .min = 0, .max = 2147483647},
    {.name = "db_cache_warmup_entities", .kind = OPTION_LIST, .value = "services"},
    {.name = "mem_cache_size", .kind = OPTION_TEXT, .value = "128m"},
    {.name = "worker_events_max_payload",
     .kind = OPTION_NUMBER,
     .value = "65535",
     .min = 0,
     .max = 16777216},
    /* DNS */
    {.name = "dns_resolver", .kind = OPTION_LIST},
    {.name = "dns_hostsfile", .kind = OPTION_TEXT, .value = "/etc/hosts"},
    {.name = "dns_order",
     .kind = OPTION_CHOICES,
     .value = "LAST, SRV, A, CNAME",
     .accepts = "LAST, SRV, A, AAAA, CNAME"},
    {.name = "dns_valid_ttl", .kind = OPTION_NUMBER, .min = 0, .max = 2147483647},
    {.name = "dns_stale_ttl", .kind = OPTION_NUMBER, .value = "3600", .min = 0, .max = 2147483647},
    {.name = "dns_not_found_ttl",
     .kind = OPTION_NUMBER,
     .value = "30",
     .min = 0,
     .max = 2147483647},
    {.name = "dns_error_ttl", .kind = OPTION_NUMBER, .value = "1", .min = 0, .max = 2147483647},
    {.name = "dns_cache_size",
     .kind = OPTION_NUMBER,
     .value = "10000",
     .min = 1,
     .max = 2147483647},
    {.name = "dns_no_sync", .kind = OPTION_BOOLEAN, .value = "off"},
    {.name = "dns_timeout", .kind = OPTION_TIME, .value = "5"},
    {.name = "new_dns_client", .kind = OPTION_BOOLEAN, .value = "off"},
    {.name = "resolver_address", .kind = OPTION_LIST},
    {.name = "resolver_hosts_file", .kind = OPTION_TEXT, .value = "/etc/hosts"},
    {.name = "resolver_family",
     .kind = OPTION_CHOICES,
     .value = "A, SRV",
     .accepts = "A, AAAA, SRV"},
    {.name = "resolver_valid_ttl", .kind = OPTION_NUMBER, .min = 0, .max = 2147483647},
    {.name = "resolver_stale_ttl",
     .kind = OPTION_NUMBER,
     .value = "3600",
     .min = 0,
     .max = 2147483647},
    {.name = "resolver_error_ttl",
     .kind = OPTION_NUMBER,
     .value = "1",
     .min = 0,
     .max = 2147483647},
    {.name = "resolver_lru_cache_size",
     .kind = OPTION_NUMBER,
     .value = "10000",
     .min = 1,
     .max = 2147483647},
    {.name = "resolver_mem_cache_size", .kind = OPTION_TEXT, .value = "5m"},
    /* Admin GUI */
    {.name = "admin_gui_url", .kind = OPTION_LIST},
    {.name = "admin_gui_path", .kind = OPTION_TEXT, .value = "/"},
    {.name = "admin_gui_api_url", .kind = OPTION_TEXT},
    {.name = "admin_gui_csp_header", .kind = OPTION_BOOLEAN, .value = "off"},
    {.name = "admin_gui_access_log", .kind = OPTION_LOG, .value = "logs/admin_gui_access.log"},
    {.name = "admin_gui_error_log", .kind = OPTION_LOG, .value = "logs/admin_gui_error.log"},
    /* hybrid mode */
    {.name = "cluster_mtls", .kind = OPTION_CHOICE, .value = "shared", .accepts = "shared, pki"},
    {.name = "cluster_cert", .kind = OPTION_TEXT},
    {.name = "cluster_cert_key", .kind = OPTION_TEXT, .is_secret = true},
    {.name = "cluster_ca_cert", .kind = OPTION_TEXT},
    {.name = "cluster_server_name", .kind = OPTION_TEXT},
    {.name = "cluster_control_plane", .kind = OPTION_TEXT, .value = "127.0.0.1:8005"},
    {.name = "cluster_data_plane_purge_delay",
     .kind = OPTION_NUMBER,
     .value = "1209600",
     .min = 60,
     .max = 2147483647},
    {.name = "cluster_ocsp", .kind = OPTION_CHOICE, .value = "off", .accepts = "on, off, optional"},
    {.name = "cluster_max_payload",
     .kind = OPTION_NUMBER,
     .value = "16777216",
     .min = 4194304,
     .max = 2147483647},
    {.name = "cluster_use_proxy", .kind = OPTION_BOOLEAN, .value = "off"},
    {.name = "cluster_dp_labels", .kind = OPTION_LIST},
    {.name = "cluster_rpc", .kind = OPTION_BOOLEAN, .value = "off"},
    {.name = "cluster_rpc_sync", .kind = OPTION_BOOLEAN, .value = "off"},
    {.name = "dedicated_config_processing", .kind = OPTION_BOOLEAN, .value = "on"},
    /* logs and tracing */
    {.name = "proxy_access_log", .kind = OPTION_LOG, .value = "logs/access.log"},
    {.name = "proxy_error_log", .kind = OPTION_LOG, .value = "logs/error.log"},
    {.name = "proxy_stream_access_log", .kind = OPTION_LOG, .value = "logs/access.log basic"},
    {.name = "proxy_stream_error_log", .kind = OPTION_LOG, .value = "logs/error.log"},
    {.name = "admin_access_log", .kind = OPTION_LOG, .value = "logs/admin_access.log"},
    {.name = "admin_error_log", .kind = OPTION_LOG, .value = "logs/error.log"},
    {.name = "status_access_log", .kind = OPTION_LOG, .value = "off"},
    {.name = "status_error_log", .kind = OPTION_LOG, .value = "logs/status_error.log"},
    {.name = "tracing_instrumentations", .kind = OPTION_LIST, .value = "off"},
    {.name = "tracing_sampling_rate", .kind = OPTION_NUMBER, .value = "0.01", .min = 0, .max = 1},
    {0},
};

static const struct {
    const char *name, *key;
} synonyms[] = {
    {"workers", "nginx_worker_processes"},
    {"nginx_main_worker_processes", "nginx_worker_processes"},
    {"daemon", "nginx_daemon"},
    {"nginx_main_daemon", "nginx_daemon"},
    {"nginx_main_user", "nginx_user"},
    {"nginx_main_worker_shutdown_timeout", "drain_timeout"},
    {"client_max_body_size", "nginx_http_client_max_body_size"},
    {"nginx_proxy_client_max_body_size", "nginx_http_client_max_body_size"},
    {"nginx_proxy_client_body_buffer_size", "nginx_http_client_body_buffer_size"},
    {"nginx_proxy_keepalive_requests", "nginx_http_keepalive_requests"},
    {"nginx_proxy_keepalive_timeout", "nginx_http_keepalive_timeout"},
    {"nginx_proxy_client_header_timeout", "nginx_http_client_header_timeout"},
    {"nginx_proxy_client_body_timeout", "nginx_http_client_body_timeout"},
    {"nginx_proxy_send_timeout", "nginx_http_send_timeout"},
    {"nginx_proxy_real_ip_header", "real_ip_header"},
    {"nginx_http_real_ip_header", "real_ip_header"},
    {"nginx_proxy_real_ip_recursive", "real_ip_recursive"},
    {"nginx_http_real_ip_recursive", "real_ip_recursive"},
    {"nginx_http_ssl_protocols", "ssl_protocols"},
    {"opentelemetry_tracing", "tracing_instrumentations"},
    {"opentelemetry_tracing_sampling_rate", "tracing_sampling_rate"},
};

static const char *const dynamic_prefixes[] = {
    "nginx_main_",      "nginx_events_",    "nginx_http_",   "nginx_proxy_",  "nginx_location_",
    "nginx_upstream_",  "nginx_admin_",     "nginx_status_", "nginx_stream_", "nginx_sproxy_",
    "nginx_supstream_", "nginx_admin_gui_", "pluginserver_", "vault_",
};

static const struct option_key *find_exact(const char *name)
{
    for (const struct option_key *key = options_table; key->name != NULL; key++)
        if (strcmp(key->name, name) == 0)
            return key;
    return NULL;
}

const struct option_key *options_table_find(const char *name)
{
    for (size_t i = 0; i < sizeof(synonyms) / sizeof(synonyms[0]); i++)
        if (strcmp(synonyms[i].name, name) == 0)
            return find_exact(synonyms[i].key);
    return find_exact(name);
}

bool options_table_is_dynamic(const char *name)
{
    for (size_t i = 0; i < sizeof(dynamic_prefixes) / sizeof(dynamic_prefixes[0]); i++) {
        size_t len = strlen(dynamic_prefixes[i]);
        if (strncmp(name, dynamic_prefixes[i], len) == 0 && name[len] != '\0')
            return true;
    }
    return false;
}

enum { LONGEST_NAME = 64 };

static size_t smallest(size_t a, size_t b, size_t c)
{
    size_t least = a < b ? a : b;
    return least < c ? least : c;
}

/* Optimal string alignment: insertions, deletions, replacements and swapped neighbours count one.
 * Both names are at most LONGEST_NAME long. */
static size_t edit_distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
    size_t rows[3][LONGEST_NAME + 1];
    size_t *before = rows[0], *above = rows[1], *row = rows[2];
    for (size_t j = 0; j <= b_len; j++)
        above[j] = before[j] = j;
    for (size_t i = 1; i <= a_len; i++) {
        row[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            size_t change = a[i - 1] == b[j - 1] ? 0 : 1;
            row[j] = smallest(above[j] + 1, row[j - 1] + 1, above[j - 1] + change);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                before[j - 2] + 1 < row[j])
                row[j] = before[j - 2] + 1;
        }
        size_t *free_row = before;
        before = above;
        above = row;
        row = free_row;
    }
    return above[b_len];
}

static void consider(const char *name, size_t len, const char *candidate, const char **best,
                     size_t *least)
{
    size_t candidate_len = strlen(candidate);
    if (candidate_len > LONGEST_NAME)
        return;
    size_t distance = edit_distance(name, len, candidate, candidate_len);
    if (distance < *least) {
        *least = distance;
        *best = candidate;
    }
}

const char *options_table_nearest(const char *name)
{
    size_t len = strlen(name);
    const char *best = NULL;
    if (len > LONGEST_NAME)
        return NULL;
    /* A third of the letters wrong is another word. */
    size_t least = len / 3 + 1 < 5 ? len / 3 + 1 : 5;
    for (const struct option_key *key = options_table; key->name != NULL; key++)
        consider(name, len, key->name, &best, &least);
    for (size_t i = 0; i < sizeof(synonyms) / sizeof(synonyms[0]); i++)
        consider(name, len, synonyms[i].name, &best, &least);
    return best;
}
