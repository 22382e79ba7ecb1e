/* SPDX-License-Identifier: Apache-2.0 */
/* dns.c -- see dns.h: the resolver of one loop.
 *
 * A flight is one name being asked for; its queries wait for the same answer, a background refresh
 * has none. Whatever ends it (an answer, the time-out) stores the answer and lands the flight at
 * the end of the turn, so that callbacks never run inside dns_ask() nor inside c-ares. */
#include "net/dns.h"

#include <assert.h>
#include <stdlib.h>

#include "base/list.h"
#include "base/log.h"
#include "base/map.h"
#include "net/dns_answer.h"
#include "net/dns_cache.h"
#include "net/dns_channel.h"
#include "net/dns_lookup.h"
#include "net/loop.h"

struct dns_resolver {
    struct dns_cache *cache;
    struct loop *loop;
    struct dns_channel *channel;
    struct map flights; /* by name: struct flight, those not yet landed */
    struct list all;    /* every flight */
    struct list ready;  /* queries whose answer was known */
};

struct flight {
    struct list node; /* resolver->all */
    struct dns_resolver *resolver;
    struct dns_lookup *lookup;
    struct dns_answer *answer; /* NULL: under way; or out of memory, once landing */
    struct deadline timeout;
    struct loop_task landing;
    struct list queries;
    size_t name_len;
    char name[];
};

struct dns_query {
    struct list node; /* flight->queries or resolver->ready */
    void (*on_answer)(void *context, struct dns_answer *answer);
    void *context;
    struct dns_answer *answer; /* known: given by `task` */
    struct loop_task task;
};

/* Takes the first node off a list that has one. */
static struct list *pop(struct list *head)
{
    struct list *node = head->next;
    list_remove(node);
    assert(head->next != node); /* what list_remove() does; clang's analyser does not see it */
    return node;
}

/* --- queries --- */

static void query_destroy(struct dns_query *query)
{
    list_remove(&query->node);
    loop_task_cancel(&query->task);
    dns_answer_unref(query->answer);
    free(query);
}

/* Frees the query first: the callback may start another one, or end its own owner. */
static void query_answer(struct dns_query *query, struct dns_answer *answer)
{
    void (*on_answer)(void *, struct dns_answer *) = query->on_answer;
    void *context = query->context;
    dns_answer_ref(answer);
    query_destroy(query);
    on_answer(context, answer);
    dns_answer_unref(answer);
}

static void on_query_ready(void *arg)
{
    struct dns_query *query = arg;
    query_answer(query, query->answer);
}

void dns_query_cancel(struct dns_query *query)
{
    if (query != NULL)
        query_destroy(query);
}

/* --- flights --- */

static struct slice flight_name(const struct flight *flight)
{
    return slice_make(flight->name, flight->name_len);
}

static void flight_destroy(struct flight *flight)
{
    if (map_get(&flight->resolver->flights, flight_name(flight)) == flight)
        (void)map_remove(&flight->resolver->flights, flight_name(flight));
    list_remove(&flight->node);
    deadline_clear(&flight->timeout);
    loop_task_cancel(&flight->landing);
    dns_lookup_release(flight->lookup);
    dns_answer_unref(flight->answer);
    free(flight);
}

/* Stores the outcome and lands. `answer` is taken; NULL: out of memory. */
static void flight_end(struct flight *flight, struct dns_answer *answer, enum dns_type type)
{
    struct dns_resolver *resolver = flight->resolver;
    if (answer == NULL)
        answer = dns_answer_make_error("dns client error: out of memory", false, 0);
    if (answer != NULL)
        flight->answer = dns_cache_put(resolver->cache, flight_name(flight), answer, type,
                                       loop_now_ms(resolver->loop));
    deadline_clear(&flight->timeout);
    /* Who asks from now on begins anew, and finds the answer in the cache. */
    (void)map_remove(&resolver->flights, flight_name(flight));
    loop_defer(resolver->loop, &flight->landing);
}

static void on_lookup_done(void *context, struct dns_answer *answer, enum dns_type type)
{
    flight_end(context, answer, type);
}

static void on_flight_timeout(struct deadline *deadline)
{
    struct flight *flight = LIST_ENTRY(deadline, struct flight, timeout);
    const struct dns_config *config = dns_cache_config(flight->resolver->cache);
    dns_lookup_release(flight->lookup);
    flight->lookup = NULL;
    flight_end(flight,
               dns_answer_make_error(dns_lookup_error_text(ARES_ETIMEOUT), false,
                                     loop_now_ms(flight->resolver->loop) + config->error_ttl_ms),
               DNS_NONE);
}

static void on_flight_landing(void *arg)
{
    struct flight *flight = arg;
    struct loop *loop = flight->resolver->loop;
    if (flight->answer == NULL) {
        /* Not even memory for the error: the queries must be answered, so try until there is some.
         */
        flight->answer = dns_answer_make_error("dns client error: out of memory", false, 0);
        if (flight->answer == NULL) {
            loop_defer(loop, &flight->landing);
            return;
        }
    }
    while (!list_is_empty(&flight->queries))
        query_answer(LIST_ENTRY(pop(&flight->queries), struct dns_query, node), flight->answer);
    flight_destroy(flight);
}

static struct flight *flight_start(struct dns_resolver *resolver, struct slice name)
{
    struct flight *flight = calloc(1, sizeof(*flight) + name.len + 1);
    if (flight == NULL)
        return NULL;
    flight->resolver = resolver;
    flight->name_len = name.len;
    memcpy(flight->name, name.ptr, name.len);
    list_init(&flight->queries);
    deadline_init(&flight->timeout, on_flight_timeout);
    loop_task_init(&flight->landing, on_flight_landing, flight);
    if (!map_set(&resolver->flights, flight_name(flight), flight)) {
        free(flight);
        return NULL;
    }
    list_push_back(&resolver->all, &flight->node);
    deadline_set(resolver->loop, &flight->timeout,
                 loop_now_ms(resolver->loop) + dns_cache_config(resolver->cache)->timeout_ms);
    flight->lookup = dns_lookup_start(resolver->cache, resolver->channel, resolver->loop,
                                      flight_name(flight), on_lookup_done, flight);
    if (flight->lookup == NULL) {
        flight_destroy(flight);
        return NULL;
    }
    return flight;
}

/* --- names --- */

/* Lower case into `out` (DNS_MAX_NAME bytes). False if no name server could know it. */
static bool normalize(struct slice name, char *out)
{
    if (name.len == 0 || name.len > DNS_MAX_NAME)
        return false;
    size_t label = 0;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        if (c == '.' && label == 0)
            return false;
        label = c == '.' ? 0 : label + 1;
        if (label > 63 || (unsigned char)c <= ' ' || c == '\\' || c == 0x7f)
            return false;
        out[i] = slice_lower(c);
    }
    return true;
}

static struct dns_answer *literal(struct slice name)
{
    unsigned char bytes[16];
    int family = dns_answer_parse_ip(name, bytes);
    if (family == 0)
        return NULL;
    struct dns_answer_set set = {0};
    struct dns_answer *answer = NULL;
    if (dns_answer_set_add(&set, family, bytes, 0, 1))
        answer = dns_answer_make(&set, INT64_MAX);
    dns_answer_set_clear(&set);
    return answer;
}

struct dns_answer *dns_known(struct dns_resolver *resolver, struct slice name)
{
    char lower[DNS_MAX_NAME];
    struct dns_answer *answer = literal(name);
    if (answer != NULL)
        return answer;
    if (!normalize(name, lower))
        return dns_answer_make_error(dns_lookup_error_text(ARES_EBADNAME), false, INT64_MAX);
    struct slice key = slice_make(lower, name.len);
    bool must_refresh;
    answer = dns_cache_get(resolver->cache, key, loop_now_ms(resolver->loop), &must_refresh);
    if (must_refresh && map_get(&resolver->flights, key) == NULL)
        (void)flight_start(resolver,
                           key); /* out of memory: the claim runs out, somebody asks again */
    return answer;
}

struct dns_query *dns_ask(struct dns_resolver *resolver, struct slice name,
                          void (*on_answer)(void *context, struct dns_answer *answer),
                          void *context)
{
    struct dns_query *query = calloc(1, sizeof(*query));
    if (query == NULL)
        return NULL;
    list_init(&query->node);
    query->on_answer = on_answer;
    query->context = context;
    loop_task_init(&query->task, on_query_ready, query);
    query->answer = dns_known(resolver, name);
    if (query->answer != NULL) {
        list_push_back(&resolver->ready, &query->node);
        loop_defer(resolver->loop, &query->task);
        return query;
    }
    char lower[DNS_MAX_NAME];
    struct flight *flight = NULL;
    if (normalize(name, lower)) { /* otherwise the error was known, but for memory */
        struct slice key = slice_make(lower, name.len);
        flight = map_get(&resolver->flights, key);
        if (flight == NULL)
            flight = flight_start(resolver, key);
    }
    if (flight == NULL) {
        free(query);
        return NULL;
    }
    list_push_back(&flight->queries, &query->node);
    return query;
}

/* --- life --- */

struct dns_resolver *dns_resolver_create(struct dns_cache *cache, struct loop *loop)
{
    struct dns_resolver *resolver = calloc(1, sizeof(*resolver));
    if (resolver == NULL)
        return NULL;
    const struct dns_config *config = dns_cache_config(cache);
    resolver->cache = cache;
    resolver->loop = loop;
    list_init(&resolver->all);
    list_init(&resolver->ready);
    resolver->channel =
        dns_channel_create(loop, config->servers, config->timeout_ms, dns_cache_log(cache));
    if (resolver->channel == NULL) {
        free(resolver);
        return NULL;
    }
    return resolver;
}

void dns_resolver_destroy(struct dns_resolver *resolver)
{
    if (resolver == NULL)
        return;
    while (!list_is_empty(&resolver->ready))
        query_destroy(LIST_ENTRY(pop(&resolver->ready), struct dns_query, node));
    while (!list_is_empty(&resolver->all)) {
        struct flight *flight = LIST_ENTRY(pop(&resolver->all), struct flight, node);
        while (!list_is_empty(&flight->queries))
            query_destroy(LIST_ENTRY(pop(&flight->queries), struct dns_query, node));
        flight_destroy(flight);
    }
    dns_channel_destroy(resolver->channel); /* frees the released lookups that c-ares still holds */
    map_clear(&resolver->flights);
    free(resolver);
}

bool dns_servers_are_valid(const char *servers)
{
    struct slice rest = slice_of(servers);
    struct slice part;
    bool has_any = false;
    while (slice_split(&rest, ',', &part)) {
        unsigned char bytes[16];
        part = slice_trim(part);
        has_any = true;
        if (dns_answer_parse_ip(part, bytes) != 0)
            continue;
        size_t colon = part.len;
        while (colon > 0 && part.ptr[colon - 1] != ':')
            colon--;
        uint64_t port;
        if (colon == 0 || !slice_to_u64(slice_from(part, colon), &port) || port == 0 ||
            port > 65535)
            return false;
        struct slice host = slice_make(part.ptr, colon - 1);
        bool is_bracketed = host.len > 0 && host.ptr[0] == '[';
        if (dns_answer_parse_ip(host, bytes) != (is_bracketed ? AF_INET6 : AF_INET))
            return false;
    }
    return has_any;
}
