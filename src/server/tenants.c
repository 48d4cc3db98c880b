/* Accounts that are emptied. */
#include "server/tenants.h"

#include "core/chore.h"
#include "core/clock.h"
#include "core/reset.h"
#include "net/loop.h"

enum {
    POLL_MS = 5,
    AGAIN_MS = 500,      /* the store could not be written */
    PATIENCE_MS = 90000, /* with machines on their way out */
    AT_ONCE = 500,
};

/* What is being done to one account. */
struct tenant {
    struct tenant *next;
    struct tenants *ts;
    struct write write;
    bool writing, over, late;
    int64_t left;
    uint64_t until, again_at;
    enum chore_kind kind;
    struct arena *arena; /* of the write */
    struct fail fail;
    char account[];
};

struct tenants {
    struct upkeep_config config;
    void (*cleared)(void *ctx);
    void *ctx;
    struct tenant *first;
    struct loop_timer *poll;
    bool stopping;
};

static bool tenant_step(struct tenant *t, struct tx *tx)
{
    struct tenants *ts = t->ts;
    struct op op = op_own(ts->config.core, tx, t->arena, &t->fail);

    t->left = account_release(&op, t->account);
    if (t->left && !t->late)
        return false; /* their jobs are under way */
    if (t->left) {
        chore_go_on(&op, t->account, CHORE_DONE, ERR_UNAVAILABLE,
                    arena_fmt(t->arena,
                              "%lld instances of the account could not be released; "
                              "`ostler show` says why",
                              (long long)t->left));
        return true;
    }
    account_clear(&op, t->account);
    if (t->kind == CHORE_REMOVE)
        account_delete(&op, t->account);
    chore_go_on(&op, t->account, CHORE_DONE, ERR_NONE, "");
    return true;
}

static enum err tenant_run(struct write *w, struct tx *tx)
{
    struct tenant *t = CONTAINER_OF(w, struct tenant, write);

    tx_use_arena(tx, t->arena);
    t->over = tenant_step(t, tx);
    tx_use_arena(tx, NULL);
    return ERR_NONE;
}

static void tenant_free(struct tenant *t)
{
    for (struct tenant **at = &t->ts->first; *at; at = &(*at)->next)
        if (*at == t) {
            *at = t->next;
            break;
        }
    arena_free(t->arena);
    free(t);
}

static void tenant_done(struct write *w)
{
    struct tenant *t = CONTAINER_OF(w, struct tenant, write);
    struct tenants *ts = t->ts;

    t->writing = false;
    arena_clear(t->arena);
    if (ts->stopping)
        return;
    if (w->result || !t->over) {
        supervisor_kick(ts->config.supervisor);
        loop_timer_set(ts->poll, w->result ? AGAIN_MS : POLL_MS, 0);
        return;
    }
    clockwork_forget(ts->config.clockwork, t->account);
    tenant_free(t); /* it may be asked for again already */
    ts->cleared(ts->ctx);
}

/* Has the account no instances left? Then the rest may go. */
static bool is_empty(struct tenants *ts, const char *account)
{
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    struct query mine = {0};

    query_text(&mine, "account", CMP_EQ, account);
    struct tx *tx = store_read(ts->config.store, a);
    int64_t n = store_count(tx, &rec_inst, &mine);
    bool failed = tx_failed(tx);
    store_read_end(tx);
    return !n && !failed;
}

/* Nobody waits for a guest of theirs to shut down. True: one is not on its way out, having come
 * late, or because its release failed. */
static bool hurry(struct tenants *ts, const char *account)
{
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    struct query mine = {.limit = AT_ONCE};
    bool stays = false;
    size_t n;

    query_text(&mine, "account", CMP_EQ, account);
    struct tx *tx = store_read(ts->config.store, a);
    struct inst *insts = store_find(tx, &rec_inst, &mine, &n);
    store_read_end(tx);
    for (size_t i = 0; i < n; i++) {
        stays |= insts[i].verb != VERB_FORCE_RELEASE;
        supervisor_hurry(ts->config.supervisor, insts[i].id);
    }
    return stays;
}

static void tenant_write(struct tenant *t)
{
    t->again_at = loop_now_ms(t->ts->config.loop) + AGAIN_MS;
    t->writing = true;
    t->over = false;
    t->write = (struct write){.run = tenant_run, .done = tenant_done};
    if (store_submit(t->ts->config.store, &t->write))
        t->writing = false;
}

static void poll_tenants(void *arg)
{
    struct tenants *ts = arg;

    for (struct tenant *t = ts->first; t; t = t->next) {
        if (t->writing)
            continue; /* the writer's thread has it */
        uint64_t at = loop_now_ms(ts->config.loop);

        t->late = at >= t->until;
        bool stays = hurry(ts, t->account);
        if (t->late || (stays && at >= t->again_at) || is_empty(ts, t->account))
            tenant_write(t);
    }
    if (ts->first)
        loop_timer_set(ts->poll, POLL_MS, 0);
}

static struct tenant *tenant_find(struct tenants *ts, const char *account)
{
    struct tenant *t = ts->first;

    while (t && !streq(t->account, account))
        t = t->next;
    return t;
}

void tenants_begin(struct tenants *ts, const struct chore *c)
{
    size_t n = strlen(c->key) + 1;

    if (tenant_find(ts, c->key))
        return;
    struct tenant *t = xcalloc(1, sizeof(*t) + n);
    *t = (struct tenant){.next = ts->first,
                         .ts = ts,
                         .kind = c->kind,
                         .arena = arena_new(),
                         .until = loop_now_ms(ts->config.loop) + PATIENCE_MS};
    memcpy(t->account, c->key, n);
    ts->first = t;
    tenant_write(t);
    loop_timer_set(ts->poll, POLL_MS, 0);
}

struct tenants *tenants_new(const struct upkeep_config *config, void (*cleared)(void *ctx),
                            void *ctx)
{
    struct tenants *ts = xcalloc(1, sizeof(*ts));

    *ts = (struct tenants){.config = *config, .cleared = cleared, .ctx = ctx};
    ts->poll = loop_timer_new(config->loop, poll_tenants, ts);
    return ts;
}

void tenants_stop(struct tenants *ts)
{
    ts->stopping = true;
}

void tenants_free(struct tenants *ts)
{
    while (ts->first)
        tenant_free(ts->first);
    loop_timer_free(ts->poll);
    free(ts);
}
