/* SPDX-License-Identifier: Apache-2.0 */
/* pid_file.h -- who runs in a prefix.
 *
 * pids/sluice.pid holds the supervisor's pid, and the supervisor holds a lock on it as long as it
 * lives. The lock is what counts: a file that a crash or a container restart left behind is
 * nobody's, even if another process has that pid now. pids/gateway.pid exists while a gateway
 * process serves. */
#ifndef SLUICE_PROCESS_PID_FILE_H
#define SLUICE_PROCESS_PID_FILE_H

#include <stdbool.h>
#include <sys/types.h>

/* Pid of the running supervisor; 0: none runs here. */
pid_t pid_file_supervisor(const char *prefix);
/* Whether a gateway process serves under that supervisor. */
bool pid_file_has_gateway(const char *prefix);

/* Makes this process the supervisor of the prefix; the caller keeps the descriptor open until
 * pid_file_leave(). -1: *error is a heap text ("Sluice is already running in ..."), or NULL when
 * out of memory. */
int pid_file_enter(const char *prefix, char **error) __attribute__((warn_unused_result));
/* Removes the files and closes the descriptor. */
void pid_file_leave(const char *prefix, int fd);
/* Notes the serving gateway; 0: there is none now. */
void pid_file_set_gateway(const char *prefix, pid_t pid);

#endif
