/* SPDX-License-Identifier: Apache-2.0 */
/* call.h -- one request to the Admin or Status API, decoded, and its answer.
 *
 * The transport makes it from the wire, a handler fills the answer, the transport sends it. It
 * lives on the stack for that long. A call is answered once `status` is not 0; the first answer
 * stays. */
#ifndef SLUICE_ADMIN_CALL_H
#define SLUICE_ADMIN_CALL_H

#include <jansson.h>
#include <stdbool.h>

#include "base/slice.h"

struct admin_config;
struct admin_server;
struct evkeyvalq;
struct routes_entry;

enum call_method {
    CALL_GET, /* HEAD too: the transport drops the body */
    CALL_POST,
    CALL_PUT,
    CALL_PATCH,
    CALL_DELETE,
    CALL_OPTIONS,
    CALL_OTHER,
};

enum { CALL_MAX_PARAMS = 3 };

struct call {
    /* in; borrowed unless said otherwise */
    const struct admin_config *config; /* NULL on the Status API */
    struct admin_server *server;       /* likewise */
    void *context;                     /* the Status API's own; NULL on the Admin API */
    const struct routes_entry *route;
    enum call_method method;
    struct slice path; /* as received, without the query */
    struct slice raw_query;
    const struct evkeyvalq *headers_in;
    struct slice content_type; /* absent if there is none */
    unsigned content_type_count;
    struct slice raw_body;
    char *params[CALL_MAX_PARAMS]; /* percent-decoded path parameters; owned */
    json_t *query;                 /* arguments of the query, an object; owned */
    json_t *args;                  /* arguments of the body, an object; owned */
    bool is_form;                  /* args came from a form: strings, to be converted by schema */
    /* out */
    int status;            /* 0: not answered yet */
    json_t *body;          /* owned; NULL: none, or `text` */
    char *text;            /* owned; a body that is not JSON */
    const char *text_type; /* its media type; static */
    struct evkeyvalq *headers_out;
};

/* Frees what the call owns. */
void call_clear(struct call *call);
/* Answers with `body`, whose reference it takes; NULL: out of memory, which answers 500. */
void call_json(struct call *call, int status, json_t *body);
/* Answers {"message": text}. */
void call_message(struct call *call, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Answers with a copy of `text`. `type` is static. */
void call_text(struct call *call, int status, const char *type, const char *text);
void call_empty(struct call *call, int status);
void call_not_found(struct call *call);   /* 404 {"message":"Not found"} */
void call_not_allowed(struct call *call); /* 405 {"message":"Method not allowed"} */
void call_unexpected(struct call *call);  /* 500 {"message":"An unexpected error occurred"} */
static inline bool call_is_answered(const struct call *call)
{
    return call->status != 0;
}
/* First value of a query argument; NULL if absent, JSON null if empty. Borrowed. */
const json_t *call_query(const struct call *call, const char *name);

#endif
