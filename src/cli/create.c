/* Making instances: the main parameters of RunInstances and CreateInstance. */
#include "cli/create.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/crypto.h"
#include "cli/text.h"
#include "cli/wait.h"

enum { MAX_USER_DATA = 32 * 1024, MAX_DATA_DISKS = 16 };

/* ---- what was not said ---- */

static int newest_image(struct cli *c, const char *region, const char **ret)
{
    CLEANUP(json_free_p) json_t *j = NULL;
    struct ecs_params p = {0};

    ecs_add(&p, "RegionId", region);
    int e = ecs_call(c, "DescribeImages", &p, &j);
    if (e)
        return e;
    const json_t *images = json_object_get(json_object_get(j, "Images"), "Image");
    if (!json_array_size(images)) {
        (void)say_error(CLI_FAILED, "there is no image to make an instance from");
        say_hint("`ostler image import FILE` adds one");
        return CLI_FAILED;
    }
    *ret = arena_str(c->arena, json_text(json_array_get(images, 0), "ImageId"));
    return CLI_OK;
}

/* Memory first: that is what a small host lacks. */
static int smallest_type(struct cli *c, const char **ret)
{
    CLEANUP(json_free_p) json_t *j = NULL;
    const json_t *best = NULL;
    double least_memory = 0;
    size_t n;
    json_t *t;
    int e = ecs_call(c, "DescribeInstanceTypes", &(struct ecs_params){0}, &j);

    if (e)
        return e;
    json_array_foreach (json_object_get(json_object_get(j, "InstanceTypes"), "InstanceType"), n,
                        t) {
        double memory = json_number_value(json_object_get(t, "MemorySize"));

        if (!best || memory < least_memory) {
            best = t;
            least_memory = memory;
        }
    }
    if (!best)
        return say_error(CLI_FAILED, "the server offers no instance type");
    *ret = arena_str(c->arena, json_text(best, "InstanceTypeId"));
    return CLI_OK;
}

/* ---- the request ---- */

static int add_user_data(struct cli *c, struct ecs_params *p)
{
    const char *path = c->values[OPT_USER_DATA];
    static char data[MAX_USER_DATA + 1];
    size_t n = 0;
    ssize_t got;

    if (!path)
        return CLI_OK;
    CLEANUP(close_p) int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return say_error(CLI_USAGE, "%s: %s", path, strerror(errno));
    while (n < sizeof(data) && (got = read(fd, data + n, sizeof(data) - n)) > 0)
        n += (size_t)got;
    if (n > MAX_USER_DATA)
        return say_error(CLI_USAGE, "%s: user data may have at most 32 KiB", path);
    ecs_add(p, "UserData", base64_encode(c->arena, data, n));
    return CLI_OK;
}

static int add_data_disks(struct cli *c, struct ecs_params *p)
{
    const char *at = c->values[OPT_DATA_DISK];

    for (int i = 1; at && *at; i++) {
        size_t n = strcspn(at, ",");
        const char *size = arena_strn(c->arena, at, n);
        long long gib;

        if (i > MAX_DATA_DISKS || parse_i64(size, &gib) < 0 || gib < 1)
            return say_usage(c, "--data-disk wants sizes in GiB, like 20,100, not '%s'", size);
        ecs_add(p, arena_fmt(c->arena, "DataDisk.%d.Size", i), size);
        if (given(c, OPT_ENCRYPTED))
            ecs_add(p, arena_fmt(c->arena, "DataDisk.%d.Encrypted", i), "true");
        at += n + (at[n] == ',');
    }
    if (given(c, OPT_ENCRYPTED) && str_empty(c->values[OPT_DATA_DISK]))
        return say_usage(c, "--encrypted is about data disks; --data-disk makes one");
    return CLI_OK;
}

/* An image or type that was not named is asked for. */
static int add_choices(struct cli *c, const char *region, struct ecs_params *p)
{
    const char *image = c->values[OPT_IMAGE], *type = c->values[OPT_TYPE];
    int e;

    if (!image && (e = newest_image(c, region, &image)))
        return e;
    if (!type && (e = smallest_type(c, &type)))
        return e;
    ecs_add(p, "ImageId", image);
    ecs_add(p, "InstanceType", type);
    return CLI_OK;
}

static int add_period(struct cli *c, struct ecs_params *p)
{
    long long months;

    if (!given(c, OPT_PREPAID))
        return CLI_OK;
    if (!opt_int(c, OPT_PREPAID, 1, 60, 1, &months))
        return CLI_USAGE;
    ecs_add(p, "InstanceChargeType", "PrePaid");
    ecs_add(p, "Period", c->values[OPT_PREPAID]);
    return CLI_OK;
}

static int build(struct cli *c, struct ecs_params *p)
{
    static const struct {
        enum opt_id opt;
        const char *name;
    } plain[] = {
        {OPT_NAME, "InstanceName"},   {OPT_ZONE, "ZoneId"},          {OPT_HOSTNAME, "HostName"},
        {OPT_KEYPAIR, "KeyPairName"}, {OPT_DISK, "SystemDisk.Size"},
    };
    long long gib;
    int e = server_environment(c);

    if (e)
        return e;
    if (!opt_int(c, OPT_DISK, 1, 32768, 0, &gib))
        return CLI_USAGE;
    CLEANUP(free_p) char *of_zone = given(c, OPT_ZONE) ? text_region_of(c->values[OPT_ZONE]) : NULL;
    const char *region = arena_str(c->arena, of_zone ? of_zone : c->region);
    ecs_add(p, "RegionId", region);
    for (size_t i = 0; i < ARRAY_LEN(plain); i++)
        ecs_add(p, plain[i].name, c->values[plain[i].opt]);
    if (given(c, OPT_PROTECT))
        ecs_add(p, "DeletionProtection", "true");
    if (given(c, OPT_DRY_RUN))
        ecs_add(p, "DryRun", "true");
    if ((e = add_period(c, p)) || (e = add_user_data(c, p)) || (e = add_data_disks(c, p)))
        return e;
    return add_choices(c, region, p);
}

/* ---- sending it ---- */

struct ids {
    const char *v[100];
    size_t n;
};

static int refused(struct cli *c, const struct refusal *no)
{
    if (!no->code)
        return CLI_FAILED;
    if (!streq(no->code, "DryRunOperation"))
        return say_refusal(NULL, no);
    (void)printf("%s instance%s would be made\n",
                 given(c, OPT_COUNT_N) ? c->values[OPT_COUNT_N] : "one",
                 given(c, OPT_COUNT_N) ? "s" : "");
    return CLI_OK;
}

/* RunInstances makes all or none, and starts them. */
static int make_running(struct cli *c, struct ecs_params *p, long long count, struct ids *ret)
{
    CLEANUP(json_free_p) json_t *j = NULL;
    struct refusal no;
    size_t n;
    json_t *id;

    ecs_add(p, "Amount", arena_fmt(c->arena, "%lld", count));
    int e = ecs_try(c, "RunInstances", p, &j, &no);
    if (e)
        return e == CLI_FAILED ? refused(c, &no) : e;
    json_array_foreach (json_object_get(json_object_get(j, "InstanceIdSets"), "InstanceIdSet"), n,
                        id)
        if (json_is_string(id) && ret->n < ARRAY_LEN(ret->v))
            ret->v[ret->n++] = arena_str(c->arena, json_string_value(id));
    return CLI_OK;
}

/* CreateInstance makes one, stopped. */
static int make_stopped(struct cli *c, struct ecs_params *p, long long count, struct ids *ret)
{
    for (long long i = 0; i < count; i++) {
        CLEANUP(json_free_p) json_t *j = NULL;
        struct refusal no;
        int e = ecs_try(c, "CreateInstance", p, &j, &no);

        if (e)
            return e == CLI_FAILED ? refused(c, &no) : e;
        ret->v[ret->n++] = arena_str(c->arena, json_text(j, "InstanceId"));
    }
    return CLI_OK;
}

int create(struct cli *c)
{
    struct ecs_params p = {0};
    struct ids ids = {0};
    long long count;
    bool run = given(c, OPT_RUN);

    if (!opt_int(c, OPT_COUNT_N, 1, 100, 1, &count))
        return CLI_USAGE;
    int e = build(c, &p);
    if (e)
        return e;
    e = run ? make_running(c, &p, count, &ids) : make_stopped(c, &p, count, &ids);
    for (size_t i = 0; i < ids.n; i++)
        (void)puts(ids.v[i]);
    if (!ids.n || !given(c, OPT_WAIT))
        return e;
    int waited = wait_for(c, ids.v, ids.n, run ? WAIT_RUNNING : WAIT_STOPPED);
    return e ? e : waited;
}
