/* SPDX-License-Identifier: Apache-2.0 */
/* listen_test.c -- listen addresses as text and as sockets. */
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
#include <sys/stat.h>
#include <unistd.h>

#include "net/listener.h"
#include "net_fixture.h"

static struct listen_list parse(const char *value)
{
    struct listen_list list;
    char *error = NULL;
    if (!listen_parse("proxy_listen", value, &list, &error))
        fail_msg("'%s' is refused: %s", value, error);
    return list;
}

static void the_default_of_the_proxy_is_understood(void **state)
{
    (void)state;
    struct listen_list list = parse("0.0.0.0:8000 reuseport backlog=16384, "
                                    "0.0.0.0:8443 http2 ssl reuseport backlog=100");
    assert_int_equal(list.count, 2);
    assert_string_equal(list.items[0].text, "0.0.0.0:8000");
    assert_string_equal(list.items[0].host, "0.0.0.0");
    assert_int_equal(list.items[0].port, 8000);
    assert_true(list.items[0].is_reuseport);
    assert_false(list.items[0].is_ssl);
    assert_int_equal(list.items[0].backlog, 16384);
    assert_int_equal(list.items[1].port, 8443);
    assert_true(list.items[1].is_ssl);
    assert_true(list.items[1].is_http2);
    assert_int_equal(list.items[1].backlog, 100);
    listen_list_clear(&list);
}

static void every_form_of_an_address_is_understood(void **state)
{
    (void)state;
    const struct {
        const char *text, *host;
        int port, family;
    } cases[] = {
        {"127.0.0.1:1", "127.0.0.1", 1, AF_INET},
        {"[::1]:65535", "::1", 65535, AF_INET6},
        {"[0:0:0:0:0:0:0:1]:80", "::1", 80, AF_INET6},
        {"[::]:80", "::", 80, AF_INET6},
        {"localhost:8000", "127.0.0.1", 8000, AF_INET},
        {"unix:/tmp/a.sock", "/tmp/a.sock", 0, AF_UNIX},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct listen_list list = parse(cases[i].text);
        assert_int_equal(list.count, 1);
        assert_string_equal(list.items[0].text, cases[i].text);
        assert_string_equal(list.items[0].host, cases[i].host);
        assert_int_equal(list.items[0].port, cases[i].port);
        assert_int_equal(list.items[0].address.ss_family, cases[i].family);
        assert_int_equal(list.items[0].backlog, 16384);
        listen_list_clear(&list);
    }
}

static void every_flag_is_understood(void **state)
{
    (void)state;
    struct listen_list list = parse("[::]:80   proxy_protocol deferred bind ipv6only=off  "
                                    "so_keepalive=30m:15:10 ");
    const struct listen_address *first = &list.items[0];
    assert_true(first->is_proxy_protocol);
    assert_true(first->is_deferred);
    assert_false(first->is_ipv6only);
    assert_true(first->is_keepalive);
    assert_int_equal(first->keepalive_idle_s, 1800);
    assert_int_equal(first->keepalive_interval_s, 15);
    assert_int_equal(first->keepalive_count, 10);
    listen_list_clear(&list);
    list =
        parse("[::]:80 so_keepalive=on, 1.2.3.4:5 so_keepalive=off, 1.2.3.4:6 so_keepalive=:5s:");
    assert_true(list.items[0].is_keepalive);
    assert_true(list.items[0].is_ipv6only);
    assert_false(list.items[1].is_keepalive);
    assert_int_equal(list.items[2].keepalive_idle_s, 0);
    assert_int_equal(list.items[2].keepalive_interval_s, 5);
    listen_list_clear(&list);
}

static void off_listens_nowhere(void **state)
{
    (void)state;
    const char *const values[] = {"off", " off ", "off, 0.0.0.0:8000"};
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        struct listen_list list = parse(values[i]);
        assert_int_equal(list.count, 0);
        listen_list_clear(&list);
    }
}

static void anything_else_is_refused_with_the_form_that_is_expected(void **state)
{
    (void)state;
    const char *const values[] = {
        "",
        ",",
        "8000",
        ":8000",
        "127.0.0.1",
        "127.0.0.1:",
        "127.0.0.1:0",
        "127.0.0.1:65536",
        "127.0.0.1:-1",
        "127.0.0.1:80x",
        "127.0.0.1:99999999999999999999",
        "127.0.0.256:80",
        "127.1:80",
        "::1:80",
        "[::1]",
        "[::1]80",
        "[]:80",
        "[1.2.3.4]:80",
        "[::g]:80",
        "unix:",
        "unix:relative",
        "unix:/",
        "127.0.0.1:80,",
        "127.0.0.1:80, off",
        "127.0.0.1:80 tls",
        "127.0.0.1:80 SSL",
        "127.0.0.1:80 backlog",
        "127.0.0.1:80 backlog=",
        "127.0.0.1:80 backlog=0",
        "127.0.0.1:80 backlog=99999999999",
        "127.0.0.1:80 ipv6only=maybe",
        "127.0.0.1:80 so_keepalive=",
        "127.0.0.1:80 so_keepalive=::",
        "127.0.0.1:80 so_keepalive=1:2",
        "127.0.0.1:80 so_keepalive=1:2:3:4",
        "127.0.0.1:80 so_keepalive=1d:2:3",
        "127.0.0.1:80 so_keepalive=0:2:3",
    };
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        struct listen_list list;
        char *error = NULL;
        if (listen_parse("admin_listen", values[i], &list, &error))
            fail_msg("'%s' is accepted", values[i]);
        assert_int_equal(list.count, 0);
        assert_ptr_equal(
            strstr(error, "admin_listen must be of form: [off] | <ip>:<port> [ssl] [http2]"),
            error);
        free(error);
    }
}

static void texts_that_are_too_long_are_refused(void **state)
{
    (void)state;
    const char *const formats[] = {"unix:/%s", "%s:80", "127.0.0.1:80 %s"};
    char name[400];
    memset(name, 'a', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        char value[500];
        (void)snprintf(value, sizeof(value), "%.*s%s%s", (int)strcspn(formats[i], "%"), formats[i],
                       name, strstr(formats[i], "%s") + 2);
        struct listen_list list;
        char *error = NULL;
        assert_false(listen_parse("x", value, &list, &error));
        free(error);
    }
}

static void an_unknown_host_name_is_named_in_the_error(void **state)
{
    (void)state;
    struct listen_list list;
    char *error = NULL;
    assert_false(listen_parse("proxy_listen", "no such..name.invalid:80", &list, &error));
    free(error);
    error = NULL;
    assert_false(listen_parse("proxy_listen", "nobody.invalid:80 ssl", &list, &error));
    assert_ptr_equal(strstr(error, "proxy_listen: 'nobody.invalid:80 ssl': "), error);
    free(error);
}

/* --- sockets --- */

static struct listen_list parse_port(int port, const char *flags)
{
    char value[64];
    (void)snprintf(value, sizeof(value), "127.0.0.1:%d %s", port, flags);
    return parse(value);
}

static int option(int fd, int level, int name)
{
    int value = -1;
    socklen_t len = sizeof(value);
    assert_int_equal(getsockopt(fd, level, name, &value, &len), 0);
    return value;
}

static void several_workers_share_one_port_with_sockets_of_their_own(void **state)
{
    (void)state;
    struct listen_list list =
        parse_port(net_fixture_free_port(), "deferred so_keepalive=100:20:3 backlog=5");
    char *error = NULL;
    int first = listen_open(&list.items[0], &error);
    int second = listen_open(&list.items[0], &error);
    assert_true(first >= 0 && second >= 0);
    assert_true((fcntl(first, F_GETFL) & O_NONBLOCK) != 0);
    assert_true((fcntl(first, F_GETFD) & FD_CLOEXEC) != 0);
    assert_int_equal(option(first, SOL_SOCKET, SO_ACCEPTCONN), 1);
    assert_true(option(first, IPPROTO_TCP, TCP_NODELAY) != 0);
    assert_true(option(first, IPPROTO_TCP, TCP_DEFER_ACCEPT) > 0);
    assert_true(option(first, SOL_SOCKET, SO_KEEPALIVE) != 0);
    assert_int_equal(option(first, IPPROTO_TCP, TCP_KEEPIDLE), 100);
    assert_int_equal(option(first, IPPROTO_TCP, TCP_KEEPCNT), 3);
    close(first);
    close(second);
    listen_list_clear(&list);
}

static void the_probe_notices_that_somebody_else_listens(void **state)
{
    (void)state;
    struct listen_list list = parse_port(net_fixture_free_port(), "");
    char expected[200];
    (void)snprintf(expected, sizeof(expected), "%s: Address already in use", list.items[0].text);
    char *error = NULL;
    assert_true(listen_probe(&list.items[0], &error));
    int fd = listen_open(&list.items[0], &error);
    assert_true(fd >= 0);
    assert_false(listen_probe(&list.items[0], &error));
    assert_string_equal(error, expected);
    free(error);
    close(fd);
    assert_true(listen_probe(&list.items[0], &error));
    listen_list_clear(&list);
}

static void an_address_that_cannot_be_bound_is_named_with_the_reason(void **state)
{
    (void)state;
    struct listen_list list = parse("192.0.2.1:8000");
    char *error = NULL;
    assert_int_equal(listen_open(&list.items[0], &error), -1);
    assert_string_equal(error, "192.0.2.1:8000: Cannot assign requested address");
    free(error);
    assert_false(listen_probe(&list.items[0], &error));
    free(error);
    listen_list_clear(&list);
    list = parse("unix:/nowhere/a.sock");
    assert_int_equal(listen_open(&list.items[0], &error), -1);
    assert_string_equal(error, "unix:/nowhere/a.sock: No such file or directory");
    free(error);
    listen_list_clear(&list);
}

static void a_unix_path_is_refused_while_served_and_replaced_when_left_behind(void **state)
{
    (void)state;
    char directory[64];
    char value[128];
    char *error = NULL;
    struct stat info;
    net_fixture_directory(directory);
    (void)snprintf(value, sizeof(value), "unix:%s/a.sock", directory);
    struct listen_list list = parse(value);
    assert_true(listen_probe(&list.items[0], &error));
    int fd = listen_open(&list.items[0], &error);
    assert_true(fd >= 0);
    assert_int_equal(stat(list.items[0].host, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0666);
    assert_false(listen_probe(&list.items[0], &error));
    free(error);
    assert_int_equal(listen_open(&list.items[0], &error), -1);
    free(error);
    close(fd); /* as a process that died: the path stays */
    assert_true(listen_probe(&list.items[0], &error));
    fd = listen_open(&list.items[0], &error);
    assert_true(fd >= 0);
    close(fd);
    listen_list_clear(&list);
    net_fixture_remove(directory);
}

static void a_file_that_is_no_socket_is_not_replaced(void **state)
{
    (void)state;
    char directory[64];
    char value[128];
    char *error = NULL;
    net_fixture_directory(directory);
    (void)snprintf(value, sizeof(value), "unix:%s/file", directory);
    struct listen_list list = parse(value);
    int fd = open(list.items[0].host, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(listen_open(&list.items[0], &error), -1);
    assert_non_null(strstr(error, "Address already in use"));
    free(error);
    assert_int_equal(access(list.items[0].host, F_OK), 0);
    listen_list_clear(&list);
    net_fixture_remove(directory);
}

int main(void)
{
    net_fixture_guard(60);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_default_of_the_proxy_is_understood),
        cmocka_unit_test(every_form_of_an_address_is_understood),
        cmocka_unit_test(every_flag_is_understood),
        cmocka_unit_test(off_listens_nowhere),
        cmocka_unit_test(anything_else_is_refused_with_the_form_that_is_expected),
        cmocka_unit_test(texts_that_are_too_long_are_refused),
        cmocka_unit_test(an_unknown_host_name_is_named_in_the_error),
        cmocka_unit_test(several_workers_share_one_port_with_sockets_of_their_own),
        cmocka_unit_test(the_probe_notices_that_somebody_else_listens),
        cmocka_unit_test(an_address_that_cannot_be_bound_is_named_with_the_reason),
        cmocka_unit_test(a_unix_path_is_refused_while_served_and_replaced_when_left_behind),
        cmocka_unit_test(a_file_that_is_no_socket_is_not_replaced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
