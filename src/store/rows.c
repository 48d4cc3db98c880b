/* From records and queries to SQL, and from rows to structs. The only place that writes SQL for
 * records. */
#include <assert.h>

#include <jansson.h>

#include "base/log.h"
#include "store/facets.h"
#include "store/rows.h"

void tx_use_arena(struct tx *tx, struct arena *a)
{
    tx->arena = a;
}

bool tx_failed(const struct tx *tx)
{
    return tx->failed;
}

/* ---- statements ---- */

/*
 * Making a statement's text costs more than running it. So each shape of a statement has a short
 * key, by which the connection finds what it prepared before; the text is made once.
 */
struct key {
    size_t n;
    bool too_long; /* then the text is the key */
    char data[256];
};

static void key_add(struct key *k, const void *data, size_t n)
{
    if (n > sizeof(k->data) - k->n) {
        k->too_long = true;
        return;
    }
    memcpy(k->data + k->n, data, n);
    k->n += n;
}

static void key_text(struct key *k, const char *s)
{
    key_add(k, s ? s : "", s ? strlen(s) + 1 : 1);
}

static void key_begin(struct key *k, char kind, const struct record *rec)
{
    k->n = 0;
    k->too_long = false;
    key_add(k, &kind, sizeof(kind));
    key_add(k, &rec, sizeof(rec)); /* records are constants: one address, one meaning */
}

static struct stmt *known(struct tx *tx, const struct key *k)
{
    return tx->failed || k->too_long ? NULL : db_find(tx->db, k->data, k->n);
}

static struct stmt *learn(struct tx *tx, const struct key *k, const struct buf *sql)
{
    const char *text = buf_cstr(sql);
    struct stmt *s = tx->failed    ? NULL
                     : k->too_long ? db_stmt(tx->db, text)
                                   : db_keep(tx->db, k->data, k->n, text);

    if (!s)
        tx->failed = true;
    return s;
}

struct stmt *tx_simple(struct tx *tx, char kind, const struct record *rec,
                       void (*text)(struct buf *sql, const struct record *rec))
{
    struct key k;

    key_begin(&k, kind, rec);
    struct stmt *s = known(tx, &k);
    if (s || tx->failed)
        return s;
    CLEANUP(buf_done) struct buf sql = {0};
    text(&sql, rec);
    return learn(tx, &k, &sql);
}

bool tx_next(struct tx *tx, struct stmt *s)
{
    int got = stmt_step(s);

    if (got < 0)
        tx->failed = true;
    return got > 0;
}

void tx_run(struct tx *tx, struct stmt *s)
{
    while (tx_next(tx, s))
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
    case COL_SERIAL:
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

void read_row(struct tx *tx, struct stmt *s, const struct record *rec, void *row)
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
        case COL_SERIAL:
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

void add_columns(struct buf *sql, const struct record *rec, size_t from, const char *after)
{
    for (size_t i = from; i < rec->n_cols; i++) {
        if (i > from)
            buf_char(sql, ',');
        buf_str(sql, rec->cols[i].name);
        buf_str(sql, after);
    }
}

const struct column *column_of(const struct record *rec, const char *name)
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

void query_set(struct query *q, const char *column, uint64_t set)
{
    add_cond(q, column, CMP_IN)->set = set;
}

void query_has(struct query *q, const char *column, const char *const *items, size_t n)
{
    query_tags(q, column, items, NULL, n);
}

void query_tags(struct query *q, const char *column, const char *const *keys,
                const char *const *values, size_t n)
{
    struct cond *c = add_cond(q, column, CMP_HAS);

    c->texts = keys;
    c->n_texts = n;
    c->values = values;
}

/* ---- a row and what is asked ---- */

const char *column_text(const struct column *c, const void *row)
{
    const char *s = *(const char *const *)(const void *)((const char *)row + c->offset);

    return s ? s : "";
}

int64_t column_num(const struct column *c, const void *row)
{
    const void *p = (const char *)row + c->offset;

    switch (c->type) {
    case COL_INT:
    case COL_SERIAL:
        return *(const int64_t *)p;
    case COL_ENUM:
        return *(const unsigned *)p;
    case COL_BOOL:
        return *(const bool *)p;
    case COL_TEXT:
    case COL_BLOB:
        break;
    }
    return 0;
}

/* Matching as LIKE does, of bytes: '_' is one character, which may have several. */
static bool like(const char *pattern, const char *text)
{
    const char *star = NULL, *resume = NULL;

    for (;;) {
        bool escaped = *pattern == '\\' && pattern[1];

        if (*pattern == '%') {
            star = ++pattern;
            resume = text;
        } else if (*text && *pattern == '_') {
            pattern++;
            for (text++; (*text & 0xc0) == 0x80;)
                text++;
        } else if (*text && pattern[escaped] == *text) {
            pattern += escaped + 1;
            text++;
        } else if (!*text && !*pattern) {
            return true;
        } else if (star && *resume) {
            pattern = star;
            text = ++resume;
        } else {
            return false;
        }
    }
}

static bool list_has(const char *list, const char *item)
{
    size_t len = strlen(item);

    for (const char *s = list; *s; s += *s == ',') {
        size_t n = strcspn(s, ",");

        if (n == len && !memcmp(s, item, n))
            return true;
        s += n;
    }
    return false;
}

static bool has_all(const struct cond *c, const char *text)
{
    json_t *tags = *text == '{' ? json_loads(text, 0, NULL) : NULL;
    bool has = true;

    for (size_t i = 0; i < c->n_texts && has; i++) {
        const char *value = json_string_value(json_object_get(tags, c->texts[i]));
        const char *wanted = c->values ? c->values[i] : NULL;

        has = tags ? value && (!wanted || streq(value, wanted)) : list_has(text, c->texts[i]);
    }
    json_decref(tags);
    return has;
}

static bool text_fits(const struct cond *c, const char *text)
{
    int order = c->is_text ? strcmp(text, c->text) : 0;

    switch (c->cmp) {
    case CMP_EQ:
        return order == 0;
    case CMP_NE:
        return order != 0;
    case CMP_LT:
        return order < 0;
    case CMP_LE:
        return order <= 0;
    case CMP_GT:
        return order > 0;
    case CMP_GE:
        return order >= 0;
    case CMP_LIKE:
        return strlen(c->text) <= QUERY_MAX_LIKE && like(c->text, text);
    case CMP_IN:
        for (size_t i = 0; i < c->n_texts; i++)
            if (streq(c->texts[i], text))
                return true;
        return false;
    case CMP_HAS:
        return has_all(c, text);
    case CMP_HAS_BITS:
        break;
    }
    return false;
}

bool num_fits(const struct cond *c, int64_t v)
{
    switch (c->cmp) {
    case CMP_EQ:
        return v == c->num;
    case CMP_NE:
        return v != c->num;
    case CMP_LT:
        return v < c->num;
    case CMP_LE:
        return v <= c->num;
    case CMP_GT:
        return v > c->num;
    case CMP_GE:
        return v >= c->num;
    case CMP_IN:
        return v >= 0 && v < 64 && (c->set >> v & 1);
    case CMP_HAS_BITS:
        return (v & c->num) != 0;
    case CMP_LIKE:
    case CMP_HAS:
        break;
    }
    return false;
}

bool cond_fits(const struct record *rec, const struct cond *c, const void *row)
{
    const struct column *col = column_of(rec, c->column);

    assert(col && col->type != COL_BLOB);
    return col->type == COL_TEXT ? text_fits(c, column_text(col, row))
                                 : num_fits(c, column_num(col, row));
}

bool row_fits(const struct record *rec, const struct query *q, const void *row)
{
    for (size_t i = 0; i < q->n_conds; i++)
        if (!cond_fits(rec, &q->conds[i], row))
            return false;
    return true;
}

/* ---- queries as SQL ---- */

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

static bool too_long(const struct cond *c)
{
    return strlen(c->text) > QUERY_MAX_LIKE;
}

static void add_in(struct buf *sql, const struct cond *c)
{
    const char *comma = "";

    buf_fmt(sql, "%s IN (", c->column);
    for (int v = 0; v < 64; v++)
        if (c->set >> v & 1) {
            buf_fmt(sql, "%s%d", comma, v);
            comma = ",";
        }
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
        assert(c->cmp != CMP_HAS); /* asked of facets, never of SQL */
        if (c->cmp == CMP_IN)
            add_in(sql, c);
        else if (c->cmp == CMP_LIKE && too_long(c))
            buf_str(sql, "? IS NULL"); /* finds nothing, and takes its parameter */
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

/* Returns the number of the next parameter. */
static int bind_where(struct stmt *s, const struct query *q)
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
    return at;
}

/* All that the text of a query depends on. */
static void key_where(struct key *k, const struct record *rec, const struct query *q)
{
    for (size_t i = 0; i < q->n_conds; i++) {
        const struct cond *c = &q->conds[i];
        const struct column *column = column_of(rec, c->column);

        assert(column);
        uint16_t shape[] = {(uint16_t)(column - rec->cols), (uint16_t)c->cmp,
                            (uint16_t)(c->cmp == CMP_IN     ? in_slots(c->n_texts)
                                       : c->cmp == CMP_LIKE ? too_long(c)
                                                            : 0)};
        key_add(k, shape, sizeof(shape));
        key_add(k, &c->set, sizeof(c->set));
    }
}

static bool limited(const struct query *q)
{
    return q->limit || q->offset;
}

static void select_text(struct buf *sql, const struct record *rec, const struct query *q,
                        const char *what)
{
    buf_str(sql, "SELECT ");
    if (what)
        buf_str(sql, what);
    else
        add_columns(sql, rec, 0, "");
    buf_fmt(sql, " FROM %s", rec->table);
    add_where(sql, rec, q);
    add_order(sql, rec, what ? NULL : q->order);
    if (!what && limited(q))
        buf_str(sql, " LIMIT ? OFFSET ?");
}

static struct stmt *select_stmt(struct tx *tx, const struct record *rec, const struct query *q,
                                const char *what)
{
    struct key k;

    key_begin(&k, what ? 'v' : limited(q) ? 'l' : 's', rec);
    key_where(&k, rec, q);
    key_text(&k, what ? what : q->order);
    struct stmt *s = known(tx, &k);
    if (!s) {
        CLEANUP(buf_done) struct buf sql = {0};

        select_text(&sql, rec, q, what);
        s = learn(tx, &k, &sql);
    }
    if (!s)
        return NULL;
    int at = bind_where(s, q);
    if (!what && limited(q)) {
        stmt_int(s, at, q->limit ? (int64_t)q->limit : -1);
        stmt_int(s, at + 1, (int64_t)q->offset);
    }
    return s;
}

enum { FIRST_ROOM = 16 };

/* SQLite walks the whole table to find nothing in an empty list. */
static bool asks_nothing(const struct query *q)
{
    for (size_t i = 0; i < q->n_conds; i++)
        if (q->conds[i].cmp == CMP_IN && !q->conds[i].n_texts && !q->conds[i].set)
            return true;
    return false;
}

static void *find_by_sql(struct tx *tx, const struct record *rec, const struct query *q,
                         size_t *ret_n)
{
    struct stmt *s = asks_nothing(q) ? NULL : select_stmt(tx, rec, q, NULL);
    size_t n = 0, room = q->limit && q->limit < FIRST_ROOM ? q->limit : FIRST_ROOM;
    char *rows = arena_raw(tx->arena, room * rec->size);

    while (s && tx_next(tx, s)) {
        if (n == room) {
            char *more = arena_raw(tx->arena, 2 * room * rec->size);

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

void *store_find(struct tx *tx, const struct record *rec, const struct query *q, size_t *ret_n)
{
    int64_t total;

    if (!facets_answer(rec, q) || (!q->n_conds && !q->below)) /* the table itself has the order */
        return find_by_sql(tx, rec, q, ret_n);
    return facets_page(tx, rec, q, ret_n, &total);
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

int64_t tx_number(struct tx *tx, struct stmt *s)
{
    int64_t v = 0;

    if (!s)
        return 0;
    if (tx_next(tx, s))
        v = stmt_get_int(s, 0);
    stmt_reset(s);
    return v;
}

static int64_t count_by_sql(struct tx *tx, const struct record *rec, const struct query *q)
{
    return asks_nothing(q) ? 0 : tx_number(tx, select_stmt(tx, rec, q, "count(*)"));
}

int64_t store_count(struct tx *tx, const struct record *rec, const struct query *q)
{
    int64_t total;

    if (!facets_answer(rec, q))
        return count_by_sql(tx, rec, q);
    (void)facets_page(tx, rec, q, NULL, &total);
    return total;
}

void *store_page(struct tx *tx, const struct record *rec, const struct query *q, size_t *ret_n,
                 int64_t *ret_total)
{
    if (facets_answer(rec, q))
        return facets_page(tx, rec, q, ret_n, ret_total);
    *ret_total = count_by_sql(tx, rec, q);
    return find_by_sql(tx, rec, q, ret_n);
}

int64_t store_sum(struct tx *tx, const struct record *rec, const char *column,
                  const struct query *q)
{
    CLEANUP(buf_done) struct buf what = {0};

    assert(column_of(rec, column));
    buf_fmt(&what, "coalesce(sum(%s),0)", column);
    return tx_number(tx, select_stmt(tx, rec, q, buf_cstr(&what)));
}

/* ---- single rows ---- */

static void get_text(struct buf *sql, const struct record *rec)
{
    buf_str(sql, "SELECT ");
    add_columns(sql, rec, 0, "");
    buf_fmt(sql, " FROM %s WHERE %s=?", rec->table, rec->cols[0].name);
}

bool store_get(struct tx *tx, const struct record *rec, const char *key, void *row)
{
    struct stmt *s = tx_simple(tx, 'g', rec, get_text);

    if (!s)
        return false;
    stmt_text(s, 1, key);
    bool found = tx_next(tx, s);
    if (found)
        read_row(tx, s, rec, row);
    stmt_reset(s);
    return found;
}

/* How many columns a caller gives: the serial is the store's. */
static size_t given(const struct record *rec)
{
    return rec->n_cols - (rec->facets ? 1 : 0);
}

static void insert_text(struct buf *sql, const struct record *rec, size_t from)
{
    buf_fmt(sql, "INSERT INTO %s (", rec->table);
    for (size_t i = from; i < given(rec); i++)
        buf_fmt(sql, "%s%s", i > from ? "," : "", rec->cols[i].name);
    buf_str(sql, ") VALUES (");
    for (size_t i = from; i < given(rec); i++)
        buf_str(sql, i > from ? ",?" : "?");
    buf_char(sql, ')');
}

static void insert_all(struct buf *sql, const struct record *rec)
{
    insert_text(sql, rec, 0);
}

/* The first column is numbered by the database. */
static void insert_rest(struct buf *sql, const struct record *rec)
{
    insert_text(sql, rec, 1);
}

static void insert(struct tx *tx, const struct record *rec, const void *row, struct stmt *s,
                   size_t from)
{
    if (!s)
        return;
    for (size_t i = from; i < given(rec); i++)
        bind_column(s, (int)(i - from) + 1, &rec->cols[i], row);
    tx_run(tx, s);
}

void store_insert(struct tx *tx, const struct record *rec, const void *row)
{
    insert(tx, rec, row, tx_simple(tx, 'i', rec, insert_all), 0);
    if (!rec->facets || tx->failed)
        return;
    char *numbered = arena_raw(tx->arena, rec->size);
    memcpy(numbered, row, rec->size);
    *(int64_t *)(void *)(numbered + rec->cols[rec->n_cols - 1].offset) = db_last_id(tx->db);
    facets_insert(tx, rec, numbered);
}

int64_t store_append(struct tx *tx, const struct record *rec, const void *row)
{
    insert(tx, rec, row, tx_simple(tx, 'a', rec, insert_rest), 1);
    return tx->failed ? 0 : db_last_id(tx->db);
}

static bool blob_same(struct bytes a, struct bytes b)
{
    return a.len == b.len && (!a.len || !memcmp(a.data, b.data, a.len));
}

static bool column_same(const struct column *c, const void *a, const void *b)
{
    if (c->type == COL_TEXT)
        return streq(column_text(c, a), column_text(c, b));
    if (c->type == COL_BLOB)
        return blob_same(*(const struct bytes *)(const void *)((const char *)a + c->offset),
                         *(const struct bytes *)(const void *)((const char *)b + c->offset));
    return column_num(c, a) == column_num(c, b);
}

/* Only what differs is written: SQLite rewrites each index that has a column of the statement. */
static void write_changes(struct tx *tx, const struct record *rec, const void *old, const void *row)
{
    const struct column *changed[64];
    uint64_t which = 0;
    size_t n = 0;
    struct key k;

    assert(rec->n_cols <= ARRAY_LEN(changed));
    for (size_t i = 1; i < given(rec); i++)
        if (!column_same(&rec->cols[i], old, row)) {
            changed[n++] = &rec->cols[i];
            which |= 1ULL << i;
        }
    if (!n)
        return;
    key_begin(&k, 'u', rec);
    key_add(&k, &which, sizeof(which));
    struct stmt *s = known(tx, &k);
    if (!s) {
        CLEANUP(buf_done) struct buf sql = {0};

        buf_fmt(&sql, "UPDATE %s SET ", rec->table);
        for (size_t i = 0; i < n; i++)
            buf_fmt(&sql, "%s%s=?", i ? "," : "", changed[i]->name);
        buf_fmt(&sql, " WHERE %s=?", rec->cols[0].name);
        s = learn(tx, &k, &sql);
    }
    if (!s)
        return;
    for (size_t i = 0; i < n; i++)
        bind_column(s, (int)i + 1, changed[i], row);
    bind_column(s, (int)n + 1, &rec->cols[0], row);
    tx_run(tx, s);
}

void store_update(struct tx *tx, const struct record *rec, const void *row)
{
    void *old = arena_raw(tx->arena, rec->size);

    if (!store_get(tx, rec, column_text(&rec->cols[0], row), old))
        return;
    write_changes(tx, rec, old, row);
    if (rec->facets)
        facets_update(tx, rec, old, row);
}

static void delete_text(struct buf *sql, const struct record *rec)
{
    buf_fmt(sql, "DELETE FROM %s WHERE %s=?", rec->table, rec->cols[0].name);
}

void store_delete(struct tx *tx, const struct record *rec, const char *key)
{
    void *old = rec->facets ? arena_raw(tx->arena, rec->size) : NULL;

    if (old && !store_get(tx, rec, key, old))
        return;
    struct stmt *s = tx_simple(tx, 'd', rec, delete_text);
    if (!s)
        return;
    stmt_text(s, 1, key);
    tx_run(tx, s);
    if (old)
        facets_delete(tx, rec, old);
}

void store_delete_all(struct tx *tx, const struct record *rec, const struct query *q)
{
    struct key k;

    assert(!rec->facets); /* its rows are taken out of their sets one by one */
    key_begin(&k, 'D', rec);
    key_where(&k, rec, q);
    struct stmt *s = known(tx, &k);
    if (!s) {
        CLEANUP(buf_done) struct buf sql = {0};

        buf_fmt(&sql, "DELETE FROM %s", rec->table);
        add_where(&sql, rec, q);
        s = learn(tx, &k, &sql);
    }
    if (!s)
        return;
    (void)bind_where(s, q); /* it has no other parameters */
    tx_run(tx, s);
}

static void clear_text(struct buf *sql, const struct record *rec)
{
    buf_fmt(sql, "DELETE FROM %s", rec->table);
}

static void clear_sets_text(struct buf *sql, const struct record *rec)
{
    buf_fmt(sql, "DELETE FROM %s_bits", rec->table);
}

void store_clear(struct tx *tx, const struct record *rec)
{
    struct stmt *s = tx_simple(tx, 'c', rec, clear_text);

    if (s)
        tx_run(tx, s);
    if (s && rec->facets && (s = tx_simple(tx, 'C', rec, clear_sets_text)))
        tx_run(tx, s);
}

static void next_text(struct buf *sql, const struct record *rec)
{
    (void)rec;
    buf_str(sql, "INSERT INTO sequence (name, value) VALUES (?, 1) "
                 "ON CONFLICT (name) DO UPDATE SET value = value + 1 RETURNING value");
}

int64_t store_next(struct tx *tx, const char *sequence)
{
    struct stmt *s = tx_simple(tx, 'n', NULL, next_text);
    int64_t v = 0;

    if (!s)
        return 0;
    stmt_text(s, 1, sequence);
    if (tx_next(tx, s))
        v = stmt_get_int(s, 0);
    tx_run(tx, s);
    return v;
}
