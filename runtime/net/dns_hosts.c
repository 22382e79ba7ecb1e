/* SPDX-License-Identifier: Apache-2.0 */
/* dns_hosts.c -- see dns_hosts.h. All lines of a name are its addresses: a hosts file can describe
 * several replicas of a service. */
#include "net/dns_hosts.h"

#include <arpa/inet.h>
#include <stdlib.h>

#include "base/map.h"
#include "net/dns_answer.h"

enum { MAX_NAME = 255 };

struct entry {
    struct dns_answer_set v4;
    struct dns_answer_set v6;
    struct dns_answer *answer;
    char name[];
};

struct dns_hosts {
    struct map names; /* struct entry */
};

static void entry_destroy(struct entry *entry)
{
    dns_answer_set_clear(&entry->v4);
    dns_answer_set_clear(&entry->v6);
    dns_answer_unref(entry->answer);
    free(entry);
}

static struct entry *find_or_add(struct dns_hosts *hosts, struct slice name)
{
    struct entry *entry = map_get(&hosts->names, name);
    if (entry != NULL)
        return entry;
    entry = calloc(1, sizeof(*entry) + name.len + 1);
    if (entry == NULL)
        return NULL;
    memcpy(entry->name, name.ptr, name.len);
    if (!map_set(&hosts->names, slice_make(entry->name, name.len), entry)) {
        free(entry);
        return NULL;
    }
    return entry;
}

static bool add(struct dns_hosts *hosts, struct slice name, int family, const void *bytes)
{
    char lower[MAX_NAME];
    if (name.len > sizeof(lower))
        return true; /* no name that anybody could ask for */
    for (size_t i = 0; i < name.len; i++)
        lower[i] = slice_lower(name.ptr[i]);
    struct entry *entry = find_or_add(hosts, slice_make(lower, name.len));
    if (entry == NULL)
        return false;
    return dns_answer_set_add(family == AF_INET ? &entry->v4 : &entry->v6, family, bytes, 0, 1);
}

/* The next word of a line; false at its end. */
static bool next_word(struct slice *rest, struct slice *word)
{
    *rest = slice_trim(*rest);
    size_t len = 0;
    while (len < rest->len && rest->ptr[len] != ' ' && rest->ptr[len] != '\t')
        len++;
    *word = slice_make(rest->ptr, len);
    *rest = slice_from(*rest, len);
    return len > 0;
}

/* Lines that are not "address name..." are skipped, as every resolver does. */
static bool add_line(struct dns_hosts *hosts, struct slice line)
{
    line.len = slice_find(line, '#');
    line.len = slice_find(line, '\r');
    struct slice word;
    unsigned char bytes[16];
    if (!next_word(&line, &word))
        return true;
    int family = dns_answer_parse_ip(word, bytes);
    if (family == 0)
        return true;
    while (next_word(&line, &word)) {
        if (!add(hosts, word, family, bytes))
            return false;
    }
    return true;
}

static bool add_localhost(struct dns_hosts *hosts)
{
    const struct slice name = SLICE("localhost");
    if (map_get(&hosts->names, name) != NULL)
        return true;
    const struct in_addr v4 = {htonl(INADDR_LOOPBACK)};
    return add(hosts, name, AF_INET, &v4) && add(hosts, name, AF_INET6, &in6addr_loopback);
}

static bool make_answers(struct dns_hosts *hosts, bool has_ipv6)
{
    size_t position = 0;
    for (struct map_slot *slot; (slot = map_next(&hosts->names, &position)) != NULL;) {
        struct entry *entry = slot->value;
        struct dns_answer_set *set = entry->v4.count > 0 ? &entry->v4 : &entry->v6;
        for (size_t i = 0; has_ipv6 && set == &entry->v4 && i < entry->v6.count; i++) {
            const struct sockaddr_in6 *v6 =
                (const struct sockaddr_in6 *)&entry->v6.items[i].address;
            if (!dns_answer_set_add(set, AF_INET6, &v6->sin6_addr, 0, 1))
                return false;
        }
        entry->answer = dns_answer_make(set, 0);
        if (entry->answer == NULL)
            return false;
        dns_answer_set_clear(&entry->v4);
        dns_answer_set_clear(&entry->v6);
    }
    return true;
}

struct dns_hosts *dns_hosts_create(struct slice text, bool has_ipv6)
{
    struct dns_hosts *hosts = calloc(1, sizeof(*hosts));
    if (hosts == NULL)
        return NULL;
    struct slice line;
    while (slice_split(&text, '\n', &line)) {
        if (!add_line(hosts, line))
            goto fail;
    }
    if (add_localhost(hosts) && make_answers(hosts, has_ipv6))
        return hosts;
fail:
    dns_hosts_destroy(hosts);
    return NULL;
}

void dns_hosts_destroy(struct dns_hosts *hosts)
{
    if (hosts == NULL)
        return;
    size_t position = 0;
    for (struct map_slot *slot; (slot = map_next(&hosts->names, &position)) != NULL;)
        entry_destroy(slot->value);
    map_clear(&hosts->names);
    free(hosts);
}

struct dns_answer *dns_hosts_find(struct dns_hosts *hosts, struct slice name, int64_t now_ms)
{
    struct entry *entry = map_get(&hosts->names, name);
    if (entry == NULL && slice_ends_with(name, SLICE(".localhost")))
        entry = map_get(&hosts->names, SLICE("localhost"));
    if (entry == NULL)
        return NULL;
    if (entry->answer->expires_ms <= now_ms) {
        struct dns_answer *fresh = dns_answer_copy(entry->answer, now_ms + DNS_HOSTS_CHECK_MS);
        if (fresh != NULL) {
            dns_answer_unref(entry->answer);
            entry->answer = fresh;
        }
    }
    return dns_answer_ref(entry->answer);
}
