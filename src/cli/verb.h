/* Inside the command line: a verb as data, its options, and what every verb may use. */
#ifndef OSTLER_CLI_VERB_H
#define OSTLER_CLI_VERB_H

#include <jansson.h>

#include "base/arena.h"
#include "base/buf.h"
#include "cli/cli.h"

/* ---- options ---- */

enum opt_id {
    OPT_NONE, /* ends a list */
    OPT_DATA,
    OPT_ACCOUNT,
    OPT_ONLY, /* --account, of verbs that are about everybody without it: kept as OPT_ACCOUNT */
    OPT_JSON,
    OPT_IDS,
    OPT_FORCE,
    OPT_WAIT,
    OPT_TIMEOUT,
    OPT_DRY_RUN,
    OPT_INIT_LOCAL_DISK,
    OPT_STOP_CHARGING,
    OPT_TYPE,
    OPT_IMAGE,
    OPT_NAME,
    OPT_ZONE,
    OPT_REGION,
    OPT_COUNT_N,
    OPT_RUN,
    OPT_HOSTNAME,
    OPT_KEYPAIR,
    OPT_USER_DATA,
    OPT_DISK,
    OPT_DATA_DISK,
    OPT_ENCRYPTED,
    OPT_PREPAID,
    OPT_PROTECT,
    OPT_FOLLOW,
    OPT_LINES,
    OPT_ID,
    OPT_OS_NAME,
    OPT_REASON,
    OPT_CLEAR,
    OPT_RECYCLE_BIN,
    OPT_RECYCLE_HOURS,
    OPT_SUBJECT,
    OPT_KEY,
    OPT_WITH_KEY,
    OPT_API,
    OPT_ENDPOINT,
    OPT_MAP,
    OPT_MAX_BYTES,
    OPT_NEW_ACCOUNT,
    OPT_PATIENCE,
    OPT_TIMING,
    OPT_ALL,
    OPT_DIALECT,
    OPT_TIMES,
    OPT_EVERY,
    OPT_PROBABILITY,
    OPT_INSTANCE,
    OPT_DELAY,
    OPT_RETRY_AFTER,
    OPT_THEN,
    OPT_MESSAGE,
    OPT_STATUS,
    OPT_FAIL,
    OPT_HANG,
    OPT_BREAK,
    OPT_TEXT,
    OPT_FULL,
    OPT_CPUS,
    OPT_COUNT
};

#define OPTS(...) ((const enum opt_id[]){__VA_ARGS__, OPT_NONE})

/* ---- verbs ---- */

struct cli;

struct verb {
    const char *group; /* "image" of `image ls`; NULL for a verb of one word */
    const char *name;
    const char *args;        /* for people: "ID..." */
    int min_args, max_args;  /* max -1: any number */
    const enum opt_id *opts; /* NULL: none; --help is always understood */
    const char *summary;     /* one line */
    const char *more;        /* what a user must know besides; NULL */
    const char *example;     /* one or more lines; NULL */
    bool hidden;
    int (*run)(struct cli *c); /* returns a cli_exit */
};

/* Of a verb that waits until the whole, or an account, is another. */
enum { CLI_LONG_MS = 600000 };

/* One run of the command line. */
struct cli {
    const struct cli_env *env;
    const struct verb *verb;
    struct arena *arena; /* lives as long as the run */
    char **args;         /* what is not an option */
    size_t n_args;
    const char *values[OPT_COUNT]; /* NULL: not given; a flag's is "" */
    unsigned long patience_ms;     /* with the operator's side; 0: the usual */

    /* found by server.c when first needed */
    const char *dir;
    const char *endpoint, *key_id, *secret, *region, *zone, *ca_file;
};

static inline bool given(const struct cli *c, enum opt_id id)
{
    return c->values[id] != NULL;
}

/* The verbs of one file each, under the title and in the order in which help tells them; NULL: told
 * elsewhere. */
#define VERB_LISTS(X)                                                                              \
    X(inst, "Instances")                                                                           \
    X(console, "Consoles")                                                                         \
    X(image, "Images")                                                                             \
    X(admin, "What only an operator may")                                                          \
    X(hand, "States and events that a test wants")                                                 \
    X(fault, "Errors on demand")                                                                   \
    X(engine_fault, "Failures of the engine")                                                      \
    X(clock, "Time")                                                                               \
    X(snapshot, "The whole")                                                                       \
    X(transcript, "Recordings")                                                                    \
    X(env, "Clients")                                                                              \
    X(doctor, NULL)                                                                                \
    X(help, "This program")

/* Ended by a name of NULL. */
#define X(file, title) extern const struct verb verbs_##file[];
VERB_LISTS(X)
#undef X

/* All lists, ended by NULL. */
extern const struct verb *const verb_lists[];

/* `group` and `name` (NULL when the verb has one word); NULL: there is none. */
const struct verb *verb_find(const char *first, const char *second);
bool verb_is_group(const char *word);

/* ---- opts.c ---- */

const char *opt_name(enum opt_id id);
/* "--zone ZONE" */
const char *opt_usage(struct arena *a, enum opt_id id);
const char *opt_text(enum opt_id id);

/* Reads argv (argv[0] is skipped) by the verb's options. CLI_OK, or CLI_USAGE after saying why.
 * *ret_help: asked for. */
int opts_read(struct cli *c, int argc, char **argv, bool *ret_help);

/* An option's number, `def` when it was not given. False after saying that it is none or out of
 * range. */
bool opt_int(const struct cli *c, enum opt_id id, long long min, long long max, long long def,
             long long *ret);

/* ---- saying things ---- */

/* "ostler: ..." on standard error. Returns `exit`, so that failing is one line. */
int say_error(int exit, const char *fmt, ...) PRINTF(2, 3);
/* A further line of advice below an error. */
void say_hint(const char *fmt, ...) PRINTF(1, 2);
/* The same as say_error(CLI_USAGE), and where to read more. */
int say_usage(const struct cli *c, const char *fmt, ...) PRINTF(2, 3);

/* Indented JSON and a line's end on standard output. */
void print_json(const json_t *j);

#endif
