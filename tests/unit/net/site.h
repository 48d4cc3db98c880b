/*
 * A real server on loopback, run by a thread of its own, and a blocking client with deadlines to
 * talk to it byte by byte. Everything asserts by itself: a read that takes longer than ten seconds
 * fails the test.
 *
 * Its paths: /echo says what arrived; /hold answers when told to; /big?N answers N bytes; /close
 * ends the connection; /inject tries to smuggle headers; /empty answers 204; /user uses the arena;
 * /fate?F,MS answers "0123456789" with the fate F, MS late.
 */
#ifndef OSTLER_TESTS_NET_SITE_H
#define OSTLER_TESTS_NET_SITE_H

#include <stdint.h>

#include "base/buf.h"
#include "net/http.h"

struct loop;
struct site;

enum { DEADLINE_MS = 10000 };

struct site *
site_new(const struct http_config *config); /* handle, refuse and ctx are the site's own */
void site_free(struct site *s);
uint16_t site_port(const struct site *s);
const char *site_unix(const struct site *s);
const char *site_dir(const struct site *s);

/* Runs fn(s, arg) on the loop's thread and waits until it returned. */
void site_do(struct site *s, void (*fn)(struct site *s, void *arg), void *arg);
struct http_server *site_server(struct site *s);
void site_forget_server(struct site *s); /* it was freed in site_do */

/* Waits until `n` exchanges are held; releases one, the oldest; says whether its client is known to
 * be gone. */
void site_wait_held(struct site *s, int n);
void site_release(struct site *s);
void site_wait_held_gone(struct site *s);

/* Requests given to `handle` so far. */
int site_handled(struct site *s);
/* Waits until that many connections are open. */
void site_wait_conns(struct site *s, size_t n);

void site_drain(struct site *s);
void site_wait_drained(struct site *s);

/* --- the client --- */

int dial(struct site *s);
int dial_unix(struct site *s);
void say(int fd, const char *text);
void say_n(int fd, const char *data, size_t len);

struct reply {
    int status;
    char *head, *body;
    size_t len;
};

/* Reads exactly one reply; `with_body` false after HEAD. */
struct reply hear(int fd);
struct reply hear_head(int fd);
void reply_done(struct reply *r);

/* hear, check the status and that the body contains `part` (NULL: anything), forget it. */
void expect(int fd, int status, const char *part);

/* The server closes without saying more. */
void expect_end(int fd);

/* Nothing has come and nothing was closed. */
void expect_silence(int fd);

#endif
