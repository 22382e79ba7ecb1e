/* SPDX-License-Identifier: Apache-2.0 */
/* supervisor.h -- the process that holds the listening sockets and the pid file, follows signals,
 * and sees to it that one generation of the gateway serves:
 *
 *   TERM, INT  stop at once          HUP   reload: a new generation takes over, the old one drains
 *   QUIT       drain, then stop      USR1  reopen the logs          CHLD  restart what has crashed
 *
 * Single-threaded and without database or network code, so that it does not crash. */
#ifndef SLUICE_PROCESS_SUPERVISOR_H
#define SLUICE_PROCESS_SUPERVISOR_H

#include "process/generation.h"
#include "process/sockets.h"

struct options;

struct supervisor_setup {
    struct options *options;     /* taken */
    struct sockets *sockets;     /* open, planned; cleared at the end */
    struct gateway_sockets plan; /* taken */
    const char *config_path;     /* from the command line; NULL: the default places */
    generation_run run;          /* gateway_run */
    int report_fd;               /* closed in the gateway process; -1: none */
    /* Called once, and closes report_fd: `error` NULL when the first generation serves, else why it
     * does not. */
    void (*on_start)(void *context, const char *error);
    void *context;
};

/* Runs until told to stop. 0, or 1 if the first generation did not start. */
int supervisor_run(struct supervisor_setup *setup);

#endif
