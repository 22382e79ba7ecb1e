/* SPDX-License-Identifier: Apache-2.0 */
/* net_fixture.h -- what the tests of this folder share: a loop that cannot hang, sockets, files.
 * Every function fails the running test by itself when something it needs does not work. */
#ifndef SLUICE_SPEC_UNIT_NET_FIXTURE_H
#define SLUICE_SPEC_UNIT_NET_FIXTURE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct loop;

/* Ends a test program that hangs, however it hangs. */
void net_fixture_guard(unsigned seconds);
/* Runs the loop until a callback of the test calls loop_stop(). False: that took over `timeout_ms`.
 */
bool net_fixture_run(struct loop *loop, int64_t timeout_ms);
/* Runs the loop for that long, or until loop_stop(). */
void net_fixture_run_for(struct loop *loop, int64_t ms);

/* A connected TCP pair over loopback, non-blocking: [0] was accepted, [1] connected. */
void net_fixture_tcp_pair(int fds[2]);
/* A listening TCP socket on a free loopback port, and that port. */
int net_fixture_listen(int *port);
/* A loopback port that nobody listens on at the moment. */
int net_fixture_free_port(void);
/* A fresh directory; net_fixture_remove() deletes it with the files in it. */
void net_fixture_directory(char path[64]);
void net_fixture_remove(const char *path);

#endif
