/* Shared by the files of this folder: whose things an action works on, and the lists of actions. */
#ifndef OSTLER_CONTROL_CONTROL_H
#define OSTLER_CONTROL_CONTROL_H

#include "api/dialect.h"
#include "control/operator.h"

/* What control_setup was given. Never NULL; all empty before. */
const struct control_config *control_config(void);

/* Restricts the operation to one account's things. NULL or "": everybody's. May raise
 * ERR_ACCOUNT_NOT_FOUND. */
enum err control_scope(struct call *c, const char *account);

/*
 * The account that a new thing will belong to: the named one, or the oldest. Restricts the
 * operation to it. May raise ERR_ACCOUNT_NOT_FOUND.
 */
enum err control_owner(struct call *c, const char *account, struct account *ret);

/* What an action about one instance takes in. */
struct control_inst {
    const char *account, *inst;
};

#define CONTROL_INST_FIELDS                                                                        \
    FIELDS(F_STR(struct control_inst, inst, "instanceId", .required = true, .format = FMT_ID),     \
           F_STR(struct control_inst, account, "account", .format = FMT_ID))

/* Does it to that one, within control_scope. */
enum err control_on_inst(struct call *c, const struct control_inst *in,
                         enum err (*act)(struct op *op, const char *id));

/* DIR/instances/ID in the call's arena. */
const char *control_inst_dir(struct call *c, const char *inst);

/* A time as text, or null for 0. */
void control_enc_time(struct call *c, struct enc *e, const char *name, int64_t ms);

/* An action's `rows` where what it names may not be there: a code of its own kind, said alike. */
#define CONTROL_NOT_THERE(wire) ERR_ROWS({ERR_NOT_THERE, 404, wire, "%d"})

/* The operator's table from the core's errors. */
extern const struct err_row control_errors[];

/* Every action, by its name here. */
#define CONTROL_ACTIONS(X)                                                                         \
    X(add_engine_fault)                                                                            \
    X(add_fault)                                                                                   \
    X(advance_clock)                                                                               \
    X(create_access_key)                                                                           \
    X(create_account)                                                                              \
    X(delete_access_key)                                                                           \
    X(delete_account)                                                                              \
    X(delete_key_pair)                                                                             \
    X(delete_transcript)                                                                           \
    X(disable_kms)                                                                                 \
    X(enable_kms)                                                                                  \
    X(environment)                                                                                 \
    X(expire_instance)                                                                             \
    X(fail_disk)                                                                                   \
    X(freeze_clock)                                                                                \
    X(grant_kms)                                                                                   \
    X(heal_disk)                                                                                   \
    X(import_key_pair)                                                                             \
    X(kill_instance)                                                                               \
    X(list_access_keys)                                                                            \
    X(list_accounts)                                                                               \
    X(list_capacity)                                                                               \
    X(list_engine_faults)                                                                          \
    X(list_events)                                                                                 \
    X(list_fault_codes)                                                                            \
    X(list_faults)                                                                                 \
    X(list_images)                                                                                 \
    X(list_instances)                                                                              \
    X(list_key_pairs)                                                                              \
    X(list_snapshots)                                                                              \
    X(list_transcripts)                                                                            \
    X(load_snapshot)                                                                               \
    X(lock_instance)                                                                               \
    X(make_network)                                                                                \
    X(panic_instance)                                                                              \
    X(read_console_log)                                                                            \
    X(read_transcript)                                                                             \
    X(reclaim_instance)                                                                            \
    X(recycle_instance)                                                                            \
    X(refund_instance)                                                                             \
    X(register_image)                                                                              \
    X(remove_engine_fault)                                                                         \
    X(remove_fault)                                                                                \
    X(remove_faults)                                                                               \
    X(remove_kms)                                                                                  \
    X(remove_snapshot)                                                                             \
    X(renew_instance)                                                                              \
    X(reset)                                                                                       \
    X(restore_kms)                                                                                 \
    X(resume_clock)                                                                                \
    X(revoke_kms)                                                                                  \
    X(save_snapshot)                                                                               \
    X(server_info)                                                                                 \
    X(set_access_key_status)                                                                       \
    X(set_account)                                                                                 \
    X(set_balance)                                                                                 \
    X(set_capacity)                                                                                \
    X(set_clock)                                                                                   \
    X(set_disk_overdue)                                                                            \
    X(set_host_repair)                                                                             \
    X(set_overdue)                                                                                 \
    X(show_clock)                                                                                  \
    X(show_instance)                                                                               \
    X(start_transcript)                                                                            \
    X(stop_transcript)                                                                             \
    X(tag_kms)                                                                                     \
    X(trouble_disk)                                                                                \
    X(unlock_instance)                                                                             \
    X(untag_kms)

#define X(name) extern const struct action op_##name;
CONTROL_ACTIONS(X)
#undef X

#endif
