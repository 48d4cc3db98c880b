/* DeleteInstances: all of them or none, and no list of what became of each. */
#include "dialect/alibaba/actions.h"

#include "dialect/alibaba/batch.h"
#include "dialect/alibaba/token.h"

struct in {
    struct batch_in batch;
    struct release_in how;
    const char *token;
};

static enum err run(struct call *c, const void *in_, void *out)
{
    const struct in *in = in_;
    struct token token = {.text = in->token, .dry_run = in->batch.dry_run};
    struct created deleted; /* by a request with the same token */
    struct batch_out done;
    bool found;
    enum err e;
    (void)out;

    if ((e = token_find(c, &token, &found, &deleted)) || found)
        return e;
    e = batch_run(c, &in->batch, release_verb(&in->how), release_flags(&in->how), NULL, &done);
    if (!e)
        token_save(c, &token, &(struct created){.ids = in->batch.ids.v, .n = in->batch.ids.n});
    return e;
}

const struct action ali_delete_instances = {
    .name = "DeleteInstances",
    .versions = ECS_VERSIONS,
    .summary = "Release instances, all of them or none.",
    .perm = PERM_DELETE,
    .access = ACCESS_WRITE,
    .in_size = sizeof(struct in),
    .in = FIELDS(BATCH_FIELDS(struct in, batch), RELEASE_FIELDS(struct in, how),
                 F_STR(struct in, token, "ClientToken")),
    .errors = ERRORS(RELEASE_ERRORS, BATCH_ERRORS, ERR_PARAM_CONFLICT, ERR_TOKEN_FORMAT,
                     ERR_TOKEN_MISMATCH),
    .rows = ERR_ROWS(BATCH_ROWS, ONE_SENTENCE_ROWS,
                     {ERR_PARAM_CONFLICT, 400, "InvalidParameter.CrossRegionNotSupport",
                      "Instances of multiple regions not support."}),
    .run = run,
};
