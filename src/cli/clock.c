/* The verbs of the clock that moves. */
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/server.h"

enum { POLL_MS = 100 };

/* One line; the same for all verbs. */
static int say(const struct cli *c, const json_t *j)
{
    const char *target = json_text(j, "target"), *account = json_text(j, "account");

    if (given(c, OPT_JSON)) {
        print_json(j);
        return CLI_OK;
    }
    (void)printf("%s%s%s%s\n", json_text(j, "time"), *target ? " on its way to " : "", target,
                 json_is_true(json_object_get(j, "frozen")) ? " standing still" : "");
    if (given(c, OPT_ACCOUNT) && !*account)
        (void)puts("everybody's; the account has no clock of its own");
    return CLI_OK;
}

/* A line that is written over, where somebody looks. */
static void progress(const char *now, const char *target)
{
    if (isatty(STDERR_FILENO))
        (void)fprintf(stderr, "\r%s of %s ", now, target);
}

static void progress_end(bool any)
{
    if (any && isatty(STDERR_FILENO))
        (void)fprintf(stderr, "\r%*s\r", 50, "");
}

/* Tells the clock something and stays until it is there. */
static int tell(struct cli *c, const char *action, const char *key)
{
    CLEANUP(json_free_p) json_t *j = NULL;
    json_t *body = account_body(c);
    const char *target = "";
    bool waited = false;

    if (key)
        (void)json_object_set_new(body, key, json_string(c->args[0]));
    (void)json_object_set_new(body, "wait", json_boolean(!key));
    int e = operator_call(c, action, body, &j);
    if (!e)
        target = arena_str(c->arena, json_text(j, "target"));
    while (!e && *json_text(j, "target")) {
        progress(json_text(j, "time"), json_text(j, "target"));
        waited = true;
        (void)poll(NULL, 0, POLL_MS);
        json_decref(j);
        j = NULL;
        e = operator_call(c, "ShowClock", account_body(c), &j);
    }
    progress_end(waited);
    if (!e && strcmp(json_text(j, "time"), target) < 0) /* both are of one form */
        return say_error(CLI_FAILED,
                         "the clock did not get to %s: everything was replaced or reset meanwhile, "
                         "and it is %s now",
                         target, json_text(j, "time"));
    return e ? e : say(c, j);
}

static int clock_advance(struct cli *c)
{
    return tell(c, "AdvanceClock", "duration");
}

static int clock_set(struct cli *c)
{
    return tell(c, "SetClock", "time");
}

static int clock_freeze(struct cli *c)
{
    return tell(c, "FreezeClock", NULL);
}

static int clock_resume(struct cli *c)
{
    return tell(c, "ResumeClock", NULL);
}

static int clock_show(struct cli *c)
{
    CLEANUP(json_free_p) json_t *j = NULL;
    int e = operator_call(c, "ShowClock", account_body(c), &j);

    return e ? e : say(c, j);
}

#define WHOSE OPT_JSON, OPT_ONLY, OPT_DATA
#define WHOSE_TEXT                                                                                 \
    "With --account the account gets a clock of its own; without, the clock of all accounts that " \
    "have none is meant. Needs `ostler serve --controls`."

const struct verb verbs_clock[] = {
    {.group = "clock",
     .name = "advance",
     .args = "TIME",
     .min_args = 1,
     .max_args = 1,
     .opts = OPTS(WHOSE),
     .summary = "Move the clock ahead; what is due on the way happens, in order, once",
     .more = "TIME is like 90s, 5m, 3h, 31d, 2w, 1y or 1d12h. " WHOSE_TEXT,
     .example = "ostler clock advance 31d",
     .run = clock_advance},
    {.group = "clock",
     .name = "set",
     .args = "TIME",
     .min_args = 1,
     .max_args = 1,
     .opts = OPTS(WHOSE),
     .summary = "Move the clock to a time that is to come",
     .more = "TIME is like 2027-01-02T03:04:05Z. " WHOSE_TEXT,
     .example = "ostler clock set 2038-01-19T03:14:07Z",
     .run = clock_set},
    {.group = "clock",
     .name = "freeze",
     .args = "",
     .opts = OPTS(WHOSE),
     .summary = "Let the clock stand still",
     .more = WHOSE_TEXT,
     .example = "ostler clock freeze",
     .run = clock_freeze},
    {.group = "clock",
     .name = "resume",
     .args = "",
     .opts = OPTS(WHOSE),
     .summary = "Let it go again, from where it stands",
     .more = WHOSE_TEXT,
     .example = "ostler clock resume",
     .run = clock_resume},
    {.group = "clock",
     .name = "show",
     .args = "",
     .opts = OPTS(WHOSE),
     .summary = "Print what the clock shows",
     .more = WHOSE_TEXT,
     .example = "ostler clock show",
     .run = clock_show},
    {.name = NULL},
};
