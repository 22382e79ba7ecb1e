/* SPDX-License-Identifier: Apache-2.0 */
/* json_writer.c -- JSON text (RFC 8259) straight into a buffer. Runs of plain characters are copied at
 * once; only quotes, backslashes, controls and bytes above ASCII are looked at one by one. */
#include "base/json_writer.h"

void json_writer_init(struct json_writer *writer, struct buffer *out, size_t max_bytes)
{
    *writer = (struct json_writer){.out = out, .max_bytes = max_bytes};
}

static char *reserve(struct json_writer *writer, size_t bytes)
{
    if (writer->is_failed || !buffer_reserve(writer->out, bytes, writer->max_bytes)) {
        writer->is_failed = true;
        return NULL;
    }
    return buffer_tail(writer->out);
}

static void put(struct json_writer *writer, const char *bytes, size_t len)
{
    char *at = reserve(writer, len);
    if (at == NULL)
        return;
    memcpy(at, bytes, len);
    writer->out->end += len;
}

static void comma(struct json_writer *writer)
{
    if (writer->needs_comma)
        put(writer, ",", 1);
    writer->needs_comma = true;
}

void json_writer_begin(struct json_writer *writer, char bracket)
{
    comma(writer);
    put(writer, &bracket, 1);
    writer->needs_comma = false;
}

void json_writer_end(struct json_writer *writer, char bracket)
{
    put(writer, &bracket, 1);
    writer->needs_comma = true;
}

/* 1: may be copied as it is. */
static const uint8_t plain[256] = {
    [0x20] = 1, 1, 0 /* " */, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, [0x30 ... 0x5b] = 1,
    [0x5d ... 0x7e] = 1,
};

/* Length of the valid UTF-8 sequence at `p` (RFC 3629), 0 if there is none. */
static size_t utf8_len(const unsigned char *p, size_t left)
{
    size_t len = p[0] >= 0xc2 && p[0] <= 0xdf   ? 2
                 : p[0] >= 0xe0 && p[0] <= 0xef ? 3
                 : p[0] >= 0xf0 && p[0] <= 0xf4 ? 4
                                                : 0;
    if (len == 0 || len > left)
        return 0;
    for (size_t i = 1; i < len; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
        (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
        return 0;
    return len;
}

/* Writes the character at `p` in its escaped form; bytes used of the input. */
static size_t put_special(struct json_writer *writer, const unsigned char *p, size_t left)
{
    static const char hex[] = "0123456789abcdef";
    size_t len = utf8_len(p, left);
    if (len > 0) {
        put(writer, (const char *)p, len);
        return len;
    }
    switch (p[0]) {
    case '"': put(writer, "\\\"", 2); return 1;
    case '\\': put(writer, "\\\\", 2); return 1;
    case '\n': put(writer, "\\n", 2); return 1;
    case '\r': put(writer, "\\r", 2); return 1;
    case '\t': put(writer, "\\t", 2); return 1;
    default: break;
    }
    if (p[0] >= 0x80) {
        put(writer, "\\ufffd", 6);
        return 1;
    }
    const char escape[6] = {'\\', 'u', '0', '0', hex[p[0] >> 4], hex[p[0] & 15]};
    put(writer, escape, sizeof(escape));
    return 1;
}

static void quoted(struct json_writer *writer, struct slice text)
{
    const unsigned char *p = (const unsigned char *)text.ptr;
    size_t left = text.len;
    put(writer, "\"", 1);
    while (left > 0) {
        size_t run = 0;
        while (run < left && plain[p[run]])
            run++;
        if (run > 0)
            put(writer, (const char *)p, run);
        p += run;
        left -= run;
        if (left == 0)
            break;
        size_t used = put_special(writer, p, left);
        p += used;
        left -= used;
    }
    put(writer, "\"", 1);
}

void json_writer_key(struct json_writer *writer, struct slice key)
{
    comma(writer);
    quoted(writer, key);
    put(writer, ":", 1);
    writer->needs_comma = false;
}

void json_writer_key_lower(struct json_writer *writer, struct slice key)
{
    comma(writer);
    char *at = reserve(writer, key.len + 3);
    if (at == NULL)
        return;
    *at++ = '"';
    for (size_t i = 0; i < key.len; i++) /* field names are tokens: nothing to escape */
        *at++ = slice_lower(key.ptr[i]);
    *at++ = '"';
    *at++ = ':';
    writer->out->end += key.len + 3;
    writer->needs_comma = false;
}

void json_writer_string(struct json_writer *writer, struct slice text)
{
    comma(writer);
    quoted(writer, text);
}

void json_writer_integer(struct json_writer *writer, int64_t value)
{
    char text[24], *at = text + sizeof(text);
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    comma(writer);
    do {
        *--at = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (value < 0)
        *--at = '-';
    put(writer, at, (size_t)(text + sizeof(text) - at));
}

void json_writer_boolean(struct json_writer *writer, bool value)
{
    json_writer_raw(writer, value ? SLICE("true") : SLICE("false"));
}

void json_writer_raw(struct json_writer *writer, struct slice json)
{
    comma(writer);
    put(writer, json.ptr, json.len);
}
