/* The judge of requests, where errors are asked for. */
#include "api/fault.h"

static const char *const fate_names[] = {
    [FATE_ARRIVES] = "arrives",       [FATE_DROPPED] = "drop",    [FATE_TRUNCATED] = "truncate",
    [FATE_HALF_CLOSE] = "half-close", [FATE_GARBAGE] = "garbage", [FATE_GATEWAY_502] = "502",
    [FATE_GATEWAY_503] = "503",       [FATE_GATEWAY_504] = "504",
};
_Static_assert(ARRAY_LEN(fate_names) == FATE_COUNT, "a fate has no name");

const char *fault_fate_name(enum fate f)
{
    return f < FATE_COUNT ? fate_names[f] : "?";
}

bool fault_fate_read(const char *name, enum fate *ret)
{
    for (size_t i = 0; i < FATE_COUNT; i++)
        if (streq(fate_names[i], name)) {
            *ret = (enum fate)i;
            return true;
        }
    return false;
}

bool fault_is_over(const struct fault *f)
{
    return f->times && f->given >= f->times;
}

/* splitmix64's last step: every bit of the outcome hangs on every bit of x. */
static uint64_t mix(uint64_t x)
{
    x += 0x9e3779b97f4a7c15;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return x ^ (x >> 31);
}

bool fault_strikes(int64_t seed, const struct fault *f, int64_t number)
{
    if (fault_is_over(f))
        return false;
    if (f->every > 1)
        return number % f->every == 0;
    if (f->probability) {
        uint64_t draw = mix(mix(mix((uint64_t)seed) ^ (uint64_t)f->num) ^ (uint64_t)number);

        return draw % 1000000 < (uint64_t)f->probability;
    }
    return true;
}

static bool has(const struct strs *list, const char *s)
{
    for (size_t i = 0; i < list->n; i++)
        if (streq(list->v[i], s))
            return true;
    return false;
}

static bool fits(const struct call *c, const struct fault *f, const struct strs *named)
{
    return !fault_is_over(f) && (!*f->account || streq(f->account, c->op.account)) &&
           (!*f->inst || has(named, f->inst));
}

/* Of the call's action, in the order in which they were asked for. */
static struct fault *candidates(struct call *c, size_t *ret_n)
{
    const char *const names[] = {c->action->name, "*"};
    struct query q = {.order = "num"};

    query_in(&q, "action", names, ARRAY_LEN(names));
    query_text(&q, "dialect", CMP_EQ, c->dialect->name);
    return store_find(c->op.tx, &rec_fault, &q, ret_n);
}

bool fault_awaits(struct call *c)
{
    size_t n;

    if (!c->op.core->settings.controls || !c->dialect->instances)
        return false;
    const struct fault *faults = candidates(c, &n);
    struct strs named = n ? c->dialect->instances(c) : (struct strs){0};
    for (size_t i = 0; i < n; i++)
        if (fits(c, &faults[i], &named))
            return true;
    return false;
}

/* The log says it of the instance that it is about, as far as one can be told. */
static void mark(struct call *c, const struct fault *f, const struct strs *named)
{
    const char *subject = *f->inst ? f->inst : named->n == 1 ? named->v[0] : "";
    const char *late =
        f->delay_ms ? arena_fmt(c->arena, " after %lld ms", (long long)f->delay_ms) : "";

    event_append(&c->op, subject, "fault",
                 arena_fmt(c->arena, "%s: %s %s %s %s%s", f->id, c->dialect->name, c->action->name,
                           *f->code ? f->code : "-", fault_fate_name(f->fate), late));
}

static const struct verdict *verdict_of(struct call *c, const struct fault *f)
{
    struct verdict *v = ARENA_NEW(c->arena, struct verdict);

    *v = (struct verdict){.id = f->id,
                          .refused = *f->code,
                          .row = {ERR_UNAVAILABLE, (int)f->status, f->code, "%d"},
                          .message = f->message,
                          .fate = f->fate < FATE_COUNT ? f->fate : FATE_ARRIVES,
                          .delay_ms = f->delay_ms > 0 ? f->delay_ms : 0,
                          .retry_ms = f->retry_ms};
    return v;
}

const struct verdict *fault_judge(struct call *c)
{
    size_t n;
    struct fault *faults = candidates(c, &n);
    struct strs named = c->dialect->instances(c);

    for (size_t i = 0; i < n; i++) {
        struct fault *f = &faults[i];

        if (!fits(c, f, &named))
            continue;
        bool struck = fault_strikes(c->op.core->settings.seed, f, ++f->seen);
        f->given += struck;
        store_update(c->op.tx, &rec_fault, f);
        if (!struck)
            continue;
        mark(c, f, &named);
        return verdict_of(c, f);
    }
    return NULL;
}

enum err fault_raise(struct call *c, const struct verdict *v)
{
    return fail(&c->fail, v->row.err, "%s", v->message);
}

void fault_shape(struct call *c, const struct verdict *v, struct answer *a)
{
    a->fate = v->fate;
    a->delay_ms = v->delay_ms;
    if (v->refused && v->retry_ms && c->dialect->say_retry)
        c->dialect->say_retry(c, v->retry_ms, a);
}
