/* Instances: listing, showing, starting, stopping, rebooting, removing. */
#include <ctype.h>
#include <stdio.h>

#include "cli/create.h"
#include "cli/rows.h"
#include "cli/text.h"
#include "cli/wait.h"
#include "cli/zec.h"

/* ---- one form of an instance, whichever side told of it ---- */

static json_t *lower(const char *s)
{
    CLEANUP(free_p) char *copy = xstrdup(s);

    for (char *p = copy; *p; p++)
        *p = (char)tolower((unsigned char)*p);
    return json_string(copy);
}

static void copy_text(json_t *to, const char *name, const json_t *from, const char *from_name)
{
    (void)json_object_set_new(to, name, json_string(json_text(from, from_name)));
}

/* An item of DescribeInstances in the operator's words. */
static json_t *from_ecs(const json_t *i)
{
    static const char *const names[][2] = {
        {"instanceId", "InstanceId"},   {"name", "InstanceName"},      {"type", "InstanceType"},
        {"image", "ImageId"},           {"region", "RegionId"},        {"zone", "ZoneId"},
        {"hostname", "HostName"},       {"createdAt", "CreationTime"}, {"startedAt", "StartTime"},
        {"description", "Description"},
    };
    json_t *j = json_object();
    const json_t *vpc = json_object_get(i, "VpcAttributes");
    const json_t *ips = json_object_get(json_object_get(vpc, "PrivateIpAddress"), "IpAddress");
    const char *ip = json_string_value(json_array_get(ips, 0));

    for (size_t n = 0; n < ARRAY_LEN(names); n++)
        copy_text(j, names[n][0], i, names[n][1]);
    (void)json_object_set_new(j, "state", lower(json_text(i, "Status")));
    (void)json_object_set_new(j, "ip", json_string(ip ? ip : ""));
    (void)json_object_set(j, "cpu", json_object_get(i, "Cpu"));
    (void)json_object_set(j, "memoryMib", json_object_get(i, "Memory"));
    return j;
}

static json_t *from_operator(json_t *i)
{
    (void)json_object_set_new(i, "state", lower(json_text(i, "state")));
    if (!json_integer_value(json_object_get(i, "sshPort")))
        (void)json_object_set_new(i, "sshPort", json_null());
    return i;
}

/* ---- ls ---- */

static int list_by_operator(struct cli *c, json_t *all)
{
    for (size_t offset = 0;;) {
        CLEANUP(json_free_p) json_t *page = NULL;
        json_t *body = account_body(c);
        size_t n;
        json_t *i;

        (void)json_object_set_new(body, "offset", json_integer((json_int_t)offset));
        int e = operator_call(c, "ListInstances", body, &page);
        if (e)
            return e;
        const json_t *rows = json_object_get(page, "instances");
        json_array_foreach (rows, n, i)
            (void)json_array_append(all, from_operator(i));
        offset += json_array_size(rows);
        if (!json_array_size(rows) ||
            (json_int_t)offset >= json_integer_value(json_object_get(page, "total")))
            return CLI_OK;
    }
}

static int list_by_ecs(struct cli *c, json_t *all)
{
    const char *token = NULL;
    int e = server_environment(c);

    if (e)
        return e;
    do {
        CLEANUP(json_free_p) json_t *page = NULL;
        struct ecs_params p = {0};
        size_t n;
        json_t *i;

        ecs_add(&p, "RegionId", given(c, OPT_REGION) ? c->values[OPT_REGION] : c->region);
        ecs_add(&p, "MaxResults", "100");
        ecs_add(&p, "NextToken", token);
        if ((e = ecs_call(c, "DescribeInstances", &p, &page)))
            return e;
        json_array_foreach (json_object_get(json_object_get(page, "Instances"), "Instance"), n, i)
            (void)json_array_append_new(all, from_ecs(i));
        token = arena_str(c->arena, json_text(page, "NextToken"));
    } while (*token);
    return CLI_OK;
}

static const struct row_column instance_columns[] = {
    {"INSTANCE", "instanceId"}, {"NAME", "name"},  {"STATE", "state"}, {"TYPE", "type"},
    {"ZONE", "zone"},           {"ADDRESS", "ip"}, {"SSH", "sshPort"},
};

static int ls(struct cli *c)
{
    CLEANUP(json_free_p) json_t *all = json_array();
    int e = server_by_environment(c) ? list_by_ecs(c, all) : list_by_operator(c, all);
    size_t n;
    json_t *i;

    if (e)
        return e;
    if (given(c, OPT_JSON)) {
        print_json(all);
    } else if (given(c, OPT_IDS)) {
        json_array_foreach (all, n, i)
            (void)puts(json_text(i, "instanceId"));
    } else if (json_array_size(all)) {
        rows_print(all, instance_columns, ARRAY_LEN(instance_columns));
    } else if (isatty(STDOUT_FILENO)) {
        (void)puts("There is no instance yet. `ostler create --run --wait` makes one.");
    }
    return CLI_OK;
}

/* ---- show ---- */

static int show_by_ecs(struct cli *c, const char *id, json_t **ret)
{
    CLEANUP(json_free_p) json_t *page = NULL;
    struct ecs_params p = {0};
    int e = server_environment(c);

    if (e)
        return e;
    ecs_add(&p, "RegionId", given(c, OPT_REGION) ? c->values[OPT_REGION] : c->region);
    CLEANUP(json_free_p) json_t *ids = json_pack("[s]", id);
    CLEANUP(free_p) char *text = json_dumps(ids, JSON_COMPACT);
    ecs_add(&p, "InstanceIds", text);
    if ((e = ecs_call(c, "DescribeInstances", &p, &page)))
        return e;
    const json_t *found =
        json_array_get(json_object_get(json_object_get(page, "Instances"), "Instance"), 0);
    if (!found)
        return say_refusal(id, &(struct refusal){.code = "InvalidInstanceId.NotFound",
                                                 .message = "There is no such instance here.",
                                                 .request_id = json_text(page, "RequestId")});
    *ret = from_ecs(found);
    return CLI_OK;
}

static int show_by_operator(struct cli *c, const char *id, json_t **ret)
{
    json_t *body = account_body(c);
    struct refusal no = {0};

    (void)json_object_set_new(body, "instanceId", json_string(id));
    int e = operator_try(c, "ShowInstance", body, ret, &no);
    if (no.code)
        return say_refusal(id, &no);
    if (!e) {
        (void)from_operator(*ret);
        (void)json_object_del(*ret, "requestId");
    }
    return e;
}

/* A list's items, or an object's values, as one line. */
static const char *line_of(struct cli *c, json_t *v)
{
    CLEANUP(buf_done) struct buf b = {0};
    const char *key;
    json_t *item;
    size_t n;

    json_array_foreach (v, n, item)
        buf_fmt(&b, "%s%s", n ? ", " : "", row_text(c->arena, item));
    if (json_is_object(v))
        json_object_foreach (v, key, item)
            if (*row_text(c->arena, item))
                buf_fmt(&b, "%s%s %s", b.len ? ", " : "", key, row_text(c->arena, item));
    return arena_str(c->arena,
                     json_is_object(v) || json_is_array(v) ? buf_cstr(&b) : row_text(c->arena, v));
}

static const struct row_column disk_columns[] = {
    {"DISK", "diskId"},
    {"KIND", "kind"},
    {"CATEGORY", "category"},
    {"GIB", "sizeGib"},
    {"STATE", "failed", "failed", "ok"},
    {"ENCRYPTED", "encrypted"},
};

static const struct row_column event_columns[] = {
    {"WHEN", "at"}, {"EVENT", "kind"}, {"DETAIL", "detail"}};

static bool has_rows(const json_t *list)
{
    return json_array_size(list) && json_is_object(json_array_get(list, 0));
}

static void print_part(const json_t *j, const char *key, const struct row_column *columns, size_t n)
{
    const json_t *rows = json_object_get(j, key);

    if (!has_rows(rows))
        return;
    (void)putchar('\n');
    rows_print(rows, columns, n);
}

/* One field a line, those without a value left out, then what is a table of its own. */
static void print_shown(struct cli *c, json_t *j)
{
    CLEANUP(buf_done) struct buf b = {0};
    const char *key;
    json_t *v;

    json_object_foreach (j, key, v) {
        const char *line = has_rows(v) ? "" : line_of(c, v);

        if (!*line)
            continue;
        buf_fmt(&b, "%-20s", key);
        text_clean(&b, line);
        buf_char(&b, '\n');
    }
    (void)fputs(buf_cstr(&b), stdout);
    print_part(j, "disks", disk_columns, ARRAY_LEN(disk_columns));
    print_part(j, "events", event_columns, ARRAY_LEN(event_columns));
}

static int show(struct cli *c)
{
    CLEANUP(json_free_p) json_t *j = NULL;
    int e = server_by_environment(c) ? show_by_ecs(c, c->args[0], &j)
                                     : show_by_operator(c, c->args[0], &j);

    if (e)
        return e;
    if (given(c, OPT_JSON))
        print_json(j);
    else
        print_shown(c, j);
    return CLI_OK;
}

/* ---- start, stop, reboot, rm ---- */

struct power {
    const char *action;
    const char *force;                  /* the parameter that --force sets; NULL: none */
    const char *zec_action, *zec_force; /* the same in zenlayer's API */
    const char *doing, *would;
    enum wait_goal goal;
};

static void power_params(const struct cli *c, const struct power *p, const char *id,
                         struct ecs_params *ret)
{
    *ret = (struct ecs_params){0};
    ecs_add(ret, "InstanceId", id);
    if (given(c, OPT_FORCE) && p->force)
        ecs_add(ret, p->force, "true");
    if (given(c, OPT_FORCE) && p->goal == WAIT_GONE) /* a subscription that has ended goes, too */
        ecs_add(ret, "TerminateSubscription", "true");
    if (given(c, OPT_INIT_LOCAL_DISK))
        ecs_add(ret, "InitLocalDisk", "true");
    if (given(c, OPT_STOP_CHARGING))
        ecs_add(ret, "StoppedMode", "StopCharging");
    if (given(c, OPT_DRY_RUN))
        ecs_add(ret, "DryRun", "true");
}

static bool by_zenlayer(const struct cli *c)
{
    return given(c, OPT_API) && streq(c->values[OPT_API], "zenlayer");
}

/* A dry run that would succeed is said as an error of its own. */
static int power_one(struct cli *c, const struct power *p, const char *id)
{
    struct ecs_params params;
    struct refusal no;
    int e;

    power_params(c, p, id, &params);
    if (by_zenlayer(c))
        e = zec_power(c, p->zec_action, p->zec_force, id, &no);
    else
        e = ecs_try(c, p->action, &params, NULL, &no);
    if (no.code && streq(no.code, "DryRunOperation")) {
        (void)printf("%s would be %s\n", id, p->would);
        return CLI_OK;
    }
    if (no.code)
        return say_refusal(id, &no);
    if (!e && !given(c, OPT_WAIT))
        (void)printf("%s %s\n", id, p->doing);
    return e;
}

static int power(struct cli *c, const struct power *p)
{
    const char **accepted = ARENA_ARRAY(c->arena, const char *, c->n_args);
    size_t n = 0;
    int worst = CLI_OK;

    if (given(c, OPT_API) && !by_zenlayer(c) && !streq(c->values[OPT_API], "alibaba"))
        return say_usage(c, "--api is alibaba or zenlayer");
    if (by_zenlayer(c) &&
        (given(c, OPT_DRY_RUN) || given(c, OPT_INIT_LOCAL_DISK) || given(c, OPT_STOP_CHARGING)))
        return say_usage(c, "zenlayer's API has no such option");
    for (size_t i = 0; i < c->n_args; i++) {
        int e = power_one(c, p, c->args[i]);

        if (e == CLI_NO_SERVER || e == CLI_USAGE)
            return e;
        if (e)
            worst = e;
        else
            accepted[n++] = c->args[i];
    }
    if (!n || !given(c, OPT_WAIT) || given(c, OPT_DRY_RUN))
        return worst;
    int e = wait_for(c, accepted, n, p->goal);
    return e ? e : worst;
}

static int start(struct cli *c)
{
    return power(c, &(struct power){.action = "StartInstance",
                                    .zec_action = "StartInstances",
                                    .doing = "starting",
                                    .would = "started",
                                    .goal = WAIT_RUNNING});
}

static int stop(struct cli *c)
{
    return power(c, &(struct power){.action = "StopInstance",
                                    .zec_action = "StopInstances",
                                    .zec_force = "forceShutdown",
                                    .force = "ForceStop",
                                    .doing = "stopping",
                                    .would = "stopped",
                                    .goal = WAIT_STOPPED});
}

static int reboot(struct cli *c)
{
    return power(c, &(struct power){.action = "RebootInstance",
                                    .zec_action = "RebootInstances",
                                    .zec_force = "forceReboot",
                                    .force = "ForceStop",
                                    .doing = "rebooting",
                                    .would = "rebooted",
                                    .goal = WAIT_RUNNING});
}

static int rm(struct cli *c)
{
    return power(c, &(struct power){.action = "DeleteInstance",
                                    .force = "Force",
                                    .doing = "releasing",
                                    .would = "released",
                                    .goal = WAIT_GONE});
}

const struct verb verbs_inst[] = {
    {.name = "create",
     .args = "",
     .opts = OPTS(OPT_TYPE, OPT_IMAGE, OPT_NAME, OPT_ZONE, OPT_COUNT_N, OPT_RUN, OPT_WAIT,
                  OPT_TIMEOUT, OPT_HOSTNAME, OPT_KEYPAIR, OPT_USER_DATA, OPT_DISK, OPT_DATA_DISK,
                  OPT_ENCRYPTED, OPT_PREPAID, OPT_PROTECT, OPT_DRY_RUN, OPT_ACCOUNT, OPT_DATA),
     .summary = "Make instances",
     .more = "Prints the ids of the new instances, which are stopped unless --run is given. Where "
             "nothing is said, the newest image and the smallest type are taken.",
     .example = "ostler create --name web --count 3 --run --wait",
     .run = create},
    {.name = "ls",
     .args = "",
     .opts = OPTS(OPT_JSON, OPT_IDS, OPT_REGION, OPT_ACCOUNT, OPT_DATA),
     .summary = "List instances",
     .more = "By the data directory: those of all accounts and regions, or of --account. By "
             "OSTLER_ENDPOINT: the key's own in one region.",
     .example = "ostler ls",
     .run = ls},
    {.name = "show",
     .args = "ID",
     .min_args = 1,
     .max_args = 1,
     .opts = OPTS(OPT_JSON, OPT_REGION, OPT_ACCOUNT, OPT_DATA),
     .summary = "Show everything about an instance",
     .example = "ostler show i-bp12345678901234567890",
     .run = show},
    {.name = "start",
     .args = "ID...",
     .min_args = 1,
     .max_args = -1,
     .opts = OPTS(OPT_WAIT, OPT_TIMEOUT, OPT_INIT_LOCAL_DISK, OPT_DRY_RUN, OPT_API, OPT_ACCOUNT,
                  OPT_DATA),
     .summary = "Start stopped instances",
     .example = "ostler start i-bp12345678901234567890 --wait",
     .run = start},
    {.name = "stop",
     .args = "ID...",
     .min_args = 1,
     .max_args = -1,
     .opts = OPTS(OPT_FORCE, OPT_WAIT, OPT_TIMEOUT, OPT_STOP_CHARGING, OPT_DRY_RUN, OPT_API,
                  OPT_ACCOUNT, OPT_DATA),
     .summary = "Stop running instances",
     .more = "The guest is asked to shut down; --force cuts its power, and what it has not "
             "written is lost.",
     .example = "ostler stop $(ostler ls --ids) --force --wait",
     .run = stop},
    {.name = "reboot",
     .args = "ID...",
     .min_args = 1,
     .max_args = -1,
     .opts = OPTS(OPT_FORCE, OPT_WAIT, OPT_TIMEOUT, OPT_DRY_RUN, OPT_API, OPT_ACCOUNT, OPT_DATA),
     .summary = "Reboot running instances",
     .example = "ostler reboot i-bp12345678901234567890",
     .run = reboot},
    {.name = "rm",
     .args = "ID...",
     .min_args = 1,
     .max_args = -1,
     .opts = OPTS(OPT_FORCE, OPT_WAIT, OPT_TIMEOUT, OPT_DRY_RUN, OPT_ACCOUNT, OPT_DATA),
     .summary = "Release instances and their disks",
     .more = "There is no way back, unless the account has a recycle bin. A running instance is "
             "released only with --force.",
     .example = "ostler rm i-bp12345678901234567890 --force",
     .run = rm},
    {.name = NULL},
};
