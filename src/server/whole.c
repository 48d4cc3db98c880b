/* One chore of the whole, step by step. */
#include "server/whole.h"

#include <errno.h>
#include <sys/stat.h>

#include "base/log.h"
#include "control/snapshots.h"
#include "core/chore.h"
#include "core/clock.h"
#include "core/reset.h"
#include "net/loop.h"
#include "server/leftovers.h"
#include "server/sweep.h"

enum {
    POLL_MS = 5,
    AGAIN_MS = 500,      /* the store could not be written */
    PATIENCE_MS = 90000, /* with machines on their way out; a boot may take a third of it */
};

struct whole {
    struct upkeep_config config;
    void (*ended)(void *ctx);
    void *ctx;
    bool stopping, busy;
    struct chore chore; /* its texts are in `arena` */
    struct arena *arena;
    struct write write;
    struct staging staging;
    struct swap swap;
    struct leftovers leftovers;
    uint64_t until;
    struct loop_timer *timer;
    enum err failure;
    struct fail fail;
};

/* With a seed a save and each load of it are followed by the same ids: the saved counter numbers
 * the life that begins then. */
static void begin_life(struct whole *all, struct tx *tx)
{
    struct core *core = all->config.core;

    if (core->settings.seed)
        world_begin_life(core->world, store_next(tx, "life"));
}

/* ---- its end ---- */

static void end(void *arg);

static enum err end_run(struct write *w, struct tx *tx)
{
    struct whole *all = CONTAINER_OF(w, struct whole, write);
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    struct fail f = {0};
    struct op op = op_own(all->config.core, tx, a, &f);

    tx_use_arena(tx, a);
    if (all->chore.kind == CHORE_SAVE && !all->failure)
        begin_life(all, tx);
    chore_go_on(&op, CHORE_WHOLE, CHORE_DONE, all->failure, all->failure ? all->fail.detail : "");
    tx_use_arena(tx, NULL);
    return ERR_NONE;
}

static void after(struct whole *all, uint64_t ms, void (*cb)(void *arg))
{
    loop_timer_free(all->timer);
    all->timer = loop_timer_new(all->config.loop, cb, all);
    loop_timer_set(all->timer, ms, 0);
}

static void end_done(struct write *w)
{
    struct whole *all = CONTAINER_OF(w, struct whole, write);

    if (all->stopping)
        return;
    if (w->result) {
        after(all, AGAIN_MS, end);
        return;
    }
    arena_free(all->arena);
    all->arena = NULL;
    all->busy = false;
    all->ended(all->ctx);
}

static void submit(struct whole *all, enum err (*run)(struct write *w, struct tx *tx),
                   void (*done)(struct write *w), bool alone)
{
    all->write = (struct write){.run = run, .done = done, .alone = alone};
    if (!store_submit(all->config.store, &all->write))
        return;
    all->write.result = ERR_UNAVAILABLE;
    done(&all->write);
}

static void end(void *arg)
{
    submit(arg, end_run, end_done, false);
}

static void over(struct whole *all, enum err e)
{
    static const char *const said[] = {[CHORE_SAVE] = "a snapshot was saved",
                                       [CHORE_LOAD] = "a snapshot was loaded",
                                       [CHORE_RESET] = "everything was reset"};
    static const char *const failed[] = {[CHORE_SAVE] = "a snapshot could not be saved",
                                         [CHORE_LOAD] = "a snapshot could not be loaded",
                                         [CHORE_RESET] = "the reset failed"};

    if (e && all->fail.err != e)
        (void)fail(&all->fail, e, "%s", err_text(e));
    all->failure = e;
    if (all->chore.kind < ARRAY_LEN(said))
        log_write(e ? LOG_WARN : LOG_INFO, e ? failed[all->chore.kind] : said[all->chore.kind],
                  "name", *all->chore.name ? all->chore.name : NULL, "why",
                  e ? all->fail.detail : NULL, NULL);
    end(all);
}

/* ---- saving ---- */

static enum err save_run(struct write *w, struct tx *tx)
{
    struct whole *all = CONTAINER_OF(w, struct whole, write);
    CLEANUP(free_p) char *dir = xasprintf("%s/snapshots", all->config.dir);

    if (mkdir(dir, 0700) < 0 && errno != EEXIST)
        return fail(&all->fail, ERR_INTERNAL, "%s cannot be made: %s", dir, strerror(errno));
    return store_save(tx, snapshot_path(all->arena, all->config.dir, all->chore.name), &all->fail);
}

static void save_done(struct write *w)
{
    struct whole *all = CONTAINER_OF(w, struct whole, write);

    if (!all->stopping)
        over(all, w->result);
}

/* ---- the others' rows in the place of these ---- */

/* They are the directory's, whatever is loaded: its images, what was signed, what is being done. */
static const struct record *const kept[] = {&rec_image, &rec_nonce, &rec_chore, &rec_leftover,
                                            NULL};

/* The old rows are there for the last time: whose machines are there? */
static void leave(struct whole *all, struct tx *tx)
{
    if (all->config.has_files)
        leftovers_note(&all->leftovers, tx, all->arena);
}

/* The new rows are there: what of the old machines has no instance any more? */
static void arrive(struct whole *all, struct tx *tx)
{
    struct op op = op_own(all->config.core, tx, all->arena, &all->fail);
    struct chore renew = {
        .key = CHORE_RENEWS, .kind = CHORE_RENEW, .state = CHORE_WANTED, .name = "", .why = ""};

    leftovers_write(&all->leftovers, tx);
    store_delete(tx, &rec_chore, CHORE_RENEWS);
    store_insert(tx, &rec_chore, &renew);
    chore_go_on(&op, CHORE_WHOLE, CHORE_SWAPPED, ERR_NONE, "");
}

static void on_leaving(struct swap *s, struct tx *tx)
{
    leave(CONTAINER_OF(s, struct whole, swap), tx);
}

static void on_arrived(struct swap *s, struct tx *tx)
{
    begin_life(CONTAINER_OF(s, struct whole, swap), tx);
    arrive(CONTAINER_OF(s, struct whole, swap), tx);
}

static enum err load_run(struct write *w, struct tx *tx)
{
    struct whole *all = CONTAINER_OF(w, struct whole, write);

    all->swap = (struct swap){
        .from = all->staging.to, .keep = kept, .leaving = on_leaving, .arrived = on_arrived};
    tx_use_arena(tx, all->arena);
    enum err e = store_swap(tx, &all->swap, &all->fail);
    tx_use_arena(tx, NULL);
    return e;
}

static enum err reset_run(struct write *w, struct tx *tx)
{
    struct whole *all = CONTAINER_OF(w, struct whole, write);
    struct op op = op_own(all->config.core, tx, all->arena, &all->fail);

    tx_use_arena(tx, all->arena);
    leave(all, tx);
    reset_all(&op);
    arrive(all, tx);
    tx_use_arena(tx, NULL);
    return ERR_NONE;
}

/* ---- nothing runs, then the rows, then all of it again ---- */

/* Also when it failed: what was stopped for it is started again. */
static void open_again(struct whole *all)
{
    clockwork_reload(all->config.clockwork);
    supervisor_resume(all->config.supervisor);
    atomic_store(&all->config.core->closed, NULL);
}

static void sweep(struct whole *all)
{
    if (all->config.has_files)
        sweep_disks(all->config.store, all->config.dir);
}

static void swap_done(struct write *w)
{
    struct whole *all = CONTAINER_OF(w, struct whole, write);

    leftovers_clear(&all->leftovers);
    if (all->stopping)
        return;
    if (!w->result)
        sweep(all);
    open_again(all);
    over(all, w->result);
}

static void poll_held(void *arg)
{
    struct whole *all = arg;
    const char *why;

    if (all->stopping)
        return;
    enum supervisor_holds holds = supervisor_holds(all->config.supervisor, &why);
    if (holds == HOLDS && !clockwork_still(all->config.clockwork))
        holds = HOLDS_NOT_YET;
    if (holds == HOLDS_NOT_YET && loop_now_ms(all->config.loop) < all->until) {
        loop_timer_set(all->timer, POLL_MS, 0);
        return;
    }
    if (holds == HOLDS) {
        bool load = all->chore.kind == CHORE_LOAD;

        submit(all, load ? load_run : reset_run, swap_done, load);
        return;
    }
    (void)fail(&all->fail, ERR_UNAVAILABLE, "%s",
               holds == HOLDS_NOT_EVER ? why : "what was under way did not end in time");
    open_again(all);
    over(all, ERR_UNAVAILABLE);
}

static void held_open(struct write *w)
{
    struct whole *all = CONTAINER_OF(w, struct whole, write);

    if (all->stopping)
        return;
    supervisor_hold(all->config.supervisor);
    clockwork_hold(all->config.clockwork);
    all->until = loop_now_ms(all->config.loop) + PATIENCE_MS;
    after(all, 0, poll_held);
}

/* An operation that a fault makes hang ends with the fault. */
static enum err unhang_run(struct write *w, struct tx *tx)
{
    (void)w;
    store_clear(tx, &rec_engine_fault);
    return ERR_NONE;
}

static void hold(struct whole *all)
{
    atomic_store(&all->config.core->closed,
                 all->chore.kind == CHORE_LOAD
                     ? "the server is loading a snapshot; try again when that has ended"
                     : "the server is being reset; try again when that has ended");
    submit(all, unhang_run, held_open, false);
}

/* ---- loading ---- */

/* What is sealed in it must open with our master key. */
static enum err same_vault(struct staging *s, struct tx *tx, struct fail *f)
{
    struct whole *all = CONTAINER_OF(s, struct whole, staging);
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    struct vault *v = all->config.core->vault;
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
    struct whole *all = CONTAINER_OF(w, struct whole, write);

    (void)tx;
    return store_stage(&all->staging, &all->fail);
}

static void stage_done(struct write *w)
{
    struct whole *all = CONTAINER_OF(w, struct whole, write);

    if (all->stopping)
        return;
    if (w->result)
        over(all, w->result);
    else
        hold(all);
}

static void load(struct whole *all)
{
    all->staging =
        (struct staging){.from = snapshot_path(all->arena, all->config.dir, all->chore.name),
                         .to = arena_fmt(all->arena, "%s/snapshots/.loading", all->config.dir),
                         .look = same_vault};
    submit(all, stage_run, stage_done, true);
}

/* ---- the beginning ---- */

static void save(struct whole *all)
{
    submit(all, save_run, save_done, true);
}

/* The last life ended between the swap and saying so. */
static void said_late(struct whole *all)
{
    sweep(all);
    over(all, ERR_NONE);
}

void whole_begin(struct whole *all, const struct chore *c)
{
    static void (*const first[])(struct whole *) = {
        [CHORE_SAVE] = save, [CHORE_LOAD] = load, [CHORE_RESET] = hold};

    if (all->busy)
        return;
    all->busy = true;
    all->arena = arena_new();
    all->chore = *c;
    all->chore.name = arena_str(all->arena, c->name);
    all->fail.err = ERR_NONE;
    if (c->state == CHORE_SWAPPED)
        said_late(all);
    else if (c->kind < ARRAY_LEN(first))
        first[c->kind](all);
    else
        over(all, ERR_INTERNAL);
}

bool whole_busy(const struct whole *all)
{
    return all->busy;
}

/* ---- life ---- */

struct whole *whole_new(const struct upkeep_config *config, void (*ended)(void *ctx), void *ctx)
{
    struct whole *all = xcalloc(1, sizeof(*all));

    *all = (struct whole){.config = *config, .ended = ended, .ctx = ctx};
    return all;
}

void whole_stop(struct whole *all)
{
    all->stopping = true;
}

void whole_free(struct whole *all)
{
    loop_timer_free(all->timer);
    leftovers_clear(&all->leftovers);
    arena_free(all->arena);
    free(all);
}
