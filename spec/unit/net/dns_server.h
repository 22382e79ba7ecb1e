/* SPDX-License-Identifier: Apache-2.0 */
/* dns_server.h -- a small DNS server in a thread of the test, over UDP on a free loopback port. It
 * answers what it was told, NXDOMAIN otherwise, and can misbehave. */
#ifndef SLUICE_SPEC_UNIT_NET_DNS_SERVER_H
#define SLUICE_SPEC_UNIT_NET_DNS_SERVER_H

#include <stdint.h>

enum { DNS_SERVER_A = 1, DNS_SERVER_AAAA = 28, DNS_SERVER_SRV = 33 };

enum dns_server_mood {
    DNS_SERVER_HONEST,
    DNS_SERVER_SILENT,
    DNS_SERVER_FAILING,   /* SERVFAIL */
    DNS_SERVER_GARBAGE,   /* bytes that are no message */
    DNS_SERVER_TRUNCATED, /* a right head and a cut off answer */
};

struct dns_server;

struct dns_server *dns_server_start(void);
void dns_server_stop(struct dns_server *server);
/* "127.0.0.1:port"; lives as long as the server. */
const char *dns_server_address(const struct dns_server *server);
void dns_server_set_mood(struct dns_server *server, enum dns_server_mood mood);
/* Replaces the records of `name` and `type`. `data`: "10.0.0.1 10.0.0.2" (A), addresses (AAAA),
 * "priority:weight:port:target ..." (SRV), "" (the name exists without such records). */
void dns_server_set(struct dns_server *server, const char *name, int type, uint32_t ttl_s,
                    const char *data);
/* How often `name` was asked for with `type`. */
int dns_server_asked(struct dns_server *server, const char *name, int type);

#endif
