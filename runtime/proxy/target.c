/* SPDX-License-Identifier: Apache-2.0 */
/* target.c -- names to addresses and turns among them. The turn is kept per name and worker and
 * survives configuration changes; the answer is looked at again when its TTL is over. */
#include "proxy/target.h"

#include <arpa/inet.h>
#include <stdlib.h>

#include "balance/round_robin.h"
#include "net/dns.h"
#include "proxy/request.h"
#include "proxy/upstream.h"
#include "proxy/upstream_head.h"

struct target_group {
    char *host;
    struct dns_answer *answer; /* one reference; NULL: unknown */
    struct round_robin turns;
};

void target_clear_all(struct worker *worker)
{
    struct map_slot *slot;
    for (size_t at = 0; (slot = map_next(&worker->targets, &at)) != NULL;) {
        struct target_group *group = slot->value;
        if (group->answer != NULL)
            dns_answer_unref(group->answer);
        round_robin_clear(&group->turns);
        free(group->host);
        free(group);
    }
    map_clear(&worker->targets);
}

static struct target_group *group_of(struct worker *worker, struct slice host)
{
    struct target_group *group = map_get(&worker->targets, host);
    if (group != NULL)
        return group;
    if (worker->targets.count >= worker->options->dns.cache_size)
        target_clear_all(worker); /* plugins may make up names without end */
    group = calloc(1, sizeof(*group));
    if (group == NULL)
        return NULL;
    round_robin_init(&group->turns, (uint64_t)worker->id); /* workers begin at different ones */
    group->host = slice_dup(host);
    if (group->host == NULL ||
        !map_set(&worker->targets, slice_make(group->host, host.len), group)) {
        free(group->host);
        free(group);
        return NULL;
    }
    return group;
}

static void hold_answer(struct request *request, struct dns_answer *answer)
{
    if (request->attempt.answer == answer)
        return;
    if (request->attempt.answer != NULL)
        dns_answer_unref(request->attempt.answer);
    request->attempt.answer = dns_answer_ref(answer);
}

static void on_answer(void *context, struct dns_answer *answer)
{
    struct request *request = context;
    request->attempt.query = NULL;
    hold_answer(request, answer);
    upstream_try(request);
}

/* The present answer for the group's name: from the last time while it lasts, else from the cache.
 */
static enum target_result find_answer(struct request *request, struct target_group *group)
{
    struct worker *worker = request->worker;
    if (group->answer == NULL || group->answer->expires_ms <= loop_now_ms(worker->loop)) {
        struct dns_answer *known = dns_known(worker->dns, slice_of(group->host));
        if (known != NULL) {
            if (group->answer != NULL)
                dns_answer_unref(group->answer);
            group->answer = known;
        } else if (request->attempt.answer == NULL) {
            request->attempt.query =
                dns_ask(worker->dns, slice_of(group->host), on_answer, request);
            return request->attempt.query == NULL ? TARGET_NO_MEMORY : TARGET_WAITING;
        } else { /* just asked for; the cache may keep nothing of it (TTL 0) */
            if (group->answer != NULL)
                dns_answer_unref(group->answer);
            group->answer = dns_answer_ref(request->attempt.answer);
        }
    }
    hold_answer(request, group->answer);
    return TARGET_READY;
}

static uint32_t weight_of(const void *peers, size_t index)
{
    const struct dns_answer *answer = peers;
    return answer->addresses[index].weight;
}

/* Whose turn it is; addresses that failed for this request come last. */
static size_t pick(struct request *request, struct target_group *group)
{
    const struct dns_answer *answer = request->attempt.answer;
    const struct balancer_set set = {answer, answer->count, weight_of, answer->version};
    return round_robin_next(&group->turns, &set, &request->attempt.tried);
}

static void set_port(struct upstream_key *key, int port)
{
    if (key->address.ss_family == AF_INET6) {
        struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&key->address;
        if (v6->sin6_port == 0)
            v6->sin6_port = htons((uint16_t)port);
    } else {
        struct sockaddr_in *v4 = (struct sockaddr_in *)&key->address;
        if (v4->sin_port == 0)
            v4->sin_port = htons((uint16_t)port);
    }
}

/* SNI is the Host sent upstream without its port; an IP address is no SNI (RFC 6066 section 3). */
static void set_server_name(struct request *request, struct upstream_key *key)
{
    struct slice host = upstream_head_host(request);
    unsigned char bytes[16];
    if (host.len > 0 && host.ptr[0] == '[')
        return;
    host.len = slice_find(host, ':');
    if (host.len >= sizeof(key->server_name))
        return;
    memcpy(key->server_name, host.ptr, host.len);
    key->server_name[host.len] = '\0';
    if (inet_pton(AF_INET, key->server_name, bytes) == 1)
        key->server_name[0] = '\0';
}

static void set_tls(struct request *request, struct upstream_key *key)
{
    const struct snapshot_service *service = request->match.service;
    enum protocol protocol =
        request->shape.has_scheme ? request->shape.scheme : service->service->protocol;
    key->is_tls = protocol == PROTOCOL_HTTPS || protocol == PROTOCOL_GRPCS;
    key->is_verified = key->is_tls && service->service->is_tls_verified;
    key->verify_depth = service->service->tls_verify_depth;
    key->server_name[0] = '\0';
    if (key->is_tls)
        set_server_name(request, key);
}

enum target_result target_next(struct request *request, struct upstream_key *key, const char **text)
{
    const struct snapshot_service *service = request->match.service;
    bool is_set = request->shape.target_host.ptr != NULL;
    set_tls(request, key);
    if (!is_set && service->address_len > 0) {
        key->address_len = service->address_len;
        memcpy(&key->address, &service->address, service->address_len);
        return TARGET_READY;
    }
    struct slice host = is_set ? request->shape.target_host : service->service->host;
    struct target_group *group = group_of(request->worker, host);
    if (group == NULL)
        return TARGET_NO_MEMORY;
    enum target_result result = find_answer(request, group);
    if (result != TARGET_READY)
        return result;
    const struct dns_answer *answer = request->attempt.answer;
    if (answer->is_error || answer->count == 0) {
        *text = answer->text;
        return answer->is_not_found || !answer->is_error ? TARGET_NOT_FOUND : TARGET_FAILED;
    }
    request->attempt.address_index = pick(request, group);
    if (request->attempt.address_index == BALANCER_NONE) {
        *text = "every address has weight 0";
        return TARGET_NOT_FOUND;
    }
    const struct dns_address *address = &answer->addresses[request->attempt.address_index];
    memcpy(&key->address, &address->address, address->len);
    key->address_len = address->len;
    set_port(key, is_set ? request->shape.target_port : service->service->port);
    return TARGET_READY;
}

void target_avoid(struct request *request)
{
    balancer_tried_add(&request->attempt.tried, request->attempt.address_index);
}

void target_clear(struct request *request)
{
    if (request->attempt.query != NULL)
        dns_query_cancel(request->attempt.query);
    request->attempt.query = NULL;
    if (request->attempt.answer != NULL)
        dns_answer_unref(request->attempt.answer);
    request->attempt.answer = NULL;
}
