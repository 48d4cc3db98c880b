/*
 * Most filters are conditions of the store's query, and then a page costs what it shows. The few
 * that are not (name patterns, tags, security groups, attributes) are tested row by row: everything
 * the query leaves is walked in portions, each in an arena of its own, and only the keys of what
 * matches are kept.
 */
#include "dialect/alibaba/inst_list.h"

#include "core/lists.h"
#include "dialect/alibaba/attrs.h"
#include "dialect/alibaba/status.h"

#define ORDER "-created_at,id"

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

/* At most 17 conditions with status's 6; the walk adds 2. */
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
    if (is_pattern(f->name)) /* upper and lower case are alike to this: rows are tested again */
        query_text(q, "name", CMP_LIKE, wildcard_like(op->arena, f->name));
    else
        text_is(q, "name", f->name);
    if (!str_empty(f->status))
        status_query(q, f->status);
    if (!str_empty(f->charge))
        query_num(q, "charge", CMP_EQ,
                  streq(f->charge, "PrePaid") ? CHARGE_PREPAID : CHARGE_POSTPAID);
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

static bool has_secgroup(struct arena *a, const struct inst *in, const char *id)
{
    size_t n;
    const char **ids = list_split(a, in->secgroups, &n);

    for (size_t i = 0; i < n; i++)
        if (streq(ids[i], id))
            return true;
    return false;
}

static bool has_tags(const struct inst *in, const struct objs *wanted)
{
    json_t *tags CLEANUP(json_unref_p) = attrs_load(in->tags);
    const struct tag *v = wanted->v;

    for (size_t i = 0; i < wanted->n; i++) {
        const char *value = attrs_str(tags, v[i].key, NULL);

        if (!value || (!str_empty(v[i].value) && !streq(value, v[i].value)))
            return false;
    }
    return true;
}

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
    if (streq(lock, "financial"))
        return financially_locked(in, op->now);
    if (streq(lock, "security"))
        return in->locks & LOCK_SECURITY;
    return streq(lock, "Recycling") && in->state == INST_RECYCLED;
}

static bool asks_attrs(const struct inst_filter *f)
{
    for (size_t i = 0; i < INST_ATTR_FILTERS; i++)
        if (!str_empty(f->attrs[i].value))
            return true;
    return false;
}

static bool asks_rows(const struct inst_filter *f)
{
    return is_pattern(f->name) || !str_empty(f->secgroup) || !str_empty(f->lock) || f->tags.n ||
           asks_attrs(f);
}

static bool row_matches(struct op *op, struct arena *a, const struct inst_filter *f,
                        const struct inst *in)
{
    return (!is_pattern(f->name) || wildcard_match(f->name, in->name)) &&
           (str_empty(f->secgroup) || has_secgroup(a, in, f->secgroup)) &&
           (str_empty(f->lock) || has_lock(op, in, f->lock)) && has_tags(in, &f->tags) &&
           has_attrs(in, f);
}

/* ---- by the store alone ---- */

/* Up to `limit` rows that follow (time, id) in the order; from the beginning when id is NULL. */
static struct inst *rows_after(struct op *op, const struct query *base, int64_t time,
                               const char *id, size_t limit, struct arena *a, size_t *ret_n)
{
    struct query same = *base, older = *base;
    size_t n = 0, more;

    older.order = ORDER;
    older.limit = limit;
    if (!id)
        return store_find(op->tx, &rec_inst, &older, ret_n);

    struct inst *rows = ARENA_ARRAY(a, struct inst, limit);
    query_num(&same, "created_at", CMP_EQ, time);
    query_text(&same, "id", CMP_GT, id);
    same.order = "id";
    same.limit = limit;
    struct inst *found = store_find(op->tx, &rec_inst, &same, &n);
    if (n)
        memcpy(rows, found, n * sizeof(*rows));
    if (n < limit) {
        query_num(&older, "created_at", CMP_LT, time);
        older.limit = limit - n;
        found = store_find(op->tx, &rec_inst, &older, &more);
        if (more)
            memcpy(rows + n, found, more * sizeof(*rows));
        n += more;
    }
    *ret_n = n;
    return rows;
}

static void list_by_store(struct op *op, const struct query *base, const struct page *page,
                          struct inst_page *ret)
{
    struct query q = *base;

    ret->total = store_count(op->tx, &rec_inst, base);
    if (page->by_token) {
        ret->rows = rows_after(op, base, page->after_time, page->after_id, page->limit + 1,
                               op->arena, &ret->n);
    } else {
        q.order = ORDER;
        q.limit = page->limit + 1;
        q.offset = page->offset;
        ret->rows = store_find(op->tx, &rec_inst, &q, &ret->n);
    }
    if (ret->n > page->limit) {
        const struct inst *last = &ret->rows[page->limit - 1];

        ret->n = page->limit;
        ret->next = page_token(op->arena, last->created_at, last->id);
    }
}

/* ---- row by row ---- */

struct match {
    const char *id;
    int64_t created_at;
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
    m->v[m->n++] = (struct match){arena_str(op->arena, in->id), in->created_at};
}

static void walk(struct op *op, const struct inst_filter *f, const struct query *base,
                 struct matches *m)
{
    struct arena *portion CLEANUP(arena_free_p) = arena_new();
    char *last CLEANUP(free_p) = NULL;
    int64_t time = 0;
    size_t n;

    tx_use_arena(op->tx, portion);
    do {
        struct inst *rows = rows_after(op, base, time, last, PORTION, portion, &n);

        for (size_t i = 0; i < n; i++)
            if (row_matches(op, portion, f, &rows[i]))
                keep(op, m, &rows[i]);
        if (n) {
            free(last);
            last = xstrdup(rows[n - 1].id);
            time = rows[n - 1].created_at;
        }
        arena_clear(portion);
    } while (n == PORTION);
    tx_use_arena(op->tx, op->arena);
}

static size_t first_after(const struct matches *m, const struct page *page)
{
    size_t i = 0;

    if (!page->by_token)
        return page->offset < m->n ? page->offset : m->n;
    while (page->after_id && i < m->n &&
           (m->v[i].created_at > page->after_time ||
            (m->v[i].created_at == page->after_time && strcmp(m->v[i].id, page->after_id) <= 0)))
        i++;
    return i;
}

static void list_by_rows(struct op *op, const struct inst_filter *f, const struct query *base,
                         const struct page *page, struct inst_page *ret)
{
    struct matches m = {0};

    walk(op, f, base, &m);
    size_t first = first_after(&m, page), left = m.n - first;
    size_t n = left < page->limit ? left : page->limit;
    ret->total = (int64_t)m.n;
    ret->rows = ARENA_ARRAY(op->arena, struct inst, n + 1);
    for (size_t i = 0; i < n; i++)
        ret->n += store_get(op->tx, &rec_inst, m.v[first + i].id, &ret->rows[ret->n]);
    if (left > n)
        ret->next = page_token(op->arena, m.v[first + n - 1].created_at, m.v[first + n - 1].id);
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
