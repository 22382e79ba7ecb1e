/* SPDX-License-Identifier: Apache-2.0 */
/* reload.c -- see reload.h. Both files are JSON and are replaced in one step. */
#include "process/reload.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/clock.h"
#include "process/generation.h"
#include "process/pid_file.h"
#include "process/prefix.h"

enum {
    POLL_MS = 20,
    ANSWER_MS = GENERATION_START_MS + 10000,
};

static const char request_file[] = "pids/reload.request";
static const char result_file[] = "pids/reload.result";
static const char lock_file[] = "pids/reload.lock";

extern char **environ;

__attribute__((format(printf, 2, 3))) static bool fail(char **error, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    if (vasprintf(error, format, args) < 0)
        *error = NULL;
    va_end(args);
    return false;
}

static void pause_ms(int ms)
{
    (void)poll(NULL, 0, ms);
}

static bool is_ours(const char *variable)
{
    return strncmp(variable, "KONG_", 5) == 0 || strncmp(variable, "SLUICE_", 7) == 0;
}

static bool write_json(const char *prefix, const char *name, json_t *object, char **error)
{
    char *text = object == NULL ? NULL : json_dumps(object, JSON_COMPACT);
    bool is_ok = text != NULL && prefix_write(prefix, name, text, error);
    free(text);
    json_decref(object);
    return is_ok;
}

static json_t *read_json(const char *prefix, const char *name)
{
    char *path = prefix_path(prefix, name);
    json_t *object = path == NULL ? NULL : json_load_file(path, 0, NULL);
    free(path);
    return object;
}

static void remove_file(const char *prefix, const char *name)
{
    char *path = prefix_path(prefix, name);
    if (path != NULL)
        (void)unlink(path);
    free(path);
}

/* -------------------------------------------------------------------------------------- command */
static bool make_id(char out[33])
{
    unsigned char random[16];
    if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
        return false;
    for (size_t i = 0; i < sizeof(random); i++)
        (void)snprintf(out + 2 * i, 3, "%02x", random[i]);
    return true;
}

static bool write_request(const char *prefix, const char *id, const char *config_path, char **error)
{
    json_t *variables = json_array();
    for (char **at = environ; variables != NULL && at != NULL && *at != NULL; at++) {
        /* A value that is no UTF-8 is left out: no key of the configuration has such. */
        json_t *text = is_ours(*at) ? json_string(*at) : NULL;
        if (text != NULL && json_array_append_new(variables, text) != 0) {
            json_decref(variables);
            variables = NULL;
        }
    }
    if (variables == NULL)
        return false;
    return write_json(prefix, request_file,
                      json_pack("{s:s, s:s*, s:o}", "id", id, "config_path", config_path,
                                "environment", variables),
                      error);
}

/* 1: answered well, 0: answered with *error, -1: not yet. */
static int read_result(const char *prefix, const char *id, char **error)
{
    json_t *result = read_json(prefix, result_file);
    const char *answered = json_string_value(json_object_get(result, "id"));
    int outcome = -1;
    if (answered != NULL && strcmp(answered, id) == 0) {
        const char *why = json_string_value(json_object_get(result, "error"));
        outcome = why == NULL ? 1 : 0;
        if (why != NULL)
            fail(error, "%s", why);
    }
    json_decref(result);
    return outcome;
}

static bool wait_result(const char *prefix, pid_t supervisor, const char *id, char **error)
{
    int64_t deadline_ms = clock_now_ms() + ANSWER_MS;
    for (;;) {
        bool is_alive = pid_file_supervisor(prefix) == supervisor;
        int outcome = read_result(prefix, id, error);
        if (outcome >= 0)
            return outcome == 1;
        if (!is_alive)
            return fail(error, "Sluice stopped while it was reloading");
        if (clock_now_ms() >= deadline_ms)
            return fail(error, "no answer within %d s; the log of the gateway says more",
                        ANSWER_MS / 1000);
        pause_ms(POLL_MS);
    }
}

static int take_lock(const char *prefix, char **error)
{
    int64_t deadline_ms = clock_now_ms() + ANSWER_MS;
    char *path = prefix_path(prefix, lock_file);
    int fd = path == NULL ? -1 : open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 && path != NULL)
        fail(error, "cannot open %s: %s", path, strerror(errno));
    while (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            break; /* no locks on this file system: go on without */
        if (clock_now_ms() >= deadline_ms) {
            fail(error, "another reload does not end");
            close(fd);
            fd = -1;
        } else {
            pause_ms(POLL_MS);
        }
    }
    free(path);
    return fd;
}

bool reload_ask(const char *prefix, pid_t supervisor, const char *config_path, char **error)
{
    char id[33];
    *error = NULL;
    if (!make_id(id))
        return fail(error, "the system has no random numbers");
    int lock = take_lock(prefix, error);
    if (lock < 0)
        return false;
    bool is_ok = write_request(prefix, id, config_path, error);
    if (is_ok && kill(supervisor, SIGHUP) != 0)
        is_ok = fail(error, "cannot send a signal to the process %ld: %s", (long)supervisor,
                     strerror(errno));
    is_ok = is_ok && wait_result(prefix, supervisor, id, error);
    remove_file(prefix, request_file);
    remove_file(prefix, result_file);
    close(lock);
    return is_ok;
}

/* ----------------------------------------------------------------------------------- supervisor */
static char **copy_variables(const json_t *list)
{
    size_t count = 0;
    char **variables = calloc(json_array_size(list) + 1, sizeof(*variables));
    for (size_t i = 0; variables != NULL && i < json_array_size(list); i++) {
        const char *text = json_string_value(json_array_get(list, i));
        if (text == NULL || !is_ours(text) || strchr(text, '=') == NULL)
            continue;
        variables[count] = strdup(text);
        if (variables[count++] == NULL)
            break; /* out of memory: the rest stays as it was */
    }
    return variables;
}

void reload_take(const char *prefix, struct reload_request *request)
{
    *request = (struct reload_request){0};
    json_t *object = read_json(prefix, request_file);
    const char *id = json_string_value(json_object_get(object, "id"));
    const char *path = json_string_value(json_object_get(object, "config_path"));
    if (id != NULL && strlen(id) < sizeof(request->id)) {
        memcpy(request->id, id, strlen(id) + 1);
        request->config_path = path == NULL ? NULL : strdup(path);
        request->environment = copy_variables(json_object_get(object, "environment"));
    }
    json_decref(object);
    remove_file(prefix, request_file);
}

void reload_answer(const char *prefix, const struct reload_request *request, const char *error)
{
    char *why = NULL;
    if (request->id[0] == '\0')
        return;
    /* If it cannot be written, the command tells its user that no answer came. */
    (void)write_json(prefix, result_file,
                     json_pack("{s:s, s:s?}", "id", request->id, "error", error), &why);
    free(why);
}

void reload_request_clear(struct reload_request *request)
{
    free(request->config_path);
    reload_environment_free(request->environment);
    *request = (struct reload_request){0};
}

static bool names_same(const char *a, const char *b)
{
    size_t len = strcspn(a, "=");
    return strncmp(a, b, len) == 0 && b[len] == '=';
}

static bool is_replaced(const char *variable, const struct reload_request *request)
{
    for (char **at = request->environment; at != NULL && *at != NULL; at++)
        if (names_same(variable, *at))
            return true;
    return false;
}

char **reload_environment(char *const *current, const struct reload_request *request)
{
    size_t most = 1;
    size_t count = 0;
    for (char *const *at = current; at != NULL && *at != NULL; at++)
        most++;
    for (char **at = request->environment; at != NULL && *at != NULL; at++)
        most++;
    char **out = calloc(most, sizeof(*out));
    if (out == NULL)
        return NULL;
    for (char *const *at = current; at != NULL && *at != NULL; at++) {
        if (is_replaced(*at, request))
            continue;
        if ((out[count++] = strdup(*at)) == NULL)
            goto fail;
    }
    for (char **at = request->environment; at != NULL && *at != NULL; at++)
        if ((out[count++] = strdup(*at)) == NULL)
            goto fail;
    return out;
fail:
    reload_environment_free(out);
    return NULL;
}

void reload_environment_free(char **environment)
{
    for (char **at = environment; at != NULL && *at != NULL; at++)
        free(*at);
    free(environment);
}
