/* SPDX-License-Identifier: Apache-2.0 */
/* entities.c -- the core entities as data (reference: admin-api.md section 7).
 *
 * JSON values cannot stand in a C initialiser, so the tables hold them as JSON text;
 * entities_build() copies the tables into an arena and parses the text there, once. */
#include "config/entities.h"

#define TEXT(name_, ...)                                                                           \
    {                                                                                              \
        .field = {.name = name_, .type = SCHEMA_STRING, __VA_ARGS__ }                              \
    }

/* A field of a table below: the constraints that C can express, and the rest as JSON text. */
struct template
{
    struct schema_field field;
    const char *default_json, *one_of_json, *not_one_of_json, *eq_json, *subsets_json;
    const struct template *elements, *keys, *values;
    const struct template *members; /* of a record; ends with a field without name */
    const struct check_template *checks;
};

struct check_template {
    struct schema_check check;
    const struct template *if_match, *then_match;
    bool is_used; /* false ends the table */
};

struct entity_template {
    struct schema schema;
    const struct template *fields;
    const struct check_template *checks;
};

/* -------------------------------------------------------------------------- shared by entities */

static const char protocols_json[] =
    "[\"grpc\",\"grpcs\",\"http\",\"https\",\"tcp\",\"tls\",\"tls_passthrough\",\"udp\"]";

#define ID_FIELD                                                                                   \
    {                                                                                              \
        .field = {                                                                                 \
            .name = "id",                                                                          \
            .type = SCHEMA_STRING,                                                                 \
            .uuid = true,                                                                          \
            .is_auto = true,                                                                       \
            .description = "Identifier, a UUID."                                                   \
        }                                                                                          \
    }
#define CREATED_FIELD                                                                              \
    {                                                                                              \
        .field = {                                                                                 \
            .name = "created_at",                                                                  \
            .type = SCHEMA_INTEGER,                                                                \
            .timestamp = true,                                                                     \
            .is_auto = true,                                                                       \
            .description = "Time of creation, Unix seconds."                                       \
        }                                                                                          \
    }
#define UPDATED_FIELD                                                                              \
    {                                                                                              \
        .field = {                                                                                 \
            .name = "updated_at",                                                                  \
            .type = SCHEMA_INTEGER,                                                                \
            .timestamp = true,                                                                     \
            .is_auto = true,                                                                       \
            .description = "Time of the last change, Unix seconds."                                \
        }                                                                                          \
    }
#define TAGS_FIELD                                                                                 \
    {                                                                                              \
        .field = {.name = "tags",                                                                  \
                  .type = SCHEMA_SET,                                                              \
                  .description = "Labels for grouping and filtering."},                            \
        .elements = &tag                                                                           \
    }
#define NAME_FIELD(name_, description_)                                                            \
    TEXT(name_, .unique = true, .validate = entities_check_name, .description = description_)

static const struct template tag = {
    .field = {.type = SCHEMA_STRING, .required = true, .validate = entities_check_tag}};
static const struct template protocol = {.field = {.type = SCHEMA_STRING},
                                         .one_of_json = protocols_json};
static const struct template eq_null = {.eq_json = "null"};

/* ------------------------------------------------------------------------------------ services */

#define TIMEOUT_FIELD(name_, description_)                                                         \
    {                                                                                              \
        .field = {.name = name_,                                                                   \
                  .type = SCHEMA_INTEGER,                                                          \
                  .has_between = true,                                                             \
                  .between = {1, 2147483646},                                                      \
                  .description = description_},                                                    \
        .default_json = "60000"                                                                    \
    }

static const struct schema_pattern no_empty_segments[] = {{"//", "must not have empty segments"},
                                                          {0}};
static const struct template uuid_element = {.field = {.type = SCHEMA_STRING, .uuid = true}};

static const struct template service_fields[] = {
    ID_FIELD,
    CREATED_FIELD,
    UPDATED_FIELD,
    NAME_FIELD("name", "Name of the service."),
    {.field = {.name = "retries",
               .type = SCHEMA_INTEGER,
               .has_between = true,
               .between = {0, 32767},
               .description = "How often a failed request is tried again."},
     .default_json = "5"},
    {.field = {.name = "protocol",
               .type = SCHEMA_STRING,
               .required = true,
               .description = "Protocol spoken with the upstream."},
     .one_of_json = protocols_json,
     .default_json = "\"http\""},
    TEXT("host", .required = true, .validate = entities_check_host,
         .description = "Host name or IP of the upstream."),
    {.field = {.name = "port",
               .type = SCHEMA_INTEGER,
               .required = true,
               .has_between = true,
               .between = {0, 65535},
               .description = "Port of the upstream."},
     .default_json = "80"},
    TEXT("path", .starts_with = "/", .match_none = no_empty_segments,
         .validate = entities_check_path, .description = "Path put before that of the request."),
    TIMEOUT_FIELD("connect_timeout", "Milliseconds to connect."),
    TIMEOUT_FIELD("write_timeout", "Milliseconds between two writes to the upstream."),
    TIMEOUT_FIELD("read_timeout", "Milliseconds between two reads from the upstream."),
    TAGS_FIELD,
    {.field = {.name = "client_certificate",
               .type = SCHEMA_FOREIGN,
               .reference = "certificates",
               .description = "Certificate shown to the upstream."}},
    {.field = {.name = "tls_verify",
               .type = SCHEMA_BOOLEAN,
               .description =
                   "Whether the upstream's certificate is checked; null: as configured."}},
    {.field = {.name = "tls_verify_depth",
               .type = SCHEMA_INTEGER,
               .has_between = true,
               .between = {0, 64},
               .description = "Longest chain of certificates that is accepted."}},
    {.field = {.name = "ca_certificates",
               .type = SCHEMA_ARRAY,
               .description = "CA certificates that the upstream's is checked against."},
     .elements = &uuid_element},
    {.field = {.name = "enabled",
               .type = SCHEMA_BOOLEAN,
               .required = true,
               .description = "A disabled service is left out of routing."},
     .default_json = "true"},
    TEXT("url", .is_write_only = true,
         .description = "Sets protocol, host, port and path at once: scheme://host:port/path."),
    {.field = {.name = NULL}},
};

static const char *const protocol_path[] = {"protocol", "path", NULL};
static const char *const protocol_certificate[] = {"protocol", "client_certificate", NULL};
static const char *const protocol_verify[] = {"protocol", "tls_verify", NULL};
static const char *const protocol_depth[] = {"protocol", "tls_verify_depth", NULL};
static const char *const protocol_cas[] = {"protocol", "ca_certificates", NULL};
static const struct template no_path_protocol = {
    .one_of_json = "[\"tcp\",\"tls\",\"udp\",\"grpc\",\"grpcs\"]"};
static const struct template not_tls_protocol = {.not_one_of_json = "[\"https\",\"tls\"]"};

#define CONDITION(fields_, if_, then_)                                                             \
    {                                                                                              \
        .check = {.type = SCHEMA_CONDITIONAL, .fields = fields_}, .if_match = if_,                 \
        .then_match = then_, .is_used = true                                                       \
    }

static const struct check_template service_checks[] = {
    CONDITION(protocol_path, &no_path_protocol, &eq_null),
    CONDITION(protocol_certificate, &not_tls_protocol, &eq_null),
    CONDITION(protocol_verify, &not_tls_protocol, &eq_null),
    CONDITION(protocol_depth, &not_tls_protocol, &eq_null),
    CONDITION(protocol_cas, &not_tls_protocol, &eq_null),
    {.is_used = false},
};

/* -------------------------------------------------------------------------------------- routes */

static const struct schema_pattern upper_case[] = {{"^%u+$", NULL}, {0}};
static const struct schema_pattern one_wildcard[] = {
    {"^[^*]*%*?[^*]*$", "invalid wildcard: must have at most one wildcard"}, {0}};
static const struct schema_pattern wildcard_label[] = {
    {"^%*%.", "invalid wildcard: must be placed at leftmost or rightmost label"},
    {"%.%*$", NULL},
    {"^[^*]*$", NULL},
    {0}};
static const struct schema_pattern path_start[] = {
    {"^/", "should start with: / (fixed path) or ~/ (regex path)"}, {"^~/", NULL}, {0}};
static const struct schema_pattern no_host_header[] = {
    {"^[Hh][Oo][Ss][Tt]$",
     "cannot contain 'host' header, which must be specified in the 'hosts' attribute"},
    {0}};

static const struct template method = {.field = {.type = SCHEMA_STRING, .match = upper_case}};
static const struct template route_host = {.field = {.type = SCHEMA_STRING,
                                                     .match_all = one_wildcard,
                                                     .match_any = wildcard_label,
                                                     .validate = entities_check_route_host}};
static const struct template route_path = {.field = {.type = SCHEMA_STRING,
                                                     .match_none = no_empty_segments,
                                                     .match_any = path_start,
                                                     .validate = entities_check_route_path}};
static const struct template header_name = {.field = {.type = SCHEMA_STRING,
                                                      .match_none = no_host_header,
                                                      .validate = entities_check_header_name}};
static const struct template text_element = {.field = {.type = SCHEMA_STRING}};
static const struct template header_values = {.field = {.type = SCHEMA_ARRAY},
                                              .elements = &text_element};
static const struct template sni = {
    .field = {.type = SCHEMA_STRING, .validate = entities_check_sni}};

static const struct template address_fields[] = {
    TEXT("ip", .validate = entities_check_ip_or_cidr),
    {.field = {.name = "port", .type = SCHEMA_INTEGER, .has_between = true, .between = {0, 65535}}},
    {.field = {.name = NULL}},
};
static const char *const ip_port[] = {"ip", "port", NULL};
static const struct check_template address_checks[] = {
    {.check = {.type = SCHEMA_AT_LEAST_ONE_OF, .fields = ip_port}, .is_used = true},
    {.is_used = false},
};
static const struct template address = {
    .field = {.type = SCHEMA_RECORD}, .members = address_fields, .checks = address_checks};

#define SWITCH_FIELD(name_, default_, description_)                                                \
    {                                                                                              \
        .field = {.name = name_,                                                                   \
                  .type = SCHEMA_BOOLEAN,                                                          \
                  .required = true,                                                                \
                  .description = description_},                                                    \
        .default_json = default_                                                                   \
    }

static const struct template route_fields[] = {
    ID_FIELD,
    CREATED_FIELD,
    UPDATED_FIELD,
    NAME_FIELD("name", "Name of the route."),
    {.field = {.name = "protocols",
               .type = SCHEMA_SET,
               .required = true,
               .has_len_min = true,
               .len_min = 1,
               .description = "Protocols that the route takes."},
     .elements = &protocol,
     .subsets_json = "[[\"http\",\"https\"],[\"tcp\",\"tls\",\"udp\"],[\"tls_passthrough\"],"
                     "[\"grpc\",\"grpcs\"]]",
     .default_json = "[\"http\",\"https\"]"},
    {.field = {.name = "methods", .type = SCHEMA_SET, .description = "HTTP methods that match."},
     .elements = &method},
    {.field = {.name = "hosts",
               .type = SCHEMA_ARRAY,
               .description = "Host names that match; one label at an end may be a wildcard."},
     .elements = &route_host},
    {.field = {.name = "paths",
               .type = SCHEMA_ARRAY,
               .description = "Path prefixes, or regular expressions after a tilde, that match."},
     .elements = &route_path},
    {.field = {.name = "headers",
               .type = SCHEMA_MAP,
               .description = "Header fields that must have one of these values."},
     .keys = &header_name,
     .values = &header_values},
    {.field = {.name = "https_redirect_status_code",
               .type = SCHEMA_INTEGER,
               .required = true,
               .description = "Status when all but the protocol matches."},
     .one_of_json = "[426,301,302,307,308]",
     .default_json = "426"},
    {.field = {.name = "regex_priority",
               .type = SCHEMA_INTEGER,
               .description = "Higher is tried first among regular expressions."},
     .default_json = "0"},
    SWITCH_FIELD("strip_path", "true",
                 "Whether the matched prefix is cut off the upstream's path."),
    {.field = {.name = "path_handling",
               .type = SCHEMA_STRING,
               .description = "How service path, route path and request path are joined."},
     .one_of_json = "[\"v0\",\"v1\"]",
     .default_json = "\"v0\""},
    SWITCH_FIELD("preserve_host", "false", "Whether the upstream sees the client's Host."),
    SWITCH_FIELD("request_buffering", "true", "Whether request bodies are buffered."),
    SWITCH_FIELD("response_buffering", "true", "Whether response bodies are buffered."),
    {.field = {.name = "snis", .type = SCHEMA_SET, .description = "TLS server names that match."},
     .elements = &sni},
    {.field = {.name = "sources",
               .type = SCHEMA_SET,
               .description = "Client addresses of streams."},
     .elements = &address},
    {.field = {.name = "destinations",
               .type = SCHEMA_SET,
               .description = "Our addresses of streams."},
     .elements = &address},
    TAGS_FIELD,
    {.field = {.name = "service",
               .type = SCHEMA_FOREIGN,
               .reference = "services",
               .description = "Where matching requests go."}},
    {.field = {.name = NULL}},
};

static const char *const protocols_snis[] = {"protocols", "snis", NULL};
static const struct template without_tls = {
    .field = {.type = SCHEMA_STRING},
    .not_one_of_json = "[\"grpcs\",\"https\",\"tls\",\"tls_passthrough\"]"};
static const struct template protocols_without_tls = {.elements = &without_tls};
static const struct template no_elements = {.field = {.has_len_eq = true}};

static const struct check_template route_checks[] = {
    {.check = {.type = SCHEMA_CONDITIONAL,
               .fields = protocols_snis,
               .then_error =
                   "'snis' can only be set when 'protocols' is 'grpcs', 'https', 'tls' or "
                   "'tls_passthrough'"},
     .if_match = &protocols_without_tls,
     .then_match = &no_elements,
     .is_used = true},
    {.check = {.type = SCHEMA_CUSTOM, .run = entities_check_route, .is_hidden = true},
     .is_used = true},
    {.is_used = false},
};

/* ---------------------------------------------------- consumers, plugins, key-auth credentials */

static const struct template consumer_fields[] = {
    ID_FIELD,
    CREATED_FIELD,
    UPDATED_FIELD,
    TEXT("username", .unique = true, .description = "Name of the consumer."),
    TEXT("custom_id", .unique = true, .description = "The consumer's identifier elsewhere."),
    TAGS_FIELD,
    {.field = {.name = NULL}},
};

static const char *const custom_id_username[] = {"custom_id", "username", NULL};
static const struct check_template consumer_checks[] = {
    {.check = {.type = SCHEMA_AT_LEAST_ONE_OF, .fields = custom_id_username}, .is_used = true},
    {.is_used = false},
};

#define SCOPE_FIELD(name_, reference_, description_)                                               \
    {                                                                                              \
        .field = {                                                                                 \
            .name = name_,                                                                         \
            .type = SCHEMA_FOREIGN,                                                                \
            .reference = reference_,                                                               \
            .on_delete = SCHEMA_CASCADE,                                                           \
            .description = description_                                                            \
        }                                                                                          \
    }

static const struct template plugin_fields[] = {
    ID_FIELD,
    CREATED_FIELD,
    UPDATED_FIELD,
    TEXT("name", .required = true, .description = "Name of the plugin."),
    NAME_FIELD("instance_name", "Name of this configuration of the plugin."),
    SCOPE_FIELD("route", "routes", "Runs only for this route."),
    SCOPE_FIELD("service", "services", "Runs only for routes of this service."),
    SCOPE_FIELD("consumer", "consumers", "Runs only for this consumer."),
    {.field = {.name = "config",
               .type = SCHEMA_RECORD,
               .description = "The plugin's own settings."}},
    {.field = {.name = "protocols",
               .type = SCHEMA_SET,
               .required = true,
               .description = "Protocols for which the plugin runs."},
     .elements = &protocol,
     .default_json = "[\"grpc\",\"grpcs\",\"http\",\"https\"]"},
    SWITCH_FIELD("enabled", "true", "Whether the plugin runs."),
    TAGS_FIELD,
    {.field = {.name = NULL}},
};

static const struct template keyauth_fields[] = {
    ID_FIELD,
    CREATED_FIELD,
    {.field = {.name = "consumer",
               .type = SCHEMA_FOREIGN,
               .reference = "consumers",
               .required = true,
               .on_delete = SCHEMA_CASCADE,
               .description = "Whose key it is."}},
    TEXT("key", .unique = true, .is_auto = true, .description = "The key; made when not given."),
    TAGS_FIELD,
    {.field = {.name = NULL}},
};

static const char *const plugin_unique[] = {"name", "route", "service", "consumer", NULL};

static const struct entity_template templates[ENTITIES_COUNT] = {
    {.schema = {.name = "services",
                .collection = "services",
                .endpoint_key = "name",
                .is_taggable = true,
                .prepare = entities_expand_service},
     .fields = service_fields,
     .checks = service_checks},
    {.schema = {.name = "routes",
                .collection = "routes",
                .endpoint_key = "name",
                .is_taggable = true,
                .prepare = entities_prepare_route},
     .fields = route_fields,
     .checks = route_checks},
    {.schema = {.name = "consumers",
                .collection = "consumers",
                .endpoint_key = "username",
                .is_taggable = true},
     .fields = consumer_fields,
     .checks = consumer_checks},
    {.schema = {.name = "plugins",
                .collection = "plugins",
                .endpoint_key = "instance_name",
                .unique_together = plugin_unique,
                .is_taggable = true},
     .fields = plugin_fields},
    {.schema = {.name = "keyauth_credentials",
                .collection = "key-auths",
                .nested = "key-auth",
                .endpoint_key = "key",
                .has_ttl = true,
                .is_taggable = true},
     .fields = keyauth_fields},
};

/* ------------------------------------------------------------------------------------ building */

static const struct schema_record *build_record(struct arena *arena, const struct template *fields,
                                                const struct check_template *checks);

static void release_json(void *json)
{
    json_decref(json);
}

/* Parses `text` into the arena's care; NULL stays NULL. */
static bool build_json(struct arena *arena, const char *text, json_t **out)
{
    if (text == NULL)
        return true;
    *out = json_loads(text, JSON_DECODE_ANY, NULL);
    if (*out == NULL)
        return false;
    if (arena_on_clear(arena, release_json, *out))
        return true;
    json_decref(*out);
    return false;
}

static const struct schema_field *build_one(struct arena *arena, const struct template *from);

static bool build_field(struct arena *arena, const struct template *from, struct schema_field *to)
{
    *to = from->field;
    if (!build_json(arena, from->default_json, &to->default_value) ||
        !build_json(arena, from->one_of_json, &to->one_of) ||
        !build_json(arena, from->not_one_of_json, &to->not_one_of) ||
        !build_json(arena, from->eq_json, &to->eq) ||
        !build_json(arena, from->subsets_json, &to->exclusive_subsets))
        return false;
    if (from->elements != NULL && (to->elements = build_one(arena, from->elements)) == NULL)
        return false;
    if (from->keys != NULL && (to->keys = build_one(arena, from->keys)) == NULL)
        return false;
    if (from->values != NULL && (to->values = build_one(arena, from->values)) == NULL)
        return false;
    if (from->members == NULL)
        return true;
    to->record = build_record(arena, from->members, from->checks);
    return to->record != NULL;
}

static const struct schema_field *build_one(struct arena *arena, const struct template *from)
{
    struct schema_field *field = arena_calloc(arena, sizeof(*field));
    return field != NULL && build_field(arena, from, field) ? field : NULL;
}

static bool build_check(struct arena *arena, const struct check_template *from,
                        struct schema_check *to)
{
    *to = from->check;
    if (from->if_match != NULL && (to->if_match = build_one(arena, from->if_match)) == NULL)
        return false;
    return from->then_match == NULL ||
           (to->then_match = build_one(arena, from->then_match)) != NULL;
}

static const struct schema_record *build_record(struct arena *arena, const struct template *fields,
                                                const struct check_template *checks)
{
    size_t field_count = 0, check_count = 0;
    while (fields[field_count].field.name != NULL)
        field_count++;
    while (checks != NULL && checks[check_count].is_used)
        check_count++;
    struct schema_record *record = arena_calloc(arena, sizeof(*record));
    struct schema_field *built = arena_calloc(arena, field_count * sizeof(*built));
    struct schema_check *built_checks =
        arena_calloc(arena, (check_count + 1) * sizeof(*built_checks));
    if (record == NULL || built == NULL || built_checks == NULL)
        return NULL;
    for (size_t i = 0; i < field_count; i++)
        if (!build_field(arena, &fields[i], &built[i]))
            return NULL;
    for (size_t i = 0; i < check_count; i++)
        if (!build_check(arena, &checks[i], &built_checks[i]))
            return NULL;
    *record = (struct schema_record){built, field_count, built_checks, check_count};
    return record;
}

bool entities_build(struct arena *arena, const struct schema *out[ENTITIES_COUNT])
{
    for (size_t i = 0; i < ENTITIES_COUNT; i++) {
        struct schema *schema = arena_calloc(arena, sizeof(*schema));
        const struct schema_record *record =
            schema == NULL ? NULL : build_record(arena, templates[i].fields, templates[i].checks);
        if (record == NULL)
            return false;
        *schema = templates[i].schema;
        schema->record = *record;
        out[i] = schema;
    }
    return true;
}
