/*
 * What the product consists of: one struct a kind of thing, and for each a description of its
 * columns from which the store makes its SQL. Strings belong to the arena that they were read into.
 */
#ifndef OSTLER_CORE_MODEL_H
#define OSTLER_CORE_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- how a struct maps to a table ---- */

enum col_type { COL_TEXT, COL_INT, COL_ENUM, COL_BOOL, COL_BLOB, COL_SERIAL };

struct bytes {
    const void *data;
    size_t len;
};

struct column {
    const char *name;
    enum col_type type; /* const char *, int64_t, enum, bool, struct bytes, int64_t */
    size_t offset;
};

/*
 * Something by which rows are listed. For each of its values the store keeps the set of the rows
 * that have it, written with the row; a list and its length come from the sets and are never
 * stale. Names are in the database: none is used again for something else.
 */
enum facet_kind {
    FACET_ALL,   /* every row */
    FACET_VALUE, /* a column's value, or two columns' together; of "" there is no set */
    FACET_LIST,  /* each item of a text separated by ',' */
    FACET_TAGS,  /* each key of a JSON object of texts, and each key with its value */
    FACET_TUPLE, /* enumerators of up to three columns together */
};

struct facet {
    const char *name;
    enum facet_kind kind;
    const char *columns[3];
};

struct record {
    const char *table;
    size_t size;
    const struct column *cols; /* the first column is the key */
    size_t n_cols;
    /* Only of a table that is listed by facets; its last column is then a COL_SERIAL: given by the
     * store to a row that is inserted, greater than of any row that is there. */
    const struct facet *facets;
    size_t n_facets;
    /* A column that usually does not fall from one serial to the next; where it once has,
     * conditions about it are tested on each row. */
    const char *rising;
};

/* ---- states ---- */

enum inst_state {
    INST_PENDING, /* being created */
    INST_STOPPED,
    INST_STARTING,
    INST_RUNNING,
    INST_STOPPING,
    INST_REBOOTING,
    INST_RESETTING,  /* its system disk is being rewritten */
    INST_RECYCLED,   /* in the recycle bin */
    INST_RELEASING,  /* on its way out, or into the recycle bin */
    INST_RESTARTING, /* the second half of a reboot: off, and coming up again */
    INST_STATE_COUNT
};
enum { INST_STATES_ALL = (1 << INST_STATE_COUNT) - 1 }; /* as a set of bits */
const char *inst_state_name(enum inst_state s);         /* "PENDING" ... */

/* What is being done to an instance now; one at a time. Stored with the state. */
enum verb {
    VERB_NONE,
    VERB_CREATE,
    VERB_START,
    VERB_STOP,
    VERB_REBOOT,
    VERB_FORCE_REBOOT, /* may cut short a start or another reboot */
    VERB_RELEASE,      /* of a stopped instance */
    VERB_FORCE_RELEASE,
    VERB_RECYCLE, /* into the recycle bin */
    VERB_COUNT
};
const char *verb_name(enum verb v); /* "start" ... */

enum birth { BIRTH_PENDING, BIRTH_DONE, BIRTH_FAILED }; /* has it been whole once? */
enum charge { CHARGE_POSTPAID, CHARGE_PREPAID };
enum stop_mode { STOP_KEEP_CHARGING, STOP_STOP_CHARGING };
enum lock_reason { /* bits */
                   LOCK_SECURITY = 1,
                   LOCK_FINANCIAL = 2,
                   LOCK_RECYCLING = 4,      /* a spot instance that is about to be taken back */
                   LOCK_HOST_FINANCIAL = 8, /* its dedicated host is not paid for */
                   LOCK_REFUNDED = 16
};
enum {
    LOCKS_UNPAID = LOCK_FINANCIAL | LOCK_RECYCLING | LOCK_HOST_FINANCIAL |
                   LOCK_REFUNDED /* those that refuse what a financial one does */
};

/* ---- things ---- */

struct account {
    const char *id; /* 16 digits */
    const char *name;
    bool recycle_bin;      /* a released instance waits there first */
    int64_t recycle_hours; /* for how long */
    int64_t created_at;    /* ms since 1970, as every `_at` */
};
extern const struct record rec_account;

struct access_key {
    const char *id;
    const char *account;
    struct bytes secret; /* sealed with the master key */
    bool active;
    int64_t created_at;
};
extern const struct record rec_access_key;

struct inst {
    const char *id;
    const char *account;
    const char *name, *description, *hostname;
    const char *region, *zone, *type, *image;
    int64_t cpu, memory_mib; /* of the type, when it was created */
    enum inst_state state;
    enum verb verb; /* of the job under way */
    enum birth birth;
    enum charge charge;
    enum stop_mode stop_mode; /* of the last stop */
    bool overdue;
    bool deletion_protection;
    int64_t locks; /* lock_reason bits */
    int64_t created_at;
    int64_t started_at;  /* last reached RUNNING; 0 never */
    int64_t expires_at;  /* end of the subscription; 0 none */
    int64_t recycled_at; /* 0 not in the bin */
    const char *vpc, *subnet;
    const char *secgroups; /* ids, separated by ',' */
    const char *ip, *mac;
    int64_t ssh_port;       /* on the host's loopback; 0 none yet */
    const char *keypair;    /* its id, "" none */
    const char *login_hash; /* crypt(3) text, "" none */
    const char *user_data;  /* as the client gave it, decoded; "" none */
    bool user_data_binary;  /* user_data holds base64 */
    const char *serial;     /* UUID */
    const char *tags;       /* a JSON object, key to value */
    const char
        *attrs; /* a JSON object: what a client gave and gets back, without effect on the machine */
    const char *host;       /* who runs it */
    const char *last_op;    /* the last operation that ended, "" none */
    const char *last_error; /* why it failed, "" if it did not */
    int64_t last_op_at;
    int64_t num; /* its place in lists, which begin with the greatest; the store's */
};
extern const struct record rec_inst;

enum disk_kind { DISK_SYSTEM, DISK_DATA, DISK_LOCAL };
enum disk_status { DISK_CREATING, DISK_AVAILABLE, DISK_IN_USE, DISK_ATTACHING, DISK_DETACHING };
/* What a running machine meets on it. */
enum disk_trouble { DISK_SOUND, DISK_ERRORS, DISK_FULL };

struct disk {
    const char *id;
    const char *account;
    const char *inst; /* "" when free */
    const char *region, *zone;
    const char *name, *description;
    enum disk_kind kind;
    enum disk_status status;
    bool failed; /* the medium is broken; a local disk can be made anew, losing its data */
    const char *category, *level; /* performance level, "" none */
    int64_t size_gib;
    int64_t slot; /* 0 = system disk; its place on the machine */
    bool delete_with_inst;
    const char *image;
    bool encrypted;
    const char *kms_key;
    struct bytes data_key; /* sealed under kms_key */
    int64_t created_at;
    enum disk_trouble trouble; /* asked for by a test */
    bool overdue;              /* not paid for */
};
extern const struct record rec_disk;

struct image {
    const char *id;
    const char *account; /* "" = public */
    const char *name, *description, *family;
    const char *os_type, *os_name, *platform, *arch, *version;
    int64_t size_gib;   /* smallest system disk */
    bool direct_kernel; /* brings its own kernel and initramfs */
    bool cloud_init;
    const char *path; /* directory of its files */
    const char *digest;
    int64_t created_at;
};
extern const struct record rec_image;

struct kms_key {
    const char *id;
    const char *account;
    struct bytes material; /* sealed with the master key */
    bool is_default, enabled, granted;
    int64_t created_at;
    bool untagged; /* it lacks the tag that lets the service use it */
    bool removed;  /* it is kept, and answered as one that is not there */
};
extern const struct record rec_kms_key;

struct vpc {
    const char *id, *account, *region, *name, *cidr;
    bool is_default;
    int64_t created_at;
};
extern const struct record rec_vpc;

struct subnet {
    const char *id, *account, *vpc, *region, *zone, *name, *cidr;
    bool is_default;
    int64_t created_at;
};
extern const struct record rec_subnet;

struct secgroup {
    const char *id, *account, *vpc, *name;
    bool is_default;
    int64_t created_at;
};
extern const struct record rec_secgroup;

struct keypair {
    const char *id, *account, *name, *public_key, *fingerprint;
    int64_t created_at;
};
extern const struct record rec_keypair;

/* The one thing being done to an instance. Written in the transaction that changes the state. */
struct job {
    const char *inst; /* the key: one job an instance */
    int64_t id;       /* never used twice */
    const char *account;
    enum verb verb;
    bool force;       /* power cut instead of asking the guest */
    bool then_start;  /* after creating */
    bool reset_local; /* make local disks anew before starting */
    const char *request_id;
    int64_t created_at;
    const char *fault; /* the engine's fault that strikes it, "" none */
};
extern const struct record rec_job;

struct event {
    int64_t seq; /* the key, given by the store */
    int64_t at;
    const char *account, *subject, *kind, *request_id, *detail;
};
extern const struct record rec_event;

struct idem {
    const char *key; /* account, action and token */
    const char *digest;
    const char *ids; /* the answer: separated by ',' */
    int64_t created_at;
    const char *account;
};
extern const struct record rec_idem;

/* What was signed with a nonce and changed something: not twice, also after a restart. */
struct nonce {
    const char *key; /* "ACCESS KEY/NONCE" */
    int64_t until;   /* after this its signature is too old anyhow */
};
extern const struct record rec_nonce;

/* Which addresses of a subnet are taken. */
struct address {
    const char *key; /* "SUBNET/IP" */
    const char *inst;
};
extern const struct record rec_address;

/* ---- what tests ask for, and what comes due ---- */

/* A text of the server's own, by name. */
struct setting {
    const char *key, *value;
};
extern const struct record rec_setting;

/* What a clock was told and has not done yet. */
enum clock_wish {
    CLOCK_CONTENT,
    CLOCK_GO_TO,   /* to go to `target`, and on from there */
    CLOCK_REST_AT, /* to go to `target`, and stand still there */
    CLOCK_FREEZE,
    CLOCK_RESUME
};

/* An account's own time; of account "" everybody's who has none. See core/clock.h. */
struct clock_row {
    const char *account;
    int64_t ahead;     /* ms that it is ahead of the real one, while it goes */
    int64_t stands_at; /* it stands still there, or has got so far on its way; 0: it goes */
    int64_t target;
    enum clock_wish wish;
};
extern const struct record rec_clock;

enum due_kind {
    DUE_EXPIRE,      /* a subscription ends */
    DUE_RELEASE,     /* an instance is released at a time that was asked for */
    DUE_EMPTY,       /* its time in the recycle bin is over */
    DUE_RECLAIM,     /* a spot instance is taken back */
    DUE_ARREARS,     /* what was not paid for is released */
    DUE_RECLAIM_STOP /* a spot instance is taken back, and kept, stopped */
};

/* Something that happens to an instance by time; at most one of a kind. See core/due.h. */
struct due {
    const char *key; /* "INSTANCE/KIND" */
    const char *account;
    const char *clock; /* by whose time: the account, or "" when it has none of its own */
    const char *inst;
    enum due_kind kind;
    int64_t at;
};
extern const struct record rec_due;

/* A subscription that renews itself. */
struct renewal {
    const char *inst;
    int64_t period; /* months, or weeks */
    bool weeks;
};
extern const struct record rec_renewal;

/* What becomes of an answer that was given. */
enum fate {
    FATE_ARRIVES,
    FATE_DROPPED,    /* the connection ends before its first byte */
    FATE_TRUNCATED,  /* the connection ends in the middle of it */
    FATE_HALF_CLOSE, /* it arrives, and the server ends the connection that it promised to keep */
    FATE_GARBAGE,    /* bytes that are not HTTP come in its place */
    FATE_GATEWAY_502,
    FATE_GATEWAY_503,
    FATE_GATEWAY_504, /* a gateway's HTML page comes in its place */
    FATE_COUNT
};

/* An error that was asked for. */
struct fault {
    const char *id;
    int64_t num; /* in the order in which they were asked for */
    const char *dialect, *action;
    const char *code; /* "" the action is done, and only its answer's fate is another */
    int64_t status;
    const char *message;
    const char *account, *inst; /* "" any */
    int64_t times;              /* how often it is given; 0: always */
    int64_t every;              /* only to each so many-th request that it fits; 0, 1: each */
    int64_t probability;        /* of a million; 0: certain */
    int64_t delay_ms, retry_ms; /* before the answer; told to the client as its time to wait */
    enum fate fate;
    int64_t seen, given; /* requests that it fitted; those that it struck */
    int64_t created_at;
};
extern const struct record rec_fault;

enum engine_fault_kind {
    ENGINE_FAIL,  /* the operation ends with an error */
    ENGINE_HANG,  /* it does not end until the fault is removed */
    ENGINE_DELAY, /* it takes so much longer */
    ENGINE_BREAK, /* of a start: the machine is really started so that it cannot run */
    ENGINE_KINDS
};
const char *engine_fault_kind_name(enum engine_fault_kind k); /* "fail" ... */

/* A failure of the engine that was asked for. */
struct engine_fault {
    const char *id;
    int64_t num;
    enum verb verb; /* VERB_NONE: any */
    enum engine_fault_kind kind;
    const char *account, *inst, *zone; /* "" any */
    const char *detail;                /* the error's sentence; "" one of the kind's own */
    int64_t delay_ms;                  /* of ENGINE_DELAY, and before ENGINE_FAIL's error */
    int64_t times, given;              /* as a fault's */
    int64_t created_at;
};
extern const struct record rec_engine_fault;

enum capacity_kind {
    CAPACITY_STOCK, /* of what is not off */
    CAPACITY_QUOTA, /* of what there is, also when it is off */
    CAPACITY_CPU    /* the processors of what there is */
};

/* How many instances of a type, or processors of theirs, may be in a zone together. */
struct capacity {
    const char *key; /* "KIND/ACCOUNT/ZONE/TYPE" */
    enum capacity_kind kind;
    const char *account, *zone, *type; /* "" any */
    int64_t count;
};
extern const struct record rec_capacity;

enum harm_kind {
    HARM_PANIC, /* its guest's kernel panics */
    HARM_DIE,   /* its process is killed */
    HARM_DISK   /* a disk's trouble begins, or ends */
};

/* What is being done to a running machine on purpose; one thing at a time. */
struct harm {
    const char *inst; /* the key */
    enum harm_kind kind;
    int64_t disk; /* of HARM_DISK: its place among the machine's disks */
    enum disk_trouble trouble;
    const char *error; /* why it could not be done; "" it is still to be done */
    int64_t created_at;
};
extern const struct record rec_harm;

/* ---- what is done to the whole ---- */

enum chore_kind {
    CHORE_SAVE,
    CHORE_LOAD,
    CHORE_RESET,  /* the whole, or one account's things */
    CHORE_REMOVE, /* an account */
    CHORE_RENEW   /* machines are being started that a load says have been running all the time */
};
enum chore_state {
    CHORE_WANTED,
    CHORE_SWAPPED, /* the rows are the new ones; the server is to go on with them */
    CHORE_DONE     /* or failed */
};

/* Something that the server does besides answering. See core/chore.h. */
struct chore {
    const char *key; /* an account; "" the whole; "renew": CHORE_RENEW; KEY#ID: one before, over */
    int64_t id;      /* of this life of the server's: who asked knows it by that */
    enum chore_kind kind;
    enum chore_state state;
    const char *name; /* the snapshot's */
    int64_t failure;  /* an enum err of this life; ERR_NONE */
    const char *why;
};
extern const struct record rec_chore;

/* The files of a machine whose instance is gone without having been released. */
struct leftover {
    const char *inst, *subnet;
};
extern const struct record rec_leftover;

#endif
