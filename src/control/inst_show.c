/* What there is to know about instances: the list, one in full, and its console's log. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/crypto.h"
#include "control/control.h"
#include "control/events.h"
#include "core/inst.h"
#include "core/lists.h"

/* ---- how an instance is said ---- */

static void encode_locks(struct enc *e, int64_t locks)
{
    static const char *const names[] = {"security", "financial", "recycling",
                                        "dedicatedhostfinancial", "refunded"}; /* by bit */

    enc_list(e, "locks", "lock");
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (locks & (INT64_C(1) << i))
            enc_str(e, NULL, names[i]);
    enc_end(e);
}

static void encode_brief(struct call *c, struct enc *e, const struct inst *in)
{
    enc_str(e, "instanceId", in->id);
    enc_str(e, "account", in->account);
    enc_str(e, "name", in->name);
    enc_str(e, "state", inst_state_name(in->state));
    enc_str(e, "type", in->type);
    enc_str(e, "image", in->image);
    enc_str(e, "region", in->region);
    enc_str(e, "zone", in->zone);
    enc_str(e, "ip", in->ip);
    enc_int(e, "sshPort", in->ssh_port);
    enc_bool(e, "overdue", in->overdue);
    encode_locks(e, in->locks);
    control_enc_time(c, e, "createdAt", in->created_at);
    control_enc_time(c, e, "startedAt", in->started_at);
    control_enc_time(c, e, "expiresAt", in->expires_at);
    enc_str(e, "lastOperation", in->last_op);
    enc_str(e, "lastError", in->last_error);
    control_enc_time(c, e, "lastOperationAt", in->last_op_at);
}

/* ---- the list ---- */

struct list_in {
    const char *account, *state;
    int64_t offset, limit;
};

struct list_out {
    struct inst *rows;
    size_t n;
    int64_t total;
};

static enum err list(struct call *c, const void *in_, void *out_)
{
    const struct list_in *in = in_;
    struct list_out *out = out_;
    struct query q = {.order = "-num"};
    enum err e = control_scope(c, in->account);

    if (e)
        return e;
    if (c->op.account)
        query_text(&q, "account", CMP_EQ, c->op.account);
    for (int s = 0; in->state && s < INST_STATE_COUNT; s++)
        if (streq(in->state, inst_state_name((enum inst_state)s)))
            query_num(&q, "state", CMP_EQ, s);
    q.offset = (size_t)in->offset;
    q.limit = (size_t)in->limit;
    out->rows = store_page(c->op.tx, &rec_inst, &q, &out->n, &out->total);
    return ERR_NONE;
}

static void encode_list(struct call *c, const void *out_, struct enc *e)
{
    const struct list_out *out = out_;

    enc_int(e, "total", out->total);
    enc_list(e, "instances", "instance");
    for (size_t i = 0; i < out->n; i++) {
        enc_obj(e, NULL);
        encode_brief(c, e, &out->rows[i]);
        enc_end(e);
    }
    enc_end(e);
}

const struct action op_list_instances = {
    .name = "ListInstances",
    .summary = "Lists instances, newest first.",
    .perm = PERM_OPERATOR,
    .access = ACCESS_READ,
    .in_size = sizeof(struct list_in),
    .out_size = sizeof(struct list_out),
    .in = FIELDS(F_STR(struct list_in, account, "account", .format = FMT_ID),
                 F_STR(struct list_in, state, "state",
                       .values = VALUES("PENDING", "STOPPED", "STARTING", "RUNNING", "STOPPING",
                                        "REBOOTING", "RESETTING", "RECYCLED", "RELEASING")),
                 F_INT(struct list_in, offset, "offset", .min = 0, .max = INT64_C(1) << 40),
                 F_INT(struct list_in, limit, "limit", .def = 1000, .min = 1, .max = 1000)),
    .errors = ERRORS(ERR_ACCOUNT_NOT_FOUND),
    .run = list,
    .encode = encode_list,
};

/* ---- one in full ---- */

enum { SHOWN_EVENTS = 20 };

struct show_in {
    const char *account, *inst;
};

struct show_out {
    struct inst in;
    struct disk *disks;
    size_t n_disks;
    bool has_job;
    struct job job;
    struct keypair keypair;
    bool has_keypair;
    struct event *events;
    size_t n_events;
};

static enum err show(struct call *c, const void *in_, void *out_)
{
    const struct show_in *in = in_;
    struct show_out *out = out_;
    struct query disks = {.order = "slot,id"};
    struct query events = {.order = "-seq", .limit = SHOWN_EVENTS};
    enum err e = control_scope(c, in->account);

    if (e || (e = inst_get(&c->op, in->inst, &out->in)))
        return e;
    query_text(&disks, "inst", CMP_EQ, out->in.id);
    out->disks = store_find(c->op.tx, &rec_disk, &disks, &out->n_disks);
    query_text(&events, "subject", CMP_EQ, out->in.id);
    out->events = store_find(c->op.tx, &rec_event, &events, &out->n_events);
    out->has_job = job_get(&c->op, out->in.id, &out->job);
    out->has_keypair = !str_empty(out->in.keypair) &&
                       store_get(c->op.tx, &rec_keypair, out->in.keypair, &out->keypair);
    return ERR_NONE;
}

static void encode_disks(struct enc *e, const struct disk *d, size_t n)
{
    static const char *const kinds[] = {
        [DISK_SYSTEM] = "system", [DISK_DATA] = "data", [DISK_LOCAL] = "local"};

    static const char *const troubles[] = {
        [DISK_SOUND] = NULL, [DISK_ERRORS] = "errors", [DISK_FULL] = "full"};

    enc_list(e, "disks", "disk");
    for (; n; n--, d++) {
        enc_obj(e, NULL);
        enc_str(e, "diskId", d->id);
        enc_str(e, "kind", kinds[d->kind]);
        enc_str(e, "category", d->category);
        enc_int(e, "sizeGib", d->size_gib);
        enc_bool(e, "failed", d->failed);
        enc_str_or_null(e, "trouble", troubles[d->trouble]);
        enc_bool(e, "overdue", d->overdue);
        enc_bool(e, "encrypted", d->encrypted);
        enc_str_or_null(e, "kmsKey", d->kms_key);
        enc_bool(e, "deletedWithInstance", d->delete_with_inst);
        enc_end(e);
    }
    enc_end(e);
}

static void encode_job(struct call *c, struct enc *e, const struct job *j)
{
    enc_obj(e, "job");
    enc_int(e, "id", j->id);
    enc_str(e, "verb", verb_name(j->verb));
    enc_bool(e, "force", j->force);
    enc_bool(e, "thenStart", j->then_start);
    enc_str(e, "requestId", j->request_id);
    enc_str_or_null(e, "engineFault", *j->fault ? j->fault : NULL);
    control_enc_time(c, e, "createdAt", j->created_at);
    enc_end(e);
}

static void encode_network(struct call *c, struct enc *e, const struct inst *in)
{
    size_t n;
    const char **groups = list_split(c->arena, in->secgroups, &n);

    enc_str(e, "vpc", in->vpc);
    enc_str(e, "subnet", in->subnet);
    enc_strs(e, "securityGroups", "securityGroup", groups, n);
    enc_str(e, "mac", in->mac);
}

static void encode_show(struct call *c, const void *out_, struct enc *e)
{
    static const char *const births[] = {
        [BIRTH_PENDING] = "pending", [BIRTH_DONE] = "done", [BIRTH_FAILED] = "failed"};
    const struct show_out *out = out_;
    const struct inst *in = &out->in;
    const char *dir = control_inst_dir(c, in->id);

    encode_brief(c, e, in);
    enc_str(e, "hostname", in->hostname);
    enc_str(e, "description", in->description);
    enc_int(e, "cpu", in->cpu);
    enc_int(e, "memoryMib", in->memory_mib);
    enc_str(e, "created", births[in->birth]);
    enc_str(e, "charge", in->charge == CHARGE_PREPAID ? "prepaid" : "postpaid");
    enc_str(e, "stopMode", in->stop_mode == STOP_STOP_CHARGING ? "stop-charging" : "keep-charging");
    enc_bool(e, "deletionProtection", in->deletion_protection);
    control_enc_time(c, e, "recycledAt", in->recycled_at);
    encode_network(c, e, in);
    enc_str_or_null(e, "keyPair", out->has_keypair ? out->keypair.name : NULL);
    enc_str(e, "host", in->host);
    enc_str(e, "directory", dir);
    enc_str(e, "consoleSocket", arena_fmt(c->arena, "%s/serial.sock", dir));
    enc_str(e, "consoleLog", arena_fmt(c->arena, "%s/serial.log", dir));
    encode_disks(e, out->disks, out->n_disks);
    if (out->has_job)
        encode_job(c, e, &out->job);
    else
        enc_null(e, "job");
    control_enc_events(c, e, out->events, out->n_events);
}

const struct action op_show_instance = {
    .name = "ShowInstance",
    .summary = "Shows everything about one instance.",
    .perm = PERM_OPERATOR,
    .access = ACCESS_READ,
    .in_size = sizeof(struct show_in),
    .out_size = sizeof(struct show_out),
    .in = FIELDS(F_STR(struct show_in, inst, "instanceId", .required = true, .format = FMT_ID),
                 F_STR(struct show_in, account, "account", .format = FMT_ID)),
    .errors = ERRORS(ERR_ACCOUNT_NOT_FOUND, ERR_INST_NOT_FOUND),
    .run = show,
    .encode = encode_show,
};

/* ---- the console's log ---- */

/* Small enough to be read on the loop: the log's end is in the page cache. */
enum { LOG_CHUNK = 64 * 1024, LOG_MAX = 256 * 1024 };

struct log_in {
    const char *account, *inst;
    int64_t offset, limit;
    bool has_offset;
};

struct log_out {
    int64_t offset, size;
    const char *base64;
    size_t n;
};

/* The guest writes the log and may make it hold anything, but not what kind of file it is. */
static int open_log(const char *dir)
{
    CLEANUP(close_p) int dirfd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct stat st;

    if (dirfd < 0)
        return -errno;
    CLEANUP(close_p)
    int fd = openat(dirfd, "serial.log", O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0)
        return -errno;
    return S_ISREG(st.st_mode) ? fd_take(&fd) : -EINVAL;
}

/* Without an offset: the end. An offset beyond the end means that the log was emptied: from its
 * beginning. */
static enum err read_log(struct call *c, const void *in_, void *out_)
{
    const struct log_in *in = in_;
    struct log_out *out = out_;
    struct inst row;
    struct stat st;
    enum err e = control_scope(c, in->account);

    if (e || (e = inst_get(&c->op, in->inst, &row)))
        return e;
    out->base64 = "";
    CLEANUP(close_p) int fd = open_log(control_inst_dir(c, row.id));
    if (fd == -ENOENT)
        return ERR_NONE; /* it has not said anything yet */
    if (fd < 0 || fstat(fd, &st) < 0)
        return fail(c->op.fail, ERR_INTERNAL, "the console's log cannot be read: %s",
                    strerror(fd < 0 ? -fd : errno));
    out->size = st.st_size;
    if (in->has_offset)
        out->offset = in->offset <= out->size ? in->offset : 0;
    else
        out->offset = out->size > in->limit ? out->size - in->limit : 0;
    char *data = arena_alloc(c->arena, (size_t)in->limit);
    ssize_t n = pread(fd, data, (size_t)in->limit, out->offset);
    if (n < 0)
        return fail(c->op.fail, ERR_INTERNAL, "the console's log cannot be read: %s",
                    strerror(errno));
    out->n = (size_t)n;
    out->base64 = base64_encode(c->arena, data, out->n);
    return ERR_NONE;
}

static void encode_log(struct call *c, const void *out_, struct enc *e)
{
    const struct log_out *out = out_;

    (void)c;
    enc_int(e, "offset", out->offset);
    enc_int(e, "nextOffset", out->offset + (int64_t)out->n);
    enc_int(e, "size", out->size);
    enc_str(e, "data", out->base64);
}

const struct action op_read_console_log = {
    .name = "ReadConsoleLog",
    .summary = "Reads what an instance's serial console said, as base64.",
    .perm = PERM_OPERATOR,
    .access = ACCESS_READ,
    .in_size = sizeof(struct log_in),
    .out_size = sizeof(struct log_out),
    .in = FIELDS(F_STR(struct log_in, inst, "instanceId", .required = true, .format = FMT_ID),
                 F_INT(struct log_in, offset, "offset", .has = HAS(struct log_in, has_offset),
                       .min = 0, .max = INT64_MAX,
                       .text = "Where to begin; without one, the last `limit` bytes."),
                 F_INT(struct log_in, limit, "limit", .def = LOG_CHUNK, .min = 1, .max = LOG_MAX),
                 F_STR(struct log_in, account, "account", .format = FMT_ID)),
    .errors = ERRORS(ERR_ACCOUNT_NOT_FOUND, ERR_INST_NOT_FOUND),
    .run = read_log,
    .encode = encode_log,
};
