/* Clocks: a small table in memory, which every request may ask, beside their rows. */
#include "core/clock.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/map.h"
#include "base/timefmt.h"

struct hand {
    int64_t ahead, stands_at;
};

struct clocks {
    struct world *world;
    atomic_bool moved, differ; /* there is a hand; there is one of an account */
    pthread_mutex_t lock;
    struct map *hands; /* account -> struct hand */
};

/* ---- the table ---- */

struct clocks *clocks_new(struct world *w)
{
    struct clocks *c = xcalloc(1, sizeof(*c));

    c->world = w;
    c->hands = map_new();
    (void)pthread_mutex_init(&c->lock, NULL);
    return c;
}

static void free_hand(void *ctx, const char *account, void *hand)
{
    (void)ctx;
    (void)account;
    free(hand);
}

void clocks_free(struct clocks *c)
{
    if (!c)
        return;
    map_each(c->hands, free_hand, NULL);
    map_free(c->hands);
    (void)pthread_mutex_destroy(&c->lock);
    free(c);
}

static void put(struct clocks *c, const struct clock_row *row)
{
    struct hand *h = map_get(c->hands, row->account);

    if (!h) {
        h = xcalloc(1, sizeof(*h));
        map_put(c->hands, row->account, h);
    }
    *h = (struct hand){.ahead = row->ahead, .stands_at = row->stands_at};
    if (*row->account)
        atomic_store(&c->differ, true);
    atomic_store(&c->moved, true);
}

void clock_put(struct clocks *c, const struct clock_row *row)
{
    (void)pthread_mutex_lock(&c->lock);
    put(c, row);
    (void)pthread_mutex_unlock(&c->lock);
}

void clock_drop(struct clocks *c, const char *account)
{
    (void)pthread_mutex_lock(&c->lock);
    free(map_remove(c->hands, account));
    (void)pthread_mutex_unlock(&c->lock);
}

void clocks_load(struct clocks *c, struct tx *tx)
{
    size_t n;
    const struct clock_row *rows =
        store_find(tx, &rec_clock, &(struct query){.order = "account"}, &n);

    (void)pthread_mutex_lock(&c->lock);
    map_each(c->hands, free_hand, NULL);
    map_free(c->hands);
    c->hands = map_new();
    atomic_store(&c->moved, false);
    atomic_store(&c->differ, false);
    for (size_t i = 0; i < n; i++)
        put(c, &rows[i]);
    (void)pthread_mutex_unlock(&c->lock);
}

static int64_t real_now(const struct core *core)
{
    return core->world->now_ms(core->world);
}

bool clocks_moved(const struct core *core)
{
    return core->clocks && atomic_load(&core->clocks->moved);
}

bool clocks_differ(const struct core *core)
{
    return core->clocks && atomic_load(&core->clocks->differ);
}

/* The account's own, or everybody's; a copy, and all zero when nobody moved it. */
static struct hand hand_of(const struct core *core, const char *account, bool *ret_own)
{
    struct clocks *c = core->clocks;
    struct hand *h, copy = {0};

    *ret_own = false;
    if (!clocks_moved(core))
        return copy;
    (void)pthread_mutex_lock(&c->lock);
    h = str_empty(account) ? NULL : map_get(c->hands, account);
    *ret_own = h != NULL;
    if (!h)
        h = map_get(c->hands, "");
    if (h)
        copy = *h;
    (void)pthread_mutex_unlock(&c->lock);
    return copy;
}

static int64_t shown(const struct core *core, const struct hand *h)
{
    return h->stands_at ? h->stands_at : real_now(core) + h->ahead;
}

int64_t clock_now(const struct core *core, const char *account)
{
    bool own;
    struct hand h = hand_of(core, account, &own);

    return shown(core, &h);
}

struct op op_own(struct core *core, struct tx *tx, struct arena *a, struct fail *f)
{
    return (struct op){.core = core, .tx = tx, .arena = a, .now = clock_now(core, NULL), .fail = f};
}

int64_t op_now_of_inst(struct op *op, const char *inst, const char *account)
{
    struct inst in;

    if (!clocks_moved(op->core))
        return op->now;
    if (!account && store_get(op->tx, &rec_inst, inst, &in))
        account = in.account;
    return clock_now(op->core, account);
}

const char *clock_of(const struct core *core, const char *account)
{
    bool own;

    (void)hand_of(core, account, &own);
    return own ? account : "";
}

bool clock_stands(const struct core *core, const char *account)
{
    bool own;

    return hand_of(core, account, &own).stands_at != 0;
}

struct slowest {
    const struct core *core;
    int64_t least;
};

static void slower(void *ctx, const char *account, void *hand)
{
    struct slowest *s = ctx;
    int64_t now = shown(s->core, hand);

    (void)account;
    if (now < s->least)
        s->least = now;
}

int64_t clocks_slowest(const struct core *core)
{
    struct slowest s = {.core = core, .least = real_now(core)};

    if (!clocks_moved(core))
        return s.least;
    (void)pthread_mutex_lock(&core->clocks->lock);
    map_each(core->clocks->hands, slower, &s);
    (void)pthread_mutex_unlock(&core->clocks->lock);
    return s.least;
}

/* ---- wishes ---- */

void clock_row(struct op *op, const char *account, struct clock_row *ret)
{
    if (!store_get(op->tx, &rec_clock, account, ret))
        *ret = (struct clock_row){.account = account};
}

/* What is due to the account goes by its own clock from now on. */
static void take_due(struct op *op, const char *account)
{
    struct query q = {0};
    size_t n;

    query_text(&q, "account", CMP_EQ, account);
    struct due *rows = store_find(op->tx, &rec_due, &q, &n);
    for (size_t i = 0; i < n; i++) {
        rows[i].clock = account;
        store_update(op->tx, &rec_due, &rows[i]);
    }
}

static enum err on_its_way(struct op *op, const struct clock_row *row)
{
    const char *whose = *row->account
                            ? arena_fmt(op->arena, "the clock of account %s", row->account)
                            : "everybody's clock";

    if (row->target)
        return fail(op->fail, ERR_CLOCK,
                    "%s is on its way to %s; ask again when it has arrived (`ostler clock show`)",
                    whose, time_seconds(op->arena, row->target));
    return fail(op->fail, ERR_CLOCK, "%s was told something a moment ago; ask again", whose);
}

/* The clock's row, made when it is first told something; it begins as everybody's. */
static enum err find(struct op *op, const char *account, struct clock_row *ret)
{
    if (store_get(op->tx, &rec_clock, account, ret))
        return ret->wish ? on_its_way(op, ret) : ERR_NONE;
    *ret = (struct clock_row){.account = account};
    if (*account) {
        clock_row(op, "", ret);
        if (ret->wish)
            return on_its_way(op, ret);
        ret->account = account;
        take_due(op, account);
    }
    store_insert(op->tx, &rec_clock, ret);
    return ERR_NONE;
}

static enum err wish(struct op *op, enum clock_wish w, int64_t target, const char *kind,
                     struct clock_row *row)
{
    struct op his = *op;

    row->wish = w;
    row->target = target;
    store_update(op->tx, &rec_clock, row);
    his.account = *row->account ? row->account : NULL;
    his.now = clock_now(op->core, row->account);
    event_append(&his, *row->account ? row->account : "clock", kind,
                 target ? time_seconds(op->arena, target) : NULL);
    return ERR_NONE;
}

static enum err go_to(struct op *op, int64_t to, const char *kind, struct clock_row *row)
{
    if (to < CLOCK_MIN || to > CLOCK_MAX)
        return fail(op->fail, ERR_PARAM_VALUE, "a clock shows %s to %s",
                    time_seconds(op->arena, CLOCK_MIN), time_seconds(op->arena, CLOCK_MAX));
    return wish(op, row->stands_at ? CLOCK_REST_AT : CLOCK_GO_TO, to, kind, row);
}

enum err clock_advance(struct op *op, const char *account, int64_t by_ms, struct clock_row *ret)
{
    enum err e = find(op, account, ret);

    return e ? e : go_to(op, clock_now(op->core, account) + by_ms, "clock-advanced", ret);
}

enum err clock_set(struct op *op, const char *account, int64_t to, struct clock_row *ret)
{
    enum err e = find(op, account, ret);
    int64_t now = clock_now(op->core, account);

    if (e)
        return e;
    if (to < now)
        return fail(op->fail, ERR_CLOCK,
                    "it is %s by this clock, and no clock goes back; what was before comes again "
                    "only from a snapshot",
                    time_seconds(op->arena, now));
    return go_to(op, to, "clock-set", ret);
}

enum err clock_freeze(struct op *op, const char *account, struct clock_row *ret)
{
    enum err e = find(op, account, ret);

    return e ? e : wish(op, CLOCK_FREEZE, 0, "clock-frozen", ret);
}

enum err clock_resume(struct op *op, const char *account, struct clock_row *ret)
{
    enum err e = find(op, account, ret);

    return e ? e : wish(op, CLOCK_RESUME, 0, "clock-resumed", ret);
}

void clock_begin(struct op *op, int64_t at)
{
    store_insert(op->tx, &rec_clock, &(struct clock_row){.account = "", .stands_at = at});
}
