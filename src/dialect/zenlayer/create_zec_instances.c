/*
 * CreateZecInstances: 1 to 100 instances, all or none, each started when it is made.
 *
 * There are no public addresses here. What asks for one is refused and never dropped: a client that
 * believes that it has an address must not find out later.
 */
#include "core/inst.h"
#include "dialect/zenlayer/attrs.h"
#include "dialect/zenlayer/instance.h"
#include "dialect/zenlayer/rules.h"
#include "dialect/zenlayer/zec.h"

#define DEFAULT_NAME "instance"

enum { MAX_DISK_GIB = 32768, MAX_DISK_AMOUNT = 50, MAX_USER_DATA = 64 * 1024 };

struct disk_in {
    const char *category;
    int64_t size, amount;
    bool bursting;
};

struct tags_in {
    struct objs tags; /* of struct zec_tag */
};

struct options_in {
    bool nested_virtualization;
};

struct in {
    const char *zone, *image, *type, *subnet, *name, *password, *key, *time_zone, *ip;
    const char *nic_type, *secgroup, *stack, *user_data, *group;
    int64_t count;
    struct disk_in system;
    struct objs data; /* of struct disk_in; at most 1 */
    struct tags_in tags;
    bool agent, ip_forward;
    bool has_options;
    struct options_in options;
    /* what would need a public address */
    const char *charge_type, *cluster, *line_type, *network_line, *ipv6_cluster;
    struct strs eips;
    double package;
    int64_t bandwidth;
};

struct out {
    struct created created;
    const char *order;
};

/* ---- what the declaration cannot say ---- */

static enum err refuse_public(struct call *c, const char *param)
{
    return fail_param(&c->fail, ERR_PARAM_VALUE, param,
                      "%s asks for a public address, and none are offered here", param);
}

static enum err check_no_public_ip(struct call *c, const struct in *in)
{
    const struct {
        bool given;
        const char *param;
    } asks[] = {
        {in->charge_type, "internetChargeType"},
        {in->bandwidth > 0, "bandwidth"},
        {in->package > 0, "trafficPackageSize"},
        {in->cluster, "clusterId"},
        {in->line_type, "eipV4Type"},
        {in->network_line, "networkLineType"},
        {in->eips.n > 0, "eipIds"},
        {in->ipv6_cluster, "ipv6ClusterId"},
    };

    for (size_t i = 0; i < ARRAY_LEN(asks); i++)
        if (asks[i].given)
            return refuse_public(c, asks[i].param);
    if (in->stack && !streq(in->stack, "IPv4"))
        return fail_param(&c->fail, ERR_PARAM_VALUE, "ipStackType",
                          "ipStackType must be IPv4: the subnets have no other addresses");
    return ERR_NONE;
}

/* The documents exempt Windows and generic images, which bring their own way to log in. */
static bool image_takes_login(struct call *c, const char *id)
{
    struct image image;

    if (!store_get(c->op.tx, &rec_image, id, &image))
        return true; /* the core will say that there is no such image */
    return streq(image.os_type, "linux") || streq(image.os_type, "bsd");
}

static enum err check_login(struct call *c, const struct in *in)
{
    if (in->password && in->key)
        return fail_param(&c->fail, ERR_LOGIN_CONFLICT, "password",
                          "password and keyId are both given");
    if (in->password && !zec_good_password(in->password))
        return fail_param(&c->fail, ERR_PASSWORD, "password", "password does not meet the rule");
    if (!in->password && !in->key && image_takes_login(c, in->image))
        return fail_param(&c->fail, ERR_NEEDED, "password", "password, or keyId instead");
    return ERR_NONE;
}

static enum err check_time_zone(struct call *c, const char *name)
{
    const struct catalog *catalog = c->op.core->catalog;

    for (size_t i = 0; name && i < catalog->n_time_zones; i++)
        if (streq(catalog->time_zones[i], name))
            return ERR_NONE;
    if (!name)
        return ERR_NONE;
    return fail_param(&c->fail, ERR_PARAM_VALUE, "timeZone",
                      "timeZone is none of those that DescribeTimeZones lists");
}

static enum err check_rest(struct call *c, const struct in *in)
{
    if (in->ip && in->count > 1)
        return fail_param(&c->fail, ERR_PARAM_CONFLICT, "lanIp",
                          "lanIp can be given with instanceCount 1 only");
    if (in->group && !streq(in->group, zec_group_id(c->arena, c->op.account)))
        return fail_param(&c->fail, ERR_PARAM_VALUE, "resourceGroupId",
                          "resourceGroupId can only be the default group");
    return ERR_NONE;
}

static enum err check(struct call *c, const struct in *in)
{
    enum err err = check_no_public_ip(c, in);

    if (!err)
        err = check_login(c, in);
    if (!err)
        err = check_time_zone(c, in->time_zone);
    return err ? err : check_rest(c, in);
}

/* ---- what the core is asked for ---- */

static void add_data_disks(struct call *c, const struct in *in, struct new_inst *n)
{
    const struct disk_in *want = in->data.v;
    struct new_disk *disks;

    if (!in->data.n)
        return;
    disks = ARENA_ARRAY(c->arena, struct new_disk, (size_t)want->amount);
    for (int64_t i = 0; i < want->amount; i++)
        disks[i] = (struct new_disk){.category = want->category, .size_gib = want->size};
    n->data = disks;
    n->n_data = (size_t)want->amount;
}

static const char *attrs_of(struct call *c, const struct in *in)
{
    const struct disk_in *data = in->data.v;

    return zec_attrs_write(c->arena, &(struct zec_attrs){
                                         .time_zone = in->time_zone,
                                         .nic_network_type = in->nic_type,
                                         .agent = in->agent,
                                         .ip_forward = in->ip_forward,
                                         .system_bursting = in->system.bursting,
                                         .data_bursting = in->data.n && data->bursting,
                                         .has_options = in->has_options,
                                         .nested_virtualization = in->options.nested_virtualization,
                                     });
}

static enum err fill(struct call *c, const struct in *in, struct new_inst *n)
{
    *n = (struct new_inst){
        .family = c->dialect->family,
        .decimal_ids = true,
        .zone = in->zone,
        .type = in->type,
        .image = in->image,
        .subnet = in->subnet,
        .ip = in->ip,
        .ip_is_wish = true,
        .name = zec_name_pattern(c->arena, in->name, in->count),
        .keypair = in->key,
        .password = in->password,
        .attrs = attrs_of(c, in),
        .start = true,
        .count = in->count,
        .system = {.category = in->system.category, .size_gib = in->system.size},
    };
    if (!n->name)
        return fail_param(
            &c->fail, ERR_NAME, "instanceName",
            "instanceName must have 2 to 63 letters, digits, '-' and '.', and a letter "
            "or digit at both ends; [begin,bits] stands for a number");
    if (in->secgroup) {
        n->secgroups = &in->secgroup;
        n->n_secgroups = 1;
    }
    if (in->user_data)
        n->user_data = zec_user_data(c->arena, in->user_data, &n->user_data_binary);
    add_data_disks(c, in, n);
    return zec_tags_json(c, &in->tags.tags, &n->tags);
}

static enum err run(struct call *c, const void *in_, void *out_)
{
    const struct in *in = in_;
    struct out *out = out_;
    struct new_inst n;
    enum err err = check(c, in);

    if (!err)
        err = fill(c, in, &n);
    if (!err)
        err = inst_create(&c->op, &n, &out->created);
    if (!err)
        out->order = zec_derived_id(c->arena, "order", out->created.ids[0]);
    return err;
}

static void encode(struct call *c, const void *out_, struct enc *e)
{
    const struct out *out = out_;
    const struct created *made = &out->created;

    (void)c;
    enc_str(e, "orderNumber", out->order);
    enc_strs(e, "instanceIdSet", NULL, made->ids, made->n);
    enc_list(e, "instances", NULL);
    for (size_t i = 0; i < made->n; i++) {
        enc_obj(e, NULL);
        enc_str(e, "instanceId", made->ids[i]);
        enc_strs(e, "diskIdSet", NULL, made->disk_ids[i], made->n_disk_ids[i]);
        enc_end(e);
    }
    enc_end(e);
}

/* ---- the declaration ---- */

static const struct field system_disk_fields[] = {
    F_INT(struct disk_in, size, "diskSize", .min = 1, .max = MAX_DISK_GIB,
          .text = "GiB; absent: as small as the image allows."),
    F_STR(struct disk_in, category, "diskCategory"),
    F_BOOL(struct disk_in, bursting, "burstingEnabled"),
    F_IGNORED("diskId"),
    {.name = NULL},
};

static const struct field data_disk_fields[] = {
    F_INT(struct disk_in, size, "diskSize", .min = 1, .max = MAX_DISK_GIB, .text = "GiB."),
    F_STR(struct disk_in, category, "diskCategory"),
    F_INT(struct disk_in, amount, "diskAmount", .def = 1, .min = 1, .max = MAX_DISK_AMOUNT,
          .text = "How many such disks."),
    F_BOOL(struct disk_in, bursting, "burstingEnabled"),
    F_IGNORED("diskId"),
    F_IGNORED("diskName"),
    F_IGNORED("portable"),
    {.name = NULL},
};

static const struct field tags_fields[] = {
    F_OBJS(struct tags_in, tags, "tags", struct zec_tag, zec_tag_fields, .max = ZEC_MAX_TAGS),
    {.name = NULL},
};

static const struct field options_fields[] = {
    F_BOOL(struct options_in, nested_virtualization, "nestedVirtualization"),
    {.name = NULL},
};

const struct action zec_create_zec_instances = {
    .name = "CreateZecInstances",
    .service = ZEC_SERVICE,
    .versions = ZEC_VERSIONS,
    .summary = "Creates instances and starts them; answers while they are being deployed.",
    .perm = PERM_CREATE,
    .access = ACCESS_WRITE,
    .in_size = sizeof(struct in),
    .out_size = sizeof(struct out),
    .in = FIELDS(
        F_STR(struct in, zone, "zoneId", .required = true),
        F_STR(struct in, image, "imageId", .required = true),
        F_STR(struct in, type, "instanceType", .required = true),
        F_STR(struct in, subnet, "subnetId", .required = true),
        F_INT(struct in, count, "instanceCount", .def = 1, .min = 1, .max = 100),
        F_STR(struct in, name, "instanceName", .def_str = DEFAULT_NAME,
              .text = "For several: web-[3,2] makes web-03, web-04."),
        F_STR(struct in, password, "password", .secret = true,
              .text = "8 to 16 characters of four kinds. This or keyId."),
        F_STR(struct in, key, "keyId", .text = "A key pair. This or password."),
        F_STR(struct in, time_zone, "timeZone", .text = "Default: the region's."),
        F_OBJ(struct in, system, "systemDisk", system_disk_fields),
        F_OBJS(struct in, data, "dataDisks", struct disk_in, data_disk_fields, .max = 1),
        F_STR(struct in, ip, "lanIp", .format = FMT_IPV4,
              .text = "A wish: another address is taken when it is taken."),
        F_BOOL(struct in, agent, "enableAgent", .def = true),
        F_BOOL(struct in, ip_forward, "enableIpForward"),
        F_STR(struct in, nic_type, "nicNetworkType",
              .values = VALUES("Auto", "FailOver", "VirtioOnly", "VfOnly")),
        F_STR(struct in, secgroup, "securityGroupId", .text = "Default: the network's."),
        F_STR(struct in, stack, "ipStackType", .values = VALUES("IPv4", "IPv4_IPv6", "IPv6")),
        F_STR(struct in, user_data, "userData", .max = MAX_USER_DATA, .bad = ERR_USER_DATA_SIZE,
              .text = "An initialisation script, plain or in base64."),
        F_STR(struct in, group, "resourceGroupId"), F_OBJ(struct in, tags, "tags", tags_fields),
        F_OBJ(struct in, options, "instanceOptions", options_fields,
              .has = HAS(struct in, has_options)),
        F_STR(struct in, charge_type, "internetChargeType", .text = "Refused."),
        F_INT(struct in, bandwidth, "bandwidth", .max = INT32_MAX, .text = "Refused unless 0."),
        F_NUM(struct in, package, "trafficPackageSize", .text = "Refused unless 0."),
        F_STR(struct in, cluster, "clusterId", .text = "Refused."),
        F_STR(struct in, line_type, "eipV4Type", .text = "Refused."),
        F_STR(struct in, network_line, "networkLineType", .text = "Refused."),
        F_STRS(struct in, eips, "eipIds", .max = 100, .text = "Refused unless empty."),
        F_STR(struct in, ipv6_cluster, "ipv6ClusterId", .text = "Refused."),
        F_IGNORED("eipBindType"), F_IGNORED("marketingOptions")),
    .errors = ERRORS(ERR_PARAM_VALUE, ERR_PARAM_CONFLICT, ERR_NEEDED, ERR_NAME, ERR_PASSWORD,
                     ERR_LOGIN_CONFLICT, ERR_TAG_KEY, ERR_TAG_VALUE, ERR_TAG_DUPLICATE,
                     ERR_USER_DATA_SIZE, ERR_AMOUNT, ERR_ZONE_NOT_FOUND, ERR_TYPE_NOT_FOUND,
                     ERR_TYPE_NOT_SOLD, ERR_IMAGE_NOT_FOUND, ERR_SUBNET_NOT_FOUND, ERR_SUBNET_ZONE,
                     ERR_SECGROUP_NOT_FOUND, ERR_SECGROUP_VPC, ERR_KEYPAIR_NOT_FOUND, ERR_IP_FORMAT,
                     ERR_IP_RANGE, ERR_IP_TAKEN, ERR_IP_EXHAUSTED, ERR_SYSTEM_DISK_CATEGORY,
                     ERR_SYSTEM_DISK_SIZE, ERR_SYSTEM_DISK_SMALL, ERR_DATA_DISK_CATEGORY,
                     ERR_DATA_DISK_SIZE, ERR_DISK_COUNT, ERR_NO_BALANCE, ERR_NO_STOCK, ERR_QUOTA,
                     ERR_QUOTA_TYPE, ERR_QUOTA_CPU),
    .run = run,
    .encode = encode,
};
