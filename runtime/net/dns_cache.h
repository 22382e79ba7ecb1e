/* SPDX-License-Identifier: Apache-2.0 */
/* dns_cache.h -- what all threads know of names (dns.h): answers, the hosts file, the
 * configuration. Every function may be called by any thread. For the dns files; others use dns.h.
 */
#ifndef SLUICE_NET_DNS_CACHE_H
#define SLUICE_NET_DNS_CACHE_H

#include "net/dns.h"

enum dns_type { DNS_NONE, DNS_A, DNS_AAAA, DNS_SRV };

enum { DNS_MAX_TYPES = 3, DNS_MAX_NAME = 255 };

/* The types to ask for, in order. */
struct dns_order {
    enum dns_type types[DNS_MAX_TYPES];
    size_t count;
    bool has_last;   /* the type that succeeded last goes first */
    bool is_default; /* see dns_config.order */
};

const struct dns_config *dns_cache_config(const struct dns_cache *cache);
struct log *dns_cache_log(const struct dns_cache *cache);
/* The order for `name` (lower case). */
struct dns_order dns_cache_order(struct dns_cache *cache, struct slice name);

/* A new reference to what is known of `name` (lower case, not an IP literal), hosts file first;
 * NULL: nothing. *must_refresh: the answer is stale and the caller, alone among all threads, is to
 * ask. */
struct dns_answer *dns_cache_get(struct dns_cache *cache, struct slice name, int64_t now_ms,
                                 bool *must_refresh) __attribute__((warn_unused_result));
/* Only the hosts file. */
struct dns_answer *dns_cache_hosts(struct dns_cache *cache, struct slice name, int64_t now_ms)
    __attribute__((warn_unused_result));
/* Stores the outcome of a query and returns a new reference to what is to be used: `answer`, or the
 * old one if `answer` is a failure of the servers (not "no such name") and the old one may still be
 * served stale. Takes `answer`. `type`: which type it came from; DNS_NONE for errors. */
struct dns_answer *dns_cache_put(struct dns_cache *cache, struct slice name,
                                 struct dns_answer *answer, enum dns_type type, int64_t now_ms)
    __attribute__((warn_unused_result));

#endif
