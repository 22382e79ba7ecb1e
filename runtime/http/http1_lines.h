/* SPDX-License-Identifier: Apache-2.0 */
/* http1_lines.h -- the lines of a message head: where they end, and the fields in them. Private to
 * the parser of this folder; http1_parse.h is what others use. */
#ifndef SLUICE_HTTP_HTTP1_LINES_H
#define SLUICE_HTTP_HTTP1_LINES_H

#include "http/http1_parse.h"

/* Finds out whether the head at `bytes` has arrived. HTTP1_OK: *lines begins with the first line,
 * behind at most `max_empty` empty ones, and ends with CR LF CR LF; the head ends at its first
 * empty line, what follows that is not its own. HTTP1_INCOMPLETE: *lines begins likewise and has
 * the rest of `bytes`. Else a limit was exceeded or a line ended without CR; *error says which. */
enum http1_result http1_lines_find(struct slice bytes, struct http1_scan *scan, size_t max_empty,
                                   struct slice *lines, struct slice *error)
    __attribute__((warn_unused_result));

/* Parses field lines from *at on, behind the first line, until the empty line; *at then is behind
 * it. `end` must be the end of lines found by http1_lines_find(). HTTP1_OK, HTTP1_BAD,
 * HTTP1_HEAD_TOO_LARGE or HTTP1_NO_MEMORY; *error says why. */
enum http1_result http1_lines_fields(const char **at, const char *end, struct arena *arena,
                                     struct http_headers *headers, struct slice *error)
    __attribute__((warn_unused_result));

#endif
