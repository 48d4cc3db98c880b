/* The event log. */
#include "control/events.h"

#include "base/timefmt.h"
#include "control/control.h"

struct in {
    const char *account, *subject;
    int64_t after, limit;
    bool has_after;
};

struct out {
    struct event *rows;
    size_t n;
};

/* The latest ones, newest first; or, to follow the log, those after a number, oldest first. */
static enum err run(struct call *c, const void *in_, void *out_)
{
    const struct in *in = in_;
    struct out *out = out_;
    struct query q = {.order = in->has_after ? "seq" : "-seq", .limit = (size_t)in->limit};
    enum err e = control_scope(c, in->account);

    if (e)
        return e;
    if (c->op.account)
        query_text(&q, "account", CMP_EQ, c->op.account);
    if (in->subject)
        query_text(&q, "subject", CMP_EQ, in->subject);
    if (in->has_after)
        query_num(&q, "seq", CMP_GT, in->after);
    out->rows = store_find(c->op.tx, &rec_event, &q, &out->n);
    return ERR_NONE;
}

void control_enc_events(struct call *c, struct enc *e, const struct event *events, size_t n)
{
    enc_list(e, "events", "event");
    for (size_t i = 0; i < n; i++) {
        const struct event *v = &events[i];

        enc_obj(e, NULL);
        enc_int(e, "seq", v->seq);
        enc_str(e, "at", time_seconds(c->arena, v->at));
        enc_str(e, "account", v->account);
        enc_str(e, "subject", v->subject);
        enc_str(e, "kind", v->kind);
        enc_str(e, "detail", v->detail);
        enc_str(e, "requestId", v->request_id);
        enc_end(e);
    }
    enc_end(e);
}

static void encode(struct call *c, const void *out_, struct enc *e)
{
    const struct out *out = out_;

    control_enc_events(c, e, out->rows, out->n);
}

const struct action op_list_events = {
    .name = "ListEvents",
    .summary = "Lists events, newest first; with `after`, those after that number, oldest first.",
    .perm = PERM_OPERATOR,
    .access = ACCESS_READ,
    .in_size = sizeof(struct in),
    .out_size = sizeof(struct out),
    .in = FIELDS(F_STR(struct in, account, "account", .format = FMT_ID),
                 F_STR(struct in, subject, "subject", .format = FMT_ID),
                 F_INT(struct in, after, "after", .has = HAS(struct in, has_after), .min = 0,
                       .max = INT64_MAX),
                 F_INT(struct in, limit, "limit", .def = 100, .min = 1, .max = 1000)),
    .errors = ERRORS(ERR_ACCOUNT_NOT_FOUND),
    .run = run,
    .encode = encode,
};
