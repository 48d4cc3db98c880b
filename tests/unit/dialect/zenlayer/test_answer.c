/* The envelope, and the table of errors. */
#include "fixture.h"

#include "dialect/zenlayer/zec.h"
#include "dialect/zenlayer/zenlayer.h"

#define ID "TC1748D3E-452D-4F74-8485-7AA73718E453"

static void start(struct fixture *f)
{
    fixture_init(f, 0);
    (void)memcpy(f->call.request_id, ID, sizeof(ID));
    f->call.action_name = "StartInstances";
}

static void encode_two(struct call *c, const void *out, struct enc *e)
{
    (void)c;
    enc_int(e, "totalCount", *(const int *)out);
    enc_strs(e, "instanceIds", NULL, (const char *const[]){"1", "2"}, 2);
}

static void test_success(void **state)
{
    struct action with_fields = {.name = "X", .encode = encode_two}, without = {.name = "Y"};
    struct answer a = {0};
    struct fixture f;
    int total = 7;

    (void)state;
    start(&f);
    f.call.action = &with_fields;
    zec_answer(&f.call, &total, &a);
    assert_int_equal(a.status, 200);
    assert_string_equal(a.content_type, "application/json");
    assert_string_equal(a.body.data, "{\"requestId\":\"" ID "\",\"response\":{\"requestId\":\"" ID
                                     "\",\"totalCount\":7,\"instanceIds\":[\"1\",\"2\"]}}");
    buf_clear(&a.body);
    f.call.action = &without;
    zec_answer(&f.call, NULL, &a);
    assert_string_equal(a.body.data,
                        "{\"requestId\":\"" ID "\",\"response\":{\"requestId\":\"" ID "\"}}");
    buf_done(&a.body);
    fixture_done(&f);
}

static void refuse(struct fixture *f, enum err err, struct answer *a)
{
    f->call.fail.err = err;
    zec_refuse(&f->call, call_err_row(&f->call), a);
}

static void test_refusal(void **state)
{
    struct answer a = {0};
    struct fixture f;

    (void)state;
    start(&f);
    (void)fail(&f.call.fail, ERR_INST_NOT_FOUND, "there is no instance '%s'", "12\"3");
    zec_refuse(&f.call, call_err_row(&f.call), &a);
    assert_int_equal(a.status, 404);
    assert_string_equal(a.content_type, "application/json");
    assert_int_equal(a.n_headers, 0);
    assert_string_equal(a.body.data,
                        "{\"requestId\":\"" ID "\",\"code\":\"INVALID_INSTANCE_NOT_FOUND\","
                        "\"message\":\"The instance does not exist: there is no instance "
                        "'12\\\"3'.\"}");
    buf_done(&a.body);
    fixture_done(&f);
}

static void test_wrong_method_says_which_is_right(void **state)
{
    struct answer a = {0};
    struct fixture f;

    (void)state;
    start(&f);
    refuse(&f, ERR_METHOD, &a);
    assert_int_equal(a.status, 405);
    assert_int_equal(a.n_headers, 1);
    assert_string_equal(a.headers[0].name, "allow");
    assert_string_equal(a.headers[0].value, "POST");
    buf_done(&a.body);
    fixture_done(&f);
}

/* Header values are bytes; a message that quotes them is still UTF-8. */
static void test_messages_are_utf8(void **state)
{
    static const struct {
        const char *detail, *shown;
    } cases[] = {
        {"a\xff\x62", "a?b"},
        {"\xc3\xa9\xe6\xb5\x8b\xf0\x9f\x98\x80", "\xc3\xa9\xe6\xb5\x8b\xf0\x9f\x98\x80"},
        {"cut \xe6\xb5", "cut ??"},
        {"\xc0\xaf", "??"},
        {"\xed\xa0\x80", "???"},
        {"\xf4\x90\x80\x80", "????"},
        {"\xe0\x80\x80", "???"},
        {"\xf0\x80\x80\x80", "????"},
        {"\xf8\x88", "??"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct answer a = {0};
        struct fixture f;

        start(&f);
        (void)fail(&f.call.fail, ERR_PARAM_VALUE, "%s", cases[i].detail);
        zec_refuse(&f.call, call_err_row(&f.call), &a);
        json_t *o = json_loads(a.body.data, 0, NULL);
        assert_non_null(o);
        assert_string_equal(
            json_string_value(json_object_get(o, "message")),
            arena_fmt(f.arena, "A parameter's value is not accepted: %s.", cases[i].shown));
        json_decref(o);
        buf_done(&a.body);
        fixture_done(&f);
    }
}

static bool upper_snake(const char *s)
{
    return *s && strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_") == strlen(s);
}

/* A misspelt action's rows would be nobody's. */
static void test_documented_actions(void **state)
{
    (void)state;
    for (const struct doc_row *r = dialect_zenlayer.documented; r->code; r++) {
        if (r->action && !action_find(dialect_zenlayer.actions, r->action))
            fail_saying("there is no action '%s'", r->action);
        assert_true(upper_snake(r->code));
    }
}

static void test_every_error_has_one_row(void **state)
{
    size_t n = 0;

    (void)state;
    for (int e = ERR_NONE + 1; e < ERR_COUNT; e++) {
        size_t rows = 0;

        for (const struct err_row *r = zec_errors; r->err; r++) {
            if (r->err != (enum err)e)
                continue;
            rows++;
            assert_true(r->status >= 400 && r->status <= 599 && r->status != 451);
            assert_true(upper_snake(r->code));
            assert_true(strlen(r->message) > 0);
        }
        if (rows != 1)
            fail_saying("%s has %zu rows", err_name((enum err)e), rows);
    }
    while (zec_errors[n].err)
        n++;
    assert_int_equal(n, ERR_COUNT - 1);
}

static void test_the_documented_codes(void **state)
{
    static const struct {
        enum err err;
        int status;
        const char *code;
    } cases[] = {
        {ERR_INST_BUSY, 400, "OPERATION_DENIED_INSTANCE_IN_OPERATION"},
        {ERR_INST_NOT_READY, 400, "OPERATION_DENIED_INSTANCE_IN_OPERATION"},
        {ERR_INST_INITIALIZING, 400, "OPERATION_DENIED_INSTANCE_IN_OPERATION"},
        {ERR_INST_STATE, 400, "UNSUPPORTED_OPERATION_INSTANCE_STATUS"},
        {ERR_INST_LOCKED, 400, "UNSUPPORTED_OPERATION_INSTANCE_STATUS"},
        {ERR_INST_EXPIRED, 400, "UNSUPPORTED_OPERATION_INSTANCE_STATUS"},
        {ERR_INST_OVERDUE, 400, "UNSUPPORTED_OPERATION_INSTANCE_STATUS"},
        {ERR_DISK_UNUSABLE, 400, "UNSUPPORTED_OPERATION_INSTANCE_STATUS"},
        {ERR_KMS_UNAUTHORIZED, 400, "UNSUPPORTED_OPERATION_INSTANCE_STATUS"},
        {ERR_INST_RECYCLED, 403, "OPERATION_DENIED_INSTANCE_RECYCLED"},
        {ERR_INST_NOT_FOUND, 404, "INVALID_INSTANCE_NOT_FOUND"},
        {ERR_NO_STOCK, 400, "STOCK_INSUFFICIENT"},
        {ERR_ACTION_UNKNOWN, 403, "AUTHFAILURE_UNAUTHORIZED_OPERATION"},
        {ERR_AUTH_MALFORMED, 401, "AUTHFAILURE_INVALID_AUTHORIZATION"},
        {ERR_AUTH_TOKEN, 401, "AUTHFAILURE_INVALID_AUTHORIZATION"},
        {ERR_AUTH_EXPIRED, 401, "AUTHFAILURE_SIGNATURE_EXPIRED"},
        {ERR_AUTH_SIGNATURE, 401, "AUTHFAILURE_SIGNATURE_FAILURE"},
        {ERR_AUTH_KEY_UNKNOWN, 401, "AUTHFAILURE_SIGNATURE_FAILURE"},
        {ERR_PARAM_MISSING, 400, "MISSING_PARAMETER"},
        {ERR_PARAM_TYPE, 400, "INVALID_PARAMETER_TYPE"},
        {ERR_PARAM_VALUE, 400, "INVALID_PARAMETER_VALUE"},
        {ERR_PARAM_TOO_BIG, 400, "INVALID_PARAMETER_EXCEED_MAXIMUM"},
        {ERR_PARAM_TOO_SMALL, 400, "INVALID_PARAMETER_LESS_MINIMUM"},
        {ERR_PARAM_TOO_LONG, 400, "INVALID_PARAMETER_EXCEED_LENGTH"},
        {ERR_PARAM_TOO_SHORT, 400, "INVALID_PARAMETER_LESS_LENGTH"},
        {ERR_PARAM_PATTERN, 400, "INVALID_PARAMETER_PATTERN_ERROR"},
        {ERR_PARAM_TIME, 400, "INVALID_PARAMETER_DATE_FORMAT_ERROR"},
        {ERR_PASSWORD, 400, "INVALID_PASSWORD_MALFORMED"},
        {ERR_ZONE_NOT_FOUND, 404, "INVALID_ZONE_NOT_FOUND"},
        {ERR_METHOD, 405, "INVALID_REQUEST_METHOD"},
        {ERR_PATH, 404, "OPERATION_FAILED_RESOURCE_NOT_FOUND"},
        {ERR_INTERNAL, 500, "INTERNAL_SERVER_ERROR"},
        {ERR_UNAVAILABLE, 503, "SERVICE_TEMPORARY_UNAVAILABLE"},
    };
    struct fixture f;

    (void)state;
    start(&f);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct err_row *row;

        f.call.fail.err = cases[i].err;
        row = call_err_row(&f.call);
        assert_int_equal(row->status, cases[i].status);
        assert_string_equal(row->code, cases[i].code);
    }
    fixture_done(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_success),
        cmocka_unit_test(test_refusal),
        cmocka_unit_test(test_wrong_method_says_which_is_right),
        cmocka_unit_test(test_messages_are_utf8),
        cmocka_unit_test(test_every_error_has_one_row),
        cmocka_unit_test(test_documented_actions),
        cmocka_unit_test(test_the_documented_codes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
