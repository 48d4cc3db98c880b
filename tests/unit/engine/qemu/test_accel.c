/* KVM or TCG: the decision with made-up results, the probe with a made-up QEMU, and the firmware in
 * the real one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/buf.h"
#include "engine/qemu/accel.h"
#include "engine/qemu/run.h"

/* Last: it defines fail as a macro. */
#include <cmocka.h>

/* ---- the decision ---- */

struct script {
    enum probe device, firmware, kernel;
    int asked;
};

static enum probe answer(struct script *s, enum probe p, const char *word, char *why, size_t size)
{
    s->asked++;
    if (p == PROBE_FAIL)
        (void)snprintf(why, size, "%s", word);
    return p;
}

static enum probe device(void *arg, char *why, size_t size)
{
    return answer(arg, ((struct script *)arg)->device, "no device", why, size);
}

static enum probe firmware(void *arg, char *why, size_t size)
{
    return answer(arg, ((struct script *)arg)->firmware, "bad firmware", why, size);
}

static enum probe kernel(void *arg, char *why, size_t size)
{
    return answer(arg, ((struct script *)arg)->kernel, "bad kernel", why, size);
}

static void test_decision(void **state)
{
    static const struct {
        enum accel wanted;
        struct script s;
        bool kvm, sure;
        const char *why;
        int asked;
    } cases[] = {
        {ACCEL_AUTO, {PROBE_PASS, PROBE_PASS, PROBE_PASS, 0}, true, true, "", 3},
        {ACCEL_AUTO, {PROBE_FAIL, PROBE_PASS, PROBE_PASS, 0}, false, true, "no device", 1},
        {ACCEL_AUTO, {PROBE_PASS, PROBE_FAIL, PROBE_PASS, 0}, false, true, "bad firmware", 2},
        {ACCEL_AUTO, {PROBE_PASS, PROBE_PASS, PROBE_FAIL, 0}, false, true, "bad kernel", 3},
        {ACCEL_AUTO, {PROBE_PASS, PROBE_SKIP, PROBE_FAIL, 0}, false, true, "bad kernel", 3},
        {ACCEL_AUTO,
         {PROBE_PASS, PROBE_PASS, PROBE_SKIP, 0},
         true,
         false,
         "not tried with a kernel yet",
         3},
        {ACCEL_KVM, {PROBE_FAIL, PROBE_FAIL, PROBE_FAIL, 0}, true, true, "as configured", 0},
        {ACCEL_TCG, {PROBE_PASS, PROBE_PASS, PROBE_PASS, 0}, false, true, "as configured", 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct script s = cases[i].s;
        const struct accel_probes probes = {device, firmware, kernel, &s};
        struct verdict v;

        accel_decide(cases[i].wanted, &probes, &v);
        assert_int_equal(v.kvm, cases[i].kvm);
        assert_int_equal(v.sure, cases[i].sure);
        assert_string_equal(v.why, cases[i].why);
        assert_int_equal(s.asked, cases[i].asked);
    }
}

/* ---- the probe, with a QEMU that is a script ---- */

/*
 * Counts its calls by kind; the files no-sandbox, slow-uring, bad-rom, slow-rom, bad-cpu and
 * bad-kernel beside it change what it does.
 */
static const char fake[] =
    "#!/bin/sh\n"
    "d=$(dirname \"$0\"); a=\" $* \"\n"
    "case $a in\n"
    "*isa-debug-exit*) echo rom >>$d/calls\n"
    "  [ -e $d/slow-rom ] && exec sleep 60\n"
    "  [ -e $d/bad-rom ] && exit 0\n"
    "  printf RPLK; exit 85;;\n"
    "*' -kernel '*) echo kernel >>$d/calls\n"
    "  case $a in *' host '*) [ -e $d/bad-cpu ] && exit 134;; esac\n"
    "  [ -e $d/bad-kernel ] && exit 1\n"
    "  echo 'Run /init as init process'; exec sleep 60;;\n"
    "*) echo version >>$d/calls\n"
    "  case $a in *io_uring*) [ -e $d/slow-uring ] && exec sleep 60;; esac\n"
    "  case $a in *sandbox*) [ -e $d/no-sandbox ] && { echo 'not compiled in' >&2; exit 1; };; "
    "esac\n"
    "  echo "
    "'{\"QMP\":{\"version\":{\"qemu\":{\"micro\":3,\"minor\":2,\"major\":9},\"package\":\"\"}}}'\n"
    "  cat >/dev/null;;\n"
    "esac\n";

struct place {
    char dir[64];
    char *qemu, *calls;
    struct accel_request rq;
};

static void put_file(const char *dir, const char *name, const char *text, mode_t mode)
{
    CLEANUP(free_p) char *path = xasprintf("%s/%s", dir, name);
    CLEANUP(close_p) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static void drop_file(const char *dir, const char *name)
{
    CLEANUP(free_p) char *path = xasprintf("%s/%s", dir, name);

    (void)unlink(path);
}

static int place_make(void **state)
{
    struct place *p = xcalloc(1, sizeof(*p));

    (void)snprintf(p->dir, sizeof(p->dir), "/tmp/ostler-accel-XXXXXX");
    assert_non_null(mkdtemp(p->dir));
    put_file(p->dir, "qemu", fake, 0755);
    p->qemu = xasprintf("%s/qemu", p->dir);
    p->calls = xasprintf("%s/calls", p->dir);
    /* Whether the device is a KVM is the real one's matter; the rest is asked of the script. */
    p->rq = (struct accel_request){.dir = p->dir,
                                   .qemu = p->qemu,
                                   .kvm_device = "/dev/kvm",
                                   .kernel = "/vmlinux",
                                   .firmware_ms = 500,
                                   .kernel_ms = 5000};
    *state = p;
    return 0;
}

static int place_remove(void **state)
{
    static const char *const names[] = {"qemu",       "calls",   "accel.json",
                                        "no-sandbox", "bad-rom", "slow-uring",
                                        "slow-rom",   "bad-cpu", "bad-kernel"};
    struct place *p = *state;

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        drop_file(p->dir, names[i]);
    (void)rmdir(p->dir);
    free(p->qemu);
    free(p->calls);
    free(p);
    return 0;
}

/* What the script was asked since the last time, one letter a call: v(ersion), r(om), k(ernel). */
static const char *calls(struct place *p)
{
    static char letters[32];
    char line[32];
    size_t n = 0;
    FILE *f = fopen(p->calls, "re");

    while (f && fgets(line, sizeof(line), f) && n + 1 < sizeof(letters))
        letters[n++] = line[0];
    letters[n] = 0;
    if (f)
        (void)fclose(f);
    (void)unlink(p->calls);
    return letters;
}

static struct accel_result ask(struct place *p)
{
    struct accel_result r;
    struct fail f = {0};

    if (accel_find(&p->rq, &r, &f))
        fail_msg("%s", f.detail);
    assert_string_equal(r.version, "9.2.3");
    assert_int_equal(r.platform.kvm, r.verdict.kvm);
    return r;
}

static void need_kvm_device(void)
{
    if (access("/dev/kvm", R_OK | W_OK) == 0)
        return;
    print_message("this host has no /dev/kvm to open\n");
    skip();
}

static void test_no_device(void **state)
{
    struct place *p = *state;

    p->rq.kvm_device = "/nonexistent/kvm";
    struct accel_result r = ask(p);
    assert_false(r.platform.kvm);
    assert_string_equal(r.verdict.why, "no /nonexistent/kvm");
    assert_string_equal(calls(p), "v");
    p->rq.kvm_device = "/dev/null";
    r = ask(p);
    assert_false(r.cached);
    assert_string_equal(r.verdict.why, "/dev/null speaks an unknown KVM version");
}

/* The second start asks nobody, until something changes. */
static void test_all_pass_and_cached(void **state)
{
    struct place *p = *state;

    need_kvm_device();
    struct accel_result r = ask(p);
    assert_true(r.platform.kvm && r.platform.cpu_host && r.platform.sandbox && r.platform.io_uring);
    assert_true(r.platform.tsc_khz > 100000 && r.platform.tsc_khz < 10000000);
    assert_false(r.cached);
    assert_string_equal(calls(p), "vrkk"); /* a kernel on each of the two machine types */
    struct accel_result again = ask(p);
    assert_true(again.cached && again.platform.kvm && again.platform.cpu_host);
    assert_int_equal(again.platform.tsc_khz, r.platform.tsc_khz);
    assert_string_equal(calls(p), "");
    p->rq.wanted = ACCEL_TCG;
    assert_false(ask(p).platform.kvm);
    assert_string_equal(calls(p), "v");
    p->rq.wanted = ACCEL_AUTO;
    put_file(p->dir, "qemu", fake, 0755); /* another QEMU: its time has changed */
    assert_false(ask(p).cached);
    put_file(p->dir, "accel.json", "{\"key\": 3", 0600);
    assert_false(ask(p).cached);
}

static void test_firmware_fails(void **state)
{
    struct place *p = *state;

    need_kvm_device();
    put_file(p->dir, "bad-rom", "", 0600);
    struct accel_result r = ask(p);
    assert_false(r.platform.kvm);
    assert_string_equal(r.verdict.why, "/dev/kvm is there but does not run a test firmware");
    assert_string_equal(calls(p), "vr");
    assert_true(ask(p).cached);
}

static void test_firmware_hangs(void **state)
{
    struct place *p = *state;

    need_kvm_device();
    put_file(p->dir, "slow-rom", "", 0600);
    struct accel_result r = ask(p);
    assert_false(r.platform.kvm);
    assert_string_equal(r.verdict.why, "/dev/kvm is there but hangs a test firmware");
}

static void test_kernel_fails(void **state)
{
    struct place *p = *state;

    need_kvm_device();
    put_file(p->dir, "bad-kernel", "", 0600);
    struct accel_result r = ask(p);
    assert_false(r.platform.kvm);
    assert_string_equal(r.verdict.why, "/dev/kvm is there but does not boot a kernel");
    assert_string_equal(calls(p), "vrkk"); /* with the host's CPU and without */
}

static void test_host_cpu_fails(void **state)
{
    struct place *p = *state;

    need_kvm_device();
    put_file(p->dir, "bad-cpu", "", 0600);
    struct accel_result r = ask(p);
    assert_true(r.platform.kvm);
    assert_false(r.platform.cpu_host);
    assert_string_equal(calls(p), "vrkkk");
}

/* Without a kernel at hand KVM is used, but tried again at the next start. */
static void test_unsure_is_not_kept(void **state)
{
    struct place *p = *state;

    need_kvm_device();
    p->rq.kernel = NULL;
    struct accel_result r = ask(p);
    assert_true(r.platform.kvm);
    assert_false(ask(p).cached);
}

static void test_demotion_is_kept(void **state)
{
    struct place *p = *state;

    need_kvm_device();
    struct accel_result r = ask(p);
    accel_demote(&p->rq, &r, "it failed");
    assert_false(r.platform.kvm);
    struct accel_result again = ask(p);
    assert_true(again.cached);
    assert_false(again.platform.kvm);
    assert_string_equal(again.verdict.why, "it failed");
}

static void test_no_sandbox(void **state)
{
    struct place *p = *state;

    put_file(p->dir, "no-sandbox", "", 0600);
    p->rq.wanted = ACCEL_TCG;
    struct accel_result r = ask(p);
    assert_false(r.platform.sandbox || r.platform.io_uring);
    assert_string_equal(calls(p), "vvv");
}

/* QEMU 7.2 reads across the end of a file through io_uring and never comes back. */
static void test_hanging_io_uring(void **state)
{
    struct place *p = *state;

    put_file(p->dir, "slow-uring", "", 0600);
    p->rq.wanted = ACCEL_TCG;
    struct accel_result r = ask(p);
    assert_true(r.platform.sandbox);
    assert_false(r.platform.io_uring);
    assert_string_equal(calls(p), "vv");
}

static void test_no_qemu(void **state)
{
    struct place *p = *state;
    struct accel_result r;
    struct fail f = {0};

    p->rq.qemu = "qemu-that-does-not-exist";
    assert_int_equal(accel_find(&p->rq, &r, &f), ERR_UNAVAILABLE);
    assert_string_equal(f.detail, "qemu-that-does-not-exist is not installed");
    p->rq.qemu = "/bin/false";
    assert_int_equal(accel_find(&p->rq, &r, &f), ERR_UNAVAILABLE);
}

/* ---- the real one ---- */

static void need_qemu(void)
{
    if (system("command -v " QEMU_BINARY " >/dev/null") == 0)
        return;
    print_message(QEMU_BINARY " is not installed\n");
    skip();
}

extern const unsigned char accel_rom[], accel_rom_end[];

/* The firmware must pass where guests do run, or its failure under KVM would mean nothing. */
static void test_firmware_runs_under_tcg(void **state)
{
    static const char *const machines[] = {"q35", "microvm"};
    static unsigned char rom[64 << 10];
    size_t len = (size_t)(accel_rom_end - accel_rom);

    (void)state;
    need_qemu();
    assert_int_equal(len, 4096);
    memcpy(rom + sizeof(rom) - len, accel_rom, len);
    CLEANUP(close_p) int fd = memfd_create("rom", MFD_CLOEXEC);
    assert_int_equal(write(fd, rom, sizeof(rom)), sizeof(rom));
    for (size_t i = 0; i < ARRAY_LEN(machines); i++) {
        const char *argv[] = {QEMU_BINARY,  "-nodefaults",
                              "-display",   "none",
                              "-accel",     "tcg",
                              "-M",         machines[i],
                              "-m",         "16",
                              "-bios",      "/proc/self/fd/3",
                              "-device",    "isa-debug-exit,iobase=0xf4,iosize=4",
                              "-debugcon",  "stdio",
                              "-no-reboot", NULL};
        CLEANUP(buf_done) struct buf out = {0};
        int status;

        assert_int_equal(
            run(&(struct run){.argv = argv, .fds = &fd, .n_fds = 1, .timeout_ms = 20000}, &out,
                &status),
            0);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 85);
        assert_string_equal(buf_cstr(&out), "RPLK");
    }
}

static void test_real_qemu_is_probed(void **state)
{
    struct place *p = *state;
    struct accel_result r;
    struct fail f = {0};

    need_qemu();
    p->rq.qemu = QEMU_BINARY;
    p->rq.kernel = NULL;
    p->rq.firmware_ms = 2000;
    if (accel_find(&p->rq, &r, &f))
        fail_msg("%s", f.detail);
    assert_true(r.version[0] >= '1' && r.version[0] <= '9');
    print_message("qemu %s: %s (%s), sandbox %d, io_uring %d, TSC %lld kHz\n", r.version,
                  r.platform.kvm ? "KVM" : "TCG", r.verdict.why, r.platform.sandbox,
                  r.platform.io_uring, (long long)r.platform.tsc_khz);
}

static void test_run(void **state)
{
    const char *echo[] = {"sh", "-c", "cat; echo err >&2; exit 3", NULL};
    const char *hang[] = {"sh", "-c", "echo one; sleep 60; echo two", NULL};
    const char *none[] = {"/nonexistent", NULL};
    CLEANUP(buf_done) struct buf out = {0};
    int status = -1;

    (void)state;
    assert_int_equal(
        run(&(struct run){.argv = echo, .input = "in\n", .timeout_ms = 20000}, &out, &status), 0);
    assert_string_equal(buf_cstr(&out), "in\nerr\n");
    assert_int_equal(WEXITSTATUS(status), 3);
    buf_clear(&out);
    assert_int_equal(
        run(&(struct run){.argv = hang, .until = "one", .timeout_ms = 20000}, &out, &status), 0);
    assert_int_equal(WTERMSIG(status), 9);
    assert_int_equal(run(&(struct run){.argv = hang, .timeout_ms = 100}, &out, &status),
                     -ETIMEDOUT);
    assert_int_equal(run(&(struct run){.argv = none, .timeout_ms = 100}, &out, &status), -ENOENT);
}

#define PLACED(t) cmocka_unit_test_setup_teardown(t, place_make, place_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_decision),
                                       PLACED(test_no_device),
                                       PLACED(test_all_pass_and_cached),
                                       PLACED(test_firmware_fails),
                                       PLACED(test_firmware_hangs),
                                       PLACED(test_kernel_fails),
                                       PLACED(test_host_cpu_fails),
                                       PLACED(test_unsure_is_not_kept),
                                       PLACED(test_demotion_is_kept),
                                       PLACED(test_no_sandbox),
                                       PLACED(test_hanging_io_uring),
                                       PLACED(test_no_qemu),
                                       cmocka_unit_test(test_firmware_runs_under_tcg),
                                       PLACED(test_real_qemu_is_probed),
                                       cmocka_unit_test(test_run)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
