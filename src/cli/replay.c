/*
 * Replaying a recording: its requests one after the other, signed afresh, and what differs in the
 * answers.
 */
#include "cli/replay.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <time.h>

#include "base/map.h"
#include "cli/replayed.h"
#include "cli/text.h"

enum {
    MAX_LINE = 64 * 1024 * 1024,
    MAX_ACCOUNTS = 64,
    MAX_PAUSE_MS = 60 * 1000,
    STILL_MS = 1000, /* a poll that differs and shows nothing on its way is asked for so long */
    LEAST_WAIT_MS = 20,
    MOST_WAIT_MS = 500
};

/* Whom an account of the recording stands for here. */
struct who {
    const char *recorded, *account, *key_id, *secret; /* account "": the server's first */
};

struct replay {
    struct cli *cli;
    struct arena *arena; /* as long as the replay; the cli's is the request's */
    struct names *names;
    struct who who[MAX_ACCOUNTS];
    size_t n_who;
    struct map *seen; /* differences that were waited for once */
    json_t *out;      /* with --json: the differences */
    bool is_operator; /* the server's operator can be asked */
    long long patience_ms, line_no, sent, equal, differ, not_sent;
    long long last_at, last_sent_at; /* of the recording; of here */
};

static long long now_ms(void)
{
    struct timespec ts;

    (void)clock_gettime(CLOCK_MONOTONIC, &ts);
    return (long long)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void pause_ms(long long ms)
{
    if (ms > 0)
        (void)poll(NULL, 0, (int)ms);
}

/* ---- whose requests ---- */

static int new_account(struct replay *p, struct who *w)
{
    CLEANUP(json_free_p) json_t *account = NULL;
    CLEANUP(json_free_p) json_t *key = NULL;
    int e = operator_call(p->cli, "CreateAccount", json_pack("{s:s}", "name", "replay"), &account);

    if (e)
        return e;
    w->account = arena_str(p->arena, json_text(account, "account"));
    e = operator_call(p->cli, "CreateAccessKey", json_pack("{s:s}", "account", w->account), &key);
    if (e)
        return e;
    w->key_id = arena_str(p->arena, json_text(key, "accessKeyId"));
    w->secret = arena_str(p->arena, json_text(key, "accessKeySecret"));
    return CLI_OK;
}

/* The recording's first account is the server's, unless --new-account says otherwise; every further
 * one is new. */
static int find_who(struct replay *p, const char *recorded, struct who **ret)
{
    struct cli *c = p->cli;

    for (size_t i = 0; i < p->n_who; i++)
        if (streq(p->who[i].recorded, recorded)) {
            *ret = &p->who[i];
            return CLI_OK;
        }
    if (p->n_who == MAX_ACCOUNTS)
        return say_error(CLI_FAILED, "the recording has more than %d accounts", MAX_ACCOUNTS);
    struct who *w = &p->who[p->n_who];
    w->recorded = arena_str(p->arena, recorded);
    w->account = given(c, OPT_ACCOUNT) ? c->values[OPT_ACCOUNT] : "";
    w->key_id = c->key_id;
    w->secret = c->secret;
    if (p->n_who > 0 && !p->is_operator)
        return say_error(CLI_FAILED,
                         "the recording has more than one account; the further ones are made by "
                         "the server's operator: name its data directory with --data DIR");
    if (given(c, OPT_NEW_ACCOUNT) && !p->is_operator)
        return say_usage(c, "--new-account is made by the server's operator: name its data "
                            "directory with --data DIR");
    int e = p->n_who > 0 || given(c, OPT_NEW_ACCOUNT) ? new_account(p, w) : CLI_OK;
    if (!e) {
        p->n_who++;
        *ret = w;
    }
    return e;
}

/*
 * A subnet that no answer of the recording has shown came from the operator's `ostler subnet`: here
 * it is the zone's default one, too. Where there is no operator's side the server says what it
 * thinks of the id.
 */
static void explain_subnet(struct replay *p, const struct recorded *r, const struct who *w)
{
    const char *subnet = json_text(r->params, "subnetId"), *zone = json_text(r->params, "zoneId");
    CLEANUP(json_free_p) json_t *answer = NULL;
    struct refusal no = {0};

    if (!r->zec || !*subnet || !*zone || names_get(p->names, subnet) || !p->is_operator)
        return;
    json_t *body = json_pack("{s:s}", "zone", zone);
    if (*w->account)
        (void)json_object_set_new(body, "account", json_string(w->account));
    if (operator_try(p->cli, "MakeNetwork", body, &answer, &no) == CLI_OK)
        (void)names_learn(p->names, subnet, json_text(answer, "subnet"));
}

/* ---- one request ---- */

static const char *fingerprint(struct arena *a, const struct recorded *r,
                               const struct difference *d)
{
    return arena_fmt(a, "%s %s %s %s", r->action, d->path, d->recorded, d->replayed);
}

static bool all_seen(const struct replay *p, struct arena *a, const struct recorded *r,
                     const struct comparison *c)
{
    for (size_t i = 0; i < c->n; i++)
        if (!map_get(p->seen, fingerprint(a, r, &c->v[i])))
            return false;
    return true;
}

static void tell(struct replay *p, struct arena *a, const struct recorded *r,
                 const struct comparison *c)
{
    for (size_t i = 0; i < c->n; i++) {
        const struct difference *d = &c->v[i];
        CLEANUP(buf_done) struct buf line = {0};

        map_put(p->seen, fingerprint(a, r, d), p);
        if (p->out) {
            (void)json_array_append_new(p->out, json_pack("{s:I, s:s, s:s, s:s, s:s}", "request",
                                                          (json_int_t)r->n, "action", r->action,
                                                          "path", d->path, "recorded", d->recorded,
                                                          "replayed", d->replayed));
            continue;
        }
        text_clean(&line, arena_fmt(a, "#%lld %s %s: recorded %s, replayed %s", r->n, r->action,
                                    d->path, d->recorded, d->replayed));
        (void)puts(buf_cstr(&line));
    }
    if (c->total > c->n && !p->out)
        (void)printf("#%lld %s: %zu more\n", r->n, r->action, c->total - c->n);
}

/* Sends it once and compares. */
static int attempt(struct replay *p, const struct recorded *r, const json_t *params,
                   struct comparison *c, struct http_answer *ret)
{
    int e = recorded_send(p->cli, r, params, ret);

    if (!e)
        recorded_compare(c, r, ret);
    return e;
}

/* Until it is as recorded, stays otherwise, or the patience is over. */
static int attempts(struct replay *p, struct arena *a, const struct recorded *r,
                    const json_t *params, struct comparison *c)
{
    long long began = now_ms(), still_since = began, wait = LEAST_WAIT_MS;
    CLEANUP(free_p) char *last = NULL;

    for (;;) {
        CLEANUP(http_answer_done_p) struct http_answer answer = {0};
        int e = attempt(p, r, params, c, &answer);

        if (e || !c->total || !recorded_repeats(r, &answer))
            return e;
        long long now = now_ms();
        bool poll = str_starts(r->action, "Describe"), moves = c->under_way || !poll;
        const char *print = c->n ? fingerprint(a, r, &c->v[0]) : "";
        if (!last || !streq(last, print))
            still_since = now;
        free(last);
        last = xstrdup(print);
        if (now - began >= p->patience_ms ||
            (!moves && (all_seen(p, a, r, c) || now - still_since >= STILL_MS)))
            return CLI_OK;
        pause_ms(wait);
        wait = 2 * wait < MOST_WAIT_MS ? 2 * wait : MOST_WAIT_MS;
        compare_done(c);
        compare_begin(c, a, p->names);
    }
}

static void keep_pace(struct replay *p, const struct recorded *r)
{
    if (given(p->cli, OPT_TIMING) && p->last_at && r->at_ms) {
        long long gap = r->at_ms - p->last_at, passed = now_ms() - p->last_sent_at;

        pause_ms((gap < MAX_PAUSE_MS ? gap : MAX_PAUSE_MS) - passed);
    }
    p->last_at = r->at_ms;
    p->last_sent_at = now_ms();
}

static int replay_one(struct replay *p, struct arena *a, const struct recorded *r)
{
    struct comparison *c = ARENA_NEW(a, struct comparison);
    struct who *w = NULL;
    int e = find_who(p, r->account, &w);

    if (e)
        return e;
    explain_subnet(p, r, w);
    p->cli->key_id = w->key_id;
    p->cli->secret = w->secret;
    CLEANUP(json_free_p) json_t *params = recorded_params(a, r, p->names);
    keep_pace(p, r);
    compare_begin(c, a, p->names);
    e = attempts(p, a, r, params, c);
    if (!e) {
        compare_keep(c);
        tell(p, a, r, c);
        p->sent++;
        c->total ? p->differ++ : p->equal++;
    }
    compare_done(c);
    return e;
}

/* ---- the file ---- */

static int replay_line(struct replay *p, const char *text, size_t len)
{
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    json_error_t why;
    CLEANUP(json_free_p) json_t *line = json_loadb(text, len, 0, &why);
    struct recorded r;
    const char *wrong = line ? recorded_read(a, line, &r) : why.text;

    if (wrong)
        return say_error(CLI_FAILED, "%s, line %lld: %s", p->cli->args[0], p->line_no, wrong);
    if (!r.n)
        r.n = p->line_no;
    if (!r.verified || r.faulted) {
        p->not_sent++;
        return CLI_OK;
    }
    struct arena *mine = p->cli->arena;
    p->cli->arena = a; /* what is made for one request goes with it */
    int e = replay_one(p, a, &r);
    p->cli->arena = mine;
    return e;
}

static bool is_blank(const char *s)
{
    return !s[strspn(s, " \t\r\n")];
}

static int replay_file(struct replay *p, FILE *f)
{
    CLEANUP(free_p) char *line = NULL;
    size_t room = 0;
    ssize_t n;
    int e = CLI_OK;

    while (!e && (n = getline(&line, &room, f)) > 0) {
        p->line_no++;
        if (n > MAX_LINE)
            return say_error(CLI_FAILED, "%s, line %lld is longer than %d MiB", p->cli->args[0],
                             p->line_no, MAX_LINE / 1024 / 1024);
        if (!is_blank(line))
            e = replay_line(p, line, (size_t)n);
    }
    if (!e && ferror(f))
        return say_error(CLI_FAILED, "%s: %s", p->cli->args[0], strerror(errno));
    return e;
}

static int summary(const struct replay *p)
{
    if (p->out) {
        CLEANUP(json_free_p)
        json_t *all = json_pack("{s:I, s:I, s:I, s:I, s:O}", "requests", (json_int_t)p->sent,
                                "equal", (json_int_t)p->equal, "differ", (json_int_t)p->differ,
                                "notSent", (json_int_t)p->not_sent, "differences", p->out);
        print_json(all);
    } else {
        if (p->not_sent)
            (void)printf("%lld not sent: when they were recorded a fault refused them, or their "
                         "signature was not accepted, or they could not be read\n",
                         p->not_sent);
        (void)printf("%lld requests, %lld equal, %lld differ\n", p->sent, p->equal, p->differ);
    }
    return p->differ ? CLI_FAILED : CLI_OK;
}

/* ---- the verb ---- */

/* "OLD=NEW,OLD=NEW" */
static int read_map(struct replay *p)
{
    const char *at = p->cli->values[OPT_MAP];

    while (at && *at) {
        const char *pair = arena_strn(p->arena, at, strcspn(at, ","));
        const char *eq = strchr(pair, '=');

        if (!eq || eq == pair || !eq[1])
            return say_usage(p->cli, "--map wants OLD=NEW, not '%s'", pair);
        if (!names_learn(p->names, arena_strn(p->arena, pair, (size_t)(eq - pair)), eq + 1))
            return say_usage(p->cli, "--map says '%s' twice", pair);
        at += strlen(pair);
        at += *at == ',';
    }
    return CLI_OK;
}

/* --endpoint is another server's; its key then comes from the environment, if it is there. */
static int find_server(struct replay *p)
{
    const char *key = getenv("OSTLER_ACCESS_KEY_ID"), *secret = getenv("OSTLER_ACCESS_KEY_SECRET");
    struct cli *c = p->cli;

    if (given(c, OPT_ENDPOINT) && !str_empty(key) && !str_empty(secret)) {
        c->key_id = key;
        c->secret = secret;
        c->ca_file = getenv("OSTLER_CA_FILE");
        c->endpoint = c->values[OPT_ENDPOINT];
        return CLI_OK;
    }
    int e = server_environment(c);
    p->is_operator = !server_by_environment(c);
    if (!e && given(c, OPT_ENDPOINT))
        c->endpoint = c->values[OPT_ENDPOINT];
    return e;
}

static void close_file(FILE **f)
{
    if (*f && *f != stdin)
        (void)fclose(*f);
}

static void replay_done(struct replay *p)
{
    names_free(p->names);
    map_free(p->seen);
    json_decref(p->out);
}

int replay(struct cli *c)
{
    const char *path = c->args[0];
    long long patience;

    if (!opt_int(c, OPT_PATIENCE, 0, 3600, 30, &patience))
        return CLI_USAGE;
    CLEANUP(close_file) FILE *f = streq(path, "-") ? stdin : fopen(path, "re");
    if (!f)
        return say_error(CLI_FAILED, "%s: %s", path, strerror(errno));
    CLEANUP(replay_done)
    struct replay p = {.cli = c,
                       .arena = c->arena,
                       .names = names_new(),
                       .seen = map_new(),
                       .out = given(c, OPT_JSON) ? json_array() : NULL,
                       .patience_ms = patience * 1000};
    int e;
    if ((e = read_map(&p)) || (e = find_server(&p)) || (e = replay_file(&p, f)))
        return e;
    return summary(&p);
}
