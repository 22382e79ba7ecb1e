/* SPDX-License-Identifier: Apache-2.0 */
/* gateway.c -- puts a gateway process together, in the order in which a failure is cheapest: logs,
 * plugins, store, first snapshot, TLS, threads. Then follows the supervisor's orders. */
#include "process/gateway_parts.h"

#include <errno.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "config/declarative.h"
#include "config/schema.h"
#include "config/store.h"
#include "net/tls.h"
#include "process/prefix.h"
#include "proxy/pdk_host.h"
#include "snapshot/build.h"

enum { MIGRATE_TIMEOUT_MS = 60000 };

void gateway_start_up(struct gateway_start *start, char *error)
{
    pthread_mutex_lock(&start->mutex);
    if (error == NULL)
        start->running++;
    else
        start->failed++;
    if (start->error == NULL)
        start->error = error;
    else
        free(error);
    pthread_cond_signal(&start->changed);
    pthread_mutex_unlock(&start->mutex);
}

/* Waits until `count` threads have reported. NULL: all are up. */
static const char *wait_started(struct gateway_start *start, int count)
{
    pthread_mutex_lock(&start->mutex);
    while (start->running + start->failed < count)
        pthread_cond_wait(&start->changed, &start->mutex);
    const char *error = start->error;
    pthread_mutex_unlock(&start->mutex);
    return error;
}

static char *failure(const char *format, const char *what, const char *why)
{
    size_t size = strlen(format) + strlen(what) + strlen(why) + 1;
    char *text = malloc(size);
    if (text == NULL)
        return NULL;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(text, size, format, what, why);
#pragma GCC diagnostic pop
    return text;
}

static bool open_log(struct log **log, const char *path, enum log_level level, char **error)
{
    *log = log_create(path, level);
    if (*log == NULL)
        *error = failure("cannot open the log file %s: %s", path, strerror(errno));
    return *log != NULL;
}

static bool open_logs(struct gateway *gateway, char **error)
{
    const struct options *options = gateway->options;
    enum log_level level = options->log_level;
    return open_log(&gateway->error_log, options->proxy_error_log, level, error) &&
           open_log(&gateway->access_log, options->proxy_access_log, level, error) &&
           open_log(&gateway->admin_error_log, options->admin_error_log, level, error) &&
           open_log(&gateway->admin_access_log, options->admin_access_log, level, error) &&
           open_log(&gateway->status_error_log, options->status_error_log, level, error) &&
           open_log(&gateway->status_access_log, options->status_access_log, level, error);
}

static void each_log(struct gateway *gateway, void (*visit)(struct log *log))
{
    struct log *const logs[] = {gateway->error_log,        gateway->access_log,
                                gateway->admin_error_log,  gateway->admin_access_log,
                                gateway->status_error_log, gateway->status_access_log};
    for (size_t i = 0; i < sizeof(logs) / sizeof(logs[0]); i++)
        if (logs[i] != NULL)
            visit(logs[i]);
}

static void reopen(struct log *log)
{
    if (!log_reopen(log))
        log_write(log, LOG_LEVEL_ERROR, "log file was not reopened: %s", strerror(errno));
}

static bool load_plugins(struct gateway *gateway, char **error)
{
    const struct options *options = gateway->options;
    size_t count = 0;
    while (options->plugins[count] != NULL)
        count++;
    gateway->shared.search = (struct plugin_search){
        .c_dirs = (const char *const *)options->plugin_dirs,
        .lua_path = options->lua_package_path,
        .lua_cpath = options->lua_package_cpath,
    };
    return plugin_set_load(&gateway->plugins, (const char *const *)options->plugins, count,
                           &gateway->shared.search, pdk_host_offline(), gateway->error_log, error);
}

static const struct schema *find_plugin_schema(void *context, struct slice name)
{
    const struct gateway *gateway = context;
    const struct plugin_type *type = plugin_set_find(&gateway->plugins, name);
    return type == NULL ? NULL : type->schema;
}

/* database=off: the declarative file, if any, becomes the content of the memory store. */
static bool load_declarative(struct gateway *gateway, char **error)
{
    const struct options *options = gateway->options;
    json_t *entities = NULL;
    if (options->declarative_config == NULL && options->declarative_config_string == NULL)
        return true;
    json_t *errors = NULL;
    enum declarative_result result =
        options->declarative_config != NULL
            ? declarative_load_file(options->declarative_config, find_plugin_schema, gateway,
                                    &entities, &errors)
            : declarative_parse(slice_of(options->declarative_config_string), find_plugin_schema,
                                gateway, &entities, &errors);
    if (result != DECLARATIVE_OK) {
        *error = result == DECLARATIVE_NO_MEMORY ? strdup("out of memory")
                                                 : declarative_error_text(errors);
        json_decref(errors);
        return false;
    }
    struct store_error why = {0};
    bool is_done = store_replace_all(gateway->store, entities, &why) == STORE_OK;
    if (!is_done)
        *error = strdup(why.text);
    store_error_clear(&why);
    json_decref(entities);
    return is_done;
}

static bool open_store(struct gateway *gateway, char **error)
{
    struct store_error why = {0};
    enum store_state state = STORE_READY;
    gateway->store = store_open(gateway->options, gateway->error_log, &why);
    bool is_done =
        gateway->store != NULL && store_state_get(gateway->store, &state, &why) == STORE_OK;
    if (is_done && state != STORE_READY) {
        int applied;
        if (strcmp(store_kind(gateway->store), "sqlite") == 0) {
            is_done = store_migrate(gateway->store, MIGRATE_TIMEOUT_MS, &applied, &why) == STORE_OK;
        } else {
            snprintf(why.text, sizeof(why.text), "%s",
                     state == STORE_EMPTY
                         ? "the database needs bootstrapping. Run 'sluice migrations bootstrap'"
                         : "the database schema is not up to date. Run 'sluice migrations up'");
            is_done = false;
        }
    }
    if (!is_done)
        *error = strdup(why.text);
    store_error_clear(&why);
    return is_done && load_declarative(gateway, error);
}

static bool first_snapshot(struct gateway *gateway, char **error)
{
    struct store_error why = {0};
    struct snapshot *snapshot = NULL;
    gateway->builder = builder_create(&gateway->plugins, gateway->error_log);
    if (gateway->builder != NULL &&
        builder_load(gateway->builder, gateway->store, &why) == STORE_OK)
        snapshot = builder_snapshot(gateway->builder);
    if (snapshot == NULL)
        *error = strdup(why.text[0] != '\0' ? why.text : "out of memory");
    else
        snapshot_slot_publish(&gateway->shared.slot, snapshot);
    store_error_clear(&why);
    return snapshot != NULL;
}

static bool make_tls(struct gateway *gateway, char **error)
{
    const struct options *options = gateway->options;
    char *cert = NULL, *key = NULL, *admin_cert = NULL, *admin_key = NULL;
    bool is_done = prefix_tls_pair(options, "default", &cert, &key, error) &&
                   prefix_tls_pair(options, "admin", &admin_cert, &admin_key, error);
    if (is_done) {
        gateway->shared.tls_server = tls_server_create(cert, key, error);
        gateway->admin_tls = gateway->shared.tls_server == NULL
                                 ? NULL
                                 : tls_server_create(admin_cert, admin_key, error);
        gateway->shared.tls_client =
            gateway->admin_tls == NULL
                ? NULL
                : tls_client_create(options->lua_ssl_trusted_certificate, error);
        is_done = gateway->shared.tls_client != NULL;
    }
    free(cert);
    free(key);
    free(admin_cert);
    free(admin_key);
    return is_done;
}

static bool make_shared(struct gateway *gateway, char **error)
{
    const struct options *options = gateway->options;
    struct worker_shared *shared = &gateway->shared;
    const struct dns_config dns = {
        .servers = options->dns.resolver,
        .hosts_file = options->dns.hostsfile,
        .order = options->dns.order,
        .valid_ttl_ms = options->dns.valid_ttl_ms,
        .stale_ttl_ms = options->dns.stale_ttl_ms,
        .not_found_ttl_ms = options->dns.not_found_ttl_ms,
        .error_ttl_ms = options->dns.error_ttl_ms,
        .cache_size = options->dns.cache_size,
        .timeout_ms = options->dns.timeout_ms,
    };
    shared->options = options;
    shared->error_log = gateway->error_log;
    shared->access_log = gateway->access_log;
    shared->plugins = &gateway->plugins;
    shared->node_id = options->node_id;
    shared->gateway = gateway;
    shared->counters = counters_create();
    shared->dns_cache = dns_cache_create(&dns, gateway->error_log);
    if (shared->counters == NULL || shared->dns_cache == NULL ||
        !trusted_init(&shared->trusted, options->trusted_ips)) {
        *error = strdup("out of memory");
        return false;
    }
    return make_tls(gateway, error);
}

static bool start_threads(struct gateway *gateway, char **error)
{
    int workers = gateway->options->workers;
    bool is_created = true;
    gateway->workers = calloc((size_t)workers, sizeof(*gateway->workers));
    is_created = gateway->workers != NULL;
    int started = 0;
    for (int i = 0; is_created && i < workers; i++) {
        gateway->workers[i].id = i;
        gateway->workers[i].gateway = gateway;
        is_created = worker_thread_start(&gateway->workers[i]);
        started += is_created;
    }
    if (is_created && (is_created = admin_thread_start(gateway)))
        started++;
    if (is_created && (is_created = monitor_thread_start(gateway)))
        started++;
    const char *why = wait_started(&gateway->start, started);
    if (!is_created || why != NULL)
        *error = strdup(why != NULL ? why : "a thread could not be created");
    return *error == NULL;
}

static bool prepare(struct gateway *gateway, char **error)
{
    snapshot_slot_init(&gateway->shared.slot);
    gateway->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (!schema_init() || gateway->wake_fd < 0) {
        *error = strdup("out of memory");
        return false;
    }
    return open_logs(gateway, error) && load_plugins(gateway, error) &&
           open_store(gateway, error) && first_snapshot(gateway, error) &&
           make_shared(gateway, error) && start_threads(gateway, error);
}

/* Ends everything in the reverse order; each part may not have been made. */
static void tear_down(struct gateway *gateway)
{
    admin_thread_stop(gateway); /* it and the monitor look at the workers' counts */
    monitor_thread_stop(gateway);
    for (int i = 0; gateway->workers != NULL && i < gateway->options->workers; i++)
        worker_thread_stop(&gateway->workers[i]);
    free(gateway->workers);
    SSL_CTX_free(gateway->shared.tls_server);
    SSL_CTX_free(gateway->shared.tls_client);
    SSL_CTX_free(gateway->admin_tls);
    trusted_clear(&gateway->shared.trusted);
    dns_cache_destroy(gateway->shared.dns_cache);
    counters_destroy(gateway->shared.counters);
    snapshot_slot_clear(&gateway->shared.slot);
    builder_destroy(gateway->builder);
    store_close(gateway->store);
    plugin_set_clear(&gateway->plugins);
    each_log(gateway, log_destroy);
    if (gateway->wake_fd >= 0)
        close(gateway->wake_fd);
    schema_shutdown();
    pthread_mutex_destroy(&gateway->start.mutex);
    pthread_cond_destroy(&gateway->start.changed);
    free(gateway->start.error);
}

static void say(int ready_fd, const char *text)
{
    ssize_t written = write(ready_fd, text, strlen(text));
    written += write(ready_fd, "\n", 1);
    (void)written; /* nobody is left to tell */
    close(ready_fd);
}

static void drain(struct gateway *gateway)
{
    if (atomic_exchange(&gateway->is_draining, true))
        return;
    log_write(gateway->error_log, LOG_LEVEL_NOTICE, "draining: no new connections are accepted");
    atomic_store(&gateway->draining_left, gateway->options->workers);
    for (int i = 0; i < gateway->options->workers; i++)
        worker_thread_drain(&gateway->workers[i]);
    admin_thread_drain(gateway);
    monitor_thread_drain(gateway);
}

/* Takes one order. False: stop now. */
static bool follow(struct gateway *gateway, int control_fd)
{
    char order;
    ssize_t n = read(control_fd, &order, 1);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
        return false;
    if (n < 0)
        return true;
    switch ((enum gateway_order)order) {
    case GATEWAY_STOP: return false;
    case GATEWAY_DRAIN: drain(gateway); return true;
    case GATEWAY_REOPEN_LOGS: each_log(gateway, reopen); return true;
    }
    return true;
}

/* Waits for orders until one says stop, or draining is over. */
static void serve(struct gateway *gateway, int control_fd)
{
    int64_t drain_until = 0;
    for (;;) {
        struct pollfd fds[2] = {{control_fd, POLLIN, 0}, {gateway->wake_fd, POLLIN, 0}};
        int timeout = -1;
        if (atomic_load(&gateway->is_draining)) {
            if (drain_until == 0)
                drain_until = clock_now_ms() + gateway->options->drain_timeout_ms;
            int64_t left = drain_until - clock_now_ms();
            if (left <= 0)
                return;
            timeout = (int)left;
        }
        if (poll(fds, 2, timeout) < 0 && errno != EINTR)
            return;
        if (fds[0].revents != 0 && !follow(gateway, control_fd))
            return;
        if (fds[1].revents != 0 && atomic_load(&gateway->is_draining))
            return;
    }
}

int gateway_run(const struct options *options, const struct gateway_sockets *sockets, int ready_fd,
                int control_fd)
{
    struct gateway gateway = {.options = options, .sockets = sockets, .wake_fd = -1};
    char *error = NULL;
    /* Orders come through the pipe: a Ctrl-C for the whole process group is the supervisor's. */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    signal(SIGQUIT, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    signal(SIGUSR1, SIG_IGN);
    pthread_mutex_init(&gateway.start.mutex, NULL);
    pthread_cond_init(&gateway.start.changed, NULL);
    atomic_init(&gateway.is_database_reachable, true);
    if (!prepare(&gateway, &error)) {
        say(ready_fd, error != NULL ? error : "out of memory");
        log_write(gateway.error_log, LOG_LEVEL_CRIT, "the gateway did not start: %s",
                  error != NULL ? error : "out of memory");
        free(error);
        tear_down(&gateway);
        return 1;
    }
    log_write(gateway.error_log, LOG_LEVEL_NOTICE, "sluice/" SLUICE_VERSION " is up, %d worker(s)",
              options->workers);
    say(ready_fd, "ok");
    serve(&gateway, control_fd);
    log_write(gateway.error_log, LOG_LEVEL_NOTICE, "the gateway stops");
    tear_down(&gateway);
    return 0;
}
