/* Accounts, their access keys, and the event log. */
#include "core/core.h"

#include "base/crypto.h"
#include "core/ids.h"
#include "core/kms.h"

/* So many events are kept, and now and then the oldest beyond them are forgotten, a few at a time.
 */
enum { EVENTS_KEPT = 1000000, EVENTS_EVERY = 32, EVENTS_AT_ONCE = 64 };

static void forget_events(struct op *op, int64_t newest)
{
    struct query over = {0};
    struct event oldest;
    int64_t keep_from = newest - EVENTS_KEPT;

    if (newest % EVENTS_EVERY || keep_from <= 0 ||
        !store_first(op->tx, &rec_event, &(struct query){.order = "seq"}, &oldest))
        return;
    if (keep_from > oldest.seq + EVENTS_AT_ONCE)
        keep_from = oldest.seq + EVENTS_AT_ONCE;
    query_num(&over, "seq", CMP_LE, keep_from);
    store_delete_all(op->tx, &rec_event, &over);
}

void event_append(struct op *op, const char *subject, const char *kind, const char *detail)
{
    struct event e = {.at = op->now,
                      .account = op->account ? op->account : "",
                      .subject = subject,
                      .kind = kind,
                      .request_id = op->request_id ? op->request_id : "",
                      .detail = detail ? detail : ""};

    forget_events(op, store_append(op->tx, &rec_event, &e));
}

/* Text of `n` characters out of `alphabet`; unpredictable. */
static char *random_text(struct op *op, const char *alphabet, size_t n)
{
    uint8_t *noise = arena_alloc(op->arena, n);
    char *s = arena_alloc(op->arena, n + 1);
    size_t size = strlen(alphabet);

    op->core->world->random(op->core->world, noise, n);
    for (size_t i = 0; i < n; i++)
        s[i] = alphabet[noise[i] % size];
    return s;
}

/*
 * Now, or just after the newest of its kind: which account and which key is the first is told by
 * their times, also where the clock stands still, or was set back.
 */
static int64_t creation_time(struct op *op, const struct record *rec, const char *account)
{
    struct query newest = {.order = "-created_at"};
    union {
        struct account account;
        struct access_key key;
    } row;
    int64_t last = 0;

    if (account)
        query_text(&newest, "account", CMP_EQ, account);
    if (store_first(op->tx, rec, &newest, &row))
        last = rec == &rec_account ? row.account.created_at : row.key.created_at;
    return last >= op->now ? last + 1 : op->now;
}

enum err account_create(struct op *op, const char *id, const char *name, struct account *ret)
{
    struct account a = {.id = id ? id : random_text(op, "123456789", 16),
                        .name = name,
                        .recycle_hours = ACCOUNT_RECYCLE_HOURS,
                        .created_at = creation_time(op, &rec_account, NULL)};
    struct op mine = *op;

    mine.account = a.id;
    store_insert(op->tx, &rec_account, &a);
    kms_make_default(&mine);
    event_append(&mine, a.id, "account-created", name);
    if (ret)
        *ret = a;
    return ERR_NONE;
}

enum err account_get(struct op *op, const char *id, struct account *ret)
{
    if (!store_get(op->tx, &rec_account, id, ret))
        return fail(op->fail, ERR_ACCOUNT_NOT_FOUND, "there is no account '%s'", id);
    return ERR_NONE;
}

enum err access_key_create(struct op *op, const char *account, const char **ret_id,
                           const char **ret_secret)
{
    static const char letters[] = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789";
    struct account a;
    enum err e = account_get(op, account, &a);

    if (e)
        return e;
    const char *id = arena_fmt(op->arena, "LTAI5t%s", random_text(op, letters, 18));
    const char *secret = random_text(op, letters, 30);
    struct access_key key = {.id = id,
                             .account = account,
                             .secret = vault_seal(op->core->vault, op->arena, id,
                                                  (struct bytes){secret, strlen(secret)}),
                             .active = true,
                             .created_at = creation_time(op, &rec_access_key, account)};
    store_insert(op->tx, &rec_access_key, &key);
    event_append(op, id, "access-key-created", NULL);
    *ret_id = id;
    *ret_secret = secret;
    return ERR_NONE;
}

enum err access_key_secret(struct op *op, const struct access_key *key, struct bytes *ret)
{
    return vault_open_sealed(op->core->vault, op->arena, key->id, key->secret, ret, op->fail);
}
