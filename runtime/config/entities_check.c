/* SPDX-License-Identifier: Apache-2.0 */
/* entities_check.c -- checks of single values of the core entities: names, hosts, paths, headers.
 *
 * The texts are those of Kong's typedefs; clients show and compare them. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <arpa/inet.h>
#include <ctype.h>
#include <pcre2.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "config/entities.h"
#include "http/uri.h"

static struct slice text_of(const json_t *value)
{
    return json_is_string(value) ? slice_make(json_string_value(value), json_string_length(value))
                                 : SLICE("");
}

/* The heap message of a failed check; never NULL unless memory ran out twice. */
static char *complain(const char *format, ...) __attribute__((format(printf, 1, 2)));
static char *complain(const char *format, ...)
{
    char *message = NULL;
    va_list args;
    va_start(args, format);
    int length = vasprintf(&message, format, args);
    va_end(args);
    return length < 0 ? strdup("out of memory") : message;
}

/* Whether all bytes are ASCII letters, digits, one of `others`, or (is_utf8) outside of ASCII. */
static bool consists_of(struct slice text, const char *others, bool is_utf8)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        bool is_plain = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
        is_plain = is_plain || (c >= '0' && c <= '9') || (c != '\0' && strchr(others, c) != NULL);
        if (c >= 0x80 ? !is_utf8 : !is_plain)
            return false;
    }
    return true;
}

char *entities_check_name(const void *context, const json_t *value)
{
    (void)context;
    struct slice name = text_of(value);
    if (name.len > 0 && consists_of(name, ".-_~", true))
        return NULL;
    return complain("invalid value '%.*s': the only accepted ascii characters are alphanumerics or "
                    "., -, _, and ~",
                    SLICE_ARG(name));
}

char *entities_check_tag(const void *context, const json_t *value)
{
    (void)context;
    struct slice tag = text_of(value);
    if (tag.len > 0 && consists_of(tag, " !\"#$%&'()*+-.:;<=>?@[\\]^_`{|}~", true))
        return NULL;
    return complain(
        "invalid tag '%.*s': expected printable ascii (except `,` and `/`) or valid utf-8 "
        "sequences",
        SLICE_ARG(tag));
}

char *entities_check_header_name(const void *context, const json_t *value)
{
    (void)context;
    struct slice name = text_of(value);
    if (name.len > 0 && consists_of(name, "-_", false))
        return NULL;
    return complain("bad header name '%.*s', allowed characters are A-Z, a-z, 0-9, '_', and '-'",
                    SLICE_ARG(name));
}

/* --------------------------------------------------------------------------------------- hosts */

enum host_problem { HOST_FINE, HOST_INVALID, HOST_BAD_PORT };

struct host {
    enum host_problem problem;
    const char *kind;  /* "hostname", "ipv4 address", "ipv6 address" */
    struct slice name; /* without port */
    bool is_ip, has_port;
};

static bool is_address(int family, struct slice text)
{
    char copy[64];
    unsigned char address[16];
    if (text.len >= sizeof(copy))
        return false;
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    return strlen(copy) == text.len && inet_pton(family, copy, address) == 1;
}

/* Takes ":<digits>" off the end of the name. */
static void cut_port(struct host *host)
{
    size_t digits = 0;
    struct slice name = host->name;
    while (digits < name.len && isdigit((unsigned char)name.ptr[name.len - 1 - digits]))
        digits++;
    if (digits == 0 || digits == name.len || name.ptr[name.len - 1 - digits] != ':')
        return;
    uint64_t port;
    host->has_port = true;
    host->name.len -= digits + 1;
    if (!slice_to_u64(slice_from(name, name.len - digits), &port) || port > 65535)
        host->problem = HOST_BAD_PORT;
}

/* Letters, digits, "-", "_", in labels that are not empty and do not end in "-". */
static bool is_hostname(struct slice name)
{
    struct slice rest = name, label;
    if (name.len == 0 || !consists_of(name, ".-_", false))
        return false;
    while (slice_split(&rest, '.', &label))
        if (label.len == 0 || slice_ends_with(label, SLICE("-")))
            return false;
    return true;
}

static void check_ipv6(struct host *host)
{
    struct slice text = host->name;
    host->kind = "ipv6 address";
    host->is_ip = true;
    if (text.len > 0 && text.ptr[0] == '[') {
        cut_port(host);
        text = host->name;
        if (!slice_ends_with(text, SLICE("]"))) {
            host->problem = HOST_INVALID;
            return;
        }
        text = slice_make(text.ptr + 1, text.len - 2);
    }
    if (host->problem == HOST_FINE && !is_address(AF_INET6, text))
        host->problem = HOST_INVALID;
}

/* Kong's normalize_ip(): more than one colon is IPv6, only digits and dots is IPv4, else a name. */
static struct host check_host(struct slice text)
{
    struct host host = {.problem = HOST_FINE, .name = text, .kind = "hostname"};
    size_t colons = 0, others = 0;
    for (size_t i = 0; i < text.len; i++) {
        colons += text.ptr[i] == ':';
        others += text.ptr[i] != ':' && text.ptr[i] != '.' && !isdigit((unsigned char)text.ptr[i]);
    }
    if (colons > 1) {
        check_ipv6(&host);
        return host;
    }
    cut_port(&host);
    host.is_ip = others == 0 && text.len > 0;
    if (host.is_ip)
        host.kind = "ipv4 address";
    if (host.problem == HOST_FINE &&
        !(host.is_ip ? is_address(AF_INET, host.name) : is_hostname(host.name)))
        host.problem = HOST_INVALID;
    return host;
}

char *entities_check_host(const void *context, const json_t *value)
{
    (void)context;
    struct host host = check_host(text_of(value));
    if (host.problem == HOST_INVALID)
        return complain("invalid value: %.*s", SLICE_ARG(text_of(value)));
    if (host.problem == HOST_BAD_PORT || host.has_port)
        return complain("must not have a port");
    return NULL;
}

/* A copy in which each "*" is `word`; *stars counts them. NULL: out of memory. */
static char *replace_stars(struct slice text, const char *word, size_t *stars)
{
    char *copy = calloc(text.len * strlen(word) + 1, 1);
    size_t length = 0;
    *stars = 0;
    for (size_t i = 0; copy != NULL && i < text.len; i++) {
        if (text.ptr[i] != '*') {
            copy[length++] = text.ptr[i];
            continue;
        }
        memcpy(copy + length, word, strlen(word));
        length += strlen(word);
        ++*stars;
    }
    return copy;
}

char *entities_check_route_host(const void *context, const json_t *value)
{
    (void)context;
    size_t stars;
    char *mock = replace_stars(text_of(value), "abc", &stars);
    char *message = NULL;
    if (mock == NULL)
        return complain("out of memory");
    struct host host = check_host(slice_of(mock));
    if (host.problem == HOST_BAD_PORT)
        message = complain("invalid port number");
    else if (host.problem == HOST_INVALID)
        message = complain("invalid %s: %.*s", host.kind, SLICE_ARG(host.name));
    free(mock);
    return message;
}

char *entities_check_sni(const void *context, const json_t *value)
{
    (void)context;
    struct slice text = text_of(value);
    size_t stars, at = slice_find(text, '*');
    if (at < text.len && at != 0 && at != text.len - 1)
        return complain("wildcard must be leftmost or rightmost character");
    char *mock = replace_stars(text, "wildcard", &stars);
    char *message = NULL;
    if (mock == NULL)
        return complain("out of memory");
    struct host host = check_host(slice_of(mock));
    if (stars > 1)
        message = complain("only one wildcard must be specified");
    else if (host.problem == HOST_INVALID)
        message = complain("invalid value: %s", mock);
    else if (host.is_ip)
        message = complain("must not be an IP");
    else if (host.problem == HOST_BAD_PORT || host.has_port)
        message = complain("must not have a port");
    free(mock);
    return message;
}

char *entities_check_ip_or_cidr(const void *context, const json_t *value)
{
    (void)context;
    struct slice text = text_of(value);
    size_t slash = slice_find(text, '/');
    struct slice address = slice_make(text.ptr, slash);
    bool is_v4 = is_address(AF_INET, address);
    uint64_t bits = 0;
    bool is_fine = is_v4 || is_address(AF_INET6, address);
    if (slash < text.len)
        is_fine = is_fine && slice_to_u64(slice_from(text, slash + 1), &bits) &&
                  bits <= (is_v4 ? 32 : 128);
    return is_fine ? NULL : complain("invalid ip or cidr range: '%.*s'", SLICE_ARG(text));
}

/* --------------------------------------------------------------------------------------- paths */

/* The first "%" that no two hexadecimal digits follow, with up to two bytes behind; empty: none. */
static struct slice bad_triplet(struct slice path)
{
    for (size_t i = 0; i < path.len; i++) {
        if (path.ptr[i] != '%')
            continue;
        if (path.len - i >= 3 && isxdigit((unsigned char)path.ptr[i + 1]) &&
            isxdigit((unsigned char)path.ptr[i + 2])) {
            i += 2;
            continue;
        }
        return slice_make(path.ptr + i, path.len - i < 3 ? path.len - i : 3);
    }
    return slice_make(path.ptr, 0);
}

/* "/", unreserved characters, sub-delims, ":", "@" and "%" (RFC 3986 section 3.3). */
static bool is_path(struct slice path)
{
    return path.len > 0 && path.ptr[0] == '/' && consists_of(path, ".-_~/%:@!$&'()*+,;=", false);
}

static char *complain_triplet(struct slice path)
{
    struct slice bad = bad_triplet(path);
    return bad.len == 0 ? NULL : complain("invalid url-encoded value: '%.*s'", SLICE_ARG(bad));
}

char *entities_check_path(const void *context, const json_t *value)
{
    (void)context;
    struct slice path = text_of(value);
    if (!is_path(path))
        return complain("invalid path: '%.*s' (characters outside of the reserved list of RFC 3986 "
                        "found)",
                        SLICE_ARG(path));
    return complain_triplet(path);
}

char *entities_check_regex(struct slice regex)
{
    int code;
    PCRE2_SIZE offset;
    PCRE2_UCHAR reason[256];
    pcre2_code *compiled = pcre2_compile((PCRE2_SPTR)regex.ptr, regex.len, 0, &code, &offset, NULL);
    if (compiled != NULL) {
        pcre2_code_free(compiled);
        return NULL;
    }
    if (pcre2_get_error_message(code, reason, sizeof(reason)) < 0)
        reason[0] = '\0';
    struct slice rest = slice_from(regex, offset);
    if (rest.len == 0)
        return complain("invalid regex: '%.*s' (PCRE returned: pcre2_compile() failed: %s in "
                        "\"%.*s\")",
                        SLICE_ARG(regex), (const char *)reason, SLICE_ARG(regex));
    return complain(
        "invalid regex: '%.*s' (PCRE returned: pcre2_compile() failed: %s in \"%.*s\" at "
        "\"%.*s\")",
        SLICE_ARG(regex), (const char *)reason, SLICE_ARG(regex), SLICE_ARG(rest));
}

/* Prefixes are compared with normalised requests, so one that is not normal would never match. */
static char *check_prefix(struct slice path)
{
    struct arena arena;
    char *message = complain_triplet(path);
    if (message != NULL)
        return message;
    arena_init(&arena, NULL);
    struct slice normal = uri_normalize(&arena, path);
    if (normal.ptr != NULL)
        normal = uri_escape_path(&arena, normal);
    if (normal.ptr == NULL)
        message = complain("invalid path: '%.*s'", SLICE_ARG(path));
    else if (!slice_eq(normal, path))
        message = complain("non-normalized path, consider use '%.*s' instead", SLICE_ARG(normal));
    arena_clear(&arena);
    return message;
}

char *entities_check_route_path(const void *context, const json_t *value)
{
    (void)context;
    struct slice path = text_of(value);
    if (slice_starts_with(path, SLICE("~")))
        return entities_check_regex(slice_from(path, 1));
    return check_prefix(path);
}
