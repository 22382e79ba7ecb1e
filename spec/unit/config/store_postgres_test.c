/* SPDX-License-Identifier: Apache-2.0 */
/* store_postgres_test.c -- what only the PostgreSQL store does; nothing without SLUICE_TEST_PG. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "store_fixture.h"

static PGconn *pg_connect(const struct fixture *f)
{
    char port[16];
    snprintf(port, sizeof(port), "%d", f->options.pg.port);
    PGconn *conn = PQsetdbLogin(f->options.pg.host, port, NULL, NULL, f->options.pg.database,
                                f->options.pg.user, f->options.pg.password);
    assert_int_equal(PQstatus(conn), CONNECTION_OK);
    return conn;
}

static void pg_exec(PGconn *conn, const char *sql)
{
    PGresult *result = PQexec(conn, sql);
    ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        fail_msg("%s: %s", sql, PQerrorMessage(conn));
    PQclear(result);
}

static void a_broken_connection_is_replaced_for_reads_and_writes(void **state)
{
    struct fixture *f = *state;
    PGconn *admin = pg_connect(f);
    const char *kill_all = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE "
                           "application_name = 'sluice' AND pid <> pg_backend_pid()";
    json_t *row = NULL;
    pg_exec(admin, kill_all);
    EXPECT(STORE_NOT_FOUND, store_select(f->store, find("services"), SERVICE_1, &row, &f->error));
    pg_exec(admin, kill_all);
    EXPECT(STORE_OK, insert(f, "services", service_row(SERVICE_1, "one", "null")));
    PQfinish(admin);
}

static void a_connection_lost_in_a_consistent_read_is_not_replaced_silently(void **state)
{
    struct fixture *f = *state;
    PGconn *admin = pg_connect(f);
    json_t *row = NULL;
    EXPECT(STORE_OK, store_read_begin(f->store, &f->error));
    pg_exec(admin, "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE "
                   "application_name = 'sluice'");
    EXPECT(STORE_UNAVAILABLE, store_select(f->store, find("services"), SERVICE_1, &row, &f->error));
    EXPECT(STORE_UNAVAILABLE, store_select(f->store, find("services"), SERVICE_1, &row, &f->error));
    store_read_end(f->store);
    EXPECT(STORE_NOT_FOUND, store_select(f->store, find("services"), SERVICE_1, &row, &f->error));
    PQfinish(admin);
}

static void a_write_that_waits_too_long_for_a_lock_is_unavailable(void **state)
{
    struct fixture *f = *state;
    PGconn *admin = pg_connect(f);
    char lock[128];
    snprintf(lock, sizeof(lock), "BEGIN; SELECT 1 FROM %s.config_version FOR UPDATE",
             f->options.pg.schema);
    pg_exec(admin, lock);
    int64_t start_ms = clock_now_ms();
    EXPECT(STORE_UNAVAILABLE, insert(f, "services", service_row(SERVICE_1, "one", "null")));
    assert_in_range(clock_now_ms() - start_ms, 1000, PG_TIMEOUT_MS + 1000);
    pg_exec(admin, "ROLLBACK");
    EXPECT(STORE_OK, insert(f, "services", service_row(SERVICE_1, "one", "null")));
    PQfinish(admin);
}

static void a_write_wakes_the_listeners_of_the_channel(void **state)
{
    struct fixture *f = *state;
    PGconn *listener = pg_connect(f);
    pg_exec(listener, "LISTEN sluice_config");
    put(f, "services", service_row(SERVICE_1, "one", "null"));
    struct pollfd socket = {.fd = PQsocket(listener), .events = POLLIN};
    PGnotify *notice = NULL;
    while (notice == NULL && poll(&socket, 1, DEADLINE_MS) > 0 && PQconsumeInput(listener))
        notice = PQnotifies(listener);
    assert_non_null(notice);
    assert_string_equal(notice->relname, "sluice_config");
    PQfreemem(notice);
    PQfinish(listener);
}

/* Copies what comes until either side ends. */
static void relay(int from, int to)
{
    char bytes[4096];
    struct pollfd sides[2] = {{.fd = from, .events = POLLIN}, {.fd = to, .events = POLLIN}};
    while (poll(sides, 2, -1) > 0)
        for (int i = 0; i < 2; i++) {
            if (sides[i].revents == 0)
                continue;
            ssize_t got = read(sides[i].fd, bytes, sizeof(bytes));
            if (got <= 0 || write(sides[1 - i].fd, bytes, (size_t)got) != got)
                return;
        }
}

static int listen_on_loopback(int *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(fd, 8), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    *port = ntohs(address.sin_port);
    return fd;
}

/* A child process between the store and the server, which can be made to hang. */
static pid_t start_relay(const struct fixture *f, int listener)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child > 0)
        return child;
    for (;;) {
        struct sockaddr_in server = {.sin_family = AF_INET};
        server.sin_port = htons((uint16_t)f->options.pg.port);
        inet_pton(AF_INET, f->options.pg.host, &server.sin_addr);
        int from = accept(listener, NULL, NULL), to = socket(AF_INET, SOCK_STREAM, 0);
        if (from < 0 || connect(to, (struct sockaddr *)&server, sizeof(server)) != 0)
            _exit(1);
        relay(from, to);
        close(from);
        close(to);
    }
}

static void a_server_that_hangs_ends_in_unavailable_within_the_timeout(void **state)
{
    struct fixture *f = *state;
    struct options options = f->options;
    json_t *row = NULL;
    int listener = listen_on_loopback(&options.pg.port), status;
    options.pg.timeout_ms = 400;
    pid_t child = start_relay(f, listener);
    struct store *store = store_open(&options, NULL, &f->error);
    assert_non_null(store);
    EXPECT(STORE_NOT_FOUND, store_select(store, find("services"), SERVICE_1, &row, &f->error));
    kill(child, SIGSTOP);
    waitpid(child, &status, WUNTRACED);
    for (int i = 0; i < 2; i++) { /* the connection that is open, then the one to be opened */
        int64_t start_ms = clock_now_ms();
        EXPECT(STORE_UNAVAILABLE,
               store_select(store, find("services"), SERVICE_1, &row, &f->error));
        assert_in_range(clock_now_ms() - start_ms, 300, 1500);
        assert_non_null(strstr(f->error.text, "no answer within 400 ms"));
    }
    json_t *service = service_row(SERVICE_1, "one", "null");
    EXPECT(STORE_UNAVAILABLE, store_insert(store, find("services"), service, &f->error));
    json_decref(service);
    kill(child, SIGCONT);
    enum store_result result;
    int64_t deadline_ms = clock_now_ms() + DEADLINE_MS;
    do
        result = store_select(store, find("services"), SERVICE_1, &row, &f->error);
    while (result == STORE_UNAVAILABLE && clock_now_ms() < deadline_ms);
    EXPECT(STORE_NOT_FOUND, result);
    store_close(store);
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    close(listener);
}

static void connection_errors_say_where_why_and_what_to_do_on_one_line(void **state)
{
    struct fixture *f = *state;
    char where[128], nothing[] = "no_such_database", nobody[] = "no_such_user";
    int port;
    struct options options = f->options;
    options.pg.database = nothing;
    assert_null(store_open(&options, NULL, &f->error));
    snprintf(where, sizeof(where),
             "PostgreSQL at %s:%d, user \"%s\", database \"%s\": ", options.pg.host,
             options.pg.port, options.pg.user, nothing);
    assert_memory_equal(f->error.text, where, strlen(where));
    assert_non_null(strstr(f->error.text, "check pg_database"));
    assert_null(strchr(f->error.text, '\n'));
    options = f->options;
    options.pg.user = nobody;
    assert_null(store_open(&options, NULL, &f->error));
    assert_non_null(strstr(f->error.text, "check pg_user and pg_password"));
    options = f->options;
    int listener = listen_on_loopback(&port);
    close(listener); /* nobody listens there now */
    options.pg.port = port;
    assert_null(store_open(&options, NULL, &f->error));
    assert_non_null(strstr(f->error.text, "Connection refused"));
    assert_non_null(strstr(f->error.text, "check pg_host and pg_port"));
}

static void the_tables_of_kong_are_recognised_and_left_alone(void **state)
{
    struct fixture *f = *state;
    PGconn *admin = pg_connect(f);
    char sql[128];
    int applied;
    EXPECT(STORE_OK, store_reset(f->store, &f->error));
    snprintf(sql, sizeof(sql), "CREATE TABLE %s.schema_meta (key TEXT)", f->options.pg.schema);
    pg_exec(admin, sql);
    EXPECT(STORE_FAILED, store_migrate(f->store, DEADLINE_MS, &applied, &f->error));
    assert_non_null(strstr(f->error.text, "Kong"));
    snprintf(sql, sizeof(sql), "DROP TABLE %s.schema_meta", f->options.pg.schema);
    pg_exec(admin, sql);
    PQfinish(admin);
}

int main(void)
{
    struct CMUnitTest postgres_tests[] = {
        TEST(a_broken_connection_is_replaced_for_reads_and_writes),
        TEST(a_connection_lost_in_a_consistent_read_is_not_replaced_silently),
        TEST(a_write_that_waits_too_long_for_a_lock_is_unavailable),
        TEST(a_write_wakes_the_listeners_of_the_channel),
        TEST(a_server_that_hangs_ends_in_unavailable_within_the_timeout),
        TEST(connection_errors_say_where_why_and_what_to_do_on_one_line),
        TEST(the_tables_of_kong_are_recognised_and_left_alone),
    };
    struct kind postgres;
    if (!postgres_kind(&postgres)) {
        puts("SLUICE_TEST_PG is not set: PostgreSQL not tested");
        return 0;
    }
    int failed = RUN_TESTS(postgres_tests, &postgres);
    postgres_kind_clear(&postgres);
    schema_shutdown();
    return failed;
}
