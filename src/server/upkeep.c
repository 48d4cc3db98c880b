/* Chores of the whole, step by step. */
#include "server/upkeep.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/log.h"
#include "control/snapshots.h"
#include "core/chore.h"
#include "core/clock.h"
#include "core/reset.h"
#include "net/loop.h"
#include "server/tenants.h"

enum {
    POLL_MS = 5,
    RENEW_POLL_MS = 50,
    AGAIN_MS = 500,      /* the store could not be written */
    PATIENCE_MS = 90000, /* with machines on their way out; a boot may take a third of it */
    AT_ONCE = 500,
    SWEPT = 100000, /* directory entries looked at */
};

struct upkeep {
    struct upkeep_config config;
    bool stopping;
    int64_t seen; /* the newest chore */

    /* of the whole; one at a time */
    bool busy, waiting; /* waiting: for machines to stop */
    struct chore chore; /* its texts are in `arena` */
    struct arena *arena;
    struct write write;
    struct staging staging;
    struct swap swap;
    const char **gone; /* instances before the swap, and their subnets: two texts each */
    size_t n_gone, gone_room;
    uint64_t until;
    struct loop_timer *timer;
    enum err failure;
    struct fail fail;

    struct tenants *tenants;

    bool renewing;
    struct write renewed;
    struct loop_timer *renew_poll;
};

static struct op op_for(struct upkeep *u, struct tx *tx, struct arena *a, struct fail *f)
{
    return (struct op){.core = u->config.core,
                       .tx = tx,
                       .arena = a,
                       .now = clock_now(u->config.core, NULL),
                       .fail = f};
}

/* With a seed a save and each load of it are followed by the same ids: the saved counter numbers
 * the life that begins then. */
static void begin_life(struct upkeep *u, struct tx *tx)
{
    struct core *core = u->config.core;

    if (core->settings.seed)
        world_begin_life(core->world, store_next(tx, "life"));
}

/* ---- its end ---- */

static void end(void *arg);

static enum err end_run(struct write *w, struct tx *tx)
{
    struct upkeep *u = CONTAINER_OF(w, struct upkeep, write);
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    struct fail f = {0};
    struct op op = op_for(u, tx, a, &f);

    tx_use_arena(tx, a);
    if (u->chore.kind == CHORE_SAVE && !u->failure)
        begin_life(u, tx);
    chore_go_on(&op, CHORE_WHOLE, CHORE_DONE, u->failure, u->failure ? u->fail.detail : "");
    tx_use_arena(tx, NULL);
    return ERR_NONE;
}

static void try_again(struct upkeep *u, struct loop_timer **timer, void (*cb)(void *arg))
{
    loop_timer_free(*timer);
    *timer = loop_timer_new(u->config.loop, cb, u);
    loop_timer_set(*timer, AGAIN_MS, 0);
}

static void look(struct upkeep *u);

static void end_done(struct write *w)
{
    struct upkeep *u = CONTAINER_OF(w, struct upkeep, write);

    if (u->stopping)
        return;
    if (w->result) {
        try_again(u, &u->timer, end);
        return;
    }
    arena_free(u->arena);
    u->arena = NULL;
    u->busy = false;
    look(u);
}

static void submit(struct upkeep *u, enum err (*run)(struct write *w, struct tx *tx),
                   void (*done)(struct write *w), bool alone)
{
    u->write = (struct write){.run = run, .done = done, .alone = alone};
    if (!store_submit(u->config.store, &u->write))
        return;
    u->write.result = ERR_UNAVAILABLE;
    done(&u->write);
}

static void end(void *arg)
{
    submit(arg, end_run, end_done, false);
}

static void over(struct upkeep *u, enum err e)
{
    static const char *const said[] = {[CHORE_SAVE] = "a snapshot was saved",
                                       [CHORE_LOAD] = "a snapshot was loaded",
                                       [CHORE_RESET] = "everything was reset"};
    static const char *const failed[] = {[CHORE_SAVE] = "a snapshot could not be saved",
                                         [CHORE_LOAD] = "a snapshot could not be loaded",
                                         [CHORE_RESET] = "the reset failed"};

    if (e && u->fail.err != e)
        (void)fail(&u->fail, e, "%s", err_text(e));
    u->failure = e;
    if (u->chore.kind < ARRAY_LEN(said))
        log_write(e ? LOG_WARN : LOG_INFO, e ? failed[u->chore.kind] : said[u->chore.kind], "name",
                  *u->chore.name ? u->chore.name : NULL, "why", e ? u->fail.detail : NULL, NULL);
    end(u);
}

/* ---- saving ---- */

static enum err save_run(struct write *w, struct tx *tx)
{
    struct upkeep *u = CONTAINER_OF(w, struct upkeep, write);
    CLEANUP(free_p) char *dir = xasprintf("%s/snapshots", u->config.dir);

    if (mkdir(dir, 0700) < 0 && errno != EEXIST)
        return fail(&u->fail, ERR_INTERNAL, "%s cannot be made: %s", dir, strerror(errno));
    return store_save(tx, snapshot_path(u->arena, u->config.dir, u->chore.name), &u->fail);
}

static void save_done(struct write *w)
{
    struct upkeep *u = CONTAINER_OF(w, struct upkeep, write);

    if (!u->stopping)
        over(u, w->result);
}

/* ---- the others' rows in the place of these ---- */

/* They are the directory's, whatever is loaded: its images, what was signed, what is being done. */
static const struct record *const kept[] = {&rec_image, &rec_nonce, &rec_chore, &rec_leftover,
                                            NULL};

static void remember(struct upkeep *u, const struct inst *in)
{
    if (u->n_gone + 2 > u->gone_room) {
        u->gone_room = u->gone_room ? 2 * u->gone_room : 256;
        u->gone = xrealloc(u->gone, u->gone_room * sizeof(*u->gone));
    }
    u->gone[u->n_gone++] = arena_str(u->arena, in->id);
    u->gone[u->n_gone++] = arena_str(u->arena, in->subnet);
}

static void remember_all(struct upkeep *u, struct tx *tx)
{
    size_t n = AT_ONCE;

    u->n_gone = 0;
    for (int64_t below = 0; u->config.has_files && n == AT_ONCE;) {
        CLEANUP(arena_free_p) struct arena *a = arena_new();
        struct query q = {.limit = AT_ONCE, .below = below};

        tx_use_arena(tx, a);
        struct inst *insts = store_find(tx, &rec_inst, &q, &n);
        for (size_t i = 0; i < n; i++)
            remember(u, &insts[i]);
        if (n)
            below = insts[n - 1].num;
    }
    tx_use_arena(tx, u->arena);
}

/* The new rows are there: what of the old machines has no instance any more? */
static void arrive(struct upkeep *u, struct tx *tx)
{
    struct op op = op_for(u, tx, u->arena, &u->fail);
    struct chore renew = {
        .key = CHORE_RENEWS, .kind = CHORE_RENEW, .state = CHORE_WANTED, .name = "", .why = ""};

    for (size_t i = 0; i < u->n_gone; i += 2) {
        struct leftover left = {.inst = u->gone[i], .subnet = u->gone[i + 1]};
        struct inst in;

        if (store_get(tx, &rec_inst, left.inst, &in))
            continue;
        store_delete(tx, &rec_leftover, left.inst);
        store_insert(tx, &rec_leftover, &left);
    }
    store_delete(tx, &rec_chore, CHORE_RENEWS);
    store_insert(tx, &rec_chore, &renew);
    chore_go_on(&op, CHORE_WHOLE, CHORE_SWAPPED, ERR_NONE, "");
}

static void on_leaving(struct swap *s, struct tx *tx)
{
    remember_all(CONTAINER_OF(s, struct upkeep, swap), tx);
}

static void on_arrived(struct swap *s, struct tx *tx)
{
    begin_life(CONTAINER_OF(s, struct upkeep, swap), tx);
    arrive(CONTAINER_OF(s, struct upkeep, swap), tx);
}

static enum err load_run(struct write *w, struct tx *tx)
{
    struct upkeep *u = CONTAINER_OF(w, struct upkeep, write);

    u->swap = (struct swap){
        .from = u->staging.to, .keep = kept, .leaving = on_leaving, .arrived = on_arrived};
    tx_use_arena(tx, u->arena);
    enum err e = store_swap(tx, &u->swap, &u->fail);
    tx_use_arena(tx, NULL);
    return e;
}

static enum err reset_run(struct write *w, struct tx *tx)
{
    struct upkeep *u = CONTAINER_OF(w, struct upkeep, write);
    struct op op = op_for(u, tx, u->arena, &u->fail);

    tx_use_arena(tx, u->arena);
    remember_all(u, tx);
    reset_all(&op);
    arrive(u, tx);
    tx_use_arena(tx, NULL);
    return ERR_NONE;
}

/* ---- free disks whose rows are gone ---- */

static bool has_row(struct upkeep *u, const char *disk)
{
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    struct tx *tx = store_read(u->config.store, a);
    struct disk d;
    bool has = store_get(tx, &rec_disk, disk, &d) || tx_failed(tx);

    store_read_end(tx);
    return has;
}

static void sweep(struct upkeep *u)
{
    static const char tail[] = ".qcow2";
    CLEANUP(free_p) char *path = xasprintf("%s/disks", u->config.dir);
    DIR *d = u->config.has_files ? opendir(path) : NULL;
    struct dirent *e;

    for (int i = 0; d && i < SWEPT && (e = readdir(d)); i++) {
        size_t n = strlen(e->d_name);

        if (n < sizeof(tail) || !str_ends(e->d_name, tail))
            continue;
        CLEANUP(free_p) char *id = xasprintf("%.*s", (int)(n - strlen(tail)), e->d_name);
        if (!has_row(u, id))
            (void)unlinkat(dirfd(d), e->d_name, 0); /* tried again at the next load */
    }
    if (d)
        (void)closedir(d); /* only read */
}

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
    if (u->busy || !supervisor_renewed(u->config.supervisor)) {
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

/* ---- nothing runs, then the rows, then all of it again ---- */

/* Also when it failed: what was stopped for it is started again. */
static void open_again(struct upkeep *u)
{
    clockwork_reload(u->config.clockwork);
    supervisor_resume(u->config.supervisor);
    atomic_store(&u->config.core->closed, NULL);
    await_renewed(u);
}

static void swap_done(struct write *w)
{
    struct upkeep *u = CONTAINER_OF(w, struct upkeep, write);

    free(u->gone);
    u->gone = NULL;
    u->n_gone = u->gone_room = 0;
    if (u->stopping)
        return;
    if (!w->result)
        sweep(u);
    open_again(u);
    over(u, w->result);
}

static void poll_held(void *arg)
{
    struct upkeep *u = arg;
    const char *why;
    enum supervisor_holds holds = supervisor_holds(u->config.supervisor, &why);

    if (u->stopping)
        return;
    if (holds == HOLDS && !clockwork_still(u->config.clockwork))
        holds = HOLDS_NOT_YET;
    if (holds == HOLDS_NOT_YET && loop_now_ms(u->config.loop) < u->until) {
        loop_timer_set(u->timer, POLL_MS, 0);
        return;
    }
    if (holds == HOLDS) {
        bool load = u->chore.kind == CHORE_LOAD;

        submit(u, load ? load_run : reset_run, swap_done, load);
        return;
    }
    (void)fail(&u->fail, ERR_UNAVAILABLE, "%s",
               holds == HOLDS_NOT_EVER ? why : "what was under way did not end in time");
    open_again(u);
    over(u, ERR_UNAVAILABLE);
}

static void held_open(struct write *w)
{
    struct upkeep *u = CONTAINER_OF(w, struct upkeep, write);

    if (u->stopping)
        return;
    supervisor_hold(u->config.supervisor);
    clockwork_hold(u->config.clockwork);
    u->until = loop_now_ms(u->config.loop) + PATIENCE_MS;
    loop_timer_free(u->timer);
    u->timer = loop_timer_new(u->config.loop, poll_held, u);
    loop_timer_set(u->timer, 0, 0);
}

/* An operation that a fault makes hang ends with the fault. */
static enum err unhang_run(struct write *w, struct tx *tx)
{
    (void)w;
    store_clear(tx, &rec_engine_fault);
    return ERR_NONE;
}

static void hold(struct upkeep *u)
{
    atomic_store(&u->config.core->closed,
                 u->chore.kind == CHORE_LOAD
                     ? "the server is loading a snapshot; try again when that has ended"
                     : "the server is being reset; try again when that has ended");
    submit(u, unhang_run, held_open, false);
}

/* ---- loading ---- */

/* What is sealed in it must open with our master key. */
static enum err same_vault(struct staging *s, struct tx *tx, struct fail *f)
{
    struct upkeep *u = CONTAINER_OF(s, struct upkeep, staging);
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    struct vault *v = u->config.core->vault;
    struct query first = {.order = "id"};
    struct access_key key;
    struct kms_key kms;
    struct bytes opened;
    struct fail why = {0};
    enum err e = ERR_NONE;

    tx_use_arena(tx, a);
    if (store_first(tx, &rec_kms_key, &first, &kms))
        e = vault_open_sealed(v, a, kms.id, kms.material, &opened, &why);
    if (!e && store_first(tx, &rec_access_key, &first, &key))
        e = vault_open_sealed(v, a, key.id, key.secret, &opened, &why);
    return e ? fail(f, ERR_SNAPSHOT_UNUSABLE,
                    "the snapshot is of another data directory: its secrets are sealed with "
                    "another master.key")
             : ERR_NONE;
}

static enum err stage_run(struct write *w, struct tx *tx)
{
    struct upkeep *u = CONTAINER_OF(w, struct upkeep, write);

    (void)tx;
    return store_stage(&u->staging, &u->fail);
}

static void stage_done(struct write *w)
{
    struct upkeep *u = CONTAINER_OF(w, struct upkeep, write);

    if (u->stopping)
        return;
    if (w->result)
        over(u, w->result);
    else
        hold(u);
}

static void load(struct upkeep *u)
{
    u->staging = (struct staging){.from = snapshot_path(u->arena, u->config.dir, u->chore.name),
                                  .to = arena_fmt(u->arena, "%s/snapshots/.loading", u->config.dir),
                                  .look = same_vault};
    submit(u, stage_run, stage_done, true);
}

/* ---- the beginning ---- */

static void save(struct upkeep *u)
{
    submit(u, save_run, save_done, true);
}

/* The last life ended between the swap and saying so. */
static void said_late(struct upkeep *u)
{
    sweep(u);
    over(u, ERR_NONE);
}

static void begin(struct upkeep *u, const struct chore *c)
{
    static void (*const first[])(struct upkeep *) = {
        [CHORE_SAVE] = save, [CHORE_LOAD] = load, [CHORE_RESET] = hold};

    u->busy = true;
    u->arena = arena_new();
    u->chore = *c;
    u->chore.name = arena_str(u->arena, c->name);
    u->fail.err = ERR_NONE;
    if (c->state == CHORE_SWAPPED)
        said_late(u);
    else if (c->kind < ARRAY_LEN(first))
        first[c->kind](u);
    else
        over(u, ERR_INTERNAL);
}

/* ---- what there is to do ---- */

static void take_up(struct upkeep *u, const struct chore *c)
{
    if (c->kind == CHORE_RENEW)
        await_renewed(u);
    else if (*c->key)
        tenants_begin(u->tenants, c);
    else if (!u->busy)
        begin(u, c);
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
    sweep(ctx);
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
    tenants_stop(u->tenants);
}

void upkeep_free(struct upkeep *u)
{
    if (!u)
        return;
    tenants_free(u->tenants);
    loop_timer_free(u->timer);
    loop_timer_free(u->renew_poll);
    free(u->gone);
    arena_free(u->arena);
    free(u);
}
