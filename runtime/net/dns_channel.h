/* SPDX-License-Identifier: Apache-2.0 */
/* dns_channel.h -- c-ares on an event loop: its sockets and time-outs. One per resolver. */
#ifndef SLUICE_NET_DNS_CHANNEL_H
#define SLUICE_NET_DNS_CHANNEL_H

#include <ares.h>
#include <stdint.h>

struct dns_channel;
struct log;
struct loop;

/* `servers` as in dns_config; `timeout_ms` is spread over three tries. NULL: out of memory, or
 * c-ares failed, which is logged. */
struct dns_channel *dns_channel_create(struct loop *loop, const char *servers, int64_t timeout_ms,
                                       struct log *log) __attribute__((warn_unused_result));
/* Calls back what is under way with ARES_EDESTRUCTION. */
void dns_channel_destroy(struct dns_channel *channel);
/* For ares_search() and ares_query(); dns_channel_started() must follow them. */
ares_channel dns_channel_ares(struct dns_channel *channel);
/* The set of running queries has changed: waits for its next time-out. */
void dns_channel_started(struct dns_channel *channel);

#endif
