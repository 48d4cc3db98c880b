/* SQLite: write-ahead log, every commit on disk before it counts, checkpoints made by the store's
 * own thread. */
#include "store/db.h"

#include <errno.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>

#include "base/log.h"

enum { BUCKETS = 128, PAGE = 4096, BUSY_MS = 5000, MAX_KEPT = 512 };

/* A statement is SQLite's; ours adds the key by which it is found again. */
struct kept {
    struct kept *next;
    sqlite3_stmt *stmt;
    size_t n;
    char key[];
};

struct db {
    sqlite3 *lite;
    struct kept *kept[BUCKETS];
    int64_t log_pages;
    size_t n_kept;
};

static sqlite3_stmt *lite(struct stmt *s)
{
    return (sqlite3_stmt *)s;
}

static int failed(struct db *db, const char *what)
{
    int code = sqlite3_extended_errcode(db->lite);

    if (code == SQLITE_BUSY || code == SQLITE_LOCKED)
        return -EAGAIN;
    log_write(LOG_ERROR, "the database failed", "what", what, "why", sqlite3_errmsg(db->lite),
              NULL);
    return -EIO;
}

static int on_commit(void *ctx, sqlite3 *lite_db, const char *name, int pages)
{
    struct db *db = ctx;

    (void)lite_db;
    if (streq(name, "main")) /* not one that is attached for a moment */
        db->log_pages = pages;
    return SQLITE_OK;
}

/* SQLite counts what it allocates under one lock for all threads, unless it is told not to. */
static void configure(void)
{
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); /* refused when in use already: slower only */
}

int db_open(const char *path, bool writes, struct db **ret)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    (void)pthread_once(&once, configure);
    struct db *db = xcalloc(1, sizeof(*db));
    int flags = writes ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READWRITE;
    int e = 0;

    if (sqlite3_open_v2(path, &db->lite, flags | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
        e = failed(db, path);
    if (!e)
        e = db_exec(db, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=OFF;"
                        "PRAGMA wal_autocheckpoint=0; PRAGMA journal_size_limit=67108864;"
                        "PRAGMA temp_store=MEMORY; PRAGMA cache_size=-8192;"
                        "PRAGMA case_sensitive_like=1;");
    /* A transaction whose pages are more than this many (64 MiB) writes some of them early; looking
     * for them takes longer than all else. */
    if (!e)
        e = db_exec(db, writes ? "PRAGMA cache_spill=16384; PRAGMA cache_size=-32768;"
                               : "PRAGMA query_only=1;");
    if (e) {
        db_close(db);
        return e;
    }
    (void)sqlite3_busy_timeout(db->lite, BUSY_MS);
    (void)sqlite3_wal_hook(db->lite, on_commit, db);
    *ret = db;
    return 0;
}

void db_close(struct db *db)
{
    if (!db)
        return;
    for (size_t i = 0; i < BUCKETS; i++)
        while (db->kept[i]) {
            struct kept *k = db->kept[i];

            db->kept[i] = k->next;
            (void)sqlite3_finalize(k->stmt); /* repeats the error of its last step */
            free(k);
        }
    (void)sqlite3_close(db->lite);
    free(db);
}

const char *db_error(struct db *db)
{
    return sqlite3_errmsg(db->lite);
}

int db_exec(struct db *db, const char *sql)
{
    return sqlite3_exec(db->lite, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : failed(db, sql);
}

static size_t bucket(const char *key, size_t n)
{
    uint32_t h = 2166136261U;

    for (size_t i = 0; i < n; i++)
        h = (h ^ (unsigned char)key[i]) * 16777619U;
    return h % BUCKETS;
}

/* Clients choose which filters they combine: what is kept is bounded. */
static void forget_all(struct db *db)
{
    for (size_t i = 0; i < BUCKETS; i++)
        for (struct kept **at = &db->kept[i]; *at;) {
            struct kept *k = *at;

            if (sqlite3_stmt_busy(k->stmt)) {
                at = &k->next;
                continue;
            }
            *at = k->next;
            (void)sqlite3_finalize(k->stmt);
            free(k);
            db->n_kept--;
        }
}

struct stmt *db_find(struct db *db, const void *key, size_t n)
{
    for (struct kept *k = db->kept[bucket(key, n)]; k; k = k->next)
        if (k->n == n && !memcmp(k->key, key, n))
            return (struct stmt *)k->stmt;
    return NULL;
}

struct stmt *db_keep(struct db *db, const void *key, size_t n, const char *sql)
{
    struct kept **first = &db->kept[bucket(key, n)];

    if (db->n_kept >= MAX_KEPT)
        forget_all(db);
    struct kept *k = xmalloc(sizeof(*k) + n);
    k->n = n;
    memcpy(k->key, key, n);
    if (sqlite3_prepare_v3(db->lite, sql, -1, SQLITE_PREPARE_PERSISTENT, &k->stmt, NULL) !=
        SQLITE_OK) {
        (void)failed(db, sql);
        free(k);
        return NULL;
    }
    k->next = *first;
    *first = k;
    db->n_kept++;
    return (struct stmt *)k->stmt;
}

struct stmt *db_stmt(struct db *db, const char *sql)
{
    size_t n = strlen(sql);
    struct stmt *s = db_find(db, sql, n);

    return s ? s : db_keep(db, sql, n, sql);
}

void db_each_kept(struct db *db, void (*each)(void *ctx, const char *sql), void *ctx)
{
    for (size_t i = 0; i < BUCKETS; i++)
        for (struct kept *k = db->kept[i]; k; k = k->next)
            each(ctx, sqlite3_sql(k->stmt));
}

int db_do(struct db *db, const char *sql)
{
    struct stmt *s = db_stmt(db, sql);
    int got = s ? stmt_step(s) : -EIO;

    if (s)
        (void)sqlite3_reset(lite(s)); /* repeats the error of the last step, which was seen */
    return got < 0 ? got : 0;
}

/* A bind fails only for a wrong index, which would be our mistake and shows as a wrong row in the
 * first test. */
void stmt_text(struct stmt *s, int at, const char *value)
{
    (void)sqlite3_bind_text(lite(s), at, value ? value : "", -1, SQLITE_STATIC);
}

void stmt_int(struct stmt *s, int at, int64_t value)
{
    (void)sqlite3_bind_int64(lite(s), at, value);
}

void stmt_blob(struct stmt *s, int at, struct bytes value)
{
    if (value.len)
        (void)sqlite3_bind_blob(lite(s), at, value.data, (int)value.len, SQLITE_STATIC);
    else
        (void)sqlite3_bind_null(lite(s), at);
}

int stmt_step(struct stmt *s)
{
    switch (sqlite3_step(lite(s))) {
    case SQLITE_ROW:
        return 1;
    case SQLITE_DONE:
        return 0;
    case SQLITE_BUSY:
        return -EAGAIN;
    default:
        log_write(LOG_ERROR, "the database failed", "what", sqlite3_sql(lite(s)), "why",
                  sqlite3_errmsg(sqlite3_db_handle(lite(s))), NULL);
        return -EIO;
    }
}

void stmt_reset(struct stmt *s)
{
    (void)sqlite3_reset(lite(s)); /* repeats the error of the last step, which was seen */
    (void)sqlite3_clear_bindings(lite(s));
}

const char *stmt_get_text(struct stmt *s, int at, struct arena *a)
{
    const unsigned char *t = sqlite3_column_text(lite(s), at);

    return t ? arena_strn(a, (const char *)t, (size_t)sqlite3_column_bytes(lite(s), at)) : "";
}

int64_t stmt_get_int(struct stmt *s, int at)
{
    return sqlite3_column_int64(lite(s), at);
}

struct bytes stmt_get_blob(struct stmt *s, int at, struct arena *a)
{
    const void *p = sqlite3_column_blob(lite(s), at);
    size_t n = p ? (size_t)sqlite3_column_bytes(lite(s), at) : 0;

    return (struct bytes){n ? arena_strn(a, p, n) : NULL, n};
}

struct bytes stmt_peek_blob(struct stmt *s, int at)
{
    const void *p = sqlite3_column_blob(lite(s), at);

    return (struct bytes){p, p ? (size_t)sqlite3_column_bytes(lite(s), at) : 0};
}

int64_t db_last_id(struct db *db)
{
    return sqlite3_last_insert_rowid(db->lite);
}

static int checkpoint(struct db *db, int mode)
{
    int pages = 0, moved = 0;
    int code = sqlite3_wal_checkpoint_v2(db->lite, NULL, mode, &pages, &moved);

    if (code != SQLITE_OK)
        return code == SQLITE_BUSY ? -EAGAIN : failed(db, "checkpoint");
    return moved == pages ? 0 : -EAGAIN;
}

int db_checkpoint(struct db *db)
{
    return checkpoint(db, SQLITE_CHECKPOINT_PASSIVE);
}

int db_empty_log(struct db *db)
{
    int e = checkpoint(db, SQLITE_CHECKPOINT_TRUNCATE);

    if (!e)
        db->log_pages = 0;
    return e;
}

int64_t db_log_size(struct db *db)
{
    return db->log_pages * PAGE;
}
