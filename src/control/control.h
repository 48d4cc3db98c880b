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

/* DIR/instances/ID in the call's arena. */
const char *control_inst_dir(struct call *c, const char *inst);

/* A time as text, or null for 0. */
void control_enc_time(struct call *c, struct enc *e, const char *name, int64_t ms);

/* The operator's table from the core's errors. */
extern const struct err_row control_errors[];

extern const struct action op_add_fault, op_list_fault_codes, op_list_faults, op_remove_fault,
    op_remove_faults;

extern const struct action op_create_access_key, op_create_account, op_delete_access_key,
    op_delete_key_pair, op_delete_transcript, op_environment, op_expire_instance, op_fail_disk,
    op_grant_kms, op_heal_disk, op_import_key_pair, op_list_access_keys, op_list_accounts,
    op_list_events, op_list_images, op_list_instances, op_list_key_pairs, op_list_transcripts,
    op_lock_instance, op_make_network, op_read_console_log, op_read_transcript, op_register_image,
    op_revoke_kms, op_server_info, op_set_access_key_status, op_set_account, op_set_overdue,
    op_show_instance, op_start_transcript, op_stop_transcript, op_unlock_instance;

#endif
