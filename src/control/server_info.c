/* The server itself, the default networks, and what a client needs to be told to reach it. */
#include "base/crypto.h"
#include "control/control.h"
#include "core/network.h"

struct account_in {
    const char *account;
};

/* ---- the server ---- */

struct info_out {
    const char *account, *engine;
    struct subnet *subnets;
    size_t n_subnets;
    int64_t uptime_s, instances, running;
};

static int64_t count_running(struct call *c)
{
    struct query q = {0};

    query_num(&q, "state", CMP_EQ, INST_RUNNING);
    return store_count(c->op.tx, &rec_inst, &q);
}

static enum err info(struct call *c, const void *in_, void *out_)
{
    const struct account_in *in = in_;
    const struct control_config *config = control_config();
    struct info_out *out = out_;
    struct query q = {.order = "region,zone,id"};
    struct account a;

    out->instances = store_count(c->op.tx, &rec_inst, &(struct query){0});
    out->running = count_running(c);
    out->uptime_s = (c->op.now - config->started_at) / 1000;
    out->engine = config->engine ? arena_str(c->arena, config->engine(config->ctx)) : "";
    enum err e = control_owner(c, in->account, &a);
    if (e)
        return e;
    out->account = a.id;
    query_text(&q, "account", CMP_EQ, a.id);
    query_num(&q, "is_default", CMP_EQ, 1);
    out->subnets = store_find(c->op.tx, &rec_subnet, &q, &out->n_subnets);
    return ERR_NONE;
}

static void encode_endpoints(struct enc *e)
{
    const struct control_config *config = control_config();
    size_t n = 0;

    while (config->endpoints[n])
        n++;
    enc_strs(e, "endpoints", "endpoint", config->endpoints, n);
}

static void encode_subnet(struct enc *e, const struct subnet *s)
{
    enc_str(e, "region", s->region);
    enc_str(e, "zone", s->zone);
    enc_str(e, "vpc", s->vpc);
    enc_str(e, "subnet", s->id);
    enc_str(e, "cidr", s->cidr);
}

static void encode_info(struct call *c, const void *out_, struct enc *e)
{
    const struct info_out *out = out_;

    enc_str(e, "version", control_config()->version);
    enc_int(e, "pid", getpid());
    encode_endpoints(e);
    enc_str(e, "engine", out->engine);
    enc_str(e, "dataDirectory", control_config()->dir);
    control_enc_time(c, e, "startedAt", control_config()->started_at);
    enc_int(e, "uptimeSeconds", out->uptime_s);
    enc_str(e, "account", out->account);
    enc_int(e, "instances", out->instances);
    enc_int(e, "running", out->running);
    enc_list(e, "defaultSubnets", "subnet");
    for (size_t i = 0; i < out->n_subnets; i++) {
        enc_obj(e, NULL);
        encode_subnet(e, &out->subnets[i]);
        enc_end(e);
    }
    enc_end(e);
}

const struct action op_server_info = {
    .name = "ServerInfo",
    .summary = "Tells what this server is and where it keeps its things.",
    .perm = PERM_OPERATOR,
    .access = ACCESS_READ,
    .in_size = sizeof(struct account_in),
    .out_size = sizeof(struct info_out),
    .in = FIELDS(F_STR(struct account_in, account, "account", .format = FMT_ID,
                       .text = "Whose default networks; without one, the oldest account's.")),
    .errors = ERRORS(ERR_ACCOUNT_NOT_FOUND),
    .run = info,
    .encode = encode_info,
};

/* ---- the default network of a zone ---- */

struct network_in {
    const char *account, *zone;
};

static enum err make_network(struct call *c, const void *in_, void *out)
{
    const struct network_in *in = in_;
    const struct zone *zone = catalog_zone(c->op.core->catalog, in->zone);
    struct account a;

    if (!zone)
        return fail_param(c->op.fail, ERR_ZONE_NOT_FOUND, "zone", "there is no zone '%s'",
                          in->zone);
    enum err e = control_owner(c, in->account, &a);
    return e ? e : network_default(&c->op, zone, out);
}

static void encode_network(struct call *c, const void *out, struct enc *e)
{
    (void)c;
    encode_subnet(e, out);
}

const struct action op_make_network = {
    .name = "MakeNetwork",
    .summary = "Makes the account's default network of a zone, unless it is there.",
    .perm = PERM_OPERATOR,
    .access = ACCESS_WRITE,
    .in_size = sizeof(struct network_in),
    .out_size = sizeof(struct subnet),
    .in = FIELDS(F_STR(struct network_in, zone, "zone", .required = true, .format = FMT_ID),
                 F_STR(struct network_in, account, "account", .format = FMT_ID,
                       .text = "Without one, the oldest account.")),
    .errors = ERRORS(ERR_ACCOUNT_NOT_FOUND, ERR_ZONE_NOT_FOUND, ERR_QUOTA),
    .run = make_network,
    .encode = encode_network,
};

/* ---- what a client's environment needs ---- */

struct environment_out {
    const char *account, *id, *secret, *region, *zone, *ca_file;
};

static void choose_place(const struct catalog *catalog, struct environment_out *out)
{
    out->region = out->zone = "";
    for (size_t i = 0; i < catalog->n_zones; i++) {
        const struct zone *z = &catalog->zones[i];

        if (streq(z->region->family, "alibaba")) {
            out->region = z->region->id;
            out->zone = z->id;
            return;
        }
    }
}

static enum err environment(struct call *c, const void *in_, void *out_)
{
    const struct account_in *in = in_;
    struct environment_out *out = out_;
    struct query q = {.order = "created_at,id"};
    struct access_key key;
    struct account a;
    struct bytes secret;
    enum err e = control_owner(c, in->account, &a);

    if (e)
        return e;
    query_text(&q, "account", CMP_EQ, a.id);
    query_num(&q, "active", CMP_EQ, 1);
    if (!store_first(c->op.tx, &rec_access_key, &q, &key))
        return fail(c->op.fail, ERR_ACCESS_KEY_NOT_FOUND,
                    "account '%s' has no access key that is enabled", a.id);
    if ((e = access_key_secret(&c->op, &key, &secret)))
        return e;
    out->account = a.id;
    out->id = key.id;
    out->secret = arena_strn(c->arena, secret.data, secret.len);
    choose_place(c->op.core->catalog, out);
    const char *ca = arena_fmt(c->arena, "%s/ca.pem", control_config()->dir);
    out->ca_file = access(ca, R_OK) == 0 ? ca : NULL;
    return ERR_NONE;
}

static void encode_environment(struct call *c, const void *out_, struct enc *e)
{
    const struct environment_out *out = out_;
    const char *endpoint = control_config()->endpoints[0];

    (void)c;
    enc_str(e, "endpoint", endpoint ? endpoint : "");
    encode_endpoints(e);
    enc_str(e, "account", out->account);
    enc_str(e, "accessKeyId", out->id);
    enc_str(e, "accessKeySecret", out->secret);
    enc_str(e, "region", out->region);
    enc_str(e, "zone", out->zone);
    enc_str_or_null(e, "caFile", out->ca_file);
}

const struct action op_environment = {
    .name = "Environment",
    .summary = "Tells how a client reaches this server: endpoint, key and secret.",
    .perm = PERM_OPERATOR,
    .access = ACCESS_READ,
    .in_size = sizeof(struct account_in),
    .out_size = sizeof(struct environment_out),
    .in = FIELDS(F_STR(struct account_in, account, "account", .format = FMT_ID,
                       .text = "Without one, the oldest account.")),
    .errors = ERRORS(ERR_ACCOUNT_NOT_FOUND, ERR_ACCESS_KEY_NOT_FOUND),
    .run = environment,
    .encode = encode_environment,
};
