/* The schema's versions. A database is brought to the newest, one step a transaction. */
#include "store/tx.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/log.h"
#include "store/facets.h"

extern const char schema_1[], schema_2[], schema_3[], schema_4[]; /* schema-N.sql, by the build */

static const char *const steps[] = {schema_1, schema_2, schema_3, schema_4};

static int64_t version(struct db *db)
{
    struct stmt *s = db_stmt(db, "PRAGMA user_version");
    int64_t v = s && stmt_step(s) > 0 ? stmt_get_int(s, 0) : -1;

    if (s)
        stmt_reset(s);
    return v;
}

static int step(struct db *db, size_t to, struct fail *f)
{
    CLEANUP(buf_done) struct buf sql = {0};

    buf_fmt(&sql, "PRAGMA user_version=%zu;", to);
    if (!db_exec(db, "BEGIN IMMEDIATE") && !db_exec(db, steps[to - 1]) &&
        !db_exec(db, buf_cstr(&sql)) && !db_exec(db, "COMMIT"))
        return 0;
    (void)fail(f, ERR_INTERNAL, "the schema cannot be brought to version %zu: %s", to,
               db_error(db));
    (void)db_exec(db, "ROLLBACK"); /* nothing of it was committed in any case */
    return -1;
}

static bool finds_row(struct db *db, const char *sql)
{
    struct stmt *s = db_stmt(db, sql);
    bool found = s && stmt_step(s) > 0;

    if (s)
        stmt_reset(s);
    return found;
}

/* After a step that emptied them, or after somebody did who changed instances by hand. */
static int fill_sets(struct db *db)
{
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    struct tx tx = {.db = db, .arena = a};
    int e;

    if (finds_row(db, "SELECT 1 FROM inst_bits LIMIT 1") ||
        !finds_row(db, "SELECT 1 FROM inst LIMIT 1"))
        return 0;
    log_write(LOG_INFO, "the sets by which instances are listed are being made", NULL);
    if ((e = db_exec(db, "BEGIN IMMEDIATE")))
        return e;
    facets_build(&tx, &rec_inst);
    if (tx.failed) {
        (void)db_exec(db, "ROLLBACK"); /* nothing of it was committed in any case */
        return -1;
    }
    return db_exec(db, "COMMIT");
}

int store_migrate(struct db *db, struct fail *f)
{
    int64_t have = version(db);

    if (have < 0 || have > (int64_t)ARRAY_LEN(steps)) {
        (void)fail(f, ERR_INTERNAL,
                   "the database has schema %lld, this program knows up to %zu; use a newer ostler",
                   (long long)have, ARRAY_LEN(steps));
        return -1;
    }
    if (have && have < (int64_t)ARRAY_LEN(steps))
        log_write(LOG_INFO,
                  "the database is brought to a newer schema; many instances take a while", NULL);
    for (size_t to = (size_t)have + 1; to <= ARRAY_LEN(steps); to++)
        if (step(db, to, f))
            return -1;
    if (fill_sets(db)) {
        (void)fail(f, ERR_INTERNAL, "the instances cannot be listed: %s", db_error(db));
        return -1;
    }
    return 0;
}
