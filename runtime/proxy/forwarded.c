/* SPDX-License-Identifier: Apache-2.0 */
/* forwarded.c -- X-Forwarded-* and X-Real-IP: believed from trusted peers, made anew otherwise. */
#include "proxy/forwarded.h"

#include <arpa/inet.h>

#include "proxy/client.h"
#include "proxy/request.h"

/* A believed field's value; absent if the peer is not trusted or did not send it. */
static struct slice believed(const struct request *request, enum http_name id)
{
    return request->in.is_peer_trusted ? http_headers_get_known(&request->in.head.headers, id)
                                       : (struct slice){NULL, 0};
}

static bool is_ip(struct slice text)
{
    char name[INET6_ADDRSTRLEN];
    unsigned char bytes[16];
    if (text.len == 0 || text.len >= sizeof(name))
        return false;
    memcpy(name, text.ptr, text.len);
    name[text.len] = '\0';
    return inet_pton(AF_INET, name, bytes) == 1 || inet_pton(AF_INET6, name, bytes) == 1;
}

/* The last address of a list; with `is_recursive` the last one that is not itself trusted. */
static struct slice last_of_list(const struct request *request, struct slice list,
                                 bool is_recursive)
{
    struct slice found = {NULL, 0};
    while (list.len > 0) {
        size_t at = list.len;
        while (at > 0 && list.ptr[at - 1] != ',')
            at--;
        struct slice item = slice_trim(slice_from(list, at));
        if (!is_ip(item))
            break;
        found = item;
        if (!is_recursive || !trusted_has_text(&request->worker->shared->trusted, item) || at == 0)
            break;
        list.len = at - 1;
    }
    return found;
}

void forwarded_find_client(struct request *request)
{
    const struct client *client = request->client;
    const struct options *options = request->worker->options;
    request->in.client_ip = slice_make(client->ip, client->ip_len);
    request->in.is_peer_trusted = client->is_peer_trusted;
    if (!client->is_peer_trusted)
        return;
    struct slice list =
        http_headers_get(&request->in.head.headers, slice_of(options->real_ip_header));
    struct slice ip = last_of_list(request, list, options->is_real_ip_recursive);
    if (ip.ptr != NULL)
        request->in.client_ip = ip;
}

struct slice forwarded_scheme(const struct request *request)
{
    struct slice value = believed(request, HTTP_NAME_X_FORWARDED_PROTO);
    if (value.len > 0)
        return value;
    return request->in.is_tls ? SLICE("https") : SLICE("http");
}

struct slice forwarded_host(const struct request *request)
{
    struct slice value = believed(request, HTTP_NAME_X_FORWARDED_HOST);
    return value.len > 0 ? value : request->in.host;
}

int forwarded_port(const struct request *request)
{
    struct slice value = believed(request, HTTP_NAME_X_FORWARDED_PORT);
    uint64_t port;
    if (value.len > 0 && slice_to_u64(value, &port) && port <= 65535)
        return (int)port;
    return request->client->at->port;
}

struct slice forwarded_path(const struct request *request)
{
    struct slice value = believed(request, HTTP_NAME_X_FORWARDED_PATH);
    return value.len > 0 ? value : request->in.raw_path;
}

struct slice forwarded_prefix(const struct request *request)
{
    struct slice value = believed(request, HTTP_NAME_X_FORWARDED_PREFIX);
    return value.len > 0 ? value : request->match.prefix;
}

bool forwarded_is_named(const struct http_headers *headers, struct slice name)
{
    for (uint32_t i = 0; i < headers->count; i++)
        if (headers->fields[i].id == HTTP_NAME_CONNECTION &&
            http_list_has(headers->fields[i].value, name))
            return true;
    return false;
}
