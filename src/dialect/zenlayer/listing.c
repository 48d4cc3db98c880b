/* Pages and filters. */
#include "dialect/zenlayer/listing.h"

#include "dialect/zenlayer/rules.h"

void zec_page_query(struct query *q, const struct zec_page *p)
{
    q->limit = (size_t)p->size;
    q->offset = (size_t)(p->number - 1) * (size_t)p->size;
}

void zec_mine(struct call *c, struct query *q)
{
    if (c->op.account)
        query_text(q, "account", CMP_EQ, c->op.account);
}

/* A text taken apart: is it pinned to the beginning, to the end? */
struct fuzzy {
    const char *text;
    bool from_start, to_end;
};

static struct fuzzy read_fuzzy(struct arena *a, const char *text)
{
    struct fuzzy f = {.from_start = *text == '^'};
    size_t n;

    text += f.from_start;
    n = strlen(text);
    f.to_end = n > 0 && text[n - 1] == '$';
    f.text = arena_strn(a, text, n - f.to_end);
    return f;
}

void zec_query_fuzzy(struct arena *a, struct query *q, const char *column, const char *text)
{
    CLEANUP(buf_done) struct buf b = {0};
    struct fuzzy f = read_fuzzy(a, text);

    if (f.from_start && f.to_end) {
        query_text(q, column, CMP_EQ, f.text);
        return;
    }
    if (!f.from_start)
        buf_char(&b, '%');
    for (const char *s = f.text; *s; s++) {
        if (strchr("%_\\", *s))
            buf_char(&b, '\\');
        buf_char(&b, *s);
    }
    if (!f.to_end)
        buf_char(&b, '%');
    query_text(q, column, CMP_LIKE, arena_str(a, buf_cstr(&b)));
}

bool zec_fuzzy(struct arena *a, const char *value, const char *text)
{
    struct fuzzy f = read_fuzzy(a, text);

    if (f.from_start && f.to_end)
        return streq(value, f.text);
    if (f.from_start)
        return str_starts(value, f.text);
    return f.to_end ? str_ends(value, f.text) : strstr(value, f.text) != NULL;
}

bool zec_tag_filter_empty(const struct zec_tag_filter *f)
{
    return !f->keys.n && !f->tags.n;
}

void zec_tag_filter_query(struct arena *a, struct query *q, const struct zec_tag_filter *f)
{
    const char **keys = ARENA_ARRAY(a, const char *, f->tags.n);
    const char **values = ARENA_ARRAY(a, const char *, f->tags.n);
    const struct zec_tag *tags = f->tags.v;

    for (size_t i = 0; i < f->tags.n; i++) {
        keys[i] = tags[i].key;
        values[i] = tags[i].value;
    }
    if (f->keys.n)
        query_tags(q, "tags", f->keys.v, NULL, f->keys.n);
    if (f->tags.n)
        query_tags(q, "tags", keys, values, f->tags.n);
}
