/* The engine's driver: opening, closing, and a door to each operation. */
#include "core/engine.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/map.h"
#include "engine/qemu/prepared.h"
#include "engine/qemu/vm.h"
#include "engine/qemu/vmdir.h"

enum {
    FIRMWARE_MS = 2000,
    KERNEL_MS = 3000,
    CAPS_MS = 30000,
    SERIAL_LOG_MAX = 16 << 20, /* of a guest that talks without end; the beginning is lost */
    QEMU_LOG_MAX = 1 << 20,
};

void engine_describe(struct engine *e)
{
    const struct verdict *v = &e->accel.verdict;
    char *to = e->describe[e->describe_at++ % ARRAY_LEN(e->describe)];
    char prepared[32] = "";

    if (e->max_prepared)
        (void)snprintf(prepared, sizeof(prepared), ", %u of %u prepared", prepared_count(e),
                       e->max_prepared);
    (void)snprintf(to, sizeof(e->describe[0]), "qemu %s, %s%s%s%s%s%s", e->accel.version,
                   v->kvm ? "KVM" : "TCG", *v->why ? " (" : "", v->why, *v->why ? ")" : "",
                   e->accel.platform.sandbox ? "" : ", without its sandbox", prepared);
    atomic_store(&e->described, to);
}

/* Any image with a kernel serves the probe. */
static void find_kernel(struct engine *e)
{
    CLEANUP(free_p) char *path = xasprintf("%s/images", e->dir);
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    DIR *d = opendir(path);

    if (!d)
        return;
    for (struct dirent *entry; !e->kernel && (entry = readdir(d));) {
        struct image_files f;

        if (entry->d_name[0] == '.' ||
            image_load(a, arena_fmt(a, "%s/%s", path, entry->d_name), &f) || !f.kernel)
            continue;
        e->kernel = xstrdup(f.kernel);
        e->initrd = f.initrd ? xstrdup(f.initrd) : NULL;
    }
    (void)closedir(d); /* only read */
}

static void cap_logs(void *arg)
{
    struct engine *e = arg;

    for (struct vm *vm = e->vms; vm; vm = vm->next)
        if (vm->live) {
            vmdir_cap(vm->dirfd, "serial.log", SERIAL_LOG_MAX);
            vmdir_cap(vm->dirfd, "qemu.log", QEMU_LOG_MAX);
        }
}

static unsigned processors(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);

    return n > 0 ? (unsigned)n : 1;
}

static void free_engine(struct engine *e)
{
    free(e->dir);
    free(e->self);
    free(e->kernel);
    free(e->initrd);
    map_free(e->by_id);
    free(e);
}

static enum err open_engine(struct loop *loop, const struct engine_config *config,
                            const struct engine_host *host, struct engine **ret, struct fail *f)
{
    char dir[PATH_MAX];

    if (!realpath(config->dir, dir))
        return fail(f, ERR_UNAVAILABLE, "the data directory %s cannot be used: %s", config->dir,
                    strerror(errno));
    struct engine *e = xcalloc(1, sizeof(*e));
    *e = (struct engine){.loop = loop,
                         .host = *host,
                         .dir = xstrdup(dir),
                         .self = xstrdup(config->self ? config->self : ""),
                         .grace_ms = config->stop_grace_ms,
                         .by_id = map_new(),
                         .max_prepared = (unsigned)config->prepared,
                         .max_starting = processors()};
    e->queue_end = &e->queue;
    find_kernel(e);
    e->accel_request = (struct accel_request){.dir = e->dir,
                                              .qemu = QEMU_BINARY,
                                              .kvm_device = "/dev/kvm",
                                              .wanted = config->accel,
                                              .kernel = e->kernel,
                                              .initrd = e->initrd,
                                              .firmware_ms = FIRMWARE_MS,
                                              .kernel_ms = KERNEL_MS};
    enum err err = accel_find(&e->accel_request, &e->accel, f);
    if (err) {
        free_engine(e);
        return err;
    }
    prepared_end_orphans(e->dir);
    engine_describe(e);
    template_sweep(e->dir);
    if (config->templates)
        e->templates = templates_new(e);
    e->caps = loop_timer_new(loop, cap_logs, e);
    loop_timer_set(e->caps, CAPS_MS, CAPS_MS);
    disks_queue_init(&e->disks, loop, e->max_starting);
    e->calm = loop_timer_new(loop, engine_calm, e);
    *ret = e;
    return ERR_NONE;
}

static void close_engine(struct engine *e)
{
    if (!e)
        return;
    tasks_detach(e);
    prepared_close(e);
    while (e->vms) {
        op_free_all(e->vms);
        vm_free(e->vms);
    }
    disks_queue_done(&e->disks);
    templates_free(e->templates);
    network_close(e);
    loop_timer_free(e->caps);
    loop_timer_free(e->calm);
    free_engine(e);
}

static const char *describe(struct engine *e)
{
    return atomic_load(&e->described);
}

static void do_create(struct engine *e, const struct machine *m, int64_t job)
{
    op_begin(e, OP_CREATE, m, job, false, false);
}

static void do_start(struct engine *e, const struct machine *m, int64_t job, bool reset_local)
{
    op_begin(e, OP_START, m, job, false, reset_local);
}

static void do_stop(struct engine *e, const struct machine *m, int64_t job, bool force)
{
    op_begin(e, OP_STOP, m, job, force, false);
}

static void do_reboot(struct engine *e, const struct machine *m, int64_t job, bool force)
{
    op_begin(e, OP_REBOOT, m, job, force, false);
}

static void do_release(struct engine *e, const struct machine *m, int64_t job)
{
    op_begin(e, OP_RELEASE, m, job, true, false);
}

static void do_hurry(struct engine *e, const char *inst)
{
    struct vm *vm = vm_find(e, inst);

    if (vm)
        op_hurry(vm);
}

static void do_survey(struct engine *e, const struct machine *m)
{
    op_begin(e, OP_SURVEY, m, 0, false, false);
}

static void do_harm(struct engine *e, const struct harm *h)
{
    harm_begin(e, h);
}

static bool lacks(struct engine *e, const struct machine *m)
{
    CLEANUP(close_p) int dirfd = vmdir_open(e->dir, m->id, false);

    return dirfd == -ENOENT || (dirfd >= 0 && disks_lack(dirfd, m));
}

const struct engine_driver engine_qemu = {
    .name = "qemu",
    .open = open_engine,
    .close = close_engine,
    .describe = describe,
    .create = do_create,
    .start = do_start,
    .stop = do_stop,
    .reboot = do_reboot,
    .release = do_release,
    .hurry = do_hurry,
    .survey = do_survey,
    .harm = do_harm,
    .lacks = lacks,
};
