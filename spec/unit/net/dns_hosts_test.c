/* SPDX-License-Identifier: Apache-2.0 */
/* dns_hosts_test.c -- the hosts file as a table. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "net/dns_hosts.h"

static const char file[] = "127.0.0.1\tlocalhost\r\n"
                           "# a comment 10.0.0.9 nobody\n"
                           "10.0.0.1  a A.Test # 10.0.0.8\n"
                           "10.0.0.2 a\n"
                           "fd00::1 a six\n"
                           "not-an-address b\n"
                           "10.0.0.3\n"
                           "\n"
                           "   10.0.0.4   last";

static size_t count_of(struct dns_hosts *hosts, const char *name)
{
    struct dns_answer *answer = dns_hosts_find(hosts, slice_of(name), 1000);
    size_t count = answer == NULL ? 0 : answer->count;
    dns_answer_unref(answer);
    return count;
}

static void every_line_of_a_name_is_an_address(void **state)
{
    (void)state;
    const struct {
        const char *name;
        size_t with_ipv4, with_both;
    } cases[] = {
        {"a", 2, 3},    {"a.test", 1, 1}, {"six", 1, 1},    {"localhost", 1, 1},
        {"last", 1, 1}, {"b", 0, 0},      {"nobody", 0, 0}, {"foo.localhost", 1, 1},
        {"", 0, 0},     {"#", 0, 0},      {"A", 0, 0},      {"xlocalhost", 0, 0},
    };
    struct dns_hosts *ipv4 = dns_hosts_create(slice_of(file), false);
    struct dns_hosts *both = dns_hosts_create(slice_of(file), true);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (count_of(ipv4, cases[i].name) != cases[i].with_ipv4)
            fail_msg("'%s' has %zu addresses", cases[i].name, count_of(ipv4, cases[i].name));
        if (count_of(both, cases[i].name) != cases[i].with_both)
            fail_msg("'%s' has %zu of both", cases[i].name, count_of(both, cases[i].name));
    }
    dns_hosts_destroy(ipv4);
    dns_hosts_destroy(both);
}

static void localhost_is_known_without_a_file(void **state)
{
    (void)state;
    struct dns_hosts *hosts = dns_hosts_create(slice_make("", 0), true);
    assert_int_equal(count_of(hosts, "localhost"), 2);
    dns_hosts_destroy(hosts);
}

static void an_answer_expires_and_is_made_again_with_the_same_version(void **state)
{
    (void)state;
    struct dns_hosts *hosts = dns_hosts_create(slice_of(file), false);
    struct dns_answer *first = dns_hosts_find(hosts, SLICE("a"), 1000);
    struct dns_answer *same = dns_hosts_find(hosts, SLICE("a"), 1000 + DNS_HOSTS_CHECK_MS - 1);
    struct dns_answer *later = dns_hosts_find(hosts, SLICE("a"), 1000 + DNS_HOSTS_CHECK_MS);
    assert_int_equal(first->expires_ms, 1000 + DNS_HOSTS_CHECK_MS);
    assert_ptr_equal(same, first);
    assert_ptr_not_equal(later, first);
    assert_int_equal(later->version, first->version);
    dns_hosts_destroy(hosts);
    dns_answer_unref(first); /* answers outlive the table */
    dns_answer_unref(same);
    dns_answer_unref(later);
}

static void any_bytes_are_survived(void **state)
{
    (void)state;
    char noise[4096];
    uint32_t random = 7;
    for (int round = 0; round < 50; round++) {
        for (size_t i = 0; i < sizeof(noise); i++) {
            random = random * 1664525u + 1013904223u;
            noise[i] = "10.:ab \t\n\r#[]\0\xff"[random >> 24 & 15];
        }
        struct dns_hosts *hosts = dns_hosts_create(slice_make(noise, sizeof(noise)), true);
        assert_non_null(hosts);
        dns_hosts_destroy(hosts);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_line_of_a_name_is_an_address),
        cmocka_unit_test(localhost_is_known_without_a_file),
        cmocka_unit_test(an_answer_expires_and_is_made_again_with_the_same_version),
        cmocka_unit_test(any_bytes_are_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
