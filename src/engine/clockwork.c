/* Clocks on their way, and what is due on those that go. */
#include "engine/clockwork.h"

#include "base/log.h"
#include "base/map.h"
#include "base/timefmt.h"
#include "core/clock.h"
#include "core/due.h"
#include "engine/supervisor.h"
#include "net/loop.h"

enum {
    LOOK_MS = 1000,        /* between two looks at clocks that go */
    WAIT_MS = 100,         /* between two looks at what a clock waits for */
    WAIT_AT_MOST = 300000, /* for machines whose operations take real time */
    THINGS_AT_ONCE = 256,  /* in one write */
};

/* One clock. It has one write under way at most, and none while it waits. */
struct tick {
    struct write write;
    struct clockwork *c;
    struct clock_row row; /* account is `name` */
    bool writing;
    bool travels;         /* on its way to row.target */
    int64_t until;        /* of the write: what is due up to then happens */
    bool position;        /* the next write writes the row, too */
    bool puts;            /* of the write, which is another thread's: it writes the row */
    uint64_t waits_since; /* 0: it does not wait */
    bool gave_up;         /* something takes too long to be waited for */
    struct arena *arena;  /* the write's */
    char name[];
};

struct clockwork {
    struct clockwork_config config;
    struct map *ticks;       /* account -> struct tick */
    struct loop_timer *look; /* the next look at all clocks */
    struct loop_timer *wait; /* the next look at those that wait */
    bool stopping, held;
};

static struct tick *tick_of(struct clockwork *c, const char *account)
{
    struct tick *t = map_get(c->ticks, account);
    size_t n = strlen(account) + 1;

    if (t)
        return t;
    t = xcalloc(1, sizeof(*t) + n);
    t->c = c;
    memcpy(t->name, account, n);
    t->row.account = t->name;
    map_put(c->ticks, account, t);
    return t;
}

/* ---- writing ---- */

static void go_on(struct tick *t);
static bool take_wishes(struct clockwork *c);

static enum err run(struct write *w, struct tx *tx)
{
    struct tick *t = CONTAINER_OF(w, struct tick, write);
    struct fail f = {0};
    struct op op = {
        .core = t->c->config.core, .tx = tx, .arena = t->arena, .now = t->until, .fail = &f};

    tx_use_arena(tx, t->arena);
    if (t->puts)
        store_update(tx, &rec_clock, &t->row); /* nothing, where it was removed meanwhile */
    if (t->until)
        (void)due_run(&op, t->name, t->until, THINGS_AT_ONCE);
    tx_use_arena(tx, NULL);
    return ERR_NONE;
}

static void done(struct write *w)
{
    struct tick *t = CONTAINER_OF(w, struct tick, write);
    struct clockwork *c = t->c;

    t->writing = false;
    arena_free(t->arena);
    t->arena = NULL;
    if (c->stopping)
        return;
    if (w->result) {
        log_write(LOG_ERROR, "what time brings could not be written; trying again", "clock",
                  *t->name ? t->name : "everybody's", NULL);
        loop_timer_set(c->wait, LOOK_MS, 0);
        return;
    }
    t->position = false;
    supervisor_kick(c->config.supervisor);
    go_on(t);
    if (!t->travels && !c->held)
        (void)take_wishes(c); /* what it was told since */
}

/* `until` 0: nothing happens but the row is written. */
static void submit(struct tick *t, int64_t until)
{
    t->write = (struct write){.run = run, .done = done};
    t->until = until;
    t->puts = t->position;
    t->arena = arena_new();
    t->writing = !store_submit(t->c->config.store, &t->write);
    if (t->writing)
        return;
    arena_free(t->arena);
    t->arena = NULL;
    loop_timer_set(t->c->wait, WAIT_MS, 0);
}

/* The clock shows what its row says, from now on; the next write writes it. */
static void show(struct tick *t)
{
    t->position = true;
    clock_put(t->c->config.core->clocks, &t->row);
}

/* The same, where it was stopped or set going. */
static void turn(struct tick *t)
{
    show(t);
    supervisor_clocks_changed(t->c->config.supervisor);
}

static int64_t real_now(const struct clockwork *c)
{
    return c->config.core->world->now_ms(c->config.core->world);
}

static int64_t now_of(const struct tick *t)
{
    return clock_now(t->c->config.core, t->name);
}

static int64_t next_due(const struct tick *t, bool *ret_broken)
{
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    struct tx *tx = store_read(t->c->config.store, a);
    int64_t at = due_next(tx, t->name);

    *ret_broken = tx_failed(tx);
    store_read_end(tx);
    return at;
}

/* ---- on the way ---- */

/* Has all that came of the last step been written and begun? */
static bool settled(struct tick *t)
{
    struct clockwork *c = t->c;
    uint64_t now = loop_now_ms(c->config.loop);

    if (supervisor_settled(c->config.supervisor, t->name)) {
        t->waits_since = 0;
        t->gave_up = false;
        return true;
    }
    if (!t->waits_since)
        t->waits_since = now;
    if (now - t->waits_since > WAIT_AT_MOST && !t->gave_up) {
        log_write(LOG_WARN, "a clock goes on though an operation of the engine has not ended",
                  "clock", *t->name ? t->name : "everybody's", NULL);
        t->gave_up = true;
    }
    if (!t->gave_up)
        loop_timer_set(c->wait, WAIT_MS, 0);
    return t->gave_up;
}

static void arrive(struct tick *t)
{
    int64_t at = t->row.target > t->row.stands_at ? t->row.target : t->row.stands_at;

    t->row.stands_at = t->row.wish == CLOCK_REST_AT ? at : 0;
    t->row.ahead = at - real_now(t->c);
    t->row.target = 0;
    t->row.wish = CLOCK_CONTENT;
    t->travels = false;
    turn(t);
    submit(t, 0);
}

/* To the next moment at which something happens. Operations that end come before what is due at the
 * same moment. */
static void step(struct tick *t)
{
    struct supervisor *s = t->c->config.supervisor;
    bool broken;
    int64_t due = next_due(t, &broken), ends = supervisor_next(s, t->name);
    int64_t at = due < ends ? due : ends;

    if (broken) {
        loop_timer_set(t->c->wait, LOOK_MS, 0);
        return;
    }
    if (at > t->row.target) {
        arrive(t);
        return;
    }
    if (at > t->row.stands_at)
        t->row.stands_at = at;
    show(t);
    submit(t, ends <= t->row.stands_at ? 0 : t->row.stands_at);
    if (t->writing) /* what ended is told after the clock's new position is written */
        supervisor_run_until(s, t->name, t->row.stands_at);
}

static void travel(struct tick *t)
{
    if (!t->row.stands_at) {
        t->row.stands_at = now_of(t);
        turn(t);
    }
    if (settled(t))
        step(t);
}

/* ---- as it goes ---- */

/* What it has passed happens now, and the next look is when the next thing is due. */
static void look_at(struct tick *t)
{
    bool broken;
    int64_t at = next_due(t, &broken), now = now_of(t);

    if (!broken && at <= now)
        submit(t, now);
    else if (!broken && at - now < LOOK_MS && !clock_stands(t->c->config.core, t->name))
        loop_timer_set(t->c->look, (uint64_t)(at - now), LOOK_MS);
}

static void go_on(struct tick *t)
{
    if (t->writing || t->c->stopping || t->c->held || !supervisor_ready(t->c->config.supervisor))
        return;
    if (t->travels)
        travel(t);
    else if (t->position)
        submit(t, 0);
    else
        look_at(t);
}

static void go_on_each(void *ctx, const char *account, void *tick)
{
    (void)ctx;
    (void)account;
    go_on(tick);
}

static void look(void *arg)
{
    struct clockwork *c = arg;

    map_each(c->ticks, go_on_each, NULL);
}

static void travel_each(void *ctx, const char *account, void *tick)
{
    struct tick *t = tick;

    (void)ctx;
    (void)account;
    if (t->travels || t->position)
        go_on(t);
}

void clockwork_told(struct clockwork *c)
{
    if (!c->stopping)
        map_each(c->ticks, travel_each, NULL);
}

static void wait_over(void *arg)
{
    clockwork_told(arg);
}

/* ---- wishes ---- */

static void take(struct clockwork *c, const struct clock_row *row)
{
    struct tick *t = tick_of(c, row->account);

    if (t->writing || t->travels || t->position)
        return; /* it is at it; afterwards it looks again */
    t->row = *row;
    t->row.account = t->name;
    if (row->wish == CLOCK_GO_TO || row->wish == CLOCK_REST_AT) {
        t->travels = true;
        clock_put(c->config.core->clocks, &t->row); /* an account's first shows everybody's */
        go_on(t);
        return;
    }
    int64_t at = now_of(t);
    t->row.stands_at = row->wish == CLOCK_FREEZE ? at : 0;
    t->row.ahead = at - real_now(c);
    t->row.wish = CLOCK_CONTENT;
    turn(t);
    go_on(t);
}

/* Clocks that were told something. True: the store could be read. */
static bool take_wishes(struct clockwork *c)
{
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    struct query q = {.order = "account"};
    size_t n;

    query_num(&q, "wish", CMP_NE, CLOCK_CONTENT);
    struct tx *tx = store_read(c->config.store, a);
    const struct clock_row *rows = store_find(tx, &rec_clock, &q, &n);
    bool broken = tx_failed(tx);
    store_read_end(tx);
    for (size_t i = 0; i < n && !broken; i++)
        take(c, &rows[i]);
    return !broken;
}

void clockwork_kick(struct clockwork *c)
{
    if (c->stopping || c->held || !c->config.core->settings.controls)
        return;
    if (!take_wishes(c))
        loop_timer_set(c->look, LOOK_MS, LOOK_MS);
}

/* ---- life ---- */

/* All clocks that there are, each as its row says. */
static void meet(struct clockwork *c)
{
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    size_t n;
    struct tx *tx = store_read(c->config.store, a);
    const struct clock_row *rows =
        store_find(tx, &rec_clock, &(struct query){.order = "account"}, &n);

    clocks_load(c->config.core->clocks, tx);
    store_read_end(tx);
    (void)tick_of(c, "");
    for (size_t i = 0; i < n; i++)
        (void)tick_of(c, rows[i].account);
}

struct clockwork *clockwork_new(const struct clockwork_config *config)
{
    struct clockwork *c = xcalloc(1, sizeof(*c));

    c->config = *config;
    c->ticks = map_new();
    c->look = loop_timer_new(config->loop, look, c);
    c->wait = loop_timer_new(config->loop, wait_over, c);
    meet(c);
    (void)take_wishes(c);
    loop_timer_set(c->look, 0, LOOK_MS);
    return c;
}

void clockwork_hold(struct clockwork *c)
{
    c->held = true;
}

static void is_writing(void *ctx, const char *account, void *tick)
{
    (void)account;
    *(bool *)ctx |= ((const struct tick *)tick)->writing;
}

bool clockwork_still(const struct clockwork *c)
{
    bool writing = false;

    map_each(c->ticks, is_writing, &writing);
    return !writing;
}

static void forget_way(void *ctx, const char *account, void *tick)
{
    struct tick *t = tick;

    (void)ctx;
    (void)account;
    t->travels = t->position = false;
}

void clockwork_reload(struct clockwork *c)
{
    map_each(c->ticks, forget_way, NULL);
    meet(c);
    supervisor_clocks_changed(c->config.supervisor);
    c->held = false;
    (void)take_wishes(c);
}

void clockwork_forget(struct clockwork *c, const char *account)
{
    clock_drop(c->config.core->clocks, account);
    if (map_get(c->ticks, account))
        forget_way(NULL, account, map_get(c->ticks, account));
    supervisor_clocks_changed(c->config.supervisor);
}

void clockwork_stop(struct clockwork *c)
{
    if (!c || c->stopping)
        return;
    c->stopping = true;
    loop_timer_stop(c->look);
    loop_timer_stop(c->wait);
}

static void free_tick(void *ctx, const char *account, void *tick)
{
    struct tick *t = tick;

    (void)ctx;
    (void)account;
    arena_free(t->arena);
    free(t);
}

void clockwork_free(struct clockwork *c)
{
    if (!c)
        return;
    clockwork_stop(c);
    map_each(c->ticks, free_tick, NULL);
    map_free(c->ticks);
    loop_timer_free(c->look);
    loop_timer_free(c->wait);
    free(c);
}
