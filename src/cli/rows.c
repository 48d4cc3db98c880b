/* Rows of JSON objects as tables. */
#include "cli/rows.h"

#include <stdio.h>

#include "cli/text.h"

const char *row_text(struct arena *a, const json_t *v)
{
    if (json_is_string(v))
        return json_string_value(v);
    if (json_is_integer(v))
        return arena_fmt(a, "%lld", (long long)json_integer_value(v));
    if (json_is_boolean(v))
        return json_is_true(v) ? "yes" : "no";
    return "";
}

/* A list of texts is one cell. */
static const char *cell_text(struct arena *a, const json_t *v, const struct row_column *col)
{
    CLEANUP(buf_done) struct buf b = {0};
    size_t n;
    json_t *item;

    if (json_is_boolean(v) && col->yes)
        return json_is_true(v) ? col->yes : col->no;
    if (!json_is_array(v))
        return row_text(a, v);
    json_array_foreach (v, n, item)
        buf_fmt(&b, "%s%s", n ? "," : "", row_text(a, item));
    return arena_str(a, buf_cstr(&b));
}

void rows_print(const json_t *rows, const struct row_column *columns, size_t n)
{
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    CLEANUP(buf_done) struct buf out = {0};
    const char **heads = ARENA_ARRAY(a, const char *, n + 1);
    struct table t = {0};
    size_t i;
    json_t *row;

    for (size_t k = 0; k < n; k++)
        heads[k] = columns[k].head;
    table_head(&t, heads);
    json_array_foreach (rows, i, row)
        for (size_t k = 0; k < n; k++)
            table_cell(&t, cell_text(a, json_object_get(row, columns[k].key), &columns[k]));
    table_print(&t, &out);
    table_done(&t);
    (void)fputs(buf_cstr(&out), stdout);
}

void rows_show(const struct cli *c, const json_t *rows, const struct row_column *columns, size_t n)
{
    if (given(c, OPT_JSON))
        print_json(rows);
    else
        rows_print(rows, columns, n);
}
