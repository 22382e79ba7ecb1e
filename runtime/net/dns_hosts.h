/* SPDX-License-Identifier: Apache-2.0 */
/* dns_hosts.h -- the hosts file (hosts(5)) as a table of answers. Immutable but for the expiry of
 * the answers; the cache's mutex guards it. */
#ifndef SLUICE_NET_DNS_HOSTS_H
#define SLUICE_NET_DNS_HOSTS_H

#include "net/dns.h"

struct dns_hosts;

enum { DNS_HOSTS_CHECK_MS = 1000 }; /* how often the file may be looked at, and answers expire */

/* Parses `text`. has_ipv6: IPv6 addresses are answers; otherwise only of names without IPv4 ones.
 * NULL: out of memory. */
struct dns_hosts *dns_hosts_create(struct slice text, bool has_ipv6)
    __attribute__((warn_unused_result));
void dns_hosts_destroy(struct dns_hosts *hosts);
/* A new reference, good for DNS_HOSTS_CHECK_MS, or NULL. `name` in lower case. "localhost" and
 * names below it are always known (RFC 6761 section 6.3). */
struct dns_answer *dns_hosts_find(struct dns_hosts *hosts, struct slice name, int64_t now_ms)
    __attribute__((warn_unused_result));

#endif
