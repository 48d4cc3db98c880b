/* Rows of chores: asked for, gone on with, over. */
#include "core/chore.h"

/* "the server is loading the snapshot 'x'" */
static const char *doing(struct op *op, const struct chore *c)
{
    static const char *const whole[] = {[CHORE_SAVE] = "saving the snapshot",
                                        [CHORE_LOAD] = "loading the snapshot",
                                        [CHORE_RESET] = "being reset"};
    const char *what = c->kind < ARRAY_LEN(whole) ? whole[c->kind] : "at work",
               *quote = *c->name ? "'" : "";

    if (*c->key)
        return arena_fmt(op->arena, "the account '%s' is being %s", c->key,
                         c->kind == CHORE_REMOVE ? "removed" : "reset");
    return arena_fmt(op->arena, "the server is %s%s%s%s%s", what, *quote ? " " : "", quote, c->name,
                     quote);
}

static enum err busy(struct op *op, const struct chore *c)
{
    return fail(op->fail, ERR_UNAVAILABLE, "%s; try again when that has ended", doing(op, c));
}

static bool under_way(struct op *op, const char *key, struct chore *ret)
{
    return store_get(op->tx, &rec_chore, key, ret) && ret->state != CHORE_DONE;
}

/* Any but the mark that machines are being started, which holds nobody up. */
static bool any_under_way(struct op *op, struct chore *ret)
{
    struct query q = {.order = "key"};

    query_num(&q, "state", CMP_NE, CHORE_DONE);
    query_num(&q, "kind", CMP_NE, CHORE_RENEW);
    return store_first(op->tx, &rec_chore, &q, ret);
}

enum err chore_none(struct op *op)
{
    struct chore c;

    return under_way(op, CHORE_WHOLE, &c) ? busy(op, &c) : ERR_NONE;
}

enum { REMEMBERED = 256 }; /* that are over; more than may wait to be told */

static const char *old_key(struct op *op, const char *key, int64_t id)
{
    return arena_fmt(op->arena, "%s#%lld", key, (long long)id);
}

/* Who asked for the one before may not have been told yet how it ended. */
static void put_aside(struct op *op, const char *key, int64_t newest)
{
    struct query old = {0};
    struct chore c;

    query_num(&old, "state", CMP_EQ, CHORE_DONE);
    query_num(&old, "id", CMP_LT, newest - REMEMBERED);
    store_delete_all(op->tx, &rec_chore, &old);
    if (!store_get(op->tx, &rec_chore, key, &c))
        return;
    store_delete(op->tx, &rec_chore, key);
    c.key = old_key(op, key, c.id);
    store_delete(op->tx, &rec_chore, c.key);
    store_insert(op->tx, &rec_chore, &c);
}

enum err chore_begin(struct op *op, const struct chore *wanted, int64_t *ret_id)
{
    struct chore c = *wanted, other;

    if (*c.key ? under_way(op, CHORE_WHOLE, &other) || under_way(op, c.key, &other)
               : any_under_way(op, &other))
        return busy(op, &other);
    c.id = *ret_id = atomic_fetch_add(&op->core->chore_ids, 1) + 1;
    c.state = CHORE_WANTED;
    c.name = c.name ? c.name : "";
    c.why = "";
    put_aside(op, c.key, c.id);
    store_insert(op->tx, &rec_chore, &c);
    return ERR_NONE;
}

bool chore_over(struct op *op, const char *key, int64_t id, enum err *ret)
{
    struct chore c;

    if ((!store_get(op->tx, &rec_chore, key, &c) || c.id != id) &&
        !store_get(op->tx, &rec_chore, old_key(op, key, id), &c)) {
        *ret = fail(op->fail, ERR_UNAVAILABLE, "nothing is known of it any more");
        return true;
    }
    if (c.state != CHORE_DONE)
        return false;
    *ret = ERR_NONE;
    if (c.failure)
        *ret = fail(op->fail,
                    c.failure > 0 && c.failure < ERR_COUNT ? (enum err)c.failure : ERR_INTERNAL,
                    "%s", c.why);
    return true;
}

void chore_go_on(struct op *op, const char *key, enum chore_state state, enum err failure,
                 const char *why)
{
    struct chore c;

    if (!store_get(op->tx, &rec_chore, key, &c))
        return;
    c.state = state;
    c.failure = failure;
    c.why = why ? why : "";
    store_update(op->tx, &rec_chore, &c);
}
