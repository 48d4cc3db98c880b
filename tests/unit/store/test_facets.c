/* Lists by sets: whatever is written, each query finds exactly the rows that fit its conditions,
 * newest first, in every part of the list. */
#include "check.h"

#include <sqlite3.h>
#include <stdio.h>

#include "store/db.h"
#include "store/facets.h"
#include "store/rows.h"
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

/* ---- rows of few values, so that they meet ---- */

static uint64_t noise = 7;

static unsigned pick(unsigned n)
{
    noise = noise * 6364136223846793005ULL + 1442695040888963407ULL;
    return (unsigned)(noise >> 33) % n;
}

static const char *const accounts[] = {"1", "2", "12"};
static const char *const zones[] = {"z-a", "z-b", "z-c", "z-d"};
static const char *const names[] = {"web", "Web",   "web-1", "web_1",
                                    "w%b", "db\\1", "1/web", "\xe4\xb8\xad\xe6\x96\x87"};
static const char *const groups[] = {"", "sg-1", "sg-1,sg-2", "sg-2,sg-12", "sg-12"};
static const char *const tags[] = {"{}", "{\"a\":\"b\"}", "{\"a\":\"b=c\",\"a=b\":\"c\"}",
                                   "{\"env\":\"\",\"a\":\"x\"}", "damaged"};
static const char *const keypairs[] = {"", "k-1", "k-2"};

static void change(struct op *op, struct inst *in)
{
    in->name = names[pick(ARRAY_LEN(names))];
    in->state = pick(INST_STATE_COUNT);
    in->verb = pick(3);
    in->birth = pick(3);
    in->keypair = keypairs[pick(ARRAY_LEN(keypairs))];
    in->tags = tags[pick(ARRAY_LEN(tags))];
    in->locks = pick(3);
    in->ip = arena_fmt(op->arena, "10.0.0.%u", pick(50));
}

static struct inst new_row(struct op *op, int n)
{
    struct inst in = {.id = arena_fmt(op->arena, "i-%05d", n),
                      .account = accounts[pick(ARRAY_LEN(accounts))],
                      .zone = zones[pick(ARRAY_LEN(zones))],
                      .region = pick(2) ? "r-1" : "r-2",
                      .type = pick(2) ? "t-1" : "t-2",
                      .image = "test-image",
                      .charge = pick(2),
                      .secgroups = groups[pick(ARRAY_LEN(groups))],
                      .vpc = pick(2) ? "v-1" : "",
                      .subnet = "s-1",
                      .created_at = n / 7};

    change(op, &in);
    return in;
}

/* ---- queries of any combination ---- */

static const char *const patterns[] = {"web%",  "%1",   "w\\%b", "%eb%",  "_eb",   "%",
                                       "\xe4%", "WEB%", "__",    "%\\_%", "web-1", "1/%"};

static void ask_any(struct arena *a, struct query *q)
{
    const char **list = ARENA_ARRAY(a, const char *, 4), **values = ARENA_ARRAY(a, const char *, 4);

    if (pick(5)) /* patterns without an account are tested row by row */
        query_text(q, "account", CMP_EQ, accounts[pick(ARRAY_LEN(accounts))]);
    if (!pick(3))
        query_text(q, "region", CMP_EQ, pick(2) ? "r-1" : "r-3");
    list[0] = zones[pick(4)];
    list[1] = zones[pick(4)];
    if (!pick(4))
        query_in(q, "zone", list, pick(3));
    if (!pick(3))
        query_set(q, "state", pick(1U << INST_STATE_COUNT));
    if (!pick(5))
        query_num(q, "birth", pick(2) ? CMP_EQ : CMP_NE, pick(3));
    if (!pick(6))
        query_num(q, "charge", CMP_EQ, pick(2));
    if (!pick(3))
        query_text(q, "name", pick(2) ? CMP_EQ : CMP_LIKE,
                   pick(2) ? names[pick(ARRAY_LEN(names))] : patterns[pick(ARRAY_LEN(patterns))]);
    list[2] = "sg-1";
    if (!pick(5))
        query_has(q, "secgroups", list + 2, 1);
    list[3] = "a";
    values[0] = pick(2) ? "b" : NULL;
    if (!pick(5))
        query_tags(q, "tags", list + 3, pick(2) ? values : NULL, 1);
    if (!pick(6))
        query_text(q, "keypair", CMP_EQ, keypairs[pick(3)]);
    if (!pick(6))
        query_num(q, "created_at", CMP_GE, pick(100));
    if (!pick(6))
        query_num(q, "created_at", CMP_LE, pick(100));
    if (!pick(8))
        query_num(q, "locks", CMP_HAS_BITS, 2);
    if (!pick(8))
        query_text(q, "ip", CMP_EQ, "10.0.0.7");
}

/* What the list must be, by testing every row. */
static size_t by_hand(struct op *op, const struct query *q, const char **ids, int64_t *ret_total)
{
    struct query all = {.order = "-num"};
    size_t n, m = 0, skipped = 0;
    struct inst *rows = store_find(op->tx, &rec_inst, &all, &n);

    *ret_total = 0;
    for (size_t i = 0; i < n; i++) {
        if (i)
            assert_true(rows[i].num < rows[i - 1].num);
        if (!row_fits(&rec_inst, q, &rows[i]))
            continue;
        ++*ret_total;
        if ((q->below && rows[i].num >= q->below) || skipped++ < q->offset ||
            (q->limit && m == q->limit))
            continue;
        ids[m++] = rows[i].id;
    }
    return m;
}

enum { ROWS = 700, QUERIES = 400 };

static void check_query(struct op *op, const struct query *q)
{
    const char **ids = ARENA_ARRAY(op->arena, const char *, ROWS + 1);
    int64_t total, want_total;
    size_t n, want = by_hand(op, q, ids, &want_total);
    struct inst *rows = store_page(op->tx, &rec_inst, q, &n, &total);

    assert_int_equal(total, want_total);
    assert_int_equal(n, want);
    for (size_t i = 0; i < n; i++)
        assert_string_equal(rows[i].id, ids[i]);
    assert_int_equal(store_count(op->tx, &rec_inst, q), total);
}

static enum err check_queries(struct op *op, void *arg)
{
    size_t matched = 0;

    (void)arg;
    for (int i = 0; i < QUERIES; i++) {
        struct query q = {.order = pick(2) ? "-num" : NULL};
        int64_t total;
        size_t n;

        ask_any(op->arena, &q);
        if (pick(2))
            q.limit = pick(40) + 1;
        if (!pick(3))
            q.offset = pick(60);
        if (!pick(3))
            q.below = pick(ROWS) + 1;
        check_query(op, &q);
        (void)store_page(op->tx, &rec_inst, &q, &n, &total);
        matched += n > 0;
    }
    assert_true(matched > QUERIES / 4); /* they find something at all */
    return ERR_NONE;
}

static enum err write_rows(struct op *op, void *arg)
{
    (void)arg;
    for (int i = 0; i < ROWS; i++) {
        struct inst in = new_row(op, i);

        store_insert(op->tx, &rec_inst, &in);
    }
    return ERR_NONE;
}

static enum err change_rows(struct op *op, void *arg)
{
    (void)arg;
    for (int i = 0; i < ROWS; i++) {
        const char *id = arena_fmt(op->arena, "i-%05u", pick(ROWS));
        struct inst in;

        if (!store_get(op->tx, &rec_inst, id, &in))
            continue;
        if (pick(4) == 0) {
            store_delete(op->tx, &rec_inst, id);
            continue;
        }
        change(op, &in);
        store_update(op->tx, &rec_inst, &in);
    }
    return ERR_NONE;
}

static void every_list_is_what_the_rows_say(void **state)
{
    assert_int_equal(test_write(*state, write_rows, NULL), ERR_NONE);
    assert_int_equal(test_read(*state, check_queries, NULL), ERR_NONE);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(test_write(*state, change_rows, NULL), ERR_NONE);
        assert_int_equal(test_read(*state, check_queries, NULL), ERR_NONE);
    }
}

/* ---- an account whose clock is behind ---- */

static const int64_t made_at[] = {100, 900, 300, 300, 1000, 200};

static size_t between(struct op *op, int64_t from, int64_t to)
{
    struct query q = {0};
    size_t n;

    query_num(&q, "created_at", CMP_GE, from);
    query_num(&q, "created_at", CMP_LE, to);
    (void)store_find(op->tx, &rec_inst, &q, &n);
    assert_int_equal(store_count(op->tx, &rec_inst, &q), n);
    return n;
}

static enum err make_in_disorder(struct op *op, void *arg)
{
    (void)arg;
    for (size_t i = 0; i < ARRAY_LEN(made_at); i++) {
        struct inst in = {.id = arena_fmt(op->arena, "i-%zu", i), .created_at = made_at[i]};

        store_insert(op->tx, &rec_inst, &in);
    }
    return ERR_NONE;
}

static enum err look_at_times(struct op *op, void *arg)
{
    (void)arg;
    assert_int_equal(between(op, 150, 350), 3);
    assert_int_equal(between(op, 300, 300), 2);
    assert_int_equal(between(op, 0, 99), 0);
    assert_int_equal(between(op, 901, 2000), 1);
    assert_int_equal(between(op, 0, 2000), ARRAY_LEN(made_at));
    return ERR_NONE;
}

static void times_that_fall_are_looked_at_row_by_row(void **state)
{
    assert_int_equal(test_write(*state, make_in_disorder, NULL), ERR_NONE);
    assert_int_equal(test_read(*state, look_at_times, NULL), ERR_NONE);
}

/* ---- sets that grow and shrink ---- */

/* Sets of one value pass from a list to a bitmap and back, over the border of a chunk. */
static enum err grow_and_shrink(struct op *op, void *arg)
{
    enum { MANY = 5000 };
    struct query q = {.limit = 1};
    struct inst in;
    int64_t total;
    size_t n;

    (void)arg;
    for (int i = 0; i < MANY; i++) {
        in = (struct inst){.id = arena_fmt(op->arena, "i-%05d", i), .account = "1", .zone = "z"};
        store_insert(op->tx, &rec_inst, &in);
    }
    query_text(&q, "zone", CMP_EQ, "z");
    assert_int_equal(store_count(op->tx, &rec_inst, &q), MANY);
    for (int i = 0; i < MANY; i++) {
        if (i % 50 != 7)
            store_delete(op->tx, &rec_inst, arena_fmt(op->arena, "i-%05d", i));
        if (i % 617 == 0)
            assert_int_equal(store_count(op->tx, &rec_inst, &q), MANY - 1 - i + (i + 42) / 50);
    }
    struct inst *rows = store_page(op->tx, &rec_inst, &q, &n, &total);
    assert_int_equal(total, MANY / 50);
    assert_string_equal(rows[0].id, "i-04957");
    q.offset = MANY / 50 - 1;
    rows = store_page(op->tx, &rec_inst, &q, &n, &total);
    assert_string_equal(rows[0].id, "i-00007");
    return ERR_NONE;
}

static void sets_grow_and_shrink(void **state)
{
    assert_int_equal(test_write(*state, grow_and_shrink, NULL), ERR_NONE);
}

static enum err delete_all(struct op *op, void *arg)
{
    (void)arg;
    for (int i = 0; i < ROWS; i++)
        store_delete(op->tx, &rec_inst, arena_fmt(op->arena, "i-%05d", i));
    return ERR_NONE;
}

static int64_t number(struct test_world *w, const char *sql)
{
    struct stmt *s;
    struct db *db;

    assert_int_equal(db_open(arena_fmt(w->arena, "%s/ostler.db", w->dir), true, &db), 0);
    s = db_stmt(db, sql);
    assert_non_null(s);
    assert_int_equal(stmt_step(s), 1);
    int64_t v = stmt_get_int(s, 0);
    stmt_reset(s);
    db_close(db);
    return v;
}

static void nothing_is_left_of_what_is_gone(void **state)
{
    assert_int_equal(test_write(*state, write_rows, NULL), ERR_NONE);
    assert_true(number(*state, "SELECT count(*) FROM inst_bits") > 100);
    assert_int_equal(test_write(*state, delete_all, NULL), ERR_NONE);
    assert_int_equal(number(*state, "SELECT count(*) FROM inst_bits"), 0);
}

/* A refused write leaves the sets as they were. */
static enum err change_and_refuse(struct op *op, void *arg)
{
    (void)change_rows(op, arg);
    return fail(op->fail, ERR_QUOTA, "after all");
}

static void a_refused_write_leaves_the_sets(void **state)
{
    assert_int_equal(test_write(*state, write_rows, NULL), ERR_NONE);
    assert_int_equal(test_write(*state, change_and_refuse, NULL), ERR_QUOTA);
    assert_int_equal(test_read(*state, check_queries, NULL), ERR_NONE);
}

/* ---- patterns ---- */

static enum err long_patterns(struct op *op, void *arg)
{
    char *long_one = arena_alloc(op->arena, 70000);
    struct query q = {0}, images = {0};

    (void)arg;
    memset(long_one, 'x', 69999);
    query_text(&q, "account", CMP_EQ, "1");
    query_text(&q, "name", CMP_LIKE, long_one);
    assert_int_equal(store_count(op->tx, &rec_inst, &q), 0);
    query_text(&images, "name", CMP_LIKE, long_one);
    assert_int_equal(store_count(op->tx, &rec_image, &images), 0);
    assert_false(tx_failed(op->tx));
    return ERR_NONE;
}

static void a_pattern_longer_than_any_name_finds_nothing(void **state)
{
    assert_int_equal(test_write(*state, write_rows, NULL), ERR_NONE);
    assert_int_equal(test_read(*state, long_patterns, NULL), ERR_NONE);
}

/* ---- older databases ---- */

extern const char schema_1[];

static void old_instances_are_listed_as_new_ones(void **state)
{
    struct test_world *w = *state;
    CLEANUP(free_p) char *path = xasprintf("%s/ostler.db", w->dir);
    sqlite3 *db;

    store_close(w->store);
    w->store = NULL;
    assert_int_equal(unlink(path), 0);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, schema_1, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "PRAGMA user_version=1", NULL, NULL, NULL), SQLITE_OK);
    for (int i = 0; i < 300; i++) { /* the later ones were made first; two in each moment */
        CLEANUP(free_p)
        char *sql = xasprintf(
            "INSERT INTO inst VALUES ('i-%03d','1','n-%d','','','r','%s','t','im',1,1024,%d,0,1,0,"
            "0,0,0,0,%d,0,0,0,'v','s','sg-1','10.0.0.%d','',0,'','','',0,'','{\"k\":\"%d\"}','{}',"
            "'','','',0)",
            i, i % 10, i % 2 ? "z-a" : "z-b", i % 3, 1000 - i / 2, i % 250, i % 5);

        assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    }
    assert_int_equal(
        sqlite3_exec(db,
                     "INSERT INTO job VALUES ('i-001',7,'1',1,0,0,0,'',5);"
                     "INSERT INTO nonce VALUES ('k/n',99); INSERT INTO sequence VALUES ('job',7);"
                     "INSERT INTO address VALUES ('s/10.0.0.1','i-001')",
                     NULL, NULL, NULL),
        SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    assert_int_equal(store_open(&(struct store_config){.dir = w->dir}, &w->store, &w->fail),
                     ERR_NONE);
    assert_int_equal(number(w, "PRAGMA user_version"), 4);
    assert_int_equal(number(w, "SELECT id FROM job WHERE inst='i-001'"), 7);
    assert_int_equal(number(w, "SELECT until FROM nonce WHERE key='k/n'"), 99);
    assert_int_equal(number(w, "SELECT value FROM sequence WHERE name='job'"), 7);
    assert_int_equal(number(w, "SELECT count(*) FROM address"), 1);

    struct tx *tx = store_read(w->store, w->arena);
    struct query q = {.limit = 3};
    size_t n;
    int64_t total;
    query_text(&q, "account", CMP_EQ, "1");
    struct inst *rows = store_page(tx, &rec_inst, &q, &n, &total);
    assert_int_equal(total, 300);
    assert_string_equal(rows[0].id, "i-000"); /* newest first; of one moment by id, as it was */
    assert_string_equal(rows[1].id, "i-001");
    assert_string_equal(rows[2].id, "i-002");
    query_text(&q, "zone", CMP_EQ, "z-a");
    query_set(&q, "state", 1 << 2);
    query_tags(&q, "tags", (const char *[]){"k"}, (const char *[]){"1"}, 1);
    assert_int_equal(store_count(tx, &rec_inst, &q), 10);
    store_read_end(tx);
}

static enum err count_lists(struct op *op, void *arg)
{
    struct query q = {0};

    query_text(&q, "account", CMP_EQ, "1");
    *(int64_t *)arg = store_count(op->tx, &rec_inst, &q);
    return ERR_NONE;
}

static void emptied_sets_are_made_again(void **state)
{
    struct test_world *w = *state;
    int64_t before, after;
    struct db *db;

    assert_int_equal(test_write(w, write_rows, NULL), ERR_NONE);
    assert_int_equal(test_write(w, change_rows, NULL), ERR_NONE);
    assert_int_equal(test_read(w, count_lists, &before), ERR_NONE);
    store_close(w->store);
    assert_int_equal(db_open(arena_fmt(w->arena, "%s/ostler.db", w->dir), true, &db), 0);
    assert_int_equal(db_exec(db, "DELETE FROM inst_bits"), 0);
    db_close(db);
    assert_int_equal(store_open(&(struct store_config){.dir = w->dir}, &w->store, &w->fail),
                     ERR_NONE);
    assert_int_equal(test_read(w, count_lists, &after), ERR_NONE);
    assert_true(before > 50);
    assert_int_equal(after, before);
    assert_int_equal(test_read(w, check_queries, NULL), ERR_NONE);
}

/* ---- what it costs ---- */

/* Rows that SQLite visits while a statement runs; the sets' own statements are prepared here as
 * they are there. */
static void no_list_walks_a_table(void **state)
{
    static const char *const statements[] = {
        "SELECT bits FROM inst_bits WHERE facet=? AND value=? AND chunk=?",
        "SELECT chunk, bits FROM inst_bits WHERE facet=? AND value=? ORDER BY chunk",
        ("SELECT chunk, bits FROM inst_bits WHERE facet=? AND value>=? AND value<? "
         "AND value LIKE ? ESCAPE '\\'"),
        "SELECT value FROM inst_bits WHERE facet=? AND value>? ORDER BY value LIMIT 1",
        "SELECT num FROM inst WHERE created_at<=? ORDER BY created_at DESC, num DESC LIMIT 1",
        "SELECT num FROM inst WHERE created_at>=? ORDER BY created_at, num LIMIT 1",
        "SELECT id FROM inst WHERE num=?",
        "SELECT id FROM inst WHERE id=?",
        "SELECT sum(memory_mib) FROM inst WHERE state IN (0,2,3) AND id<>?",
        "SELECT id FROM inst WHERE state=? ORDER BY id",
        "SELECT id FROM disk WHERE inst IN (?,?,?,?)",
        "SELECT id FROM disk WHERE inst=? ORDER BY slot",
        "SELECT seq FROM event WHERE subject=? ORDER BY seq DESC LIMIT ? OFFSET ?",
        "SELECT seq FROM event WHERE seq>? ORDER BY seq LIMIT ? OFFSET ?",
    };
    struct test_world *w = *state;
    struct db *db;

    assert_int_equal(db_open(arena_fmt(w->arena, "%s/ostler.db", w->dir), true, &db), 0);
    for (size_t i = 0; i < ARRAY_LEN(statements); i++) {
        struct stmt *s = db_stmt(db, arena_fmt(w->arena, "EXPLAIN QUERY PLAN %s", statements[i]));

        assert_non_null(s);
        while (stmt_step(s) > 0) {
            const char *step = stmt_get_text(s, 3, w->arena);

            if (str_starts(step, "SCAN") || strstr(step, "TEMP B-TREE")) {
                print_error("%s: %s\n", statements[i], step);
                assert_true(false);
            }
        }
        stmt_reset(s);
    }
    db_close(db);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(every_list_is_what_the_rows_say),
        CASE(times_that_fall_are_looked_at_row_by_row),
        CASE(sets_grow_and_shrink),
        CASE(nothing_is_left_of_what_is_gone),
        CASE(a_refused_write_leaves_the_sets),
        CASE(a_pattern_longer_than_any_name_finds_nothing),
        CASE(old_instances_are_listed_as_new_ones),
        CASE(emptied_sets_are_made_again),
        CASE(no_list_walks_a_table),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
