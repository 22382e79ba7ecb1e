/* SPDX-License-Identifier: Apache-2.0 */
/* listener_test.c -- accepting connections, and not being able to. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"
#include "net/listener.h"
#include "net/loop.h"
#include "net_fixture.h"

enum { CLIENTS = 150 };

struct door {
    struct loop *loop;
    struct listen_list list;
    struct listener *listener;
    int fd;
    int accepted[CLIENTS];
    int count, wanted;
    struct sockaddr_storage peer;
};

static void on_accept(void *context, const struct listen_address *at, int fd,
                      const struct sockaddr_storage *peer, socklen_t peer_len)
{
    struct door *door = context;
    assert_ptr_equal(at, &door->list.items[0]);
    assert_true(peer_len <= sizeof(*peer));
    door->peer = *peer;
    assert_true(door->count < CLIENTS);
    door->accepted[door->count++] = fd;
    if (door->count == door->wanted)
        loop_stop(door->loop);
}

static void open_door(struct door *door, const char *address, struct log *log)
{
    char *error = NULL;
    *door = (struct door){.loop = loop_create()};
    assert_true(listen_parse("proxy_listen", address, &door->list, &error));
    door->fd = listen_open(&door->list.items[0], &error);
    assert_true(door->fd >= 0);
    door->listener =
        listener_create(door->loop, log, door->fd, &door->list.items[0], on_accept, door);
    assert_non_null(door->listener);
}

static void open_tcp_door(struct door *door, struct log *log)
{
    char address[32];
    (void)snprintf(address, sizeof(address), "127.0.0.1:%d", net_fixture_free_port());
    open_door(door, address, log);
}

static void close_door(struct door *door)
{
    for (int i = 0; i < door->count; i++)
        close(door->accepted[i]);
    listener_destroy(door->listener);
    close(door->fd);
    listen_list_clear(&door->list);
    loop_destroy(door->loop);
}

static int connect_to(const struct door *door)
{
    const struct listen_address *address = &door->list.items[0];
    int fd = socket(address->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&address->address, address->address_len),
                     0);
    return fd;
}

static void an_accepted_socket_is_ready_for_the_loop(void **state)
{
    (void)state;
    struct door door;
    open_tcp_door(&door, NULL);
    int client = connect_to(&door);
    door.wanted = 1;
    assert_true(net_fixture_run(door.loop, 5000));
    int fd = door.accepted[0];
    assert_true((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
    assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
    int has_no_delay = 0;
    socklen_t len = sizeof(has_no_delay);
    assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &has_no_delay, &len), 0);
    assert_true(has_no_delay != 0);
    const struct sockaddr_in *peer = (const struct sockaddr_in *)&door.peer;
    struct sockaddr_in own;
    len = sizeof(own);
    assert_int_equal(getsockname(client, (struct sockaddr *)&own, &len), 0);
    assert_int_equal(peer->sin_port, own.sin_port);
    close(client);
    close_door(&door);
}

static void more_connections_than_one_turn_takes_are_all_accepted(void **state)
{
    (void)state;
    struct door door;
    int clients[CLIENTS];
    open_tcp_door(&door, NULL);
    for (int i = 0; i < CLIENTS; i++)
        clients[i] = connect_to(&door);
    door.wanted = CLIENTS;
    assert_true(net_fixture_run(door.loop, 5000));
    for (int i = 0; i < CLIENTS; i++)
        close(clients[i]);
    close_door(&door);
}

static void a_unix_path_accepts_too(void **state)
{
    (void)state;
    struct door door;
    char directory[64];
    char address[128];
    net_fixture_directory(directory);
    (void)snprintf(address, sizeof(address), "unix:%s/a.sock", directory);
    open_door(&door, address, NULL);
    int client = connect_to(&door);
    door.wanted = 1;
    assert_true(net_fixture_run(door.loop, 5000));
    assert_int_equal(door.peer.ss_family, AF_UNIX);
    close(client);
    close_door(&door);
    net_fixture_remove(directory);
}

static int count_lines(const char *path)
{
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    int lines = 0;
    for (int c; (c = fgetc(file)) != EOF;)
        lines += c == '\n';
    fclose(file);
    return lines;
}

static void without_descriptors_accepting_pauses_logs_once_and_goes_on_later(void **state)
{
    (void)state;
    struct door door;
    char directory[64];
    char path[96];
    net_fixture_directory(directory);
    (void)snprintf(path, sizeof(path), "%s/log", directory);
    struct log *log = log_create(path, LOG_LEVEL_DEBUG);
    assert_non_null(log);
    open_tcp_door(&door, log);
    int client = connect_to(&door);
    door.wanted = 1;
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    const struct rlimit none = {(rlim_t)client + 1, before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    net_fixture_run_for(door.loop, 350); /* several pauses */
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(door.count, 0);
    assert_int_equal(count_lines(path), 1);
    assert_true(net_fixture_run(door.loop, 5000));
    assert_int_equal(door.count, 1);
    close(client);
    close_door(&door);
    log_destroy(log);
    net_fixture_remove(directory);
}

static void a_destroyed_listener_accepts_nothing(void **state)
{
    (void)state;
    struct door door;
    open_tcp_door(&door, NULL);
    listener_destroy(door.listener);
    door.listener = NULL;
    int client = connect_to(&door);
    net_fixture_run_for(door.loop, 30);
    assert_int_equal(door.count, 0);
    close(client);
    close_door(&door);
}

int main(void)
{
    net_fixture_guard(60);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_accepted_socket_is_ready_for_the_loop),
        cmocka_unit_test(more_connections_than_one_turn_takes_are_all_accepted),
        cmocka_unit_test(a_unix_path_accepts_too),
        cmocka_unit_test(without_descriptors_accepting_pauses_logs_once_and_goes_on_later),
        cmocka_unit_test(a_destroyed_listener_accepts_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
