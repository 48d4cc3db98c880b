#include "fixture.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <time.h>

#include "base/timefmt.h"
#include "dialect/alibaba/alibaba.h"
#include "dialect/alibaba/sign.h"
#include "dialect/alibaba/text.h"

enum { DEADLINE_S = 20 };

static int64_t clock_now(struct world *w)
{
    return CONTAINER_OF(w, struct fixture, world)->now;
}

static void noise(struct world *w, void *data, size_t n)
{
    static unsigned seed = 1;
    (void)w;

    for (size_t i = 0; i < n; i++) {
        seed = seed * 1103515245 + 12345;
        ((unsigned char *)data)[i] = (unsigned char)(seed >> 16);
    }
}

static void committed(void *ctx)
{
    (void)sem_post(&((struct fixture *)ctx)->committed);
}

static void wait_commit(struct fixture *f)
{
    struct timespec until;

    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += DEADLINE_S;
    while (sem_timedwait(&f->committed, &until) < 0)
        assert_int_equal(errno, EINTR);
    store_deliver(f->store);
}

/* ---- writes beside the API ---- */

struct hand {
    struct write write;
    struct fixture *f;
    void (*run)(struct op *op, void *ctx);
    void *ctx;
};

static enum err hand_run(struct write *w, struct tx *tx)
{
    struct hand *h = CONTAINER_OF(w, struct hand, write);
    struct fail why = {0};
    struct arena *a = arena_new();
    struct op op = {.core = &h->f->core,
                    .tx = tx,
                    .arena = a,
                    .account = FIXTURE_ACCOUNT,
                    .request_id = "test",
                    .now = h->f->now,
                    .fail = &why};

    tx_use_arena(tx, a);
    h->run(&op, h->ctx);
    tx_use_arena(tx, NULL);
    arena_free(a);
    return tx_failed(tx) ? ERR_INTERNAL : ERR_NONE;
}

static void hand_done(struct write *w)
{
    (void)w;
}

void fixture_write(struct fixture *f, void (*run)(struct op *op, void *ctx), void *ctx)
{
    struct hand h = {.write = {.run = hand_run, .done = hand_done}, .f = f, .run = run, .ctx = ctx};

    assert_int_equal(store_write_now(f->store, &h.write), ERR_NONE);
}

static void seed(struct op *op, void *ctx)
{
    static const char *const ids[] = {FIXTURE_KEY, "off"};
    const struct catalog *c = op->core->catalog;
    (void)ctx;

    assert_int_equal(account_create(op, FIXTURE_ACCOUNT, "test", NULL), ERR_NONE);
    for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
        struct access_key key = {
            .id = ids[i],
            .account = FIXTURE_ACCOUNT,
            .secret = vault_seal(op->core->vault, op->arena, ids[i],
                                 (struct bytes){FIXTURE_SECRET, strlen(FIXTURE_SECRET)}),
            .active = i == 0,
            .created_at = op->now};

        store_insert(op->tx, &rec_access_key, &key);
    }
    for (size_t i = 0; i < c->n_images; i++) {
        struct image image = c->images[i];

        image.created_at = op->now - 1000 * (int64_t)(i + 1);
        store_insert(op->tx, &rec_image, &image);
    }
}

/* ---- the whole ---- */

void fixture_init(struct fixture *f)
{
    static const struct dialect *const dialects[] = {&dialect_alibaba, NULL};
    struct catalog *catalog;
    struct fail why = {0};

    memset(f, 0, sizeof(*f));
    alibaba_forget_nonces();
    (void)snprintf(f->dir, sizeof(f->dir), "/tmp/ostler-test-alibaba-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    assert_int_equal(sem_init(&f->committed, 0, 0), 0);
    f->now = FIXTURE_NOW;
    f->world = (struct world){.now_ms = clock_now, .random = noise};
    f->core.world = &f->world;
    assert_int_equal(catalog_new(NULL, &catalog, &why), ERR_NONE);
    f->core.catalog = catalog;
    assert_int_equal(vault_open(f->dir, &f->world, &f->core.vault, &why), ERR_NONE);
    struct store_config config = {.dir = f->dir, .committed = committed, .ctx = f};
    assert_int_equal(store_open(&config, &f->store, &why), ERR_NONE);
    f->api =
        api_new(&(struct api_config){.core = &f->core, .store = f->store, .dialects = dialects});
    fixture_write(f, seed, NULL);
}

static int remove_one(const char *path, const struct stat *s, int type, struct FTW *w)
{
    (void)s;
    (void)type;
    (void)w;
    return remove(path);
}

void fixture_done(struct fixture *f)
{
    json_decref(f->json);
    free(f->body);
    if (f->arena)
        arena_free(f->arena);
    api_free(f->api);
    store_close(f->store);
    vault_free(f->core.vault);
    catalog_free((struct catalog *)f->core.catalog);
    (void)sem_destroy(&f->committed);
    (void)nftw(f->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* ---- requests ---- */

static void reply(void *ctx, const struct answer *a)
{
    struct fixture *f = ctx;

    f->status = a->status;
    f->body = xstrdup(buf_cstr(&a->body));
    f->json = json_loads(f->body, JSON_REJECT_DUPLICATES, NULL);
    f->answered = true;
}

void fixture_send(struct fixture *f, const struct request *r)
{
    struct arena *arena = arena_new();

    json_decref(f->json);
    free(f->body);
    f->json = NULL;
    f->body = NULL;
    f->answered = false;
    api_handle(f->api, r, arena, reply, f);
    while (!f->answered)
        wait_commit(f);
    if (f->arena)
        arena_free(f->arena);
    f->arena = arena;
}

int fixture_call(struct fixture *f, const char *params, ...)
{
    struct arena *a CLEANUP(arena_free_p) = arena_new();
    struct header headers[] = {{"host", "ecs.test"}};
    struct params p;
    struct fail why = {0};
    struct buf query CLEANUP(buf_done) = {0};
    va_list ap;

    va_start(ap, params);
    buf_vfmt(&query, params, ap);
    va_end(ap);
    buf_fmt(&query,
            "&Version=2014-05-26&Format=JSON&AccessKeyId=" FIXTURE_KEY
            "&SignatureMethod=HMAC-SHA1&SignatureVersion=1.0&SignatureNonce=n%u&Timestamp=",
            f->nonce++);
    percent_encode(&query, time_seconds(a, f->now));
    assert_int_equal(params_read(a, query.data, query.len, &p, &why), ERR_NONE);
    const char *sts = sign_v1_string(a, "GET", &p);
    buf_str(&query, "&Signature=");
    struct hmac_key *key = hmac_key_new(HMAC_SHA1, FIXTURE_SECRET "&", sizeof(FIXTURE_SECRET));
    percent_encode(&query, sign_v1(a, key, sts));
    hmac_key_free(key);
    struct request r = {.method = "GET",
                        .target = "/",
                        .path = "/",
                        .query = query.data,
                        .headers = headers,
                        .n_headers = ARRAY_LEN(headers),
                        .body = "",
                        .peer = "127.0.0.1"};
    fixture_send(f, &r);
    return f->status;
}

json_t *fixture_at(struct fixture *f, const char *path)
{
    char *copy CLEANUP(free_p) = xstrdup(path), *rest = copy;
    json_t *at = f->json;

    for (const char *part; at && (part = strsep(&rest, "."));)
        at = json_is_array(at) ? json_array_get(at, (size_t)strtoul(part, NULL, 10))
                               : json_object_get(at, part);
    return at;
}

const char *fixture_text(struct fixture *f, const char *path)
{
    return json_string_value(fixture_at(f, path));
}

size_t fixture_count(struct fixture *f, const char *path)
{
    json_t *at = fixture_at(f, path);

    assert_true(json_is_array(at));
    return json_array_size(at);
}

/* ---- instances ---- */

struct ended {
    const char *id, *error;
};

static void end_job(struct op *op, void *ctx)
{
    const struct ended *e = ctx;
    struct job job;
    bool next;

    assert_true(job_get(op, e->id, &job));
    assert_int_equal(job_end(op, e->id, job.id, e->error, 0, &next), ERR_NONE);
}

void fixture_end_job(struct fixture *f, const char *id, const char *error)
{
    fixture_write(f, end_job, &(struct ended){id, error});
}

char *fixture_instance(struct fixture *f, const char *more_params)
{
    f->now += 1000; /* so that the order of lists is known */
    if (fixture_call(f,
                     "Action=CreateInstance&RegionId=cn-hangzhou&ImageId=" FIXTURE_IMAGE
                     "&InstanceType=" FIXTURE_TYPE "%s",
                     more_params) != 200)
        print_error("%s\n", f->body);
    assert_int_equal(f->status, 200);
    char *id = xstrdup(fixture_text(f, "InstanceId"));
    fixture_end_job(f, id, NULL);
    return id;
}

struct new_state {
    const char *id;
    enum inst_state state;
};

static void set_state(struct op *op, void *ctx)
{
    const struct new_state *n = ctx;
    struct inst in;

    assert_int_equal(inst_get(op, n->id, &in), ERR_NONE);
    in.state = n->state;
    store_update(op->tx, &rec_inst, &in);
}

void fixture_set_state(struct fixture *f, const char *id, enum inst_state s)
{
    fixture_write(f, set_state, &(struct new_state){id, s});
}
