/* The whole store: saved to a file, checked, taken in again; all or nothing, also for who reads
 * meanwhile. */
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>

#include "store/tx.h"
#include "world.h"

static int setup(void **state)
{
    *state = test_world_new();
    return 0;
}

static int teardown(void **state)
{
    test_world_free(*state);
    return 0;
}

/* ---- saving and loading, as one who does both at once ---- */

struct whole {
    struct write write;
    struct test_world *w;
    struct staging staging;
    struct swap swap;
    const char *path;
    bool was_there, is_there; /* the instance `probe`, before and after */
    const char *probe;
    bool broken; /* fails at the last moment */
    struct fail fail;
};

static enum err run_save(struct write *w, struct tx *tx)
{
    struct whole *j = CONTAINER_OF(w, struct whole, write);

    return store_save(tx, j->path, &j->fail);
}

static bool finds(struct tx *tx, const char *inst)
{
    struct inst in;

    return inst && store_get(tx, &rec_inst, inst, &in);
}

static void on_leaving(struct swap *s, struct tx *tx)
{
    struct whole *j = CONTAINER_OF(s, struct whole, swap);

    j->was_there = finds(tx, j->probe);
}

static void on_arrived(struct swap *s, struct tx *tx)
{
    struct whole *j = CONTAINER_OF(s, struct whole, swap);
    struct setting one = {.key = "arrived", .value = "yes"};

    j->is_there = finds(tx, j->probe);
    store_insert(tx, &rec_setting, &one);
    if (j->broken)
        store_insert(tx, &rec_setting, &one); /* a second one is none: the transaction fails */
}

static enum err run_load(struct write *w, struct tx *tx)
{
    struct whole *j = CONTAINER_OF(w, struct whole, write);
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    enum err e = store_stage(&j->staging, &j->fail);

    tx_use_arena(tx, a);
    if (!e)
        e = store_swap(tx, &j->swap, &j->fail);
    tx_use_arena(tx, NULL);
    return e;
}

static const char *file(struct test_world *w, const char *name)
{
    return arena_fmt(w->arena, "%s/%s", w->dir, name);
}

static enum err save(struct test_world *w, const char *name)
{
    struct whole j = {.write = {.run = run_save, .alone = true}, .w = w, .path = file(w, name)};

    return store_write_now(w->store, &j.write);
}

static const struct record *const kept[] = {&rec_nonce, NULL};

static struct whole loading(struct test_world *w, const char *name)
{
    return (struct whole){
        .write = {.run = run_load, .alone = true},
        .w = w,
        .staging = {.from = file(w, name), .to = file(w, "copy.db")},
        .swap = {.from = file(w, "copy.db"),
                 .keep = kept,
                 .leaving = on_leaving,
                 .arrived = on_arrived},
    };
}

static enum err load(struct test_world *w, const char *name)
{
    struct whole j = loading(w, name);

    return store_write_now(w->store, &j.write);
}

/* ---- what is in it ---- */

static enum err spend(struct op *op, void *arg)
{
    struct nonce n = {.key = arg, .until = 1};

    store_insert(op->tx, &rec_nonce, &n);
    (void)store_next(op->tx, "test");
    event_append(op, arg, "spent", NULL);
    return ERR_NONE;
}

struct seen {
    int64_t next, seq, stopped, all, nonces;
    int64_t arrived; /* a number: padding would not compare */
};

static enum err look(struct op *op, void *arg)
{
    struct seen *s = arg;
    struct query stopped = {0}, mine = {0}, any = {0};
    struct setting set = {0};
    struct event e = {
        .at = 1, .account = "", .subject = "", .kind = "", .request_id = "", .detail = ""};

    query_num(&stopped, "state", CMP_EQ, INST_STOPPED);
    query_text(&mine, "account", CMP_EQ, op->account);
    *s = (struct seen){.stopped = store_count(op->tx, &rec_inst, &stopped),
                       .all = store_count(op->tx, &rec_inst, &mine),
                       .nonces = store_count(op->tx, &rec_nonce, &any),
                       .arrived = store_get(op->tx, &rec_setting, "arrived", &set),
                       .next = store_next(op->tx, "test"),
                       .seq = store_append(op->tx, &rec_event, &e)};
    return fail(op->fail, ERR_QUOTA, "only looked");
}

static struct seen see(struct test_world *w)
{
    struct seen s;

    assert_int_equal(test_write(w, look, &s), ERR_QUOTA);
    return s;
}

static enum err release(struct op *op, void *arg)
{
    store_delete(op->tx, &rec_inst, arg);
    return ERR_NONE;
}

static void the_same_is_there_after_loading(void **state)
{
    struct test_world *w = *state;
    const char *one = test_stopped(w), *two = test_stopped(w);
    struct stat st;

    assert_int_equal(test_write(w, spend, (void *)"before"), ERR_NONE);
    struct seen before = see(w);
    assert_int_equal(before.all, 2);
    assert_int_equal(save(w, "a.db"), ERR_NONE);
    assert_int_equal(stat(file(w, "a.db"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(access(file(w, "a.db.new"), F_OK), -1);

    const char *three = test_stopped(w);
    assert_int_equal(test_write(w, release, (void *)one), ERR_NONE);
    assert_int_equal(test_write(w, spend, (void *)"after"), ERR_NONE);
    struct whole j = loading(w, "a.db");
    j.probe = three;
    assert_int_equal(store_write_now(w->store, &j.write), ERR_NONE);
    assert_true(j.was_there);
    assert_false(j.is_there);
    assert_int_equal(access(file(w, "copy.db"), F_OK), -1);

    struct seen after = see(w);
    assert_int_equal(after.all, 2);
    assert_int_equal(after.stopped, 2); /* the lists' sets came, too */
    assert_int_equal(after.next, before.next);
    assert_int_equal(after.seq, before.seq);
    assert_int_equal(after.nonces, before.nonces + 1); /* a kept table */
    assert_true(after.arrived);
    assert_int_equal(test_inst(w, one).state, INST_STOPPED);
    assert_int_equal(test_inst(w, two).state, INST_STOPPED);
    (void)test_stopped(w); /* and it is written to as ever */
    assert_int_equal(see(w).stopped, 3);
}

static void what_fails_leaves_everything_as_it_was(void **state)
{
    struct test_world *w = *state;

    assert_int_equal(save(w, "a.db"), ERR_NONE);
    (void)test_stopped(w);
    struct seen before = see(w);
    struct whole j = loading(w, "a.db");
    j.broken = true;
    assert_int_equal(store_write_now(w->store, &j.write), ERR_INTERNAL);
    struct seen after = see(w);
    assert_memory_equal(&before, &after, sizeof(before));
    assert_int_equal(load(w, "a.db"), ERR_NONE); /* nothing is left attached */
    assert_int_equal(see(w).all, 0);
}

/* ---- files that are none, damaged, older, newer ---- */

static void write_file(struct test_world *w, const char *name, const void *data, size_t n)
{
    CLEANUP(close_p) int fd = open(file(w, name), O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_int_equal(write(fd, data, n), (ssize_t)n);
}

static void refused(struct test_world *w, const char *name, enum err e, const char *says)
{
    struct seen before = see(w);
    struct whole j = loading(w, name);

    assert_int_equal(store_write_now(w->store, &j.write), e);
    if (!strstr(j.fail.detail, says))
        print_error("%s: %s\n", name, j.fail.detail);
    assert_non_null(strstr(j.fail.detail, says));
    assert_int_equal(access(file(w, "copy.db"), F_OK), -1);
    struct seen after = see(w);
    assert_memory_equal(&before, &after, sizeof(before));
}

static void set_version(struct test_world *w, const char *name, int version)
{
    struct db *db;

    assert_int_equal(db_open(file(w, name), true, &db), 0);
    assert_int_equal(db_exec(db, arena_fmt(w->arena, "PRAGMA user_version=%d", version)), 0);
    db_close(db);
}

static enum err refuse_all(struct staging *s, struct tx *tx, struct fail *f)
{
    struct account a;

    (void)s;
    assert_true(store_first(tx, &rec_account, &(struct query){0}, &a));
    return fail(f, ERR_SNAPSHOT_UNUSABLE, "not of here");
}

static void a_file_that_cannot_be_used_is_refused(void **state)
{
    struct test_world *w = *state;
    struct stat st;

    (void)test_stopped(w);
    refused(w, "none.db", ERR_NOT_THERE, "none.db");
    write_file(w, "text.db", "hello", 5);
    refused(w, "text.db", ERR_SNAPSHOT_UNUSABLE, "not a database");
    assert_int_equal(mkdir(file(w, "dir.db"), 0700), 0);
    refused(w, "dir.db", ERR_SNAPSHOT_UNUSABLE, "not a file");
    assert_int_equal(symlink("a.db", file(w, "link.db")), 0);
    refused(w, "link.db", ERR_SNAPSHOT_UNUSABLE, "link.db");

    assert_int_equal(save(w, "cut.db"), ERR_NONE);
    assert_int_equal(stat(file(w, "cut.db"), &st), 0);
    assert_int_equal(truncate(file(w, "cut.db"), st.st_size / 2), 0);
    refused(w, "cut.db", ERR_SNAPSHOT_UNUSABLE, "cut.db");

    assert_int_equal(save(w, "newer.db"), ERR_NONE);
    set_version(w, "newer.db", 99);
    refused(w, "newer.db", ERR_SNAPSHOT_UNUSABLE, "99");
    set_version(w, "newer.db", 0);
    refused(w, "newer.db", ERR_SNAPSHOT_UNUSABLE, "another program");

    assert_int_equal(save(w, "strange.db"), ERR_NONE);
    struct whole j = loading(w, "strange.db");
    j.staging.look = refuse_all;
    assert_int_equal(store_write_now(w->store, &j.write), ERR_SNAPSHOT_UNUSABLE);
    assert_string_equal(j.fail.detail, "not of here");
}

extern const char schema_1[], schema_2[], schema_3[];

static const char one_account[] = "INSERT INTO account VALUES ('7', 'old', 1, 5, 0);"
                                  "PRAGMA user_version=3";

static enum err old_account(struct op *op, void *arg)
{
    struct account a;

    (void)arg;
    assert_true(store_get(op->tx, &rec_account, "7", &a));
    assert_string_equal(a.name, "old");
    assert_int_equal(a.recycle_hours, 5);
    return store_count(op->tx, &rec_account, &(struct query){0}) == 1 ? ERR_NONE : ERR_QUOTA;
}

static void an_older_one_is_brought_up_first(void **state)
{
    static const char *const steps[] = {schema_1, schema_2, schema_3, one_account};
    struct test_world *w = *state;
    struct db *db;

    (void)test_stopped(w);
    assert_int_equal(db_open(file(w, "old.db"), true, &db), 0);
    for (size_t i = 0; i < ARRAY_LEN(steps); i++)
        assert_int_equal(db_exec(db, steps[i]), 0);
    db_close(db);
    for (int i = 0; i < 2; i++) { /* the file itself is only read */
        assert_int_equal(load(w, "old.db"), ERR_NONE);
        assert_int_equal(test_read(w, old_account, NULL), ERR_NONE);
        assert_int_equal(see(w).stopped, 0);
        w->account = "7";
    }
}

/* ---- readers ---- */

enum { READERS = 3, ROUNDS = 12 };

struct reading {
    struct test_world *w;
    pthread_t thread;
    atomic_bool end;
    size_t small, big, odd;
};

/* Two instances, or five: whatever is asked, together and by either way of listing. */
static void *read_on(void *arg)
{
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    struct reading *r = arg;
    struct fail f = {0};
    struct store *end;
    struct query stopped = {0};

    query_num(&stopped, "state", CMP_EQ, INST_STOPPED);
    assert_int_equal(store_attach(r->w->store, &(struct store_config){.shares = true}, &end, &f),
                     ERR_NONE);
    while (!atomic_load(&r->end)) {
        struct tx *tx = store_read(end, a);
        int64_t listed = store_count(tx, &rec_inst, &stopped);
        int64_t disks = store_count(tx, &rec_disk, &(struct query){0});
        size_t rows;
        (void)store_find(tx, &rec_inst, &(struct query){.order = "id"}, &rows);

        assert_false(tx_failed(tx));
        if (listed != disks || listed != (int64_t)rows || (listed != 2 && listed != 5))
            r->odd++;
        else
            ++*(listed == 2 ? &r->small : &r->big);
        store_read_end(tx);
        store_rest(end);
        arena_clear(a);
    }
    store_close(end);
    return NULL;
}

static void readers_see_one_world_or_the_other(void **state)
{
    struct test_world *w = *state;
    struct reading readers[READERS];

    for (int i = 0; i < 2; i++)
        (void)test_stopped(w);
    assert_int_equal(save(w, "two.db"), ERR_NONE);
    for (int i = 0; i < 3; i++)
        (void)test_stopped(w);
    assert_int_equal(save(w, "five.db"), ERR_NONE);
    for (size_t i = 0; i < READERS; i++) {
        readers[i] = (struct reading){.w = w};
        assert_int_equal(pthread_create(&readers[i].thread, NULL, read_on, &readers[i]), 0);
    }
    for (int i = 0; i < ROUNDS; i++) {
        assert_int_equal(load(w, i % 2 ? "five.db" : "two.db"), ERR_NONE);
        (void)usleep(2000);
    }
    for (size_t i = 0; i < READERS; i++) {
        atomic_store(&readers[i].end, true);
        assert_int_equal(pthread_join(readers[i].thread, NULL), 0);
        assert_int_equal(readers[i].odd, 0);
        assert_true(readers[i].small + readers[i].big > 0);
    }
    assert_int_equal(see(w).all, 5);
}

/* ---- between other writes ---- */

struct numbered {
    struct write write;
    int64_t got;
    struct whole *save;
};

static enum err take_number(struct write *write, struct tx *tx)
{
    struct numbered *n = CONTAINER_OF(write, struct numbered, write);

    n->got = store_next(tx, "test");
    return ERR_NONE;
}

static void counted(struct write *write)
{
    (void)write;
}

/* What was submitted before is in it, what came after is not. */
static void one_that_is_alone_keeps_its_place(void **state)
{
    struct test_world *w = *state;
    struct numbered all[20];
    struct whole j = {.write = {.run = run_save, .done = counted, .alone = true},
                      .w = w,
                      .path = file(w, "middle.db")};
    int64_t first = see(w).next;

    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        all[i] = (struct numbered){.write = {.run = take_number, .done = counted}};
        assert_int_equal(store_submit(w->store, &all[i].write), ERR_NONE);
        if (i == 9)
            assert_int_equal(store_submit(w->store, &j.write), ERR_NONE);
    }
    assert_int_equal(see(w).next, first + 20);
    assert_int_equal(j.write.result, ERR_NONE);
    assert_int_equal(load(w, "middle.db"), ERR_NONE);
    assert_int_equal(see(w).next, first + 10);
}

static enum err clear(struct op *op, void *arg)
{
    (void)arg;
    store_clear(op->tx, &rec_inst);
    store_clear(op->tx, &rec_disk);
    return ERR_NONE;
}

static void a_cleared_record_is_empty_in_its_lists_too(void **state)
{
    struct test_world *w = *state;

    for (int i = 0; i < 3; i++)
        (void)test_stopped(w);
    assert_int_equal(see(w).stopped, 3);
    assert_int_equal(test_write(w, clear, NULL), ERR_NONE);
    assert_int_equal(see(w).stopped, 0);
    assert_int_equal(see(w).all, 0);
    (void)test_stopped(w);
    assert_int_equal(see(w).stopped, 1);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(the_same_is_there_after_loading),
        CASE(what_fails_leaves_everything_as_it_was),
        CASE(a_file_that_cannot_be_used_is_refused),
        CASE(an_older_one_is_brought_up_first),
        CASE(readers_see_one_world_or_the_other),
        CASE(one_that_is_alone_keeps_its_place),
        CASE(a_cleared_record_is_empty_in_its_lists_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
