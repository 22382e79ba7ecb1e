/* SPDX-License-Identifier: Apache-2.0 */
/* process_support.c -- see process_support.h. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "config/options.h"
#include "process/process_support.h"

extern char **environ;

static void clear_variables(void)
{
    for (char **at = environ; *at != NULL;) {
        char name[256];
        (void)snprintf(name, sizeof(name), "%.*s", (int)strcspn(*at, "="), *at);
        if (strncmp(name, "KONG_", 5) == 0 || strncmp(name, "SLUICE_", 7) == 0) {
            unsetenv(name);
            at = environ;
        } else {
            at++;
        }
    }
}

int process_support_set_up(void **state)
{
    char folder[] = "/tmp/process_test.XXXXXX", pids[64];
    clear_variables();
    if (mkdtemp(folder) == NULL)
        return -1;
    (void)snprintf(pids, sizeof(pids), "%s/pids", folder);
    *state = strdup(folder);
    return *state != NULL && mkdir(pids, 0755) == 0 ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *where)
{
    (void)info;
    (void)kind;
    (void)where;
    return remove(path);
}

int process_support_tear_down(void **state)
{
    int status = nftw(*state, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(*state);
    return status;
}

int process_support_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    close(fd);
    return ntohs(address.sin_port);
}

struct options *process_support_options(const char *prefix, int port, const char *settings)
{
    char path[128];
    char *error = NULL;
    (void)snprintf(path, sizeof(path), "%s/test.conf", prefix);
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    (void)fprintf(
        file,
        "prefix = %s\nproxy_listen = 127.0.0.1:%d\nadmin_listen = off\nstatus_listen = off\n"
        "workers = 2\ndrain_timeout = 5\n%s",
        prefix, port, settings);
    assert_int_equal(fclose(file), 0);
    struct options *options = options_load(path, NULL, &error);
    if (options == NULL)
        fail_msg("%s", error);
    return options;
}

const char *process_support_read(const char *prefix, const char *name, char *out, size_t size)
{
    char path[256];
    (void)snprintf(path, sizeof(path), "%s/%s", prefix, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t len = fd < 0 ? 0 : read(fd, out, size - 1);
    out[len < 0 ? 0 : len] = '\0';
    if (fd >= 0)
        close(fd);
    return out;
}

bool process_support_wait(bool (*is_done)(void *context), void *context)
{
    int64_t deadline_ms = clock_now_ms() + 10000;
    while (!is_done(context)) {
        if (clock_now_ms() > deadline_ms)
            return false;
        (void)poll(NULL, 0, 5);
    }
    return true;
}
