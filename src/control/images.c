/* Images: what there is, and making a directory below DATA/images one of them. */
#include "control/image_dir.h"
#include "control/listing.h"

static void encode_image(struct call *c, const void *row, struct enc *e)
{
    const struct image *im = row;

    enc_str(e, "imageId", im->id);
    enc_str_or_null(e, "account", im->account);
    enc_str(e, "name", im->name);
    enc_str(e, "description", im->description);
    enc_str(e, "osType", im->os_type);
    enc_str(e, "osName", im->os_name);
    enc_str(e, "architecture", im->arch);
    enc_str(e, "version", im->version);
    enc_int(e, "minDiskGib", im->size_gib);
    enc_bool(e, "ownKernel", im->direct_kernel);
    enc_bool(e, "cloudInit", im->cloud_init);
    enc_str(e, "path", im->path);
    enc_str(e, "digest", im->digest);
    control_enc_time(c, e, "createdAt", im->created_at);
}

/* With an account: what it can use, which is the public ones and its own. */
const struct action op_list_images = {
    .name = "ListImages",
    .summary = "Lists images, newest first.",
    .perm = PERM_OPERATOR,
    .in = LISTING_FIELDS(),
    .errors = ERRORS(ERR_ACCOUNT_NOT_FOUND),
    LISTING(.rec = &rec_image, .order = "-created_at,id", .limit = 1000, .shared = true,
            .list = "images", .item = "image", .encode = encode_image),
};

struct register_in {
    const char *account, *image;
};

static enum err register_image(struct call *c, const void *in_, void *out)
{
    const struct register_in *in = in_;
    struct image *im = out, old;
    enum err e = control_scope(c, in->account);

    if (e)
        return e;
    if (!file_name_ok(in->image))
        return fail_param(c->op.fail, ERR_PARAM_PATTERN, "imageId",
                          "an image's id is 1 to 64 letters, digits, '.', '_' or '-'");
    if (store_get(c->op.tx, &rec_image, in->image, &old))
        return fail_param(c->op.fail, ERR_PARAM_CONFLICT, "imageId", "there is an image '%s'",
                          in->image);
    const char *dir = arena_fmt(c->arena, "%s/images/%s", control_config()->dir, in->image);
    const char *bad = image_dir_read(c->arena, dir, im);
    if (bad)
        return fail(c->op.fail, ERR_IMAGE_NOT_READY, "image '%s': %s", in->image, bad);
    im->id = in->image;
    im->account = c->op.account ? c->op.account : "";
    im->created_at = c->op.now;
    store_insert(c->op.tx, &rec_image, im);
    event_append(&c->op, im->id, "image-registered", im->name);
    return ERR_NONE;
}

const struct action op_register_image = {
    .name = "RegisterImage",
    .summary = "Offers the image in the data directory's folder images/<imageId>.",
    .perm = PERM_OPERATOR,
    .access = ACCESS_WRITE,
    .in_size = sizeof(struct register_in),
    .out_size = sizeof(struct image),
    .in = FIELDS(F_STR(struct register_in, image, "imageId", .required = true, .format = FMT_ID),
                 F_STR(struct register_in, account, "account", .format = FMT_ID,
                       .text = "Whose it is; without one it is public.")),
    .errors =
        ERRORS(ERR_ACCOUNT_NOT_FOUND, ERR_PARAM_PATTERN, ERR_PARAM_CONFLICT, ERR_IMAGE_NOT_READY),
    .run = register_image,
    .encode = encode_image,
};
