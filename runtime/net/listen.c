/* SPDX-License-Identifier: Apache-2.0 */
/* listen.c -- see listener.h: listen addresses and the sockets behind them. The text form, as in
 * "127.0.0.1:8000 reuseport backlog=16384, [::]:8443 ssl" (reference/config-and-cli.md section 3):
 *
 *   list    = "off" | entry *("," entry)
 *   entry   = address *(" " flag)
 *   address = IPv4 ":" port | "[" IPv6 "]" ":" port | name ":" port | "unix:/" path
 *
 * Names are resolved here, at start, with getaddrinfo(): no loop runs yet. */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/slice.h"
#include "net/listener.h"

enum {
    DEFAULT_BACKLOG = 16384,
    MAX_ADDRESSES = 64,
    MAX_PORT = 65535,
};

static const char usage[] =
    " must be of form: [off] | <ip>:<port> [ssl] [http2] [proxy_protocol] [deferred] [bind] "
    "[reuseport] [backlog=%d+] [ipv6only=on] [ipv6only=off] [so_keepalive=on] [so_keepalive=off] "
    "[so_keepalive=%w*:%w*:%d*], [... next entry ...]";

/* --- flags --- */

static bool parse_number(struct slice text, uint64_t max, int *out)
{
    uint64_t value;
    if (!slice_to_u64(text, &value) || value > max)
        return false;
    *out = (int)value; /* every caller's max fits an int */
    return true;
}

/* nginx's time syntax: digits, or digits with s, m or h. Empty: the system's value. */
static bool parse_seconds(struct slice text, int *out)
{
    enum { MAX_SECONDS = 32767 }; /* the kernel's limit of TCP_KEEPIDLE and TCP_KEEPINTVL */
    int unit = 1;
    if (text.len == 0)
        return true;
    char last = text.ptr[text.len - 1];
    if (last == 's' || last == 'm' || last == 'h') {
        unit = last == 's' ? 1 : last == 'm' ? 60 : 3600;
        text.len--;
    }
    if (!parse_number(text, (uint64_t)(MAX_SECONDS / unit), out) || *out == 0)
        return false;
    *out *= unit;
    return true;
}

/* on, off or idle:interval:count, each part of which may be empty but not all. */
static bool parse_keepalive(struct slice value, struct listen_address *out)
{
    enum { MAX_PROBES = 127 }; /* the kernel's limit of TCP_KEEPCNT */
    out->is_keepalive = !slice_eq(value, SLICE("off"));
    if (!out->is_keepalive || slice_eq(value, SLICE("on")))
        return true;
    struct slice rest = value;
    struct slice idle;
    struct slice interval;
    if (value.len <= 2 || !slice_split(&rest, ':', &idle) || !slice_split(&rest, ':', &interval) ||
        rest.ptr == NULL)
        return false;
    return parse_seconds(idle, &out->keepalive_idle_s) &&
           parse_seconds(interval, &out->keepalive_interval_s) &&
           (rest.len == 0 || parse_number(rest, MAX_PROBES, &out->keepalive_count));
}

static bool parse_flag(struct slice flag, struct listen_address *out)
{
    const struct {
        struct slice name;
        bool *target;
    } switches[] = {
        {SLICE("ssl"), &out->is_ssl},
        {SLICE("http2"), &out->is_http2},
        {SLICE("proxy_protocol"), &out->is_proxy_protocol},
        {SLICE("reuseport"), &out->is_reuseport},
        {SLICE("deferred"), &out->is_deferred},
    };
    for (size_t i = 0; i < sizeof(switches) / sizeof(switches[0]); i++) {
        if (slice_eq(flag, switches[i].name)) {
            *switches[i].target = true;
            return true;
        }
    }
    if (slice_eq(flag, SLICE("bind")))
        return true; /* every address is bound separately here */
    if (slice_starts_with(flag, SLICE("backlog=")))
        return parse_number(slice_from(flag, 8), INT32_MAX, &out->backlog) && out->backlog > 0;
    if (slice_starts_with(flag, SLICE("so_keepalive=")))
        return parse_keepalive(slice_from(flag, 13), out);
    if (slice_eq(flag, SLICE("ipv6only=on")) || slice_eq(flag, SLICE("ipv6only=off"))) {
        out->is_ipv6only = flag.ptr[flag.len - 1] == 'n';
        return true;
    }
    return false;
}

/* --- addresses --- */

static bool parse_unix(struct slice path, struct listen_address *out)
{
    struct sockaddr_un *address = (struct sockaddr_un *)&out->address;
    if (path.len < 2 || path.ptr[0] != '/' || path.len >= sizeof(address->sun_path))
        return false;
    address->sun_family = AF_UNIX;
    memcpy(address->sun_path, path.ptr, path.len);
    memcpy(out->host, path.ptr, path.len);
    out->address_len = sizeof(*address);
    return true;
}

static bool is_host_name(struct slice name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = slice_lower(name.ptr[i]);
        bool is_alnum = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (!is_alnum && c != '-' && c != '.' && c != '_')
            return false;
    }
    return true;
}

static bool resolve(const char *name, struct listen_address *out, const char **why)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    struct addrinfo *found = NULL;
    int status = getaddrinfo(name, NULL, &hints, &found);
    if (status != 0 || found == NULL) {
        *why = status != 0 ? gai_strerror(status) : "no address";
        return false;
    }
    /* "localhost" is both 127.0.0.1 and ::1; clients that ask for the former are the majority. */
    const struct addrinfo *best = found;
    for (const struct addrinfo *at = found; at != NULL; at = at->ai_next) {
        if (at->ai_family == AF_INET) {
            best = at;
            break;
        }
    }
    memcpy(&out->address, best->ai_addr, best->ai_addrlen);
    freeaddrinfo(found);
    return true;
}

/* `host` comes without brackets. *why is set if the form is right but the name is unknown. */
static bool parse_host(struct slice host, bool is_bracketed, struct listen_address *out,
                       const char **why)
{
    if (host.len == 0 || host.len >= sizeof(out->host))
        return false;
    memcpy(out->host, host.ptr, host.len);
    struct sockaddr_in *v4 = (struct sockaddr_in *)&out->address;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&out->address;
    if (is_bracketed) {
        v6->sin6_family = AF_INET6;
        return inet_pton(AF_INET6, out->host, &v6->sin6_addr) == 1;
    }
    if (inet_pton(AF_INET, out->host, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        return true;
    }
    /* A broken IPv4 address (getaddrinfo() would take "127.1"), or IPv6 without brackets. */
    if (strspn(out->host, "0123456789.") == host.len || !is_host_name(host))
        return false;
    return resolve(out->host, out, why);
}

static bool set_port(struct listen_address *out, int port)
{
    out->port = port;
    if (out->address.ss_family == AF_INET6) {
        struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&out->address;
        v6->sin6_port = htons((uint16_t)port);
        out->address_len = sizeof(*v6);
        return inet_ntop(AF_INET6, &v6->sin6_addr, out->host, sizeof(out->host)) != NULL;
    }
    struct sockaddr_in *v4 = (struct sockaddr_in *)&out->address;
    v4->sin_port = htons((uint16_t)port);
    out->address_len = sizeof(*v4);
    return inet_ntop(AF_INET, &v4->sin_addr, out->host, sizeof(out->host)) != NULL;
}

static bool parse_address(struct slice text, struct listen_address *out, const char **why)
{
    if (text.len == 0 || text.len >= sizeof(out->text))
        return false;
    memcpy(out->text, text.ptr, text.len);
    if (slice_starts_with(text, SLICE("unix:")))
        return parse_unix(slice_from(text, 5), out);
    size_t colon = text.len;
    while (colon > 0 && text.ptr[colon - 1] != ':')
        colon--;
    int port;
    if (colon == 0 || !parse_number(slice_from(text, colon), MAX_PORT, &port) || port == 0)
        return false;
    struct slice host = slice_make(text.ptr, colon - 1);
    bool is_bracketed = host.len > 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']';
    if (is_bracketed)
        host = slice_make(host.ptr + 1, host.len - 2);
    return parse_host(host, is_bracketed, out, why) && set_port(out, port);
}

/* Takes the next word, whatever spaces are around it. False at the end. */
static bool next_word(struct slice *rest, struct slice *word)
{
    do {
        if (!slice_split(rest, ' ', word))
            return false;
        *word = slice_trim(*word);
    } while (word->len == 0);
    return true;
}

static bool parse_entry(struct slice entry, struct listen_address *out, const char **why)
{
    *out = (struct listen_address){.backlog = DEFAULT_BACKLOG, .is_ipv6only = true};
    struct slice word;
    if (!next_word(&entry, &word) || !parse_address(word, out, why))
        return false;
    while (next_word(&entry, &word)) {
        if (!parse_flag(word, out))
            return false;
    }
    return true;
}

bool listen_parse(const char *key, const char *value, struct listen_list *out, char **error)
{
    *out = (struct listen_list){0};
    struct slice rest = slice_of(value);
    struct slice entry = {NULL, 0};
    const char *why = NULL;
    while (slice_split(&rest, ',', &entry)) {
        entry = slice_trim(entry);
        if (out->count == 0 && slice_eq(entry, SLICE("off")))
            return true; /* as in Kong, whatever follows */
        struct listen_address parsed;
        if (out->count == MAX_ADDRESSES || !parse_entry(entry, &parsed, &why))
            goto fail;
        struct listen_address *items = realloc(out->items, (out->count + 1) * sizeof(*out->items));
        if (items == NULL) {
            why = "out of memory";
            goto fail;
        }
        out->items = items;
        out->items[out->count++] = parsed;
    }
    if (out->count > 0)
        return true;
fail:;
    int n = why == NULL ? asprintf(error, "%s%s", key, usage)
                        : asprintf(error, "%s: '%.*s': %s", key, SLICE_ARG(entry), why);
    if (n < 0)
        *error = NULL;
    listen_list_clear(out);
    return false;
}

void listen_list_clear(struct listen_list *list)
{
    free(list->items);
    *list = (struct listen_list){0};
}

/* --- sockets --- */

static void explain(const struct listen_address *address, int error, char **text)
{
    const char *reason = strerrordesc_np(error);
    if (asprintf(text, "%s: %s", address->text, reason != NULL ? reason : "unknown error") < 0)
        *text = NULL;
}

static int open_socket(const struct listen_address *address)
{
    return socket(address->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

static bool set_option(int fd, int level, int name, int value)
{
    return setsockopt(fd, level, name, &value, sizeof(value)) == 0;
}

/* What both the probe and the real socket need to be bound to the same addresses. */
static bool set_bind_options(int fd, const struct listen_address *address)
{
    if (!set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1))
        return false;
    return address->address.ss_family != AF_INET6 ||
           set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, address->is_ipv6only);
}

/* Accepted sockets inherit these on Linux, which saves the calls for each connection. */
static bool set_stream_options(int fd, const struct listen_address *address)
{
    if (!set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1))
        return false;
    if (address->is_deferred && !set_option(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, 1))
        return false;
    if (!address->is_keepalive)
        return true;
    const struct {
        int name, value;
    } options[] = {{TCP_KEEPIDLE, address->keepalive_idle_s},
                   {TCP_KEEPINTVL, address->keepalive_interval_s},
                   {TCP_KEEPCNT, address->keepalive_count}};
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        if (options[i].value > 0 && !set_option(fd, IPPROTO_TCP, options[i].name, options[i].value))
            return false;
    }
    return set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
}

/* Whether somebody accepts on the unix path. A socket file of a dead process refuses. */
static bool is_path_alive(const struct listen_address *address)
{
    int fd = open_socket(address);
    if (fd < 0)
        return false;
    int status = connect(fd, (const struct sockaddr *)&address->address, address->address_len);
    bool is_alive = status == 0 || errno == EAGAIN; /* EAGAIN: alive, its queue is full */
    close(fd);
    return is_alive;
}

static bool is_socket_file(const char *path)
{
    struct stat info;
    return lstat(path, &info) == 0 && S_ISSOCK(info.st_mode);
}

bool listen_probe(const struct listen_address *address, char **error)
{
    if (address->address.ss_family == AF_UNIX) {
        if (!is_path_alive(address))
            return true;
        explain(address, EADDRINUSE, error);
        return false;
    }
    /* With SO_REUSEADDR alone the kernel refuses an address that another socket listens on, and
     * allows one whose last connections are in TIME_WAIT. */
    int fd = open_socket(address);
    bool is_free = fd >= 0 && set_bind_options(fd, address) &&
                   bind(fd, (const struct sockaddr *)&address->address, address->address_len) == 0;
    if (!is_free)
        explain(address, errno, error);
    if (fd >= 0)
        close(fd);
    return is_free;
}

int listen_open(const struct listen_address *address, char **error)
{
    bool is_unix = address->address.ss_family == AF_UNIX;
    int fd = open_socket(address);
    if (fd < 0)
        goto fail;
    if (is_unix) {
        if (is_path_alive(address)) {
            errno = EADDRINUSE;
            goto fail;
        }
        if (is_socket_file(address->host) && unlink(address->host) != 0)
            goto fail;
    } else if (!set_bind_options(fd, address) || !set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1) ||
               !set_stream_options(fd, address)) {
        goto fail;
    }
    if (bind(fd, (const struct sockaddr *)&address->address, address->address_len) != 0)
        goto fail;
    /* As nginx does: who may connect is the directory's business. */
    if (is_unix && chmod(address->host, 0666) != 0)
        goto fail;
    if (listen(fd, address->backlog) != 0)
        goto fail;
    return fd;
fail:
    explain(address, errno, error);
    if (fd >= 0)
        close(fd);
    return -1;
}
