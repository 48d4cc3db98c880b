/* Names and their patterns, passwords, tags, scripts, fuzzy filters, and what round-trips. */
#include "fixture.h"

#include "dialect/zenlayer/attrs.h"
#include "dialect/zenlayer/instance.h"
#include "dialect/zenlayer/listing.h"
#include "dialect/zenlayer/rules.h"

#define X61 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

static int setup(void **state)
{
    *state = arena_new();
    return 0;
}

static int teardown(void **state)
{
    arena_free(*state);
    return 0;
}

static void test_names(void **state)
{
    static const struct {
        const char *name;
        bool good;
    } cases[] = {
        {"ab", true},
        {"a1", true},
        {"1a", true},
        {"web-1.example", true},
        {X61 "ab", true},
        {X61 "abc", false},
        {"a", false},
        {"", false},
        {"-ab", false},
        {"ab-", false},
        {".ab", false},
        {"ab.", false},
        {"a_b", false},
        {"a b", false},
        {"a\xc3\xa9"
         "b",
         false},
        {"a/b", false},
        {"web-[3,3]", true},
        {"web_[3,3]", true},
        {"[0,2]", true},
        {"[0,1]", false},
        {"web-[3,3]-x", true},
        {"web-[]", true},
        {"web-[3]", true},
        {"web-[,3]", true},
        {"web-[3,]", true},
        {"web[3,7]", false},
        {"web[3,0]", false},
        {"web[100000,3]", false},
        {"web[3, 3]", false},
        {"web[", false},
        {"web[3,3", false},
        {"web]", false},
        {"web[a]", false},
        {X61 "[0,2]", true},
        {X61 "[0,3]", false},
        {"web_x[1,1]", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        if (zec_good_name(cases[i].name) != cases[i].good)
            fail_saying("'%s'", cases[i].name);
}

static void test_name_patterns(void **state)
{
    struct arena *a = *state;

    assert_string_equal(zec_name_pattern(a, "server_[3,3]", 2), "server[3,3]");
    assert_string_equal(zec_name_pattern(a, "s-[]", 2), "s-[0,6]");
    assert_string_equal(zec_name_pattern(a, "s-[7]", 2), "s-[7,6]");
    assert_string_equal(zec_name_pattern(a, "a_[1,2]b_[,3]", 2), "a[1,2]b[0,3]");
    assert_string_equal(zec_name_pattern(a, "plain", 100), "plain");
    /* Only the last of them becomes too long. */
    assert_non_null(zec_name_pattern(a, X61 "[8,2]", 2));
    assert_non_null(zec_name_pattern(a, X61 "[98,2]", 2));
    assert_null(zec_name_pattern(a, X61 "[98,2]", 3));
}

static void test_passwords(void **state)
{
    static const struct {
        const char *password;
        bool good;
    } cases[] = {
        {"Abcdef1~", true},     {"Abcdef1~90123456", true}, {"Abcdef1~901234567", false},
        {"Abcde1~", false},     {"abcdef1~", false},        {"ABCDEF1~", false},
        {"Abcdefg~", false},    {"Abcdefg1", false},        {"", false},
        {"Aa1!@$^*-_=+", true}, {"Aa1|;:,.?x", true},       {"Aa1~ abcd", false},
        {"Aa1~abc#", false},    {"Aa1~abc%", false},        {"Aa1~abc\"", false},
        {"Aa1~abc\\", false},   {"Aa1~abc\xc3\xa9", false}, {"Aa1~abc\t", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        if (zec_good_password(cases[i].password) != cases[i].good)
            fail_saying("'%s'", cases[i].password);
}

static enum err tags_of(struct fixture *f, const struct zec_tag *tags, size_t n, const char **ret)
{
    struct objs list = {(void *)(uintptr_t)tags, n};

    return zec_tags_json(&f->call, &list, ret);
}

static void test_tags(void **state)
{
    static const char long_key[] = X61 "abcd";
    static const char wide_key[] = /* 64 characters, 192 bytes */
        "\xe6\xb5\x8b\xe6\xb5\x8b\xe6\xb5\x8b\xe6\xb5\x8b\xe6\xb5\x8b\xe6\xb5\x8b\xe6\xb5\x8b\xe6"
        "\xb5\x8b"
        "\xe6\xb5\x8b\xe6\xb5\x8b\xe6\xb5\x8b\xe6\xb5\x8b\xe6\xb5\x8b\xe6\xb5\x8b\xe6\xb5\x8b\xe6"
        "\xb5\x8b"
        "\xe6\xb5\x8b\xe6\xb5\x8b\xe6\xb5\x8b\xe6\xb5\x8b\xe6\xb5\x8b\xe6\xb5\x8b\xe6\xb5\x8b\xe6"
        "\xb5\x8b"
        "\xe6\xb5\x8b\xe6\xb5\x8b\xe6\xb5\x8b\xe6\xb5\x8b\xe6\xb5\x8b\xe6\xb5\x8b\xe6\xb5\x8b\xe6"
        "\xb5\x8b"
        "\xe6\xb5\x8b\xe6\xb5\x8b\xe6\xb5\x8b\xe6\xb5\x8b\xe6\xb5\x8b\xe6\xb5\x8b\xe6\xb5\x8b\xe6"
        "\xb5\x8b"
        "\xe6\xb5\x8b\xe6\xb5\x8b\xe6\xb5\x8b\xe6\xb5\x8b\xe6\xb5\x8b\xe6\xb5\x8b\xe6\xb5\x8b\xe6"
        "\xb5\x8b"
        "\xe6\xb5\x8b\xe6\xb5\x8b\xe6\xb5\x8b\xe6\xb5\x8b\xe6\xb5\x8b\xe6\xb5\x8b\xe6\xb5\x8b\xe6"
        "\xb5\x8b"
        "\xe6\xb5\x8b\xe6\xb5\x8b\xe6\xb5\x8b\xe6\xb5\x8b\xe6\xb5\x8b\xe6\xb5\x8b\xe6\xb5\x8b\xe6"
        "\xb5\x8b";
    const struct zec_tag good[] = {{"role", "we\"b"}, {wide_key, "x"}};
    const struct zec_tag twice[] = {{"a", "1"}, {"b", "2"}, {"a", "3"}};
    const struct zec_tag too_long = {long_key, "x"}, long_value = {"x", long_key};
    struct zec_tag_filter filter = {0};
    struct fixture f;
    const char *json = NULL;
    size_t n;

    (void)state;
    fixture_init(&f, 0);
    assert_int_equal(tags_of(&f, NULL, 0, &json), ERR_NONE);
    assert_string_equal(json, "{}");
    assert_int_equal(tags_of(&f, twice, 3, &json), ERR_TAG_DUPLICATE);
    assert_int_equal(tags_of(&f, &too_long, 1, &json), ERR_TAG_KEY);
    assert_int_equal(tags_of(&f, &long_value, 1, &json), ERR_TAG_VALUE);

    assert_int_equal(tags_of(&f, good, 2, &json), ERR_NONE);
    const struct zec_tag *back = zec_tags_read(f.arena, json, &n);
    assert_int_equal(n, 2);
    assert_string_equal(back[0].key, "role");
    assert_string_equal(back[0].value, "we\"b");
    assert_string_equal(back[1].key, wide_key);
    (void)zec_tags_read(f.arena, "damaged", &n);
    assert_int_equal(n, 0);

    /* Keys alone, and keys with values. */
    struct query q = {0};
    struct zec_tag_filter odd = {.keys = {(const char *[]){"we\"b"}, 1},
                                 .tags = {(struct zec_tag[]){{"50%_", "x"}}, 1}};
    assert_true(zec_tag_filter_empty(&filter));
    zec_tag_filter_query(f.arena, &q, &filter);
    assert_int_equal(q.n_conds, 0);
    assert_false(zec_tag_filter_empty(&odd));
    zec_tag_filter_query(f.arena, &q, &odd);
    assert_int_equal(q.n_conds, 2);
    assert_string_equal(q.conds[0].texts[0], "we\"b");
    assert_null(q.conds[0].values);
    assert_string_equal(q.conds[1].texts[0], "50%_");
    assert_string_equal(q.conds[1].values[0], "x");
    fixture_done(&f);
}

static void test_user_data(void **state)
{
    struct arena *a = *state;
    bool binary = true;

    assert_string_equal(zec_user_data(a, "#!/bin/sh\necho hi\n", &binary), "#!/bin/sh\necho hi\n");
    assert_false(binary);
    assert_string_equal(zec_user_data(a, "IyEvYmluL3NoCg==", &binary), "#!/bin/sh\n");
    assert_false(binary);
    assert_string_equal(zec_user_data(a, "abcd", &binary), "abcd"); /* base64 of nothing sensible */
    assert_false(binary);
    assert_string_equal(zec_user_data(a, "H4sIAAAA", &binary), "H4sIAAAA"); /* gzip */
    assert_true(binary);
}

static void test_fuzzy(void **state)
{
    static const struct {
        const char *asked;
        enum cmp cmp;
        const char *text;
        bool finds_web1; /* in "web-1" */
    } cases[] = {
        {"web", CMP_LIKE, "%web%", true},    {"eb-", CMP_LIKE, "%eb-%", true},
        {"^web", CMP_LIKE, "web%", true},    {"^eb", CMP_LIKE, "eb%", false},
        {"-1$", CMP_LIKE, "%-1", true},      {"web$", CMP_LIKE, "%web", false},
        {"^web-1$", CMP_EQ, "web-1", true},  {"^web$", CMP_EQ, "web", false},
        {"50%", CMP_LIKE, "%50\\%%", false}, {"e_b", CMP_LIKE, "%e\\_b%", false},
        {"\\", CMP_LIKE, "%\\\\%", false},   {"^", CMP_LIKE, "%", true},
        {"$", CMP_LIKE, "%", true},          {"a^b", CMP_LIKE, "%a^b%", false},
    };
    struct arena *a = *state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct query q = {0};

        zec_query_fuzzy(a, &q, "name", cases[i].asked);
        assert_int_equal(q.n_conds, 1);
        assert_int_equal(q.conds[0].cmp, cases[i].cmp);
        assert_string_equal(q.conds[0].text, cases[i].text);
        assert_int_equal(zec_fuzzy(a, "web-1", cases[i].asked), cases[i].finds_web1);
    }
}

static void test_attrs(void **state)
{
    struct arena *a = *state;
    struct zec_attrs given = {.time_zone = "Asia/Tokyo",
                              .nic_network_type = "VfOnly",
                              .ip_forward = true,
                              .system_bursting = true,
                              .has_options = true,
                              .nested_virtualization = true};
    struct zec_attrs back = zec_attrs_read(a, zec_attrs_write(a, &given));

    assert_string_equal(back.time_zone, "Asia/Tokyo");
    assert_string_equal(back.nic_network_type, "VfOnly");
    assert_false(back.agent);
    assert_true(back.ip_forward && back.system_bursting && !back.data_bursting);
    assert_true(back.has_options && back.nested_virtualization);

    given = (struct zec_attrs){.agent = true};
    back = zec_attrs_read(a, zec_attrs_write(a, &given));
    assert_null(back.time_zone);
    assert_string_equal(back.nic_network_type, "Auto");
    assert_true(back.agent);
    assert_false(back.has_options);

    /* What the other dialect wrote, or nothing that can be read. */
    back = zec_attrs_read(a, "{\"enableAgent\":\"x\",\"instanceOptions\":3}");
    assert_true(back.agent);
    assert_false(back.has_options);
    back = zec_attrs_read(a, "damaged");
    assert_true(back.agent);
}

static void test_derived_ids(void **state)
{
    struct arena *a = *state;
    const char *nic = zec_derived_id(a, "nic", "1272168087751233112");
    const char *group = zec_group_id(a, "1234567890123456");

    assert_int_equal(strlen(nic), 19);
    assert_int_equal(strspn(nic, "0123456789"), 19);
    assert_string_equal(nic, zec_derived_id(a, "nic", "1272168087751233112"));
    assert_string_not_equal(nic, zec_derived_id(a, "nic", "1272168087751233113"));
    assert_int_equal(strlen(group), 36);
    assert_int_equal(group[8] == '-' && group[13] == '-' && group[18] == '-' && group[23] == '-',
                     1);
    assert_string_not_equal(group, zec_group_id(a, "1234567890123457"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_names, setup, teardown),
        cmocka_unit_test_setup_teardown(test_name_patterns, setup, teardown),
        cmocka_unit_test_setup_teardown(test_passwords, setup, teardown),
        cmocka_unit_test_setup_teardown(test_tags, setup, teardown),
        cmocka_unit_test_setup_teardown(test_user_data, setup, teardown),
        cmocka_unit_test_setup_teardown(test_fuzzy, setup, teardown),
        cmocka_unit_test_setup_teardown(test_attrs, setup, teardown),
        cmocka_unit_test_setup_teardown(test_derived_ids, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
