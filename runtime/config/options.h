/* SPDX-License-Identifier: Apache-2.0 */
/* options.h -- the configuration of a node: defaults, file, environment, command line
 * (reference/config-and-cli.md). Read once, immutable afterwards, shared by all threads. */
#ifndef SLUICE_CONFIG_OPTIONS_H
#define SLUICE_CONFIG_OPTIONS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/log.h"
#include "net/listener.h"

struct options {
    char *prefix;      /* absolute, no trailing slash */
    char *config_path; /* file that was read; NULL: none */
    enum log_level log_level;
    int workers; /* resolved: 1.. */
    bool is_daemon;
    char *database;    /* "sqlite", "postgres" or "off" */
    char *sqlite_path; /* <prefix>/sluice.db unless sqlite_path is set */
    struct {
        char *host, *database, *user, *password, *schema, *ssl_mode;
        int port;
        int64_t timeout_ms;
    } pg;
    char *declarative_config, *declarative_config_string;
    struct listen_list proxy_listen, admin_listen, status_listen;
    /* log destinations, resolved: absolute path, "/dev/stdout", "/dev/stderr" or "off" */
    char *proxy_access_log, *proxy_error_log, *admin_access_log, *admin_error_log,
        *status_access_log, *status_error_log;
    char **plugins;                             /* expanded: no "bundled"; NULL-terminated */
    char *lua_package_path, *lua_package_cpath; /* what the user set plus our own directories */
    bool is_lua_jit_on;
    char **plugin_dirs; /* where C plugins are looked for; NULL-terminated */
    char *lua_dir;      /* absolute: holds kong/pdk.lua and the rest of the PDK's own Lua */
    char *ssl_cert, *ssl_cert_key, *admin_ssl_cert,
        *admin_ssl_cert_key; /* paths or PEM; NULL: made */
    char *lua_ssl_trusted_certificate;
    /* headers switched on */
    struct {
        bool server, via, proxy_latency, response_latency, admin_latency, upstream_latency,
            upstream_status, request_id, upstream_request_id;
    } headers;
    char **trusted_ips; /* NULL-terminated IPs and CIDRs */
    char *real_ip_header;
    bool is_real_ip_recursive;
    char *error_default_type;
    bool is_debug_header_allowed;
    struct {
        size_t pool_size; /* idle upstream connections per worker; 0: off */
        uint64_t max_requests;
        int64_t idle_timeout_ms; /* 0: unlimited */
    } upstream_keepalive;
    struct {
        int64_t idle_timeout_ms; /* 75000 */
        uint64_t max_requests;   /* 10000 */
        int64_t head_timeout_ms; /* 60000: whole request head */
        int64_t body_timeout_ms; /* 60000: between two reads of a request body */
        int64_t send_timeout_ms; /* 60000: between two writes to the client */
    } client;
    uint64_t client_max_body_bytes; /* 0: unlimited */
    uint64_t admin_max_body_bytes;
    size_t body_buffer_bytes; /* most that a plugin may have buffered of one body; 413 above */
    struct {
        char *resolver, *hostsfile, *order;
        int64_t valid_ttl_ms; /* -1: the record's own */
        int64_t stale_ttl_ms, not_found_ttl_ms, error_ttl_ms;
        size_t cache_size;
        int64_t timeout_ms;
    } dns;
    int64_t db_update_frequency_ms;
    int64_t drain_timeout_ms; /* quit: how long running requests may take */
    char *router_flavor;
    char *admin_gui_url;
    size_t lua_max_uri_args, lua_max_req_headers, lua_max_resp_headers, lua_max_post_args;
    json_t *effective;  /* every key as GET / of the Admin API shows it, secrets masked; owned */
    json_t *raw;        /* every key as text, unmasked, vault references resolved; owned */
    json_t *references; /* the keys given as {vault://...}, to that text; owned */
    json_t *origins;    /* every key that was set, to where: "<file>:<line>", a variable; owned */
    char node_id[37]; /* key node_id, else <prefix>/kong.id, else new: prefix_prepare() keeps it */
    char hostname[256];
};

/* A value from the command line: wins over file and environment. `value` "": unset. */
struct options_override {
    const char *key;
    const char *value;
};

/* `config_path` / `prefix` from the command line, NULL if not given. Without `config_path` the file
 * is /etc/sluice/sluice.conf, else /etc/sluice.conf, else none. NULL: every problem was added to
 * *error, a heap text of one line each ("<key> has an invalid value: '<value>' (<accepted>); set by
 * <where>"), or NULL when out of memory. Warnings (unknown keys with the nearest known name) go to
 * stderr. */
struct options *options_load(const char *config_path, const char *prefix, char **error)
    __attribute__((warn_unused_result));
/* The same with any keys overridden; `overrides` ends with a NULL key. */
struct options *options_load_with(const char *config_path, const struct options_override *overrides,
                                  char **error) __attribute__((warn_unused_result));
/* The prefix alone, by the same rules, without checking or warning about anything else: for
 * commands that look for a running gateway. Heap text; NULL: *error as above. */
char *options_prefix(const char *config_path, const char *prefix, char **error)
    __attribute__((warn_unused_result));
/* NULL is harmless. */
void options_destroy(struct options *options);
/* Text of one key as it was set or defaulted; NULL: no such key, or unset. Synonyms are keys too.
 */
const char *options_text(const struct options *options, const char *key);

#define SLUICE_VERSION "0.1.0"
#define KONG_VERSION "3.9.1" /* whose Admin API and PDK are honoured */

#endif
