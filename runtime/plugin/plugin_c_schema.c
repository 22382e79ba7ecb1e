/* SPDX-License-Identifier: Apache-2.0 */
/* plugin_c_schema.c -- translates struct pdk_field and struct pdk_check into the schema engine's
 * own description, so that C and Lua plugins are validated and shown alike. */
#include "plugin/plugin_c_schema.h"

#include <stdio.h>
#include <stdlib.h>

#include "config/schema.h"
#include "plugin/plugin_conf.h"

/* What a translation carries along; the first error ends it. */
struct reading {
    struct arena *arena;
    const struct pdk_plugin *plugin;
    char *error;
};

/* For the custom check: which plugin, and what it is called with. */
struct check_context {
    const struct pdk_plugin *plugin;
    const struct pdk *kong;
};

static void fail(struct reading *reading, const char *field, const char *why)
{
    char text[256];
    if (reading->error != NULL)
        return;
    snprintf(text, sizeof(text), "field '%s': %s", field == NULL ? "?" : field, why);
    reading->error = strdup(text);
}

static void drop_json(void *arg)
{
    json_decref(arg);
}

/* Hands `value` over to the arena. NULL stays NULL. */
static json_t *keep(struct reading *reading, json_t *value)
{
    if (value != NULL && !arena_on_clear(reading->arena, drop_json, value)) {
        json_decref(value);
        fail(reading, NULL, "out of memory");
        return NULL;
    }
    return value;
}

static void *zeroed(struct reading *reading, size_t bytes)
{
    void *result = arena_calloc(reading->arena, bytes);
    if (result == NULL)
        fail(reading, NULL, "out of memory");
    return result;
}

static const struct schema_record *read_record(struct reading *reading,
                                               const struct pdk_field *fields);

static enum schema_type type_of(enum pdk_type type)
{
    switch (type) {
    case PDK_STRING: return SCHEMA_STRING;
    case PDK_NUMBER: return SCHEMA_NUMBER;
    case PDK_INTEGER: return SCHEMA_INTEGER;
    case PDK_BOOLEAN: return SCHEMA_BOOLEAN;
    case PDK_ARRAY: return SCHEMA_ARRAY;
    case PDK_SET: return SCHEMA_SET;
    case PDK_MAP: return SCHEMA_MAP;
    case PDK_RECORD: return SCHEMA_RECORD;
    case PDK_END: break;
    }
    return SCHEMA_ANY;
}

static const struct schema_pattern *read_patterns(struct reading *reading, const char *const *pairs)
{
    size_t count = 0;
    while (pairs != NULL && pairs[count] != NULL)
        count += 2;
    if (count == 0)
        return NULL;
    struct schema_pattern *patterns = zeroed(reading, (count / 2 + 1) * sizeof(*patterns));
    for (size_t i = 0; patterns != NULL && i < count / 2; i++)
        patterns[i] = (struct schema_pattern){pairs[2 * i], pairs[2 * i + 1]};
    return patterns;
}

static void read_constraints(struct reading *reading, const struct pdk_field *from,
                             struct schema_field *to)
{
    if (from->between != NULL) {
        to->has_between = true;
        to->between[0] = from->between[0];
        to->between[1] = from->between[1];
    }
    if (from->gt != NULL) {
        to->has_gt = true;
        to->gt = *from->gt;
    }
    if (from->is_empty_allowed) {
        to->has_len_min = true;
        to->len_min = 0;
    }
    if (from->match != NULL) {
        const char *const pair[] = {from->match, NULL, NULL};
        struct schema_pattern *patterns = zeroed(reading, 2 * sizeof(*patterns));
        if (patterns != NULL)
            patterns[0].pattern = pair[0];
        to->match = patterns;
    }
    to->match_none = read_patterns(reading, from->match_none);
    if (from->one_of != NULL) {
        json_t *list = json_array();
        for (size_t i = 0; list != NULL && from->one_of[i] != NULL; i++)
            json_array_append_new(list, json_string(from->one_of[i]));
        to->one_of = keep(reading, list);
    }
}

static void read_field(struct reading *reading, const struct pdk_field *from,
                       struct schema_field *to)
{
    *to = (struct schema_field){
        .name = from->name,
        .type = type_of(from->type),
        .required = from->required,
        .referenceable = from->referenceable,
        .encrypted = from->encrypted,
        .redirect = from->redirect,
        .description = from->help,
    };
    read_constraints(reading, from, to);
    if (from->default_json != NULL) {
        to->default_value =
            keep(reading, json_loads(from->default_json, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL));
        if (to->default_value == NULL)
            fail(reading, from->name, "its default is not JSON");
    }
    bool needs_elements = from->type == PDK_ARRAY || from->type == PDK_SET || from->type == PDK_MAP;
    if (needs_elements && from->elements == NULL) {
        fail(reading, from->name, "an array, set or map must declare its elements");
        return;
    }
    if (from->type == PDK_RECORD)
        to->record = read_record(reading, from->fields);
    if (!needs_elements)
        return;
    struct schema_field *elements = zeroed(reading, sizeof(*elements));
    if (elements == NULL)
        return;
    read_field(reading, from->elements, elements);
    elements->name = NULL;
    if (from->type != PDK_MAP) {
        to->elements = elements;
        return;
    }
    struct schema_field *keys = zeroed(reading, sizeof(*keys));
    if (keys != NULL)
        keys->type = SCHEMA_STRING;
    to->keys = keys;
    to->values = elements;
}

static const struct schema_record *read_record(struct reading *reading,
                                               const struct pdk_field *fields)
{
    size_t count = 0;
    while (fields != NULL && fields[count].type != PDK_END)
        count++;
    struct schema_record *record = zeroed(reading, sizeof(*record));
    struct schema_field *list = zeroed(reading, (count + 1) * sizeof(*list));
    if (record == NULL || list == NULL)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        if (fields[i].name == NULL)
            fail(reading, NULL, "a field has no name");
        read_field(reading, &fields[i], &list[i]);
    }
    record->fields = list;
    record->field_count = count;
    return record;
}

static void run_check(const void *context, const json_t *entity, struct schema_errors *errors)
{
    const struct check_context *with = context;
    struct arena arena;
    arena_init(&arena, NULL);
    struct pdk_conf conf = {json_object_get(entity, "config"), &arena, errors};
    bool is_fine = with->plugin->check(with->kong, &conf);
    if (!is_fine && schema_errors_is_empty(errors))
        schema_errors_add(errors, "@entity", "the configuration is refused by the plugin");
    arena_clear(&arena);
}

/* "config.<name>" for every field of a check. */
static const char *const *check_fields(struct reading *reading, const struct pdk_check *check,
                                       size_t *count)
{
    size_t n = 0, most = sizeof(check->fields) / sizeof(check->fields[0]);
    while (n < most && check->fields[n] != NULL)
        n++;
    const char **names = zeroed(reading, (n + 1) * sizeof(*names));
    for (size_t i = 0; names != NULL && i < n; i++)
        names[i] = arena_printf(reading->arena, "config.%s", check->fields[i]).ptr;
    *count = n;
    return names;
}

/* "if this field has that value, these others are required": one conditional check for each. */
static size_t read_conditional(struct reading *reading, const struct pdk_check *from,
                               const char *const *names, size_t count, struct schema_check *to)
{
    struct schema_field *is_value = zeroed(reading, sizeof(*is_value));
    struct schema_field *is_required = zeroed(reading, sizeof(*is_required));
    if (is_value == NULL || is_required == NULL)
        return 0;
    is_value->eq = keep(reading, json_string(from->value));
    is_required->required = true;
    for (size_t i = 1; i < count; i++) {
        const char **pair = zeroed(reading, 3 * sizeof(*pair));
        if (pair == NULL)
            return 0;
        pair[0] = names[0];
        pair[1] = names[i];
        to[i - 1] = (struct schema_check){.type = SCHEMA_CONDITIONAL,
                                          .fields = pair,
                                          .if_match = is_value,
                                          .then_match = is_required};
    }
    return count - 1;
}

static size_t read_check(struct reading *reading, const struct pdk_check *from,
                         struct schema_check *to)
{
    size_t count;
    const char *const *names = check_fields(reading, from, &count);
    if (names == NULL)
        return 0;
    to->fields = names;
    switch (from->type) {
    case PDK_CHECK_AT_LEAST_ONE_OF: to->type = SCHEMA_AT_LEAST_ONE_OF; return 1;
    case PDK_CHECK_ONLY_ONE_OF: to->type = SCHEMA_ONLY_ONE_OF; return 1;
    case PDK_CHECK_MUTUALLY_REQUIRED: to->type = SCHEMA_MUTUALLY_REQUIRED; return 1;
    case PDK_CHECK_IF_THEN_REQUIRED: return read_conditional(reading, from, names, count, to);
    case PDK_CHECK_END: break;
    }
    return 0;
}

static void read_checks(struct reading *reading, const struct pdk *kong,
                        struct schema_record *record)
{
    const struct pdk_check *checks = reading->plugin->checks;
    size_t most = 1;
    for (size_t i = 0; checks != NULL && checks[i].type != PDK_CHECK_END; i++)
        most += sizeof(checks[i].fields) / sizeof(checks[i].fields[0]);
    struct schema_check *list = zeroed(reading, most * sizeof(*list));
    if (list == NULL)
        return;
    record->checks = list;
    for (size_t i = 0; checks != NULL && checks[i].type != PDK_CHECK_END; i++)
        record->check_count += read_check(reading, &checks[i], &list[record->check_count]);
    if (reading->plugin->check == NULL)
        return;
    struct check_context *context = zeroed(reading, sizeof(*context));
    if (context == NULL)
        return;
    *context = (struct check_context){reading->plugin, kong};
    list[record->check_count++] = (struct schema_check){
        .type = SCHEMA_CUSTOM, .run = run_check, .context = context, .is_hidden = true};
}

/* A scope that the plugin does not allow must be null. */
static void pin(struct reading *reading, struct schema_field *field, const char *name,
                const char *reference)
{
    *field = (struct schema_field){
        .name = name, .type = SCHEMA_FOREIGN, .reference = reference, .on_delete = SCHEMA_CASCADE};
    field->eq = keep(reading, json_null());
}

static void read_protocols(struct reading *reading, struct schema_field *field)
{
    struct schema_field *element = zeroed(reading, sizeof(*element));
    if (element == NULL)
        return;
    element->type = SCHEMA_STRING;
    element->one_of = keep(reading, json_pack("[s,s,s,s]", "grpc", "grpcs", "http", "https"));
    *field = (struct schema_field){
        .name = "protocols",
        .type = SCHEMA_SET,
        .required = true,
        .elements = element,
        .description = "A set of strings representing HTTP protocols.",
    };
    field->default_value = keep(reading, json_pack("[s,s,s,s]", "grpc", "grpcs", "http", "https"));
}

struct schema *plugin_c_schema(struct arena *arena, const struct pdk_plugin *plugin,
                               const struct pdk *kong, char **error)
{
    enum { MOST_FIELDS = 5 };
    struct reading reading = {.arena = arena, .plugin = plugin};
    struct schema *schema = zeroed(&reading, sizeof(*schema));
    struct schema_field *fields = zeroed(&reading, MOST_FIELDS * sizeof(*fields));
    if (schema != NULL && fields != NULL) {
        size_t n = 0;
        read_protocols(&reading, &fields[n++]);
        if ((plugin->flags & PDK_NO_CONSUMER) != 0)
            pin(&reading, &fields[n++], "consumer", "consumers");
        if ((plugin->flags & PDK_NO_SERVICE) != 0)
            pin(&reading, &fields[n++], "service", "services");
        if ((plugin->flags & PDK_NO_ROUTE) != 0)
            pin(&reading, &fields[n++], "route", "routes");
        fields[n++] = (struct schema_field){.name = "config",
                                            .type = SCHEMA_RECORD,
                                            .required = true,
                                            .record = read_record(&reading, plugin->fields)};
        schema->name = plugin->name;
        schema->record.fields = fields;
        schema->record.field_count = n;
        read_checks(&reading, kong, &schema->record);
    }
    if (reading.error == NULL)
        return schema;
    *error = reading.error;
    return NULL;
}
