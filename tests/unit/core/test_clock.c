/* Clocks, what comes due by them, subscriptions, and worlds made from a seed. */
#include "check.h"

#include "base/timefmt.h"
#include "core/billing.h"
#include "core/clock.h"
#include "core/due.h"
#include "core/idem.h"
#include "core/jobs.h"
#include "world.h"

#define DAY INT64_C(86400000)

static int setup(void **state)
{
    struct test_world *w = test_world_new();

    w->core.clocks = clocks_new(&w->world);
    w->core.settings.arrears_ms = 15 * DAY;
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct test_world *w = *state;
    struct clocks *c = w->core.clocks;

    test_world_free(w);
    clocks_free(c);
    return 0;
}

/* ---- clocks ---- */

static void everybody_sees_the_real_time_until_a_clock_is_moved(void **state)
{
    struct test_world *w = *state;

    assert_false(clocks_moved(&w->core));
    assert_int_equal(clock_now(&w->core, NULL), w->now);
    assert_int_equal(clock_now(&w->core, "1"), w->now);
    clock_put(w->core.clocks, &(struct clock_row){.account = "", .ahead = DAY});
    assert_true(clocks_moved(&w->core));
    assert_false(clocks_differ(&w->core));
    assert_int_equal(clock_now(&w->core, "1"), w->now + DAY);
    w->now += 5;
    assert_int_equal(clock_now(&w->core, ""), w->now + DAY);
    assert_false(clock_stands(&w->core, "1"));
}

static void an_account_may_have_its_own(void **state)
{
    struct test_world *w = *state;

    clock_put(w->core.clocks, &(struct clock_row){.account = "1", .stands_at = 7});
    assert_true(clocks_differ(&w->core));
    assert_int_equal(clock_now(&w->core, "1"), 7);
    assert_int_equal(clock_now(&w->core, "2"), w->now);
    assert_true(clock_stands(&w->core, "1"));
    assert_false(clock_stands(&w->core, "2"));
    assert_string_equal(clock_of(&w->core, "1"), "1");
    assert_string_equal(clock_of(&w->core, "2"), "");
    assert_int_equal(clocks_slowest(&w->core), 7);
}

struct telling {
    enum err (*tell)(struct op *op, struct telling *t);
    const char *account;
    int64_t to;
    struct clock_row row;
};

static enum err tell(struct op *op, void *arg)
{
    struct telling *t = arg;

    return t->tell(op, t);
}

static enum err advance(struct op *op, struct telling *t)
{
    return clock_advance(op, t->account, t->to, &t->row);
}

static enum err set(struct op *op, struct telling *t)
{
    return clock_set(op, t->account, t->to, &t->row);
}

static enum err load(struct op *op, void *arg)
{
    (void)arg;
    clocks_load(op->core->clocks, op->tx);
    return ERR_NONE;
}

static void a_clock_is_told_one_thing_at_a_time(void **state)
{
    struct test_world *w = *state;
    struct telling t = {.tell = advance, .account = "", .to = DAY};

    assert_int_equal(test_write(w, tell, &t), ERR_NONE);
    assert_int_equal(t.row.wish, CLOCK_GO_TO);
    assert_int_equal(t.row.target, w->now + DAY);
    assert_int_equal(test_write(w, tell, &t), ERR_CLOCK);
    assert_non_null(strstr(w->fail.detail, "on its way to"));
    t.account = w->account; /* it would begin from there, and that is nowhere yet */
    assert_int_equal(test_write(w, tell, &t), ERR_CLOCK);
}

static void no_clock_goes_back_or_out_of_the_calendar(void **state)
{
    struct test_world *w = *state;
    struct telling t = {.tell = set, .account = "", .to = w->now - 1};

    assert_int_equal(test_write(w, tell, &t), ERR_CLOCK);
    t.to = w->now;
    t.tell = advance;
    assert_int_equal(
        test_write(w, tell, &(struct telling){.tell = advance, .account = "", .to = CLOCK_MAX}),
        ERR_PARAM_VALUE);
    t.tell = set;
    assert_int_equal(test_write(w, tell, &t), ERR_NONE);
}

/* ---- what is due ---- */

static enum err create_prepaid(struct op *op, void *arg)
{
    struct created out;
    struct new_inst n = {.region = "cn-hangzhou",
                         .type = "ecs.t5-lc2m1.nano",
                         .image = "test-image",
                         .count = 1,
                         .charge = CHARGE_PREPAID,
                         .expires_at = op->now + 30 * DAY};
    enum err e = inst_create(op, &n, &out);

    *(const char **)arg = out.ids[0];
    return e;
}

static const char *prepaid(struct test_world *w)
{
    const char *id;

    assert_int_equal(test_write(w, create_prepaid, &id), ERR_NONE);
    test_end_job(w, id, NULL);
    return id;
}

static void run(struct test_world *w, const char *id)
{
    assert_int_equal(test_power(w, id, VERB_START, 0), ERR_NONE);
    test_end_job(w, id, NULL);
    assert_int_equal(test_inst(w, id).state, INST_RUNNING);
}

struct until {
    const char *clock;
    int64_t at;
    size_t most, n;
};

static enum err happen(struct op *op, void *arg)
{
    struct until *u = arg;

    u->n = due_run(op, u->clock, u->at, u->most);
    return ERR_NONE;
}

static size_t pass(struct test_world *w, int64_t until)
{
    struct until u = {"", until, 100, 0};

    assert_int_equal(test_write(w, happen, &u), ERR_NONE);
    return u.n;
}

struct asking {
    const char *id, *kind;
    struct event *v;
    size_t n;
};

static enum err find_events(struct op *op, void *arg)
{
    struct asking *a = arg;
    struct query q = {.order = "seq"};

    if (a->id)
        query_text(&q, "subject", CMP_EQ, a->id);
    query_text(&q, "kind", CMP_EQ, a->kind);
    a->v = store_find(op->tx, &rec_event, &q, &a->n);
    return ERR_NONE;
}

static struct asking events(struct test_world *w, const char *id, const char *kind)
{
    struct asking a = {.id = id, .kind = kind};

    assert_int_equal(test_read(w, find_events, &a), ERR_NONE);
    return a;
}

static void a_subscription_ends_at_its_moment_and_once(void **state)
{
    struct test_world *w = *state;
    const char *id = prepaid(w);
    int64_t end = test_inst(w, id).expires_at;

    run(w, id);
    assert_int_equal(pass(w, end - 1), 0);
    assert_int_equal(test_inst(w, id).state, INST_RUNNING);
    assert_int_equal(pass(w, end + 9 * DAY), 1); /* whenever somebody gets round to it */
    assert_int_equal(test_inst(w, id).state, INST_STOPPING);
    struct asking a = events(w, id, "expired");
    assert_int_equal(a.n, 1);
    assert_int_equal(a.v[0].at, end);
    assert_int_equal(pass(w, end + 9 * DAY), 0);
    test_end_job(w, id, NULL);
    assert_int_equal(pass(w, end + 15 * DAY), 1);
    assert_int_equal(test_inst(w, id).state, INST_RELEASING);
}

static void what_ends_during_a_start_is_stopped_after_it(void **state)
{
    struct test_world *w = *state;
    const char *id = prepaid(w);
    int64_t end = test_inst(w, id).expires_at;

    assert_int_equal(test_power(w, id, VERB_START, 0), ERR_NONE);
    w->now = end;
    assert_int_equal(pass(w, end), 1);
    assert_int_equal(test_inst(w, id).state, INST_STARTING);
    test_end_job(w, id, NULL);
    assert_int_equal(test_inst(w, id).state, INST_STOPPING);
    test_end_job(w, id, "it would not"); /* the engine's fault: it is not tried for ever */
    assert_int_equal(test_inst(w, id).state, INST_RUNNING);
}

struct renewing {
    const char *id;
    struct period p;
};

static enum err set_renewal(struct op *op, void *arg)
{
    struct renewing *r = arg;

    return inst_set_renewal(op, r->id, r->p);
}

static void subscriptions_that_renew_themselves_do_so_in_order(void **state)
{
    struct test_world *w = *state;
    const char *a = prepaid(w), *b;

    w->now += 15 * DAY;
    b = prepaid(w);
    assert_int_equal(test_write(w, set_renewal, &(struct renewing){a, {1, true}}), ERR_NONE);
    assert_int_equal(test_write(w, set_renewal, &(struct renewing){b, {2, false}}), ERR_NONE);
    assert_int_equal(pass(w, w->now + 90 * DAY), 13);
    struct asking all = events(w, NULL, "renewed");
    assert_int_equal(all.n, 13);
    for (size_t i = 1; i < all.n; i++)
        assert_true(all.v[i - 1].at <= all.v[i].at);
    assert_int_equal(test_inst(w, a).expires_at, test_inst(w, a).created_at + (30 + 11 * 7) * DAY);
}

static enum err renew(struct op *op, void *arg)
{
    struct renewing *r = arg;
    struct inst in;

    return inst_renew(op, r->id, r->p, &in);
}

static void a_renewal_begins_where_it_is_paid(void **state)
{
    struct test_world *w = *state;
    const char *id = prepaid(w);
    int64_t end = test_inst(w, id).expires_at;
    struct renewing week = {id, {1, true}};

    assert_int_equal(test_write(w, renew, &week), ERR_NONE);
    assert_int_equal(test_inst(w, id).expires_at, end + 7 * DAY);
    assert_int_equal(pass(w, end), 0);
    w->now = end + 10 * DAY;
    assert_int_equal(pass(w, w->now), 1);
    assert_int_equal(test_write(w, renew, &week), ERR_NONE);
    assert_int_equal(test_inst(w, id).expires_at, w->now + 7 * DAY);
    assert_int_equal(pass(w, w->now + 6 * DAY), 0); /* nor is it released for its old arrears */
    assert_int_equal(test_write(w, renew, &(struct renewing){test_stopped(w), {1, true}}),
                     ERR_CHARGE_TYPE);
}

static enum err release_at(struct op *op, void *arg)
{
    return inst_set_release(op, arg, op->now + DAY);
}

static void what_is_gone_leaves_nothing_to_come(void **state)
{
    struct test_world *w = *state;
    const char *id = test_stopped(w);

    assert_int_equal(test_write(w, release_at, (void *)id), ERR_NONE);
    assert_int_equal(test_power(w, id, VERB_RELEASE, 0), ERR_NONE);
    test_end_job(w, id, NULL);
    assert_int_equal(pass(w, INT64_MAX), 0);
}

static void things_go_by_their_accounts_clock(void **state)
{
    struct test_world *w = *state;
    const char *id = test_stopped(w);
    struct telling t = {.tell = advance, .account = w->account, .to = DAY};
    struct until theirs = {w->account, INT64_MAX, 100, 0};

    assert_int_equal(test_write(w, release_at, (void *)id), ERR_NONE);
    assert_int_equal(test_write(w, tell, &t), ERR_NONE);
    assert_int_equal(pass(w, INT64_MAX), 0); /* no longer everybody's */
    assert_int_equal(test_write(w, happen, &theirs), ERR_NONE);
    assert_int_equal(theirs.n, 1);
    assert_int_equal(test_write(w, load, NULL), ERR_NONE);
    assert_true(clocks_differ(&w->core));
}

static enum err reclaim(struct op *op, void *arg)
{
    return inst_reclaim(op, arg, true);
}

static void a_spot_instance_on_its_way_up_is_taken_back_there(void **state)
{
    struct test_world *w = *state;
    const char *id = test_stopped(w);

    assert_int_equal(test_power(w, id, VERB_START, 0), ERR_NONE);
    assert_int_equal(test_write(w, reclaim, (void *)id), ERR_NONE);
    assert_int_equal(test_inst(w, id).locks, LOCK_RECYCLING);
    assert_int_equal(pass(w, w->now + RECLAIM_NOTICE_MS - 1), 0);
    assert_int_equal(pass(w, w->now + RECLAIM_NOTICE_MS), 1);
    assert_int_equal(test_inst(w, id).state, INST_STARTING);
    test_end_job(w, id, NULL);
    assert_int_equal(test_inst(w, id).state, INST_STOPPING);
    assert_int_equal(test_inst(w, id).locks, 0);
    assert_int_equal(test_inst(w, id).stop_mode, STOP_STOP_CHARGING);
}

static void months_end_on_the_same_day_or_the_last(void **state)
{
    static const struct {
        const char *from, *end;
        struct period p;
    } cases[] = {
        {"2026-01-15T10:00:00Z", "2026-02-15T10:00:00Z", {1, false}},
        {"2026-01-31T10:00:00Z", "2026-02-28T10:00:00Z", {1, false}},
        {"2028-01-31T10:00:00Z", "2028-02-29T10:00:00Z", {1, false}},
        {"2026-08-31T00:00:00Z", "2027-08-31T00:00:00Z", {12, false}},
        {"2026-02-27T00:00:00Z", "2026-03-13T00:00:00Z", {2, true}},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int64_t from = 0, end = 0;

        assert_int_equal(time_parse(cases[i].from, &from), 0);
        assert_int_equal(time_parse(cases[i].end, &end), 0);
        assert_int_equal(period_end(from, cases[i].p), end);
    }
}

/* ---- client tokens ---- */

static enum err save_token(struct op *op, void *arg)
{
    const char *ids[] = {"i-1"};

    (void)arg;
    idem_save(op, "Run", "t", "digest", &(struct created){.ids = ids, .n = 1});
    return ERR_NONE;
}

static enum err find_token(struct op *op, void *arg)
{
    struct created got;

    return idem_find(op, "Run", "t", "digest", arg, &got);
}

static void a_token_is_forgotten_and_may_come_again(void **state)
{
    struct test_world *w = *state;
    bool found;

    w->core.settings.token_ms = DAY;
    assert_int_equal(test_write(w, save_token, NULL), ERR_NONE);
    w->now += DAY - 1;
    assert_int_equal(test_write(w, find_token, &found), ERR_NONE);
    assert_true(found);
    w->now += 1;
    assert_int_equal(test_write(w, find_token, &found), ERR_NONE);
    assert_false(found);
    assert_int_equal(test_write(w, save_token, NULL), ERR_NONE);
    assert_int_equal(test_write(w, find_token, &found), ERR_NONE);
    assert_true(found);
}

/* ---- worlds from a seed ---- */

static void a_seed_gives_the_same_bytes_in_each_life_others(void **state)
{
    struct world *w = world_seeded(5);
    uint8_t first[100], again[100], other[100];
    char name[37], same[37];

    (void)state;
    world_begin_life(w, 1);
    w->random(w, first, sizeof(first));
    world_uuid(w, name);
    w = world_seeded(5);
    world_begin_life(w, 1);
    world_request_id(w, same); /* of names there is another store */
    w->random(w, again, sizeof(again));
    world_uuid(w, same);
    assert_memory_equal(first, again, sizeof(first));
    assert_string_equal(name, same);
    world_begin_life(w, 2);
    w->random(w, other, sizeof(other));
    assert_memory_not_equal(first, other, sizeof(first));
    w = world_seeded(6);
    world_begin_life(w, 1);
    w->random(w, other, sizeof(other));
    assert_memory_not_equal(first, other, sizeof(first));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(everybody_sees_the_real_time_until_a_clock_is_moved),
        T(an_account_may_have_its_own),
        T(a_clock_is_told_one_thing_at_a_time),
        T(no_clock_goes_back_or_out_of_the_calendar),
        T(a_subscription_ends_at_its_moment_and_once),
        T(what_ends_during_a_start_is_stopped_after_it),
        T(subscriptions_that_renew_themselves_do_so_in_order),
        T(a_renewal_begins_where_it_is_paid),
        T(what_is_gone_leaves_nothing_to_come),
        T(things_go_by_their_accounts_clock),
        T(a_spot_instance_on_its_way_up_is_taken_back_there),
        cmocka_unit_test(months_end_on_the_same_day_or_the_last),
        T(a_token_is_forgotten_and_may_come_again),
        cmocka_unit_test(a_seed_gives_the_same_bytes_in_each_life_others),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
