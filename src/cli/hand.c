/* The operator's hand: the states that a user cannot reach, and what happens to machines. */
#include <stdio.h>

#include "cli/admin.h"

/* ---- instances ---- */

static json_t *reason(const struct cli *c)
{
    return given(c, OPT_REASON) ? json_pack("{s:s}", "reason", c->values[OPT_REASON]) : NULL;
}

static int inst_lock(struct cli *c)
{
    return for_each(c, "LockInstance", "instanceId", reason(c), "locked");
}

static int inst_unlock(struct cli *c)
{
    return for_each(c, "UnlockInstance", "instanceId", reason(c), "unlocked");
}

static int inst_expire(struct cli *c)
{
    return for_each(c, "ExpireInstance", "instanceId", NULL, "expired");
}

static int inst_overdue(struct cli *c)
{
    bool overdue = !given(c, OPT_CLEAR);

    return for_each(c, "SetOverdue", "instanceId", json_pack("{s:b}", "overdue", overdue),
                    overdue ? "overdue" : "paid");
}

static int inst_refund(struct cli *c)
{
    return for_each(c, "RefundInstance", "instanceId", NULL, "refunded");
}

static int inst_reclaim(struct cli *c)
{
    return for_each(c, "ReclaimInstance", "instanceId", NULL, "is taken back in 5 minutes");
}

/* "1", "12", "2w": so many months, or weeks. */
static int inst_renew(struct cli *c)
{
    CLEANUP(json_free_p) json_t *j = NULL;
    const char *period = c->n_args > 1 ? c->args[1] : "1";
    size_t digits = strspn(period, "0123456789");
    bool weeks = streq(period + digits, "w");
    json_t *body = body_with(c, "instanceId", c->args[0]);

    long long n = 0;
    for (size_t i = 0; i < digits && n < 100; i++)
        n = 10 * n + (period[i] - '0');
    if (!digits || n > 60 || (period[digits] && !weeks)) {
        json_decref(body);
        return say_usage(c, "PERIOD is months, as 12, or weeks, as 2w, not '%s'", period);
    }
    (void)json_object_set_new(body, "period", json_integer(n));
    (void)json_object_set_new(body, "unit", json_string(weeks ? "week" : "month"));
    int e = operator_call(c, "RenewInstance", body, &j);
    if (!e)
        (void)printf("%s until %s\n", json_text(j, "instanceId"), json_text(j, "expiresAt"));
    return e;
}

static int inst_recycle(struct cli *c)
{
    return for_each(c, "RecycleInstance", "instanceId", NULL, "on its way into the recycle bin");
}

static int inst_panic(struct cli *c)
{
    return for_each(c, "PanicInstance", "instanceId", NULL, "panicked");
}

static int inst_die(struct cli *c)
{
    return for_each(c, "KillInstance", "instanceId", NULL, "died");
}

/* ---- disks ---- */

/* The word is a disk's id, or an instance's, which stands for the disk that it can best lose. */
static int set_disk(struct cli *c, const char *action, json_t *more, const char *done)
{
    static const char *const keys[] = {"diskId", "instanceId"};
    CLEANUP(json_free_p) json_t *j = NULL;
    CLEANUP(json_free_p) json_t *also = more;
    struct refusal no = {0};
    int e = CLI_FAILED;

    for (size_t i = 0; i < ARRAY_LEN(keys) && e == CLI_FAILED; i++) {
        json_t *body = body_with(c, keys[i], c->args[0]);

        if (also)
            (void)json_object_update(body, also);
        no = (struct refusal){0};
        e = operator_try(c, action, body, &j, &no);
        if (no.code && !streq(no.code, "DiskNotFound"))
            break;
    }
    if (no.code && streq(no.code, "InstanceNotFound"))
        return say_error(CLI_FAILED, "there is no disk or instance '%s'", c->args[0]);
    if (no.code)
        return say_refusal(c->args[0], &no);
    if (!e)
        (void)printf("%s (%s disk) %s\n", json_text(j, "diskId"), json_text(j, "kind"), done);
    return e;
}

static int disk_fail(struct cli *c)
{
    return set_disk(c, "FailDisk", NULL, "failed");
}

static int disk_heal(struct cli *c)
{
    return set_disk(c, "HealDisk", NULL, "healed");
}

static int disk_errors(struct cli *c)
{
    bool full = given(c, OPT_FULL);

    return set_disk(c, "TroubleDisk", json_pack("{s:b}", "full", full),
                    full ? "is full" : "returns errors");
}

static int disk_overdue(struct cli *c)
{
    bool overdue = !given(c, OPT_CLEAR);

    return set_disk(c, "SetDiskOverdue", json_pack("{s:b}", "overdue", overdue),
                    overdue ? "overdue" : "paid");
}

/* ---- keys of encrypted disks ---- */

static int set_kms(struct cli *c, const char *action, const char *done)
{
    CLEANUP(json_free_p) json_t *j = NULL;
    size_t n;
    json_t *id;
    int e = operator_call(c, action, body_with(c, "keyId", c->values[OPT_KEY]), &j);

    if (e)
        return e;
    json_array_foreach (json_object_get(j, "keyIds"), n, id)
        if (json_is_string(id))
            (void)printf("%s %s\n", json_string_value(id), done);
    return CLI_OK;
}

static int kms_grant(struct cli *c)
{
    return set_kms(c, "GrantKms", "granted");
}

static int kms_revoke(struct cli *c)
{
    return set_kms(c, "RevokeKms", "revoked");
}

static int kms_enable(struct cli *c)
{
    return set_kms(c, "EnableKms", "enabled");
}

static int kms_disable(struct cli *c)
{
    return set_kms(c, "DisableKms", "disabled");
}

static int kms_tag(struct cli *c)
{
    return set_kms(c, "TagKms", "tagged");
}

static int kms_untag(struct cli *c)
{
    return set_kms(c, "UntagKms", "untagged");
}

static int kms_restore(struct cli *c)
{
    return set_kms(c, "RestoreKms", "restored");
}

static int kms_rm(struct cli *c)
{
    return set_kms(c, "RemoveKms", "removed");
}

/* ---- how much there is ---- */

/* The word is a number, or "none": then there is no such limit. */
static int set_limit(struct cli *c, const char *kind)
{
    json_t *body = body_with(c, "kind", kind);
    const char *word = c->args[0];
    long long n;

    if (!streq(word, "none") && (parse_i64(word, &n) < 0 || n < 0)) {
        json_decref(body);
        return say_usage(c, "how many is a number or `none`, not '%s'", word);
    }
    if (!streq(word, "none"))
        (void)json_object_set_new(body, "count", json_integer(n));
    if (given(c, OPT_ZONE))
        (void)json_object_set_new(body, "zone", json_string(c->values[OPT_ZONE]));
    if (given(c, OPT_TYPE))
        (void)json_object_set_new(body, "instanceType", json_string(c->values[OPT_TYPE]));
    int e = operator_call(c, "SetCapacity", body, NULL);
    if (!e)
        (void)printf("%s %s\n", kind, word);
    return e;
}

static int capacity_set(struct cli *c)
{
    return set_limit(c, "stock");
}

static int quota_set(struct cli *c)
{
    return set_limit(c, given(c, OPT_CPUS) ? "cpu" : "quota");
}

static void print_each(const json_t *list, const char *what, const char *of_none)
{
    size_t i;
    json_t *item;

    json_array_foreach (list, i, item) {
        const char *name = json_string_value(item);

        (void)printf("%s %s\n", what, name && *name ? name : of_none);
    }
}

static int capacity_ls(struct cli *c)
{
    static const struct row_column columns[] = {{"KIND", "kind"},
                                                {"COUNT", "count"},
                                                {"ZONE", "zone"},
                                                {"TYPE", "instanceType"},
                                                {"ACCOUNT", "account"}};
    CLEANUP(json_free_p) json_t *j = NULL;
    int e = operator_call(c, "ListCapacity", account_body(c), &j);

    if (e)
        return e;
    if (given(c, OPT_JSON)) {
        print_json(j);
        return CLI_OK;
    }
    rows_print(json_object_get(j, "limits"), columns, ARRAY_LEN(columns));
    print_each(json_object_get(j, "zonesUnderRepair"), "hosts are being repaired:", "all zones");
    print_each(json_object_get(j, "accountsWithoutBalance"), "no balance:", "");
    return CLI_OK;
}

static int host_maintain(struct cli *c)
{
    const char *word = c->args[0];

    if (!streq(word, "on") && !streq(word, "off"))
        return say_usage(c, "`host maintain` wants on or off, not '%s'", word);
    json_t *body = json_pack("{s:b}", "repair", streq(word, "on"));
    if (given(c, OPT_ZONE))
        (void)json_object_set_new(body, "zone", json_string(c->values[OPT_ZONE]));
    int e = operator_call(c, "SetHostRepair", body, NULL);
    if (!e)
        (void)printf("maintenance %s\n", word);
    return e;
}

static int account_balance(struct cli *c)
{
    CLEANUP(json_free_p) json_t *j = NULL;
    const char *word = c->args[0];

    if (!streq(word, "ok") && !streq(word, "none"))
        return say_usage(c, "`account balance` wants ok or none, not '%s'", word);
    int e = operator_call(c, "SetBalance", body_with(c, "balance", word), &j);
    if (!e)
        (void)printf("%s balance %s\n", json_text(j, "account"), word);
    return e;
}

const struct verb verbs_hand[] = {
    {.group = "instance",
     .name = "lock",
     .args = "ID...",
     ONE_OR_MORE,
     .opts = OPTS(OPT_REASON, ONLY_WHOSE),
     .summary = "Lock instances, as the cloud's security or billing does",
     .example = "ostler instance lock i-bp12345678901234567890 --reason financial",
     .run = inst_lock},
    {.group = "instance",
     .name = "unlock",
     .args = "ID...",
     ONE_OR_MORE,
     .opts = OPTS(OPT_REASON, ONLY_WHOSE),
     .summary = "Take such a lock off",
     .example = "ostler instance unlock i-bp12345678901234567890",
     .run = inst_unlock},
    {.group = "instance",
     .name = "expire",
     .args = "ID...",
     ONE_OR_MORE,
     .opts = OPTS(ONLY_WHOSE),
     .summary = "End prepaid instances' subscriptions now",
     .example = "ostler instance expire i-bp12345678901234567890",
     .run = inst_expire},
    {.group = "instance",
     .name = "overdue",
     .args = "ID...",
     ONE_OR_MORE,
     .opts = OPTS(OPT_CLEAR, ONLY_WHOSE),
     .summary = "Say that instances are not paid for, or --clear it",
     .example = "ostler instance overdue i-bp12345678901234567890",
     .run = inst_overdue},
    {.group = "instance",
     .name = "refund",
     .args = "ID...",
     ONE_OR_MORE,
     .opts = OPTS(ONLY_WHOSE),
     .summary = "Pay subscriptions back: the instances are locked and stopped",
     .example = "ostler instance refund i-bp12345678901234567890",
     .run = inst_refund},
    {.group = "instance",
     .name = "reclaim",
     .args = "ID...",
     ONE_OR_MORE,
     .opts = OPTS(ONLY_WHOSE),
     .summary = "Take spot instances back, with five minutes' notice",
     .more = "They are locked at once, and released then; those made to stop when interrupted are "
             "stopped.",
     .example = "ostler instance reclaim i-bp12345678901234567890",
     .run = inst_reclaim},
    {.group = "instance",
     .name = "renew",
     .args = "ID [PERIOD]",
     .min_args = 1,
     .max_args = 2,
     .opts = OPTS(ONLY_WHOSE),
     .summary = "Renew a prepaid instance's subscription, by a month or PERIOD",
     .more = "PERIOD is months, as 12, or weeks, as 2w.",
     .example = "ostler instance renew i-bp12345678901234567890 12",
     .run = inst_renew},
    {.group = "instance",
     .name = "recycle",
     .args = "ID...",
     ONE_OR_MORE,
     .opts = OPTS(ONLY_WHOSE),
     .summary = "Put instances into the recycle bin",
     .example = "ostler instance recycle i-bp12345678901234567890",
     .run = inst_recycle},
    {.group = "instance",
     .name = "panic",
     .args = "ID...",
     ONE_OR_MORE,
     .opts = OPTS(ONLY_WHOSE),
     .summary = "Make running guests' kernels panic",
     .more = "Only where the server has --controls. It answers when the instance is stopped.",
     .example = "ostler instance panic i-bp12345678901234567890",
     .run = inst_panic},
    {.group = "instance",
     .name = "die",
     .args = "ID...",
     ONE_OR_MORE,
     .opts = OPTS(ONLY_WHOSE),
     .summary = "Kill running machines' processes",
     .more = "Only where the server has --controls. It answers when the instance is stopped.",
     .example = "ostler instance die i-bp12345678901234567890",
     .run = inst_die},
    {.group = "disk",
     .name = "fail",
     .args = "ID",
     .min_args = 1,
     .max_args = 1,
     .opts = OPTS(ONLY_WHOSE),
     .summary = "Break a disk",
     .more = "ID is a disk's, or an instance's: then its first local disk is broken, else its "
             "first data disk, else its system disk.",
     .example = "ostler disk fail i-bp12345678901234567890",
     .run = disk_fail},
    {.group = "disk",
     .name = "heal",
     .args = "ID",
     .min_args = 1,
     .max_args = 1,
     .opts = OPTS(ONLY_WHOSE),
     .summary = "Mend a broken disk",
     .example = "ostler disk heal d-bp12345678901234567890",
     .run = disk_heal},
    {.group = "disk",
     .name = "errors",
     .args = "ID",
     ONE,
     .opts = OPTS(OPT_FULL, ONLY_WHOSE),
     .summary = "Let a disk return errors to its guest, or have no room",
     .more = "Only where the server has --controls. ID is a disk's, or an instance's as in `disk "
             "fail`. "
             "`disk heal` ends it.",
     .example = "ostler disk errors i-bp12345678901234567890 --full",
     .run = disk_errors},
    {.group = "disk",
     .name = "overdue",
     .args = "ID",
     ONE,
     .opts = OPTS(OPT_CLEAR, ONLY_WHOSE),
     .summary = "Say that a disk is not paid for, or --clear it",
     .example = "ostler disk overdue d-bp12345678901234567890",
     .run = disk_overdue},
    {.group = "kms",
     .name = "revoke",
     .args = "",
     .opts = OPTS(OPT_KEY, ONLY_WHOSE),
     .summary = "Forbid the service the keys of encrypted disks",
     .more = "Without --key: every key of --account, or of all accounts.",
     .example = "ostler kms revoke",
     .run = kms_revoke},
    {.group = "kms",
     .name = "grant",
     .args = "",
     .opts = OPTS(OPT_KEY, ONLY_WHOSE),
     .summary = "Allow it again",
     .example = "ostler kms grant",
     .run = kms_grant},
    {.group = "kms",
     .name = "disable",
     .args = "",
     .opts = OPTS(OPT_KEY, ONLY_WHOSE),
     .summary = "Disable keys of encrypted disks",
     .more = "Without --key: every key of --account, or of all accounts.",
     .example = "ostler kms disable",
     .run = kms_disable},
    {.group = "kms",
     .name = "enable",
     .args = "",
     .opts = OPTS(OPT_KEY, ONLY_WHOSE),
     .summary = "Enable them again",
     .more = "Without --key: every key of --account, or of all accounts.",
     .example = "ostler kms enable",
     .run = kms_enable},
    {.group = "kms",
     .name = "untag",
     .args = "",
     .opts = OPTS(OPT_KEY, ONLY_WHOSE),
     .summary = "Take the tag off that lets the service use keys",
     .more = "Without --key: every key of --account, or of all accounts.",
     .example = "ostler kms untag",
     .run = kms_untag},
    {.group = "kms",
     .name = "tag",
     .args = "",
     .opts = OPTS(OPT_KEY, ONLY_WHOSE),
     .summary = "Put it on again",
     .more = "Without --key: every key of --account, or of all accounts.",
     .example = "ostler kms tag",
     .run = kms_tag},
    {.group = "kms",
     .name = "rm",
     .args = "",
     .opts = OPTS(OPT_KEY, ONLY_WHOSE),
     .summary = "Make keys as unknown as if they did not exist",
     .more = "Without --key: every key of --account, or of all accounts.",
     .example = "ostler kms rm",
     .run = kms_rm},
    {.group = "kms",
     .name = "restore",
     .args = "",
     .opts = OPTS(OPT_KEY, ONLY_WHOSE),
     .summary = "Bring them back",
     .more = "Without --key: every key of --account, or of all accounts.",
     .example = "ostler kms restore",
     .run = kms_restore},
    {.group = "capacity",
     .name = "set",
     .args = "N|none",
     ONE,
     .opts = OPTS(OPT_ZONE, OPT_TYPE, ONLY_WHOSE),
     .summary = "Say how many instances there is room for",
     .more = "Only where the server has --controls. Counts what is not off; the next start or "
             "creation is "
             "out of stock. Every limit that is about an instance must have room.",
     .example = "ostler capacity set 2 --zone cn-hangzhou-h",
     .run = capacity_set},
    {.group = "capacity",
     .name = "ls",
     .args = "",
     .opts = OPTS(OPT_JSON, ONLY_WHOSE),
     .summary = "List such limits, hosts under repair and accounts without a balance",
     .example = "ostler capacity ls",
     .run = capacity_ls},
    {.group = "quota",
     .name = "set",
     .args = "N|none",
     ONE,
     .opts = OPTS(OPT_CPUS, OPT_ZONE, OPT_TYPE, ONLY_WHOSE),
     .summary = "Say how many instances, or processors, a quota allows",
     .more = "Only where the server has --controls. Counts all there are, also what is off.",
     .example = "ostler quota set 10 --type ecs.g7.large",
     .run = quota_set},
    {.group = "host",
     .name = "maintain",
     .args = "on|off",
     ONE,
     .opts = OPTS(OPT_ZONE, OPT_DATA),
     .summary = "Say that hosts are being repaired: nothing starts there",
     .more = "Only where the server has --controls. Without --zone: all hosts.",
     .example = "ostler host maintain on --zone cn-hangzhou-h",
     .run = host_maintain},
    {.group = "account",
     .name = "balance",
     .args = "ok|none",
     ONE,
     .opts = OPTS(WHOSE),
     .summary = "Say whether an account has a balance",
     .more = "Only where the server has --controls. Without one nothing is created or started.",
     .example = "ostler account balance none",
     .run = account_balance},
    {.name = NULL},
};
