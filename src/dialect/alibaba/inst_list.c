/*
 * Most filters are conditions of the store's query, and then a page costs what it shows. The few
 * that are not (attributes, locks) are tested row by row: everything the query leaves is
 * walked in portions, each in an arena of its own, and only the keys of what matches are kept.
 */
#include "dialect/alibaba/inst_list.h"

#include "dialect/alibaba/attrs.h"
#include "dialect/alibaba/status.h"

#define ORDER "-num"

enum { PORTION = 500 };

/* ---- conditions of the query ---- */

static void text_is(struct query *q, const char *column, const char *value)
{
    if (!str_empty(value))
        query_text(q, column, CMP_EQ, value);
}

/* The types of a family, as far as the catalogue knows. */
static void family_is(struct op *op, struct query *q, const char *family, const char *type)
{
    const struct catalog *c = op->core->catalog;
    const char **ids = ARENA_ARRAY(op->arena, const char *, c->n_types + 1);
    size_t n = 0;

    for (size_t i = 0; i < c->n_types && n < QUERY_MAX_IN; i++)
        if (streq(c->types[i].family_name, family) &&
            (str_empty(type) || streq(type, c->types[i].id)))
            ids[n++] = c->types[i].id;
    query_in(q, "type", ids, n);
}

static bool is_pattern(const char *name)
{
    return name && strchr(name, '*');
}

static void tags_are(struct op *op, struct query *q, const struct objs *tags)
{
    const char **keys = ARENA_ARRAY(op->arena, const char *, tags->n);
    const char **values = ARENA_ARRAY(op->arena, const char *, tags->n);
    const struct tag *v = tags->v;

    for (size_t i = 0; i < tags->n; i++) {
        keys[i] = v[i].key;
        values[i] = str_empty(v[i].value) ? NULL : v[i].value;
    }
    query_tags(q, "tags", keys, values, tags->n);
}

static void secgroup_is(struct op *op, struct query *q, const char *id)
{
    const char **one = ARENA_NEW(op->arena, const char *);

    *one = id;
    query_has(q, "secgroups", one, 1);
}

/* At most 21 conditions. */
static void conditions(struct op *op, const struct inst_filter *f, struct query *q)
{
    text_is(q, "account", op->account);
    text_is(q, "region", f->region);
    text_is(q, "zone", f->zone);
    text_is(q, "vpc", f->vpc);
    text_is(q, "subnet", f->subnet);
    text_is(q, "image", f->image);
    if (!str_empty(f->type_family))
        family_is(op, q, f->type_family, f->type);
    else
        text_is(q, "type", f->type);
    if (is_pattern(f->name))
        query_text(q, "name", CMP_LIKE, wildcard_like(op->arena, f->name));
    else
        text_is(q, "name", f->name);
    if (!str_empty(f->status))
        status_query(q, f->status);
    if (!str_empty(f->charge))
        query_num(q, "charge", CMP_EQ,
                  streq(f->charge, "PrePaid") ? CHARGE_PREPAID : CHARGE_POSTPAID);
    if (f->tags.n)
        tags_are(op, q, &f->tags);
    if (!str_empty(f->secgroup))
        secgroup_is(op, q, f->secgroup);
    if (f->by_ids)
        query_in(q, "id", f->ids.v, f->ids.n);
    if (f->by_ips)
        query_in(q, "ip", f->ips.v, f->ips.n);
    if (f->created_from)
        query_num(q, "created_at", CMP_GE, f->created_from);
    if (f->created_to)
        query_num(q, "created_at", CMP_LE, f->created_to);
}

/* ---- tests of a row ---- */

static bool has_attrs(const struct inst *in, const struct inst_filter *f)
{
    json_t *attrs CLEANUP(json_unref_p) = attrs_load(in->attrs);

    for (size_t i = 0; i < INST_ATTR_FILTERS; i++)
        if (!str_empty(f->attrs[i].value) &&
            !streq(attrs_str(attrs, f->attrs[i].name, f->attrs[i].def), f->attrs[i].value))
            return false;
    return true;
}

static bool has_lock(struct op *op, const struct inst *in, const char *lock)
{
    static const struct {
        const char *name;
        enum lock_reason bit;
    } bits[] = {{"security", LOCK_SECURITY},
                {"dedicatedhostfinancial", LOCK_HOST_FINANCIAL},
                {"refunded", LOCK_REFUNDED}};

    if (streq(lock, "financial"))
        return financially_locked(in, op->now);
    if (streq(lock, "Recycling"))
        return is_recycling(in);
    for (size_t i = 0; i < ARRAY_LEN(bits); i++)
        if (streq(lock, bits[i].name))
            return in->locks & bits[i].bit;
    return false;
}

static bool asks_attrs(const struct inst_filter *f)
{
    for (size_t i = 0; i < INST_ATTR_FILTERS; i++)
        if (!str_empty(f->attrs[i].value))
            return true;
    return false;
}

static bool asks_lock(const struct inst_filter *f)
{
    return !str_empty(f->lock);
}

static bool asks_rows(const struct inst_filter *f)
{
    return asks_lock(f) || asks_attrs(f);
}

static bool row_matches(struct op *op, const struct inst_filter *f, const struct inst *in)
{
    return (!asks_lock(f) || has_lock(op, in, f->lock)) && has_attrs(in, f);
}

/* ---- by the store alone ---- */

static void list_by_store(struct op *op, struct query *q, const struct page *page,
                          struct inst_page *ret)
{
    q->order = ORDER;
    q->limit = page->limit + 1;
    q->offset = page->offset;
    q->below = page->below;
    ret->rows = store_page(op->tx, &rec_inst, q, &ret->n, &ret->total);
    if (ret->n > page->limit) {
        ret->n = page->limit;
        ret->next = page_token(op->arena, ret->rows[page->limit - 1].num);
    }
}

/* ---- row by row ---- */

struct match {
    const char *id;
    int64_t num;
};

struct matches {
    struct match *v; /* malloc'd; ids in the operation's arena */
    size_t n, cap;
};

static void keep(struct op *op, struct matches *m, const struct inst *in)
{
    if (m->n == m->cap) {
        m->cap = m->cap ? 2 * m->cap : 64;
        m->v = xrealloc(m->v, m->cap * sizeof(*m->v));
    }
    m->v[m->n++] = (struct match){arena_str(op->arena, in->id), in->num};
}

static void walk(struct op *op, const struct inst_filter *f, struct query *q, struct matches *m)
{
    struct arena *portion CLEANUP(arena_free_p) = arena_new();
    size_t n;

    q->order = ORDER;
    q->limit = PORTION;
    tx_use_arena(op->tx, portion);
    do {
        struct inst *rows = store_find(op->tx, &rec_inst, q, &n);

        for (size_t i = 0; i < n; i++)
            if (row_matches(op, f, &rows[i]))
                keep(op, m, &rows[i]);
        if (n)
            q->below = rows[n - 1].num;
        arena_clear(portion);
    } while (n == PORTION);
    tx_use_arena(op->tx, op->arena);
}

static size_t first_after(const struct matches *m, const struct page *page)
{
    size_t i = 0;

    if (!page->by_token)
        return page->offset < m->n ? page->offset : m->n;
    while (page->below && i < m->n && m->v[i].num >= page->below)
        i++;
    return i;
}

static void list_by_rows(struct op *op, const struct inst_filter *f, struct query *q,
                         const struct page *page, struct inst_page *ret)
{
    struct matches m = {0};

    walk(op, f, q, &m);
    size_t first = first_after(&m, page), left = m.n - first;
    size_t n = left < page->limit ? left : page->limit;
    ret->total = (int64_t)m.n;
    ret->rows = ARENA_ARRAY(op->arena, struct inst, n + 1);
    for (size_t i = 0; i < n; i++)
        ret->n += store_get(op->tx, &rec_inst, m.v[first + i].id, &ret->rows[ret->n]);
    if (left > n)
        ret->next = page_token(op->arena, m.v[first + n - 1].num);
    free(m.v);
}

/* ---- both ---- */

/* False: there is no such key pair, so nothing has it. */
static bool keypair_is(struct op *op, struct query *q, const char *name)
{
    struct query by_name = {0};
    struct keypair pair;

    if (str_empty(name))
        return true;
    text_is(&by_name, "account", op->account);
    query_text(&by_name, "name", CMP_EQ, name);
    if (!store_first(op->tx, &rec_keypair, &by_name, &pair))
        return false;
    query_text(q, "keypair", CMP_EQ, pair.id);
    return true;
}

void inst_list(struct op *op, const struct inst_filter *f, const struct page *page,
               struct inst_page *ret)
{
    struct query base = {0};

    *ret = (struct inst_page){0};
    if (f->none || !keypair_is(op, &base, f->keypair))
        return;
    conditions(op, f, &base);
    if (asks_rows(f))
        list_by_rows(op, f, &base, page, ret);
    else
        list_by_store(op, &base, page, ret);
}
