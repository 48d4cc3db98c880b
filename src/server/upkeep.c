/* Who does which chore, and when a new one is there. */
#include "server/upkeep.h"

#include "core/chore.h"
#include "net/loop.h"
#include "server/sweep.h"
#include "server/tenants.h"
#include "server/whole.h"

enum { RENEW_POLL_MS = 50 };

struct upkeep {
    struct upkeep_config config;
    bool stopping;
    int64_t seen; /* the newest chore */
    struct whole *whole;
    struct tenants *tenants;
    bool renewing;
    struct write renewed;
    struct loop_timer *renew_poll;
};

/* ---- machines that a load says have been running all the time ---- */

static enum err renewed_run(struct write *w, struct tx *tx)
{
    (void)w;
    store_delete(tx, &rec_chore, CHORE_RENEWS);
    return ERR_NONE;
}

static void renewed_done(struct write *w)
{
    struct upkeep *u = CONTAINER_OF(w, struct upkeep, renewed);

    u->renewing = false; /* if it was not written, the next life looks once more */
}

static void poll_renewed(void *arg)
{
    struct upkeep *u = arg;

    if (u->stopping)
        return;
    if (whole_busy(u->whole) || !supervisor_renewed(u->config.supervisor)) {
        loop_timer_set(u->renew_poll, RENEW_POLL_MS, 0);
        return;
    }
    u->renewed = (struct write){.run = renewed_run, .done = renewed_done};
    if (store_submit(u->config.store, &u->renewed))
        loop_timer_set(u->renew_poll, RENEW_POLL_MS, 0);
}

static void await_renewed(struct upkeep *u)
{
    if (!u->renewing)
        loop_timer_set(u->renew_poll, RENEW_POLL_MS, 0);
    u->renewing = true;
}

/* ---- what there is to do ---- */

static void take_up(struct upkeep *u, const struct chore *c)
{
    if (c->kind == CHORE_RENEW)
        await_renewed(u);
    else if (*c->key)
        tenants_begin(u->tenants, c);
    else
        whole_begin(u->whole, c);
}

static void look(struct upkeep *u)
{
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    struct query q = {.order = "key"};
    size_t n;

    query_num(&q, "state", CMP_NE, CHORE_DONE);
    struct tx *tx = store_read(u->config.store, a);
    struct chore *chores = store_find(tx, &rec_chore, &q, &n);
    store_read_end(tx);
    for (size_t i = 0; i < n; i++) {
        if (chores[i].id > u->seen)
            u->seen = chores[i].id;
        take_up(u, &chores[i]);
    }
}

/* An account's things are gone. */
static void cleared(void *ctx)
{
    struct upkeep *u = ctx;

    if (u->config.has_files)
        sweep_disks(u->config.store, u->config.dir);
    look(u);
}

static void ended(void *ctx)
{
    look(ctx);
}

/* A number is given before its row is committed: so it is looked for until it has been seen. */
void upkeep_kick(struct upkeep *u)
{
    if (u && !u->stopping && atomic_load(&u->config.core->chore_ids) > u->seen)
        look(u);
}

/* ---- life ---- */

/* Nobody of this life asks for those that are done. */
static enum err forget_run(struct write *w, struct tx *tx)
{
    struct query done = {0};

    (void)w;
    query_num(&done, "state", CMP_EQ, CHORE_DONE);
    store_delete_all(tx, &rec_chore, &done);
    return ERR_NONE;
}

bool upkeep_renews(struct store *s)
{
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    struct write forget = {.run = forget_run};
    struct chore c;

    (void)store_write_now(s, &forget); /* else the next start does */
    struct tx *tx = store_read(s, a);
    bool renews = store_get(tx, &rec_chore, CHORE_RENEWS, &c);
    store_read_end(tx);
    return renews;
}

struct upkeep *upkeep_new(const struct upkeep_config *config)
{
    struct upkeep *u = xcalloc(1, sizeof(*u));

    u->config = *config;
    u->whole = whole_new(config, ended, u);
    u->tenants = tenants_new(config, cleared, u);
    u->renew_poll = loop_timer_new(config->loop, poll_renewed, u);
    look(u);
    atomic_store(&config->core->chore_ids,
                 u->seen); /* the last life's numbers are not given again */
    return u;
}

void upkeep_stop(struct upkeep *u)
{
    if (!u)
        return;
    u->stopping = true;
    whole_stop(u->whole);
    tenants_stop(u->tenants);
}

void upkeep_free(struct upkeep *u)
{
    if (!u)
        return;
    whole_free(u->whole);
    tenants_free(u->tenants);
    loop_timer_free(u->renew_poll);
    free(u);
}
