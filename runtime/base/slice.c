/* SPDX-License-Identifier: Apache-2.0 */
/* slice.c -- the parts of slice.h that are too long to inline. */
#include "base/slice.h"

#include <stdlib.h>

bool slice_eq_nocase(struct slice a, struct slice b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (slice_lower(a.ptr[i]) != slice_lower(b.ptr[i]))
            return false;
    return true;
}

size_t slice_find(struct slice s, char c)
{
    const char *at = s.len == 0 ? NULL : memchr(s.ptr, c, s.len);
    return at == NULL ? s.len : (size_t)(at - s.ptr);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

struct slice slice_trim(struct slice s)
{
    while (s.len > 0 && is_blank(s.ptr[0])) {
        s.ptr++;
        s.len--;
    }
    while (s.len > 0 && is_blank(s.ptr[s.len - 1]))
        s.len--;
    return s;
}

bool slice_split(struct slice *rest, char separator, struct slice *part)
{
    if (rest->ptr == NULL)
        return false;
    size_t at = slice_find(*rest, separator);
    *part = slice_make(rest->ptr, at);
    if (at == rest->len)
        *rest = (struct slice){NULL, 0};
    else
        *rest = slice_from(*rest, at + 1);
    return true;
}

bool slice_to_u64(struct slice s, uint64_t *out)
{
    uint64_t value = 0;
    if (s.len == 0)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return false;
        if (__builtin_mul_overflow(value, (uint64_t)10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(s.ptr[i] - '0'), &value))
            return false;
    }
    *out = value;
    return true;
}

char *slice_dup(struct slice s)
{
    char *copy = malloc(s.len + 1);
    if (copy == NULL)
        return NULL;
    if (s.len > 0)
        memcpy(copy, s.ptr, s.len);
    copy[s.len] = '\0';
    return copy;
}
