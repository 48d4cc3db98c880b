/* The lock by which a machine runs at most once, its sockets and files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>

#include "engine/qemu/image.h"
#include "engine/qemu/vmdir.h"
#include "net/child.h"

/* Last: it defines fail as a macro. */
#include <cmocka.h>

struct place {
    char dir[64];
    int dirfd;
};

static int place_make(void **state)
{
    struct place *p = xcalloc(1, sizeof(*p));

    (void)snprintf(p->dir, sizeof(p->dir), "/tmp/ostler-vmdir-XXXXXX");
    assert_non_null(mkdtemp(p->dir));
    p->dirfd = vmdir_open(p->dir, "i-1", true);
    assert_true(p->dirfd >= 0);
    *state = p;
    return 0;
}

static int place_remove(void **state)
{
    struct place *p = *state;
    CLEANUP(free_p) char *all = xasprintf("%s/instances", p->dir);

    (void)close(p->dirfd);
    assert_int_equal(vmdir_remove(p->dir, "i-1"), 0);
    assert_int_equal(rmdir(all), 0);
    assert_int_equal(rmdir(p->dir), 0);
    free(p);
    return 0;
}

static void test_names(void **state)
{
    static const char *const bad[] = {"", ".", "..", "a/b", "../i-1"};
    struct place *p = *state;
    struct stat st;

    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_int_equal(vmdir_open(p->dir, bad[i], true), -EINVAL);
        assert_int_equal(vmdir_remove(p->dir, bad[i]), -EINVAL);
    }
    assert_int_equal(vmdir_open(p->dir, "i-2", false), -ENOENT);
    assert_int_equal(vmdir_remove(p->dir, "i-2"), 0);
    assert_int_equal(fstat(p->dirfd, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
}

/* The lock belongs to the child that inherited it, is found with it, and ends with it. */
static void test_lock_lives_with_the_child(void **state)
{
    struct place *p = *state;
    char *argv[] = {(char[]){"sleep"}, (char[]){"600"}, NULL};
    int lock = vmdir_lock(p->dirfd), pidfd, status;
    pid_t pid, bystander;

    assert_true(lock >= 0);
    assert_int_equal(vmdir_lock(p->dirfd), -EWOULDBLOCK);
    struct child_spec spec = {
        .path = "sleep", .argv = argv, .fds = &lock, .n_fds = 1, .in_fd = -1, .out_fd = -1};
    assert_int_equal(child_spawn(&spec, &pid, &pidfd), 0);
    (void)close(lock);
    assert_int_equal(vmdir_lock(p->dirfd), -EWOULDBLOCK);
    assert_true(vmdir_holds(p->dirfd, pid));
    assert_int_equal(vmdir_holder(p->dirfd), pid);
    /* One that has the same directory open at the same number, and no lock. */
    spec.fds = &p->dirfd;
    int other;
    assert_int_equal(child_spawn(&spec, &bystander, &other), 0);
    assert_false(vmdir_holds(p->dirfd, bystander));
    assert_int_equal(vmdir_holder(p->dirfd), pid);
    assert_false(vmdir_holds(p->dirfd, getpid()));
    for (int i = 0; i < 2; i++) {
        int fd = i ? other : pidfd;

        assert_int_equal(child_kill(fd, SIGKILL), 0);
        assert_int_equal(poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, 20000), 1);
        assert_int_equal(child_reap(fd, &status), 0);
        (void)close(fd);
    }
    assert_int_equal(vmdir_holder(p->dirfd), 0);
    lock = vmdir_lock(p->dirfd);
    assert_true(lock >= 0);
    (void)close(lock);
}

static void test_sockets(void **state)
{
    struct place *p = *state;
    pid_t pid;

    assert_int_equal(vmdir_connect(p->dirfd, &pid), -ENOENT);
    int fd = vmdir_listen(p->dirfd);
    assert_true(fd >= 0);
    int one = vmdir_connect(p->dirfd, &pid);
    assert_true(one >= 0);
    assert_int_equal(pid, getpid());
    (void)close(one);
    (void)close(fd);
    assert_int_equal(vmdir_connect(p->dirfd, &pid), -ECONNREFUSED);
    fd = vmdir_listen(p->dirfd); /* over the stale one */
    assert_true(fd >= 0);
    (void)close(fd);
    vmdir_tidy(p->dirfd);
    assert_int_equal(vmdir_connect(p->dirfd, &pid), -ENOENT);
}

static void test_files(void **state)
{
    struct place *p = *state;
    CLEANUP(buf_done) struct buf b = {0};

    vmdir_tail(p->dirfd, "none", 10, &b);
    assert_string_equal(buf_cstr(&b), "");
    assert_int_equal(vmdir_write(p->dirfd, "machine.json", "0123456789"), 0);
    vmdir_tail(p->dirfd, "machine.json", 4, &b);
    assert_string_equal(buf_cstr(&b), "6789");
    vmdir_cap(p->dirfd, "machine.json", 10);
    buf_clear(&b);
    vmdir_tail(p->dirfd, "machine.json", 100, &b);
    assert_string_equal(buf_cstr(&b), "0123456789");
    vmdir_cap(p->dirfd, "machine.json", 9);
    buf_clear(&b);
    vmdir_tail(p->dirfd, "machine.json", 100, &b);
    assert_string_equal(buf_cstr(&b), "");
}

/* Removing a machine removes what is in its directory and nothing that a link in it leads to. */
static void test_remove_follows_no_link(void **state)
{
    struct place *p = *state;
    CLEANUP(free_p) char *kept = xasprintf("%s/kept", p->dir);
    CLEANUP(free_p) char *file = xasprintf("%s/kept/file", p->dir);

    assert_int_equal(mkdir(kept, 0700), 0);
    CLEANUP(close_p) int fd = open(file, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(symlinkat(kept, p->dirfd, "link"), 0);
    assert_int_equal(mkdirat(p->dirfd, "sub", 0700), 0);
    assert_int_equal(symlinkat(file, p->dirfd, "sub/link"), 0);
    assert_int_equal(vmdir_remove(p->dir, "i-1"), 0);
    assert_int_equal(vmdir_open(p->dir, "i-1", false), -ENOENT);
    assert_int_equal(access(file, F_OK), 0);
    assert_int_equal(unlink(file), 0);
    assert_int_equal(rmdir(kept), 0);
}

static const char *load(struct place *p, struct arena *a, const char *json, struct image_files *f)
{
    assert_int_equal(vmdir_write(p->dirfd, "image.json", json), 0);
    return image_load(a, arena_fmt(a, "%s/instances/i-1", p->dir), f);
}

static void test_image(void **state)
{
    struct place *p = *state;
    struct image_files f;

    CLEANUP(arena_free_p) struct arena *a = arena_new();
    assert_non_null(image_load(a, "/nonexistent", &f));
    assert_int_equal(vmdir_write(p->dirfd, "k-1", "kernel"), 0);
    assert_int_equal(symlinkat("k-1", p->dirfd, "kernel"), 0);
    assert_int_equal(vmdir_write(p->dirfd, "disk", "QFI\xfb...."), 0);
    assert_null(load(p, a, "{\"kernel\":\"kernel\",\"disk\":\"disk\",\"cmdline\":\"quiet\"}", &f));
    assert_true(str_ends(f.kernel, "/i-1/k-1")); /* of today: the link may be turned tomorrow */
    assert_null(f.initrd);
    assert_string_equal(f.disk_format, "qcow2");
    assert_string_equal(f.cmdline, "quiet");
    assert_null(load(p, a, "{\"disk\":\"k-1\"}", &f));
    assert_string_equal(f.disk_format, "raw");
    assert_non_null(load(p, a, "{\"disk\":\"gone\"}", &f));
    assert_non_null(load(p, a, "{\"disk\":\"../i-1/disk\"}", &f));
    assert_non_null(load(p, a, "not json", &f));
    assert_non_null(load(p, a, "[]", &f));
}

#define PLACED(t) cmocka_unit_test_setup_teardown(t, place_make, place_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLACED(test_names), PLACED(test_lock_lives_with_the_child), PLACED(test_sockets),
        PLACED(test_files), PLACED(test_remove_follows_no_link),    PLACED(test_image)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
