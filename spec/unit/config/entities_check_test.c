/* SPDX-License-Identifier: Apache-2.0 */
/* entities_check_test.c -- names, tags, hosts, addresses and paths: every byte and every border. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "config/entities.h"

static char *check(schema_validator validator, const char *text)
{
    json_t *value = json_string(text);
    assert_non_null(value);
    char *message = validator(NULL, value);
    json_decref(value);
    return message;
}

static void assert_accepts(schema_validator validator, const char *text)
{
    char *message = check(validator, text);
    if (message != NULL)
        fail_msg("'%s': %s", text, message);
}

static void assert_refuses(schema_validator validator, const char *text, const char *expected)
{
    char *message = check(validator, text);
    if (message == NULL)
        fail_msg("'%s' was accepted", text);
    if (expected != NULL)
        assert_string_equal(message, expected);
    free(message);
}

/* Each ASCII character alone: accepted if it is a letter, a digit or one of `others`. */
static void assert_alphabet(schema_validator validator, const char *before, const char *others)
{
    for (int c = 1; c < 128; c++) {
        char text[8];
        snprintf(text, sizeof(text), "%s%c", before, c);
        bool is_in = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
                     strchr(others, c) != NULL;
        if (is_in)
            assert_accepts(validator, text);
        else
            assert_refuses(validator, text, NULL);
    }
}

static void every_character_is_in_its_alphabet_or_refused(void **state)
{
    (void)state;
    assert_alphabet(entities_check_name, "a", ".-_~");
    assert_alphabet(entities_check_tag, "a", " !\"#$%&'()*+-.:;<=>?@[\\]^_`{|}~");
    assert_alphabet(entities_check_header_name, "a", "-_");
    assert_alphabet(entities_check_path, "/", "/.-_~:@!$&'()*+,;=");
    assert_alphabet(entities_check_host, "a", "_");
}

static void text_outside_of_ascii_is_for_names_and_tags(void **state)
{
    (void)state;
    assert_accepts(entities_check_name, "\xc3\xa9");
    assert_accepts(entities_check_tag, "\xf0\x9f\x98\x80");
    assert_refuses(entities_check_header_name, "\xc3\xa9", NULL);
    assert_refuses(entities_check_host, "\xc3\xa9.test", NULL);
    assert_refuses(entities_check_path, "/\xc3\xa9", NULL);
}

static void hosts_are_names_or_addresses(void **state)
{
    (void)state;
    static const char *const good[] = {
        "a",   "a.b.test", "a-b.test", "1.test",    "-a.test",        "127.0.0.1",
        "::1", "fe80::1",  "[::1]",    "localhost", "d9juau41awczczp"};
    static const char *const bad[] = {
        "",      ".",         "a.",        ".a",  "a..b", "a-.b",   "a-",  "a/b",
        "1.2.3", "1.2.3.4.5", "256.1.1.1", ":::", "[::1", "[::1]x", "a b", "http://a"};
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
        assert_accepts(entities_check_host, good[i]);
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_refuses(entities_check_host, bad[i], NULL);
    assert_refuses(entities_check_host, "a.test:80", "must not have a port");
    assert_refuses(entities_check_host, "127.0.0.1:80", "must not have a port");
    assert_refuses(entities_check_host, "[::1]:80", "must not have a port");
}

static void hosts_of_routes_may_have_a_port_and_a_wildcard(void **state)
{
    (void)state;
    assert_accepts(entities_check_route_host, "a.test:0");
    assert_accepts(entities_check_route_host, "a.test:65535");
    assert_accepts(entities_check_route_host, "*.a.test:80");
    assert_accepts(entities_check_route_host, "127.0.0.1:80");
    assert_accepts(entities_check_route_host, "[::1]:80");
    assert_refuses(entities_check_route_host, "a.test:65536", "invalid port number");
    assert_refuses(entities_check_route_host, "a.test:99999999999999999999", "invalid port number");
    assert_refuses(entities_check_route_host, "a b:80", "invalid hostname: a b");
    assert_refuses(entities_check_route_host, "1.2.3.256", "invalid ipv4 address: 1.2.3.256");
    assert_refuses(entities_check_route_host, "1::2::3", "invalid ipv6 address: 1::2::3");
}

static void server_names_are_names(void **state)
{
    (void)state;
    assert_accepts(entities_check_sni, "a.test");
    assert_accepts(entities_check_sni, "*.a.test");
    assert_accepts(entities_check_sni, "a.*");
    assert_refuses(entities_check_sni, "a.*.test",
                   "wildcard must be leftmost or rightmost character");
    assert_refuses(entities_check_sni, "*.a.*", "only one wildcard must be specified");
    assert_refuses(entities_check_sni, "10.0.0.1", "must not be an IP");
    assert_refuses(entities_check_sni, "::1", "must not be an IP");
    assert_refuses(entities_check_sni, "a.test:443", "must not have a port");
    assert_refuses(entities_check_sni, "a b", "invalid value: a b");
}

static void addresses_may_be_ranges(void **state)
{
    (void)state;
    static const char *const good[] = {"10.0.0.1", "10.0.0.0/0", "10.0.0.0/32", "::1", "::/128"};
    static const char *const bad[] = {"10.0.0",     "10.0.0.0/33", "::/129", "10.0.0.0/",
                                      "10.0.0.0/x", "a",           ""};
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
        assert_accepts(entities_check_ip_or_cidr, good[i]);
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_refuses(entities_check_ip_or_cidr, bad[i], NULL);
    assert_refuses(entities_check_ip_or_cidr, "a", "invalid ip or cidr range: 'a'");
}

static void percent_encoding_is_whole(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"/some%2words", "%2w"}, {"/some%0Xwords", "%0X"},  {"/some%2Gwords", "%2G"},
        {"/some%20words%", "%"}, {"/some%20words%a", "%a"}, {"/some%20words%ax", "%ax"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char expected[64];
        snprintf(expected, sizeof(expected), "invalid url-encoded value: '%s'", cases[i][1]);
        assert_refuses(entities_check_path, cases[i][0], expected);
        assert_refuses(entities_check_route_path, cases[i][0], expected);
    }
    assert_accepts(entities_check_path, "/%20%aF");
}

static void prefixes_of_routes_are_in_normal_form(void **state)
{
    (void)state;
    static const char *const good[] = {"/", "/a/", "/abcd~user~2", "/a%20b", "/a;b=c", "/a:b@c"};
    static const char *const cases[][2] = {{"/a/./b", "/a/b"},
                                           {"/a/../b", "/b"},
                                           {"/%41", "/A"},
                                           {"/a%2fb", "/a%2Fb"},
                                           {"/a b", "/a%20b"}};
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
        assert_accepts(entities_check_route_path, good[i]);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char expected[96];
        snprintf(expected, sizeof(expected), "non-normalized path, consider use '%s' instead",
                 cases[i][1]);
        assert_refuses(entities_check_route_path, cases[i][0], expected);
    }
}

static void regexes_are_compiled(void **state)
{
    (void)state;
    assert_accepts(entities_check_route_path, "~/a/(?<name>[^/]+)$");
    assert_refuses(
        entities_check_route_path, "~/a[",
        "invalid regex: '/a[' (PCRE returned: pcre2_compile() failed: missing terminating ] "
        "for character class in \"/a[\")");
    assert_refuses(
        entities_check_route_path, "~/a**b",
        "invalid regex: '/a**b' (PCRE returned: pcre2_compile() failed: quantifier does not "
        "follow a repeatable item in \"/a**b\" at \"*b\")");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_character_is_in_its_alphabet_or_refused),
        cmocka_unit_test(text_outside_of_ascii_is_for_names_and_tags),
        cmocka_unit_test(hosts_are_names_or_addresses),
        cmocka_unit_test(hosts_of_routes_may_have_a_port_and_a_wildcard),
        cmocka_unit_test(server_names_are_names),
        cmocka_unit_test(addresses_may_be_ranges),
        cmocka_unit_test(percent_encoding_is_whole),
        cmocka_unit_test(prefixes_of_routes_are_in_normal_form),
        cmocka_unit_test(regexes_are_compiled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
