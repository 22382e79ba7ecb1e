/* SPDX-License-Identifier: Apache-2.0 */
/* trusted.h -- `trusted_ips`: peers whose X-Forwarded-* and X-Real-IP fields are believed. */
#ifndef SLUICE_PROXY_TRUSTED_H
#define SLUICE_PROXY_TRUSTED_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "base/slice.h"

struct trusted_net {
    uint8_t bytes[16]; /* IPv4 as ::ffff:a.b.c.d */
    unsigned bits;     /* of 128 */
};

struct trusted {
    struct trusted_net *nets;
    size_t count;
};

/* `list`: NULL-terminated IPs and CIDRs, checked by options. Wrong ones are passed over. False: out
 * of memory. */
bool trusted_init(struct trusted *trusted, char *const *list) __attribute__((warn_unused_result));
void trusted_clear(struct trusted *trusted);
bool trusted_has(const struct trusted *trusted, const struct sockaddr_storage *address);
bool trusted_has_text(const struct trusted *trusted, struct slice ip);
/* Address text into `out` (INET6_ADDRSTRLEN); its length, 0 for a unix socket. */
size_t trusted_print(const struct sockaddr_storage *address, char out[INET6_ADDRSTRLEN]);

#endif
