/* From a machine's description to QEMU's command line. */
#include "engine/qemu/args.h"

#include "base/buf.h"
#include "engine/qemu/spec.h"

#define DIR_PATH "/proc/self/fd/3/"

_Static_assert(FD_DIR == 3 && FD_MONITOR == 4, "DIR_PATH and the monitor's fd= say the same");

enum {
    MAX_ARGS = 256,
    MICROVM_DISKS = 16, /* it has 24 virtio transports; network, serial and rng take three */
    SERIAL_LEN = 20     /* virtio-blk cuts a disk's serial number there */
};

struct out {
    struct arena *a;
    char **argv;
    size_t n;
    bool microvm;
};

/* Past MAX_ARGS nothing is added: disks, the only thing there can be many of, are bounded by the
 * core. */
static void arg(struct out *o, const char *text)
{
    if (o->n + 1 < MAX_ARGS)
        o->argv[o->n++] = arena_str(o->a, text);
}

static void arg2(struct out *o, const char *option, const char *value)
{
    arg(o, option);
    arg(o, value);
}

/* In QEMU's option syntax a comma ends a value; two are one. */
static const char *escaped(struct arena *a, const char *s)
{
    struct buf b = {0};

    for (; *s; s++) {
        buf_char(&b, *s);
        if (*s == ',')
            buf_char(&b, ',');
    }
    const char *text = arena_str(a, buf_cstr(&b));
    buf_done(&b);
    return text;
}

/* The same device is virtio-x-device on microvm's bus and virtio-x-pci on q35's. */
static const char *virtio(const struct out *o, const char *kind, const char *options)
{
    return arena_fmt(o->a, "virtio-%s-%s%s", kind, o->microvm ? "device" : "pci", options);
}

static const char *kernel_line(const struct out *o, const struct image_files *image,
                               const struct platform *p)
{
    /* Without the first two about half of the boots hang under TCG: calibrating timers needs steady
     * time. Without the third a guest on a crowded host compares its TSC, which is the host's, with
     * ticks that came late, gives it up for them, and its clock falls behind. */
    if (!p->kvm && p->tsc_khz > 0)
        return arena_fmt(o->a, "%s no_timer_check tsc_early_khz=%lld tsc=reliable", image->cmdline,
                         (long long)p->tsc_khz);
    return image->cmdline;
}

static void add_boot(struct out *o, const struct machine *m, const struct image_files *image,
                     const struct platform *p)
{
    if (!m->direct_kernel) {
        /* What cloud-init's AliYun source looks for. */
        arg2(o, "-smbios",
             arena_fmt(o->a,
                       "type=1,manufacturer=Alibaba Cloud,product=Alibaba Cloud ECS,serial=%s",
                       escaped(o->a, m->serial)));
        return;
    }
    if (!o->microvm)
        arg2(o, "-bios", "qboot.rom");
    arg2(o, "-kernel", image->kernel);
    if (image->initrd)
        arg2(o, "-initrd", image->initrd);
    arg2(o, "-append", kernel_line(o, image, p));
}

static void add_channels(struct out *o)
{
    arg2(o, "-chardev", "socket,id=mon,fd=4,server=on,wait=off");
    arg2(o, "-mon", "chardev=mon,mode=control");
    arg2(o, "-chardev",
         "socket,id=ser0,path=" DIR_PATH "serial.sock,server=on,wait=off,logfile=" DIR_PATH
         "serial.log,logappend=on");
    arg2(o, "-serial", "chardev:ser0");
    arg2(o, "-device", virtio(o, "serial", ""));
    arg2(o, "-chardev", "socket,id=rdy,path=" DIR_PATH "ready.sock,server=on,wait=off");
    arg2(o, "-device", "virtserialport,id=rdyport,chardev=rdy,name=ostler.ready");
    arg2(o, "-device", "pvpanic"); /* the ISA one on both: a monitor can reach its port, too */
    arg2(o, "-device", virtio(o, "rng", ""));
}

static void add_network(struct out *o, const struct machine *m)
{
    arg2(o, "-netdev",
         "dgram,id=n0,local.type=unix,local.path=" DIR_PATH
         "vm.sock,remote.type=unix,remote.path=" DIR_PATH "sw.sock");
    arg2(o, "-device",
         virtio(o, "net", arena_fmt(o->a, ",netdev=n0,mac=%s", escaped(o->a, m->mac))));
}

/* Returns how many keys are used so far. */
static int add_disk(struct out *o, const struct machine *m, size_t i, int n_keys,
                    const struct platform *p)
{
    const struct machine_disk *d = &m->disks[i];
    const char *key = "";

    if (d->encrypted) {
        arg2(
            o, "-object",
            arena_fmt(o->a, "secret,id=k%zu,format=raw,file=/dev/fd/%d", i, FD_FIRST_KEY + n_keys));
        key = arena_fmt(o->a, "encrypt.format=luks,encrypt.key-secret=k%zu,", i);
        n_keys++;
    }
    arg2(o, "-blockdev",
         arena_fmt(o->a,
                   "driver=qcow2,node-name=d%zu,discard=unmap,%sfile.driver=file,"
                   "file.filename=" DIR_PATH "%s.qcow2,file.aio=%s,file.discard=unmap",
                   i, key, escaped(o->a, spec_disk_file(d)), p->io_uring ? "io_uring" : "threads"));
    if (d->trouble)
        arg2(o, "-blockdev",
             arena_fmt(o->a,
                       "driver=blkdebug,node-name=f%zu,image=d%zu,inject-error.0.event=none,"
                       "inject-error.0.once=off,inject-error.0.immediately=on,%s",
                       i, i,
                       d->trouble == DISK_FULL
                           ? "inject-error.0.iotype=write,inject-error.0.errno=28"
                           : "inject-error.0.errno=5"));
    /* A guest learns of errors, but not that its disk's file finds no room: then it waits. */
    arg2(o, "-device",
         virtio(o, "blk",
                arena_fmt(o->a, ",drive=%c%zu,serial=%s,werror=enospc,rerror=report%s",
                          d->trouble ? 'f' : 'd', i,
                          escaped(o->a, arena_strn(o->a, d->id, strnlen(d->id, SERIAL_LEN))),
                          !m->direct_kernel && !i ? ",bootindex=0" : "")));
    return n_keys;
}

const char *args_machine_type(const struct machine *m)
{
    return m->direct_kernel && m->n_disks <= MICROVM_DISKS ? "microvm" : "pc-q35-7.2";
}

/* Under TCG the plain default is the fastest; what boots its own system may ask for a newer CPU. */
static const char *cpu_model(const struct machine *m, const struct platform *p)
{
    return p->kvm && p->cpu_host ? "host" : m->direct_kernel ? NULL : "max";
}

char **args_build(struct arena *a, const struct machine *m, const struct image_files *image,
                  const struct platform *p)
{
    const char *type = args_machine_type(m);
    struct out o = {
        .a = a, .argv = ARENA_ARRAY(a, char *, MAX_ARGS), .microvm = streq(type, "microvm")};
    int n_keys = 0;

    arg(&o, QEMU_BINARY);
    arg(&o, "-nodefaults");
    arg(&o, "-no-user-config");
    arg2(&o, "-display", "none");
    arg(&o, "-no-shutdown");
    arg2(&o, "-name", arena_fmt(a, "%s,process=%s", escaped(a, m->id), escaped(a, m->id)));
    arg2(&o, "-accel", p->kvm ? "kvm" : "tcg");
    arg2(&o, "-M", o.microvm ? "microvm,acpi=on" : type);
    if (cpu_model(m, p))
        arg2(&o, "-cpu", cpu_model(m, p));
    arg2(&o, "-m", arena_fmt(a, "%lld", (long long)m->memory_mib));
    arg2(&o, "-smp", arena_fmt(a, "%lld", (long long)m->cpu));
    add_boot(&o, m, image, p);
    add_channels(&o);
    add_network(&o, m);
    for (size_t i = 0; i < m->n_disks; i++)
        n_keys = add_disk(&o, m, i, n_keys, p);
    if (m->broken)
        arg2(&o, "-device", "ostler-asked-to-fail"); /* there is none: QEMU ends and says so */
    if (p->sandbox)
        arg2(&o, "-sandbox",
             "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny");
    return o.argv;
}
