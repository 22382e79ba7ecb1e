/* SPDX-License-Identifier: Apache-2.0 */
/* teapot.c -- a whole plugin outside the gateway's tree: refuses to brew what is not tea (RFC
 * 2324), and counts, per worker, how often it had to. It needs nothing but the installed pdk.h. */
#include <pdk.h>

#include <stdio.h>
#include <stdlib.h>

struct teapot {
    struct pdk_str header; /* what the client wants brewed */
    struct pdk_str accepts;
};

/* One per worker thread: handlers of one worker never run at the same time, so no lock is needed.
 */
struct refusals {
    unsigned long count;
};

static const struct pdk_field fields[] = {
    {.name = "header",
     .type = PDK_STRING,
     .default_json = "\"X-Brew\"",
     .help = "Names the drink."},
    {.name = "accepts",
     .type = PDK_STRING,
     .default_json = "\"tea\"",
     .help = "The drink we make."},
    {0},
};

/* Runs once per configuration row and change. The result lives as long as the row: nothing to free.
 */
static enum pdk_result configure(const struct pdk *kong, struct pdk_conf *in, void **out)
{
    struct teapot *teapot = kong->conf->alloc(in, sizeof(*teapot));
    if (teapot == NULL)
        return PDK_ERROR;
    teapot->header = kong->conf->get_string(in, "header");
    teapot->accepts = kong->conf->get_string(in, "accepts");
    *out = teapot;
    return PDK_OK;
}

static enum pdk_result init_worker(const struct pdk *kong, void **state)
{
    (void)kong;
    *state = calloc(1, sizeof(struct refusals));
    return *state != NULL ? PDK_OK : PDK_ERROR;
}

static void exit_worker(const struct pdk *kong)
{
    free(kong->state);
}

/* Before the upstream is asked. Requests that ask for nothing in particular pass. */
static enum pdk_result on_access(const struct pdk *kong, struct pdk_request *req, void *conf)
{
    const struct teapot *teapot = conf;
    struct refusals *refusals = kong->state;
    struct pdk_str drink = kong->request->get_header(req, teapot->header);
    if (drink.ptr == NULL || pdk_str_eq(drink, teapot->accepts))
        return PDK_OK;

    char count[32];
    int length = snprintf(count, sizeof(count), "%lu", ++refusals->count);
    kong->response->set_header(req, PDK_STR("X-Teapot-Refusals"),
                               (struct pdk_str){count, (size_t)length});
    kong->response->set_header(req, PDK_STR("Content-Type"), PDK_STR("application/json"));
    return kong->response->exit(req, 418, PDK_STR("{\"message\":\"I'm a teapot\"}"));
}

PDK_PLUGIN(.name = "teapot", .version = "1.0.0", .priority = 500, .fields = fields,
           .configure = configure, .init_worker = init_worker, .exit_worker = exit_worker,
           .access = on_access);
