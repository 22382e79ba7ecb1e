/* SPDX-License-Identifier: Apache-2.0 */
/* window.h -- the calendar periods over which requests are counted, in UTC. Pure. */
#ifndef SLUICE_PLUGINS_C_RATE_LIMITING_WINDOW_H
#define SLUICE_PLUGINS_C_RATE_LIMITING_WINDOW_H

#include "pdk.h"

/* From the shortest to the longest: the order in which Kong checks and compares them. */
enum window_unit {
    WINDOW_SECOND,
    WINDOW_MINUTE,
    WINDOW_HOUR,
    WINDOW_DAY,
    WINDOW_MONTH,
    WINDOW_YEAR,
    WINDOW_UNITS, /* how many there are */
};

/* Name of the configuration field: "second". */
const char *window_name(enum window_unit unit);
/* Sets start_s and length_s of the period that `now_s` (Unix seconds, from 0 on) lies in. A month
 * has its true length, so that the last day of a long one is still counted with the others. */
void window_at(enum window_unit unit, int64_t now_s, struct pdk_window *window);

#endif
