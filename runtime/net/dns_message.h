/* SPDX-License-Identifier: Apache-2.0 */
/* dns_message.h -- the time to live of a DNS message (RFC 1035 section 4.1). c-ares 1.18 parses SRV
 * records without it. */
#ifndef SLUICE_NET_DNS_MESSAGE_H
#define SLUICE_NET_DNS_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The smallest TTL, in seconds, of the records in the answer section. False: there is none, or the
 * message is malformed. */
bool dns_message_ttl(const unsigned char *message, size_t len, uint32_t *ttl_s)
    __attribute__((warn_unused_result));

#endif
