/* SPDX-License-Identifier: Apache-2.0 */
/* dns_cache.c -- see dns_cache.h. One mutex around a table of names and a list in order of use.
 *
 *   fresh ----expires----> stale ----stale_ttl----> gone
 *                            |
 *                            the first thread that meets it claims the refresh; until that answers
 *                            or its claim runs out, all serve the stale answer
 *
 * Errors have no stale time. A refresh that fails (no server answers) keeps the stale answer and is
 * tried again after error_ttl; one that says "no such name" replaces it. */
#include "net/dns_cache.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/list.h"
#include "base/log.h"
#include "base/map.h"
#include "net/dns_answer.h"
#include "net/dns_hosts.h"

enum { MAX_HOSTS_BYTES = 4 << 20 };

static const char default_order[] = "LAST,SRV,A,CNAME";

struct entry {
    struct list node; /* most recently used first */
    struct dns_answer *answer;
    int64_t refresh_at_ms; /* not before: a refresh is under way or has just failed */
    enum dns_type last_type;
    size_t name_len;
    char name[];
};

struct dns_cache {
    struct dns_config config; /* its texts are owned */
    struct dns_order order;
    struct log *log;
    pthread_mutex_t mutex; /* around everything below */
    struct map names;      /* struct entry */
    struct list by_use;
    struct dns_hosts *hosts;
    int64_t hosts_check_ms; /* when the file is looked at next */
    struct timespec hosts_mtime;
    off_t hosts_bytes;
};

/* --- configuration --- */

static void add_type(struct dns_order *order, enum dns_type type)
{
    for (size_t i = 0; i < order->count; i++) {
        if (order->types[i] == type)
            return;
    }
    order->types[order->count++] = type;
}

/* CNAME is no question of its own: the answer to A comes with the whole chain. */
static struct dns_order parse_order(const char *text)
{
    struct dns_order order = {.is_default = strcasecmp(text, default_order) == 0};
    struct slice rest = slice_of(text);
    struct slice part;
    while (slice_split(&rest, ',', &part)) {
        part = slice_trim(part);
        if (slice_eq_nocase(part, SLICE("LAST")))
            order.has_last = true;
        else if (slice_eq_nocase(part, SLICE("A")))
            add_type(&order, DNS_A);
        else if (slice_eq_nocase(part, SLICE("AAAA")))
            add_type(&order, DNS_AAAA);
        else if (slice_eq_nocase(part, SLICE("SRV")))
            add_type(&order, DNS_SRV);
    }
    if (order.count == 0)
        add_type(&order, DNS_A);
    return order;
}

/* A copy of `text`, or of `otherwise` if that is not set. */
static bool copy_text(const char *text, const char *otherwise, const char **out)
{
    *out = strdup(text != NULL && text[0] != '\0' ? text : otherwise);
    return *out != NULL;
}

static void free_text(const char *text)
{
    void *memory;
    memcpy(&memory, &text,
           sizeof(memory)); /* the contract's struct has const texts; ours are heap */
    free(memory);
}

struct dns_cache *dns_cache_create(const struct dns_config *config, struct log *log)
{
    struct dns_cache *cache = calloc(1, sizeof(*cache));
    if (cache == NULL)
        return NULL;
    cache->config = *config;
    cache->config.servers = cache->config.hosts_file = cache->config.order = NULL;
    if (cache->config.cache_size < 1)
        cache->config.cache_size = 1;
    cache->log = log;
    list_init(&cache->by_use);
    if (pthread_mutex_init(&cache->mutex, NULL) != 0) {
        free(cache);
        return NULL;
    }
    if (!copy_text(config->servers, "", &cache->config.servers) ||
        !copy_text(config->hosts_file, "/etc/hosts", &cache->config.hosts_file) ||
        !copy_text(config->order, default_order, &cache->config.order)) {
        dns_cache_destroy(cache);
        return NULL;
    }
    cache->order = parse_order(cache->config.order);
    return cache;
}

static void drop(struct dns_cache *cache, struct entry *entry)
{
    (void)map_remove(&cache->names, slice_make(entry->name, entry->name_len));
    list_remove(&entry->node);
    dns_answer_unref(entry->answer);
    free(entry);
}

void dns_cache_destroy(struct dns_cache *cache)
{
    if (cache == NULL)
        return;
    while (!list_is_empty(&cache->by_use))
        drop(cache, LIST_ENTRY(cache->by_use.next, struct entry, node));
    map_clear(&cache->names);
    dns_hosts_destroy(cache->hosts);
    pthread_mutex_destroy(&cache->mutex);
    free_text(cache->config.servers);
    free_text(cache->config.hosts_file);
    free_text(cache->config.order);
    free(cache);
}

const struct dns_config *dns_cache_config(const struct dns_cache *cache)
{
    return &cache->config;
}

struct log *dns_cache_log(const struct dns_cache *cache)
{
    return cache->log;
}

/* Moves `type` to `position`, if it is there. */
static void move_type(struct dns_order *order, enum dns_type type, size_t position)
{
    size_t at = 0;
    while (at < order->count && order->types[at] != type)
        at++;
    if (at == order->count)
        return;
    memmove(&order->types[at], &order->types[at + 1],
            (order->count - at - 1) * sizeof(order->types[0]));
    memmove(&order->types[position + 1], &order->types[position],
            (order->count - 1 - position) * sizeof(order->types[0]));
    order->types[position] = type;
}

struct dns_order dns_cache_order(struct dns_cache *cache, struct slice name)
{
    struct dns_order order = cache->order;
    if (order.is_default && !slice_starts_with(name, SLICE("_")))
        move_type(&order, DNS_SRV, order.count - 1);
    if (!order.has_last)
        return order;
    pthread_mutex_lock(&cache->mutex);
    const struct entry *entry = map_get(&cache->names, name);
    enum dns_type last = entry != NULL ? entry->last_type : DNS_NONE;
    pthread_mutex_unlock(&cache->mutex);
    move_type(&order, last, 0);
    return order;
}

/* --- the hosts file --- */

static bool is_hosts_ipv6(const struct dns_cache *cache)
{
    for (size_t i = 0; i < cache->order.count; i++) {
        if (cache->order.types[i] == DNS_AAAA)
            return true;
    }
    return false;
}

/* The whole file; empty if it cannot be read. */
static struct buffer read_file(int fd)
{
    struct buffer text = {0};
    while (buffer_reserve(&text, 4096, MAX_HOSTS_BYTES)) {
        ssize_t n = read(fd, buffer_tail(&text), buffer_room(&text));
        if (n <= 0)
            break;
        text.end += (size_t)n;
    }
    return text;
}

/* Reads the hosts file again if it has changed. Called without the mutex by the one thread that
 * found the check due. A local file of a few lines, one stat() a second: not worth a thread. */
static void check_hosts(struct dns_cache *cache)
{
    struct stat info = {0};
    int fd = open(cache->config.hosts_file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd >= 0 && (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode))) {
        close(fd);
        fd = -1;
        info = (struct stat){0};
    }
    pthread_mutex_lock(&cache->mutex);
    bool is_same = cache->hosts != NULL && info.st_size == cache->hosts_bytes &&
                   info.st_mtim.tv_sec == cache->hosts_mtime.tv_sec &&
                   info.st_mtim.tv_nsec == cache->hosts_mtime.tv_nsec;
    pthread_mutex_unlock(&cache->mutex);
    if (!is_same) {
        struct buffer text = fd >= 0 ? read_file(fd) : (struct buffer){0};
        struct dns_hosts *fresh = dns_hosts_create(buffer_slice(&text), is_hosts_ipv6(cache));
        buffer_clear(&text);
        if (fresh != NULL) {
            pthread_mutex_lock(&cache->mutex);
            struct dns_hosts *old = cache->hosts;
            cache->hosts = fresh;
            cache->hosts_mtime = info.st_mtim;
            cache->hosts_bytes = info.st_size;
            pthread_mutex_unlock(&cache->mutex);
            dns_hosts_destroy(old);
        }
    }
    if (fd >= 0)
        close(fd);
}

/* Leaves with the mutex held and the hosts file as fresh as it has to be. */
static void lock_with_hosts(struct dns_cache *cache, int64_t now_ms)
{
    pthread_mutex_lock(&cache->mutex);
    if (now_ms < cache->hosts_check_ms)
        return;
    cache->hosts_check_ms = now_ms + DNS_HOSTS_CHECK_MS;
    pthread_mutex_unlock(&cache->mutex);
    check_hosts(cache);
    pthread_mutex_lock(&cache->mutex);
}

static struct dns_answer *find_in_hosts(struct dns_cache *cache, struct slice name, int64_t now_ms)
{
    return cache->hosts != NULL ? dns_hosts_find(cache->hosts, name, now_ms) : NULL;
}

struct dns_answer *dns_cache_hosts(struct dns_cache *cache, struct slice name, int64_t now_ms)
{
    lock_with_hosts(cache, now_ms);
    struct dns_answer *answer = find_in_hosts(cache, name, now_ms);
    pthread_mutex_unlock(&cache->mutex);
    return answer;
}

/* --- answers --- */

static bool is_usable_stale(const struct dns_cache *cache, const struct dns_answer *answer,
                            int64_t now_ms)
{
    return !answer->is_error && now_ms - answer->expires_ms < cache->config.stale_ttl_ms;
}

struct dns_answer *dns_cache_get(struct dns_cache *cache, struct slice name, int64_t now_ms,
                                 bool *must_refresh)
{
    *must_refresh = false;
    lock_with_hosts(cache, now_ms);
    struct dns_answer *found = find_in_hosts(cache, name, now_ms);
    struct entry *entry = found == NULL ? map_get(&cache->names, name) : NULL;
    if (entry == NULL)
        goto done;
    if (cache->by_use.next != &entry->node) {
        list_remove(&entry->node);
        list_push_front(&cache->by_use, &entry->node);
    }
    bool is_fresh = now_ms < entry->answer->expires_ms;
    if (!is_fresh && !is_usable_stale(cache, entry->answer, now_ms))
        goto done;
    found = dns_answer_ref(entry->answer);
    if (!is_fresh && now_ms >= entry->refresh_at_ms) {
        *must_refresh = true;
        /* Should the claimant's thread end, another one may ask a little after its time is up. */
        entry->refresh_at_ms = now_ms + cache->config.timeout_ms + 1000;
    }
done:
    pthread_mutex_unlock(&cache->mutex);
    return found;
}

static struct entry *add_entry(struct dns_cache *cache, struct slice name)
{
    struct entry *entry = calloc(1, sizeof(*entry) + name.len + 1);
    if (entry == NULL)
        return NULL;
    entry->name_len = name.len;
    memcpy(entry->name, name.ptr, name.len);
    if (!map_set(&cache->names, slice_make(entry->name, name.len), entry)) {
        free(entry);
        return NULL;
    }
    list_push_front(&cache->by_use, &entry->node);
    return entry;
}

struct dns_answer *dns_cache_put(struct dns_cache *cache, struct slice name,
                                 struct dns_answer *answer, enum dns_type type, int64_t now_ms)
{
    pthread_mutex_lock(&cache->mutex);
    struct entry *entry = map_get(&cache->names, name);
    if (entry == NULL)
        entry = add_entry(cache, name);
    if (entry == NULL) { /* out of memory: this one is used and not remembered */
        pthread_mutex_unlock(&cache->mutex);
        return answer;
    }
    struct dns_answer *old = entry->answer;
    bool is_server_failure = answer->is_error && !answer->is_not_found;
    if (is_server_failure && old != NULL && is_usable_stale(cache, old, now_ms)) {
        dns_answer_unref(answer);
        entry->refresh_at_ms = now_ms + cache->config.error_ttl_ms;
        answer = dns_answer_ref(old);
    } else {
        dns_answer_unref(old);
        entry->answer = dns_answer_ref(answer);
        entry->refresh_at_ms = 0;
        if (type != DNS_NONE)
            entry->last_type = type;
    }
    while (cache->names.count > cache->config.cache_size)
        drop(cache, LIST_ENTRY(cache->by_use.prev, struct entry, node));
    pthread_mutex_unlock(&cache->mutex);
    return answer;
}
