/* SPDX-License-Identifier: Apache-2.0 */
/* sender_test.c -- gathered writes over a socket pair: order, rests, and what a rest may borrow. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "proxy/sender.h"

struct pair {
    struct loop *loop;
    struct conn conn;
    int peer;
};

static void on_ready(struct conn *conn)
{
    (void)conn;
}

static void pair_open(struct pair *pair)
{
    int fds[2];
    const int small = 4096;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    assert_int_equal(setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)), 0);
    pair->loop = loop_create();
    assert_non_null(pair->loop);
    assert_true(conn_open(&pair->conn, pair->loop, fds[0], NULL, false, on_ready));
    pair->peer = fds[1];
}

static void pair_close(struct pair *pair)
{
    conn_close(&pair->conn);
    close(pair->peer);
    loop_destroy(pair->loop);
}

/* Everything the peer has now, behind what is in `text`. */
static void take(struct pair *pair, char *text, size_t *len, size_t room)
{
    ssize_t n;
    while ((n = read(pair->peer, text + *len, room - *len)) > 0)
        *len += (size_t)n;
    pair->conn.can_write = true; /* as the loop would say */
}

static void three_parts_arrive_in_order(void **state)
{
    (void)state;
    struct pair pair;
    struct sender sender = {0};
    char text[64];
    size_t len = 0, of_piece = 0;
    pair_open(&pair);
    sender_reset(&sender);
    sender_put_chunk(&sender, SLICE("hello"), true);
    assert_int_equal(sender_flush(&sender, &pair.conn, &of_piece), CONN_OK);
    assert_int_equal(of_piece, 5);
    assert_true(sender_is_empty(&sender));
    take(&pair, text, &len, sizeof(text));
    assert_true(slice_eq(slice_make(text, len), SLICE("5\r\nhello\r\n0\r\n\r\n")));
    assert_int_equal(sender.sent, len);
    sender_clear(&sender);
    pair_close(&pair);
}

static void absent_parts_are_nothing(void **state)
{
    (void)state;
    struct pair pair;
    struct sender sender = {0};
    char text[64];
    size_t len = 0;
    pair_open(&pair);
    sender_reset(&sender);
    sender.prefix = SLICE("head");
    sender.piece = sender.suffix = (struct slice){NULL, 0};
    assert_int_equal(sender_flush(&sender, &pair.conn, NULL), CONN_OK);
    take(&pair, text, &len, sizeof(text));
    assert_true(slice_eq(slice_make(text, len), SLICE("head")));
    sender_clear(&sender);
    pair_close(&pair);
}

/* The prefix lies in memory that others use as soon as sender_flush() returns. */
static void the_rest_of_a_borrowed_prefix_is_kept(void **state)
{
    (void)state;
    enum { BYTES = 60000 };
    struct pair pair;
    struct sender sender = {0};
    char *head = malloc(BYTES), *text = malloc(BYTES + 16);
    size_t len = 0, turns = 0;
    assert_non_null(head);
    assert_non_null(text);
    pair_open(&pair);
    sender_reset(&sender);
    memset(head, 'h', BYTES);
    sender.prefix = slice_make(head, BYTES);
    sender.piece = SLICE("body");
    assert_int_equal(sender_flush(&sender, &pair.conn, NULL), CONN_AGAIN);
    memset(head, 'x', BYTES); /* another request's head */
    enum conn_result result;
    do {
        take(&pair, text, &len, BYTES + 16);
        result = sender_flush(&sender, &pair.conn, NULL);
        assert_true(++turns < 1000);
    } while (result == CONN_AGAIN);
    assert_int_equal(result, CONN_OK);
    take(&pair, text, &len, BYTES + 16);
    assert_int_equal(len, BYTES + 4);
    assert_null(memchr(text, 'x', len));
    assert_memory_equal(text + BYTES, "body", 4);
    sender_clear(&sender);
    free(head);
    free(text);
    pair_close(&pair);
}

static void chunk_sizes_are_hexadecimal(void **state)
{
    (void)state;
    static const struct {
        size_t bytes;
        const char *line;
    } cases[] = {{0, "0\r\n"}, {15, "f\r\n"}, {16, "10\r\n"}, {65536, "10000\r\n"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char line[24];
        size_t len = sender_chunk_line(line, cases[i].bytes);
        assert_true(slice_eq(slice_make(line, len), slice_of(cases[i].line)));
    }
    char line[24];
    assert_int_equal(sender_chunk_line(line, SIZE_MAX), 18);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(three_parts_arrive_in_order),
        cmocka_unit_test(absent_parts_are_nothing),
        cmocka_unit_test(the_rest_of_a_borrowed_prefix_is_kept),
        cmocka_unit_test(chunk_sizes_are_hexadecimal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
