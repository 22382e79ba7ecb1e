/* SPDX-License-Identifier: Apache-2.0 */
/* sockets.c -- see sockets.h. */
#include "process/sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "config/options.h"

struct sockets_entry {
    struct sockaddr_storage address;
    socklen_t address_len;
    int index; /* worker */
    int fd;
    bool is_planned;     /* belongs to the plan that was made last */
    bool is_new;         /* was opened for it */
    char unix_path[108]; /* to remove with the socket; "" for TCP */
};

static bool is_at(const struct sockets_entry *entry, const struct listen_address *at)
{
    return entry->address_len == at->address_len &&
           memcmp(&entry->address, &at->address, at->address_len) == 0;
}

static struct sockets_entry *find(struct sockets *sockets, const struct listen_address *at,
                                  int index)
{
    for (size_t i = 0; i < sockets->count; i++)
        if (sockets->entries[i].index == index && is_at(&sockets->entries[i], at))
            return &sockets->entries[i];
    return NULL;
}

static in_port_t port_of(const struct sockaddr_storage *address)
{
    return address->ss_family == AF_INET    ? ((const struct sockaddr_in *)address)->sin_port
           : address->ss_family == AF_INET6 ? ((const struct sockaddr_in6 *)address)->sin6_port
                                            : 0;
}

/* Whether a socket of ours would make the probe think that somebody else has the address: the same
 * port on the address, or on the wildcard. */
static bool has_port(const struct sockets *sockets, const struct listen_address *at)
{
    for (size_t i = 0; i < sockets->count; i++) {
        in_port_t port = port_of(&sockets->entries[i].address);
        if (is_at(&sockets->entries[i], at) || (port != 0 && port == port_of(&at->address)))
            return true;
    }
    return false;
}

static int open_one(struct sockets *sockets, const struct listen_address *at, char **error)
{
    /* A unix path has one queue: the other workers share it. */
    struct sockets_entry *first = at->address.ss_family == AF_UNIX ? find(sockets, at, 0) : NULL;
    if (first != NULL) {
        int fd = fcntl(first->fd, F_DUPFD_CLOEXEC, 0);
        if (fd < 0 && asprintf(error, "%s: %s", at->text, strerror(errno)) < 0)
            *error = NULL;
        return fd;
    }
    if (!has_port(sockets, at) && !listen_probe(at, error))
        return -1;
    return listen_open(at, error);
}

static void name_key(char **error, const char *key)
{
    char *text = *error;
    if (text != NULL && asprintf(error, "%s: %s", key, text) < 0)
        *error = NULL;
    free(text);
}

/* The descriptor; -1: failed. */
static int take(struct sockets *sockets, const char *key, const struct listen_address *at,
                int index, char **error)
{
    struct sockets_entry *known = find(sockets, at, index);
    if (known != NULL && known->is_planned) {
        if (asprintf(error, "%s: %s is listed twice", key, at->text) < 0)
            *error = NULL;
        return -1;
    }
    if (known != NULL) {
        known->is_planned = true;
        return known->fd;
    }
    struct sockets_entry *entries =
        realloc(sockets->entries, (sockets->count + 1) * sizeof(*entries));
    if (entries == NULL)
        return -1;
    sockets->entries = entries;
    int fd = open_one(sockets, at, error);
    if (fd < 0) {
        name_key(error, key);
        return -1;
    }
    struct sockets_entry *entry = &entries[sockets->count++];
    *entry = (struct sockets_entry){.address = at->address,
                                    .address_len = at->address_len,
                                    .index = index,
                                    .fd = fd,
                                    .is_planned = true,
                                    .is_new = true};
    if (at->address.ss_family == AF_UNIX)
        (void)snprintf(entry->unix_path, sizeof(entry->unix_path), "%s", at->host);
    return fd;
}

/* `each` sockets per address, at out[address * each + worker]. */
static bool take_list(struct sockets *sockets, const char *key, const struct listen_list *list,
                      int each, int **out, char **error)
{
    /* One more, for calloc(0) may be NULL. */
    *out = calloc(list->count * (size_t)each + 1, sizeof(**out));
    if (*out == NULL)
        return false;
    for (size_t i = 0; i < list->count; i++)
        for (int index = 0; index < each; index++) {
            int fd = take(sockets, key, &list->items[i], index, error);
            if (fd < 0)
                return false;
            (*out)[i * (size_t)each + (size_t)index] = fd;
        }
    return true;
}

bool sockets_plan(struct sockets *sockets, const struct options *options,
                  struct gateway_sockets *plan, char **error)
{
    *error = NULL;
    *plan = (struct gateway_sockets){0};
    for (size_t i = 0; i < sockets->count; i++)
        sockets->entries[i].is_planned = sockets->entries[i].is_new = false;
    if (take_list(sockets, "proxy_listen", &options->proxy_listen, options->workers, &plan->proxy,
                  error) &&
        take_list(sockets, "admin_listen", &options->admin_listen, 1, &plan->admin, error) &&
        take_list(sockets, "status_listen", &options->status_listen, 1, &plan->status, error))
        return true;
    sockets_drop_new(sockets);
    sockets_plan_clear(plan);
    return false;
}

void sockets_plan_clear(struct gateway_sockets *plan)
{
    free(plan->proxy);
    free(plan->admin);
    free(plan->status);
    *plan = (struct gateway_sockets){0};
}

/* Whether another worker's entry, which stays, is the same queue. */
static bool is_shared(const struct sockets *sockets, const struct sockets_entry *entry,
                      bool (*is_over)(const struct sockets_entry *))
{
    for (size_t i = 0; entry->unix_path[0] != '\0' && i < sockets->count; i++)
        if (strcmp(sockets->entries[i].unix_path, entry->unix_path) == 0 &&
            !is_over(&sockets->entries[i]))
            return true;
    return false;
}

/* Shutting a listening socket down ends it in all processes that have it; closing it here would
 * leave it alive in a draining gateway, and the kernel would go on queueing connections there. */
static void end_where(struct sockets *sockets, bool (*is_over)(const struct sockets_entry *))
{
    size_t kept = 0;
    for (size_t i = 0; i < sockets->count; i++) {
        const struct sockets_entry *entry = &sockets->entries[i];
        if (is_over(entry) && !is_shared(sockets, entry, is_over)) {
            (void)shutdown(entry->fd, SHUT_RDWR);
            if (entry->unix_path[0] != '\0')
                (void)unlink(entry->unix_path);
        }
    }
    for (size_t i = 0; i < sockets->count; i++) {
        if (is_over(&sockets->entries[i]))
            close(sockets->entries[i].fd);
        else
            sockets->entries[kept++] = sockets->entries[i];
    }
    sockets->count = kept;
}

static bool is_unplanned(const struct sockets_entry *entry)
{
    return !entry->is_planned;
}

static bool is_new(const struct sockets_entry *entry)
{
    return entry->is_new;
}

static bool is_any(const struct sockets_entry *entry)
{
    (void)entry;
    return true;
}

void sockets_keep_planned(struct sockets *sockets)
{
    end_where(sockets, is_unplanned);
    for (size_t i = 0; i < sockets->count; i++)
        sockets->entries[i].is_new = false;
}

void sockets_drop_new(struct sockets *sockets)
{
    end_where(sockets, is_new);
}

void sockets_clear(struct sockets *sockets)
{
    end_where(sockets, is_any);
    free(sockets->entries);
    *sockets = (struct sockets){0};
}

void sockets_forget(struct sockets *sockets)
{
    for (size_t i = 0; i < sockets->count; i++)
        close(sockets->entries[i].fd);
    free(sockets->entries);
    *sockets = (struct sockets){0};
}
