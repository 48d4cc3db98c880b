/* The store: columns match the schema, writes share commits, a failed one leaves nothing, what was
 * promised stays. */
#include "check.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <time.h>

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

static const struct record *const records[] = {
    &rec_account, &rec_access_key,   &rec_inst,     &rec_disk,    &rec_image, &rec_kms_key,
    &rec_vpc,     &rec_subnet,       &rec_secgroup, &rec_keypair, &rec_job,   &rec_event,
    &rec_idem,    &rec_address,      &rec_nonce,    &rec_setting, &rec_clock, &rec_due,
    &rec_fault,   &rec_engine_fault, &rec_capacity, &rec_harm,    &rec_chore, &rec_leftover};

static void columns_are_the_schemas(void **state)
{
    struct test_world *w = *state;
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    struct db *db;

    assert_int_equal(db_open(arena_fmt(a, "%s/ostler.db", w->dir), true, &db), 0);
    for (size_t r = 0; r < ARRAY_LEN(records); r++) {
        const struct record *rec = records[r];
        struct stmt *s = db_stmt(db, arena_fmt(a, "PRAGMA table_info(%s)", rec->table));
        size_t n = 0, primary = rec->facets ? rec->n_cols - 1 : 0;

        for (; stmt_step(s) > 0; n++) {
            assert_true(n < rec->n_cols);
            assert_string_equal(stmt_get_text(s, 1, a), rec->cols[n].name);
            assert_int_equal(stmt_get_int(s, 5), n == primary); /* the key, or the serial */
            assert_int_equal(rec->cols[n].type == COL_SERIAL, rec->facets && n == primary);
        }
        assert_int_equal(n, rec->n_cols);
        stmt_reset(s);
    }
    db_close(db);
}

static enum err every_type(struct op *op, void *arg)
{
    struct disk d = {.id = "d-1",
                     .account = "a",
                     .inst = "",
                     .region = "r",
                     .zone = "z",
                     .name = "a 'quoted' \xe4\xb8\xad",
                     .description = "",
                     .kind = DISK_LOCAL,
                     .status = DISK_DETACHING,
                     .failed = true,
                     .category = "c",
                     .level = "",
                     .size_gib = INT64_MAX,
                     .image = "",
                     .kms_key = "",
                     .data_key = {"\0\1\2", 3}};
    struct disk back;

    (void)arg;
    store_insert(op->tx, &rec_disk, &d);
    assert_true(store_get(op->tx, &rec_disk, "d-1", &back));
    assert_string_equal(back.name, d.name);
    assert_int_equal(back.kind, DISK_LOCAL);
    assert_int_equal(back.status, DISK_DETACHING);
    assert_true(back.failed);
    assert_false(back.encrypted);
    assert_int_equal(back.size_gib, INT64_MAX);
    assert_int_equal(back.data_key.len, 3);
    assert_memory_equal(back.data_key.data, "\0\1\2", 3);
    back.size_gib = 7;
    back.data_key = (struct bytes){0};
    store_update(op->tx, &rec_disk, &back);
    assert_true(store_get(op->tx, &rec_disk, "d-1", &d));
    assert_int_equal(d.size_gib, 7);
    assert_int_equal(d.data_key.len, 0);
    store_delete(op->tx, &rec_disk, "d-1");
    assert_false(store_get(op->tx, &rec_disk, "d-1", &d));
    return ERR_NONE;
}

static void rows_come_back_as_written(void **state)
{
    assert_int_equal(test_write(*state, every_type, NULL), ERR_NONE);
}

static enum err insert_keypairs(struct op *op, void *arg)
{
    (void)arg;
    for (int i = 0; i < 30; i++) {
        struct keypair k = {.id = arena_fmt(op->arena, "k-%02d", i),
                            .account = i % 3 ? "a" : "b",
                            .name = arena_fmt(op->arena, i % 2 ? "odd_%d" : "even%%%d", i),
                            .public_key = "",
                            .fingerprint = "",
                            .created_at = i / 10};

        store_insert(op->tx, &rec_keypair, &k);
    }
    return ERR_NONE;
}

static size_t found(struct op *op, const struct query *q, const char *first)
{
    size_t n;
    struct keypair *rows = store_find(op->tx, &rec_keypair, q, &n);

    if (first)
        assert_string_equal(rows[0].id, first);
    return n;
}

static enum err query_keypairs(struct op *op, void *arg)
{
    static const char *const some[] = {"k-03", "k-04", "k-99"};
    struct query by_account = {.order = "-created_at,id"}, in = {0}, like = {0},
                 range = {.order = "-id"}, bits = {0}, none = {0};

    (void)arg;
    query_text(&by_account, "account", CMP_EQ, "a");
    assert_int_equal(found(op, &by_account, "k-20"), 20);
    by_account.limit = 3;
    by_account.offset = 19;
    assert_int_equal(found(op, &by_account, "k-08"), 1);
    assert_int_equal(store_count(op->tx, &rec_keypair, &by_account), 20);
    query_in(&in, "id", some, 3);
    assert_int_equal(found(op, &in, NULL), 2);
    query_text(&like, "name", CMP_LIKE, "even\\%%");
    assert_int_equal(found(op, &like, NULL), 15);
    query_num(&range, "created_at", CMP_GE, 1);
    query_num(&range, "created_at", CMP_LT, 2);
    assert_int_equal(found(op, &range, "k-19"), 10);
    query_num(&bits, "created_at", CMP_HAS_BITS, 2);
    assert_int_equal(found(op, &bits, NULL), 10);
    query_in(&none, "id", NULL, 0);
    assert_int_equal(found(op, &none, NULL), 0);
    assert_int_equal(store_sum(op->tx, &rec_keypair, "created_at", &(struct query){0}), 30);
    return ERR_NONE;
}

static void queries_find_what_they_say(void **state)
{
    assert_int_equal(test_write(*state, insert_keypairs, NULL), ERR_NONE);
    assert_int_equal(test_read(*state, query_keypairs, NULL), ERR_NONE);
}

static enum err refuse_late(struct op *op, void *arg)
{
    struct account a = {.id = "1", .name = "never", .created_at = op->now};

    (void)arg;
    store_insert(op->tx, &rec_account, &a);
    return fail(op->fail, ERR_QUOTA, "after all");
}

static enum err break_statement(struct op *op, void *arg)
{
    struct account a = {.id = "2", .name = "twice", .created_at = op->now};

    (void)arg;
    store_insert(op->tx, &rec_account, &a);
    store_insert(op->tx, &rec_account, &a); /* the key is taken: the transaction is marked */
    assert_true(tx_failed(op->tx));
    assert_false(store_get(op->tx, &rec_account, "2", &a));
    return ERR_NONE;
}

static enum err count_accounts(struct op *op, void *arg)
{
    *(int64_t *)arg = store_count(op->tx, &rec_account, &(struct query){0});
    return ERR_NONE;
}

static void a_refused_write_leaves_nothing(void **state)
{
    int64_t n = 0;

    assert_int_equal(test_write(*state, refuse_late, NULL), ERR_QUOTA);
    assert_int_equal(test_write(*state, break_statement, NULL), ERR_INTERNAL);
    assert_int_equal(test_read(*state, count_accounts, &n), ERR_NONE);
    assert_int_equal(n, 1); /* the world's own */
}

/* ---- many writers ---- */

enum { WRITERS = 200 };

struct numbered {
    struct write write;
    struct test_world *w;
    int64_t got;
    bool done;
};

static enum err take_number(struct write *write, struct tx *tx)
{
    struct numbered *n = CONTAINER_OF(write, struct numbered, write);

    n->got = store_next(tx, "test");
    return n->got % 10 == 0 ? ERR_QUOTA
                            : ERR_NONE; /* some are undone in the middle of their batch */
}

static void number_done(struct write *write)
{
    CONTAINER_OF(write, struct numbered, write)->done = true;
}

static void each_outcome_is_delivered_once(void **state)
{
    struct test_world *w = *state;
    struct numbered *all = xcalloc(WRITERS, sizeof(*all));
    size_t done = 0, tries = 0;

    for (size_t i = 0; i < WRITERS; i++) {
        all[i] = (struct numbered){.write = {.run = take_number, .done = number_done}, .w = w};
        assert_int_equal(store_submit(w->store, &all[i].write), ERR_NONE);
    }
    while (done < WRITERS && tries++ < 10000) {
        store_deliver(w->store);
        for (done = 0; done < WRITERS && all[done].done; done++)
            ;
        (void)usleep(1000);
    }
    assert_int_equal(done, WRITERS);
    int64_t last = 0;
    for (size_t i = 0; i < WRITERS; i++) {
        assert_int_equal(all[i].got, last + 1); /* in order; an undone number is given again */
        if (!all[i].write.result)
            last = all[i].got;
        if (all[i].got == 10)
            break;
    }
    free(all);
}

static void what_was_committed_is_there_after_reopening(void **state)
{
    struct test_world *w = *state;
    int64_t n = 0;

    store_close(w->store);
    assert_int_equal(store_open(&(struct store_config){.dir = w->dir}, &w->store, &w->fail),
                     ERR_NONE);
    assert_int_equal(test_read(w, count_accounts, &n), ERR_NONE);
    assert_int_equal(n, 1);
}

static void a_newer_schema_is_refused(void **state)
{
    struct test_world *w = *state;
    struct store *other = NULL;
    struct db *db;

    assert_int_equal(db_open(arena_fmt(w->arena, "%s/ostler.db", w->dir), true, &db), 0);
    assert_int_equal(db_exec(db, "PRAGMA user_version=99"), 0);
    db_close(db);
    assert_int_equal(store_open(&(struct store_config){.dir = w->dir}, &other, &w->fail),
                     ERR_INTERNAL);
    assert_non_null(strstr(w->fail.detail, "99"));
}

static enum err write_big(struct op *op, void *arg)
{
    struct account a = {.id = "3", .name = arg, .created_at = op->now};

    store_insert(op->tx, &rec_account, &a);
    return ERR_NONE;
}

/* Another connection holds the write lock past the patience of ours: refused, nothing lost, and it
 * goes on later. */
static void a_store_that_cannot_write_refuses_and_recovers(void **state)
{
    struct test_world *w = *state;
    char *big = xmalloc(4 << 20);
    int64_t n = 0;
    struct db *db;

    memset(big, 'x', (4 << 20) - 1);
    big[(4 << 20) - 1] = 0;
    assert_int_equal(db_open(arena_fmt(w->arena, "%s/ostler.db", w->dir), true, &db), 0);
    assert_int_equal(db_exec(db, "BEGIN IMMEDIATE"), 0);
    assert_int_equal(test_write(w, write_big, big), ERR_INTERNAL);
    assert_int_equal(test_read(w, count_accounts, &n), ERR_NONE);
    assert_int_equal(n, 1);
    assert_int_equal(db_exec(db, "ROLLBACK"), 0);
    db_close(db);
    assert_int_equal(test_write(w, write_big, big), ERR_NONE);
    assert_int_equal(test_read(w, count_accounts, &n), ERR_NONE);
    assert_int_equal(n, 2);
    free(big);
}

/* ---- the event log's bound ---- */

static int64_t count_events(struct op *op)
{
    return store_count(op->tx, &rec_event, &(struct query){0});
}

/* Numbers go on where the newest event has them: one far ahead makes all before it old. */
static enum err write_events(struct op *op, void *arg)
{
    struct db *db = op->tx->db;
    int64_t before;

    (void)arg;
    for (int i = 0; i < 300; i++)
        event_append(op, "x", "old", NULL);
    before = count_events(op);
    assert_true(before >= 300); /* nothing is forgotten before there are too many */
    assert_int_equal(db_exec(db, "UPDATE sqlite_sequence SET seq=1000400 WHERE name='event'"), 0);
    for (int i = 0; i < 64; i++) {
        int64_t had = count_events(op);

        event_append(op, "x", "new", NULL);
        assert_true(count_events(op) >= had + 1 - 65); /* a few at a time */
    }
    assert_true(count_events(op) < before + 64 - 64);
    for (int i = 0; i < 400; i++)
        event_append(op, "x", "new", NULL);
    assert_true(count_events(op) <= 464 + 32); /* and in the end all of them */
    return ERR_NONE;
}

static void old_events_are_forgotten_a_few_at_a_time(void **state)
{
    assert_int_equal(test_write(*state, write_events, NULL), ERR_NONE);
}

/* ---- the log's bound ---- */

enum { READERS = 3, READ_US = 4000, PIECES = 900, PIECE = 128 * 1024, BOUND = 64 << 20 };

static int64_t micros(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* Reads without a pause, each time for long: there is always somebody who reads. */
struct reading {
    struct test_world *w;
    pthread_t thread;
    atomic_bool end;
    size_t n;
};

static void *read_on(void *arg)
{
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    struct reading *r = arg;
    struct fail f = {0};
    struct store *end;

    assert_int_equal(store_attach(r->w->store, &(struct store_config){0}, &end, &f), ERR_NONE);
    for (; !atomic_load(&r->end); r->n++) {
        struct tx *tx = store_read(end, a);
        int64_t total = 0;

        for (int64_t began = micros(); micros() - began < READ_US;)
            total += store_count(tx, &rec_image, &(struct query){0});
        assert_false(tx_failed(tx));
        assert_true(total > 0);
        store_read_end(tx);
        arena_clear(a);
    }
    store_close(end);
    return NULL;
}

static enum err write_piece(struct op *op, void *arg)
{
    struct account a = {.id = arena_fmt(op->arena, "piece-%d", *(int *)arg)};
    static char name[PIECE + 1];

    memset(name, 'p', PIECE);
    a.name = name;
    store_insert(op->tx, &rec_account, &a);
    return ERR_NONE;
}

static void the_log_stays_bounded_while_others_read(void **state)
{
    struct test_world *w = *state;
    CLEANUP(free_p) char *wal = xasprintf("%s/ostler.db-wal", w->dir);
    struct reading readers[READERS];
    off_t most = 0;
    int64_t n = 0;

    for (size_t i = 0; i < READERS; i++) {
        readers[i] = (struct reading){.w = w};
        assert_int_equal(pthread_create(&readers[i].thread, NULL, read_on, &readers[i]), 0);
    }
    for (int i = 0; i < PIECES; i++) {
        struct stat st;

        assert_int_equal(test_write(w, write_piece, &i), ERR_NONE);
        assert_int_equal(stat(wal, &st), 0);
        most = st.st_size > most ? st.st_size : most;
    }
    for (size_t i = 0; i < READERS; i++) {
        atomic_store(&readers[i].end, true);
        assert_int_equal(pthread_join(readers[i].thread, NULL), 0);
        assert_true(readers[i].n > 0);
    }
    if (most > BOUND)
        print_error("%lld bytes\n", (long long)most);
    assert_true(most > 4 << 20);
    assert_true(most <= BOUND);
    assert_int_equal(test_read(w, count_accounts, &n), ERR_NONE);
    assert_int_equal(n, PIECES + 1);
}

/* ---- closing ---- */

/* Each, when it is done, hands over the next one. */
struct row_of_writes {
    struct write write;
    struct store *end;
    int left, done;
};

static enum err write_nothing(struct write *write, struct tx *tx)
{
    (void)write, (void)tx;
    return ERR_NONE;
}

static void hand_over_next(struct write *write)
{
    struct row_of_writes *r = CONTAINER_OF(write, struct row_of_writes, write);

    assert_int_equal(write->result, ERR_NONE);
    r->done++;
    if (r->left-- > 0) {
        r->write = (struct write){.run = write_nothing, .done = hand_over_next};
        assert_int_equal(store_submit(r->end, &r->write), ERR_NONE);
    }
}

/* Else the writer would deliver to an end that is no more. */
static void an_end_closes_after_what_its_writes_set_going(void **state)
{
    struct test_world *w = *state;
    struct row_of_writes r = {.left = 3};
    struct fail f = {0};

    assert_int_equal(store_attach(w->store, &(struct store_config){0}, &r.end, &f), ERR_NONE);
    r.write = (struct write){.run = write_nothing, .done = hand_over_next};
    assert_int_equal(store_submit(r.end, &r.write), ERR_NONE);
    store_close(r.end);
    assert_int_equal(r.done, 4);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(columns_are_the_schemas),
        CASE(rows_come_back_as_written),
        CASE(queries_find_what_they_say),
        CASE(a_refused_write_leaves_nothing),
        CASE(each_outcome_is_delivered_once),
        CASE(what_was_committed_is_there_after_reopening),
        CASE(a_newer_schema_is_refused),
        CASE(a_store_that_cannot_write_refuses_and_recovers),
        CASE(old_events_are_forgotten_a_few_at_a_time),
        CASE(the_log_stays_bounded_while_others_read),
        CASE(an_end_closes_after_what_its_writes_set_going),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
