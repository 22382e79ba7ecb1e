/* SPDX-License-Identifier: Apache-2.0 */
/* fields.c -- Kong's schema of rate-limiting as tables, and the checks over several fields. */
#include "fields.h"

#include <stdio.h>

#include "window.h"

static const double nothing = 0;
static const double ports[] = {0, 65535};
static const double timeouts_ms[] = {0, 2147483646};
static const char *const identifiers[] = {"consumer", "credential", "ip", "service",
                                          "header",   "path",       NULL};
static const char *const policies[] = {"local", "cluster", "redis", NULL};
static const char *const path_patterns[] = {"^[^/]", "should start with: /", "//",
                                            "must not have empty segments", NULL};

static const struct pdk_field redis_fields[] = {
    {.name = "host", .type = PDK_STRING, .help = "Name or address of the Redis server."},
    {.name = "port",
     .type = PDK_INTEGER,
     .between = ports,
     .default_json = "6379",
     .help = "Port of the Redis server."},
    {.name = "timeout",
     .type = PDK_INTEGER,
     .between = timeouts_ms,
     .default_json = "2000",
     .help = "Milliseconds to connect, to send and to receive."},
    {.name = "username",
     .type = PDK_STRING,
     .referenceable = true,
     .help = "User of the ACL AUTH command; needs a password."},
    {.name = "password",
     .type = PDK_STRING,
     .referenceable = true,
     .encrypted = true,
     .is_empty_allowed = true,
     .help = "Password of the AUTH command."},
    {.name = "database",
     .type = PDK_INTEGER,
     .default_json = "0",
     .help = "Number of the database."},
    {.name = "ssl", .type = PDK_BOOLEAN, .default_json = "false", .help = "Connects by TLS."},
    {.name = "ssl_verify",
     .type = PDK_BOOLEAN,
     .default_json = "false",
     .help = "Verifies the certificate of the server."},
    {.name = "server_name", .type = PDK_STRING, .help = "Server name (SNI) of the TLS handshake."},
    {0},
};

#define LIMIT(unit)                                                                                \
    {                                                                                              \
        .name = unit, .type = PDK_NUMBER, .gt = &nothing, .help = "Requests allowed per " unit "." \
    }
/* Names of former releases. */
#define ALIAS(field, field_type, of, ...)                                                          \
    {                                                                                              \
        .name = field, .type = field_type, .redirect = of, __VA_ARGS__                             \
    }

const struct pdk_field fields_of_config[] = {
    LIMIT("second"),
    LIMIT("minute"),
    LIMIT("hour"),
    LIMIT("day"),
    LIMIT("month"),
    LIMIT("year"),
    {.name = "limit_by",
     .type = PDK_STRING,
     .one_of = identifiers,
     .default_json = "\"consumer\"",
     .help = "Whose requests are counted together. What a request has not is replaced by the "
             "client's address."},
    {.name = "header_name", .type = PDK_STRING, .help = "The header of limit_by \"header\"."},
    {.name = "path",
     .type = PDK_STRING,
     .match_none = path_patterns,
     .help = "The path of limit_by \"path\"."},
    {.name = "policy",
     .type = PDK_STRING,
     .is_empty_allowed = true,
     .one_of = policies,
     .default_json = "\"local\"",
     .help = "Where requests are counted; \"local\" counts in the memory of the node."},
    {.name = "fault_tolerant",
     .type = PDK_BOOLEAN,
     .required = true,
     .default_json = "true",
     .help = "Lets requests pass while they cannot be counted."},
    {.name = "redis",
     .type = PDK_RECORD,
     .required = true,
     .fields = redis_fields,
     .help = "The server of policy \"redis\"."},
    {.name = "hide_client_headers",
     .type = PDK_BOOLEAN,
     .required = true,
     .default_json = "false",
     .help = "Leaves the headers that tell clients about their limits out."},
    {.name = "error_code",
     .type = PDK_NUMBER,
     .gt = &nothing,
     .default_json = "429",
     .help = "Status of a refusal."},
    {.name = "error_message",
     .type = PDK_STRING,
     .default_json = "\"API rate limit exceeded\"",
     .help = "Message of a refusal."},
    {.name = "sync_rate",
     .type = PDK_NUMBER,
     .required = true,
     .default_json = "-1",
     .help = "Seconds between two exchanges of counts with the server of policy \"redis\"; -1: "
             "with every request."},
    ALIAS("redis_host", PDK_STRING, "redis.host"),
    ALIAS("redis_port", PDK_INTEGER, "redis.port", .between = ports),
    ALIAS("redis_password", PDK_STRING, "redis.password", .is_empty_allowed = true),
    ALIAS("redis_username", PDK_STRING, "redis.username"),
    ALIAS("redis_ssl", PDK_BOOLEAN, "redis.ssl"),
    ALIAS("redis_ssl_verify", PDK_BOOLEAN, "redis.ssl_verify"),
    ALIAS("redis_server_name", PDK_STRING, "redis.server_name"),
    ALIAS("redis_timeout", PDK_INTEGER, "redis.timeout", .between = timeouts_ms),
    ALIAS("redis_database", PDK_INTEGER, "redis.database"),
    {0},
};

const struct pdk_check fields_checks[] = {
    {.type = PDK_CHECK_AT_LEAST_ONE_OF,
     .fields = {"second", "minute", "hour", "day", "month", "year"}},
    {.type = PDK_CHECK_IF_THEN_REQUIRED,
     .fields = {"policy", "redis.host", "redis.port", "redis.timeout"},
     .value = "redis"},
    {.type = PDK_CHECK_IF_THEN_REQUIRED, .fields = {"limit_by", "header_name"}, .value = "header"},
    {.type = PDK_CHECK_IF_THEN_REQUIRED, .fields = {"limit_by", "path"}, .value = "path"},
    {0},
};

/* A longer period with a lower limit would make the shorter one pointless. */
static bool check_order(const struct pdk *kong, struct pdk_conf *in)
{
    const struct pdk_conf_api *conf = kong->conf;
    for (int i = 0; i < WINDOW_UNITS; i++) {
        const char *shorter = window_name((enum window_unit)i);
        for (int j = i + 1; conf->is_set(in, shorter) && j < WINDOW_UNITS; j++) {
            const char *longer = window_name((enum window_unit)j);
            double low = conf->get_number(in, longer), high = conf->get_number(in, shorter);
            if (!conf->is_set(in, longer) || low >= high)
                continue;
            char message[512];
            snprintf(message, sizeof(message),
                     "The limit for %s(%.1f) cannot be lower than the limit for %s(%.1f)", longer,
                     low, shorter, high);
            return conf->set_error(in, NULL, message);
        }
    }
    return true;
}

static bool check_header_name(const struct pdk *kong, struct pdk_conf *in)
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
    struct pdk_str name = kong->conf->get_string(in, "header_name");
    char message[256];
    for (size_t i = 0; i < name.len; i++) {
        if (memchr(allowed, name.ptr[i], sizeof(allowed) - 1) != NULL)
            continue;
        snprintf(message, sizeof(message),
                 "bad header name '%.*s', allowed characters are A-Z, a-z, 0-9, '_', and '-'",
                 (int)(name.len < 100 ? name.len : 100), name.ptr);
        return kong->conf->set_error(in, "header_name", message);
    }
    return true;
}

/* The other policies are names that Kong knows; counting that is shared between nodes is not part
 * of this build. */
static bool check_policy(const struct pdk *kong, struct pdk_conf *in)
{
    struct pdk_str policy = kong->conf->get_string(in, "policy");
    char message[160];
    bool is_redis = pdk_str_eq(policy, PDK_STR("redis"));
    if (!is_redis && kong->conf->get_number(in, "sync_rate") != -1)
        return kong->conf->set_error(in, NULL, "sync_rate can only be used with the redis policy");
    if (!is_redis && !pdk_str_eq(policy, PDK_STR("cluster")))
        return true;
    snprintf(message, sizeof(message),
             "policy '%.*s' is not available in this build, only 'local' is: requests are counted "
             "per node",
             (int)policy.len, policy.ptr);
    return kong->conf->set_error(in, "policy", message);
}

bool fields_check(const struct pdk *kong, struct pdk_conf *in)
{
    bool is_ordered = check_order(kong, in);
    bool is_named = check_header_name(kong, in);
    return check_policy(kong, in) && is_ordered && is_named;
}
