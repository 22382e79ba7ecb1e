/* SPDX-License-Identifier: Apache-2.0 */
/* slice.h -- a borrowed piece of text: pointer and length, not NUL-terminated.
 *
 * A slice owns nothing; whoever owns the bytes says how long they live. An absent value is
 * {NULL, 0}; an empty one has a pointer that is not NULL. */
#ifndef SLUICE_BASE_SLICE_H
#define SLUICE_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct slice {
    const char *ptr;
    size_t len;
};

/* A slice of a string literal. */
#define SLICE(literal) ((struct slice){"" literal, sizeof(literal) - 1})
/* For printf: "%.*s", SLICE_ARG(s). */
#define SLICE_ARG(s) (int)(s).len, (s).ptr

static inline struct slice slice_make(const char *ptr, size_t len)
{
    return (struct slice){ptr, len};
}

/* Absent for NULL. */
static inline struct slice slice_of(const char *text)
{
    return text == NULL ? (struct slice){NULL, 0} : (struct slice){text, strlen(text)};
}

static inline bool slice_eq(struct slice a, struct slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline bool slice_starts_with(struct slice s, struct slice prefix)
{
    return s.len >= prefix.len && (prefix.len == 0 || memcmp(s.ptr, prefix.ptr, prefix.len) == 0);
}

static inline bool slice_ends_with(struct slice s, struct slice suffix)
{
    return s.len >= suffix.len &&
           (suffix.len == 0 || memcmp(s.ptr + s.len - suffix.len, suffix.ptr, suffix.len) == 0);
}

/* `s` from byte `from` on; empty when there are fewer. */
static inline struct slice slice_from(struct slice s, size_t from)
{
    return from >= s.len ? slice_make(s.ptr + s.len, 0) : slice_make(s.ptr + from, s.len - from);
}

static inline char slice_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

/* Compares ASCII letters without case. */
bool slice_eq_nocase(struct slice a, struct slice b);
/* Position of the first `c`, or s.len. */
size_t slice_find(struct slice s, char c);
/* Without spaces and tabs (OWS, RFC 9110 section 5.6.3) at both ends. */
struct slice slice_trim(struct slice s);
/* Takes the part before the next `separator` off the front of `rest`. False once it is used up. */
bool slice_split(struct slice *rest, char separator, struct slice *part);
/* Decimal digits only; false if there are none, others, or more than fit. */
bool slice_to_u64(struct slice s, uint64_t *out);
/* Heap copy with a NUL; NULL when out of memory. The caller frees it. */
char *slice_dup(struct slice s);

#endif
