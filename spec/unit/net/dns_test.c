/* SPDX-License-Identifier: Apache-2.0 */
/* dns_test.c -- names to addresses through the whole of dns.h, against a server in a thread. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "dns_server.h"
#include "net/dns.h"
#include "net/loop.h"
#include "net_fixture.h"

enum { WAIT_MS = 5000, TIMEOUT_MS = 1000 };

struct bench {
    struct dns_server *server;
    struct dns_cache *cache;
    struct loop *loop;
    struct dns_resolver *resolver;
};

static struct dns_config config_for(const struct dns_server *server)
{
    return (struct dns_config){.servers = dns_server_address(server),
                               .hosts_file = "/dev/null",
                               .valid_ttl_ms = -1,
                               .stale_ttl_ms = 60000,
                               .not_found_ttl_ms = 30000,
                               .error_ttl_ms = 30,
                               .cache_size = 100,
                               .timeout_ms = TIMEOUT_MS};
}

static void open_with(struct bench *bench, struct dns_server *server,
                      const struct dns_config *config)
{
    bench->server = server;
    bench->cache = dns_cache_create(config, NULL);
    bench->loop = loop_create();
    bench->resolver = dns_resolver_create(bench->cache, bench->loop);
    assert_non_null(bench->resolver);
}

static void open_bench(struct bench *bench)
{
    struct dns_server *server = dns_server_start();
    const struct dns_config config = config_for(server);
    open_with(bench, server, &config);
}

static void close_bench(struct bench *bench)
{
    dns_resolver_destroy(bench->resolver);
    dns_cache_destroy(bench->cache);
    loop_destroy(bench->loop);
    dns_server_stop(bench->server);
}

struct waiting {
    struct loop *loop;
    struct dns_answer *answer;
    int calls;
};

static void on_answer(void *context, struct dns_answer *answer)
{
    struct waiting *waiting = context;
    waiting->answer = dns_answer_ref(answer);
    waiting->calls++;
    loop_stop(waiting->loop);
}

/* Asks and waits; the caller gives the answer back. */
static struct dns_answer *ask(struct bench *bench, const char *name)
{
    struct waiting waiting = {.loop = bench->loop};
    assert_non_null(dns_ask(bench->resolver, slice_of(name), on_answer, &waiting));
    assert_int_equal(waiting.calls, 0); /* never from inside */
    if (!net_fixture_run(bench->loop, WAIT_MS))
        fail_msg("no answer for '%s'", name);
    assert_int_equal(waiting.calls, 1);
    return waiting.answer;
}

/* "10.0.0.1 10.0.0.2:80*3 [::1]", or the error. Port and weight only if they are set. */
static const char *text_of(const struct dns_answer *answer, char *out, size_t size)
{
    size_t len = 0;
    out[0] = '\0';
    if (answer->is_error)
        return answer->text;
    for (size_t i = 0; i < answer->count; i++) {
        const struct dns_address *item = &answer->addresses[i];
        char ip[64];
        int port;
        if (item->address.ss_family == AF_INET) {
            const struct sockaddr_in *v4 = (const struct sockaddr_in *)&item->address;
            (void)inet_ntop(AF_INET, &v4->sin_addr, ip, sizeof(ip));
            port = ntohs(v4->sin_port);
        } else {
            const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&item->address;
            ip[0] = '[';
            (void)inet_ntop(AF_INET6, &v6->sin6_addr, ip + 1, sizeof(ip) - 2);
            (void)strcat(ip, "]");
            port = ntohs(v6->sin6_port);
        }
        len += (size_t)snprintf(out + len, size - len, "%s%s", i > 0 ? " " : "", ip);
        if (port != 0)
            len += (size_t)snprintf(out + len, size - len, ":%d*%d", port, item->weight);
    }
    return out;
}

static void expect(struct bench *bench, const char *name, const char *expected)
{
    char text[1024];
    struct dns_answer *answer = ask(bench, name);
    assert_string_equal(text_of(answer, text, sizeof(text)), expected);
    dns_answer_unref(answer);
}

/* Turns of the loop until `name` is known as `expected`. */
static void expect_soon(struct bench *bench, const char *name, const char *expected)
{
    int64_t until_ms = clock_now_ms() + WAIT_MS;
    char text[1024] = "";
    while (clock_now_ms() < until_ms) {
        struct dns_answer *answer = dns_known(bench->resolver, slice_of(name));
        bool is_expected =
            answer != NULL && strcmp(text_of(answer, text, sizeof(text)), expected) == 0;
        dns_answer_unref(answer);
        if (is_expected)
            return;
        net_fixture_run_for(bench->loop, 5);
    }
    fail_msg("'%s' is '%s', not '%s'", name, text, expected);
}

/* --- answers --- */

static void all_addresses_of_a_name_are_given_in_a_stable_order(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench);
    dns_server_set(bench.server, "a.test", DNS_SERVER_A, 60, "10.0.0.3 10.0.0.1 10.0.0.2 10.0.0.1");
    expect(&bench, "a.test", "10.0.0.1 10.0.0.2 10.0.0.3");
    close_bench(&bench);
}

static void a_known_answer_is_given_at_once_and_asked_for_once(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench);
    dns_server_set(bench.server, "a.test", DNS_SERVER_A, 60, "10.0.0.1");
    assert_null(dns_known(bench.resolver, SLICE("a.test")));
    expect(&bench, "a.test", "10.0.0.1");
    struct dns_answer *answer = dns_known(bench.resolver, SLICE("A.TEST"));
    assert_non_null(answer);
    int64_t left_ms = answer->expires_ms - clock_now_ms();
    assert_true(left_ms > 50000 && left_ms <= 60000);
    dns_answer_unref(answer);
    expect(&bench, "a.test", "10.0.0.1");
    assert_int_equal(dns_server_asked(bench.server, "a.test", DNS_SERVER_A), 1);
    assert_int_equal(dns_server_asked(bench.server, "a.test", DNS_SERVER_SRV), 0);
    close_bench(&bench);
}

static void questions_for_the_same_name_share_one_query(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench);
    dns_server_set(bench.server, "a.test", DNS_SERVER_A, 60, "10.0.0.1");
    struct waiting waiting[3];
    for (int i = 0; i < 3; i++) {
        waiting[i] = (struct waiting){.loop = bench.loop};
        assert_non_null(dns_ask(bench.resolver, SLICE("a.test"), on_answer, &waiting[i]));
    }
    assert_true(net_fixture_run(bench.loop, WAIT_MS));
    for (int i = 0; i < 3; i++) {
        assert_int_equal(waiting[i].calls, 1);
        dns_answer_unref(waiting[i].answer);
    }
    assert_int_equal(dns_server_asked(bench.server, "a.test", DNS_SERVER_A), 1);
    close_bench(&bench);
}

static void addresses_are_never_looked_up(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench);
    dns_server_set_mood(bench.server, DNS_SERVER_SILENT);
    expect(&bench, "127.0.0.1", "127.0.0.1");
    expect(&bench, "::1", "[::1]");
    expect(&bench, "[fe80::1]", "[fe80::1]");
    struct dns_answer *answer = dns_known(bench.resolver, SLICE("127.0.0.1"));
    assert_non_null(answer);
    assert_true(answer->version != 0);
    dns_answer_unref(answer);
    close_bench(&bench);
}

static void names_that_cannot_exist_are_errors_at_once(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench);
    char longer[400];
    memset(longer, 'a', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    const char *const names[] = {"",     ".",    "a..b", ".a",        "a b",
                                 "a\nb", "[::1", longer, longer + 300};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct dns_answer *answer = dns_known(bench.resolver, slice_of(names[i]));
        if (strcmp(names[i], "[::1") != 0) {
            assert_non_null(answer);
            assert_string_equal(answer->text, "dns client error: 102 invalid name");
        }
        dns_answer_unref(answer);
    }
    close_bench(&bench);
}

/* --- types --- */

static void a_name_without_addresses_is_asked_for_its_services(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench);
    dns_server_set(bench.server, "web.test", DNS_SERVER_SRV, 60,
                   "1:5:8001:n1.test 1:0:8002:n2.test 2:9:9999:n3.test");
    dns_server_set(bench.server, "n1.test", DNS_SERVER_A, 60, "10.0.0.1 10.0.0.2");
    dns_server_set(bench.server, "n2.test", DNS_SERVER_A, 60, "10.0.0.3");
    expect(&bench, "web.test", "10.0.0.1:8001*5 10.0.0.2:8001*5 10.0.0.3:8002*1");
    assert_int_equal(dns_server_asked(bench.server, "n3.test", DNS_SERVER_A), 0);
    close_bench(&bench);
}

static void a_service_name_is_asked_for_its_services_first(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench);
    dns_server_set(bench.server, "_http._tcp.test", DNS_SERVER_SRV, 60, "0:1:80:n1.test");
    dns_server_set(bench.server, "n1.test", DNS_SERVER_A, 5, "10.0.0.1");
    struct dns_answer *answer = ask(&bench, "_http._tcp.test");
    char text[64];
    assert_string_equal(text_of(answer, text, sizeof(text)), "10.0.0.1:80*1");
    assert_true(answer->expires_ms <= clock_now_ms() + 5000); /* the shortest TTL of all */
    dns_answer_unref(answer);
    assert_int_equal(dns_server_asked(bench.server, "_http._tcp.test", DNS_SERVER_A), 0);
    close_bench(&bench);
}

static void services_without_reachable_targets_are_no_answer(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench);
    dns_server_set(bench.server, "_a._tcp.test", DNS_SERVER_SRV, 60, "0:1:80:gone.test");
    expect(&bench, "_a._tcp.test", "dns client error: 101 empty record received");
    close_bench(&bench);
}

static void the_order_says_what_is_asked_and_the_last_success_goes_first(void **state)
{
    (void)state;
    const struct {
        const char *order, *first, *second;
        int asked_a, asked_aaaa, asked_srv;
    } cases[] = {
        {"A", "10.0.0.1", "10.0.0.1", 2, 0, 0},
        {"AAAA,A", "[fd00::1]", "[fd00::1]", 0, 2, 0},
        {"SRV,AAAA", "[fd00::1]", "[fd00::1]", 0, 2, 2},
        {"LAST,SRV,AAAA", "[fd00::1]", "[fd00::1]", 0, 2, 1},
        {"last,srv,a,cname", "10.0.0.1", "10.0.0.1", 2, 0, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct bench bench;
        struct dns_server *server = dns_server_start();
        struct dns_config config = config_for(server);
        config.order = cases[i].order;
        config.valid_ttl_ms = 0;
        config.stale_ttl_ms = 0;
        open_with(&bench, server, &config);
        dns_server_set(server, "a.test", DNS_SERVER_A, 60, "10.0.0.1");
        dns_server_set(server, "a.test", DNS_SERVER_AAAA, 60, "fd00::1");
        expect(&bench, "a.test", cases[i].first);
        expect(&bench, "a.test", cases[i].second);
        assert_int_equal(dns_server_asked(server, "a.test", DNS_SERVER_A), cases[i].asked_a);
        assert_int_equal(dns_server_asked(server, "a.test", DNS_SERVER_AAAA), cases[i].asked_aaaa);
        assert_int_equal(dns_server_asked(server, "a.test", DNS_SERVER_SRV), cases[i].asked_srv);
        close_bench(&bench);
    }
}

/* --- time --- */

static void an_expired_answer_is_served_while_a_new_one_is_fetched(void **state)
{
    (void)state;
    struct bench bench;
    struct dns_server *server = dns_server_start();
    struct dns_config config = config_for(server);
    config.valid_ttl_ms = 40;
    open_with(&bench, server, &config);
    dns_server_set(server, "a.test", DNS_SERVER_A, 60, "10.0.0.1 10.0.0.2");
    struct dns_answer *first = ask(&bench, "a.test");
    dns_server_set(server, "a.test", DNS_SERVER_A, 60, "10.0.0.2 10.0.0.1");
    net_fixture_run_for(bench.loop, 60);
    struct dns_answer *stale = dns_known(bench.resolver, SLICE("a.test"));
    assert_ptr_equal(stale, first);
    dns_answer_unref(stale);
    int64_t until_ms = clock_now_ms() + WAIT_MS;
    while (dns_server_asked(server, "a.test", DNS_SERVER_A) < 2 && clock_now_ms() < until_ms)
        net_fixture_run_for(bench.loop, 5);
    expect_soon(&bench, "a.test", "10.0.0.1 10.0.0.2");
    struct dns_answer *same = ask(&bench, "a.test");
    assert_int_equal(same->version, first->version); /* the same set */
    dns_answer_unref(same);
    dns_server_set(server, "a.test", DNS_SERVER_A, 60, "10.0.0.2 10.0.0.3");
    expect_soon(&bench, "a.test", "10.0.0.2 10.0.0.3");
    struct dns_answer *other = ask(&bench, "a.test");
    assert_true(other->version != first->version);
    dns_answer_unref(other);
    dns_answer_unref(first);
    close_bench(&bench);
}

static void while_the_server_is_silent_or_fails_the_old_answer_is_served(void **state)
{
    (void)state;
    const enum dns_server_mood moods[] = {DNS_SERVER_SILENT, DNS_SERVER_FAILING, DNS_SERVER_GARBAGE,
                                          DNS_SERVER_TRUNCATED};
    for (size_t i = 0; i < sizeof(moods) / sizeof(moods[0]); i++) {
        struct bench bench;
        struct dns_server *server = dns_server_start();
        struct dns_config config = config_for(server);
        config.valid_ttl_ms = 20;
        config.timeout_ms = 150;
        open_with(&bench, server, &config);
        dns_server_set(server, "a.test", DNS_SERVER_A, 60, "10.0.0.1");
        expect(&bench, "a.test", "10.0.0.1");
        dns_server_set_mood(server, moods[i]);
        net_fixture_run_for(bench.loop, 30);
        for (int k = 0; k < 20; k++) {
            struct dns_answer *known = dns_known(bench.resolver, SLICE("a.test"));
            assert_non_null(known);
            assert_false(known->is_error);
            dns_answer_unref(known);
            net_fixture_run_for(bench.loop, 20);
        }
        assert_true(dns_server_asked(server, "a.test", DNS_SERVER_A) > 1);
        dns_server_set(server, "a.test", DNS_SERVER_A, 60, "10.0.0.9");
        dns_server_set_mood(server, DNS_SERVER_HONEST);
        expect_soon(&bench, "a.test", "10.0.0.9");
        close_bench(&bench);
    }
}

static void a_name_that_is_gone_is_no_longer_served(void **state)
{
    (void)state;
    struct bench bench;
    struct dns_server *server = dns_server_start();
    struct dns_config config = config_for(server);
    config.valid_ttl_ms = 20;
    open_with(&bench, server, &config);
    dns_server_set(server, "a.test", DNS_SERVER_A, 60, "10.0.0.1");
    expect(&bench, "a.test", "10.0.0.1");
    dns_server_set(server, "a.test", DNS_SERVER_A, 60, "");
    expect_soon(&bench, "a.test", "dns client error: 101 empty record received");
    close_bench(&bench);
}

static void an_answer_older_than_its_stale_time_is_not_served(void **state)
{
    (void)state;
    struct bench bench;
    struct dns_server *server = dns_server_start();
    struct dns_config config = config_for(server);
    config.valid_ttl_ms = 10;
    config.stale_ttl_ms = 10;
    config.timeout_ms = 150;
    open_with(&bench, server, &config);
    dns_server_set(server, "a.test", DNS_SERVER_A, 60, "10.0.0.1");
    expect(&bench, "a.test", "10.0.0.1");
    dns_server_set_mood(server, DNS_SERVER_SILENT);
    net_fixture_run_for(bench.loop, 40);
    assert_null(dns_known(bench.resolver, SLICE("a.test")));
    expect(&bench, "a.test", "dns client error: timeout");
    close_bench(&bench);
}

static void a_ttl_of_zero_counts_as_one_second(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench);
    dns_server_set(bench.server, "a.test", DNS_SERVER_A, 0, "10.0.0.1");
    struct dns_answer *answer = ask(&bench, "a.test");
    int64_t left_ms = answer->expires_ms - clock_now_ms();
    assert_true(left_ms > 500 && left_ms <= 1000);
    dns_answer_unref(answer);
    close_bench(&bench);
}

/* --- failures --- */

static void a_name_that_does_not_exist_is_remembered_as_such(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench);
    struct dns_answer *answer = ask(&bench, "none.test");
    assert_true(answer->is_error);
    assert_true(answer->is_not_found);
    assert_string_equal(answer->text, "dns server error: 3 name error");
    dns_answer_unref(answer);
    int asked = dns_server_asked(bench.server, "none.test", DNS_SERVER_A);
    expect(&bench, "none.test", "dns server error: 3 name error");
    assert_int_equal(dns_server_asked(bench.server, "none.test", DNS_SERVER_A), asked);
    assert_int_equal(dns_server_asked(bench.server, "none.test", DNS_SERVER_SRV), 0);
    close_bench(&bench);
}

static void a_server_that_does_not_help_is_an_error_within_the_timeout(void **state)
{
    (void)state;
    const struct {
        enum dns_server_mood mood;
        const char *text;
    } cases[] = {
        {DNS_SERVER_SILENT, "dns client error: timeout"},
        {DNS_SERVER_GARBAGE, "dns client error: timeout"},
        {DNS_SERVER_FAILING, "dns client error: no server gives an answer"},
        {DNS_SERVER_TRUNCATED, "dns client error: malformed answer"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct bench bench;
        struct dns_server *server = dns_server_start();
        struct dns_config config = config_for(server);
        config.timeout_ms = 300;
        open_with(&bench, server, &config);
        dns_server_set(server, "a.test", DNS_SERVER_A, 60, "10.0.0.1");
        dns_server_set_mood(server, cases[i].mood);
        int64_t before_ms = clock_now_ms();
        struct dns_answer *answer = ask(&bench, "a.test");
        assert_true(clock_now_ms() - before_ms < 2000);
        assert_string_equal(answer->text, cases[i].text);
        assert_false(answer->is_not_found);
        dns_answer_unref(answer);
        /* Errors are short-lived: the server is back, and so is the name. */
        dns_server_set_mood(server, DNS_SERVER_HONEST);
        net_fixture_run_for(bench.loop, 60);
        expect(&bench, "a.test", "10.0.0.1");
        close_bench(&bench);
    }
}

static void a_cancelled_question_is_not_answered(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench);
    dns_server_set(bench.server, "a.test", DNS_SERVER_A, 60, "10.0.0.1");
    struct waiting cancelled = {.loop = bench.loop};
    struct waiting waiting = {.loop = bench.loop};
    struct dns_query *query = dns_ask(bench.resolver, SLICE("a.test"), on_answer, &cancelled);
    assert_non_null(dns_ask(bench.resolver, SLICE("a.test"), on_answer, &waiting));
    dns_query_cancel(query);
    assert_true(net_fixture_run(bench.loop, WAIT_MS));
    assert_int_equal(cancelled.calls, 0);
    dns_answer_unref(waiting.answer);
    query = dns_ask(bench.resolver, SLICE("a.test"), on_answer, &cancelled); /* known */
    dns_query_cancel(query);
    net_fixture_run_for(bench.loop, 20);
    assert_int_equal(cancelled.calls, 0);
    close_bench(&bench);
}

static void a_resolver_may_be_destroyed_with_questions_open(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench);
    dns_server_set_mood(bench.server, DNS_SERVER_SILENT);
    struct waiting waiting = {.loop = bench.loop};
    assert_non_null(dns_ask(bench.resolver, SLICE("a.test"), on_answer, &waiting));
    assert_non_null(dns_ask(bench.resolver, SLICE("b.test"), on_answer, &waiting));
    assert_non_null(dns_ask(bench.resolver, SLICE("127.0.0.1"), on_answer, &waiting));
    close_bench(&bench);
    assert_int_equal(waiting.calls, 0);
}

static void an_answer_after_the_timeout_does_no_harm(void **state)
{
    (void)state;
    struct bench bench;
    struct dns_server *server = dns_server_start();
    struct dns_config config = config_for(server);
    config.timeout_ms = 60; /* shorter than c-ares' own tries */
    open_with(&bench, server, &config);
    dns_server_set(server, "a.test", DNS_SERVER_A, 60, "10.0.0.1");
    dns_server_set_mood(server, DNS_SERVER_SILENT);
    expect(&bench, "a.test", "dns client error: timeout");
    dns_server_set_mood(server, DNS_SERVER_HONEST);
    net_fixture_run_for(bench.loop, 100);
    expect(&bench, "a.test", "10.0.0.1");
    close_bench(&bench);
}

/* --- the hosts file, threads, configuration --- */

static void write_text(const char *path, const char *text)
{
    char partial[128];
    (void)snprintf(partial, sizeof(partial), "%s.new", path);
    FILE *file = fopen(partial, "w");
    assert_non_null(file);
    (void)fputs(text, file);
    fclose(file);
    assert_int_equal(rename(partial, path), 0);
}

static void the_hosts_file_goes_before_the_servers_and_is_read_again_when_it_changes(void **state)
{
    (void)state;
    struct bench bench;
    char directory[64];
    char path[96];
    net_fixture_directory(directory);
    (void)snprintf(path, sizeof(path), "%s/hosts", directory);
    write_text(path, "10.1.0.1 a.test\n10.1.0.2 A.TEST b.test\n");
    struct dns_server *server = dns_server_start();
    struct dns_config config = config_for(server);
    config.hosts_file = path;
    open_with(&bench, server, &config);
    dns_server_set(server, "a.test", DNS_SERVER_A, 60, "10.0.0.1");
    expect(&bench, "a.test", "10.1.0.1 10.1.0.2");
    expect(&bench, "localhost", "127.0.0.1");
    write_text(path, "10.1.0.1 a.test\n10.1.0.3 a.test # one more\n");
    expect_soon(&bench, "a.test", "10.1.0.1 10.1.0.3");
    assert_int_equal(dns_server_asked(server, "a.test", DNS_SERVER_A), 0);
    assert_int_equal(unlink(path), 0);
    int64_t until_ms = clock_now_ms() + WAIT_MS;
    struct dns_answer *answer = NULL;
    while (clock_now_ms() < until_ms) {
        answer = dns_known(bench.resolver, SLICE("a.test"));
        if (answer == NULL)
            break;
        dns_answer_unref(answer);
        net_fixture_run_for(bench.loop, 20);
    }
    assert_null(answer);
    expect(&bench, "a.test", "10.0.0.1");
    close_bench(&bench);
    net_fixture_remove(directory);
}

struct user {
    struct bench bench;
    pthread_t thread;
    int good;
};

static void *use(void *arg)
{
    struct user *user = arg;
    struct bench *bench = &user->bench;
    bench->loop = loop_create();
    bench->resolver = dns_resolver_create(bench->cache, bench->loop);
    if (bench->loop == NULL || bench->resolver == NULL)
        abort();
    for (int i = 0; i < 300; i++) {
        char name[24];
        (void)snprintf(name, sizeof(name), "n%d.test", i % 8);
        struct dns_answer *answer = dns_known(bench->resolver, slice_of(name));
        if (answer == NULL) {
            struct waiting waiting = {.loop = bench->loop};
            if (dns_ask(bench->resolver, slice_of(name), on_answer, &waiting) == NULL ||
                !net_fixture_run(bench->loop, WAIT_MS))
                abort();
            answer = waiting.answer;
        }
        user->good += !answer->is_error;
        dns_answer_unref(answer);
        if (i % 10 == 0)
            net_fixture_run_for(bench->loop, 5);
    }
    dns_resolver_destroy(bench->resolver);
    loop_destroy(bench->loop);
    return NULL;
}

static void several_threads_share_one_cache(void **state)
{
    (void)state;
    enum { USERS = 4 };
    struct dns_server *server = dns_server_start();
    struct dns_config config = config_for(server);
    config.valid_ttl_ms = 30;
    config.cache_size = 6; /* fewer than the names: some are always thrown out */
    struct dns_cache *cache = dns_cache_create(&config, NULL);
    for (int i = 0; i < 8; i++) {
        char name[24];
        (void)snprintf(name, sizeof(name), "n%d.test", i);
        dns_server_set(server, name, DNS_SERVER_A, 60, "10.0.0.1 10.0.0.2");
    }
    struct user users[USERS];
    for (int i = 0; i < USERS; i++) {
        users[i] = (struct user){.bench = {.cache = cache, .server = server}};
        assert_int_equal(pthread_create(&users[i].thread, NULL, use, &users[i]), 0);
    }
    for (int i = 0; i < USERS; i++) {
        pthread_join(users[i].thread, NULL);
        assert_int_equal(users[i].good, 300);
    }
    dns_cache_destroy(cache);
    dns_server_stop(server);
}

static void server_lists_are_checked(void **state)
{
    (void)state;
    const char *const good[] = {"8.8.8.8", "8.8.8.8:53, 1.1.1.1", "[::1]:5353", "::1", "[::1]"};
    const char *const bad[] = {
        "",         "dns.test",  "8.8.8.8:",     "8.8.8.8:0", "8.8.8.8:65536",
        "8.8.8.8,", "8.8.8.8:x", "[8.8.8.8]:53", "8.8.8",     "[::1]:"};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_true(dns_servers_are_valid(good[i]));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (dns_servers_are_valid(bad[i]))
            fail_msg("'%s' is accepted", bad[i]);
    }
}

int main(void)
{
    net_fixture_guard(120);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_addresses_of_a_name_are_given_in_a_stable_order),
        cmocka_unit_test(a_known_answer_is_given_at_once_and_asked_for_once),
        cmocka_unit_test(questions_for_the_same_name_share_one_query),
        cmocka_unit_test(addresses_are_never_looked_up),
        cmocka_unit_test(names_that_cannot_exist_are_errors_at_once),
        cmocka_unit_test(a_name_without_addresses_is_asked_for_its_services),
        cmocka_unit_test(a_service_name_is_asked_for_its_services_first),
        cmocka_unit_test(services_without_reachable_targets_are_no_answer),
        cmocka_unit_test(the_order_says_what_is_asked_and_the_last_success_goes_first),
        cmocka_unit_test(an_expired_answer_is_served_while_a_new_one_is_fetched),
        cmocka_unit_test(while_the_server_is_silent_or_fails_the_old_answer_is_served),
        cmocka_unit_test(a_name_that_is_gone_is_no_longer_served),
        cmocka_unit_test(an_answer_older_than_its_stale_time_is_not_served),
        cmocka_unit_test(a_ttl_of_zero_counts_as_one_second),
        cmocka_unit_test(a_name_that_does_not_exist_is_remembered_as_such),
        cmocka_unit_test(a_server_that_does_not_help_is_an_error_within_the_timeout),
        cmocka_unit_test(a_cancelled_question_is_not_answered),
        cmocka_unit_test(a_resolver_may_be_destroyed_with_questions_open),
        cmocka_unit_test(an_answer_after_the_timeout_does_no_harm),
        cmocka_unit_test(the_hosts_file_goes_before_the_servers_and_is_read_again_when_it_changes),
        cmocka_unit_test(several_threads_share_one_cache),
        cmocka_unit_test(server_lists_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
