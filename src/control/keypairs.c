/* SSH key pairs. */
#include "core/keypair.h"

#include "control/listing.h"

static void encode_pair(struct call *c, const void *row, struct enc *e)
{
    const struct keypair *k = row;

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
    .encode = encode_pair,
};

const struct action op_list_key_pairs = {
    .name = "ListKeyPairs",
    .summary = "Lists SSH key pairs, newest first.",
    .perm = PERM_OPERATOR,
    .in = LISTING_FIELDS(),
    .errors = ERRORS(ERR_ACCOUNT_NOT_FOUND),
    LISTING(.rec = &rec_keypair, .order = "-created_at,id", .limit = 1000, .list = "keyPairs",
            .item = "keyPair", .encode = encode_pair),
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
