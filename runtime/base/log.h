/* SPDX-License-Identifier: Apache-2.0 */
/* log.h -- log files: lines, levels, reopening.
 *
 * One `struct log` per destination, shared by all threads of a process. A line is one write() to a
 * descriptor opened with O_APPEND, so lines of several threads and processes never interleave.
 * Reopening (log rotation) puts a new file behind the same descriptor. */
#ifndef SLUICE_BASE_LOG_H
#define SLUICE_BASE_LOG_H

#include <stdarg.h>
#include <stdbool.h>

#include "base/slice.h"

/* Kong's level names, in its order; a message is written if its level is at or above the log's. */
enum log_level {
    LOG_LEVEL_DEBUG,
    LOG_LEVEL_INFO,
    LOG_LEVEL_NOTICE,
    LOG_LEVEL_WARN,
    LOG_LEVEL_ERROR,
    LOG_LEVEL_CRIT,
    LOG_LEVEL_ALERT,
    LOG_LEVEL_EMERG,
};

struct log;

enum { LOG_LINE_BYTES = 8192 }; /* longer lines are cut */

/* `path`: a file (made with mode 0644), "/dev/stdout", "/dev/stderr" or "off". NULL with errno set
 * if it cannot be opened. The caller destroys it after the last thread that writes has ended. */
struct log *log_create(const char *path, enum log_level level);
void log_destroy(struct log *log);
/* Opens the path again, behind the same descriptor. False with errno set: the old file stays. */
bool log_reopen(struct log *log);
/* False for a log that is "off": lines need not be made. */
bool log_is_on(const struct log *log);

bool log_level_parse(const char *name, enum log_level *out);
const char *log_level_name(enum log_level level);
enum log_level log_level_get(const struct log *log);
/* May be called while other threads write. */
void log_level_set(struct log *log, enum log_level level);
static inline bool log_enabled(const struct log *log, enum log_level level)
{
    return log != NULL && level >= log_level_get(log) && log_is_on(log);
}

/* Writes "YYYY/MM/DD HH:MM:SS [level] pid#tid: text" and a newline. Control characters in the text
 * are written as \xNN, so that nobody outside can forge a line. `log` may be NULL: nothing then. */
void log_write(struct log *log, enum log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void log_vwrite(struct log *log, enum log_level level, const char *format, va_list args)
    __attribute__((format(printf, 3, 0)));
/* Writes ready-made bytes (one or more whole lines) as they are. */
void log_raw(struct log *log, struct slice lines);

#endif
