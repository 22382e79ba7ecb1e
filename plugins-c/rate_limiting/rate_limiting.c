/* SPDX-License-Identifier: Apache-2.0 */
/* rate_limiting.c -- refuses what exceeds so many requests per second, minute, hour, day, month,
 * year.
 *
 * All periods of a request are counted in one atomic step of the gateway's counter table, which all
 * workers share: a limit is never overshot, and a refused request counts nowhere. */
#include <stdio.h>

#include "fields.h"
#include "window.h"

enum {
    KEY_BYTES = 256,    /* keys that need more are made in the request's memory */
    NUMBER_BYTES = 24,  /* of an int64_t */
    FRACTION_BYTES = 32 /* of a double as %.14g */
};

enum limit_by {
    BY_CONSUMER,
    BY_CREDENTIAL,
    BY_IP,
    BY_SERVICE,
    BY_HEADER,
    BY_PATH,
};

struct limit {
    enum window_unit unit;
    double configured;
    int64_t requests; /* that fit: the configured limit, rounded up */
    struct pdk_str text;
};

struct limits {
    struct limit of[WINDOW_UNITS]; /* those that are set, shortest period first */
    size_t count;
    enum limit_by by;
    bool hides_headers;
    int error_code;
    struct pdk_str error_message, header_name, path;
};

/* ------------------------------------------------------------------------------- configuration */

/* As Kong writes a number: without a fraction where there is none. */
static size_t print_number(char out[FRACTION_BYTES], double number)
{
    int n = snprintf(out, FRACTION_BYTES, "%.14g", number);
    return n < 0 ? 0 : (size_t)n;
}

static bool add_limit(const struct pdk *kong, struct pdk_conf *in, struct limits *limits,
                      enum window_unit unit)
{
    static const double most = 9007199254740992.0; /* 2^53: counts beyond are not exact in Kong */
    struct limit *limit = &limits->of[limits->count++];
    char *text = kong->conf->alloc(in, FRACTION_BYTES);
    if (text == NULL)
        return false;
    limit->unit = unit;
    limit->configured = kong->conf->get_number(in, window_name(unit));
    if (limit->configured > most)
        limit->configured = most;
    limit->requests = (int64_t)limit->configured;
    limit->requests += (double)limit->requests < limit->configured;
    limit->text = (struct pdk_str){text, print_number(text, limit->configured)};
    return true;
}

static enum limit_by read_limit_by(struct pdk_str text)
{
    static const struct {
        struct pdk_str name;
        enum limit_by by;
    } names[] = {
        {{"credential", 10}, BY_CREDENTIAL}, {{"ip", 2}, BY_IP},     {{"service", 7}, BY_SERVICE},
        {{"header", 6}, BY_HEADER},          {{"path", 4}, BY_PATH},
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (pdk_str_eq(text, names[i].name))
            return names[i].by;
    return BY_CONSUMER;
}

static enum pdk_result configure(const struct pdk *kong, struct pdk_conf *in, void **out)
{
    struct limits *limits = kong->conf->alloc(in, sizeof(*limits));
    if (limits == NULL)
        return PDK_ERROR;
    for (int unit = 0; unit < WINDOW_UNITS; unit++)
        if (kong->conf->is_set(in, window_name((enum window_unit)unit)) &&
            !add_limit(kong, in, limits, (enum window_unit)unit))
            return PDK_ERROR;
    limits->by = read_limit_by(kong->conf->get_string(in, "limit_by"));
    limits->header_name = kong->conf->get_string(in, "header_name");
    limits->path = kong->conf->get_string(in, "path");
    limits->hides_headers = kong->conf->get_boolean(in, "hide_client_headers");
    limits->error_code = (int)kong->conf->get_integer(in, "error_code");
    limits->error_message = kong->conf->get_string(in, "error_message");
    *out = limits;
    return PDK_OK;
}

/* ---------------------------------------------------------------------------- who is counted */

static struct pdk_str credential_id(const struct pdk *kong, struct pdk_request *req)
{
    const struct pdk_credential *credential = kong->client->get_credential(req);
    return credential == NULL ? (struct pdk_str){NULL, 0} : credential->entity.id;
}

static struct pdk_str consumer_id(const struct pdk *kong, struct pdk_request *req)
{
    const struct pdk_consumer *consumer = kong->client->get_consumer(req);
    return consumer == NULL ? credential_id(kong, req) : consumer->entity.id;
}

static struct pdk_str service_id(const struct pdk *kong, struct pdk_request *req)
{
    const struct pdk_entity *service = kong->router->get_service(req);
    return service == NULL ? (struct pdk_str){NULL, 0} : service->id;
}

static struct pdk_str limited_path(const struct pdk *kong, struct pdk_request *req,
                                   const struct limits *limits)
{
    struct pdk_str path = kong->request->get_path(req);
    return pdk_str_eq(path, limits->path) ? path : (struct pdk_str){NULL, 0};
}

/* What limit_by names, or the client's address where the request has no such thing. */
static struct pdk_str identify(const struct pdk *kong, struct pdk_request *req,
                               const struct limits *limits)
{
    struct pdk_str found = {NULL, 0};
    switch (limits->by) {
    case BY_CONSUMER: found = consumer_id(kong, req); break;
    case BY_CREDENTIAL: found = credential_id(kong, req); break;
    case BY_SERVICE: found = service_id(kong, req); break;
    case BY_HEADER: found = kong->request->get_header(req, limits->header_name); break;
    case BY_PATH: found = limited_path(kong, req, limits); break;
    case BY_IP: break;
    }
    return found.len > 0 ? found : kong->client->get_forwarded_ip(req);
}

static char *put(char *to, struct pdk_str text)
{
    if (text.len > 0)
        memcpy(to, text.ptr, text.len);
    to[text.len] = ':';
    return to + text.len + 1;
}

/* "ratelimit:<route>:<service>:<identifier>": the ids are those that the plugin row is bound to, so
 * rows of different scopes count apart. Made in `room` if it fits. Absent: out of memory. */
static struct pdk_str make_key(const struct pdk *kong, struct pdk_request *req,
                               const struct limits *limits, char room[KEY_BYTES])
{
    static const struct pdk_str prefix = {"ratelimit", 9};
    struct pdk_str route = kong->plugin->get_route_id(req);
    struct pdk_str service = kong->plugin->get_service_id(req);
    struct pdk_str identifier = identify(kong, req, limits);
    size_t bytes = prefix.len + route.len + service.len + identifier.len + 4;
    char *start = bytes <= KEY_BYTES ? room : kong->ctx->alloc(req, bytes);
    if (start == NULL)
        return (struct pdk_str){NULL, 0};
    char *end = put(put(put(put(start, prefix), route), service), identifier);
    return (struct pdk_str){start, (size_t)(end - start - 1)};
}

/* ------------------------------------------------------------------------ what clients are told */

static struct pdk_str print_integer(char out[NUMBER_BYTES], int64_t number)
{
    char *end = out + NUMBER_BYTES, *at = end;
    do {
        *--at = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    return (struct pdk_str){at, (size_t)(end - at)};
}

static const struct pdk_str limit_headers[WINDOW_UNITS] = {
    {"X-RateLimit-Limit-Second", 24}, {"X-RateLimit-Limit-Minute", 24},
    {"X-RateLimit-Limit-Hour", 22},   {"X-RateLimit-Limit-Day", 21},
    {"X-RateLimit-Limit-Month", 23},  {"X-RateLimit-Limit-Year", 22},
};

static const struct pdk_str remaining_headers[WINDOW_UNITS] = {
    {"X-RateLimit-Remaining-Second", 28}, {"X-RateLimit-Remaining-Minute", 28},
    {"X-RateLimit-Remaining-Hour", 26},   {"X-RateLimit-Remaining-Day", 25},
    {"X-RateLimit-Remaining-Month", 27},  {"X-RateLimit-Remaining-Year", 26},
};

/* What is left of a limit after `used` requests; never below nothing. */
static double left_of(const struct limit *limit, int64_t used)
{
    double left = limit->configured - (double)used;
    return left > 0 ? left : 0;
}

static struct pdk_str print_left(char out[FRACTION_BYTES], double left)
{
    int64_t whole = (int64_t)left;
    if ((double)whole == left)
        return print_integer(out, whole);
    return (struct pdk_str){out, print_number(out, left)};
}

/* Sets a header of the response. Nearly always nobody set one before us (`is_first`): then there is
 * none to look for and replace. */
static void set_header(const struct pdk *kong, struct pdk_request *req, bool is_first,
                       struct pdk_str name, struct pdk_str value)
{
    if (is_first)
        kong->response->add_header(req, name, value);
    else
        kong->response->set_header(req, name, value);
}

/* Sets the headers of all periods, and those of the one that is closest to its limit (of two the
 * longer). `windows` are those of `limits`, filled in by take(). */
static void tell_client(const struct pdk *kong, struct pdk_request *req,
                        const struct limits *limits, const struct pdk_window *windows,
                        bool is_allowed, int64_t now_s)
{
    const struct pdk_window *tightest = &windows[0];
    char text[FRACTION_BYTES], closest_text[FRACTION_BYTES], reset_text[NUMBER_BYTES];
    struct pdk_str limit_text = PDK_STR("0");
    struct pdk_str name, value;
    bool is_first = !kong->response->header_at(req, 0, &name, &value);
    double least = 0;
    for (size_t i = 0; i < limits->count; i++) {
        const struct limit *limit = &limits->of[i];
        double left = left_of(limit, windows[i].used + is_allowed);
        set_header(kong, req, is_first, limit_headers[limit->unit], limit->text);
        set_header(kong, req, is_first, remaining_headers[limit->unit], print_left(text, left));
        if (i > 0 && left > least)
            continue;
        least = left;
        tightest = &windows[i];
        limit_text = limit->text;
    }
    int64_t reset_s = tightest->start_s + tightest->length_s - now_s;
    struct pdk_str reset = print_integer(reset_text, reset_s > 1 ? reset_s : 1);
    set_header(kong, req, is_first, PDK_STR("RateLimit-Limit"), limit_text);
    set_header(kong, req, is_first, PDK_STR("RateLimit-Remaining"),
               print_left(closest_text, least));
    set_header(kong, req, is_first, PDK_STR("RateLimit-Reset"), reset);
    if (!is_allowed)
        set_header(kong, req, is_first, PDK_STR("Retry-After"), reset);
}

static enum pdk_result on_access(const struct pdk *kong, struct pdk_request *req, void *conf)
{
    const struct limits *limits = conf;
    struct pdk_window windows[WINDOW_UNITS];
    char room[KEY_BYTES];
    int64_t now_s = kong->node->now_ms(kong) / 1000;
    struct pdk_str key = make_key(kong, req, limits, room);
    if (key.ptr == NULL)
        return PDK_ERROR;
    for (size_t i = 0; i < limits->count; i++) {
        window_at(limits->of[i].unit, now_s, &windows[i]);
        windows[i].limit = limits->of[i].requests;
        windows[i].used = 0;
    }
    bool is_allowed = kong->counters->take(kong, key, windows, limits->count, 1);
    if (!limits->hides_headers && limits->count > 0)
        tell_client(kong, req, limits, windows, is_allowed, now_s);
    if (is_allowed)
        return PDK_OK;
    return kong->response->error(req, limits->error_code, limits->error_message);
}

PDK_PLUGIN(.name = "rate-limiting", .version = "1.0.0", .priority = 910, .fields = fields_of_config,
           .checks = fields_checks, .check = fields_check, .configure = configure,
           .access = on_access);
