/* SPDX-License-Identifier: Apache-2.0 */
/* http1_framing.c -- the body's length, decided from the fields (RFC 9112 section 6.3).
 *
 * Both ways the rule is: one Content-Length of digits, or one Transfer-Encoding of exactly
 * "chunked" on HTTP/1.1, or neither. RFC 9112 lets a recipient repair more than that; every repair
 * is a chance that the next hop repairs it differently, so none is made. */
#include "http/http1_framing.h"

static enum http1_result fail(struct http1_head *head, enum http1_result result, struct slice text)
{
    head->error = text;
    return result;
}

/* "gzip, chunked" is clear but nothing that the gateway can undo; anything else is not even clear.
 */
static enum http1_result check_coding(struct http1_head *head, struct slice value)
{
    if (slice_eq_nocase(value, SLICE("chunked")))
        return HTTP1_OK;
    size_t chunked = 0;
    bool is_last = false;
    struct slice coding;
    while (slice_split(&value, ',', &coding)) {
        coding = slice_trim(coding);
        if (coding.len == 0)
            return fail(head, HTTP1_BAD, SLICE("empty transfer coding"));
        is_last = slice_eq_nocase(coding, SLICE("chunked"));
        chunked += is_last;
    }
    if (!is_last || chunked > 1)
        return fail(head, HTTP1_BAD, SLICE("chunked is not the last transfer coding, once"));
    return fail(head, HTTP1_BAD_CODING, SLICE("transfer coding other than chunked"));
}

/* Decides by the two framing fields; HTTP1_BODY_NONE without them. */
static enum http1_result decide_body(struct http1_head *head)
{
    const struct http_headers *headers = &head->headers;
    bool has_length = http_headers_has(headers, HTTP_NAME_CONTENT_LENGTH);
    head->body = HTTP1_BODY_NONE;
    if (http_headers_has(headers, HTTP_NAME_TRANSFER_ENCODING)) {
        if (has_length)
            return fail(head, HTTP1_BAD, SLICE("Content-Length beside Transfer-Encoding"));
        if (head->minor_version == 0)
            return fail(head, HTTP1_BAD, SLICE("Transfer-Encoding in HTTP/1.0"));
        head->body = HTTP1_BODY_CHUNKED;
        return check_coding(head, http_headers_get_known(headers, HTTP_NAME_TRANSFER_ENCODING));
    }
    if (has_length) {
        struct slice length = http_headers_get_known(headers, HTTP_NAME_CONTENT_LENGTH);
        if (!slice_to_u64(length, &head->content_length) || head->content_length > INT64_MAX)
            return fail(head, HTTP1_BAD, SLICE("invalid Content-Length"));
        head->body = HTTP1_BODY_LENGTH;
    }
    return HTTP1_OK;
}

struct options {
    bool has_close, has_keep_alive, has_upgrade, has_others;
};

/* False if `option` is none that matters here. */
static bool read_option(struct slice option, struct options *options)
{
    enum http_name id = http_name_find(option); /* most options are names of fields, too */
    options->has_keep_alive |= id == HTTP_NAME_KEEP_ALIVE;
    options->has_upgrade |= id == HTTP_NAME_UPGRADE;
    bool is_close = slice_eq_nocase(option, SLICE("close"));
    options->has_close |= is_close;
    return is_close || id == HTTP_NAME_KEEP_ALIVE || id == HTTP_NAME_UPGRADE;
}

static void read_options(struct slice list, struct options *options)
{
    struct slice option;
    if (read_option(list, options)) /* usually there is one, and nothing to split */
        return;
    while (slice_split(&list, ',', &option))
        options->has_others |= !read_option(slice_trim(option), options);
}

/* Reads all Connection fields as one list (RFC 9110 section 7.6.1). "close" wins over "keep-alive".
 */
static void read_connection(struct http1_head *head)
{
    struct options options = {false, false, false, false};
    if (http_headers_has(&head->headers, HTTP_NAME_CONNECTION))
        for (uint32_t i = 0; i < head->headers.count; i++)
            if (head->headers.fields[i].id == HTTP_NAME_CONNECTION)
                read_options(head->headers.fields[i].value, &options);
    head->has_named_fields = options.has_others;
    head->is_keep_alive = !options.has_close && (head->minor_version > 0 || options.has_keep_alive);
    /* HTTP/1.0 knows no Upgrade: RFC 9110 section 7.8 has it ignored. */
    head->has_upgrade = options.has_upgrade && head->minor_version > 0 &&
                        http_headers_has(&head->headers, HTTP_NAME_UPGRADE);
}

enum http1_result http1_framing_request(struct http1_head *head)
{
    read_connection(head);
    if (head->minor_version > 0 && http_headers_has(&head->headers, HTTP_NAME_EXPECT))
        head->is_expecting_100 = http_list_has(
            http_headers_get_known(&head->headers, HTTP_NAME_EXPECT), SLICE("100-continue"));
    return decide_body(head);
}

enum http1_result http1_framing_response(struct http1_head *head, struct slice request_method)
{
    read_connection(head);
    if (decide_body(head) != HTTP1_OK)
        return HTTP1_BAD;
    bool is_success = head->status >= 200 && head->status <= 299;
    if (head->status < 200 || head->status == 204 || head->status == 304 ||
        slice_eq(request_method, SLICE("HEAD")) ||
        (is_success && slice_eq(request_method, SLICE("CONNECT")))) {
        head->body = HTTP1_BODY_NONE;
    } else if (head->body == HTTP1_BODY_NONE) {
        head->body = HTTP1_BODY_UNTIL_CLOSE;
        head->is_keep_alive = false;
    }
    return HTTP1_OK;
}
