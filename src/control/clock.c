/* The clock that moves: everybody's, or an account's own. */
#include "core/clock.h"
#include "base/timefmt.h"
#include "control/control.h"

struct in {
    const char *account, *duration, *time;
    bool wait;
};

struct out {
    struct clock_row row;
    int64_t now, real, began, target;
};

/* Whose clock; "": everybody's. */
static enum err find(struct call *c, const struct in *in, const char **ret)
{
    *ret = str_empty(in->account) ? "" : in->account;
    return control_scope(c, in->account);
}

static void look(struct call *c, const char *account, struct out *out)
{
    clock_row(&c->op, account, &out->row);
    out->now = clock_now(c->op.core, account);
    out->real = c->op.core->world->now_ms(c->op.core->world);
}

/* Its wish was taken up and done: the row is as it stays. Only then is the answer true. */
static bool settled(struct call *c, const void *in_, void *out_, enum err *ret)
{
    const struct in *in = in_;
    struct out *out = out_;
    const char *account = str_empty(in->account) ? "" : in->account;

    look(c, account, out);
    if (in->wait && out->row.wish != CLOCK_CONTENT)
        return false;
    if (in->wait && out->now < out->target)
        *ret = fail(&c->fail, ERR_CLOCK,
                    "the clock did not get to %s: everything was replaced or reset meanwhile, and "
                    "it is %s now",
                    time_seconds(c->arena, out->target), time_seconds(c->arena, out->now));
    return true;
}

/* Its answer is about where it was told to go. */
static enum err sent(struct out *out, enum err e)
{
    out->target = out->row.target;
    return e;
}

static enum err run_advance(struct call *c, const void *in_, void *out_)
{
    const struct in *in = in_;
    struct out *out = out_;
    const char *account;
    int64_t by;
    enum err e = find(c, in, &account);

    if (e)
        return e;
    if (duration_parse(in->duration, &by) < 0)
        return fail_param(&c->fail, ERR_PARAM_VALUE, "duration",
                          "'%s' is no length of time; try 90s, 5m, 3h, 31d, 2w or 1y",
                          in->duration);
    out->began = clock_now(c->op.core, account);
    return sent(out, clock_advance(&c->op, account, by, &out->row));
}

static enum err run_set(struct call *c, const void *in_, void *out_)
{
    const struct in *in = in_;
    struct out *out = out_;
    const char *account;
    enum err e = find(c, in, &account);

    if (e)
        return e;
    out->began = clock_now(c->op.core, account);
    return sent(out, clock_set(&c->op, account, field_time(in->time), &out->row));
}

static enum err run_freeze(struct call *c, const void *in, void *out_)
{
    struct out *out = out_;
    const char *account;
    enum err e = find(c, in, &account);

    return e ? e : clock_freeze(&c->op, account, &out->row);
}

static enum err run_resume(struct call *c, const void *in, void *out_)
{
    struct out *out = out_;
    const char *account;
    enum err e = find(c, in, &account);

    return e ? e : clock_resume(&c->op, account, &out->row);
}

static enum err run_show(struct call *c, const void *in, void *out)
{
    const char *account;
    enum err e = find(c, in, &account);

    if (!e)
        look(c, clock_of(c->op.core, account), out);
    return e;
}

static void encode(struct call *c, const void *out_, struct enc *e)
{
    const struct out *out = out_;

    enc_str_or_null(e, "account", *out->row.account ? out->row.account : NULL);
    enc_str(e, "time", time_seconds(c->arena, out->now));
    enc_str(e, "realTime", time_seconds(c->arena, out->real));
    enc_bool(e, "frozen", out->row.stands_at && !out->row.wish);
    control_enc_time(c, e, "target", out->row.target);
    if (out->began)
        enc_str(e, "from", time_seconds(c->arena, out->began));
}

#define WHOSE                                                                                      \
    F_STR(struct in, account, "account", .format = FMT_ID,                                         \
          .text = "Whose clock. Without one, that of all accounts that have none of their own.")
#define WAIT                                                                                       \
    F_BOOL(struct in, wait, "wait", .def = 1,                                                      \
           .text = "Answer when the clock is there; else ShowClock tells.")
#define CLOCK_ACTION                                                                               \
    .perm = PERM_CONTROL, .access = ACCESS_WRITE, .in_size = sizeof(struct in),                    \
    .out_size = sizeof(struct out), .encode = encode, .settled = settled,                          \
    .errors = ERRORS(ERR_ACCOUNT_NOT_FOUND, ERR_CLOCK, ERR_PARAM_VALUE)

const struct action op_advance_clock = {
    .name = "AdvanceClock",
    .summary = "Moves a clock ahead; all that is due until then happens, in its order, once.",
    CLOCK_ACTION,
    .in = FIELDS(WHOSE,
                 F_STR(struct in, duration, "duration", .required = true,
                       .text = "As 90s, 5m, 3h, 31d, 2w, 1y (365 days) or 1d12h."),
                 WAIT),
    .run = run_advance,
};

const struct action op_freeze_clock = {
    .name = "FreezeClock",
    .summary = "Lets a clock stand still; it is moved then only by AdvanceClock and SetClock.",
    CLOCK_ACTION,
    .in = FIELDS(WHOSE, WAIT),
    .run = run_freeze,
};

const struct action op_resume_clock = {
    .name = "ResumeClock",
    .summary = "Lets a clock go again, from where it stands.",
    CLOCK_ACTION,
    .in = FIELDS(WHOSE, WAIT),
    .run = run_resume,
};

const struct action op_set_clock = {
    .name = "SetClock",
    .summary = "Moves a clock to a time that is not in its past.",
    CLOCK_ACTION,
    .in = FIELDS(WHOSE,
                 F_STR(struct in, time, "time", .required = true, .format = FMT_TIME,
                       .text = "As 2027-01-02T03:04:05Z."),
                 WAIT),
    .run = run_set,
};

const struct action op_show_clock = {
    .name = "ShowClock",
    .summary = "Says what a clock shows, whether it stands still, and where it is on its way to.",
    .perm = PERM_CONTROL,
    .access = ACCESS_READ,
    .in_size = sizeof(struct in),
    .out_size = sizeof(struct out),
    .in = FIELDS(WHOSE),
    .errors = ERRORS(ERR_ACCOUNT_NOT_FOUND),
    .run = run_show,
    .encode = encode,
};
