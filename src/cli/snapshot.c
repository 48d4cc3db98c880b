/* Verbs for the whole: keep it under a name, go back to that, go back to the beginning. */
#include <stdio.h>

#include "cli/admin.h"

static int by_name(struct cli *c, const char *action, const char *done)
{
    c->patience_ms = CLI_LONG_MS;
    int e = operator_call(c, action, json_pack("{s:s}", "name", c->args[0]), NULL);

    if (!e)
        (void)printf("%s %s\n", c->args[0], done);
    return e;
}

static int save(struct cli *c)
{
    return by_name(c, "SaveSnapshot", "saved");
}

static int load(struct cli *c)
{
    return by_name(c, "LoadSnapshot", "loaded");
}

static int ls(struct cli *c)
{
    static const struct row_column columns[] = {
        {"SNAPSHOT", "name"}, {"BYTES", "bytes"}, {"SAVED", "savedAt"}};

    return list_rows(c, "ListSnapshots", NULL, "snapshots", columns, ARRAY_LEN(columns));
}

static int rm(struct cli *c)
{
    return for_each(c, "RemoveSnapshot", "name", NULL, "removed");
}

static int reset(struct cli *c)
{
    c->patience_ms = CLI_LONG_MS;
    int e = operator_call(c, "Reset", account_body(c), NULL);

    if (!e)
        (void)printf("%s reset\n",
                     given(c, OPT_ACCOUNT) ? c->values[OPT_ACCOUNT] : "everything is");
    return e;
}

#define CONTROLS "Needs a server with --controls. "

const struct verb verbs_snapshot[] = {
    {.group = "snapshot",
     .name = "save",
     .args = "NAME",
     .min_args = 1,
     .max_args = 1,
     .opts = OPTS(OPT_DATA),
     .summary = "Keep everything as it is now under a name",
     .more =
         CONTROLS "Of all accounts: instances, networks, keys, events, client tokens, counters, "
                  "faults, clocks. What is on machines' disks is not in it. An older snapshot "
                  "of the name is replaced.",
     .example = "ostler snapshot save before",
     .run = save},
    {.group = "snapshot",
     .name = "load",
     .args = "NAME",
     .min_args = 1,
     .max_args = 1,
     .opts = OPTS(OPT_DATA),
     .summary = "Make everything as it was when it was saved: same ids, same answers",
     .more =
         CONTROLS "For all accounts. Machines are switched off; those that ran then are started "
                  "again, in the background, from their disks as they are now, or new ones.",
     .example = "ostler snapshot load before",
     .run = load},
    {.group = "snapshot",
     .name = "ls",
     .args = "",
     .opts = OPTS(OPT_JSON, OPT_DATA),
     .summary = "List snapshots",
     .more = CONTROLS,
     .example = "ostler snapshot ls",
     .run = ls},
    {.group = "snapshot",
     .name = "rm",
     .args = "NAME...",
     .min_args = 1,
     .max_args = -1,
     .opts = OPTS(OPT_DATA),
     .summary = "Remove snapshots",
     .more = CONTROLS,
     .example = "ostler snapshot rm before",
     .run = rm},
    {.name = "reset",
     .args = "",
     .opts = OPTS(OPT_ONLY, OPT_DATA),
     .summary = "Take everything away but the first account, its keys and the images",
     .more = CONTROLS "With --account: only that account's things and its faults and clock; it and "
                      "its keys stay. Machines are switched off, and no id is given twice.",
     .example = "ostler reset\nostler reset --account 4711471147114711",
     .run = reset},
    {.name = NULL},
};
