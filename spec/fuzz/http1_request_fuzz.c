/* SPDX-License-Identifier: Apache-2.0 */
/* http1_request_fuzz.c -- request heads: memory safety, and what an accepted head promises. */
#include <stdint.h>
#include <stdlib.h>

#include "base/arena.h"
#include "http/http1_parse.h"
#include "http/uri.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool is_true)
{
    if (!is_true)
        abort();
}

static void check_accepted(const struct http1_head *head, size_t consumed, size_t size)
{
    check(consumed <= size && consumed <= HTTP1_MAX_HEAD);
    check(http_is_token(head->method));
    check(head->path_query.len > 0);
    check(head->path_query.ptr[0] == '/' || slice_eq(head->path_query, SLICE("*")));
    for (uint32_t i = 0; i < head->headers.count; i++) {
        const struct http_field *field = &head->headers.fields[i];
        check(http_is_token(field->name) && http_is_field_value(field->value));
        check(field->id == http_name_find(field->name));
    }
    struct slice host;
    int port;
    if (head->minor_version > 0 || head->authority.len > 0)
        check(uri_parse_authority(head->authority, &host, &port));
    check(head->body != HTTP1_BODY_UNTIL_CLOSE);
    check(!http_headers_has(&head->headers, HTTP_NAME_TRANSFER_ENCODING) ||
          (head->body == HTTP1_BODY_CHUNKED &&
           !http_headers_has(&head->headers, HTTP_NAME_CONTENT_LENGTH)));
}

/* The same head in two pieces: nothing is decided before it is whole, and then the same is. */
static void check_split(struct slice bytes, size_t consumed, const struct http1_head *whole)
{
    struct arena arena;
    struct http1_scan scan = {0};
    struct http1_head head;
    size_t again = 0, at = consumed * 2 / 3;
    arena_init(&arena, NULL);
    check(http1_parse_request(slice_make(bytes.ptr, at), &scan, &arena, &head, &again) ==
          HTTP1_INCOMPLETE);
    check(http1_parse_request(slice_make(bytes.ptr, consumed - 1), &scan, &arena, &head, &again) ==
          HTTP1_INCOMPLETE);
    check(http1_parse_request(bytes, &scan, &arena, &head, &again) == HTTP1_OK);
    check(again == consumed && head.body == whole->body &&
          head.content_length == whole->content_length &&
          head.headers.count == whole->headers.count && slice_eq(head.target, whole->target));
    arena_clear(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct http1_scan scan = {0};
    struct http1_head head;
    size_t consumed = 0;
    struct slice bytes = slice_make((const char *)data, size);
    arena_init(&arena, NULL);
    enum http1_result result = http1_parse_request(bytes, &scan, &arena, &head, &consumed);
    if (result == HTTP1_OK) {
        check_accepted(&head, consumed, size);
        check_split(bytes, consumed, &head);
    } else if (result != HTTP1_INCOMPLETE) {
        check(head.error.len > 0);
    }
    arena_clear(&arena);
    return 0;
}
