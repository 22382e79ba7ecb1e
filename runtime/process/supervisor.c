/* SPDX-License-Identifier: Apache-2.0 */
/* supervisor.c -- see supervisor.h.
 *
 * At most one generation is STARTING (`starting`) and one SERVING (`serving`); any number may
 * drain. With `next` set, the one that starts is a reload: it takes the configuration over when it
 * is ready, and leaves no trace when it fails. All waiting is one poll() on the signals and the
 * ready pipe. */
#include "process/supervisor.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "config/options.h"
#include "process/pid_file.h"
#include "process/prefix.h"
#include "process/reload.h"

enum {
    BACKOFF_FIRST_MS = 100,
    BACKOFF_LAST_MS = 5000,
    STABLE_MS = 10000,      /* a gateway that served this long starts the back-off anew */
    CLOSE_SOCKETS_MS = 100, /* after the order to drain: then nobody accepts any more */
};

enum supervisor_phase {
    SUPERVISOR_FIRST_START,
    SUPERVISOR_RUNNING,
    SUPERVISOR_QUITTING,
    SUPERVISOR_STOPPING,
};

/* What a reload will put in place of the current configuration. */
struct candidate {
    struct reload_request request;
    struct options *options;
    struct gateway_sockets plan;
    char **environment; /* NULL: the current one */
};

struct supervisor {
    enum supervisor_phase phase;
    struct supervisor_setup *setup;
    struct options *options;
    struct gateway_sockets plan;
    char *config_path;
    char **environment; /* owned once a reload has changed it; NULL: that of the start */
    struct log *log;
    struct list generations;
    struct generation *serving, *starting;
    struct candidate *next;
    bool is_reload_asked;
    int64_t restart_at_ms, backoff_ms; /* 0: nothing to restart */
    int64_t close_sockets_at_ms;
    int signal_fd, pid_fd;
    sigset_t old_mask;
    int status;
};

extern char **environ;

/* A text of several lines is several lines of the log. */
static void log_lines(struct supervisor *s, enum log_level level, const char *what,
                      const char *text)
{
    struct slice rest = slice_of(text);
    struct slice line;
    while (slice_split(&rest, '\n', &line))
        log_write(s->log, level, "%s: %.*s", what, SLICE_ARG(line));
}

/* Says once how the start went. The descriptor of the report is closed then. */
static void report_start(struct supervisor *s, const char *error)
{
    s->setup->on_start(s->setup->context, error);
    s->setup->report_fd = -1;
}

/* ---------------------------------------------------------------------------------- generations */
/* In the child: what is the supervisor's alone. Control pipes of other generations must not stay
 * open here, or those would not notice the supervisor's end. */
static void on_child(void *context)
{
    struct supervisor *s = context;
    for (struct list *at = s->generations.next; at != &s->generations; at = at->next) {
        struct generation *other = LIST_ENTRY(at, struct generation, node);
        close(other->control_fd);
        if (other->ready_fd >= 0)
            close(other->ready_fd);
    }
    close(s->signal_fd);
    close(s->pid_fd);
    if (s->setup->report_fd >= 0)
        close(s->setup->report_fd);
    if (s->next != NULL && s->next->environment != NULL)
        environ = s->next->environment;
    (void)sigprocmask(SIG_SETMASK, &s->old_mask, NULL);
}

static bool start(struct supervisor *s, const struct options *options,
                  const struct gateway_sockets *plan)
{
    s->starting = generation_start(options, plan, s->setup->run, on_child, s);
    if (s->starting == NULL)
        return false;
    list_push_back(&s->generations, &s->starting->node);
    log_write(s->log, LOG_LEVEL_INFO, "gateway process %ld started", (long)s->starting->pid);
    return true;
}

static void schedule_restart(struct supervisor *s, bool was_stable)
{
    if (s->phase != SUPERVISOR_RUNNING)
        return;
    if (was_stable || s->backoff_ms == 0)
        s->backoff_ms = BACKOFF_FIRST_MS;
    else
        s->backoff_ms = s->backoff_ms * 2 < BACKOFF_LAST_MS ? s->backoff_ms * 2 : BACKOFF_LAST_MS;
    s->restart_at_ms = clock_now_ms() + s->backoff_ms;
    log_write(s->log, LOG_LEVEL_ERROR, "restarting the gateway in %lld ms",
              (long long)s->backoff_ms);
}

static void restart(struct supervisor *s)
{
    s->restart_at_ms = 0;
    if (start(s, s->options, &s->plan))
        return;
    log_write(s->log, LOG_LEVEL_CRIT, "cannot start a gateway process: %s", strerror(errno));
    schedule_restart(s, false);
}

static void free_candidate(struct candidate *next)
{
    if (next == NULL)
        return;
    options_destroy(next->options);
    sockets_plan_clear(&next->plan);
    reload_environment_free(next->environment);
    reload_request_clear(&next->request);
    free(next);
}

static void open_log(struct supervisor *s)
{
    struct log *log = log_create(s->options->proxy_error_log, s->options->log_level);
    if (log == NULL)
        return; /* the gateway will say so, or has done */
    log_destroy(s->log);
    s->log = log;
}

/* The generation of a reload serves: its configuration is the current one from now on. */
static void adopt(struct supervisor *s)
{
    struct candidate *next = s->next;
    options_destroy(s->options);
    sockets_plan_clear(&s->plan);
    s->options = next->options;
    s->plan = next->plan;
    if (next->environment != NULL) {
        environ = next->environment;
        reload_environment_free(s->environment);
        s->environment = next->environment;
    }
    if (next->request.config_path != NULL) {
        free(s->config_path);
        s->config_path = next->request.config_path;
        next->request.config_path = NULL;
    }
    next->options = NULL;
    next->plan = (struct gateway_sockets){0};
    next->environment = NULL;
    sockets_keep_planned(s->setup->sockets);
    open_log(s);
    char *error = NULL;
    if (!prefix_prepare(s->options, &error))
        log_lines(s, LOG_LEVEL_WARN, "the prefix is not up to date",
                  error != NULL ? error : "out of memory");
    free(error);
}

static void end_reload(struct supervisor *s, const char *error)
{
    struct candidate *next = s->next;
    s->next = NULL;
    if (error != NULL)
        log_lines(s, LOG_LEVEL_ERROR, "reload failed, the old configuration stays", error);
    reload_answer(s->options->prefix, &next->request, error);
    free_candidate(next);
}

static void on_ready(struct supervisor *s, struct generation *generation)
{
    struct generation *old = s->serving;
    int64_t drain_ms = s->options->drain_timeout_ms;
    generation_serve(generation);
    s->starting = NULL;
    s->serving = generation;
    s->restart_at_ms = 0;
    if (s->next != NULL)
        adopt(s);
    pid_file_set_gateway(s->options->prefix, generation->pid);
    if (old != NULL)
        generation_drain(old, drain_ms);
    log_write(s->log, LOG_LEVEL_NOTICE, "gateway process %ld serves", (long)generation->pid);
    if (s->phase == SUPERVISOR_FIRST_START) {
        s->phase = SUPERVISOR_RUNNING;
        report_start(s, NULL);
    }
    if (s->next != NULL)
        end_reload(s, NULL);
}

static void stop(struct supervisor *s);

static void on_start_failure(struct supervisor *s, struct generation *generation, const char *why)
{
    s->starting = NULL;
    generation_stop(generation);
    if (s->phase == SUPERVISOR_FIRST_START) {
        s->status = 1;
        report_start(s, why);
        s->phase = SUPERVISOR_RUNNING; /* said; stop() does not say it again */
        stop(s);
    } else if (s->next != NULL) {
        sockets_drop_new(s->setup->sockets);
        end_reload(s, why);
        if (s->serving == NULL)
            schedule_restart(s, false);
    } else {
        log_lines(s, LOG_LEVEL_CRIT, "the gateway did not start", why);
        schedule_restart(s, false);
    }
}

static void on_answer(struct supervisor *s)
{
    struct generation *generation = s->starting;
    switch (generation_listen(generation)) {
    case GENERATION_SILENT: break;
    case GENERATION_READY: on_ready(s, generation); break;
    case GENERATION_FAILED:
        /* Without a word it is about to end, and its status says more. */
        if (generation->answer_len > 0)
            on_start_failure(s, generation, generation->answer);
        break;
    }
}

static void on_exit_of(struct supervisor *s, struct generation *generation, int status)
{
    char how[128];
    char text[256];
    generation_describe_exit(status, how, sizeof(how));
    if (generation == s->starting && generation->ready_fd >= 0)
        on_answer(s);
    if (generation == s->starting) {
        if (clock_now_ms() - generation->since_ms >= GENERATION_START_MS)
            (void)snprintf(text, sizeof(text), "the gateway process was not ready within %d s",
                           GENERATION_START_MS / 1000);
        else
            (void)snprintf(text, sizeof(text), "the gateway process %s before it was ready", how);
        on_start_failure(s, generation, text);
    } else if (generation == s->serving) {
        bool was_stable = clock_now_ms() - generation->since_ms >= STABLE_MS;
        s->serving = NULL;
        pid_file_set_gateway(s->options->prefix, 0);
        if (generation->state == GENERATION_SERVING)
            log_write(s->log, LOG_LEVEL_ALERT, "gateway process %ld %s", (long)generation->pid,
                      how);
        if (s->starting == NULL)
            schedule_restart(s, was_stable);
    } else if (WIFSIGNALED(status)) {
        log_write(s->log, LOG_LEVEL_WARN, "old gateway process %ld %s", (long)generation->pid, how);
    }
    generation_destroy(generation);
}

/* Also collects processes that are not ours: as pid 1 of a container we inherit them. */
static void collect(struct supervisor *s)
{
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        for (struct list *at = s->generations.next; at != &s->generations; at = at->next) {
            struct generation *generation = LIST_ENTRY(at, struct generation, node);
            if (generation->pid == pid) {
                on_exit_of(s, generation, status);
                break;
            }
        }
    }
}

/* --------------------------------------------------------------------------------------- reload */
/* Reads the configuration under the environment of the request. */
static bool load_candidate(struct supervisor *s, struct candidate *next, char **error)
{
    const struct options_override kept[] = {
        {"prefix", s->options->prefix}, {"database", s->options->database}, {0}};
    char **before = environ;
    const char *config_path =
        next->request.config_path != NULL ? next->request.config_path : s->config_path;
    if (next->request.environment != NULL) {
        next->environment = reload_environment(environ, &next->request);
        if (next->environment == NULL)
            return false;
        environ = next->environment;
    }
    next->options = options_load_with(config_path, kept, error);
    environ = before;
    return next->options != NULL &&
           sockets_plan(s->setup->sockets, next->options, &next->plan, error);
}

static void reload(struct supervisor *s)
{
    char *error = NULL;
    s->is_reload_asked = false;
    s->next = calloc(1, sizeof(*s->next));
    if (s->next == NULL) {
        log_write(s->log, LOG_LEVEL_ERROR, "reload failed: out of memory");
        return;
    }
    reload_take(s->options->prefix, &s->next->request);
    log_write(s->log, LOG_LEVEL_NOTICE, "reloading the configuration");
    if (!load_candidate(s, s->next, &error)) {
        end_reload(s, error != NULL ? error : "out of memory");
    } else if (start(s, s->next->options, &s->next->plan)) {
        s->restart_at_ms = 0;
    } else {
        sockets_drop_new(s->setup->sockets);
        end_reload(s, strerror(errno));
    }
    free(error);
}

/* -------------------------------------------------------------------------------------- signals */
static void give_up_starting(struct supervisor *s)
{
    static const char why[] = "told to stop before the gateway was ready";
    s->restart_at_ms = 0;
    s->is_reload_asked = false;
    if (s->phase == SUPERVISOR_FIRST_START) {
        s->status = 1;
        report_start(s, why);
    }
    if (s->starting != NULL)
        generation_stop(s->starting);
    s->starting = NULL;
    if (s->next != NULL)
        end_reload(s, why);
}

static void stop(struct supervisor *s)
{
    if (s->phase == SUPERVISOR_STOPPING)
        return;
    give_up_starting(s);
    s->phase = SUPERVISOR_STOPPING;
    for (struct list *at = s->generations.next; at != &s->generations; at = at->next)
        generation_stop(LIST_ENTRY(at, struct generation, node));
}

static void quit(struct supervisor *s)
{
    if (s->phase == SUPERVISOR_STOPPING || s->phase == SUPERVISOR_QUITTING)
        return;
    log_write(s->log, LOG_LEVEL_NOTICE, "draining, then stopping");
    give_up_starting(s);
    s->phase = SUPERVISOR_QUITTING;
    if (s->serving != NULL)
        generation_drain(s->serving, s->options->drain_timeout_ms);
    s->close_sockets_at_ms = clock_now_ms() + CLOSE_SOCKETS_MS;
}

static void reopen_logs(struct supervisor *s)
{
    if (s->log != NULL && !log_reopen(s->log))
        log_write(s->log, LOG_LEVEL_ERROR, "log file was not reopened: %s", strerror(errno));
    for (struct list *at = s->generations.next; at != &s->generations; at = at->next)
        generation_reopen_logs(LIST_ENTRY(at, struct generation, node));
}

static void on_signals(struct supervisor *s)
{
    struct signalfd_siginfo info;
    while (read(s->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        switch (info.ssi_signo) {
        case SIGTERM:
        case SIGINT: stop(s); break;
        case SIGQUIT: quit(s); break;
        case SIGHUP: s->is_reload_asked = s->phase <= SUPERVISOR_RUNNING; break;
        case SIGUSR1: reopen_logs(s); break;
        default: collect(s); break; /* SIGCHLD, the only other one in the mask */
        }
    }
}

static bool watch_signals(struct supervisor *s)
{
    static const int signals[] = {SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGCHLD};
    sigset_t mask;
    sigemptyset(&mask);
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        sigaddset(&mask, signals[i]);
    (void)signal(SIGPIPE, SIG_IGN);
    if (sigprocmask(SIG_BLOCK, &mask, &s->old_mask) != 0)
        return false;
    s->signal_fd = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
    return s->signal_fd >= 0;
}

/* ----------------------------------------------------------------------------------------- loop */
static void sooner(int64_t *at_ms, int64_t candidate_ms)
{
    if (candidate_ms != 0 && (*at_ms == 0 || candidate_ms < *at_ms))
        *at_ms = candidate_ms;
}

/* Milliseconds until something is due; -1: nothing. */
static int time_left(const struct supervisor *s)
{
    int64_t at_ms = 0;
    sooner(&at_ms, s->restart_at_ms);
    sooner(&at_ms, s->close_sockets_at_ms);
    for (const struct list *at = s->generations.next; at != &s->generations; at = at->next)
        sooner(&at_ms,
               ((const struct generation *)(const void *)((const char *)at -
                                                          offsetof(struct generation, node)))
                   ->deadline_ms);
    if (at_ms == 0)
        return -1;
    int64_t left = at_ms - clock_now_ms();
    return left < 0 ? 0 : left > 1000000 ? 1000000 : (int)left;
}

static void do_what_is_due(struct supervisor *s)
{
    int64_t now_ms = clock_now_ms();
    for (struct list *at = s->generations.next; at != &s->generations; at = at->next)
        generation_enforce(LIST_ENTRY(at, struct generation, node), now_ms);
    if (s->close_sockets_at_ms != 0 && now_ms >= s->close_sockets_at_ms) {
        s->close_sockets_at_ms = 0;
        sockets_clear(s->setup->sockets);
    }
    if (s->phase != SUPERVISOR_RUNNING || s->starting != NULL)
        return;
    if (s->is_reload_asked)
        reload(s);
    else if (s->restart_at_ms != 0 && now_ms >= s->restart_at_ms)
        restart(s);
}

static void serve(struct supervisor *s)
{
    while (s->phase <= SUPERVISOR_RUNNING || !list_is_empty(&s->generations)) {
        do_what_is_due(s);
        struct pollfd fds[2] = {
            {s->signal_fd, POLLIN, 0},
            {s->starting == NULL ? -1 : s->starting->ready_fd, POLLIN, 0},
        };
        if (poll(fds, 2, time_left(s)) < 0 && errno != EINTR) {
            log_write(s->log, LOG_LEVEL_EMERG, "poll: %s", strerror(errno));
            break; /* the gateways end with their control pipes */
        }
        /* The answer first: a child that says why and ends shows both at once. */
        if (fds[1].revents != 0 && s->starting != NULL)
            on_answer(s);
        if (fds[0].revents != 0)
            on_signals(s);
    }
}

static void raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit); /* more is better, what there is will do */
}

static bool begin(struct supervisor *s, char **error)
{
    struct supervisor_setup *setup = s->setup;
    (void)prctl(PR_SET_NAME, "sluice");
    raise_descriptor_limit();
    s->pid_fd = pid_file_enter(s->options->prefix, error);
    if (s->pid_fd < 0)
        return false;
    if (setup->config_path != NULL && (s->config_path = strdup(setup->config_path)) == NULL)
        return false;
    open_log(s);
    if (!watch_signals(s) || !start(s, s->options, &s->plan)) {
        if (asprintf(error, "cannot start a gateway process: %s", strerror(errno)) < 0)
            *error = NULL;
        return false;
    }
    return true;
}

static void clear(struct supervisor *s)
{
    while (!list_is_empty(&s->generations))
        generation_destroy(LIST_ENTRY(s->generations.next, struct generation, node));
    sockets_clear(s->setup->sockets);
    pid_file_leave(s->options->prefix, s->pid_fd);
    if (s->signal_fd >= 0) {
        close(s->signal_fd);
        (void)sigprocmask(SIG_SETMASK, &s->old_mask, NULL);
    }
    free_candidate(s->next);
    sockets_plan_clear(&s->plan);
    log_destroy(s->log);
    options_destroy(s->options);
    free(s->config_path);
}

int supervisor_run(struct supervisor_setup *setup)
{
    struct supervisor s = {
        .phase = SUPERVISOR_FIRST_START,
        .setup = setup,
        .options = setup->options,
        .plan = setup->plan,
        .signal_fd = -1,
        .pid_fd = -1,
    };
    char *error = NULL;
    list_init(&s.generations);
    if (begin(&s, &error)) {
        serve(&s);
        log_write(s.log, LOG_LEVEL_NOTICE, "stopped");
    } else {
        s.status = 1;
        report_start(&s, error != NULL ? error : "out of memory");
    }
    free(error);
    clear(&s);
    return s.status;
}
