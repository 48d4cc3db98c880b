/*
 * From a restored QEMU to a machine of its own. QEMU was started without its state: it is told over
 * the monitor to read that, then runs, and the guest waits for its line. When the guest has
 * taken it ("GONE") the machine is born.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>

#include "base/crypto.h"
#include "base/log.h"
#include "engine/qemu/spec.h"
#include "engine/qemu/vm.h"
#include "engine/qemu/vmdir.h"

#define MARK "restoring"

enum { MAX_ANSWER = 256 };

struct rebirth {
    struct vm *vm;
    int fd; /* the guest's ready port */
    struct loop_fd *watch;
    bool told;
    struct buf said;
};

/* ---- the mark ---- */

int birth_mark(int dirfd)
{
    return vmdir_write(dirfd, MARK, "");
}

void birth_unmark(int dirfd)
{
    (void)unlinkat(dirfd, MARK, 0); /* left behind, it costs the machine when the daemon dies */
}

bool birth_marked(int dirfd)
{
    return faccessat(dirfd, MARK, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* ---- the port ---- */

void birth_free(struct rebirth *b)
{
    if (!b)
        return;
    loop_fd_free(b->watch);
    close_p(&b->fd);
    buf_done(&b->said);
    free(b);
}

/* Its end is told like any other, and the operation goes on from there. */
static void fail_birth(struct vm *vm, const char *why)
{
    birth_free(vm->birth);
    vm->birth = NULL;
    vm->off_reason = why;
    (void)vm_kill_holder(vm);
}

static void on_said(void *arg, unsigned events)
{
    struct rebirth *b = arg;
    struct vm *vm = b->vm;
    ssize_t n = recv(b->fd, buf_reserve(&b->said, MAX_ANSWER), MAX_ANSWER, MSG_DONTWAIT);

    (void)events;
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0 || b->said.len + (size_t)n > MAX_ANSWER) {
        fail_birth(vm, "the restored guest did not say what was expected");
        return;
    }
    b->said.len += (size_t)n;
    buf_add(&b->said, "", 0); /* the NUL behind the new end */
    if (!b->told || !strstr(buf_cstr(&b->said), "GONE\n"))
        return;
    birth_free(b);
    vm->birth = NULL;
    birth_unmark(vm->dirfd);
    op_born(vm);
}

static bool connect_port(struct vm *vm)
{
    int fd = vmdir_dial(vm->dirfd, "ready.sock");

    if (fd < 0)
        return false;
    struct rebirth *b = vm->birth = xcalloc(1, sizeof(*b));
    *b = (struct rebirth){.vm = vm, .fd = fd};
    b->watch = loop_fd_new(vm->e->loop, fd, on_said, b);
    if (!b->watch)
        abort(); /* a connected socket can be watched */
    loop_fd_want(b->watch, LOOP_READ | LOOP_HUP);
    return true;
}

/* ---- the state ---- */

static void on_restoring(void *arg, const json_t *result, const char *error)
{
    (void)result;
    if (error)
        fail_birth(arg, "QEMU refuses to read a template");
}

/* What is wrong with the state itself ends QEMU, with the reason in its log. */
static void restore(struct vm *vm)
{
    int fd = FD_FIRST_KEY + (int)spec_n_keys(vm->op->spec) + 1;
    CLEANUP(free_p) char *uri = xasprintf("fd:%d", fd);

    /* Connected before the state comes, as the host's end was when it was saved. */
    if (!connect_port(vm) ||
        qmp_call(vm->qmp, "migrate-set-capabilities",
                 json_pack("{s:[{s:s,s:b}]}", "capabilities", "capability", "x-ignore-shared",
                           "state", 1),
                 on_restoring, vm) < 0 ||
        qmp_call(vm->qmp, "migrate-incoming", json_pack("{s:s}", "uri", uri), on_restoring, vm) < 0)
        fail_birth(vm, "QEMU does not take its template");
}

static void tell(struct vm *vm)
{
    struct rebirth *b = vm->birth;
    struct buf line = {0};

    template_line(&line, vm->op->spec);
    /* A fresh socket's buffer takes it whole. */
    b->told = send(b->fd, line.data, line.len, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)line.len;
    wipe(line.data, line.len);
    buf_done(&line);
    if (!b->told)
        fail_birth(vm, "the restored guest cannot be told who it is");
}

void birth_status(struct vm *vm, const char *status)
{
    log_write(LOG_DEBUG, "restoring", "instance", vm->id, "status", status, NULL);
    if (streq(status, "inmigrate") && !vm->birth)
        restore(vm);
    else if (streq(status, "running") && vm->birth && !vm->birth->told)
        tell(vm);
}
