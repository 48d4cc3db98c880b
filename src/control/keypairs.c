/* SSH key pairs. */
#include "core/keypair.h"

#include "control/control.h"

static void encode_pair(struct call *c, struct enc *e, const struct keypair *k)
{
    enc_str(e, "keyPairId", k->id);
    enc_str(e, "name", k->name);
    enc_str(e, "fingerprint", k->fingerprint);
    enc_str(e, "account", k->account);
    control_enc_time(c, e, "createdAt", k->created_at);
}

struct import_in {
    const char *account, *name, *public_key;
};

static enum err import(struct call *c, const void *in_, void *out)
{
    const struct import_in *in = in_;
    struct account a;
    enum err e = control_owner(c, in->account, &a);

    return e ? e : keypair_import(&c->op, in->name, in->public_key, false, out);
}

static void encode_one(struct call *c, const void *out, struct enc *e)
{
    encode_pair(c, e, out);
}

const struct action op_import_key_pair = {
    .name = "ImportKeyPair",
    .summary = "Keeps an SSH public key under a name.",
    .perm = PERM_OPERATOR,
    .access = ACCESS_WRITE,
    .in_size = sizeof(struct import_in),
    .out_size = sizeof(struct keypair),
    .in = FIELDS(
        F_STR(struct import_in, name, "name", .required = true, .format = FMT_NAME),
        F_STR(struct import_in, public_key, "publicKey", .required = true, .max = KEYPAIR_MAX_TEXT),
        F_STR(struct import_in, account, "account", .format = FMT_ID,
              .text = "Without one, the oldest account.")),
    .errors = ERRORS(ERR_ACCOUNT_NOT_FOUND, ERR_KEYPAIR_FORMAT, ERR_KEYPAIR_EXISTS),
    .run = import,
    .encode = encode_one,
};

struct list_in {
    const char *account;
};

struct list_out {
    struct keypair *rows;
    size_t n;
};

static enum err list(struct call *c, const void *in_, void *out_)
{
    const struct list_in *in = in_;
    struct list_out *out = out_;
    struct query q = {.order = "-created_at,id", .limit = 1000};
    enum err e = control_scope(c, in->account);

    if (e)
        return e;
    if (c->op.account)
        query_text(&q, "account", CMP_EQ, c->op.account);
    out->rows = store_find(c->op.tx, &rec_keypair, &q, &out->n);
    return ERR_NONE;
}

static void encode_list(struct call *c, const void *out_, struct enc *e)
{
    const struct list_out *out = out_;

    enc_list(e, "keyPairs", "keyPair");
    for (size_t i = 0; i < out->n; i++) {
        enc_obj(e, NULL);
        encode_pair(c, e, &out->rows[i]);
        enc_end(e);
    }
    enc_end(e);
}

const struct action op_list_key_pairs = {
    .name = "ListKeyPairs",
    .summary = "Lists SSH key pairs, newest first.",
    .perm = PERM_OPERATOR,
    .access = ACCESS_READ,
    .in_size = sizeof(struct list_in),
    .out_size = sizeof(struct list_out),
    .in = FIELDS(F_STR(struct list_in, account, "account", .format = FMT_ID)),
    .errors = ERRORS(ERR_ACCOUNT_NOT_FOUND),
    .run = list,
    .encode = encode_list,
};

struct delete_in {
    const char *account, *pair;
};

static enum err delete (struct call *c, const void *in_, void *out) {
    const struct delete_in *in = in_; enum err e = control_scope(c, in->account);

    (void)out;
    return e ? e : keypair_delete(&c->op, in->pair);
}

const struct action op_delete_key_pair = {
    .name = "DeleteKeyPair",
    .summary = "Deletes an SSH key pair, by id or name.",
    .perm = PERM_OPERATOR,
    .access = ACCESS_WRITE,
    .in_size = sizeof(struct delete_in),
    .in = FIELDS(F_STR(struct delete_in, pair, "keyPair", .required = true, .max = 128),
                 F_STR(struct delete_in, account, "account", .format = FMT_ID)),
    .errors = ERRORS(ERR_ACCOUNT_NOT_FOUND, ERR_KEYPAIR_NOT_FOUND),
    .run = delete,
};
