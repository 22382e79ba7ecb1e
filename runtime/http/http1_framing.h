/* SPDX-License-Identifier: Apache-2.0 */
/* http1_framing.h -- where the body of a message ends and what its connection may do afterwards
 * (RFC 9112 sections 6 and 9). Private to the parser of this folder; reads the parsed fields of
 * `head` and fills its members body, content_length, is_keep_alive, has_upgrade, is_expecting_100.
 */
#ifndef SLUICE_HTTP_HTTP1_FRAMING_H
#define SLUICE_HTTP_HTTP1_FRAMING_H

#include "http/http1_parse.h"

/* HTTP1_OK, or HTTP1_BAD or HTTP1_BAD_CODING with head->error set. */
enum http1_result http1_framing_request(struct http1_head *head)
    __attribute__((warn_unused_result));
/* HTTP1_OK, or HTTP1_BAD with head->error set. */
enum http1_result http1_framing_response(struct http1_head *head, struct slice request_method)
    __attribute__((warn_unused_result));

#endif
