/* SPDX-License-Identifier: Apache-2.0 */
/* options_file.c -- see options_file.h (reference/config-and-cli.md section 1). */
#include "config/options_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "config/options_source.h"

enum { MAX_LINE_BYTES = 1024 * 1024 };

/* Cuts the comment off and turns "\#" into "#", in place. */
static void strip_comment(char *line)
{
    char *to = line;
    for (const char *from = line; *from != '\0' && *from != '#'; from++) {
        if (from[0] == '\\' && from[1] == '#')
            from++;
        *to++ = *from;
    }
    *to = '\0';
}

static struct slice trim_line(struct slice s)
{
    s = slice_trim(s);
    while (s.len > 0 && (s.ptr[s.len - 1] == '\n' || s.ptr[s.len - 1] == '\r'))
        s = slice_trim(slice_make(s.ptr, s.len - 1));
    return s;
}

static void put_line(struct options_source *source, char *line, const char *path, size_t number)
{
    strip_comment(line);
    struct slice rest = trim_line(slice_of(line));
    struct slice key;
    char origin[4200];
    if (rest.len == 0)
        return;
    (void)snprintf(origin, sizeof(origin), "%s:%zu", path, number);
    if (slice_find(rest, '=') == rest.len) {
        options_source_fail(source, "%s: expected 'key = value', found '%.*s'", origin,
                            rest.len > 80 ? 80 : (int)rest.len, rest.ptr);
        return;
    }
    (void)slice_split(&rest, '=', &key);
    key = slice_trim(key);
    char *name = slice_dup(key);
    if (name == NULL)
        source->is_out_of_memory = true;
    else if (key.len == 0)
        options_source_fail(source, "%s: expected 'key = value', found no key", origin);
    else
        options_source_put(source, name, slice_trim(rest), origin);
    free(name);
}

void options_file_read(struct options_source *source, const char *path)
{
    struct stat status;
    char *line = NULL;
    size_t capacity = 0;
    ssize_t len;
    FILE *file = fopen(path, "re");
    if (file == NULL || fstat(fileno(file), &status) != 0) {
        options_source_fail(source, errno == ENOENT ? "no file at: %s" : "%s cannot be read: %s",
                            path, strerror(errno));
        goto done;
    }
    if (S_ISDIR(status.st_mode)) {
        options_source_fail(source, "%s is a directory; expected a file", path);
        goto done;
    }
    errno = 0;
    for (size_t number = 1; (len = getline(&line, &capacity, file)) >= 0; number++) {
        if (len > MAX_LINE_BYTES || memchr(line, '\0', (size_t)len) != NULL) {
            options_source_fail(source, "%s:%zu: not a line of text", path, number);
            goto done;
        }
        put_line(source, line, path, number);
    }
    if (ferror(file))
        options_source_fail(source, "%s cannot be read: %s", path, strerror(errno));
done:
    free(line);
    if (file != NULL)
        (void)fclose(file);
}
