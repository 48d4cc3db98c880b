/*
 * The whole database: written to a file, checked before it is taken in, and taken in. A file is
 * never used itself but copied first: it may be older than this program, or be removed meanwhile.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/log.h"
#include "store/tx.h"

enum { MAX_TABLES = 64, VERSION_AT = 60, HEADER = 100 };

/* 'it''s' */
static void add_quoted(struct buf *sql, const char *s)
{
    buf_char(sql, '\'');
    for (; *s; s++) {
        if (*s == '\'')
            buf_char(sql, '\'');
        buf_char(sql, *s);
    }
    buf_char(sql, '\'');
}

static int sync_dir_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    CLEANUP(free_p)
    char *dir = xasprintf("%.*s", slash ? (int)(slash - path) : 1, slash ? path : ".");
    CLEANUP(close_p) int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

/* ---- saving ---- */

/* Empty, for its owner only; the database fills it. */
static int make_empty(const char *path)
{
    if (unlink(path) < 0 && errno != ENOENT)
        return -errno;
    CLEANUP(close_p) int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    return fd < 0 ? -errno : 0;
}

static int sync_and_name(const char *tmp, const char *path)
{
    CLEANUP(close_p) int fd = open(tmp, O_RDONLY | O_CLOEXEC);

    if (fd < 0 || fsync(fd) < 0 || rename(tmp, path) < 0)
        return -errno;
    return sync_dir_of(path);
}

enum err store_save(struct tx *tx, const char *path, struct fail *f)
{
    CLEANUP(free_p) char *tmp = xasprintf("%s.new", path);
    CLEANUP(buf_done) struct buf sql = {0};
    int e = make_empty(tmp);

    if (!e) {
        buf_str(&sql, "VACUUM INTO ");
        add_quoted(&sql, tmp);
        e = db_exec(tx->db, buf_cstr(&sql));
    }
    if (!e)
        e = sync_and_name(tmp, path);
    if (!e)
        return ERR_NONE;
    (void)unlink(tmp); /* what there is of it is of no use */
    return fail(f, ERR_INTERNAL, "%s cannot be written: %s", path, strerror(-e));
}

/* ---- staging ---- */

static enum err unusable(const struct staging *s, struct fail *f, const char *why)
{
    return fail(f, ERR_SNAPSHOT_UNUSABLE, "%s is no usable snapshot: %s", s->from, why);
}

static void remove_copy(const char *path)
{
    static const char *const tails[] = {"", "-wal", "-shm", "-journal"};

    for (size_t i = 0; i < ARRAY_LEN(tails); i++) {
        CLEANUP(free_p) char *one = xasprintf("%s%s", path, tails[i]);

        (void)unlink(one); /* most are never there */
    }
}

/* What a database says of itself before anything opens it; an empty one would be filled in. */
static const char *bad_header(int fd)
{
    unsigned char head[HEADER];
    struct stat st;

    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        return "it is not a file";
    if (pread(fd, head, sizeof(head), 0) != sizeof(head) ||
        memcmp(head, "SQLite format 3", 16) != 0)
        return "it is not a database";
    for (size_t i = 0; i < 4; i++)
        if (head[VERSION_AT + i])
            return NULL;
    return "it is another program's";
}

static int copy(int from, int to)
{
    CLEANUP(buf_done) struct buf b = {0};
    enum { PIECE = 1 << 20 };
    char *piece = buf_reserve(&b, PIECE);

    for (;;) {
        ssize_t n = read(from, piece, PIECE);

        if (n <= 0)
            return n < 0 ? -errno : 0;
        for (ssize_t at = 0, w; at < n; at += w)
            if ((w = write(to, piece + at, (size_t)(n - at))) < 0)
                return -errno;
    }
}

static enum err make_copy(const struct staging *s, struct fail *f)
{
    CLEANUP(close_p) int from = open(s->from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

    if (from < 0 && errno == ENOENT)
        return fail(f, ERR_NOT_THERE, "there is no snapshot %s", s->from);
    if (from < 0)
        return unusable(s, f, strerror(errno));
    const char *bad = bad_header(from);
    if (bad)
        return unusable(s, f, bad);
    remove_copy(s->to);
    CLEANUP(close_p)
    int to = open(s->to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    int e = to < 0 ? -errno : copy(from, to);
    return e ? fail(f, ERR_INTERNAL, "%s cannot be written: %s", s->to, strerror(-e)) : ERR_NONE;
}

static bool is_whole(struct db *db)
{
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    struct stmt *check = db_stmt(db, "PRAGMA quick_check(1)");
    bool ok = check && stmt_step(check) > 0 && streq(stmt_get_text(check, 0, a), "ok");

    if (check)
        stmt_reset(check);
    return ok;
}

static enum err look_at(struct staging *s, struct db *db, struct fail *f)
{
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    struct tx tx = {.db = db, .arena = a};
    struct fail why = {0};

    if (!is_whole(db))
        return unusable(s, f, "it is damaged");
    if (store_migrate(db, &why))
        return unusable(s, f, why.detail);
    enum err e = s->look ? s->look(s, &tx, f) : ERR_NONE;
    return !e && tx.failed ? unusable(s, f, "it cannot be read") : e;
}

enum err store_stage(struct staging *s, struct fail *f)
{
    struct db *db;
    enum err e = make_copy(s, f);

    if (e)
        return e;
    if (db_open(s->to, true, &db)) {
        e = unusable(s, f, "it cannot be opened");
    } else {
        e = look_at(s, db, f);
        db_close(db);
    }
    if (e)
        remove_copy(s->to);
    return e;
}

/* ---- all tables ---- */

static bool is_kept(const struct record *const *keep, const char *table)
{
    for (; keep && *keep; keep++)
        if (streq((*keep)->table, table))
            return true;
    return false;
}

/* The names of the tables that are not kept, and have the column, if one is asked for; or a
 * negative number. */
static int tables(struct tx *tx, const char *column, const struct record *const *keep,
                  const char *ret[MAX_TABLES])
{
    struct stmt *list =
        db_stmt(tx->db, "SELECT name FROM main.sqlite_master AS t WHERE type='table' "
                        "AND name NOT LIKE 'sqlite!_%' ESCAPE '!' AND (?1='' OR EXISTS "
                        "(SELECT 1 FROM pragma_table_info(t.name) AS c WHERE c.name=?1))");
    int n = 0, got = list ? 1 : -1;

    if (list)
        stmt_text(list, 1, column);
    while (got > 0 && n < MAX_TABLES && (got = stmt_step(list)) > 0) {
        ret[n] = stmt_get_text(list, 0, tx->arena);
        n += !is_kept(keep, ret[n]);
    }
    if (list)
        stmt_reset(list);
    return got ? -1 : n;
}

static void clear(struct tx *tx, const char *column, const char *value,
                  const struct record *const *keep)
{
    const char *names[MAX_TABLES];
    int n = tx->failed ? -1 : tables(tx, column, keep, names);

    tx->failed |= n < 0;
    for (int i = 0; i < n && !tx->failed; i++) {
        struct stmt *s = db_stmt(
            tx->db, *column ? arena_fmt(tx->arena, "DELETE FROM %s WHERE %s=?", names[i], column)
                            : arena_fmt(tx->arena, "DELETE FROM %s", names[i]));

        if (s && *column)
            stmt_text(s, 1, value);
        tx->failed = !s || stmt_step(s) < 0;
        if (s)
            stmt_reset(s);
    }
}

void store_clear_but(struct tx *tx, const struct record *const *keep)
{
    clear(tx, "", NULL, keep);
}

void store_clear_of(struct tx *tx, const char *column, const char *value,
                    const struct record *const *keep)
{
    clear(tx, column, value, keep);
}

/* ---- swapping ---- */

/* Numbers that a table gives itself go on where the other's were. */
static int swap_table(struct db *db, const char *t)
{
    CLEANUP(buf_done) struct buf sql = {0};

    buf_fmt(&sql,
            "DELETE FROM main.%s; INSERT INTO main.%s SELECT * FROM other.%s;"
            "DELETE FROM main.sqlite_sequence WHERE name='%s';"
            "INSERT INTO main.sqlite_sequence SELECT * FROM other.sqlite_sequence WHERE name='%s'",
            t, t, t, t, t);
    return db_exec(db, buf_cstr(&sql));
}

static bool swap_all(struct tx *tx, struct swap *s)
{
    const char *names[MAX_TABLES];

    if (s->leaving)
        s->leaving(s, tx);
    int n = tx->failed ? -1 : tables(tx, "", s->keep, names);
    for (int i = 0; i < n; i++)
        if (swap_table(tx->db, names[i]))
            return false;
    if (n > 0 && s->arrived)
        s->arrived(s, tx);
    return n > 0 && !tx->failed;
}

enum err store_swap(struct tx *tx, struct swap *s, struct fail *f)
{
    CLEANUP(buf_done) struct buf sql = {0};
    bool done = false;

    buf_str(&sql, "ATTACH ");
    add_quoted(&sql, s->from);
    buf_str(&sql, " AS other");
    if (!db_exec(tx->db, buf_cstr(&sql))) {
        if (!db_exec(tx->db, "BEGIN IMMEDIATE")) {
            done = swap_all(tx, s) && !db_exec(tx->db, "COMMIT");
            if (!done)
                (void)db_exec(tx->db, "ROLLBACK"); /* a full disk ends it by itself */
        }
        (void)db_exec(tx->db, "DETACH other"); /* else the next ATTACH says so */
    }
    remove_copy(s->from);
    return done ? ERR_NONE : fail(f, ERR_INTERNAL, "the snapshot cannot be taken in; see the log");
}
