/* SPDX-License-Identifier: Apache-2.0 */
/* options_value.h -- from the text of a configuration key to its value. Pure functions. */
#ifndef SLUICE_CONFIG_OPTIONS_VALUE_H
#define SLUICE_CONFIG_OPTIONS_VALUE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* on, true / off, false; letters' case does not matter. False: neither. */
bool options_value_boolean(const char *text, bool *out);
/* Decimal, finite, nothing behind it. */
bool options_value_number(const char *text, double *out);
/* Bytes, or with k, m or g (1024s). False: no such form, or more than INT64_MAX. */
bool options_value_size(const char *text, uint64_t *out);
/* Seconds (a fraction is allowed), or with ms, s, m, h or d; to milliseconds, at most 10 years. */
bool options_value_time(const char *text, int64_t *out_ms);
/* One of a text "a, b, c", without case. *out (may be NULL) is the accepted spelling's position. */
bool options_value_choice(const char *text, const char *accepts, size_t *out);

/* Comma separated items, trimmed, empty ones left out, NULL-terminated. NULL: out of memory;
 * options_value_list_free(). A NULL text is an empty list. */
char **options_value_list(const char *text);
void options_value_list_free(char **list);

/* Whether `text` is a reference "{vault://...}". */
bool options_value_is_reference(const char *text);
/* What a reference "{vault://env/name[/key][?prefix=P]}" stands for: the environment variable
 * upper(P + name) with '_' for '-', or the member `key` of the JSON object in it. `prefix` is used
 * if the reference has none (NULL: ""). Heap text; NULL: *error is a heap text, or NULL when out of
 * memory. */
char *options_value_resolve(const char *reference, const char *prefix, char **error)
    __attribute__((warn_unused_result));

#endif
