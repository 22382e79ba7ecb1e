/* SPDX-License-Identifier: Apache-2.0 */
/* json_member.c -- one pass over the text, without recursion: what is open is kept as one byte per
 * level. The whole text is checked before anything in it is believed. */
#include "json_member.h"

enum { DEPTH_MAX = 256 }; /* deeper texts count as no JSON */

struct scanner {
    const char *at, *end;
};

struct member {
    const char *start, *end;    /* of `"name": value` */
    struct pdk_str name, value; /* as written; of a string value without its quotes */
    char kind;                  /* first byte of the value */
};

enum step { STEP_MEMBER, STEP_END, STEP_BAD };

static void skip_space(struct scanner *s)
{
    while (s->at < s->end && (*s->at == ' ' || *s->at == '\t' || *s->at == '\n' || *s->at == '\r'))
        s->at++;
}

/* The next byte that is no white space; '\0' at the end. */
static char peek(struct scanner *s)
{
    skip_space(s);
    return s->at < s->end ? *s->at : '\0';
}

static bool take(struct scanner *s, char c)
{
    if (peek(s) != c)
        return false;
    s->at++;
    return true;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Four hex digits at `p`; -1 if there are none before `end`. */
static int32_t hex_4(const char *p, const char *end)
{
    int32_t unit = 0;
    if (end - p < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        int digit = hex_value(p[i]);
        if (digit < 0)
            return -1;
        unit = unit * 16 + digit;
    }
    return unit;
}

/* Takes a string; *raw is what stands between its quotes. */
static bool take_string(struct scanner *s, struct pdk_str *raw)
{
    if (!take(s, '"'))
        return false;
    const char *start = s->at;
    for (; s->at < s->end; s->at++) {
        if (*s->at == '"') {
            *raw = (struct pdk_str){start, (size_t)(s->at - start)};
            s->at++;
            return true;
        }
        if ((unsigned char)*s->at < 0x20)
            return false;
        if (*s->at != '\\')
            continue;
        if (++s->at == s->end)
            return false;
        if (*s->at == 'u' ? hex_4(s->at + 1, s->end) < 0
                          : *s->at == '\0' || strchr("\"\\/bfnrt", *s->at) == NULL)
            return false;
    }
    return false;
}

static bool take_digits(struct scanner *s)
{
    const char *start = s->at;
    while (s->at < s->end && *s->at >= '0' && *s->at <= '9')
        s->at++;
    return s->at > start;
}

static bool take_byte(struct scanner *s, char c)
{
    if (s->at == s->end || *s->at != c)
        return false;
    s->at++;
    return true;
}

static bool take_number(struct scanner *s)
{
    (void)take_byte(s, '-');
    if (!take_byte(s, '0') && !take_digits(s))
        return false;
    if (take_byte(s, '.') && !take_digits(s))
        return false;
    if (take_byte(s, 'e') || take_byte(s, 'E')) {
        if (!take_byte(s, '+'))
            (void)take_byte(s, '-');
        return take_digits(s);
    }
    return true;
}

static bool take_word(struct scanner *s, struct pdk_str word)
{
    if ((size_t)(s->end - s->at) < word.len || memcmp(s->at, word.ptr, word.len) != 0)
        return false;
    s->at += word.len;
    return true;
}

/* A value that is neither array nor object. */
static bool take_scalar(struct scanner *s)
{
    struct pdk_str raw;
    switch (peek(s)) {
    case '"': return take_string(s, &raw);
    case 't': return take_word(s, PDK_STR("true"));
    case 'f': return take_word(s, PDK_STR("false"));
    case 'n': return take_word(s, PDK_STR("null"));
    default: return take_number(s);
    }
}

static bool take_name(struct scanner *s)
{
    struct pdk_str raw;
    return take_string(s, &raw) && take(s, ':');
}

/* Any value. */
static bool take_value(struct scanner *s)
{
    char open[DEPTH_MAX]; /* the bytes that will close what is open, outermost first */
    size_t depth = 0;
    for (;;) {
        char first = peek(s);
        if (first == '{' || first == '[') {
            char close = first == '{' ? '}' : ']';
            if (depth == DEPTH_MAX)
                return false;
            s->at++;
            open[depth++] = close;
            if (peek(s) != close) {
                if (close == '}' && !take_name(s))
                    return false;
                continue;
            }
        } else if (!take_scalar(s)) {
            return false;
        }
        /* A value has ended, or an empty container is about to. */
        while (depth > 0 && take(s, open[depth - 1]))
            depth--;
        if (depth == 0)
            return true;
        if (!take(s, ',') || (open[depth - 1] == '}' && !take_name(s)))
            return false;
    }
}

static enum step next_member(struct scanner *s, bool *is_first, struct member *member)
{
    if (take(s, '}')) {
        skip_space(s);
        return s->at == s->end ? STEP_END : STEP_BAD;
    }
    if (!*is_first && !take(s, ','))
        return STEP_BAD;
    *is_first = false;
    skip_space(s);
    member->start = s->at;
    if (!take_string(s, &member->name) || !take(s, ':'))
        return STEP_BAD;
    member->kind = peek(s);
    const char *value = s->at;
    if (!take_value(s))
        return STEP_BAD;
    member->end = s->at;
    member->value = (struct pdk_str){value, (size_t)(s->at - value)};
    if (member->kind == '"')
        member->value = (struct pdk_str){value + 1, member->value.len - 2};
    return STEP_MEMBER;
}

static size_t put_utf8(char *out, uint32_t code)
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (char)(0xc0 | code >> 6);
        out[1] = (char)(0x80 | (code & 0x3f));
        return 2;
    }
    if (code < 0x10000) {
        out[0] = (char)(0xe0 | code >> 12);
        out[1] = (char)(0x80 | (code >> 6 & 0x3f));
        out[2] = (char)(0x80 | (code & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | code >> 18);
    out[1] = (char)(0x80 | (code >> 12 & 0x3f));
    out[2] = (char)(0x80 | (code >> 6 & 0x3f));
    out[3] = (char)(0x80 | (code & 0x3f));
    return 4;
}

/* The code point of "\uXXXX" at p + 1; takes the second half of a surrogate pair too. A lone half
 * is U+FFFD: no key has it. */
static uint32_t take_code_point(const char **p, const char *end)
{
    uint32_t unit = (uint32_t)hex_4(*p + 2, end);
    *p += 6;
    if (unit < 0xd800 || unit > 0xdfff)
        return unit;
    if (unit > 0xdbff || end - *p < 6 || (*p)[0] != '\\' || (*p)[1] != 'u')
        return 0xfffd;
    uint32_t low = (uint32_t)hex_4(*p + 2, end);
    if (low < 0xdc00 || low > 0xdfff)
        return 0xfffd;
    *p += 6;
    return 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
}

/* Writes one decoded character of a checked string to `out` (4 bytes); how many bytes it has. */
static size_t take_character(const char **p, const char *end, char *out)
{
    static const char escapes[] = "bfnrt", meanings[] = "\b\f\n\r\t";
    if (**p != '\\') {
        *out = *(*p)++;
        return 1;
    }
    char letter = (*p)[1];
    if (letter == 'u')
        return put_utf8(out, take_code_point(p, end));
    const char *escape = strchr(escapes, letter);
    *out = escape == NULL ? letter : meanings[escape - escapes];
    *p += 2;
    return 1;
}

static bool is_named(struct pdk_str raw, struct pdk_str name)
{
    const char *p = raw.ptr, *end = raw.ptr + raw.len;
    size_t i = 0;
    while (p < end) {
        char bytes[4];
        size_t n = take_character(&p, end, bytes);
        if (name.len - i < n || memcmp(name.ptr + i, bytes, n) != 0)
            return false;
        i += n;
    }
    return i == name.len;
}

static enum found_kind kind_of(const struct member *member)
{
    if (member->kind == '"')
        return FOUND_TEXT;
    return member->kind == '[' || member->kind == '{' ? FOUND_SEVERAL : FOUND_OTHER;
}

struct found json_member_find(struct pdk_str text, struct pdk_str name)
{
    static const struct found nothing = {FOUND_NOTHING, {NULL, 0}};
    struct scanner s = {text.ptr, text.ptr + text.len};
    struct found found = nothing;
    struct member member;
    bool is_first = true;
    if (!take(&s, '{'))
        return nothing;
    for (;;) {
        switch (next_member(&s, &is_first, &member)) {
        case STEP_MEMBER:
            if (is_named(member.name, name))
                found_add(&found, kind_of(&member), member.value);
            break;
        case STEP_END: return found;
        case STEP_BAD: return nothing;
        }
    }
}

struct pdk_str json_member_decode(struct pdk_str text, char *out)
{
    const char *p = text.ptr, *end = text.ptr + text.len;
    size_t n = 0;
    while (p < end)
        n += take_character(&p, end, out + n);
    return (struct pdk_str){out, n};
}

struct pdk_str json_member_remove(struct pdk_str text, struct pdk_str name, char *out)
{
    struct scanner s = {text.ptr, text.ptr + text.len};
    struct member member;
    bool is_first = true;
    size_t n = 0;
    if (!take(&s, '{'))
        return text;
    out[n++] = '{';
    for (;;) {
        switch (next_member(&s, &is_first, &member)) {
        case STEP_MEMBER:
            if (is_named(member.name, name))
                break;
            if (n > 1)
                out[n++] = ',';
            memcpy(out + n, member.start, (size_t)(member.end - member.start));
            n += (size_t)(member.end - member.start);
            break;
        case STEP_END: out[n++] = '}'; return (struct pdk_str){out, n};
        case STEP_BAD: return text;
        }
    }
}
