/* SPDX-License-Identifier: Apache-2.0 */
/* trusted_test.c -- IPs and CIDRs of both families. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proxy/trusted.h"

static bool has(const char *net, const char *ip)
{
    char *list[] = {(char *)(uintptr_t)net, NULL};
    struct trusted trusted;
    assert_true(trusted_init(&trusted, list));
    bool found = trusted_has_text(&trusted, slice_of(ip));
    trusted_clear(&trusted);
    return found;
}

static void addresses_are_matched_by_prefix(void **state)
{
    (void)state;
    static const struct {
        const char *net, *ip;
        bool is_inside;
    } cases[] = {
        {"10.0.0.0/8", "10.255.0.1", true},
        {"10.0.0.0/8", "11.0.0.1", false},
        {"192.168.1.1", "192.168.1.1", true},
        {"192.168.1.1", "192.168.1.2", false},
        {"172.16.0.0/12", "172.31.9.9", true},
        {"172.16.0.0/12", "172.32.0.0", false},
        {"0.0.0.0/0", "8.8.8.8", true},
        {"0.0.0.0/0", "::1", false},
        {"::/0", "::1", true},
        {"2001:db8::/33", "2001:db8:7fff::1", true},
        {"2001:db8::/33", "2001:db8:8000::1", false},
        {"10.0.0.0/33", "10.0.0.0", false},
        {"nonsense", "10.0.0.0", false},
        {"10.0.0.0/8", "10.0.0.1.evil", false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (has(cases[i].net, cases[i].ip) != cases[i].is_inside)
            fail_msg("%s in %s", cases[i].ip, cases[i].net);
}

static void a_peer_without_ip_is_never_trusted(void **state)
{
    (void)state;
    char *list[] = {(char *)(uintptr_t) "0.0.0.0/0", (char *)(uintptr_t) "::/0", NULL};
    struct trusted trusted;
    struct sockaddr_storage peer = {.ss_family = AF_UNIX};
    char text[INET6_ADDRSTRLEN];
    assert_true(trusted_init(&trusted, list));
    assert_false(trusted_has(&trusted, &peer));
    assert_int_equal(trusted_print(&peer, text), 0);
    struct sockaddr_in *v4 = (struct sockaddr_in *)&peer;
    v4->sin_family = AF_INET;
    v4->sin_addr.s_addr = htonl(0x7f000001);
    assert_true(trusted_has(&trusted, &peer));
    assert_int_equal(trusted_print(&peer, text), 9);
    assert_string_equal(text, "127.0.0.1");
    trusted_clear(&trusted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_matched_by_prefix),
        cmocka_unit_test(a_peer_without_ip_is_never_trusted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
