/* SPDX-License-Identifier: Apache-2.0 */
/* uri.c -- request targets (RFC 3986; reference/proxy-behaviour.md sections 2 and 6).
 *
 * A path is normalised once, and what that gives is what routing, plugins and the upstream see:
 * "%25" and the triplets of reserved bytes stay, so nothing is ever decoded twice, and normalising
 * or escaping again changes nothing. */
#include "http/uri.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/arena.h"
#include "http/char_class.h"

static const char upper_hex[] = "0123456789ABCDEF";

void uri_split(struct slice path_query, struct slice *path, struct slice *query)
{
    size_t at = slice_find(path_query, '?');
    *path = slice_make(path_query.ptr, at);
    *query = at == path_query.len ? slice_of(NULL) : slice_from(path_query, at + 1);
}

/* 1 to 65535, at most five digits. */
static bool parse_port(struct slice text, int *port)
{
    int number = 0;
    if (text.len > 5)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
        number = number * 10 + (text.ptr[i] - '0');
    }
    *port = number;
    return number > 0 && number <= 65535;
}

/* "[" IPv6 "]" without zone. */
static bool is_ip_literal(struct slice host)
{
    char text[INET6_ADDRSTRLEN];
    struct in6_addr address;
    if (host.len < 4 || host.len - 2 >= sizeof(text) || host.ptr[host.len - 1] != ']')
        return false;
    memcpy(text, host.ptr + 1, host.len - 2);
    text[host.len - 2] = '\0';
    return strlen(text) == host.len - 2 && inet_pton(AF_INET6, text, &address) == 1;
}

bool uri_parse_authority(struct slice authority, struct slice *host, int *port)
{
    if (authority.len == 0)
        return false;
    const char *p = authority.ptr, *end = p + authority.len;
    bool is_literal = *p == '[';
    while (p < end && char_class_is(*p, CHAR_HOST))
        p++;
    size_t len = is_literal ? slice_find(authority, ']') + 1 : (size_t)(p - authority.ptr);
    if (len == 0 || len > authority.len)
        return false;
    *host = slice_make(authority.ptr, len);
    *port = 0;
    if (is_literal && !is_ip_literal(*host))
        return false;
    if (len == authority.len)
        return true;
    return authority.ptr[len] == ':' && parse_port(slice_from(authority, len + 1), port);
}

/* The byte that the triplet at `p` stands for, or -1 if there is none before `end`. */
static int triplet(const char *p, const char *end)
{
    if (end - p < 3 || p[0] != '%')
        return -1;
    int high = char_class_hex(p[1]), low = char_class_hex(p[2]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/* Length of the segment at `p`, up to "/" or `end`. */
static size_t segment_len(const char *p, const char *end)
{
    const char *slash = memchr(p, '/', (size_t)(end - p));
    return (size_t)((slash == NULL ? end : slash) - p);
}

static bool is_dots(const char *p, size_t len)
{
    return len > 0 && len <= 2 && p[0] == '.' && p[len - 1] == '.';
}

/* True if normalisation would not change `path`; triplets are taken for a change. */
static bool is_normal(struct slice path)
{
    const char *p = path.ptr, *end = p + path.len;
    bool is_start = true; /* of a segment */
    while (p < end) {
        if (is_start && *p == '.' && is_dots(p, segment_len(p, end)))
            return false;
        if (char_class_is(*p, CHAR_PLAIN)) {
            is_start = false;
        } else {
            if (*p != '/' || (is_start && p > path.ptr))
                return false;
            is_start = true;
        }
        p++;
    }
    return true;
}

/* Decodes the triplets of bytes that are not reserved, writes the others in upper case. The number
 * of bytes written to `out` (as many as `path` has are enough), or -1: a wrong triplet or a NUL
 * byte. */
static ssize_t decode_triplets(struct slice path, char *out)
{
    const char *p = path.ptr, *end = p + path.len;
    char *to = out;
    while (p < end) {
        if (*p != '%') {
            if (*p == '\0')
                return -1;
            *to++ = *p++;
            continue;
        }
        int byte = triplet(p, end);
        if (byte <= 0)
            return -1;
        if (char_class_is((char)byte, CHAR_RESERVED)) {
            *to++ = '%';
            *to++ = upper_hex[byte >> 4];
            *to++ = upper_hex[byte & 15];
        } else {
            *to++ = (char)byte;
        }
        p += 3;
    }
    return to - out;
}

/* RFC 3986 section 5.2.4, in place. Empty segments count as segments here, as in Kong, which merges
 * slashes afterwards: "/a//../b" is "/a/b". Returns the new length. */
static size_t remove_dot_segments(char *path, size_t len)
{
    const char *p = path, *end = path + len;
    char *to = path;
    if (p < end && *p != '/') { /* a relative first segment, dropped if it is dots */
        size_t first = segment_len(p, end);
        if (!is_dots(p, first))
            to += first;
        p += first;
    }
    while (p < end) { /* *p is "/" */
        size_t segment = segment_len(p + 1, end);
        bool is_last = p + 1 + segment == end;
        if (!is_dots(p + 1, segment)) {
            memmove(to, p, segment + 1);
            to += segment + 1;
        } else {
            if (segment == 2) {
                char *slash = memrchr(path, '/', (size_t)(to - path));
                to = slash == NULL ? path : slash;
            }
            if (is_last)
                *to++ = '/';
        }
        p += segment + 1;
    }
    return (size_t)(to - path);
}

static size_t merge_slashes(char *path, size_t len)
{
    char *to = path;
    for (size_t i = 0; i < len; i++)
        if (path[i] != '/' || to == path || to[-1] != '/')
            *to++ = path[i];
    return (size_t)(to - path);
}

struct slice uri_normalize(struct arena *arena, struct slice path)
{
    if (path.len == 0 || is_normal(path))
        return path;
    char *out = arena_alloc(arena, path.len + 1);
    if (out == NULL)
        return slice_of(NULL);
    ssize_t decoded = decode_triplets(path, out);
    if (decoded < 0)
        return slice_of(NULL);
    size_t len = merge_slashes(out, remove_dot_segments(out, (size_t)decoded));
    out[len] = '\0';
    struct slice result = slice_make(out, len);
    return slice_eq(result, path) ? path : result;
}

struct slice uri_escape_path(struct arena *arena, struct slice path)
{
    size_t escaped = 0;
    for (size_t i = 0; i < path.len; i++)
        escaped += !char_class_is(path.ptr[i], CHAR_WIRE);
    if (escaped == 0)
        return path;
    size_t len = path.len + 2 * escaped; /* both far below SIZE_MAX / 4: they are in memory */
    char *out = arena_alloc(arena, len + 1);
    if (out == NULL)
        return slice_of(NULL);
    char *to = out;
    for (size_t i = 0; i < path.len; i++) {
        unsigned char byte = (unsigned char)path.ptr[i];
        if (char_class_is(path.ptr[i], CHAR_WIRE)) {
            *to++ = path.ptr[i];
        } else {
            *to++ = '%';
            *to++ = upper_hex[byte >> 4];
            *to++ = upper_hex[byte & 15];
        }
    }
    *to = '\0';
    return slice_make(out, len);
}

struct slice uri_decode(struct arena *arena, struct slice text, bool is_form)
{
    if (text.len == 0)
        return SLICE("");
    if (slice_find(text, '%') == text.len && (!is_form || slice_find(text, '+') == text.len))
        return text;
    char *out = arena_alloc(arena, text.len + 1);
    if (out == NULL)
        return slice_of(NULL);
    const char *p = text.ptr, *end = p + text.len;
    char *to = out;
    while (p < end) {
        int byte = triplet(p, end);
        if (byte >= 0) {
            *to++ = (char)byte;
            p += 3;
        } else {
            *to++ = is_form && *p == '+' ? ' ' : *p;
            p++;
        }
    }
    *to = '\0';
    return slice_make(out, (size_t)(to - out));
}

bool uri_query_next(struct slice *rest, struct slice *name, struct slice *value, bool *is_bare)
{
    struct slice argument;
    while (slice_split(rest, '&', &argument)) {
        size_t equals = slice_find(argument, '=');
        if (equals == 0 || argument.len == 0)
            continue;
        *is_bare = equals == argument.len;
        *name = slice_make(argument.ptr, equals);
        *value = slice_from(argument, equals + 1);
        return true;
    }
    return false;
}

/* `base`, `middle` and `rest` in one; without copying if only one of the outer two has bytes. */
static struct slice join(struct arena *arena, struct slice base, struct slice middle,
                         struct slice rest)
{
    if (middle.len == 0 && (base.len == 0 || rest.len == 0))
        return base.len == 0 ? rest : base;
    size_t len = base.len + middle.len + rest.len;
    char *out = arena_alloc(arena, len + 1);
    if (out == NULL)
        return slice_of(NULL);
    memcpy(out, base.ptr, base.len);
    memcpy(out + base.len, middle.ptr, middle.len);
    memcpy(out + base.len + middle.len, rest.ptr, rest.len);
    out[len] = '\0';
    return slice_make(out, len);
}

/* What of `request` is left behind the match. A route "/a" also matches "/a..": its rest must not
 * climb out of the service's path. */
static struct slice rest_of_match(struct slice request, size_t match_len)
{
    struct slice rest = slice_from(request, match_len == 0 ? 1 : match_len);
    if (slice_eq(rest, SLICE(".")) || slice_eq(rest, SLICE("..")))
        return SLICE("");
    if (slice_starts_with(rest, SLICE("./")))
        return slice_from(rest, 2);
    if (slice_starts_with(rest, SLICE("../")))
        return slice_from(rest, 3);
    return rest;
}

struct slice uri_upstream_path(struct arena *arena, struct slice base, struct slice request,
                               size_t match_len, bool strip)
{
    const struct slice slash = SLICE("/"), none = SLICE("");
    if (base.len == 0)
        base = slash;
    bool has_slash = slice_ends_with(base, slash);
    struct slice stem = slice_make(base.ptr, base.len - has_slash); /* base without final slash */
    if (!strip) {
        if (!has_slash && slice_eq(request, slash))
            return base;
        return join(arena, slice_starts_with(request, slash) ? stem : base, none, request);
    }
    struct slice rest = rest_of_match(request, match_len);
    if (rest.len > 0)
        return join(arena, stem, rest.ptr[0] == '/' ? none : slash, rest);
    bool wants_slash = request.len > 1 && slice_ends_with(request, slash);
    if (has_slash)
        return stem.len == 0 || wants_slash ? base : stem;
    return wants_slash ? join(arena, base, none, slash) : base;
}
