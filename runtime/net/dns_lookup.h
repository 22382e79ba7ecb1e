/* SPDX-License-Identifier: Apache-2.0 */
/* dns_lookup.h -- one name, asked over the network until it has an answer. For dns.c. */
#ifndef SLUICE_NET_DNS_LOOKUP_H
#define SLUICE_NET_DNS_LOOKUP_H

#include "net/dns_cache.h"

struct dns_channel;
struct dns_lookup;
struct loop;

/* Called once, perhaps from inside dns_lookup_start(). Takes `answer`, a new one that is not in the
 * cache yet; NULL: out of memory. */
typedef void (*dns_lookup_done)(void *context, struct dns_answer *answer, enum dns_type type);

/* Asks for `name` (lower case). NULL: out of memory; on_done is then not called. */
struct dns_lookup *dns_lookup_start(struct dns_cache *cache, struct dns_channel *channel,
                                    struct loop *loop, struct slice name, dns_lookup_done on_done,
                                    void *context) __attribute__((warn_unused_result));
/* The owner is no longer interested, or has been called back: on_done will not be called (again).
 * Memory goes when c-ares has let go of it. */
void dns_lookup_release(struct dns_lookup *lookup);

/* "dns server error: 3 name error" and the like, for a status of c-ares. */
const char *dns_lookup_error_text(int status);

#endif
