/* `ostler env`: what each client reads from its environment, as lines for a shell. */
#include <stdio.h>

#include "cli/server.h"
#include "cli/text.h"

static void print_export(const char *name, const char *value)
{
    CLEANUP(buf_done) struct buf b = {0};

    buf_fmt(&b, "export %s=", name);
    text_shell_quote(&b, value);
    (void)puts(b.data);
}

/* The endpoint in the two forms that clients want. */
static const char *without_scheme(struct cli *c)
{
    const char *at = strstr(c->endpoint, "://");
    const char *host = at ? at + 3 : c->endpoint;

    return arena_strn(c->arena, host, strcspn(host, "/"));
}

static bool by_https(const struct cli *c)
{
    return str_starts(c->endpoint, "https://");
}

static void env_alibaba(struct cli *c)
{
    const char *host = without_scheme(c);

    print_export("ALIBABA_CLOUD_ACCESS_KEY_ID", c->key_id);
    print_export("ALIBABA_CLOUD_ACCESS_KEY_SECRET", c->secret);
    print_export("ALIBABA_CLOUD_REGION_ID", c->region);
    print_export("ALIBABA_CLOUD_IGNORE_PROFILE", "TRUE");
    print_export("ALIBABA_CLOUD_ENDPOINT", host);
    print_export("ALIBABA_CLOUD_ENDPOINT_ECS", host);
    print_export("ECS_ENDPOINT", host);
}

static void env_zenlayer(struct cli *c)
{
    const char *host = without_scheme(c);

    print_export("ZENLAYER_ACCESS_KEY_ID", c->key_id);
    print_export("ZENLAYER_ACCESS_KEY_SECRET", c->secret);
    print_export("ZENLAYER_ENDPOINT", host);
    print_export("ZENLAYERCLOUD_ACCESS_KEY_ID", c->key_id);
    print_export("ZENLAYERCLOUD_ACCESS_KEY_PASSWORD", c->secret);
    print_export("ZENLAYERCLOUD_DOMAIN", host);
    print_export("ZENLAYERCLOUD_SCHEME", by_https(c) ? "HTTPS" : "HTTP");
}

static void env_ostler(struct cli *c)
{
    print_export("OSTLER_ENDPOINT", c->endpoint);
    print_export("OSTLER_ACCESS_KEY_ID", c->key_id);
    print_export("OSTLER_ACCESS_KEY_SECRET", c->secret);
    print_export("OSTLER_REGION_ID", c->region);
    if (c->ca_file)
        print_export("OSTLER_CA_FILE", c->ca_file);
}

static const struct {
    const char *name;
    void (*print)(struct cli *c);
    bool trusts_ca; /* its clients read SSL_CERT_FILE */
} clients[] = {
    {"alibaba", env_alibaba, true},
    {"zenlayer", env_zenlayer, true},
    {"ostler", env_ostler, false},
};

static int env(struct cli *c)
{
    const char *names[ARRAY_LEN(clients) + 1] = {NULL};

    for (size_t i = 0; i < ARRAY_LEN(clients); i++) {
        names[i] = clients[i].name;
        if (!streq(c->args[0], clients[i].name))
            continue;
        int e = server_environment(c);
        if (e)
            return e;
        clients[i].print(c);
        if (clients[i].trusts_ca && c->ca_file)
            print_export("SSL_CERT_FILE", c->ca_file);
        return CLI_OK;
    }
    const char *near = text_nearest(c->args[0], names);
    return say_usage(c, "the clients are alibaba, zenlayer and ostler, not '%s'%s%s%s", c->args[0],
                     near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
}

const struct verb verbs_env[] = {
    {.name = "env",
     .args = "alibaba|zenlayer|ostler",
     .min_args = 1,
     .max_args = 1,
     .opts = OPTS(OPT_ACCOUNT, OPT_DATA),
     .summary = "Print the variables that point a client at this server",
     .more = "alibaba: the aliyun command, Terraform and the SDKs. zenlayer: zeno, Terraform and "
             "the SDKs. ostler: this program's start, stop and so on from another place. They "
             "hold a secret. SSL_CERT_FILE names this server's own authority instead of the "
             "system's: use a shell of its own.",
     .example = "eval \"$(ostler env alibaba)\"",
     .run = env},
    {.name = NULL},
};
