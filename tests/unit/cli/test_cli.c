/* The parts of the command line that need no server: quoting, guessing words, tables, signing. */
#include "check.h"

#include "base/arena.h"
#include "cli/ecs.h"
#include "cli/text.h"
#include "cli/zec.h"

/* ---- texts ---- */

static void quoting_survives_a_shell(void **state)
{
    static const char *const texts[][2] = {
        {"", "''"},
        {"plain", "'plain'"},
        {"two words", "'two words'"},
        {"it's", "'it'\\''s'"},
        {"$HOME `id` \\ \"", "'$HOME `id` \\ \"'"},
        {"'", "''\\'''"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        CLEANUP(buf_done) struct buf b = {0};

        text_shell_quote(&b, texts[i][0]);
        assert_string_equal(b.data, texts[i][1]);
    }
}

static void distance_counts_letters(void **state)
{
    (void)state;
    assert_int_equal(text_distance("start", "start"), 0);
    assert_int_equal(text_distance("", "abc"), 3);
    assert_int_equal(text_distance("abc", ""), 3);
    assert_int_equal(text_distance("strat", "start"), 1);  /* swapped */
    assert_int_equal(text_distance("stat", "start"), 1);   /* left out */
    assert_int_equal(text_distance("staart", "start"), 1); /* put in */
    assert_int_equal(text_distance("stort", "start"), 1);  /* changed */
    assert_int_equal(text_distance("kitten", "sitting"), 3);
}

static void a_long_word_is_far_from_everything(void **state)
{
    char word[200];

    (void)state;
    memset(word, 's', sizeof(word));
    word[sizeof(word) - 1] = 0;
    assert_int_equal(text_distance(word, "start"), sizeof(word) - 1);
    assert_int_equal(text_distance("start", word), sizeof(word) - 1);
}

static void nearest_word(void **state)
{
    static const char *const words[] = {"start", "stop", "show", "ls", "rm", "reboot", NULL};

    (void)state;
    assert_string_equal(text_nearest("strat", words), "start");
    assert_string_equal(text_nearest("sotp", words), "stop");
    assert_string_equal(text_nearest("rebot", words), "reboot");
    assert_string_equal(text_nearest("l", words), "ls");
    assert_null(text_nearest("xyzzy", words));
    assert_null(text_nearest("q", words)); /* a single letter means anything */
}

static void cleaning_takes_a_terminals_orders_out(void **state)
{
    CLEANUP(buf_done) struct buf b = {0};

    (void)state;
    text_clean(&b, "a\033[2Jb\nc\x7f d\xc2\x9b e\xc3\xa9 \xe4\xb8\xad");
    assert_string_equal(b.data, "a?[2Jb?c? d? e\xc3\xa9 \xe4\xb8\xad");
}

static void sizes_for_people(void **state)
{
    (void)state;
    assert_string_equal(text_size(0), "0 B");
    assert_string_equal(text_size(1023), "1023 B");
    assert_string_equal(text_size(1536), "1.5 KiB");
    assert_string_equal(text_size((uint64_t)5 << 30), "5.0 GiB");
    assert_string_equal(text_size(UINT64_MAX), "16.0 EiB");
}

static void region_of_a_zone(void **state)
{
    static const char *const zones[][2] = {
        {"cn-hangzhou-i", "cn-hangzhou"},
        {"us-east-1a", "us-east-1"},
        {"cn-hangzhou", "cn-hangzhou"},
        {"", ""},
        {"a", "a"},
        {"eu-central-1", "eu-central-1"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(zones); i++) {
        CLEANUP(free_p) char *region = text_region_of(zones[i][0]);

        assert_string_equal(region, zones[i][1]);
    }
}

static void tables_are_aligned(void **state)
{
    CLEANUP(buf_done) struct buf b = {0};
    struct table t = {0};

    (void)state;
    table_head(&t, (const char *const[]){"ID", "NAME", "STATE", NULL});
    table_cell(&t, "i-1");
    table_cell(&t, "\xc3\xa9t\xc3\xa9"); /* three letters of five bytes */
    table_cell(&t, "running");
    table_cell(&t, "i-22");
    table_cell(&t, NULL);
    table_cell(&t, "");
    table_cell(&t, "i-3");
    table_cell(&t, "\xe4\xb8\xad"); /* one letter of three bytes, two columns wide */
    table_cell(&t, "evil\nrow");
    table_print(&t, &b);
    table_done(&t);
    assert_string_equal(b.data, "ID    NAME  STATE\n"
                                "i-1   \xc3\xa9t\xc3\xa9   running\n"
                                "i-22  -     -\n"
                                "i-3   \xe4\xb8\xad    evil?row\n");
}

/* ---- signing, against what the cloud's own client sends ---- */

static const struct ecs_param *headers_for(const char *action)
{
    static struct ecs_param h[7];

    h[0] = (struct ecs_param){"host", "127.0.0.1:38080"};
    h[1] = (struct ecs_param){"x-acs-action", action};
    h[2] = (struct ecs_param){"x-acs-content-sha256",
                              "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"};
    h[3] = (struct ecs_param){"x-acs-credentials-provider", "static_ak"};
    h[4] = (struct ecs_param){"x-acs-date", "2026-01-02T03:04:05Z"};
    h[5] = (struct ecs_param){"x-acs-signature-nonce", "3ee8c1b883d344afa94f4e0ad82fd6cf"};
    h[6] = (struct ecs_param){"x-acs-version", "2014-05-26"};
    return h;
}

#define NAMES                                                                                      \
    "host;x-acs-action;x-acs-content-sha256;x-acs-credentials-provider;x-acs-date;"                \
    "x-acs-signature-nonce;x-acs-version"

static void check_signature(const char *action, const struct ecs_params *p, const char *query,
                            const char *signature)
{
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    struct ecs_request r = {.method = "POST",
                            .query = ecs_query(a, p->v, p->n),
                            .headers = headers_for(action),
                            .n_headers = 7,
                            .body = ""};

    assert_string_equal(r.query, query);
    assert_string_equal(
        ecs_authorization(a, &r, "testid", "testsecret"),
        arena_fmt(a, "ACS3-HMAC-SHA256 Credential=testid,SignedHeaders=" NAMES ",Signature=%s",
                  signature));
}

static void signs_a_start(void **state)
{
    struct ecs_params p = {0};

    (void)state;
    ecs_add(&p, "InstanceId", "i-bp67acfmxazb4p1"); /* sorted by the signer */
    ecs_add(&p, "InitLocalDisk", "false");
    ecs_add(&p, "Left.Out", NULL);
    check_signature("StartInstance", &p, "InitLocalDisk=false&InstanceId=i-bp67acfmxazb4p1",
                    "ce9313a2c1f694ab93b07d9e1ac73b3c8d8646e20f4a936080970d3310a2709b");
}

static void signs_a_batch(void **state)
{
    struct ecs_params p = {0};

    (void)state;
    ecs_add(&p, "RegionId", "cn-hangzhou");
    ecs_add(&p, "InstanceId.1", "i-1");
    ecs_add(&p, "InstanceId.2", "i-2");
    ecs_add(&p, "DryRun", "true");
    check_signature("StartInstances", &p,
                    "DryRun=true&InstanceId.1=i-1&InstanceId.2=i-2&RegionId=cn-hangzhou",
                    "bbdb59d60da2ee2f7e4a3c7b7f148f8dddb334ca4a2a5c7cde522e126bf1fb93");
}

static void signs_awkward_characters(void **state)
{
    struct ecs_params p = {0};

    (void)state;
    ecs_add(&p, "Amount", "1");
    ecs_add(&p, "DataDisk.1.Category", "cloud_essd");
    ecs_add(&p, "DataDisk.1.Size", "20");
    ecs_add(&p, "InstanceName", "a b*c~d'e(f)!\xc3\xa9\xe4\xb8\xad/+=&?#%");
    ecs_add(&p, "RegionId", "cn-hangzhou");
    ecs_add(&p, "Tag.1.Key", "k 1");
    ecs_add(&p, "Tag.1.Value", "v/1");
    ecs_add(&p, "Tag.2.Key", "k2");
    ecs_add(&p, "Tag.2.Value", "");
    ecs_add(&p, "SystemDisk.Category", "cloud_essd");
    ecs_add(&p, "SystemDisk.Size", "40");
    check_signature("RunInstances", &p,
                    "Amount=1&DataDisk.1.Category=cloud_essd&DataDisk.1.Size=20&InstanceName="
                    "a%20b%2Ac~d%27e%28f%29%21%C3%A9%E4%B8%AD%2F%2B%3D%26%3F%23%25"
                    "&RegionId=cn-hangzhou&SystemDisk.Category=cloud_essd&SystemDisk.Size=40"
                    "&Tag.1.Key=k%201&Tag.1.Value=v%2F1&Tag.2.Key=k2&Tag.2.Value=",
                    "67b68259f7cc482a191a1d06288951364659f8a2f26b1b58b36c80b753936129");
}

static void signs_json_in_a_parameter(void **state)
{
    struct ecs_params p = {0};

    (void)state;
    ecs_add(&p, "InstanceIds", "[\"i-1\",\"i-2\"]");
    ecs_add(&p, "RegionId", "cn-hangzhou");
    check_signature("DescribeInstances", &p,
                    "InstanceIds=%5B%22i-1%22%2C%22i-2%22%5D&RegionId=cn-hangzhou",
                    "ccc27aeda203ae3c24b4fa02b3f72340f241c2af1307f62f00bd5154f53525ec");
}

static void signs_no_parameters(void **state)
{
    (void)state;
    check_signature("DescribeRegions", &(struct ecs_params){0}, "",
                    "a793f0e1b8109c1f0afbd8f4bcd98681708ef4493e5104f4d2fbaed3868fde96");
}

/* Vector B of the reference: the Python SDK's own signature. */
static void signs_zenlayers_way(void **state)
{
    CLEANUP(arena_free_p) struct arena *a = arena_new();

    (void)state;
    assert_string_equal(
        zec_authorization(a, "127.0.0.1:8080", "1700000001",
                          "{\"instanceIds\": [\"1234567890123456789\", \"1234567890123456790\"]}",
                          "AKIDTESTKEY0000000001", "TestSecretPassword-0123456789"),
        "ZC2-HMAC-SHA256 Credential=AKIDTESTKEY0000000001, SignedHeaders=content-type;host, "
        "Signature=401f17fa0a964cd0e4e6285319427f0a2dcc35660d7a09af0490c5aa03c5613c");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quoting_survives_a_shell),
        cmocka_unit_test(distance_counts_letters),
        cmocka_unit_test(a_long_word_is_far_from_everything),
        cmocka_unit_test(nearest_word),
        cmocka_unit_test(cleaning_takes_a_terminals_orders_out),
        cmocka_unit_test(sizes_for_people),
        cmocka_unit_test(region_of_a_zone),
        cmocka_unit_test(tables_are_aligned),
        cmocka_unit_test(signs_a_start),
        cmocka_unit_test(signs_a_batch),
        cmocka_unit_test(signs_awkward_characters),
        cmocka_unit_test(signs_json_in_a_parameter),
        cmocka_unit_test(signs_no_parameters),
        cmocka_unit_test(signs_zenlayers_way),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
