/* The rules for names, host names, passwords and tags; wildcards. */
#include "fixture.h"

#include <stdio.h>

#include "dialect/alibaba/names.h"
#include "dialect/alibaba/text.h"

#define CJK "\xE4\xB8\xAD"

static void repeat(char *to, const char *what, size_t n)
{
    for (*to = 0; n; n--)
        memcpy(to + strlen(to), what, strlen(what) + 1);
}

static void test_name(void **state)
{
    static const char *const good[] = {
        "ab", "a1", "A:_.-9", CJK "1", "web-01.example", "\xC3\xA9t\xC3\xA9"};
    static const char *const bad[] = {"",     "a",         "1ab",       "-ab",
                                      "a b",  "a/b",       "a[b",       "_a",
                                      "a*b",  "http://ab", "https://a", "ab\xE3\x80\x82",
                                      "a\x7F"};
    char text[600];
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_true(name_ok(good[i]));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(name_ok(bad[i]));
    repeat(text, CJK, 128); /* characters, not bytes */
    assert_true(name_ok(text));
    assert_true(name_pattern_ok(text, 0));
    assert_false(name_pattern_ok(text, 3));
    repeat(text, CJK, 129);
    assert_false(name_ok(text));
}

static void test_sequences(void **state)
{
    static const char *const good[] = {"web-[1,3]", "web-[,]x", "web[999999,6]", "w[,1]", "plain"};
    static const char *const bad[] = {"web-[1]",        "web-[1,7]",      "web-[1,0]",
                                      "[1,3]",          "web-[a,1]",      "web-[1,3",
                                      "web-[1,2][1,2]", "web-[1234567,2]"};
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_true(name_pattern_ok(good[i], 0));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(name_pattern_ok(bad[i], 0));
}

static void test_hostname(void **state)
{
    static const char *const good[] = {"ab", "web-1", "a.b-c.d", "web-[1,3]", "1a"};
    static const char *const bad[] = {"a",    "12",   "-ab", "ab-", "a..b",
                                      "a.-b", "a--b", ".ab", "a_b", CJK CJK};
    char text[100];
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_true(hostname_pattern_ok(good[i], 0));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(hostname_pattern_ok(bad[i], 0));
    repeat(text, "a", 64);
    assert_true(hostname_pattern_ok(text, 0));
    assert_false(hostname_pattern_ok(text, 3));
    repeat(text, "a", 65);
    assert_false(hostname_pattern_ok(text, 0));
}

static void test_password_and_description(void **state)
{
    char text[600];
    (void)state;

    assert_true(password_ok("Abcdef12"));
    assert_true(password_ok("abcdef1!"));
    assert_true(password_ok("ABCDEF1!"));
    assert_false(password_ok("abcdefg1")); /* two kinds */
    assert_false(password_ok("Abcde1!"));  /* seven */
    assert_false(password_ok("Abcdef12 "));
    assert_false(password_ok("Abcdef12\xC3\xA9"));
    repeat(text, "aB1", 10);
    assert_true(password_ok(text));
    repeat(text, "aB1", 11);
    assert_false(password_ok(text));

    assert_true(description_ok("two words"));
    assert_false(description_ok("x"));
    assert_false(description_ok("http://x"));
    repeat(text, "a", 256);
    assert_true(description_ok(text));
    repeat(text, "a", 257);
    assert_false(description_ok(text));
}

static enum err tags(const struct tag *v, size_t n, const char *want)
{
    struct arena *a CLEANUP(arena_free_p) = arena_new();
    struct fail f = {0};
    struct op op = {.arena = a, .fail = &f};
    struct objs objs = {.v = (void *)v, .n = n};
    const char *text = NULL;
    enum err e = tags_json(&op, &objs, &text);

    if (want)
        assert_string_equal(text, want);
    return e;
}

static void test_tags(void **state)
{
    struct tag many[TAGS_MAX + 1];
    char keys[TAGS_MAX + 1][8], text[200];
    (void)state;

    assert_int_equal(tags(NULL, 0, "{}"), ERR_NONE);
    assert_int_equal(tags((struct tag[]){{"k", "v"}, {"k2", NULL}}, 2, "{\"k\":\"v\",\"k2\":\"\"}"),
                     ERR_NONE);
    assert_int_equal(tags((struct tag[]){{"k", "v"}, {"k", "w"}}, 2, NULL), ERR_TAG_DUPLICATE);
    assert_int_equal(tags((struct tag[]){{NULL, "v"}}, 1, NULL), ERR_TAG_KEY);
    assert_int_equal(tags((struct tag[]){{"acs:x", "v"}}, 1, NULL), ERR_TAG_KEY);
    assert_int_equal(tags((struct tag[]){{"aliyun-x", "v"}}, 1, NULL), ERR_TAG_KEY);
    assert_int_equal(tags((struct tag[]){{"x-https://", "v"}}, 1, NULL), ERR_TAG_KEY);
    assert_int_equal(tags((struct tag[]){{"x", "see http://x"}}, 1, NULL), ERR_TAG_VALUE);
    repeat(text, "a", 129);
    assert_int_equal(tags((struct tag[]){{text, "v"}}, 1, NULL), ERR_TAG_KEY);
    assert_int_equal(tags((struct tag[]){{"k", text}}, 1, NULL), ERR_TAG_VALUE);
    for (size_t i = 0; i <= TAGS_MAX; i++) {
        (void)snprintf(keys[i], sizeof(keys[i]), "k%zu", i);
        many[i] = (struct tag){keys[i], ""};
    }
    assert_int_equal(tags(many, TAGS_MAX, NULL), ERR_NONE);
    assert_int_equal(tags(many, TAGS_MAX + 1, NULL), ERR_TAG_COUNT);
}

static void test_wildcards(void **state)
{
    struct arena *a CLEANUP(arena_free_p) = arena_new();
    (void)state;

    assert_string_equal(wildcard_like(a, "a*b"), "a%b");
    assert_string_equal(wildcard_like(a, "100%_\\"), "100\\%\\_\\\\");
    assert_true(wildcard_match("web*", "web"));
    assert_true(wildcard_match("*a*b*", "xxaxxbxx"));
    assert_true(wildcard_match("*", ""));
    assert_true(wildcard_match("a*ab", "aaab"));
    assert_false(wildcard_match("web", "web1"));
    assert_false(wildcard_match("a*b", "abc"));
    assert_false(wildcard_match("", "a"));
}

static void test_utf8(void **state)
{
    (void)state;
    assert_true(utf8_valid("\xF0\x9F\x98\x80"));
    assert_false(utf8_valid("\xF4\x90\x80\x80"));
    assert_false(utf8_valid("\xE0\x80\x80"));
    assert_false(utf8_valid("\x80"));
    assert_false(utf8_valid("\xF8\x88\x80\x80\x80"));
    assert_int_equal(utf8_length("a" CJK), 2);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_name),     cmocka_unit_test(test_sequences),
        cmocka_unit_test(test_hostname), cmocka_unit_test(test_password_and_description),
        cmocka_unit_test(test_tags),     cmocka_unit_test(test_wildcards),
        cmocka_unit_test(test_utf8),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
