/* SPDX-License-Identifier: Apache-2.0 */
/* dns_server.c -- see dns_server.h. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "dns_server.h"

enum { MAX_RECORDS = 64, MESSAGE_BYTES = 512, HEADER_BYTES = 12 };

struct record {
    char name[256];
    int type;
    bool is_set;
    uint32_t ttl_s;
    char data[512];
    int asked;
};

struct dns_server {
    int fd;
    int stop_fd;
    char address[32];
    pthread_t thread;
    pthread_mutex_t mutex; /* around the rest */
    enum dns_server_mood mood;
    struct record records[MAX_RECORDS];
    int count;
};

struct writer {
    unsigned char bytes[MESSAGE_BYTES];
    size_t len;
};

static void put(struct writer *out, const void *bytes, size_t len)
{
    if (out->len + len > sizeof(out->bytes))
        abort();
    memcpy(out->bytes + out->len, bytes, len);
    out->len += len;
}

static void put_u16(struct writer *out, unsigned value)
{
    const unsigned char bytes[] = {(unsigned char)(value >> 8), (unsigned char)value};
    put(out, bytes, 2);
}

static void put_name(struct writer *out, const char *name)
{
    while (*name != '\0') {
        size_t len = strcspn(name, ".");
        unsigned char length = (unsigned char)len;
        put(out, &length, 1);
        put(out, name, len);
        name += len;
        if (*name == '.')
            name++;
    }
    put(out, "", 1);
}

/* The record of (name, type); the mutex is held. */
static struct record *find(struct dns_server *server, const char *name, int type)
{
    for (int i = 0; i < server->count; i++) {
        if (strcasecmp(server->records[i].name, name) == 0 && server->records[i].type == type)
            return &server->records[i];
    }
    if (server->count == MAX_RECORDS)
        return NULL;
    struct record *record = &server->records[server->count++];
    *record = (struct record){.type = type};
    (void)snprintf(record->name, sizeof(record->name), "%s", name);
    return record;
}

static bool exists(struct dns_server *server, const char *name)
{
    for (int i = 0; i < server->count; i++) {
        if (server->records[i].is_set && strcasecmp(server->records[i].name, name) == 0)
            return true;
    }
    return false;
}

static void put_data(struct writer *out, int type, const char *item)
{
    unsigned char bytes[16];
    struct writer data = {.len = 0};
    if (type == DNS_SERVER_SRV) {
        unsigned priority;
        unsigned weight;
        unsigned port;
        char target[256];
        if (sscanf(item, "%u:%u:%u:%255s", &priority, &weight, &port, target) != 4)
            abort();
        put_u16(&data, priority);
        put_u16(&data, weight);
        put_u16(&data, port);
        put_name(&data, target);
    } else if (type == DNS_SERVER_A) {
        if (inet_pton(AF_INET, item, bytes) != 1)
            abort();
        put(&data, bytes, 4);
    } else {
        if (inet_pton(AF_INET6, item, bytes) != 1)
            abort();
        put(&data, bytes, 16);
    }
    put_u16(out, (unsigned)data.len);
    put(out, data.bytes, data.len);
}

static unsigned put_records(struct writer *out, const struct record *record)
{
    char data[sizeof(record->data)];
    unsigned count = 0;
    char *rest = NULL;
    memcpy(data, record->data, sizeof(data));
    for (char *item = strtok_r(data, " ", &rest); item != NULL; item = strtok_r(NULL, " ", &rest)) {
        put_u16(out, 0xc000 | HEADER_BYTES); /* the name of the question */
        put_u16(out, (unsigned)record->type);
        put_u16(out, 1);
        put_u16(out, record->ttl_s >> 16);
        put_u16(out, record->ttl_s & 0xffff);
        put_data(out, record->type, item);
        count++;
    }
    return count;
}

/* The name and the end of the question of a query; false if it is none. */
static bool read_question(const unsigned char *query, size_t len, char name[256], size_t *end)
{
    size_t at = HEADER_BYTES;
    size_t out = 0;
    while (at < len && query[at] != 0) {
        size_t label = query[at++];
        if (label > 63 || at + label >= len || out + label + 1 >= 256)
            return false;
        if (out > 0)
            name[out++] = '.';
        memcpy(name + out, query + at, label);
        out += label;
        at += label;
    }
    name[out] = '\0';
    *end = at + 5;
    return *end <= len;
}

/* Builds the reply; its length, or 0 for silence. */
static size_t answer(struct dns_server *server, const unsigned char *query, size_t len,
                     struct writer *out)
{
    char name[256];
    size_t end;
    if (len < HEADER_BYTES || !read_question(query, len, name, &end))
        return 0;
    int type = query[end - 4] << 8 | query[end - 3];
    struct record *record = find(server, name, type);
    if (record == NULL)
        return 0;
    record->asked++;
    if (server->mood == DNS_SERVER_SILENT)
        return 0;
    if (server->mood == DNS_SERVER_GARBAGE) {
        put(out, "\xff\xfe garbage that is no message at all", 37);
        return out->len;
    }
    unsigned rcode = server->mood == DNS_SERVER_FAILING ? 2 : exists(server, name) ? 0 : 3;
    put(out, query, 2);
    put_u16(out, 0x8180 | rcode);
    put_u16(out, 1);
    put_u16(out, 0); /* answers, filled in below */
    put_u16(out, 0);
    put_u16(out, 0);
    put(out, query + HEADER_BYTES, end - HEADER_BYTES);
    if (rcode == 0 && record->is_set) {
        unsigned count = put_records(out, record);
        out->bytes[6] = (unsigned char)(count >> 8);
        out->bytes[7] = (unsigned char)count;
    }
    return server->mood == DNS_SERVER_TRUNCATED ? out->len - 3 : out->len;
}

static void *serve(void *arg)
{
    struct dns_server *server = arg;
    for (;;) {
        struct pollfd fds[] = {{.fd = server->fd, .events = POLLIN},
                               {.fd = server->stop_fd, .events = POLLIN}};
        if (poll(fds, 2, -1) < 0 || fds[1].revents != 0)
            return NULL;
        unsigned char query[MESSAGE_BYTES];
        struct sockaddr_in peer;
        socklen_t peer_len = sizeof(peer);
        ssize_t n =
            recvfrom(server->fd, query, sizeof(query), 0, (struct sockaddr *)&peer, &peer_len);
        if (n <= 0)
            continue;
        struct writer out = {.len = 0};
        pthread_mutex_lock(&server->mutex);
        size_t len = answer(server, query, (size_t)n, &out);
        pthread_mutex_unlock(&server->mutex);
        if (len > 0)
            (void)sendto(server->fd, out.bytes, len, 0, (struct sockaddr *)&peer, peer_len);
    }
}

struct dns_server *dns_server_start(void)
{
    struct dns_server *server = calloc(1, sizeof(*server));
    assert_non_null(server);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof(address);
    server->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    server->stop_fd = eventfd(0, EFD_CLOEXEC);
    assert_true(server->fd >= 0 && server->stop_fd >= 0);
    assert_int_equal(bind(server->fd, (struct sockaddr *)&address, len), 0);
    assert_int_equal(getsockname(server->fd, (struct sockaddr *)&address, &len), 0);
    (void)snprintf(server->address, sizeof(server->address), "127.0.0.1:%d",
                   ntohs(address.sin_port));
    assert_int_equal(pthread_mutex_init(&server->mutex, NULL), 0);
    assert_int_equal(pthread_create(&server->thread, NULL, serve, server), 0);
    return server;
}

void dns_server_stop(struct dns_server *server)
{
    const uint64_t one = 1;
    assert_int_equal(write(server->stop_fd, &one, sizeof(one)), sizeof(one));
    pthread_join(server->thread, NULL);
    close(server->fd);
    close(server->stop_fd);
    pthread_mutex_destroy(&server->mutex);
    free(server);
}

const char *dns_server_address(const struct dns_server *server)
{
    return server->address;
}

void dns_server_set_mood(struct dns_server *server, enum dns_server_mood mood)
{
    pthread_mutex_lock(&server->mutex);
    server->mood = mood;
    pthread_mutex_unlock(&server->mutex);
}

void dns_server_set(struct dns_server *server, const char *name, int type, uint32_t ttl_s,
                    const char *data)
{
    pthread_mutex_lock(&server->mutex);
    struct record *record = find(server, name, type);
    if (record == NULL)
        abort();
    record->is_set = true;
    record->ttl_s = ttl_s;
    (void)snprintf(record->data, sizeof(record->data), "%s", data);
    pthread_mutex_unlock(&server->mutex);
}

int dns_server_asked(struct dns_server *server, const char *name, int type)
{
    pthread_mutex_lock(&server->mutex);
    const struct record *record = find(server, name, type);
    int asked = record == NULL ? 0 : record->asked;
    pthread_mutex_unlock(&server->mutex);
    return asked;
}
