/* SPDX-License-Identifier: Apache-2.0 */
/* pid_file.c -- see pid_file.h. The lock is a POSIX record lock: it belongs to the process (a
 * forked gateway does not hold it), ends with it, and names its holder to whoever asks. It also
 * ends when the process closes any descriptor of the file, so the supervisor opens it exactly once.
 */
#include "process/pid_file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "process/prefix.h"

static const char supervisor_file[] = "pids/sluice.pid";
static const char gateway_file[] = "pids/gateway.pid";

static int open_below(const char *prefix, const char *name, int flags)
{
    char *path = prefix_path(prefix, name);
    int fd = path == NULL ? -1 : open(path, flags | O_CLOEXEC, 0644);
    int saved = errno;
    free(path);
    errno = saved;
    return fd;
}

static pid_t read_pid(int fd)
{
    char text[32];
    ssize_t len = pread(fd, text, sizeof(text) - 1, 0);
    text[len < 0 ? 0 : len] = '\0';
    long pid = strtol(text, NULL, 10);
    return pid > 0 && pid <= 0x7fffffff ? (pid_t)pid : 0;
}

pid_t pid_file_supervisor(const char *prefix)
{
    struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET};
    pid_t pid = 0;
    int fd = open_below(prefix, supervisor_file, O_RDONLY);
    if (fd < 0)
        return 0;
    pid = read_pid(fd);
    if (fcntl(fd, F_GETLK, &lock) != 0)
        pid = pid > 0 && kill(pid, 0) == 0 ? pid : 0; /* no locks on this file system */
    else if (lock.l_type == F_UNLCK)
        pid = 0;
    else if (lock.l_pid > 0)
        pid = lock.l_pid;
    close(fd);
    return pid;
}

bool pid_file_has_gateway(const char *prefix)
{
    int fd = open_below(prefix, gateway_file, O_RDONLY);
    pid_t pid = fd < 0 ? 0 : read_pid(fd);
    if (fd >= 0)
        close(fd);
    return pid > 0 && (kill(pid, 0) == 0 || errno == EPERM);
}

/* Whether `fd` is the file that the path names now: it may have been removed before it was locked.
 */
static bool is_current(const char *prefix, int fd)
{
    struct stat opened, named;
    char *path = prefix_path(prefix, supervisor_file);
    bool is_same = path != NULL && fstat(fd, &opened) == 0 && stat(path, &named) == 0 &&
                   opened.st_ino == named.st_ino && opened.st_dev == named.st_dev;
    free(path);
    return is_same;
}

static bool write_pid(int fd, pid_t pid)
{
    char text[32];
    int len = snprintf(text, sizeof(text), "%ld\n", (long)pid);
    return ftruncate(fd, 0) == 0 && pwrite(fd, text, (size_t)len, 0) == len;
}

int pid_file_enter(const char *prefix, char **error)
{
    enum { ATTEMPTS = 100 };
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int n = 0;
    *error = NULL;
    for (int i = 0; i < ATTEMPTS; i++) {
        int fd = open_below(prefix, supervisor_file, O_RDWR | O_CREAT);
        bool is_locked = fd >= 0 && fcntl(fd, F_SETLK, &lock) == 0;
        if (is_locked && !is_current(prefix, fd)) {
            close(fd);
            continue;
        }
        bool is_taken = fd >= 0 && !is_locked && (errno == EAGAIN || errno == EACCES);
        if (fd >= 0 && !is_taken && write_pid(fd, getpid()))
            return fd;
        n = is_taken ? asprintf(error, "Sluice is already running in %s", prefix)
                     : asprintf(error, "cannot write %s/%s: %s", prefix, supervisor_file,
                                strerror(errno));
        if (fd >= 0)
            close(fd);
        break;
    }
    if (n < 0)
        *error = NULL;
    return -1;
}

static void remove_file(const char *prefix, const char *name)
{
    char *path = prefix_path(prefix, name);
    if (path != NULL)
        (void)unlink(path);
    free(path);
}

void pid_file_leave(const char *prefix, int fd)
{
    if (fd < 0)
        return;
    remove_file(prefix, gateway_file);
    remove_file(prefix, supervisor_file);
    close(fd);
}

void pid_file_set_gateway(const char *prefix, pid_t pid)
{
    remove_file(prefix, gateway_file);
    if (pid <= 0)
        return;
    int fd = open_below(prefix, gateway_file, O_WRONLY | O_CREAT | O_TRUNC);
    if (fd < 0)
        return;
    (void)write_pid(fd, pid);
    close(fd);
}
