/*
 * bench-seed: a data directory with as many instances as one likes, made by the core's own code
 * (inst_create, job_end), many in a transaction. The clock and the randomness are the tool's own,
 * so that the same options make the same rows.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/timefmt.h"
#include "core/ids.h"
#include "core/inst.h"

enum {
    ORDER_SIZE = 10,      /* instances made by one inst_create */
    ORDERS = 200,         /* writes that are handed over together, and share commits */
    SWITCHES = 3,         /* subnets of a zone */
    SUBNET_HOSTS = 60000, /* of a /16, less a few */
    MAX_ACCOUNTS = 1000,
};

static const int64_t FIRST_MS = 1735689600000; /* 2025-01-01 */

struct options {
    const char *dir;
    int64_t instances, accounts, running; /* running: in thousandths */
    int64_t step_ms, seed;
};

struct owner {
    const char *account;
    const char **subnets; /* [zone * switches + n], NULL until it is needed */
};

struct seeder {
    struct options opt;
    struct world world;
    int64_t now;
    uint64_t noise;
    struct core core;
    struct catalog *catalog;
    struct store *store;
    struct arena *arena; /* lives as long as the tool */
    struct owner *owners;
    size_t switches;
    int64_t made;
    size_t waiting; /* writes that were handed over and are not done */
    enum err broken;
    int sim_dir;
    struct fail fail;
};

/* ---- a world of its own ---- */

static int64_t now_ms(struct world *w)
{
    return CONTAINER_OF(w, struct seeder, world)->now;
}

/* xorshift */
static uint64_t next(struct seeder *s)
{
    s->noise ^= s->noise << 13;
    s->noise ^= s->noise >> 7;
    s->noise ^= s->noise << 17;
    return s->noise;
}

static void noise(struct world *w, void *data, size_t n)
{
    struct seeder *s = CONTAINER_OF(w, struct seeder, world);

    for (uint8_t *p = data; n--;)
        *p++ = (uint8_t)(next(s) >> 24);
}

static size_t pick(struct seeder *s, size_t n)
{
    return (size_t)((next(s) >> 16) % n);
}

/* ---- one transaction ---- */

struct task {
    struct write write;
    struct seeder *s;
    enum err (*fn)(struct seeder *s, struct op *op);
};

static enum err task_run(struct write *w, struct tx *tx)
{
    struct task *t = CONTAINER_OF(w, struct task, write);
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    struct op op = {.core = &t->s->core,
                    .tx = tx,
                    .arena = a,
                    .request_id = "SEED",
                    .now = t->s->now,
                    .fail = &t->s->fail};

    tx_use_arena(tx, a);
    enum err e = t->fn(t->s, &op);
    tx_use_arena(tx, NULL);
    return e;
}

static enum err in_transaction(struct seeder *s, enum err (*fn)(struct seeder *s, struct op *op))
{
    struct task t = {.write = {.run = task_run}, .s = s, .fn = fn};

    return store_write_now(s->store, &t.write);
}

/* ---- accounts, images ---- */

static enum err make_accounts(struct seeder *s, struct op *op)
{
    for (int64_t i = 0; i < s->opt.accounts; i++) {
        const char *name = i ? arena_fmt(op->arena, "account-%lld", (long long)i) : "default";
        const char *id, *secret;
        struct account a;
        enum err e;

        op->account = NULL;
        op->now = s->now + i; /* the first is the oldest, and so the operator's default one */
        if ((e = account_create(op, NULL, name, &a)))
            return e;
        op->account = a.id;
        if ((e = access_key_create(op, a.id, &id, &secret)))
            return e;
        (void)printf("{\"account\":\"%s\",\"accessKeyId\":\"%s\",\"accessKeySecret\":\"%s\"}\n",
                     a.id, id, secret);
        s->owners[i] =
            (struct owner){arena_str(s->arena, a.id),
                           ARENA_ARRAY(s->arena, const char *, s->catalog->n_zones * s->switches)};
    }
    return ERR_NONE;
}

static enum err make_images(struct seeder *s, struct op *op)
{
    for (size_t i = 0; i < s->catalog->n_images; i++) {
        struct image im = s->catalog->images[i];

        im.account = "";
        im.created_at = op->now;
        store_insert(op->tx, &rec_image, &im);
    }
    return ERR_NONE;
}

/* ---- networks ---- */

/* The default network of a region and its security group, and in it a wide subnet of our own. */
static enum err make_subnet(struct seeder *s, struct op *op, const struct zone *zone, size_t at,
                            const char **ret)
{
    struct query default_vpc = {0};
    struct secgroup group;
    struct vpc vpc;

    query_text(&default_vpc, "account", CMP_EQ, op->account);
    query_text(&default_vpc, "region", CMP_EQ, zone->region->id);
    if (!store_first(op->tx, &rec_vpc, &default_vpc, &vpc)) {
        vpc = (struct vpc){.id = id_base36(op, "vpc-", zone->region->code),
                           .account = op->account,
                           .region = zone->region->id,
                           .name = "default",
                           .cidr = "10.0.0.0/8",
                           .is_default = true,
                           .created_at = op->now};
        store_insert(op->tx, &rec_vpc, &vpc);
        group = (struct secgroup){.id = id_base36(op, "sg-", zone->region->code),
                                  .account = op->account,
                                  .vpc = vpc.id,
                                  .name = "default",
                                  .is_default = true,
                                  .created_at = op->now};
        store_insert(op->tx, &rec_secgroup, &group);
    }
    struct subnet subnet = {.id = id_base36(op, "vsw-", zone->region->code),
                            .account = op->account,
                            .vpc = vpc.id,
                            .region = zone->region->id,
                            .zone = zone->id,
                            .name = arena_fmt(op->arena, "switch-%zu", at),
                            .cidr = arena_fmt(op->arena, "10.%zu.0.0/16", at % 256),
                            .is_default = at % s->switches == 0,
                            .created_at = op->now};
    store_insert(op->tx, &rec_subnet, &subnet);
    *ret = arena_str(s->arena, subnet.id);
    return ERR_NONE;
}

/* ---- instances ---- */

static const char *const roles[] = {"web", "db", "cache", "worker", "build"};
static const char *const stages[] = {"prod", "stage", "test", "dev"};

static const char *tags(struct seeder *s, struct op *op)
{
    if (pick(s, 4) == 0)
        return "{}";
    return arena_fmt(op->arena, "{\"stage\":\"%s\",\"team\":\"team-%02zu\",\"order\":\"%lld\"}",
                     stages[pick(s, ARRAY_LEN(stages))], pick(s, 50), (long long)s->made);
}

/* Any of the family's: the catalogue's rows of a kind begin with their ids and say their family. */
static const struct inst_type *any_type(struct seeder *s, const char *family)
{
    const struct inst_type *t;

    do
        t = &s->catalog->types[pick(s, s->catalog->n_types)];
    while (!streq(t->family, family) || t->local_disks);
    return t;
}

static const struct image *any_image(struct seeder *s, int64_t most_gib)
{
    const struct image *im;

    do
        im = &s->catalog->images[pick(s, s->catalog->n_images)];
    while (im->size_gib > most_gib);
    return im;
}

/* What the engine would have reported: made, and where it is to run, started. */
static enum err end_jobs(struct seeder *s, struct op *op, const char *id)
{
    struct job job;
    bool more;
    enum err e;

    while (job_get(op, id, &job))
        if ((e = job_end(op, id, job.id, NULL, 0, &more)))
            return e;
    struct inst in;
    if (!store_get(op->tx, &rec_inst, id, &in) || in.state != INST_RUNNING)
        return ERR_NONE;
    int fd = openat(s->sim_dir, id, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return fail(op->fail, ERR_INTERNAL, "sim/%s: %s", id, strerror(errno));
    (void)close(fd);
    return ERR_NONE;
}

static enum err make_order(struct seeder *s, struct op *op)
{
    int64_t left = s->opt.instances - s->made, count = left < ORDER_SIZE ? left : ORDER_SIZE;
    struct owner *owner = &s->owners[pick(s, (size_t)s->opt.accounts)];
    size_t z = pick(s, s->catalog->n_zones), at = z * s->switches + pick(s, s->switches);
    const struct zone *zone = &s->catalog->zones[z];
    bool prepaid = pick(s, 10) == 0;
    struct new_disk data = {.size_gib = 40};
    struct created made;
    enum err e;

    op->account = owner->account;
    if (!owner->subnets[at] && (e = make_subnet(s, op, zone, at, &owner->subnets[at])))
        return e;
    struct new_inst n = {
        .family = zone->region->family,
        .decimal_ids = !*zone->region->code,
        .zone = zone->id,
        .type = any_type(s, zone->region->family)->id,
        .image = any_image(s, 40)->id,
        .subnet = owner->subnets[at],
        .name = arena_fmt(op->arena, "%s-%06lld-[1,2]", roles[pick(s, ARRAY_LEN(roles))],
                          (long long)(s->made / ORDER_SIZE)),
        .tags = tags(s, op),
        .charge = prepaid ? CHARGE_PREPAID : CHARGE_POSTPAID,
        .expires_at = prepaid ? op->now + INT64_C(365) * 86400000 : 0,
        .start = (int64_t)pick(s, 1000) < s->opt.running,
        .count = count,
        .data = &data,
        .n_data = pick(s, 2),
    };
    if (!count)
        return ERR_NONE;
    if ((e = inst_create(op, &n, &made)))
        return e;
    for (size_t i = 0; i < made.n; i++)
        if ((e = end_jobs(s, op, made.ids[i])))
            return e;
    s->made += count;
    s->now += count * s->opt.step_ms;
    op->now = s->now;
    return ERR_NONE;
}

static void order_done(struct write *w)
{
    struct task *t = CONTAINER_OF(w, struct task, write);

    t->s->waiting--;
    if (w->result)
        t->s->broken = w->result;
}

static enum err make_instances(struct seeder *s)
{
    struct task *tasks = ARENA_ARRAY(s->arena, struct task, ORDERS);
    int64_t told = 0;

    while (!s->broken && s->made < s->opt.instances) {
        for (size_t i = 0; i < ORDERS && !s->broken; i++) {
            tasks[i] = (struct task){
                .write = {.run = task_run, .done = order_done}, .s = s, .fn = make_order};
            s->broken = store_submit(s->store, &tasks[i].write);
            s->waiting += !s->broken;
        }
        while (s->waiting) {
            (void)usleep(500);
            store_deliver(s->store);
        }
        if (s->made / 100000 > told)
            (void)fprintf(stderr, "%lld instances\n",
                          (long long)(told = s->made / 100000) * 100000);
    }
    return s->broken;
}

/* ---- the whole ---- */

static enum err open_dir(struct seeder *s)
{
    CLEANUP(free_p) char *sim = xasprintf("%s/sim", s->opt.dir);
    CLEANUP(free_p) char *db = xasprintf("%s/ostler.db", s->opt.dir);
    enum err e;

    if ((mkdir(s->opt.dir, 0700) < 0 && errno != EEXIST) ||
        (mkdir(sim, 0700) < 0 && errno != EEXIST))
        return fail(&s->fail, ERR_INTERNAL, "%s: %s", sim, strerror(errno));
    if (!access(db, F_OK))
        return fail(&s->fail, ERR_INTERNAL, "%s is there already; choose a new directory", db);
    s->sim_dir = open(sim, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (s->sim_dir < 0)
        return fail(&s->fail, ERR_INTERNAL, "%s: %s", sim, strerror(errno));
    s->core.world = &s->world;
    if ((e = catalog_new(NULL, &s->catalog, &s->fail)) ||
        (e = vault_open(s->opt.dir, &s->world, &s->core.vault, &s->fail)))
        return e;
    s->core.catalog = s->catalog;
    return store_open(&(struct store_config){.dir = s->opt.dir}, &s->store, &s->fail);
}

static enum err seed(struct seeder *s)
{
    int64_t room = s->opt.accounts * (int64_t)s->catalog->n_zones * SUBNET_HOSTS;
    enum err e;

    s->owners = ARENA_ARRAY(s->arena, struct owner, (size_t)s->opt.accounts);
    s->switches = SWITCHES;
    while ((int64_t)s->switches * room < 2 * s->opt.instances)
        s->switches++;
    if ((e = in_transaction(s, make_images)) || (e = in_transaction(s, make_accounts)))
        return e;
    return make_instances(s);
}

static void close_all(struct seeder *s)
{
    store_close(s->store);
    vault_free(s->core.vault);
    catalog_free(s->catalog);
    arena_free(s->arena);
    if (s->sim_dir >= 0)
        (void)close(s->sim_dir);
}

static const struct {
    const char *name, *text;
    size_t to;
    int64_t def, min, max;
} numbers[] = {
    {"--instances", "how many instances [1000]", offsetof(struct options, instances), 1000, 1,
     100000000},
    {"--accounts", "over how many accounts [1]", offsetof(struct options, accounts), 1, 1,
     MAX_ACCOUNTS},
    {"--running", "how many of a thousand run, on the sim engine; the others are stopped [10]",
     offsetof(struct options, running), 10, 0, 1000},
    {"--step", "milliseconds from one creation to the next [2000]",
     offsetof(struct options, step_ms), 2000, 0, 86400000},
    {"--seed", "another number makes other rows [1]", offsetof(struct options, seed), 1, 1,
     INT32_MAX},
};

static void usage(FILE *to)
{
    (void)fprintf(
        to, "Usage: bench-seed [OPTION]... DIR\n\n"
            "Fills the new data directory DIR for `ostler serve --data DIR --engine sim` with\n"
            "instances of both clouds: over every zone, many types, images, subnets, names and\n"
            "tags (stage=prod, team=team-07, order=N). The same options make the same rows.\n"
            "Prints one JSON line an account, with its access key. Keys made of such randomness "
            "can be\n"
            "guessed: for measuring only.\n\n");
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        (void)fprintf(to, "  %-12s N   %s\n", numbers[i].name, numbers[i].text);
    (void)fprintf(to, "\nExample: a million, a hundredth of them running:\n"
                      "  bench-seed --instances 1000000 /tmp/million\n");
}

static int wrong(const char *what, const char *arg)
{
    (void)fprintf(stderr, "bench-seed: %s: %s\nTry: bench-seed --help\n", what, arg);
    return 2;
}

/* -1: go on; else the exit status. */
static int read_options(int argc, char **argv, struct options *o)
{
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        *(int64_t *)(void *)((char *)o + numbers[i].to) = numbers[i].def;
    for (int i = 1; i < argc; i++) {
        size_t k = 0;
        long long v;

        if (streq(argv[i], "--help") || streq(argv[i], "-h")) {
            usage(stdout);
            return 0;
        }
        if (argv[i][0] != '-') {
            o->dir = argv[i];
            continue;
        }
        while (k < ARRAY_LEN(numbers) && !streq(numbers[k].name, argv[i]))
            k++;
        if (k == ARRAY_LEN(numbers) || i + 1 == argc)
            return wrong("unknown option, or one without its value", argv[i]);
        if (parse_i64(argv[++i], &v) < 0 || v < numbers[k].min || v > numbers[k].max)
            return wrong("not a number that makes sense", argv[i]);
        *(int64_t *)(void *)((char *)o + numbers[k].to) = v;
    }
    return o->dir ? -1 : wrong("missing", "DIR");
}

int main(int argc, char **argv)
{
    struct seeder s = {
        .world = {.now_ms = now_ms, .random = noise}, .now = FIRST_MS, .sim_dir = -1};
    int code = read_options(argc, argv, &s.opt);

    if (code >= 0)
        return code;
    log_setup(LOG_WARN, LOG_LOGFMT);
    (void)umask(077);
    s.noise = 88172645463325252ULL * (uint64_t)s.opt.seed;
    s.arena = arena_new();
    if (open_dir(&s) || seed(&s)) {
        (void)fprintf(stderr, "bench-seed: %s\n",
                      *s.fail.detail ? s.fail.detail : "the store failed; see above");
        code = 1;
    }
    close_all(&s);
    return code < 0 ? 0 : code;
}
