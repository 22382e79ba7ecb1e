/* SPDX-License-Identifier: Apache-2.0 */
/* dns_message.c -- see dns_message.h. Every step checks what is left of the message. */
#include "net/dns_message.h"

enum {
    HEADER_BYTES = 12,
    QUESTION_BYTES = 4, /* type, class */
    RECORD_BYTES = 10,  /* type, class, TTL, length of the data */
    POINTER_BITS = 0xc0,
};

struct reader {
    const unsigned char *at;
    size_t left;
};

static bool skip(struct reader *reader, size_t bytes)
{
    if (reader->left < bytes)
        return false;
    reader->at += bytes;
    reader->left -= bytes;
    return true;
}

/* A name is labels up to an empty one, or up to a pointer, which ends it (section 4.1.4). */
static bool skip_name(struct reader *reader)
{
    while (reader->left > 0) {
        unsigned length = reader->at[0];
        if ((length & POINTER_BITS) == POINTER_BITS)
            return skip(reader, 2);
        if ((length & POINTER_BITS) != 0 || !skip(reader, 1 + (size_t)length))
            return false;
        if (length == 0)
            return true;
    }
    return false;
}

static unsigned read_u16(const unsigned char *at)
{
    return (unsigned)at[0] << 8 | at[1];
}

static uint32_t read_u32(const unsigned char *at)
{
    return (uint32_t)read_u16(at) << 16 | read_u16(at + 2);
}

bool dns_message_ttl(const unsigned char *message, size_t len, uint32_t *ttl_s)
{
    if (len < HEADER_BYTES)
        return false;
    unsigned questions = read_u16(message + 4);
    unsigned answers = read_u16(message + 6);
    struct reader reader = {message, len};
    if (!skip(&reader, HEADER_BYTES) || answers == 0)
        return false;
    for (unsigned i = 0; i < questions; i++) {
        if (!skip_name(&reader) || !skip(&reader, QUESTION_BYTES))
            return false;
    }
    uint32_t smallest = UINT32_MAX;
    for (unsigned i = 0; i < answers; i++) {
        if (!skip_name(&reader) || reader.left < RECORD_BYTES)
            return false;
        uint32_t ttl = read_u32(reader.at + 4);
        /* RFC 2181 section 8: with the top bit set it counts as zero. */
        if (ttl > INT32_MAX)
            ttl = 0;
        if (ttl < smallest)
            smallest = ttl;
        if (!skip(&reader, RECORD_BYTES + (size_t)read_u16(reader.at + 8)))
            return false;
    }
    *ttl_s = smallest;
    return true;
}
