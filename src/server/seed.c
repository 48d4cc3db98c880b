/* The first account, and the images that are there. */
#include "server/seed.h"

#include <dirent.h>

#include "base/log.h"
#include "control/image_dir.h"
#include "core/clock.h"

struct seeding {
    struct write write;
    struct core *core;
    const char *dir;
    bool names_only;
    struct arena *arena;
    struct seeded *ret;
    struct fail *fail;
};

static enum err seed_account(struct op *op, struct seeded *ret)
{
    struct query oldest = {.order = "created_at,id"};
    struct account a;
    enum err e;

    if (store_first(op->tx, &rec_account, &oldest, &a)) {
        ret->account = a.id;
        return ERR_NONE;
    }
    if ((e = account_create(op, NULL, "default", &a)))
        return e;
    ret->first = true;
    ret->account = a.id;
    return access_key_create(op, a.id, &ret->access_key, &ret->secret);
}

static void offer(struct op *op, struct image *im)
{
    struct image old;

    if (store_get(op->tx, &rec_image, im->id, &old))
        return;
    im->account = "";
    im->created_at = op->now;
    store_insert(op->tx, &rec_image, im);
    event_append(op, im->id, "image-registered", im->name);
}

static void offer_dir(struct op *op, const char *dir, const char *id)
{
    struct image im;
    const char *bad;

    if (!file_name_ok(id))
        return; /* unfinished imports have names that are none */
    bad = image_dir_read(op->arena, arena_fmt(op->arena, "%s/images/%s", dir, id), &im);
    if (bad)
        log_write(LOG_WARN, "an image cannot be offered", "image", id, "why", bad, NULL);
    im.id = id;
    if (!bad)
        offer(op, &im);
}

static void offer_dirs(struct op *op, const char *dir)
{
    DIR *d = opendir(arena_fmt(op->arena, "%s/images", dir));
    struct dirent *entry;

    while (d && (entry = readdir(d)))
        offer_dir(op, dir, arena_str(op->arena, entry->d_name));
    if (d)
        (void)closedir(d);
}

static void offer_names(struct op *op)
{
    const struct catalog *c = op->core->catalog;

    for (size_t i = 0; i < c->n_images; i++) {
        struct image im = c->images[i];

        offer(op, &im);
    }
}

/* Everything after this has its time, and its random numbers. */
static void begin_world(struct op *op)
{
    struct core *core = op->core;
    bool new = store_count(op->tx, &rec_account, &(struct query){0}) == 0;

    if (core->settings.seed)
        world_begin_life(core->world, store_next(op->tx, "life"));
    if (core->settings.clock_at && new)
        clock_begin(op, core->settings.clock_at);
    else if (core->settings.clock_at)
        log_write(LOG_WARN,
                  "the directory is not new: its clock stays; `ostler clock set` moves it", NULL);
    clocks_load(core->clocks, op->tx);
    op->now = clock_now(core, NULL);
}

static enum err run(struct write *w, struct tx *tx)
{
    struct seeding *s = CONTAINER_OF(w, struct seeding, write);
    struct op op = {.core = s->core, .tx = tx, .arena = s->arena, .fail = s->fail};

    tx_use_arena(tx, s->arena);
    begin_world(&op);
    enum err e = seed_account(&op, s->ret);
    if (!e)
        offer_dirs(&op, s->dir);
    if (!e && s->names_only)
        offer_names(&op);
    tx_use_arena(tx, NULL);
    return e;
}

enum err seed(struct store *st, struct core *core, const char *dir, bool names_only,
              struct arena *a, struct seeded *ret, struct fail *f)
{
    struct seeding s = {.write = {.run = run},
                        .core = core,
                        .dir = dir,
                        .names_only = names_only,
                        .arena = a,
                        .ret = ret,
                        .fail = f};

    *ret = (struct seeded){0};
    if (store_write_now(st, &s.write))
        return f->err ? f->err : fail(f, ERR_INTERNAL, "the first account cannot be written");
    return ERR_NONE;
}
