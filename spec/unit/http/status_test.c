/* SPDX-License-Identifier: Apache-2.0 */
/* status_test.c -- texts of status codes. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "http/status.h"

static void reasons_are_those_of_the_registry(void **state)
{
    (void)state;
    assert_true(slice_eq(status_reason(200), SLICE("OK")));
    assert_true(slice_eq(status_reason(404), SLICE("Not Found")));
    assert_true(slice_eq(status_reason(504), SLICE("Gateway Timeout")));
    assert_true(slice_eq(status_reason(299), SLICE("Unknown")));
    assert_true(slice_eq(status_reason(-1), SLICE("Unknown")));
}

static void messages_are_those_of_kong(void **state)
{
    (void)state;
    assert_true(slice_eq(status_message(400), SLICE("Bad request")));
    assert_true(slice_eq(status_message(500), SLICE("An unexpected error occurred")));
    assert_true(slice_eq(status_message(502),
                         SLICE("An invalid response was received from the upstream server")));
    assert_true(slice_eq(status_message(504), SLICE("The upstream server is timing out")));
}

static void a_status_without_a_message_of_its_own_has_none(void **state)
{
    (void)state;
    assert_null(status_message(200).ptr);
    assert_null(status_message(599).ptr);
}

static void every_error_message_begins_with_a_capital_and_has_no_final_stop(void **state)
{
    (void)state;
    for (int status = 0; status < 1000; status++) {
        struct slice message = status_message(status);
        assert_true(status_reason(status).len > 0);
        if (message.ptr == NULL)
            continue;
        assert_true(status >= 400 && status < 600);
        assert_in_range(message.ptr[0], 'A', 'Z');
        assert_false(slice_ends_with(message, SLICE(".")));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reasons_are_those_of_the_registry),
        cmocka_unit_test(messages_are_those_of_kong),
        cmocka_unit_test(a_status_without_a_message_of_its_own_has_none),
        cmocka_unit_test(every_error_message_begins_with_a_capital_and_has_no_final_stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
