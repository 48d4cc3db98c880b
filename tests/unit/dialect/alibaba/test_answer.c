/* The envelope in both formats, the table of errors, and the words for states. */
#include "fixture.h"

#include <ctype.h>

#include "dialect/alibaba/alibaba.h"
#include "dialect/alibaba/envelope.h"
#include "dialect/alibaba/errors.h"
#include "dialect/alibaba/status.h"

#define ID "473469C7-AA6F-4DC5-B3DB-A3DC0DE3C83E"

struct made {
    struct arena *arena;
    struct header headers[2];
    struct request req;
    struct state state;
    struct call call;
    struct answer answer;
};

static void make(struct made *m, enum enc_format format)
{
    memset(m, 0, sizeof(*m));
    m->arena = arena_new();
    m->headers[0] = (struct header){"host", "ecs.test:8470"};
    m->req = (struct request){.method = "GET", .headers = m->headers, .n_headers = 1};
    m->call = (struct call){.req = &m->req,
                            .arena = m->arena,
                            .dialect = &dialect_alibaba,
                            .format = format,
                            .host = "ecs.test:8470",
                            .state = &m->state};
    memcpy(m->call.request_id, ID, sizeof(ID));
}

static void unmake(struct made *m)
{
    buf_done(&m->answer.body);
    arena_free(m->arena);
}

static void encode(struct call *c, const void *out, struct enc *e)
{
    (void)c;
    (void)out;
    enc_strs(e, "Ids", "Id", (const char *const[]){"a", "<b>"}, 2);
    enc_no_list(e, "Tags", "Tag");
    enc_bool(e, "Ok", true);
}

static void test_success(void **state)
{
    struct action start = {.name = "StartInstance"}, list = {.name = "List", .encode = encode};
    struct made m;
    (void)state;

    make(&m, ENC_XML);
    m.call.action = &start;
    envelope_answer(&m.call, NULL, &m.answer);
    assert_int_equal(m.answer.status, 200);
    assert_string_equal(m.answer.content_type, "text/xml;charset=utf-8");
    assert_string_equal(m.answer.body.data,
                        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><StartInstanceResponse>"
                        "<RequestId>" ID "</RequestId></StartInstanceResponse>");
    assert_string_equal(m.answer.headers[0].name, "x-acs-request-id");
    assert_string_equal(m.answer.headers[0].value, ID);
    unmake(&m);

    make(&m, ENC_XML);
    m.call.action = &list;
    envelope_answer(&m.call, NULL, &m.answer);
    assert_string_equal(m.answer.body.data,
                        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><ListResponse><RequestId>" ID
                        "</RequestId><Ids><Id>a</Id><Id>&lt;b&gt;</Id></Ids><Tags></Tags>"
                        "<Ok>true</Ok></ListResponse>");
    unmake(&m);

    make(&m, ENC_JSON_WRAPPED);
    m.call.action = &list;
    envelope_answer(&m.call, NULL, &m.answer);
    assert_string_equal(m.answer.content_type, "application/json;charset=utf-8");
    assert_string_equal(m.answer.body.data,
                        "{\"RequestId\":\"" ID
                        "\",\"Ids\":{\"Id\":[\"a\",\"<b>\"]},\"Tags\":{\"Tag\":[]},\"Ok\":true}");
    unmake(&m);
}

static void refuse(struct made *m)
{
    envelope_refuse(&m->call, call_err_row(&m->call), &m->answer);
}

static void test_refusal(void **state)
{
    struct made m;
    (void)state;

    make(&m, ENC_JSON_WRAPPED);
    (void)fail_param(&m.call.fail, ERR_PARAM_MISSING, "InstanceId", "it is missing");
    refuse(&m);
    assert_int_equal(m.answer.status, 400);
    assert_string_equal(m.answer.body.data,
                        "{\"RequestId\":\"" ID "\",\"HostId\":\"ecs.test:8470\","
                        "\"Code\":\"MissingInstanceId\","
                        "\"Message\":\"InstanceId is mandatory for this action.\","
                        "\"Recommend\":\"https://api.aliyun.com/troubleshoot?q=MissingInstanceId"
                        "&product=Ecs&requestId=" ID "\"}");
    unmake(&m);

    make(&m, ENC_XML);
    (void)fail(&m.call.fail, ERR_INST_NOT_FOUND, "there is no such instance");
    refuse(&m);
    assert_int_equal(m.answer.status, 404);
    assert_string_equal(m.answer.content_type, "text/xml;charset=utf-8");
    assert_string_equal(
        m.answer.body.data,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><RequestId>" ID
        "</RequestId><HostId>ecs.test:8470</HostId>"
        "<Code>InvalidInstanceId.NotFound</Code>"
        "<Message>The specified InstanceId does not exist.</Message>"
        "<Recommend>https://api.aliyun.com/troubleshoot?q=InvalidInstanceId.NotFound"
        "&amp;product=Ecs&amp;requestId=" ID "</Recommend></Error>");
    unmake(&m);

    /* what HTTP itself refused was never parsed */
    make(&m, ENC_JSON);
    m.call.state = NULL;
    m.call.host = NULL;
    m.headers[1] = (struct header){"accept", "application/json"};
    m.req.n_headers = 2;
    (void)fail(&m.call.fail, ERR_TOO_LARGE, "it is too large");
    refuse(&m);
    assert_non_null(strstr(m.answer.body.data, "\"HostId\":\"ecs.test:8470\""));
    unmake(&m);
}

static void assert_code(enum err err, const char *param, const char *code)
{
    struct made m;

    make(&m, ENC_JSON_WRAPPED);
    (void)fail_param(&m.call.fail, err, param, "no");
    refuse(&m);
    char *want CLEANUP(free_p) = xasprintf("\"Code\":\"%s\"", code);
    if (!strstr(m.answer.body.data, want))
        print_error("%s %s: %s\n", err_name(err), param, m.answer.body.data);
    assert_non_null(strstr(m.answer.body.data, want));
    unmake(&m);
}

/* Some parameters have codes of their own, whatever is wrong with their value and wherever they
 * stand in a list. */
static void test_parameters(void **state)
{
    (void)state;
    assert_code(ERR_PARAM_VALUE, "DataDisk.1.Device", "InvalidDataDevice.Malformed");
    assert_code(ERR_PARAM_TOO_LONG, "DataDisk.12.Device", "InvalidDataDevice.Malformed");
    assert_code(ERR_PARAM_TOO_BIG, "DataDisk.3.Size", "InvalidDataDiskSize.ValueNotSupported");
    assert_code(ERR_PARAM_TYPE, "MinAmount", "InvalidMinAmount.Malformed");
    assert_code(ERR_PARAM_VALUE, "HttpTokens", "InvalidHttpTokens.NotSupported");
    assert_code(ERR_PARAM_VALUE, "LaunchTemplateId", "InvalidLaunchTemplate.NotFound");
    assert_code(ERR_PARAM_VALUE, "PageSize", "InvalidParameter");
    assert_code(ERR_PARAM_VALUE, "DataDisk.x.Device", "InvalidParameter");
    assert_code(ERR_PARAM_VALUE, "", "InvalidParameter");
    assert_code(ERR_PARAM_MISSING, "HttpTokens", "MissingHttpTokens");
    assert_code(ERR_PARAM_MISSING, "", "Missing");
    assert_code(ERR_NEEDED, "ImageId", "MissingParameter");
}

static bool well_formed_code(const char *code)
{
    for (; *code; code++)
        if (!isalnum((unsigned char)*code) && !strchr("._%", *code))
            return false;
    return true;
}

static void test_table(void **state)
{
    size_t seen[ERR_COUNT] = {0}, n = 0;
    (void)state;

    for (const struct err_row *r = alibaba_errors; r->err; r++, n++) {
        assert_true(r->err < ERR_COUNT);
        seen[r->err]++;
        assert_true(r->status >= 400 && r->status <= 599);
        assert_true(*r->code && well_formed_code(r->code));
        assert_true(*r->message);
    }
    for (int e = ERR_NONE + 1; e < ERR_COUNT; e++) {
        if (seen[e] != 1)
            print_error("%s has %zu rows\n", err_name((enum err)e), seen[e]);
        assert_int_equal(seen[e], 1);
    }
}

/* What was to be said about a parameter is not said about a failure that came after it. */
static void test_an_error_after_an_unsupported_parameter(void **state)
{
    struct made m;
    (void)state;

    make(&m, ENC_JSON_WRAPPED);
    assert_int_equal(errors_unsupported(&m.call, "Tenancy"), ERR_UNSUPPORTED);
    assert_string_equal(errors_say(&m.call, call_err_row(&m.call)).code, "UnsupportedParameter");
    (void)fail(&m.call.fail, ERR_INTERNAL, "the disk is full");
    struct said said = errors_say(&m.call, call_err_row(&m.call));
    assert_int_equal(said.status, 500);
    assert_string_equal(said.code, "InternalError");
    arena_free(m.arena);
}

/* An action's own rows say errors that it declares. */
static void test_actions_rows(void **state)
{
    (void)state;
    const char *before = "";
    for (const struct action *const *a = dialect_alibaba.actions; *a; a++) {
        assert_true(strcmp(before, (*a)->name) < 0); /* sorted */
        before = (*a)->name;
        for (const struct err_row *r = (*a)->rows; r && r->err; r++) {
            bool declared = false;

            for (const enum err *e = (*a)->errors; *e; e++)
                declared |= *e == r->err;
            assert_true(declared);
        }
    }
}

static void test_states(void **state)
{
    static const struct {
        enum inst_state state;
        const char *word;
    } cases[] = {
        {INST_PENDING, "Pending"},     {INST_STOPPED, "Stopped"},   {INST_STARTING, "Starting"},
        {INST_RUNNING, "Running"},     {INST_STOPPING, "Stopping"}, {INST_REBOOTING, "Stopping"},
        {INST_RESETTING, "Stopped"},   {INST_RECYCLED, "Stopped"},  {INST_RELEASING, "Stopping"},
        {INST_RESTARTING, "Starting"},
    };
    (void)state;

    assert_int_equal(ARRAY_LEN(cases), INST_STATE_COUNT);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct query q = {0};

        assert_string_equal(status_word(cases[i].state), cases[i].word);
        assert_true(status_known(cases[i].word));
        status_query(&q, cases[i].word);
        for (size_t s = 0; s < INST_STATE_COUNT; s++) { /* finds exactly the states of that word */
            assert_int_equal(q.n_conds, 1);
            assert_int_equal(q.conds[0].cmp, CMP_IN);
            assert_int_equal(q.conds[0].set >> s & 1,
                             streq(status_word((enum inst_state)s), cases[i].word));
        }
    }
    assert_false(status_known("running"));
    assert_false(status_known("Deleted"));
}

/* A misspelt action's rows would be nobody's. */
static void test_documented_actions(void **state)
{
    static const char *const later[] = {
        "DescribeInstanceAutoRenewAttribute", "ModifyInstanceAutoReleaseTime",
        "ModifyInstanceAutoRenewAttribute", "RenewInstance"}; /* answered once time moves */
    (void)state;

    for (const struct doc_row *r = dialect_alibaba.documented; r->code; r++) {
        bool known = !r->action || action_find(dialect_alibaba.actions, r->action);

        for (size_t i = 0; i < ARRAY_LEN(later); i++)
            known |= r->action && streq(r->action, later[i]);
        if (!known)
            print_error("%s: %s\n", r->action, r->code);
        assert_true(known);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_success),
        cmocka_unit_test(test_refusal),
        cmocka_unit_test(test_parameters),
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_actions_rows),
        cmocka_unit_test(test_documented_actions),
        cmocka_unit_test(test_states),
        cmocka_unit_test(test_an_error_after_an_unsupported_parameter),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
