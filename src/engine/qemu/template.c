/* Templates as files: keys, what is in a directory, command lines, the line for the guest. */
#include "engine/qemu/template.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <time.h>

#include "base/crypto.h"
#include "base/util.h"
#include "engine/qemu/spec.h"
#include "engine/qemu/vm.h"
#include "engine/qemu/vmdir.h"
#include "engine/switch/frame.h"
#include "net/child.h"

enum {
    MAX_MEMORY_MIB = 8192,
    MAX_TEMPLATES = 16,
    MAX_STATE = 16 << 20,
    MANIFEST_VERSION = 1,
    MAX_SSH_KEY = 16000, /* the guest takes 16 KiB */
    UNUSED_S = 30 * 24 * 3600,
    RANDOM_LEN = 64,
};

#define MAX_BYTES (4LL << 30) /* of all templates on the disk */
#define BLANK     "driver=null-co,node-name=%.*s,read-zeroes=on,size=%lld"
#define MAC       "02:00:00:00:00:01" /* of nobody: the guest gets its own before it is up */

static void json_free_p(json_t **j)
{
    json_decref(*j);
}

/* ---- asking ---- */

struct template_ask *template_ask_new(const struct engine *e)
{
    if (!e->templates)
        return NULL;
    struct template_ask *ask = xcalloc(1, sizeof(*ask));
    *ask = (struct template_ask){.dir = xstrdup(e->dir),
                                 .host = xstrdup(templates_host(e->templates)),
                                 .platform = e->accel.platform,
                                 .ram = -1,
                                 .state = -1};
    return ask;
}

void template_ask_free(struct template_ask *ask)
{
    if (!ask)
        return;
    close_p(&ask->ram);
    close_p(&ask->state);
    free(ask->dir);
    free(ask->host);
    free(ask);
}

struct machine *template_machine(struct arena *a, const struct machine *m)
{
    struct machine *t = ARENA_NEW(a, struct machine);
    struct machine_disk *disks = ARENA_ARRAY(a, struct machine_disk, m->n_disks + 1);

    for (size_t i = 0; i < m->n_disks; i++)
        disks[i] = (struct machine_disk){.id = arena_fmt(a, "t-%zu", i),
                                         .category = "",
                                         .kind = i ? DISK_DATA : DISK_SYSTEM,
                                         .size_gib = m->disks[i].size_gib};
    *t = (struct machine){.id = "template",
                          .cpu = m->cpu,
                          .memory_mib = m->memory_mib,
                          .direct_kernel = m->direct_kernel,
                          .disks = disks,
                          .n_disks = m->n_disks,
                          .mac = MAC,
                          .serial = ""};
    return t;
}

static bool add_file(struct buf *b, const char *path)
{
    struct stat st;

    if (!path || stat(path, &st) < 0)
        return false;
    buf_fmt(b, "%s %llu %lld %lld.%09ld\n", path, (unsigned long long)st.st_ino,
            (long long)st.st_size, (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
    return true;
}

static void find_key(struct template_ask *ask, const struct machine *m,
                     const struct image_files *image)
{
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    CLEANUP(buf_done) struct buf text = {0};

    if (!image->is_template || !m->direct_kernel || m->memory_mib > MAX_MEMORY_MIB ||
        !streq(args_machine_type(m), "microvm"))
        return;
    buf_fmt(&text, "%d\n%s\n", MANIFEST_VERSION, ask->host);
    if (!add_file(&text, image->kernel) || !add_file(&text, image->initrd))
        return;
    for (char **arg = args_build(a, template_machine(a, m), image, &ask->platform); *arg; arg++)
        buf_fmt(&text, "%s\n", *arg);
    for (size_t i = 0; i < m->n_disks; i++)
        buf_fmt(&text, "%lld\n", (long long)m->disks[i].size_gib);
    (void)snprintf(ask->key, sizeof(ask->key), "%s", sha256_hex(a, text.data, text.len));
}

/* ---- a template's directory ---- */

static int open_all(const char *dir)
{
    CLEANUP(free_p) char *path = xasprintf("%s/templates", dir);
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    return fd < 0 ? -errno : fd;
}

static int open_file(int at, const char *name, int flags)
{
    return openat(at, name, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
}

static char *hash_of(struct arena *a, int fd)
{
    struct stat st;

    if (fstat(fd, &st) < 0 || st.st_size <= 0 || st.st_size > MAX_STATE)
        return NULL;
    size_t size = (size_t)st.st_size;
    void *data = arena_alloc(a, size);
    return pread(fd, data, size, 0) == (ssize_t)size ? sha256_hex(a, data, size) : NULL;
}

/* The memory's time tells that nobody wrote to it since: to hash it would take longer than a boot.
 */
static json_t *describe(struct arena *a, const char *key, int ram, int state)
{
    struct stat st;
    const char *hash = hash_of(a, state);

    if (!hash || fstat(ram, &st) < 0)
        return NULL;
    return json_pack("{s:i,s:s,s:I,s:I,s:I,s:s}", "version", MANIFEST_VERSION, "key", key,
                     "ramBytes", (json_int_t)st.st_size, "ramSeconds",
                     (json_int_t)st.st_mtim.tv_sec, "ramNanoseconds",
                     (json_int_t)st.st_mtim.tv_nsec, "stateSha256", hash);
}

static json_t *read_manifest(int at)
{
    int fd = open_file(at, "manifest.json", O_RDONLY);
    json_t *j = fd < 0 ? NULL : json_loadfd(fd, 0, NULL);

    close_p(&fd);
    return j;
}

static const char *open_template(struct template_ask *ask, int at)
{
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    CLEANUP(json_free_p) json_t *said = read_manifest(at);

    /* QEMU opens the memory for writing even where it maps it privately. */
    ask->ram = open_file(at, "ram", O_RDWR);
    ask->state = open_file(at, "state", O_RDONLY);
    if (ask->ram < 0 || ask->state < 0 || !said)
        return "a file of it is missing";
    CLEANUP(json_free_p) json_t *found = describe(a, ask->key, ask->ram, ask->state);
    if (!found || !json_equal(said, found))
        return "it is not what its manifest says";
    (void)utimensat(at, "manifest.json", NULL, 0); /* used; else it goes earlier than it should */
    return NULL;
}

void template_look(struct template_ask *ask, const struct machine *m,
                   const struct image_files *image)
{
    find_key(ask, m, image);
    CLEANUP(close_p) int all = *ask->key ? open_all(ask->dir) : -1;
    if (all < 0)
        return;
    CLEANUP(close_p) int at = open_file(all, ask->key, O_RDONLY | O_DIRECTORY);
    if (at < 0 || !(ask->broken = open_template(ask, at)))
        return;
    close_p(&ask->ram);
    close_p(&ask->state);
    ask->ram = ask->state = -1;
    template_remove(ask->dir, ask->key);
}

void template_remove(const char *dir, const char *name)
{
    CLEANUP(close_p) int all = open_all(dir);

    if (all >= 0)
        (void)vmdir_remove_at(all, name); /* what stays is tried again by the next sweep */
}

/* ---- not too many ---- */

struct entry {
    char name[TEMPLATE_KEY_SIZE];
    struct timespec used;
    long long bytes;
};

static long long bytes_of(int at, const char *name)
{
    struct stat st;

    return fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ? 0 : (long long)st.st_blocks * 512;
}

static int by_use(const void *a_, const void *b_)
{
    const struct timespec *a = &((const struct entry *)a_)->used;
    const struct timespec *b = &((const struct entry *)b_)->used;

    if (a->tv_sec != b->tv_sec)
        return a->tv_sec < b->tv_sec ? 1 : -1;
    return (a->tv_nsec < b->tv_nsec) - (a->tv_nsec > b->tv_nsec);
}

/* All finished templates, the last used first. */
static struct entry *list(int all, size_t *ret_n)
{
    int copy = openat(all, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = copy < 0 ? NULL : fdopendir(copy);
    struct entry *entries = NULL;
    size_t n = 0;

    if (!d)
        close_p(&copy);
    for (struct dirent *e; d && (e = readdir(d));) {
        struct stat st = {0};

        if (strlen(e->d_name) != TEMPLATE_KEY_SIZE - 1)
            continue;
        CLEANUP(close_p) int at = open_file(all, e->d_name, O_RDONLY | O_DIRECTORY);
        if (at < 0)
            continue;
        (void)fstatat(at, "manifest.json", &st, AT_SYMLINK_NOFOLLOW); /* without: the oldest */
        entries = xrealloc(entries, (n + 1) * sizeof(*entries));
        entries[n] = (struct entry){.used = st.st_mtim,
                                    .bytes = bytes_of(at, "ram") + bytes_of(at, "state")};
        memcpy(entries[n++].name, e->d_name, TEMPLATE_KEY_SIZE);
    }
    if (d)
        (void)closedir(d); /* only read */
    if (n)
        qsort(entries, n, sizeof(*entries), by_use);
    *ret_n = n;
    return entries;
}

static void keep_within(int all, time_t oldest)
{
    long long bytes = 0;
    size_t n;
    struct entry *entries = list(all, &n);

    for (size_t i = 0; i < n; i++) {
        bytes += entries[i].bytes;
        if (i >= MAX_TEMPLATES || bytes > MAX_BYTES || entries[i].used.tv_sec < oldest)
            (void)vmdir_remove_at(all, entries[i].name); /* again at the next sweep */
    }
    free(entries);
}

/* ---- making sure ---- */

static int seal(struct arena *a, int all, const char *unfinished, const char *key)
{
    CLEANUP(close_p) int at = open_file(all, unfinished, O_RDONLY | O_DIRECTORY);
    CLEANUP(close_p) int ram = at < 0 ? -1 : open_file(at, "ram", O_RDONLY);
    CLEANUP(close_p) int state = at < 0 ? -1 : open_file(at, "state", O_RDONLY);

    if (at >= 0) {
        vmdir_tidy(at);
        (void)unlinkat(at, "serial.log", 0); /* what QEMU said stays */
    }
    /* First on the disk: writing back what QEMU mapped sets the file's time. */
    if (ram < 0 || state < 0 || fsync(ram) < 0 || fsync(state) < 0)
        return -errno;
    CLEANUP(json_free_p) json_t *j = describe(a, key, ram, state);
    CLEANUP(free_p) char *text = j ? json_dumps(j, JSON_INDENT(2)) : NULL;
    if (!text)
        return -EIO;
    int e = vmdir_write(at, "manifest.json", text);
    if (e)
        return e;
    return fsync(at) < 0 || renameat(all, unfinished, all, key) < 0 || fsync(all) < 0 ? -errno : 0;
}

const char *template_seal(struct arena *a, const char *dir, const char *unfinished, const char *key)
{
    CLEANUP(close_p) int all = open_all(dir);
    int e = all < 0 ? all : seal(a, all, unfinished, key);

    if (e)
        return arena_fmt(a, "it cannot be written: %s", strerror(-e));
    keep_within(all, 0);
    return faccessat(all, key, F_OK, 0) == 0 ? NULL : "it takes more room than all may";
}

/* The QEMU that a killed daemon had left at the template point. */
static void end_maker(int at)
{
    CLEANUP(close_p) int lock = vmdir_lock(at);
    pid_t pid = lock == -EWOULDBLOCK ? vmdir_holder(at) : 0;
    CLEANUP(close_p) int pidfd = pid > 0 ? pidfd_open(pid, 0) : -1;

    if (pidfd >= 0 && vmdir_holds(at, pid))
        (void)child_kill(pidfd, SIGKILL); /* gone meanwhile: as well */
}

static void sweep_unfinished(int all)
{
    int copy = openat(all, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = copy < 0 ? NULL : fdopendir(copy);

    if (!d)
        close_p(&copy);
    for (struct dirent *e; d && (e = readdir(d));) {
        if (e->d_name[0] != '.' || streq(e->d_name, ".") || streq(e->d_name, ".."))
            continue;
        CLEANUP(close_p) int at = open_file(all, e->d_name, O_RDONLY | O_DIRECTORY);
        if (at >= 0)
            end_maker(at);
        (void)vmdir_remove_at(all, e->d_name); /* again at the next start */
    }
    if (d)
        (void)closedir(d); /* only read */
}

void template_sweep(const char *dir)
{
    CLEANUP(close_p) int all = open_all(dir);

    if (all < 0)
        return;
    sweep_unfinished(all);
    keep_within(all, time(NULL) - UNUSED_S);
}

/* ---- command lines ---- */

static size_t count(char **argv)
{
    size_t n = 0;

    while (argv[n])
        n++;
    return n;
}

/* A copy with room, whose machine type takes its memory from the object that is added. */
static char **with_memory(struct arena *a, char **argv, const struct machine *m, const char *path,
                          bool shared, size_t *ret_n)
{
    size_t n = count(argv);
    char **out = ARENA_ARRAY(a, char *, n + 8);

    for (size_t i = 0; i < n; i++)
        out[i] = i && streq(argv[i - 1], "-M") ? arena_fmt(a, "%s,memory-backend=ram", argv[i])
                                               : argv[i];
    out[n++] = arena_str(a, "-object");
    out[n++] = arena_fmt(a, "memory-backend-file,id=ram,mem-path=%s,size=%lldM,share=%s", path,
                         (long long)m->memory_mib, shared ? "on" : "off");
    *ret_n = n;
    return out;
}

char **template_restore_args(struct arena *a, char **argv, const struct machine *m, int fd)
{
    size_t n;
    char **out = with_memory(a, argv, m, arena_fmt(a, "/proc/self/fd/%d", fd), false, &n);

    out[n++] = arena_str(a, "-incoming");
    out[n++] = arena_str(a, "defer");
    out[n] = NULL;
    return out;
}

char **template_make_args(struct arena *a, char **argv, const struct machine *m)
{
    static const char node[] = "node-name=";
    size_t n, disk = 0;
    char **out = with_memory(a, argv, m, arena_fmt(a, "/proc/self/fd/%d/ram", FD_DIR), true, &n);

    for (size_t i = 1; i < n; i++) {
        const char *name = strstr(out[i], node);

        if (streq(out[i - 1], "-append"))
            out[i] = arena_fmt(a, "%s ostler.template=1", out[i]);
        if (!streq(out[i - 1], "-blockdev") || !name || disk >= m->n_disks)
            continue;
        name += sizeof(node) - 1;
        out[i] = arena_fmt(a, BLANK, (int)strcspn(name, ","), name,
                           (long long)m->disks[disk++].size_gib << 30);
    }
    out[n] = NULL;
    return out;
}

/* ---- the line ---- */

static bool is_word(const char *s)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

    return !str_empty(s) && strlen(s) < 64 && strspn(s, letters) == strlen(s);
}

static const char *text_at(const json_t *j, const char *name)
{
    return json_string_value(json_object_get(j, name));
}

static void add_address(struct buf *b, const char *word, uint32_t ip)
{
    buf_fmt(b, " %s=%u.%u.%u.%u", word, ip >> 24, ip >> 16 & 255, ip >> 8 & 255, ip & 255);
}

/* As engine/switch answers DHCP and metadata; what it would say otherwise than in plain words is
 * not said here, and then the guest asks. */
static void add_answers(struct buf *b, const struct machine *m)
{
    CLEANUP(json_free_p) json_t *j = json_loads(m->metadata, 0, NULL);
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    const char *id = text_at(j, "instance-id"), *name = text_at(j, "hostname");
    const char *key =
        text_at(json_object_get(json_object_get(j, "public-keys"), "0"), "openssh-key");
    struct frame_net net;

    if (frame_net_parse(m->cidr, &net) < 0 || !is_word(m->ip) || !is_word(id) || !is_word(name) ||
        (key && strlen(key) > MAX_SSH_KEY))
        return;
    buf_fmt(b, " address=%s", m->ip);
    add_address(b, "netmask", net.mask);
    add_address(b, "gateway", net.gateway);
    add_address(b, "dns", net.nameserver);
    buf_fmt(b, " mtu=%d id=%s hostname=%s key=%s userdata=%s", FRAME_MTU, id, name,
            key ? hex_encode(a, key, strlen(key)) : "-", str_empty(m->user_data) ? "no" : "yes");
}

void template_line(struct buf *b, const struct machine *m)
{
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    uint8_t random[RANDOM_LEN];
    struct timespec now;

    random_bytes(random, sizeof(random));
    (void)clock_gettime(CLOCK_REALTIME, &now); /* cannot fail */
    char *hex = hex_encode(a, random, sizeof(random));
    buf_reserve(b, 2 * (MAX_SSH_KEY + 1024)); /* it does not move: no copies of the secret */
    buf_fmt(b, "GO time=%lld.%09ld random=%s mac=%s", (long long)now.tv_sec, now.tv_nsec, hex,
            m->mac);
    wipe(hex, 2 * sizeof(random));
    wipe(random, sizeof(random));
    add_answers(b, m);
    buf_char(b, '\n');
}
