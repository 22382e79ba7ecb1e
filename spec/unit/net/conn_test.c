/* SPDX-License-Identifier: Apache-2.0 */
/* conn_test.c -- plain connections: edges, ends of file, resets, back-pressure, connecting. TLS is
 * in tls_test.c. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/conn.h"
#include "net_fixture.h"

enum { BIG = 8 << 20 };

struct end {
    struct conn conn;
    struct loop *loop;
    char got[256];
    size_t len;
    size_t room; /* of one read; 0: all that fits */
    enum conn_result result;
    enum conn_result until; /* stop the loop at this result, or at `want` bytes */
    size_t want;
    int calls;
    size_t to_send, sent;
    bool is_closed_in_callback;
};

static void on_readable(struct conn *conn)
{
    struct end *end = (struct end *)(void *)conn;
    end->calls++;
    do {
        size_t room = end->room != 0 ? end->room : sizeof(end->got) - end->len;
        size_t bytes;
        end->result = conn_read(conn, end->got + end->len, room, &bytes);
        end->len += bytes;
    } while (end->result == CONN_OK);
    if (end->result == end->until || (end->want != 0 && end->len >= end->want))
        loop_stop(end->loop);
}

/* A connection on fds[0]; fds[1] is the peer, blocking. */
static void open_end(struct end *end, int fds[2])
{
    *end = (struct end){.loop = loop_create(), .until = CONN_FAILED};
    net_fixture_tcp_pair(fds);
    assert_true(conn_open(&end->conn, end->loop, fds[0], NULL, false, on_readable));
}

static void close_end(struct end *end, int fds[2])
{
    conn_close(&end->conn);
    if (fds[1] >= 0)
        close(fds[1]);
    loop_destroy(end->loop);
}

static void send_text(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static void data_from_before_the_registration_is_reported(void **state)
{
    (void)state;
    int fds[2];
    struct end end = {.loop = loop_create(), .until = CONN_FAILED, .want = 5};
    net_fixture_tcp_pair(fds);
    send_text(fds[1], "early");
    assert_true(conn_open(&end.conn, end.loop, fds[0], NULL, false, on_readable));
    assert_true(net_fixture_run(end.loop, 5000));
    assert_memory_equal(end.got, "early", 5);
    close_end(&end, fds);
}

static void an_accepted_connection_may_be_read_and_written_at_once(void **state)
{
    (void)state;
    int fds[2];
    struct end end;
    open_end(&end, fds);
    size_t bytes;
    struct iovec parts[] = {{(char[]){"ab"}, 2}, {(char[]){"c"}, 1}};
    assert_int_equal(conn_writev(&end.conn, parts, 2, &bytes), CONN_OK);
    assert_int_equal(bytes, 3);
    char got[4] = "";
    assert_int_equal(recv(fds[1], got, 3, MSG_WAITALL), 3);
    assert_string_equal(got, "abc");
    assert_int_equal(conn_read(&end.conn, got, sizeof(got), &bytes), CONN_AGAIN);
    assert_int_equal(bytes, 0);
    close_end(&end, fds);
}

static void a_short_read_is_taken_for_the_end_of_the_data(void **state)
{
    (void)state;
    int fds[2];
    struct end end;
    open_end(&end, fds);
    size_t bytes;
    char got[8];
    send_text(fds[1], "12345");
    assert_int_equal(conn_read(&end.conn, got, 3, &bytes), CONN_OK);
    assert_true(end.conn.can_read); /* a full read may have left something */
    assert_int_equal(conn_read(&end.conn, got, 3, &bytes), CONN_OK);
    assert_int_equal(bytes, 2);
    assert_false(end.conn.can_read);
    send_text(fds[1], "6");
    assert_int_equal(conn_read(&end.conn, got, 3, &bytes), CONN_AGAIN); /* not before the event */
    end.want = 1;
    assert_true(net_fixture_run(end.loop, 5000));
    assert_memory_equal(end.got, "6", 1);
    close_end(&end, fds);
}

static void data_that_comes_together_with_the_end_of_file_is_read_first(void **state)
{
    (void)state;
    for (size_t room = 1; room <= 5; room++) {
        int fds[2];
        struct end end;
        open_end(&end, fds);
        end.until = CONN_EOF;
        end.room = room;
        send_text(fds[1], "last");
        close(fds[1]);
        fds[1] = -1;
        assert_true(net_fixture_run(end.loop, 5000));
        assert_int_equal(end.len, 4);
        assert_memory_equal(end.got, "last", 4);
        assert_true(end.conn.has_peer_closed);
        close_end(&end, fds);
    }
}

static void a_peer_that_closes_later_is_noticed(void **state)
{
    (void)state;
    int fds[2];
    struct end end;
    open_end(&end, fds);
    end.want = 2;
    send_text(fds[1], "ab");
    assert_true(net_fixture_run(end.loop, 5000));
    end.want = 0;
    end.until = CONN_EOF;
    close(fds[1]);
    fds[1] = -1;
    assert_true(net_fixture_run(end.loop, 5000));
    close_end(&end, fds);
}

static void a_peer_that_only_shut_down_its_side_still_gets_an_answer(void **state)
{
    (void)state;
    int fds[2];
    struct end end;
    open_end(&end, fds);
    end.until = CONN_EOF;
    send_text(fds[1], "ask");
    shutdown(fds[1], SHUT_WR);
    assert_true(net_fixture_run(end.loop, 5000));
    assert_int_equal(end.len, 3);
    size_t bytes;
    struct iovec part = {(char[]){"answer"}, 6};
    assert_int_equal(conn_writev(&end.conn, &part, 1, &bytes), CONN_OK);
    conn_shutdown(&end.conn);
    char got[8];
    assert_int_equal(recv(fds[1], got, sizeof(got), MSG_WAITALL), 6);
    close_end(&end, fds);
}

static void reset_peer(int *fd)
{
    const struct linger linger = {1, 0};
    assert_int_equal(setsockopt(*fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)), 0);
    close(*fd);
    *fd = -1;
}

static void a_reset_is_a_failure_with_its_reason(void **state)
{
    (void)state;
    int fds[2];
    struct end end;
    open_end(&end, fds);
    net_fixture_run_for(end.loop, 20);
    reset_peer(&fds[1]);
    assert_true(net_fixture_run(end.loop, 5000));
    assert_int_equal(end.conn.error, ECONNRESET);
    assert_string_equal(conn_error_text(&end.conn), "Connection reset by peer");
    close_end(&end, fds);
}

static void a_reset_that_came_together_with_data_is_noticed_after_them(void **state)
{
    (void)state;
    int fds[2];
    struct end end;
    open_end(&end, fds);
    send_text(fds[1], "half");
    reset_peer(&fds[1]);
    assert_true(net_fixture_run(end.loop, CONN_RECHECK_MS + 5000));
    assert_int_equal(end.result, CONN_FAILED);
    assert_int_equal(end.conn.error, ECONNRESET);
    close_end(&end, fds);
}

static void an_idle_connection_is_left_alone(void **state)
{
    (void)state;
    int fds[2];
    struct end end;
    open_end(&end, fds);
    end.want = 2;
    send_text(fds[1], "ab");
    assert_true(net_fixture_run(end.loop, 5000));
    int calls = end.calls;
    net_fixture_run_for(end.loop, 2 * CONN_RECHECK_MS);
    assert_int_equal(end.calls, calls);
    assert_int_equal(end.conn.recheck.at_ms, 0);
    close_end(&end, fds);
}

static void writing_to_a_peer_that_has_gone_fails_without_a_signal(void **state)
{
    (void)state;
    int fds[2];
    struct end end;
    open_end(&end, fds);
    reset_peer(&fds[1]);
    size_t bytes;
    struct iovec part = {(char[]){"x"}, 1};
    enum conn_result first = conn_writev(&end.conn, &part, 1, &bytes);
    assert_int_equal(first, CONN_FAILED);
    assert_true(end.conn.error == ECONNRESET || end.conn.error == EPIPE);
    assert_int_equal(conn_writev(&end.conn, &part, 1, &bytes), CONN_FAILED);
    close_end(&end, fds);
}

static void an_answer_sent_before_the_peer_refused_more_can_still_be_read(void **state)
{
    (void)state;
    int fds[2];
    struct end end;
    open_end(&end, fds);
    size_t bytes;
    struct iovec part = {(char[]){"body"}, 4};
    assert_int_equal(conn_writev(&end.conn, &part, 1, &bytes), CONN_OK);
    send_text(fds[1], "413");
    close(fds[1]); /* with unread data: a reset */
    fds[1] = -1;
    assert_int_equal(conn_writev(&end.conn, &part, 1, &bytes), CONN_FAILED);
    assert_int_equal(conn_read(&end.conn, end.got, sizeof(end.got), &bytes), CONN_OK);
    assert_memory_equal(end.got, "413", 3);
    assert_true(conn_read(&end.conn, end.got, sizeof(end.got), &bytes) != CONN_OK);
    close_end(&end, fds);
}

/* --- back-pressure --- */

static unsigned char byte_at(size_t position)
{
    return (unsigned char)(position * 7 + position / 251);
}

static void on_writable(struct conn *conn)
{
    struct end *end = (struct end *)(void *)conn;
    enum conn_result result = CONN_OK;
    while (end->sent < end->to_send && result == CONN_OK) {
        unsigned char chunk[3][5000];
        struct iovec parts[3];
        for (size_t i = 0; i < 3; i++) {
            for (size_t k = 0; k < sizeof(chunk[i]); k++)
                chunk[i][k] = byte_at(end->sent + i * sizeof(chunk[i]) + k);
            parts[i] = (struct iovec){chunk[i], sizeof(chunk[i])};
        }
        size_t bytes;
        result = conn_writev(conn, parts, 3, &bytes);
        end->sent += bytes;
    }
    end->result = result;
    end->calls++;
    if (result != CONN_OK || end->sent >= end->to_send)
        loop_stop(end->loop);
}

static void a_full_peer_stops_writing_until_it_reads_again(void **state)
{
    (void)state;
    int fds[2];
    struct end end = {.loop = loop_create(), .to_send = BIG};
    net_fixture_tcp_pair(fds);
    assert_true(conn_open(&end.conn, end.loop, fds[0], NULL, false, on_writable));
    unsigned char *got = malloc(BIG + 15000);
    assert_non_null(got);
    size_t len = 0;
    int waits = 0;
    while (end.sent < end.to_send) {
        assert_true(net_fixture_run(end.loop, 5000));
        if (end.result == CONN_AGAIN) {
            assert_false(end.conn.can_write);
            waits++;
        }
        while (len < end.sent) {
            ssize_t n = recv(fds[1], got + len, end.sent - len, 0);
            assert_true(n > 0);
            len += (size_t)n;
        }
    }
    assert_true(waits > 0);
    for (size_t i = 0; i < len; i++) {
        if (got[i] != byte_at(i))
            fail_msg("byte %zu is wrong", i);
    }
    free(got);
    close_end(&end, fds);
}

/* --- connecting and closing --- */

static void on_connecting(struct conn *conn)
{
    struct end *end = (struct end *)(void *)conn;
    end->result = conn_establish(conn);
    if (end->result != CONN_AGAIN)
        loop_stop(end->loop);
}

static struct sockaddr_in loopback(int port)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)port),
                                .sin_addr = {htonl(INADDR_LOOPBACK)}};
}

static void connecting_to_a_listening_port_succeeds(void **state)
{
    (void)state;
    struct end end = {.loop = loop_create()};
    int port;
    int listening = net_fixture_listen(&port);
    struct sockaddr_in address = loopback(port);
    assert_true(conn_connect(&end.conn, end.loop, (struct sockaddr *)&address, sizeof(address),
                             NULL, on_connecting));
    size_t bytes;
    struct iovec part = {(char[]){"hi"}, 2};
    if (end.conn.is_connecting) {
        assert_int_equal(conn_establish(&end.conn), CONN_AGAIN);
        assert_int_equal(conn_writev(&end.conn, &part, 1, &bytes), CONN_AGAIN);
    }
    assert_true(net_fixture_run(end.loop, 5000));
    assert_int_equal(end.result, CONN_OK);
    assert_int_equal(conn_writev(&end.conn, &part, 1, &bytes), CONN_OK);
    conn_close(&end.conn);
    close(listening);
    loop_destroy(end.loop);
}

static void connecting_to_a_closed_port_fails_with_its_reason(void **state)
{
    (void)state;
    struct end end = {.loop = loop_create()};
    struct sockaddr_in address = loopback(net_fixture_free_port());
    if (conn_connect(&end.conn, end.loop, (struct sockaddr *)&address, sizeof(address), NULL,
                     on_connecting)) {
        assert_true(net_fixture_run(end.loop, 5000));
        assert_int_equal(end.result, CONN_FAILED);
    }
    assert_int_equal(end.conn.error, ECONNREFUSED);
    assert_string_equal(conn_error_text(&end.conn), "Connection refused");
    conn_close(&end.conn);
    loop_destroy(end.loop);
}

static void a_connection_that_cannot_begin_says_why_and_is_closed(void **state)
{
    (void)state;
    struct end end = {.loop = loop_create()};
    struct sockaddr_in address = loopback(1);
    address.sin_addr.s_addr = htonl(INADDR_BROADCAST);
    assert_false(conn_connect(&end.conn, end.loop, (struct sockaddr *)&address, sizeof(address),
                              NULL, on_connecting));
    assert_true(end.conn.error != 0);
    assert_false(conn_is_open(&end.conn));
    conn_close(&end.conn);
    loop_destroy(end.loop);
}

static void on_close_it(struct conn *conn)
{
    struct end *end = (struct end *)(void *)conn;
    conn_close(conn);
    conn_close(conn);
    loop_stop(end->loop);
    memset(conn, 0xee, sizeof(*conn)); /* nobody may look at it any more */
    end->is_closed_in_callback = true;
}

static void a_connection_may_be_closed_twice_and_inside_its_callback(void **state)
{
    (void)state;
    int fds[2];
    struct end end = {.loop = loop_create()};
    net_fixture_tcp_pair(fds);
    assert_true(conn_open(&end.conn, end.loop, fds[0], NULL, false, on_close_it));
    send_text(fds[1], "x");
    assert_true(net_fixture_run(end.loop, 5000));
    assert_true(end.is_closed_in_callback);
    char byte;
    assert_true(recv(fds[1], &byte, 1, 0) <= 0);
    close(fds[1]);
    loop_destroy(end.loop);
}

int main(void)
{
    net_fixture_guard(60);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(data_from_before_the_registration_is_reported),
        cmocka_unit_test(an_accepted_connection_may_be_read_and_written_at_once),
        cmocka_unit_test(a_short_read_is_taken_for_the_end_of_the_data),
        cmocka_unit_test(data_that_comes_together_with_the_end_of_file_is_read_first),
        cmocka_unit_test(a_peer_that_closes_later_is_noticed),
        cmocka_unit_test(a_peer_that_only_shut_down_its_side_still_gets_an_answer),
        cmocka_unit_test(a_reset_is_a_failure_with_its_reason),
        cmocka_unit_test(a_reset_that_came_together_with_data_is_noticed_after_them),
        cmocka_unit_test(an_idle_connection_is_left_alone),
        cmocka_unit_test(writing_to_a_peer_that_has_gone_fails_without_a_signal),
        cmocka_unit_test(an_answer_sent_before_the_peer_refused_more_can_still_be_read),
        cmocka_unit_test(a_full_peer_stops_writing_until_it_reads_again),
        cmocka_unit_test(connecting_to_a_listening_port_succeeds),
        cmocka_unit_test(connecting_to_a_closed_port_fails_with_its_reason),
        cmocka_unit_test(a_connection_that_cannot_begin_says_why_and_is_closed),
        cmocka_unit_test(a_connection_may_be_closed_twice_and_inside_its_callback),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
