/*
 * What makes machines run. A driver works asynchronously on the loop's thread: an operation returns
 * at once and ends with exactly one call of `done`. At most one operation an instance is under way.
 * Machines outlive the daemon: close() leaves them running, survey() finds them again.
 */
#ifndef OSTLER_CORE_ENGINE_H
#define OSTLER_CORE_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/model.h"

struct core;
struct loop;
struct engine;

struct machine_disk {
    const char *id, *category;
    enum disk_kind kind;
    bool failed;
    enum disk_trouble trouble; /* what its guest is to meet on it */
    bool keep; /* survives the release of its instance: its file goes to DIR/disks/ID.qcow2 */
    int64_t size_gib, slot;
    bool encrypted;
    struct bytes data_key; /* opened; wiped by machine_free; empty when its use is not granted */
};

/* One instance as an engine sees it. An allocation of its own; the engine gets it for the time of a
 * call only. */
struct machine {
    const char *id, *account, *name, *hostname;
    int64_t cpu, memory_mib;
    const char *image, *image_path;
    bool direct_kernel;
    const struct machine_disk *disks; /* by slot; the first is the system disk */
    size_t n_disks;
    const char *subnet, *cidr, *ip, *mac;
    int64_t ssh_port;      /* wanted; 0: any */
    const char *serial;    /* UUID for SMBIOS */
    const char *metadata;  /* JSON object: the tree that the guest's metadata service shows */
    const char *user_data; /* "" none */
    bool user_data_binary; /* user_data is base64 */
    bool broken;           /* to be started so that it cannot run */
    struct arena *arena;   /* owns all of the above */
};
void machine_free(struct machine *m);

struct outcome {
    const char *error; /* NULL: well done. A sentence for `ostler show` */
    int64_t ssh_port;  /* where the guest's SSH is on the host's loopback; 0 none */
};

enum survey {
    SURVEY_ABSENT,
    SURVEY_RUNNING, /* also one that does not answer: only who is asked to may end it */
    SURVEY_POWERED_OFF,
    SURVEY_UNKNOWN /* it cannot be told; nothing may be concluded */
};

struct engine_host {
    void (*done)(void *ctx, const char *inst, int64_t job, const struct outcome *o);
    /* A reboot has got as far as off; called at most once, before `done`. */
    void (*halfway)(void *ctx, const char *inst, int64_t job);
    /* The machine is not running any more, and no operation asked for it. */
    void (*stopped)(void *ctx, const char *inst, const char *reason);
    void (*surveyed)(void *ctx, const char *inst, enum survey what);
    /* A running machine waits because of `why`; NULL: it goes on. */
    void (*waits)(void *ctx, const char *inst, const char *why);
    /* What `harm` asked for could not be done, or, `error` NULL, a disk's trouble has begun or
     * ended. */
    void (*harmed)(void *ctx, const char *inst, const char *error);
    void *ctx;
};

enum accel { ACCEL_AUTO, ACCEL_KVM, ACCEL_TCG };

struct engine_config {
    const struct core *core; /* for its clocks; lives as long as the engine */
    const char *dir;         /* the data directory */
    const char *self;        /* path of this program, for helper processes */
    enum accel accel;
    int64_t prepared; /* machines whose start is prepared; 0: none. Bounded by the driver's host */
    bool templates;   /* start machines from saved ones where that is possible */
    int64_t stop_grace_ms; /* how long a guest may take to shut down before its power is cut */
    int64_t sim_create_ms, sim_start_ms, sim_stop_ms,
        sim_reboot_ms; /* the sim engine's durations */
};

struct engine_driver {
    const char *name;
    enum err (*open)(struct loop *loop, const struct engine_config *config,
                     const struct engine_host *host, struct engine **ret, struct fail *f);
    void (*close)(struct engine *e);
    const char *(*describe)(struct engine *e); /* "qemu 7.2.22, TCG (no /dev/kvm)" */
    void (*create)(struct engine *e, const struct machine *m, int64_t job);
    /* Of a machine that survey found running: well done at once, nothing is started twice. */
    void (*start)(struct engine *e, const struct machine *m, int64_t job, bool reset_local);
    void (*stop)(struct engine *e, const struct machine *m, int64_t job, bool force);
    void (*reboot)(struct engine *e, const struct machine *m, int64_t job, bool force);
    void (*release)(struct engine *e, const struct machine *m,
                    int64_t job); /* stops, then removes every trace */
    /* A forced operation waits for the one under way, which is to end as soon as it can: a guest
     * gets no more time to shut down. */
    void (*hurry)(struct engine *e, const char *inst);
    /* Is it running? Ends with `surveyed`; a running one is adopted: from then on `stopped` may be
     * called. */
    void (*survey)(struct engine *e, const struct machine *m);
    /* Lets something happen to a running machine. Ends with `stopped` where that ends it, else with
     * `harmed`. */
    void (*harm)(struct engine *e, const struct harm *h);

    /*
     * Only of a driver whose operations end by their accounts' clocks (core/clock.h); NULL where
     * they take the time that they take. `clock` is an account that has its own, or "".
     */
    /* When the next of this clock's ends; INT64_MAX: none is under way. */
    int64_t (*next)(struct engine *e, const char *clock);
    /* Ends those of this clock that end up to `until`, in their order; of the same moment, that
     * first which was begun first. */
    void (*run_until)(struct engine *e, const char *clock, int64_t until);
    /* Clocks were stopped, moved or set going. */
    void (*clocks_changed)(struct engine *e);
    /* Are files missing that `create` would make? Quick. NULL: there are none. */
    bool (*lacks)(struct engine *e, const struct machine *m);
};

extern const struct engine_driver engine_qemu, engine_sim;

#endif
