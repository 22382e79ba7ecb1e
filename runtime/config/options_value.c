/* SPDX-License-Identifier: Apache-2.0 */
/* options_value.c -- see options_value.h. */
#include "config/options_value.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/slice.h"

bool options_value_boolean(const char *text, bool *out)
{
    *out = strcasecmp(text, "on") == 0 || strcasecmp(text, "true") == 0;
    return *out || strcasecmp(text, "off") == 0 || strcasecmp(text, "false") == 0;
}

/* Digits with at most one point. strtod() alone would take "0x1p3", "inf" and the locale's comma.
 */
static size_t span_decimal(const char *text)
{
    size_t sign = text[0] == '-' ? 1 : 0;
    size_t whole = strspn(text + sign, "0123456789");
    const char *rest = text + sign + whole;
    size_t fraction = rest[0] == '.' ? 1 + strspn(rest + 1, "0123456789") : 0;
    return whole == 0 || fraction == 1 ? 0 : sign + whole + fraction;
}

bool options_value_number(const char *text, double *out)
{
    enum { LONGEST = 40 };
    size_t len = span_decimal(text);
    if (len == 0 || len > LONGEST || text[len] != '\0')
        return false;
    *out = strtod(text, NULL);
    return isfinite(*out);
}

bool options_value_size(const char *text, uint64_t *out)
{
    struct slice digits = slice_of(text);
    uint64_t unit = 1;
    char last = digits.len == 0 ? '\0' : slice_lower(text[digits.len - 1]);
    if (last == 'k' || last == 'm' || last == 'g') {
        unit = last == 'k' ? 1024 : last == 'm' ? 1024 * 1024 : 1024 * 1024 * 1024;
        digits.len--;
    }
    uint64_t value;
    return slice_to_u64(digits, &value) && !__builtin_mul_overflow(value, unit, out) &&
           *out <= INT64_MAX;
}

bool options_value_time(const char *text, int64_t *out_ms)
{
    static const struct {
        const char *suffix;
        double ms;
    } units[] = {{"", 1e3}, {"ms", 1}, {"s", 1e3}, {"m", 6e4}, {"h", 3.6e6}, {"d", 8.64e7}};
    const double most = 3653 * 8.64e7;
    size_t len = span_decimal(text);
    if (len == 0 || text[0] == '-')
        return false;
    double value = strtod(text, NULL);
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (strcmp(text + len, units[i].suffix) == 0 && value * units[i].ms <= most) {
            *out_ms = (int64_t)(value * units[i].ms + 0.5);
            return true;
        }
    }
    return false;
}

bool options_value_choice(const char *text, const char *accepts, size_t *out)
{
    struct slice rest = slice_of(accepts);
    struct slice accepted;
    for (size_t i = 0; slice_split(&rest, ',', &accepted); i++) {
        if (slice_eq_nocase(slice_trim(accepted), slice_of(text))) {
            if (out != NULL)
                *out = i;
            return true;
        }
    }
    return false;
}

char **options_value_list(const char *text)
{
    struct slice rest = slice_of(text);
    struct slice item;
    size_t count = 0;
    size_t most = 1;
    for (const char *at = text; at != NULL && *at != '\0'; at++)
        most += *at == ',' ? 1 : 0;
    char **list = calloc(most + 1, sizeof(*list));
    while (list != NULL && slice_split(&rest, ',', &item)) {
        item = slice_trim(item);
        if (item.len == 0)
            continue;
        list[count] = slice_dup(item);
        if (list[count++] == NULL) {
            options_value_list_free(list);
            return NULL;
        }
    }
    return list;
}

void options_value_list_free(char **list)
{
    for (char **at = list; at != NULL && *at != NULL; at++)
        free(*at);
    free(list);
}

/* ----------------------------------------------------------------------------- vault references */
bool options_value_is_reference(const char *text)
{
    struct slice s = slice_of(text);
    return slice_starts_with(s, SLICE("{vault://")) && slice_ends_with(s, SLICE("}"));
}

struct reference {
    struct slice vault, name, key, prefix; /* absent where the reference has none */
};

static bool parse(const char *text, struct reference *out)
{
    struct slice rest = slice_from(slice_of(text), strlen("{vault://"));
    rest.len--; /* the brace at the end */
    size_t query_at = slice_find(rest, '?');
    struct slice query = slice_from(rest, query_at + 1);
    struct slice path = slice_make(rest.ptr, query_at);
    struct slice option;
    *out = (struct reference){0};
    if (!slice_split(&path, '/', &out->vault) || !slice_split(&path, '/', &out->name))
        return false;
    out->key = path;
    while (slice_split(&query, '&', &option))
        if (slice_starts_with(option, SLICE("prefix=")))
            out->prefix = slice_from(option, strlen("prefix="));
    return out->vault.len > 0 && out->name.len > 0 && (path.ptr == NULL || path.len > 0);
}

static char *variable_name(struct slice prefix, struct slice name)
{
    char *variable = NULL;
    if (asprintf(&variable, "%.*s%.*s", SLICE_ARG(prefix), SLICE_ARG(name)) < 0)
        return NULL;
    for (char *at = variable; *at != '\0'; at++) {
        if (*at == '-')
            *at = '_';
        else if (*at >= 'a' && *at <= 'z')
            *at = (char)(*at - 'a' + 'A');
    }
    return variable;
}

/* The member as text; NULL: there is none. */
static char *member(const char *json, struct slice key)
{
    json_t *object = json_loads(json, 0, NULL);
    const json_t *value = NULL;
    const char *name;
    json_t *each;
    json_object_foreach(object, name, each)
    {
        if (slice_eq(slice_of(name), key))
            value = each;
    }
    char *text = json_is_string(value) ? strdup(json_string_value(value))
                 : value == NULL       ? NULL
                                       : json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
    json_decref(object);
    return text;
}

__attribute__((format(printf, 2, 3))) static char *fail(char **error, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    if (vasprintf(error, format, args) < 0)
        *error = NULL;
    va_end(args);
    return NULL;
}

char *options_value_resolve(const char *reference, const char *prefix, char **error)
{
    struct reference parsed;
    *error = NULL;
    if (!parse(reference, &parsed))
        return fail(error, "'%s' is not of the form {vault://env/<name>[/<key>]}", reference);
    if (!slice_eq(parsed.vault, SLICE("env")))
        return fail(error, "'%s': unknown vault '%.*s'; only env is available", reference,
                    SLICE_ARG(parsed.vault));
    struct slice default_prefix = slice_of(prefix == NULL ? "" : prefix);
    char *variable =
        variable_name(parsed.prefix.ptr != NULL ? parsed.prefix : default_prefix, parsed.name);
    if (variable == NULL)
        return NULL;
    const char *value = getenv(variable);
    char *resolved = NULL;
    if (value == NULL || *value == '\0')
        fail(error, "'%s': the environment variable %s is not set", reference, variable);
    else if (parsed.key.ptr == NULL)
        resolved = strdup(value);
    else if ((resolved = member(value, parsed.key)) == NULL)
        fail(error, "'%s': the environment variable %s is not a JSON object with the member '%.*s'",
             reference, variable, SLICE_ARG(parsed.key));
    free(variable);
    return resolved;
}
