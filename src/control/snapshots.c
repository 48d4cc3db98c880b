/* Snapshots, and back to the beginning. What they do is in server/upkeep.c. */
#include "control/snapshots.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/timefmt.h"
#include "control/control.h"
#include "control/image_dir.h"
#include "core/chore.h"

enum { MAX_LISTED = 1000 };

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
    if (image_id_ok(name))
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
    return fail(c->op.fail, ERR_SNAPSHOT_NOT_FOUND,
                "there is no snapshot '%s'; `ostler snapshot ls` lists them", name);
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
    .errors = ERRORS(ERR_SNAPSHOT_NOT_FOUND, ERR_SNAPSHOT_UNUSABLE),
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
    .errors = ERRORS(ERR_SNAPSHOT_NOT_FOUND),
    .run = remove_one,
};

/* ---- listing ---- */

struct snapshot {
    const char *name;
    int64_t bytes, saved_at;
};

struct listed {
    struct snapshot *rows;
    size_t n;
};

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct snapshot *)a)->name, ((const struct snapshot *)b)->name);
}

/* Unfinished ones have names that are none. */
static bool is_one(struct call *c, int dir, const char *file, struct snapshot *ret)
{
    size_t n = strlen(file), end = strlen(tail);
    struct stat st;

    if (n <= end || !str_ends(file, tail))
        return false;
    ret->name = arena_strn(c->arena, file, n - end);
    if (!image_id_ok(ret->name) || fstatat(dir, file, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
        !S_ISREG(st.st_mode))
        return false;
    ret->bytes = st.st_size;
    ret->saved_at = (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000;
    return true;
}

static enum err list(struct call *c, const void *in, void *out_)
{
    struct listed *out = out_;
    DIR *d = opendir(arena_fmt(c->arena, "%s/snapshots", control_config()->dir));
    struct dirent *e;

    (void)in;
    out->rows = ARENA_ARRAY(c->arena, struct snapshot, MAX_LISTED);
    while (d && out->n < MAX_LISTED && (e = readdir(d)))
        out->n += is_one(c, dirfd(d), e->d_name, &out->rows[out->n]);
    if (d)
        (void)closedir(d); /* only read */
    qsort(out->rows, out->n, sizeof(*out->rows), by_name);
    return ERR_NONE;
}

static void encode_list(struct call *c, const void *out_, struct enc *e)
{
    const struct listed *out = out_;

    enc_list(e, "snapshots", "snapshot");
    for (size_t i = 0; i < out->n; i++) {
        enc_obj(e, NULL);
        enc_str(e, "name", out->rows[i].name);
        enc_int(e, "bytes", out->rows[i].bytes);
        control_enc_time(c, e, "savedAt", out->rows[i].saved_at);
        enc_end(e);
    }
    enc_end(e);
}

struct nothing {
    const char *account;
};

const struct action op_list_snapshots = {
    .name = "ListSnapshots",
    .summary = "Lists snapshots by name.",
    .perm = PERM_CONTROL,
    .access = ACCESS_READ,
    .in_size = sizeof(struct nothing),
    .out_size = sizeof(struct listed),
    .in = FIELDS(F_IGNORED("account")),
    .run = list,
    .encode = encode_list,
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
