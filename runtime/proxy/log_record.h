/* SPDX-License-Identifier: Apache-2.0 */
/* log_record.h -- the record of a finished request that log plugins ship
 * (reference/plugins.md section 4.1). */
#ifndef SLUICE_PROXY_LOG_RECORD_H
#define SLUICE_PROXY_LOG_RECORD_H

#include "base/slice.h"

struct request;

/* A value set by a plugin on top of the record; in the request's arena. */
struct log_value {
    struct log_value *next;
    struct slice path; /* dotted; "\." is a literal dot */
    struct slice json; /* absent: removes the member */
    enum { LOG_VALUE_SET, LOG_VALUE_ADD, LOG_VALUE_REPLACE } mode;
};

/* One JSON object, in the worker's record buffer until the next call; absent when out of memory. */
struct slice log_record_make(struct request *request);

#endif
