/* SPDX-License-Identifier: Apache-2.0 */
/* route_regex.h -- the regular expressions of a router: compiled once, matched at a bounded cost.
 *
 * The set belongs to one router and is immutable once the router is built; matching is then safe
 * from all threads, for whatever a match needs lives on the caller's stack. An expression that runs
 * into a limit does not match. */
#ifndef SLUICE_ROUTE_ROUTE_REGEX_H
#define SLUICE_ROUTE_ROUTE_REGEX_H

#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"

struct arena;
struct log;
struct route_regex;
struct route_regex_set;

enum { ROUTE_REGEX_MAX_GROUPS = 16 }; /* the whole match included; further ones are not reported */

enum route_regex_use {
    ROUTE_REGEX_PATH,   /* anchored at the start of the subject */
    ROUTE_REGEX_HEADER, /* searched */
};

/* Where the groups matched: bytes begin[i] to end[i] of the subject. */
struct route_regex_groups {
    size_t count; /* groups of the expression, [0] the whole match included */
    size_t begin[ROUTE_REGEX_MAX_GROUPS];
    size_t end[ROUTE_REGEX_MAX_GROUPS]; /* below begin: the group took no part */
};

/* The set lives in `arena` and frees its compiled code when the arena is cleared. NULL: out of
 * memory. */
struct route_regex_set *route_regex_set_create(struct arena *arena)
    __attribute__((warn_unused_result));
/* Compiles `pattern`, or finds it compiled before. False: out of memory. *out is NULL for a pattern
 * that is wrong; `error` (of at least 160 bytes) then says why. */
bool route_regex_add(struct route_regex_set *set, struct slice pattern, enum route_regex_use use,
                     const struct route_regex **out, char *error, size_t error_bytes)
    __attribute__((warn_unused_result));
/* Text that every match must begin with; "" if there is none to be sure of. Lives with the set. */
struct slice route_regex_literal(const struct route_regex *regex);
/* Name of group `index`, below the count of the groups; absent if it has none. Lives with the set.
 */
struct slice route_regex_group_name(const struct route_regex *regex, size_t index);
/* True if `regex` matches. `groups` may be NULL. */
bool route_regex_match(const struct route_regex *regex, struct slice subject,
                       struct route_regex_groups *groups);

#endif
