/* Clocks on their way: the steps, their order, and what a failure leaves. */
#include "check.h"

#include "base/buf.h"
#include "core/clock.h"
#include "core/engine.h"
#include "engine/clockwork.h"
#include "engine/supervisor.h"
#include "net/loop.h"
#include "world.h"

#define DAY INT64_C(86400000)

enum { PATIENCE_MS = 20000 };

/* A server without a net: a loop that delivers what the store has. */
struct works {
    struct test_world *w;
    struct loop *loop;
    struct loop_timer *tick;
    struct supervisor *s;
    struct clockwork *c;
    bool (*over)(struct works *k);
    uint64_t until;
    bool late;
};

static void tick(void *arg)
{
    struct works *k = arg;

    store_deliver(k->w->store);
    k->late = loop_now_ms(k->loop) > k->until;
    if (k->late || k->over(k))
        loop_stop(k->loop);
}

static void wait_until(struct works *k, bool (*over)(struct works *k))
{
    k->over = over;
    k->until = loop_now_ms(k->loop) + PATIENCE_MS;
    loop_timer_set(k->tick, 1, 1);
    (void)loop_run(k->loop);
    loop_timer_stop(k->tick);
    assert_false(k->late);
}

static void told(void *ctx)
{
    struct works *k = ctx;

    if (k->c)
        clockwork_told(k->c);
}

static bool ready(struct works *k)
{
    return supervisor_ready(k->s);
}

static enum err load(struct op *op, void *arg)
{
    (void)arg;
    clocks_load(op->core->clocks, op->tx);
    return ERR_NONE;
}

static void open_works(struct works *k)
{
    struct fail f = {0};

    assert_int_equal(loop_new(&k->loop), 0);
    k->tick = loop_timer_new(k->loop, tick, k);
    assert_int_equal(test_write(k->w, load, NULL), ERR_NONE);
    assert_int_equal(supervisor_new(&(struct supervisor_config){.loop = k->loop,
                                                                .store = k->w->store,
                                                                .core = &k->w->core,
                                                                .driver = &engine_sim,
                                                                .engine = {.dir = k->w->dir,
                                                                           .sim_create_ms = 500,
                                                                           .sim_start_ms = 2000,
                                                                           .sim_stop_ms = 1000,
                                                                           .sim_reboot_ms = 3000},
                                                                .told = told,
                                                                .ctx = k},
                                    &k->s, &f),
                     ERR_NONE);
    k->c = clockwork_new(&(struct clockwork_config){
        .loop = k->loop, .store = k->w->store, .core = &k->w->core, .supervisor = k->s});
    wait_until(k, ready);
}

static bool nothing_in_flight(struct works *k)
{
    return supervisor_settled(k->s, "");
}

static enum err nothing(struct op *op, void *arg)
{
    (void)op;
    (void)arg;
    return ERR_NONE;
}

/* The store stays open; what was submitted before is over when a later write is. */
static void close_works(struct works *k)
{
    wait_until(k, nothing_in_flight);
    clockwork_stop(k->c);
    supervisor_stop(k->s);
    assert_int_equal(test_write(k->w, nothing, NULL), ERR_NONE);
    store_deliver(k->w->store);
    clockwork_free(k->c);
    supervisor_free(k->s);
    loop_timer_free(k->tick);
    loop_free(k->loop);
    k->c = NULL;
}

static int setup(void **state)
{
    struct works *k = xcalloc(1, sizeof(*k));

    k->w = test_world_new();
    k->w->core.clocks = clocks_new(&k->w->world);
    k->w->core.settings.controls = true;
    *state = k;
    return 0;
}

static int teardown(void **state)
{
    struct works *k = *state;
    struct clocks *c = k->w->core.clocks;

    test_world_free(k->w);
    clocks_free(c);
    free(k);
    return 0;
}

/* ---- telling ---- */

struct wish {
    enum err (*tell)(struct op *op, const struct wish *w);
    const char *account;
    int64_t by;
};

static enum err advance(struct op *op, const struct wish *w)
{
    struct clock_row row;

    return clock_advance(op, w->account, w->by, &row);
}

static enum err freeze(struct op *op, const struct wish *w)
{
    struct clock_row row;

    return clock_freeze(op, w->account, &row);
}

static enum err resume(struct op *op, const struct wish *w)
{
    struct clock_row row;

    return clock_resume(op, w->account, &row);
}

static enum err tell(struct op *op, void *arg)
{
    const struct wish *w = arg;

    return w->tell(op, w);
}

static enum err look_content(struct op *op, void *arg)
{
    struct query q = {0};

    query_num(&q, "wish", CMP_NE, CLOCK_CONTENT);
    *(bool *)arg = store_count(op->tx, &rec_clock, &q) == 0;
    return ERR_NONE;
}

static bool content(struct works *k)
{
    bool all;

    assert_int_equal(test_read(k->w, look_content, &all), ERR_NONE);
    return all;
}

static void wish(struct works *k, struct wish w)
{
    assert_int_equal(test_write(k->w, tell, &w), ERR_NONE);
    supervisor_kick(k->s);
    clockwork_kick(k->c);
}

static void wish_and_wait(struct works *k, struct wish w)
{
    wish(k, w);
    wait_until(k, content);
}

/* ---- things to happen ---- */

static enum err create(struct op *op, void *arg)
{
    struct created out;
    struct new_inst n = {.region = "cn-hangzhou",
                         .type = "ecs.t5-lc2m1.nano",
                         .image = "test-image",
                         .count = 3,
                         .start = true,
                         .charge = CHARGE_PREPAID,
                         .expires_at = op->now + 30 * DAY};
    enum err e = inst_create(op, &n, &out);

    memcpy(arg, out.ids, 3 * sizeof(*out.ids));
    return e;
}

/* The moments of the events of this kind about an instance, after `begin`, in seconds: "0.5 2.5 ".
 */
static const char *moments(struct works *k, const char *id, const char *kind, int64_t begin)
{
    CLEANUP(buf_done) struct buf b = {0};
    struct event *log;
    struct query q = {.order = "seq"};
    struct tx *tx = store_read(k->w->store, k->w->arena);
    size_t n;

    query_text(&q, "subject", CMP_EQ, id);
    query_text(&q, "kind", CMP_EQ, kind);
    log = store_find(tx, &rec_event, &q, &n);
    store_read_end(tx);
    for (size_t i = 0; i < n; i++)
        buf_fmt(&b, "%.1f ", (double)(log[i].at - begin) / 1000);
    return arena_str(k->w->arena, buf_cstr(&b));
}

static void a_standing_clock_is_stepped(void **state)
{
    struct works *k = *state;
    const char *ids[3];
    int64_t begin = k->w->now;

    open_works(k);
    wish_and_wait(k, (struct wish){freeze, "", 0});
    k->w->now += 3600000; /* the real time goes on */
    assert_int_equal(clock_now(&k->w->core, ""), begin);
    k->w->now -= 3600000;
    assert_int_equal(test_write(k->w, create, ids), ERR_NONE);
    wish_and_wait(k, (struct wish){advance, "", 2000});
    assert_int_equal(test_inst(k->w, ids[0]).state, INST_STARTING);
    wish_and_wait(k, (struct wish){advance, "", 31 * DAY});
    assert_int_equal(clock_now(&k->w->core, ""), begin + 2000 + 31 * DAY);
    assert_true(clock_stands(&k->w->core, ""));
    for (int i = 0; i < 3; i++) {
        assert_int_equal(test_inst(k->w, ids[i]).state, INST_STOPPED);
        assert_string_equal(moments(k, ids[i], "done", begin), "0.5 2.5 2592001.0 ");
        assert_string_equal(moments(k, ids[i], "expired", begin), "2592000.0 ");
    }
    close_works(k);
}

static void a_clock_that_goes_goes_on_from_there(void **state)
{
    struct works *k = *state;
    const char *ids[3];
    int64_t begin = k->w->now;

    open_works(k);
    assert_int_equal(test_write(k->w, create, ids), ERR_NONE);
    wish_and_wait(k, (struct wish){advance, "", 40 * DAY});
    assert_false(clock_stands(&k->w->core, ""));
    assert_int_equal(clock_now(&k->w->core, ""), begin + 40 * DAY);
    k->w->now += 1234;
    assert_int_equal(clock_now(&k->w->core, ""), begin + 40 * DAY + 1234);
    assert_string_equal(moments(k, ids[0], "done", begin), "0.5 2.5 2592001.0 ");
    wish_and_wait(k, (struct wish){freeze, "", 0});
    k->w->now += DAY;
    assert_int_equal(clock_now(&k->w->core, ""), begin + 40 * DAY + 1234);
    wish_and_wait(k, (struct wish){resume, "", 0});
    assert_int_equal(clock_now(&k->w->core, ""), begin + 40 * DAY + 1234);
    k->w->now += 1;
    assert_int_equal(clock_now(&k->w->core, ""), begin + 40 * DAY + 1235);
    close_works(k);
}

static void another_account_is_left_alone(void **state)
{
    struct works *k = *state;
    const char *ids[3];
    int64_t begin = k->w->now;

    open_works(k);
    wish_and_wait(k, (struct wish){freeze, "", 0});
    assert_int_equal(test_write(k->w, create, ids), ERR_NONE);
    wish_and_wait(k, (struct wish){advance, k->w->account, 2500});
    assert_int_equal(test_inst(k->w, ids[0]).state, INST_RUNNING);
    assert_int_equal(clock_now(&k->w->core, ""), begin);
    wish_and_wait(k, (struct wish){advance, "", 99 * DAY}); /* everybody else's */
    assert_int_equal(test_inst(k->w, ids[0]).state, INST_RUNNING);
    assert_int_equal(clock_now(&k->w->core, k->w->account), begin + 2500);
    close_works(k);
}

static bool expired_one(struct works *k)
{
    struct tx *tx = store_read(k->w->store, k->w->arena);
    struct query q = {0};

    query_text(&q, "kind", CMP_EQ, "expired");
    bool any = store_count(tx, &rec_event, &q) > 0;
    store_read_end(tx);
    return any;
}

static void what_an_ordinary_clock_has_passed_happens(void **state)
{
    struct works *k = *state;
    const char *ids[3];
    int64_t begin = k->w->now;

    assert_int_equal(test_write(k->w, create, ids), ERR_NONE);
    k->w->now += 32 * DAY; /* the server was away */
    open_works(k);
    wait_until(k, expired_one);
    assert_string_equal(moments(k, ids[0], "expired", begin), "2592000.0 ");
    close_works(k);
}

/* The first server ended on the clock's way: its row says where. */
static void the_next_one_goes_on_with_it(void **state)
{
    struct works *k = *state;
    const char *ids[3];
    int64_t begin = k->w->now;
    struct wish far = {advance, "", 61 * DAY};

    assert_int_equal(test_write(k->w, create, ids), ERR_NONE);
    assert_int_equal(test_write(k->w, tell, &far), ERR_NONE);
    open_works(k);
    wait_until(k, content);
    assert_int_equal(clock_now(&k->w->core, ""), begin + 61 * DAY);
    assert_string_equal(moments(k, ids[2], "expired", begin), "2592000.0 ");
    close_works(k);
    k->w->core.settings.controls = false; /* a clock that was moved stays moved */
    open_works(k);
    assert_int_equal(clock_now(&k->w->core, ""), begin + 61 * DAY);
    close_works(k);
}

static enum err put_row(struct op *op, void *arg)
{
    store_update(op->tx, &rec_clock, arg);
    return ERR_NONE;
}

static enum err drop_row(struct op *op, void *arg)
{
    store_delete(op->tx, &rec_clock, arg);
    return ERR_NONE;
}

static bool is_still(struct works *k)
{
    return clockwork_still(k->c);
}

/* As a snapshot is loaded: other rows, and what was on its way is not any more. */
static void rows_that_were_replaced_count(void **state)
{
    struct works *k = *state;
    struct clock_row earlier = {.account = "", .stands_at = k->w->now - DAY};
    struct clock_row on_its_way = {
        .account = "", .stands_at = k->w->now, .target = k->w->now + DAY, .wish = CLOCK_REST_AT};

    open_works(k);
    wish_and_wait(k, (struct wish){freeze, "", 0});
    wish_and_wait(k, (struct wish){freeze, k->w->account, 0});
    clockwork_hold(k->c);
    wish(k, (struct wish){advance, "", 99 * DAY});
    wait_until(k, is_still);
    assert_false(content(k)); /* nobody began it */
    assert_int_equal(test_write(k->w, put_row, &earlier), ERR_NONE);
    clockwork_reload(k->c);
    assert_int_equal(clock_now(&k->w->core, ""), earlier.stands_at);
    clockwork_hold(k->c);
    wait_until(k, is_still);
    assert_int_equal(test_write(k->w, put_row, &on_its_way), ERR_NONE);
    clockwork_reload(k->c);
    wait_until(k, content);
    assert_int_equal(clock_now(&k->w->core, ""), on_its_way.target);
    assert_int_equal(clock_now(&k->w->core, k->w->account), on_its_way.stands_at);
    assert_int_equal(test_write(k->w, drop_row, (void *)k->w->account), ERR_NONE);
    clockwork_forget(k->c, k->w->account);
    assert_int_equal(clock_now(&k->w->core, k->w->account), on_its_way.target);
    close_works(k);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_standing_clock_is_stepped),   T(a_clock_that_goes_goes_on_from_there),
        T(another_account_is_left_alone), T(what_an_ordinary_clock_has_passed_happens),
        T(the_next_one_goes_on_with_it),  T(rows_that_were_replaced_count),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
