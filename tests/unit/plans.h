/* What a list must not do: walk a table that grows with the number of instances, or sort it. */
#ifndef OSTLER_TESTS_PLANS_H
#define OSTLER_TESTS_PLANS_H

#include "check.h"
#include "store/tx.h"

struct plans {
    struct db *db;
    struct arena *arena;
    size_t n;
};

static inline bool reads_big_table(const char *sql)
{
    static const char *const big[] = {" inst ",  " inst_bits ", " disk ",
                                      " event ", " address ",   " nonce "};

    for (size_t i = 0; i < ARRAY_LEN(big); i++)
        if (strstr(sql, big[i]))
            return true;
    return false;
}

static inline void check_plan(void *ctx, const char *sql)
{
    struct plans *p = ctx;

    if (!str_starts(sql, "SELECT ") || !reads_big_table(sql))
        return;
    struct stmt *s = db_stmt(p->db, arena_fmt(p->arena, "EXPLAIN QUERY PLAN %s", sql));
    assert_non_null(s);
    while (stmt_step(s) > 0) {
        const char *step = stmt_get_text(s, 3, p->arena);

        if (str_starts(step, "SCAN") || strstr(step, "TEMP B-TREE")) {
            print_error("%s: %s\n", sql, step);
            assert_true(false);
        }
    }
    stmt_reset(s);
    p->n++;
}

/* Checks every statement that this end of the store has read with; returns how many there were. */
static inline size_t check_plans(struct store *store, const char *dir)
{
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    struct plans p = {.arena = a};

    assert_int_equal(db_open(arena_fmt(a, "%s/ostler.db", dir), true, &p.db), 0);
    struct tx *tx = store_read(store, a);
    db_each_kept(tx->db, check_plan, &p);
    store_read_end(tx);
    db_close(p.db);
    return p.n;
}

#endif
