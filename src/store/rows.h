/* Inside the store: between records and statements. What fails marks the transaction. */
#ifndef OSTLER_STORE_ROWS_H
#define OSTLER_STORE_ROWS_H

#include "base/buf.h"
#include "store/tx.h"

/*
 * The statement of this kind (a letter, or a number below 32) for a record; `text` writes it when
 * the connection does not know it yet. NULL: it cannot be prepared, or something failed before.
 */
struct stmt *tx_simple(struct tx *tx, char kind, const struct record *rec,
                       void (*text)(struct buf *sql, const struct record *rec));
/* One step; false ends the reading. */
bool tx_next(struct tx *tx, struct stmt *s);
/* To the end, and reset. */
void tx_run(struct tx *tx, struct stmt *s);
/* The only number of the only row; 0 without one. */
int64_t tx_number(struct tx *tx, struct stmt *s);

const struct column *column_of(const struct record *rec, const char *name);
const char *column_text(const struct column *c, const void *row); /* of a COL_TEXT */
int64_t column_num(const struct column *c, const void *row); /* of all but COL_TEXT, COL_BLOB */

/* The columns' names, as a SELECT has them, and a row of their values. */
void add_columns(struct buf *sql, const struct record *rec, size_t from, const char *after);
void read_row(struct tx *tx, struct stmt *s, const struct record *rec, void *row);

/* Does the row have what all the conditions ask? */
bool row_fits(const struct record *rec, const struct query *q, const void *row);
bool num_fits(const struct cond *c, int64_t v);
bool cond_fits(const struct record *rec, const struct cond *c, const void *row);

#endif
