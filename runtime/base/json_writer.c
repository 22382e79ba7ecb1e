/* SPDX-License-Identifier: Apache-2.0 */
/* json_writer.c -- JSON text (RFC 8259) straight into a buffer. Runs of plain characters are found
 * eight bytes at a time; quotes, backslashes, controls and bytes above ASCII are looked at one by
 * one. */
#include "base/json_writer.h"

enum {
    GROW_BYTES = 2048, /* room is reserved in steps of at least this */
    ESCAPE_BYTES = 6,  /* longest form of one byte: \u0000 */
    INTEGER_BYTES = 24,
};

void json_writer_init(struct json_writer *writer, struct buffer *out, size_t max_bytes)
{
    *writer = (struct json_writer){.out = out, .max_bytes = max_bytes};
    writer->at = writer->end = out->data == NULL ? NULL : buffer_tail(out);
}

bool json_writer_grow(struct json_writer *writer, size_t bytes)
{
    struct buffer *out = writer->out;
    if (writer->is_failed)
        return false;
    if (out->data != NULL)
        out->end = (size_t)(writer->at - out->data);
    if (!buffer_reserve(out, bytes + GROW_BYTES, writer->max_bytes) &&
        !buffer_reserve(out, bytes, writer->max_bytes)) {
        writer->is_failed = true;
        writer->at = writer->end = out->data == NULL ? NULL : buffer_tail(out);
        return false;
    }
    writer->at = buffer_tail(out);
    writer->end = writer->at + buffer_room(out);
    return true;
}

bool json_writer_finish(struct json_writer *writer)
{
    if (writer->out->data != NULL)
        writer->out->end = (size_t)(writer->at - writer->out->data);
    return !writer->is_failed;
}

static inline bool has_room(struct json_writer *writer, size_t bytes)
{
    return (size_t)(writer->end - writer->at) >= bytes || json_writer_grow(writer, bytes);
}

/* For a value of at most `bytes`: room for it and its comma, which is written. */
static inline bool begin_value(struct json_writer *writer, size_t bytes)
{
    if (!has_room(writer, bytes + 1))
        return false;
    if (writer->needs_comma)
        *writer->at++ = ',';
    writer->needs_comma = true;
    return true;
}

void json_writer_begin(struct json_writer *writer, char bracket)
{
    if (!begin_value(writer, 1))
        return;
    *writer->at++ = bracket;
    writer->needs_comma = false;
}

void json_writer_end(struct json_writer *writer, char bracket)
{
    if (!has_room(writer, 1))
        return;
    *writer->at++ = bracket;
    writer->needs_comma = true;
}

static inline bool is_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

/* Are all eight bytes plain? Exact: a byte is flagged in its top bit if it is above ASCII, below
 * 0x20, a quote or a backslash. DEL is let through: JSON allows it. */
static inline bool are_plain(uint64_t word)
{
    const uint64_t ones = 0x0101010101010101ull, tops = 0x8080808080808080ull;
    uint64_t quote = word ^ (ones * '"'), backslash = word ^ (ones * '\\');
    uint64_t flags = word | (word - ones * 0x20) | (quote - ones) | (backslash - ones);
    return (flags & tops) == 0;
}

/* Sixteen bytes at once, as GCC and clang offer it for every machine. */
typedef signed char wide __attribute__((vector_size(16)));

/* The same for sixteen bytes: as signed numbers, controls and bytes above ASCII are below 0x20. */
static inline bool is_wide_plain(wide block)
{
    uint64_t halves[2];
    wide special = (block < 0x20) | (block == '"') | (block == '\\');
    memcpy(halves, &special, sizeof(halves));
    return (halves[0] | halves[1]) == 0;
}

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

/* Writes the character at `p` in the form that it needs; the bytes used of the input. */
static size_t put_special(char **at, const unsigned char *p, size_t left)
{
    static const char hex[] = "0123456789abcdef";
    size_t len = utf8_len(p, left);
    char *out = *at;
    if (len > 0) {
        memcpy(out, p, len);
        *at = out + len;
        return len;
    }
    char letter = p[0] == '"' || p[0] == '\\' ? (char)p[0]
                  : p[0] == '\n'              ? 'n'
                  : p[0] == '\r'              ? 'r'
                  : p[0] == '\t'              ? 't'
                                              : '\0';
    if (letter != '\0') {
        *out++ = '\\';
        *out++ = letter;
    } else if (p[0] >= 0x80) {
        memcpy(out, "\\ufffd", ESCAPE_BYTES);
        out += ESCAPE_BYTES;
    } else {
        memcpy(out, "\\u00", 4);
        out[4] = hex[p[0] >> 4];
        out[5] = hex[p[0] & 15];
        out += ESCAPE_BYTES;
    }
    *at = out;
    return 1;
}

/* Writes `text` in quotes; there is room for its longest form. */
static void quoted(struct json_writer *writer, struct slice text)
{
    const unsigned char *p = (const unsigned char *)text.ptr;
    const unsigned char *start = p;
    size_t left = text.len;
    bool is_run = true; /* nothing was escaped yet: output and input are in step */
    char *at = writer->at;
    *at++ = '"';
    while (left > 0) {
        uint64_t word;
        while (left >= sizeof(wide)) {
            wide block;
            memcpy(&block, p, sizeof(block));
            if (!is_wide_plain(block))
                break;
            memcpy(at, &block, sizeof(block));
            at += sizeof(block);
            p += sizeof(block);
            left -= sizeof(block);
        }
        while (left >= sizeof(word)) {
            memcpy(&word, p, sizeof(word));
            if (!are_plain(word))
                break;
            memcpy(at, &word, sizeof(word));
            at += sizeof(word);
            p += sizeof(word);
            left -= sizeof(word);
        }
        if (left < sizeof(word) && (size_t)(p - start) + left >= sizeof(word)) {
            /* the rest, together with plain bytes before it that are written again */
            size_t again = sizeof(word) - left;
            memcpy(&word, p - again, sizeof(word));
            if (is_run && are_plain(word)) {
                memcpy(at - again, &word, sizeof(word));
                at += left;
                break;
            }
        }
        /* up to and with the special one, or the rest */
        while (left > 0 && is_plain(*p)) {
            *at++ = (char)*p++;
            left--;
        }
        if (left == 0)
            break;
        is_run = false;
        size_t used = put_special(&at, p, left);
        p += used;
        left -= used;
    }
    *at++ = '"';
    writer->at = at;
}

void json_writer_key_escaped(struct json_writer *writer, struct slice key)
{
    json_writer_string(writer, key);
    if (!has_room(writer, 1))
        return;
    *writer->at++ = ':';
    writer->needs_comma = false;
}

/* Eight ASCII bytes with capitals made small. */
static inline uint64_t lower_all(uint64_t word)
{
    const uint64_t ones = 0x0101010101010101ull, tops = 0x8080808080808080ull;
    uint64_t from_a = word + ones * (0x80 - 'A'); /* top bit: at least 'A' */
    uint64_t past_z = word + ones * (0x7f - 'Z'); /* top bit: above 'Z' */
    uint64_t capitals = from_a & ~past_z & tops;
    return word | capitals >> 2;
}

void json_writer_key_lower(struct json_writer *writer, struct slice key)
{
    if (!begin_value(writer, key.len + 3))
        return;
    char *at = writer->at;
    size_t i = 0;
    *at++ = '"';
    for (; i + sizeof(uint64_t) <= key.len; i += sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, key.ptr + i, sizeof(word));
        word = lower_all(word);
        memcpy(at + i, &word, sizeof(word));
    }
    for (; i < key.len; i++)
        at[i] = slice_lower(key.ptr[i]);
    at += key.len;
    *at++ = '"';
    *at++ = ':';
    writer->at = at;
    writer->needs_comma = false;
}

void json_writer_string(struct json_writer *writer, struct slice text)
{
    if (text.len > SIZE_MAX / 8 || !begin_value(writer, text.len * ESCAPE_BYTES + 2))
        writer->is_failed = true;
    else
        quoted(writer, text);
}

/* Two digits a step. */
static const char pairs[] =
    "00010203040506070809101112131415161718192021222324252627282930313233343536373839"
    "40414243444546474849505152535455565758596061626364656667686970717273747576777879"
    "8081828384858687888990919293949596979899";

void json_writer_integer(struct json_writer *writer, int64_t value)
{
    char text[INTEGER_BYTES], *from = text + sizeof(text);
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    if (!begin_value(writer, INTEGER_BYTES))
        return;
    if (rest < 10 && value >= 0) {
        *writer->at++ = (char)('0' + rest);
        return;
    }
    while (rest >= 100) {
        from -= 2;
        memcpy(from, pairs + 2 * (rest % 100), 2);
        rest /= 100;
    }
    if (rest >= 10) {
        from -= 2;
        memcpy(from, pairs + 2 * rest, 2);
    } else {
        *--from = (char)('0' + rest);
    }
    if (value < 0)
        *--from = '-';
    size_t len = (size_t)(text + sizeof(text) - from);
    memcpy(writer->at, from, len);
    writer->at += len;
}

void json_writer_boolean(struct json_writer *writer, bool value)
{
    json_writer_raw(writer, value ? SLICE("true") : SLICE("false"));
}

void json_writer_raw(struct json_writer *writer, struct slice json)
{
    if (!begin_value(writer, json.len))
        return;
    memcpy(writer->at, json.ptr, json.len);
    writer->at += json.len;
}
