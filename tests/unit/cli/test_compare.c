/* Comparing answers: what is another each time is learned, everything else is a difference. */
#include "check.h"

#include "cli/compare.h"

struct both {
    struct arena *arena;
    struct names *names;
};

static int setup(void **state)
{
    struct both *b = xcalloc(1, sizeof(*b));

    b->arena = arena_new();
    b->names = names_new();
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    struct both *b = *state;

    names_free(b->names);
    arena_free(b->arena);
    free(b);
    return 0;
}

/* How many differences there are; the first in *ret. */
static size_t differences(struct both *b, const char *recorded, const char *replayed,
                          struct comparison *c)
{
    json_t *a = json_loads(recorded, JSON_DECODE_ANY, NULL);
    json_t *z = json_loads(replayed, JSON_DECODE_ANY, NULL);

    assert_non_null(a);
    assert_non_null(z);
    compare_begin(c, b->arena, b->names);
    compare_json(c, "body", a, z);
    compare_keep(c);
    compare_done(c);
    json_decref(a);
    json_decref(z);
    return c->total;
}

static void what_is_another_each_time(void **state)
{
    static const char *const pairs[][2] = {
        {"\"i-bp1aaaaaaaaaaaaaaaa1\"", "\"i-bp1bbbbbbbbbbbbbbbb2\""},
        {"\"1573893057831501835\"", "\"1573893057831501999\""},
        {"\"1573893057831501836\"", "\"i-bp1bbbbbbbbbbbbbbbb3\""}, /* of the two clouds' forms */
        {"\"172.16.0.4\"", "\"172.16.0.9\""},
        {"\"00:16:3e:00:00:01\"", "\"00:16:3e:00:00:0f\""},
        {"\"iZbp1aaaaaaaaaaaaaaaa1Z\"", "\"iZbp1bbbbbbbbbbbbbbbb2Z\""},
        {"\"821D25F7-89A9-409A-A392-BAAE2D5FF54E\"", "\"921D25F7-89A9-409A-A392-BAAE2D5FF54E\""},
        {"\"T821D25F7-89A9-409A-A392-BAAE2D5FF54E\"", "\"T921D25F7-89A9-409A-A392-BAAE2D5FF54E\""},
        {"\"2026-11-22T02:49Z\"", "\"2031-01-02T03:04Z\""},
        {"\"2026-11-22T02:49:06Z\"", "\"2031-01-02T03:04:05Z\""},
        {"{\"HostId\": \"127.0.0.1:1\"}", "{\"HostId\": \"ecs.example\"}"},
        {"{\"NextToken\": \"abc=\"}", "{\"NextToken\": \"x/y\"}"},
    };
    struct comparison c;

    for (size_t i = 0; i < ARRAY_LEN(pairs); i++)
        assert_int_equal(differences(*state, pairs[i][0], pairs[i][1], &c), 0);
}

static void what_must_be_the_same(void **state)
{
    static const char *const pairs[][2] = {
        {"\"i-bp1aaaaaaaaaaaaaaaa1\"", "\"d-bp1bbbbbbbbbbbbbbbb2\""}, /* another kind of thing */
        {"\"i-bp1aaaaaaaaaaaaaaaa1\"", "\"\""},
        {"\"2026-11-22T02:49Z\"", "\"2026-11-22T02:49:06Z\""}, /* another form */
        {"\"2026-11-22T02:49Z\"", "\"\""},
        {"\"ecs.t5-lc2m1.nano\"", "\"ecs.g6.large\""},
        {"\"cn-hangzhou\"", "\"cn-beijing\""},
        {"1", "2"},
        {"1", "\"1\""},
        {"1", "1.0"},
        {"true", "false"},
        {"null", "\"\""},
        {"[1]", "[1, 2]"},
        {"[1, 2]", "[1, 3]"},
        {"{\"a\": 1}", "{}"},
        {"{}", "{\"a\": null}"},
        {"{\"HostId\": \"x\"}", "{\"HostId\": 1}"},
        {"{\"NextToken\": \"\"}", "{\"NextToken\": \"x\"}"},
        {"\"It is gone.\"", "\"It is there.\""},
    };
    struct comparison c;

    for (size_t i = 0; i < ARRAY_LEN(pairs); i++)
        assert_int_equal(differences(*state, pairs[i][0], pairs[i][1], &c), 1);
}

static void one_name_stands_for_one(void **state)
{
    struct both *b = *state;
    struct comparison c;

    assert_int_equal(
        differences(b, "[\"i-aaaaaaa1\", \"i-aaaaaaa2\"]", "[\"i-bbbbbbb1\", \"i-bbbbbbb2\"]", &c),
        0);
    assert_int_equal(differences(b, "\"i-aaaaaaa2\"", "\"i-bbbbbbb2\"", &c), 0);
    assert_int_equal(differences(b, "\"i-aaaaaaa1\"", "\"i-bbbbbbb2\"", &c), 1); /* mixed up */
    assert_int_equal(differences(b, "\"i-aaaaaaa3\"", "\"i-bbbbbbb2\"", &c), 1);
    assert_string_equal(c.v[0].path, "body");
    assert_string_equal(c.v[0].recorded, "\"i-aaaaaaa3\"");
    assert_string_equal(c.v[0].replayed, "\"i-bbbbbbb2\"");
    assert_string_equal(names_apply(b->names, b->arena, "[\"i-aaaaaaa2\",\"i-aaaaaaa1\"]."),
                        "[\"i-bbbbbbb2\",\"i-bbbbbbb1\"].");
    assert_string_equal(names_apply(b->names, b->arena, "i-aaaaaaa22"), "i-aaaaaaa22");
}

static void names_inside_of_sentences(void **state)
{
    struct both *b = *state;
    struct comparison c;

    assert_int_equal(differences(b, "\"instance 'i-aaaaaaa1' is at 10.0.0.1.\"",
                                 "\"instance 'i-bbbbbbb1' is at 10.0.0.2.\"", &c),
                     0);
    assert_string_equal(names_get(b->names, "10.0.0.1"), "10.0.0.2");
    assert_int_equal(differences(b, "\"no i-aaaaaaa1\"", "\"no i-ccccccc1\"", &c), 1);
}

/* How far something has come is a matter of time; where it has arrived is not. */
static void what_is_on_its_way(void **state)
{
    struct comparison c;

    assert_int_equal(differences(*state, "{\"Status\": \"Starting\", \"StartTime\": \"\"}",
                                 "{\"Status\": \"Running\", \"StartTime\": \"2026-11-22T02:49Z\"}",
                                 &c),
                     0);
    assert_false(c.under_way);
    assert_int_equal(
        differences(*state, "{\"Status\": \"Running\"}", "{\"Status\": \"Starting\"}", &c), 1);
    assert_true(c.under_way);
    assert_int_equal(
        differences(*state, "{\"Status\": \"Running\"}", "{\"Status\": \"Stopped\"}", &c), 1);
    assert_false(c.under_way);
    assert_int_equal(differences(*state, "{\"dataSet\": []}",
                                 "{\"dataSet\": [{\"status\": \"RELEASING\"}]}", &c),
                     1);
    assert_true(c.under_way);
}

static size_t texts(struct both *b, const char *recorded, const char *replayed)
{
    struct comparison c;

    compare_begin(&c, b->arena, b->names);
    compare_text(&c, "body", recorded, replayed);
    compare_keep(&c);
    compare_done(&c);
    return c.total;
}

static void text_of_xml(void **state)
{
    assert_int_equal(
        texts(*state, "<Id>i-aaaaaaa1</Id><Cpu>1</Cpu>", "<Id>i-bbbbbbb1</Id><Cpu>1</Cpu>"), 0);
    assert_int_equal(
        texts(*state, "<Id>i-aaaaaaa1</Id><Cpu>1</Cpu>", "<Id>i-bbbbbbb1</Id><Cpu>2</Cpu>"), 1);
    assert_int_equal(texts(*state, "<A/>", "<A/><B/>"), 1);
    assert_int_equal(texts(*state, "<Status>Starting</Status>", "<Status>Running</Status>"), 0);
    assert_int_equal(texts(*state, "<Status>Running</Status>", "<Status>Starting</Status>"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_another_each_time, setup, teardown),
        cmocka_unit_test_setup_teardown(what_must_be_the_same, setup, teardown),
        cmocka_unit_test_setup_teardown(one_name_stands_for_one, setup, teardown),
        cmocka_unit_test_setup_teardown(names_inside_of_sentences, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_on_its_way, setup, teardown),
        cmocka_unit_test_setup_teardown(text_of_xml, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
