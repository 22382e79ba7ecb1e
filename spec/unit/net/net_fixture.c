/* SPDX-License-Identifier: Apache-2.0 */
/* net_fixture.c -- see net_fixture.h. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/loop.h"
#include "net_fixture.h"

struct guard {
    struct deadline deadline;
    struct loop *loop;
    bool has_fired;
};

void net_fixture_guard(unsigned seconds)
{
    alarm(seconds);
}

static void on_guard(struct deadline *deadline)
{
    struct guard *guard = LIST_ENTRY(deadline, struct guard, deadline);
    guard->has_fired = true;
    loop_stop(guard->loop);
}

bool net_fixture_run(struct loop *loop, int64_t timeout_ms)
{
    struct guard guard = {.loop = loop};
    deadline_init(&guard.deadline, on_guard);
    deadline_set(loop, &guard.deadline, loop_now_ms(loop) + timeout_ms);
    loop_run(loop);
    deadline_clear(&guard.deadline);
    return !guard.has_fired;
}

void net_fixture_run_for(struct loop *loop, int64_t ms)
{
    (void)net_fixture_run(loop, ms);
}

static struct sockaddr_in loopback(int port)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)port),
                                .sin_addr = {htonl(INADDR_LOOPBACK)}};
}

int net_fixture_listen(int *port)
{
    struct sockaddr_in address = loopback(0);
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(fd, 64), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    *port = ntohs(address.sin_port);
    return fd;
}

int net_fixture_free_port(void)
{
    int port;
    close(net_fixture_listen(&port));
    return port;
}

void net_fixture_tcp_pair(int fds[2])
{
    int port;
    int listening = net_fixture_listen(&port);
    struct sockaddr_in address = loopback(port);
    fds[1] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fds[1] >= 0);
    assert_int_equal(connect(fds[1], (struct sockaddr *)&address, sizeof(address)), 0);
    fds[0] = accept4(listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    assert_true(fds[0] >= 0);
    close(listening);
}

void net_fixture_directory(char path[64])
{
    (void)snprintf(path, 64, "/tmp/sluice-net-XXXXXX");
    assert_non_null(mkdtemp(path));
}

void net_fixture_remove(const char *path)
{
    DIR *dir = opendir(path);
    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            (void)unlinkat(dirfd(dir), entry->d_name, 0);
    }
    closedir(dir);
    (void)rmdir(path);
}
