/* Waiting for instances. */
#include "cli/wait.h"

#include <signal.h>
#include <stdio.h>
#include <time.h>

enum { FIRST_PAUSE_MS = 100, LONGEST_PAUSE_MS = 1000 };

enum progress { GOING, REACHED, MISSED };

struct waited {
    const char *id;
    char state[16]; /* as the server says it */
    enum progress progress;
    int64_t took_ms;
};

struct waiting {
    struct cli *c;
    struct waited *all;
    size_t n;
    enum wait_goal goal;
    int64_t began_ms;
    bool terminal;
    size_t lines; /* drawn so far */
};

static volatile sig_atomic_t interrupted;

static void on_interrupt(int signum)
{
    (void)signum;
    interrupted = 1;
}

static int64_t now_ms(void)
{
    struct timespec ts;

    (void)clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* ---- asking ---- */

/* Which stable state means what, by goal; the others are on the way. */
static enum progress judge(enum wait_goal goal, const char *state)
{
    if (!*state)
        return goal == WAIT_GONE ? REACHED : MISSED;
    if (streq(state, "Running"))
        return goal == WAIT_RUNNING ? REACHED : MISSED;
    if (streq(state, "Stopped"))
        return goal == WAIT_STOPPED ? REACHED : MISSED;
    return GOING;
}

/* "" when the instance is not there any more. */
static int ask(struct cli *c, const char *id, const char **ret_state)
{
    CLEANUP(json_free_p) json_t *j = NULL;
    struct ecs_params p = {0};
    struct refusal no;

    ecs_add(&p, "InstanceId", id);
    int e = ecs_try(c, "DescribeInstanceAttribute", &p, &j, &no);
    if (no.code && streq(no.code, "InvalidInstanceId.NotFound")) {
        *ret_state = "";
        return CLI_OK;
    }
    if (no.code)
        return say_refusal(id, &no);
    if (!e)
        *ret_state = arena_str(c->arena, json_text(j, "Status"));
    return e;
}

/* ---- showing ---- */

static const char *word_for(const struct waited *w)
{
    return *w->state ? w->state : "released";
}

static void draw(struct waiting *s)
{
    if (!s->terminal)
        return;
    if (s->lines)
        (void)fprintf(stderr, "\033[%zuA", s->lines);
    for (size_t i = 0; i < s->n; i++) {
        const struct waited *w = &s->all[i];
        int64_t ms = w->progress == GOING ? now_ms() - s->began_ms : w->took_ms;

        (void)fprintf(stderr, "\r\033[K%s  %-9s %5.1f s%s\n", w->id, word_for(w), (double)ms / 1000,
                      w->progress == MISSED ? "  failed" : "");
    }
    s->lines = s->n;
    (void)fflush(stderr);
}

static void tell_change(const struct waiting *s, const struct waited *w)
{
    if (s->terminal)
        return;
    (void)fprintf(stderr, "%s %s %.1fs\n", w->id, word_for(w),
                  (double)(now_ms() - s->began_ms) / 1000);
    (void)fflush(stderr);
}

/* Why the engine could not; told by the operator's side alone. */
static void tell_reason(struct waiting *s, const struct waited *w)
{
    CLEANUP(json_free_p) json_t *j = NULL;
    struct refusal no = {0};
    const char *why = "";

    if (!server_by_environment(s->c) &&
        operator_try(s->c, "ShowInstance", json_pack("{s:s}", "instanceId", w->id), &j, &no) ==
            CLI_OK)
        why = json_text(j, "lastError");
    if (*why)
        (void)say_error(CLI_FAILED, "%s: %s", w->id, why);
    else
        (void)say_error(CLI_FAILED, "%s: it is %s instead", w->id, word_for(w));
}

/* ---- the loop ---- */

static int ask_all(struct waiting *s, size_t *ret_going)
{
    *ret_going = 0;
    for (size_t i = 0; i < s->n && !interrupted; i++) {
        struct waited *w = &s->all[i];
        const char *state = "";

        if (w->progress != GOING)
            continue;
        int e = ask(s->c, w->id, &state);
        if (e)
            return e;
        bool changed = !streq(state, w->state);
        (void)snprintf(w->state, sizeof(w->state), "%s", state);
        w->progress = judge(s->goal, state);
        w->took_ms = now_ms() - s->began_ms;
        if (changed || w->progress != GOING)
            tell_change(s, w);
        *ret_going += w->progress == GOING;
    }
    return CLI_OK;
}

static void pause_ms(int64_t ms)
{
    struct timespec ts = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

    (void)nanosleep(&ts, NULL); /* a signal ends it, as it should */
}

static int run(struct waiting *s, int64_t timeout_ms)
{
    int64_t pause = FIRST_PAUSE_MS;
    size_t going;

    for (;;) {
        int e = ask_all(s, &going);

        draw(s);
        if (interrupted)
            return CLI_INTERRUPTED;
        if (e || !going)
            return e;
        if (now_ms() - s->began_ms >= timeout_ms) {
            return say_error(CLI_FAILED,
                             "%zu still on the way after %lld s; --timeout waits "
                             "longer",
                             going, (long long)timeout_ms / 1000);
        }
        pause_ms(pause);
        pause = pause * 3 / 2 < LONGEST_PAUSE_MS ? pause * 3 / 2 : LONGEST_PAUSE_MS;
    }
}

static int conclude(struct waiting *s)
{
    int exit = CLI_OK;

    for (size_t i = 0; i < s->n; i++)
        if (s->all[i].progress == MISSED) {
            tell_reason(s, &s->all[i]);
            exit = CLI_FAILED;
        }
    return exit;
}

int wait_for(struct cli *c, const char *const *ids, size_t n, enum wait_goal goal)
{
    struct waiting s = {.c = c,
                        .all = ARENA_ARRAY(c->arena, struct waited, n + 1),
                        .n = n,
                        .goal = goal,
                        .began_ms = now_ms(),
                        .terminal = isatty(STDERR_FILENO)};
    struct sigaction catch = {.sa_handler = on_interrupt}, before;
    long long timeout_s;

    if (!opt_int(c, OPT_TIMEOUT, 1, 86400, 300, &timeout_s))
        return CLI_USAGE;
    for (size_t i = 0; i < n; i++) {
        s.all[i].id = ids[i];
        memcpy(s.all[i].state, "...", 4);
    }
    interrupted = 0;
    (void)sigaction(SIGINT, &catch, &before);
    int e = run(&s, timeout_s * 1000);
    (void)sigaction(SIGINT, &before, NULL);
    if (e == CLI_INTERRUPTED) {
        (void)say_error(e, "no longer waiting; the operation goes on");
        say_hint("`ostler show %s` tells how it ended", ids[0]);
        return e;
    }
    return e ? e : conclude(&s);
}
