/* The verbs about recordings. */
#include <errno.h>
#include <stdio.h>

#include "base/crypto.h"
#include "cli/admin.h"
#include "cli/replay.h"

static int start(struct cli *c)
{
    CLEANUP(json_free_p) json_t *j = NULL;
    json_t *body = json_object();
    long long max;

    if (!opt_int(c, OPT_MAX_BYTES, 4096, 1LL << 30, 1LL << 30, &max)) {
        json_decref(body);
        return CLI_USAGE;
    }
    if (c->n_args)
        (void)json_object_set_new(body, "name", json_string(c->args[0]));
    (void)json_object_set_new(body, "maxBytes", json_integer(max));
    int e = operator_call(c, "StartTranscript", body, &j);
    if (!e)
        (void)printf("%s is being recorded into %s\n", json_text(j, "name"), json_text(j, "file"));
    if (!e && json_integer_value(json_object_get(j, "requests")))
        say_hint("it goes on after what is in there, %lld requests; `ostler transcript start NAME` "
                 "begins another",
                 (long long)json_integer_value(json_object_get(j, "requests")));
    return e;
}

static int stop(struct cli *c)
{
    CLEANUP(json_free_p) json_t *j = NULL;
    int e = operator_call(c, "StopTranscript", json_object(), &j);

    if (e)
        return e;
    (void)printf("%s: %lld requests in %s\n", json_text(j, "name"),
                 (long long)json_integer_value(json_object_get(j, "requests")),
                 json_text(j, "file"));
    if (*json_text(j, "endedBecause"))
        say_hint("it had ended before: %s", json_text(j, "endedBecause"));
    return CLI_OK;
}

static int ls(struct cli *c)
{
    static const struct row_column columns[] = {{"NAME", "name"},
                                                {"BYTES", "bytes"},
                                                {"CHANGED", "changedAt"},
                                                {"RECORDING", "recording"},
                                                {"ENDED BECAUSE", "endedBecause"}};

    return list_rows(c, "ListTranscripts", NULL, "transcripts", columns, ARRAY_LEN(columns));
}

static int rm(struct cli *c)
{
    return for_each(c, "DeleteTranscript", "name", NULL, "deleted");
}

/* ---- export ---- */

/* The one that was written last. */
static int newest(struct cli *c, const char **ret)
{
    CLEANUP(json_free_p) json_t *j = NULL;
    int e = operator_call(c, "ListTranscripts", json_object(), &j);

    if (e)
        return e;
    *ret = arena_str(c->arena,
                     json_text(json_array_get(json_object_get(j, "transcripts"), 0), "name"));
    if (!**ret)
        return say_error(CLI_FAILED,
                         "there is no transcript; `ostler transcript start` begins one");
    return CLI_OK;
}

/* Page by page, up to where it ended when the first page was read. */
static int copy(struct cli *c, const char *name, FILE *out)
{
    long long at = 0, size = -1;

    while (size < 0 || at < size) {
        CLEANUP(json_free_p) json_t *j = NULL;
        json_t *body = json_pack("{s:s, s:I}", "name", name, "offset", (json_int_t)at);
        int e = operator_call(c, "ReadTranscript", body, &j);

        if (e)
            return e;
        CLEANUP(arena_free_p) struct arena *a = arena_new();
        size_t n = 0;
        const uint8_t *data = base64_decode(a, json_text(j, "data"), &n);
        if (size < 0)
            size = json_integer_value(json_object_get(j, "size"));
        if (!data || (!n && at < size))
            return say_error(CLI_FAILED, "the server's answer cannot be read");
        if ((long long)n > size - at)
            n = (size_t)(size - at);
        if (fwrite(data, 1, n, out) != n)
            return CLI_FAILED; /* said by who closes the file */
        at += (long long)n;
    }
    return CLI_OK;
}

static int export(struct cli *c)
{
    const char *path = c->args[c->n_args - 1], *name = c->n_args > 1 ? c->args[0] : NULL;
    int e = name ? CLI_OK : newest(c, &name);

    if (e)
        return e;
    if (streq(path, "-"))
        return copy(c, name, stdout);
    FILE *f = fopen(path, "we");
    if (!f)
        return say_error(CLI_FAILED, "%s: %s", path, strerror(errno));
    e = copy(c, name, f);
    bool bad = ferror(f);
    if (fclose(f) != 0 || bad)
        return say_error(CLI_FAILED, "%s: %s", path, strerror(errno));
    if (!e)
        (void)printf("%s: %s\n", name, path);
    return e;
}

const struct verb verbs_transcript[] = {
    {.group = "transcript",
     .name = "start",
     .args = "[NAME]",
     .max_args = 1,
     .opts = OPTS(OPT_MAX_BYTES, OPT_DATA),
     .summary = "Record what clients ask and are answered",
     .more = "One line of JSON for each, in DIR/transcripts/NAME.jsonl, without secrets and "
             "signatures; behind what is there. It goes on after a restart, until `transcript "
             "stop`. The server needs --controls.",
     .example = "ostler transcript start",
     .run = start},
    {.group = "transcript",
     .name = "stop",
     .args = "",
     .opts = OPTS(OPT_DATA),
     .summary = "End the recording; its file stays",
     .example = "ostler transcript stop",
     .run = stop},
    {.group = "transcript",
     .name = "ls",
     .args = "",
     .opts = OPTS(OPT_JSON, OPT_DATA),
     .summary = "List recordings, the last written first",
     .example = "ostler transcript ls",
     .run = ls},
    {.group = "transcript",
     .name = "export",
     .args = "[NAME] FILE",
     .min_args = 1,
     .max_args = 2,
     .opts = OPTS(OPT_DATA),
     .summary = "Copy a recording (the last written) into a file",
     .more = "FILE - is standard output.",
     .example = "ostler transcript export bug.jsonl",
     .run = export},
    {.group = "transcript",
     .name = "rm",
     .args = "NAME...",
     .min_args = 1,
     .max_args = -1,
     .opts = OPTS(OPT_DATA),
     .summary = "Delete recordings",
     .example = "ostler transcript rm transcript",
     .run = rm},
    {.group = "transcript",
     .name = "replay",
     .args = "FILE",
     .min_args = 1,
     .max_args = 1,
     .opts = OPTS(OPT_ENDPOINT, OPT_JSON, OPT_MAP, OPT_NEW_ACCOUNT, OPT_PATIENCE, OPT_TIMING,
                  OPT_ACCOUNT, OPT_DATA),
     .summary = "Send a recording's requests again and print where answers differ",
     .more = "The requests are signed afresh and really done: by default to this server. Ids, "
             "addresses and times may be others; everything else must be the same. What is on its "
             "way is asked for until it has arrived. --endpoint with OSTLER_ACCESS_KEY_ID and "
             "OSTLER_ACCESS_KEY_SECRET sends them elsewhere. Exit code 1: answers differ.",
     .example = "ostler transcript replay bug.jsonl --new-account",
     .run = replay},
    {.name = NULL},
};
