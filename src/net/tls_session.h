/* For the files of this folder only: one TLS connection of the server, without any socket. */
#ifndef OSTLER_NET_TLS_SESSION_H
#define OSTLER_NET_TLS_SESSION_H

#include <stddef.h>
#include <sys/types.h>

struct tls_ctx;
struct tls_session;

struct tls_session *tls_session_new(struct tls_ctx *ctx);
void tls_session_free(struct tls_session *s); /* NULL is fine */

/* Bytes from the network. */
void tls_session_put(struct tls_session *s, const char *data, size_t len);

/*
 * What they say: the number of bytes, 0 when more must come from the network first, -EPIPE when the
 * client said that it is done, -EPROTO when this is not TLS as we want it. Also does the handshake.
 * Afterwards look at tls_session_out, whatever was returned.
 */
ssize_t tls_session_read(struct tls_session *s, char *to, size_t size);

/* 0 or -EPROTO; the bytes are then in tls_session_out. Only once something was read. */
int tls_session_write(struct tls_session *s, const char *data, size_t len);

/* Says that nothing more will come from us. */
void tls_session_end(struct tls_session *s);

/* What must go to the network; valid until the next call for this session. */
size_t tls_session_out(struct tls_session *s, const char **ret_data);
void tls_session_sent(struct tls_session *s); /* all of it was taken */

#endif
