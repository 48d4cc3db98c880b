/* An instance as an engine sees it, and what its metadata service tells the guest. */
#include "base/buf.h"
#include "base/crypto.h"
#include "core/engine.h"
#include "core/inst.h"
#include "core/jobs.h"
#include "core/kms.h"

/* A JSON object of objects, written from paths ("a/b/c") that come in an order in which each
 * object's are together. */
struct tree {
    struct buf text;
    const char *dir; /* the object that is open, as a path; "" the whole */
    size_t dir_len;
    bool any; /* the open object has something in it */
};

/* How much of the open object's path leads to the new one's, too: whole names only. */
static size_t shared(const struct tree *t, const char *dir, size_t len)
{
    size_t n = 0, whole = 0;

    for (; n <= t->dir_len && n <= len; n++) {
        bool here = n == t->dir_len || t->dir[n] == '/', there = n == len || dir[n] == '/';

        if (here && there)
            whole = n;
        if (n == t->dir_len || n == len || t->dir[n] != dir[n])
            break;
    }
    return whole;
}

static void tree_name(struct tree *t, struct arena *a, const char *name, size_t len)
{
    if (t->any)
        buf_char(&t->text, ',');
    buf_json(&t->text, arena_strn(a, name, len));
    buf_char(&t->text, ':');
    t->any = true;
}

/* Closes and opens objects until `dir` is the open one. */
static void tree_go(struct tree *t, struct arena *a, const char *dir, size_t len)
{
    size_t at = shared(t, dir, len);

    for (size_t i = at; i < t->dir_len; i++)
        if (i == 0 || t->dir[i] == '/') {
            buf_char(&t->text, '}');
            t->any = true;
        }
    while (at < len) {
        const char *name = dir + at + (dir[at] == '/');
        size_t n = strcspn(name, "/");

        tree_name(t, a, name, n);
        buf_char(&t->text, '{');
        t->any = false;
        at = (size_t)(name - dir) + n;
    }
    t->dir = dir;
    t->dir_len = len;
}

static void tree_put(struct tree *t, struct arena *a, const char *path, const char *value)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;

    tree_go(t, a, path, slash ? (size_t)(slash - path) : 0);
    tree_name(t, a, name, strlen(name));
    buf_json(&t->text, value);
}

static const char *metadata(struct op *op, const struct inst *in, const struct subnet *s)
{
    const char *mac = arena_fmt(op->arena, "network/interfaces/macs/%s", in->mac);
    const struct {
        const char *dir, *name, *value;
    } rows[] = {
        {NULL, "hostname", in->hostname},
        {NULL, "image-id", in->image},
        {NULL, "instance-id", in->id},
        {NULL, "mac", in->mac},
        {NULL, "network-type", "vpc"},
        {NULL, "owner-account-id", in->account},
        {NULL, "private-ipv4", in->ip},
        {NULL, "region-id", in->region},
        {NULL, "serial-number", in->serial},
        {NULL, "vpc-id", in->vpc},
        {NULL, "vswitch-cidr-block", s->cidr},
        {NULL, "vswitch-id", in->subnet},
        {NULL, "zone-id", in->zone},
        {"instance", "instance-type", in->type},
        {mac, "primary-ip-address", in->ip},
        {mac, "private-ipv4s", in->ip},
        {mac, "vpc-id", in->vpc},
        {mac, "vswitch-cidr-block", s->cidr},
        {mac, "vswitch-id", in->subnet},
    };
    struct tree t = {.dir = ""};
    struct keypair k;

    buf_char(&t.text, '{');
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        tree_put(&t, op->arena,
                 rows[i].dir ? arena_fmt(op->arena, "%s/%s", rows[i].dir, rows[i].name)
                             : rows[i].name,
                 rows[i].value);
    if (*in->keypair && store_get(op->tx, &rec_keypair, in->keypair, &k))
        tree_put(&t, op->arena, "public-keys/0/openssh-key", k.public_key);
    tree_go(&t, op->arena, "", 0);
    buf_char(&t.text, '}');
    const char *text = arena_str(op->arena, buf_cstr(&t.text));
    buf_done(&t.text);
    return text;
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
        disks[i] = (struct machine_disk){
            .id = rows[i].id,
            .category = rows[i].category,
            .kind = rows[i].kind,
            .failed = rows[i].failed,
            .trouble = op->core->settings.controls ? rows[i].trouble : DISK_SOUND,
            .keep = !rows[i].delete_with_inst && !(in.locks & LOCK_SECURITY),
            .size_gib = rows[i].size_gib,
            .slot = rows[i].slot,
            .encrypted = rows[i].encrypted,
            .data_key = data_key(op, &rows[i])};
    struct machine *m = ARENA_NEW(a, struct machine);
    *m = (struct machine){.id = in.id,
                          .account = in.account,
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
