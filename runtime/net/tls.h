/* SPDX-License-Identifier: Apache-2.0 */
/* tls.h -- OpenSSL contexts: one per listener kind for clients, one for upstreams.
 * SSL_CTX objects are made at start and shared by all threads; sessions are per connection. */
#ifndef SLUICE_NET_TLS_H
#define SLUICE_NET_TLS_H

#include <openssl/types.h>
#include <stdbool.h>

struct options;

/* Writes a self-signed EC P-256 certificate and key (PEM, key mode 0600) unless both files exist.
 * `common_name` as subject and DNS name, 20 years. False: *error is a heap text. */
bool tls_self_signed(const char *cert_path, const char *key_path, const char *common_name,
                     char **error) __attribute__((warn_unused_result));
/* Server context: TLS 1.2 and 1.3, session tickets, ALPN http/1.1, the given pair (file paths or
 * PEM text). NULL: *error is a heap text that names the file and the reason. */
SSL_CTX *tls_server_create(const char *cert, const char *key, char **error)
    __attribute__((warn_unused_result));
/* Client context for upstreams; no verification by default (Kong), `ca_file` NULL: system store. */
SSL_CTX *tls_client_create(const char *ca_file, char **error) __attribute__((warn_unused_result));
/* A session for one connection; `server_name` NULL: no SNI; is_verified: certificate and name are
 * checked. NULL: out of memory. */
SSL *tls_client_session(SSL_CTX *context, const char *server_name, bool is_verified, int depth)
    __attribute__((warn_unused_result));

#endif
