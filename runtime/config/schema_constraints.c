/* SPDX-License-Identifier: Apache-2.0 */
/* schema_constraints.c -- the checks of one value, in Kong's order: the first that fails speaks.
 *
 * A check that does not suit the JSON type of the value passes: types are checked before, and the
 * constraints of a conditional check are laid over any field. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "config/schema_parts.h"

#include <pcre2.h>
#include <stdlib.h>

#include "config/lua_pattern.h"

/* NULL: passed; the text: failed with it. An out-of-memory text is a literal's copy or NULL, so a
 * failed check is told apart by `failed`. */
struct verdict {
    bool failed;
    char *message; /* heap; NULL with failed: out of memory */
};

#define PASSED ((struct verdict){false, NULL})

static struct verdict fail_with(struct schema_text *text)
{
    return (struct verdict){true, schema_text_take(text)};
}

static struct verdict fail_text(const char *message)
{
    return (struct verdict){true, strdup(message)};
}

static struct verdict fail_value(const char *before, const json_t *value)
{
    struct schema_text text = {0};
    schema_text_addz(&text, before);
    schema_text_add_value(&text, value);
    return fail_with(&text);
}

/* Numbers are equal by value, whatever their JSON spelling. */
static bool is_equal(const json_t *a, const json_t *b)
{
    if (json_is_number(a) && json_is_number(b))
        return json_number_value(a) >= json_number_value(b) &&
               json_number_value(a) <= json_number_value(b);
    return json_equal(a, b) != 0;
}

static bool holds(const json_t *array, const json_t *value)
{
    for (size_t i = 0; i < json_array_size(array); i++)
        if (is_equal(json_array_get(array, i), value))
            return true;
    return false;
}

static struct verdict check_equality(const struct schema_field *field, const json_t *value)
{
    if (field->eq != NULL && !is_equal(field->eq, value))
        return fail_value("value must be ", field->eq);
    if (field->ne != NULL && is_equal(field->ne, value))
        return fail_value("value must not be ", value);
    return PASSED;
}

static struct verdict fail_list(const char *before, const json_t *values)
{
    struct schema_text text = {0};
    schema_text_addz(&text, before);
    for (size_t i = 0; i < json_array_size(values); i++) {
        schema_text_addz(&text, i > 0 ? ", " : "");
        schema_text_add_value(&text, json_array_get(values, i));
    }
    return fail_with(&text);
}

static struct verdict check_lists(const struct schema_field *field, const json_t *value)
{
    if (field->not_one_of != NULL && holds(field->not_one_of, value))
        return fail_list("must not be one of: ", field->not_one_of);
    if (field->one_of != NULL && !holds(field->one_of, value))
        return fail_list("expected one of: ", field->one_of);
    return PASSED;
}

static struct verdict check_regex(const json_t *value)
{
    int code;
    PCRE2_SIZE offset;
    pcre2_code *regex = pcre2_compile((PCRE2_SPTR)json_string_value(value),
                                      json_string_length(value), 0, &code, &offset, NULL);
    if (regex == NULL)
        return fail_value("not a valid regex: ", value);
    pcre2_code_free(regex);
    return PASSED;
}

static struct verdict check_kind(const struct schema_field *field, const json_t *value)
{
    struct schema_text text = {0};
    if (field->has_gt && json_is_number(value) && !(json_number_value(value) > field->gt)) {
        schema_text_addf(&text, "value must be greater than %.14g", field->gt);
        return fail_with(&text);
    }
    if (field->timestamp && json_is_number(value) && !(json_number_value(value) > 0))
        return fail_text("expected a valid timestamp");
    if (field->uuid && json_is_string(value) &&
        !schema_is_uuid(slice_make(json_string_value(value), json_string_length(value))))
        return fail_text("expected a valid UUID");
    if (field->is_regex && json_is_string(value)) {
        struct verdict verdict = check_regex(value);
        if (verdict.failed)
            return verdict;
    }
    if (field->has_between && json_is_number(value) &&
        !(json_number_value(value) >= field->between[0] &&
          json_number_value(value) <= field->between[1])) {
        schema_text_addf(&text, "value should be between %.14g and %.14g", field->between[0],
                         field->between[1]);
        return fail_with(&text);
    }
    return PASSED;
}

/* False for values that have no length. */
static bool length_of(const json_t *value, int64_t *length)
{
    switch (json_typeof(value)) {
    case JSON_STRING: *length = (int64_t)json_string_length(value); return true;
    case JSON_ARRAY: *length = (int64_t)json_array_size(value); return true;
    case JSON_OBJECT: *length = (int64_t)json_object_size(value); return true;
    case JSON_INTEGER:
    case JSON_REAL:
    case JSON_TRUE:
    case JSON_FALSE:
    case JSON_NULL: break;
    }
    return false;
}

static struct verdict fail_length(const char *what, int64_t length)
{
    struct schema_text text = {0};
    schema_text_addf(&text, "length must be %s%lld", what, (long long)length);
    return fail_with(&text);
}

static struct verdict check_length(const struct schema_field *field, const json_t *value)
{
    int64_t length;
    if (!length_of(value, &length))
        return PASSED;
    if (field->has_len_eq && length != field->len_eq)
        return fail_length("", field->len_eq);
    if (field->has_len_min && length < field->len_min)
        return fail_length("at least ", field->len_min);
    /* text is not empty unless the field says that it may be */
    if (!field->has_len_min && field->type == SCHEMA_STRING && json_is_string(value) && length == 0)
        return fail_length("at least ", 1);
    if (field->has_len_max && length > field->len_max)
        return fail_length("at most ", field->len_max);
    return PASSED;
}

/* What a pattern answers to the value; one that cannot be decided counts as `doubt`. */
static bool is_match(const json_t *value, const char *pattern, bool doubt)
{
    struct slice subject = slice_make(json_string_value(value), json_string_length(value));
    switch (lua_pattern_match(subject, slice_of(pattern))) {
    case LUA_PATTERN_MATCH: return true;
    case LUA_PATTERN_NO_MATCH: return false;
    case LUA_PATTERN_BAD:
    case LUA_PATTERN_TOO_BIG: break;
    }
    return doubt;
}

static struct verdict fail_pattern(const struct schema_pattern *pattern, const json_t *value)
{
    if (pattern != NULL && pattern->error != NULL)
        return fail_text(pattern->error);
    return fail_value("invalid value: ", value);
}

/* The first pattern of the list that matches (or does not); NULL: there is none. */
static const struct schema_pattern *first_pattern(const struct schema_pattern *list,
                                                  const json_t *value, bool matching, bool doubt)
{
    for (; list != NULL && list->pattern != NULL; list++)
        if (is_match(value, list->pattern, doubt) == matching)
            return list;
    return NULL;
}

static struct verdict check_patterns(const struct schema_field *field, const json_t *value)
{
    const struct schema_pattern *found;
    if (!json_is_string(value))
        return PASSED;
    if (field->starts_with != NULL &&
        !slice_starts_with(slice_make(json_string_value(value), json_string_length(value)),
                           slice_of(field->starts_with))) {
        struct schema_text text = {0};
        schema_text_addf(&text, "should start with: %s", field->starts_with);
        return fail_with(&text);
    }
    /* in doubt a forbidden pattern is there and a demanded one is not */
    if ((found = first_pattern(field->not_match, value, true, true)) != NULL ||
        (found = first_pattern(field->match_none, value, true, true)) != NULL ||
        (found = first_pattern(field->match, value, false, false)) != NULL ||
        (found = first_pattern(field->match_all, value, false, false)) != NULL)
        return fail_pattern(found, value);
    if (field->match_any != NULL && first_pattern(field->match_any, value, true, false) == NULL) {
        found = field->match_any;
        while (found->pattern != NULL && found->error == NULL)
            found++;
        return fail_pattern(found, value);
    }
    return PASSED;
}

static struct verdict check_code(const struct schema_field *field, const json_t *value)
{
    if (field->validate == NULL)
        return PASSED;
    char *message = field->validate(field->validate_context, value);
    return (struct verdict){message != NULL, message};
}

/* The set of `sets` that holds `value`; NULL: none. */
static const json_t *set_of(const json_t *sets, const json_t *value)
{
    for (size_t i = 0; i < json_array_size(sets); i++)
        if (holds(json_array_get(sets, i), value))
            return json_array_get(sets, i);
    return NULL;
}

static void add_set(struct schema_text *text, const json_t *set)
{
    schema_text_addz(text, text->len > 0 ? ", (" : "(");
    for (size_t i = 0; i < json_array_size(set); i++) {
        schema_text_addz(text, i > 0 ? ", '" : "'");
        schema_text_add_value(text, json_array_get(set, i));
        schema_text_addz(text, "'");
    }
    schema_text_addz(text, ")");
}

/* Names every set that has a member among the elements, in the order in which they appear. */
static struct verdict check_exclusive(const struct schema_field *field, const json_t *value)
{
    struct schema_text sets = {0}, text = {0};
    json_t *seen = json_array();
    for (size_t i = 0; seen != NULL && i < json_array_size(value); i++) {
        const json_t *set = set_of(field->exclusive_subsets, json_array_get(value, i));
        if (set == NULL || holds(seen, set))
            continue;
        add_set(&sets, set);
        if (json_array_append_new(seen, json_deep_copy(set)) != 0)
            break;
    }
    size_t count = json_array_size(seen);
    char *list = schema_text_take(&sets);
    json_decref(seen);
    if (count <= 1) {
        free(list);
        return PASSED;
    }
    schema_text_addf(&text, "these sets are mutually exclusive: %s", list == NULL ? "" : list);
    free(list);
    return fail_with(&text);
}

static struct verdict check_elements(const struct schema_field *field, const json_t *value)
{
    if (field->contains != NULL && json_is_array(value) && !holds(value, field->contains))
        return fail_value("expected to contain: ", field->contains);
    struct verdict verdict = check_code(field, value);
    if (!verdict.failed && field->exclusive_subsets != NULL && json_is_array(value))
        verdict = check_exclusive(field, value);
    return verdict;
}

char *schema_constraints_check(const struct schema_field *field, const json_t *value)
{
    static struct verdict (*const checks[])(const struct schema_field *, const json_t *) = {
        check_equality, check_lists, check_kind, check_length, check_patterns, check_elements,
    };
    for (size_t i = 0; i < sizeof(checks) / sizeof(*checks); i++) {
        struct verdict verdict = checks[i](field, value);
        if (!verdict.failed)
            continue;
        if (field->error != NULL) {
            free(verdict.message);
            return strdup(field->error);
        }
        return verdict.message != NULL ? verdict.message : strdup("out of memory");
    }
    return NULL;
}
