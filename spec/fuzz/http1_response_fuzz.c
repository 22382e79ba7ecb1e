/* SPDX-License-Identifier: Apache-2.0 */
/* http1_response_fuzz.c -- response heads: memory safety, and what an accepted head promises. The
 * first byte of the input chooses the method that the response answers. */
#include <stdint.h>
#include <stdlib.h>

#include "base/arena.h"
#include "http/http1_parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool is_true)
{
    if (!is_true)
        abort();
}

static void check_accepted(const struct http1_head *head, size_t consumed, size_t size)
{
    const struct http_headers *headers = &head->headers;
    check(consumed <= size && consumed <= HTTP1_MAX_HEAD);
    check(head->status >= 100 && head->status <= 999);
    check(http_is_field_value(head->reason));
    for (uint32_t i = 0; i < headers->count; i++)
        check(http_is_token(headers->fields[i].name) &&
              http_is_field_value(headers->fields[i].value));
    check(!http_headers_has(headers, HTTP_NAME_TRANSFER_ENCODING) ||
          !http_headers_has(headers, HTTP_NAME_CONTENT_LENGTH));
    if (head->status < 200 || head->status == 204 || head->status == 304)
        check(head->body == HTTP1_BODY_NONE);
    check(head->body != HTTP1_BODY_UNTIL_CLOSE || !head->is_keep_alive);
}

/* The same head in two pieces: nothing is decided before it is whole, and then the same is. */
static void check_split(struct slice bytes, struct slice method, size_t consumed,
                        const struct http1_head *whole)
{
    struct arena arena;
    struct http1_scan scan = {0};
    struct http1_head head;
    size_t again = 0, at = consumed / 2;
    arena_init(&arena, NULL);
    check(http1_parse_response(slice_make(bytes.ptr, at), &scan, method, &arena, &head, &again) ==
          HTTP1_INCOMPLETE);
    check(http1_parse_response(bytes, &scan, method, &arena, &head, &again) == HTTP1_OK);
    check(again == consumed && head.body == whole->body &&
          head.headers.count == whole->headers.count && head.status == whole->status);
    arena_clear(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct slice methods[] = {SLICE("GET"), SLICE("HEAD"), SLICE("CONNECT"), SLICE("POST")};
    struct arena arena;
    struct http1_scan scan = {0};
    struct http1_head head;
    size_t consumed = 0;
    if (size == 0)
        return 0;
    struct slice method = methods[data[0] % 4];
    struct slice bytes = slice_make((const char *)data + 1, size - 1);
    arena_init(&arena, NULL);
    enum http1_result result = http1_parse_response(bytes, &scan, method, &arena, &head, &consumed);
    if (result == HTTP1_OK) {
        check_accepted(&head, consumed, size - 1);
        check_split(bytes, method, consumed, &head);
    } else if (result != HTTP1_INCOMPLETE) {
        check(result == HTTP1_BAD || result == HTTP1_HEAD_TOO_LARGE);
        check(head.error.len > 0);
    }
    arena_clear(&arena);
    return 0;
}
