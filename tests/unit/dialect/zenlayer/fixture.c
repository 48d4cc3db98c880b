#include "fixture.h"

#include "dialect/zenlayer/zenlayer.h"

static int64_t still(struct world *w)
{
    (void)w;
    return 1700000000000;
}

/* Not random at all: the tests that use it look at the form only. */
static void counting(struct world *w, void *data, size_t n)
{
    (void)w;
    for (size_t i = 0; i < n; i++)
        ((unsigned char *)data)[i] = (unsigned char)(0xa0 + i);
}

void fixture_init(struct fixture *f, int64_t now)
{
    memset(f, 0, sizeof(*f));
    f->arena = arena_new();
    f->world = (struct world){.now_ms = still, .random = counting};
    f->core.world = &f->world;
    f->req = (struct request){.method = "POST",
                              .target = "/api/v2/zec",
                              .path = "/api/v2/zec",
                              .query = "",
                              .headers = f->headers,
                              .body = "",
                              .peer = "127.0.0.1"};
    f->call.req = &f->req;
    f->call.arena = f->arena;
    f->call.dialect = &dialect_zenlayer;
    f->call.client = "";
    f->call.op =
        (struct op){.core = &f->core, .arena = f->arena, .now = now, .fail = &f->call.fail};
}

void fixture_done(struct fixture *f)
{
    json_decref(f->call.params);
    arena_free(f->arena);
}

void fixture_header_again(struct fixture *f, const char *name, const char *value)
{
    assert_true(f->req.n_headers < FIXTURE_HEADERS);
    f->headers[f->req.n_headers++] = (struct header){name, value};
}

void fixture_header(struct fixture *f, const char *name, const char *value)
{
    size_t i = 0;

    while (i < f->req.n_headers && !streq(f->headers[i].name, name))
        i++;
    if (!value) {
        if (i < f->req.n_headers)
            f->headers[i] = f->headers[--f->req.n_headers];
    } else if (i < f->req.n_headers) {
        f->headers[i].value = value;
    } else {
        fixture_header_again(f, name, value);
    }
}

void fixture_body(struct fixture *f, const char *body)
{
    f->req.body = body;
    f->req.body_len = strlen(body);
}
