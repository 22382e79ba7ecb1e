/* SPDX-License-Identifier: Apache-2.0 */
/* window_test.c -- periods of the calendar, compared with what libc says of every day. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <time.h>

#include "plugins-c/rate_limiting/window.c"

enum { LAST_YEAR = 2420 }; /* over 400 years: all kinds of leap years */

static int64_t seconds_of(int year, int month)
{
    struct tm date = {.tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = 1};
    return (int64_t)timegm(&date);
}

static void expect(enum window_unit unit, int64_t now_s, int64_t start_s, int64_t end_s)
{
    struct pdk_window window;
    window_at(unit, now_s, &window);
    if (window.start_s != start_s || window.start_s + window.length_s != end_s)
        fail_msg("%s at %lld: %lld + %lld, wanted %lld to %lld", window_name(unit),
                 (long long)now_s, (long long)window.start_s, (long long)window.length_s,
                 (long long)start_s, (long long)end_s);
}

static void months_and_years_begin_and_end_where_the_calendar_says(void **state)
{
    (void)state;
    for (int year = 1970; year <= LAST_YEAR; year++) {
        int64_t start_s = seconds_of(year, 1), end_s = seconds_of(year + 1, 1);
        expect(WINDOW_YEAR, start_s, start_s, end_s);
        expect(WINDOW_YEAR, end_s - 1, start_s, end_s);
        for (int month = 1; month <= 12; month++) {
            start_s = seconds_of(year, month);
            end_s = month == 12 ? seconds_of(year + 1, 1) : seconds_of(year, month + 1);
            for (int64_t now_s = start_s; now_s < end_s; now_s += 86400)
                expect(WINDOW_MONTH, now_s, start_s, end_s);
            expect(WINDOW_MONTH, end_s - 1, start_s, end_s);
        }
    }
}

static void shorter_periods_are_aligned(void **state)
{
    (void)state;
    int64_t now_s = seconds_of(2024, 2) + 28 * 86400 + 23 * 3600 + 59 * 60 + 58; /* 29 February */
    expect(WINDOW_SECOND, now_s, now_s, now_s + 1);
    expect(WINDOW_MINUTE, now_s, now_s - 58, now_s + 2);
    expect(WINDOW_HOUR, now_s, now_s - 59 * 60 - 58, now_s + 2);
    expect(WINDOW_DAY, now_s, seconds_of(2024, 2) + 28 * 86400, seconds_of(2024, 3));
    expect(WINDOW_MONTH, now_s, seconds_of(2024, 2), seconds_of(2024, 3));
}

static void time_begins_in_1970(void **state)
{
    (void)state;
    for (int unit = 0; unit < WINDOW_UNITS; unit++) {
        struct pdk_window window;
        window_at((enum window_unit)unit, 0, &window);
        assert_int_equal(window.start_s, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(months_and_years_begin_and_end_where_the_calendar_says),
        cmocka_unit_test(shorter_periods_are_aligned),
        cmocka_unit_test(time_begins_in_1970),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
