/*
 * One connection to a database, as little of it as the store needs. Texts of statements are kept
 * prepared. A failure is logged once by the driver and said by the return value: 0, or -EIO;
 * -EAGAIN when another connection holds what is needed.
 */
#ifndef OSTLER_STORE_DB_H
#define OSTLER_STORE_DB_H

#include "base/arena.h"
#include "core/model.h"

struct db;
struct stmt;

int db_open(const char *path, bool writes, struct db **ret);
void db_close(struct db *db);
const char *db_error(struct db *db);

/* Several statements without parameters or rows. */
int db_exec(struct db *db, const char *sql);
/* One such statement that is run again and again: it is kept prepared. */
int db_do(struct db *db, const char *sql);

/* A prepared statement for this text, reset; NULL: it cannot be prepared. It stays the
 * connection's. */
struct stmt *db_stmt(struct db *db, const char *sql);

/*
 * The same in two halves, for who can tell which statement it wants by something shorter than its
 * text: what was kept under the key, or NULL; then the text is made and kept.
 */
struct stmt *db_find(struct db *db, const void *key, size_t n);
struct stmt *db_keep(struct db *db, const void *key, size_t n, const char *sql);

/* The text of each statement that is kept. */
void db_each_kept(struct db *db, void (*each)(void *ctx, const char *sql), void *ctx);

/* Parameters are numbered from 1. Memory must live until the statement is reset. */
void stmt_text(struct stmt *s, int at, const char *value);
void stmt_int(struct stmt *s, int at, int64_t value);
void stmt_blob(struct stmt *s, int at, struct bytes value);

/* 1: a row is there; 0: no more; negative: failed. */
int stmt_step(struct stmt *s);
/* Always after the last step. */
void stmt_reset(struct stmt *s);

/* Columns are numbered from 0. Copies are made in the arena. */
const char *stmt_get_text(struct stmt *s, int at, struct arena *a);
int64_t stmt_get_int(struct stmt *s, int at);
struct bytes stmt_get_blob(struct stmt *s, int at, struct arena *a);
/* Not copied: good until the next step. */
struct bytes stmt_peek_blob(struct stmt *s, int at);

int64_t db_last_id(struct db *db);

/*
 * Moves what was committed into the main file, as far as no reader needs the log for it, and syncs
 * it; waits for nobody. 0: no reader held anything back. -EAGAIN: some of it is still to be moved.
 */
int db_checkpoint(struct db *db);
/* The same until all is moved, and empties the log's file. Only while nobody else is there. */
int db_empty_log(struct db *db);
/* Bytes in the log since it last began anew. */
int64_t db_log_size(struct db *db);

#endif
