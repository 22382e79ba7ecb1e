/* SPDX-License-Identifier: Apache-2.0 */
/* generation.c -- see generation.h. */
#include "process/generation.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

enum { READ_END, WRITE_END };

static void close_pipe(int pipe_fds[2])
{
    for (int i = 0; i < 2; i++)
        if (pipe_fds[i] >= 0)
            close(pipe_fds[i]);
}

/* The child: never returns. */
static void run_child(const struct options *options, const struct gateway_sockets *plan,
                      generation_run run, int ready_fd, int control_fd, pid_t parent)
{
    /* The supervisor may have died before the request took effect. */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent)
        _exit(1);
    (void)prctl(PR_SET_NAME, "sluice-gateway");
    exit(run(options, plan, ready_fd, control_fd));
}

struct generation *generation_start(const struct options *options,
                                    const struct gateway_sockets *plan, generation_run run,
                                    void (*before_run)(void *context), void *context)
{
    int ready[2] = {-1, -1};
    int control[2] = {-1, -1};
    struct generation *generation = calloc(1, sizeof(*generation));
    if (generation == NULL || pipe2(ready, O_CLOEXEC) != 0 || pipe2(control, O_CLOEXEC) != 0 ||
        fcntl(ready[READ_END], F_SETFL, O_NONBLOCK) != 0 ||
        fcntl(control[WRITE_END], F_SETFL, O_NONBLOCK) != 0)
        goto fail;
    (void)fflush(NULL); /* else the child would print it again */
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid < 0)
        goto fail;
    if (pid == 0) {
        close(ready[READ_END]);
        close(control[WRITE_END]);
        before_run(context);
        run_child(options, plan, run, ready[WRITE_END], control[READ_END], parent);
    }
    close(ready[WRITE_END]);
    close(control[READ_END]);
    list_init(&generation->node);
    generation->state = GENERATION_STARTING;
    generation->pid = pid;
    generation->ready_fd = ready[READ_END];
    generation->control_fd = control[WRITE_END];
    generation->since_ms = clock_now_ms();
    generation->deadline_ms = generation->since_ms + GENERATION_START_MS;
    return generation;
fail:;
    int saved = errno;
    close_pipe(ready);
    close_pipe(control);
    free(generation);
    errno = saved;
    return NULL;
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

void generation_destroy(struct generation *generation)
{
    if (generation == NULL)
        return;
    list_remove(&generation->node);
    close_fd(&generation->ready_fd);
    close_fd(&generation->control_fd);
    free(generation);
}

enum generation_answer generation_listen(struct generation *generation)
{
    static const char ok[] = "ok\n";
    size_t room = sizeof(generation->answer) - 1 - generation->answer_len;
    ssize_t n = 1;
    while (n > 0 && room > 0) {
        n = read(generation->ready_fd, generation->answer + generation->answer_len, room);
        if (n > 0) {
            generation->answer_len += (size_t)n;
            room -= (size_t)n;
        }
    }
    generation->answer[generation->answer_len] = '\0';
    if (n < 0 && (errno == EAGAIN || errno == EINTR) && strcmp(generation->answer, ok) != 0)
        return GENERATION_SILENT;
    close_fd(&generation->ready_fd);
    if (strcmp(generation->answer, ok) == 0)
        return GENERATION_READY;
    while (generation->answer_len > 0 && generation->answer[generation->answer_len - 1] == '\n')
        generation->answer[--generation->answer_len] = '\0';
    return GENERATION_FAILED;
}

static void enter(struct generation *generation, enum generation_state state, int64_t timeout_ms)
{
    generation->state = state;
    generation->since_ms = clock_now_ms();
    generation->deadline_ms = timeout_ms == 0 ? 0 : generation->since_ms + timeout_ms;
}

/* A pipe that is full or closed belongs to a process that takes no orders; the deadline will do. */
static void order(struct generation *generation, enum gateway_order what)
{
    char byte = (char)what;
    ssize_t written = write(generation->control_fd, &byte, 1);
    (void)written;
}

void generation_serve(struct generation *generation)
{
    enter(generation, GENERATION_SERVING, 0);
}

void generation_drain(struct generation *generation, int64_t timeout_ms)
{
    enum { MARGIN_MS = 1000 }; /* the gateway keeps the time itself; this is for one that hangs */
    if (generation->state == GENERATION_DRAINING || generation->state == GENERATION_STOPPING)
        return;
    order(generation, GATEWAY_DRAIN);
    enter(generation, GENERATION_DRAINING, timeout_ms + MARGIN_MS);
}

void generation_stop(struct generation *generation)
{
    if (generation->state == GENERATION_STOPPING)
        return;
    order(generation, GATEWAY_STOP);
    close_fd(&generation->ready_fd);
    enter(generation, GENERATION_STOPPING, GENERATION_STOP_MS);
}

void generation_reopen_logs(struct generation *generation)
{
    order(generation, GATEWAY_REOPEN_LOGS);
}

void generation_enforce(struct generation *generation, int64_t now_ms)
{
    if (generation->deadline_ms == 0 || now_ms < generation->deadline_ms)
        return;
    switch (generation->state) {
    case GENERATION_SERVING: break;
    case GENERATION_DRAINING: generation_stop(generation); break;
    case GENERATION_STARTING:
    case GENERATION_STOPPING:
        (void)kill(generation->pid, SIGKILL);
        generation->deadline_ms = now_ms + GENERATION_STOP_MS; /* once more, should it survive */
        break;
    }
}

void generation_describe_exit(int status, char *out, size_t size)
{
    if (WIFSIGNALED(status)) {
        const char *name = sigdescr_np(WTERMSIG(status));
        (void)snprintf(out, size, "was killed by signal %d (%s)", WTERMSIG(status),
                       name == NULL ? "unknown" : name);
    } else {
        (void)snprintf(out, size, "ended with status %d", WEXITSTATUS(status));
    }
}
