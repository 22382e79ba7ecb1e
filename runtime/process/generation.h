/* SPDX-License-Identifier: Apache-2.0 */
/* generation.h -- one gateway process, seen from the supervisor.
 *
 *   STARTING -> SERVING -> DRAINING -> STOPPING -> (exit)
 *
 * Any state may go straight to STOPPING or to exit. Every state but SERVING has a deadline, after
 * which generation_enforce() takes the next step; the last one is SIGKILL. Owned by the
 * supervisor's list, from the fork until its exit status was collected. */
#ifndef SLUICE_PROCESS_GENERATION_H
#define SLUICE_PROCESS_GENERATION_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/list.h"
#include "process/gateway.h"

struct options;

enum generation_state {
    GENERATION_STARTING,
    GENERATION_SERVING,
    GENERATION_DRAINING,
    GENERATION_STOPPING,
};

enum {
    GENERATION_START_MS = 90000, /* plugins, store, first snapshot */
    GENERATION_STOP_MS = 5000,   /* between the order to stop and SIGKILL */
    GENERATION_ANSWER_BYTES = 8192,
};

struct generation {
    struct list node;
    enum generation_state state;
    pid_t pid;
    int control_fd;      /* orders go here; its end of file stops the gateway */
    int ready_fd;        /* non-blocking; -1 once it has answered */
    int64_t since_ms;    /* monotonic: when the state began */
    int64_t deadline_ms; /* monotonic; 0: none */
    size_t answer_len;
    char answer[GENERATION_ANSWER_BYTES]; /* what came from ready_fd */
};

typedef int (*generation_run)(const struct options *options, const struct gateway_sockets *sockets,
                              int ready_fd, int control_fd);

/* Forks; the child calls before_run(context), then run(), and exits with its result. It dies with
 * this process. NULL: errno says why. */
struct generation *generation_start(const struct options *options,
                                    const struct gateway_sockets *plan, generation_run run,
                                    void (*before_run)(void *context), void *context)
    __attribute__((warn_unused_result));
/* After its exit. NULL is harmless. */
void generation_destroy(struct generation *generation);

enum generation_answer { GENERATION_SILENT, GENERATION_READY, GENERATION_FAILED };
/* Reads what the process has said. FAILED: `answer` says why, without line end; "" if it said
 * nothing. Closes ready_fd unless SILENT. */
enum generation_answer generation_listen(struct generation *generation);

void generation_serve(struct generation *generation);
/* No effect on one that is draining or stopping. */
void generation_drain(struct generation *generation, int64_t timeout_ms);
/* No effect on one that is stopping. */
void generation_stop(struct generation *generation);
void generation_reopen_logs(struct generation *generation);
/* Takes the next step if the deadline has passed: killed when starting or stopping, stopped when
 * draining. */
void generation_enforce(struct generation *generation, int64_t now_ms);
/* "was killed by signal 11 (Segmentation fault)" or "ended with status 3"; `status` from waitpid().
 */
void generation_describe_exit(int status, char *out, size_t size);

#endif
