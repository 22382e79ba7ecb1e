/* SPDX-License-Identifier: Apache-2.0 */
/* pdk_client.c -- kong.client, kong.router, kong.plugin: who asks, what matched, which row runs. */
#include "proxy/client.h"
#include "proxy/pdk_host.h"

static const struct pdk_str absent = {NULL, 0};

static struct pdk_str get_ip(struct pdk_request *req)
{
    const struct client *client = request_of(req)->client;
    return (struct pdk_str){client->ip, client->ip_len};
}

static struct pdk_str get_forwarded_ip(struct pdk_request *req)
{
    return pdk_text(request_of(req)->in.client_ip);
}

static int get_port(struct pdk_request *req)
{
    return request_of(req)->client->port;
}

static const struct pdk_consumer *get_consumer(struct pdk_request *req)
{
    struct request *request = request_of(req);
    return pdk_host_check(request, PDK_AUTH, "kong.client.get_consumer")
               ? request->identity.consumer
               : NULL;
}

static const struct pdk_credential *get_credential(struct pdk_request *req)
{
    struct request *request = request_of(req);
    return pdk_host_check(request, PDK_AUTH, "kong.client.get_credential")
               ? request->identity.credential
               : NULL;
}

static const struct pdk_consumer *load_consumer(struct pdk_request *req, struct pdk_str id,
                                                bool by_username)
{
    struct request *request = request_of(req);
    if (!pdk_host_check(request, PDK_AUTH, "kong.client.load_consumer"))
        return NULL;
    const struct snapshot_people *people = request->lease->snapshot->people;
    const struct snapshot_person *person = map_get(&people->by_id, pdk_slice(id));
    if (person == NULL && by_username)
        person = map_get(&people->by_name, pdk_slice(id));
    return person == NULL ? NULL : &person->pdk;
}

static const struct pdk_credential *find_credential(struct pdk_request *req, struct pdk_str kind,
                                                    struct pdk_str key)
{
    struct request *request = request_of(req);
    if (!pdk_host_check(request, PDK_BEFORE, "kong.client.find_credential") ||
        !pdk_str_eq(kind, PDK_STR("keyauth_credentials")))
        return NULL;
    const struct snapshot_key *found =
        map_get(&request->lease->snapshot->keys->by_key, pdk_slice(key));
    if (found == NULL)
        return NULL;
    int64_t now_s = loop_wall_ms(request->worker->loop) / 1000;
    return found->pdk.expires_at != 0 && found->pdk.expires_at <= now_s ? NULL : &found->pdk;
}

static bool authenticate(struct pdk_request *req, const struct pdk_consumer *consumer,
                         const struct pdk_credential *credential)
{
    struct request *request = request_of(req);
    if (!pdk_host_check(request, PDK_PHASE_ACCESS, "kong.client.authenticate"))
        return false;
    if (consumer == NULL && credential == NULL) {
        request_log(request, LOG_LEVEL_ERROR,
                    "[%s] kong.client.authenticate: either credential or consumer must be provided",
                    pdk_host_plugin_name(request));
        return false;
    }
    request->identity = (struct request_identity){consumer, credential};
    return true;
}

static struct pdk_str get_protocol(struct pdk_request *req)
{
    struct request *request = request_of(req);
    const struct snapshot_route *route = request->match.route;
    if (route != NULL) {
        unsigned protocols = route->route->protocols;
        if ((protocols & (protocols - 1)) == 0) /* only one */
            return pdk_str_of(protocol_name((enum protocol)__builtin_ctz(protocols)));
    }
    return request->in.is_tls ? PDK_STR("https") : PDK_STR("http");
}

const struct pdk_client_api pdk_client_table = {
    .size = sizeof(struct pdk_client_api),
    .get_ip = get_ip,
    .get_forwarded_ip = get_forwarded_ip,
    .get_port = get_port,
    .get_forwarded_port = get_port,
    .get_consumer = get_consumer,
    .get_credential = get_credential,
    .load_consumer = load_consumer,
    .find_credential = find_credential,
    .authenticate = authenticate,
    .get_protocol = get_protocol,
};

static const struct pdk_entity *get_route(struct pdk_request *req)
{
    const struct snapshot_route *route = request_of(req)->match.route;
    return route == NULL ? NULL : &route->pdk;
}

static const struct pdk_entity *get_service(struct pdk_request *req)
{
    const struct snapshot_service *service = request_of(req)->match.service;
    return service == NULL ? NULL : &service->pdk;
}

const struct pdk_router_api pdk_router_table = {
    .size = sizeof(struct pdk_router_api),
    .get_route = get_route,
    .get_service = get_service,
};

static struct pdk_str plugin_get_id(struct pdk_request *req)
{
    const struct plugin_config *config = request_of(req)->phase.config;
    return config == NULL ? absent : pdk_text(config->id);
}

static struct pdk_str get_route_id(struct pdk_request *req)
{
    const struct plugin_config *config = request_of(req)->phase.config;
    return config == NULL ? absent : pdk_text(config->route_id);
}

static struct pdk_str get_service_id(struct pdk_request *req)
{
    const struct plugin_config *config = request_of(req)->phase.config;
    return config == NULL ? absent : pdk_text(config->service_id);
}

static struct pdk_str get_consumer_id(struct pdk_request *req)
{
    const struct plugin_config *config = request_of(req)->phase.config;
    return config == NULL ? absent : pdk_text(config->consumer_id);
}

const struct pdk_plugin_api pdk_plugin_table = {
    .size = sizeof(struct pdk_plugin_api),
    .get_id = plugin_get_id,
    .get_route_id = get_route_id,
    .get_service_id = get_service_id,
    .get_consumer_id = get_consumer_id,
};
