/* SPDX-License-Identifier: Apache-2.0 */
/* declarative.c -- a declarative document to rows.
 *
 *   collect   walks the document, hoists nested children, keeps for each entry where it stood
 *   identify  parents before children: resolves references, gives ids
 *   process   schema_process() on each row, errors reported at the entry's place
 *   unique    no two rows share a key
 *
 * All steps run even if one found errors, so that the tree names everything at once. */
#include "config/declarative.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "config/declarative_yaml.h"
#include "config/schema_parts.h"

static const char id_space[] = "fd02801f-0957-4a15-a55a-c8d9606f30b5";
static const char default_workspace[] = "0dc6f45b-8f8d-40d2-a504-473544ee190b";

/* An entry of the document. */
struct entry {
    struct entry *next; /* of the same schema, in document order */
    const struct schema *schema;
    json_t *row; /* owned through the loader's `rows` */
    struct schema_place place;
    const struct entry *parent;      /* it is nested in; NULL: none */
    const struct schema_field *link; /* its field that refers to `parent` */
};

struct table {
    const struct schema *schema;
    struct entry *first, **last;
    json_t *rows;  /* the array in the result */
    json_t *by_id; /* id and endpoint key -> id */
};

enum { TABLES_MAX = 32 };

struct loader {
    struct arena arena;
    struct schema_errors *errors;
    schema_plugin_lookup lookup;
    void *lookup_context;
    bool is_before_3; /* format 1.1 or 2.1: regex paths have no "~" */
    bool is_out_of_memory;
    struct table tables[TABLES_MAX];
    size_t table_count;
};

static struct table *table_of(struct loader *loader, const char *name)
{
    for (size_t i = 0; i < loader->table_count; i++)
        if (strcmp(loader->tables[i].schema->name, name) == 0)
            return &loader->tables[i];
    return NULL;
}

/* ---------------------------------------------------------------------------------- collecting */

static void collect_list(struct loader *loader, struct table *table, const json_t *list,
                         struct schema_place *place, const struct entry *parent,
                         const struct schema_field *link);

/* The field of `child` that refers to `parent`; NULL: none. */
static const struct schema_field *link_between(const struct schema *child,
                                               const struct schema *parent)
{
    for (size_t i = 0; i < child->record.field_count; i++) {
        const struct schema_field *field = &child->record.fields[i];
        if (field->type == SCHEMA_FOREIGN && strcmp(field->reference, parent->name) == 0)
            return field;
    }
    return NULL;
}

static struct schema_place *place_below(struct loader *loader, const struct schema_place *up,
                                        const char *name, size_t position)
{
    struct schema_place *place = arena_alloc(&loader->arena, sizeof(*place));
    if (place == NULL)
        loader->is_out_of_memory = true;
    else
        *place = (struct schema_place){up, name, position};
    return place;
}

/* Takes the arrays of children out of the row. */
static void collect_children(struct loader *loader, struct entry *entry)
{
    for (size_t i = 0; i < loader->table_count; i++) {
        const struct schema *child = loader->tables[i].schema;
        const struct schema_field *link = link_between(child, entry->schema);
        json_t *list = link == NULL ? NULL : json_object_get(entry->row, child->name);
        if (list == NULL || schema_record_field(&entry->schema->record, child->name) != NULL)
            continue;
        struct schema_place *place = place_below(loader, &entry->place, child->name, 0);
        if (place != NULL && !json_is_null(list))
            collect_list(loader, &loader->tables[i], list, place, entry, link);
        (void)json_object_del(entry->row, child->name);
    }
}

/* Comments are for people: checked for their type and dropped. */
static void drop_comments(struct loader *loader, json_t *object)
{
    const json_t *comment = json_object_get(object, "_comment");
    const json_t *ignore = json_object_get(object, "_ignore");
    if (comment != NULL && !json_is_null(comment) && !json_is_string(comment))
        schema_errors_add(loader->errors, "_comment", "expected a string");
    if (ignore != NULL && !json_is_null(ignore) && !json_is_array(ignore))
        schema_errors_add(loader->errors, "_ignore", "expected an array");
    (void)json_object_del(object, "_comment");
    (void)json_object_del(object, "_ignore");
}

/* Before 3.0 a path with other than plain characters was a regex; since then it carries a "~". */
static void convert_paths(json_t *row)
{
    json_t *paths = json_object_get(row, "paths");
    for (size_t i = 0; i < json_array_size(paths); i++) {
        const char *path = json_string_value(json_array_get(paths, i));
        if (path == NULL || *path != '/')
            continue;
        const char *at = path;
        while (isalnum((unsigned char)*at) || (*at != '\0' && strchr(".-_~/%", *at) != NULL))
            at++;
        if (*at != '\0')
            (void)json_array_set_new(paths, i, json_sprintf("~%s", path));
    }
}

static void collect_entry(struct loader *loader, struct table *table, const json_t *value,
                          const struct schema_place *list, size_t position,
                          const struct entry *parent, const struct schema_field *link)
{
    struct entry *entry = arena_calloc(&loader->arena, sizeof(*entry));
    json_t *row = json_deep_copy(value);
    if (entry == NULL || row == NULL || json_array_append_new(table->rows, row) != 0) {
        loader->is_out_of_memory = true;
        return;
    }
    *entry = (struct entry){.schema = table->schema,
                            .row = row,
                            .place = {list, NULL, position},
                            .parent = parent,
                            .link = link};
    loader->errors->at = &entry->place;
    if (!json_is_object(row)) {
        schema_errors_put(loader->errors, "expected a record");
        return;
    }
    if (link != NULL && json_object_get(row, link->name) != NULL)
        schema_errors_add(loader->errors, link->name, "unknown field");
    drop_comments(loader, row);
    if (loader->is_before_3 && strcmp(table->schema->name, "routes") == 0)
        convert_paths(row);
    *table->last = entry;
    table->last = &entry->next;
    collect_children(loader, entry);
}

static void collect_list(struct loader *loader, struct table *table, const json_t *list,
                         struct schema_place *place, const struct entry *parent,
                         const struct schema_field *link)
{
    if (!json_is_array(list)) {
        loader->errors->at = place;
        schema_errors_put(loader->errors, "expected an array");
        return;
    }
    for (size_t i = 0; i < json_array_size(list) && !loader->is_out_of_memory; i++)
        collect_entry(loader, table, json_array_get(list, i), place, i + 1, parent, link);
}

static void check_version(struct loader *loader, const json_t *document)
{
    const json_t *version = json_object_get(document, "_format_version");
    const char *text = json_string_value(version);
    if (version == NULL || json_is_null(version))
        schema_errors_add(loader->errors, "_format_version", "required field missing");
    else if (text == NULL)
        schema_errors_add(loader->errors, "_format_version", "expected a string");
    else if (strcmp(text, "1.1") == 0 || strcmp(text, "2.1") == 0)
        loader->is_before_3 = true;
    else if (strcmp(text, "3.0") != 0)
        schema_errors_add(loader->errors, "_format_version", "expected one of: 1.1, 2.1, 3.0");
}

static void collect(struct loader *loader, const json_t *document)
{
    json_t *top = json_copy((json_t *)(uintptr_t)document);
    check_version(loader, document);
    (void)json_object_del(top, "_format_version");
    const json_t *transform = json_object_get(top, "_transform");
    if (transform != NULL && !json_is_boolean(transform))
        schema_errors_add(loader->errors, "_transform", "expected a boolean");
    (void)json_object_del(top, "_transform");
    drop_comments(loader, top);
    const char **names = top == NULL ? NULL : schema_text_sorted_keys(top);
    loader->is_out_of_memory = names == NULL;
    for (size_t i = 0; names != NULL && names[i] != NULL; i++) {
        struct table *table = table_of(loader, names[i]);
        struct schema_place *place =
            place_below(loader, NULL, table != NULL ? table->schema->name : names[i], 0);
        loader->errors->at = place;
        if (place != NULL && table == NULL)
            schema_errors_put(loader->errors, "unknown field");
        else if (place != NULL && !json_is_null(json_object_get(top, names[i])))
            collect_list(loader, table, json_object_get(top, names[i]), place, NULL, NULL);
    }
    loader->errors->at = NULL;
    free(names);
    json_decref(top);
}

/* --------------------------------------------------------------------------------- identifying */

/* What an entry says about its parent: text, or the one member of an object. NULL: nothing usable,
 * which schema_process() will report. */
static const char *reference_text(const json_t *value)
{
    if (json_is_object(value)) {
        const char *id = json_string_value(json_object_get(value, "id"));
        if (id != NULL || json_object_size(value) != 1)
            return id;
        return json_string_value(
            json_object_iter_value(json_object_iter((json_t *)(uintptr_t)value)));
    }
    return json_string_value(value);
}

static void resolve(struct loader *loader, struct entry *entry, const struct schema_field *field)
{
    json_t *value = json_object_get(entry->row, field->name);
    if (entry->link == field) {
        json_t *id = json_object_get(entry->parent->row, "id");
        (void)json_object_set_new(entry->row, field->name, json_pack("{s:O?}", "id", id));
        return;
    }
    const char *text = reference_text(value);
    if (text == NULL)
        return;
    const struct table *table = table_of(loader, field->reference);
    json_t *id = table == NULL ? NULL : json_object_get(table->by_id, text);
    if (id != NULL) {
        (void)json_object_set_new(entry->row, field->name, json_pack("{s:O}", "id", id));
        return;
    }
    schema_errors_add(loader->errors, field->name,
                      "invalid reference '%s: %s' (no such entry in '%s')", field->name, text,
                      field->reference);
    /* any id will do: the document is refused, and this field shall not be reported twice */
    (void)json_object_set_new(entry->row, field->name, json_pack("{s:s}", "id", id_space));
}

static const char *member_text(const json_t *row, const char *name)
{
    const json_t *value = json_object_get(row, name);
    return json_string_value(json_is_object(value) ? json_object_get(value, "id") : value);
}

/* "plugins:<workspace>:<name>:<route>:<service>:<consumer>": heap; NULL: no memory. */
static char *composite_key(const struct entry *entry, const char *const *members)
{
    struct schema_text key = {0};
    schema_text_addf(&key, "%s:%s", entry->schema->name, default_workspace);
    for (; *members != NULL; members++) {
        const char *text = member_text(entry->row, *members);
        schema_text_addf(&key, ":%s", text == NULL ? "" : text);
    }
    return schema_text_take(&key);
}

/* What the id is derived from; NULL: nothing, it will be random. */
static char *identity_of(const struct entry *entry)
{
    const struct schema *schema = entry->schema;
    const char *const credential_key[] = {schema->endpoint_key, NULL};
    const char *key =
        schema->endpoint_key == NULL ? NULL : member_text(entry->row, schema->endpoint_key);
    if (schema->unique_together != NULL)
        return composite_key(entry, schema->unique_together);
    if (key == NULL)
        return NULL;
    /* credentials are cached by their key, the others go by their name alone */
    return schema->nested != NULL ? composite_key(entry, credential_key) : strdup(key);
}

static void identify(struct loader *loader, struct table *table, struct entry *entry)
{
    char space[37], id[37];
    loader->errors->at = &entry->place;
    for (size_t i = 0; i < entry->schema->record.field_count; i++)
        if (entry->schema->record.fields[i].type == SCHEMA_FOREIGN)
            resolve(loader, entry, &entry->schema->record.fields[i]);
    const json_t *given = json_object_get(entry->row, "id");
    if (given == NULL || json_is_null(given)) {
        char *identity = identity_of(entry);
        bool is_named = identity != NULL &&
                        schema_uuid_named(id_space, slice_of(entry->schema->name), space) &&
                        schema_uuid_named(space, slice_of(identity), id);
        if (!is_named)
            schema_uuid_random(id);
        free(identity);
        (void)json_object_set_new(entry->row, "id", json_string(id));
    }
    json_t *own = json_object_get(entry->row, "id");
    const char *key = entry->schema->endpoint_key == NULL
                          ? NULL
                          : member_text(entry->row, entry->schema->endpoint_key);
    if (json_is_string(own)) {
        (void)json_object_set(table->by_id, json_string_value(own), own);
        if (key != NULL)
            (void)json_object_set(table->by_id, key, own);
    }
}

/* ---------------------------------------------------------------------------------- uniqueness */

/* Adds `key` to those seen of the table; false: it was there. */
static bool claim(json_t *seen, const char *kind, const char *key)
{
    char *whole = NULL;
    if (asprintf(&whole, "%s\n%s", kind, key) < 0)
        return true;
    bool is_new = json_object_get(seen, whole) == NULL;
    (void)json_object_set_new(seen, whole, json_true());
    free(whole);
    return is_new;
}

static void check_unique(struct loader *loader, const struct entry *entry, json_t *seen)
{
    static const char message[] =
        "uniqueness violation: '%s' entity with %s set to '%s' already declared";
    const char *name = entry->schema->name;
    const char *id = member_text(entry->row, "id");
    loader->errors->at = &entry->place;
    for (size_t i = 0; i < entry->schema->record.field_count; i++) {
        const struct schema_field *field = &entry->schema->record.fields[i];
        const char *value = field->unique ? member_text(entry->row, field->name) : NULL;
        if (value != NULL && !claim(seen, field->name, value)) {
            schema_errors_putf(loader->errors, message, name, field->name, value);
            return;
        }
    }
    char *composite = entry->schema->unique_together == NULL
                          ? NULL
                          : composite_key(entry, entry->schema->unique_together);
    if (id != NULL && !claim(seen, "id", id))
        schema_errors_putf(loader->errors, message, name, "primary key", id);
    else if (composite != NULL && !claim(seen, "composite", composite))
        schema_errors_putf(loader->errors, message, name, "name", member_text(entry->row, "name"));
    free(composite);
}

/* ----------------------------------------------------------------------------------- the whole */

static void process(struct loader *loader)
{
    for (size_t i = 0; i < loader->table_count; i++) {
        json_t *seen = json_object();
        for (struct entry *entry = loader->tables[i].first; entry != NULL; entry = entry->next)
            identify(loader, &loader->tables[i], entry);
        for (struct entry *entry = loader->tables[i].first; entry != NULL; entry = entry->next) {
            loader->errors->at = &entry->place;
            schema_process(entry->schema, SCHEMA_INSERT, entry->row, loader->lookup,
                           loader->lookup_context, loader->errors);
            check_unique(loader, entry, seen);
        }
        json_decref(seen);
    }
    loader->errors->at = NULL;
}

/* Makes a table for each core entity, its rows an array of `entities`. */
static bool open_tables(struct loader *loader, json_t *entities)
{
    for (const struct schema *const *schema = schema_core(); *schema != NULL; schema++) {
        struct table *table = &loader->tables[loader->table_count];
        if (loader->table_count == TABLES_MAX)
            return false;
        *table = (struct table){.schema = *schema, .rows = json_array(), .by_id = json_object()};
        table->last = &table->first;
        loader->table_count++;
        if (table->rows == NULL || table->by_id == NULL ||
            json_object_set_new(entities, (*schema)->name, table->rows) != 0)
            return false;
    }
    return true;
}

static void close_tables(struct loader *loader)
{
    for (size_t i = 0; i < loader->table_count; i++)
        json_decref(loader->tables[i].by_id);
}

enum declarative_result declarative_check(const json_t *document, schema_plugin_lookup lookup,
                                          void *lookup_context, json_t **entities, json_t **errors)
{
    struct loader loader = {
        .errors = schema_errors_create(), .lookup = lookup, .lookup_context = lookup_context};
    enum declarative_result result = DECLARATIVE_NO_MEMORY;
    *entities = json_object();
    *errors = NULL;
    arena_init(&loader.arena, NULL);
    if (loader.errors == NULL || *entities == NULL || !open_tables(&loader, *entities))
        goto done;
    if (json_is_object(document)) {
        collect(&loader, document);
        process(&loader);
    } else {
        schema_errors_add(loader.errors, "error", "expected an object");
    }
    if (!loader.is_out_of_memory)
        result = schema_errors_is_empty(loader.errors) ? DECLARATIVE_OK : DECLARATIVE_INVALID;
done:
    if (result == DECLARATIVE_INVALID)
        *errors = schema_errors_fields(loader.errors);
    if (result != DECLARATIVE_OK) {
        json_decref(*entities);
        *entities = NULL;
    }
    close_tables(&loader);
    schema_errors_destroy(loader.errors);
    arena_clear(&loader.arena);
    return result;
}

enum declarative_result declarative_decode(struct slice text, json_t **value, char **error)
{
    size_t start = 0;
    *value = NULL;
    *error = NULL;
    while (start < text.len && isspace((unsigned char)text.ptr[start]))
        start++;
    if (start < text.len && (text.ptr[start] == '{' || text.ptr[start] == '[')) {
        *value = json_loadb(text.ptr, text.len, JSON_REJECT_DUPLICATES, NULL);
        if (*value != NULL)
            return DECLARATIVE_OK;
    }
    return declarative_yaml_decode(text, value, error);
}

static enum declarative_result unreadable(const char *what, const char *why, json_t **errors)
{
    *errors = json_pack("{s:o}", "error", json_sprintf("%s%s", what, why));
    return *errors == NULL ? DECLARATIVE_NO_MEMORY : DECLARATIVE_UNREADABLE;
}

enum declarative_result declarative_parse(struct slice text, schema_plugin_lookup lookup,
                                          void *lookup_context, json_t **entities, json_t **errors)
{
    json_t *document;
    char *error;
    *entities = NULL;
    *errors = NULL;
    enum declarative_result result = declarative_decode(text, &document, &error);
    if (result == DECLARATIVE_OK)
        result = declarative_check(document, lookup, lookup_context, entities, errors);
    else if (result == DECLARATIVE_UNREADABLE)
        result = unreadable("failed parsing declarative configuration: ", error, errors);
    json_decref(document);
    free(error);
    return result;
}

/* The whole file, at most DECLARATIVE_BYTES_MAX; NULL with errno set. */
static char *read_file(const char *path, size_t *len)
{
    FILE *file = fopen(path, "re");
    char *text = NULL;
    size_t capacity = 0;
    *len = 0;
    while (file != NULL && !feof(file) && !ferror(file)) {
        if (*len == capacity) {
            capacity = capacity == 0 ? 65536 : capacity * 2;
            char *grown =
                capacity > 2 * (size_t)DECLARATIVE_BYTES_MAX ? NULL : realloc(text, capacity);
            if (grown == NULL) {
                errno = EFBIG;
                break;
            }
            text = grown;
        }
        *len += fread(text + *len, 1, capacity - *len, file);
    }
    int failure = file == NULL || ferror(file) || !feof(file) ? errno : 0;
    if (file != NULL)
        (void)fclose(file);
    if (failure == 0 && *len <= DECLARATIVE_BYTES_MAX)
        return text;
    free(text);
    errno = failure == 0 ? EFBIG : failure;
    return NULL;
}

enum declarative_result declarative_load_file(const char *path, schema_plugin_lookup lookup,
                                              void *lookup_context, json_t **entities,
                                              json_t **errors)
{
    size_t len;
    char *text = read_file(path, &len);
    *entities = NULL;
    *errors = NULL;
    if (text == NULL) {
        int reason = errno;
        char *what = NULL;
        if (asprintf(&what, "cannot read declarative configuration '%s': ", path) < 0)
            return DECLARATIVE_NO_MEMORY;
        enum declarative_result result = unreadable(what, strerror(reason), errors);
        free(what);
        return result;
    }
    enum declarative_result result =
        declarative_parse(slice_make(text, len), lookup, lookup_context, entities, errors);
    free(text);
    return result;
}

/* ------------------------------------------------------------------------------- for terminals */

static void print_errors(struct schema_text *text, const json_t *errors, const char *list,
                         int depth);

static void print_one(struct schema_text *text, const char *title, const json_t *problem,
                      const char *name, int depth)
{
    schema_text_addf(text, "%*s%s:", depth * 2, "", title);
    if (json_is_string(problem)) {
        schema_text_addf(text, " %s\n", json_string_value(problem));
        return;
    }
    schema_text_addz(text, "\n");
    print_errors(text, problem, name, depth + 1);
}

static void print_errors(struct schema_text *text, const json_t *errors, const char *list,
                         int depth)
{
    char title[512];
    for (size_t i = 0; i < json_array_size(errors); i++) {
        const json_t *problem = json_array_get(errors, i);
        snprintf(title, sizeof(title), "- in entry %zu of '%s'", i + 1, list);
        if (!json_is_null(problem))
            print_one(text, title, problem, list, depth);
    }
    const char **names = json_is_object(errors) ? schema_text_sorted_keys(errors) : NULL;
    for (size_t i = 0; names != NULL && names[i] != NULL; i++) {
        snprintf(title, sizeof(title), "in '%s'", names[i]);
        print_one(text, title, json_object_get(errors, names[i]), names[i], depth);
    }
    free(names);
}

char *declarative_error_text(const json_t *errors)
{
    struct schema_text text = {0};
    const json_t *only = json_object_get(errors, "error");
    if (json_is_string(only))
        schema_text_addf(&text, "%s\n", json_string_value(only));
    else
        print_errors(&text, errors, "", 0);
    return schema_text_take(&text);
}
