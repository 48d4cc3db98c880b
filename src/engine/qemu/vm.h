/*
 * What the engine's files share: the engine, its machines, and the operation that a machine is in.
 *
 * A machine has a struct vm while it lives or something is done to it. vm.c knows the process
 * (find, spawn, end, events), op.c what is wanted of it, network.c the switches. The process's
 * files tell the operation what happened through the op_… functions and nothing else.
 */
#ifndef OSTLER_ENGINE_QEMU_VM_H
#define OSTLER_ENGINE_QEMU_VM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "engine/qemu/accel.h"
#include "engine/qemu/disks.h"
#include "engine/qemu/netport.h"
#include "engine/qemu/qmp.h"
#include "engine/qemu/template.h"
#include "net/loop.h"

struct vm;
struct op;
struct task;
struct subnet_switch;
struct harming;

struct engine {
    struct loop *loop;
    struct engine_host host;
    char *dir, *self;
    int64_t grace_ms;
    char *kernel, *initrd; /* for the probe; NULL none */
    struct accel_request accel_request;
    struct accel_result accel;
    char describe[4][384]; /* in turn: another thread may be reading the one before */
    unsigned describe_at;
    _Atomic(const char *) described;
    struct vm *vms;
    struct task *tasks;
    struct subnet_switch *switches;
    struct map *by_id; /* the same, found fast */
    unsigned starting,
        max_starting;              /* machines between spawn and running, each needs a processor */
    struct vm *queue, **queue_end; /* those that wait for their turn, by next_queued */
    struct disks_queue disks;
    unsigned n_starts; /* operations that make or start a machine */
    unsigned max_prepared;
    struct prepared *prepared; /* see prepared.h; what was stopped last first */
    struct loop_timer *prepare;
    struct loop_timer *caps, *calm;
    bool calming;                /* `calm` is set */
    struct templates *templates; /* NULL: off */
};

/* How far a machine is on its way to power-off. */
enum down { DOWN_NO, DOWN_ASKED, DOWN_QUIT, DOWN_KILLED };

struct vm {
    struct engine *e;
    struct vm *next, *next_queued;
    char *id;
    int dirfd, lock_fd; /* -1: not open, not ours */

    /* the process */
    bool live;        /* spawned or adopted */
    bool negotiated;  /* its monitor answers */
    bool restless;    /* runs, and its priority is still to be lowered */
    uint64_t calm_at; /* at the latest */
    pid_t pid;
    int pidfd;
    struct loop_fd *watch;
    struct qmp *qmp;
    int qmp_tries;
    struct rebirth *birth; /* being restored; else NULL */
    uint64_t spawned_at;
    enum down down;
    const char *off_reason; /* it powered itself off; static text, NULL: it did not */

    struct loop_timer *full; /* until there may be room on its disk again */
    uint64_t full_ms;        /* how long it waits at a time; 0: there is room */
    bool full_tried;         /* it goes on, as far as is known */
    struct harming *harming; /* a disk's trouble that is being changed; else NULL */

    struct netport port; /* empty until known */
    int ssh_port;

    struct loop_timer *deadline; /* of the operation's step, or of going down */
    struct loop_timer *press;    /* the power button again */
    struct loop_timer *again;    /* the monitor again */
    struct op *op;               /* the one under way; others wait behind it */
    struct loop_timer *soon;     /* begins it, never from within the call that asked for it */
};

enum op_kind { OP_CREATE, OP_START, OP_STOP, OP_REBOOT, OP_RELEASE, OP_SURVEY };
enum op_step {
    STEP_NEW,
    STEP_FIND, /* a QEMU holds the lock: which? */
    STEP_PREPARE,
    STEP_DISKS,
    STEP_QUEUE, /* waits for a processor */
    STEP_BOOT,
    STEP_DOWN,
    STEP_RESET,
    STEP_REMOVE
};

struct op {
    struct op *next;
    enum op_kind kind;
    enum op_step step;
    int64_t job;
    bool force, reset_local;
    bool was_off;             /* survey: it had powered itself off */
    bool killing;             /* find: the holder did not answer */
    bool retried;             /* start: once more, under TCG */
    bool handed;              /* start: its process was prepared */
    bool unborn;              /* find: it was being restored when its daemon died */
    struct template_ask *ask; /* start: NULL without templates */
    bool restoring;           /* from its template */
    bool has_slot;
    uint64_t find_until;
    struct machine *spec;
    struct arena *arena;
    struct image_files image;
    struct disks_job *disks;
};

/* ---- qemu.c ---- */

void engine_describe(struct engine *e); /* says anew what it runs on */

/* ---- vm.c: the process ---- */

struct vm *vm_get(struct engine *e, const char *id);  /* makes it when it is not there */
struct vm *vm_find(struct engine *e, const char *id); /* NULL when it is not there */
void vm_free(struct vm *vm);                          /* leaves the process alone */

/* Spawns; the lock goes to the new process. `from` (NULL: it boots) is the template that it is
 * restored from; see birth_status. NULL, or a sentence in the arena. */
const char *vm_spawn(struct vm *vm, const struct machine *spec, const struct image_files *image,
                     const struct template_ask *from, struct arena *a);

/* Instead of spawning: a process with the lock that waits for `cont`, which it is told. Takes the
 * pidfd and the monitor's client. */
void vm_take_over(struct vm *vm, pid_t pid, int pidfd, struct qmp *q);

/* Keeps what the machine was started with, for who looks for a fault. */
void vm_record(struct vm *vm, const struct machine *spec, char **argv);

/* As we, or below the daemon and below machines that are still starting. 0, or -EAGAIN when the
 * system wants to be asked again later. */
int process_priority(pid_t pid, bool full);
/* Once it runs; takes effect when its guest has got through the beginning of its boot. */
void vm_lower_priority(struct vm *vm);
/* Goes on with it for those that the system has made wait; a timer's callback. */
void engine_calm(void *engine);

/* Takes over the process that holds the lock: false when it cannot be reached (yet). */
bool vm_adopt(struct vm *vm);
/* Watches the process that holds the lock, whose monitor is silent. False when it cannot be found.
 */
bool vm_watch_holder(struct vm *vm);
/* Kills the process that holds the lock; its end is told like any other. False when it cannot be
 * found. */
bool vm_kill_holder(struct vm *vm);

/* Towards power-off: the button until the grace ends, then quit, then SIGKILL. May be called again
 * to go faster. */
void vm_power_off(struct vm *vm, bool force);

/* Forgets what is known of the process: it ended, or is not taken over after all. */
void vm_forget(struct vm *vm);

/* ---- op.c: what is wanted ---- */

void op_begin(struct engine *e, enum op_kind kind, const struct machine *m, int64_t job, bool force,
              bool reset_local);
void op_hurry(struct vm *vm);    /* a forced operation waits behind the one under way */
void op_free_all(struct vm *vm); /* without a word to the host */

/* The monitor told the status: after adopting, after spawning, after being lost. */
void op_status(struct vm *vm, const char *status);
void op_reset_seen(struct vm *vm);
void op_born(struct vm *vm); /* the restored guest knows who it is */
void op_deadline(struct vm *vm);
/* The process ended; `status` is its wait status, -1 when unknown. */
void op_gone(struct vm *vm, int status);

/* ---- full.c: a machine whose disk found no room waits ---- */

void full_seen(struct vm *vm);
void full_try(struct vm *vm); /* there may be room again */
void full_on_timer(void *vm); /* a timer's callback */

/* ---- harm.c: what happens to a running machine on purpose ---- */

void harm_begin(struct engine *e, const struct harm *h);
void harming_free(struct harming *h); /* NULL is fine */

/* ---- network.c: ports and switches ---- */

/* Watches the switch that serves the subnet; takes the pidfd (-1: nothing to watch). */
void network_watch(struct engine *e, const char *subnet, int pidfd);
/* Brings the machine's port back in the background: its switch may be gone or have forgotten. */
void network_restore(struct vm *vm);
void network_close(struct engine *e);

/* ---- task.c: work on pool threads ---- */

/*
 * work(t) runs on a pool thread, then done(t) on the loop, unless the engine was closed: then only
 * the task's own memory is freed. The work sees nothing of the engine but what the task holds.
 */
struct task {
    struct task *next;
    struct engine *e; /* NULL: closed meanwhile */
    struct vm *vm;    /* NULL: none; lives as long as its operation */
    void (*work)(struct task *t);
    void (*done)(struct task *t);
    struct arena *arena; /* for the results */
    char *dir, *self, *id;
    int dirfd;
    const struct machine *spec; /* the operation's; becomes the task's when the engine is closed */
    struct machine *owned;
    bool flag;
    struct netport port;
    struct netport_up up;
    struct image_files image;
    struct template_ask *ask; /* NULL: none; the done may take it */
    void *own;                /* what else the work needs */
    void (*own_free)(void *own);
    const char *error;
};

struct task *task_new(struct engine *e, const char *id);
void task_run(struct task *t);
void tasks_detach(struct engine *e);

#endif
