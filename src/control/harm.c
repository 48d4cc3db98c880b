/* What happens to a running machine because a test wants it. */
#include "core/harm.h"

#include "control/control.h"

struct in {
    const char *account, *inst;
};

static enum err ask(struct call *c, const struct in *in, enum harm_kind kind)
{
    enum err e = control_scope(c, in->account);

    return e ? e : harm_ask(&c->op, in->inst, kind);
}

static enum err panic(struct call *c, const void *in, void *out)
{
    (void)out;
    return ask(c, in, HARM_PANIC);
}

static enum err die(struct call *c, const void *in, void *out)
{
    (void)out;
    return ask(c, in, HARM_DIE);
}

static bool settled(struct call *c, const void *in, void *out, enum err *ret)
{
    (void)out;
    return harm_settled(&c->op, ((const struct in *)in)->inst, ret);
}

#define IN_FIELDS                                                                                  \
    FIELDS(F_STR(struct in, inst, "instanceId", .required = true, .format = FMT_ID),               \
           F_STR(struct in, account, "account", .format = FMT_ID))
#define HARM_ERRORS ERRORS(ERR_ACCOUNT_NOT_FOUND, ERR_INST_NOT_FOUND, ERR_INST_STATE, ERR_INST_BUSY)

const struct action op_kill_instance = {
    .name = "KillInstance",
    .summary = "Kills a running machine's process, and answers when the instance is stopped.",
    .perm = PERM_CONTROL,
    .access = ACCESS_WRITE,
    .in_size = sizeof(struct in),
    .in = IN_FIELDS,
    .errors = HARM_ERRORS,
    .run = die,
    .settled = settled,
};

const struct action op_panic_instance = {
    .name = "PanicInstance",
    .summary = "Makes a running guest's kernel panic, and answers when the instance is stopped.",
    .perm = PERM_CONTROL,
    .access = ACCESS_WRITE,
    .in_size = sizeof(struct in),
    .in = IN_FIELDS,
    .errors = HARM_ERRORS,
    .run = panic,
    .settled = settled,
};
