/* SPDX-License-Identifier: Apache-2.0 */
/* options_fill.c -- see options_fill.h. One function per group of keys, in the order of
 * reference/config-and-cli.md section 2. */
#include "config/options_fill.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "config/options.h"
#include "config/options_paths.h"
#include "config/options_source.h"
#include "config/options_value.h"

/* --------------------------------------------------------------------------------- typed access */
static char *copy(struct options_source *source, const char *name)
{
    const char *text = options_source_text(source, name);
    char *out = text == NULL ? NULL : strdup(text);
    source->is_out_of_memory |= text != NULL && out == NULL;
    return out;
}

static char *keep(struct options_source *source, char *text)
{
    source->is_out_of_memory |= text == NULL;
    return text;
}

static bool is_on(const struct options_source *source, const char *name)
{
    const char *text = options_source_text(source, name);
    bool value = false;
    return text != NULL && options_value_boolean(text, &value) && value;
}

/* `unset` if there is no text, or no number in it. */
static double number(const struct options_source *source, const char *name, double unset)
{
    const char *text = options_source_text(source, name);
    double value;
    return text != NULL && options_value_number(text, &value) ? value : unset;
}

static uint64_t count_of(const struct options_source *source, const char *name)
{
    double value = number(source, name, 0);
    return value < 0 ? 0 : (uint64_t)value; /* the table's limits are far below 2^63 */
}

static int64_t seconds_ms(const struct options_source *source, const char *name, double unset)
{
    return (int64_t)(number(source, name, unset) * 1000 + 0.5);
}

static uint64_t size_of(const struct options_source *source, const char *name)
{
    const char *text = options_source_text(source, name);
    uint64_t value = 0;
    return text != NULL && options_value_size(text, &value) ? value : 0;
}

static int64_t time_ms(const struct options_source *source, const char *name)
{
    const char *text = options_source_text(source, name);
    int64_t value = 0;
    return text != NULL && options_value_time(text, &value) ? value : 0;
}

static char **list_of(struct options_source *source, const char *name)
{
    char **list = options_value_list(options_source_text(source, name));
    source->is_out_of_memory |= list == NULL;
    return list;
}

static char *below_prefix(struct options_source *source, const char *prefix, struct slice path)
{
    char *out;
    if (path.len > 0 && path.ptr[0] == '/')
        return keep(source, slice_dup(path));
    if (asprintf(&out, "%s/%.*s", prefix, SLICE_ARG(path)) < 0)
        out = NULL;
    return keep(source, out);
}

/* -------------------------------------------------------------------------------------- general */
char *options_fill_prefix(const struct options_source *source)
{
    const char *text = options_source_text(source, "prefix");
    char *out = NULL;
    if (text != NULL && text[0] == '/') {
        out = strdup(text);
    } else {
        char *here = getcwd(NULL, 0);
        if (here != NULL && asprintf(&out, "%s/%s", here, text == NULL ? "" : text) < 0)
            out = NULL;
        free(here);
    }
    for (size_t len = out == NULL ? 0 : strlen(out); len > 1 && out[len - 1] == '/'; len--)
        out[len - 1] = '\0';
    return out;
}

static int count_cpus(void)
{
    cpu_set_t set;
    return sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;
}

static void append(struct options_source *source, char **list, size_t *used, const char *name)
{
    for (size_t i = 0; i < *used; i++)
        if (strcmp(list[i], name) == 0)
            return;
    list[*used] = keep(source, strdup(name));
    if (list[*used] != NULL)
        list[++*used] = NULL;
}

/* "bundled" stands for the plugins of plugins-c/ and plugins-lua/ that are part of a release. */
static char **expand_plugins(struct options_source *source)
{
    static const char *const bundled[] = {"key-auth", "rate-limiting", "file-log"};
    enum { BUNDLED = sizeof(bundled) / sizeof(bundled[0]) };
    char **names = list_of(source, "plugins");
    size_t count = 0;
    size_t used = 0;
    while (names != NULL && names[count] != NULL)
        count++;
    char **out = calloc(count + BUNDLED + 1, sizeof(*out));
    source->is_out_of_memory |= out == NULL;
    for (size_t i = 0; out != NULL && i < count && strcmp(names[0], "off") != 0; i++) {
        bool is_bundle = strcmp(names[i], "bundled") == 0;
        for (size_t j = 0; is_bundle && j < BUNDLED; j++)
            append(source, out, &used, bundled[j]);
        if (!is_bundle)
            append(source, out, &used, names[i]);
    }
    options_value_list_free(names);
    return out;
}

static bool read_node_id(const char *prefix, char out[37])
{
    char path[4200];
    (void)snprintf(path, sizeof(path), "%s/kong.id", prefix);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t len = fd < 0 ? -1 : read(fd, out, 36);
    if (fd >= 0)
        close(fd);
    out[len == 36 ? 36 : 0] = '\0';
    return len == 36 && strspn(out, "0123456789abcdefABCDEF-") == 36;
}

/* A random UUID (RFC 9562 section 5.4). */
static bool make_node_id(char out[37])
{
    unsigned char b[16];
    if (getrandom(b, sizeof(b), 0) != (ssize_t)sizeof(b))
        return false;
    b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
    b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
    (void)snprintf(out, 37, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
                   b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12],
                   b[13], b[14], b[15]);
    return true;
}

static void fill_node(struct options *options, struct options_source *source)
{
    const char *id = options_source_text(source, "node_id");
    if (id != NULL && strlen(id) == 36)
        memcpy(options->node_id, id, 37);
    else if (!read_node_id(options->prefix, options->node_id) && !make_node_id(options->node_id))
        options_source_fail(source, "node_id: the system has no random numbers; set the key");
    if (gethostname(options->hostname, sizeof(options->hostname) - 1) != 0)
        (void)snprintf(options->hostname, sizeof(options->hostname), "localhost");
}

static void fill_general(struct options *options, struct options_source *source)
{
    const char *level = options_source_text(source, "log_level");
    if (level == NULL || !log_level_parse(level, &options->log_level))
        options->log_level = LOG_LEVEL_NOTICE;
    double workers = number(source, "nginx_worker_processes", 0);
    options->workers = workers >= 1 ? (int)workers : count_cpus(); /* at most 1024 */
    options->is_daemon = is_on(source, "nginx_daemon");
    options->drain_timeout_ms = time_ms(source, "drain_timeout");
    options->router_flavor = copy(source, "router_flavor");
    options->is_debug_header_allowed = is_on(source, "allow_debug_header");
    options->plugins = expand_plugins(source);
    options->plugin_dirs = options_paths_plugins(options_source_text(source, "plugin_dirs"));
    options->lua_dir = keep(source, options_paths_lua_dir());
    if (options->lua_dir != NULL)
        options->lua_package_path =
            keep(source, options_paths_lua(options_source_text(source, "lua_package_path"),
                                           options->lua_dir));
    const char *cpath = options_source_text(source, "lua_package_cpath");
    options->lua_package_cpath = keep(source, strdup(cpath == NULL ? "" : cpath));
    source->is_out_of_memory |= options->plugin_dirs == NULL;
    options->is_lua_jit_on = is_on(source, "lua_jit");
    options->lua_max_uri_args = count_of(source, "lua_max_uri_args");
    options->lua_max_req_headers = count_of(source, "lua_max_req_headers");
    options->lua_max_resp_headers = count_of(source, "lua_max_resp_headers");
    options->lua_max_post_args = count_of(source, "lua_max_post_args");
    options->admin_gui_url = copy(source, "admin_gui_url");
}

/* ------------------------------------------------------------------------------- HTTP behaviour */
static bool lists(char **list, const char *name)
{
    for (char **at = list; at != NULL && *at != NULL; at++)
        if (slice_eq_nocase(slice_of(*at), slice_of(name)))
            return true;
    return false;
}

static void fill_headers(struct options *options, struct options_source *source)
{
    char **down = list_of(source, "headers");
    char **up = list_of(source, "headers_upstream");
    if (!lists(down, "off")) {
        bool is_server = lists(down, "server_tokens");
        bool is_latency = lists(down, "latency_tokens");
        options->headers.server = is_server || lists(down, "Server");
        options->headers.via = is_server || lists(down, "Via");
        options->headers.proxy_latency = is_latency || lists(down, "X-Kong-Proxy-Latency");
        options->headers.response_latency = is_latency || lists(down, "X-Kong-Response-Latency");
        options->headers.admin_latency = is_latency || lists(down, "X-Kong-Admin-Latency");
        options->headers.upstream_latency = is_latency || lists(down, "X-Kong-Upstream-Latency");
        options->headers.upstream_status = lists(down, "X-Kong-Upstream-Status");
        options->headers.request_id = lists(down, "X-Kong-Request-Id");
    }
    options->headers.upstream_request_id = !lists(up, "off") && lists(up, "X-Kong-Request-Id");
    options_value_list_free(down);
    options_value_list_free(up);
}

static void fill_http(struct options *options, struct options_source *source)
{
    fill_headers(options, source);
    options->trusted_ips = list_of(source, "trusted_ips");
    options->real_ip_header = copy(source, "real_ip_header");
    options->is_real_ip_recursive = is_on(source, "real_ip_recursive");
    options->error_default_type = copy(source, "error_default_type");
    options->upstream_keepalive.pool_size = count_of(source, "upstream_keepalive_pool_size");
    options->upstream_keepalive.max_requests = count_of(source, "upstream_keepalive_max_requests");
    options->upstream_keepalive.idle_timeout_ms =
        seconds_ms(source, "upstream_keepalive_idle_timeout", 60);
    options->client.idle_timeout_ms = time_ms(source, "nginx_http_keepalive_timeout");
    options->client.max_requests = count_of(source, "nginx_http_keepalive_requests");
    options->client.head_timeout_ms = time_ms(source, "nginx_http_client_header_timeout");
    options->client.body_timeout_ms = time_ms(source, "nginx_http_client_body_timeout");
    options->client.send_timeout_ms = time_ms(source, "nginx_http_send_timeout");
    options->client_max_body_bytes = size_of(source, "nginx_http_client_max_body_size");
    options->admin_max_body_bytes = size_of(source, "nginx_admin_client_max_body_size");
    options->body_buffer_bytes = size_of(source, "body_buffer_size");
}

/* -------------------------------------------------------------------- listeners, TLS, datastore */
static void fill_listen(struct options_source *source, const char *name, struct listen_list *out)
{
    const struct options_setting *setting = options_source_find(source, name);
    char *why = NULL;
    if (setting == NULL || setting->text == NULL || listen_parse(name, setting->text, out, &why))
        return;
    if (why == NULL)
        source->is_out_of_memory = true;
    else
        options_source_reject(source, setting, "%s; found '%s'", why, setting->text);
    free(why);
}

/* PEM of a base64 text; NULL if it is none, or when out of memory. */
static char *decode_base64(const char *text)
{
    size_t len = strlen(text);
    enum { LONGEST = 1024 * 1024 };
    if (len % 4 != 0 || len > LONGEST)
        return NULL;
    char *out = calloc(1, len + 1);
    if (out == NULL ||
        EVP_DecodeBlock((unsigned char *)out, (const unsigned char *)text, (int)len) < 0 ||
        strstr(out, "-----BEGIN") == NULL) {
        free(out);
        return NULL;
    }
    return out;
}

/* The first of a list of certificates or keys, base64 decoded. */
static char *first_certificate(struct options_source *source, const char *name)
{
    char **list = list_of(source, name);
    char *first = NULL;
    if (list != NULL && list[0] != NULL) {
        first = decode_base64(list[0]);
        if (first == NULL)
            first = keep(source, strdup(list[0]));
    }
    options_value_list_free(list);
    return first;
}

static void fill_tls(struct options *options, struct options_source *source)
{
    options->ssl_cert = first_certificate(source, "ssl_cert");
    options->ssl_cert_key = first_certificate(source, "ssl_cert_key");
    options->admin_ssl_cert = first_certificate(source, "admin_ssl_cert");
    options->admin_ssl_cert_key = first_certificate(source, "admin_ssl_cert_key");
    char **trusted = list_of(source, "lua_ssl_trusted_certificate");
    for (char **at = trusted; at != NULL && *at != NULL; at++) {
        if (options->lua_ssl_trusted_certificate == NULL && strcmp(*at, "system") != 0)
            options->lua_ssl_trusted_certificate = keep(source, strdup(*at));
    }
    options_value_list_free(trusted);
}

/* libpq's sslmode. Kong's driver checks the chain but not the name when it verifies. */
static const char *ssl_mode(const struct options_source *source)
{
    if (!is_on(source, "pg_ssl"))
        return "disable";
    if (is_on(source, "pg_ssl_verify"))
        return "verify-ca";
    return is_on(source, "pg_ssl_required") ? "require" : "prefer";
}

static void fill_datastore(struct options *options, struct options_source *source)
{
    const char *path = options_source_text(source, "sqlite_path");
    options->database = copy(source, "database");
    options->sqlite_path =
        below_prefix(source, options->prefix, slice_of(path == NULL ? "sluice.db" : path));
    options->pg.host = copy(source, "pg_host");
    options->pg.port = (int)number(source, "pg_port", 5432); /* at most 65535 */
    options->pg.database = copy(source, "pg_database");
    options->pg.user = copy(source, "pg_user");
    options->pg.password = copy(source, "pg_password");
    options->pg.schema = copy(source, "pg_schema");
    options->pg.ssl_mode = keep(source, strdup(ssl_mode(source)));
    options->pg.timeout_ms = (int64_t)number(source, "pg_timeout", 5000);
    options->declarative_config = copy(source, "declarative_config");
    options->declarative_config_string = copy(source, "declarative_config_string");
    options->db_update_frequency_ms = seconds_ms(source, "db_update_frequency", 5);
}

/* ------------------------------------------------------------------------------------ DNS, logs */
static void fill_dns(struct options *options, struct options_source *source)
{
    const char *resolver = options_source_text(source, "dns_resolver");
    if (resolver == NULL)
        resolver = options_source_text(source, "resolver_address");
    options->dns.resolver = resolver == NULL ? NULL : keep(source, strdup(resolver));
    options->dns.hostsfile = copy(source, "dns_hostsfile");
    options->dns.order = copy(source, "dns_order");
    double valid_s = number(source, "dns_valid_ttl", -1);
    options->dns.valid_ttl_ms = valid_s < 0 ? -1 : (int64_t)(valid_s * 1000);
    options->dns.stale_ttl_ms = seconds_ms(source, "dns_stale_ttl", 3600);
    options->dns.not_found_ttl_ms = seconds_ms(source, "dns_not_found_ttl", 30);
    options->dns.error_ttl_ms = seconds_ms(source, "dns_error_ttl", 1);
    options->dns.cache_size = count_of(source, "dns_cache_size");
    options->dns.timeout_ms = time_ms(source, "dns_timeout");
}

/* "logs/access.log basic": the name of a format behind the path is Kong's; the format is fixed
 * here. */
static char *log_path(struct options *options, struct options_source *source, const char *name)
{
    const char *text = options_source_text(source, name);
    struct slice rest = slice_of(text == NULL ? "off" : text);
    struct slice path = rest;
    (void)slice_split(&rest, ' ', &path);
    if (slice_eq(path, SLICE("off")))
        return keep(source, strdup("off"));
    return below_prefix(source, options->prefix, path);
}

static void fill_logs(struct options *options, struct options_source *source)
{
    options->proxy_access_log = log_path(options, source, "proxy_access_log");
    options->proxy_error_log = log_path(options, source, "proxy_error_log");
    options->admin_access_log = log_path(options, source, "admin_access_log");
    options->admin_error_log = log_path(options, source, "admin_error_log");
    options->status_access_log = log_path(options, source, "status_access_log");
    options->status_error_log = log_path(options, source, "status_error_log");
}

void options_fill(struct options *options, struct options_source *source)
{
    options->prefix = keep(source, options_fill_prefix(source));
    if (options->prefix == NULL)
        return;
    if (source->config_path != NULL)
        options->config_path = keep(source, strdup(source->config_path));
    fill_general(options, source);
    fill_node(options, source);
    fill_http(options, source);
    fill_listen(source, "proxy_listen", &options->proxy_listen);
    fill_listen(source, "admin_listen", &options->admin_listen);
    fill_listen(source, "status_listen", &options->status_listen);
    fill_tls(options, source);
    fill_datastore(options, source);
    fill_dns(options, source);
    fill_logs(options, source);
}
