/* SPDX-License-Identifier: Apache-2.0 */
/* pdk.h -- the whole contract between the gateway and its plugins.
 *
 * kong.request.get_header() in Lua is kong->request->get_header() here: same name, meaning, phases.
 * The Lua binding is a client of this header too, so the two languages cannot drift apart.
 *
 * A C plugin is one shared object that defines PDK_PLUGIN(...). The gateway compares `abi` and
 * `size` before it calls anything. Handlers run on one of several worker threads and never block:
 * what they share is either immutable per configuration (configure) or per worker (init_worker,
 * then kong->state).
 *
 * Text is {ptr, len}, not NUL-terminated, borrowed: text that the gateway hands out lives until the
 * request's log phase ends unless said otherwise; text that is handed in is copied.
 * A function called outside its phases logs an error that names the current and the allowed phases,
 * does nothing, and returns absent / 0 / PDK_ERROR.
 *
 * Growth: structs gain members at the end only; PDK_ABI changes when a member changes meaning.
 */
#ifndef SLUICE_PDK_H
#define SLUICE_PDK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define PDK_ABI 1u

struct pdk_str {
    const char *ptr; /* NULL: absent */
    size_t len;
};

#define PDK_STR(literal) ((struct pdk_str){"" literal, sizeof(literal) - 1})

static inline struct pdk_str pdk_str_of(const char *text)
{
    return text == NULL ? (struct pdk_str){NULL, 0} : (struct pdk_str){text, strlen(text)};
}

static inline bool pdk_str_eq(struct pdk_str a, struct pdk_str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

/* What a phase handler asks of the runtime. */
enum pdk_result {
    PDK_OK,      /* go on with the next plugin */
    PDK_EXIT,    /* a response was set: skip to the header phase */
    PDK_SUSPEND, /* rewrite and access only: call this handler again (from its start) when the
                    request is resumed: by a ticket, or because the body it asked for is there */
    PDK_ERROR,   /* answer 500; the reason is already in the log */
};

/* Phases, as bits: a function's allowed phases are a mask of these. */
enum pdk_phase {
    PDK_PHASE_INIT_WORKER = 1 << 0,
    PDK_PHASE_CERTIFICATE = 1 << 1,
    PDK_PHASE_REWRITE = 1 << 2,
    PDK_PHASE_ACCESS = 1 << 3,
    PDK_PHASE_RESPONSE = 1 << 4,
    PDK_PHASE_HEADER = 1 << 5,
    PDK_PHASE_BODY = 1 << 6,
    PDK_PHASE_LOG = 1 << 7,
};

enum pdk_log_level { /* the numbers of enum log_level, Kong's names */
                     PDK_DEBUG,
                     PDK_INFO,
                     PDK_NOTICE,
                     PDK_WARN,
                     PDK_ERR,
                     PDK_CRIT,
                     PDK_ALERT,
                     PDK_EMERG,
};

struct pdk;
struct pdk_request; /* one request; only the gateway knows its inside */
struct pdk_worker;  /* one worker thread */
struct pdk_ticket;  /* a suspended request; outlives it safely */
struct pdk_conf;    /* a configuration being read by configure() or check() */

/* An entity of the configuration as a plugin sees it. Lives as long as the request. */
struct pdk_entity {
    size_t size;
    struct pdk_str id;   /* UUID */
    struct pdk_str name; /* endpoint key: name, username; absent if unset */
    struct pdk_str json; /* the whole record as a JSON object, without null members */
};

struct pdk_consumer {
    struct pdk_entity entity; /* name is the username */
    struct pdk_str custom_id; /* absent if unset */
};

/* A credential of an authentication plugin, such as keyauth_credentials. */
struct pdk_credential {
    struct pdk_entity entity; /* name is its key */
    const struct pdk_consumer *consumer;
    int64_t expires_at; /* Unix seconds; 0: never. find_credential() skips expired ones */
};

/* ---------------------------------------------------------------- request: what the client sent */
struct pdk_request_api {
    size_t size; /* of this table in the running gateway; compare before using newer members */

    /* "http" or "https" of the client's connection. Phases: all with a request. */
    struct pdk_str (*get_scheme)(struct pdk_request *req);
    /* Host without port, lower case. */
    struct pdk_str (*get_host)(struct pdk_request *req);
    int (*get_port)(struct pdk_request *req); /* of the listener */
    struct pdk_str (*get_forwarded_scheme)(struct pdk_request *req);
    struct pdk_str (*get_forwarded_host)(struct pdk_request *req);
    int (*get_forwarded_port)(struct pdk_request *req);
    struct pdk_str (*get_forwarded_path)(struct pdk_request *req);
    struct pdk_str (*get_forwarded_prefix)(
        struct pdk_request *req);                     /* absent if nothing stripped */
    int (*get_http_version)(struct pdk_request *req); /* 10, 11 or 20 */
    struct pdk_str (*get_method)(struct pdk_request *req);
    struct pdk_str (*get_path)(struct pdk_request *req);     /* normalised */
    struct pdk_str (*get_raw_path)(struct pdk_request *req); /* as received, without query */
    struct pdk_str (*get_path_with_query)(struct pdk_request *req);
    struct pdk_str (*get_raw_query)(struct pdk_request *req); /* without "?", "" if none */
    /* First decoded value of query argument `name`; absent if there is none. *is_bare (may be NULL)
     * tells `?name` from `?name=`. */
    struct pdk_str (*get_query_arg)(struct pdk_request *req, struct pdk_str name, bool *is_bare);
    /* The index-th argument, decoded, in order of appearance; false past the last. */
    bool (*query_at)(struct pdk_request *req, size_t index, struct pdk_str *name,
                     struct pdk_str *value, bool *is_bare);
    /* First value of header `name`, compared without case; absent if there is none.
     * Source: RFC 9110 section 5.1. */
    struct pdk_str (*get_header)(struct pdk_request *req, struct pdk_str name);
    /* The index-th field line as received (or as changed by service_request); false past the last.
     */
    bool (*header_at)(struct pdk_request *req, size_t index, struct pdk_str *name,
                      struct pdk_str *value);
    int64_t (*get_content_length)(
        struct pdk_request *req); /* -1: not declared (chunked); 0: none */
    /* The whole body. PDK_SUSPEND: it is still on its way; return PDK_SUSPEND, the handler is
     * called again when it is there. PDK_ERROR: larger than the gateway's limit (the reason is in
     * the log), or the client went away. Phases: rewrite, access, response. */
    enum pdk_result (*get_raw_body)(struct pdk_request *req, struct pdk_str *body);
    int64_t (*get_start_time)(struct pdk_request *req); /* Unix milliseconds */
    /* Captures of the route's regex path: by index (0 = whole match) or by name. Absent if none. */
    struct pdk_str (*get_uri_capture)(struct pdk_request *req, size_t index);
    struct pdk_str (*get_uri_capture_named)(struct pdk_request *req, struct pdk_str name);
    struct pdk_str (*get_id)(struct pdk_request *req); /* 32 lower-case hex characters */
};

/* --------------------------------------------- service.request: what is sent to the upstream */
/* Phases: rewrite and access. False: invalid argument (the reason is in the log) or no memory. */
struct pdk_service_request_api {
    size_t size;
    bool (*set_scheme)(struct pdk_request *req, struct pdk_str scheme); /* http, https, grpc(s) */
    bool (*set_path)(struct pdk_request *req, struct pdk_str path);     /* starts with "/" */
    bool (*set_raw_query)(struct pdk_request *req, struct pdk_str query);
    bool (*set_method)(struct pdk_request *req, struct pdk_str method);
    /* Replaces all lines of `name`. "host" sets the upstream's Host. */
    bool (*set_header)(struct pdk_request *req, struct pdk_str name, struct pdk_str value);
    bool (*add_header)(struct pdk_request *req, struct pdk_str name, struct pdk_str value);
    bool (*clear_header)(struct pdk_request *req, struct pdk_str name);
    bool (*set_raw_body)(struct pdk_request *req, struct pdk_str body);
    /* Collects the response whole before its header phase, so that service.response.get_raw_body()
     * has it. */
    bool (*enable_buffering)(struct pdk_request *req);
};

/* ------------------------------------------------------------------ service: where it is sent */
struct pdk_service_api {
    size_t size;
    bool (*set_target)(struct pdk_request *req, struct pdk_str host, int port);
    /* False if no upstream of that name exists. */
    bool (*set_upstream)(struct pdk_request *req, struct pdk_str name);
    bool (*set_retries)(struct pdk_request *req, int retries);
    bool (*set_timeouts)(struct pdk_request *req, int64_t connect_ms, int64_t write_ms,
                         int64_t read_ms);
};

/* ------------------------------------------------ service.response: what the upstream answered */
/* Phases: response, header, body, log. */
struct pdk_service_response_api {
    size_t size;
    int (*get_status)(struct pdk_request *req); /* 0: nothing came from an upstream */
    struct pdk_str (*get_header)(struct pdk_request *req, struct pdk_str name);
    bool (*header_at)(struct pdk_request *req, size_t index, struct pdk_str *name,
                      struct pdk_str *value);
    /* Needs enable_buffering(); PDK_ERROR otherwise. */
    enum pdk_result (*get_raw_body)(struct pdk_request *req, struct pdk_str *body);
};

/* ------------------------------------------------------------- response: what the client gets */
struct pdk_response_api {
    size_t size;
    int (*get_status)(struct pdk_request *req);
    struct pdk_str (*get_header)(struct pdk_request *req, struct pdk_str name);
    bool (*header_at)(struct pdk_request *req, size_t index, struct pdk_str *name,
                      struct pdk_str *value);
    struct pdk_str (*get_source)(struct pdk_request *req); /* "service", "exit" or "error" */
    /* Phases of the setters: rewrite, access, response, header. What is set before the upstream
     * answers is put on top of its headers. */
    bool (*set_status)(struct pdk_request *req, int status);
    bool (*set_header)(struct pdk_request *req, struct pdk_str name, struct pdk_str value);
    bool (*add_header)(struct pdk_request *req, struct pdk_str name, struct pdk_str value);
    bool (*clear_header)(struct pdk_request *req, struct pdk_str name);
    /* Ends the request with this answer; returns PDK_EXIT, to be returned by the handler. A body
     * of {NULL, 0} is none. No Content-Type is added: call set_header() first.
     * Phases: rewrite, access, response, header. */
    enum pdk_result (*exit)(struct pdk_request *req, int status, struct pdk_str body);
    /* As exit(), with Kong's error body: {"message": ..., "request_id": ...} or what the client
     * accepts. `message` absent: the default text of the status. */
    enum pdk_result (*error)(struct pdk_request *req, int status, struct pdk_str message);
    /* Body phase: the chunk at hand and whether it is the last (the last may be empty). */
    struct pdk_str (*get_chunk)(struct pdk_request *req, bool *is_last);
    /* Replaces the chunk at hand; empty text withholds it. When the length may change,
     * Content-Length must be cleared in the header phase. Phases: body. */
    bool (*set_chunk)(struct pdk_request *req, struct pdk_str chunk);
    /* Collects and withholds chunks; absent until the last one, then the whole body.
     * Phases: body. */
    struct pdk_str (*get_raw_body)(struct pdk_request *req);
    /* Replaces the rest of the body, ends it. Phases: body. */
    bool (*set_raw_body)(struct pdk_request *req, struct pdk_str body);
};

/* ------------------------------------------------------------------------------------- client */
struct pdk_client_api {
    size_t size;
    struct pdk_str (*get_ip)(struct pdk_request *req);
    struct pdk_str (*get_forwarded_ip)(struct pdk_request *req);
    int (*get_port)(struct pdk_request *req);
    int (*get_forwarded_port)(struct pdk_request *req);
    const struct pdk_consumer *(*get_consumer)(struct pdk_request *req); /* NULL: none */
    const struct pdk_credential *(*get_credential)(struct pdk_request *req);
    /* By id, or with `by_username` also by username; NULL if there is none. */
    const struct pdk_consumer *(*load_consumer)(struct pdk_request *req, struct pdk_str id,
                                                bool by_username);
    /* Looks `key` up among the credentials of entity `kind` (such as "keyauth_credentials"). One
     * hash probe. NULL: unknown or expired. */
    const struct pdk_credential *(*find_credential)(struct pdk_request *req, struct pdk_str kind,
                                                    struct pdk_str key);
    /* Either may be NULL, not both. Phases: access. */
    bool (*authenticate)(struct pdk_request *req, const struct pdk_consumer *consumer,
                         const struct pdk_credential *credential);
    struct pdk_str (*get_protocol)(struct pdk_request *req);
};

/* --------------------------------------------------------------------------- router and plugin */
struct pdk_router_api {
    size_t size;
    const struct pdk_entity *(*get_route)(
        struct pdk_request *req); /* NULL before routing, or none */
    const struct pdk_entity *(*get_service)(struct pdk_request *req);
};

struct pdk_plugin_api {
    size_t size;
    struct pdk_str (*get_id)(struct pdk_request *req); /* id of the plugin row that runs now */
    /* Scope of the row that runs now: ids, absent where it is not scoped. */
    struct pdk_str (*get_route_id)(struct pdk_request *req);
    struct pdk_str (*get_service_id)(struct pdk_request *req);
    struct pdk_str (*get_consumer_id)(struct pdk_request *req);
};

/* ----------------------------------------------------------------------------- ctx: per request */
struct pdk_ctx_api {
    size_t size;
    /* Zeroed memory that lives until the request's log phase ends; NULL when out of memory. */
    void *(*alloc)(struct pdk_request *req, size_t bytes);
    /* One pointer per request and key; the key is an address of the caller's (its configuration,
     * a static). `destroy` (may be NULL) is called with the value when the request ends. */
    void *(*get)(struct pdk_request *req, const void *key);
    bool (*set)(struct pdk_request *req, const void *key, void *value,
                void (*destroy)(void *value));
    /* The phase that runs now. */
    enum pdk_phase (*get_phase)(struct pdk_request *req);
};

/* ---------------------------------------------------------------------------------------- log */
struct pdk_log_api {
    size_t size;
    bool (*is_enabled)(const struct pdk *kong, enum pdk_log_level level);
    /* `req` may be NULL (init_worker, timers). The line names the plugin and the request. */
    void (*write)(const struct pdk *kong, struct pdk_request *req, enum pdk_log_level level,
                  struct pdk_str text);
    /* The log record of reference/plugins.md section 4.1 as one JSON object, no newline. The text
     * lives until the next call on this worker. Phases: log. */
    struct pdk_str (*serialize)(struct pdk_request *req);
    /* Sets member `key` (dotted path) of the record to a JSON value; absent removes it.
     * `mode`: "set", "add" (only if absent) or "replace" (only if present). */
    bool (*set_serialize_value)(struct pdk_request *req, struct pdk_str key, struct pdk_str json,
                                struct pdk_str mode);
};

/* --------------------------------------------------------------------------------- node, worker */
struct pdk_node_api {
    size_t size;
    struct pdk_str (*get_id)(const struct pdk *kong);
    struct pdk_str (*get_hostname)(const struct pdk *kong);
    struct pdk_str (*get_version)(const struct pdk *kong); /* Kong version whose API is honoured */
    int (*get_worker_id)(const struct pdk *kong);          /* 0.. */
    int (*get_worker_count)(const struct pdk *kong);
    int64_t (*now_ms)(const struct pdk *kong); /* Unix milliseconds, as of this loop turn */
    /* Value of a configuration key as text ("" if empty); absent if there is no such key. */
    struct pdk_str (*get_configuration)(const struct pdk *kong, struct pdk_str key);
};

/* -------------------------------------------------------------------------- suspension and timers
 */
struct pdk_timer_api {
    size_t size;
    /* Takes a ticket for a request whose handler is about to return PDK_SUSPEND. Whoever takes a
     * ticket must resume() it exactly once, on the same worker. NULL when out of memory.
     * Phases: rewrite, access. */
    struct pdk_ticket *(*suspend)(struct pdk_request *req);
    /* Lets the request go on (its handler is called again); a no-op if it ended meanwhile.
     * Consumes the ticket. */
    void (*resume)(struct pdk_ticket *ticket);
    /* True while the request of the ticket is alive. */
    bool (*is_alive)(const struct pdk_ticket *ticket);
    /* Calls fn(kong, arg) once, `delay_ms` from now, on this worker (immediately == next turn).
     * At shutdown pending timers are called with kong->is_exiting true. False: out of memory. */
    bool (*after)(const struct pdk *kong, int64_t delay_ms,
                  void (*fn)(const struct pdk *kong, void *arg), void *arg);
};

/* --------------------------------------------------------------------- counters: shared by workers
 */
struct pdk_window {
    int64_t start_s;  /* Unix seconds; with length_s it names the window */
    int64_t length_s; /* also its time to live */
    int64_t limit;
    int64_t used; /* out: count before this call */
};

struct pdk_counters_api {
    size_t size;
    /* Atomically, over all windows of `key`: if every used + cost <= limit, adds `cost` to each and
     * returns true; otherwise changes nothing and returns false. `used` is filled either way. The
     * table is shared by all workers of the node; a window expires by itself. */
    bool (*take)(const struct pdk *kong, struct pdk_str key, struct pdk_window *windows,
                 size_t count, int64_t cost);
};

/* --------------------------------------------------------- conf: reading a checked configuration
 */
/* Names may be dotted ("redis.host"). Schema checks and defaults have been applied before. */
struct pdk_conf_api {
    size_t size;
    void *(*alloc)(struct pdk_conf *in,
                   size_t bytes); /* zeroed; lives as long as the configuration */
    bool (*is_set)(struct pdk_conf *in, const char *name); /* false for null */
    int64_t (*get_integer)(struct pdk_conf *in, const char *name);
    double (*get_number)(struct pdk_conf *in, const char *name);
    bool (*get_boolean)(struct pdk_conf *in, const char *name);
    struct pdk_str (*get_string)(struct pdk_conf *in, const char *name); /* lives as alloc() does */
    size_t (*get_count)(struct pdk_conf *in, const char *name);          /* of an array or set */
    struct pdk_str (*get_element)(struct pdk_conf *in, const char *name, size_t index);
    /* The whole configuration as JSON text; lives as alloc() does. */
    struct pdk_str (*get_json)(struct pdk_conf *in);
    /* In check(): refuses the configuration. `field` NULL: an entity-level error. Always false. */
    bool (*set_error)(struct pdk_conf *in, const char *field, const char *message);
};

/* What every handler gets: one per plugin and worker. */
struct pdk {
    uint32_t abi;
    size_t size; /* of this struct in the running gateway */
    const struct pdk_request_api *request;
    const struct pdk_service_request_api *service_request;
    const struct pdk_service_api *service;
    const struct pdk_service_response_api *service_response;
    const struct pdk_response_api *response;
    const struct pdk_client_api *client;
    const struct pdk_router_api *router;
    const struct pdk_plugin_api *plugin;
    const struct pdk_ctx_api *ctx;
    const struct pdk_log_api *log;
    const struct pdk_node_api *node;
    const struct pdk_timer_api *timer;
    const struct pdk_counters_api *counters;
    const struct pdk_conf_api *conf;
    struct pdk_worker *worker; /* NULL in configure() and check(), which run on the admin thread */
    const char *plugin_name;
    void *state; /* what init_worker stored: this plugin's own, on this worker */
    bool is_exiting;
};

/* ------------------------------------------------------------------ configuration as declared
 * fields */
enum pdk_type {
    PDK_END, /* ends an array of fields */
    PDK_STRING,
    PDK_NUMBER,
    PDK_INTEGER,
    PDK_BOOLEAN,
    PDK_ARRAY,
    PDK_SET,
    PDK_MAP, /* text to `elements` */
    PDK_RECORD,
};

struct pdk_field {
    const char *name;
    enum pdk_type type;
    bool required;
    bool referenceable; /* a vault reference is allowed */
    bool encrypted;
    bool is_empty_allowed;         /* strings: len_min 0 */
    const char *default_json;      /* such as "60000", "\"local\"", "[\"apikey\"]"; NULL: none */
    const char *const *one_of;     /* strings; NULL-terminated */
    const double *between;         /* {lowest, highest} */
    const double *gt;              /* greater than */
    const char *match;             /* Lua pattern */
    const char *const *match_none; /* pairs: Lua pattern, error text; NULL-terminated */
    const char *redirect; /* deprecated flat alias of this (dotted) field: accepted, echoed */
    const struct pdk_field *elements; /* arrays, sets, maps: one field, its name is ignored */
    const struct pdk_field *fields;   /* records */
    const char *help;                 /* description shown by /schemas */
};

enum pdk_check_type {
    PDK_CHECK_END,
    PDK_CHECK_AT_LEAST_ONE_OF,   /* fields */
    PDK_CHECK_ONLY_ONE_OF,       /* fields */
    PDK_CHECK_MUTUALLY_REQUIRED, /* fields */
    PDK_CHECK_IF_THEN_REQUIRED,  /* fields[0] == value makes fields[1..] required */
};

struct pdk_check {
    enum pdk_check_type type;
    const char *fields[8]; /* NULL-terminated, dotted names allowed */
    const char *value;
};

enum pdk_plugin_flags {
    PDK_NO_CONSUMER = 1 << 0, /* may not be scoped to a consumer; likewise the others */
    PDK_NO_SERVICE = 1 << 1,
    PDK_NO_ROUTE = 1 << 2,
};

struct pdk_plugin {
    uint32_t abi;
    size_t size;
    const char *name;    /* as in the `plugins` key and the Admin API, such as "key-auth" */
    const char *version; /* "x.y.z" */
    int priority;        /* higher runs first */
    unsigned flags;      /* enum pdk_plugin_flags */
    const struct pdk_field *fields; /* of `config`; ends with {0} */
    const struct pdk_check *checks; /* ends with {0}; may be NULL */
    /* Further checks of a whole configuration, after fields and checks. False after set_error().
     * Runs on the admin thread. May be NULL. */
    bool (*check)(const struct pdk *kong, struct pdk_conf *in);
    /* Turns a configuration row into what handlers get as `conf`, once per row and change. The
     * result (alloc()) is immutable and read by all workers. Runs on the admin thread. May be NULL:
     * conf is then NULL. */
    enum pdk_result (*configure)(const struct pdk *kong, struct pdk_conf *in, void **out);
    /* Once per worker at start: *state becomes kong->state. exit_worker ends it. May be NULL. */
    enum pdk_result (*init_worker)(const struct pdk *kong, void **state);
    void (*exit_worker)(const struct pdk *kong);
    /* Phase handlers; NULL: takes no part. */
    enum pdk_result (*rewrite)(const struct pdk *kong, struct pdk_request *req, void *conf);
    enum pdk_result (*access)(const struct pdk *kong, struct pdk_request *req, void *conf);
    enum pdk_result (*header)(const struct pdk *kong, struct pdk_request *req, void *conf);
    enum pdk_result (*body)(const struct pdk *kong, struct pdk_request *req, void *conf);
    enum pdk_result (*log)(const struct pdk *kong, struct pdk_request *req, void *conf);
};

/* Defines the plugin: PDK_PLUGIN(.name = "x", .version = "1.0.0", .priority = 10, ...). */
#define PDK_PLUGIN(...)                                                                            \
    extern const struct pdk_plugin pdk_plugin;                                                     \
    __attribute__((visibility("default"))) const struct pdk_plugin pdk_plugin = {                  \
        .abi = PDK_ABI, .size = sizeof(struct pdk_plugin), __VA_ARGS__}

#endif
