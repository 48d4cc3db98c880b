/* The shared half of both dialects: the encoder's three forms, and decoding by declarations. */
#include "check.h"

#include "api/dialect.h"

/* ---- encoding ---- */

static void write_sample(struct enc *e)
{
    static const char *const groups[] = {"sg-1", "sg-2"};

    enc_str(e, "RequestId", "R\"1\\\n\x01<&>");
    enc_list(e, "Instances", "Instance");
    enc_obj(e, NULL);
    enc_int(e, "Cpu", 2);
    enc_bool(e, "IoOptimized", true);
    enc_num(e, "Price", 0.1);
    enc_null(e, "Nothing");
    enc_strs(e, "SecurityGroupIds", "SecurityGroupId", groups, 2);
    enc_no_list(e, "Tags", "Tag");
    enc_end(e);
    enc_end(e);
    enc_obj(e, "Eip");
}

static void one_walk_gives_three_forms(void **state)
{
    static const struct {
        enum enc_format format;
        const char *text;
    } rows[] = {
        {ENC_JSON,
         "{\"RequestId\":\"R\\\"1\\\\\\n\\u0001<&>\",\"Instances\":[{\"Cpu\":2,\"IoOptimized\":"
         "true,"
         "\"Price\":0.1,\"Nothing\":null,\"SecurityGroupIds\":[\"sg-1\",\"sg-2\"],\"Tags\":[]}],"
         "\"Eip\":{}}"},
        {ENC_JSON_WRAPPED,
         "{\"RequestId\":\"R\\\"1\\\\\\n\\u0001<&>\",\"Instances\":{\"Instance\":[{\"Cpu\":2,"
         "\"IoOptimized\":true,\"Price\":0.1,\"Nothing\":null,\"SecurityGroupIds\":{"
         "\"SecurityGroupId\":"
         "[\"sg-1\",\"sg-2\"]},\"Tags\":{\"Tag\":[]}}]},\"Eip\":{}}"},
        {ENC_XML,
         "<?xml version=\"1.0\" encoding=\"UTF-8\"?><R><RequestId>R\"1\\\n&lt;&amp;&gt;</RequestId>"
         "<Instances><Instance><Cpu>2</Cpu><IoOptimized>true</IoOptimized><Price>0.1</Price>"
         "<Nothing></Nothing><SecurityGroupIds><SecurityGroupId>sg-1</SecurityGroupId>"
         "<SecurityGroupId>sg-2</SecurityGroupId></SecurityGroupIds><Tags></Tags></Instance>"
         "</Instances><Eip></Eip></R>"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_done) struct buf b = {0};
        struct enc e;

        enc_init(&e, &b, rows[i].format, "R");
        write_sample(&e);
        enc_finish(&e); /* ends what is still open */
        assert_string_equal(buf_cstr(&b), rows[i].text);
    }
}

/* Noncharacters are text to JSON, and would make a document that no parser takes to XML. */
static void xml_leaves_out_what_it_cannot_hold(void **state)
{
    static const char text[] = "a\xef\xbf\xbe\xef\xbf\xbf\x02z\xef\xbf\xbd\xef\xbf";
    CLEANUP(buf_done) struct buf b = {0};
    struct enc e;

    (void)state;
    enc_init(&e, &b, ENC_XML, "R");
    enc_str(&e, "T", text);
    enc_finish(&e);
    assert_non_null(strstr(buf_cstr(&b), "<T>az\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd</T>"));
}

/* ---- decoding ---- */

struct disk_in {
    const char *category;
    int64_t size;
    bool encrypted;
};

struct in {
    const char *id, *when, *kind, *fallback;
    int64_t count, limited;
    bool force, has_force, on;
    double price;
    struct strs ids, texts;
    struct disk_in system;
    struct objs disks;
};

static const struct field disk_fields[] = {
    F_STR(struct disk_in, category, "Category", .def_str = "ssd"),
    F_INT(struct disk_in, size, "Size", .min = 20, .max = 100, .bad = ERR_DATA_DISK_SIZE),
    F_BOOL(struct disk_in, encrypted, "Encrypted"),
    {.name = NULL},
};

static const struct field fields[] = {
    F_STR(struct in, id, "Id", .required = true, .format = FMT_ID),
    F_STR(struct in, when, "When", .format = FMT_TIME),
    F_STR(struct in, kind, "Kind", .values = VALUES("a", "b")),
    F_STR(struct in, fallback, "Fallback", .def_str = "there"),
    F_INT(struct in, count, "Count", .def = 10),
    F_INT(struct in, limited, "Limited", .min = 1, .max = 5),
    F_BOOL(struct in, force, "Force", .has = HAS(struct in, has_force)),
    F_BOOL(struct in, on, "On", .def = true),
    F_NUM(struct in, price, "Price"),
    F_STRS(struct in, ids, "Ids", .max = 3, .format = FMT_ID),
    F_STRS(struct in, texts, "Texts", .json_text = true),
    F_OBJ(struct in, system, "System", disk_fields),
    F_OBJS(struct in, disks, "Disk", struct disk_in, disk_fields, .max = 3, .bad = ERR_DISK_COUNT),
    F_IGNORED("Old"),
    {.name = NULL},
};

static bool any_name(const char *s)
{
    return *s;
}

static const struct dialect loose = {.name = "loose", .good_name = any_name};
static const struct dialect strict = {
    .name = "strict", .good_name = any_name, .strict_types = true};

static enum err try(const struct dialect *d, const char *params, struct in *in,
                    struct fail *ret_fail, struct arena *a)
{
    struct call c = {.dialect = d, .arena = a, .params = json_loads(params, 0, NULL)};

    assert_non_null(c.params);
    *in = (struct in){0};
    enum err e = decode(&c, fields, c.params, in);
    *ret_fail = c.fail;
    json_decref(c.params);
    json_decref(c.lists);
    return e;
}

static void a_loose_request_is_all_text(void **state)
{
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    struct fail f;
    struct in in;

    (void)state;
    assert_int_equal(
        try(&loose,
            "{\"Id\":\"i-1\",\"When\":\"2026-01-02T03:04Z\",\"Kind\":\"\",\"Count\":\"7\","
            "\"Force\":\"True\",\"On\":\"FALSE\",\"Price\":\"0.5\",\"Ids\":{\"10\":\"z\",\"2\":"
            "\"y\"},"
            "\"Texts\":\"[\\\"p\\\",\\\"q\\\"]\",\"System\":{\"Size\":\"40\"},"
            "\"Disk\":{\"3\":{\"Encrypted\":\"true\",\"Size\":\"20\"},\"1\":{\"Category\":\"x\"}},"
            "\"Old\":{\"any\":\"thing\"},\"Unknown\":\"x\"}",
            &in, &f, a),
        ERR_NONE);
    assert_string_equal(in.id, "i-1");
    assert_null(in.kind);
    assert_string_equal(in.fallback, "there");
    assert_int_equal(in.count, 7);
    assert_true(in.force && in.has_force && !in.on);
    assert_true(in.price == 0.5);
    assert_int_equal(in.ids.n, 2);
    assert_string_equal(in.ids.v[0], "y"); /* by number, whatever the order on the wire */
    assert_string_equal(in.ids.v[1], "z");
    assert_int_equal(in.texts.n, 2);
    assert_string_equal(in.texts.v[1], "q");
    assert_int_equal(in.system.size, 40);
    assert_string_equal(in.system.category, "ssd");
    const struct disk_in *disks = in.disks.v;
    assert_int_equal(in.disks.n, 2);
    assert_string_equal(disks[0].category, "x");
    assert_true(disks[1].encrypted);
    assert_string_equal(disks[1].category, "ssd");
}

static void what_is_absent_has_its_default(void **state)
{
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    struct fail f;
    struct in in;

    (void)state;
    assert_int_equal(try(&loose, "{\"Id\":\"i-1\",\"Ids\":\"only\"}", &in, &f, a), ERR_NONE);
    assert_int_equal(in.count, 10);
    assert_true(in.on && !in.force && !in.has_force);
    assert_string_equal(in.system.category, "ssd");
    assert_int_equal(in.disks.n, 0);
    assert_int_equal(in.ids.n, 1); /* typed without a number */
    assert_string_equal(in.ids.v[0], "only");
    assert_int_equal(try(&strict, "{\"Id\":\"i-1\",\"Kind\":null,\"When\":\"\"}", &in, &f, a),
                     ERR_NONE);
    assert_null(in.kind);
    assert_null(in.when);
}

static void what_is_wrong_is_named(void **state)
{
    static const struct {
        const struct dialect *dialect;
        const char *params;
        enum err err;
        const char *param;
    } rows[] = {
        {&loose, "{}", ERR_PARAM_MISSING, "Id"},
        {&loose, "{\"Id\":\"\"}", ERR_PARAM_MISSING, "Id"},
        {&loose, "{\"Id\":\"a b\"}", ERR_PARAM_PATTERN, "Id"},
        {&loose, "{\"Id\":{\"1\":\"x\"}}", ERR_PARAM_TYPE, "Id"},
        {&loose, "{\"Id\":\"i\",\"When\":\"yesterday\"}", ERR_PARAM_TIME, "When"},
        {&loose, "{\"Id\":\"i\",\"Kind\":\"c\"}", ERR_PARAM_VALUE, "Kind"},
        {&loose, "{\"Id\":\"i\",\"Count\":\"1.5\"}", ERR_PARAM_TYPE, "Count"},
        {&loose, "{\"Id\":\"i\",\"Count\":\"99999999999999999999\"}", ERR_PARAM_TYPE, "Count"},
        {&loose, "{\"Id\":\"i\",\"Limited\":\"6\"}", ERR_PARAM_TOO_BIG, "Limited"},
        {&loose, "{\"Id\":\"i\",\"Limited\":\"0\"}", ERR_PARAM_TOO_SMALL, "Limited"},
        {&loose, "{\"Id\":\"i\",\"Force\":\"1\"}", ERR_PARAM_TYPE, "Force"},
        {&loose, "{\"Id\":\"i\",\"Price\":\"nan\"}", ERR_PARAM_TYPE, "Price"},
        {&loose, "{\"Id\":\"i\",\"Ids\":{\"x\":\"1\"}}", ERR_PARAM_TYPE, "Ids"},
        {&loose, "{\"Id\":\"i\",\"Ids\":{\"1\":\"a\",\"2\":\"b\",\"3\":\"c\",\"4\":\"d\"}}",
         ERR_PARAM_TOO_LONG, "Ids"},
        {&loose, "{\"Id\":\"i\",\"Texts\":\"{}\"}", ERR_PARAM_TYPE, "Texts"},
        {&loose, "{\"Id\":\"i\",\"Texts\":\"[1]\"}", ERR_PARAM_TYPE, "Texts"},
        {&loose, "{\"Id\":\"i\",\"System\":\"x\"}", ERR_PARAM_TYPE, "System"},
        {&loose, "{\"Id\":\"i\",\"System\":{\"Size\":\"19\"}}", ERR_DATA_DISK_SIZE, "System.Size"},
        {&loose, "{\"Id\":\"i\",\"Disk\":{\"1\":{},\"2\":{\"Size\":\"101\"}}}", ERR_DATA_DISK_SIZE,
         "Disk.2.Size"},
        /* a field's own error is for values; a text that is no number is a bad value */
        {&loose, "{\"Id\":\"i\",\"Disk\":{\"1\":{},\"2\":{},\"3\":{},\"4\":{}}}", ERR_DISK_COUNT,
         "Disk"},
        {&loose, "{\"Id\":\"i\",\"Disk\":\"x\"}", ERR_PARAM_TYPE, "Disk"},
        {&loose, "{\"Id\":\"i\",\"Disk\":{\"1\":\"x\"}}", ERR_PARAM_TYPE, "Disk"},
        {&loose, "{\"Id\":\"i\",\"System\":{\"Size\":\"x\"}}", ERR_DATA_DISK_SIZE, "System.Size"},
        {&strict, "{\"Id\":\"i\",\"System\":{\"Size\":19}}", ERR_DATA_DISK_SIZE, "System.Size"},
        {&strict, "{\"Id\":\"i\",\"System\":{\"Size\":\"x\"}}", ERR_PARAM_TYPE, "System.Size"},
        {&strict, "{\"Id\":1}", ERR_PARAM_TYPE, "Id"},
        {&strict, "{\"Id\":\"i\",\"Count\":\"7\"}", ERR_PARAM_TYPE, "Count"},
        {&strict, "{\"Id\":\"i\",\"Count\":7.0}", ERR_PARAM_TYPE, "Count"},
        {&strict, "{\"Id\":\"i\",\"Force\":\"true\"}", ERR_PARAM_TYPE, "Force"},
        {&strict, "{\"Id\":\"i\",\"Ids\":\"one\"}", ERR_PARAM_TYPE, "Ids"},
        {&strict, "{\"Id\":\"i\",\"Ids\":{\"1\":\"one\"}}", ERR_PARAM_TYPE, "Ids"},
        {&strict, "{\"Id\":\"i\",\"Ids\":[1]}", ERR_PARAM_TYPE, "Ids"},
    };
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    struct fail f;
    struct in in;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_int_equal(try(rows[i].dialect, rows[i].params, &in, &f, a), rows[i].err);
        assert_int_equal(f.err, rows[i].err);
        assert_string_equal(f.param, rows[i].param);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_walk_gives_three_forms),
        cmocka_unit_test(xml_leaves_out_what_it_cannot_hold),
        cmocka_unit_test(a_loose_request_is_all_text),
        cmocka_unit_test(what_is_absent_has_its_default),
        cmocka_unit_test(what_is_wrong_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
