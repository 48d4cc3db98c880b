/* The options of `ostler serve`, as a table. */
#include "server/config.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/timefmt.h"
#include "core/clock.h"

struct option_row {
    const char *name, *value, *text;
    bool (*set)(struct config *c, const char *value); /* false: the value makes no sense */
};

/* "250ms", "3s", "2m", "31d", or "3" (seconds). */
static bool duration(const char *s, int64_t *ret_ms)
{
    return duration_parse(s, ret_ms) == 0;
}

static bool keep(char **to, const char *value)
{
    free(*to);
    *to = xstrdup(value);
    return *value != 0;
}

static bool set_data(struct config *c, const char *v)
{
    return keep(&c->dir, v);
}

static bool set_listen(struct config *c, const char *v)
{
    const char *colon = strrchr(v, ':');
    long long port;

    if (!colon || colon == v || parse_i64(colon + 1, &port) < 0 || port < 0 || port > 65535)
        return false;
    size_t n = (size_t)(colon - v);
    bool brackets = v[0] == '[' && n > 2 && v[n - 1] == ']';
    CLEANUP(free_p) char *host = xasprintf("%.*s", (int)(brackets ? n - 2 : n), v + brackets);
    c->port = (uint16_t)port;
    return keep(&c->host, host);
}

static bool set_engine(struct config *c, const char *v)
{
    static const struct engine_driver *const drivers[] = {&engine_qemu, &engine_sim};

    for (size_t i = 0; i < ARRAY_LEN(drivers); i++)
        if (streq(drivers[i]->name, v)) {
            c->driver = drivers[i];
            return true;
        }
    return false;
}

static bool set_accel(struct config *c, const char *v)
{
    static const char *const names[] = {
        [ACCEL_AUTO] = "auto", [ACCEL_KVM] = "kvm", [ACCEL_TCG] = "tcg"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (streq(names[i], v)) {
            c->engine.accel = (enum accel)i;
            return true;
        }
    return false;
}

static bool set_catalogue(struct config *c, const char *v)
{
    return keep(&c->catalogue_file, v);
}

static bool set_capacity(struct config *c, const char *v)
{
    long long mib;

    if (parse_i64(v, &mib) < 0 || mib < 0)
        return false;
    c->settings.capacity_mib = mib;
    c->capacity_given = true;
    return true;
}

static bool set_threads(struct config *c, const char *v)
{
    long long n;

    if (parse_i64(v, &n) < 0 || n < 1 || n > CONFIG_MAX_THREADS)
        return false;
    c->threads = (int)n;
    return true;
}

static bool set_log_level(struct config *c, const char *v)
{
    static const char *const names[] = {
        [LOG_DEBUG] = "debug", [LOG_INFO] = "info", [LOG_WARN] = "warn", [LOG_ERROR] = "error"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (streq(names[i], v)) {
            c->log_level = (enum log_level)i;
            return true;
        }
    return false;
}

static bool set_log_format(struct config *c, const char *v)
{
    c->log_format = streq(v, "json") ? LOG_JSON : LOG_LOGFMT;
    return streq(v, "json") || streq(v, "logfmt");
}

static bool set_insecure(struct config *c, const char *v)
{
    (void)v;
    return c->insecure_http = true;
}

static bool set_controls(struct config *c, const char *v)
{
    (void)v;
    return c->settings.controls = true;
}

static bool set_seed(struct config *c, const char *v)
{
    long long n;

    if (parse_i64(v, &n) < 0 || n < 1)
        return false;
    c->settings.seed = n;
    return true;
}

static bool set_clock(struct config *c, const char *v)
{
    int64_t *at = &c->settings.clock_at;

    return time_parse(v, at) == 0 && *at >= CLOCK_MIN && *at <= CLOCK_MAX;
}

static bool set_signature_clock(struct config *c, const char *v)
{
    c->settings.signatures_age = streq(v, "moved");
    return streq(v, "moved") || streq(v, "real");
}

static bool set_arrears(struct config *c, const char *v)
{
    return duration(v, &c->settings.arrears_ms);
}

static bool set_tokens(struct config *c, const char *v)
{
    return duration(v, &c->settings.token_ms);
}

static bool set_name(struct config *c, const char *v)
{
    if (c->n_names == CONFIG_MAX_NAMES)
        return false;
    c->names[c->n_names++] = v;
    return *v != 0;
}

static bool set_starting(struct config *c, const char *v)
{
    c->settings.starting_word = v;
    return streq(v, "STARTING") || streq(v, "BOOTING");
}

static bool set_lock_stop(struct config *c, const char *v)
{
    c->settings.lock_refuses_stop = streq(v, "yes");
    return streq(v, "yes") || streq(v, "no");
}

static bool set_grace(struct config *c, const char *v)
{
    return duration_parse(v, &c->engine.stop_grace_ms) == 0;
}

static bool set_prepared(struct config *c, const char *v)
{
    long long n;

    if (parse_i64(v, &n) < 0 || n < 0 || n > CONFIG_MAX_PREPARED)
        return false;
    c->engine.prepared = n;
    return true;
}

static bool set_templates(struct config *c, const char *v)
{
    (void)v;
    return c->engine.templates = true;
}

static bool set_sim_create(struct config *c, const char *v)
{
    return duration_parse(v, &c->engine.sim_create_ms) == 0;
}

static bool set_sim_start(struct config *c, const char *v)
{
    return duration_parse(v, &c->engine.sim_start_ms) == 0;
}

static bool set_sim_stop(struct config *c, const char *v)
{
    return duration_parse(v, &c->engine.sim_stop_ms) == 0;
}

static bool set_sim_reboot(struct config *c, const char *v)
{
    return duration_parse(v, &c->engine.sim_reboot_ms) == 0;
}

/* Read before the others: see config_file. */
static bool set_config(struct config *c, const char *v)
{
    (void)c;
    return *v != 0;
}

static const struct option_row rows[] = {
    {"config", "FILE", "options from a file: a line each, as `listen = 127.0.0.1:0` or `controls`",
     set_config},
    {"data", "DIR", "where everything is kept [./var]", set_data},
    {"listen", "HOST:PORT", "HTTP and HTTPS on one port; port 0 picks one [127.0.0.1:8470]",
     set_listen},
    {"engine", "qemu|sim", "run real machines, or only their states [qemu]", set_engine},
    {"accel", "auto|kvm|tcg", "how QEMU runs guests; auto tries KVM by really running one [auto]",
     set_accel},
    {"capacity-memory", "MIB",
     "memory of all running machines together; 0 for no limit [the host's]", set_capacity},
    {"catalogue", "FILE", "regions, zones and types instead of the built-in ones", set_catalogue},
    {"stop-grace", "TIME", "how long a guest may take to shut down before its power is cut [60s]",
     set_grace},
    {"prepared", "N",
     "keep QEMU waiting, for a fast start, for the N machines that were stopped last [0]",
     set_prepared},
    {"templates", NULL,
     "start small guests from a saved, booted one of their kind, instead of booting [off]",
     set_templates},
    {"controls", NULL, "offer test controls: errors on demand, a clock that moves, snapshots [off]",
     set_controls},
    {"seed", "N", "the same ids and the same chances every time, for tests [the system's entropy]",
     set_seed},
    {"clock", "TIME",
     "with --controls: where a new directory's clock stands still, as 2026-01-02T03:04:05Z",
     set_clock},
    {"signature-clock", "real|moved",
     "are signatures held against the real time, or do they age with a moved clock? [real]",
     set_signature_clock},
    {"arrears-retention", "TIME",
     "how long what is not paid for is kept before it is released; 0 for ever [15d]", set_arrears},
    {"token-lifetime", "TIME", "how long client tokens are remembered; 0 for ever [24h]",
     set_tokens},
    {"tls-name", "NAME", "a further name or address for the server's certificate", set_name},
    {"insecure-http", NULL, "plain HTTP also when listening beyond loopback", set_insecure},
    {"lock-refuses-stop", "yes|no", "does a security lock refuse StopInstance too? [yes]",
     set_lock_stop},
    {"starting-status", "STARTING|BOOTING", "spelling of the starting state for every ZEC client",
     set_starting},
    {"threads", "N", "how many threads answer requests, 1 to 64 [one a processor, at most 4]",
     set_threads},
    {"log-level", "debug|info|warn|error", "least important line to write [info]", set_log_level},
    {"log-format", "logfmt|json", "form of the log [logfmt on a terminal, else json]",
     set_log_format},
    {"sim-create", "TIME", "how long the sim engine takes to create [500ms]", set_sim_create},
    {"sim-start", "TIME", "... to start [2s]", set_sim_start},
    {"sim-stop", "TIME", "... to stop [1s]", set_sim_stop},
    {"sim-reboot", "TIME", "... to reboot [2s]", set_sim_reboot},
};

static void usage(FILE *to)
{
    (void)fprintf(
        to,
        "Usage: ostler serve [OPTION]...\n\n"
        "Serves Alibaba Cloud ECS and Zenlayer ZEC to their own clients, and runs the machines.\n"
        "Ctrl-C ends the server; machines go on running and are found again by the next one.\n\n");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(free_p)
        char *left = xasprintf("--%s %s", rows[i].name, rows[i].value ? rows[i].value : "");

        (void)fprintf(to, "  %-34s %s\n", left, rows[i].text);
    }
    (void)fprintf(to, "\nExample: a throw-away cloud for a test, on a free port:\n"
                      "  ostler serve --data /tmp/cloud --listen 127.0.0.1:0 --engine sim\n");
}

static const struct option_row *find_row(const char *name, size_t n)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (strlen(rows[i].name) == n && !strncmp(rows[i].name, name, n))
            return &rows[i];
    return NULL;
}

static int wrong(const char *what, const char *arg)
{
    (void)fprintf(stderr, "ostler serve: %s: %s\nTry: ostler serve --help\n", what, arg);
    return 2;
}

/* Takes one option, and its value from the same or the next argument. */
static int take(struct config *c, int argc, char **argv, int *at)
{
    const char *arg = argv[*at];

    if (!str_starts(arg, "--"))
        return wrong("not an option", arg);
    const char *name = arg + 2, *equals = strchr(name, '=');
    const struct option_row *row = find_row(name, equals ? (size_t)(equals - name) : strlen(name));
    const char *value = equals ? equals + 1 : NULL;
    if (!row || (equals && !row->value))
        return wrong("unknown option", arg);
    if (row->value && !value) {
        if (*at + 1 >= argc)
            return wrong("the option needs a value", arg);
        value = argv[++*at];
    }
    if (row->set(c, value))
        return -1;
    (void)fprintf(stderr, "ostler serve: --%s %s: %s\n", row->name, row->value, row->text);
    return wrong("the option does not take this value", value);
}

/* ---- the file ---- */

enum { MAX_FILE = 64 * 1024 };

/* Cuts the space off both ends, in place. */
static char *trim(char *s)
{
    s += strspn(s, " \t\r");
    size_t n = strlen(s);
    while (n && strchr(" \t\r", s[n - 1]))
        s[--n] = 0;
    return s;
}

static int take_line(struct config *c, char *line)
{
    char *equals = strchr(line, '='), *value = equals ? trim(equals + 1) : NULL;

    if (equals)
        *equals = 0;
    line = trim(line);
    const struct option_row *row = find_row(line, strlen(line));
    if (!row || row->set == set_config)
        return wrong("unknown option in the file", line);
    if (!row->value != !value)
        return wrong(value ? "the option takes no value" : "the option needs a value", line);
    return row->set(c, value) ? -1 : wrong("the option does not take this value", line);
}

static int take_file(struct config *c, const char *path)
{
    CLEANUP(buf_done) struct buf text = {0};
    int e = buf_file(&text, path, MAX_FILE), number = 0;

    if (e < 0) {
        (void)fprintf(stderr, "ostler serve: %s: %s\n", path, strerror(-e));
        return 1;
    }
    c->file = buf_take(&text);
    e = -1;
    for (char *line = c->file, *next; line && e < 0; line = next) {
        if ((next = strchr(line, '\n')))
            *next++ = 0;
        number++;
        line = trim(line);
        if (*line && *line != '#')
            e = take_line(c, line);
    }
    if (e >= 0)
        (void)fprintf(stderr, "It is line %d of %s.\n", number, path);
    return e;
}

/* The last --config of the arguments; it is read before all of them. */
static const char *config_file(int argc, char **argv)
{
    const char *path = NULL;

    for (int i = 0; i < argc; i++) {
        if (str_starts(argv[i], "--config="))
            path = argv[i] + strlen("--config=");
        else if (streq(argv[i], "--config") && i + 1 < argc)
            path = argv[i + 1];
    }
    return path;
}

/* The directory is made here: its absolute name is needed by everything after. */
static int find_dir(struct config *c)
{
    if (mkdir(c->dir, 0700) < 0 && errno != EEXIST) {
        (void)fprintf(stderr, "ostler serve: cannot make %s: %s\n", c->dir, strerror(errno));
        return 1;
    }
    char *real = realpath(c->dir, NULL);
    if (!real) {
        (void)fprintf(stderr, "ostler serve: %s: %s\n", c->dir, strerror(errno));
        return 1;
    }
    free(c->dir);
    c->dir = real;
    return -1;
}

int config_read(int argc, char **argv, struct config *ret)
{
    *ret = (struct config){
        .dir = xstrdup("var"),
        .host = xstrdup("127.0.0.1"),
        .port = 8470,
        .driver = &engine_qemu,
        .log_level = LOG_INFO,
        .settings = {.lock_refuses_stop = true,
                     .arrears_ms = INT64_C(15) * 86400000,
                     .token_ms = 86400000},
        .engine = {.stop_grace_ms = 60000,
                   .sim_create_ms = 500,
                   .sim_start_ms = 2000,
                   .sim_stop_ms = 1000,
                   .sim_reboot_ms = 2000},
    };
    const char *file = config_file(argc, argv);
    int wrong_file = file ? take_file(ret, file) : -1;
    if (wrong_file >= 0)
        return wrong_file;
    for (int i = 0; i < argc; i++) {
        if (streq(argv[i], "--help") || streq(argv[i], "-h")) {
            usage(stdout);
            return 0;
        }
        int e = take(ret, argc, argv, &i);
        if (e >= 0)
            return e;
    }
    if (ret->settings.clock_at && !ret->settings.controls)
        return wrong("a clock is moved only with --controls; add it to", "--clock");
    return find_dir(ret);
}

void config_done(struct config *c)
{
    free(c->dir);
    free(c->host);
    free(c->catalogue_file);
    free(c->file);
    *c = (struct config){0};
}
