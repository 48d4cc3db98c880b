/* From records and queries to SQL, and from rows to structs. The only place that writes SQL for
 * records. */
#include <assert.h>

#include "base/buf.h"
#include "base/log.h"
#include "store/tx.h"

void tx_use_arena(struct tx *tx, struct arena *a)
{
    tx->arena = a;
}

bool tx_failed(const struct tx *tx)
{
    return tx->failed;
}

static struct stmt *prepare(struct tx *tx, const char *sql)
{
    struct stmt *s = tx->failed ? NULL : db_stmt(tx->db, sql);

    if (!s)
        tx->failed = true;
    return s;
}

/* One step; false ends the reading. */
static bool next_row(struct tx *tx, struct stmt *s)
{
    int got = stmt_step(s);

    if (got < 0)
        tx->failed = true;
    return got > 0;
}

static void run(struct tx *tx, struct stmt *s)
{
    while (next_row(tx, s))
        ;
    stmt_reset(s);
}

/* ---- columns ---- */

static void bind_column(struct stmt *s, int at, const struct column *c, const void *row)
{
    const char *p = (const char *)row + c->offset;

    switch (c->type) {
    case COL_TEXT:
        stmt_text(s, at, *(const char *const *)(const void *)p);
        break;
    case COL_INT:
        stmt_int(s, at, *(const int64_t *)(const void *)p);
        break;
    case COL_ENUM:
        stmt_int(s, at, *(const unsigned *)(const void *)p);
        break;
    case COL_BOOL:
        stmt_int(s, at, *(const bool *)p);
        break;
    case COL_BLOB:
        stmt_blob(s, at, *(const struct bytes *)(const void *)p);
        break;
    }
}

static void read_row(struct tx *tx, struct stmt *s, const struct record *rec, void *row)
{
    memset(row, 0, rec->size);
    for (size_t i = 0; i < rec->n_cols; i++) {
        const struct column *c = &rec->cols[i];
        char *p = (char *)row + c->offset;
        int at = (int)i;

        switch (c->type) {
        case COL_TEXT:
            *(const char **)(void *)p = stmt_get_text(s, at, tx->arena);
            break;
        case COL_INT:
            *(int64_t *)(void *)p = stmt_get_int(s, at);
            break;
        case COL_ENUM:
            *(unsigned *)(void *)p = (unsigned)stmt_get_int(s, at);
            break;
        case COL_BOOL:
            *(bool *)p = stmt_get_int(s, at) != 0;
            break;
        case COL_BLOB:
            *(struct bytes *)(void *)p = stmt_get_blob(s, at, tx->arena);
            break;
        }
    }
}

/* The names from the `from`th on, each followed by `after`. */
static void add_columns(struct buf *sql, const struct record *rec, size_t from, const char *after)
{
    for (size_t i = from; i < rec->n_cols; i++) {
        if (i > from)
            buf_char(sql, ',');
        buf_str(sql, rec->cols[i].name);
        buf_str(sql, after);
    }
}

static const struct column *column_of(const struct record *rec, const char *name)
{
    for (size_t i = 0; i < rec->n_cols; i++)
        if (streq(rec->cols[i].name, name))
            return &rec->cols[i];
    return NULL;
}

/* ---- queries ---- */

static struct cond *add_cond(struct query *q, const char *column, enum cmp cmp)
{
    assert(q->n_conds < QUERY_MAX_CONDS);
    struct cond *c = &q->conds[q->n_conds++];

    *c = (struct cond){.column = column, .cmp = cmp};
    return c;
}

void query_text(struct query *q, const char *column, enum cmp cmp, const char *value)
{
    struct cond *c = add_cond(q, column, cmp);

    c->is_text = true;
    c->text = value;
}

void query_num(struct query *q, const char *column, enum cmp cmp, int64_t value)
{
    add_cond(q, column, cmp)->num = value;
}

void query_in(struct query *q, const char *column, const char *const *values, size_t n)
{
    struct cond *c = add_cond(q, column, CMP_IN);

    assert(n <= QUERY_MAX_IN);
    c->texts = values;
    c->n_texts = n;
}

/* What follows the column's name. */
static const char *const cmp_sql[] = {
    [CMP_EQ] = "=?",
    [CMP_NE] = "<>?",
    [CMP_LT] = "<?",
    [CMP_LE] = "<=?",
    [CMP_GT] = ">?",
    [CMP_GE] = ">=?",
    [CMP_LIKE] = " LIKE ? ESCAPE '\\'",
    [CMP_HAS_BITS] = " & ? <> 0",
};

/* A list is filled up to a power of two with its last value, so that lengths share statements. */
static size_t in_slots(size_t n)
{
    size_t slots = n ? 1 : 0;

    while (slots < n)
        slots *= 2;
    return slots;
}

static void add_in(struct buf *sql, const struct cond *c)
{
    buf_fmt(sql, "%s IN (", c->column);
    for (size_t i = 0; i < in_slots(c->n_texts); i++)
        buf_str(sql, i ? ",?" : "?");
    buf_char(sql, ')');
}

static void add_where(struct buf *sql, const struct record *rec, const struct query *q)
{
    for (size_t i = 0; i < q->n_conds; i++) {
        const struct cond *c = &q->conds[i];

        assert(column_of(rec, c->column));
        buf_str(sql, i ? " AND " : " WHERE ");
        if (c->cmp == CMP_IN)
            add_in(sql, c);
        else
            buf_fmt(sql, "%s%s", c->column, cmp_sql[c->cmp]);
    }
}

static void add_order(struct buf *sql, const struct record *rec, const char *order)
{
    const char *lead = " ORDER BY ";

    for (const char *s = order; s && *s; lead = ",") {
        bool down = *s == '-';
        size_t n = strcspn(s += down, ",");
        char name[64];

        assert(n < sizeof(name));
        memcpy(name, s, n);
        name[n] = 0;
        assert(column_of(rec, name));
        buf_fmt(sql, "%s%s%s", lead, name, down ? " DESC" : "");
        s += n + (s[n] == ',');
    }
}

static void bind_where(struct stmt *s, const struct query *q)
{
    int at = 1;

    for (size_t i = 0; i < q->n_conds; i++) {
        const struct cond *c = &q->conds[i];

        if (c->cmp == CMP_IN)
            for (size_t j = 0; j < in_slots(c->n_texts); j++)
                stmt_text(s, at++, c->texts[j < c->n_texts ? j : c->n_texts - 1]);
        else if (c->is_text)
            stmt_text(s, at++, c->text);
        else
            stmt_int(s, at++, c->num);
    }
}

static struct stmt *select_stmt(struct tx *tx, const struct record *rec, const struct query *q,
                                const char *what)
{
    CLEANUP(buf_done) struct buf sql = {0};

    buf_str(&sql, "SELECT ");
    if (what)
        buf_str(&sql, what);
    else
        add_columns(&sql, rec, 0, "");
    buf_fmt(&sql, " FROM %s", rec->table);
    add_where(&sql, rec, q);
    add_order(&sql, rec, what ? NULL : q->order);
    if (!what && (q->limit || q->offset))
        buf_str(&sql, " LIMIT ? OFFSET ?");
    struct stmt *s = prepare(tx, buf_cstr(&sql));
    if (!s)
        return NULL;
    bind_where(s, q);
    if (!what && (q->limit || q->offset)) {
        int at = 1;

        for (size_t i = 0; i < q->n_conds; i++)
            at += q->conds[i].cmp == CMP_IN ? (int)in_slots(q->conds[i].n_texts) : 1;
        stmt_int(s, at, q->limit ? (int64_t)q->limit : -1);
        stmt_int(s, at + 1, (int64_t)q->offset);
    }
    return s;
}

void *store_find(struct tx *tx, const struct record *rec, const struct query *q, size_t *ret_n)
{
    struct stmt *s = select_stmt(tx, rec, q, NULL);
    size_t n = 0, room = 16;
    char *rows = arena_alloc(tx->arena, room * rec->size);

    while (s && next_row(tx, s)) {
        if (n == room) {
            char *more = arena_alloc(tx->arena, 2 * room * rec->size);

            memcpy(more, rows, n * rec->size);
            rows = more;
            room *= 2;
        }
        read_row(tx, s, rec, rows + n++ * rec->size);
    }
    if (s)
        stmt_reset(s);
    *ret_n = tx->failed ? 0 : n;
    return rows;
}

bool store_first(struct tx *tx, const struct record *rec, const struct query *q, void *row)
{
    struct query one = *q;
    size_t n;

    one.limit = 1;
    void *rows = store_find(tx, rec, &one, &n);
    if (n)
        memcpy(row, rows, rec->size);
    return n > 0;
}

static int64_t one_number(struct tx *tx, struct stmt *s)
{
    int64_t v = 0;

    if (!s)
        return 0;
    if (next_row(tx, s))
        v = stmt_get_int(s, 0);
    stmt_reset(s);
    return v;
}

int64_t store_count(struct tx *tx, const struct record *rec, const struct query *q)
{
    return one_number(tx, select_stmt(tx, rec, q, "count(*)"));
}

int64_t store_sum(struct tx *tx, const struct record *rec, const char *column,
                  const struct query *q)
{
    CLEANUP(buf_done) struct buf what = {0};

    assert(column_of(rec, column));
    buf_fmt(&what, "coalesce(sum(%s),0)", column);
    return one_number(tx, select_stmt(tx, rec, q, buf_cstr(&what)));
}

/* ---- single rows ---- */

bool store_get(struct tx *tx, const struct record *rec, const char *key, void *row)
{
    CLEANUP(buf_done) struct buf sql = {0};
    bool found = false;

    buf_str(&sql, "SELECT ");
    add_columns(&sql, rec, 0, "");
    buf_fmt(&sql, " FROM %s WHERE %s=?", rec->table, rec->cols[0].name);
    struct stmt *s = prepare(tx, buf_cstr(&sql));
    if (!s)
        return false;
    stmt_text(s, 1, key);
    if (next_row(tx, s)) {
        read_row(tx, s, rec, row);
        found = true;
    }
    stmt_reset(s);
    return found;
}

static void insert(struct tx *tx, const struct record *rec, const void *row, size_t from)
{
    CLEANUP(buf_done) struct buf sql = {0};

    buf_fmt(&sql, "INSERT INTO %s (", rec->table);
    add_columns(&sql, rec, from, "");
    buf_str(&sql, ") VALUES (");
    for (size_t i = from; i < rec->n_cols; i++)
        buf_str(&sql, i > from ? ",?" : "?");
    buf_char(&sql, ')');
    struct stmt *s = prepare(tx, buf_cstr(&sql));
    if (!s)
        return;
    for (size_t i = from; i < rec->n_cols; i++)
        bind_column(s, (int)(i - from) + 1, &rec->cols[i], row);
    run(tx, s);
}

void store_insert(struct tx *tx, const struct record *rec, const void *row)
{
    insert(tx, rec, row, 0);
}

int64_t store_append(struct tx *tx, const struct record *rec, const void *row)
{
    insert(tx, rec, row, 1);
    return tx->failed ? 0 : db_last_id(tx->db);
}

void store_update(struct tx *tx, const struct record *rec, const void *row)
{
    CLEANUP(buf_done) struct buf sql = {0};

    buf_fmt(&sql, "UPDATE %s SET ", rec->table);
    add_columns(&sql, rec, 1, "=?");
    buf_fmt(&sql, " WHERE %s=?", rec->cols[0].name);
    struct stmt *s = prepare(tx, buf_cstr(&sql));
    if (!s)
        return;
    for (size_t i = 1; i < rec->n_cols; i++)
        bind_column(s, (int)i, &rec->cols[i], row);
    bind_column(s, (int)rec->n_cols, &rec->cols[0], row);
    run(tx, s);
}

void store_delete(struct tx *tx, const struct record *rec, const char *key)
{
    CLEANUP(buf_done) struct buf sql = {0};

    buf_fmt(&sql, "DELETE FROM %s WHERE %s=?", rec->table, rec->cols[0].name);
    struct stmt *s = prepare(tx, buf_cstr(&sql));
    if (!s)
        return;
    stmt_text(s, 1, key);
    run(tx, s);
}

void store_delete_all(struct tx *tx, const struct record *rec, const struct query *q)
{
    CLEANUP(buf_done) struct buf sql = {0};

    buf_fmt(&sql, "DELETE FROM %s", rec->table);
    add_where(&sql, rec, q);
    struct stmt *s = prepare(tx, buf_cstr(&sql));
    if (!s)
        return;
    bind_where(s, q);
    run(tx, s);
}

int64_t store_next(struct tx *tx, const char *sequence)
{
    struct stmt *s =
        prepare(tx, "INSERT INTO sequence (name, value) VALUES (?, 1) "
                    "ON CONFLICT (name) DO UPDATE SET value = value + 1 RETURNING value");
    int64_t v = 0;

    if (!s)
        return 0;
    stmt_text(s, 1, sequence);
    if (next_row(tx, s))
        v = stmt_get_int(s, 0);
    run(tx, s);
    return v;
}
