/* A small cloud for tests of the core: a store in a temporary directory, an account, an image, a
 * clock moved by hand. */
#ifndef OSTLER_TESTS_WORLD_H
#define OSTLER_TESTS_WORLD_H

#include "core/core.h"
#include "core/inst.h"

struct test_world {
    struct world world; /* first: the core's pointer leads here */
    int64_t now;
    uint64_t seed;
    char dir[64];
    struct core core;
    struct catalog *catalog;
    struct store *store;
    struct arena *arena;
    const char *account;
    struct fail fail;
};

struct test_world *test_world_new(void);
void test_world_free(struct test_world *w);

/* Runs `fn` as one write, with w->account as the caller; returns its outcome. */
enum err test_write(struct test_world *w, enum err (*fn)(struct op *op, void *arg), void *arg);

/* Runs `fn` on a snapshot. */
enum err test_read(struct test_world *w, enum err (*fn)(struct op *op, void *arg), void *arg);

/* A new instance of a small type, brought to STOPPED by ending its create job; its id lives with
 * the world. */
const char *test_stopped(struct test_world *w);

/* Asks for the instance to be started, stopped, ...; the outcome. */
enum err test_power(struct test_world *w, const char *id, enum verb v, unsigned flags);

/* Ends the instance's job well (`error` NULL) or not. */
void test_end_job(struct test_world *w, const char *inst, const char *error);

/* The instance as it is; fails the test when there is none. */
struct inst test_inst(struct test_world *w, const char *id);

#endif
