/* SPDX-License-Identifier: Apache-2.0 */
/* dns_message_test.c -- the smallest TTL of a message, whatever was done to the message. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "net/dns_message.h"

/* "a.b" asked; two answers: a pointer to the name with TTL 300, a name of its own with TTL 70. */
static const unsigned char message[] =
    "\x12\x34\x81\x80\x00\x01\x00\x02\x00\x00\x00\x00"
    "\x01"
    "a\x01"
    "b\x00\x00\x21\x00\x01"
    "\xc0\x0c\x00\x01\x00\x01\x00\x00\x01\x2c\x00\x04\x0a\x00\x00\x01"
    "\x01"
    "c\x00\x00\x01\x00\x01\x00\x00\x00\x46\x00\x04\x0a\x00\x00\x02";
enum { LEN = sizeof(message) - 1, FIRST_TTL = 12 + 9 + 6, SECOND_TTL = 12 + 9 + 16 + 7 };

static void the_smallest_ttl_is_found(void **state)
{
    (void)state;
    uint32_t ttl_s = 0;
    assert_true(dns_message_ttl(message, LEN, &ttl_s));
    assert_int_equal(ttl_s, 70);
    unsigned char other[LEN];
    memcpy(other, message, LEN);
    memset(other + SECOND_TTL, 0x7f, 4);
    assert_true(dns_message_ttl(other, LEN, &ttl_s));
    assert_int_equal(ttl_s, 300);
    memset(other + FIRST_TTL, 0xff, 4); /* RFC 2181 section 8 */
    assert_true(dns_message_ttl(other, LEN, &ttl_s));
    assert_int_equal(ttl_s, 0);
}

static void a_message_cut_anywhere_is_refused(void **state)
{
    (void)state;
    for (size_t len = 0; len < LEN; len++) {
        unsigned char *cut = malloc(len + 1); /* exact, so that a read behind the end is noticed */
        assert_non_null(cut);
        unsigned char *at = cut + 1;
        memcpy(at, message, len);
        uint32_t ttl_s;
        if (dns_message_ttl(at, len, &ttl_s))
            fail_msg("%zu bytes are accepted", len);
        free(cut);
    }
}

static void any_changed_byte_does_no_harm(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN; i++) {
        for (unsigned value = 0; value < 256; value++) {
            unsigned char *changed = malloc(LEN);
            assert_non_null(changed);
            memcpy(changed, message, LEN);
            changed[i] = (unsigned char)value;
            uint32_t ttl_s = 0;
            if (dns_message_ttl(changed, LEN, &ttl_s))
                assert_true(ttl_s <= INT32_MAX);
            free(changed);
        }
    }
}

static void a_message_without_answers_has_no_ttl(void **state)
{
    (void)state;
    unsigned char empty[LEN];
    uint32_t ttl_s;
    memcpy(empty, message, LEN);
    empty[7] = 0;
    assert_false(dns_message_ttl(empty, LEN, &ttl_s));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_smallest_ttl_is_found),
        cmocka_unit_test(a_message_cut_anywhere_is_refused),
        cmocka_unit_test(any_changed_byte_does_no_harm),
        cmocka_unit_test(a_message_without_answers_has_no_ttl),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
