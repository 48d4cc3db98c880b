/* Snapshots, and back to the beginning. What they do is in server/upkeep.c. */
#include "control/snapshots.h"

#include <errno.h>

#include "control/image_dir.h"
#include "control/named_files.h"
#include "core/chore.h"

static const char tail[] = ".db";

const char *snapshot_path(struct arena *a, const char *dir, const char *name)
{
    return arena_fmt(a, "%s/snapshots/%s%s", dir, name, tail);
}

enum err control_chore(struct call *c, const struct chore *wanted, struct chore_out *out)
{
    out->key = wanted->key;
    return chore_begin(&c->op, wanted, &out->id);
}

bool control_chore_settled(struct call *c, const void *in, void *out_, enum err *ret)
{
    const struct chore_out *out = out_;

    (void)in;
    return chore_over(&c->op, out->key, out->id, ret);
}

/* ---- by name ---- */

struct name_in {
    const char *name;
};

#define NAME_FIELDS                                                                                \
    FIELDS(F_STR(struct name_in, name, "name", .required = true, .min = 1, .max = 64,              \
                 .text = "Letters, digits, '.', '_' and '-'; begins with a letter or digit."))

/* A name becomes a file's: as narrow as an image's id. */
static enum err check_name(struct call *c, const char *name)
{
    if (file_name_ok(name))
        return ERR_NONE;
    return fail_param(c->op.fail, ERR_PARAM_PATTERN, "name",
                      "a snapshot's name has 1 to 64 letters, digits, '.', '_' and '-', and begins "
                      "with a letter or digit");
}

static const char *path_of(struct call *c, const char *name)
{
    return snapshot_path(c->arena, control_config()->dir, name);
}

static enum err not_found(struct call *c, const char *name)
{
    return fail_not_there(c->op.fail, "name", "snapshot", name);
}

static enum err save(struct call *c, const void *in_, void *out)
{
    const struct name_in *in = in_;
    enum err e = check_name(c, in->name);

    return e ? e
             : control_chore(
                   c, &(struct chore){.key = CHORE_WHOLE, .kind = CHORE_SAVE, .name = in->name},
                   out);
}

const struct action op_save_snapshot = {
    .name = "SaveSnapshot",
    .summary = "Keeps everything as it is now under a name; an older one of the name is replaced.",
    .perm = PERM_CONTROL,
    .access = ACCESS_WRITE,
    .in_size = sizeof(struct name_in),
    .out_size = sizeof(struct chore_out),
    .in = NAME_FIELDS,
    .run = save,
    .settled = control_chore_settled,
};

static enum err load(struct call *c, const void *in_, void *out)
{
    const struct name_in *in = in_;
    enum err e = check_name(c, in->name);

    if (e)
        return e;
    if (access(path_of(c, in->name), F_OK) < 0)
        return not_found(c, in->name);
    return control_chore(
        c, &(struct chore){.key = CHORE_WHOLE, .kind = CHORE_LOAD, .name = in->name}, out);
}

const struct action op_load_snapshot = {
    .name = "LoadSnapshot",
    .summary = "Makes everything, of all accounts, as it was when the snapshot was saved.",
    .perm = PERM_CONTROL,
    .access = ACCESS_WRITE,
    .in_size = sizeof(struct name_in),
    .out_size = sizeof(struct chore_out),
    .in = NAME_FIELDS,
    .errors = ERRORS(ERR_NOT_THERE, ERR_SNAPSHOT_UNUSABLE),
    .rows = CONTROL_NOT_THERE("SnapshotNotFound"),
    .run = load,
    .settled = control_chore_settled,
};

static enum err remove_one(struct call *c, const void *in_, void *out)
{
    const struct name_in *in = in_;
    enum err e = check_name(c, in->name);

    (void)out;
    if (e || (e = chore_none(&c->op)))
        return e;
    if (unlink(path_of(c, in->name)) == 0)
        return ERR_NONE;
    return errno == ENOENT
               ? not_found(c, in->name)
               : fail(c->op.fail, ERR_INTERNAL, "%s: %s", path_of(c, in->name), strerror(errno));
}

const struct action op_remove_snapshot = {
    .name = "RemoveSnapshot",
    .summary = "Removes a snapshot.",
    .perm = PERM_CONTROL,
    .access = ACCESS_WRITE,
    .in_size = sizeof(struct name_in),
    .in = NAME_FIELDS,
    .errors = ERRORS(ERR_NOT_THERE),
    .rows = CONTROL_NOT_THERE("SnapshotNotFound"),
    .run = remove_one,
};

/* ---- listing ---- */

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct named_file *)a)->name, ((const struct named_file *)b)->name);
}

/* Unfinished ones have names that are none. */
static enum err list(struct call *c, const void *in, void *out)
{
    (void)in;
    *(struct listed *)out =
        named_files(c->arena, arena_fmt(c->arena, "%s/snapshots", control_config()->dir), tail,
                    file_name_ok, by_name);
    return ERR_NONE;
}

static void encode_snapshot(struct call *c, const void *row, struct enc *e)
{
    const struct named_file *f = row;

    enc_str(e, "name", f->name);
    enc_int(e, "bytes", f->bytes);
    control_enc_time(c, e, "savedAt", f->changed_at);
}

const struct action op_list_snapshots = {
    .name = "ListSnapshots",
    .summary = "Lists snapshots by name.",
    .perm = PERM_CONTROL,
    .in = FIELDS(F_IGNORED("account")),
    LISTING_BY(list, .size = sizeof(struct named_file), .list = "snapshots", .item = "snapshot",
               .encode = encode_snapshot),
};

/* ---- back to the beginning ---- */

struct reset_in {
    const char *account;
};

static enum err reset(struct call *c, const void *in_, void *out)
{
    const struct reset_in *in = in_;
    enum err e = control_scope(c, in->account);

    if (e)
        return e;
    return control_chore(
        c, &(struct chore){.key = c->op.account ? c->op.account : CHORE_WHOLE, .kind = CHORE_RESET},
        out);
}

const struct action op_reset = {
    .name = "Reset",
    .summary = "Takes everything away but the first account, its keys and the images; or one "
               "account's things.",
    .perm = PERM_CONTROL,
    .access = ACCESS_WRITE,
    .in_size = sizeof(struct reset_in),
    .out_size = sizeof(struct chore_out),
    .in = FIELDS(F_STR(struct reset_in, account, "account", .format = FMT_ID,
                       .text = "Its things only; it and its access keys stay.")),
    .errors = ERRORS(ERR_ACCOUNT_NOT_FOUND),
    .run = reset,
    .settled = control_chore_settled,
};
