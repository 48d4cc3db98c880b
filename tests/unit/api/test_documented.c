/* Which documented codes have a cause, found from declarations of a made-up cloud. */
#include "check.h"

#include "api/documented.h"

struct in {
    const char *id, *when;
    int64_t count;
};

/* As a dialect says a parameter of its own. */
static const struct err_row count_row = {ERR_PARAM_VALUE, 400, "BadCount", "Too many or too few."};

static const struct err_row *refine(const struct action *a, const char *param,
                                    const struct err_row *row)
{
    (void)a;
    return streq(param, "Count") && row->err == ERR_PARAM_TOO_BIG ? &count_row : row;
}

static const struct err_row errors[] = {
    {ERR_INTERNAL, 500, "Internal", "It failed."},
    {ERR_PARAM_MISSING, 400, "Missing%p", "%p is missing."},
    {ERR_PARAM_TYPE, 400, "Invalid", "The parameter %p is not valid."},
    {ERR_PARAM_TOO_BIG, 400, "Invalid", "The parameter %p is not valid."},
    {ERR_PARAM_TOO_SMALL, 400, "Invalid", "The parameter %p is not valid."},
    {ERR_PARAM_TIME, 400, "Invalid", "The parameter %p is not valid."},
    {ERR_NEEDED, 400, "Needed", "You need %p."},
    {ERR_INST_STATE, 403, "Status", "The state is wrong."},
    {ERR_INST_BUSY, 403, "Status", "%d"},
    {ERR_INST_LOCKED, 403, "Locked", "It is locked."},
    {ERR_QUOTA, 403, "Quota", "No more. %d"},
    {ERR_DRY_RUN, 400, "DryRun", "All is well."},
    {.err = ERR_NONE},
};

static const struct doc_row documented[] = {
    {NULL, 500, "Internal", "It failed."},
    {NULL, 400, "Invalid", "The parameter %s is not valid."},
    {NULL, 400, "Throttled", "Too fast."},
    {NULL, 403, "Locked", "It is locked."},
    {"Other", 400, "OfAnother", "It is not this one's."},
    {"Start", 400, "MissingId", "Id is missing."},
    {"Start", 400, "MissingWhen", "When is missing."},
    {"Start", 400, "BadCount", "%s"},
    {"Start", 400, "Invalid", "The parameter When is not valid."},
    {"Start", 400, "Needed", "You need Count."},
    {"Start", 400, "Needed", "You need Id."},
    {"Start", 403, "Status", "The state is wrong."},
    {"Start", 403, "Status", "%s"},
    {"Start", 403, "Status", "Come back later."},
    {"Start", 403, "Locked", "It is locked."},
    {"Start", 403, "Quota", "No more."},
    {"Start", 404, "DryRun", "All is well."},
    {.code = NULL},
};

static const struct action start = {
    .name = "Start",
    .in = FIELDS(F_STR(struct in, id, "Id", .required = true),
                 F_STR(struct in, when, "When", .format = FMT_TIME),
                 F_INT(struct in, count, "Count", .min = 1, .max = 3), F_IGNORED("Old")),
    .errors =
        ERRORS(ERR_INST_STATE, ERR_INST_BUSY, ERR_INST_LOCKED, ERR_QUOTA, ERR_DRY_RUN, ERR_NEEDED),
};

static const struct dialect cloud = {
    .name = "cloud", .errors = errors, .documented = documented, .refine = refine};

/* "status code message +" for each row, "+" where it is natural; a line each. */
static void rows_text(json_t *list, struct buf *b)
{
    size_t i;
    json_t *row;

    json_array_foreach (list, i, row) {
        buf_fmt(b, "%lld %s '%s'%s%s\n", json_integer_value(json_object_get(row, "status")),
                json_string_value(json_object_get(row, "code")),
                json_string_value(json_object_get(row, "message")),
                json_is_true(json_object_get(row, "common")) ? " common" : "",
                json_is_true(json_object_get(row, "natural")) ? " +" : "");
    }
}

static void dump_is(const char *member, const char *want)
{
    CLEANUP(buf_done) struct buf b = {0};
    json_auto_t *o = json_object();

    documented_dump(&cloud, &start, o);
    rows_text(json_object_get(o, member), &b);
    assert_string_equal(buf_cstr(&b), want);
}

static void a_row_is_natural_when_something_says_it(void **state)
{
    (void)state;
    dump_is("documented", "400 MissingId 'Id is missing.' +\n"
                          "400 MissingWhen 'When is missing.'\n" /* it is not required */
                          "400 BadCount '%s' +\n"
                          "400 Invalid 'The parameter When is not valid.' +\n"
                          "400 Needed 'You need Count.' +\n"
                          "400 Needed 'You need Id.'\n" /* without it no handler runs */
                          "403 Status 'The state is wrong.' +\n"
                          "403 Status '%s' +\n"
                          "403 Status 'Come back later.'\n"
                          "403 Locked 'It is locked.' +\n" /* its own, and not once more */
                          "403 Quota 'No more.' +\n"       /* a sentence may follow */
                          "404 DryRun 'All is well.'\n"    /* it has another status here */
                          "500 Internal 'It failed.' common +\n"
                          "400 Invalid 'The parameter %s is not valid.' common +\n"
                          "400 Throttled 'Too fast.' common\n");
}

static void what_no_document_has_is_listed_besides(void **state)
{
    (void)state;
    dump_is("undocumented", "400 DryRun 'All is well.'\n");
}

static void a_dialect_without_documents_says_nothing(void **state)
{
    struct dialect silent = cloud;
    json_auto_t *o = json_object();
    (void)state;

    silent.documented = NULL;
    documented_dump(&silent, &start, o);
    assert_int_equal(json_object_size(o), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_is_natural_when_something_says_it),
        cmocka_unit_test(what_no_document_has_is_listed_besides),
        cmocka_unit_test(a_dialect_without_documents_says_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
