/*
 * TLS for the server, and the private authority that makes it work on the first start without
 * asking anybody.
 */
#ifndef OSTLER_NET_TLS_H
#define OSTLER_NET_TLS_H

#include <stdbool.h>
#include <stddef.h>

struct tls_ctx;

/* Days; what tls_authority_open uses is 3650, 397 and 30. */
struct tls_policy {
    int ca_days;
    int leaf_days;
    int renew_days; /* a server certificate with less than this left is issued anew */
};

/*
 * Sees to it that DIR (which must exist) holds a usable ca.pem, ca.key, server.pem and server.key:
 * EC P-256, keys of mode 0600, each file replaced atomically. The server certificate is valid for
 * localhost, 127.0.0.1, ::1, this host's name and `names` (DNS names or address literals), and is
 * issued anew when it lacks one of them, is about to expire, or does not belong to its key. The CA
 * is made when there is none or it has expired.
 *
 * A server.pem that another authority signed is the operator's own and is left alone; ca.key may be
 * missing as long as nothing must be issued. Returns 0, or a negative errno: -EINVAL for a name
 * that is none, -ENOKEY when something must be issued and ca.key is missing or not ca.pem's,
 * -EBADMSG when a file is not what it should be.
 */
int tls_authority_open(const char *dir, const char *const *names, size_t n_names);
int tls_authority_open_policy(const char *dir, const char *const *names, size_t n_names,
                              const struct tls_policy *policy);

/* Serves with DIR/server.pem and server.key: TLS 1.2 or later, ALPN http/1.1. -ENOENT, -EBADMSG. */
int tls_ctx_new(const char *dir, struct tls_ctx **ret_ctx);

/* Reads the files again, for connections to come. On failure nothing changes. */
int tls_ctx_reload(struct tls_ctx *ctx, const char *dir);

/* Sessions that still run keep what they need. NULL is fine. */
void tls_ctx_free(struct tls_ctx *ctx);

#endif
