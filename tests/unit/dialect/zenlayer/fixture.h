/* A call without a server behind it: a request put together by hand, a clock that stands still. */
#ifndef OSTLER_TESTS_ZENLAYER_FIXTURE_H
#define OSTLER_TESTS_ZENLAYER_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#undef fail /* the library's; ours has arguments */

#include "api/dialect.h"

/* cmocka's fail_msg, which needs the macro that was just removed. */
#define fail_saying(...)                                                                           \
    do {                                                                                           \
        print_error(__VA_ARGS__);                                                                  \
        print_error("\n");                                                                         \
        _fail(__FILE__, __LINE__);                                                                 \
    } while (0)

enum { FIXTURE_HEADERS = 48 };

struct fixture {
    struct arena *arena;
    struct world world;
    struct core core;
    struct header headers[FIXTURE_HEADERS];
    struct request req;
    struct call call;
};

/* An empty POST /api/v2/zec at this time (ms). */
void fixture_init(struct fixture *f, int64_t now);
void fixture_done(struct fixture *f);

/* Sets the header, or adds it; value NULL takes it away. */
void fixture_header(struct fixture *f, const char *name, const char *value);
/* Adds it once more. */
void fixture_header_again(struct fixture *f, const char *name, const char *value);
void fixture_body(struct fixture *f, const char *body);

#endif
