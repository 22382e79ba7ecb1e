/* SPDX-License-Identifier: Apache-2.0 */
/* http1_parse.c -- the first lines of requests and responses (RFC 9112 sections 3 and 4), and the
 * two parsers put together:
 *
 *   bytes -> http1_lines_find() -> first line (here) -> http1_lines_fields() -> http1_framing_...()
 *
 * A first line that has arrived is checked at once, so that a peer that speaks something else is
 * told so without waiting for the end of its head. */
#include "http/http1_parse.h"

#include <string.h>

#include "base/arena.h"
#include "http/char_class.h"
#include "http/http1_framing.h"
#include "http/http1_lines.h"
#include "http/uri.h"

/* RFC 9112 section 2.2 asks for tolerance of at least one empty line before a request. */
enum { MAX_EMPTY_LINES = 2 };

static enum http1_result fail(struct http1_head *head, enum http1_result result, struct slice text)
{
    head->error = text;
    return result;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* "HTTP/1.x" at `p`, which has at least 8 bytes. HTTP/1.2 and above are spoken to as 1.1. */
static enum http1_result parse_version(const char *p, struct http1_head *head)
{
    if (memcmp(p, "HTTP/", 5) != 0 || !is_digit(p[5]) || p[6] != '.' || !is_digit(p[7]))
        return fail(head, HTTP1_BAD, SLICE("invalid HTTP version"));
    if (p[5] != '1')
        return fail(head, HTTP1_BAD_VERSION, SLICE("HTTP version other than 1.x"));
    head->minor_version = p[7] == '0' ? 0 : 1;
    return HTTP1_OK;
}

/* "http://authority[/path][?query]" (RFC 9112 section 3.2.2). */
static enum http1_result parse_absolute_form(struct arena *arena, struct http1_head *head)
{
    struct slice rest = head->target;
    size_t colon = slice_find(rest, ':');
    head->scheme = slice_make(rest.ptr, colon);
    rest = slice_from(rest, colon);
    if (!slice_starts_with(rest, SLICE("://")) || (!slice_eq_nocase(head->scheme, SLICE("http")) &&
                                                   !slice_eq_nocase(head->scheme, SLICE("https"))))
        return fail(head, HTTP1_BAD, SLICE("invalid request target"));
    rest = slice_from(rest, 3);
    size_t len = 0;
    while (len < rest.len && rest.ptr[len] != '/' && rest.ptr[len] != '?')
        len++;
    head->authority = slice_make(rest.ptr, len);
    if (!uri_parse_authority(head->authority, &head->host, &head->port))
        return fail(head, HTTP1_BAD, SLICE("invalid authority in the request target"));
    rest = slice_from(rest, len);
    head->path_query = rest.len == 0 ? SLICE("/") : rest;
    if (rest.len == 0 || rest.ptr[0] == '/')
        return HTTP1_OK;
    head->path_query = arena_printf(arena, "/%.*s", SLICE_ARG(rest));
    if (head->path_query.ptr == NULL)
        return fail(head, HTTP1_NO_MEMORY, SLICE("out of memory"));
    return HTTP1_OK;
}

static enum http1_result parse_target(struct arena *arena, struct http1_head *head)
{
    head->authority = head->host = SLICE("");
    if (slice_eq(head->method, SLICE("CONNECT"))) {
        if (!uri_parse_authority(head->target, &head->host, &head->port) || head->port == 0)
            return fail(head, HTTP1_BAD, SLICE("CONNECT without host:port"));
        return fail(head, HTTP1_BAD_METHOD, SLICE("CONNECT is not offered"));
    }
    head->path_query = head->target;
    if (head->target.ptr[0] == '/')
        return HTTP1_OK;
    if (slice_eq(head->target, SLICE("*"))) {
        if (!slice_eq(head->method, SLICE("OPTIONS")))
            return fail(head, HTTP1_BAD, SLICE("request target * without OPTIONS"));
        return HTTP1_OK;
    }
    return parse_absolute_form(arena, head);
}

/* Parses the line at *at, which ends with LF before `end`; *at is then behind it. */
static enum http1_result parse_request_line(const char **at, const char *end, struct arena *arena,
                                            struct http1_head *head)
{
    const char *line = *at;
    const char *p = char_class_skip(line, CHAR_TOKEN);
    head->method = slice_make(line, (size_t)(p - line));
    if (head->method.len == 0 || *p != ' ')
        return fail(head, HTTP1_BAD, SLICE("invalid method"));
    const char *target = ++p;
    p = char_class_skip(p, CHAR_TARGET);
    head->target = slice_make(target, (size_t)(p - target));
    if (head->target.len == 0 || *p != ' ')
        return fail(head, HTTP1_BAD, SLICE("invalid request target"));
    p++;
    if (end - p < 10 || p[8] != '\r' || p[9] != '\n')
        return fail(head, HTTP1_BAD, SLICE("invalid HTTP version"));
    enum http1_result result = parse_version(p, head);
    if (result != HTTP1_OK)
        return result;
    *at = p + 10;
    return parse_target(arena, head);
}

/* RFC 9112 section 3.2: exactly one valid Host on HTTP/1.1, a valid one or none before. */
static enum http1_result check_host(struct http1_head *head)
{
    struct slice value, host;
    int port;
    if (!http_headers_has(&head->headers, HTTP_NAME_HOST)) {
        if (head->minor_version > 0)
            return fail(head, HTTP1_BAD, SLICE("no Host header"));
        return HTTP1_OK;
    }
    value = http_headers_get_known(&head->headers, HTTP_NAME_HOST);
    if (!uri_parse_authority(value, &host, &port))
        return fail(head, HTTP1_BAD, SLICE("invalid Host header"));
    if (head->scheme.ptr != NULL)
        return HTTP1_OK;
    head->authority = value;
    head->host = host;
    head->port = port;
    return HTTP1_OK;
}

/* "HTTP/1.1 200 OK"; the space before an empty reason may be missing, as it is from many servers.
 */
static enum http1_result parse_status_line(const char **at, const char *end,
                                           struct http1_head *head)
{
    const char *p = *at;
    if (end - p < 14 || parse_version(p, head) != HTTP1_OK || p[8] != ' ' || !is_digit(p[9]) ||
        p[9] == '0' || !is_digit(p[10]) || !is_digit(p[11]))
        return fail(head, HTTP1_BAD, SLICE("invalid status line"));
    head->status = (p[9] - '0') * 100 + (p[10] - '0') * 10 + (p[11] - '0');
    p += 12;
    if (*p == ' ')
        p++;
    else if (*p != '\r')
        return fail(head, HTTP1_BAD, SLICE("invalid status line"));
    const char *reason = p;
    p = char_class_skip(p, CHAR_VALUE);
    if (p[0] != '\r' || p[1] != '\n')
        return fail(head, HTTP1_BAD, SLICE("control character in the status line"));
    head->reason = slice_make(reason, (size_t)(p - reason));
    *at = p + 2;
    return HTTP1_OK;
}

/* Whether the front of a first line that has no end yet can be one. */
static enum http1_result check_opening(struct slice line, bool is_request, struct http1_head *head)
{
    const struct slice version = SLICE("HTTP/1.");
    size_t len = line.len < version.len ? line.len : version.len;
    if (!is_request && memcmp(line.ptr, version.ptr, len) != 0)
        return fail(head, HTTP1_BAD, SLICE("invalid status line"));
    /* A lone CR may become an empty line before the request. */
    if (is_request && !char_class_is(line.ptr[0], CHAR_TOKEN) && !slice_eq(line, SLICE("\r")))
        return fail(head, HTTP1_BAD, SLICE("invalid method"));
    return HTTP1_INCOMPLETE;
}

/* The way of both parsers up to the empty line; *consumed is set on HTTP1_OK. */
static enum http1_result parse_head(struct slice bytes, struct http1_scan *scan, bool is_request,
                                    struct arena *arena, struct http1_head *head, size_t *consumed)
{
    *head = (struct http1_head){0};
    bool is_line_known = scan->has_line; /* a former call has checked it */
    struct slice lines;
    enum http1_result found =
        http1_lines_find(bytes, scan, is_request ? MAX_EMPTY_LINES : 0, &lines, &head->error);
    if (found == HTTP1_INCOMPLETE && lines.len == 0)
        return HTTP1_INCOMPLETE;
    if (found == HTTP1_INCOMPLETE && !scan->has_line)
        return check_opening(lines, is_request, head);
    if ((found == HTTP1_INCOMPLETE && is_line_known) ||
        (found != HTTP1_OK && found != HTTP1_INCOMPLETE))
        return found;
    const char *at = lines.ptr, *end = lines.ptr + lines.len;
    enum http1_result result =
        is_request ? parse_request_line(&at, end, arena, head) : parse_status_line(&at, end, head);
    if (result != HTTP1_OK || found == HTTP1_INCOMPLETE)
        return result != HTTP1_OK ? result : HTTP1_INCOMPLETE;
    if (at - 2 - lines.ptr > HTTP1_MAX_LINE)
        return fail(head, HTTP1_LINE_TOO_LONG, SLICE("first line longer than 8192 bytes"));
    result = http1_lines_fields(&at, end, arena, &head->headers, &head->error);
    *consumed = (size_t)(at - bytes.ptr);
    return result;
}

enum http1_result http1_parse_request(struct slice bytes, struct http1_scan *scan,
                                      struct arena *arena, struct http1_head *head,
                                      size_t *consumed)
{
    enum http1_result result = parse_head(bytes, scan, true, arena, head, consumed);
    if (result == HTTP1_OK)
        result = check_host(head);
    if (result == HTTP1_OK)
        result = http1_framing_request(head);
    return result;
}

enum http1_result http1_parse_response(struct slice bytes, struct http1_scan *scan,
                                       struct slice request_method, struct arena *arena,
                                       struct http1_head *head, size_t *consumed)
{
    enum http1_result result = parse_head(bytes, scan, false, arena, head, consumed);
    if (result == HTTP1_LINE_TOO_LONG)
        result = HTTP1_HEAD_TOO_LARGE;
    if (result == HTTP1_OK)
        result = http1_framing_response(head, request_method);
    return result;
}
