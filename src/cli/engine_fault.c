/* Verbs about failures of the engine. */
#include <stdio.h>

#include "base/timefmt.h"
#include "cli/admin.h"

static const struct {
    enum opt_id opt;
    const char *kind;
} kinds[] = {{OPT_FAIL, "fail"}, {OPT_HANG, "hang"}, {OPT_BREAK, "break"}};

/* The kind that the options ask for; NULL after saying that it is none. --delay alone is one. */
static const char *chosen(const struct cli *c)
{
    const char *kind = NULL;
    int n = 0;

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (given(c, kinds[i].opt)) {
            kind = kinds[i].kind;
            n++;
        }
    if (!n && given(c, OPT_DELAY))
        return "delay";
    if (n == 1)
        return kind;
    (void)say_usage(c, "give one of --fail, --hang, --delay TIME and --break");
    return NULL;
}

static void put_texts(const struct cli *c, json_t *body)
{
    static const struct {
        enum opt_id opt;
        const char *key;
    } texts[] = {{OPT_TEXT, "text"}, {OPT_INSTANCE, "instanceId"}, {OPT_ZONE, "zone"}};

    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        if (given(c, texts[i].opt))
            (void)json_object_set_new(body, texts[i].key, json_string(c->values[texts[i].opt]));
}

static int add(struct cli *c)
{
    CLEANUP(json_free_p) json_t *j = NULL;
    const char *kind = chosen(c);
    int64_t delay = 0;
    long long times;

    if (!kind || !opt_int(c, OPT_TIMES, 1, 1000000, 0, &times))
        return CLI_USAGE;
    if (given(c, OPT_DELAY) && (duration_parse(c->values[OPT_DELAY], &delay) < 0 || !delay))
        return say_usage(c, "--delay wants a time such as 500ms, 30s or 5m, not '%s'",
                         c->values[OPT_DELAY]);
    json_t *body = body_with(c, "verb", c->args[0]);
    (void)json_object_set_new(body, "kind", json_string(kind));
    (void)json_object_set_new(body, "times", json_integer(times));
    if (delay)
        (void)json_object_set_new(body, "delayMs", json_integer(delay));
    put_texts(c, body);
    int e = operator_call(c, "AddEngineFault", body, &j);
    if (!e)
        (void)puts(json_text(j, "faultId"));
    return e;
}

static int ls(struct cli *c)
{
    static const struct row_column columns[] = {
        {"FAULT", "faultId"},       {"VERB", "verb"}, {"KIND", "kind"},   {"DELAY MS", "delayMs"},
        {"INSTANCE", "instanceId"}, {"ZONE", "zone"}, {"GIVEN", "given"}, {"OF", "times"},
        {"ACCOUNT", "account"},     {"TEXT", "text"},
    };

    return list_rows(c, "ListEngineFaults", account_body(c), "faults", columns, ARRAY_LEN(columns));
}

static int rm(struct cli *c)
{
    return for_each(c, "RemoveEngineFault", "faultId", NULL, "removed");
}

const struct verb verbs_engine_fault[] = {
    {.group = "engine-fault",
     .name = "add",
     .args = "VERB",
     ONE,
     .opts = OPTS(OPT_FAIL, OPT_TEXT, OPT_HANG, OPT_DELAY, OPT_BREAK, OPT_INSTANCE, OPT_ZONE,
                  OPT_TIMES, ONLY_WHOSE),
     .summary = "Let operations of the engine fail, hang, take longer, or start broken machines",
     .more = "Only where the server has --controls. VERB is create, start, stop, reboot, release "
             "or '*'. The oldest fault that is about an operation and not used up strikes it when "
             "it begins. A failed stop leaves the machine running, any other failure leaves it "
             "off. --delay with --fail: the error comes so much later.",
     .example = "ostler engine-fault add start --fail --text 'no such luck' --times 1\n"
                "  ostler engine-fault add start --hang --instance i-bp12345678901234567890\n"
                "  ostler engine-fault add '*' --delay 30s --zone cn-hangzhou-h",
     .run = add},
    {.group = "engine-fault",
     .name = "ls",
     .args = "",
     .opts = OPTS(OPT_JSON, ONLY_WHOSE),
     .summary = "List them, and how often each struck",
     .example = "ostler engine-fault ls",
     .run = ls},
    {.group = "engine-fault",
     .name = "rm",
     .args = "FAULT...",
     ONE_OR_MORE,
     .opts = OPTS(ONLY_WHOSE),
     .summary = "Remove them; what hangs goes on",
     .example = "ostler engine-fault rm ef-1",
     .run = rm},
    {.name = NULL},
};
