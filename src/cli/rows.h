/* Rows of JSON objects as tables. */
#ifndef OSTLER_CLI_ROWS_H
#define OSTLER_CLI_ROWS_H

#include "cli/verb.h"

struct row_column {
    const char *head, *key;
    const char *yes, *no; /* for a boolean; NULL: "yes" and "no" */
};

/* A text, number or boolean as a text, "" for anything else; in the arena or the value. */
const char *row_text(struct arena *a, const json_t *value);

/* Prints an array of objects; nothing but the head when it is empty. */
void rows_print(const json_t *rows, const struct row_column *columns, size_t n);

/* With --json the array itself, else the table. */
void rows_show(const struct cli *c, const json_t *rows, const struct row_column *columns, size_t n);

#endif
