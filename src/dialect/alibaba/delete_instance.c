/* DeleteInstance. */
#include "dialect/alibaba/actions.h"

#include "dialect/alibaba/power.h"

struct in {
    const char *id;
    struct release_in how;
    bool dry_run;
};

static enum err run(struct call *c, const void *in_, void *out)
{
    const struct in *in = in_;
    unsigned flags = release_flags(&in->how) | (in->dry_run ? POWER_CHECK_ONLY : 0);
    (void)out;

    return inst_power(&c->op, in->id, release_verb(&in->how), flags, NULL, NULL);
}

const struct action ali_delete_instance = {
    .name = "DeleteInstance",
    .versions = ECS_VERSIONS,
    .summary = "Release one instance.",
    .perm = PERM_DELETE,
    .access = ACCESS_WRITE,
    .in_size = sizeof(struct in),
    .in = FIELDS(F_STR(struct in, id, "InstanceId", .required = true, .format = FMT_ID,
                       .bad = ERR_INST_NOT_FOUND, .text = "The instance."),
                 RELEASE_FIELDS(struct in, how),
                 F_BOOL(struct in, dry_run, "DryRun",
                        .text = "Run every check, then answer DryRunOperation.")),
    .errors = ERRORS(RELEASE_ERRORS),
    .rows = ERR_ROWS(ONE_SENTENCE_ROWS),
    .run = run,
};
