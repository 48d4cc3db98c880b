/* RunInstances. */
#include "dialect/alibaba/actions.h"
#include "dialect/alibaba/create.h"

static enum err run(struct call *c, const void *in, void *out)
{
    return create_run(c, in, true, out);
}

static void encode(struct call *c, const void *out_, struct enc *e)
{
    const struct created *out = out_;
    (void)c;

    enc_strs(e, "InstanceIdSets", "InstanceIdSet", out->ids, out->n);
}

#define IN struct create_in

const struct action ali_run_instances = {
    .name = "RunInstances",
    .versions = ECS_VERSIONS,
    .summary = "Create and start one or several instances.",
    .perm = PERM_CREATE,
    .access = ACCESS_WRITE,
    .in_size = sizeof(IN),
    .out_size = sizeof(struct created),
    .in = FIELDS(
        CREATE_FIELDS(IN), F_STR(IN, type, "InstanceType"),
        F_INT(IN, amount, "Amount", .def = 1, .min = 1, .max = 100, .bad = ERR_AMOUNT),
        F_INT(IN, min_amount, "MinAmount", .min = 1, .max = 100,
              .text = "So few will do. Default: all of Amount or nothing."),
        F_BOOL(IN, unique_suffix, "UniqueSuffix"),
        F_STRS(IN, secgroups, "SecurityGroupIds", .max = 10),
        F_STRS(IN, hostnames, "HostNames", .max = 100), F_STRS(IN, ipv6, "Ipv6Address", .max = 10),
        F_INT(IN, ipv6_count, "Ipv6AddressCount", .min = 0, .max = 10),
        F_OBJS(IN, interfaces, "NetworkInterface", struct interface_in, create_interface_fields,
               .max = 8),
        F_STR(IN, release_time, "AutoReleaseTime", .format = FMT_TIME), F_STR(IN, isp, "Isp"),
        F_STR(IN, template_id, "LaunchTemplateId"), F_STR(IN, template_name, "LaunchTemplateName"),
        F_STR(IN, template_version, "LaunchTemplateVersion"),
        F_OBJ(IN, cpu, "CpuOptions", create_cpu_fields),
        F_OBJ(IN, clock, "ClockOptions", create_clock_fields),
        F_OBJ(IN, dns, "PrivateDnsNameOptions", create_dns_fields),
        F_OBJ(IN, network, "NetworkOptions", create_network_fields),
        F_OBJ(IN, scheduler, "SchedulerOptions", create_scheduler_fields),
        F_OBJ(IN, security, "SecurityOptions", create_security_fields),
        F_OBJ(IN, image_options, "ImageOptions", create_image_fields),
        F_IGNORED("AutoPay", .text = "Nothing is charged here."),
        F_IGNORED("NetworkInterfaceQueueNumber"), F_IGNORED("ManagedHostId"), F_IGNORED("Arn"),
        F_IGNORED("AdditionalInfo")),
    .errors = ERRORS(CREATE_ERRORS, ERR_AMOUNT),
    .rows = CREATE_ROWS,
    .run = run,
    .encode = encode,
};
