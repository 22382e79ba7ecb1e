/* SPDX-License-Identifier: Apache-2.0 */
/* route_regex.c -- PCRE2 behind limits.
 *
 * Machine code of the JIT runs on the 32 KiB of stack that PCRE2 takes by itself. A match that
 * needs more (a long path against "(a|b)+") is run again on a stack of its own, which is made for
 * it: rare enough, and ten times faster than the interpreter, whose heap must grow first. Match
 * data and its context are made in a small buffer on the caller's stack: no malloc for an ordinary
 * match, and nothing that threads could share by mistake.
 *
 * Kong's default flavour matches with Rust's regex crate. What differs in PCRE2 is set right: "$"
 * is the end of the text only, not also before a final newline. */
#define PCRE2_CODE_UNIT_WIDTH 8

#include "route/route_regex.h"

#include <pcre2.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/map.h"
#include "route/route_literal.h"

enum {
    /* Steps of a match; the JIT counts only where it can go back, the interpreter all. The worst
     * patterns end after 0.2 ms (1 ms on a path of 8 KiB), or 1 ms without the JIT. */
    MATCH_LIMIT = 50000,
    DEPTH_LIMIT = 20000, /* nested choices of the interpreter */
    HEAP_LIMIT_KIB = 1024,
    JIT_STACK_MIN = 32 * 1024,
    JIT_STACK_MAX = 1024 * 1024,
    MAX_PATTERN = 8192,
    /* Patterns of a set that get machine code, the first ones. It halves the time of a match (60 ns
     * against 130 for an ordinary path) but costs 7 us to make and as much to free, 20 times the
     * rest: with all of 10,000 patterns a change of configuration would take 0.1 s longer. */
    MAX_JIT = 256,
    SCRATCH_BYTES = 1024, /* the general context and the match data of 16 groups */
};

struct route_regex {
    struct route_regex *next; /* in the set */
    const struct route_regex_set *set;
    pcre2_code *code; /* NULL: wrong pattern */
    struct slice literal;
    struct slice names[ROUTE_REGEX_MAX_GROUPS];
    size_t group_count; /* with the whole match */
};

struct route_regex_set {
    struct arena *arena;
    struct route_regex *first;
    struct map by_pattern[2]; /* by use; to struct route_regex */
    size_t jit_count;
    pcre2_compile_context *compiling;
    pcre2_match_context *limits;
};

static void on_arena_clear(void *arg)
{
    struct route_regex_set *set = arg;
    for (struct route_regex *regex = set->first; regex != NULL; regex = regex->next)
        pcre2_code_free(regex->code);
    map_clear(&set->by_pattern[ROUTE_REGEX_PATH]);
    map_clear(&set->by_pattern[ROUTE_REGEX_HEADER]);
    pcre2_compile_context_free(set->compiling);
    pcre2_match_context_free(set->limits);
}

struct route_regex_set *route_regex_set_create(struct arena *arena)
{
    struct route_regex_set *set = arena_calloc(arena, sizeof(*set));
    if (set == NULL || !arena_on_clear(arena, on_arena_clear, set))
        return NULL;
    set->arena = arena;
    set->compiling = pcre2_compile_context_create(NULL);
    set->limits = pcre2_match_context_create(NULL);
    if (set->compiling == NULL || set->limits == NULL)
        return NULL;
    pcre2_set_max_pattern_length(set->compiling, MAX_PATTERN);
    pcre2_set_match_limit(set->limits, MATCH_LIMIT);
    pcre2_set_depth_limit(set->limits, DEPTH_LIMIT);
    pcre2_set_heap_limit(set->limits, HEAP_LIMIT_KIB);
    return set;
}

/* The names stay inside the compiled code: each entry is a number of two bytes and text. */
static void read_groups(struct route_regex *regex)
{
    uint32_t groups = 0, names = 0, entry_bytes = 0;
    PCRE2_SPTR table = NULL;
    pcre2_pattern_info(regex->code, PCRE2_INFO_CAPTURECOUNT, &groups);
    pcre2_pattern_info(regex->code, PCRE2_INFO_NAMECOUNT, &names);
    pcre2_pattern_info(regex->code, PCRE2_INFO_NAMEENTRYSIZE, &entry_bytes);
    pcre2_pattern_info(regex->code, PCRE2_INFO_NAMETABLE, &table);
    regex->group_count = groups + 1 < ROUTE_REGEX_MAX_GROUPS ? groups + 1 : ROUTE_REGEX_MAX_GROUPS;
    for (uint32_t i = 0; i < names; i++, table += entry_bytes) {
        size_t number = (size_t)table[0] << 8 | table[1];
        if (number < ROUTE_REGEX_MAX_GROUPS)
            regex->names[number] = slice_of((const char *)table + 2);
    }
}

static bool compile(struct route_regex_set *set, struct route_regex *regex, struct slice pattern,
                    enum route_regex_use use, char *error, size_t error_bytes)
{
    uint32_t options = PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_BACKSLASH_C;
    if (use == ROUTE_REGEX_PATH)
        options |= PCRE2_ANCHORED;
    int code;
    PCRE2_SIZE offset;
    regex->code = pcre2_compile((PCRE2_SPTR)pattern.ptr, pattern.len, options, &code, &offset,
                                set->compiling);
    if (regex->code == NULL) {
        pcre2_get_error_message(code, (PCRE2_UCHAR *)error, error_bytes);
        return code != PCRE2_ERROR_NOMEMORY && code != PCRE2_ERROR_HEAP_FAILED;
    }
    /* Without it (no executable memory, an item it cannot do) the interpreter matches. */
    if (set->jit_count < MAX_JIT && pcre2_jit_compile(regex->code, PCRE2_JIT_COMPLETE) == 0)
        set->jit_count++;
    read_groups(regex);
    if (use == ROUTE_REGEX_PATH)
        return route_literal_of(set->arena, pattern, &regex->literal);
    regex->literal = SLICE("");
    return true;
}

bool route_regex_add(struct route_regex_set *set, struct slice pattern, enum route_regex_use use,
                     const struct route_regex **out, char *error, size_t error_bytes)
{
    struct route_regex *regex = map_get(&set->by_pattern[use], pattern);
    if (regex == NULL) {
        regex = arena_calloc(set->arena, sizeof(*regex));
        if (regex == NULL)
            return false;
        regex->set = set;
        regex->next = set->first;
        set->first = regex;
        if (!compile(set, regex, pattern, use, error, error_bytes))
            return false;
        /* A wrong pattern is not remembered: each place of it gets its message. */
        if (regex->code != NULL && !map_set(&set->by_pattern[use], pattern, regex))
            return false;
    }
    *out = regex->code == NULL ? NULL : regex;
    return true;
}

struct slice route_regex_literal(const struct route_regex *regex)
{
    return regex->literal;
}

struct slice route_regex_group_name(const struct route_regex *regex, size_t index)
{
    return regex->names[index];
}

/* Memory on the stack for what every match needs, from malloc for the interpreter's frames. */
struct scratch {
    size_t used;
    _Alignas(16) char bytes[SCRATCH_BYTES];
};

static void *scratch_alloc(size_t bytes, void *arg)
{
    struct scratch *scratch = arg;
    if (bytes > SCRATCH_BYTES - scratch->used)
        return malloc(bytes);
    void *at = scratch->bytes + scratch->used;
    size_t rounded = (bytes + 15) & ~(size_t)15;
    scratch->used =
        rounded > SCRATCH_BYTES - scratch->used ? SCRATCH_BYTES : scratch->used + rounded;
    return at;
}

static void scratch_free(void *at, void *arg)
{
    struct scratch *scratch = arg;
    uintptr_t start = (uintptr_t)scratch->bytes, address = (uintptr_t)at;
    if (address < start || address >= start + SCRATCH_BYTES)
        free(at);
}

static void copy_groups(const struct route_regex *regex, pcre2_match_data *data,
                        struct route_regex_groups *groups)
{
    const PCRE2_SIZE *spans = pcre2_get_ovector_pointer(data);
    groups->count = regex->group_count;
    for (size_t i = 0; i < regex->group_count; i++) {
        bool is_set = spans[2 * i] != PCRE2_UNSET;
        groups->begin[i] = is_set ? spans[2 * i] : 1;
        groups->end[i] = is_set ? spans[2 * i + 1] : 0;
    }
}

/* The same match with more stack. */
static int match_again(const struct route_regex *regex, struct slice subject,
                       pcre2_match_data *data)
{
    int rc = PCRE2_ERROR_NOMEMORY;
    pcre2_jit_stack *stack = pcre2_jit_stack_create(JIT_STACK_MIN, JIT_STACK_MAX, NULL);
    pcre2_match_context *limits = pcre2_match_context_copy(regex->set->limits);
    if (stack != NULL && limits != NULL) {
        pcre2_jit_stack_assign(limits, NULL, stack);
        rc = pcre2_match(regex->code, (PCRE2_SPTR)subject.ptr, subject.len, 0, 0, data, limits);
    }
    pcre2_match_context_free(limits);
    pcre2_jit_stack_free(stack);
    return rc;
}

bool route_regex_match(const struct route_regex *regex, struct slice subject,
                       struct route_regex_groups *groups)
{
    struct scratch scratch;
    scratch.used = 0;
    pcre2_general_context *memory =
        pcre2_general_context_create(scratch_alloc, scratch_free, &scratch);
    uint32_t pairs = groups == NULL ? 1 : (uint32_t)regex->group_count;
    pcre2_match_data *data = memory == NULL ? NULL : pcre2_match_data_create(pairs, memory);
    bool is_match = false;
    if (data != NULL) {
        int rc = pcre2_match(regex->code, (PCRE2_SPTR)subject.ptr, subject.len, 0, 0, data,
                             regex->set->limits);
        if (rc == PCRE2_ERROR_JIT_STACKLIMIT)
            rc = match_again(regex, subject, data);
        is_match = rc >= 0; /* 0: more groups than pairs */
        if (is_match && groups != NULL)
            copy_groups(regex, data, groups);
    }
    pcre2_match_data_free(data);
    pcre2_general_context_free(memory);
    return is_match;
}
