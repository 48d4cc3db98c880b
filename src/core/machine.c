/* An instance as an engine sees it, and what its metadata service tells the guest. */
#include <jansson.h>

#include "base/crypto.h"
#include "core/engine.h"
#include "core/inst.h"
#include "core/jobs.h"
#include "core/kms.h"

/* Sets `path` ("a/b/c") in a tree of objects. */
static void put(json_t *tree, const char *path, const char *value)
{
    const char *slash = strchr(path, '/');

    if (!slash) {
        json_object_set_new(tree, path, json_string(value));
        return;
    }
    char name[64];
    size_t n = (size_t)(slash - path);
    if (n >= sizeof(name))
        return; /* paths are ours and short */
    memcpy(name, path, n);
    name[n] = 0;
    json_t *sub = json_object_get(tree, name);
    if (!sub) {
        sub = json_object();
        json_object_set_new(tree, name, sub);
    }
    put(sub, slash + 1, value);
}

static void put_interface(json_t *tree, const struct inst *in, const struct subnet *s)
{
    const struct {
        const char *name, *value;
    } rows[] = {
        {"primary-ip-address", in->ip},  {"vswitch-id", in->subnet}, {"vpc-id", in->vpc},
        {"vswitch-cidr-block", s->cidr}, {"private-ipv4s", in->ip},
    };
    json_t *one = json_object(), *macs = json_object(), *interfaces = json_object(),
           *network = json_object();

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        put(one, rows[i].name, rows[i].value);
    json_object_set_new(macs, in->mac, one);
    json_object_set_new(interfaces, "macs", macs);
    json_object_set_new(network, "interfaces", interfaces);
    json_object_set_new(tree, "network", network);
}

static const char *metadata(struct op *op, const struct inst *in, const struct subnet *s)
{
    const struct {
        const char *path, *value;
    } rows[] = {
        {"instance-id", in->id},       {"hostname", in->hostname},
        {"region-id", in->region},     {"zone-id", in->zone},
        {"private-ipv4", in->ip},      {"mac", in->mac},
        {"image-id", in->image},       {"instance/instance-type", in->type},
        {"serial-number", in->serial}, {"owner-account-id", in->account},
        {"network-type", "vpc"},       {"vpc-id", in->vpc},
        {"vswitch-id", in->subnet},    {"vswitch-cidr-block", s->cidr},
    };
    json_t *tree = json_object();
    struct keypair k;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        put(tree, rows[i].path, rows[i].value);
    put_interface(tree, in, s);
    if (*in->keypair && store_get(op->tx, &rec_keypair, in->keypair, &k))
        put(tree, "public-keys/0/openssh-key", k.public_key);
    CLEANUP(free_p) char *text = json_dumps(tree, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(tree);
    return arena_str(op->arena, text ? text : "{}");
}

/* The key stays away when it may not be used: a start is refused before, a stop needs none. */
static struct bytes data_key(struct op *op, const struct disk *d)
{
    struct fail ignored = {0};
    struct op quiet = *op;
    struct bytes key = {0};

    quiet.fail = &ignored;
    if (!d->encrypted || kms_open_data_key(&quiet, d, &key))
        return (struct bytes){0};
    return key;
}

struct machine *machine_of(struct op *caller, const struct inst *from)
{
    struct arena *a = arena_new();
    struct op mine = *caller, *op = &mine;
    struct inst in;
    struct image image = {.path = ""};
    struct subnet subnet = {.cidr = ""};
    size_t n;

    op->arena = a;
    tx_use_arena(op->tx, a);
    if (!store_get(op->tx, &rec_inst, from->id, &in)) {
        tx_use_arena(op->tx, caller->arena);
        arena_free(a);
        return NULL;
    }
    (void)store_get(op->tx, &rec_image, in.image,
                    &image); /* an image may go; a running machine needs none */
    (void)store_get(op->tx, &rec_subnet, in.subnet, &subnet);
    struct disk *rows = inst_disks(op, in.id, &n);
    struct machine_disk *disks = ARENA_ARRAY(a, struct machine_disk, n + 1);
    for (size_t i = 0; i < n; i++)
        disks[i] =
            (struct machine_disk){.id = rows[i].id,
                                  .category = rows[i].category,
                                  .kind = rows[i].kind,
                                  .failed = rows[i].failed,
                                  .keep = !rows[i].delete_with_inst && !(in.locks & LOCK_SECURITY),
                                  .size_gib = rows[i].size_gib,
                                  .slot = rows[i].slot,
                                  .encrypted = rows[i].encrypted,
                                  .data_key = data_key(op, &rows[i])};
    struct machine *m = ARENA_NEW(a, struct machine);
    *m = (struct machine){.id = in.id,
                          .name = in.name,
                          .hostname = in.hostname,
                          .cpu = in.cpu,
                          .memory_mib = in.memory_mib,
                          .image = in.image,
                          .image_path = image.path,
                          .direct_kernel = image.direct_kernel,
                          .disks = disks,
                          .n_disks = n,
                          .subnet = in.subnet,
                          .cidr = subnet.cidr,
                          .ip = in.ip,
                          .mac = in.mac,
                          .ssh_port = in.ssh_port,
                          .serial = in.serial,
                          .metadata = metadata(op, &in, &subnet),
                          .user_data = in.user_data,
                          .user_data_binary = in.user_data_binary,
                          .arena = a};
    tx_use_arena(op->tx, caller->arena);
    return m;
}

void machine_free(struct machine *m)
{
    if (!m)
        return;
    for (size_t i = 0; i < m->n_disks; i++)
        if (m->disks[i].data_key.len)
            wipe((void *)m->disks[i].data_key.data, m->disks[i].data_key.len);
    arena_free(m->arena);
}
