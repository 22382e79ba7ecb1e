/* SPDX-License-Identifier: Apache-2.0 */
/* uri.h -- request targets: normalisation, escaping, query arguments (reference/proxy-behaviour.md
 * sections 2 and 6, RFC 3986). Pure. */
#ifndef SLUICE_HTTP_URI_H
#define SLUICE_HTTP_URI_H

#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"

struct arena;

/* Splits "path?query" at the first "?". query is absent without "?" and "" for a bare one. */
void uri_split(struct slice path_query, struct slice *path, struct slice *query);
/* Splits "host[:port]" (a Host value, an authority). The host is a name or IPv4 address of
 * unreserved and sub-delim bytes, without "%" and ",", or an IPv6 address in brackets (kept); the
 * port 1-65535, *port 0 if there is none. False: anything else, userinfo and an empty port
 * included. */
bool uri_parse_authority(struct slice authority, struct slice *host, int *port)
    __attribute__((warn_unused_result));
/* The path as Kong normalises it: triplets of unreserved (non-reserved) bytes decoded, others upper
 * case, dot segments removed, slashes merged. Returns `path` itself if nothing changes (the common
 * case, without allocation). {NULL, 0}: an invalid triplet, NUL byte (%00), or no memory. */
struct slice uri_normalize(struct arena *arena, struct slice path)
    __attribute__((warn_unused_result));
/* Escapes every byte outside ! # $ & ' ( ) * + , / : ; = ? @ [ ] A-Z a-z 0-9 - _ . ~ % as %XX for
 * the wire. Returns `path` itself if nothing changes. {NULL, 0}: no memory. */
struct slice uri_escape_path(struct arena *arena, struct slice path)
    __attribute__((warn_unused_result));
/* Decodes %XX and (is_form) "+"; wrong triplets stay as they are. Returns `text` itself if nothing
 * changes, "" for an absent one. {NULL, 0}: no memory. */
struct slice uri_decode(struct arena *arena, struct slice text, bool is_form)
    __attribute__((warn_unused_result));
/* Takes the next "name[=value]" off a raw query. False at the end. is_bare: no "=". Not decoded.
 * Arguments without a name are passed over, as in Kong. */
bool uri_query_next(struct slice *rest, struct slice *name, struct slice *value, bool *is_bare);
/* Path for the upstream (section 6, v0): `base` service path or "/", `request` the normalised path,
 * `match_len` bytes of it matched by the route's path (0: none), strip. {NULL, 0}: no memory. */
struct slice uri_upstream_path(struct arena *arena, struct slice base, struct slice request,
                               size_t match_len, bool strip) __attribute__((warn_unused_result));

#endif
