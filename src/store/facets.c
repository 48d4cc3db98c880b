/* Sets of rows: written with each row, intersected to answer a query. */
#include "store/facets.h"

#include <assert.h>
#include <jansson.h>

#include "base/map.h"
#include "store/rows.h"

enum {
    CHUNK = 4096, /* serials; a bitmap of 512 bytes stays inside its page */
    WORDS = CHUNK / 64,
    MAP_BYTES = CHUNK / 8,
    LIST_MAX = 200, /* numbers of two bytes; one more and a bitmap is made */
    LIST_AGAIN = 100,
    FEW = 24, /* rows that are read and tested sooner than a further set is intersected */
};

static const char *const separator = "/";

/* ---- statements ---- */

enum facet_op {
    BITS_GET = 1,
    BITS_ADD,
    BITS_SET,
    BITS_DROP,
    BITS_OF,
    BITS_LIKE,
    BITS_NEXT,
    ROW_BY_NUM,
    NUM_FROM,
    NUM_TO,
    NUM_MAX,
    RISING_MAX,
    ALL_ROWS
};

static const char *serial_name(const struct record *rec)
{
    return rec->cols[rec->n_cols - 1].name;
}

static void bits_get(struct buf *sql, const struct record *rec)
{
    buf_fmt(sql, "SELECT bits FROM %s_bits WHERE facet=? AND value=? AND chunk=?", rec->table);
}

static void bits_add(struct buf *sql, const struct record *rec)
{
    buf_fmt(sql, "INSERT INTO %s_bits (facet, value, chunk, bits) VALUES (?,?,?,?)", rec->table);
}

static void bits_set(struct buf *sql, const struct record *rec)
{
    buf_fmt(sql, "UPDATE %s_bits SET bits=?4 WHERE facet=?1 AND value=?2 AND chunk=?3", rec->table);
}

static void bits_drop(struct buf *sql, const struct record *rec)
{
    buf_fmt(sql, "DELETE FROM %s_bits WHERE facet=? AND value=? AND chunk=?", rec->table);
}

static void bits_of(struct buf *sql, const struct record *rec)
{
    buf_fmt(sql, "SELECT chunk, bits FROM %s_bits WHERE facet=? AND value=? ORDER BY chunk",
            rec->table);
}

static void bits_like(struct buf *sql, const struct record *rec)
{
    buf_fmt(sql,
            "SELECT chunk, bits FROM %s_bits WHERE facet=? AND value>=? AND value<? "
            "AND value LIKE ? ESCAPE '\\'",
            rec->table);
}

static void bits_next(struct buf *sql, const struct record *rec)
{
    buf_fmt(sql, "SELECT value FROM %s_bits WHERE facet=? AND value>? ORDER BY value LIMIT 1",
            rec->table);
}

static void row_by_num(struct buf *sql, const struct record *rec)
{
    buf_str(sql, "SELECT ");
    add_columns(sql, rec, 0, "");
    buf_fmt(sql, " FROM %s WHERE %s=?", rec->table, serial_name(rec));
}

static void num_from(struct buf *sql, const struct record *rec)
{
    buf_fmt(sql, "SELECT %s FROM %s WHERE %s>=? ORDER BY %s, %s LIMIT 1", serial_name(rec),
            rec->table, rec->rising, rec->rising, serial_name(rec));
}

static void num_to(struct buf *sql, const struct record *rec)
{
    buf_fmt(sql, "SELECT %s FROM %s WHERE %s<=? ORDER BY %s DESC, %s DESC LIMIT 1",
            serial_name(rec), rec->table, rec->rising, rec->rising, serial_name(rec));
}

static void num_max(struct buf *sql, const struct record *rec)
{
    buf_fmt(sql, "SELECT max(%s) FROM %s", serial_name(rec), rec->table);
}

static void rising_max(struct buf *sql, const struct record *rec)
{
    buf_fmt(sql, "SELECT max(%s) FROM %s", rec->rising, rec->table);
}

static void all_rows(struct buf *sql, const struct record *rec)
{
    buf_str(sql, "SELECT ");
    add_columns(sql, rec, 0, "");
    buf_fmt(sql, " FROM %s ORDER BY %s", rec->table, serial_name(rec));
}

static struct stmt *facet_stmt(struct tx *tx, const struct record *rec, enum facet_op op)
{
    static void (*const texts[])(struct buf *, const struct record *) = {
        [BITS_GET] = bits_get,   [BITS_ADD] = bits_add,     [BITS_SET] = bits_set,
        [BITS_DROP] = bits_drop, [BITS_OF] = bits_of,       [BITS_LIKE] = bits_like,
        [BITS_NEXT] = bits_next, [ROW_BY_NUM] = row_by_num, [NUM_FROM] = num_from,
        [NUM_TO] = num_to,       [NUM_MAX] = num_max,       [RISING_MAX] = rising_max,
        [ALL_ROWS] = all_rows,
    };

    return tx_simple(tx, (char)op, rec, texts[op]);
}

static int64_t serial_of(const struct record *rec, const void *row)
{
    return column_num(&rec->cols[rec->n_cols - 1], row);
}

/* ---- one chunk of a set ---- */

struct chunk {
    uint64_t words[WORDS];
    bool there; /* in the table */
};

static void chunk_read(struct chunk *c, struct bytes blob)
{
    if (blob.len == MAP_BYTES) {
        memcpy(c->words, blob.data, MAP_BYTES);
        return;
    }
    memset(c->words, 0, sizeof(c->words));
    for (size_t i = 0; i + 1 < blob.len; i += 2) {
        uint16_t at;

        memcpy(&at, (const char *)blob.data + i, sizeof(at));
        at %= CHUNK; /* a damaged database must not lead outside */
        c->words[at / 64] |= 1ULL << (at % 64);
    }
}

/* Of eight counts, a byte each. */
static size_t bytes_sum(uint64_t bytes)
{
    const uint64_t even = 0x00ff00ff00ff00ff;
    uint64_t pairs = (bytes & even) + (bytes >> 8 & even);

    return (size_t)(pairs * 0x0001000100010001 >> 48);
}

/* Bits that are set. Without an instruction for it, which not every processor has, counting each
 * word alone takes longer than reading all sets. */
static size_t words_count(const uint64_t *words, size_t n)
{
    const uint64_t ones = 0x5555555555555555, twos = 0x3333333333333333, fours = 0x0f0f0f0f0f0f0f0f;
    uint64_t bytes = 0;
    size_t count = 0;

    for (size_t i = 0; i < n; i++) {
        uint64_t w = words[i];

        w -= w >> 1 & ones;
        w = (w & twos) + (w >> 2 & twos);
        bytes += (w + (w >> 4)) & fours;
        if (i % 31 == 30) { /* a byte holds 31 times 8, no more */
            count += bytes_sum(bytes);
            bytes = 0;
        }
    }
    return count + bytes_sum(bytes);
}

/* As it is kept: a list of few, or the words. A set that shrinks stays a bitmap for a while. */
static struct bytes chunk_blob(const struct chunk *c, size_t old_len, uint16_t list[LIST_MAX])
{
    size_t n = words_count(c->words, WORDS), at = 0;

    if (n > LIST_MAX || (old_len == MAP_BYTES && n > LIST_AGAIN))
        return (struct bytes){c->words, MAP_BYTES};
    for (size_t i = 0; i < WORDS; i++)
        for (uint64_t w = c->words[i]; w; w &= w - 1)
            list[at++] = (uint16_t)(i * 64 + (size_t)__builtin_ctzll(w));
    return (struct bytes){list, n * sizeof(*list)};
}

struct place {
    const struct record *rec;
    const char *facet, *value;
    int64_t chunk;
};

static void bind_place(struct stmt *s, const struct place *p)
{
    stmt_text(s, 1, p->facet);
    stmt_text(s, 2, p->value);
    stmt_int(s, 3, p->chunk);
}

static void write_chunk(struct tx *tx, const struct place *p, bool there, struct bytes blob)
{
    enum facet_op op = !blob.len ? BITS_DROP : there ? BITS_SET : BITS_ADD;
    struct stmt *s = there || blob.len ? facet_stmt(tx, p->rec, op) : NULL;

    if (!s)
        return;
    bind_place(s, p);
    if (blob.len)
        stmt_blob(s, 4, blob);
    tx_run(tx, s);
}

static void flip(struct tx *tx, const struct record *rec, const char *facet, const char *value,
                 int64_t serial, bool on)
{
    struct place p = {rec, facet, value, serial / CHUNK};
    struct stmt *s = facet_stmt(tx, rec, BITS_GET);
    uint16_t list[LIST_MAX];
    size_t at = (size_t)(serial % CHUNK), old_len = 0;
    struct chunk c = {0};

    if (!s)
        return;
    bind_place(s, &p);
    c.there = tx_next(tx, s);
    if (c.there) {
        struct bytes blob = stmt_peek_blob(s, 0);

        old_len = blob.len;
        chunk_read(&c, blob);
    }
    stmt_reset(s);
    if (on)
        c.words[at / 64] |= 1ULL << (at % 64);
    else
        c.words[at / 64] &= ~(1ULL << (at % 64));
    write_chunk(tx, &p, c.there, chunk_blob(&c, old_len, list));
}

/* ---- a row's values of a facet ---- */

typedef void value_fn(void *ctx, const char *facet, const char *value);

static const char *pair_text(struct buf *b, const char *first, const char *second)
{
    buf_clear(b);
    buf_str(b, first);
    if (second) {
        buf_str(b, separator);
        buf_str(b, second);
    }
    return buf_cstr(b);
}

/* The length keeps "a" = "b:c" and "a:b" = "c" apart. */
static const char *tag_text(struct buf *b, const char *key, const char *value)
{
    buf_clear(b);
    buf_i64(b, (long long)strlen(key));
    buf_char(b, ':');
    buf_str(b, key);
    if (value) {
        buf_char(b, '=');
        buf_str(b, value);
    }
    return buf_cstr(b);
}

static void each_item(const struct facet *f, const char *list, value_fn *fn, void *ctx)
{
    CLEANUP(buf_done) struct buf b = {0};

    for (const char *s = list; *s; s += *s == ',') {
        size_t n = strcspn(s, ",");

        buf_clear(&b);
        buf_add(&b, s, n);
        if (n)
            fn(ctx, f->name, buf_cstr(&b));
        s += n;
    }
}

static void each_tag(const struct facet *f, const char *text, value_fn *fn, void *ctx)
{
    json_t *tags = streq(text, "{}") ? NULL : json_loads(text, 0, NULL), *value;
    CLEANUP(buf_done) struct buf b = {0};
    const char *key;

    json_object_foreach (tags, key, value) {
        if (!json_is_string(value))
            continue;
        fn(ctx, f->name, tag_text(&b, key, NULL));
        fn(ctx, f->name, tag_text(&b, key, json_string_value(value)));
    }
    json_decref(tags);
}

static void each_value(const struct record *rec, const struct facet *f, const void *row,
                       value_fn *fn, void *ctx)
{
    const struct column *c = f->columns[0] ? column_of(rec, f->columns[0]) : NULL;
    CLEANUP(buf_done) struct buf b = {0};

    switch (f->kind) {
    case FACET_ALL:
        fn(ctx, f->name, "");
        break;
    case FACET_VALUE:
        if (f->columns[1])
            fn(ctx, f->name,
               pair_text(&b, column_text(c, row), column_text(column_of(rec, f->columns[1]), row)));
        else if (*column_text(c, row))
            fn(ctx, f->name, column_text(c, row));
        break;
    case FACET_LIST:
        each_item(f, column_text(c, row), fn, ctx);
        break;
    case FACET_TAGS:
        each_tag(f, column_text(c, row), fn, ctx);
        break;
    case FACET_TUPLE:
        for (size_t i = 0; i < ARRAY_LEN(f->columns) && f->columns[i]; i++) {
            if (i)
                buf_char(&b, '.');
            buf_i64(&b, column_num(column_of(rec, f->columns[i]), row));
        }
        fn(ctx, f->name, buf_cstr(&b));
        break;
    }
}

/* ---- keeping them ---- */

struct flipping {
    struct tx *tx;
    const struct record *rec;
    int64_t serial;
    bool on;
};

static void flip_value(void *ctx, const char *facet, const char *value)
{
    struct flipping *f = ctx;

    flip(f->tx, f->rec, facet, value, f->serial, f->on);
}

static void flip_facet(struct tx *tx, const struct record *rec, const struct facet *f,
                       const void *row, int64_t serial, bool on)
{
    struct flipping flipping = {tx, rec, serial, on};

    each_value(rec, f, row, flip_value, &flipping);
}

/* ---- what should rise, and once did not ---- */

static const char *fell_key(struct tx *tx, const struct record *rec)
{
    return arena_fmt(tx->arena, "%s.%s-fell", rec->table, rec->rising);
}

static bool has_fallen(struct tx *tx, const struct record *rec)
{
    struct setting s;

    return store_get(tx, &rec_setting, fell_key(tx, rec), &s);
}

/* An account's clock may be behind another's. From then on serials say nothing about times. */
static void watch_rising(struct tx *tx, const struct record *rec, const void *row)
{
    struct setting fell = {.value = ""};

    if (!rec->rising || column_num(column_of(rec, rec->rising), row) >=
                            tx_number(tx, facet_stmt(tx, rec, RISING_MAX)))
        return;
    if (has_fallen(tx, rec))
        return;
    fell.key = fell_key(tx, rec);
    store_insert(tx, &rec_setting, &fell);
}

/* ---- the sets follow the rows ---- */

void facets_insert(struct tx *tx, const struct record *rec, const void *row)
{
    watch_rising(tx, rec, row);
    for (size_t i = 0; i < rec->n_facets; i++)
        flip_facet(tx, rec, &rec->facets[i], row, serial_of(rec, row), true);
}

void facets_delete(struct tx *tx, const struct record *rec, const void *row)
{
    for (size_t i = 0; i < rec->n_facets; i++)
        flip_facet(tx, rec, &rec->facets[i], row, serial_of(rec, row), false);
}

static bool facet_same(const struct record *rec, const struct facet *f, const void *a,
                       const void *b)
{
    for (size_t i = 0; i < ARRAY_LEN(f->columns) && f->columns[i]; i++) {
        const struct column *c = column_of(rec, f->columns[i]);

        if (c->type == COL_TEXT ? !streq(column_text(c, a), column_text(c, b))
                                : column_num(c, a) != column_num(c, b))
            return false;
    }
    return true;
}

void facets_update(struct tx *tx, const struct record *rec, const void *old, const void *row)
{
    for (size_t i = 0; i < rec->n_facets; i++)
        if (!facet_same(rec, &rec->facets[i], old, row)) {
            flip_facet(tx, rec, &rec->facets[i], old, serial_of(rec, old), false);
            flip_facet(tx, rec, &rec->facets[i], row, serial_of(rec, old), true);
        }
}

/* ---- sets in memory ---- */

/* The rows that may still be what is asked for. */
struct set {
    uint64_t *words;
    size_t n_chunks;
    uint64_t *scratch; /* as large, for unions; NULL until one is needed */
    bool whole;        /* nothing was taken away yet: `words` holds nothing */
};

struct asking {
    struct tx *tx;
    const struct record *rec;
    const struct query *q;
    struct set set;
    bool answered[QUERY_MAX_CONDS]; /* these conditions are in the set */
};

static void keep_chunk(struct set *s, size_t at, const struct chunk *c)
{
    uint64_t *to = s->words + at * WORDS;

    for (size_t i = 0; i < WORDS; i++)
        to[i] = s->whole ? c->words[i] : to[i] & c->words[i];
}

/* The set becomes what it shares with one value's. */
static void keep_value(struct asking *k, const char *facet, const char *value)
{
    struct stmt *s = facet_stmt(k->tx, k->rec, BITS_OF);
    struct set *set = &k->set;
    size_t done = 0;
    struct chunk c;

    if (!s)
        return;
    stmt_text(s, 1, facet);
    stmt_text(s, 2, value);
    while (tx_next(k->tx, s)) {
        size_t at = (size_t)stmt_get_int(s, 0);

        if (at < done || at >= set->n_chunks)
            continue; /* only a damaged database has such */
        memset(set->words + done * WORDS, 0, (at - done) * MAP_BYTES);
        chunk_read(&c, stmt_peek_blob(s, 1));
        keep_chunk(set, at, &c);
        done = at + 1;
    }
    stmt_reset(s);
    memset(set->words + done * WORDS, 0, (set->n_chunks - done) * MAP_BYTES);
    set->whole = false;
}

static void union_begin(struct asking *k)
{
    if (k->set.scratch)
        memset(k->set.scratch, 0, k->set.n_chunks * MAP_BYTES);
    else
        k->set.scratch = arena_alloc(k->tx->arena, k->set.n_chunks * MAP_BYTES + 1);
}

/* Adds the chunks that the statement finds. */
static void union_add(struct asking *k, struct stmt *s)
{
    struct chunk c;

    while (tx_next(k->tx, s)) {
        size_t at = (size_t)stmt_get_int(s, 0);

        if (at >= k->set.n_chunks)
            continue;
        chunk_read(&c, stmt_peek_blob(s, 1));
        for (size_t i = 0; i < WORDS; i++)
            k->set.scratch[at * WORDS + i] |= c.words[i];
    }
    stmt_reset(s);
}

static void union_value(struct asking *k, const char *facet, const char *value)
{
    struct stmt *s = facet_stmt(k->tx, k->rec, BITS_OF);

    if (!s)
        return;
    stmt_text(s, 1, facet);
    stmt_text(s, 2, value);
    union_add(k, s);
}

static void union_end(struct asking *k)
{
    struct set *set = &k->set;

    for (size_t i = 0; i < set->n_chunks * WORDS; i++)
        set->words[i] = set->whole ? set->scratch[i] : set->words[i] & set->scratch[i];
    set->whole = false;
}

/* ---- conditions ---- */

static const struct cond *cond_of(const struct query *q, const char *column)
{
    for (size_t i = 0; i < q->n_conds; i++)
        if (streq(q->conds[i].column, column) && q->conds[i].cmp == CMP_EQ && q->conds[i].is_text)
            return &q->conds[i];
    return NULL;
}

/* Everything that begins like this, and a little more: LIKE decides. */
static void like_range(const char *pattern, struct buf *lower, struct buf *upper)
{
    for (; *pattern && *pattern != '%' && *pattern != '_'; pattern++) {
        pattern += pattern[0] == '\\' && pattern[1];
        buf_char(lower, *pattern);
    }
    buf_str(upper, buf_cstr(lower));
    buf_str(upper, "\xff"); /* no text of UTF-8 has it */
}

static void ask_like(struct asking *k, const struct facet *f, const char *pattern)
{
    CLEANUP(buf_done) struct buf lower = {0}, upper = {0};
    struct stmt *s = facet_stmt(k->tx, k->rec, BITS_LIKE);

    if (!s)
        return;
    like_range(pattern, &lower, &upper);
    stmt_text(s, 1, f->name);
    stmt_text(s, 2, buf_cstr(&lower));
    stmt_text(s, 3, buf_cstr(&upper));
    stmt_text(s, 4, pattern);
    union_begin(k);
    union_add(k, s);
    union_end(k);
}

/* A pattern's text as itself. */
static const char *like_escaped(struct buf *b, const char *s)
{
    for (; *s; s++) {
        if (strchr("%_\\", *s))
            buf_char(b, '\\');
        buf_char(b, *s);
    }
    return buf_cstr(b);
}

/* `first`: what stands before the value in a facet of two columns; NULL: a facet of one. */
static bool ask_value(struct asking *k, const struct facet *f, const struct cond *c,
                      const char *first)
{
    CLEANUP(buf_done) struct buf b = {0};

    if (c->cmp == CMP_EQ && c->is_text && (first || *c->text)) {
        keep_value(k, f->name, first ? pair_text(&b, first, c->text) : c->text);
        return true;
    }
    if (c->cmp == CMP_IN && !c->set) {
        union_begin(k);
        for (size_t i = 0; i < c->n_texts; i++)
            union_value(k, f->name, first ? pair_text(&b, first, c->texts[i]) : c->texts[i]);
        union_end(k);
        return true;
    }
    if (c->cmp == CMP_LIKE && strlen(c->text) > QUERY_MAX_LIKE) {
        union_begin(k);
        union_end(k); /* nothing */
        return true;
    }
    if (c->cmp == CMP_LIKE) {
        if (first) {
            (void)like_escaped(&b, first);
            buf_str(&b, separator);
        }
        buf_str(&b, c->text);
        ask_like(k, f, buf_cstr(&b));
        return true;
    }
    return false;
}

static bool ask_has(struct asking *k, const struct facet *f, const struct cond *c)
{
    CLEANUP(buf_done) struct buf b = {0};

    if (c->cmp != CMP_HAS)
        return false;
    for (size_t i = 0; i < c->n_texts; i++)
        keep_value(k, f->name,
                   f->kind == FACET_TAGS
                       ? tag_text(&b, c->texts[i], c->values ? c->values[i] : NULL)
                       : c->texts[i]);
    return true;
}

/* Do the conditions about the tuple's columns accept these values ("3.1.0")? */
static bool tuple_fits(const struct query *q, const struct facet *f, const char *value)
{
    for (size_t i = 0; i < ARRAY_LEN(f->columns) && f->columns[i]; i++) {
        int64_t v = strtoll(value, NULL, 10);
        const char *dot = strchr(value, '.');

        for (size_t k = 0; k < q->n_conds; k++)
            if (streq(q->conds[k].column, f->columns[i]) && !num_fits(&q->conds[k], v))
                return false;
        value = dot ? dot + 1 : "";
    }
    return true;
}

/* The values that occur are few: each is asked. */
static void ask_tuple(struct asking *k, const struct facet *f)
{
    char value[80] = "";

    union_begin(k);
    for (;;) {
        struct stmt *s = facet_stmt(k->tx, k->rec, BITS_NEXT);

        if (!s)
            return;
        stmt_text(s, 1, f->name);
        stmt_text(s, 2, value);
        bool more = tx_next(k->tx, s);
        struct bytes found = more ? stmt_peek_blob(s, 0) : (struct bytes){0};
        more = more && found.len < sizeof(value);
        char next[sizeof(value)] = "";
        if (more)
            memcpy(next, found.data, found.len);
        stmt_reset(s);
        if (!more)
            break;
        memcpy(value, next, sizeof(value));
        if (tuple_fits(k->q, f, value))
            union_value(k, f->name, value);
    }
    union_end(k);
}

static bool about(const struct facet *f, const char *column)
{
    for (size_t i = 0; i < ARRAY_LEN(f->columns) && f->columns[i]; i++)
        if (streq(f->columns[i], column))
            return true;
    return false;
}

static bool few(const struct set *s)
{
    size_t n = 0;

    if (s->whole)
        return false;
    for (size_t i = 0; i < s->n_chunks && n <= FEW; i++)
        n += words_count(s->words + i * WORDS, WORDS);
    return n <= FEW;
}

/* False: nothing was asked of this facet. */
static bool ask_facet(struct asking *k, const struct facet *f)
{
    const struct query *q = k->q;
    const struct cond *scope =
        f->kind == FACET_VALUE && f->columns[1] ? cond_of(q, f->columns[0]) : NULL;
    /* of two columns, the second is what the facet is about */
    const char *column = f->kind == FACET_VALUE && f->columns[1] ? f->columns[1] : NULL;
    bool asked = false, any = false;

    for (size_t i = 0; i < q->n_conds; i++) {
        const struct cond *c = &q->conds[i];

        if (k->answered[i] || !(column ? streq(c->column, column) : about(f, c->column)))
            continue;
        if (f->kind == FACET_TUPLE)
            k->answered[i] = asked = true;
        else if (f->kind == FACET_VALUE)
            k->answered[i] = (!column || scope) && ask_value(k, f, c, scope ? scope->text : NULL);
        else
            k->answered[i] = ask_has(k, f, c);
        any |= k->answered[i];
    }
    if (asked)
        ask_tuple(k, f);
    return any;
}

/* ---- parts of the order ---- */

static void cut_below(struct set *s, int64_t serial) /* takes away what is lower */
{
    size_t bits = s->n_chunks * CHUNK, at = serial < 0 ? 0 : (size_t)serial;

    at = at < bits ? at : bits;
    memset(s->words, 0, at / 64 * sizeof(*s->words));
    if (at % 64)
        s->words[at / 64] &= ~0ULL << (at % 64);
}

static void cut_from(struct set *s, int64_t serial) /* takes away this and what is higher */
{
    size_t bits = s->n_chunks * CHUNK, at = serial < 0 ? 0 : (size_t)serial;

    if (at >= bits)
        return;
    if (at % 64)
        s->words[at / 64] &= ~(~0ULL << (at % 64));
    at = (at + 63) / 64;
    memset(s->words + at, 0, (s->n_chunks * WORDS - at) * sizeof(*s->words));
}

/* The last (or first) serial whose rising column is at most (at least) this; -1: none. */
static int64_t rising_bound(struct asking *k, const struct cond *c)
{
    struct stmt *s = facet_stmt(k->tx, k->rec, c->cmp == CMP_LE ? NUM_TO : NUM_FROM);
    int64_t found = -1;

    if (!s)
        return -1;
    stmt_int(s, 1, c->num);
    if (tx_next(k->tx, s))
        found = stmt_get_int(s, 0);
    stmt_reset(s);
    return found;
}

static bool is_rising(const struct asking *k, const struct cond *c)
{
    return streq(c->column, k->rec->rising) && (c->cmp == CMP_GE || c->cmp == CMP_LE);
}

/* Left to the rows where it has fallen. */
static void ask_rising(struct asking *k)
{
    for (size_t i = 0; i < k->q->n_conds && k->rec->rising; i++) {
        const struct cond *c = &k->q->conds[i];

        if (!is_rising(k, c))
            continue;
        if (has_fallen(k->tx, k->rec))
            return;
        int64_t bound = rising_bound(k, c);
        if (c->cmp == CMP_LE)
            cut_from(&k->set, bound + 1);
        else if (bound < 0)
            cut_from(&k->set, 0);
        else
            cut_below(&k->set, bound);
        k->answered[i] = true;
    }
}

/* ---- rows ---- */

static bool read_num(struct asking *k, int64_t serial, void *row)
{
    struct stmt *s = facet_stmt(k->tx, k->rec, ROW_BY_NUM);
    bool found = false;

    if (!s)
        return false;
    stmt_int(s, 1, serial);
    if (tx_next(k->tx, s)) {
        read_row(k->tx, s, k->rec, row);
        found = true;
    }
    stmt_reset(s);
    return found;
}

static bool rest_fits(const struct asking *k, const void *row)
{
    for (size_t i = 0; i < k->q->n_conds; i++)
        if (!k->answered[i] && !cond_fits(k->rec, &k->q->conds[i], row))
            return false;
    return true;
}

static bool all_answered(const struct asking *k)
{
    for (size_t i = 0; i < k->q->n_conds; i++)
        if (!k->answered[i])
            return false;
    return true;
}

/* Calls `each` for the set's serials, greatest first, until it says false. */
static void descend(const struct set *s, bool (*each)(void *ctx, int64_t serial), void *ctx)
{
    for (size_t i = s->n_chunks * WORDS; i-- > 0;)
        for (uint64_t w = s->words[i]; w;) {
            int bit = 63 - __builtin_clzll(w);

            w &= ~(1ULL << bit);
            if (!each(ctx, (int64_t)(i * 64) + bit))
                return;
        }
}

/* Reads what is left and takes away what does not fit. Memory stays that of a few rows. */
struct testing {
    struct asking *k;
    struct arena *arena;
    void *row;
    size_t n;
};

static bool test_one(void *ctx, int64_t serial)
{
    struct testing *t = ctx;

    if (!read_num(t->k, serial, t->row) || !rest_fits(t->k, t->row))
        t->k->set.words[serial / 64] &= ~(1ULL << (serial % 64));
    if (++t->n % 256 == 0)
        arena_clear(t->arena);
    return !t->k->tx->failed;
}

static void test_rest(struct asking *k)
{
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    struct arena *callers = k->tx->arena;
    CLEANUP(free_p) void *row = xmalloc(k->rec->size);
    struct testing t = {.k = k, .arena = a, .row = row};

    k->tx->arena = a;
    descend(&k->set, test_one, &t);
    k->tx->arena = callers;
}

/* Fills the set with what fits all conditions. */
static void ask(struct asking *k)
{
    struct set *s = &k->set;
    bool enough = false;

    s->n_chunks = (size_t)(tx_number(k->tx, facet_stmt(k->tx, k->rec, NUM_MAX)) / CHUNK) + 1;
    s->words = arena_alloc(k->tx->arena, s->n_chunks * MAP_BYTES);
    s->whole = true;
    for (size_t i = 0; i < k->rec->n_facets && !enough; i++)
        enough = ask_facet(k, &k->rec->facets[i]) && few(s);
    for (size_t i = 0; i < k->rec->n_facets && s->whole; i++)
        if (k->rec->facets[i].kind == FACET_ALL)
            keep_value(k, k->rec->facets[i].name, "");
    ask_rising(k);
    if (!all_answered(k))
        test_rest(k);
}

/* ---- pages ---- */

struct paging {
    struct asking *k;
    char *rows;
    size_t n, skip, limit;
};

static bool take_one(void *ctx, int64_t serial)
{
    struct paging *p = ctx;

    if (p->skip) {
        p->skip--;
        return true;
    }
    if (p->n < p->limit && read_num(p->k, serial, p->rows + p->n * p->k->rec->size))
        p->n++;
    return p->n < p->limit && !p->k->tx->failed;
}

/* Goes over whole words of what is skipped. */
static void skip_words(struct set *s, size_t *skip)
{
    for (size_t i = s->n_chunks * WORDS; i-- > 0 && *skip;) {
        size_t n = words_count(s->words + i, 1);

        if (n > *skip)
            return;
        *skip -= n;
        s->words[i] = 0;
    }
}

static void *page_by_sets(struct tx *tx, const struct record *rec, const struct query *q,
                          size_t *ret_n, int64_t *ret_total)
{
    struct asking k = {.tx = tx, .rec = rec, .q = q};

    ask(&k);
    struct set *s = &k.set;
    size_t total = words_count(s->words, s->n_chunks * WORDS), left;
    *ret_total = tx->failed ? 0 : (int64_t)total;
    if (!ret_n)
        return NULL;
    if (q->below)
        cut_from(s, q->below);
    left = q->below ? words_count(s->words, s->n_chunks * WORDS) : total;
    struct paging p = {.k = &k, .skip = q->offset < left ? q->offset : left};
    left -= p.skip;
    p.limit = q->limit && q->limit < left ? q->limit : left;
    p.rows = arena_alloc(tx->arena, p.limit * rec->size + 1);
    skip_words(s, &p.skip);
    if (p.limit)
        descend(s, take_one, &p);
    *ret_n = tx->failed ? 0 : p.n;
    return p.rows;
}

/* ---- by the key: the few rows are read and tested ---- */

static const struct cond *key_cond(const struct record *rec, const struct query *q)
{
    for (size_t i = 0; i < q->n_conds; i++)
        if (streq(q->conds[i].column, rec->cols[0].name) &&
            (q->conds[i].cmp == CMP_EQ || q->conds[i].cmp == CMP_IN))
            return &q->conds[i];
    return NULL;
}

struct keyed {
    int64_t serial;
    void *row;
};

static int by_serial(const void *a_, const void *b_)
{
    const struct keyed *a = a_, *b = b_;

    return (a->serial < b->serial) - (a->serial > b->serial);
}

static struct keyed *read_keys(struct tx *tx, const struct record *rec, const struct query *q,
                               const struct cond *c, size_t *ret_n)
{
    size_t most = c->cmp == CMP_EQ ? 1 : c->n_texts, n = 0;
    struct keyed *found = ARENA_ARRAY(tx->arena, struct keyed, most + 1);
    void *row = arena_alloc(tx->arena, rec->size);

    for (size_t i = 0; i < most; i++) {
        if (!store_get(tx, rec, c->cmp == CMP_EQ ? c->text : c->texts[i], row) ||
            !row_fits(rec, q, row))
            continue;
        found[n++] = (struct keyed){serial_of(rec, row), row};
        row = arena_alloc(tx->arena, rec->size);
    }
    if (n)
        qsort(found, n, sizeof(*found), by_serial);
    size_t once = 0;
    for (size_t i = 0; i < n; i++)
        if (!i || found[i].serial != found[i - 1].serial)
            found[once++] = found[i];
    *ret_n = once;
    return found;
}

static void *page_by_key(struct tx *tx, const struct record *rec, const struct query *q,
                         const struct cond *c, size_t *ret_n, int64_t *ret_total)
{
    size_t n, at = 0;
    struct keyed *found = read_keys(tx, rec, q, c, &n);

    *ret_total = tx->failed ? 0 : (int64_t)n;
    if (!ret_n)
        return NULL;
    while (at < n && q->below && found[at].serial >= q->below)
        at++;
    at = n - at > q->offset ? at + q->offset : n;
    size_t most = q->limit && q->limit < n - at ? q->limit : n - at;
    char *rows = arena_alloc(tx->arena, most * rec->size + 1);
    for (size_t i = 0; i < most; i++)
        memcpy(rows + i * rec->size, found[at + i].row, rec->size);
    *ret_n = tx->failed ? 0 : most;
    return rows;
}

/* ---- all at once ---- */

/* The chunk under way of each set that has a row in it. */
struct building {
    struct tx *tx;
    const struct record *rec;
    struct map *chunks; /* "FACET\nVALUE" to struct chunk */
    int64_t at, serial;
};

static void build_value(void *ctx, const char *facet, const char *value)
{
    struct building *b = ctx;
    CLEANUP(buf_done) struct buf key = {0};
    struct chunk *c;

    buf_str(&key, facet);
    buf_char(&key, '\n');
    buf_str(&key, value);
    c = map_get(b->chunks, buf_cstr(&key));
    if (!c) {
        c = xcalloc(1, sizeof(*c));
        map_put(b->chunks, buf_cstr(&key), c);
    }
    size_t at = (size_t)(b->serial % CHUNK);
    c->words[at / 64] |= 1ULL << (at % 64);
}

static void build_write(void *ctx, const char *key, void *value)
{
    struct building *b = ctx;
    const char *end = strchr(key, '\n');
    CLEANUP(free_p) char *facet = xasprintf("%.*s", (int)(end - key), key);
    struct place p = {b->rec, facet, end + 1, b->at};
    uint16_t list[LIST_MAX];

    write_chunk(b->tx, &p, false, chunk_blob(value, 0, list));
    free(value);
}

static void build_flush(struct building *b)
{
    map_each(b->chunks, build_write, b);
    map_free(b->chunks);
    b->chunks = map_new();
}

void facets_build(struct tx *tx, const struct record *rec)
{
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    CLEANUP(free_p) void *row = xmalloc(rec->size);
    struct arena *callers = tx->arena;
    struct building b = {.tx = tx, .rec = rec, .chunks = map_new()};

    struct stmt *s = facet_stmt(tx, rec, ALL_ROWS);
    tx->arena = a;
    while (s && tx_next(tx, s)) {
        read_row(tx, s, rec, row);
        b.serial = serial_of(rec, row);
        if (b.serial / CHUNK != b.at)
            build_flush(&b);
        b.at = b.serial / CHUNK;
        for (size_t i = 0; i < rec->n_facets; i++)
            each_value(rec, &rec->facets[i], row, build_value, &b);
        arena_clear(a);
    }
    if (s)
        stmt_reset(s);
    build_flush(&b);
    map_free(b.chunks);
    tx->arena = callers;
}

bool facets_answer(const struct record *rec, const struct query *q)
{
    return rec->facets && (!q->order || (q->order[0] == '-' &&
                                         streq(q->order + 1, rec->cols[rec->n_cols - 1].name)));
}

void *facets_page(struct tx *tx, const struct record *rec, const struct query *q, size_t *ret_n,
                  int64_t *ret_total)
{
    const struct cond *c = key_cond(rec, q);

    return c ? page_by_key(tx, rec, q, c, ret_n, ret_total)
             : page_by_sets(tx, rec, q, ret_n, ret_total);
}
