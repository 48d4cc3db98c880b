/* Instances: what may be done to them when, and the jobs that do it. */
#ifndef OSTLER_CORE_INST_H
#define OSTLER_CORE_INST_H

#include "core/core.h"

/* ---- the table of verbs and states ---- */

struct verb_rule {
    enum err refuse; /* ERR_NONE: allowed */
    enum inst_state becomes;
};

/* What `v` does in state `s`. VERB_CREATE and VERB_NONE have no row. */
const struct verb_rule *verb_rule(enum verb v, enum inst_state s);

/* ---- asking for something to be done ---- */

enum power_flags {
    POWER_FORCE = 1 << 0,            /* stop, reboot: cut the power; release: also a running one */
    POWER_RESET_LOCAL = 1 << 1,      /* start: make failed local disks anew */
    POWER_STOP_CHARGING = 1 << 2,    /* stop: give the capacity back */
    POWER_END_SUBSCRIPTION = 1 << 3, /* release: also an expired subscription */
    POWER_CHECK_ONLY = 1 << 4,       /* every check, no change: ERR_DRY_RUN when all pass */
    POWER_TO_BIN = 1 << 6,           /* release: into the account's recycle bin, if it has one */
    POWER_KEEP_DEPENDENTS = 1 << 5   /* release: data disks that can be detached survive */
};

/* Finds the caller's instance; ERR_INST_NOT_FOUND also for somebody else's. An operator's operation
 * goes by its account's clock from then on. */
enum err inst_get(struct op *op, const char *id, struct inst *ret);

/*
 * Runs every check of `v` (START, STOP, REBOOT, FORCE_REBOOT, RELEASE, FORCE_RELEASE) in the
 * documented order and, when all pass, writes the new state and its job together. *ret_before and
 * *ret_after (each may be NULL) are the states seen and reached; `after` equals `before` on
 * refusal.
 *
 * May raise: ERR_INST_NOT_FOUND, _STATE, _ALREADY, _BUSY, _NOT_READY, _INITIALIZING, _RECYCLED,
 * _LOCKED, _EXPIRED, _OVERDUE, _PROTECTED, _SUBSCRIBED, ERR_DISK_UNUSABLE, ERR_DISK_OVERDUE,
 * ERR_NO_SYSTEM_DISK, ERR_KMS_*, ERR_HOST_REPAIRING, ERR_NO_BALANCE, ERR_QUOTA, ERR_NO_STOCK,
 * ERR_DRY_RUN.
 */
enum err inst_power(struct op *op, const char *id, enum verb v, unsigned flags,
                    struct inst *ret_before, struct inst *ret_after);

struct new_disk {
    const char *category, *level; /* category NULL: the default */
    int64_t size_gib;             /* 0: as small as allowed */
    const char *name, *description;
    bool encrypted, keep; /* keep: survives its instance */
    const char *kms_key;  /* NULL: the account's default */
};

/* Of a subscription: so many months, or weeks. */
struct period {
    int64_t n;
    bool weeks;
};

struct new_inst {
    const char *family; /* the cloud family whose zones, types and categories are offered */
    bool decimal_ids;   /* form of the ids that are made */
    const char *region, *zone, *type, *image; /* region or zone given; image and type required */
    const char *subnet; /* NULL: the default one of the zone, made when first needed */
    const char *const *secgroups;
    size_t n_secgroups;
    const char *ip;   /* NULL: any; only with count 1 */
    bool ip_is_wish;  /* take another when it is taken */
    const char *name; /* NULL: the id. May hold [begin,bits] */
    const char *description, *hostname;
    bool unique_suffix;
    const char *keypair; /* id or name */
    const char *password;
    const char *user_data; /* decoded bytes as given, or base64 when binary */
    bool user_data_binary;
    const char *tags, *attrs; /* JSON objects; NULL {} */
    enum charge charge;
    int64_t expires_at;    /* prepaid */
    struct period renewal; /* prepaid: by which it renews itself; n 0: it does not */
    int64_t release_at;    /* paid by use: released then; 0: not */
    bool deletion_protection;
    bool start;        /* start after creating */
    int64_t count;     /* 1..100 */
    int64_t min_count; /* as few as these will do where there is not room for all; 0: all or none */
    struct new_disk system;
    const struct new_disk *data;
    size_t n_data;
    bool check_only;
};

struct created {
    const char **ids;       /* of instances, in order */
    const char ***disk_ids; /* of each */
    size_t *n_disk_ids;
    size_t n;
};

/* Creates all or none, or at least min_count. The instances are PENDING, each with a create job. */
enum err inst_create(struct op *op, const struct new_inst *n, struct created *ret);

/* ---- what the worker reports ---- */

/* Everything an engine needs for one instance; NULL when it is gone. */
struct machine;
struct machine *machine_of(struct op *op, const struct inst *in);

/* The job that is to be done for this instance; false: none. */
bool job_get(struct op *op, const char *inst, struct job *ret);

/*
 * The job ended. `error` NULL: well. Moves the instance to where the job leads (or back to the
 * stable state that is true), removes the job, begins the next when one follows. A job that is no
 * longer the instance's is ignored. *ret_next: the instance has another job now.
 */
enum err job_end(struct op *op, const char *inst, int64_t job, const char *error, int64_t ssh_port,
                 bool *ret_next);

/* A reboot has got as far as off: REBOOTING becomes RESTARTING. Ignored unless it is the instance's
 * job. */
enum err job_halfway(struct op *op, const char *inst, int64_t job);

/* A machine stopped by itself (guest power-off, death, found gone). Ignored unless it was meant to
 * run. */
enum err inst_stopped(struct op *op, const char *inst, const char *reason);

/* A machine waits for something (its disk is full), or, `why` NULL, goes on. Ignored unless it
 * runs. */
enum err inst_waits(struct op *op, const char *inst, const char *why);

/* A machine that a load calls RUNNING runs again, perhaps with another port. */
enum err inst_renewed(struct op *op, const char *inst, int64_t ssh_port);

/* ---- the operator's hand ---- */

enum err inst_lock(struct op *op, const char *id, enum lock_reason why, bool locked);
enum err inst_expire(struct op *op,
                     const char *id); /* the subscription ends now; a prepaid one only */
enum err inst_overdue(struct op *op, const char *id, bool overdue);
enum err inst_refund(struct op *op, const char *id);  /* a prepaid one; it is locked and stopped */
enum err inst_recycle(struct op *op, const char *id); /* into the recycle bin, whoever has one */
enum err disk_fail(struct op *op, const char *id, bool failed);
enum err disk_overdue(struct op *op, const char *id, bool overdue);

enum kms_mark { KMS_GRANTED, KMS_ENABLED, KMS_TAGGED, KMS_PRESENT };
/* `key` NULL: every key of every account. */
enum err kms_set(struct op *op, const char *key, enum kms_mark mark, bool on);
static inline enum err kms_grant(struct op *op, const char *key, bool granted)
{
    return kms_set(op, key, KMS_GRANTED, granted);
}

#endif
