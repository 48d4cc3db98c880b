/*
 * A whole server but for its sockets and machines: a store in a directory of its own, the built-in
 * catalogue, one account with one access key, a clock that stands still until it is moved, and this
 * dialect in front.
 */
#ifndef OSTLER_TESTS_ALIBABA_FIXTURE_H
#define OSTLER_TESTS_ALIBABA_FIXTURE_H

#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#undef fail /* the library's; ours has arguments */

#include "api/dispatch.h"
#include "core/inst.h"
#include "dialect/alibaba/request.h"

#define FIXTURE_ACCOUNT "1234567890123456"
#define FIXTURE_KEY     "testid"
#define FIXTURE_SECRET  "testsecret"
#define FIXTURE_IMAGE   "ubuntu_22_04_x64_20G_alibase_20240530.vhd"
#define FIXTURE_TYPE    "ecs.g7.large"
/* 2026-01-02T03:04:05Z */
#define FIXTURE_NOW 1767323045000

struct fixture {
    char dir[64];
    struct world world;
    int64_t now;
    unsigned nonce;
    struct core core;
    struct store *store;
    struct api *api;
    struct arena *arena; /* of the last request; answers live until the next */
    sem_t committed;
    int status;
    char *body;
    json_t *json; /* of the last answer; NULL when it was XML */
    bool answered;
};

void fixture_init(struct fixture *f);
void fixture_done(struct fixture *f);

/* Sends it and waits for the answer. */
void fixture_send(struct fixture *f, const struct request *r);

/*
 * Signs and sends "Action=X&A=b": V1, GET, JSON. Values are percent-encoded by the caller. Returns
 * the HTTP status.
 */
int fixture_call(struct fixture *f, const char *params, ...) PRINTF(2, 3);

/* A text of the last answer: "Code", or a path like "Instances.Instance.0.Status". NULL: there is
 * none. */
const char *fixture_text(struct fixture *f, const char *path);
json_t *fixture_at(struct fixture *f, const char *path);
/* Elements of an array. */
size_t fixture_count(struct fixture *f, const char *path);

/* Runs `run` in a write transaction. */
void fixture_write(struct fixture *f, void (*run)(struct op *op, void *ctx), void *ctx);

/* Creates one instance in the named zone by CreateInstance and ends its create job: it is Stopped.
 * In malloc'd text. */
char *fixture_instance(struct fixture *f, const char *more_params);
/* The job under way ends, well or with an error. */
void fixture_end_job(struct fixture *f, const char *id, const char *error);
/* Changes the instance's row. */
void fixture_set_state(struct fixture *f, const char *id, enum inst_state s);

#define assert_refused(f, want_status, want_code)                                                  \
    do {                                                                                           \
        assert_string_equal(fixture_text((f), "Code"), (want_code));                               \
        assert_int_equal((f)->status, (want_status));                                              \
    } while (0)

#endif
