/* SPDX-License-Identifier: Apache-2.0 */
/* route_literal.c -- see route_literal.h.
 *
 * Two questions: has the pattern a choice outside of all groups (then no front of it is certain),
 * and how far does plain text reach? Both err towards the shorter text. */
#include "route/route_literal.h"

#include "base/arena.h"

/* '\0' behind the end. */
static char peek(struct slice pattern, size_t at)
{
    return at < pattern.len ? pattern.ptr[at] : '\0';
}

static bool is_one_of(char c, const char *set)
{
    return c != '\0' && strchr(set, c) != NULL;
}

static bool is_letter_or_digit(char c)
{
    return (c >= '0' && c <= '9') || (slice_lower(c) >= 'a' && slice_lower(c) <= 'z');
}

/* Moves *at from the "[" of a class to its "]". False: more than a plain class. */
static bool skip_class(struct slice pattern, size_t *at)
{
    size_t i = *at + 1;
    i += peek(pattern, i) == '^';
    i += peek(pattern, i) == ']'; /* in front it is an element */
    for (; i < pattern.len && pattern.ptr[i] != ']'; i++) {
        if (pattern.ptr[i] == '[' && is_one_of(peek(pattern, i + 1), ":.="))
            return false;
        if (pattern.ptr[i] == '\\' && is_one_of(peek(pattern, ++i), "QE"))
            return false;
    }
    *at = i;
    return i < pattern.len;
}

/* Whether `pattern` may have a "|" outside of all groups. Where parentheses could be hidden (by a
 * quotation, a comment, or an option that allows comments) every later "|" counts. */
static bool may_branch(struct slice pattern)
{
    size_t depth = 0, i = 0;
    for (; i < pattern.len; i++) {
        char next = peek(pattern, i + 1);
        switch (pattern.ptr[i]) {
        case '\\':
            if (next == 'Q')
                goto unclear;
            i++;
            break;
        case '[':
            if (!skip_class(pattern, &i))
                goto unclear;
            break;
        case '(':
            if (next == '*' || (next == '?' && !is_one_of(peek(pattern, i + 2), ":P<=!>|'")))
                goto unclear;
            depth++;
            break;
        case ')': depth -= depth > 0; break;
        case '|':
            if (depth == 0)
                return true;
            break;
        default: break;
        }
    }
    return false;
unclear:
    return memchr(pattern.ptr + i, '|', pattern.len - i) != NULL;
}

/* One character that stands for itself, at *at, which moves behind it. */
static bool take_plain(struct slice pattern, size_t *at, char *out)
{
    char c = pattern.ptr[*at];
    if (is_one_of(c, "^$.[]|()?*+{}\\")) {
        /* An escaped letter or digit has a meaning of its own. */
        if (c != '\\' || *at + 1 >= pattern.len || is_letter_or_digit(pattern.ptr[*at + 1]))
            return false;
        c = pattern.ptr[++*at];
    }
    ++*at;
    *out = c;
    return true;
}

/* Whether a quantifier may apply to the character before `at`. PCRE2 looks for one behind empty
 * quotations and comments as well. */
static bool may_be_repeated(struct slice pattern, size_t at)
{
    char c = peek(pattern, at), next = peek(pattern, at + 1);
    return is_one_of(c, "?*+{") || (c == '\\' && is_one_of(next, "QE")) ||
           (c == '(' && next == '?' && is_one_of(peek(pattern, at + 2), "#C"));
}

bool route_literal_of(struct arena *arena, struct slice pattern, struct slice *literal)
{
    *literal = SLICE("");
    if (pattern.len > 0 && pattern.ptr[0] == '^')
        pattern = slice_from(pattern, 1);
    if (pattern.len == 0 || may_branch(pattern))
        return true;
    char *text = arena_alloc(arena, pattern.len);
    if (text == NULL)
        return false;
    size_t length = 0, at = 0;
    char c;
    while (at < pattern.len && take_plain(pattern, &at, &c) && !may_be_repeated(pattern, at))
        text[length++] = c;
    *literal = slice_make(text, length);
    return true;
}
