/* SPDX-License-Identifier: Apache-2.0 */
/* lua_pattern.h -- matching with the patterns of Lua 5.1, which plugin schemas are written in.
 *
 * Pure. Recursion and work are bounded, so that no value makes a check run away. */
#ifndef SLUICE_CONFIG_LUA_PATTERN_H
#define SLUICE_CONFIG_LUA_PATTERN_H

#include "base/slice.h"

enum lua_pattern_result {
    LUA_PATTERN_MATCH,
    LUA_PATTERN_NO_MATCH,
    LUA_PATTERN_BAD,     /* malformed pattern */
    LUA_PATTERN_TOO_BIG, /* the bounds of work or of recursion were reached */
};

/* Whether string.match(subject, pattern) would find something.
 * Source: Lua 5.1 reference manual, section 5.4.1; %f[set] as Lua 5.2 documents it. */
enum lua_pattern_result lua_pattern_match(struct slice subject, struct slice pattern)
    __attribute__((warn_unused_result));

#endif
