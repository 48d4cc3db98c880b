/* Room, quotas, balance, hosts under repair. */
#include "core/capacity.h"

/* ---- settings of a test ---- */

static void setting_put(struct op *op, const char *key, bool on)
{
    struct setting s = {.key = key, .value = "on"}, old;
    bool was = store_get(op->tx, &rec_setting, key, &old);

    if (on && !was)
        store_insert(op->tx, &rec_setting, &s);
    if (!on && was)
        store_delete(op->tx, &rec_setting, key);
}

static bool setting_is(struct op *op, const char *key)
{
    struct setting s;

    return store_get(op->tx, &rec_setting, key, &s);
}

#define REPAIRED "hosts-repaired/"
#define USED_UP  "balance-used-up/"

static const char *repair_key(struct op *op, const char *zone)
{
    return arena_fmt(op->arena, REPAIRED "%s", zone);
}

static const char *balance_key(struct op *op, const char *account)
{
    return arena_fmt(op->arena, USED_UP "%s", account);
}

/* What stands behind the prefix in each key that begins so. */
static const char **settings_of(struct op *op, const char *prefix, size_t *ret_n)
{
    struct query q = {.order = "key"};
    size_t n;

    query_text(&q, "key", CMP_LIKE, arena_fmt(op->arena, "%s%%", prefix));
    const struct setting *rows = store_find(op->tx, &rec_setting, &q, &n);
    const char **names = ARENA_ARRAY(op->arena, const char *, n + 1);
    for (size_t i = 0; i < n; i++)
        names[i] = rows[i].key + strlen(prefix);
    *ret_n = n;
    return names;
}

const char **hosts_repaired(struct op *op, size_t *ret_n)
{
    return settings_of(op, REPAIRED, ret_n);
}

const char **balances_used_up(struct op *op, size_t *ret_n)
{
    struct setting own;

    if (!op->account)
        return settings_of(op, USED_UP, ret_n);
    const char **names = ARENA_ARRAY(op->arena, const char *, 1);
    names[0] = op->account;
    *ret_n = store_get(op->tx, &rec_setting, balance_key(op, op->account), &own);
    return names;
}

enum err hosts_repair(struct op *op, const char *zone, bool on)
{
    if (*zone && !catalog_zone(op->core->catalog, zone))
        return fail(op->fail, ERR_ZONE_NOT_FOUND, "there is no zone '%s'", zone);
    setting_put(op, repair_key(op, zone), on);
    event_append(op, *zone ? zone : "hosts", on ? "repair-begun" : "repair-done", NULL);
    return ERR_NONE;
}

static bool hosts_repairing(struct op *op, const char *zone)
{
    return setting_is(op, repair_key(op, "")) || setting_is(op, repair_key(op, zone));
}

void capacity_forget(struct op *op, const char *account)
{
    setting_put(op, balance_key(op, account), false);
}

void balance_set(struct op *op, const char *account, bool used_up)
{
    setting_put(op, balance_key(op, account), used_up);
    event_append(op, account, used_up ? "balance-used-up" : "balance-ok", NULL);
}

/* ---- limits ---- */

enum err capacity_set(struct op *op, enum capacity_kind kind, const char *account, const char *zone,
                      const char *type, int64_t count)
{
    static const char *const kinds[] = {
        [CAPACITY_STOCK] = "stock", [CAPACITY_QUOTA] = "quota", [CAPACITY_CPU] = "cpu"};
    const char *key = arena_fmt(op->arena, "%s/%s/%s/%s", kinds[kind], account, zone, type);
    struct capacity old, row = {.key = key,
                                .kind = kind,
                                .account = account,
                                .zone = zone,
                                .type = type,
                                .count = count};

    if (*zone && !catalog_zone(op->core->catalog, zone))
        return fail(op->fail, ERR_ZONE_NOT_FOUND, "there is no zone '%s'", zone);
    if (*type && !catalog_type(op->core->catalog, type))
        return fail(op->fail, ERR_TYPE_NOT_FOUND, "there is no instance type '%s'", type);
    bool there = store_get(op->tx, &rec_capacity, key, &old);
    if (there && count < 0)
        store_delete(op->tx, &rec_capacity, key);
    else if (there)
        store_update(op->tx, &rec_capacity, &row);
    else if (count >= 0)
        store_insert(op->tx, &rec_capacity, &row);
    event_append(op, key, "capacity",
                 count < 0 ? "none" : arena_fmt(op->arena, "%lld", (long long)count));
    return ERR_NONE;
}

/* All but those that are off. */
static const uint64_t in_use = INST_STATES_ALL & ~(1U << INST_STOPPED | 1U << INST_RECYCLED);

static bool is_about(const struct capacity *row, const struct claim *c)
{
    return (!*row->account || streq(row->account, c->account)) &&
           (!*row->zone || streq(row->zone, c->zone)) && (!*row->type || streq(row->type, c->type));
}

static int64_t used_of(struct op *op, const struct capacity *row, const char *except)
{
    struct query q = {0};

    if (*row->account)
        query_text(&q, "account", CMP_EQ, row->account);
    if (*row->zone)
        query_text(&q, "zone", CMP_EQ, row->zone);
    if (*row->type)
        query_text(&q, "type", CMP_EQ, row->type);
    if (row->kind == CAPACITY_STOCK)
        query_set(&q, "state", in_use);
    if (except)
        query_text(&q, "id", CMP_NE, except);
    return row->kind == CAPACITY_CPU ? store_sum(op->tx, &rec_inst, "cpu", &q)
                                     : store_count(op->tx, &rec_inst, &q);
}

static enum err error_of(const struct capacity *row)
{
    if (row->kind == CAPACITY_STOCK)
        return ERR_NO_STOCK;
    if (row->kind == CAPACITY_CPU)
        return ERR_QUOTA_CPU;
    return *row->type ? ERR_QUOTA_TYPE : ERR_QUOTA;
}

/* Every limit that is about them must have room. */
static enum err within(struct op *op, enum capacity_kind kind, const struct claim *c)
{
    struct query q = {.order = "key"};
    size_t n;

    if (!op->core->settings.controls)
        return ERR_NONE;
    query_num(&q, "kind", CMP_EQ, kind);
    const struct capacity *rows = store_find(op->tx, &rec_capacity, &q, &n);
    for (size_t i = 0; i < n; i++) {
        if (!is_about(&rows[i], c))
            continue;
        int64_t used = used_of(op, &rows[i], c->except);
        int64_t more = kind == CAPACITY_CPU ? c->n * c->cpu : c->n;
        if (used + more > rows[i].count)
            return fail(op->fail, error_of(&rows[i]),
                        "There are %lld, %lld more are beyond the %lld of the limit %s.",
                        (long long)used, (long long)more, (long long)rows[i].count, rows[i].key);
    }
    return ERR_NONE;
}

static enum err memory_for(struct op *op, const struct claim *c)
{
    int64_t have = op->core->settings.capacity_mib, mib = c->n * c->mib;
    struct query q = {0};

    if (!have)
        return ERR_NONE;
    query_set(&q, "state", in_use);
    if (c->except)
        query_text(&q, "id", CMP_NE, c->except);
    int64_t used = store_sum(op->tx, &rec_inst, "memory_mib", &q);
    if (used + mib > have)
        return fail(op->fail, ERR_NO_STOCK,
                    "%lld MiB of memory are in use, %lld more do not fit into %lld.",
                    (long long)used, (long long)mib, (long long)have);
    return ERR_NONE;
}

enum err room_for(struct op *op, const struct claim *c)
{
    enum err e = within(op, CAPACITY_STOCK, c);

    return e ? e : memory_for(op, c);
}

/* ---- what a start and a creation ask ---- */

static enum err check_balance(struct op *op, const char *account)
{
    if (op->core->settings.controls && setting_is(op, balance_key(op, account)))
        return fail(op->fail, ERR_NO_BALANCE, "The account '%s' has no balance.", account);
    return ERR_NONE;
}

enum err may_create(struct op *op, const struct claim *c)
{
    enum err e = check_balance(op, c->account);

    e = e ? e : within(op, CAPACITY_QUOTA, c);
    return e ? e : within(op, CAPACITY_CPU, c);
}

enum err may_start(struct op *op, const struct inst *in)
{
    struct claim c = {.account = in->account,
                      .zone = in->zone,
                      .type = in->type,
                      .cpu = in->cpu,
                      .mib = in->memory_mib,
                      .n = 1,
                      .except = in->id};
    enum err e;

    if (op->core->settings.controls && hosts_repairing(op, in->zone))
        return fail(op->fail, ERR_HOST_REPAIRING, "The instance's host is being repaired.");
    if ((e = may_create(op, &c)))
        return e;
    return room_for(op, &c);
}
