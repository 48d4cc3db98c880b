/* The tests' cloud. */
#include "world.h"

#include "check.h"

#include <stdio.h>
#include <sys/wait.h>

static int64_t fake_now(struct world *w)
{
    return CONTAINER_OF(w, struct test_world, world)->now;
}

/* xorshift: the same numbers in every run. */
static void fake_random(struct world *w, void *data, size_t n)
{
    uint64_t *x = &CONTAINER_OF(w, struct test_world, world)->seed;
    uint8_t *p = data;

    while (n--) {
        *x ^= *x << 13;
        *x ^= *x >> 7;
        *x ^= *x << 17;
        *p++ = (uint8_t)(*x >> 24);
    }
}

struct task {
    struct write write;
    struct test_world *w;
    enum err (*fn)(struct op *op, void *arg);
    void *arg;
};

static struct op op_of(struct test_world *w, struct tx *tx)
{
    w->fail = (struct fail){0};
    return (struct op){.core = &w->core,
                       .tx = tx,
                       .arena = w->arena,
                       .account = w->account,
                       .request_id = "TEST",
                       .now = w->now,
                       .fail = &w->fail};
}

static enum err task_run(struct write *write, struct tx *tx)
{
    struct task *t = CONTAINER_OF(write, struct task, write);
    struct op op = op_of(t->w, tx);

    tx_use_arena(tx, t->w->arena);
    return t->fn(&op, t->arg);
}

enum err test_write(struct test_world *w, enum err (*fn)(struct op *op, void *arg), void *arg)
{
    struct task t = {.write = {.run = task_run}, .w = w, .fn = fn, .arg = arg};

    return store_write_now(w->store, &t.write);
}

enum err test_read(struct test_world *w, enum err (*fn)(struct op *op, void *arg), void *arg)
{
    struct tx *tx = store_read(w->store, w->arena);
    struct op op = op_of(w, tx);
    enum err e = fn(&op, arg);

    assert_false(tx_failed(tx));
    store_read_end(tx);
    return e;
}

static enum err make_account(struct op *op, void *arg)
{
    struct test_world *w = arg;
    struct account a;
    struct image im = {.id = "test-image",
                       .account = "",
                       .name = "test",
                       .description = "",
                       .family = "",
                       .os_type = "linux",
                       .os_name = "Test",
                       .platform = "Debian",
                       .arch = "x86_64",
                       .version = "",
                       .size_gib = 1,
                       .path = "",
                       .digest = "",
                       .created_at = op->now};

    (void)account_create(op, NULL, "tests", &a);
    w->account = arena_str(w->arena, a.id);
    store_insert(op->tx, &rec_image, &im);
    return ERR_NONE;
}

struct test_world *test_world_new(void)
{
    struct test_world *w = xcalloc(1, sizeof(*w));

    w->world = (struct world){.now_ms = fake_now, .random = fake_random};
    w->now = 1767323045000;
    w->seed = 88172645463325252ULL;
    w->arena = arena_new();
    (void)snprintf(w->dir, sizeof(w->dir), "/tmp/ostler-test-XXXXXX");
    assert_non_null(mkdtemp(w->dir));
    w->core.world = &w->world;
    w->core.settings.lock_refuses_stop = true;
    assert_int_equal(catalog_new(NULL, &w->catalog, &w->fail), ERR_NONE);
    w->core.catalog = w->catalog;
    assert_int_equal(vault_open(w->dir, &w->world, &w->core.vault, &w->fail), ERR_NONE);
    assert_int_equal(store_open(&(struct store_config){.dir = w->dir}, &w->store, &w->fail),
                     ERR_NONE);
    assert_int_equal(test_write(w, make_account, w), ERR_NONE);
    return w;
}

void test_world_free(struct test_world *w)
{
    store_close(w->store);
    vault_free(w->core.vault);
    catalog_free(w->catalog);
    arena_free(w->arena);
    pid_t pid = fork();
    if (!pid) {
        (void)execl("/bin/rm", "rm", "-rf", w->dir, (char *)NULL);
        _exit(1);
    }
    (void)waitpid(pid, NULL, 0);
    free(w);
}

static enum err create_small(struct op *op, void *arg)
{
    struct created out;
    struct new_inst n = {
        .region = "cn-hangzhou", .type = "ecs.t5-lc2m1.nano", .image = "test-image", .count = 1};
    enum err e = inst_create(op, &n, &out);

    if (!e)
        *(const char **)arg = out.ids[0];
    return e;
}

struct ending {
    const char *inst, *error;
};

static enum err end_job(struct op *op, void *arg)
{
    struct ending *end = arg;
    struct job job;
    bool next;

    assert_true(job_get(op, end->inst, &job));
    return job_end(op, end->inst, job.id, end->error, 0, &next);
}

struct asked {
    const char *id;
    enum verb verb;
    unsigned flags;
};

static enum err power(struct op *op, void *arg)
{
    struct asked *a = arg;

    return inst_power(op, a->id, a->verb, a->flags, NULL, NULL);
}

enum err test_power(struct test_world *w, const char *id, enum verb v, unsigned flags)
{
    return test_write(w, power, &(struct asked){id, v, flags});
}

void test_end_job(struct test_world *w, const char *inst, const char *error)
{
    assert_int_equal(test_write(w, end_job, &(struct ending){inst, error}), ERR_NONE);
}

const char *test_stopped(struct test_world *w)
{
    const char *id = NULL;

    assert_int_equal(test_write(w, create_small, &id), ERR_NONE);
    test_end_job(w, id, NULL);
    return id;
}

struct looking {
    const char *id;
    struct inst in;
};

static enum err look(struct op *op, void *arg)
{
    struct looking *l = arg;

    return inst_get(op, l->id, &l->in);
}

struct inst test_inst(struct test_world *w, const char *id)
{
    struct looking l = {.id = id};

    assert_int_equal(test_read(w, look, &l), ERR_NONE);
    return l.in;
}
