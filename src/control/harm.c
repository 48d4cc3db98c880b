/* What happens to a running machine because a test wants it. */
#include "core/harm.h"

#include "control/control.h"

static enum err ask_panic(struct op *op, const char *inst)
{
    return harm_ask(op, inst, HARM_PANIC);
}

static enum err ask_death(struct op *op, const char *inst)
{
    return harm_ask(op, inst, HARM_DIE);
}

static enum err panic(struct call *c, const void *in, void *out)
{
    (void)out;
    return control_on_inst(c, in, ask_panic);
}

static enum err die(struct call *c, const void *in, void *out)
{
    (void)out;
    return control_on_inst(c, in, ask_death);
}

static bool settled(struct call *c, const void *in, void *out, enum err *ret)
{
    (void)out;
    return harm_settled(&c->op, ((const struct control_inst *)in)->inst, ret);
}

#define HARM_ERRORS ERRORS(ERR_ACCOUNT_NOT_FOUND, ERR_INST_NOT_FOUND, ERR_INST_STATE, ERR_INST_BUSY)

const struct action op_kill_instance = {
    .name = "KillInstance",
    .summary = "Kills a running machine's process, and answers when the instance is stopped.",
    .perm = PERM_CONTROL,
    .access = ACCESS_WRITE,
    .in_size = sizeof(struct control_inst),
    .in = CONTROL_INST_FIELDS,
    .errors = HARM_ERRORS,
    .run = die,
    .settled = settled,
};

const struct action op_panic_instance = {
    .name = "PanicInstance",
    .summary = "Makes a running guest's kernel panic, and answers when the instance is stopped.",
    .perm = PERM_CONTROL,
    .access = ACCESS_WRITE,
    .in_size = sizeof(struct control_inst),
    .in = CONTROL_INST_FIELDS,
    .errors = HARM_ERRORS,
    .run = panic,
    .settled = settled,
};
