/* Client tokens in the store, beside what they made. */
#include "core/idem.h"

#include "base/buf.h"
#include "core/lists.h"

static const char *row_key(struct op *op, const char *action, const char *token)
{
    return arena_fmt(op->arena, "%s/%s/%s", op->account, action, token);
}

/* What was made then or before is not remembered any more. */
static int64_t forgotten(const struct op *op)
{
    int64_t lifetime = op->core->settings.token_ms;

    return lifetime ? op->now - lifetime : INT64_MIN;
}

enum err idem_find(struct op *op, const char *action, const char *token, const char *digest,
                   bool *ret_found, struct created *ret)
{
    struct idem row;

    *ret_found = false;
    if (!store_get(op->tx, &rec_idem, row_key(op, action, token), &row) ||
        row.created_at <= forgotten(op))
        return ERR_NONE;
    if (!streq(row.digest, digest))
        return fail(op->fail, ERR_TOKEN_MISMATCH,
                    "the client token was used before with other parameters");
    *ret = (struct created){0};
    ret->ids = list_split(op->arena, row.ids, &ret->n);
    *ret_found = true;
    return ERR_NONE;
}

void idem_save(struct op *op, const char *action, const char *token, const char *digest,
               const struct created *c)
{
    struct idem row = {.key = row_key(op, action, token),
                       .digest = digest,
                       .ids = list_join(op->arena, c->ids, c->n),
                       .created_at = op->now,
                       .account = op->account};
    struct query old = {0};

    query_text(&old, "account", CMP_EQ, op->account);
    query_num(&old, "created_at", CMP_LE, forgotten(op));
    if (op->core->settings.token_ms)
        store_delete_all(op->tx, &rec_idem, &old); /* one with this key among them */
    store_insert(op->tx, &rec_idem, &row);
}
