/* SPDX-License-Identifier: Apache-2.0 */
/* dns.h -- names to addresses, never blocking (reference/proxy-behaviour.md section 14).
 *
 * A dns_cache is one table of answers for all threads (a mutex around it, never held over I/O).
 * Each loop that resolves has its own dns_resolver (a c-ares channel on that loop). Known answers
 * are given at once; expired ones are served stale while one query refreshes them in the
 * background. */
#ifndef SLUICE_NET_DNS_H
#define SLUICE_NET_DNS_H

#include <netinet/in.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/slice.h"

struct dns_cache;
struct dns_resolver;
struct dns_query;
struct log;
struct loop;

struct dns_config {
    const char *servers;    /* dns_resolver: "ip[:port],..."; NULL or "": /etc/resolv.conf */
    const char *hosts_file; /* read again when it changes */
    /* dns_order; NULL or "": "LAST,SRV,A,CNAME". AAAA must be named to be asked. With this default
     * ordinary names are asked for A first and for SRV only when they have no A, so that a lookup
     * is one query; names like _http._tcp.example.com, and every other order, are asked as written.
     */
    const char *order;
    int64_t valid_ttl_ms; /* -1: the record's */
    int64_t stale_ttl_ms;
    int64_t not_found_ttl_ms;
    int64_t error_ttl_ms;
    size_t cache_size;  /* names kept at most */
    int64_t timeout_ms; /* of one query, all servers and tries together */
};

struct dns_address {
    struct sockaddr_storage address; /* port filled in from SRV, else 0 */
    socklen_t len;
    uint16_t weight; /* SRV; 1 otherwise */
};

/* One answer: immutable, shared, reference-counted. */
struct dns_answer {
    atomic_uint refs;
    int64_t expires_ms; /* monotonic; a TTL of 0 counts as 1 s; INT64_MAX for IP literals */
    bool is_error;      /* no addresses: `text` says why */
    bool is_not_found;  /* NXDOMAIN or no records: 503 rather than 500 */
    char text[96];
    size_t count;
    uint64_t version; /* differs whenever the set of addresses differs */
    struct dns_address addresses[];
};
struct dns_answer *dns_answer_ref(struct dns_answer *answer);
void dns_answer_unref(struct dns_answer *answer);

struct dns_cache *dns_cache_create(const struct dns_config *config, struct log *log)
    __attribute__((warn_unused_result));
void dns_cache_destroy(struct dns_cache *cache);
struct dns_resolver *dns_resolver_create(struct dns_cache *cache, struct loop *loop)
    __attribute__((warn_unused_result));
/* Cancels its queries, without callbacks. Not from inside on_answer. NULL is harmless. */
void dns_resolver_destroy(struct dns_resolver *resolver);
/* Whether `servers` is a comma list of "ip", "ip:port", "ipv6" or "[ipv6]:port" (dns_resolver). A
 * resolver that is given anything else logs an error and uses /etc/resolv.conf. */
bool dns_servers_are_valid(const char *servers);

/* A new reference to what is known of `name` (IP literals included), or NULL: then ask. May start a
 * refresh in the background. */
struct dns_answer *dns_known(struct dns_resolver *resolver, struct slice name)
    __attribute__((warn_unused_result));
/* Asks, and calls back on this loop with a borrowed answer (errors included), never from inside
 * this call; identical questions share one query. NULL: out of memory. */
struct dns_query *dns_ask(struct dns_resolver *resolver, struct slice name,
                          void (*on_answer)(void *context, struct dns_answer *answer),
                          void *context) __attribute__((warn_unused_result));
/* After this there is no callback. Not after the callback came. */
void dns_query_cancel(struct dns_query *query);

#endif
