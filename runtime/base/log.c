/* SPDX-License-Identifier: Apache-2.0 */
/* log.c -- see log.h. The level is the only thing that changes while threads write: an atomic. */
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

struct log {
    char *path;
    int fd; /* -1: off */
    atomic_int level;
};

static const char *const level_names[] = {"debug", "info", "notice", "warn",
                                          "error", "crit", "alert",  "emerg"};

static int open_path(const char *path)
{
    if (strcmp(path, "/dev/stdout") == 0)
        return dup(STDOUT_FILENO);
    if (strcmp(path, "/dev/stderr") == 0)
        return dup(STDERR_FILENO);
    return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
}

struct log *log_create(const char *path, enum log_level level)
{
    struct log *log = calloc(1, sizeof(*log));
    if (log == NULL)
        return NULL;
    atomic_init(&log->level, (int)level);
    log->fd = -1;
    log->path = strdup(path);
    if (log->path == NULL)
        goto fail;
    if (strcmp(path, "off") != 0) {
        log->fd = open_path(path);
        if (log->fd < 0)
            goto fail;
        (void)fcntl(log->fd, F_SETFD, FD_CLOEXEC);
    }
    return log;
fail:;
    int saved = errno;
    free(log->path);
    free(log);
    errno = saved;
    return NULL;
}

void log_destroy(struct log *log)
{
    if (log == NULL)
        return;
    if (log->fd >= 0)
        close(log->fd);
    free(log->path);
    free(log);
}

bool log_reopen(struct log *log)
{
    if (log->fd < 0 || strncmp(log->path, "/dev/", 5) == 0)
        return true;
    int fd = open_path(log->path);
    if (fd < 0)
        return false;
    bool is_moved = dup3(fd, log->fd, O_CLOEXEC) >= 0;
    int saved = errno;
    close(fd);
    errno = saved;
    return is_moved;
}

bool log_is_on(const struct log *log)
{
    return log != NULL && log->fd >= 0;
}

bool log_level_parse(const char *name, enum log_level *out)
{
    for (size_t i = 0; i < sizeof(level_names) / sizeof(level_names[0]); i++) {
        if (strcmp(name, level_names[i]) == 0) {
            *out = (enum log_level)i;
            return true;
        }
    }
    return false;
}

const char *log_level_name(enum log_level level)
{
    return level_names[level];
}

enum log_level log_level_get(const struct log *log)
{
    return (enum log_level)atomic_load_explicit(&log->level, memory_order_relaxed);
}

void log_level_set(struct log *log, enum log_level level)
{
    atomic_store_explicit(&log->level, (int)level, memory_order_relaxed);
}

/* Replaces control characters in line[from..*len) by \xNN; the line must have room for `size`. */
static size_t escape_controls(char *line, size_t from, size_t len, size_t size)
{
    static const char hex[] = "0123456789abcdef";
    char out[LOG_LINE_BYTES];
    size_t n = 0;
    for (size_t i = from; i < len; i++) {
        unsigned char c = (unsigned char)line[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f) {
            if (from + n + 4 > size)
                break;
            out[n++] = '\\';
            out[n++] = 'x';
            out[n++] = hex[c >> 4];
            out[n++] = hex[c & 15];
        } else {
            if (from + n + 1 > size)
                break;
            out[n++] = (char)c;
        }
    }
    memcpy(line + from, out, n);
    return from + n;
}

void log_vwrite(struct log *log, enum log_level level, const char *format, va_list args)
{
    if (!log_enabled(log, level))
        return;
    char line[LOG_LINE_BYTES];
    struct tm tm;
    time_t now = time(NULL);
    localtime_r(&now, &tm);
    size_t head = strftime(line, sizeof(line), "%Y/%m/%d %H:%M:%S", &tm);
    int n = snprintf(line + head, sizeof(line) - head, " [%s] %d#%ld: ", log_level_name(level),
                     (int)getpid(), (long)syscall(SYS_gettid));
    head += (size_t)n;
    n = vsnprintf(line + head, sizeof(line) - head - 1, format, args);
    if (n < 0)
        return;
    size_t len = head + (size_t)n;
    if (len > sizeof(line) - 2)
        len = sizeof(line) - 2;
    len = escape_controls(line, head, len, sizeof(line) - 1);
    line[len++] = '\n';
    log_raw(log, slice_make(line, len));
}

void log_write(struct log *log, enum log_level level, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    log_vwrite(log, level, format, args);
    va_end(args);
}

void log_raw(struct log *log, struct slice lines)
{
    if (!log_is_on(log) || lines.len == 0)
        return;
    /* A log that cannot be written must not stop the gateway: the line is lost. */
    ssize_t written = write(log->fd, lines.ptr, lines.len);
    (void)written;
}
