/* SPDX-License-Identifier: Apache-2.0 */
/* status.h -- texts of HTTP status codes. */
#ifndef SLUICE_HTTP_STATUS_H
#define SLUICE_HTTP_STATUS_H

#include "base/slice.h"

/* Reason phrase for the status line ("Not Found"); "Unknown" for others. */
struct slice status_reason(int status);
/* Kong's default error message ("Not found"; reference/proxy-behaviour.md section 10.2), or "The
 * upstream server responded with <n>" as NULL: the caller formats it. */
struct slice status_message(int status);

#endif
