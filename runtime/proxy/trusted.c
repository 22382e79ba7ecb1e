/* SPDX-License-Identifier: Apache-2.0 */
/* trusted.c -- IP prefixes; IPv4 is compared as IPv4-mapped IPv6, so there is one comparison. */
#include "proxy/trusted.h"

#include <arpa/inet.h>
#include <stdlib.h>

static bool parse_ip(struct slice text, uint8_t bytes[16], bool *is_v4)
{
    char name[INET6_ADDRSTRLEN];
    if (text.len == 0 || text.len >= sizeof(name))
        return false;
    memcpy(name, text.ptr, text.len);
    name[text.len] = '\0';
    memset(bytes, 0, 16);
    bytes[10] = bytes[11] = 0xff;
    *is_v4 = inet_pton(AF_INET, name, bytes + 12) == 1;
    return *is_v4 || inet_pton(AF_INET6, name, bytes) == 1;
}

static bool parse_net(struct slice text, struct trusted_net *net)
{
    size_t slash = slice_find(text, '/');
    bool is_v4;
    if (!parse_ip(slice_make(text.ptr, slash), net->bytes, &is_v4))
        return false;
    uint64_t bits = is_v4 ? 32 : 128;
    if (slash < text.len &&
        (!slice_to_u64(slice_from(text, slash + 1), &bits) || bits > (is_v4 ? 32u : 128u)))
        return false;
    net->bits = (unsigned)bits + (is_v4 ? 96 : 0);
    return true;
}

bool trusted_init(struct trusted *trusted, char *const *list)
{
    size_t count = 0;
    *trusted = (struct trusted){0};
    while (list != NULL && list[count] != NULL)
        count++;
    if (count == 0)
        return true;
    trusted->nets = calloc(count, sizeof(*trusted->nets));
    if (trusted->nets == NULL)
        return false;
    for (size_t i = 0; i < count; i++)
        if (parse_net(slice_of(list[i]), &trusted->nets[trusted->count]))
            trusted->count++;
    return true;
}

void trusted_clear(struct trusted *trusted)
{
    free(trusted->nets);
    *trusted = (struct trusted){0};
}

static bool is_inside(const struct trusted_net *net, const uint8_t bytes[16])
{
    unsigned whole = net->bits / 8, rest = net->bits % 8;
    if (memcmp(net->bytes, bytes, whole) != 0)
        return false;
    return rest == 0 || ((net->bytes[whole] ^ bytes[whole]) >> (8 - rest)) == 0;
}

static bool has_bytes(const struct trusted *trusted, const uint8_t bytes[16])
{
    for (size_t i = 0; i < trusted->count; i++)
        if (is_inside(&trusted->nets[i], bytes))
            return true;
    return false;
}

bool trusted_has(const struct trusted *trusted, const struct sockaddr_storage *address)
{
    uint8_t bytes[16] = {0};
    if (trusted->count == 0)
        return false;
    if (address->ss_family == AF_INET) {
        bytes[10] = bytes[11] = 0xff;
        memcpy(bytes + 12, &((const struct sockaddr_in *)address)->sin_addr, 4);
    } else if (address->ss_family == AF_INET6) {
        memcpy(bytes, &((const struct sockaddr_in6 *)address)->sin6_addr, 16);
    } else {
        return false;
    }
    return has_bytes(trusted, bytes);
}

bool trusted_has_text(const struct trusted *trusted, struct slice ip)
{
    uint8_t bytes[16];
    bool is_v4;
    return trusted->count > 0 && parse_ip(ip, bytes, &is_v4) && has_bytes(trusted, bytes);
}

/* inet_ntop() goes through printf, and this runs for every try of every request. */
static size_t print_v4(const uint8_t bytes[4], char *out)
{
    char *at = out;
    for (int i = 0; i < 4; i++) {
        unsigned value = bytes[i];
        if (i > 0)
            *at++ = '.';
        if (value >= 100)
            *at++ = (char)('0' + value / 100);
        if (value >= 10)
            *at++ = (char)('0' + value / 10 % 10);
        *at++ = (char)('0' + value % 10);
    }
    *at = '\0';
    return (size_t)(at - out);
}

size_t trusted_print(const struct sockaddr_storage *address, char out[INET6_ADDRSTRLEN])
{
    if (address->ss_family == AF_INET) {
        uint8_t bytes[4];
        memcpy(bytes, &((const struct sockaddr_in *)address)->sin_addr, sizeof(bytes));
        return print_v4(bytes, out);
    }
    if (address->ss_family != AF_INET6 ||
        inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)address)->sin6_addr, out,
                  INET6_ADDRSTRLEN) == NULL)
        out[0] = '\0';
    return strlen(out);
}
