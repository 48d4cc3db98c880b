/*
 * `ostler doctor`: what this computer lacks to run machines. Each check is a row of the table at
 * the end; it says what it found and, when that is not well, what to do.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <time.h>

#include "cli/run.h"
#include "cli/server.h"
#include "cli/text.h"

enum level { OK, WARN, FAIL };

struct finding {
    enum level level;
    const char *what;
    const char *todo; /* NULL when all is well */
};

#define FOUND(l, w)       ((struct finding){.level = (l), .what = (w)})
#define ADVISE(l, w, ...) ((struct finding){.level = (l), .what = (w), .todo = __VA_ARGS__})

static const char *say(const struct cli *c, const char *fmt, ...) PRINTF(2, 3);

static const char *say(const struct cli *c, const char *fmt, ...)
{
    struct buf b = {0};
    va_list ap;

    va_start(ap, fmt);
    buf_vfmt(&b, fmt, ap);
    va_end(ap);
    const char *s = arena_str(c->arena, b.data);
    buf_done(&b);
    return s;
}

/* ---- KVM ---- */

#define SLOW "machines run, but some ten times slower (TCG)"

static struct finding no_kvm(const struct cli *c, int err)
{
    if (err == EACCES)
        return ADVISE(WARN, "/dev/kvm may not be opened by this user; " SLOW,
                      "sudo usermod -aG kvm \"$USER\", then log in again");
    if (err == ENOENT)
        return ADVISE(WARN, "there is no /dev/kvm; " SLOW,
                      "switch virtualisation on in the firmware, or, in a cloud, take a host that "
                      "allows nested virtualisation");
    return ADVISE(WARN, say(c, "/dev/kvm does not work (%s); " SLOW, strerror(err)),
                  "see the kernel's log: dmesg | grep -i kvm");
}

static struct finding kvm_refuses(const struct cli *c, const char *why)
{
    return ADVISE(WARN, say(c, "%s; " SLOW, why),
                  "in a cloud, take a host that offers nested virtualisation, or bare metal");
}

static const char *data_dir(const struct cli *c);

/*
 * A device that opens, and even runs small programs, may still run no machine: that is common in
 * nested clouds. Only trying tells; else what the server found when it tried.
 */
static struct finding try_kvm(struct cli *c)
{
    const char *verdict = say(c, "%s/accel.json", data_dir(c));
    CLEANUP(json_free_p) json_t *found = json_load_file(verdict, 0, NULL);
    char why[256] = "";

    if (c->env->kvm_works) {
        if (c->env->kvm_works(why, sizeof(why)))
            return FOUND(OK, "it runs machines");
        return kvm_refuses(c, why);
    }
    if (json_is_false(json_object_get(found, "kvm")))
        return kvm_refuses(c, json_text(found, "why"));
    if (json_is_true(json_object_get(found, "kvm")))
        return FOUND(OK, "the server has run machines under it");
    return FOUND(OK, "/dev/kvm opens; `ostler serve` tries whether it runs machines");
}

static struct finding check_kvm(struct cli *c)
{
    CLEANUP(close_p) int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);

    if (kvm < 0)
        return no_kvm(c, errno);
    if (ioctl(kvm, KVM_GET_API_VERSION, 0) != KVM_API_VERSION)
        return no_kvm(c, EPROTO);
    CLEANUP(close_p) int vm = ioctl(kvm, KVM_CREATE_VM, 0);
    return vm < 0 ? no_kvm(c, errno) : try_kvm(c);
}

/* ---- tools and libraries ---- */

/* The first "N.N..." of a text; NULL: none. */
static const char *version_in(const struct cli *c, const char *text)
{
    for (; *text; text++)
        if (isdigit((unsigned char)*text) && strchr(text, '.'))
            return arena_strn(c->arena, text, strspn(text, "0123456789."));
    return NULL;
}

static struct finding check_tool(struct cli *c, const char *tool, const char *package, int least)
{
    char *argv[] = {(char *)tool, (char *)"--version", NULL};
    CLEANUP(buf_done) struct buf out = {0};
    const char *install = say(c,
                              "install it: on Debian, apt install %s; without it "
                              "`ostler serve --engine sim` works",
                              package);
    int status = run_tool(argv, &out);

    if (status == -ENOENT)
        return ADVISE(FAIL, say(c, "%s is not installed", tool), install);
    const char *version = status ? NULL : version_in(c, buf_cstr(&out));
    if (!version)
        return ADVISE(FAIL, say(c, "%s --version failed (%d)", tool, status), install);
    if (strtol(version, NULL, 10) < least)
        return ADVISE(WARN, say(c, "%s is version %s", tool, version),
                      say(c, "nothing before %d.0 was tried; take a newer one", least));
    return FOUND(OK, say(c, "version %s", version));
}

static struct finding check_qemu(struct cli *c)
{
    return check_tool(c, "qemu-system-x86_64", "qemu-system-x86", 7);
}

static struct finding check_qemu_img(struct cli *c)
{
    return check_tool(c, "qemu-img", "qemu-utils", 7);
}

static struct finding check_slirp(struct cli *c)
{
    void *library = dlopen("libslirp.so.0", RTLD_LAZY | RTLD_LOCAL);
    const char *(*version)(void) = NULL;

    if (library)
        *(void **)&version = dlsym(library, "slirp_version_string");
    if (!version)
        return ADVISE(FAIL, "libslirp cannot be loaded; guests would have no network",
                      "install it: on Debian, apt install libslirp0");
    return FOUND(OK, say(c, "version %s", version()));
}

/* ---- room ---- */

/* Where the data directory is or would be made. */
static const char *data_dir(const struct cli *c)
{
    const char *dir = c->values[OPT_DATA];

    if (!dir)
        dir = getenv("OSTLER_DATA");
    if (str_empty(dir))
        dir = access("./var", F_OK) == 0 || access("/var/lib/ostler", F_OK) < 0 ? "./var"
                                                                                : "/var/lib/ostler";
    return dir;
}

static const char *existing_parent(const struct cli *c, const char *path)
{
    char *at = arena_str(c->arena, path);

    while (access(at, F_OK) < 0) {
        char *slash = strrchr(at, '/');

        if (!slash)
            return ".";
        if (slash == at)
            return "/";
        *slash = 0;
    }
    return at;
}

static struct finding check_disk_space(struct cli *c)
{
    const uint64_t gib = (uint64_t)1 << 30;
    const char *dir = existing_parent(c, data_dir(c));
    struct statvfs fs;

    if (statvfs(dir, &fs) < 0)
        return ADVISE(FAIL, say(c, "%s: %s", dir, strerror(errno)), "name another with --data DIR");
    uint64_t room = (uint64_t)fs.f_bavail * fs.f_frsize;
    const char *what = say(c, "%s free in %s", text_size(room), dir);
    if (room < gib)
        return ADVISE(FAIL, what, "make room, or name another place with --data DIR");
    if (room < 10 * gib)
        return ADVISE(WARN, what, "a full system's disk grows by gigabytes; make room");
    return FOUND(OK, what);
}

static uint64_t available_memory(void)
{
    FILE *f = fopen("/proc/meminfo", "re");
    char line[128];
    unsigned long long kib = 0;

    while (f && fgets(line, sizeof(line), f))
        if (str_starts(line, "MemAvailable:"))
            kib = strtoull(line + strlen("MemAvailable:"), NULL, 10);
    if (f)
        (void)fclose(f);
    return (uint64_t)kib * 1024;
}

static struct finding check_memory(struct cli *c)
{
    const uint64_t mib = (uint64_t)1 << 20;
    uint64_t memory = available_memory();
    const char *what = say(c, "%s available", text_size(memory));

    if (memory < 256 * mib)
        return ADVISE(FAIL, what, "end something: no machine fits in");
    if (memory < 1024 * mib)
        return ADVISE(WARN, what, "only the smallest machines fit in");
    return FOUND(OK, what);
}

/* ---- the port ---- */

enum { PORT = 8470 };

/* The inode of the socket that listens on the port, from one of the kernel's lists; 0: none. */
static unsigned long long listener_inode(const char *list)
{
    FILE *f = fopen(list, "re");
    char line[512];
    unsigned long long found = 0;

    while (f && !found && fgets(line, sizeof(line), f)) {
        unsigned port, state;
        unsigned long long inode;

        if (sscanf(line,
                   " %*d: %*[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%*x %x %*x:%*x %*x:%*x %*x %*d %*d %llu",
                   &port, &state, &inode) == 3 &&
            port == PORT && state == 10 /* LISTEN */)
            found = inode;
    }
    if (f)
        (void)fclose(f);
    return found;
}

static bool holds(const struct cli *c, const char *pid, const char *socket)
{
    const char *dir = say(c, "/proc/%s/fd", pid);
    DIR *d = opendir(dir);
    const struct dirent *entry;
    bool found = false;

    while (d && !found && (entry = readdir(d))) {
        char target[64];
        ssize_t n = readlinkat(dirfd(d), entry->d_name, target, sizeof(target) - 1);

        target[n > 0 ? n : 0] = 0;
        found = streq(target, socket);
    }
    if (d)
        (void)closedir(d);
    return found;
}

static const char *name_of(const struct cli *c, const char *pid)
{
    char name[32] = "?";
    CLEANUP(close_p) int fd = open(say(c, "/proc/%s/comm", pid), O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, name, sizeof(name) - 1);

    if (n > 0)
        name[n] = 0;
    name[strcspn(name, "\n")] = 0;
    return arena_str(c->arena, name);
}

/* "nginx, pid 123"; NULL when it cannot be seen. */
static const char *port_holder(const struct cli *c)
{
    unsigned long long inode = listener_inode("/proc/net/tcp");
    DIR *d = opendir("/proc");
    const struct dirent *entry;
    const char *found = NULL;

    if (!inode)
        inode = listener_inode("/proc/net/tcp6");
    const char *socket_name = say(c, "socket:[%llu]", inode);
    while (d && inode && !found && (entry = readdir(d)))
        if (isdigit((unsigned char)*entry->d_name) && holds(c, entry->d_name, socket_name))
            found = say(c, "%s, pid %s", name_of(c, entry->d_name), entry->d_name);
    if (d)
        (void)closedir(d);
    return found;
}

/* Binding tells what listening would; a port that closes slowly is free for a server, too. */
static struct finding check_port(struct cli *c)
{
    struct sockaddr_in at = {
        .sin_family = AF_INET, .sin_port = htons(PORT), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    CLEANUP(close_p) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int yes = 1;

    if (fd < 0)
        return ADVISE(FAIL, say(c, "no TCP socket: %s", strerror(errno)), "look at ulimit -n");
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    if (bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0)
        return FOUND(OK, say(c, "%d is free", PORT));
    if (errno != EADDRINUSE)
        return ADVISE(FAIL, say(c, "%d cannot be used: %s", PORT, strerror(errno)),
                      "listen elsewhere: ostler serve --listen 127.0.0.1:0");
    const char *holder = port_holder(c);
    if (holder && str_starts(holder, "ostler,"))
        return FOUND(OK, say(c, "%d is a server's already (%s)", PORT, holder));
    return ADVISE(WARN,
                  say(c, "%d is taken by %s", PORT, holder ? holder : "another user's process"),
                  "end that, or listen elsewhere: ostler serve --listen 127.0.0.1:0");
}

/* ---- the clock ---- */

static struct finding check_clock(struct cli *c)
{
    enum { YEAR_OF_THIS_PROGRAM = 2025 };
    struct timex state = {0};
    time_t now = time(NULL);
    struct tm tm;
    char text[40];

    (void)gmtime_r(&now, &tm);
    (void)strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S UTC", &tm);
    if (tm.tm_year + 1900 < YEAR_OF_THIS_PROGRAM)
        return ADVISE(FAIL, say(c, "it says %s", text),
                      "set it: signatures made by a clock that is right would be refused");
    if (adjtimex(&state) == TIME_ERROR)
        return ADVISE(WARN,
                      say(c, "it says %s; the kernel does not know that anybody keeps it", text),
                      "let systemd-timesyncd or chrony keep it: signatures from elsewhere are "
                      "refused when clocks differ by minutes");
    return FOUND(OK, say(c, "kept; it says %s", text));
}

/* ---- the data directory ---- */

static const struct {
    const char *name;
    mode_t most; /* permission bits that may be set */
} guarded[] = {{"master.key", 0600}, {"ca.key", 0600}, {"server.key", 0600}};

static struct finding check_data_dir(struct cli *c)
{
    const char *dir = data_dir(c);
    struct stat st;

    if (stat(dir, &st) < 0) {
        const char *parent = existing_parent(c, dir);

        if (errno == ENOENT && access(parent, W_OK) == 0)
            return FOUND(OK, say(c, "%s is made at the first start", dir));
        return ADVISE(FAIL, say(c, "%s cannot be made in %s: %s", dir, parent, strerror(errno)),
                      "name another place with --data DIR");
    }
    if (!S_ISDIR(st.st_mode))
        return ADVISE(FAIL, say(c, "%s is not a directory", dir), "name another with --data DIR");
    if (st.st_uid != geteuid() && geteuid() != 0)
        return ADVISE(WARN, say(c, "%s belongs to another user", dir), "run this as that user");
    if (st.st_mode & 077)
        return ADVISE(WARN, say(c, "others may look into %s (mode %03o)", dir, st.st_mode & 0777),
                      say(c, "chmod 700 %s", dir));
    for (size_t i = 0; i < ARRAY_LEN(guarded); i++) {
        const char *path = say(c, "%s/%s", dir, guarded[i].name);
        mode_t mode = stat(path, &st) == 0 ? st.st_mode & 0777 : 0;

        if (mode & ~guarded[i].most)
            return ADVISE(FAIL, say(c, "others may read %s (mode %03o)", path, mode),
                          say(c, "chmod %03o %s", guarded[i].most, path));
    }
    return FOUND(OK, say(c, "%s is this user's alone", dir));
}

/* ---- the images ---- */

static struct finding check_images(struct cli *c)
{
    const char *dir = say(c, "%s/images", data_dir(c));
    DIR *d = opendir(dir);
    const struct dirent *entry;
    size_t n = 0;

    while (d && (entry = readdir(d)))
        n += *entry->d_name != '.' &&
             access(say(c, "%s/%s/image.json", dir, entry->d_name), R_OK) == 0;
    if (d)
        (void)closedir(d);
    if (n)
        return FOUND(OK, say(c, "%zu in %s", n, dir));
    return ADVISE(WARN, say(c, "there is none in %s", dir),
                  "build the small one with guest/build.sh, or add one to a running server: ostler "
                  "image import PATH");
}

/* ---- all of them ---- */

static const struct {
    const char *name;
    struct finding (*check)(struct cli *c);
} checks[] = {
    {"KVM", check_kvm},
    {"QEMU", check_qemu},
    {"qemu-img", check_qemu_img},
    {"libslirp", check_slirp},
    {"disk space", check_disk_space},
    {"memory", check_memory},
    {"port", check_port},
    {"clock", check_clock},
    {"data directory", check_data_dir},
    {"guest image", check_images},
};

static const char *const levels[] = {[OK] = "ok", [WARN] = "warn", [FAIL] = "fail"};

static void print_finding(const char *name, const struct finding *f)
{
    (void)printf("%-5s %-15s %s\n", levels[f->level], name, f->what);
    if (f->todo)
        (void)printf("%-5s %-15s -> %s\n", "", "", f->todo);
}

static int doctor(struct cli *c)
{
    CLEANUP(json_free_p) json_t *all = json_array();
    int exit = CLI_OK;

    for (size_t i = 0; i < ARRAY_LEN(checks); i++) {
        struct finding f = checks[i].check(c);

        if (f.level == FAIL)
            exit = CLI_FAILED;
        if (!given(c, OPT_JSON)) {
            print_finding(checks[i].name, &f);
            continue;
        }
        (void)json_array_append_new(all, json_pack("{s:s, s:s, s:s, s:s?}", "check", checks[i].name,
                                                   "level", levels[f.level], "found", f.what,
                                                   "todo", f.todo));
    }
    if (given(c, OPT_JSON))
        print_json(all);
    return exit;
}

const struct verb verbs_doctor[] = {
    {.name = "doctor",
     .args = "",
     .opts = OPTS(OPT_JSON, OPT_DATA),
     .summary = "Check what this computer has and lacks",
     .more = "Each line is ok, warn (it works, less well) or fail (it does not); below it stands "
             "what to do. Exits with 1 when something fails.",
     .example = "ostler doctor",
     .run = doctor},
    {.name = NULL},
};
