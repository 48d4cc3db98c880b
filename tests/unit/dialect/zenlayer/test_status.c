/* Every state for every kind of client, and that a filter finds exactly what is shown under its
 * word. */
#include "fixture.h"

#include "dialect/zenlayer/status.h"

static const char *shown(enum inst_state s, enum birth b, enum verb v, const char *client)
{
    struct settings settings = {0};
    struct inst in = {.state = s, .birth = b, .verb = v};

    return zec_status(&in, zec_starting_word(&settings, client));
}

static void test_states(void **state)
{
    static const struct {
        enum inst_state state;
        enum birth birth;
        enum verb verb;
        const char *sdk, *tf; /* as seen by an SDK; by Terraform and zeno */
    } cases[] = {
        {INST_PENDING, BIRTH_PENDING, VERB_CREATE, "DEPLOYING", "DEPLOYING"},
        {INST_STARTING, BIRTH_PENDING, VERB_START, "DEPLOYING", "DEPLOYING"},
        {INST_STARTING, BIRTH_DONE, VERB_START, "STARTING", "BOOTING"},
        {INST_RUNNING, BIRTH_DONE, VERB_NONE, "RUNNING", "RUNNING"},
        {INST_STOPPING, BIRTH_DONE, VERB_STOP, "STOPPING", "STOPPING"},
        {INST_STOPPED, BIRTH_DONE, VERB_NONE, "STOPPED", "STOPPED"},
        {INST_STOPPED, BIRTH_FAILED, VERB_NONE, "CREATE_FAILED", "CREATE_FAILED"},
        {INST_PENDING, BIRTH_FAILED, VERB_NONE, "CREATE_FAILED", "CREATE_FAILED"},
        {INST_REBOOTING, BIRTH_DONE, VERB_REBOOT, "REBOOT", "REBOOT"},
        {INST_REBOOTING, BIRTH_DONE, VERB_FORCE_REBOOT, "REBOOT", "REBOOT"},
        {INST_RESETTING, BIRTH_DONE, VERB_NONE, "REBUILDING", "REBUILDING"},
        {INST_RELEASING, BIRTH_DONE, VERB_RECYCLE, "RECYCLING", "RECYCLING"},
        {INST_RELEASING, BIRTH_DONE, VERB_FORCE_RELEASE, "RELEASING", "RELEASING"},
        {INST_RELEASING, BIRTH_FAILED, VERB_FORCE_RELEASE, "RELEASING", "RELEASING"},
        {INST_RECYCLED, BIRTH_DONE, VERB_NONE, "RECYCLE", "RECYCLE"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        enum inst_state s = cases[i].state;
        enum birth b = cases[i].birth;
        enum verb v = cases[i].verb;

        assert_string_equal(shown(s, b, v, ""), cases[i].sdk);
        assert_string_equal(shown(s, b, v, "python"), cases[i].sdk);
        assert_string_equal(shown(s, b, v, "my-Terraform"), cases[i].sdk);
        assert_string_equal(shown(s, b, v, "Terraform-latest"), cases[i].tf);
        assert_string_equal(shown(s, b, v, "zeno"), cases[i].tf);
        assert_string_equal(shown(s, b, v, "zeno 1.0.22"), cases[i].tf);
    }
}

static void test_the_setting_decides_for_all(void **state)
{
    struct settings booting = {.starting_word = "BOOTING"},
                    starting = {.starting_word = "STARTING"};

    (void)state;
    assert_string_equal(zec_starting_word(&booting, ""), "BOOTING");
    assert_string_equal(zec_starting_word(&booting, "zeno"), "BOOTING");
    assert_string_equal(zec_starting_word(&starting, ""), "STARTING");
    assert_string_equal(zec_starting_word(&starting, "Terraform-1"), "STARTING");
}

/* What the store would make of the conditions. */
static bool finds(const struct query *q, const struct inst *in)
{
    for (size_t i = 0; i < q->n_conds; i++) {
        const struct cond *c = &q->conds[i];
        int64_t v = streq(c->column, "state")   ? (int64_t)in->state
                    : streq(c->column, "birth") ? (int64_t)in->birth
                    : streq(c->column, "verb")  ? (int64_t)in->verb
                                                : -2;

        assert_int_not_equal(v, -2);
        assert_true(c->cmp == CMP_EQ || c->cmp == CMP_NE || c->cmp == CMP_IN);
        if (c->cmp == CMP_IN ? !(c->set >> v & 1) : (v == c->num) != (c->cmp == CMP_EQ))
            return false;
    }
    return true;
}

/* STARTING for BOOTING and so on. */
static const char *main_word(const char *word)
{
    if (streq(word, "BOOTING"))
        return "STARTING";
    return streq(word, "RECYCLED") ? "RECYCLE" : word;
}

static void test_filters_find_what_is_shown(void **state)
{
    size_t words = 0;

    (void)state;
    for (const char *const *w = zec_status_words; *w; w++, words++) {
        struct query q = {0};

        zec_status_filter(&q, *w);
        assert_true(q.n_conds <= 12); /* the other filters need room too */
        for (int s = 0; s < INST_STATE_COUNT; s++)
            for (int b = 0; b <= BIRTH_FAILED; b++)
                for (int v = 0; v < VERB_COUNT; v++) {
                    struct inst in = {
                        .state = (enum inst_state)s, .birth = (enum birth)b, .verb = (enum verb)v};

                    if (s == INST_PENDING && b == BIRTH_DONE)
                        continue; /* no such instance */
                    assert_int_equal(finds(&q, &in),
                                     streq(zec_status(&in, "STARTING"), main_word(*w)));
                }
    }
    assert_int_equal(words, 15);
}

static void test_damaged_rows(void **state)
{
    struct inst in = {.state = (enum inst_state)77, .birth = (enum birth)99};

    (void)state;
    assert_non_null(zec_status(&in, "STARTING"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_states),
        cmocka_unit_test(test_the_setting_decides_for_all),
        cmocka_unit_test(test_filters_find_what_is_shown),
        cmocka_unit_test(test_damaged_rows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
