/* SPDX-License-Identifier: Apache-2.0 */
/* window.c -- civil dates from Unix seconds without libc's time zones and their locks. */
#include "window.h"

enum { MINUTE_S = 60, HOUR_S = 3600, DAY_S = 86400, DAYS_OF_400_YEARS = 146097 };

const char *window_name(enum window_unit unit)
{
    static const char *const names[WINDOW_UNITS] = {"second", "minute", "hour",
                                                    "day",    "month",  "year"};
    return names[unit];
}

/* Days from 1970-01-01 to the first of a month. Years are counted from March on, so that the day
 * that leap years add comes last and months have one formula. */
static int64_t days_to(int64_t year, int month)
{
    int64_t shifted = month <= 2 ? year - 1 : year;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5;
    int64_t leap_days = shifted / 4 - shifted / 100 + shifted / 400;
    return shifted * 365 + leap_days + of_year - 719468;
}

/* Year and month of a day counted from 1970-01-01. */
static void date_of(int64_t day, int64_t *year, int *month)
{
    int64_t shifted = day + 719468; /* from 0000-03-01 */
    int64_t era = shifted / DAYS_OF_400_YEARS;
    int64_t of_era = shifted % DAYS_OF_400_YEARS;
    int64_t year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int from_march = (int)((5 * of_year + 2) / 153);
    *month = from_march < 10 ? from_march + 3 : from_march - 9;
    *year = era * 400 + year_of_era + (*month <= 2);
}

static void align(int64_t now_s, int64_t length_s, struct pdk_window *window)
{
    window->start_s = now_s - now_s % length_s;
    window->length_s = length_s;
}

void window_at(enum window_unit unit, int64_t now_s, struct pdk_window *window)
{
    int64_t year, first, next;
    int month;
    switch (unit) {
    case WINDOW_SECOND: align(now_s, 1, window); return;
    case WINDOW_MINUTE: align(now_s, MINUTE_S, window); return;
    case WINDOW_HOUR: align(now_s, HOUR_S, window); return;
    case WINDOW_DAY: align(now_s, DAY_S, window); return;
    case WINDOW_MONTH:
    case WINDOW_YEAR:
    case WINDOW_UNITS: break;
    }
    date_of(now_s / DAY_S, &year, &month);
    if (unit == WINDOW_MONTH) {
        first = days_to(year, month);
        next = month == 12 ? days_to(year + 1, 1) : days_to(year, month + 1);
    } else {
        first = days_to(year, 1);
        next = days_to(year + 1, 1);
    }
    window->start_s = first * DAY_S;
    window->length_s = (next - first) * DAY_S;
}
