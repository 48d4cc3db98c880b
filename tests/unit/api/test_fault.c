/* The judge of requests, and the codes that it may be told to give. */
#include "check.h"

#include "api/codes.h"
#include "api/fault.h"
#include "world.h"

/* ---- a small cloud ---- */

struct in {
    const char *id, *name;
};

static const struct field fields[] = {
    F_STR(struct in, id, "Id", .required = true),
    F_STR(struct in, name, "Name", .format = FMT_TIME),
    {.name = NULL},
};
static const struct action start = {.name = "Start",
                                    .in = fields,
                                    .errors = ERRORS(ERR_INST_STATE, ERR_INST_EXPIRED),
                                    .rows = ERR_ROWS({ERR_INST_STATE, 409, "Own", "own row"})};
static const struct action list = {.name = "List", .errors = ERRORS(ERR_REGION_NOT_FOUND)};
static const struct action *const actions[] = {&list, &start, NULL};

static const struct err_row rows[] = {
    {ERR_INTERNAL, 500, "Internal", "broken"},
    {ERR_PARAM_MISSING, 400, "Missing%p", "%p is needed for %a"},
    {ERR_INST_STATE, 403, "State", "of the general table"},
    {ERR_INST_EXPIRED, 403, "Expired", "prepaid is over"},
    {ERR_PARAM_TIME, 400, "Time", "no time"},
    {ERR_REGION_NOT_FOUND, 404, "Region", "no region: %d."},
    {.err = ERR_NONE},
};
static const struct doc_row documented[] = {
    {"Start", 403, "Expired", "postpaid is over: %s"},
    {"Start", 400, "Expired", "never was"},
    {"List", 400, "Listed", "of lists only"},
    {"List", 404, "Region", "no region: %s."}, /* once: as the table says it */
    {NULL, 400, "Throttling", "too fast"},
    {NULL, 500, "Internal", "%s"}, /* the text is taken from the table */
    {.code = NULL},
};
static const struct err_row of_name = {ERR_PARAM_VALUE, 400, "BadName", "a bad name"};
static const struct err_row of_any_name = {ERR_PARAM_VALUE, 404, "BadName", "a bad name"};

/* An action's own row of a parameter stands for the general one. */
static const struct err_row *refine(const struct action *a, const char *param,
                                    const struct err_row *row)
{
    if (row->err != ERR_PARAM_TIME || !streq(param, "Name"))
        return row;
    return a == &start ? &of_name : &of_any_name;
}

static struct strs instances(const struct call *c)
{
    struct strs named = {.v = ARENA_ARRAY(c->arena, const char *, 1)};
    const char *id = json_string_value(json_object_get(c->params, "Id"));

    if (id)
        named.v[named.n++] = id;
    return named;
}

static const struct dialect cloud = {.name = "cloud",
                                     .actions = actions,
                                     .errors = rows,
                                     .documented = documented,
                                     .instances = instances,
                                     .refine = refine};
static const struct dialect plain = {.name = "cloud", .actions = actions};

/* ---- judging ---- */

static enum err insert(struct op *op, void *arg)
{
    store_insert(op->tx, &rec_fault, arg);
    return ERR_NONE;
}

/* A fault of `start`, as given; what is not a text gets one. */
static void ask(struct test_world *w, struct fault f)
{
    f.id = arena_fmt(w->arena, "fault-%lld", (long long)f.num);
    f.dialect = "cloud";
    f.action = f.action ? f.action : "Start";
    f.code = f.code ? f.code : "";
    f.message = "said %d and %p";
    f.account = f.account ? f.account : "";
    f.inst = f.inst ? f.inst : "";
    assert_int_equal(test_write(w, insert, &f), ERR_NONE);
}

struct asked {
    struct call call;
    const struct verdict *verdict;
    bool awaited;
};

static enum err look(struct op *op, void *arg)
{
    struct asked *r = arg;

    r->call.op = *op;
    r->awaited = fault_awaits(&r->call);
    return ERR_NONE;
}

static enum err judge(struct op *op, void *arg)
{
    struct asked *r = arg;

    r->call.op = *op;
    r->verdict = fault_judge(&r->call);
    return ERR_NONE;
}

/* What becomes of a request, by the id of the fault that struck; "" none did, NULL none fits. */
static const char *meet(struct test_world *w, const struct action *a, const char *id)
{
    struct asked r = {.call = {.arena = w->arena, .dialect = &cloud, .action = a}};

    r.call.params = id ? json_pack("{s:s}", "Id", id) : json_object();
    assert_int_equal(test_read(w, look, &r), ERR_NONE);
    assert_int_equal(test_write(w, judge, &r), ERR_NONE);
    json_decref(r.call.params);
    if (!r.awaited) {
        assert_null(r.verdict); /* what is not awaited is not judged either */
        return NULL;
    }
    return r.verdict ? r.verdict->id : "";
}

static struct test_world *controlled(void)
{
    struct test_world *w = test_world_new();

    w->core.settings.controls = true;
    return w;
}

static enum err read_fault(struct op *op, void *arg)
{
    struct fault *f = arg;

    assert_true(store_get(op->tx, &rec_fault, f->id, f));
    return ERR_NONE;
}

static struct fault fault_of(struct test_world *w, const char *id)
{
    struct fault f = {.id = id};

    assert_int_equal(test_read(w, read_fault, &f), ERR_NONE);
    return f;
}

static void three_times_then_never(void **state)
{
    struct test_world *w = controlled();

    (void)state;
    assert_null(meet(w, &start, NULL));
    ask(w, (struct fault){.num = 1, .code = "Throttling", .times = 3});
    for (int i = 0; i < 3; i++)
        assert_string_equal(meet(w, &start, NULL), "fault-1");
    assert_null(meet(w, &start, NULL));
    assert_null(meet(w, &list, NULL));
    struct fault f = fault_of(w, "fault-1");
    assert_int_equal(f.seen, 3); /* it does not see what comes after its end */
    assert_int_equal(f.given, 3);
    assert_true(fault_is_over(&f));
    test_world_free(w);
}

static void every_third(void **state)
{
    static const char wanted[] = "..x..x....";
    struct test_world *w = controlled();

    (void)state;
    ask(w, (struct fault){.num = 1, .code = "Throttling", .every = 3, .times = 2});
    for (size_t i = 0; wanted[i]; i++) {
        const char *got = meet(w, &start, NULL);

        assert_true(wanted[i] == 'x' ? streq(got, "fault-1") : !got || !*got);
    }
    test_world_free(w);
}

/* In the order in which they were asked for; who stands behind the one that strikes has not seen
 * the request. */
static void the_oldest_decides(void **state)
{
    static const char *const wanted[] = {"fault-2", "fault-9", "fault-10", "fault-9", "fault-10"};
    struct test_world *w = controlled();

    (void)state;
    ask(w, (struct fault){.num = 10, .code = "B"});
    ask(w, (struct fault){.num = 9, .code = "A", .every = 2, .action = "*"});
    ask(w, (struct fault){.num = 2, .code = "First", .times = 1});
    assert_string_equal(meet(w, &start, NULL), wanted[0]);
    assert_string_equal(meet(w, &start, NULL), "fault-10"); /* the first that fault-9 saw */
    for (size_t i = 1; i < ARRAY_LEN(wanted); i++)
        assert_string_equal(meet(w, &start, NULL), wanted[i]);
    assert_int_equal(fault_of(w, "fault-10").seen, 3);
    assert_string_equal(meet(w, &list, NULL), "fault-9"); /* of any action, in one count */
    assert_string_equal(meet(w, &list, NULL), "");
    test_world_free(w);
}

static void whose_and_about_which(void **state)
{
    struct test_world *w = controlled();
    const char *mine = w->account;

    (void)state;
    ask(w, (struct fault){.num = 1, .code = "A", .account = mine, .inst = "i-1"});
    assert_null(meet(w, &start, NULL));
    assert_null(meet(w, &start, "i-2"));
    assert_string_equal(meet(w, &start, "i-1"), "fault-1");
    w->account = "somebody else";
    assert_null(meet(w, &start, "i-1"));
    w->account = mine;
    test_world_free(w);
}

/* The same seed and order give the same; another seed, or another fault, something else; and the
 * rate is what was asked for. */
static void chance_is_the_seeds(void **state)
{
    enum { N = 20000 };
    struct fault f = {.num = 1, .probability = 250000}, g = {.num = 2, .probability = 250000};
    int same_seed = 0, other_seed = 0, other_fault = 0, struck = 0;

    (void)state;
    for (int64_t i = 1; i <= N; i++) {
        bool a = fault_strikes(7, &f, i);

        struck += a;
        same_seed += a == fault_strikes(7, &f, i);
        other_seed += a == fault_strikes(8, &f, i);
        other_fault += a == fault_strikes(7, &g, i);
    }
    assert_int_equal(same_seed, N);
    assert_in_range(struck, N / 4 - N / 50, N / 4 + N / 50);
    /* of two independent draws 10 in 16 are alike */
    assert_in_range(other_seed, N * 10 / 16 - N / 50, N * 10 / 16 + N / 50);
    assert_in_range(other_fault, N * 10 / 16 - N / 50, N * 10 / 16 + N / 50);
    f.probability = 1000000;
    for (int64_t i = 1; i <= N; i++)
        assert_true(fault_strikes(7, &f, i));
}

static void without_controls_nothing_is_looked_for(void **state)
{
    struct test_world *w = controlled();
    struct asked r = {.call = {.arena = w->arena, .dialect = &plain, .action = &start}};

    (void)state;
    ask(w, (struct fault){.num = 1, .code = "A"});
    r.call.params = json_object();
    assert_int_equal(test_read(w, look, &r), ERR_NONE);
    assert_false(r.awaited); /* a dialect without faults */
    r.call.dialect = &cloud;
    assert_int_equal(test_read(w, look, &r), ERR_NONE);
    assert_true(r.awaited);
    w->core.settings.controls = false;
    assert_int_equal(test_read(w, look, &r), ERR_NONE);
    assert_false(r.awaited);
    json_decref(r.call.params);
    test_world_free(w);
}

static enum err last_event(struct op *op, void *arg)
{
    struct query q = {.order = "-seq"};

    assert_true(store_first(op->tx, &rec_event, &q, arg));
    return ERR_NONE;
}

/* The message is said as it stands: what looks like a place in it is none. */
static void what_is_said_and_written_down(void **state)
{
    struct test_world *w = controlled();
    struct asked r = {.call = {.arena = w->arena, .dialect = &cloud, .action = &start}};
    struct answer a = {0};
    struct event e;

    (void)state;
    ask(w, (struct fault){.num = 4,
                          .code = "A",
                          .status = 499,
                          .fate = FATE_TRUNCATED,
                          .delay_ms = 70,
                          .retry_ms = 5});
    r.call.params = json_pack("{s:s}", "Id", "i-7");
    assert_int_equal(test_write(w, judge, &r), ERR_NONE);
    assert_true(r.verdict->refused);
    assert_int_equal(fault_raise(&r.call, r.verdict), r.verdict->row.err);
    assert_string_equal(call_message(&r.call, &r.verdict->row), "said %d and %p");
    assert_string_equal(r.verdict->row.code, "A");
    assert_int_equal(r.verdict->row.status, 499);
    fault_shape(&r.call, r.verdict, &a);
    assert_int_equal(a.fate, FATE_TRUNCATED);
    assert_int_equal(a.delay_ms, 70);
    assert_int_equal(test_read(w, last_event, &e), ERR_NONE);
    assert_string_equal(e.kind, "fault");
    assert_string_equal(e.subject, "i-7");
    assert_string_equal(e.request_id, "TEST");
    assert_string_equal(e.account, w->account);
    assert_string_equal(e.detail, "fault-4: cloud Start A truncate after 70 ms");
    json_decref(r.call.params);
    test_world_free(w);
}

static void fates_have_names(void **state)
{
    enum fate f;

    (void)state;
    for (int i = 0; i < FATE_COUNT; i++) {
        assert_true(fault_fate_read(fault_fate_name((enum fate)i), &f));
        assert_int_equal(f, i);
    }
    assert_false(fault_fate_read("burn", &f));
}

/* ---- codes ---- */

static void codes_in_their_order(void **state)
{
    static const struct code wanted[] = {
        {403, "Expired", "postpaid is over: %s"},
        {400, "Expired", "never was"},
        {409, "Own", "own row"}, /* not the general table's */
        {403, "Expired", "prepaid is over"},
        {400, "BadName", "a bad name"},
        {400, "Throttling", "too fast"},
        {500, "Internal", "broken"},
        {400, "Time", "no time"},
        {400, "MissingId", "Id is needed for %a"},
    };
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    struct codes got = codes_of(&cloud, &start, a);

    (void)state;
    assert_int_equal(got.n, ARRAY_LEN(wanted));
    for (size_t i = 0; i < got.n; i++) {
        assert_int_equal(got.v[i].status, wanted[i].status);
        assert_string_equal(got.v[i].code, wanted[i].code);
        assert_string_equal(got.v[i].message, wanted[i].message);
    }
    struct codes all = codes_of(&cloud, NULL, a);
    assert_int_equal(all.n, ARRAY_LEN(wanted) + 2); /* each once: List's own two more */
    struct codes bare = codes_of(&plain, &start, a);
    assert_int_equal(bare.n, 1); /* the action's own row */
}

static void one_of_several_rows(void **state)
{
    static const struct {
        const char *code;
        int status;
        const char *text, *message; /* NULL: none is meant */
    } cases[] = {
        {"Expired", 0, NULL, "postpaid is over: a test asked for this"},
        {"Expired", 400, NULL, "never was"},
        {"Expired", 0, "prepaid", "prepaid is over"},
        {"Expired", 0, "postpaid", "postpaid is over: a test asked for this"},
        {"Expired", 0, "since May", "postpaid is over: since May"},
        {"Expired", 400, "since May", NULL},
        {"Expired", 409, NULL, NULL},
        {"Throttling", 0, "since May", NULL},
        {"MissingId", 0, NULL, "Id is needed for Start"},
        {"expired", 0, NULL, NULL},
    };
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    struct codes codes = codes_of(&cloud, &start, a);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct code *c = codes_pick(&codes, cases[i].code, cases[i].status, cases[i].text);

        assert_int_equal(!c, !cases[i].message);
        if (c)
            assert_string_equal(code_message(c, &start, cases[i].text, a), cases[i].message);
    }
    assert_string_equal(code_shown(&codes.v[0], a), "postpaid is over: ...");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(three_times_then_never),
        cmocka_unit_test(every_third),
        cmocka_unit_test(the_oldest_decides),
        cmocka_unit_test(whose_and_about_which),
        cmocka_unit_test(chance_is_the_seeds),
        cmocka_unit_test(without_controls_nothing_is_looked_for),
        cmocka_unit_test(what_is_said_and_written_down),
        cmocka_unit_test(fates_have_names),
        cmocka_unit_test(codes_in_their_order),
        cmocka_unit_test(one_of_several_rows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
