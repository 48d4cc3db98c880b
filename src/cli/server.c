/* Finding the server, and the operator's side of it. */
#include "cli/server.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

#include "net/client.h"

/* ---- where it is ---- */

static const char *const usual_dirs[] = {"./var", "/var/lib/ostler", NULL};

static bool is_dir(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static const char *choose_dir(const struct cli *c)
{
    const char *dir = given(c, OPT_DATA) ? c->values[OPT_DATA] : getenv("OSTLER_DATA");

    if (!str_empty(dir))
        return dir;
    for (const char *const *d = usual_dirs; *d; d++)
        if (is_dir(*d))
            return *d;
    return NULL;
}

int server_dir(struct cli *c)
{
    char real[PATH_MAX];

    if (c->dir)
        return CLI_OK;
    const char *dir = choose_dir(c);
    if (!dir) {
        (void)say_error(CLI_NO_SERVER, "there is no data directory: neither ./var nor "
                                       "/var/lib/ostler is there");
        say_hint("start a server with `ostler serve --data ./var`, or name its directory with "
                 "--data DIR");
        return CLI_NO_SERVER;
    }
    if (!realpath(dir, real))
        return say_error(CLI_NO_SERVER, "the data directory '%s' cannot be opened: %s", dir,
                         strerror(errno));
    c->dir = arena_str(c->arena, real);
    return CLI_OK;
}

bool server_by_environment(const struct cli *c)
{
    return !given(c, OPT_DATA) && !str_empty(getenv("OSTLER_ENDPOINT"));
}

/* ---- what a refusal says ---- */

static const struct {
    const char *code, *advice; /* a code may be a beginning, marked by '*' */
} hints[] = {
    {"InvalidInstanceId.NotFound", "`ostler ls` lists the instances that there are"},
    {"InstanceNotFound", "`ostler ls` lists the instances that there are"},
    {"IncorrectInstanceStatus*", "`ostler show ID` tells its state and what is being done to it"},
    {"InstanceNotReady", "it is still being created; try again, or `ostler show ID`"},
    {"InstanceLockedForSecurity", "an operator can unlock it: `ostler instance unlock ID`"},
    {"InstanceExpired*", "`ostler show ID` tells why: its subscription has ended, it is overdue, "
                         "or it is locked (`ostler instance unlock ID --reason financial`, "
                         "`ostler instance overdue ID --clear`)"},
    {"DiskError", "`ostler disk heal ID` mends a broken disk; --init-local-disk makes a local one "
                  "anew"},
    {"DiskInArrears", "`ostler disk overdue ID --clear` takes it back"},
    {"InvalidParameter.KMSKeyId.CMKNotEnabled", "`ostler kms enable` enables the keys again"},
    {"InvalidParameter.KMSKeyId.CMKUnauthorized", "`ostler kms tag` puts the tag on again"},
    {"InvalidParameter.KMSKeyId.NotFound", "`ostler kms restore` brings removed keys back"},
    {"InvalidParameter.KMSKeyId*", "`ostler kms grant` lets the service use the keys again"},
    {"InvalidOperation.DeletionProtection", "it was made with deletion protection; that must be "
                                            "switched off first"},
    {"ChargeTypeViolation", "a subscription must end first (`ostler instance expire ID`), and then "
                            "`ostler rm ID --force` releases it"},
    {"OperationDenied.NoStock", "stop an instance, or start the server with more capacity; "
                                "`ostler capacity ls` shows what a test has set"},
    {"OperationDenied.HostRepairing", "`ostler host maintain off` ends it"},
    {"QuotaExceed.ElasticQuota", "`ostler capacity ls` shows the quotas that are set"},
    {"InsufficientBalance", "`ostler account balance ok` takes it back"},
    {"InvalidImageId.NotFound", "`ostler image ls` lists the images that there are"},
    {"InvalidKeyPair*", "`ostler keypair ls` lists the key pairs that there are"},
    {"SignatureDoesNotMatch", "is OSTLER_ACCESS_KEY_SECRET still this server's? "
                              "`eval \"$(ostler env ostler)\"` sets it"},
    {"InvalidAccessKeyId*", "is OSTLER_ACCESS_KEY_ID still this server's? `ostler key ls` lists "
                            "its keys"},
    {"InvalidTimeStamp.Expired", "the clocks of client and server are too far apart"},
    {"AccountNotFound", "`ostler account ls` lists the accounts"},
    {"AccessKeyNotFound", "`ostler key ls` lists the access keys; `ostler key create` makes one"},
    {"ChargeType", "`ostler show ID` tells how it is paid for; with --prepaid one is made that has "
                   "a subscription"},
};

static const char *advice_for(const char *code)
{
    for (size_t i = 0; i < ARRAY_LEN(hints); i++) {
        size_t n = strlen(hints[i].code);

        if (hints[i].code[n - 1] == '*' ? strncmp(code, hints[i].code, n - 1) == 0
                                        : streq(code, hints[i].code))
            return hints[i].advice;
    }
    return NULL;
}

int say_refusal(const char *subject, const struct refusal *no)
{
    const char *code = no->code ? no->code : "refused";
    const char *advice = advice_for(code);

    (void)say_error(CLI_FAILED, "%s%s%s: %s", subject ? subject : "", subject ? ": " : "", code,
                    no->message ? no->message : "");
    if (advice)
        say_hint("%s", advice);
    if (!str_empty(no->request_id))
        say_hint("request %s", no->request_id);
    return CLI_FAILED;
}

/* ---- the operator's socket ---- */

/* What server.json says of a server that does not answer: it tells a crash from a server never
 * started. */
static void say_last_server(const struct cli *c)
{
    CLEANUP(json_free_p)
    json_t *j = json_load_file(arena_fmt(c->arena, "%s/server.json", c->dir), 0, NULL);
    long long pid = json_integer_value(json_object_get(j, "pid"));

    if (pid > 0 && access(arena_fmt(c->arena, "/proc/%lld", pid), F_OK) < 0)
        say_hint("the last one there (pid %lld) has ended", pid);
}

static int no_server(const struct cli *c, int err, const char *why)
{
    if (err == -EACCES) {
        (void)say_error(CLI_NO_SERVER, "the server of %s belongs to another user", c->dir);
        say_hint("run this as that user, or as root");
        return CLI_NO_SERVER;
    }
    if (err != -ENOENT && err != -ECONNREFUSED)
        return say_error(CLI_NO_SERVER, "the server of %s does not answer: %s", c->dir, why);
    (void)say_error(CLI_NO_SERVER, "no server runs on %s", c->dir);
    say_last_server(c);
    say_hint("start one with `ostler serve --data %s`, or name another directory with --data DIR",
             c->dir);
    return CLI_NO_SERVER;
}

const char *json_text(const json_t *j, const char *key)
{
    const char *s = json_string_value(json_object_get(j, key));

    return s ? s : "";
}

static int judge(struct cli *c, const struct http_answer *a, json_t **ret, struct refusal *no)
{
    CLEANUP(json_free_p) json_t *j = json_loadb(a->body, a->len, 0, NULL);

    if (!json_is_object(j))
        return say_error(CLI_FAILED, "the server's answer (HTTP %d) cannot be read", a->status);
    if (a->status == 200) {
        if (ret)
            *ret = json_incref(j);
        return CLI_OK;
    }
    *no = (struct refusal){.code = arena_str(c->arena, json_text(j, "code")),
                           .message = arena_str(c->arena, json_text(j, "message")),
                           .request_id = arena_str(c->arena, json_text(j, "requestId"))};
    return CLI_FAILED;
}

int operator_try(struct cli *c, const char *action, json_t *body, json_t **ret,
                 struct refusal *ret_no)
{
    CLEANUP(json_free_p) json_t *sent = body ? body : json_object();
    CLEANUP(http_answer_done_p) struct http_answer a = {0};
    static const struct http_header headers[] = {{"Content-Type", "application/json"}};
    int e = server_dir(c);

    if (e)
        return e;
    CLEANUP(free_p) char *text = json_dumps(sent, JSON_COMPACT);
    struct http_call call = {.method = "POST",
                             .url = arena_fmt(c->arena, "unix:%s/ostler.sock", c->dir),
                             .target = arena_fmt(c->arena, "/_ostler/v1/%s", action),
                             .headers = headers,
                             .n_headers = ARRAY_LEN(headers),
                             .body = text ? text : "",
                             .len = text ? strlen(text) : 0,
                             .timeout_ms = c->patience_ms};
    e = http_call_run(&call, &a);
    return e < 0 ? no_server(c, e, a.error) : judge(c, &a, ret, ret_no);
}

int operator_call(struct cli *c, const char *action, json_t *body, json_t **ret)
{
    struct refusal no = {0};
    int e = operator_try(c, action, body, ret, &no);

    return no.code ? say_refusal(NULL, &no) : e;
}

json_t *account_body(const struct cli *c)
{
    return given(c, OPT_ACCOUNT) ? json_pack("{s:s}", "account", c->values[OPT_ACCOUNT])
                                 : json_object();
}

/* ---- what the clouds' side needs ---- */

static const char *from_env(const char *name)
{
    const char *s = getenv(name);

    return s ? s : "";
}

static int by_environment(struct cli *c)
{
    c->endpoint = from_env("OSTLER_ENDPOINT");
    c->key_id = from_env("OSTLER_ACCESS_KEY_ID");
    c->secret = from_env("OSTLER_ACCESS_KEY_SECRET");
    c->region = *from_env("OSTLER_REGION_ID") ? from_env("OSTLER_REGION_ID") : "cn-hangzhou";
    c->zone = "";
    c->ca_file = getenv("OSTLER_CA_FILE");
    if (*c->key_id && *c->secret)
        return CLI_OK;
    (void)say_error(CLI_USAGE, "OSTLER_ENDPOINT is set, but not the key: OSTLER_ACCESS_KEY_ID and "
                               "OSTLER_ACCESS_KEY_SECRET");
    say_hint("on the server's computer `ostler env ostler` prints all three");
    return CLI_USAGE;
}

int server_environment(struct cli *c)
{
    json_t *j = NULL;

    if (c->endpoint)
        return CLI_OK;
    if (server_by_environment(c))
        return by_environment(c);
    int e = operator_call(c, "Environment", account_body(c), &j);
    if (e)
        return e;
    c->endpoint = arena_str(c->arena, json_text(j, "endpoint"));
    c->key_id = arena_str(c->arena, json_text(j, "accessKeyId"));
    c->secret = arena_str(c->arena, json_text(j, "accessKeySecret"));
    c->region = arena_str(c->arena, json_text(j, "region"));
    c->zone = arena_str(c->arena, json_text(j, "zone"));
    const char *ca = json_text(j, "caFile");
    c->ca_file = *ca ? arena_str(c->arena, ca) : NULL;
    json_decref(j);
    return CLI_OK;
}

/* ---- what both clouds' sides share ---- */

const char *server_host(struct cli *c)
{
    const char *at = strstr(c->endpoint, "://");
    const char *host = at ? at + 3 : c->endpoint;

    return arena_strn(c->arena, host, strcspn(host, "/"));
}

int server_unreachable(struct cli *c, int err, const char *why)
{
    (void)say_error(CLI_NO_SERVER, "no server answers at %s: %s", c->endpoint, why);
    if (err == -EKEYREJECTED)
        say_hint("OSTLER_CA_FILE or SSL_CERT_FILE names the certificate to trust: DIR/ca.pem");
    else if (server_by_environment(c))
        say_hint("the address comes from OSTLER_ENDPOINT");
    return CLI_NO_SERVER;
}
