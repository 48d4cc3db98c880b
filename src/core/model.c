/* The columns of each record, and the names of states and verbs. */
#include "core/model.h"

#include "base/util.h"

#define TEXT(type, field)                                                                          \
    {                                                                                              \
#field, COL_TEXT, offsetof(type, field)                                                    \
    }
#define INT(type, field)                                                                           \
    {                                                                                              \
#field, COL_INT, offsetof(type, field)                                                     \
    }
#define ENUM(type, field)                                                                          \
    {                                                                                              \
#field, COL_ENUM, offsetof(type, field)                                                    \
    }
#define BOOL(type, field)                                                                          \
    {                                                                                              \
#field, COL_BOOL, offsetof(type, field)                                                    \
    }
#define BLOB(type, field)                                                                          \
    {                                                                                              \
#field, COL_BLOB, offsetof(type, field)                                                    \
    }

#define SERIAL(type, field)                                                                        \
    {                                                                                              \
#field, COL_SERIAL, offsetof(type, field)                                                  \
    }

#define RECORD(name)                                                                               \
    const struct record rec_##name = {.table = #name,                                              \
                                      .size = sizeof(struct name),                                 \
                                      .cols = name##_cols,                                         \
                                      .n_cols = ARRAY_LEN(name##_cols)}

static const struct column account_cols[] = {
    TEXT(struct account, id),          TEXT(struct account, name),
    BOOL(struct account, recycle_bin), INT(struct account, recycle_hours),
    INT(struct account, created_at),
};
RECORD(account);

static const struct column access_key_cols[] = {
    TEXT(struct access_key, id),        TEXT(struct access_key, account),
    BLOB(struct access_key, secret),    BOOL(struct access_key, active),
    INT(struct access_key, created_at),
};
RECORD(access_key);

static const struct column inst_cols[] = {
    TEXT(struct inst, id),
    TEXT(struct inst, account),
    TEXT(struct inst, name),
    TEXT(struct inst, description),
    TEXT(struct inst, hostname),
    TEXT(struct inst, region),
    TEXT(struct inst, zone),
    TEXT(struct inst, type),
    TEXT(struct inst, image),
    INT(struct inst, cpu),
    INT(struct inst, memory_mib),
    ENUM(struct inst, state),
    ENUM(struct inst, verb),
    ENUM(struct inst, birth),
    ENUM(struct inst, charge),
    ENUM(struct inst, stop_mode),
    BOOL(struct inst, overdue),
    BOOL(struct inst, deletion_protection),
    INT(struct inst, locks),
    INT(struct inst, created_at),
    INT(struct inst, started_at),
    INT(struct inst, expires_at),
    INT(struct inst, recycled_at),
    TEXT(struct inst, vpc),
    TEXT(struct inst, subnet),
    TEXT(struct inst, secgroups),
    TEXT(struct inst, ip),
    TEXT(struct inst, mac),
    INT(struct inst, ssh_port),
    TEXT(struct inst, keypair),
    TEXT(struct inst, login_hash),
    TEXT(struct inst, user_data),
    BOOL(struct inst, user_data_binary),
    TEXT(struct inst, serial),
    TEXT(struct inst, tags),
    TEXT(struct inst, attrs),
    TEXT(struct inst, host),
    TEXT(struct inst, last_op),
    TEXT(struct inst, last_error),
    INT(struct inst, last_op_at),
    SERIAL(struct inst, num),
};

/* The first that a query asks for is looked at first: what few instances share stands before what
 * many do. */
static const struct facet inst_facets[] = {
    {"ip", FACET_VALUE, {"ip"}},
    {"name", FACET_VALUE, {"account", "name"}},
    {"keypair", FACET_VALUE, {"keypair"}},
    {"tags", FACET_TAGS, {"tags"}},
    {"subnet", FACET_VALUE, {"subnet"}},
    {"vpc", FACET_VALUE, {"vpc"}},
    {"secgroup", FACET_LIST, {"secgroups"}},
    {"account", FACET_VALUE, {"account"}},
    {"zone", FACET_VALUE, {"zone"}},
    {"type", FACET_VALUE, {"type"}},
    {"image", FACET_VALUE, {"image"}},
    {"region", FACET_VALUE, {"region"}},
    {"life", FACET_TUPLE, {"state", "birth", "verb"}},
    {"charge", FACET_TUPLE, {"charge"}},
    {"all", FACET_ALL, {NULL}},
};
const struct record rec_inst = {.table = "inst",
                                .size = sizeof(struct inst),
                                .cols = inst_cols,
                                .n_cols = ARRAY_LEN(inst_cols),
                                .facets = inst_facets,
                                .n_facets = ARRAY_LEN(inst_facets),
                                .rising = "created_at"};

static const struct column disk_cols[] = {
    TEXT(struct disk, id),
    TEXT(struct disk, account),
    TEXT(struct disk, inst),
    TEXT(struct disk, region),
    TEXT(struct disk, zone),
    TEXT(struct disk, name),
    TEXT(struct disk, description),
    ENUM(struct disk, kind),
    ENUM(struct disk, status),
    BOOL(struct disk, failed),
    TEXT(struct disk, category),
    TEXT(struct disk, level),
    INT(struct disk, size_gib),
    INT(struct disk, slot),
    BOOL(struct disk, delete_with_inst),
    TEXT(struct disk, image),
    BOOL(struct disk, encrypted),
    TEXT(struct disk, kms_key),
    BLOB(struct disk, data_key),
    INT(struct disk, created_at),
    ENUM(struct disk, trouble),
    BOOL(struct disk, overdue),
};
RECORD(disk);

static const struct column image_cols[] = {
    TEXT(struct image, id),         TEXT(struct image, account),
    TEXT(struct image, name),       TEXT(struct image, description),
    TEXT(struct image, family),     TEXT(struct image, os_type),
    TEXT(struct image, os_name),    TEXT(struct image, platform),
    TEXT(struct image, arch),       TEXT(struct image, version),
    INT(struct image, size_gib),    BOOL(struct image, direct_kernel),
    BOOL(struct image, cloud_init), TEXT(struct image, path),
    TEXT(struct image, digest),     INT(struct image, created_at),
};
RECORD(image);

static const struct column kms_key_cols[] = {
    TEXT(struct kms_key, id),        TEXT(struct kms_key, account),
    BLOB(struct kms_key, material),  BOOL(struct kms_key, is_default),
    BOOL(struct kms_key, enabled),   BOOL(struct kms_key, granted),
    INT(struct kms_key, created_at), BOOL(struct kms_key, untagged),
    BOOL(struct kms_key, removed),
};
RECORD(kms_key);

static const struct column vpc_cols[] = {
    TEXT(struct vpc, id),        TEXT(struct vpc, account), TEXT(struct vpc, region),
    TEXT(struct vpc, name),      TEXT(struct vpc, cidr),    BOOL(struct vpc, is_default),
    INT(struct vpc, created_at),
};
RECORD(vpc);

static const struct column subnet_cols[] = {
    TEXT(struct subnet, id),     TEXT(struct subnet, account),    TEXT(struct subnet, vpc),
    TEXT(struct subnet, region), TEXT(struct subnet, zone),       TEXT(struct subnet, name),
    TEXT(struct subnet, cidr),   BOOL(struct subnet, is_default), INT(struct subnet, created_at),
};
RECORD(subnet);

static const struct column secgroup_cols[] = {
    TEXT(struct secgroup, id),         TEXT(struct secgroup, account),
    TEXT(struct secgroup, vpc),        TEXT(struct secgroup, name),
    BOOL(struct secgroup, is_default), INT(struct secgroup, created_at),
};
RECORD(secgroup);

static const struct column keypair_cols[] = {
    TEXT(struct keypair, id),          TEXT(struct keypair, account),
    TEXT(struct keypair, name),        TEXT(struct keypair, public_key),
    TEXT(struct keypair, fingerprint), INT(struct keypair, created_at),
};
RECORD(keypair);

static const struct column job_cols[] = {
    TEXT(struct job, inst),        INT(struct job, id),          TEXT(struct job, account),
    ENUM(struct job, verb),        BOOL(struct job, force),      BOOL(struct job, then_start),
    BOOL(struct job, reset_local), TEXT(struct job, request_id), INT(struct job, created_at),
    TEXT(struct job, fault),
};
RECORD(job);

static const struct column event_cols[] = {
    INT(struct event, seq),      INT(struct event, at),    TEXT(struct event, account),
    TEXT(struct event, subject), TEXT(struct event, kind), TEXT(struct event, request_id),
    TEXT(struct event, detail),
};
RECORD(event);

static const struct column idem_cols[] = {
    TEXT(struct idem, key),       TEXT(struct idem, digest),  TEXT(struct idem, ids),
    INT(struct idem, created_at), TEXT(struct idem, account),
};
RECORD(idem);

static const struct column address_cols[] = {
    TEXT(struct address, key),
    TEXT(struct address, inst),
};
RECORD(address);

static const struct column setting_cols[] = {
    TEXT(struct setting, key),
    TEXT(struct setting, value),
};
RECORD(setting);

static const struct column clock_cols[] = {
    TEXT(struct clock_row, account), INT(struct clock_row, ahead), INT(struct clock_row, stands_at),
    INT(struct clock_row, target),   ENUM(struct clock_row, wish),
};
const struct record rec_clock = {.table = "clock",
                                 .size = sizeof(struct clock_row),
                                 .cols = clock_cols,
                                 .n_cols = ARRAY_LEN(clock_cols)};

static const struct column due_cols[] = {
    TEXT(struct due, key),  TEXT(struct due, account), TEXT(struct due, clock),
    TEXT(struct due, inst), ENUM(struct due, kind),    INT(struct due, at),
};
RECORD(due);

static const struct column renewal_cols[] = {
    TEXT(struct renewal, inst),
    INT(struct renewal, period),
    BOOL(struct renewal, weeks),
};
RECORD(renewal);

static const struct column fault_cols[] = {
    TEXT(struct fault, id),      INT(struct fault, num),      TEXT(struct fault, dialect),
    TEXT(struct fault, action),  TEXT(struct fault, code),    INT(struct fault, status),
    TEXT(struct fault, message), TEXT(struct fault, account), TEXT(struct fault, inst),
    INT(struct fault, times),    INT(struct fault, every),    INT(struct fault, probability),
    INT(struct fault, delay_ms), INT(struct fault, retry_ms), ENUM(struct fault, fate),
    INT(struct fault, seen),     INT(struct fault, given),    INT(struct fault, created_at),
};
RECORD(fault);

static const struct column engine_fault_cols[] = {
    TEXT(struct engine_fault, id),      INT(struct engine_fault, num),
    ENUM(struct engine_fault, verb),    ENUM(struct engine_fault, kind),
    TEXT(struct engine_fault, account), TEXT(struct engine_fault, inst),
    TEXT(struct engine_fault, zone),    TEXT(struct engine_fault, detail),
    INT(struct engine_fault, delay_ms), INT(struct engine_fault, times),
    INT(struct engine_fault, given),    INT(struct engine_fault, created_at),
};
RECORD(engine_fault);

static const struct column capacity_cols[] = {
    TEXT(struct capacity, key),  ENUM(struct capacity, kind), TEXT(struct capacity, account),
    TEXT(struct capacity, zone), TEXT(struct capacity, type), INT(struct capacity, count),
};
RECORD(capacity);

static const struct column harm_cols[] = {
    TEXT(struct harm, inst),    ENUM(struct harm, kind),  INT(struct harm, disk),
    ENUM(struct harm, trouble), TEXT(struct harm, error), INT(struct harm, created_at),
};
RECORD(harm);

static const struct column chore_cols[] = {
    TEXT(struct chore, key),   INT(struct chore, id),    ENUM(struct chore, kind),
    ENUM(struct chore, state), TEXT(struct chore, name), INT(struct chore, failure),
    TEXT(struct chore, why),
};
RECORD(chore);

static const struct column leftover_cols[] = {TEXT(struct leftover, inst),
                                              TEXT(struct leftover, subnet)};
RECORD(leftover);

static const struct column nonce_cols[] = {
    TEXT(struct nonce, key),
    INT(struct nonce, until),
};
RECORD(nonce);

static const char *const state_names[] = {
    [INST_PENDING] = "PENDING",       [INST_STOPPED] = "STOPPED",   [INST_STARTING] = "STARTING",
    [INST_RUNNING] = "RUNNING",       [INST_STOPPING] = "STOPPING", [INST_REBOOTING] = "REBOOTING",
    [INST_RESETTING] = "RESETTING",   [INST_RECYCLED] = "RECYCLED", [INST_RELEASING] = "RELEASING",
    [INST_RESTARTING] = "RESTARTING",
};

static const char *const verb_names[] = {
    [VERB_NONE] = "",           [VERB_CREATE] = "create",
    [VERB_START] = "start",     [VERB_STOP] = "stop",
    [VERB_REBOOT] = "reboot",   [VERB_FORCE_REBOOT] = "force-reboot",
    [VERB_RELEASE] = "release", [VERB_FORCE_RELEASE] = "force-release",
    [VERB_RECYCLE] = "recycle",
};

static const char *const engine_fault_kinds[] = {[ENGINE_FAIL] = "fail",
                                                 [ENGINE_HANG] = "hang",
                                                 [ENGINE_DELAY] = "delay",
                                                 [ENGINE_BREAK] = "break"};

const char *inst_state_name(enum inst_state s)
{
    return s < INST_STATE_COUNT ? state_names[s] : "?";
}

const char *verb_name(enum verb v)
{
    return v < VERB_COUNT ? verb_names[v] : "?";
}

const char *engine_fault_kind_name(enum engine_fault_kind k)
{
    return k < ENGINE_KINDS ? engine_fault_kinds[k] : "?";
}
