/* Wrapping keys and data keys. */
#include "core/kms.h"

#include <ctype.h>

#include "core/inst.h"

void kms_make_default(struct op *op)
{
    uint8_t material[VAULT_KEY_LEN];
    char *id = arena_alloc(op->arena, 37);
    struct world *w = op->core->world;

    world_uuid(w, id);
    for (char *p = id; *p; p++)
        *p = (char)tolower((unsigned char)*p);
    w->random(w, material, sizeof(material));
    struct kms_key key = {.id = id,
                          .account = op->account,
                          .material = vault_seal(op->core->vault, op->arena, id,
                                                 (struct bytes){material, sizeof(material)}),
                          .is_default = true,
                          .enabled = true,
                          .granted = true,
                          .created_at = op->now};
    store_insert(op->tx, &rec_kms_key, &key);
}

static bool find_key(struct op *op, const char *account, const char *id, struct kms_key *ret)
{
    struct query q = {0};

    query_text(&q, "account", CMP_EQ, account);
    if (str_empty(id))
        query_num(&q, "is_default", CMP_EQ, 1);
    else
        query_text(&q, "id", CMP_EQ, id);
    query_num(&q, "removed", CMP_EQ, 0);
    return store_first(op->tx, &rec_kms_key, &q, ret);
}

static enum err check(struct op *op, const char *account, const char *id, struct kms_key *ret)
{
    if (!find_key(op, account, id, ret))
        return fail(op->fail, ERR_KMS_NOT_FOUND, "There is no key '%s'.", id ? id : "(default)");
    if (!ret->enabled)
        return fail(op->fail, ERR_KMS_DISABLED, "The key '%s' is disabled.", ret->id);
    if (ret->untagged)
        return fail(op->fail, ERR_KMS_UNTAGGED,
                    "The key '%s' lacks the tag that lets the service use it.", ret->id);
    if (!ret->granted)
        return fail(op->fail, ERR_KMS_UNAUTHORIZED, "The use of the key '%s' was revoked.",
                    ret->id);
    return ERR_NONE;
}

enum err kms_usable(struct op *op, const char *id, struct kms_key *ret)
{
    return check(op, op->account, id, ret);
}

static enum err open_material(struct op *op, const struct kms_key *key, struct bytes *ret)
{
    return vault_open_sealed(op->core->vault, op->arena, key->id, key->material, ret, op->fail);
}

enum err kms_new_data_key(struct op *op, const struct kms_key *key, const char *disk,
                          struct bytes *ret_sealed)
{
    uint8_t data_key[VAULT_KEY_LEN];
    struct bytes material;
    enum err e = open_material(op, key, &material);

    if (e)
        return e;
    op->core->world->random(op->core->world, data_key, sizeof(data_key));
    *ret_sealed = vault_wrap(op->core->vault, op->arena, material, disk,
                             (struct bytes){data_key, sizeof(data_key)});
    return ERR_NONE;
}

enum err kms_open_data_key(struct op *op, const struct disk *d, struct bytes *ret)
{
    struct kms_key key;
    struct bytes material;
    enum err e = check(op, d->account, d->kms_key, &key);

    if (e)
        return e;
    if ((e = open_material(op, &key, &material)))
        return e;
    return vault_unwrap(op->arena, material, d->id, d->data_key, ret, op->fail);
}

static void mark(struct kms_key *key, enum kms_mark mark, bool on)
{
    switch (mark) {
    case KMS_GRANTED:
        key->granted = on;
        break;
    case KMS_ENABLED:
        key->enabled = on;
        break;
    case KMS_TAGGED:
        key->untagged = !on;
        break;
    case KMS_PRESENT:
        key->removed = !on;
        break;
    }
}

enum err kms_set(struct op *op, const char *key, enum kms_mark what, bool on)
{
    static const char *const events[][2] = {[KMS_GRANTED] = {"key-revoked", "key-granted"},
                                            [KMS_ENABLED] = {"key-disabled", "key-enabled"},
                                            [KMS_TAGGED] = {"key-untagged", "key-tagged"},
                                            [KMS_PRESENT] = {"key-removed", "key-restored"}};
    struct query q = {0};
    size_t n;

    if (op->account)
        query_text(&q, "account", CMP_EQ, op->account);
    if (key)
        query_text(&q, "id", CMP_EQ, key);
    struct kms_key *keys = store_find(op->tx, &rec_kms_key, &q, &n);
    if (!n)
        return fail(op->fail, ERR_KMS_NOT_FOUND, "there is no key '%s'", key ? key : "");
    for (size_t i = 0; i < n; i++) {
        mark(&keys[i], what, on);
        store_update(op->tx, &rec_kms_key, &keys[i]);
        event_append(op, keys[i].id, events[what][on], NULL);
    }
    return ERR_NONE;
}
