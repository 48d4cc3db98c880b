/* Options: what each is called and takes, and reading them for one verb. */
#include <getopt.h>
#include <stdio.h>

#include "cli/text.h"
#include "cli/verb.h"

static const struct {
    const char *name;
    char letter;     /* 0: none */
    const char *arg; /* NULL: a flag */
    const char *text;
} opts[OPT_COUNT] = {
    [OPT_DATA] = {"data", 0, "DIR",
                  "the server's data directory (OSTLER_DATA, else ./var, else /var/lib/ostler)"},
    [OPT_ACCOUNT] = {"account", 0, "ID", "whose things (the first account's)"},
    [OPT_ONLY] = {"account", 0, "ID", "only this account's (everybody's)"},
    [OPT_JSON] = {"json", 0, NULL, "print JSON"},
    [OPT_IDS] = {"ids", 0, NULL, "print ids only, one a line"},
    [OPT_FORCE] = {"force", 'f', NULL, "cut the power; with rm: also a running instance"},
    [OPT_WAIT] = {"wait", 'w', NULL, "wait until it is done"},
    [OPT_TIMEOUT] = {"timeout", 0, "SECONDS", "how long --wait waits (300)"},
    [OPT_DRY_RUN] = {"dry-run", 'n', NULL, "check only, change nothing"},
    [OPT_INIT_LOCAL_DISK] = {"init-local-disk", 0, NULL, "make broken local disks anew, empty"},
    [OPT_STOP_CHARGING] = {"stop-charging", 0, NULL, "give the capacity back while stopped"},
    [OPT_TYPE] = {"type", 't', "TYPE", "the instance type (the smallest that is offered)"},
    [OPT_IMAGE] = {"image", 'i', "ID", "the image (the newest)"},
    [OPT_NAME] = {"name", 0, "NAME", "what it is to be called"},
    [OPT_ZONE] = {"zone", 'z', "ZONE", "where"},
    [OPT_REGION] = {"region", 0, "REGION", "where"},
    [OPT_COUNT_N] = {"count", 'c', "N", "how many (1)"},
    [OPT_RUN] = {"run", 0, NULL, "start them, too"},
    [OPT_HOSTNAME] = {"hostname", 0, "NAME", "the guest's host name"},
    [OPT_KEYPAIR] = {"keypair", 'k', "NAME", "the SSH key pair that is let in"},
    [OPT_USER_DATA] = {"user-data", 0, "FILE", "what the guest runs or reads at its first start"},
    [OPT_DISK] = {"disk", 0, "GIB", "size of the system disk"},
    [OPT_DATA_DISK] = {"data-disk", 0, "GIB[,GIB]", "sizes of data disks"},
    [OPT_ENCRYPTED] = {"encrypted", 0, NULL, "encrypt the data disks"},
    [OPT_PREPAID] = {"prepaid", 0, "MONTHS", "by subscription"},
    [OPT_PROTECT] = {"protect", 0, NULL, "protect from deletion"},
    [OPT_FOLLOW] = {"follow", 0, NULL, "go on printing what is added (also -f)"},
    [OPT_LINES] = {"lines", 0, "N", "how many to begin with"},
    [OPT_ID] = {"id", 0, "ID", "the image's id (one is made)"},
    [OPT_OS_NAME] = {"os-name", 0, "TEXT", "the operating system, for people"},
    [OPT_REASON] =
        {"reason", 0, "WHY",
         "security, financial, recycling, dedicatedhostfinancial or refunded (security)"},
    [OPT_CLEAR] = {"clear", 0, NULL, "take it back"},
    [OPT_RECYCLE_BIN] = {"recycle-bin", 0, "on|off", "do released instances wait there first?"},
    [OPT_RECYCLE_HOURS] = {"recycle-hours", 0, "N", "for how long"},
    [OPT_SUBJECT] = {"subject", 0, "ID", "about this thing only"},
    [OPT_KEY] = {"key", 0, "ID", "this key only"},
    [OPT_WITH_KEY] = {"key", 0, NULL, "and an access key for it, which is made in any case"},
    [OPT_API] = {"api", 0, "CLOUD", "ask by alibaba's API or zenlayer's (alibaba)"},
    [OPT_ENDPOINT] = {"endpoint", 0, "URL", "the server's address (the data directory's)"},
    [OPT_MAP] = {"map", 0, "OLD=NEW[,OLD=NEW]", "what else the recording calls otherwise"},
    [OPT_MAX_BYTES] = {"max-bytes", 0, "N", "end it when its file would be larger (1 GiB)"},
    [OPT_NEW_ACCOUNT] = {"new-account", 0, NULL, "with an account of its own, which sees nothing"},
    [OPT_PATIENCE] = {"patience", 0, "SECONDS", "how long what is on its way is asked for (30)"},
    [OPT_TIMING] = {"timing", 0, NULL, "keep the recorded pauses, up to a minute each"},
    [OPT_ALL] = {"all", 0, NULL, "all of them"},
    [OPT_DIALECT] = {"dialect", 0, "CLOUD", "alibaba or zenlayer, where both have the action"},
    [OPT_TIMES] = {"times", 0, "N", "so many times (until it is removed)"},
    [OPT_EVERY] = {"every", 0, "K", "only each K-th request"},
    [OPT_PROBABILITY] = {"probability", 0, "P", "only with this chance, from 0.000001 to 1"},
    [OPT_INSTANCE] = {"instance", 0, "ID", "only this instance"},
    [OPT_DELAY] = {"delay", 0, "TIME", "so much later: 250ms, 3s, 5m"},
    [OPT_RETRY_AFTER] = {"retry-after", 0, "TIME", "tell the client to wait so long"},
    [OPT_THEN] =
        {"then", 0, "FATE",
         "drop, truncate, half-close, garbage, 502, 503 or 504: what becomes of the answer"},
    [OPT_MESSAGE] = {"message", 0, "TEXT", "a part of the message that is meant, or what fills it"},
    [OPT_STATUS] = {"status", 0, "N", "the HTTP status that is meant"},
    [OPT_FAIL] = {"fail", 0, NULL, "it ends with an error"},
    [OPT_HANG] = {"hang", 0, NULL, "it does not end until the fault is removed"},
    [OPT_BREAK] = {"break", 0, NULL, "the machine is started so that it cannot run"},
    [OPT_TEXT] = {"text", 0, "TEXT", "the error's sentence"},
    [OPT_CPUS] = {"cpus", 0, NULL, "of their processors, not of instances"},
    [OPT_FULL] = {"full", 0, NULL, "it has no room; the machine waits when it writes"},
};

/* What getopt says for a long option is its id and more than any character. */
enum { HELP = OPT_COUNT, MAX_LONG = OPT_COUNT + 2, LONG = 256 };

const char *opt_name(enum opt_id id)
{
    return opts[id].name;
}

const char *opt_text(enum opt_id id)
{
    return opts[id].text;
}

const char *opt_usage(struct arena *a, enum opt_id id)
{
    return arena_fmt(a, "--%s%s%s", opts[id].name, opts[id].arg ? " " : "",
                     opts[id].arg ? opts[id].arg : "");
}

/* Where its value is kept. */
static enum opt_id slot(enum opt_id id)
{
    return id == OPT_ONLY ? OPT_ACCOUNT : id;
}

/* getopt's two forms of the same: short letters, and long names. -f follows where nothing is
 * forced. */
static void describe(const struct verb *v, struct buf *letters, struct option *long_opts,
                     int letter_to_id[128])
{
    size_t n = 0;

    buf_str(letters, ":h");
    letter_to_id['h'] = HELP;
    long_opts[n++] = (struct option){"help", no_argument, NULL, LONG + HELP};
    for (const enum opt_id *id = v->opts; id && *id; id++) {
        char letter = *id == OPT_FOLLOW ? 'f' : opts[*id].letter;

        long_opts[n++] = (struct option){
            opts[*id].name, opts[*id].arg ? required_argument : no_argument, NULL, LONG + (int)*id};
        if (!letter)
            continue;
        buf_char(letters, letter);
        if (opts[*id].arg)
            buf_char(letters, ':');
        letter_to_id[(unsigned char)letter] = (int)*id;
    }
    long_opts[n] = (struct option){0};
}

static int unknown(const struct cli *c, const char *word)
{
    const char *names[MAX_LONG] = {"help"};
    size_t n = 1;
    CLEANUP(free_p) char *bare = xasprintf("%.*s", (int)strcspn(word, "="), word);

    for (const enum opt_id *id = c->verb->opts; id && *id; id++)
        names[n++] = opts[*id].name;
    const char *near = str_starts(bare, "--") ? text_nearest(bare + 2, names) : NULL;
    if (near)
        return say_usage(c, "there is no option %s here; did you mean --%s?", bare, near);
    return say_usage(c, "there is no option %s here", bare);
}

/*
 * All words go into JSON or a query, which are UTF-8. An option without a value would mean what its
 * absence means, and
 * --account "$UNSET" would be everybody: so it is refused.
 */
static int check_words(const struct cli *c, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        json_t *text = json_string(argv[i]);

        if (!text)
            return say_usage(c, "word %d is not UTF-8", i);
        json_decref(text);
    }
    for (const enum opt_id *id = c->verb->opts; id && *id; id++)
        if (opts[*id].arg && given(c, slot(*id)) && !*c->values[slot(*id)])
            return say_usage(c, "--%s wants a value that is not empty", opts[*id].name);
    return CLI_OK;
}

int opts_read(struct cli *c, int argc, char **argv, bool *ret_help)
{
    CLEANUP(buf_done) struct buf letters = {0};
    struct option long_opts[MAX_LONG];
    int letter_to_id[128] = {0}, o;

    describe(c->verb, &letters, long_opts, letter_to_id);
    *ret_help = false;
    optind = 0; /* GNU's way to begin anew */
    opterr = 0;
    while ((o = getopt_long(argc, argv, letters.data, long_opts, NULL)) != -1) {
        int id = o < 128 ? letter_to_id[o] : o - LONG;

        if (o == '?' && optopt >= LONG)
            return say_usage(c, "%s takes no value", argv[optind - 1]);
        if (o == '?')
            return unknown(c, optopt && optopt < 128 ? arena_fmt(c->arena, "-%c", optopt)
                                                     : argv[optind - 1]);
        if (o == ':')
            return say_usage(c, "%s wants a value", argv[optind - 1]);
        if (id == HELP)
            *ret_help = true;
        else
            c->values[slot((enum opt_id)id)] = optarg ? optarg : "";
    }
    c->args = argv + optind;
    c->n_args = (size_t)(argc - optind);
    return check_words(c, argc, argv);
}

bool opt_int(const struct cli *c, enum opt_id id, long long min, long long max, long long def,
             long long *ret)
{
    *ret = def;
    if (!given(c, id))
        return true;
    if (parse_i64(c->values[id], ret) == 0 && *ret >= min && *ret <= max)
        return true;
    (void)say_usage(c, "--%s wants a number from %lld to %lld, not '%s'", opts[id].name, min, max,
                    c->values[id]);
    return false;
}
