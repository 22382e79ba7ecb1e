/* SPDX-License-Identifier: Apache-2.0 */
/* multipart.c -- parts are found from delimiter to delimiter, "--" boundary at the start of a line.
 */
#include "multipart.h"

#include <strings.h>

enum { BOUNDARY_MAX = 70 }; /* RFC 2046 section 5.1.1 */

struct part {
    size_t start, end; /* from its delimiter to the next one */
    struct pdk_str head, content;
};

enum step { STEP_PART, STEP_END, STEP_BAD };

static bool is_space(char c)
{
    return c == ' ' || c == '\t';
}

/* Value of parameter `name` in `text` ("form-data; name=\"x\""); quotes are taken off. Absent if
 * there is none. */
static struct pdk_str parameter(struct pdk_str text, struct pdk_str name)
{
    const char *p = text.ptr, *end = text.ptr + text.len;
    bool is_quoted = false;
    while (p < end) {
        if (*p == '"')
            is_quoted = !is_quoted;
        else if (is_quoted && *p == '\\' && p + 1 < end)
            p++;
        if (*p++ != ';' || is_quoted)
            continue;
        while (p < end && is_space(*p))
            p++;
        if ((size_t)(end - p) <= name.len || strncasecmp(p, name.ptr, name.len) != 0 ||
            p[name.len] != '=')
            continue;
        p += name.len + 1;
        char stop = p < end && *p == '"' ? '"' : ';';
        const char *value = stop == '"' ? p + 1 : p;
        for (p = value; p < end && *p != stop && (stop == '"' || !is_space(*p)); p++)
            ;
        return (struct pdk_str){value, (size_t)(p - value)};
    }
    return (struct pdk_str){NULL, 0};
}

struct pdk_str multipart_boundary(struct pdk_str content_type)
{
    struct pdk_str boundary = parameter(content_type, PDK_STR("boundary"));
    bool is_fine = boundary.len > 0 && boundary.len <= BOUNDARY_MAX;
    return is_fine ? boundary : (struct pdk_str){NULL, 0};
}

/* Offset of the first delimiter at or after `from`; body.len if there is none. */
static size_t find_delimiter(struct pdk_str body, struct pdk_str boundary, size_t from)
{
    char delimiter[BOUNDARY_MAX + 2] = "--";
    memcpy(delimiter + 2, boundary.ptr, boundary.len);
    while (from < body.len) {
        const char *at = memmem(body.ptr + from, body.len - from, delimiter, boundary.len + 2);
        if (at == NULL)
            break;
        const char *after = at + boundary.len + 2, *end = body.ptr + body.len;
        /* "--ab" is no delimiter of boundary "a" */
        bool is_whole = after < end && strchr("-\r\n \t", *after) != NULL && *after != '\0';
        if (is_whole && (at == body.ptr || at[-1] == '\n'))
            return (size_t)(at - body.ptr);
        from = (size_t)(at - body.ptr) + 1;
    }
    return body.len;
}

/* Without the line end that belongs to the delimiter after it. */
static struct pdk_str without_line_end(struct pdk_str text)
{
    if (text.len > 0 && text.ptr[text.len - 1] == '\n')
        text.len--;
    if (text.len > 0 && text.ptr[text.len - 1] == '\r')
        text.len--;
    return text;
}

/* The part whose delimiter stands at `at`. */
static enum step read_part(struct pdk_str body, struct pdk_str boundary, size_t at,
                           struct part *part)
{
    size_t line = at + boundary.len + 2;
    if (at == body.len)
        return STEP_BAD;
    if (body.len - line >= 2 && memcmp(body.ptr + line, "--", 2) == 0)
        return STEP_END;
    part->start = at;
    part->end = find_delimiter(body, boundary, line);
    const char *head = memchr(body.ptr + line, '\n', part->end - line);
    if (head == NULL)
        return STEP_BAD;
    /* A head without fields begins with the empty line itself. */
    struct pdk_str rest = {head, (size_t)(body.ptr + part->end - head)};
    const char *empty = memmem(rest.ptr, rest.len, "\n\r\n", 3);
    if (empty == NULL)
        return STEP_BAD;
    part->head = (struct pdk_str){head + 1, (size_t)(empty + 1 - (head + 1))};
    const char *content = empty + 3;
    part->content =
        without_line_end((struct pdk_str){content, (size_t)(body.ptr + part->end - content)});
    return STEP_PART;
}

static bool is_named(const struct part *part, struct pdk_str name)
{
    static const char field[] = "content-disposition:";
    const size_t field_len = sizeof(field) - 1;
    const char *p = part->head.ptr, *end = p + part->head.len;
    while (p < end) {
        const char *line_end = memchr(p, '\n', (size_t)(end - p));
        size_t len = line_end == NULL ? (size_t)(end - p) : (size_t)(line_end - p);
        if (len > field_len && strncasecmp(p, field, field_len) == 0) {
            struct pdk_str line = without_line_end((struct pdk_str){p, len});
            return pdk_str_eq(parameter(line, PDK_STR("name")), name);
        }
        p += len + 1;
    }
    return false;
}

struct found multipart_find(struct pdk_str body, struct pdk_str boundary, struct pdk_str name)
{
    static const struct found nothing = {FOUND_NOTHING, {NULL, 0}};
    struct found found = nothing;
    struct part part;
    size_t at = find_delimiter(body, boundary, 0);
    for (;;) {
        switch (read_part(body, boundary, at, &part)) {
        case STEP_PART:
            if (is_named(&part, name))
                found_add(&found, FOUND_TEXT, part.content);
            at = part.end;
            break;
        case STEP_END: return found;
        case STEP_BAD: return nothing;
        }
    }
}

struct pdk_str multipart_remove(struct pdk_str body, struct pdk_str boundary, struct pdk_str name,
                                char *out)
{
    struct part part;
    size_t at = find_delimiter(body, boundary, 0);
    size_t n = at;
    memcpy(out, body.ptr, at);
    for (;;) {
        switch (read_part(body, boundary, at, &part)) {
        case STEP_PART:
            if (!is_named(&part, name)) {
                memcpy(out + n, body.ptr + part.start, part.end - part.start);
                n += part.end - part.start;
            }
            at = part.end;
            break;
        case STEP_END:
            memcpy(out + n, body.ptr + at, body.len - at);
            return (struct pdk_str){out, n + body.len - at};
        case STEP_BAD: return body;
        }
    }
}
