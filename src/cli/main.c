/* Which verb is meant, and how to say that none is. */
#include <stdarg.h>
#include <stdio.h>

#include "cli/text.h"
#include "cli/verb.h"

const struct verb *const verb_lists[] = {
#define X(file, title) verbs_##file,
    VERB_LISTS(X)
#undef X
        NULL};

/* Calls of this macro walk all verbs. */
#define EACH_VERB(v)                                                                               \
    for (const struct verb *const *list_ = verb_lists; *list_; list_++)                            \
        for (const struct verb *v = *list_; v->name; v++)

const struct verb *verb_find(const char *first, const char *second)
{
    EACH_VERB (v)
        if (v->group ? second && streq(v->group, first) && streq(v->name, second)
                     : streq(v->name, first))
            return v;
    return NULL;
}

bool verb_is_group(const char *word)
{
    EACH_VERB (v)
        if (v->group && streq(v->group, word))
            return true;
    return false;
}

/* ---- saying things ---- */

static void say(const char *prefix, const char *fmt, va_list ap) PRINTF(2, 0);

static void say(const char *prefix, const char *fmt, va_list ap)
{
    CLEANUP(buf_done) struct buf raw = {0};
    CLEANUP(buf_done) struct buf line = {0};

    buf_vfmt(&raw, fmt, ap);
    text_clean(&line, buf_cstr(&raw));
    (void)fflush(stdout); /* so that the two streams are read in order */
    (void)fprintf(stderr, "%s%s\n", prefix, buf_cstr(&line));
}

int say_error(int exit, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    say("ostler: ", fmt, ap);
    va_end(ap);
    return exit;
}

void say_hint(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    say("        ", fmt, ap);
    va_end(ap);
}

static const char *verb_words(const struct cli *c)
{
    const struct verb *v = c->verb;

    return v->group ? arena_fmt(c->arena, "%s %s", v->group, v->name) : v->name;
}

int say_usage(const struct cli *c, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    say("ostler: ", fmt, ap);
    va_end(ap);
    say_hint("`ostler help %s` tells more", verb_words(c));
    return CLI_USAGE;
}

void print_json(const json_t *j)
{
    (void)json_dumpf(j, stdout, JSON_INDENT(2));
    (void)putchar('\n');
}

/* ---- unknown words ---- */

enum { MAX_WORDS = 128 };

/* The first words of all verbs, or the second ones of a group's. */
static void collect(const struct cli_env *env, const char *group, const char *words[MAX_WORDS])
{
    size_t n = 0;

    EACH_VERB (v)
        if (n + 1 < MAX_WORDS && !v->hidden) {
            if (group && v->group && streq(group, v->group))
                words[n++] = v->name;
            else if (!group)
                words[n++] = v->group ? v->group : v->name;
        }
    for (const struct cli_other *o = env->others; !group && o && o->name; o++)
        if (n + 1 < MAX_WORDS && !o->hidden)
            words[n++] = o->name;
    words[n] = NULL;
}

static int unknown_verb(const struct cli_env *env, const char *group, const char *word)
{
    const char *words[MAX_WORDS];

    collect(env, group, words);
    const char *near = text_nearest(word, words);
    const char *space = group ? " " : "";
    group = group ? group : "";
    if (near)
        (void)say_error(CLI_USAGE, "there is no `%s%s%s`; did you mean `%s%s%s`?", group, space,
                        word, group, space, near);
    else
        (void)say_error(CLI_USAGE, "there is no `%s%s%s`", group, space, word);
    say_hint("`ostler help%s%s` lists what there is", space, group);
    return CLI_USAGE;
}

/* ---- running ---- */

static int check_args(const struct cli *c)
{
    const struct verb *v = c->verb;

    if ((int)c->n_args < v->min_args)
        return say_usage(c, "usage: ostler %s %s", verb_words(c), v->args);
    if (v->max_args >= 0 && (int)c->n_args > v->max_args)
        return say_usage(c, "`%s` is one word too many: usage: ostler %s %s", c->args[v->max_args],
                         verb_words(c), v->args);
    return CLI_OK;
}

static int run_help(struct cli *c)
{
    char *words[] = {(char *)c->verb->group, (char *)c->verb->name};
    bool grouped = c->verb->group;

    c->args = words + !grouped;
    c->n_args = 1 + grouped;
    c->verb = verb_find("help", NULL);
    return c->verb->run(c);
}

static int run_verb(const struct cli_env *env, const struct verb *v, int argc, char **argv)
{
    CLEANUP(arena_free_p) struct arena *arena = arena_new();
    struct cli c = {.env = env, .verb = v, .arena = arena};
    bool help;
    int e = opts_read(&c, argc, argv, &help);

    if (e)
        return e;
    if (help)
        return run_help(&c);
    if ((e = check_args(&c)))
        return e;
    return v->run(&c);
}

/* A pipe that was closed early, a full disk: the work is done, but not told. */
static int flushed(int exit)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return exit;
    return exit ? exit : CLI_FAILED;
}

/* What other programs call it, or what the fingers type. */
static const char *usual_word(const char *word)
{
    static const char *const others[][2] = {
        {"list", "ls"}, {"delete", "rm"},   {"remove", "rm"},
        {"-h", "help"}, {"--help", "help"}, {"--version", "version"},
    };

    for (size_t i = 0; word && i < ARRAY_LEN(others); i++)
        if (streq(word, others[i][0]))
            return others[i][1];
    return word;
}

static int dispatch(const struct cli_env *env, int argc, char **argv)
{
    const char *first = argc > 1 ? usual_word(argv[1]) : "help";
    const char *second = argc > 2 ? usual_word(argv[2]) : NULL;

    for (const struct cli_other *o = env->others; o && o->name; o++)
        if (streq(first, o->name))
            return o->run(argc - 1, argv + 1);
    const struct verb *v = verb_find(first, second);
    if (v) {
        int skip = argc < 2 ? 0 : v->group ? 2 : 1;

        return run_verb(env, v, argc - skip, argv + skip);
    }
    if (!verb_is_group(first))
        return unknown_verb(env, NULL, first);
    bool asked = second && streq(second, "help");
    if (second && !asked && *second != '-')
        return unknown_verb(env, first, second);
    char *help[] = {(char *)"help", (char *)first};
    (void)run_verb(env, verb_find("help", NULL), 2, help);
    return asked ? CLI_OK : CLI_USAGE;
}

/* The number of words of options before the verb: --data DIR and --account ID may stand there. */
static int leading_words(int argc, char **argv)
{
    int n = 0;

    while (n + 1 < argc) {
        const char *word = argv[n + 1];

        if (streq(word, "--data") || streq(word, "--account"))
            n += 2;
        else if (str_starts(word, "--data=") || str_starts(word, "--account="))
            n += 1;
        else
            break;
    }
    return n;
}

int cli_main(int argc, char **argv, const struct cli_env *env)
{
    int leading = leading_words(argc, argv);

    if (leading + 1 >= argc)
        return flushed(dispatch(env, leading ? 1 : argc, argv));
    /* The verb first, its second word if it has one, then what stood before it. */
    char **sorted = xcalloc((size_t)argc + 1, sizeof(*sorted));
    int words = verb_is_group(usual_word(argv[leading + 1])) && leading + 2 < argc ? 2 : 1;
    sorted[0] = argv[0];
    memcpy(sorted + 1, argv + 1 + leading, (size_t)words * sizeof(*sorted));
    memcpy(sorted + 1 + words, argv + 1, (size_t)leading * sizeof(*sorted));
    memcpy(sorted + 1 + words + leading, argv + 1 + leading + words,
           (size_t)(argc - 1 - leading - words) * sizeof(*sorted));
    int exit = flushed(dispatch(env, argc, sorted));
    free(sorted);
    return exit;
}
