/* Errors on demand. */
#include <errno.h>
#include <stdio.h>

#include "base/timefmt.h"
#include "cli/admin.h"

static void put_text(json_t *body, const struct cli *c, enum opt_id id, const char *key)
{
    if (given(c, id))
        (void)json_object_set_new(body, key, json_string(c->values[id]));
}

/* What is wrong with a number in the range is the server's to say. */
static bool put_int(json_t *body, const struct cli *c, enum opt_id id, const char *key)
{
    long long v;

    if (!opt_int(c, id, 1, 1000000000, 0, &v))
        return false;
    if (given(c, id))
        (void)json_object_set_new(body, key, json_integer(v));
    return true;
}

static bool put_time(json_t *body, const struct cli *c, enum opt_id id, const char *key)
{
    int64_t ms;

    if (!given(c, id))
        return true;
    if (duration_parse(c->values[id], &ms) < 0) {
        (void)say_usage(c, "--%s wants a time as 250ms, 3s or 2m, not '%s'", opt_name(id),
                        c->values[id]);
        return false;
    }
    (void)json_object_set_new(body, key, json_integer(ms));
    return true;
}

static bool put_probability(json_t *body, const struct cli *c)
{
    const char *text = c->values[OPT_PROBABILITY];
    char *end;

    if (!text)
        return true;
    double p = strtod(text, &end);
    if (*end || !(p > 0 && p <= 1)) {
        (void)say_usage(c, "--probability wants a number above 0, 1 at most, not '%s'", text);
        return false;
    }
    (void)json_object_set_new(body, "probability", json_real(p));
    return true;
}

static int fault_add(struct cli *c)
{
    CLEANUP(json_free_p) json_t *body = account_body(c);
    CLEANUP(json_free_p) json_t *j = NULL;

    (void)json_object_set_new(body, "action", json_string(c->args[0]));
    if (c->n_args > 1)
        (void)json_object_set_new(body, "code", json_string(c->args[1]));
    put_text(body, c, OPT_DIALECT, "dialect");
    put_text(body, c, OPT_INSTANCE, "instanceId");
    put_text(body, c, OPT_THEN, "then");
    put_text(body, c, OPT_MESSAGE, "message");
    if (!put_int(body, c, OPT_TIMES, "times") || !put_int(body, c, OPT_EVERY, "every") ||
        !put_int(body, c, OPT_STATUS, "status") || !put_probability(body, c) ||
        !put_time(body, c, OPT_DELAY, "delayMs") ||
        !put_time(body, c, OPT_RETRY_AFTER, "retryAfterMs"))
        return CLI_USAGE;
    int e = operator_call(c, "AddFault", json_incref(body), &j);
    if (!e && given(c, OPT_JSON))
        print_json(j);
    else if (!e)
        (void)puts(json_text(j, "faultId"));
    return e;
}

/* ---- what there is ---- */

/* "3 times", "each 4th", "p=0.25", in words that fit a column. */
static const char *when(struct arena *a, const json_t *f)
{
    long long times = json_integer_value(json_object_get(f, "times"));
    long long every = json_integer_value(json_object_get(f, "every"));
    double p = json_number_value(json_object_get(f, "probability"));
    const char *rule = every > 1 ? arena_fmt(a, "every %lld", every)
                       : p > 0   ? arena_fmt(a, "p=%g", p)
                                 : "";
    const char *count = times ? arena_fmt(a, "%lldx", times) : "";

    if (!*rule && !*count)
        return "always";
    return arena_fmt(a, "%s%s%s", rule, *rule && *count ? ", " : "", count);
}

static const char *then(struct arena *a, const json_t *f)
{
    long long delay = json_integer_value(json_object_get(f, "delayMs"));
    const char *fate = json_text(f, "then");

    if (!delay)
        return fate;
    return arena_fmt(a, "%s%safter %lld ms", fate, *fate ? " " : "", delay);
}

/* Whose requests: an instance's, an account's, all. */
static const char *scope(const json_t *f)
{
    const char *inst = json_text(f, "instanceId");

    return *inst ? inst : json_text(f, "account");
}

static int fault_ls(struct cli *c)
{
    static const struct row_column columns[] = {
        {"FAULT", "faultId"}, {"DIALECT", "dialect"}, {"ACTION", "action"},
        {"CODE", "code"},     {"WHEN", "when"},       {"THEN", "thenText"},
        {"ONLY", "scope"},    {"SEEN", "seen"},       {"GIVEN", "given"}};
    CLEANUP(json_free_p) json_t *j = NULL;
    size_t n;
    json_t *f;
    int e = operator_call(c, "ListFaults", account_body(c), &j);

    if (e)
        return e;
    json_array_foreach (given(c, OPT_JSON) ? NULL : json_object_get(j, "faults"), n, f) {
        (void)json_object_set_new(f, "when", json_string(when(c->arena, f)));
        (void)json_object_set_new(f, "thenText", json_string(then(c->arena, f)));
        (void)json_object_set_new(f, "scope", json_string(scope(f)));
    }
    rows_show(c, json_object_get(j, "faults"), columns, ARRAY_LEN(columns));
    return CLI_OK;
}

static int fault_codes(struct cli *c)
{
    static const struct row_column columns[] = {
        {"DIALECT", "dialect"}, {"STATUS", "status"}, {"CODE", "code"}, {"MESSAGE", "message"}};
    json_t *body = json_pack("{s:s}", "action", c->args[0]);

    put_text(body, c, OPT_DIALECT, "dialect");
    return list_rows(c, "ListFaultCodes", body, "codes", columns, ARRAY_LEN(columns));
}

/* ---- taking back ---- */

static int remove_all(struct cli *c)
{
    CLEANUP(json_free_p) json_t *j = NULL;
    int e = operator_call(c, "RemoveFaults", account_body(c), &j);

    if (!e)
        (void)printf("%s removed\n", row_text(c->arena, json_object_get(j, "removed")));
    return e;
}

static int fault_rm(struct cli *c)
{
    if (!c->n_args == !given(c, OPT_ALL))
        return say_usage(c, "name the faults, or say --all");
    return given(c, OPT_ALL) ? remove_all(c)
                             : for_each(c, "RemoveFault", "faultId", NULL, "removed");
}

const struct verb verbs_fault[] = {
    {.group = "fault",
     .name = "add",
     .args = "ACTION [CODE]",
     .min_args = 1,
     .max_args = 2,
     .opts = OPTS(OPT_DIALECT, OPT_TIMES, OPT_EVERY, OPT_PROBABILITY, OPT_INSTANCE, OPT_DELAY,
                  OPT_RETRY_AFTER, OPT_THEN, OPT_MESSAGE, OPT_STATUS, OPT_JSON, OPT_ONLY, OPT_DATA),
     .summary = "Ask for an error: of a code, of the connection, or both",
     .more =
         "Needs a server with --controls. CODE is what requests of ACTION are answered instead of "
         "doing it: any code that its cloud documents, with its status and message (`ostler fault "
         "codes ACTION` lists them; --message and --status choose among several rows of one "
         "code). Without CODE, or with -, the action is done. --then and --delay say what becomes "
         "of the answer, whichever it is: drop ends the connection before its first byte, truncate "
         "in its middle, half-close after it although the connection was to stay; garbage, 502, "
         "503 and 504 come in its place, the latter as a gateway's HTML page. So `RunInstances - "
         "--then drop` makes instances, and nobody hears of it. ACTION * is every action; "
         "--account: only that account's requests. Of several faults that fit a request the "
         "oldest that strikes decides; those behind it have not seen the request. What "
         "--probability draws hangs on the server's --seed and the order of requests.",
     .example = "ostler fault add RunInstances Throttling --times 3 --retry-after 2s\n"
                "  ostler fault add RunInstances - --then drop --times 1\n"
                "  ostler fault add '*' - --dialect zenlayer --delay 3s --every 10",
     .run = fault_add},
    {.group = "fault",
     .name = "ls",
     .args = "",
     .opts = OPTS(OPT_JSON, OPT_ONLY, OPT_DATA),
     .summary = "List the faults, and how many requests they saw and struck",
     .example = "ostler fault ls",
     .run = fault_ls},
    {.group = "fault",
     .name = "rm",
     .args = "ID...",
     .max_args = -1,
     .opts = OPTS(OPT_ALL, OPT_ONLY, OPT_DATA),
     .summary = "Take faults away, or --all",
     .example = "ostler fault rm --all",
     .run = fault_rm},
    {.group = "fault",
     .name = "codes",
     .args = "ACTION",
     .min_args = 1,
     .max_args = 1,
     .opts = OPTS(OPT_DIALECT, OPT_JSON, OPT_DATA),
     .summary = "List the codes that an action can be given",
     .example = "ostler fault codes StartInstance",
     .run = fault_codes},
    {.name = NULL},
};
