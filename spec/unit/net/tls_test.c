/* SPDX-License-Identifier: Apache-2.0 */
/* tls_test.c -- certificates, contexts, and connections over TLS. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <fcntl.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net/conn.h"
#include "net/tls.h"
#include "net_fixture.h"

enum { TOTAL = 1 << 20 };

struct files {
    char directory[64];
    char cert[96];
    char key[96];
    char other[96];
};

static struct files make_files(void)
{
    struct files files;
    char *error = NULL;
    net_fixture_directory(files.directory);
    (void)snprintf(files.cert, sizeof(files.cert), "%s/a.crt", files.directory);
    (void)snprintf(files.key, sizeof(files.key), "%s/a.key", files.directory);
    (void)snprintf(files.other, sizeof(files.other), "%s/other", files.directory);
    assert_true(tls_self_signed(files.cert, files.key, "gateway.test", &error));
    return files;
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    fclose(file);
}

static char *read_file(const char *path)
{
    char *text = calloc(1, 16384);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_true(fread(text, 1, 16383, file) > 0);
    fclose(file);
    return text;
}

/* --- certificates --- */

static void a_self_signed_pair_names_its_host_and_keeps_its_key_secret(void **state)
{
    (void)state;
    struct files files = make_files();
    struct stat info;
    assert_int_equal(stat(files.key, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_int_equal(stat(files.cert, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0644);
    FILE *file = fopen(files.cert, "r");
    X509 *cert = PEM_read_X509(file, NULL, NULL, NULL);
    fclose(file);
    assert_non_null(cert);
    assert_int_equal(X509_check_host(cert, "gateway.test", 0, 0, NULL), 1);
    assert_int_equal(X509_check_host(cert, "other.test", 0, 0, NULL), 0);
    time_t in_19_years = time(NULL) + 19L * 365 * 86400;
    assert_int_equal(X509_cmp_time(X509_get0_notAfter(cert), &in_19_years), 1);
    X509_free(cert);
    net_fixture_remove(files.directory);
}

static void an_existing_pair_is_kept(void **state)
{
    (void)state;
    struct files files = make_files();
    char *before = read_file(files.cert);
    char *error = NULL;
    assert_true(tls_self_signed(files.cert, files.key, "gateway.test", &error));
    char *after = read_file(files.cert);
    assert_string_equal(before, after);
    free(before);
    free(after);
    net_fixture_remove(files.directory);
}

static void a_pair_that_cannot_be_written_is_an_error_that_names_the_file(void **state)
{
    (void)state;
    char *error = NULL;
    assert_false(tls_self_signed("/nowhere/a.crt", "/nowhere/a.key", "x", &error));
    assert_string_equal(error, "/nowhere/a.key: No such file or directory");
    free(error);
}

static void pem_text_works_like_a_file(void **state)
{
    (void)state;
    struct files files = make_files();
    char *error = NULL;
    char *cert = read_file(files.cert);
    char *key = read_file(files.key);
    SSL_CTX *context = tls_server_create(cert, key, &error);
    assert_non_null(context);
    SSL_CTX_free(context);
    free(cert);
    free(key);
    net_fixture_remove(files.directory);
}

static void a_bad_certificate_or_key_is_an_error_that_names_the_file(void **state)
{
    (void)state;
    struct files files = make_files();
    char other_key[96];
    char other_cert[96];
    char *error = NULL;
    (void)snprintf(other_key, sizeof(other_key), "%s/b.key", files.directory);
    (void)snprintf(other_cert, sizeof(other_cert), "%s/b.crt", files.directory);
    assert_true(tls_self_signed(other_cert, other_key, "x", &error));
    write_file(files.other, "not PEM\n");
    char encrypted[96];
    (void)snprintf(encrypted, sizeof(encrypted), "%s/c.key", files.directory);
    EVP_PKEY *key = EVP_EC_gen("P-256");
    FILE *file = fopen(encrypted, "w");
    assert_int_equal(PEM_write_PrivateKey(file, key, EVP_aes_128_cbc(), (unsigned char[]){"secret"},
                                          6, NULL, NULL),
                     1);
    fclose(file);
    EVP_PKEY_free(key);
    const struct {
        const char *cert, *key, *named;
    } cases[] = {
        {"/nowhere.crt", files.key, "/nowhere.crt: "},
        {files.cert, "/nowhere.key", "/nowhere.key: "},
        {files.other, files.key, files.other},
        {files.cert, files.other, files.other},
        {files.cert, other_key, other_key},
        {files.cert, encrypted, encrypted},
        {files.cert, "-----BEGIN PRIVATE KEY-----\nAA", "certificate key: "},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        error = NULL;
        assert_null(tls_server_create(cases[i].cert, cases[i].key, &error));
        assert_non_null(error);
        assert_ptr_equal(strstr(error, cases[i].named), error);
        assert_null(strstr(error, "BEGIN"));
        free(error);
    }
    assert_null(tls_client_create("/nowhere.pem", &error));
    assert_ptr_equal(strstr(error, "/nowhere.pem: "), error);
    free(error);
    net_fixture_remove(files.directory);
}

/* --- connections --- */

struct end {
    struct conn conn;
    struct loop *loop;
    int *left; /* ends that are not yet done */
    size_t sent, got;
    size_t to_send, to_get;
    size_t part; /* bytes of the parts that are offered together */
    enum conn_result result;
    bool is_done;
};

static unsigned char byte_at(size_t position)
{
    return (unsigned char)(position * 13 + position / 255);
}

static void done(struct end *end, enum conn_result result)
{
    end->result = result;
    if (!end->is_done && --*end->left == 0)
        loop_stop(end->loop);
    end->is_done = true;
}

static enum conn_result send_more(struct end *end)
{
    static const int count = 7;
    unsigned char data[7 * 5000];
    struct iovec parts[7];
    while (end->sent < end->to_send) {
        size_t offered = 0;
        for (int i = 0; i < count; i++) {
            size_t len = end->part < 5000 ? end->part : 5000;
            if (len > end->to_send - end->sent - offered)
                len = end->to_send - end->sent - offered;
            for (size_t k = 0; k < len; k++)
                data[i * 5000 + k] = byte_at(end->sent + offered + k);
            parts[i] = (struct iovec){data + i * 5000, len};
            offered += len;
        }
        size_t bytes;
        enum conn_result result = conn_writev(&end->conn, parts, count, &bytes);
        end->sent += bytes;
        if (result != CONN_OK)
            return result;
    }
    return CONN_OK;
}

static enum conn_result get_more(struct end *end)
{
    for (;;) {
        unsigned char data[4000];
        size_t bytes;
        enum conn_result result = conn_read(&end->conn, data, sizeof(data), &bytes);
        if (result != CONN_OK)
            return result;
        for (size_t i = 0; i < bytes; i++)
            assert_int_equal(data[i], byte_at(end->got + i));
        end->got += bytes;
    }
}

static void on_ready(struct conn *conn)
{
    struct end *end = (struct end *)(void *)conn;
    enum conn_result result = conn_establish(conn);
    if (result == CONN_FAILED) {
        done(end, result);
        return;
    }
    if (result == CONN_AGAIN)
        return;
    enum conn_result sent = send_more(end);
    result = get_more(end);
    if (result != CONN_AGAIN)
        done(end, result);
    else if (sent == CONN_OK && end->sent == end->to_send && end->got == end->to_get)
        done(end, CONN_OK);
}

struct pair {
    struct files files;
    struct loop *loop;
    SSL_CTX *server_context, *client_context;
    struct end server, client;
    int left;
};

/* Opens both ends; `name`: what the client verifies, NULL: nothing. */
static void open_pair(struct pair *pair, const char *name, const char *ca_file, size_t bytes,
                      size_t part)
{
    *pair = (struct pair){.files = make_files(), .loop = loop_create(), .left = 2};
    char *error = NULL;
    int fds[2];
    net_fixture_tcp_pair(fds);
    assert_int_equal(fcntl(fds[1], F_SETFL, O_NONBLOCK), 0);
    pair->server_context = tls_server_create(pair->files.cert, pair->files.key, &error);
    pair->client_context = tls_client_create(ca_file == NULL ? NULL : pair->files.cert, &error);
    assert_non_null(pair->server_context);
    assert_non_null(pair->client_context);
    pair->server = pair->client = (struct end){
        .loop = pair->loop, .left = &pair->left, .to_send = bytes, .to_get = bytes, .part = part};
    SSL *client = tls_client_session(pair->client_context, name, name != NULL, 1);
    assert_true(conn_open(&pair->server.conn, pair->loop, fds[0], SSL_new(pair->server_context),
                          false, on_ready));
    assert_true(conn_open(&pair->client.conn, pair->loop, fds[1], client, false, on_ready));
}

static void close_pair(struct pair *pair)
{
    conn_close(&pair->server.conn);
    conn_close(&pair->client.conn);
    SSL_CTX_free(pair->server_context);
    SSL_CTX_free(pair->client_context);
    loop_destroy(pair->loop);
    net_fixture_remove(pair->files.directory);
}

static void bytes_cross_in_both_directions_whatever_their_parts(void **state)
{
    (void)state;
    const size_t parts[] = {1, 300, 5000};
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        struct pair pair;
        open_pair(&pair, NULL, NULL, parts[i] == 1 ? 5000 : TOTAL, parts[i]);
        assert_true(net_fixture_run(pair.loop, 20000));
        assert_int_equal(pair.server.result, CONN_OK);
        assert_int_equal(pair.client.result, CONN_OK);
        assert_int_equal(pair.server.got, pair.server.to_get);
        assert_int_equal(pair.client.got, pair.client.to_get);
        close_pair(&pair);
    }
}

static void a_large_part_is_sent_in_records(void **state)
{
    (void)state;
    struct pair pair;
    open_pair(&pair, NULL, NULL, 10, 10);
    assert_true(net_fixture_run(pair.loop, 10000));
    size_t len = 100000;
    unsigned char *data = malloc(len);
    assert_non_null(data);
    for (size_t i = 0; i < len; i++)
        data[i] = byte_at(10 + i);
    struct iovec parts[] = {{data, 1}, {data + 1, 0}, {data + 1, len - 1}};
    size_t bytes;
    assert_int_equal(conn_writev(&pair.server.conn, parts, 3, &bytes), CONN_OK);
    assert_true(bytes > CONN_TLS_RECORD_BYTES);
    pair.client.is_done = false;
    pair.left = 1;
    pair.client.to_get = 10 + bytes;
    assert_true(net_fixture_run(pair.loop, 10000));
    assert_int_equal(pair.client.got, 10 + bytes);
    free(data);
    close_pair(&pair);
}

static void a_name_that_matches_the_trusted_certificate_is_accepted(void **state)
{
    (void)state;
    struct pair pair;
    open_pair(&pair, "gateway.test", "trusted", 10, 10);
    assert_true(net_fixture_run(pair.loop, 10000));
    assert_int_equal(pair.client.result, CONN_OK);
    close_pair(&pair);
}

static void an_untrusted_certificate_or_another_name_is_refused(void **state)
{
    (void)state;
    const struct {
        const char *name, *ca_file;
    } cases[] = {{"gateway.test", NULL}, {"other.test", "trusted"}, {"127.0.0.1", "trusted"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct pair pair;
        open_pair(&pair, cases[i].name, cases[i].ca_file, 10, 10);
        assert_true(net_fixture_run(pair.loop, 10000));
        assert_int_equal(pair.client.result, CONN_FAILED);
        assert_string_equal(conn_error_text(&pair.client.conn), "certificate verify failed");
        assert_int_equal(pair.server.result, CONN_FAILED);
        close_pair(&pair);
    }
}

static void an_orderly_end_is_an_end_of_file(void **state)
{
    (void)state;
    struct pair pair;
    open_pair(&pair, NULL, NULL, 1000, 100);
    assert_true(net_fixture_run(pair.loop, 10000));
    pair.client.is_done = false;
    pair.left = 1;
    conn_close(&pair.server.conn);
    assert_true(net_fixture_run(pair.loop, 10000));
    assert_int_equal(pair.client.result, CONN_EOF);
    close_pair(&pair);
}

static void an_end_without_close_notify_is_a_failure(void **state)
{
    (void)state;
    struct pair pair;
    open_pair(&pair, NULL, NULL, 1000, 100);
    assert_true(net_fixture_run(pair.loop, 10000));
    pair.client.is_done = false;
    pair.left = 1;
    shutdown(pair.server.conn.fd, SHUT_RDWR);
    assert_true(net_fixture_run(pair.loop, 10000));
    assert_int_equal(pair.client.result, CONN_FAILED);
    assert_string_equal(conn_error_text(&pair.client.conn), "unexpected eof while reading");
    close_pair(&pair);
}

static void a_peer_that_does_not_speak_tls_fails_the_handshake(void **state)
{
    (void)state;
    struct files files = make_files();
    struct loop *loop = loop_create();
    char *error = NULL;
    int fds[2];
    int left = 1;
    net_fixture_tcp_pair(fds);
    SSL_CTX *context = tls_server_create(files.cert, files.key, &error);
    struct end server = {.loop = loop, .left = &left};
    assert_true(conn_open(&server.conn, loop, fds[0], SSL_new(context), false, on_ready));
    const char request[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    assert_int_equal(send(fds[1], request, sizeof(request) - 1, MSG_NOSIGNAL), sizeof(request) - 1);
    assert_true(net_fixture_run(loop, 10000));
    assert_int_equal(server.result, CONN_FAILED);
    assert_string_equal(conn_error_text(&server.conn), "http request");
    conn_close(&server.conn);
    close(fds[1]);
    SSL_CTX_free(context);
    loop_destroy(loop);
    net_fixture_remove(files.directory);
}

static void an_address_is_no_server_name(void **state)
{
    (void)state;
    char *error = NULL;
    SSL_CTX *context = tls_client_create(NULL, &error);
    assert_non_null(context);
    const struct {
        const char *name, *sni;
    } cases[] = {{"a.test", "a.test"}, {"127.0.0.1", NULL}, {"::1", NULL}, {NULL, NULL}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        SSL *ssl = tls_client_session(context, cases[i].name, true, 3);
        assert_non_null(ssl);
        const char *sni = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
        if (cases[i].sni == NULL)
            assert_null(sni);
        else
            assert_string_equal(sni, cases[i].sni);
        SSL_free(ssl);
    }
    SSL_CTX_free(context);
}

int main(void)
{
    net_fixture_guard(60);
    signal(SIGPIPE, SIG_IGN); /* as the gateway does */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_self_signed_pair_names_its_host_and_keeps_its_key_secret),
        cmocka_unit_test(an_existing_pair_is_kept),
        cmocka_unit_test(a_pair_that_cannot_be_written_is_an_error_that_names_the_file),
        cmocka_unit_test(pem_text_works_like_a_file),
        cmocka_unit_test(a_bad_certificate_or_key_is_an_error_that_names_the_file),
        cmocka_unit_test(bytes_cross_in_both_directions_whatever_their_parts),
        cmocka_unit_test(a_large_part_is_sent_in_records),
        cmocka_unit_test(a_name_that_matches_the_trusted_certificate_is_accepted),
        cmocka_unit_test(an_untrusted_certificate_or_another_name_is_refused),
        cmocka_unit_test(an_orderly_end_is_an_end_of_file),
        cmocka_unit_test(an_end_without_close_notify_is_a_failure),
        cmocka_unit_test(a_peer_that_does_not_speak_tls_fails_the_handshake),
        cmocka_unit_test(an_address_is_no_server_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
