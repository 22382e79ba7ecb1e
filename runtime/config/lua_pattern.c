/* SPDX-License-Identifier: Apache-2.0 */
/* lua_pattern.c -- a backtracking matcher for the patterns of Lua 5.1.
 *
 * match_here() walks the pattern item by item; an item is a capture mark, %b, %f, a back reference,
 * or a single-character class with an optional * + - ?. It calls itself only where backtracking
 * needs it, each call and each step is counted, and the first bound or mistake that is met is kept
 * in `failure` and ends the search. */
#include "config/lua_pattern.h"

#include <ctype.h>

enum {
    CAPTURES_MAX = 32,
    DEPTH_MAX = 200,
    STEPS_BASE = 1000000, /* and some more for each byte of the subject, which one walk needs */
    STEPS_PER_BYTE = 8,
};

enum { CAPTURE_OPEN = -1, CAPTURE_POSITION = -2 };

struct matcher {
    const char *subject, *subject_end;
    const char *pattern_end;
    int depth;
    size_t steps_left;
    enum lua_pattern_result failure; /* LUA_PATTERN_NO_MATCH while all is well */
    int capture_count;
    struct {
        const char *start;
        ptrdiff_t len; /* or CAPTURE_OPEN, CAPTURE_POSITION */
    } captures[CAPTURES_MAX];
};

static const char *match_here(struct matcher *m, const char *s, const char *p);

static const char *fail(struct matcher *m, enum lua_pattern_result why)
{
    if (m->failure == LUA_PATTERN_NO_MATCH)
        m->failure = why;
    return NULL;
}

static bool class_matches(unsigned char c, unsigned char letter)
{
    bool is_in;
    switch (tolower(letter)) {
    case 'a': is_in = isalpha(c) != 0; break;
    case 'c': is_in = iscntrl(c) != 0; break;
    case 'd': is_in = isdigit(c) != 0; break;
    case 'l': is_in = islower(c) != 0; break;
    case 'p': is_in = ispunct(c) != 0; break;
    case 's': is_in = isspace(c) != 0; break;
    case 'u': is_in = isupper(c) != 0; break;
    case 'w': is_in = isalnum(c) != 0; break;
    case 'x': is_in = isxdigit(c) != 0; break;
    case 'z': is_in = c == 0; break;
    default: return letter == c;
    }
    return isupper(letter) ? !is_in : is_in;
}

/* Behind the single-character class that starts at `p`; NULL if it is malformed. */
static const char *class_end(struct matcher *m, const char *p)
{
    char c = *p++;
    if (c == '%')
        return p == m->pattern_end ? fail(m, LUA_PATTERN_BAD) : p + 1;
    if (c != '[')
        return p;
    if (p < m->pattern_end && *p == '^')
        p++;
    do { /* a "]" right at the start stands for itself */
        if (p == m->pattern_end)
            return fail(m, LUA_PATTERN_BAD);
        if (*p++ == '%') {
            if (p == m->pattern_end)
                return fail(m, LUA_PATTERN_BAD);
            p++;
        }
    } while (p == m->pattern_end || *p != ']');
    return p + 1;
}

/* `p` is at "[", `end` at the closing "]". */
static bool set_matches(unsigned char c, const char *p, const char *end)
{
    bool is_in = true;
    p++;
    if (*p == '^') {
        is_in = false;
        p++;
    }
    while (p < end) {
        if (*p == '%') {
            if (class_matches(c, (unsigned char)p[1]))
                return is_in;
            p += 2;
        } else if (p + 2 < end && p[1] == '-') {
            if ((unsigned char)p[0] <= c && c <= (unsigned char)p[2])
                return is_in;
            p += 3;
        } else {
            if ((unsigned char)*p == c)
                return is_in;
            p++;
        }
    }
    return !is_in;
}

/* Whether the character at `s` (there is one) is in the class from `p` to `end`. */
static bool single_matches(const char *s, const char *p, const char *end)
{
    unsigned char c = (unsigned char)*s;
    switch (*p) {
    case '.': return true;
    case '%': return class_matches(c, (unsigned char)p[1]);
    case '[': return set_matches(c, p, end - 1);
    default: return (unsigned char)*p == c;
    }
}

static bool step(struct matcher *m)
{
    if (m->failure != LUA_PATTERN_NO_MATCH)
        return false;
    if (m->steps_left-- == 0) {
        m->steps_left = 0;
        fail(m, LUA_PATTERN_TOO_BIG);
        return false;
    }
    return true;
}

static const char *match_balanced(struct matcher *m, const char *s, const char *p)
{
    if (m->pattern_end - p < 2)
        return fail(m, LUA_PATTERN_BAD);
    if (s == m->subject_end || *s != p[0])
        return NULL;
    int depth = 1;
    for (const char *at = s + 1; at < m->subject_end && step(m); at++) {
        if (*at == p[1]) {
            if (--depth == 0)
                return at + 1;
        } else if (*at == p[0]) {
            depth++;
        }
    }
    return NULL;
}

/* Greedy: as many as there are, then fewer. `rest` is the pattern behind the item. */
static const char *match_most(struct matcher *m, const char *s, const char *p, const char *end,
                              const char *rest)
{
    ptrdiff_t count = 0;
    while (s + count < m->subject_end && single_matches(s + count, p, end) && step(m))
        count++;
    for (; count >= 0 && step(m); count--) {
        const char *found = match_here(m, s + count, rest);
        if (found != NULL)
            return found;
    }
    return NULL;
}

static const char *match_fewest(struct matcher *m, const char *s, const char *p, const char *end,
                                const char *rest)
{
    while (step(m)) {
        const char *found = match_here(m, s, rest);
        if (found != NULL)
            return found;
        if (s == m->subject_end || !single_matches(s, p, end))
            return NULL;
        s++;
    }
    return NULL;
}

static const char *open_capture(struct matcher *m, const char *s, const char *p, ptrdiff_t what)
{
    if (m->capture_count >= CAPTURES_MAX)
        return fail(m, LUA_PATTERN_BAD);
    m->captures[m->capture_count].start = s;
    m->captures[m->capture_count].len = what;
    m->capture_count++;
    const char *found = match_here(m, s, p);
    if (found == NULL)
        m->capture_count--;
    return found;
}

static const char *close_capture(struct matcher *m, const char *s, const char *p)
{
    int which = m->capture_count - 1;
    while (which >= 0 && m->captures[which].len != CAPTURE_OPEN)
        which--;
    if (which < 0)
        return fail(m, LUA_PATTERN_BAD);
    m->captures[which].len = s - m->captures[which].start;
    const char *found = match_here(m, s, p);
    if (found == NULL)
        m->captures[which].len = CAPTURE_OPEN;
    return found;
}

/* Behind the text of capture `digit` if it stands at `s`. */
static const char *match_reference(struct matcher *m, const char *s, char digit)
{
    int which = digit - '1';
    if (which < 0 || which >= m->capture_count || m->captures[which].len == CAPTURE_OPEN)
        return fail(m, LUA_PATTERN_BAD);
    size_t len = m->captures[which].len < 0 ? 0 : (size_t)m->captures[which].len;
    if ((size_t)(m->subject_end - s) < len || memcmp(m->captures[which].start, s, len) != 0)
        return NULL;
    return s + len;
}

/* %f[set]: between a character outside of the set and one inside; the ends count as NUL. */
static bool frontier_matches(struct matcher *m, const char *s, const char *p, const char *end)
{
    unsigned char before = s > m->subject ? (unsigned char)s[-1] : 0;
    unsigned char here = s < m->subject_end ? (unsigned char)*s : 0;
    return !set_matches(before, p, end - 1) && set_matches(here, p, end - 1);
}

/* One character class with its suffix. True: it matched once and the walk goes on at *s, *p; else
 * *found is the result. */
static bool match_item(struct matcher *m, const char **s, const char **p, const char **found)
{
    const char *end = class_end(m, *p);
    *found = NULL;
    if (end == NULL)
        return false;
    char suffix = end < m->pattern_end ? *end : '\0';
    bool is_here = *s < m->subject_end && single_matches(*s, *p, end);
    switch (suffix) {
    case '?':
        if (is_here && (*found = match_here(m, *s + 1, end + 1)) != NULL)
            return false;
        *p = end + 1;
        return true;
    case '*': *found = match_most(m, *s, *p, end, end + 1); return false;
    case '+': *found = is_here ? match_most(m, *s + 1, *p, end, end + 1) : NULL; return false;
    case '-': *found = match_fewest(m, *s, *p, end, end + 1); return false;
    default: break;
    }
    if (!is_here)
        return false;
    ++*s;
    *p = end;
    return true;
}

/* The items that start with "%" and are no class. True: one was there and *s, *p moved on, or it
 * did not match and *s is NULL. */
static bool match_special(struct matcher *m, const char **s, const char **p)
{
    const char *at = *p + 1;
    if (at >= m->pattern_end)
        return false;
    if (*at == 'b') {
        *s = match_balanced(m, *s, at + 1);
        *p = at + 3;
        return true;
    }
    if (*at == 'f') {
        at++;
        const char *end = at < m->pattern_end && *at == '[' ? class_end(m, at) : NULL;
        if (end == NULL)
            *s = fail(m, LUA_PATTERN_BAD);
        else if (!frontier_matches(m, *s, at, end))
            *s = NULL;
        *p = end;
        return true;
    }
    if (isdigit((unsigned char)*at)) {
        *s = match_reference(m, *s, *at);
        *p = at + 1;
        return true;
    }
    return false;
}

static const char *walk(struct matcher *m, const char *s, const char *p)
{
    while (p < m->pattern_end && step(m)) {
        if (*p == '(') {
            bool is_position = p + 1 < m->pattern_end && p[1] == ')';
            return is_position ? open_capture(m, s, p + 2, CAPTURE_POSITION)
                               : open_capture(m, s, p + 1, CAPTURE_OPEN);
        }
        if (*p == ')')
            return close_capture(m, s, p + 1);
        if (*p == '$' && p + 1 == m->pattern_end)
            return s == m->subject_end ? s : NULL;
        if (*p == '%' && match_special(m, &s, &p)) {
            if (s == NULL)
                return NULL;
            continue;
        }
        const char *found;
        if (!match_item(m, &s, &p, &found))
            return found;
    }
    return m->failure == LUA_PATTERN_NO_MATCH ? s : NULL;
}

/* Where a match of `p` at `s` ends; NULL: none. */
static const char *match_here(struct matcher *m, const char *s, const char *p)
{
    if (m->depth >= DEPTH_MAX)
        return fail(m, LUA_PATTERN_TOO_BIG);
    m->depth++;
    const char *found = walk(m, s, p);
    m->depth--;
    return found;
}

enum lua_pattern_result lua_pattern_match(struct slice subject, struct slice pattern)
{
    if (subject.ptr == NULL) /* absent is as good as empty */
        subject = slice_make(pattern.ptr, 0);
    struct matcher m = {
        .subject = subject.ptr,
        .subject_end = subject.ptr + subject.len,
        .pattern_end = pattern.ptr + pattern.len,
        .failure = LUA_PATTERN_NO_MATCH,
        .steps_left = STEPS_BASE + subject.len * STEPS_PER_BYTE,
    };
    bool is_anchored = pattern.len > 0 && pattern.ptr[0] == '^';
    const char *p = pattern.ptr + (is_anchored ? 1 : 0);
    for (const char *s = m.subject;; s++) {
        m.capture_count = 0;
        if (match_here(&m, s, p) != NULL) {
            for (int i = 0; i < m.capture_count; i++)
                if (m.captures[i].len == CAPTURE_OPEN)
                    return LUA_PATTERN_BAD;
            return LUA_PATTERN_MATCH;
        }
        if (m.failure != LUA_PATTERN_NO_MATCH || is_anchored || s == m.subject_end)
            return m.failure;
    }
}
