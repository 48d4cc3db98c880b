/* StopInstance. */
#include "dialect/alibaba/actions.h"

#include "dialect/alibaba/power.h"

struct in {
    const char *id;
    struct stop_in how;
    bool hibernate, dry_run;
};

static enum err run(struct call *c, const void *in_, void *out)
{
    const struct in *in = in_;
    unsigned flags = stop_flags(&in->how) | (in->dry_run ? POWER_CHECK_ONLY : 0);
    struct inst inst;
    (void)out;

    enum err e = inst_get(&c->op, in->id, &inst);
    if (e)
        return e;
    if (in->hibernate)
        return fail_param(&c->fail, ERR_PARAM_VALUE, "Hibernate",
                          "the instance is not configured for hibernation");
    return inst_power(&c->op, in->id, VERB_STOP, power_flags(c, &inst, flags), NULL, NULL);
}

const struct action ali_stop_instance = {
    .name = "StopInstance",
    .versions = ECS_VERSIONS,
    .summary = "Stop one running instance.",
    .perm = PERM_POWER,
    .access = ACCESS_WRITE,
    .in_size = sizeof(struct in),
    .in = FIELDS(F_STR(struct in, id, "InstanceId", .required = true, .format = FMT_ID,
                       .bad = ERR_INST_NOT_FOUND, .text = "The instance."),
                 STOP_FIELDS(struct in, how),
                 F_BOOL(struct in, hibernate, "Hibernate", .text = "Not supported."),
                 F_IGNORED("ConfirmStop"),
                 F_BOOL(struct in, dry_run, "DryRun",
                        .text = "Run every check, then answer DryRunOperation.")),
    .errors = ERRORS(POWER_ERRORS, ERR_PARAM_VALUE),
    .rows = ERR_ROWS(POWER_ROWS, ONE_SENTENCE_ROWS),
    .run = run,
};
