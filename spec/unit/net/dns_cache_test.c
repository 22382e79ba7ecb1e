/* SPDX-License-Identifier: Apache-2.0 */
/* dns_cache_test.c -- fresh, stale, gone; who refreshes; how much is kept. Times are made up. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include "net/dns_answer.h"
#include "net/dns_cache.h"

enum { STALE_MS = 5000, ERROR_MS = 100, TIMEOUT_MS = 2000 };

static struct dns_cache *make_cache(const char *order, size_t size)
{
    const struct dns_config config = {.hosts_file = "/dev/null",
                                      .order = order,
                                      .valid_ttl_ms = -1,
                                      .stale_ttl_ms = STALE_MS,
                                      .error_ttl_ms = ERROR_MS,
                                      .cache_size = size,
                                      .timeout_ms = TIMEOUT_MS};
    struct dns_cache *cache = dns_cache_create(&config, NULL);
    assert_non_null(cache);
    return cache;
}

static struct dns_answer *good(int64_t expires_ms)
{
    struct dns_answer_set set = {0};
    const struct in_addr address = {htonl(INADDR_LOOPBACK)};
    assert_true(dns_answer_set_add(&set, AF_INET, &address, 0, 1));
    struct dns_answer *answer = dns_answer_make(&set, expires_ms);
    dns_answer_set_clear(&set);
    return answer;
}

/* Stores, and says whether that very answer is to be used. */
static bool put(struct dns_cache *cache, const char *name, struct dns_answer *answer,
                enum dns_type type, int64_t now_ms)
{
    struct dns_answer *used = dns_cache_put(cache, slice_of(name), answer, type, now_ms);
    bool is_used = used == answer;
    dns_answer_unref(used);
    return is_used;
}

/* 'f'resh, 's'tale, stale and 'r'efresh, 'e'rror, '-' nothing. */
static char look(struct dns_cache *cache, const char *name, int64_t now_ms)
{
    bool must_refresh;
    struct dns_answer *answer = dns_cache_get(cache, slice_of(name), now_ms, &must_refresh);
    char seen = answer == NULL                ? '-'
                : must_refresh                ? 'r'
                : answer->is_error            ? 'e'
                : now_ms < answer->expires_ms ? 'f'
                                              : 's';
    dns_answer_unref(answer);
    return seen;
}

static void one_caller_is_told_to_refresh_what_is_stale(void **state)
{
    (void)state;
    struct dns_cache *cache = make_cache(NULL, 10);
    assert_int_equal(look(cache, "a", 1000), '-');
    assert_true(put(cache, "a", good(2000), DNS_A, 1000));
    assert_int_equal(look(cache, "a", 1999), 'f');
    assert_int_equal(look(cache, "a", 2000), 'r');
    assert_int_equal(look(cache, "a", 2001), 's');
    assert_int_equal(look(cache, "a", 2000 + TIMEOUT_MS), 's');
    assert_int_equal(look(cache, "a", 2000 + TIMEOUT_MS + 1000), 'r'); /* the first was lost */
    assert_int_equal(look(cache, "a", 2000 + STALE_MS), '-');
    dns_cache_destroy(cache);
}

static void a_refresh_that_fails_keeps_the_answer_and_is_tried_again(void **state)
{
    (void)state;
    struct dns_cache *cache = make_cache(NULL, 10);
    assert_true(put(cache, "a", good(2000), DNS_A, 1000));
    assert_int_equal(look(cache, "a", 2000), 'r');
    assert_false(put(cache, "a", dns_answer_make_error("x", false, 2600), DNS_NONE, 2500));
    assert_int_equal(look(cache, "a", 2500 + ERROR_MS - 1), 's');
    assert_int_equal(look(cache, "a", 2500 + ERROR_MS), 'r');
    assert_true(put(cache, "a", dns_answer_make_error("gone", true, 9000), DNS_NONE, 2700));
    assert_int_equal(look(cache, "a", 2700), 'e');
    assert_int_equal(look(cache, "a", 9000), '-');
    dns_cache_destroy(cache);
}

static void a_failure_is_stored_when_there_is_nothing_better(void **state)
{
    (void)state;
    struct dns_cache *cache = make_cache(NULL, 10);
    assert_true(put(cache, "a", dns_answer_make_error("x", false, 1100), DNS_NONE, 1000));
    assert_int_equal(look(cache, "a", 1099), 'e');
    assert_int_equal(look(cache, "a", 1100), '-');
    assert_true(put(cache, "b", good(2000), DNS_A, 1000));
    assert_true(
        put(cache, "b", dns_answer_make_error("x", false, 9000), DNS_NONE, 2000 + STALE_MS));
    assert_int_equal(look(cache, "b", 2000 + STALE_MS), 'e');
    dns_cache_destroy(cache);
}

static void the_names_used_least_recently_go_first(void **state)
{
    (void)state;
    struct dns_cache *cache = make_cache(NULL, 3);
    const char *const names[] = {"a", "b", "c"};
    for (int i = 0; i < 3; i++)
        assert_true(put(cache, names[i], good(9000), DNS_A, 1000));
    assert_int_equal(look(cache, "a", 1000), 'f');
    assert_true(put(cache, "d", good(9000), DNS_A, 1000));
    assert_int_equal(look(cache, "b", 1000), '-');
    assert_int_equal(look(cache, "a", 1000), 'f');
    assert_int_equal(look(cache, "c", 1000), 'f');
    assert_int_equal(look(cache, "d", 1000), 'f');
    dns_cache_destroy(cache);
}

static const char *order_of(struct dns_cache *cache, const char *name, char out[8])
{
    struct dns_order order = dns_cache_order(cache, slice_of(name));
    for (size_t i = 0; i < order.count; i++)
        out[i] = "-A6S"[order.types[i]];
    out[order.count] = '\0';
    return out;
}

static void the_order_depends_on_the_configuration_and_the_name(void **state)
{
    (void)state;
    const struct {
        const char *order, *plain, *service;
    } cases[] = {
        {NULL, "AS", "SA"},
        {"", "AS", "SA"},
        {"last,srv,a,cname", "AS", "SA"},
        {"LAST,SRV,A", "SA", "SA"},
        {"A", "A", "A"},
        {"LAST, AAAA, A, AAAA, SRV", "6AS", "6AS"},
        {"CNAME", "A", "A"},
        {"nonsense,,", "A", "A"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char out[8];
        struct dns_cache *cache = make_cache(cases[i].order, 10);
        assert_string_equal(order_of(cache, "a.test", out), cases[i].plain);
        assert_string_equal(order_of(cache, "_a._tcp.test", out), cases[i].service);
        dns_cache_destroy(cache);
    }
}

static void the_type_that_succeeded_last_goes_first(void **state)
{
    (void)state;
    char out[8];
    struct dns_cache *cache = make_cache("LAST,A,AAAA,SRV", 10);
    assert_true(put(cache, "a", good(2000), DNS_SRV, 1000));
    assert_string_equal(order_of(cache, "a", out), "SA6");
    assert_true(put(cache, "a", dns_answer_make_error("x", true, 3000), DNS_NONE, 2000));
    assert_string_equal(order_of(cache, "a", out), "SA6");
    assert_string_equal(order_of(cache, "b", out), "A6S");
    dns_cache_destroy(cache);
    cache = make_cache("A,AAAA,SRV", 10);
    assert_true(put(cache, "a", good(2000), DNS_SRV, 1000));
    assert_string_equal(order_of(cache, "a", out), "A6S");
    dns_cache_destroy(cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_caller_is_told_to_refresh_what_is_stale),
        cmocka_unit_test(a_refresh_that_fails_keeps_the_answer_and_is_tried_again),
        cmocka_unit_test(a_failure_is_stored_when_there_is_nothing_better),
        cmocka_unit_test(the_names_used_least_recently_go_first),
        cmocka_unit_test(the_order_depends_on_the_configuration_and_the_name),
        cmocka_unit_test(the_type_that_succeeded_last_goes_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
