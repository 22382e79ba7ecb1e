/* SPDX-License-Identifier: Apache-2.0 */
/* key_auth.c -- names the consumer of a request by an API key in a header, the query or the body.
 *
 * For each configured name in turn: header, then query, then body; the first text found is the key.
 * The other files read and rewrite queries and bodies. */
#include <stdio.h>
#include <strings.h>

#include "form.h"
#include "key_body.h"

struct key_auth {
    struct pdk_str *names;
    size_t name_count;
    bool hides_credentials, in_header, in_query, in_body, runs_on_preflight;
    struct pdk_str anonymous;         /* consumer id or username; absent if unset */
    struct pdk_str anonymous_missing; /* what is answered if there is no such consumer */
    struct pdk_str challenge;         /* of WWW-Authenticate */
};

/* What looking for a key came to. */
struct outcome {
    enum pdk_result result; /* PDK_OK: see the others; else what the handler returns */
    struct pdk_str refusal; /* why the request has no valid key; absent: it has */
    const struct pdk_credential *credential;
};

/* One search for a key, and the body once it has been read for it. */
struct search {
    const struct pdk *kong;
    struct pdk_request *req;
    const struct key_auth *auth;
    struct key_body body;
    bool has_body;
};

static const struct pdk_field key_name = {.type = PDK_STRING};

static const struct pdk_field fields[] = {
    {.name = "key_names",
     .type = PDK_ARRAY,
     .required = true,
     .elements = &key_name,
     .default_json = "[\"apikey\"]",
     .help = "Names under which a key is looked for, as header, query argument and body field."},
    {.name = "hide_credentials",
     .type = PDK_BOOLEAN,
     .required = true,
     .default_json = "false",
     .help = "Takes the key out of the request before it goes to the upstream."},
    {.name = "anonymous",
     .type = PDK_STRING,
     .help = "Id or username of the consumer that a request without a valid key counts as. Unset: "
             "such a request is answered with 401."},
    {.name = "key_in_header",
     .type = PDK_BOOLEAN,
     .required = true,
     .default_json = "true",
     .help = "Looks for the key in the headers."},
    {.name = "key_in_query",
     .type = PDK_BOOLEAN,
     .required = true,
     .default_json = "true",
     .help = "Looks for the key in the query."},
    {.name = "key_in_body",
     .type = PDK_BOOLEAN,
     .required = true,
     .default_json = "false",
     .help =
         "Looks for the key in a form, JSON or multipart body as well, which is then read whole."},
    {.name = "run_on_preflight",
     .type = PDK_BOOLEAN,
     .required = true,
     .default_json = "true",
     .help = "False: OPTIONS requests pass without a key."},
    {.name = "realm",
     .type = PDK_STRING,
     .help = "The realm that WWW-Authenticate names in a refusal."},
    {0},
};

/* ------------------------------------------------------------------------------- configuration */

static bool is_header_name(struct pdk_str name)
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
    for (size_t i = 0; i < name.len; i++)
        if (memchr(allowed, name.ptr[i], sizeof(allowed) - 1) == NULL)
            return false;
    return name.len > 0;
}

static bool check(const struct pdk *kong, struct pdk_conf *in)
{
    bool is_fine = true;
    size_t count = kong->conf->get_count(in, "key_names");
    for (size_t i = 0; i < count; i++) {
        struct pdk_str name = kong->conf->get_element(in, "key_names", i);
        char field[32], message[256];
        if (name.ptr == NULL || is_header_name(name))
            continue;
        snprintf(field, sizeof(field), "key_names.%zu", i + 1);
        snprintf(message, sizeof(message),
                 "bad header name '%.*s', allowed characters are A-Z, a-z, 0-9, '_', and '-'",
                 (int)(name.len < 100 ? name.len : 100), name.ptr);
        is_fine = kong->conf->set_error(in, field, message);
    }
    return is_fine;
}

/* "before", `middle` and "after" as one text of the configuration; absent when out of memory. */
static struct pdk_str join(const struct pdk *kong, struct pdk_conf *in, struct pdk_str before,
                           struct pdk_str middle, struct pdk_str after)
{
    size_t len = before.len + middle.len + after.len;
    char *out = kong->conf->alloc(in, len + 1);
    if (out == NULL)
        return (struct pdk_str){NULL, 0};
    memcpy(out, before.ptr, before.len);
    if (middle.len > 0)
        memcpy(out + before.len, middle.ptr, middle.len);
    memcpy(out + before.len + middle.len, after.ptr, after.len);
    return (struct pdk_str){out, len};
}

static enum pdk_result configure(const struct pdk *kong, struct pdk_conf *in, void **out)
{
    const struct pdk_conf_api *conf = kong->conf;
    struct key_auth *auth = conf->alloc(in, sizeof(*auth));
    if (auth == NULL)
        return PDK_ERROR;
    auth->name_count = conf->get_count(in, "key_names");
    auth->names = conf->alloc(in, (auth->name_count + 1) * sizeof(*auth->names));
    if (auth->names == NULL)
        return PDK_ERROR;
    for (size_t i = 0; i < auth->name_count; i++)
        auth->names[i] = conf->get_element(in, "key_names", i);
    auth->hides_credentials = conf->get_boolean(in, "hide_credentials");
    auth->in_header = conf->get_boolean(in, "key_in_header");
    auth->in_query = conf->get_boolean(in, "key_in_query");
    auth->in_body = conf->get_boolean(in, "key_in_body");
    auth->runs_on_preflight = conf->get_boolean(in, "run_on_preflight");
    auth->anonymous = conf->get_string(in, "anonymous");
    auth->anonymous_missing = join(kong, in, PDK_STR("anonymous consumer "), auth->anonymous,
                                   PDK_STR(" is configured but doesn't exist"));
    auth->challenge = PDK_STR("Key");
    if (conf->is_set(in, "realm"))
        auth->challenge =
            join(kong, in, PDK_STR("Key realm=\""), conf->get_string(in, "realm"), PDK_STR("\""));
    if (auth->anonymous_missing.ptr == NULL || auth->challenge.ptr == NULL)
        return PDK_ERROR;
    *out = auth;
    return PDK_OK;
}

/* ------------------------------------------------------------------------------ finding the key */

static bool is_same_header(struct pdk_str a, struct pdk_str b)
{
    return a.len == b.len && strncasecmp(a.ptr, b.ptr, a.len) == 0;
}

static struct found find_header(const struct pdk *kong, struct pdk_request *req,
                                struct pdk_str wanted)
{
    struct found found = {FOUND_NOTHING, {NULL, 0}};
    struct pdk_str name, value;
    for (size_t i = 0; kong->request->header_at(req, i, &name, &value); i++)
        if (is_same_header(name, wanted))
            found_add(&found, FOUND_TEXT, value);
    return found;
}

/* Reads the body once it is needed, if it can carry a key. PDK_EXIT: the request has been answered;
 * PDK_SUSPEND: the handler will run again, from its start, when the body is there. */
static enum pdk_result read_body(struct search *search)
{
    const struct pdk *kong = search->kong;
    struct key_body *body = &search->body;
    if (!search->auth->in_body || search->has_body)
        return PDK_OK;
    search->has_body = true;
    *body = key_body_of(kong->request->get_header(search->req, PDK_STR("content-type")));
    if (body->kind == KEY_BODY_OPAQUE)
        return PDK_OK;
    enum pdk_result result = kong->request->get_raw_body(search->req, &body->text);
    if (result == PDK_ERROR)
        return kong->response->error(search->req, 413, (struct pdk_str){NULL, 0});
    return result;
}

/* Looks for one name in all places; what is found comes back decoded. PDK_ERROR: out of memory. */
static enum pdk_result find_name(struct search *search, struct pdk_str name, struct found *found)
{
    const struct pdk *kong = search->kong;
    *found = (struct found){FOUND_NOTHING, {NULL, 0}};
    if (search->auth->in_header)
        *found = find_header(kong, search->req, name);
    if (found->kind != FOUND_NOTHING)
        return PDK_OK;
    bool is_in_query = false;
    if (search->auth->in_query) {
        *found = form_find(kong->request->get_raw_query(search->req), name);
        is_in_query = found->kind != FOUND_NOTHING;
    }
    if (!is_in_query) {
        enum pdk_result result = read_body(search);
        if (result != PDK_OK)
            return result;
        *found = key_body_find(&search->body, name);
    }
    if (found->kind != FOUND_TEXT)
        return PDK_OK;
    char *room = kong->ctx->alloc(search->req, found->text.len + 1);
    if (room == NULL)
        return PDK_ERROR;
    found->text = is_in_query ? form_decode(found->text, room)
                              : key_body_decode(&search->body, found->text, room);
    return PDK_OK;
}

/* Takes `name` out of all places. PDK_ERROR: no memory; the request must not go on with the key. */
static enum pdk_result hide(struct search *search, struct pdk_str name)
{
    const struct pdk *kong = search->kong;
    const struct pdk_service_request_api *upstream = kong->service_request;
    struct pdk_request *req = search->req;
    enum pdk_result result = read_body(search);
    if (result != PDK_OK)
        return result;
    if (find_header(kong, req, name).kind != FOUND_NOTHING && !upstream->clear_header(req, name))
        return PDK_ERROR;
    struct pdk_str query = kong->request->get_raw_query(req);
    if (form_find(query, name).kind != FOUND_NOTHING) {
        char *room = kong->ctx->alloc(req, FORM_GROWTH * query.len + 1);
        if (room == NULL || !upstream->set_raw_query(req, form_remove(query, name, room)))
            return PDK_ERROR;
    }
    const struct key_body *body = &search->body;
    if (key_body_find(body, name).kind != FOUND_NOTHING) {
        char *room = kong->ctx->alloc(req, KEY_BODY_GROWTH * body->text.len + 1);
        if (room == NULL || !upstream->set_raw_body(req, key_body_remove(body, name, room)))
            return PDK_ERROR;
    }
    return PDK_OK;
}

static struct outcome look_up(const struct pdk *kong, struct pdk_request *req, struct pdk_str key)
{
    struct outcome outcome = {PDK_OK, PDK_STR("No API key found in request"), NULL};
    if (key.len == 0)
        return outcome;
    outcome.refusal = PDK_STR("Unauthorized");
    outcome.credential = kong->client->find_credential(req, PDK_STR("keyauth_credentials"), key);
    if (outcome.credential != NULL && outcome.credential->consumer != NULL)
        outcome.refusal = (struct pdk_str){NULL, 0};
    return outcome;
}

static struct outcome authenticate(const struct pdk *kong, struct pdk_request *req,
                                   const struct key_auth *auth)
{
    struct search search = {.kong = kong, .req = req, .auth = auth};
    for (size_t i = 0; i < auth->name_count; i++) {
        struct found found;
        enum pdk_result result = find_name(&search, auth->names[i], &found);
        if (result == PDK_OK && found.kind == FOUND_TEXT && auth->hides_credentials)
            result = hide(&search, auth->names[i]);
        if (result != PDK_OK)
            return (struct outcome){.result = result};
        switch (found.kind) {
        case FOUND_TEXT: return look_up(kong, req, found.text);
        case FOUND_SEVERAL:
            return (struct outcome){PDK_OK, PDK_STR("Duplicate API key found"), NULL};
        case FOUND_NOTHING:
        case FOUND_OTHER: break;
        }
    }
    return look_up(kong, req, PDK_STR(""));
}

/* ------------------------------------------------------------------------- telling the upstream */

enum identity {
    CONSUMER_ID,
    CONSUMER_CUSTOM_ID,
    CONSUMER_USERNAME,
    CREDENTIAL_IDENTIFIER,
    ANONYMOUS_CONSUMER,
    IDENTITIES, /* how many there are */
};

static const struct pdk_str identity_headers[IDENTITIES] = {
    [CONSUMER_ID] = {"X-Consumer-ID", 13},
    [CONSUMER_CUSTOM_ID] = {"X-Consumer-Custom-ID", 20},
    [CONSUMER_USERNAME] = {"X-Consumer-Username", 19},
    [CREDENTIAL_IDENTIFIER] = {"X-Credential-Identifier", 23},
    [ANONYMOUS_CONSUMER] = {"X-Anonymous-Consumer", 20},
};

/* Which of them the request has already, as bits: usually none, and then nothing has to be cleared
 * or replaced. */
static unsigned find_identity_headers(const struct pdk *kong, struct pdk_request *req)
{
    struct pdk_str name, value;
    unsigned found = 0;
    for (size_t i = 0; kong->request->header_at(req, i, &name, &value); i++) {
        if (name.len < identity_headers[CONSUMER_ID].len || (name.ptr[0] | 0x20) != 'x')
            continue;
        for (int j = 0; j < IDENTITIES; j++)
            found |= (unsigned)is_same_header(name, identity_headers[j]) << j;
    }
    return found;
}

/* Names the consumer to the upstream and to the plugins that follow. `credential` NULL: it is the
 * anonymous one. What has no value, or one that no header can have, is cleared: the client's own
 * must not get through. */
static bool identify(const struct pdk *kong, struct pdk_request *req,
                     const struct pdk_consumer *consumer, const struct pdk_credential *credential)
{
    const struct pdk_service_request_api *upstream = kong->service_request;
    struct pdk_str values[IDENTITIES] = {
        [CONSUMER_ID] = consumer->entity.id,
        [CONSUMER_CUSTOM_ID] = consumer->custom_id,
        [CONSUMER_USERNAME] = consumer->entity.name,
    };
    if (credential != NULL)
        values[CREDENTIAL_IDENTIFIER] = credential->entity.id;
    else
        values[ANONYMOUS_CONSUMER] = PDK_STR("true");
    unsigned found = find_identity_headers(kong, req);
    for (int i = 0; i < IDENTITIES; i++) {
        if ((found >> i & 1) != 0 && !upstream->clear_header(req, identity_headers[i]))
            return false;
        if (values[i].ptr != NULL)
            (void)upstream->add_header(req, identity_headers[i], values[i]);
    }
    return kong->client->authenticate(req, consumer, credential);
}

static enum pdk_result refuse(const struct pdk *kong, struct pdk_request *req,
                              const struct key_auth *auth, struct pdk_str why)
{
    if (auth->anonymous.ptr == NULL) {
        kong->response->set_header(req, PDK_STR("WWW-Authenticate"), auth->challenge);
        return kong->response->error(req, 401, why);
    }
    const struct pdk_consumer *consumer = kong->client->load_consumer(req, auth->anonymous, true);
    if (consumer == NULL)
        return kong->response->error(req, 500, auth->anonymous_missing);
    return identify(kong, req, consumer, NULL) ? PDK_OK : PDK_ERROR;
}

static enum pdk_result on_access(const struct pdk *kong, struct pdk_request *req, void *conf)
{
    const struct key_auth *auth = conf;
    if (!auth->runs_on_preflight && pdk_str_eq(kong->request->get_method(req), PDK_STR("OPTIONS")))
        return PDK_OK;
    /* With `anonymous`, one authentication plugin that knows the client is enough. */
    if (auth->anonymous.ptr != NULL && kong->client->get_credential(req) != NULL)
        return PDK_OK;
    struct outcome outcome = authenticate(kong, req, auth);
    if (outcome.result != PDK_OK)
        return outcome.result;
    if (outcome.refusal.ptr != NULL)
        return refuse(kong, req, auth, outcome.refusal);
    return identify(kong, req, outcome.credential->consumer, outcome.credential) ? PDK_OK
                                                                                 : PDK_ERROR;
}

PDK_PLUGIN(.name = "key-auth", .version = "1.0.0", .priority = 1250, .flags = PDK_NO_CONSUMER,
           .fields = fields, .check = check, .configure = configure, .access = on_access);
