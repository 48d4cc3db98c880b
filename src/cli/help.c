/* Help, the version, the dump of the API, and what a shell's completion asks for. */
#include <stdio.h>

#include "cli/verb.h"

enum { COLUMN = 26 };

static const char *words_of(struct cli *c, const struct verb *v)
{
    return v->group ? arena_fmt(c->arena, "%s %s", v->group, v->name) : v->name;
}

/* ---- all verbs ---- */

static const struct {
    const char *title;
    const struct verb *verbs;
} sections[] = {
#define X(file, title) {title, verbs_##file},
    VERB_LISTS(X)
#undef X
};

static void print_line(struct cli *c, const struct verb *v)
{
    const char *usage = arena_fmt(c->arena, "%s%s%s", words_of(c, v), *v->args ? " " : "", v->args);

    if (strlen(usage) < COLUMN)
        (void)printf("  %-*s %s\n", COLUMN, usage, v->summary);
    else
        (void)printf("  %s\n  %-*s %s\n", usage, COLUMN, "", v->summary);
}

static void print_others(const struct cli *c)
{
    (void)printf("Server\n");
    for (const struct cli_other *o = c->env->others; o && o->name; o++)
        if (!o->hidden)
            (void)printf("  %-*s %s\n", COLUMN, o->name, o->summary);
    (void)printf("  %-*s %s\n\n", COLUMN, verbs_doctor[0].name, verbs_doctor[0].summary);
}

static void print_all(struct cli *c)
{
    (void)printf("usage: ostler VERB [ARGUMENT...] [OPTION...]\n\n");
    print_others(c);
    for (size_t i = 0; i < ARRAY_LEN(sections); i++) {
        if (!sections[i].title)
            continue;
        (void)printf("%s\n", sections[i].title);
        for (const struct verb *v = sections[i].verbs; v->name; v++)
            if (!v->hidden)
                print_line(c, v);
        (void)putchar('\n');
    }
    (void)printf(
        "To begin:\n"
        "  ostler doctor                    what this computer lacks, if anything\n"
        "  ostler serve --data ./var        a server, in a terminal of its own\n"
        "  ostler create --run --wait       a machine\n"
        "  eval \"$(ostler env alibaba)\"     your own tools, pointed at it\n\n"
        "`ostler help VERB` tells more about one. Exit codes: 0 done, 1 refused or failed,\n"
        "2 wrong usage, 3 no server.\n");
}

/* ---- one verb ---- */

static void print_options(struct cli *c, const struct verb *v)
{
    (void)printf("\nOptions:\n");
    for (const enum opt_id *id = v->opts; id && *id; id++)
        (void)printf("  %-*s %s\n", COLUMN, opt_usage(c->arena, *id), opt_text(*id));
    (void)printf("  %-*s %s\n", COLUMN, "--help", "this");
}

/* Text in lines of less than 80 characters. */
static void print_wrapped(const char *s)
{
    enum { WIDTH = 78 };

    while (*s) {
        size_t n = strlen(s);

        if (n > WIDTH)
            for (n = WIDTH; n > 1 && s[n] != ' '; n--)
                ;
        (void)printf("%.*s\n", (int)n, s);
        s += n;
        s += strspn(s, " ");
    }
}

static void print_verb(struct cli *c, const struct verb *v)
{
    (void)printf("usage: ostler %s%s%s [OPTION...]\n\n%s.\n", words_of(c, v), *v->args ? " " : "",
                 v->args, v->summary);
    if (v->more)
        print_wrapped(v->more);
    print_options(c, v);
    if (v->example)
        (void)printf("\nExample:\n  %s\n", v->example);
}

static void print_group(struct cli *c, const char *group)
{
    (void)printf("usage: ostler %s VERB [ARGUMENT...] [OPTION...]\n\n", group);
    for (const struct verb *const *list = verb_lists; *list; list++)
        for (const struct verb *v = *list; v->name; v++)
            if (v->group && streq(v->group, group))
                print_line(c, v);
    (void)printf("\n`ostler help %s VERB` tells more about one.\n", group);
}

static int other_help(const struct cli *c, const char *word)
{
    for (const struct cli_other *o = c->env->others; o && o->name; o++)
        if (streq(o->name, word)) {
            char *argv[] = {(char *)word, (char *)"--help", NULL};

            return o->run(2, argv);
        }
    return say_usage(c, "there is no verb `%s`", word);
}

static int help(struct cli *c)
{
    const char *first = c->n_args > 0 ? c->args[0] : NULL;
    const char *second = c->n_args > 1 ? c->args[1] : NULL;

    if (!first) {
        print_all(c);
        return CLI_OK;
    }
    const struct verb *v = verb_find(first, second);
    if (v)
        print_verb(c, v);
    else if (!verb_is_group(first))
        return other_help(c, first);
    else if (second)
        return say_usage(c, "there is no `%s %s`", first, second);
    else
        print_group(c, first);
    return CLI_OK;
}

/* ---- version, api dump ---- */

static int version(struct cli *c)
{
    (void)printf("ostler %s\n", c->env->version);
    return CLI_OK;
}

static int dump(struct cli *c)
{
    CLEANUP(free_p) char *text = c->env->api_dump ? c->env->api_dump() : NULL;

    if (!text)
        return say_error(CLI_FAILED, "this program serves no API");
    (void)puts(text);
    return CLI_OK;
}

/* ---- completion ---- */

static void print_first_words(const struct cli *c)
{
    const char *last = "";

    for (const struct verb *const *list = verb_lists; *list; list++)
        for (const struct verb *v = *list; v->name; v++) {
            const char *word = v->group ? v->group : v->name;

            if (!v->hidden && !streq(word, last))
                (void)puts(word);
            last = word;
        }
    for (const struct cli_other *o = c->env->others; o && o->name; o++)
        if (!o->hidden)
            (void)puts(o->name);
}

/* What may follow the words so far, one a line; "@ids" stands for the instances' ids, "@files" for
 * files. */
static int complete(struct cli *c)
{
    const char *first = c->n_args > 0 ? c->args[0] : NULL;
    const struct verb *v = first ? verb_find(first, c->n_args > 1 ? c->args[1] : NULL) : NULL;

    if (!first)
        print_first_words(c);
    else if (!v)
        for (const struct verb *const *list = verb_lists; *list; list++)
            for (const struct verb *g = *list; g->name; g++)
                if (g->group && streq(g->group, first))
                    (void)puts(g->name);
    if (!v)
        return CLI_OK;
    for (const enum opt_id *id = v->opts; id && *id; id++)
        (void)printf("--%s\n", opt_name(*id));
    (void)puts("--help");
    if (str_starts(v->args, "ID"))
        (void)puts("@ids");
    if (strstr(v->args, "PATH") || strstr(v->args, "FILE"))
        (void)puts("@files");
    if (strchr(v->args, '|')) {
        for (const char *at = v->args; *at; at += strcspn(at, "|") + (at[strcspn(at, "|")] == '|'))
            (void)printf("%.*s\n", (int)strcspn(at, "|"), at);
    }
    return CLI_OK;
}

const struct verb verbs_help[] = {
    {.group = "api",
     .name = "dump",
     .args = "",
     .summary = "Print every action with its fields and errors as JSON",
     .more = "Needs no server: it is what this program declares.",
     .example = "ostler api dump | jq '.'",
     .run = dump},
    {.name = "version", .args = "", .summary = "Print the version", .run = version},
    {.name = "help",
     .args = "[VERB]",
     .max_args = 2,
     .summary = "Explain a verb",
     .example = "ostler help start",
     .run = help},
    {.name = "complete-words",
     .args = "[WORD...]",
     .max_args = -1,
     .summary = "Tell a shell what may come next",
     .hidden = true,
     .run = complete},
    {.name = NULL},
};
