/*
 * The sets of a record's facets. A set is of serials, cut into chunks of 4096 numbers: one row of
 * the table RECORD_bits for each chunk that is not empty, with a list of the numbers while they are
 * few and a bitmap when they are many. A million instances are 244 chunks: each set that a query
 * asks for costs at most that many small rows, and then words of 64 instances at a time.
 */
#ifndef OSTLER_STORE_FACETS_H
#define OSTLER_STORE_FACETS_H

#include "store/tx.h"

/* Puts the row into its sets; takes it out; moves it where its values changed. The serial is the
 * row's own. */
void facets_insert(struct tx *tx, const struct record *rec, const void *row);
void facets_delete(struct tx *tx, const struct record *rec, const void *row);
void facets_update(struct tx *tx, const struct record *rec, const void *old, const void *row);

/* Can this query be answered by the sets? Its order must be theirs. */
bool facets_answer(const struct record *rec, const struct query *q);

/* store_page by the sets; ret_n NULL: only the total is wanted. */
void *facets_page(struct tx *tx, const struct record *rec, const struct query *q, size_t *ret_n,
                  int64_t *ret_total);

/* Fills empty sets from the table, in its order and one chunk at a time. For migrations. */
void facets_build(struct tx *tx, const struct record *rec);

#endif
