/* TLS for the server, over OpenSSL with memory on both sides: the sockets stay the event loop's. */
#include "net/tls.h"

#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "base/util.h"
#include "net/tls_session.h"

enum { KEEP_OUT = 256 * 1024 };

struct tls_ctx {
    SSL_CTX *ssl;
};

struct tls_session {
    SSL *ssl;
    BIO *in, *out; /* the SSL's own */
};

/* Running out of memory is all that can go wrong with these. */
static void *must(void *p)
{
    if (!p)
        abort();
    return p;
}

static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                           const unsigned char *offered, unsigned int offered_len, void *arg)
{
    static const unsigned char ours[] = "\x08http/1.1";
    unsigned char *chosen;

    (void)ssl, (void)arg;
    if (SSL_select_next_proto(&chosen, out_len, ours, sizeof(ours) - 1, offered, offered_len) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL; /* it could not talk to us anyway */
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

static int use_files(SSL_CTX *ssl, const char *cert, const char *key)
{
    if (access(cert, R_OK) < 0 || access(key, R_OK) < 0)
        return -errno;
    if (SSL_CTX_use_certificate_chain_file(ssl, cert) != 1 ||
        SSL_CTX_use_PrivateKey_file(ssl, key, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(ssl) != 1) {
        ERR_clear_error();
        return -EBADMSG;
    }
    return 0;
}

static int load(const char *dir, SSL_CTX **ret)
{
    CLEANUP(free_p) char *cert = xasprintf("%s/server.pem", dir);
    CLEANUP(free_p) char *key = xasprintf("%s/server.key", dir);
    SSL_CTX *ssl = must(SSL_CTX_new(TLS_server_method()));
    int r = use_files(ssl, cert, key);

    if (r < 0) {
        SSL_CTX_free(ssl);
        return r;
    }
    (void)SSL_CTX_set_min_proto_version(
        ssl, TLS1_2_VERSION); /* known to this library, so it cannot fail */
    (void)SSL_CTX_set_options(ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                       SSL_OP_IGNORE_UNEXPECTED_EOF |
                                       SSL_OP_CIPHER_SERVER_PREFERENCE);
    (void)SSL_CTX_set_mode(ssl, SSL_MODE_RELEASE_BUFFERS);
    (void)SSL_CTX_set_session_cache_mode(ssl,
                                         SSL_SESS_CACHE_OFF); /* tickets do it without memory */
    SSL_CTX_set_alpn_select_cb(ssl, choose_protocol, NULL);
    *ret = ssl;
    return 0;
}

int tls_ctx_new(const char *dir, struct tls_ctx **ret_ctx)
{
    SSL_CTX *ssl;
    int r = load(dir, &ssl);

    if (r < 0)
        return r;
    struct tls_ctx *ctx = xcalloc(1, sizeof(*ctx));
    ctx->ssl = ssl;
    *ret_ctx = ctx;
    return 0;
}

int tls_ctx_reload(struct tls_ctx *ctx, const char *dir)
{
    SSL_CTX *ssl;
    int r = load(dir, &ssl);

    if (r < 0)
        return r;
    SSL_CTX_free(ctx->ssl);
    ctx->ssl = ssl;
    return 0;
}

void tls_ctx_free(struct tls_ctx *ctx)
{
    if (!ctx)
        return;
    SSL_CTX_free(ctx->ssl);
    free(ctx);
}

/* --- sessions --- */

struct tls_session *tls_session_new(struct tls_ctx *ctx)
{
    struct tls_session *s = xcalloc(1, sizeof(*s));

    s->ssl = must(SSL_new(ctx->ssl));
    s->in = must(BIO_new(BIO_s_mem()));
    s->out = must(BIO_new(BIO_s_mem()));
    (void)BIO_set_mem_eof_return(s->in, -1); /* empty means "later", not "over" */
    SSL_set_bio(s->ssl, s->in, s->out);
    SSL_set_accept_state(s->ssl);
    return s;
}

void tls_session_free(struct tls_session *s)
{
    if (!s)
        return;
    SSL_free(s->ssl);
    free(s);
}

void tls_session_put(struct tls_session *s, const char *data, size_t len)
{
    if (len > INT_MAX || BIO_write(s->in, data, (int)len) != (int)len)
        abort(); /* memory */
}

ssize_t tls_session_read(struct tls_session *s, char *to, size_t size)
{
    size_t n;

    ERR_clear_error(); /* what others left there would be taken for ours */
    int r = SSL_read_ex(s->ssl, to, size, &n);
    if (r == 1)
        return (ssize_t)n;
    switch (SSL_get_error(s->ssl, r)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        return 0;
    case SSL_ERROR_ZERO_RETURN:
        return -EPIPE;
    default:
        ERR_clear_error();
        return -EPROTO;
    }
}

int tls_session_write(struct tls_session *s, const char *data, size_t len)
{
    size_t n;

    if (!len)
        return 0;
    ERR_clear_error();
    if (SSL_write_ex(s->ssl, data, len, &n) == 1)
        return 0; /* memory takes everything */
    ERR_clear_error();
    return -EPROTO;
}

void tls_session_end(struct tls_session *s)
{
    ERR_clear_error();
    (void)SSL_shutdown(s->ssl); /* a session that failed may not say goodbye; then it does not */
    ERR_clear_error();
}

size_t tls_session_out(struct tls_session *s, const char **ret_data)
{
    char *data;
    long n = BIO_get_mem_data(s->out, &data);

    *ret_data = data;
    return n > 0 ? (size_t)n : 0;
}

void tls_session_sent(struct tls_session *s)
{
    char *data;

    if (BIO_get_mem_data(s->out, &data) > KEEP_OUT) {
        s->out =
            must(BIO_new(BIO_s_mem())); /* one large answer need not hold its memory for good */
        SSL_set0_wbio(s->ssl, s->out);
        return;
    }
    (void)BIO_reset(s->out); /* always succeeds for memory */
}
