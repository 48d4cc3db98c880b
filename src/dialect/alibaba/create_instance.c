/* CreateInstance: the older way, one instance, which is started later. */
#include "dialect/alibaba/actions.h"
#include "dialect/alibaba/create.h"

static enum err run(struct call *c, const void *in_, void *out)
{
    struct create_in in = *(const struct create_in *)in_;

    in.amount = 1;
    return create_run(c, &in, false, out);
}

static void encode(struct call *c, const void *out_, struct enc *e)
{
    const struct created *out = out_;
    (void)c;

    enc_str(e, "InstanceId", out->n ? out->ids[0] : "");
}

#define IN struct create_in

const struct action ali_create_instance = {
    .name = "CreateInstance",
    .versions = ECS_VERSIONS,
    .summary = "Create one instance, stopped.",
    .perm = PERM_CREATE,
    .access = ACCESS_WRITE,
    .in_size = sizeof(IN),
    .out_size = sizeof(struct created),
    .in = FIELDS(CREATE_FIELDS(IN), F_STR(IN, type, "InstanceType", .required = true),
                 F_IGNORED("ClusterId"), F_IGNORED("InnerIpAddress"), F_IGNORED("NodeControllerId"),
                 F_IGNORED("VlanId"), F_IGNORED("UseAdditionalService")),
    .errors = ERRORS(CREATE_ERRORS),
    .rows = CREATE_ROWS,
    .run = run,
    .encode = encode,
};
