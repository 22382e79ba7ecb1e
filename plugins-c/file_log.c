/* SPDX-License-Identifier: Apache-2.0 */
/* file_log.c -- appends one line of JSON per request to a file.
 *
 * A worker keeps one descriptor per path. A line goes out in one write() to a file opened with
 * O_APPEND, so lines of several workers never mix. A request is never held up by its log: what
 * cannot be written is dropped, and the error log says so once a minute for each path. */
#include "pdk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    FILES_MAX = 128, /* open per worker; beyond, the one that rested longest is closed */
    QUIET_MS = 60 * 1000,
    MESSAGE_BYTES = 512,
    FIRST_LINE_BYTES = 4096,
};

struct file_log {
    const char *path; /* NUL-terminated */
    bool reopens;
};

struct file {
    char *path;   /* ours */
    int fd;       /* -1: not open */
    bool is_torn; /* the last line was cut off: the next one begins with a line end */
    int64_t used_at_ms;
    int64_t quiet_until_ms; /* no further complaint before */
};

/* kong->state: of one worker. */
struct files {
    struct file of[FILES_MAX];
    size_t count;
    char *line; /* the record being written, with its line end */
    size_t line_capacity;
};

static const char *const path_patterns[] = {
    "[*&%%\\`]", "not a valid filename", "^%s", "not a valid filename",
    "%s$",       "not a valid filename", NULL};

static const struct pdk_field lua_source = {.type = PDK_STRING};

static const struct pdk_field fields[] = {
    {.name = "path",
     .type = PDK_STRING,
     .required = true,
     .match_none = path_patterns,
     .help = "The file. It is made if it is not there; its folder must be."},
    {.name = "reopen",
     .type = PDK_BOOLEAN,
     .required = true,
     .default_json = "false",
     .help = "Opens the file anew for every record, so that it may be moved away at any time."},
    {.name = "custom_fields_by_lua",
     .type = PDK_MAP,
     .elements = &lua_source,
     .help = "Members of the record made by Lua code. Not available in this build."},
    {0},
};

/* ------------------------------------------------------------------------------- configuration */

static bool check(const struct pdk *kong, struct pdk_conf *in)
{
    if (!kong->conf->is_set(in, "custom_fields_by_lua"))
        return true;
    struct pdk_str json = kong->conf->get_json(in);
    if (json.ptr != NULL && strstr(json.ptr, "\"custom_fields_by_lua\":{}") != NULL)
        return true; /* it asks for nothing */
    return kong->conf->set_error(in, "custom_fields_by_lua",
                                 "is not available: file-log is a plugin in C here and runs no Lua "
                                 "code; leave it out");
}

static enum pdk_result configure(const struct pdk *kong, struct pdk_conf *in, void **out)
{
    struct file_log *conf = kong->conf->alloc(in, sizeof(*conf));
    struct pdk_str path = kong->conf->get_string(in, "path");
    char *copy = kong->conf->alloc(in, path.len + 1);
    if (conf == NULL || copy == NULL)
        return PDK_ERROR;
    if (path.len > 0)
        memcpy(copy, path.ptr, path.len);
    conf->path = copy;
    conf->reopens = kong->conf->get_boolean(in, "reopen");
    *out = conf;
    return PDK_OK;
}

/* --------------------------------------------------------------------------------------- files */

static enum pdk_result init_worker(const struct pdk *kong, void **state)
{
    (void)kong;
    *state = calloc(1, sizeof(struct files));
    return *state == NULL ? PDK_ERROR : PDK_OK;
}

static void close_file(struct file *file)
{
    if (file->fd >= 0)
        close(file->fd);
    file->fd = -1;
}

static void exit_worker(const struct pdk *kong)
{
    struct files *files = kong->state;
    if (files == NULL)
        return;
    for (size_t i = 0; i < files->count; i++) {
        close_file(&files->of[i]);
        free(files->of[i].path);
    }
    free(files->line);
    free(files);
}

/* A place for one more path: a new one, or that of the file that rested longest. */
static struct file *free_place(struct files *files)
{
    if (files->count < FILES_MAX)
        return &files->of[files->count++];
    struct file *oldest = &files->of[0];
    for (size_t i = 1; i < FILES_MAX; i++)
        if (files->of[i].used_at_ms < oldest->used_at_ms)
            oldest = &files->of[i];
    close_file(oldest);
    free(oldest->path);
    return oldest;
}

/* The entry of `path`, made if need be. NULL: out of memory. */
static struct file *file_of(struct files *files, const char *path, int64_t now_ms)
{
    for (size_t i = 0; i < files->count; i++) {
        if (strcmp(files->of[i].path, path) != 0)
            continue;
        files->of[i].used_at_ms = now_ms;
        return &files->of[i];
    }
    char *copy = strdup(path);
    if (copy == NULL)
        return NULL;
    struct file *file = free_place(files);
    *file = (struct file){.path = copy, .fd = -1, .used_at_ms = now_ms};
    return file;
}

/* Says once a minute per path what went wrong with it. */
static void complain(const struct pdk *kong, struct pdk_request *req, struct file *file,
                     const char *what, const char *why, int64_t now_ms)
{
    char message[MESSAGE_BYTES];
    if (now_ms < file->quiet_until_ms)
        return;
    file->quiet_until_ms = now_ms + QUIET_MS;
    int n =
        snprintf(message, sizeof(message), "failed to %s the file '%s': %s", what, file->path, why);
    if (n < 0)
        return;
    size_t len = (size_t)n < sizeof(message) ? (size_t)n : sizeof(message) - 1;
    kong->log->write(kong, req, PDK_ERR, (struct pdk_str){message, len});
}

/* O_NONBLOCK means nothing to a regular file; a pipe without a reader must not stop the worker. */
static bool open_file(struct file *file)
{
    static const int flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
    do
        file->fd = open(file->path, flags, 0644);
    while (file->fd < 0 && errno == EINTR);
    return file->fd >= 0;
}

/* The record with its line end in files->line; 0: out of memory. */
static size_t make_line(struct files *files, struct pdk_str record, bool is_torn)
{
    size_t bytes = record.len + 1 + is_torn;
    if (bytes > files->line_capacity) {
        size_t capacity = files->line_capacity == 0 ? FIRST_LINE_BYTES : files->line_capacity;
        while (capacity < bytes)
            capacity *= 2;
        char *line = realloc(files->line, capacity);
        if (line == NULL)
            return 0;
        files->line = line;
        files->line_capacity = capacity;
    }
    if (is_torn)
        files->line[0] = '\n';
    memcpy(files->line + is_torn, record.ptr, record.len);
    files->line[bytes - 1] = '\n';
    return bytes;
}

/* One write() for the whole line, unless the kernel takes less of it (a full disk or pipe): then as
 * much of the rest as it takes. False: something was not written; errno says why. */
static bool write_line(struct file *file, const char *line, size_t len)
{
    size_t written = 0;
    while (written < len) {
        ssize_t n = write(file->fd, line + written, len - written);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            errno = n == 0 ? EIO : errno;
            /* What other writers add now would stand on the same line. */
            file->is_torn = file->is_torn || written > 0;
            return false;
        }
        written += (size_t)n;
    }
    file->is_torn = false;
    return true;
}

static enum pdk_result on_log(const struct pdk *kong, struct pdk_request *req, void *conf)
{
    const struct file_log *log = conf;
    struct files *files = kong->state;
    int64_t now_ms = kong->node->now_ms(kong);
    struct file *file = file_of(files, log->path, now_ms);
    if (file == NULL)
        return PDK_ERROR;
    struct pdk_str record = kong->log->serialize(req);
    if (record.ptr == NULL) {
        complain(kong, req, file, "make a record for", "it would be too large", now_ms);
        return PDK_OK;
    }
    if (log->reopens)
        close_file(file);
    if (file->fd < 0 && !open_file(file)) {
        complain(kong, req, file, "open", strerror(errno), now_ms);
        return PDK_OK;
    }
    size_t len = make_line(files, record, file->is_torn);
    if (len == 0)
        return PDK_ERROR;
    if (!write_line(file, files->line, len))
        complain(kong, req, file, "write to", strerror(errno), now_ms);
    return PDK_OK;
}

PDK_PLUGIN(.name = "file-log", .version = "1.0.0", .priority = 9, .fields = fields, .check = check,
           .configure = configure, .init_worker = init_worker, .exit_worker = exit_worker,
           .log = on_log);
