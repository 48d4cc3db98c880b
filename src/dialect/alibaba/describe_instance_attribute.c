/* DescribeInstanceAttribute: one instance, flat. */
#include "dialect/alibaba/actions.h"

#include "core/inst.h"
#include "dialect/alibaba/attrs.h"
#include "dialect/alibaba/instance.h"
#include "dialect/alibaba/status.h"

struct in {
    const char *id;
};

static enum err run(struct call *c, const void *in_, void *out)
{
    const struct in *in = in_;

    return inst_get(&c->op, in->id, out);
}

static void encode_options(const json_t *attrs, struct enc *e)
{
    bool jumbo = attrs_bool(attrs, "NetworkOptions.EnableJumboFrame", false);
    bool encryption = attrs_bool(attrs, "NetworkOptions.EnableNetworkEncryption", false);

    enc_bool(e, "EnableJumboFrame", jumbo);
    enc_bool(e, "EnableNetworkEncryption", encryption);
    enc_obj(e, "NetworkOptions");
    enc_str(e, "BandwidthWeighting", attrs_str(attrs, "NetworkOptions.BandwidthWeighting", ""));
    enc_bool(e, "EnableJumboFrame", jumbo);
    enc_bool(e, "EnableNetworkEncryption", encryption);
    enc_end(e);
    enc_obj(e, "SecurityOptions");
    enc_bool(e, "EnableSecureBoot", false);
    enc_end(e);
    enc_obj(e, "DedicatedHostAttribute");
    enc_str(e, "DedicatedHostId", "");
    enc_str(e, "DedicatedHostName", "");
    enc_end(e);
}

static void encode(struct call *c, const void *out, struct enc *e)
{
    const struct inst *in = out;
    json_t *attrs CLEANUP(json_unref_p) = attrs_load(in->attrs);

    enc_str(e, "InstanceId", in->id);
    enc_str(e, "InstanceName", in->name);
    enc_str(e, "Description", in->description);
    enc_str(e, "HostName", in->hostname);
    enc_str(e, "SerialNumber", in->serial);
    enc_str(e, "RegionId", in->region);
    enc_str(e, "ZoneId", in->zone);
    enc_str(e, "ClusterId", "");
    enc_str(e, "ImageId", in->image);
    enc_str(e, "InstanceType", in->type);
    enc_int(e, "Cpu", in->cpu);
    enc_int(e, "Memory", in->memory_mib);
    enc_str(e, "Status", status_word(in->state));
    enc_str(e, "StoppedMode", stopped_mode(in, c->op.core->catalog));
    enc_str(e, "CreationTime", instance_created(c, in));
    enc_str(e, "ExpiredTime", instance_expires(c, in));
    enc_str(e, "InstanceChargeType", in->charge == CHARGE_PREPAID ? "PrePaid" : "PostPaid");
    enc_str(e, "CreditSpecification", attrs_str(attrs, "CreditSpecification", ""));
    enc_str(e, "IoOptimized", "optimized"); /* a text here, a boolean in DescribeInstances */
    instance_encode_network(in, e);
    instance_encode_bandwidth(attrs, e);
    instance_encode_secgroups(c, in, e);
    instance_encode_locks(c, in, false, e);
    encode_options(attrs, e);
}

const struct action ali_describe_instance_attribute = {
    .name = "DescribeInstanceAttribute",
    .versions = ECS_VERSIONS,
    .summary = "Show one instance.",
    .perm = PERM_READ,
    .access = ACCESS_READ,
    .in_size = sizeof(struct in),
    .out_size = sizeof(struct inst),
    .in = FIELDS(F_STR(struct in, id, "InstanceId", .required = true, .format = FMT_ID,
                       .bad = ERR_INST_NOT_FOUND)),
    .errors = ERRORS(ERR_INST_NOT_FOUND),
    .run = run,
    .encode = encode,
};
