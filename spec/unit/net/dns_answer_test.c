/* SPDX-License-Identifier: Apache-2.0 */
/* dns_answer_test.c -- sets of addresses: order, doubles, versions, limits; IP literals. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "net/dns_answer.h"

/* An answer with 10.0.0.<last byte> for each letter of `hosts`; a capital letter has weight 9. */
static struct dns_answer *make(const char *hosts, uint16_t port)
{
    struct dns_answer_set set = {0};
    for (; *hosts != '\0'; hosts++) {
        const unsigned char bytes[4] = {10, 0, 0, (unsigned char)slice_lower(*hosts)};
        bool is_capital = *hosts < 'a';
        assert_true(dns_answer_set_add(&set, AF_INET, bytes, port, is_capital ? 9 : 1));
    }
    struct dns_answer *answer = dns_answer_make(&set, 5);
    dns_answer_set_clear(&set);
    assert_non_null(answer);
    return answer;
}

static void the_version_is_that_of_the_set_and_nothing_else(void **state)
{
    (void)state;
    const struct {
        const char *left, *right;
        uint16_t port;
        bool is_same;
    } cases[] = {
        {"abc", "cab", 0, true}, {"abc", "abca", 0, true}, {"abc", "abd", 0, false},
        {"abc", "ab", 0, false}, {"abc", "abC", 0, false}, {"abc", "abc", 80, false},
        {"a", "", 0, false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct dns_answer *left = make(cases[i].left, 0);
        struct dns_answer *right = make(cases[i].right, cases[i].port);
        assert_true((left->version == right->version) == cases[i].is_same);
        assert_true(left->version != 0);
        dns_answer_unref(left);
        dns_answer_unref(right);
    }
}

static void addresses_are_sorted_and_given_once_ipv4_first(void **state)
{
    (void)state;
    struct dns_answer_set set = {0};
    const unsigned char low[4] = {10, 0, 0, 1};
    const unsigned char high[4] = {10, 0, 0, 2};
    assert_true(dns_answer_set_add(&set, AF_INET6, &in6addr_loopback, 0, 1));
    assert_true(dns_answer_set_add(&set, AF_INET, high, 0, 0));
    assert_true(dns_answer_set_add(&set, AF_INET, low, 0, 1));
    assert_true(dns_answer_set_add(&set, AF_INET, high, 0, 1));
    struct dns_answer *answer = dns_answer_make(&set, 5);
    dns_answer_set_clear(&set);
    assert_int_equal(answer->count, 3);
    const struct sockaddr_in *first = (const struct sockaddr_in *)&answer->addresses[0].address;
    assert_memory_equal(&first->sin_addr, low, 4);
    assert_int_equal(answer->addresses[1].weight, 1); /* 0 counts as 1 */
    assert_int_equal(answer->addresses[2].address.ss_family, AF_INET6);
    dns_answer_unref(answer);
}

static void a_huge_answer_is_cut(void **state)
{
    (void)state;
    struct dns_answer_set set = {0};
    for (uint32_t i = 0; i < 1000; i++)
        assert_true(dns_answer_set_add(&set, AF_INET, &i, 0, 1));
    struct dns_answer *answer = dns_answer_make(&set, 5);
    dns_answer_set_clear(&set);
    assert_int_equal(answer->count, DNS_MAX_ADDRESSES);
    dns_answer_unref(answer);
}

static void a_copy_differs_in_its_expiry_alone(void **state)
{
    (void)state;
    struct dns_answer *answer = make("ab", 0);
    struct dns_answer *copy = dns_answer_copy(answer, 77);
    assert_int_equal(copy->expires_ms, 77);
    assert_int_equal(copy->count, 2);
    assert_int_equal(copy->version, answer->version);
    assert_memory_equal(copy->addresses, answer->addresses, 2 * sizeof(answer->addresses[0]));
    dns_answer_unref(dns_answer_ref(copy));
    dns_answer_unref(copy);
    dns_answer_unref(answer);
    struct dns_answer *error = dns_answer_make_error("no", true, 5);
    copy = dns_answer_copy(error, 6);
    assert_true(copy->is_error && copy->is_not_found);
    assert_string_equal(copy->text, "no");
    dns_answer_unref(copy);
    dns_answer_unref(error);
    dns_answer_unref(NULL);
}

static void literals_are_told_from_names(void **state)
{
    (void)state;
    const struct {
        const char *text;
        int family;
    } cases[] = {
        {"127.0.0.1", AF_INET},
        {"::1", AF_INET6},
        {"[::1]", AF_INET6},
        {"[fe80::1]", AF_INET6},
        {"", 0},
        {"[]", 0},
        {"[127.0.0.1]", 0},
        {"127.1", 0},
        {"1.2.3.4.5", 0},
        {"256.1.1.1", 0},
        {"::1]", 0},
        {"[::1", 0},
        {"::g", 0},
        {"example.test", 0},
        {"0x7f000001", 0},
        {" 127.0.0.1", 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        unsigned char bytes[16];
        assert_int_equal(dns_answer_parse_ip(slice_of(cases[i].text), bytes), cases[i].family);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_version_is_that_of_the_set_and_nothing_else),
        cmocka_unit_test(addresses_are_sorted_and_given_once_ipv4_first),
        cmocka_unit_test(a_huge_answer_is_cut),
        cmocka_unit_test(a_copy_differs_in_its_expiry_alone),
        cmocka_unit_test(literals_are_told_from_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
