/* SPDX-License-Identifier: Apache-2.0 */
/* dns_lookup.c -- see dns_lookup.h.
 *
 *   ASK type 1 -- no such record --> ASK type 2 ... -- none left, or no such name --> error
 *       |  A, AAAA                      | SRV
 *       v                               v
 *     answer       TARGETS: the addresses of each target of the lowest priority, all at once -->
 * answer
 *
 * Search domains and ndots are c-ares' (ares_search()). Each call into c-ares holds a reference on
 * the lookup, since c-ares cannot take back a single query: a released lookup lives on until the
 * last of them has called back, and ignores it. */
#include "net/dns_lookup.h"

#include <arpa/nameser.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include "net/dns_answer.h"
#include "net/dns_channel.h"
#include "net/dns_message.h"
#include "net/loop.h"

enum {
    MAX_TARGETS = 32,      /* of one SRV answer; more are dropped */
    MAX_TTL_S = 7 * 86400, /* RFC 8767 section 4 */
};

struct dns_lookup {
    struct dns_cache *cache;
    struct dns_channel *channel;
    struct loop *loop;
    dns_lookup_done on_done;
    void *context;
    unsigned refs;    /* the owner's and one per running query */
    bool is_finished; /* on_done was called, or never will be */
    struct dns_order order;
    size_t type_index;
    struct dns_answer_set found;
    uint32_t ttl_s;
    unsigned targets; /* still looked up */
    char name[DNS_MAX_NAME + 1];
};

/* The question for the address of one SRV target. */
struct target {
    struct dns_lookup *lookup;
    uint16_t port;
    uint16_t weight;
    enum dns_type type;
    char name[DNS_MAX_NAME + 1];
};

static void ask(struct dns_lookup *lookup);

static void unref(struct dns_lookup *lookup)
{
    if (--lookup->refs > 0)
        return;
    dns_answer_set_clear(&lookup->found);
    free(lookup);
}

void dns_lookup_release(struct dns_lookup *lookup)
{
    if (lookup == NULL)
        return;
    lookup->is_finished = true;
    unref(lookup);
}

/* --- ends --- */

const char *dns_lookup_error_text(int status)
{
    switch (status) {
    case ARES_EFORMERR: return "dns server error: 1 format error";
    case ARES_ESERVFAIL: return "dns server error: 2 server failure";
    case ARES_ENOTFOUND: return "dns server error: 3 name error";
    case ARES_ENOTIMP: return "dns server error: 4 not implemented";
    case ARES_EREFUSED: return "dns server error: 5 refused";
    case ARES_ENODATA: return "dns client error: 101 empty record received";
    case ARES_EBADNAME: return "dns client error: 102 invalid name";
    case ARES_EBADRESP: return "dns client error: malformed answer";
    case ARES_ETIMEOUT: return "dns client error: timeout";
    /* c-ares' word for "every server failed, refused, or could not be reached". */
    case ARES_ECONNREFUSED: return "dns client error: no server gives an answer";
    default: return ares_strerror(status);
    }
}

static void finish(struct dns_lookup *lookup, struct dns_answer *answer)
{
    lookup->is_finished = true;
    bool has_type = answer != NULL && !answer->is_error;
    lookup->on_done(lookup->context, answer,
                    has_type ? lookup->order.types[lookup->type_index] : DNS_NONE);
}

static void finish_with_error(struct dns_lookup *lookup, int status)
{
    const struct dns_config *config = dns_cache_config(lookup->cache);
    bool is_not_found = status == ARES_ENOTFOUND || status == ARES_ENODATA;
    int64_t ttl_ms = is_not_found ? config->not_found_ttl_ms : config->error_ttl_ms;
    finish(lookup, dns_answer_make_error(dns_lookup_error_text(status), is_not_found,
                                         loop_now_ms(lookup->loop) + ttl_ms));
}

static void finish_with_found(struct dns_lookup *lookup)
{
    const struct dns_config *config = dns_cache_config(lookup->cache);
    int64_t ttl_ms = config->valid_ttl_ms;
    if (ttl_ms < 0) {
        uint32_t ttl_s = lookup->ttl_s > MAX_TTL_S ? MAX_TTL_S : lookup->ttl_s;
        /* A TTL of 0 asks for a query per request: no server would stand that. */
        ttl_ms = ttl_s == 0 ? 1000 : (int64_t)ttl_s * 1000;
    }
    finish(lookup, dns_answer_make(&lookup->found, loop_now_ms(lookup->loop) + ttl_ms));
}

/* --- records --- */

static void lower_ttl(struct dns_lookup *lookup, int64_t ttl_s)
{
    if (ttl_s < 0)
        ttl_s = 0;
    if (ttl_s < lookup->ttl_s)
        lookup->ttl_s = (uint32_t)ttl_s;
}

/* Adds the addresses of an A or AAAA answer; the status says whether there were any. */
static int add_addresses(struct dns_lookup *lookup, enum dns_type type, const unsigned char *bytes,
                         int len, uint16_t port, uint16_t weight)
{
    int count = DNS_MAX_ADDRESSES;
    bool is_added = true;
    if (type == DNS_A) {
        struct ares_addrttl v4[DNS_MAX_ADDRESSES];
        int status = ares_parse_a_reply(bytes, len, NULL, v4, &count);
        if (status != ARES_SUCCESS)
            return status;
        for (int i = 0; i < count && is_added; i++) {
            lower_ttl(lookup, v4[i].ttl);
            is_added = dns_answer_set_add(&lookup->found, AF_INET, &v4[i].ipaddr, port, weight);
        }
    } else {
        struct ares_addr6ttl v6[DNS_MAX_ADDRESSES];
        int status = ares_parse_aaaa_reply(bytes, len, NULL, v6, &count);
        if (status != ARES_SUCCESS)
            return status;
        for (int i = 0; i < count && is_added; i++) {
            lower_ttl(lookup, v6[i].ttl);
            is_added = dns_answer_set_add(&lookup->found, AF_INET6, &v6[i].ip6addr, port, weight);
        }
    }
    if (!is_added)
        return ARES_ENOMEM;
    return count > 0 ? ARES_SUCCESS : ARES_ENODATA;
}

/* --- SRV targets --- */

static bool has_type(const struct dns_lookup *lookup, enum dns_type type)
{
    for (size_t i = 0; i < lookup->order.count; i++) {
        if (lookup->order.types[i] == type)
            return true;
    }
    return false;
}

static void target_done(struct dns_lookup *lookup)
{
    if (--lookup->targets > 0 || lookup->is_finished)
        return;
    if (lookup->found.count > 0)
        finish_with_found(lookup);
    else
        finish_with_error(lookup, ARES_ENODATA);
}

static void on_target(void *arg, int status, int timeouts, unsigned char *bytes, int len);

static void ask_target(struct target *target, enum dns_type type)
{
    target->type = type;
    ares_query(dns_channel_ares(target->lookup->channel), target->name, ns_c_in,
               type == DNS_A ? ns_t_a : ns_t_aaaa, on_target, target);
}

static void on_target(void *arg, int status, int timeouts, unsigned char *bytes, int len)
{
    (void)timeouts;
    struct target *target = arg;
    struct dns_lookup *lookup = target->lookup;
    if (status == ARES_SUCCESS && !lookup->is_finished)
        status = add_addresses(lookup, target->type, bytes, len, target->port, target->weight);
    if (status == ARES_ENODATA && target->type == DNS_A && has_type(lookup, DNS_AAAA) &&
        !lookup->is_finished) {
        ask_target(target, DNS_AAAA);
        return;
    }
    free(target);
    target_done(lookup);
    unref(lookup);
}

/* Targets that need no query: IP literals (against RFC 2782, but seen) and the hosts file. */
static bool add_known_target(struct dns_lookup *lookup, const struct target *target)
{
    unsigned char bytes[16];
    struct slice name = slice_of(target->name);
    int family = dns_answer_parse_ip(name, bytes);
    if (family != 0)
        return dns_answer_set_add(&lookup->found, family, bytes, target->port, target->weight);
    struct dns_answer *answer = dns_cache_hosts(lookup->cache, name, loop_now_ms(lookup->loop));
    if (answer == NULL)
        return false;
    bool is_added = true;
    for (size_t i = 0; i < answer->count && is_added; i++) {
        const struct sockaddr *address = (const struct sockaddr *)&answer->addresses[i].address;
        const void *ip = address->sa_family == AF_INET
                             ? (const void *)&((const struct sockaddr_in *)address)->sin_addr
                             : (const void *)&((const struct sockaddr_in6 *)address)->sin6_addr;
        is_added = dns_answer_set_add(&lookup->found, address->sa_family, ip, target->port,
                                      target->weight);
    }
    dns_answer_unref(answer);
    return is_added;
}

static void start_target(struct dns_lookup *lookup, const struct ares_srv_reply *record)
{
    struct slice name = slice_of(record->host);
    struct target *target = calloc(1, sizeof(*target));
    if (target == NULL || name.len > DNS_MAX_NAME) {
        free(target);
        return;
    }
    for (size_t i = 0; i < name.len; i++)
        target->name[i] = slice_lower(name.ptr[i]);
    target->lookup = lookup;
    target->port = record->port;
    target->weight = record->weight;
    if (add_known_target(lookup, target)) {
        free(target);
        return;
    }
    lookup->targets++;
    lookup->refs++;
    ask_target(target, has_type(lookup, DNS_A) || !has_type(lookup, DNS_AAAA) ? DNS_A : DNS_AAAA);
}

/* The status says whether targets are being looked up. */
static int add_targets(struct dns_lookup *lookup, const unsigned char *bytes, int len)
{
    struct ares_srv_reply *records = NULL;
    uint32_t ttl_s;
    int status = ares_parse_srv_reply(bytes, len, &records);
    if (status != ARES_SUCCESS)
        return status;
    if (!dns_message_ttl(bytes, (size_t)len, &ttl_s)) {
        ares_free_data(records);
        return ARES_EBADRESP;
    }
    lower_ttl(lookup, ttl_s);
    uint16_t lowest = UINT16_MAX;
    for (const struct ares_srv_reply *at = records; at != NULL; at = at->next) {
        if (at->priority < lowest)
            lowest = at->priority;
    }
    unsigned count = 0;
    lookup->targets = 1; /* ours: keeps a target that is answered at once from ending the lookup */
    for (const struct ares_srv_reply *at = records; at != NULL && count < MAX_TARGETS;
         at = at->next) {
        /* "." says that the service is not offered here (RFC 2782). */
        if (at->priority != lowest || at->host[0] == '\0' || strcmp(at->host, ".") == 0)
            continue;
        start_target(lookup, at);
        count++;
    }
    ares_free_data(records);
    if (count == 0) {
        lookup->targets = 0;
        return ARES_ENODATA;
    }
    target_done(lookup);
    return ARES_SUCCESS;
}

/* --- the question --- */

static void on_reply(void *arg, int status, int timeouts, unsigned char *bytes, int len)
{
    (void)timeouts;
    struct dns_lookup *lookup = arg;
    if (lookup->is_finished)
        goto done;
    enum dns_type type = lookup->order.types[lookup->type_index];
    if (status == ARES_SUCCESS && type == DNS_SRV) {
        status = add_targets(lookup, bytes, len);
        if (status == ARES_SUCCESS)
            goto done;
    } else if (status == ARES_SUCCESS) {
        status = add_addresses(lookup, type, bytes, len, 0, 1);
        if (status == ARES_SUCCESS) {
            finish_with_found(lookup);
            goto done;
        }
    }
    /* NXDOMAIN is about the name, whatever the type; only "no data" makes another type worth
     * asking. */
    if (status == ARES_ENODATA && lookup->type_index + 1 < lookup->order.count) {
        lookup->type_index++;
        ask(lookup);
    } else {
        finish_with_error(lookup, status);
    }
done:
    unref(lookup);
}

static void ask(struct dns_lookup *lookup)
{
    int type = 0;
    switch (lookup->order.types[lookup->type_index]) {
    case DNS_NONE:
    case DNS_A: type = ns_t_a; break;
    case DNS_AAAA: type = ns_t_aaaa; break;
    case DNS_SRV: type = ns_t_srv; break;
    }
    lookup->refs++;
    ares_search(dns_channel_ares(lookup->channel), lookup->name, ns_c_in, type, on_reply, lookup);
}

struct dns_lookup *dns_lookup_start(struct dns_cache *cache, struct dns_channel *channel,
                                    struct loop *loop, struct slice name, dns_lookup_done on_done,
                                    void *context)
{
    struct dns_lookup *lookup = calloc(1, sizeof(*lookup));
    if (lookup == NULL || name.len > DNS_MAX_NAME) {
        free(lookup);
        return NULL;
    }
    memcpy(lookup->name, name.ptr, name.len);
    lookup->cache = cache;
    lookup->channel = channel;
    lookup->loop = loop;
    lookup->on_done = on_done;
    lookup->context = context;
    lookup->refs = 1;
    lookup->ttl_s = UINT32_MAX;
    lookup->order = dns_cache_order(cache, name);
    ask(lookup);
    dns_channel_started(channel);
    return lookup;
}
