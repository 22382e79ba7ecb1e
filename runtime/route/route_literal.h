/* SPDX-License-Identifier: Apache-2.0 */
/* route_literal.h -- the text that every match of a regular expression begins with.
 *
 * Lets the index find regex paths as it finds prefixes. Never too long: where the syntax is not
 * understood, the text ends. */
#ifndef SLUICE_ROUTE_ROUTE_LITERAL_H
#define SLUICE_ROUTE_ROUTE_LITERAL_H

#include <stdbool.h>

#include "base/slice.h"

struct arena;

/* *literal, in `arena`: what a match of the anchored `pattern` (PCRE2 without options, and one that
 * compiles) begins with, "" if anything may. False: out of memory. */
bool route_literal_of(struct arena *arena, struct slice pattern, struct slice *literal)
    __attribute__((warn_unused_result));

#endif
