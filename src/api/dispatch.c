/*
 * The way of a request, once for all dialects:
 *
 *   whose? ▸ parse ▸ verify ▸ find ▸ permit ▸ decode ▸ run (here, or on the writer) ▸ answer
 *
 * Where errors are asked for, a request that may be given one is judged on the writer between find
 * and permit.
 */
#include "api/dispatch.h"

#include <assert.h>
#include <stdio.h>

#include "api/fault.h"
#include "api/transcript.h"
#include "base/log.h"
#include "core/clock.h"

enum { FORGET_EVERY = 1024 }; /* writes, until nonces that are too old are forgotten */

struct api {
    struct api_config config;
    struct macs *macs;
    unsigned writes;     /* the writer thread's */
    struct way *waiting; /* for what their actions set going */
};

/* A call with what outlives its function: the write, the decoded input, and where the answer goes.
 */
struct way {
    struct call call;
    struct write write;
    struct api *api;
    void *in, *out;
    const struct verdict *verdict; /* a fault's; NULL: none has struck */
    api_reply_fn *reply;
    void *ctx;
    int64_t began;
    struct way *next; /* that waits */
};

struct api *api_new(const struct api_config *config)
{
    struct api *api = xcalloc(1, sizeof(*api));

    api->config = *config;
    api->macs = macs_new(config->core->vault);
    return api;
}

void api_free(struct api *api)
{
    if (!api)
        return;
    macs_free(api->macs);
    free(api);
}

static int64_t now(struct api *api)
{
    return api->config.core->world->now_ms(api->config.core->world);
}

/* ---- the end of the way ---- */

/* What a fault said is no error of ours. */
static const char *error_name(const struct way *w)
{
    if (w->verdict && w->verdict->refused)
        return w->verdict->row.code;
    return w->call.fail.err ? err_name(w->call.fail.err) : NULL;
}

static void log_call(struct way *w, int status)
{
    struct call *c = &w->call;
    enum log_level level = c->fail.err == ERR_INTERNAL ? LOG_ERROR : LOG_INFO;
    char status_text[12], ms_text[24];

    if (!log_enabled(level))
        return;
    (void)snprintf(status_text, sizeof(status_text), "%d", status);
    (void)snprintf(ms_text, sizeof(ms_text), "%lld", (long long)(now(w->api) - w->began));
    log_write(level, "request", "request", c->request_id, "dialect", c->dialect->name, "action",
              c->action_name ? c->action_name : "-", "account", c->op.account, "status",
              status_text, "error", error_name(w), "detail",
              c->fail.err == ERR_INTERNAL ? c->fail.detail : NULL, "fault",
              w->verdict ? w->verdict->id : NULL, "ms", ms_text, "peer", c->req->peer, NULL);
}

static void finish(struct way *w, enum err e)
{
    struct call *c = &w->call;
    struct answer a = {.content_type = "application/json"};

    if (e) {
        if (c->fail.err != e) /* said by the store or the dispatcher, not by a handler */
            (void)fail(&c->fail, e, "%s", err_text(e));
        const struct err_row *row = call_err_row(c);

        if (w->verdict && w->verdict->refused)
            row = &w->verdict->row;
        a.status = row->status;
        c->dialect->refuse(c, row, &a);
    } else {
        fail_clear(&c->fail);
        a.status = 200;
        c->dialect->answer(c, w->out, &a);
    }
    if (w->api->config.transcript)
        transcript_note(w->api->config.transcript, c, &a, w->verdict, w->began);
    if (w->verdict)
        fault_shape(c, w->verdict, &a);
    json_decref(c->params);
    json_decref(c->lists);
    log_call(w, a.status);
    w->reply(w->ctx, &a);
    buf_done(&a.body);
}

/* ---- running ---- */

/* A handler raises what its declaration says; this finds the ones that forgot to say it. */
static bool declared(const struct action *a, enum err e)
{
    static const enum err always[] = {ERR_INTERNAL,        ERR_UNAVAILABLE,     ERR_PARAM_MISSING,
                                      ERR_PARAM_TYPE,      ERR_PARAM_VALUE,     ERR_PARAM_PATTERN,
                                      ERR_PARAM_TOO_BIG,   ERR_PARAM_TOO_SMALL, ERR_PARAM_TOO_LONG,
                                      ERR_PARAM_TOO_SHORT, ERR_PARAM_CONFLICT,  ERR_PARAM_TIME,
                                      ERR_NEEDED};

    for (size_t i = 0; i < ARRAY_LEN(always); i++)
        if (always[i] == e)
            return true;
    for (const enum err *p = a->errors; p && *p; p++)
        if (*p == e)
            return true;
    return e == ERR_NONE;
}

static enum err run(struct way *w, struct tx *tx)
{
    struct call *c = &w->call;

    c->op.tx = tx;
    tx_use_arena(tx, c->arena);
    enum err e = c->action->run(c, w->in, w->out);
#ifdef OSTLER_DEBUG
    if (!declared(c->action, e) && !tx_failed(tx)) {
        log_write(LOG_ERROR, "an action raised what it does not declare", "action", c->action->name,
                  "error", err_name(e), NULL);
        abort();
    }
#else
    (void)declared;
#endif
    tx_use_arena(tx, NULL);
    c->op.tx = NULL;
    return tx_failed(tx) ? ERR_INTERNAL : e;
}

/* Before this every nonce's signature is too old. */
static int64_t too_old(struct call *c)
{
    struct core *core = c->op.core;

    return core->settings.signatures_age ? clocks_slowest(core) : core->world->now_ms(core->world);
}

/* What a signature changed it changes once. The dialect remembers too, but forgets when the server
 * ends. */
static enum err once(struct call *c, struct tx *tx, unsigned *count)
{
    struct nonce n = {.key = c->replay_key, .until = c->replay_until}, old;

    if (!n.key)
        return ERR_NONE;
    tx_use_arena(tx, c->arena);
    if (store_get(tx, &rec_nonce, n.key, &old))
        return fail(&c->fail, ERR_AUTH_REPLAY, "the nonce was used before");
    store_insert(tx, &rec_nonce, &n);
    if (++*count % FORGET_EVERY == 0) {
        struct query over = {0};

        query_num(&over, "until", CMP_LT, too_old(c));
        store_delete_all(tx, &rec_nonce, &over);
    }
    return ERR_NONE;
}

/* Where randomness has a seed, what is written has the same names however often somebody looked
 * meanwhile. */
static void rename_write(struct call *c)
{
    c->on_writer = true;
    if (c->op.core->world->random_name)
        c->dialect->name_request(c);
}

static enum err write_run(struct write *write, struct tx *tx)
{
    struct way *w = CONTAINER_OF(write, struct way, write);
    const char *closed = atomic_load_explicit(&w->api->config.core->closed, memory_order_acquire);

    if (closed)
        return fail(&w->call.fail, ERR_UNAVAILABLE, "%s", closed);
    enum err e = once(&w->call, tx, &w->api->writes);

    if (e)
        return e;
    rename_write(&w->call);
    call_act_for(&w->call, w->call.op.account); /* its clock may have been moved meanwhile */
    return run(w, tx);
}

/* Is what the action set going over? If so it is answered, and gone. */
static bool settle(struct way *w)
{
    struct call *c = &w->call;
    struct tx *tx = store_read(w->api->config.store, c->arena);
    enum err e = ERR_NONE;

    c->op.tx = tx;
    bool over = c->action->settled(c, w->in, w->out, &e);
    if (tx_failed(tx)) {
        over = true;
        e = ERR_INTERNAL;
    }
    store_read_end(tx);
    c->op.tx = NULL;
    if (over)
        finish(w, e);
    return over;
}

bool api_poll(struct api *api)
{
    for (struct way **at = &api->waiting; *at;) {
        struct way *w = *at, *next = w->next;

        if (settle(w))
            *at = next;
        else
            at = &w->next;
    }
    return api->waiting;
}

void api_give_up(struct api *api)
{
    for (struct way *w = api ? api->waiting : NULL, *next; w; w = next) {
        next = w->next;
        finish(w, fail(&w->call.fail, ERR_UNAVAILABLE, "the server is ending"));
    }
    if (api)
        api->waiting = NULL;
}

static void wait_for(struct way *w)
{
    w->next = w->api->waiting;
    w->api->waiting = w;
    w->api->config.waits(w->api->config.ctx);
}

static void write_done(struct write *write)
{
    struct way *w = CONTAINER_OF(write, struct way, write);
    struct api *api = w->api;
    bool changed = !write->result;

    if (changed && w->call.action->settled && api->config.waits)
        wait_for(w);
    else
        finish(w, write->result); /* the request's memory is gone after this */
    if (changed && api->config.changed)
        api->config.changed(api->config.ctx);
}

static enum err permit(struct call *c)
{
    enum permission p = c->action->perm;

    if ((p == PERM_OPERATOR || p == PERM_CONTROL) && !c->is_operator)
        return fail(&c->fail, ERR_FORBIDDEN, "only the operator may do this");
    if (p == PERM_CONTROL && !c->op.core->settings.controls)
        return fail(&c->fail, ERR_ACTION_UNKNOWN,
                    "there is no action '%s' without test controls; `ostler serve --controls` "
                    "has them",
                    c->action_name);
    return ERR_NONE;
}

/* Who asks for what? */
static enum err identify(struct call *c)
{
    enum err e;

    if ((e = c->dialect->parse(c)) || (e = c->dialect->verify(c)))
        return e;
    call_act_for(c, c->key.account ? c->key.account : c->op.account);
    return c->dialect->find(c, &c->action);
}

/* Up to the decoded input. */
static enum err admit(struct way *w)
{
    struct call *c = &w->call;
    enum err e = permit(c);

    if (e)
        return e;
    w->in = arena_alloc(c->arena, c->action->in_size + 1);
    w->out = arena_alloc(c->arena, c->action->out_size + 1);
    return decode(c, c->action->in, c->params, w->in);
}

static void begin(struct way *w, const struct dialect *d, struct api *api, const struct request *r,
                  struct arena *arena)
{
    struct call *c = &w->call;

    w->api = api;
    w->began = now(api);
    c->req = r;
    c->arena = arena;
    c->dialect = d;
    c->macs = api->macs;
    c->client = "";
    c->op = (struct op){.core = api->config.core,
                        .arena = arena,
                        .request_id = c->request_id,
                        .now = w->began,
                        .fail = &c->fail};
    d->name_request(c);
}

/* Zeroed but for the refusal's text, which is long and is written before it is read. */
static struct way *way_new(struct arena *arena)
{
    struct way *w = arena_raw(arena, sizeof(*w));
    char *text = w->call.fail.detail, *after = text + sizeof(w->call.fail.detail);

    memset(w, 0, (size_t)(text - (char *)w));
    memset(after, 0, (size_t)((char *)(w + 1) - after));
    text[0] = 0;
    return w;
}

static const struct dialect *whose(struct api *api, const struct request *r)
{
    for (const struct dialect *const *d = api->config.dialects; *d; d++)
        if ((*d)->claims(r))
            return *d;
    return NULL;
}

/* ---- the way from the front to the writer ---- */

/* What the writer is to do; answered after its commit, or now when it takes no more. */
static void submit(struct way *w, enum err (*run_)(struct write *write, struct tx *tx),
                   void (*done)(struct write *write))
{
    w->write = (struct write){.run = run_, .done = done};
    enum err e = store_submit(w->api->config.store, &w->write);

    if (e)
        finish(w, e);
}

static enum err judge_run(struct write *write, struct tx *tx)
{
    struct way *w = CONTAINER_OF(write, struct way, write);
    struct call *c = &w->call;

    c->op.tx = tx;
    tx_use_arena(tx, c->arena);
    w->verdict = fault_judge(c);
    tx_use_arena(tx, NULL);
    c->op.tx = NULL;
    return tx_failed(tx) ? ERR_INTERNAL : ERR_NONE;
}

static void go(struct way *w, bool judged);

static void judge_done(struct write *write)
{
    struct way *w = CONTAINER_OF(write, struct way, write);

    if (write->result) {
        w->verdict = NULL; /* it was not kept */
        finish(w, write->result);
    } else if (w->verdict && w->verdict->refused) {
        finish(w, fault_raise(&w->call, w->verdict));
    } else {
        go(w, true);
    }
}

/* As far as a snapshot leads. `judged`: it has been here before, up to the judge. */
static void go(struct way *w, bool judged)
{
    struct call *c = &w->call;
    struct tx *tx = store_read(w->api->config.store, c->arena);
    enum err e = ERR_NONE;

    c->op.tx = tx;
    if (!judged)
        e = identify(c);
    bool judge = !e && !judged && fault_awaits(c);
    if (!e && !judge)
        e = admit(w);
    if (!e && !judge && c->action->access == ACCESS_READ)
        e = run(w, tx);
    if (tx_failed(tx))
        e = ERR_INTERNAL;
    store_read_end(tx);
    c->op.tx = NULL;
    if (!e && judge)
        submit(w, judge_run, judge_done);
    else if (!e && c->action->access == ACCESS_WRITE)
        submit(w, write_run, write_done);
    else
        finish(w, e);
}

/* Nobody's: a page of one sentence, which says what is here. */
static void answer_nobody(struct api *api, const struct request *r, int status, const char *text,
                          api_reply_fn *reply, void *ctx)
{
    struct answer a = {.status = status, .content_type = "text/plain; charset=utf-8"};
    char status_text[12];

    (void)api;
    (void)snprintf(status_text, sizeof(status_text), "%d", status);
    buf_fmt(&a.body, "%s\n", text);
    log_write(LOG_INFO, "request", "dialect", "-", "status", status_text, "peer", r->peer, NULL);
    reply(ctx, &a);
    buf_done(&a.body);
}

void api_handle(struct api *api, const struct request *r, struct arena *arena, api_reply_fn *reply,
                void *ctx)
{
    const struct dialect *d = whose(api, r);

    if (!d) {
        answer_nobody(
            api, r, 404,
            "This is Ostler. ECS clients call / with an Action, ZEC clients POST /api/v2/zec.",
            reply, ctx);
        return;
    }
    struct way *w = way_new(arena);
    w->reply = reply;
    w->ctx = ctx;
    begin(w, d, api, r, arena);
    go(w, false);
}

void api_refuse(struct api *api, const struct request *r, struct arena *arena, enum err err,
                int status, const char *reason, api_reply_fn *reply, void *ctx)
{
    const struct dialect *d = whose(api, r);

    if (!d) {
        answer_nobody(api, r, status ? status : 400, reason, reply, ctx);
        return;
    }
    struct way *w = way_new(arena);
    w->reply = reply;
    w->ctx = ctx;
    begin(w, d, api, r, arena);
    (void)fail(&w->call.fail, err, "%s", reason);
    struct err_row row = *call_err_row(&w->call);
    struct answer a = {.content_type = "application/json"};
    if (status)
        row.status = status; /* what HTTP says; the code is the dialect's */
    a.status = row.status;
    d->refuse(&w->call, &row, &a);
    log_call(w, a.status);
    reply(ctx, &a);
    buf_done(&a.body);
}
