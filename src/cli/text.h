/* Texts for people and shells: quoting, nearest words, aligned tables. */
#ifndef OSTLER_CLI_TEXT_H
#define OSTLER_CLI_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/nearest.h"

/* Adds `s` as one word of a POSIX shell, always between single quotes. */
void text_shell_quote(struct buf *b, const char *s);

/* Adds what may be shown on a terminal: control characters (of a name that somebody chose) become
 * '?'. */
void text_clean(struct buf *b, const char *s);

/* "512 B", "1.5 GiB". In a static buffer. */
const char *text_size(uint64_t bytes);

/* The region of an ECS zone, "cn-hangzhou" of "cn-hangzhou-i", "us-east-1" of "us-east-1a";
 * malloc'd. */
char *text_region_of(const char *zone);

/* ---- tables ---- */

/* Columns as wide as their widest cell, two spaces apart; the last one is not padded. Zeroed is
 * empty. */
struct table {
    char **cells;
    size_t n, cap;
    size_t columns;
};

/* Begins the table with its head; NULL-ended. */
void table_head(struct table *t, const char *const *names);
/* The next cell, row by row; NULL is said as "-". */
void table_cell(struct table *t, const char *text);
void table_print(const struct table *t, struct buf *out);
void table_done(struct table *t);

#endif
