/*
 * KVM or TCG, found by trying. A /dev/kvm that opens, makes machines and even runs small programs
 * may still not run a kernel, as on nested clouds; so a firmware of ours and then a real kernel
 * must have run under it. What was found holds until the host boots anew, or its kernel, CPU or
 * QEMU changes, and is kept in DIR/accel.json.
 */
#ifndef OSTLER_ENGINE_QEMU_ACCEL_H
#define OSTLER_ENGINE_QEMU_ACCEL_H

#include "base/buf.h"
#include "core/engine.h"
#include "engine/qemu/args.h"

/* ---- the decision ---- */

enum probe { PROBE_PASS, PROBE_FAIL, PROBE_SKIP }; /* SKIP: there was nothing to try with */

/* Each is called at most once, in this order, and only when those before did not fail. `why` says
 * what is wrong. */
struct accel_probes {
    enum probe (*device)(void *arg, char *why, size_t size);
    enum probe (*firmware)(void *arg, char *why, size_t size);
    enum probe (*kernel)(void *arg, char *why, size_t size);
    void *arg;
};

struct verdict {
    bool kvm;
    bool sure;     /* nothing was skipped: worth remembering */
    char why[256]; /* "" for KVM that passed everything */
};

void accel_decide(enum accel wanted, const struct accel_probes *probes, struct verdict *ret);

/* ---- the host ---- */

struct accel_request {
    const char *dir;        /* where accel.json is kept */
    const char *qemu;       /* the program, by name or path */
    const char *kvm_device; /* "/dev/kvm" */
    enum accel wanted;
    const char *kernel, *initrd; /* to boot once; NULL: none at hand */
    int firmware_ms, kernel_ms;  /* how long each may take */
};

struct accel_result {
    struct platform platform;
    char version[32]; /* QEMU's */
    struct verdict verdict;
    bool cached;
};

/*
 * Blocks: some milliseconds when the answer is known, 0.1 s when it must be found, and up to
 * firmware_ms + 2 * kernel_ms when KVM is there and broken. Returns ERR_NONE, or ERR_UNAVAILABLE
 * when QEMU itself does not run.
 */
enum err accel_find(const struct accel_request *rq, struct accel_result *ret, struct fail *f);

/* Names what machines run on here: kernel release, processor, QEMU's program. */
void accel_host(const struct accel_request *rq, struct buf *b);

/* KVM failed a machine although it had passed: TCG from now on, also after a restart. */
void accel_demote(const struct accel_request *rq, struct accel_result *now, const char *why);

#endif
