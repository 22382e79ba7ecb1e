/* SPDX-License-Identifier: Apache-2.0 */
/* dns_answer.c -- see dns_answer.h. Pure: no clock, no sockets. */
#include "net/dns_answer.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool dns_answer_set_add(struct dns_answer_set *set, int family, const void *bytes, uint16_t port,
                        uint16_t weight)
{
    if (set->count == DNS_MAX_ADDRESSES)
        return true;
    if (set->count == set->capacity) {
        size_t capacity = set->capacity == 0 ? 8 : set->capacity * 2;
        struct dns_address *items = realloc(set->items, capacity * sizeof(*items));
        if (items == NULL)
            return false;
        set->items = items;
        set->capacity = capacity;
    }
    /* Zeroed, so that whole structs can be compared and hashed. */
    struct dns_address *item = &set->items[set->count++];
    memset(item, 0, sizeof(*item));
    item->weight = weight == 0 ? 1 : weight;
    if (family == AF_INET) {
        struct sockaddr_in *v4 = (struct sockaddr_in *)&item->address;
        v4->sin_family = AF_INET;
        v4->sin_port = htons(port);
        memcpy(&v4->sin_addr, bytes, sizeof(v4->sin_addr));
        item->len = sizeof(*v4);
    } else {
        struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&item->address;
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(port);
        memcpy(&v6->sin6_addr, bytes, sizeof(v6->sin6_addr));
        item->len = sizeof(*v6);
    }
    return true;
}

void dns_answer_set_clear(struct dns_answer_set *set)
{
    free(set->items);
    *set = (struct dns_answer_set){0};
}

static int compare(const void *a, const void *b)
{
    const struct dns_address *left = a;
    const struct dns_address *right = b;
    if (left->len != right->len)
        return left->len < right->len ? -1 : 1; /* IPv4 first */
    return memcmp(&left->address, &right->address, left->len);
}

/* FNV-1a over the bytes that matter, with a final mix; never 0, which is the version of errors. */
static uint64_t hash(const struct dns_answer *answer)
{
    uint64_t value = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < answer->count; i++) {
        const struct dns_address *item = &answer->addresses[i];
        const unsigned char *bytes = (const unsigned char *)&item->address;
        for (size_t k = 0; k < item->len; k++)
            value = (value ^ bytes[k]) * UINT64_C(0x100000001b3);
        value = (value ^ item->weight) * UINT64_C(0x100000001b3);
    }
    value ^= value >> 32;
    value *= UINT64_C(0xd6e8feb86659fd93);
    value ^= value >> 32;
    return value == 0 ? 1 : value;
}

static struct dns_answer *make_empty(size_t room, int64_t expires_ms)
{
    struct dns_answer *answer = calloc(1, sizeof(*answer) + room * sizeof(answer->addresses[0]));
    if (answer == NULL)
        return NULL;
    atomic_init(&answer->refs, 1);
    answer->expires_ms = expires_ms;
    return answer;
}

struct dns_answer *dns_answer_make(struct dns_answer_set *set, int64_t expires_ms)
{
    struct dns_answer *answer = make_empty(set->count, expires_ms);
    if (answer == NULL)
        return NULL;
    if (set->count > 0)
        qsort(set->items, set->count, sizeof(set->items[0]), compare);
    for (size_t i = 0; i < set->count; i++) {
        if (i > 0 && compare(&set->items[i - 1], &set->items[i]) == 0)
            continue;
        answer->addresses[answer->count++] = set->items[i];
    }
    answer->version = hash(answer);
    return answer;
}

struct dns_answer *dns_answer_make_error(const char *text, bool is_not_found, int64_t expires_ms)
{
    struct dns_answer *answer = make_empty(0, expires_ms);
    if (answer == NULL)
        return NULL;
    answer->is_error = true;
    answer->is_not_found = is_not_found;
    (void)snprintf(answer->text, sizeof(answer->text), "%s", text);
    return answer;
}

struct dns_answer *dns_answer_copy(const struct dns_answer *answer, int64_t expires_ms)
{
    struct dns_answer *copy = make_empty(answer->count, expires_ms);
    if (copy == NULL)
        return NULL;
    copy->is_error = answer->is_error;
    copy->is_not_found = answer->is_not_found;
    memcpy(copy->text, answer->text, sizeof(copy->text));
    copy->count = answer->count;
    copy->version = answer->version;
    memcpy(copy->addresses, answer->addresses, answer->count * sizeof(answer->addresses[0]));
    return copy;
}

struct dns_answer *dns_answer_ref(struct dns_answer *answer)
{
    atomic_fetch_add_explicit(&answer->refs, 1, memory_order_relaxed);
    return answer;
}

void dns_answer_unref(struct dns_answer *answer)
{
    if (answer == NULL)
        return;
    if (atomic_fetch_sub_explicit(&answer->refs, 1, memory_order_acq_rel) == 1)
        free(answer);
}

int dns_answer_parse_ip(struct slice text, void *bytes)
{
    char copy[INET6_ADDRSTRLEN];
    bool is_bracketed = text.len > 2 && text.ptr[0] == '[' && text.ptr[text.len - 1] == ']';
    if (is_bracketed)
        text = slice_make(text.ptr + 1, text.len - 2);
    if (text.len == 0 || text.len >= sizeof(copy) || memchr(text.ptr, '\0', text.len) != NULL)
        return 0;
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    if (!is_bracketed && inet_pton(AF_INET, copy, bytes) == 1)
        return AF_INET;
    return inet_pton(AF_INET6, copy, bytes) == 1 ? AF_INET6 : 0;
}
