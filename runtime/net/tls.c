/* SPDX-License-Identifier: Apache-2.0 */
/* tls.c -- see tls.h. Protocols and ciphers are Mozilla's "intermediate" profile, as Kong's
 * default. The settings that connections rely on (partial writes, moving buffers) are set in
 * conn.c. */
#include "net/tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/slice.h"

enum {
    SELF_SIGNED_DAYS = 20 * 365 + 5,
    SESSION_TIMEOUT_S = 86400,
    MAX_NAME_BYTES = 64, /* of a common name: RFC 5280, ub-common-name */
};

static const char ciphers[] =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"
    "DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384";

/* "<what>: <OpenSSL's or errno's reason>". */
static void explain(char **error, const char *what, int error_number)
{
    unsigned long code = ERR_get_error();
    const char *reason = code != 0 ? ERR_reason_error_string(code) : NULL;
    if (reason == NULL && error_number != 0)
        reason = strerrordesc_np(error_number);
    ERR_clear_error();
    if (asprintf(error, "%s: %s", what, reason != NULL ? reason : "failed") < 0)
        *error = NULL;
}

/* --- the self-signed pair --- */

static bool add_dns_name(X509 *cert, const char *name)
{
    bool is_added = false;
    GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
    GENERAL_NAME *entry = GENERAL_NAME_new();
    ASN1_IA5STRING *text = ASN1_IA5STRING_new();
    if (names == NULL || entry == NULL || text == NULL || !ASN1_STRING_set(text, name, -1))
        goto done;
    GENERAL_NAME_set0_value(entry, GEN_DNS, text);
    text = NULL;
    if (!sk_GENERAL_NAME_push(names, entry))
        goto done;
    entry = NULL;
    is_added = X509_add1_ext_i2d(cert, NID_subject_alt_name, names, 0, 0) == 1;
done:
    ASN1_IA5STRING_free(text);
    GENERAL_NAME_free(entry);
    sk_GENERAL_NAME_pop_free(names, GENERAL_NAME_free);
    return is_added;
}

static bool set_serial(X509 *cert)
{
    uint64_t serial;
    if (RAND_bytes((unsigned char *)&serial, sizeof(serial)) != 1)
        return false;
    return ASN1_INTEGER_set_uint64(X509_get_serialNumber(cert), serial >> 1) == 1;
}

/* NULL: OpenSSL's queue says why. */
static X509 *make_certificate(EVP_PKEY *key, const char *common_name)
{
    X509 *cert = X509_new();
    if (cert == NULL)
        return NULL;
    X509_NAME *subject = X509_get_subject_name(cert);
    if (X509_set_version(cert, X509_VERSION_3) != 1 || !set_serial(cert) ||
        X509_gmtime_adj(X509_getm_notBefore(cert), 0) == NULL ||
        X509_time_adj_ex(X509_getm_notAfter(cert), SELF_SIGNED_DAYS, 0, NULL) == NULL ||
        X509_set_pubkey(cert, key) != 1 ||
        X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const unsigned char *)common_name,
                                   -1, -1, 0) != 1 ||
        X509_set_issuer_name(cert, subject) != 1 || !add_dns_name(cert, common_name) ||
        X509_sign(cert, key, EVP_sha256()) == 0) {
        X509_free(cert);
        return NULL;
    }
    return cert;
}

/* Writes one PEM object through a file of its own that takes the name when it is complete: another
 * process never reads half of it. Exactly one of `cert` and `key` is given. */
static bool write_pem(const char *path, mode_t mode, X509 *cert, EVP_PKEY *key, char **error)
{
    char *partial = NULL;
    FILE *file = NULL;
    int fd = -1;
    if (asprintf(&partial, "%s.XXXXXX", path) < 0) {
        partial = NULL;
        errno = ENOMEM;
        goto fail;
    }
    fd = mkostemp(partial, O_CLOEXEC); /* mode 0600 */
    if (fd < 0)
        goto fail;
    if (fchmod(fd, mode) != 0)
        goto fail_unlink;
    file = fdopen(fd, "w");
    if (file == NULL)
        goto fail_unlink;
    fd = -1; /* the stream's now */
    int is_written = cert != NULL ? PEM_write_X509(file, cert)
                                  : PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL);
    int status = fclose(file);
    if (is_written != 1 || status != 0 || rename(partial, path) != 0)
        goto fail_unlink;
    free(partial);
    return true;
fail_unlink:;
    int saved = errno;
    unlink(partial);
    errno = saved;
fail:
    explain(error, path, errno);
    if (fd >= 0)
        close(fd);
    free(partial);
    return false;
}

bool tls_self_signed(const char *cert_path, const char *key_path, const char *common_name,
                     char **error)
{
    if (access(cert_path, F_OK) == 0 && access(key_path, F_OK) == 0)
        return true;
    char name[MAX_NAME_BYTES + 1];
    (void)snprintf(name, sizeof(name), "%s", common_name); /* a longer host name is cut */
    bool is_written = false;
    ERR_clear_error();
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = key != NULL ? make_certificate(key, name) : NULL;
    if (cert == NULL)
        explain(error, cert_path, 0);
    else
        is_written = write_pem(key_path, 0600, NULL, key, error) &&
                     write_pem(cert_path, 0644, cert, NULL, error);
    X509_free(cert);
    EVP_PKEY_free(key);
    return is_written;
}

/* --- contexts --- */

/* An encrypted key is an error: the default would ask for the password on the terminal. */
static int no_password(char *buffer, int size, int is_writing, void *context)
{
    (void)buffer;
    (void)size;
    (void)is_writing;
    (void)context;
    return -1;
}

static bool is_pem_text(const char *value)
{
    return strstr(value, "-----BEGIN ") != NULL;
}

/* For messages: never the key itself. */
static const char *display_name(const char *value, const char *what)
{
    return is_pem_text(value) ? what : value;
}

static BIO *open_pem(const char *value)
{
    return is_pem_text(value) ? BIO_new_mem_buf(value, -1) : BIO_new_file(value, "r");
}

/* The first certificate of the file is ours, the others are the chain. */
static bool use_certificates(SSL_CTX *context, const char *value)
{
    bool is_used = false;
    X509 *cert = NULL;
    BIO *bio = open_pem(value);
    if (bio == NULL)
        return false;
    cert = PEM_read_bio_X509_AUX(bio, NULL, no_password, NULL);
    if (cert == NULL || SSL_CTX_use_certificate(context, cert) != 1)
        goto done;
    for (;;) {
        X509 *link = PEM_read_bio_X509(bio, NULL, no_password, NULL);
        if (link == NULL)
            break;
        if (SSL_CTX_add0_chain_cert(context, link) != 1) {
            X509_free(link);
            goto done;
        }
    }
    /* The end of the file is reported as an error of its own. */
    is_used = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    if (is_used)
        ERR_clear_error();
done:
    X509_free(cert);
    BIO_free(bio);
    return is_used;
}

static bool use_key(SSL_CTX *context, const char *value)
{
    BIO *bio = open_pem(value);
    EVP_PKEY *key = bio != NULL ? PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL) : NULL;
    /* Also compares it with the certificate. */
    bool is_used = key != NULL && SSL_CTX_use_PrivateKey(context, key) == 1;
    EVP_PKEY_free(key);
    BIO_free(bio);
    return is_used;
}

/* RFC 7301 section 3.2: no protocol in common is a fatal alert. */
static int on_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                   const unsigned char *in, unsigned in_len, void *context)
{
    static const unsigned char ours[] = "\x08http/1.1";
    (void)ssl;
    (void)context;
    unsigned char *selected = NULL;
    if (SSL_select_next_proto(&selected, out_len, ours, sizeof(ours) - 1, in, in_len) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = selected;
    return SSL_TLSEXT_ERR_OK;
}

static SSL_CTX *make_context(const SSL_METHOD *method)
{
    SSL_CTX *context = SSL_CTX_new(method);
    if (context == NULL)
        return NULL;
    (void)SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
    /* One read() takes header and body of a record, and the next record if it is there. */
    SSL_CTX_set_read_ahead(context, 1);
    return context;
}

SSL_CTX *tls_server_create(const char *cert, const char *key, char **error)
{
    ERR_clear_error();
    SSL_CTX *context = make_context(TLS_server_method());
    if (context == NULL || SSL_CTX_set_cipher_list(context, ciphers) != 1) {
        explain(error, "TLS context", ENOMEM);
        goto fail;
    }
    if (!use_certificates(context, cert)) {
        explain(error, display_name(cert, "certificate"), 0);
        goto fail;
    }
    if (!use_key(context, key)) {
        explain(error, display_name(key, "certificate key"), 0);
        goto fail;
    }
    SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    (void)SSL_CTX_set_dh_auto(context, 1);
    /* Tickets keep sessions at the client: no cache that threads would lock. */
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_timeout(context, SESSION_TIMEOUT_S);
    SSL_CTX_set_alpn_select_cb(context, on_alpn, NULL);
    return context;
fail:
    SSL_CTX_free(context);
    return NULL;
}

/* One entry of lua_ssl_trusted_certificate: a file, PEM text, or "system". */
static bool trust(SSL_CTX *context, const char *entry)
{
    if (strcmp(entry, "system") == 0)
        return SSL_CTX_set_default_verify_paths(context) == 1;
    if (!is_pem_text(entry))
        return SSL_CTX_load_verify_file(context, entry) == 1;
    BIO *bio = open_pem(entry);
    if (bio == NULL)
        return false;
    size_t count = 0;
    bool is_added = true;
    while (is_added) {
        X509 *cert = PEM_read_bio_X509(bio, NULL, no_password, NULL);
        if (cert == NULL)
            break;
        is_added = X509_STORE_add_cert(SSL_CTX_get_cert_store(context), cert) == 1;
        count++;
        X509_free(cert);
    }
    BIO_free(bio);
    if (is_added && count > 0)
        ERR_clear_error(); /* the end of the text */
    return is_added && count > 0;
}

SSL_CTX *tls_client_create(const char *ca_file, char **error)
{
    ERR_clear_error();
    SSL_CTX *context = make_context(TLS_client_method());
    if (context == NULL) {
        explain(error, "TLS context", ENOMEM);
        return NULL;
    }
    /* Sessions are per connection. */
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    struct slice rest = slice_of(ca_file == NULL || ca_file[0] == '\0' ? "system" : ca_file);
    struct slice part;
    while (slice_split(&rest, ',', &part)) {
        char *entry = slice_dup(slice_trim(part));
        bool is_trusted = entry != NULL && trust(context, entry);
        if (!is_trusted) {
            explain(error, entry != NULL ? display_name(entry, "CA certificate") : "CA certificate",
                    entry != NULL ? 0 : ENOMEM);
            free(entry);
            SSL_CTX_free(context);
            return NULL;
        }
        free(entry);
    }
    return context;
}

/* RFC 6066 section 3: literal addresses are not permitted in SNI. */
static bool is_ip(const char *name)
{
    struct in6_addr address;
    return inet_pton(AF_INET, name, &address) == 1 || inet_pton(AF_INET6, name, &address) == 1;
}

static bool set_sni(SSL *ssl, const char *server_name)
{
    void *name;
    memcpy(&name, &server_name, sizeof(name)); /* SSL_ctrl() lacks the const that it keeps */
    return SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name) == 1;
}

SSL *tls_client_session(SSL_CTX *context, const char *server_name, bool is_verified, int depth)
{
    SSL *ssl = SSL_new(context);
    if (ssl == NULL)
        return NULL;
    SSL_set_connect_state(ssl);
    bool has_ip = server_name != NULL && is_ip(server_name);
    if (server_name != NULL && !has_ip && !set_sni(ssl, server_name))
        goto fail;
    if (is_verified) {
        SSL_set_verify(ssl, SSL_VERIFY_PEER, NULL);
        SSL_set_verify_depth(ssl, depth);
        if (has_ip && X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), server_name) != 1)
            goto fail;
        if (server_name != NULL && !has_ip && SSL_set1_host(ssl, server_name) != 1)
            goto fail;
    }
    return ssl;
fail:
    SSL_free(ssl);
    return NULL;
}
