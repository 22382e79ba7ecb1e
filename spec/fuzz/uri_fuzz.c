/* SPDX-License-Identifier: Apache-2.0 */
/* uri_fuzz.c -- a normalised path stays as it is, also over the wire, and never climbs; the other
 * functions read no byte too far. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "http/uri.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool is_true)
{
    if (!is_true)
        abort();
}

static void check_normal(struct slice path)
{
    struct slice rest = slice_from(path, 1), segment;
    check(path.ptr[0] == '/');
    while (slice_split(&rest, '/', &segment)) {
        check(!slice_eq(segment, SLICE(".")) && !slice_eq(segment, SLICE("..")));
        check(segment.len > 0 || rest.ptr == NULL);
    }
    check(memchr(path.ptr, '\0', path.len) == NULL);
}

static void check_path(struct arena *arena, struct slice path)
{
    struct slice normal = uri_normalize(arena, path);
    if (normal.ptr == NULL)
        return;
    check_normal(normal);
    check(normal.len <= path.len);
    check(slice_eq(uri_normalize(arena, normal), normal));
    struct slice wire = uri_escape_path(arena, normal);
    check(wire.ptr != NULL && slice_eq(uri_normalize(arena, wire), normal));
    check(slice_eq(uri_escape_path(arena, wire), wire));
    for (size_t match = 0; match <= normal.len && match < 4; match++) {
        struct slice out = uri_upstream_path(arena, SLICE("/s"), normal, match, true);
        check(slice_starts_with(out, SLICE("/s")));
        struct slice again = uri_normalize(arena, out);
        check(slice_starts_with(again, SLICE("/s"))); /* never climbs out of the service's path */
        out = uri_upstream_path(arena, SLICE("/"), normal, match, match % 2 == 0);
        check(out.ptr != NULL && out.ptr[0] == '/');
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct slice text = slice_make((const char *)data, size), path, query, host, name, value;
    int port;
    bool is_bare;
    arena_init(&arena, NULL);
    if (uri_parse_authority(text, &host, &port))
        check(host.len > 0 && host.len <= size && port >= 0 && port <= 65535);
    uri_split(text, &path, &query);
    if (path.len > 0 && path.ptr[0] == '/')
        check_path(&arena, path);
    else
        check(uri_normalize(&arena, path).len <= path.len);
    while (uri_query_next(&query, &name, &value, &is_bare))
        check(name.len > 0 && uri_decode(&arena, value, true).len <= value.len);
    check(uri_decode(&arena, text, false).ptr != NULL);
    arena_clear(&arena);
    return 0;
}
