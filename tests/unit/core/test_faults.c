/* Faults of the engine strike once and are remembered; limits count; harm is asked for once. */
#include "check.h"

#include "core/capacity.h"
#include "core/engine_fault.h"
#include "core/harm.h"
#include "core/kms.h"
#include "world.h"

static int setup(void **state)
{
    struct test_world *w = test_world_new();

    w->core.settings.controls = true;
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    test_world_free(*state);
    return 0;
}

/* ---- short ways ---- */

static enum err add_fault(struct op *op, void *arg)
{
    return engine_fault_add(op, arg);
}

/* The fault's id, for all accounts. */
static const char *fault(struct test_world *w, struct engine_fault f)
{
    const char *account = w->account;

    f.inst = f.inst ? f.inst : "";
    f.zone = f.zone ? f.zone : "";
    f.detail = "";
    w->account = NULL;
    assert_int_equal(test_write(w, add_fault, &f), ERR_NONE);
    w->account = account;
    return f.id;
}

struct seen {
    const char *id;
    struct job job;
    struct engine_fault fault;
    bool found;
    int64_t n;
};

static enum err see_job(struct op *op, void *arg)
{
    struct seen *s = arg;

    s->found = job_get(op, s->id, &s->job);
    return ERR_NONE;
}

static const char *struck_by(struct test_world *w, const char *id)
{
    struct seen s = {.id = id};

    assert_int_equal(test_read(w, see_job, &s), ERR_NONE);
    assert_true(s.found);
    return s.job.fault;
}

static enum err see_fault(struct op *op, void *arg)
{
    struct seen *s = arg;

    s->found = store_get(op->tx, &rec_engine_fault, s->id, &s->fault);
    return ERR_NONE;
}

static int64_t given(struct test_world *w, const char *id)
{
    struct seen s = {.id = id};

    assert_int_equal(test_read(w, see_fault, &s), ERR_NONE);
    assert_true(s.found);
    return s.fault.given;
}

static enum err count_events(struct op *op, void *arg)
{
    struct seen *s = arg;
    struct query q = {0};

    query_text(&q, "subject", CMP_EQ, s->id);
    query_text(&q, "kind", CMP_EQ, "engine-fault");
    s->n = store_count(op->tx, &rec_event, &q);
    return ERR_NONE;
}

static int64_t told(struct test_world *w, const char *id)
{
    struct seen s = {.id = id};

    assert_int_equal(test_read(w, count_events, &s), ERR_NONE);
    return s.n;
}

/* ---- faults ---- */

static void a_fault_strikes_what_it_is_about(void **state)
{
    struct test_world *w = *state;
    const char *a = test_stopped(w), *b = test_stopped(w);
    const char *f = fault(w, (struct engine_fault){.verb = VERB_START, .inst = a, .times = 1});

    assert_int_equal(test_power(w, b, VERB_START, 0), ERR_NONE);
    assert_string_equal(struck_by(w, b), "");
    assert_int_equal(test_power(w, a, VERB_START, POWER_CHECK_ONLY), ERR_DRY_RUN);
    assert_int_equal(given(w, f), 0);
    assert_int_equal(test_power(w, a, VERB_START, 0), ERR_NONE);
    assert_string_equal(struck_by(w, a), f);
    assert_int_equal(given(w, f), 1);
    assert_int_equal(told(w, a), 1);
    test_end_job(w, a, "as was asked for");
    assert_int_equal(test_power(w, a, VERB_START, 0), ERR_NONE); /* it is used up */
    assert_string_equal(struck_by(w, a), "");
    assert_int_equal(given(w, f), 1);
}

static void every_form_of_an_operation_is_one(void **state)
{
    static const struct {
        enum verb asked, done;
        bool running;
    } rows[] = {
        {VERB_START, VERB_START, false},        {VERB_STOP, VERB_STOP, true},
        {VERB_REBOOT, VERB_REBOOT, true},       {VERB_REBOOT, VERB_FORCE_REBOOT, true},
        {VERB_RELEASE, VERB_RELEASE, false},    {VERB_RELEASE, VERB_FORCE_RELEASE, true},
        {VERB_NONE, VERB_FORCE_RELEASE, false},
    };
    struct test_world *w = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const char *id = test_stopped(w);

        if (rows[i].running) {
            assert_int_equal(test_power(w, id, VERB_START, 0), ERR_NONE);
            test_end_job(w, id, NULL);
        }
        const char *f = fault(w, (struct engine_fault){.verb = rows[i].asked, .inst = id});
        assert_int_equal(test_power(w, id, rows[i].done, 0), ERR_NONE);
        assert_string_equal(struck_by(w, id), f);
    }
}

static void a_job_that_takes_anothers_place_is_struck_for_itself(void **state)
{
    struct test_world *w = *state;
    const char *id = test_stopped(w);
    const char *f = fault(w, (struct engine_fault){.verb = VERB_START, .inst = id});

    assert_int_equal(test_power(w, id, VERB_START, 0), ERR_NONE);
    assert_string_equal(struck_by(w, id), f);
    assert_int_equal(test_power(w, id, VERB_FORCE_REBOOT, POWER_FORCE), ERR_NONE);
    assert_string_equal(struck_by(w, id), "");
}

static void without_controls_nothing_is_struck_or_counted(void **state)
{
    struct test_world *w = *state;
    const char *id = test_stopped(w);
    const char *f = fault(w, (struct engine_fault){.verb = VERB_NONE});

    w->core.settings.controls = false;
    assert_int_equal(test_power(w, id, VERB_START, 0), ERR_NONE);
    assert_string_equal(struck_by(w, id), "");
    assert_int_equal(given(w, f), 0);
}

/* ---- limits ---- */

struct limit {
    enum capacity_kind kind;
    const char *account, *zone, *type;
    int64_t count;
};

static enum err set_limit(struct op *op, void *arg)
{
    const struct limit *l = arg;

    return capacity_set(op, l->kind, l->account, l->zone, l->type, l->count);
}

static enum err limit(struct test_world *w, struct limit l)
{
    return test_write(w, set_limit, &l);
}

static void stock_is_by_account_zone_and_type(void **state)
{
    struct test_world *w = *state;
    const char *id = test_stopped(w);
    struct inst in = test_inst(w, id);
    const struct {
        struct limit l;
        enum err e;
    } rows[] = {
        {{CAPACITY_STOCK, "", "", "", 1}, ERR_NONE},
        {{CAPACITY_STOCK, "", "", "", 0}, ERR_NO_STOCK},
        {{CAPACITY_STOCK, in.account, "", "", 0}, ERR_NO_STOCK},
        {{CAPACITY_STOCK, "somebody", "", "", 0}, ERR_NONE},
        {{CAPACITY_STOCK, "", in.zone, "", 0}, ERR_NO_STOCK},
        {{CAPACITY_STOCK, "", "asia-east-1a", "", 0}, ERR_NONE},
        {{CAPACITY_STOCK, "", "", in.type, 0}, ERR_NO_STOCK},
        {{CAPACITY_STOCK, "", "", "ecs.g7.large", 0}, ERR_NONE},
        {{CAPACITY_STOCK, in.account, in.zone, in.type, 0}, ERR_NO_STOCK},
        {{CAPACITY_QUOTA, "", "", "", 0}, ERR_QUOTA},
        {{CAPACITY_QUOTA, "", "", "", 1}, ERR_NONE},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct limit none = rows[i].l;

        none.count = -1;
        assert_int_equal(limit(w, rows[i].l), ERR_NONE);
        assert_int_equal(test_power(w, id, VERB_START, POWER_CHECK_ONLY),
                         rows[i].e ? rows[i].e : ERR_DRY_RUN);
        assert_int_equal(limit(w, none), ERR_NONE);
        assert_int_equal(test_power(w, id, VERB_START, POWER_CHECK_ONLY), ERR_DRY_RUN);
    }
    assert_int_equal(limit(w, (struct limit){CAPACITY_STOCK, "", "nowhere", "", 0}),
                     ERR_ZONE_NOT_FOUND);
    assert_int_equal(limit(w, (struct limit){CAPACITY_STOCK, "", "", "none", 0}),
                     ERR_TYPE_NOT_FOUND);
}

static void what_is_on_its_way_counts(void **state)
{
    struct test_world *w = *state;
    const char *a = test_stopped(w), *b = test_stopped(w);

    assert_int_equal(limit(w, (struct limit){CAPACITY_STOCK, "", "", "", 1}), ERR_NONE);
    assert_int_equal(test_power(w, a, VERB_START, 0), ERR_NONE);
    assert_int_equal(test_power(w, b, VERB_START, 0), ERR_NO_STOCK);
    test_end_job(w, a, "no");
    assert_int_equal(test_power(w, b, VERB_START, 0), ERR_NONE);
}

/* ---- hosts and balance ---- */

static enum err repair(struct op *op, void *arg)
{
    return hosts_repair(op, "", *(bool *)arg);
}

static enum err use_up(struct op *op, void *arg)
{
    balance_set(op, op->account, *(bool *)arg);
    return ERR_NONE;
}

static void hosts_come_before_balance(void **state)
{
    struct test_world *w = *state;
    const char *id = test_stopped(w);
    bool on = true, off = false;

    assert_int_equal(test_write(w, repair, &on), ERR_NONE);
    assert_int_equal(test_write(w, use_up, &on), ERR_NONE);
    assert_int_equal(test_write(w, use_up, &on), ERR_NONE); /* again is once */
    assert_int_equal(test_power(w, id, VERB_START, 0), ERR_HOST_REPAIRING);
    assert_int_equal(test_write(w, repair, &off), ERR_NONE);
    assert_int_equal(test_power(w, id, VERB_START, 0), ERR_NO_BALANCE);
    assert_int_equal(test_write(w, use_up, &off), ERR_NONE);
    assert_int_equal(test_power(w, id, VERB_START, 0), ERR_NONE);
    test_end_job(w, id, NULL);
    assert_int_equal(test_write(w, repair, &on), ERR_NONE);
    assert_int_equal(test_power(w, id, VERB_REBOOT, 0), ERR_NONE); /* it is there already */
}

/* ---- harm ---- */

struct harming {
    const char *inst;
    enum harm_kind kind;
    const char *error;
    bool settled;
};

static enum err do_harm(struct op *op, void *arg)
{
    const struct harming *h = arg;

    return harm_ask(op, h->inst, h->kind);
}

static enum err end_harm(struct op *op, void *arg)
{
    const struct harming *h = arg;

    return harm_end(op, h->inst, h->error);
}

static enum err look_at_harm(struct op *op, void *arg)
{
    struct harming *h = arg;
    enum err e = ERR_NONE;

    h->settled = harm_settled(op, h->inst, &e);
    return e;
}

static enum err stop(struct op *op, void *arg)
{
    return inst_stopped(op, arg, "the guest's kernel panicked");
}

static void harm_is_over_when_the_machine_is(void **state)
{
    struct test_world *w = *state;
    const char *id = test_stopped(w);
    struct harming h = {.inst = id, .kind = HARM_PANIC};

    assert_int_equal(test_write(w, do_harm, &h), ERR_INST_STATE);
    assert_int_equal(test_power(w, id, VERB_START, 0), ERR_NONE);
    test_end_job(w, id, NULL);
    assert_int_equal(test_write(w, do_harm, &h), ERR_NONE);
    assert_int_equal(test_write(w, do_harm, &h), ERR_INST_BUSY);
    assert_int_equal(test_read(w, look_at_harm, &h), ERR_NONE);
    assert_false(h.settled);
    assert_int_equal(test_write(w, stop, (void *)id), ERR_NONE);
    assert_int_equal(test_read(w, look_at_harm, &h), ERR_NONE);
    assert_true(h.settled);
}

static void harm_that_could_not_be_done_says_so(void **state)
{
    struct test_world *w = *state;
    const char *id = test_stopped(w);
    struct harming h = {.inst = id, .kind = HARM_DIE, .error = "its monitor does not answer"};

    assert_int_equal(test_power(w, id, VERB_START, 0), ERR_NONE);
    test_end_job(w, id, NULL);
    assert_int_equal(test_write(w, do_harm, &h), ERR_NONE);
    assert_int_equal(test_write(w, end_harm, &h), ERR_NONE);
    assert_int_equal(test_read(w, look_at_harm, &h), ERR_INST_STATE);
    assert_non_null(strstr(w->fail.detail, "does not answer"));
    assert_int_equal(test_write(w, do_harm, &h), ERR_NONE); /* it may be tried again */
}

/* ---- keys ---- */

struct mark {
    enum kms_mark mark;
    bool on;
};

static enum err set_mark(struct op *op, void *arg)
{
    const struct mark *m = arg;

    return kms_set(op, NULL, m->mark, m->on);
}

static enum err use_key(struct op *op, void *arg)
{
    return kms_usable(op, NULL, arg);
}

static void a_key_is_refused_for_its_first_fault(void **state)
{
    static const struct {
        enum kms_mark mark;
        enum err e;
    } rows[] = {{KMS_PRESENT, ERR_KMS_NOT_FOUND},
                {KMS_ENABLED, ERR_KMS_DISABLED},
                {KMS_TAGGED, ERR_KMS_UNTAGGED},
                {KMS_GRANTED, ERR_KMS_UNAUTHORIZED}};
    struct test_world *w = *state;
    struct kms_key key;

    for (size_t i = ARRAY_LEN(rows); i-- > 0;) {
        assert_int_equal(test_write(w, set_mark, &(struct mark){rows[i].mark, false}), ERR_NONE);
        assert_int_equal(test_read(w, use_key, &key), rows[i].e);
    }
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_int_equal(test_read(w, use_key, &key), rows[i].e);
        assert_int_equal(test_write(w, set_mark, &(struct mark){rows[i].mark, true}), ERR_NONE);
    }
    assert_int_equal(test_read(w, use_key, &key), ERR_NONE);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_fault_strikes_what_it_is_about),
        CASE(every_form_of_an_operation_is_one),
        CASE(a_job_that_takes_anothers_place_is_struck_for_itself),
        CASE(without_controls_nothing_is_struck_or_counted),
        CASE(stock_is_by_account_zone_and_type),
        CASE(what_is_on_its_way_counts),
        CASE(hosts_come_before_balance),
        CASE(harm_is_over_when_the_machine_is),
        CASE(harm_that_could_not_be_done_says_so),
        CASE(a_key_is_refused_for_its_first_fault),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
