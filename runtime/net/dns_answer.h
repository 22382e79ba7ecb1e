/* SPDX-License-Identifier: Apache-2.0 */
/* dns_answer.h -- making answers (dns.h): sets of addresses, errors, literals. For the dns files.
 */
#ifndef SLUICE_NET_DNS_ANSWER_H
#define SLUICE_NET_DNS_ANSWER_H

#include "net/dns.h"

enum { DNS_MAX_ADDRESSES = 256 }; /* of one answer; more are dropped */

/* Addresses on their way into an answer. All zero is empty; dns_answer_set_clear() frees. */
struct dns_answer_set {
    struct dns_address *items;
    size_t count;
    size_t capacity;
};
/* `bytes`: in_addr or in6_addr, by `family`. False: out of memory. */
bool dns_answer_set_add(struct dns_answer_set *set, int family, const void *bytes, uint16_t port,
                        uint16_t weight) __attribute__((warn_unused_result));
void dns_answer_set_clear(struct dns_answer_set *set);

/* An answer with the addresses of `set`, sorted and without doubles. The version is a hash of them,
 * so that it is the same for every thread, name and cache. NULL: out of memory. */
struct dns_answer *dns_answer_make(struct dns_answer_set *set, int64_t expires_ms)
    __attribute__((warn_unused_result));
struct dns_answer *dns_answer_make_error(const char *text, bool is_not_found, int64_t expires_ms)
    __attribute__((warn_unused_result));
/* The same answer with another time of expiry. */
struct dns_answer *dns_answer_copy(const struct dns_answer *answer, int64_t expires_ms)
    __attribute__((warn_unused_result));

/* Reads "1.2.3.4", "::1" or "[::1]". The family, or 0 if it is neither; `bytes` has 16. */
int dns_answer_parse_ip(struct slice text, void *bytes);

#endif
