/* SPDX-License-Identifier: Apache-2.0 */
/* sockets_test.c -- the listening sockets of several generations. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "config/options.h"
#include "process/process_support.h"
#include "process/sockets.h"

static bool connects(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                  .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool is_ok = connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
    close(fd);
    return is_ok;
}

static struct gateway_sockets plan_of(struct sockets *sockets, const struct options *options)
{
    struct gateway_sockets plan;
    char *error = NULL;
    if (!sockets_plan(sockets, options, &plan, &error))
        fail_msg("%s", error);
    return plan;
}

static void each_worker_has_a_socket_of_its_own(void **state)
{
    struct sockets sockets = {0};
    int port = process_support_port();
    struct options *options = process_support_options(*state, port, "workers = 3\n");
    struct gateway_sockets plan = plan_of(&sockets, options);
    assert_int_equal(sockets.count, 3);
    assert_true(plan.proxy[0] != plan.proxy[1] && plan.proxy[1] != plan.proxy[2]);
    assert_true(connects(port));
    sockets_plan_clear(&plan);
    sockets_clear(&sockets);
    assert_false(connects(port));
    options_destroy(options);
}

static void a_reload_keeps_the_sockets_and_changes_their_number(void **state)
{
    struct sockets sockets = {0};
    int port = process_support_port();
    struct options *two = process_support_options(*state, port, "workers = 2\n");
    struct options *three = process_support_options(*state, port, "workers = 3\n");
    struct options *one = process_support_options(*state, port, "workers = 1\n");
    struct gateway_sockets first = plan_of(&sockets, two);
    struct gateway_sockets second = plan_of(&sockets, three);
    assert_int_equal(first.proxy[0], second.proxy[0]);
    assert_int_equal(first.proxy[1], second.proxy[1]);
    sockets_keep_planned(&sockets);
    assert_int_equal(sockets.count, 3);
    struct gateway_sockets third = plan_of(&sockets, one);
    sockets_keep_planned(&sockets);
    assert_int_equal(third.proxy[0], first.proxy[0]);
    assert_int_equal(sockets.count, 1);
    assert_true(connects(port));
    sockets_plan_clear(&first);
    sockets_plan_clear(&second);
    sockets_plan_clear(&third);
    sockets_clear(&sockets);
    options_destroy(one);
    options_destroy(two);
    options_destroy(three);
}

static void a_dropped_address_ends_for_all_who_share_it(void **state)
{
    struct sockets sockets = {0};
    int old_port = process_support_port(), new_port = process_support_port();
    struct options *before = process_support_options(*state, old_port, "");
    struct options *after = process_support_options(*state, new_port, "");
    struct gateway_sockets first = plan_of(&sockets, before);
    int copy = dup(first.proxy[0]); /* as a draining gateway has it */
    struct gateway_sockets second = plan_of(&sockets, after);
    sockets_keep_planned(&sockets);
    assert_false(connects(old_port));
    assert_true(connects(new_port));
    close(copy);
    sockets_plan_clear(&first);
    sockets_plan_clear(&second);
    sockets_clear(&sockets);
    options_destroy(before);
    options_destroy(after);
}

static void a_plan_that_fails_leaves_the_old_one_whole(void **state)
{
    struct sockets sockets = {0}, others = {0};
    struct gateway_sockets plan;
    char *error = NULL;
    char settings[128], expected[128];
    int port = process_support_port(), free_port = process_support_port(),
        taken_port = process_support_port();
    struct options *options = process_support_options(*state, port, "");
    struct options *other = process_support_options(*state, taken_port, "");
    struct gateway_sockets other_plan = plan_of(&others, other);
    struct gateway_sockets first = plan_of(&sockets, options);
    (void)snprintf(settings, sizeof(settings), "admin_listen = 127.0.0.1:%d, 127.0.0.1:%d\n",
                   free_port, taken_port);
    struct options *next = process_support_options(*state, port, settings);
    assert_false(sockets_plan(&sockets, next, &plan, &error));
    (void)snprintf(expected, sizeof(expected), "admin_listen: 127.0.0.1:%d: Address already in use",
                   taken_port);
    assert_string_equal(error, expected);
    free(error);
    assert_true(connects(port));
    assert_false(connects(free_port));
    sockets_plan_clear(&first);
    sockets_plan_clear(&other_plan);
    sockets_clear(&sockets);
    sockets_clear(&others);
    options_destroy(options);
    options_destroy(other);
    options_destroy(next);
}

static void an_address_listed_twice_is_refused(void **state)
{
    struct sockets sockets = {0};
    struct gateway_sockets plan;
    char *error = NULL;
    char settings[64];
    int port = process_support_port();
    (void)snprintf(settings, sizeof(settings), "admin_listen = 127.0.0.1:%d\n", port);
    struct options *options = process_support_options(*state, port, settings);
    assert_false(sockets_plan(&sockets, options, &plan, &error));
    assert_non_null(strstr(error, "admin_listen: 127.0.0.1:"));
    assert_non_null(strstr(error, "is listed twice"));
    free(error);
    assert_int_equal(sockets.count, 0);
    sockets_clear(&sockets);
    options_destroy(options);
}

static void the_workers_share_a_unix_path(void **state)
{
    struct sockets sockets = {0};
    char settings[256], path[128];
    (void)snprintf(path, sizeof(path), "%s/proxy.sock", (const char *)*state);
    (void)snprintf(settings, sizeof(settings), "proxy_listen = unix:%s\nworkers = 2\n", path);
    struct options *two = process_support_options(*state, 8000, settings);
    (void)snprintf(settings, sizeof(settings), "proxy_listen = unix:%s\nworkers = 1\n", path);
    struct options *one = process_support_options(*state, 8000, settings);
    struct gateway_sockets first = plan_of(&sockets, two);
    assert_true(first.proxy[0] != first.proxy[1]);
    struct gateway_sockets second = plan_of(&sockets, one);
    sockets_keep_planned(&sockets);
    assert_int_equal(access(path, F_OK), 0); /* the other worker's queue lives on */
    sockets_clear(&sockets);
    assert_int_not_equal(access(path, F_OK), 0);
    sockets_plan_clear(&first);
    sockets_plan_clear(&second);
    options_destroy(one);
    options_destroy(two);
}

int main(void)
{
#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, process_support_set_up, process_support_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(each_worker_has_a_socket_of_its_own),
        TEST(a_reload_keeps_the_sockets_and_changes_their_number),
        TEST(a_dropped_address_ends_for_all_who_share_it),
        TEST(a_plan_that_fails_leaves_the_old_one_whole),
        TEST(an_address_listed_twice_is_refused),
        TEST(the_workers_share_a_unix_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
