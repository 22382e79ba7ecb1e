/* SPDX-License-Identifier: Apache-2.0 */
/* route_fixture.h -- what the tests of this folder share: routers from rows of routes as JSON, and
 * requests as literals. Every function fails the running test by itself when a row is wrong. */
#ifndef SLUICE_SPEC_UNIT_ROUTE_FIXTURE_H
#define SLUICE_SPEC_UNIT_ROUTE_FIXTURE_H

#include "base/arena.h"
#include "config/entity.h"
#include "route/router.h"

struct route_fixture {
    struct route **routes;
    size_t count;
    struct router *router;
    struct arena arena;        /* of the requests */
    struct router_match match; /* of the last one */
};

/* Members left out are those of GET http://a.test/ without header fields. */
struct route_fixture_request {
    const char *method, *host, *path, *sni;
    int port, listener_port;
    bool is_tls;
    const char *headers; /* "Name: value" lines */
};

/* `rows`: a JSON array in which ' stands for ". A row without id gets one that grows with its
 * position, one without protocols gets http and https. */
void route_fixture_open(struct route_fixture *fixture, const char *rows);
/* Routes only, without a router. */
void route_fixture_load(struct route_fixture *fixture, json_t *rows);
void route_fixture_close(struct route_fixture *fixture);
/* The request in the form of the router; memory is the fixture's. */
struct router_request route_fixture_request(struct route_fixture *fixture,
                                            const struct route_fixture_request *request);
/* Name of the route that the request goes to, "" for one without a name; NULL: none. */
const char *route_fixture_match(struct route_fixture *fixture,
                                const struct route_fixture_request *request);
/* Whether any of `rows` takes the request. */
bool route_fixture_matches(const char *rows, const struct route_fixture_request *request);

#endif
