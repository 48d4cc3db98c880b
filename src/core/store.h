/*
 * Where the product's records live. Declared here because the core decides what it needs;
 * implemented in src/store over SQL. Every read and write happens through a `struct tx`: either a
 * read snapshot, or the write transaction that the store's single writer has open.
 *
 * Failure is sticky. A statement that fails marks its transaction; from then on reads find nothing
 * and writes do nothing, and who opened the transaction asks tx_failed() before it believes any
 * outcome. A handler therefore never checks for a broken store: what it decides on one is thrown
 * away.
 */
#ifndef OSTLER_CORE_STORE_H
#define OSTLER_CORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "core/err.h"
#include "core/model.h"

struct store;
struct tx;

/* ---- rows ---- */

/* Strings and blobs of the rows that follow are allocated here. */
void tx_use_arena(struct tx *tx, struct arena *a);
bool tx_failed(const struct tx *tx);

/* Reads the row with this key into `row` (a struct of the record's type). False: there is none. */
bool store_get(struct tx *tx, const struct record *rec, const char *key, void *row);

/* The first of store_find's rows. */
struct query;
bool store_first(struct tx *tx, const struct record *rec, const struct query *q, void *row);

void store_insert(struct tx *tx, const struct record *rec, const void *row);
/* Writes every column of the row that has the same key. */
void store_update(struct tx *tx, const struct record *rec, const void *row);
void store_delete(struct tx *tx, const struct record *rec, const char *key);
/* Every row that the conditions find; order, limit and offset do not count. */
void store_delete_all(struct tx *tx, const struct record *rec, const struct query *q);
/* Every row of the record, at once. */
void store_clear(struct tx *tx, const struct record *rec);
/* Every row of every table but those of `keep`, which NULL ends. */
void store_clear_but(struct tx *tx, const struct record *const *keep);
/* The same, of rows that have this text in this column, where there is such a column. A record with
 * facets must be among `keep`. */
void store_clear_of(struct tx *tx, const char *column, const char *value,
                    const struct record *const *keep);
/* For records whose key is a number given by the store (event.seq): inserts and returns it. */
int64_t store_append(struct tx *tx, const struct record *rec, const void *row);

/*
 * ---- queries ----
 *
 * A record with facets is listed by them: in the order "-SERIAL" (also when no order is asked for)
 * a page costs what it shows and a few words a thousand rows, wherever it is and whatever the
 * conditions, as long as each is about a facet, the key or the rising column. Conditions about
 * anything else are tested on each row that the others leave.
 */

enum cmp {
    CMP_EQ,
    CMP_NE,
    CMP_LT,
    CMP_LE,
    CMP_GT,
    CMP_GE,
    CMP_LIKE, /* a pattern with % and _, escaped by '\'; upper and lower case differ */
    CMP_IN,
    CMP_HAS, /* an item of a list, a tag; only of columns that are facets */
    CMP_HAS_BITS
};

struct cond {
    const char *column;
    enum cmp cmp;
    bool is_text;
    const char *text;
    int64_t num;
    const char *const *texts; /* CMP_IN: any of these; CMP_HAS: all of these */
    size_t n_texts;
    uint64_t set;              /* CMP_IN of an enumerator: bit v stands for v */
    const char *const *values; /* CMP_HAS of tags, whose keys are `texts`; a NULL: any */
};

/* A longer CMP_LIKE pattern finds nothing: no name is that long. */
enum { QUERY_MAX_CONDS = 24, QUERY_MAX_IN = 1000, QUERY_MAX_LIKE = 8192 };

struct query {
    struct cond conds[QUERY_MAX_CONDS];
    size_t n_conds;
    const char *order; /* columns separated by ',', '-' before one for descending; NULL: any */
    size_t limit;      /* 0: all */
    size_t offset;
    int64_t below; /* not 0: only rows with a lower serial */
};

/* Each adds one condition; all must hold. The column must be one of the record's. */
void query_text(struct query *q, const char *column, enum cmp cmp, const char *value);
void query_num(struct query *q, const char *column, enum cmp cmp, int64_t value);
/* At most QUERY_MAX_IN values; none matches nothing. */
void query_in(struct query *q, const char *column, const char *const *values, size_t n);
/* An enumerator whose bit is in the set. */
void query_set(struct query *q, const char *column, uint64_t set);
/* A list that holds all of these items. */
void query_has(struct query *q, const char *column, const char *const *items, size_t n);
/* Tags with all of these keys; `values` NULL, or a value that is NULL: any value will do. */
void query_tags(struct query *q, const char *column, const char *const *keys,
                const char *const *values, size_t n);

/* An array of rows in the arena, and their number. */
void *store_find(struct tx *tx, const struct record *rec, const struct query *q, size_t *ret_n);
int64_t store_count(struct tx *tx, const struct record *rec, const struct query *q);
/* Both: *ret_total counts what the conditions find, whatever limit, offset and `below` say. */
void *store_page(struct tx *tx, const struct record *rec, const struct query *q, size_t *ret_n,
                 int64_t *ret_total);
int64_t store_sum(struct tx *tx, const struct record *rec, const char *column,
                  const struct query *q);

/* A number that was never given before under this name, also after a restart. Write transactions
 * only. */
int64_t store_next(struct tx *tx, const char *sequence);

/* ---- transactions ---- */

/*
 * One write. `run` is called on the writer thread between a savepoint and its release; when it
 * returns other than ERR_NONE, what it wrote is undone. Many writes share one commit. After the
 * commit, `done` is called on the thread of store_deliver(); `w->result` is what run returned, or
 * ERR_INTERNAL when the commit failed. Both run exactly once. The caller owns the struct until
 * `done`. One that is `alone` is run outside of any transaction, when all that was submitted before
 * it is committed and nothing that comes after it has begun; it may only use what is for the whole.
 */
struct write {
    enum err (*run)(struct write *w, struct tx *tx);
    void (*done)(struct write *w);
    enum err result;
    bool alone;
    struct write *next; /* the store's */
    struct store *end;  /* the store's: where it is delivered */
};

struct store_config {
    const char *dir; /* the file is DIR/ostler.db */
    /* On the writer thread: something waits for store_deliver(). May not call the store. */
    void (*committed)(void *ctx);
    void *ctx;
    bool shares; /* reads share a snapshot until store_rest(), or until something is committed */
};

/* Opens, migrates and starts the writer. On failure the reason is in `f`. */
enum err store_open(const struct store_config *config, struct store **ret, struct fail *f);
/*
 * Another thread's end of an open store: with snapshots of its own, and its own writes delivered to
 * it. All functions below take either. `config->dir` does not count. Closed before the first one.
 */
enum err store_attach(struct store *s, const struct store_config *config, struct store **ret,
                      struct fail *f);
/* Finishes and delivers what was submitted here, closes. NULL is fine. */
void store_close(struct store *s);

/* Hands a write over, from any thread. Answers ERR_UNAVAILABLE, without taking it, when too many
 * wait. */
enum err store_submit(struct store *s, struct write *w) MUST_USE;
/* Calls `done` of the writes that were submitted to this end and have been committed. */
void store_deliver(struct store *s);
/* Runs one write now and waits for it; for start-up and tools, never on the loop. */
enum err store_write_now(struct store *s, struct write *w);

/*
 * A snapshot for reading on the end's (one, always the same) thread; ends with store_read_end.
 *
 * To open one costs more than to read a row. With `shares`, the next reading goes on with the last
 * one's, unless something has been committed meanwhile: nothing that anybody was told of can be
 * missing from it. Whoever opened the end so calls store_rest before it waits, for a snapshot that
 * is kept holds the log's end back.
 */
struct tx *store_read(struct store *s, struct arena *a);
void store_read_end(struct tx *tx);
void store_rest(struct store *s);

/* ---- the whole: in a write that is alone ---- */

/* Writes all that is committed to a file of its own, whole or not at all. ERR_INTERNAL. */
enum err store_save(struct tx *tx, const char *path, struct fail *f);

/* One that is to be taken in. */
struct staging {
    const char *from; /* a file of store_save's; it is only read */
    const char *to;   /* its copy, which is replaced and brought to the present schema */
    enum err (*look)(struct staging *s, struct tx *tx, struct fail *f); /* reads the copy; may
                                                                           refuse it */
};
/* Needs no transaction. ERR_NOT_THERE, ERR_SNAPSHOT_UNUSABLE, what `look` says. */
enum err store_stage(struct staging *s, struct fail *f);

/* The one for the other. */
struct swap {
    const char *from;                 /* a copy that store_stage made */
    const struct record *const *keep; /* these tables stay as they are; ended by NULL */
    void (*leaving)(struct swap *s, struct tx *tx); /* reads what was */
    void (*arrived)(struct swap *s, struct tx *tx); /* reads and writes what is */
};
/* Every row of every table is the other's, at once and durable, or nothing changes: ERR_INTERNAL.
 * Needs an arena (tx_use_arena). */
enum err store_swap(struct tx *tx, struct swap *s, struct fail *f);

#endif
