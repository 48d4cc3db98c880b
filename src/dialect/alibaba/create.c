/* From the parameters of RunInstances and CreateInstance to the core's new_inst. */
#include "dialect/alibaba/create.h"

#include "base/crypto.h"
#include "core/billing.h"
#include "dialect/alibaba/errors.h"
#include "dialect/alibaba/region.h"
#include "dialect/alibaba/renewal.h"
#include "dialect/alibaba/text.h"
#include "dialect/alibaba/token.h"

enum { USER_DATA_MAX = 32 * 1024, SUFFIX_DIGITS = 3 };

/* ---- names and logins ---- */

static enum err check_name(struct call *c, const struct create_in *in)
{
    size_t more = in->unique_suffix && in->amount > 1 ? SUFFIX_DIGITS : 0;

    if (in->name && !name_pattern_ok(in->name, 0))
        return fail_param(&c->fail, ERR_NAME, "InstanceName", "'%s' is no name", in->name);
    if (in->name && !name_pattern_ok(in->name, more))
        return fail_param(&c->fail, ERR_PARAM_TOO_LONG, "InstanceName", "no room for the suffix");
    if (in->hostname && !hostname_pattern_ok(in->hostname, 0))
        return fail_param(&c->fail, ERR_HOSTNAME, "HostName", "'%s' is no host name", in->hostname);
    if (in->hostname && !hostname_pattern_ok(in->hostname, more))
        return fail_param(&c->fail, ERR_PARAM_TOO_LONG, "HostName", "no room for the suffix");
    if (in->description && !description_ok(in->description))
        return fail_param(&c->fail, ERR_DESCRIPTION, "Description", "it is not well formed");
    return ERR_NONE;
}

static enum err read_login(struct call *c, const struct create_in *in, struct new_inst *n)
{
    if (in->password && in->password_inherit)
        return fail_param(&c->fail, ERR_LOGIN_CONFLICT, "Password",
                          "a password and PasswordInherit contradict each other");
    if (in->password && !password_ok(in->password))
        return fail_param(&c->fail, ERR_PASSWORD, "Password", "it does not follow the rule");
    n->keypair = in->keypair;
    n->password = in->keypair ? NULL : in->password; /* a key pair switches passwords off */
    return ERR_NONE;
}

static enum err read_user_data(struct call *c, const struct create_in *in, struct new_inst *n)
{
    size_t size;

    if (!in->user_data)
        return ERR_NONE;
    const char *text = (const char *)base64_decode(c->arena, in->user_data, &size);
    if (!text)
        return fail_param(&c->fail, ERR_USER_DATA, "UserData", "it is not base64");
    if (size > USER_DATA_MAX)
        return fail_param(&c->fail, ERR_USER_DATA_SIZE, "UserData", "it has %zu bytes", size);
    n->user_data_binary = strlen(text) != size || !utf8_valid(text);
    n->user_data = n->user_data_binary ? in->user_data : text;
    return ERR_NONE;
}

/* ---- payment ---- */

static enum err read_payment(struct call *c, const struct create_in *in, struct new_inst *n)
{
    bool weeks = streq(in->period_unit, "Week");

    n->charge = streq(in->charge, "PrePaid") ? CHARGE_PREPAID : CHARGE_POSTPAID;
    if (n->charge == CHARGE_POSTPAID)
        return release_time_read(c, in->release_time, &n->release_at);
    if (in->release_time)
        return fail_param(&c->fail, ERR_PARAM_VALUE, "AutoReleaseTime",
                          "a subscription ends when it ends");
    if (!in->has_period)
        return fail_param(&c->fail, ERR_NEEDED, "Period", "a subscription needs a period");
    if (!period_ok(in->period, in->period_unit))
        return fail_param(&c->fail, ERR_PERIOD, "Period", "there is no such period");
    n->expires_at = period_end(c->op.now, (struct period){in->period, weeks});
    if (in->auto_renew)
        n->renewal = (struct period){in->auto_renew_period, weeks};
    return ERR_NONE;
}

/* ---- the image ---- */

static const char *newest_of_family(struct call *c, const char *family)
{
    const char *owners[] = {"", c->op.account};
    struct query q = {.order = "-created_at,id"};
    struct image image;

    query_text(&q, "family", CMP_EQ, family);
    query_in(&q, "account", owners, c->op.account ? 2 : 1);
    return store_first(c->op.tx, &rec_image, &q, &image) ? image.id : NULL;
}

/* *ret_gib: the smallest disk for it; 0 when there is no such image, which the core will say. */
static enum err find_image(struct call *c, const struct create_in *in, const char **ret_id,
                           int64_t *ret_gib)
{
    struct image image;

    *ret_id = in->image;
    if (!in->image && !in->image_family)
        return fail_param(&c->fail, ERR_NEEDED, "ImageId", "no image is named");
    if (!in->image && !(*ret_id = newest_of_family(c, in->image_family)))
        return fail_param(&c->fail, ERR_IMAGE_NOT_FOUND, "ImageFamily",
                          "there is no image of the family '%s'", in->image_family);
    *ret_gib = store_get(c->op.tx, &rec_image, *ret_id, &image) ? image.size_gib : 0;
    return ERR_NONE;
}

/* ---- the network ---- */

const struct field create_interface_fields[] = {
    F_STR(struct interface_in, type, "InstanceType", .def_str = "Secondary",
          .values = VALUES("Primary", "Secondary")),
    F_STR(struct interface_in, subnet, "VSwitchId"),
    F_STR(struct interface_in, secgroup, "SecurityGroupId"),
    F_STRS(struct interface_in, secgroups, "SecurityGroupIds", .max = 10),
    F_STR(struct interface_in, ip, "PrimaryIpAddress", .format = FMT_IPV4, .bad = ERR_IP_FORMAT),
    F_STR(struct interface_in, id, "NetworkInterfaceId"),
    F_STRS(struct interface_in, ipv6, "Ipv6Address", .max = 10),
    F_INT(struct interface_in, ipv6_count, "Ipv6AddressCount", .min = 0, .max = 10),
    F_INT(struct interface_in, secondary_ips, "SecondaryPrivateIpAddressCount", .min = 0,
          .max = 50),
    F_IGNORED("NetworkInterfaceName"),
    F_IGNORED("Description"),
    F_IGNORED("NetworkInterfaceTrafficMode"),
    F_IGNORED("NetworkCardIndex"),
    F_IGNORED("QueueNumber"),
    F_IGNORED("QueuePairNumber"),
    F_IGNORED("RxQueueSize"),
    F_IGNORED("TxQueueSize"),
    F_IGNORED("SourceDestCheck"),
    F_IGNORED("DeleteOnRelease"),
    {.name = NULL},
};

static enum err read_groups(struct call *c, const char *one, const struct strs *many,
                            struct new_inst *n)
{
    if (one && many->n)
        return fail_param(&c->fail, ERR_PARAM_CONFLICT, "SecurityGroupIds",
                          "SecurityGroupId and SecurityGroupIds cannot both be given.");
    if (one) {
        const char **only = ARENA_ARRAY(c->arena, const char *, 1);

        only[0] = one;
        n->secgroups = only;
        n->n_secgroups = 1;
        return ERR_NONE;
    }
    n->secgroups = many->v;
    n->n_secgroups = many->n;
    return ERR_NONE;
}

static enum err check_interface(struct call *c, const struct interface_in *i, size_t number)
{
    const char *where = arena_fmt(c->arena, "NetworkInterface.%zu", number);

    if (i->id)
        return fail_param(&c->fail, ERR_PARAM_VALUE,
                          arena_fmt(c->arena, "%s.NetworkInterfaceId", where),
                          "there is no interface '%s'", i->id);
    if (number > 1 || !streq(i->type, "Primary"))
        return errors_unsupported(c, where);
    if (i->ipv6.n || i->ipv6_count)
        return errors_unsupported(c, arena_fmt(c->arena, "%s.Ipv6Address", where));
    if (i->secondary_ips)
        return errors_unsupported(c,
                                  arena_fmt(c->arena, "%s.SecondaryPrivateIpAddressCount", where));
    return ERR_NONE;
}

/* An instance has one interface. It may be described at the top level or as the Primary one of a
 * list, not in both. */
static enum err read_network(struct call *c, const struct create_in *in, struct new_inst *n)
{
    const struct interface_in *v = in->interfaces.v;
    enum err e;

    for (size_t i = 0; i < in->interfaces.n; i++)
        if ((e = check_interface(c, &v[i], i + 1)))
            return e;
    if (!in->interfaces.n) {
        n->subnet = in->subnet;
        n->ip = in->ip;
        return read_groups(c, in->secgroup, &in->secgroups, n);
    }
    if (in->secgroup || in->secgroups.n || in->subnet || in->ip)
        return fail_param(&c->fail, ERR_PARAM_CONFLICT, "NetworkInterface.1",
                          "The network is given at the top level and in NetworkInterface.1.");
    n->subnet = v->subnet;
    n->ip = v->ip;
    return read_groups(c, v->secgroup, &v->secgroups, n);
}

/* ---- all of it ---- */

static enum err check_amounts(struct call *c, const struct create_in *in)
{
    if (in->min_amount > in->amount)
        return fail_param(&c->fail, ERR_PARAM_VALUE, "MinAmount", "it is more than Amount");
    if (!in->type)
        return fail_param(&c->fail, ERR_NEEDED, "InstanceType", "no instance type is named");
    return ERR_NONE;
}

static enum err make(struct call *c, const struct create_in *in, struct new_inst *n)
{
    const struct inst_type *type;
    int64_t image_gib = 0;
    enum err e;

    if ((e = region_own(c, in->region, NULL)) || (e = create_refuse(c, in)) ||
        (e = check_amounts(c, in)))
        return e;
    type = catalog_type(c->op.core->catalog, in->type);
    if ((e = check_name(c, in)) || (e = read_login(c, in, n)) || (e = read_user_data(c, in, n)) ||
        (e = read_payment(c, in, n)) || (e = tags_json(&c->op, &in->tags, &n->tags)) ||
        (e = create_attrs(c, in, type, &n->attrs)) || (e = read_network(c, in, n)) ||
        (e = find_image(c, in, &n->image, &image_gib)))
        return e;
    n->family = c->dialect->family;
    n->region = in->region;
    n->zone = in->zone;
    n->type = in->type;
    n->name = in->name;
    n->description = in->description;
    n->hostname = in->hostname;
    n->unique_suffix = in->unique_suffix;
    n->deletion_protection = in->deletion_protection;
    n->count = in->amount;
    n->min_count = in->min_amount;
    n->check_only = in->dry_run;
    return create_disks(c, in, image_gib, n);
}

enum err create_run(struct call *c, const struct create_in *in, bool start, struct created *ret)
{
    struct token token = {.text = in->token, .dry_run = in->dry_run};
    struct new_inst n = {.start = start};
    bool found;
    enum err e;

    if ((e = token_find(c, &token, &found, ret)) || found)
        return e;
    if ((e = make(c, in, &n)) || (e = inst_create(&c->op, &n, ret)))
        return e;
    token_save(c, &token, ret);
    return ERR_NONE;
}
