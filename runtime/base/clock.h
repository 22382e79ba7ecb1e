/* SPDX-License-Identifier: Apache-2.0 */
/* clock.h -- the two clocks. Monotonic time is for deadlines and durations, wall time for people.
 */
#ifndef SLUICE_BASE_CLOCK_H
#define SLUICE_BASE_CLOCK_H

#include <stdint.h>

/* Monotonic, milliseconds / nanoseconds from an arbitrary start. */
int64_t clock_now_ms(void);
int64_t clock_now_ns(void);
/* Unix time, milliseconds. */
int64_t clock_wall_ms(void);

#endif
