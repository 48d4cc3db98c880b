/* The private authority, and HTTPS beside HTTP on one port. */
#include "net/tls.h"

#include <errno.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>

#include <cmocka.h>

#include "base/util.h"
#include "net/client.h"
#include "site.h"

static char dir[64];

static char *in_dir(const char *name)
{
    return xasprintf("%s/%s", dir, name);
}

static int make_dir(void **state)
{
    (void)state;
    (void)snprintf(dir, sizeof(dir), "/tmp/ostler-tls-XXXXXX");
    return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
    static const char *const files[] = {"ca.pem", "ca.key", "server.pem", "server.key",
                                        "other.pem"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        CLEANUP(free_p) char *path = in_dir(files[i]);
        (void)unlink(path);
    }
    return rmdir(dir); /* fails when a temporary file was left */
}

static char *contents(const char *name)
{
    CLEANUP(free_p) char *path = in_dir(name);
    struct buf b = {0};
    FILE *f = fopen(path, "re");

    assert_non_null(f);
    b.len = fread(buf_reserve(&b, 65536), 1, 65536, f);
    assert_int_equal(fclose(f), 0);
    return buf_take(&b);
}

static X509 *cert(const char *name)
{
    CLEANUP(free_p) char *path = in_dir(name);
    FILE *f = fopen(path, "re");

    assert_non_null(f);
    X509 *c = PEM_read_X509(f, NULL, NULL, NULL);
    assert_non_null(c);
    assert_int_equal(fclose(f), 0);
    return c;
}

static int days_left(X509 *c)
{
    int days, seconds;

    assert_int_equal(ASN1_TIME_diff(&days, &seconds, NULL, X509_get0_notAfter(c)), 1);
    return days;
}

static void assert_mode(const char *name, mode_t mode)
{
    CLEANUP(free_p) char *path = in_dir(name);
    struct stat st;

    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, mode);
}

static void first_start_makes_everything(void **state)
{
    static const char *const names[] = {"cloud.example", "192.0.2.7", "2001:db8::7",
                                        "*.wild.example"};
    mode_t mask = umask(0);

    (void)state;
    assert_int_equal(tls_authority_open(dir, names, ARRAY_LEN(names)), 0);
    (void)umask(mask);
    assert_mode("ca.key", 0600);
    assert_mode("server.key", 0600);
    X509 *ca = cert("ca.pem"), *leaf = cert("server.pem");
    assert_int_equal(X509_check_issued(ca, leaf), X509_V_OK);
    assert_int_equal(X509_verify(leaf, X509_get0_pubkey(ca)), 1);
    assert_int_equal(X509_check_ca(ca), 1);
    assert_int_equal(X509_check_ca(leaf), 0);
    assert_in_range(days_left(ca), 3649, 3650);
    assert_in_range(days_left(leaf), 396, 397);
    assert_int_equal(EVP_PKEY_get_bits(X509_get0_pubkey(leaf)), 256);
    assert_int_equal(X509_check_host(leaf, "localhost", 0, 0, NULL), 1);
    assert_int_equal(X509_check_host(leaf, "cloud.example", 0, 0, NULL), 1);
    assert_int_equal(X509_check_host(leaf, "a.wild.example", 0, 0, NULL), 1);
    assert_int_equal(X509_check_host(leaf, "other.example", 0, 0, NULL), 0);
    assert_int_equal(X509_check_ip_asc(leaf, "127.0.0.1", 0), 1);
    assert_int_equal(X509_check_ip_asc(leaf, "::1", 0), 1);
    assert_int_equal(X509_check_ip_asc(leaf, "192.0.2.7", 0), 1);
    assert_int_equal(X509_check_ip_asc(leaf, "2001:db8:0::7", 0), 1);
    char host[256] = "";
    assert_int_equal(gethostname(host, sizeof(host) - 1), 0);
    assert_int_equal(X509_check_host(leaf, host, 0, 0, NULL), 1);
    X509_free(ca);
    X509_free(leaf);
}

/* Opens and says whether ca.pem and server.pem are others than before. */
static void open_and_compare(const char *const *names, size_t n, bool other_ca, bool other_leaf)
{
    CLEANUP(free_p) char *ca = contents("ca.pem");
    CLEANUP(free_p) char *leaf = contents("server.pem");
    assert_int_equal(tls_authority_open(dir, names, n), 0);
    CLEANUP(free_p) char *ca_now = contents("ca.pem");
    CLEANUP(free_p) char *leaf_now = contents("server.pem");

    assert_int_equal(!streq(ca, ca_now), other_ca);
    assert_int_equal(!streq(leaf, leaf_now), other_leaf);
}

static void certificates_are_kept_and_renewed(void **state)
{
    static const char *const more[] = {"more.example", "10.1.2.3"};
    static const struct tls_policy short_leaf = {.ca_days = 3650, .leaf_days = 29, .renew_days = 0},
                                   long_leaf = {.ca_days = 3650, .leaf_days = 32, .renew_days = 0},
                                   dead_ca = {.ca_days = -1, .leaf_days = 397, .renew_days = 30};

    (void)state;
    assert_int_equal(tls_authority_open(dir, NULL, 0), 0);
    open_and_compare(NULL, 0, false, false);
    open_and_compare(more, 1, false, true);  /* a name more */
    open_and_compare(more, 2, false, true);  /* an address more */
    open_and_compare(more, 2, false, false); /* all there */
    open_and_compare(NULL, 0, false, false); /* more than wanted is fine */

    CLEANUP(free_p) char *leaf = in_dir("server.pem");
    CLEANUP(free_p) char *ca = in_dir("ca.pem");
    CLEANUP(free_p) char *key = in_dir("server.key");
    assert_int_equal(unlink(leaf), 0);
    assert_int_equal(tls_authority_open_policy(dir, NULL, 0, &long_leaf), 0);
    open_and_compare(NULL, 0, false, false); /* 32 days left */
    assert_int_equal(unlink(leaf), 0);
    assert_int_equal(tls_authority_open_policy(dir, NULL, 0, &short_leaf), 0);
    open_and_compare(NULL, 0, false, true); /* 29 days left */
    assert_int_equal(unlink(key), 0);
    open_and_compare(NULL, 0, false, true);

    assert_int_equal(unlink(ca), 0);
    assert_int_equal(tls_authority_open_policy(dir, NULL, 0, &dead_ca), 0);
    open_and_compare(NULL, 0, true, true); /* an expired authority */
    open_and_compare(NULL, 0, false, false);
}

static void interrupted_writes_are_repaired(void **state)
{
    (void)state;
    assert_int_equal(tls_authority_open(dir, NULL, 0), 0);
    /* The key of a new pair was written, its certificate not. */
    CLEANUP(free_p) char *key = in_dir("server.key");
    CLEANUP(free_p) char *ca_key = in_dir("ca.key");
    CLEANUP(free_p) char *old = contents("ca.key");
    FILE *f = fopen(key, "we");
    assert_non_null(f);
    assert_true(fputs(old, f) >= 0);
    assert_int_equal(fclose(f), 0);
    open_and_compare(NULL, 0, false, true);
    struct tls_ctx *ctx;
    assert_int_equal(tls_ctx_new(dir, &ctx), 0);
    assert_int_equal(tls_ctx_reload(ctx, "/nonexistent"), -ENOENT);
    assert_int_equal(tls_ctx_reload(ctx, dir), 0);
    tls_ctx_free(ctx);
    /* Without its key the authority goes on serving what it has issued, and says so when it must
     * issue. */
    assert_int_equal(unlink(ca_key), 0);
    open_and_compare(NULL, 0, false, false);
    static const char *const more[] = {"more.example"};
    assert_int_equal(tls_authority_open(dir, more, 1), -ENOKEY);
}

static void operators_own_certificate_is_left_alone(void **state)
{
    (void)state;
    /* Self-signed by somebody else, for nothing that we want, and long expired. */
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *c = X509_new();
    assert_non_null(X509_gmtime_adj(X509_getm_notBefore(c), -1000));
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(c), -10));
    X509_NAME *name = X509_get_subject_name(c);
    assert_int_equal(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                                (const unsigned char *)"own", -1, -1, 0),
                     1);
    assert_int_equal(X509_set_issuer_name(c, name), 1);
    assert_int_equal(X509_set_pubkey(c, key), 1);
    assert_true(X509_sign(c, key, EVP_sha256()) > 0);
    CLEANUP(free_p) char *cert_path = in_dir("server.pem");
    CLEANUP(free_p) char *key_path = in_dir("server.key");
    FILE *f = fopen(cert_path, "we");
    assert_int_equal(PEM_write_X509(f, c), 1);
    assert_int_equal(fclose(f), 0);
    f = fopen(key_path, "we");
    assert_int_equal(PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL), 1);
    assert_int_equal(fclose(f), 0);
    X509_free(c);
    EVP_PKEY_free(key);

    CLEANUP(free_p) char *before = contents("server.pem");
    assert_int_equal(tls_authority_open(dir, NULL, 0), 0);
    CLEANUP(free_p) char *after = contents("server.pem");
    assert_string_equal(before, after);
    struct tls_ctx *ctx;
    assert_int_equal(tls_ctx_new(dir, &ctx), 0);
    tls_ctx_free(ctx);
}

static void bad_input_is_refused(void **state)
{
    static const char *const bad[] = {"",    "a b", "a,DNS:evil", "a\nb",
                                      "..",  ".a",  "a..b",       "a:b",
                                      "x/y", "*",   "a.*",        "1.2.3.4,IP:5.6.7.8"};
    struct tls_ctx *ctx;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (tls_authority_open(dir, &bad[i], 1) != -EINVAL)
            fail_msg("'%s' was taken for a name", bad[i]);
    assert_int_equal(tls_authority_open("/nonexistent/dir", NULL, 0), -ENOENT);
    assert_int_equal(tls_ctx_new(dir, &ctx), -ENOENT);
    CLEANUP(free_p) char *path = in_dir("ca.pem");
    FILE *f = fopen(path, "we");
    assert_true(fputs("nonsense\n", f) >= 0);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(tls_authority_open(dir, NULL, 0), -EBADMSG);
}

/* --- HTTPS --- */

struct https {
    struct site *site;
    struct tls_ctx *ctx;
    char *ca_file, *url;
};

static struct https https_new(struct http_config config)
{
    struct https h;

    assert_int_equal(tls_authority_open(dir, NULL, 0), 0);
    assert_int_equal(tls_ctx_new(dir, &h.ctx), 0);
    config.tls = h.ctx;
    h.site = site_new(&config);
    h.ca_file = in_dir("ca.pem");
    h.url = xasprintf("https://localhost:%u", site_port(h.site));
    return h;
}

static void https_free(struct https *h)
{
    site_free(h->site);
    tls_ctx_free(h->ctx);
    free(h->ca_file);
    free(h->url);
}

/* A client of its own, to keep the connection and to choose what it offers. */
static SSL *tls_dial(struct https *h, int *ret_fd, const char *alpn, size_t alpn_len,
                     int max_version)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    struct timeval limit = {.tv_sec = DEADLINE_MS / 1000};

    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    assert_int_equal(SSL_CTX_load_verify_locations(ctx, h->ca_file, NULL), 1);
    if (max_version) {
        SSL_CTX_set_security_level(ctx, 0);
        assert_int_equal(SSL_CTX_set_max_proto_version(ctx, max_version), 1);
    }
    SSL *ssl = SSL_new(ctx);
    SSL_CTX_free(ctx);
    if (alpn)
        assert_int_equal(SSL_set_alpn_protos(ssl, (const unsigned char *)alpn, (unsigned)alpn_len),
                         0);
    assert_int_equal(SSL_set1_host(ssl, "localhost"), 1);
    *ret_fd = dial(h->site);
    assert_int_equal(setsockopt(*ret_fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)), 0);
    assert_int_equal(SSL_set_fd(ssl, *ret_fd), 1);
    return ssl;
}

static void tls_say(SSL *ssl, const char *text)
{
    assert_int_equal(SSL_write(ssl, text, (int)strlen(text)), (int)strlen(text));
}

/* Reads until `part` was seen; returns all. */
static char *tls_hear(SSL *ssl, const char *part)
{
    struct buf b = {0};

    while (!strstr(buf_cstr(&b), part)) {
        int n = SSL_read(ssl, buf_reserve(&b, 4096), 4096);

        if (n <= 0)
            fail_msg("TLS ended before '%s': %s", part, buf_cstr(&b));
        b.len += (size_t)n;
        b.data[b.len] = 0;
    }
    return buf_take(&b);
}

static void both_on_one_port(void **state)
{
    struct https h = https_new((struct http_config){0});
    int fd;

    (void)state;
    int plain = dial(h.site);
    say(plain, "GET /p HTTP/1.1\r\nHost: h\r\n\r\n");
    expect(plain, 200, "tls=0");
    SSL *ssl = tls_dial(&h, &fd, "\x02h2\x08http/1.1", 12, 0);
    assert_int_equal(SSL_connect(ssl), 1);
    const unsigned char *chosen;
    unsigned len;
    SSL_get0_alpn_selected(ssl, &chosen, &len);
    assert_int_equal(len, 8);
    assert_memory_equal(chosen, "http/1.1", 8);
    assert_int_equal(SSL_version(ssl), TLS1_3_VERSION);
    tls_say(ssl, "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\noneGET /b "
                 "HTTP/1.1\r\nHost: h\r\n\r\n");
    CLEANUP(free_p) char *text = tls_hear(ssl, "GET /b");
    assert_non_null(strstr(text, "peer=127.0.0.1 tls=1 local=0"));
    assert_non_null(strstr(text, "body=one"));
    /* A refusal, and the goodbye after it. */
    tls_say(ssl, "GET /c HTTP/1.1\r\n\r\n");
    CLEANUP(free_p) char *refusal = tls_hear(ssl, "reason=no Host\nbody=");
    assert_non_null(strstr(refusal, "\r\nConnection: close\r\n"));
    char c;
    assert_int_equal(SSL_read(ssl, &c, 1), 0);
    assert_int_equal(SSL_get_error(ssl, 0), SSL_ERROR_ZERO_RETURN);
    SSL_free(ssl);
    (void)close(fd);
    (void)close(plain);
    site_wait_conns(h.site, 0);
    https_free(&h);
}

static void versions_and_protocols(void **state)
{
    struct https h = https_new((struct http_config){0});
    int fd;

    (void)state;
    SSL *ssl = tls_dial(&h, &fd, NULL, 0, TLS1_2_VERSION);
    assert_int_equal(SSL_connect(ssl), 1);
    SSL_free(ssl);
    (void)close(fd);
    ssl = tls_dial(&h, &fd, NULL, 0, TLS1_1_VERSION);
    assert_int_not_equal(SSL_connect(ssl), 1);
    SSL_free(ssl);
    (void)close(fd);
    ssl = tls_dial(&h, &fd, "\x02h2", 3, 0);
    assert_int_not_equal(SSL_connect(ssl), 1);
    SSL_free(ssl);
    (void)close(fd);
    fd = dial(h.site);
    say_n(fd, "\x16\x03\x01\x00\x05nonsense", 13);
    char buf[64];
    assert_true(recv(fd, buf, sizeof(buf), 0) > 0); /* an alert */
    assert_int_equal(buf[0], 0x15);
    expect_end(fd);
    (void)close(fd);
    site_wait_conns(h.site, 0);
    https_free(&h);
}

/* The handshake in pieces of one byte, from a memory BIO. */
static void tls_in_pieces(void **state)
{
    struct https h = https_new((struct http_config){0});
    int fd;

    (void)state;
    SSL *ssl = tls_dial(&h, &fd, NULL, 0, 0);
    BIO *out = BIO_new(BIO_s_mem());
    SSL_set0_wbio(ssl, out);
    BIO *in = BIO_new_socket(fd, BIO_NOCLOSE);
    SSL_set0_rbio(ssl, in);
    bool asked = false;
    char reply[4096];
    struct timeval now = {.tv_usec = 1000};
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &now, sizeof(now)), 0);
    int n = 0;
    for (int i = 0; i < DEADLINE_MS && n <= 0; i++) {
        char c;

        if (!SSL_is_init_finished(ssl))
            (void)SSL_connect(ssl);
        if (SSL_is_init_finished(ssl) && !asked) {
            tls_say(ssl, "GET /pieces HTTP/1.1\r\nHost: h\r\n\r\n");
            asked = true;
        }
        while (BIO_read(out, &c, 1) == 1)
            say_n(fd, &c, 1);
        if (asked)
            n = SSL_read(ssl, reply, sizeof(reply) - 1);
    }
    assert_true(n > 0);
    reply[n] = 0;
    assert_non_null(strstr(reply, "GET /pieces"));
    SSL_free(ssl);
    (void)close(fd);
    https_free(&h);
}

/* A cut answer ends without TLS's goodbye, by which clients tell it from a whole one. */
static void cut_answers_say_no_goodbye(void **state)
{
    static const struct {
        enum http_fate fate;
        const char *tail; /* NULL: nothing comes */
        int end;
    } rows[] = {{HTTP_DROPPED, NULL, SSL_ERROR_SSL},
                {HTTP_TRUNCATED, "\r\n\r\n01234", SSL_ERROR_SSL},
                {HTTP_HALF_CLOSE, "\r\n\r\n0123456789", SSL_ERROR_ZERO_RETURN}};
    struct https h = https_new((struct http_config){0});

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(free_p)
        char *text = xasprintf("GET /fate?%d,10 HTTP/1.1\r\nHost: h\r\n\r\n", (int)rows[i].fate);
        CLEANUP(buf_done) struct buf got = {0};
        int fd, n;
        SSL *ssl = tls_dial(&h, &fd, NULL, 0, 0);

        assert_int_equal(SSL_connect(ssl), 1);
        tls_say(ssl, text);
        while ((n = SSL_read(ssl, buf_reserve(&got, 4096), 4096)) > 0)
            got.len += (size_t)n;
        got.data[got.len] = 0;
        assert_int_equal(SSL_get_error(ssl, n), rows[i].end);
        assert_true(rows[i].tail ? str_ends(got.data, rows[i].tail) : !got.len);
        SSL_free(ssl);
        (void)close(fd);
    }
    https_free(&h);
}

static void large_bodies_both_ways(void **state)
{
    struct https h = https_new((struct http_config){0});
    struct http_answer a;
    size_t n = 3000000;
    CLEANUP(free_p) char *body = xmalloc(n);

    (void)state;
    for (size_t i = 0; i < n; i++)
        body[i] = (char)('A' + i % 19);
    struct http_call call = {.url = h.url,
                             .target = "/echo",
                             .method = "PUT",
                             .body = body,
                             .len = n,
                             .ca_file = h.ca_file};
    assert_int_equal(http_call_run(&call, &a), 0);
    assert_int_equal(a.status, 200);
    assert_true(a.len > n);
    assert_memory_equal(a.body + a.len - n, body, n);
    http_answer_done(&a);

    call = (struct http_call){.url = h.url, .target = "/big?8000000", .ca_file = h.ca_file};
    assert_int_equal(http_call_run(&call, &a), 0);
    assert_int_equal(a.len, 8000000);
    for (size_t i = 0; i < a.len; i++)
        if (a.body[i] != (char)('a' + i % 23))
            fail_msg("byte %zu is wrong", i);
    http_answer_done(&a);
    https_free(&h);
}

static void the_client_trusts_only_what_it_should(void **state)
{
    struct https h = https_new((struct http_config){0});
    struct http_answer a;
    struct http_call call = {.url = h.url, .target = "/x"};

    (void)state;
    (void)setenv("SSL_CERT_FILE", "/nonexistent.pem", 1);
    assert_int_equal(http_call_run(&call, &a), -EKEYREJECTED);
    assert_non_null(strstr(a.error, "not trusted"));
    http_answer_done(&a);
    (void)setenv("SSL_CERT_FILE", h.ca_file, 1);
    assert_int_equal(http_call_run(&call, &a), 0);
    assert_non_null(strstr(a.body, "tls=1"));
    http_answer_done(&a);
    (void)unsetenv("SSL_CERT_FILE");
    CLEANUP(free_p) char *by_address = xasprintf("https://127.0.0.1:%u/y", site_port(h.site));
    call = (struct http_call){.url = by_address, .ca_file = h.ca_file};
    assert_int_equal(http_call_run(&call, &a), 0);
    http_answer_done(&a);
    /* The same address by a name that is not in the certificate. */
    CLEANUP(free_p) char *by_other_name = xasprintf("https://127.1:%u/y", site_port(h.site));
    call.url = by_other_name;
    assert_int_equal(http_call_run(&call, &a), -EKEYREJECTED);
    http_answer_done(&a);
    call.ca_file = "/nonexistent.pem";
    assert_int_equal(http_call_run(&call, &a), -ENOENT);
    http_answer_done(&a);
    https_free(&h);
}

static void silent_handshakes_end(void **state)
{
    struct https h = https_new((struct http_config){.head_ms = 60});
    int fd = dial(h.site);

    (void)state;
    say_n(fd, "\x16\x03", 2);
    expect_end(fd);
    (void)close(fd);
    https_free(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(first_start_makes_everything, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(certificates_are_kept_and_renewed, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(interrupted_writes_are_repaired, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(operators_own_certificate_is_left_alone, make_dir,
                                        remove_dir),
        cmocka_unit_test_setup_teardown(bad_input_is_refused, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(both_on_one_port, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(versions_and_protocols, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(tls_in_pieces, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(cut_answers_say_no_goodbye, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(large_bodies_both_ways, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(the_client_trusts_only_what_it_should, make_dir,
                                        remove_dir),
        cmocka_unit_test_setup_teardown(silent_handshakes_end, make_dir, remove_dir),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
