/* SPDX-License-Identifier: Apache-2.0 */
/* char_class.h -- which bytes the grammars of HTTP and URIs allow where, as one table of bits. */
#ifndef SLUICE_HTTP_CHAR_CLASS_H
#define SLUICE_HTTP_CHAR_CLASS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

enum char_class {
    CHAR_TOKEN = 1,     /* tchar, RFC 9110 section 5.6.2 */
    CHAR_VALUE = 2,     /* field value: tab, space, visible, obs-text; RFC 9110 section 5.5 */
    CHAR_TARGET = 4,    /* request target: visible ASCII but "#"; stricter grammars come later */
    CHAR_PLAIN = 8,     /* path byte that normalisation never touches: all but "/", "%" and NUL */
    CHAR_WIRE = 16,     /* path byte that goes to the upstream unescaped */
    CHAR_HOST = 32,     /* registered name or IPv4 address; no "%" and no ",", unlike RFC 3986 */
    CHAR_RESERVED = 64, /* gen-delims, sub-delims and "%": a triplet of it stays a triplet */
    CHAR_HEX = 128,
};

extern const uint8_t char_class[256];

static inline bool char_class_is(char c, enum char_class wanted)
{
    return (char_class[(unsigned char)c] & wanted) != 0;
}

/* First byte at or after `at` that is not of the class. The caller guarantees that there is one. */
static inline const char *char_class_skip(const char *at, enum char_class wanted)
{
    while (char_class_is(*at, wanted))
        at++;
    return at;
}

/* True if `text` has no byte outside the class. */
bool char_class_all(struct slice text, enum char_class wanted);
/* Value of a hexadecimal digit, or -1. */
int char_class_hex(char c);

#endif
