/* SPDX-License-Identifier: Apache-2.0 */
/* access_log.h -- one line per request in the combined format, with latency and request id
 * (reference/config-and-cli.md section 10). Lines of one loop turn are written together. */
#ifndef SLUICE_PROXY_ACCESS_LOG_H
#define SLUICE_PROXY_ACCESS_LOG_H

struct request;
struct worker;

void access_log_init(struct worker *worker);
void access_log_write(struct request *request);
/* Writes what waits. */
void access_log_flush(struct worker *worker);

#endif
