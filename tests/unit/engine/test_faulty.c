/* What becomes of a job that a fault strikes, with a driver and a clock of the test's own. */
#include "check.h"

#include "engine/faulty.h"
#include "net/loop.h"

enum { SOON_MS = 5000 };

struct bench {
    struct loop *loop;
    struct loop_timer *limit;
    struct world world;
    struct core core;
    int64_t now;
    struct faulty *faulty;
    int n_done, n_again, n_stops;
    bool runs, again_ends, forced;
    char error[600];
};

static int64_t bench_now(struct world *w)
{
    return CONTAINER_OF(w, struct bench, world)->now;
}

static void on_done(void *ctx, const char *inst, int64_t job, const struct outcome *o)
{
    struct bench *b = ctx;

    assert_string_equal(inst, "i-1");
    assert_int_equal(job, 7);
    (void)snprintf(b->error, sizeof(b->error), "%s", o->error ? o->error : "");
    b->n_done++;
}

static void on_again(void *ctx, const char *inst, bool runs)
{
    struct bench *b = ctx;

    assert_string_equal(inst, "i-1");
    b->n_again++;
    b->runs = runs;
    if (b->again_ends)
        loop_stop(b->loop);
}

static struct bench *the_bench; /* a driver's engine is its own; the test's is this */

static void drv_stop(struct engine *e, const struct machine *m, int64_t job, bool force)
{
    (void)e;
    assert_string_equal(m->id, "i-1");
    assert_int_equal(job, 7);
    the_bench->forced = force;
    the_bench->n_stops++;
}

static const struct engine_driver driver = {.name = "test", .stop = drv_stop};

static void too_late(void *arg)
{
    assert_null(arg); /* nothing happened */
}

static int setup(void **state)
{
    struct bench *b = xcalloc(1, sizeof(*b));

    b->now = 1000000;
    b->world.now_ms = bench_now;
    b->core.world = &b->world;
    assert_int_equal(loop_new(&b->loop), 0);
    b->limit = loop_timer_new(b->loop, too_late, b);
    loop_timer_set(b->limit, SOON_MS, 0);
    b->faulty = faulty_new(&(struct faulty_config){.loop = b->loop,
                                                   .core = &b->core,
                                                   .driver = &driver,
                                                   .done = on_done,
                                                   .again = on_again,
                                                   .ctx = b});
    *state = the_bench = b;
    return 0;
}

static int teardown(void **state)
{
    struct bench *b = *state;

    faulty_free(b->faulty);
    loop_timer_free(b->limit);
    loop_free(b->loop);
    free(b);
    return 0;
}

static struct job job_of(enum verb v)
{
    return (struct job){.inst = "i-1",
                        .id = 7,
                        .verb = v,
                        .account = "1",
                        .created_at = 1000000,
                        .request_id = "",
                        .fault = "f"};
}

static bool does(struct bench *b, enum verb v, enum engine_fault_kind kind, bool runs,
                 struct machine *m)
{
    struct job j = job_of(v);
    struct strike s = {.struck = true, .kind = kind};

    *m = (struct machine){.id = "i-1"};
    assert_false(faulty_holds(b->faulty, &j, &s, runs));
    return faulty_does(b->faulty, NULL, m, &j, &s, runs);
}

static void what_is_not_struck_is_the_drivers(void **state)
{
    struct bench *b = *state;
    struct job j = job_of(VERB_START);
    struct strike none = {.struck = false};
    struct machine m = {.id = "i-1"};

    assert_false(faulty_holds(b->faulty, &j, &none, true));
    assert_false(faulty_does(b->faulty, NULL, &m, &j, &none, true));
    assert_false(m.broken);
    assert_int_equal(b->n_done + b->n_stops, 0);
}

static void a_failure_leaves_what_is_true(void **state)
{
    static const struct {
        enum verb verb;
        bool runs;
        int done, stops; /* ended without the driver; brought to a stop by it first */
    } rows[] = {
        {VERB_CREATE, false, 1, 0},
        {VERB_START, false, 0, 1},
        {VERB_STOP, true, 1, 0},
        {VERB_STOP, false, 0, 0}, /* it is off: nothing is left to fail, the driver says so */
        {VERB_REBOOT, true, 0, 1},
        {VERB_FORCE_REBOOT, false, 0, 1},
        {VERB_RELEASE, false, 0, 1},
        {VERB_FORCE_RELEASE, true, 0, 1},
        {VERB_RECYCLE, true, 0, 1},
    };
    struct bench *b = *state;
    struct machine m;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        b->n_done = b->n_stops = 0;
        assert_int_equal(does(b, rows[i].verb, ENGINE_FAIL, rows[i].runs, &m),
                         rows[i].done + rows[i].stops > 0);
        assert_int_equal(b->n_done, rows[i].done);
        assert_int_equal(b->n_stops, rows[i].stops);
        assert_int_equal(faulty_error(b->faulty, "i-1", 7) != NULL, rows[i].stops);
        assert_null(faulty_error(b->faulty, "i-1", 8));
        faulty_ended(b->faulty, "i-1", 7);
        assert_false(faulty_has(b->faulty, "i-1"));
    }
}

static void a_broken_machine_is_the_drivers(void **state)
{
    struct bench *b = *state;
    struct machine m;

    assert_false(does(b, VERB_START, ENGINE_BREAK, true, &m));
    assert_true(m.broken);
}

static void a_hang_is_looked_at_when_something_was_committed(void **state)
{
    struct bench *b = *state;
    struct job j = job_of(VERB_REBOOT);
    struct strike s = {.struck = true, .kind = ENGINE_HANG};

    faulty_kick(b->faulty); /* nothing is held */
    assert_true(faulty_holds(b->faulty, &j, &s, true));
    assert_true(faulty_holds(b->faulty, &j, &s, true)); /* asking again changes nothing */
    assert_true(faulty_has(b->faulty, "i-1"));
    faulty_stopped(b->faulty, "i-1");
    b->again_ends = true;
    faulty_kick(b->faulty);
    faulty_kick(b->faulty); /* many commits are one look */
    assert_int_equal(loop_run(b->loop), 0);
    assert_int_equal(b->n_again, 1);
    assert_false(b->runs); /* it stopped meanwhile */
    assert_false(faulty_has(b->faulty, "i-1"));
}

static void a_delay_is_counted_from_the_request(void **state)
{
    struct bench *b = *state;
    struct job j = job_of(VERB_START);
    struct strike s = {.struck = true, .kind = ENGINE_DELAY, .delay_ms = 60030};

    b->now += 60000; /* as after a restart: most of it has passed */
    assert_true(faulty_holds(b->faulty, &j, &s, false));
    b->again_ends = true;
    assert_int_equal(loop_run(b->loop), 0);
    assert_int_equal(b->n_again, 1);
    assert_true(faulty_holds(b->faulty, &j, &s, false)); /* by its clock it is not over */
    b->now += 30;
    assert_int_equal(loop_run(b->loop), 0);
    assert_false(faulty_holds(b->faulty, &j, &s, false));
}

static void another_job_forgets_the_one_that_was_held(void **state)
{
    struct bench *b = *state;
    struct job j = job_of(VERB_START), next = job_of(VERB_FORCE_REBOOT);
    struct strike s = {.struck = true, .kind = ENGINE_HANG}, none = {.struck = false};

    next.id = 8;
    assert_true(faulty_holds(b->faulty, &j, &s, false));
    assert_false(faulty_holds(b->faulty, &next, &none, true));
    assert_false(faulty_has(b->faulty, "i-1"));
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(what_is_not_struck_is_the_drivers),
        CASE(a_failure_leaves_what_is_true),
        CASE(a_broken_machine_is_the_drivers),
        CASE(a_hang_is_looked_at_when_something_was_committed),
        CASE(a_delay_is_counted_from_the_request),
        CASE(another_job_forgets_the_one_that_was_held),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
