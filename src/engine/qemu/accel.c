/* The probe: QEMU's abilities here, then KVM or TCG. */
#include "engine/qemu/accel.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <linux/kvm.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>

#include "engine/qemu/reason.h"
#include "engine/qemu/run.h"

enum {
    ROM_SIZE = 64 << 10,
    ROM_EXIT = 0x2a << 1 | 1,
    ABILITY_MS = 5000,
    IO_URING_MS = 1500,
    PROBE_VERSION = 2, /* raised when the probe learns something: older findings count no more */
    SHORT_FILE = 1000, /* its second sector is cut */
    TSC_WINDOW_MS = 20,
};

#define CACHE_NAME "accel.json"
#define SANDBOX    "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"

/* From probe.S. */
extern const unsigned char accel_rom[], accel_rom_end[];

static void json_free_p(json_t **j)
{
    json_decref(*j);
}

static enum probe failed(char *why, size_t size, const char *fmt, ...) PRINTF(3, 4);
static enum probe failed(char *why, size_t size, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(why, size, fmt, ap);
    va_end(ap);
    return PROBE_FAIL;
}

/* ---- the decision ---- */

void accel_decide(enum accel wanted, const struct accel_probes *probes, struct verdict *ret)
{
    enum probe (*const steps[])(void *, char *, size_t) = {probes->device, probes->firmware,
                                                           probes->kernel};

    *ret = (struct verdict){.kvm = wanted != ACCEL_TCG, .sure = true};
    if (wanted != ACCEL_AUTO) {
        (void)snprintf(ret->why, sizeof(ret->why), "as configured");
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        enum probe p = steps[i](probes->arg, ret->why, sizeof(ret->why));

        if (p == PROBE_FAIL) {
            ret->kvm = false;
            ret->sure = true; /* what follows could not change it */
            return;
        }
        if (p == PROBE_SKIP)
            ret->sure = false;
    }
    if (!ret->sure)
        (void)snprintf(ret->why, sizeof(ret->why), "not tried with a kernel yet");
}

/* ---- the probes ---- */

struct host {
    const struct accel_request *rq;
    struct platform *platform;
};

static enum probe try_device(void *arg, char *why, size_t size)
{
    const struct host *h = arg;
    CLEANUP(close_p) int fd = open(h->rq->kvm_device, O_RDWR | O_CLOEXEC);

    if (fd < 0 && errno == ENOENT)
        return failed(why, size, "no %s", h->rq->kvm_device);
    if (fd < 0 && errno == EACCES)
        return failed(why, size, "no permission for %s; is the user in the group kvm?",
                      h->rq->kvm_device);
    if (fd < 0)
        return failed(why, size, "%s does not open: %s", h->rq->kvm_device, strerror(errno));
    if (ioctl(fd, KVM_GET_API_VERSION, 0) != KVM_API_VERSION)
        return failed(why, size, "%s speaks an unknown KVM version", h->rq->kvm_device);
    return PROBE_PASS;
}

/* The firmware as a file without a name. */
static int rom_file(void)
{
    static unsigned char rom[ROM_SIZE];
    size_t len = (size_t)(accel_rom_end - accel_rom);

    memset(rom, 0xff, sizeof(rom));
    memcpy(rom + sizeof(rom) - len, accel_rom, len);
    int fd = memfd_create("probe.rom", MFD_CLOEXEC);
    if (fd < 0)
        return -errno;
    if (write(fd, rom, sizeof(rom)) == (ssize_t)sizeof(rom))
        return fd;
    (void)close(fd);
    return -EIO;
}

/* On q35, which gives the same firmware more to stumble over than microvm. */
static enum probe try_firmware(void *arg, char *why, size_t size)
{
    const struct host *h = arg;
    const char *argv[] = {h->rq->qemu,
                          "-nodefaults",
                          "-no-user-config",
                          "-display",
                          "none",
                          "-no-reboot",
                          "-accel",
                          "kvm",
                          "-M",
                          "q35",
                          "-m",
                          "16",
                          "-bios",
                          "/proc/self/fd/3",
                          "-device",
                          "isa-debug-exit,iobase=0xf4,iosize=4",
                          "-debugcon",
                          "stdio",
                          NULL};
    CLEANUP(buf_done) struct buf out = {0};
    CLEANUP(close_p) int rom = rom_file();
    int status;

    if (rom < 0)
        return failed(why, size, "the probe cannot be made: %s", strerror(-rom));
    const struct run r = {.argv = argv, .fds = &rom, .n_fds = 1, .timeout_ms = h->rq->firmware_ms};
    int e = run(&r, &out, &status);
    if (e == -ETIMEDOUT)
        return failed(why, size, "%s is there but hangs a test firmware", h->rq->kvm_device);
    if (e)
        return failed(why, size, "the probe does not start: %s", strerror(-e));
    if (strstr(buf_cstr(&out), "doesn't support requested feature"))
        return failed(why, size, "%s is there but lacks a common CPU's features",
                      h->rq->kvm_device);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != ROM_EXIT || !strstr(buf_cstr(&out), "RPLK"))
        return failed(why, size, "%s is there but does not run a test firmware", h->rq->kvm_device);
    return PROBE_PASS;
}

/* 0 when the kernel came as far as its first program. */
static int boot_kernel(const struct host *h, const char *machine, const char *cpu)
{
    const char *argv[] = {h->rq->qemu,   "-nodefaults", "-no-user-config",
                          "-display",    "none",        "-no-reboot",
                          "-accel",      "kvm",         "-M",
                          machine,       "-m",          "256",
                          "-serial",     "stdio",       "-kernel",
                          h->rq->kernel, "-append",     "console=ttyS0 reboot=t panic=-1",
                          NULL,          NULL,          NULL,
                          NULL,          NULL,          NULL,
                          NULL};
    CLEANUP(buf_done) struct buf out = {0};
    size_t n = 0;
    int status;

    while (argv[n])
        n++;
    const char *const options[][2] = {
        {"-initrd", h->rq->initrd},
        {"-cpu", cpu},
        {"-bios", str_starts(machine, "microvm") ? NULL : "qboot.rom"}};
    for (size_t i = 0; i < ARRAY_LEN(options); i++)
        if (options[i][1]) {
            argv[n++] = options[i][0];
            argv[n++] = options[i][1];
        }
    const struct run r = {.argv = argv, .until = "Run /", .timeout_ms = h->rq->kernel_ms};
    int e = run(&r, &out, &status);
    return e ? e : strstr(buf_cstr(&out), r.until) ? 0 : -EIO;
}

static enum probe try_kernel(void *arg, char *why, size_t size)
{
    const struct host *h = arg;

    if (!h->rq->kernel)
        return PROBE_SKIP;
    h->platform->cpu_host = true;
    int e = boot_kernel(h, "microvm,acpi=on", "host");
    if (e == -EIO) { /* some hosts abort on their own CPU's model only */
        h->platform->cpu_host = false;
        e = boot_kernel(h, "microvm,acpi=on", NULL);
    }
    if (!e)
        e = boot_kernel(h, "q35", h->platform->cpu_host ? "host" : NULL);
    if (!e)
        return PROBE_PASS;
    return failed(why, size, "%s is there but %s a kernel", h->rq->kvm_device,
                  e == -ETIMEDOUT ? "hangs" : "does not boot");
}

/* ---- QEMU's own abilities ---- */

static bool read_version(const char *out, char *ret, size_t size)
{
    const char *line = strstr(out, "{\"QMP\"");
    int major, minor, micro;

    if (!line)
        return false;
    CLEANUP(json_free_p) json_t *j = json_loads(line, JSON_DISABLE_EOF_CHECK, NULL);
    if (!j || json_unpack(j, "{s:{s:{s:{s:i,s:i,s:i}}}}", "QMP", "version", "qemu", "major", &major,
                          "minor", &minor, "micro", &micro) < 0)
        return false;
    (void)snprintf(ret, size, "%d.%d.%d", major, minor, micro);
    return true;
}

/* A nameless file where the disks will be, whose end lies within a sector, as a qcow2 file's often
 * does. */
static int short_file(const char *dir)
{
    int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

    if (fd < 0)
        fd = memfd_create("probe.disk", MFD_CLOEXEC); /* a file system without nameless files */
    if (fd < 0 || ftruncate(fd, SHORT_FILE) == 0)
        return fd;
    (void)close(fd);
    return -1;
}

/*
 * Starts a machine of nothing with these, reads across the end of a file and asks it to quit:
 * QEMU 7.2's io_uring hangs there on newer kernels, and would hang a guest whose disk file ends
 * like that. 0, or a negative errno.
 */
static int try_abilities(const struct accel_request *rq, bool sandbox, bool io_uring,
                         struct buf *out, char *version, size_t size)
{
    const char *argv[] = {rq->qemu,
                          "-nodefaults",
                          "-no-user-config",
                          "-display",
                          "none",
                          "-M",
                          "none",
                          "-qmp",
                          "stdio",
                          "-blockdev",
                          io_uring ? "driver=raw,node-name=d,file.driver=file,file.filename=/proc/"
                                     "self/fd/3,file.aio=io_uring"
                                   : "driver=raw,node-name=d,file.driver=file,file.filename=/proc/"
                                     "self/fd/3,file.aio=threads",
                          sandbox ? "-sandbox" : NULL,
                          SANDBOX,
                          NULL};
    CLEANUP(close_p) int disk = short_file(rq->dir);
    int status;

    if (disk < 0)
        return -errno;
    buf_clear(out);
    const struct run r = {.argv = argv,
                          .fds = &disk,
                          .n_fds = 1,
                          .timeout_ms = io_uring ? IO_URING_MS : ABILITY_MS,
                          .input = "{\"execute\":\"qmp_capabilities\"}\n"
                                   "{\"execute\":\"human-monitor-command\",\"arguments\":"
                                   "{\"command-line\":\"qemu-io d \\\"read 512 512\\\"\"}}\n"
                                   "{\"execute\":\"quit\"}\n"};
    int e = run(&r, out, &status);
    if (e)
        return e;
    if (!WIFEXITED(status) || WEXITSTATUS(status) || !read_version(buf_cstr(out), version, size))
        return -EIO;
    return 0;
}

static enum err find_abilities(const struct accel_request *rq, struct accel_result *ret,
                               struct fail *f)
{
    static const struct {
        bool sandbox, io_uring;
    } ways[] = {{true, true}, {true, false}, {false, false}};
    CLEANUP(buf_done) struct buf out = {0};
    int e = 0;

    for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
        e = try_abilities(rq, ways[i].sandbox, ways[i].io_uring, &out, ret->version,
                          sizeof(ret->version));
        if (e && e != -EIO && e != -ETIMEDOUT)
            break;
        ret->platform.sandbox = ways[i].sandbox;
        ret->platform.io_uring = ways[i].io_uring;
        if (!e)
            return ERR_NONE;
    }
    if (e == -ENOENT)
        return fail(f, ERR_UNAVAILABLE, "%s is not installed", rq->qemu);
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    const char *why = reason_of(a, buf_cstr(&out));
    return fail(f, ERR_UNAVAILABLE, "%s does not run: %s", rq->qemu, why ? why : strerror(-e));
}

/* ---- the CPU's clock ---- */

static uint64_t tsc(void)
{
    return __builtin_ia32_rdtsc();
}

static long long raw_ns(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC_RAW, &t); /* this clock is always there */
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* One instant on both clocks: of several tries the one that was interrupted least. */
static void instant(uint64_t *ret_tsc, long long *ret_ns)
{
    long long best = -1;

    for (int i = 0; i < 8; i++) {
        long long before = raw_ns();
        uint64_t t = tsc();
        long long after = raw_ns();

        if (best >= 0 && after - before >= best)
            continue;
        best = after - before;
        *ret_tsc = t;
        *ret_ns = before + best / 2;
    }
}

static int64_t measure_tsc_khz(void)
{
    struct timespec window = {.tv_nsec = TSC_WINDOW_MS * 1000000L};
    uint64_t t0, t1;
    long long n0, n1;

    instant(&t0, &n0);
    (void)clock_nanosleep(CLOCK_MONOTONIC, 0, &window, NULL); /* a shorter one serves as well */
    instant(&t1, &n1);
    return n1 > n0 ? (int64_t)((double)(t1 - t0) * 1e6 / (double)(n1 - n0)) : 0;
}

/* ---- what was found before ---- */

static void add_file(struct buf *b, const char *path, const char *prefix)
{
    char line[256];
    FILE *f = fopen(path, "re");

    if (!f)
        return;
    while (fgets(line, sizeof(line), f))
        if (str_starts(line, prefix)) {
            buf_add(b, line, strcspn(line, "\n"));
            break;
        }
    (void)fclose(f); /* only read */
}

/* Where PATH finds the program. */
static char *program_path(const char *qemu)
{
    const char *path = getenv("PATH");

    if (strchr(qemu, '/') || !path)
        return xstrdup(qemu);
    while (*path) {
        size_t n = strcspn(path, ":");
        char *at = xasprintf("%.*s/%s", (int)n, path, qemu);

        if (access(at, X_OK) == 0)
            return at;
        free(at);
        path += n + (path[n] == ':');
    }
    return xstrdup(qemu);
}

void accel_host(const struct accel_request *rq, struct buf *b)
{
    CLEANUP(free_p) char *program = program_path(rq->qemu);
    struct utsname u = {0};
    struct stat st = {0};

    (void)uname(&u);          /* cannot fail here */
    (void)stat(program, &st); /* zeroes: the run itself will say what is wrong */
    buf_fmt(b, "%s|", u.release);
    add_file(b, "/proc/cpuinfo", "model name");
    buf_fmt(b, "|%s %lld %lld %lld", program, (long long)st.st_size, (long long)st.st_mtim.tv_sec,
            (long long)st.st_mtim.tv_nsec);
}

/* Names everything that the answer depends on, without starting QEMU. */
static void cache_key(const struct accel_request *rq, struct buf *key)
{
    buf_fmt(key, "%d|%d|", PROBE_VERSION, (int)rq->wanted);
    add_file(key, "/proc/sys/kernel/random/boot_id", "");
    buf_char(key, '|');
    accel_host(rq, key);
    buf_fmt(key, "|%d|", access(rq->kvm_device, R_OK | W_OK));
}

static bool cache_read(const struct accel_request *rq, const char *key, struct accel_result *ret)
{
    CLEANUP(free_p) char *path = xasprintf("%s/" CACHE_NAME, rq->dir);
    CLEANUP(json_free_p) json_t *j = json_load_file(path, 0, NULL);
    const char *k, *version, *why;
    int kvm, cpu_host, sandbox, io_uring;
    json_int_t khz;

    if (!j || json_unpack(j, "{s:s,s:s,s:s,s:b,s:b,s:b,s:b,s:I}", "key", &k, "version", &version,
                          "why", &why, "kvm", &kvm, "cpu_host", &cpu_host, "sandbox", &sandbox,
                          "io_uring", &io_uring, "tsc_khz", &khz) < 0)
        return false;
    if (!streq(k, key))
        return false;
    *ret = (struct accel_result){.platform = {.kvm = kvm,
                                              .cpu_host = cpu_host,
                                              .sandbox = sandbox,
                                              .io_uring = io_uring,
                                              .tsc_khz = khz},
                                 .verdict = {.kvm = kvm, .sure = true},
                                 .cached = true};
    (void)snprintf(ret->version, sizeof(ret->version), "%s", version);
    (void)snprintf(ret->verdict.why, sizeof(ret->verdict.why), "%s", why);
    return true;
}

/* Losing the cache costs a probe at the next start, so failure is not reported. */
static void cache_write(const struct accel_request *rq, const char *key,
                        const struct accel_result *found)
{
    CLEANUP(free_p) char *path = xasprintf("%s/" CACHE_NAME, rq->dir);
    CLEANUP(free_p) char *tmp = xasprintf("%s.tmp", path);
    const struct platform *p = &found->platform;
    CLEANUP(json_free_p)
    json_t *j =
        json_pack("{s:s,s:s,s:s,s:b,s:b,s:b,s:b,s:I}", "key", key, "version", found->version, "why",
                  found->verdict.why, "kvm", (int)p->kvm, "cpu_host", (int)p->cpu_host, "sandbox",
                  (int)p->sandbox, "io_uring", (int)p->io_uring, "tsc_khz", (json_int_t)p->tsc_khz);

    if (j && json_dump_file(j, tmp, JSON_INDENT(2)) == 0)
        (void)rename(tmp, path);
}

/* ---- all together ---- */

enum err accel_find(const struct accel_request *rq, struct accel_result *ret, struct fail *f)
{
    struct host host = {.rq = rq, .platform = &ret->platform};
    const struct accel_probes probes = {
        .device = try_device, .firmware = try_firmware, .kernel = try_kernel, .arg = &host};
    CLEANUP(buf_done) struct buf key = {0};

    *ret = (struct accel_result){0};
    cache_key(rq, &key);
    if (cache_read(rq, buf_cstr(&key), ret))
        return ERR_NONE;
    enum err e = find_abilities(rq, ret, f);
    if (e)
        return e;
    ret->platform.tsc_khz = measure_tsc_khz();
    accel_decide(rq->wanted, &probes, &ret->verdict);
    ret->platform.kvm = ret->verdict.kvm;
    if (ret->verdict.sure)
        cache_write(rq, buf_cstr(&key), ret);
    return ERR_NONE;
}

void accel_demote(const struct accel_request *rq, struct accel_result *now, const char *why)
{
    CLEANUP(buf_done) struct buf key = {0};

    now->platform.kvm = false;
    now->verdict = (struct verdict){.kvm = false, .sure = true};
    (void)snprintf(now->verdict.why, sizeof(now->verdict.why), "%s", why);
    cache_key(rq, &key);
    cache_write(rq, buf_cstr(&key), now);
}
