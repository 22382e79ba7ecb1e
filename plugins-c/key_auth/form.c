/* SPDX-License-Identifier: Apache-2.0 */
/* form.c -- names are compared while they are decoded, so nothing is copied until a key is found.
 */
#include "form.h"

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Takes one decoded byte off text[*at...]. */
static char next_byte(struct pdk_str text, size_t *at)
{
    char c = text.ptr[(*at)++];
    if (c == '+')
        return ' ';
    if (c != '%' || text.len - *at < 2)
        return c;
    int high = hex_digit(text.ptr[*at]), low = hex_digit(text.ptr[*at + 1]);
    if (high < 0 || low < 0)
        return c;
    *at += 2;
    return (char)(high * 16 + low);
}

static bool is_named(struct pdk_str encoded, struct pdk_str name)
{
    size_t at = 0, i = 0;
    if (encoded.len < name.len)
        return false;
    while (at < encoded.len && i < name.len)
        if (next_byte(encoded, &at) != name.ptr[i++])
            return false;
    return at == encoded.len && i == name.len;
}

/* Takes the next "name[=value]" off text[*at...]; value.ptr is NULL without "=". */
static bool next_argument(struct pdk_str text, size_t *at, struct pdk_str *name,
                          struct pdk_str *value)
{
    if (*at >= text.len)
        return false;
    const char *start = text.ptr + *at;
    const char *end = memchr(start, '&', text.len - *at);
    size_t len = end == NULL ? text.len - *at : (size_t)(end - start);
    const char *equals = memchr(start, '=', len);
    *at += len + 1;
    *name = (struct pdk_str){start, equals == NULL ? len : (size_t)(equals - start)};
    *value = (struct pdk_str){NULL, 0};
    if (equals != NULL)
        *value = (struct pdk_str){equals + 1, len - name->len - 1};
    return true;
}

struct found form_find(struct pdk_str text, struct pdk_str name)
{
    struct found found = {FOUND_NOTHING, {NULL, 0}};
    struct pdk_str here, value;
    size_t at = 0;
    while (next_argument(text, &at, &here, &value))
        if (is_named(here, name))
            found_add(&found, value.ptr == NULL ? FOUND_OTHER : FOUND_TEXT, value);
    return found;
}

struct pdk_str form_decode(struct pdk_str text, char *out)
{
    size_t at = 0, n = 0;
    while (at < text.len)
        out[n++] = next_byte(text, &at);
    return (struct pdk_str){out, n};
}

static size_t put_escaped(char *out, struct pdk_str text)
{
    static const char hex[] = "0123456789ABCDEF";
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c > 0x20 && c < 0x7f && c != '#') {
            out[n++] = text.ptr[i];
            continue;
        }
        out[n++] = '%';
        out[n++] = hex[c >> 4];
        out[n++] = hex[c & 15];
    }
    return n;
}

struct pdk_str form_remove(struct pdk_str text, struct pdk_str name, char *out)
{
    struct pdk_str here, value;
    size_t at = 0, n = 0;
    bool is_first = true;
    while (next_argument(text, &at, &here, &value)) {
        if (is_named(here, name))
            continue;
        if (!is_first)
            out[n++] = '&';
        is_first = false;
        struct pdk_str whole = {here.ptr, here.len + (value.ptr == NULL ? 0 : value.len + 1)};
        n += put_escaped(out + n, whole);
    }
    return (struct pdk_str){out, n};
}
