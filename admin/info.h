/* SPDX-License-Identifier: Apache-2.0 */
/* info.h -- hand-written endpoints: what this node is, what it has loaded, what its schemas are. */
#ifndef SLUICE_ADMIN_INFO_H
#define SLUICE_ADMIN_INFO_H

#include <jansson.h>
#include <stdbool.h>

struct call;

void info_root(struct call *call);            /* / */
void info_status(struct call *call);          /* /status */
void info_robots(struct call *call);          /* /robots.txt */
void info_endpoints(struct call *call);       /* /endpoints */
void info_enabled(struct call *call);         /* /plugins/enabled */
void info_plugin_config(struct call *call);   /* /plugins/schema/{name} */
void info_schema(struct call *call);          /* /schemas/{name} */
void info_plugin_schema(struct call *call);   /* /schemas/plugins/{name} */
void info_validate(struct call *call);        /* /schemas/{name}/validate */
void info_plugin_validate(struct call *call); /* /schemas/plugins/validate */

/* The body of /status before counters are filled in; has_database: with an object "database". New
 * reference; NULL: no memory. */
json_t *info_status_body(bool has_database);
/* ?unit= of /status. False: answered. */
bool info_check_unit(struct call *call);

#endif
