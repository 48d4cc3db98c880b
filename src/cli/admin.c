/* The operator's verbs: keys, accounts, the event log. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>

#include "cli/admin.h"
#include "cli/rows.h"
#include "cli/server.h"
#include "cli/text.h"

json_t *body_with(const struct cli *c, const char *key, const char *value)
{
    json_t *body = account_body(c);

    if (value)
        (void)json_object_set_new(body, key, json_string(value));
    return body;
}

int for_each(struct cli *c, const char *action, const char *key, json_t *more, const char *done)
{
    CLEANUP(json_free_p) json_t *also = more;
    int worst = CLI_OK;

    for (size_t i = 0; i < c->n_args; i++) {
        json_t *body = body_with(c, key, c->args[i]);
        struct refusal no = {0};

        if (also)
            (void)json_object_update(body, also);
        int e = operator_try(c, action, body, NULL, &no);
        if (e && !no.code)
            return e;
        if (e)
            worst = say_refusal(c->args[i], &no);
        else
            (void)printf("%s %s\n", c->args[i], done);
    }
    return worst;
}

int list_rows(struct cli *c, const char *action, json_t *body, const char *key,
              const struct row_column *columns, size_t n)
{
    CLEANUP(json_free_p) json_t *j = NULL;
    int e = operator_call(c, action, body, &j);

    if (!e)
        rows_show(c, json_object_get(j, key), columns, n);
    return e;
}

/* ---- access keys ---- */

static void print_key(const json_t *j)
{
    (void)printf("access key id      %s\naccess key secret  %s\n", json_text(j, "accessKeyId"),
                 json_text(j, "accessKeySecret"));
}

static int key_create(struct cli *c)
{
    CLEANUP(json_free_p) json_t *j = NULL;
    int e = operator_call(c, "CreateAccessKey", account_body(c), &j);

    if (!e)
        print_key(j);
    return e;
}

static int key_ls(struct cli *c)
{
    static const struct row_column columns[] = {{"ACCESS KEY", "accessKeyId"},
                                                {"ACCOUNT", "account"},
                                                {"STATE", "active", "enabled", "disabled"},
                                                {"CREATED", "createdAt"}};

    return list_rows(c, "ListAccessKeys", account_body(c), "accessKeys", columns,
                     ARRAY_LEN(columns));
}

static int key_rm(struct cli *c)
{
    return for_each(c, "DeleteAccessKey", "accessKeyId", NULL, "deleted");
}

static int key_enable(struct cli *c)
{
    return for_each(c, "SetAccessKeyStatus", "accessKeyId", json_pack("{s:b}", "active", 1),
                    "enabled");
}

static int key_disable(struct cli *c)
{
    return for_each(c, "SetAccessKeyStatus", "accessKeyId", json_pack("{s:b}", "active", 0),
                    "disabled");
}

/* ---- SSH key pairs ---- */

enum { MAX_KEY_FILE = 16 * 1024 };

/* A public key's text in the arena, or NULL after saying why. */
static const char *read_key_file(struct cli *c, const char *path)
{
    char text[MAX_KEY_FILE + 1];
    size_t n = 0;
    ssize_t got;
    CLEANUP(close_p)
    int fd = streq(path, "-") ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);

    while (fd >= 0 && n < sizeof(text) && (got = read(fd, text + n, sizeof(text) - n)) > 0)
        n += (size_t)got;
    if (fd < 0 || !n) {
        (void)say_error(CLI_FAILED, "%s: %s", path, fd < 0 ? strerror(errno) : "it is empty");
        return NULL;
    }
    if (memmem(text, n, "PRIVATE KEY", strlen("PRIVATE KEY"))) {
        (void)say_error(CLI_FAILED, "%s holds a private key; the public one ends in .pub", path);
        return NULL;
    }
    return n > MAX_KEY_FILE ? "" : arena_strn(c->arena, text, n);
}

static int keypair_import(struct cli *c)
{
    CLEANUP(json_free_p) json_t *j = NULL;
    const char *key = read_key_file(c, c->args[1]);

    if (!key)
        return CLI_FAILED;
    json_t *text = json_string(key);
    if (!text)
        return say_error(CLI_FAILED, "%s is not a text", c->args[1]);
    json_t *body = body_with(c, "name", c->args[0]);
    (void)json_object_set_new(body, "publicKey", text);
    int e = operator_call(c, "ImportKeyPair", body, &j);
    if (!e)
        (void)printf("%s %s\n", json_text(j, "keyPairId"), json_text(j, "fingerprint"));
    return e;
}

static int keypair_ls(struct cli *c)
{
    static const struct row_column columns[] = {{"KEY PAIR", "keyPairId"},
                                                {"NAME", "name"},
                                                {"FINGERPRINT", "fingerprint"},
                                                {"ACCOUNT", "account"}};

    return list_rows(c, "ListKeyPairs", account_body(c), "keyPairs", columns, ARRAY_LEN(columns));
}

static int keypair_rm(struct cli *c)
{
    return for_each(c, "DeleteKeyPair", "keyPair", NULL, "deleted");
}

/* ---- accounts ---- */

static int account_create(struct cli *c)
{
    CLEANUP(json_free_p) json_t *j = NULL;
    json_t *body = json_pack("{s:s,s:b}", "name", c->args[0], "accessKey", 1);
    int e = operator_call(c, "CreateAccount", body, &j);

    if (e)
        return e;
    (void)printf("account            %s\n", json_text(j, "account"));
    print_key(j);
    return CLI_OK;
}

static int account_rm(struct cli *c)
{
    c->patience_ms = CLI_LONG_MS;
    return for_each(c, "DeleteAccount", "account", json_pack("{s:b}", "force", given(c, OPT_FORCE)),
                    "removed");
}

static int account_ls(struct cli *c)
{
    static const struct row_column columns[] = {{"ACCOUNT", "account"},
                                                {"NAME", "name"},
                                                {"RECYCLE BIN", "recycleBin", "on", "off"},
                                                {"HOURS", "recycleHours"},
                                                {"CREATED", "createdAt"}};

    return list_rows(c, "ListAccounts", json_object(), "accounts", columns, ARRAY_LEN(columns));
}

static int account_set(struct cli *c)
{
    CLEANUP(json_free_p) json_t *body = json_object();
    const char *bin = c->values[OPT_RECYCLE_BIN];
    long long hours;

    if (!opt_int(c, OPT_RECYCLE_HOURS, 1, 8760, 24, &hours))
        return CLI_USAGE;
    if (bin && !streq(bin, "on") && !streq(bin, "off"))
        return say_usage(c, "--recycle-bin wants on or off, not '%s'", bin);
    if (!bin && !given(c, OPT_RECYCLE_HOURS) && !given(c, OPT_NAME))
        return say_usage(c, "nothing to set was given");
    if (c->n_args)
        (void)json_object_set_new(body, "account", json_string(c->args[0]));
    if (bin)
        (void)json_object_set_new(body, "recycleBin", json_boolean(streq(bin, "on")));
    if (given(c, OPT_RECYCLE_HOURS))
        (void)json_object_set_new(body, "recycleHours", json_integer(hours));
    if (given(c, OPT_NAME))
        (void)json_object_set_new(body, "name", json_string(c->values[OPT_NAME]));
    CLEANUP(json_free_p) json_t *j = NULL;
    int e = operator_call(c, "SetAccount", json_incref(body), &j);
    if (!e)
        (void)printf("%s recycle bin %s, %lld hours\n", json_text(j, "account"),
                     json_is_true(json_object_get(j, "recycleBin")) ? "on" : "off",
                     (long long)json_integer_value(json_object_get(j, "recycleHours")));
    return e;
}

/* ---- networks ---- */

static int subnet(struct cli *c)
{
    CLEANUP(json_free_p) json_t *j = NULL;
    json_t *body = account_body(c);

    (void)json_object_set_new(body, "zone", json_string(c->args[0]));
    int e = operator_call(c, "MakeNetwork", body, &j);
    if (!e)
        (void)puts(json_text(j, "subnet"));
    return e;
}

/* ---- events ---- */

enum { FOLLOW_MS = 500 };

static void print_events(const struct cli *c, const json_t *events, bool newest_first,
                         json_int_t *last)
{
    size_t n = json_array_size(events);

    for (size_t i = 0; i < n; i++) {
        const json_t *v = json_array_get(events, newest_first ? n - 1 - i : i);
        const char *detail = json_text(v, "detail");

        *last = json_integer_value(json_object_get(v, "seq"));
        if (given(c, OPT_JSON)) {
            (void)json_dumpf(v, stdout, JSON_COMPACT);
            (void)putchar('\n');
        } else {
            CLEANUP(buf_done) struct buf line = {0};

            buf_fmt(&line, "%s  %-24s ", json_text(v, "at"), json_text(v, "subject"));
            buf_fmt(&line, "%s%s", json_text(v, "kind"), *detail ? ": " : "");
            text_clean(&line, detail);
            (void)puts(line.data);
        }
    }
    (void)fflush(stdout);
}

static int events(struct cli *c)
{
    json_int_t last = 0;
    long long lines;

    if (!opt_int(c, OPT_LINES, 1, 1000, 50, &lines))
        return CLI_USAGE;
    for (bool first = true;; first = false) {
        CLEANUP(json_free_p) json_t *j = NULL;
        json_t *body = body_with(c, "subject", c->values[OPT_SUBJECT]);

        if (first)
            (void)json_object_set_new(body, "limit", json_integer(lines));
        else
            (void)json_object_set_new(body, "after", json_integer(last));
        int e = operator_call(c, "ListEvents", body, &j);
        if (e)
            return e;
        print_events(c, json_object_get(j, "events"), first, &last);
        if (!given(c, OPT_FOLLOW))
            return CLI_OK;
        (void)poll(NULL, 0, FOLLOW_MS);
    }
}

const struct verb verbs_admin[] = {
    {.group = "key",
     .name = "create",
     .args = "",
     .opts = OPTS(WHOSE),
     .summary = "Make an access key",
     .example = "ostler key create",
     .run = key_create},
    {.group = "key",
     .name = "ls",
     .args = "",
     .opts = OPTS(OPT_JSON, WHOSE),
     .summary = "List access keys",
     .example = "ostler key ls",
     .run = key_ls},
    {.group = "key",
     .name = "rm",
     .args = "KEY...",
     ONE_OR_MORE,
     .opts = OPTS(WHOSE),
     .summary = "Delete access keys",
     .example = "ostler key rm LTAI5tExample",
     .run = key_rm},
    {.group = "key",
     .name = "enable",
     .args = "KEY...",
     ONE_OR_MORE,
     .opts = OPTS(WHOSE),
     .summary = "Let access keys sign again",
     .example = "ostler key enable LTAI5tExample",
     .run = key_enable},
    {.group = "key",
     .name = "disable",
     .args = "KEY...",
     ONE_OR_MORE,
     .opts = OPTS(WHOSE),
     .summary = "Refuse what access keys sign",
     .example = "ostler key disable LTAI5tExample",
     .run = key_disable},
    {.group = "keypair",
     .name = "import",
     .args = "NAME FILE",
     .min_args = 2,
     .max_args = 2,
     .opts = OPTS(WHOSE),
     .summary = "Keep an SSH public key under a name",
     .more = "FILE is in OpenSSH's format; - reads standard input.",
     .example = "ostler keypair import me ~/.ssh/id_ed25519.pub",
     .run = keypair_import},
    {.group = "keypair",
     .name = "ls",
     .args = "",
     .opts = OPTS(OPT_JSON, WHOSE),
     .summary = "List SSH key pairs",
     .example = "ostler keypair ls",
     .run = keypair_ls},
    {.group = "keypair",
     .name = "rm",
     .args = "NAME...",
     ONE_OR_MORE,
     .opts = OPTS(WHOSE),
     .summary = "Delete SSH key pairs",
     .example = "ostler keypair rm me",
     .run = keypair_rm},
    {.group = "account",
     .name = "create",
     .args = "NAME",
     .min_args = 1,
     .max_args = 1,
     .opts = OPTS(OPT_WITH_KEY, OPT_DATA),
     .summary = "Make an account and its first access key",
     .example = "ostler account create testers --key",
     .run = account_create},
    {.group = "account",
     .name = "ls",
     .args = "",
     .opts = OPTS(OPT_JSON, OPT_DATA),
     .summary = "List accounts",
     .example = "ostler account ls",
     .run = account_ls},
    {.group = "account",
     .name = "rm",
     .args = "ID...",
     ONE_OR_MORE,
     .opts = OPTS(OPT_FORCE, OPT_DATA),
     .summary = "Remove accounts with all that they have",
     .more =
         "Waits until it is done. One that has instances only with --force, which releases them.",
     .example = "ostler account rm 4711471147114711 --force",
     .run = account_rm},
    {.group = "account",
     .name = "set",
     .args = "[ID]",
     .max_args = 1,
     .opts = OPTS(OPT_NAME, OPT_RECYCLE_BIN, OPT_RECYCLE_HOURS, OPT_DATA),
     .summary = "Change an account (the first one) and its recycle bin",
     .example = "ostler account set --recycle-bin on --recycle-hours 48",
     .run = account_set},
    {.name = "subnet",
     .args = "ZONE",
     .min_args = 1,
     .max_args = 1,
     .opts = OPTS(WHOSE),
     .summary = "Print the id of a zone's default subnet, which is made when first asked for",
     .example = "ostler subnet asia-east-1a",
     .run = subnet},
    {.name = "events",
     .args = "",
     .opts = OPTS(OPT_SUBJECT, OPT_LINES, OPT_FOLLOW, OPT_JSON, ONLY_WHOSE),
     .summary = "Print what happened",
     .example = "ostler events -f",
     .run = events},
    {.name = NULL},
};
