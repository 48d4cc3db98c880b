/* Harm from the store to the driver and back. */
#include "engine/harms.h"

#include "base/map.h"
#include "core/clock.h"
#include "core/harm.h"
#include "net/loop.h"

enum { PATIENCE_MS = 10000, RETRY_MS = 500, AT_ONCE = 64 };

/* One that the driver was told, until the store has learned what became of it. */
struct asked {
    struct write write;
    struct harms *h;
    char *inst, *error; /* NULL: done */
    bool telling;
    struct loop_timer *timer; /* first patience, then the next try to tell */
};

struct harms {
    struct harms_config config;
    struct map *asked; /* instance id -> struct asked */
    bool stopping;
};

static void asked_free(struct asked *a)
{
    loop_timer_free(a->timer);
    free(a->inst);
    free(a->error);
    free(a);
}

static void forget(struct asked *a)
{
    (void)map_remove(a->h->asked, a->inst);
    asked_free(a);
}

/* ---- telling the store ---- */

static void submit(struct asked *a);

static enum err tell(struct write *w, struct tx *tx)
{
    struct asked *a = CONTAINER_OF(w, struct asked, write);
    CLEANUP(arena_free_p) struct arena *arena = arena_new();
    struct fail f = {0};
    struct op op = op_own(a->h->config.core, tx, arena, &f);

    tx_use_arena(tx, arena);
    op.now = op_now_of_inst(&op, a->inst, NULL);
    enum err e = harm_end(&op, a->inst, a->error);
    tx_use_arena(tx, NULL);
    return e;
}

static void told(struct write *w)
{
    struct asked *a = CONTAINER_OF(w, struct asked, write);

    if (w->result && !a->h->stopping)
        loop_timer_set(a->timer, RETRY_MS, 0);
    else
        forget(a);
}

static void submit(struct asked *a)
{
    a->telling = true;
    a->write = (struct write){.run = tell, .done = told};
    if (store_submit(a->h->config.store, &a->write))
        loop_timer_set(a->timer, RETRY_MS, 0);
}

void harms_done(struct harms *h, const char *inst, const char *error)
{
    struct asked *a = map_get(h->asked, inst);

    if (!a || a->telling || h->stopping)
        return;
    a->error = error ? xstrdup(error) : NULL;
    loop_timer_stop(a->timer);
    submit(a);
}

void harms_stopped(struct harms *h, const char *inst)
{
    struct asked *a = map_get(h->asked, inst);

    if (a && !a->telling)
        forget(a);
}

static void on_timer(void *arg)
{
    struct asked *a = arg;

    if (a->telling)
        submit(a);
    else
        harms_done(a->h, a->inst, "the machine did not react in time");
}

/* ---- telling the driver ---- */

static void ask(struct harms *h, struct engine *e, const struct harm *row)
{
    struct asked *a = xcalloc(1, sizeof(*a));

    a->h = h;
    a->inst = xstrdup(row->inst);
    a->timer = loop_timer_new(h->config.loop, on_timer, a);
    loop_timer_set(a->timer, PATIENCE_MS, 0);
    map_put(h->asked, a->inst, a);
    h->config.driver->harm(e, row);
}

void harms_kick(struct harms *h, struct engine *e)
{
    CLEANUP(arena_free_p) struct arena *arena = arena_new();
    struct query q = {.order = "inst", .limit = AT_ONCE};
    size_t n;

    if (!h->config.core->settings.controls || h->stopping)
        return;
    query_text(&q, "error", CMP_EQ, "");
    struct tx *tx = store_read(h->config.store, arena);
    const struct harm *rows = store_find(tx, &rec_harm, &q, &n);
    bool broken = tx_failed(tx);
    store_read_end(tx);
    for (size_t i = 0; i < n && !broken; i++)
        if (!map_get(h->asked, rows[i].inst))
            ask(h, e, &rows[i]);
}

/* ---- life ---- */

struct harms *harms_new(const struct harms_config *config)
{
    struct harms *h = xcalloc(1, sizeof(*h));

    h->config = *config;
    h->asked = map_new();
    return h;
}

static void hold_back(void *ctx, const char *inst, void *value)
{
    struct asked *a = value;

    (void)ctx;
    (void)inst;
    loop_timer_stop(a->timer);
}

void harms_stop(struct harms *h)
{
    if (!h)
        return;
    h->stopping = true;
    map_each(h->asked, hold_back, NULL);
}

static void free_asked(void *ctx, const char *inst, void *value)
{
    (void)ctx;
    (void)inst;
    asked_free(value);
}

void harms_free(struct harms *h)
{
    if (!h)
        return;
    map_each(h->asked, free_asked, NULL);
    map_free(h->asked);
    free(h);
}
