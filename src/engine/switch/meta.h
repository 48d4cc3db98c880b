/*
 * What one guest reads at 100.100.100.200 and 169.254.169.254: a tree of names that the daemon
 * gave, its user data, and the HTTP that serves them. Pure functions; meta_conn.h moves the bytes.
 *
 * The daemon decides every name. Objects are folders, strings are values; a name may hold slashes
 * ("instance/name"), which makes folders too. Integers and booleans are taken as their text.
 */
#ifndef OSTLER_ENGINE_SWITCH_META_H
#define OSTLER_ENGINE_SWITCH_META_H

#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/buf.h"

#define META_HEAD_MAX      8192 /* a request's line and headers */
#define META_PATH_MAX      1024 /* its decoded path */
#define META_NAME_MAX      128  /* one name in the tree */
#define META_DEPTH_MAX     16
#define META_USER_DATA_MAX (64 * 1024)

struct meta;

/*
 * `tree` may be NULL (nothing), `user_data_b64` NULL (none). Copies what it keeps. Returns 0 and
 * *ret, which the caller frees, or -EINVAL and a text that says why.
 */
int meta_new(const json_t *tree, const char *user_data_b64, struct meta **ret,
             const char **ret_why);
void meta_free(struct meta *m);

/* The value of a top-level name when it is a string, else NULL; lives as long as `m`. */
const char *meta_value(const struct meta *m, const char *name);

/* Appends what is at the absolute path ("/latest/meta-data/") to `b`. Returns the HTTP status: 200
 * or 404. */
int meta_lookup(const struct meta *m, const char *path, struct buf *b);

struct meta_request {
    int status; /* 0, or the refusal that the request has earned */
    bool keep_alive, head_only;
    char path[META_PATH_MAX];
};

/*
 * Reads one request head from the start of `data`. Returns its length; 0 when more bytes are
 * needed; -1 when what is there is no request and never will be (ret->status says the answer, after
 * which the connection must close).
 */
ssize_t meta_request_parse(const char *data, size_t len, struct meta_request *ret);

/* Appends the whole answer, headers and body. */
void meta_answer(const struct meta *m, const struct meta_request *r, struct buf *out);

#endif
