/* SPDX-License-Identifier: Apache-2.0 */
/* char_class.c -- the table is computed by the compiler from the grammars below. */
#include "http/char_class.h"

#define BETWEEN(c, low, high) ((c) >= (low) && (c) <= (high))
#define ALNUM(c) (BETWEEN(c, '0', '9') || BETWEEN(c, 'a', 'z') || BETWEEN(c, 'A', 'Z'))
#define UNRESERVED(c) (ALNUM(c) || (c) == '-' || (c) == '.' || (c) == '_' || (c) == '~')
#define SUB_DELIM(c)                                                                               \
    ((c) == '!' || (c) == '$' || (c) == '&' || (c) == '\'' || (c) == '(' || (c) == ')' ||          \
     (c) == '*' || (c) == '+' || (c) == ',' || (c) == ';' || (c) == '=')
#define GEN_DELIM(c)                                                                               \
    ((c) == ':' || (c) == '/' || (c) == '?' || (c) == '#' || (c) == '[' || (c) == ']' || (c) == '@')

#define TOKEN(c)                                                                                   \
    (ALNUM(c) || (c) == '!' || (c) == '#' || (c) == '$' || (c) == '%' || (c) == '&' ||             \
     (c) == '\'' || (c) == '*' || (c) == '+' || (c) == '-' || (c) == '.' || (c) == '^' ||          \
     (c) == '_' || (c) == '`' || (c) == '|' || (c) == '~')
#define VALUE(c) ((c) == '\t' || BETWEEN(c, 0x20, 0x7e) || (c) >= 0x80)
#define TARGET(c) (BETWEEN(c, 0x21, 0x7e) && (c) != '#')
#define PLAIN(c) ((c) != '/' && (c) != '%' && (c) != 0)
#define RESERVED(c) (SUB_DELIM(c) || GEN_DELIM(c) || (c) == '%')
#define WIRE(c) (UNRESERVED(c) || RESERVED(c))
#define HOST(c) (UNRESERVED(c) || (SUB_DELIM(c) && (c) != ','))
#define HEX(c) (BETWEEN(c, '0', '9') || BETWEEN(c, 'a', 'f') || BETWEEN(c, 'A', 'F'))

#define CLASS(c)                                                                                   \
    (uint8_t)((TOKEN(c) ? CHAR_TOKEN : 0) | (VALUE(c) ? CHAR_VALUE : 0) |                          \
              (TARGET(c) ? CHAR_TARGET : 0) | (PLAIN(c) ? CHAR_PLAIN : 0) |                        \
              (WIRE(c) ? CHAR_WIRE : 0) | (HOST(c) ? CHAR_HOST : 0) |                              \
              (RESERVED(c) ? CHAR_RESERVED : 0) | (HEX(c) ? CHAR_HEX : 0))
#define CLASS_4(c) CLASS(c), CLASS((c) + 1), CLASS((c) + 2), CLASS((c) + 3)
#define CLASS_16(c) CLASS_4(c), CLASS_4((c) + 4), CLASS_4((c) + 8), CLASS_4((c) + 12)
#define CLASS_64(c) CLASS_16(c), CLASS_16((c) + 16), CLASS_16((c) + 32), CLASS_16((c) + 48)

const uint8_t char_class[256] = {CLASS_64(0), CLASS_64(64), CLASS_64(128), CLASS_64(192)};

bool char_class_all(struct slice text, enum char_class wanted)
{
    /* No branch per byte: bad text is rare, and short either way. */
    const unsigned char *at = (const unsigned char *)text.ptr, *end = at + text.len;
    unsigned common = wanted;
    for (; end - at >= 4; at += 4)
        common &= char_class[at[0]] & char_class[at[1]] & char_class[at[2]] & char_class[at[3]];
    for (; at < end; at++)
        common &= char_class[*at];
    return common != 0;
}

int char_class_hex(char c)
{
    if (!char_class_is(c, CHAR_HEX))
        return -1;
    return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
}
