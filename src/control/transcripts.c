/* Recordings: begun, ended, listed, read and removed. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "api/transcript.h"
#include "base/crypto.h"
#include "control/named_files.h"

enum { PAGE = 256 * 1024, MAX_PAGE = 1024 * 1024, LEAST_BYTES = 4096 };

static struct transcript *recorder(void)
{
    return control_config()->transcript;
}

/* ---- beginning and ending ---- */

struct switched {
    struct transcript_status now;
    const char *why; /* it had ended before it was stopped; "" it had not */
};

static void encode_switched(struct call *c, const void *out_, struct enc *e)
{
    const struct switched *out = out_;

    enc_str(e, "name", out->now.name);
    enc_str(e, "file", transcript_path(recorder(), c->arena, out->now.name));
    enc_int(e, "requests", out->now.lines);
    enc_str_or_null(e, "endedBecause", out->why);
}

static enum err check_name(struct call *c, const char *name)
{
    if (!recorder())
        return fail(c->op.fail, ERR_UNAVAILABLE, "this server records nothing");
    if (!file_name_ok(name))
        return fail_param(c->op.fail, ERR_PARAM_VALUE, "name",
                          "a transcript's name has 1 to %d of A-Z a-z 0-9 . _ -, a letter or digit "
                          "first",
                          FILE_NAME_MAX);
    return ERR_NONE;
}

struct name_in {
    const char *name;
    int64_t max_bytes;
};

static enum err start(struct call *c, const void *in_, void *out_)
{
    const struct name_in *in = in_;
    struct switched *out = out_;
    enum err e = check_name(c, in->name);

    if (e)
        return e;
    transcript_show(recorder(), c->arena, &out->now);
    if (out->now.on && !streq(out->now.name, in->name))
        return fail(c->op.fail, ERR_TRANSCRIPT_ON,
                    "'%s' is being recorded; `ostler transcript stop` ends it", out->now.name);
    if ((e = transcript_open(recorder(), in->name, in->max_bytes, c->op.fail)))
        return e;
    transcript_show(recorder(), c->arena, &out->now);
    event_append(&c->op, in->name, "transcript-started", NULL);
    return ERR_NONE;
}

const struct action op_start_transcript = {
    .name = "StartTranscript",
    .summary = "Records what the clouds' clients ask and are answered, also after a restart.",
    .perm = PERM_CONTROL,
    .access = ACCESS_WRITE,
    .in_size = sizeof(struct name_in),
    .out_size = sizeof(struct switched),
    .in = FIELDS(F_STR(struct name_in, name, "name", .def_str = "transcript",
                       .text = "Its file is DATA/transcripts/NAME.jsonl; goes on behind what is "
                               "there."),
                 F_INT(struct name_in, max_bytes, "maxBytes", .def = TRANSCRIPT_MAX_BYTES,
                       .min = LEAST_BYTES, .max = TRANSCRIPT_MAX_BYTES,
                       .text = "It ends when its file would be larger.")),
    .errors = ERRORS(ERR_TRANSCRIPT_ON),
    .run = start,
    .encode = encode_switched,
};

static enum err stop(struct call *c, const void *in, void *out_)
{
    struct switched *out = out_;

    (void)in;
    if (recorder())
        transcript_show(recorder(), c->arena, &out->now);
    if (!out->now.on && str_empty(out->now.why))
        return fail(c->op.fail, ERR_NOT_THERE, "nothing is being recorded");
    out->why = out->now.why;
    transcript_close(recorder());
    event_append(&c->op, out->now.name, "transcript-stopped", NULL);
    return ERR_NONE;
}

const struct action op_stop_transcript = {
    .name = "StopTranscript",
    .summary = "Ends the recording. Its file stays.",
    .perm = PERM_CONTROL,
    .access = ACCESS_WRITE,
    .out_size = sizeof(struct switched),
    .errors = ERRORS(ERR_NOT_THERE),
    .rows = CONTROL_NOT_THERE("TranscriptNotFound"),
    .run = stop,
    .encode = encode_switched,
};

/* ---- listing ---- */

struct list_out {
    struct listed files;
    struct transcript_status now;
};

static int newest_first(const void *a_, const void *b_)
{
    const struct named_file *a = a_, *b = b_;

    if (a->changed_at != b->changed_at)
        return a->changed_at < b->changed_at ? 1 : -1;
    return strcmp(a->name, b->name);
}

static enum err list(struct call *c, const void *in, void *out_)
{
    struct list_out *out = out_;

    (void)in;
    if (!recorder())
        return ERR_NONE;
    out->files =
        named_files(c->arena, transcript_dir(recorder()), ".jsonl", file_name_ok, newest_first);
    transcript_show(recorder(), c->arena, &out->now);
    return ERR_NONE;
}

static void encode_list(struct call *c, const void *out_, struct enc *e)
{
    const struct list_out *out = out_;
    const struct named_file *f = out->files.rows;

    enc_list(e, "transcripts", "transcript");
    for (size_t i = 0; i < out->files.n; i++, f++) {
        bool current = out->now.name && streq(out->now.name, f->name);

        enc_obj(e, NULL);
        enc_str(e, "name", f->name);
        enc_int(e, "bytes", f->bytes);
        control_enc_time(c, e, "changedAt", f->changed_at);
        enc_bool(e, "recording", current && out->now.on);
        enc_str_or_null(e, "endedBecause", current ? out->now.why : NULL);
        enc_end(e);
    }
    enc_end(e);
}

const struct action op_list_transcripts = {
    .name = "ListTranscripts",
    .summary = "Lists recordings, the last written first, and whether they ended by themselves.",
    .perm = PERM_CONTROL,
    .access = ACCESS_READ,
    .out_size = sizeof(struct list_out),
    .run = list,
    .encode = encode_list,
};

/* ---- reading ---- */

struct read_in {
    const char *name;
    int64_t offset, limit;
};

struct read_out {
    int64_t offset, size;
    const char *base64;
    size_t n;
};

static enum err no_such(struct call *c, const char *name)
{
    return fail_not_there(c->op.fail, "name", "transcript", name);
}

static enum err read_page(struct call *c, const void *in_, void *out_)
{
    const struct read_in *in = in_;
    struct read_out *out = out_;
    struct stat st;
    enum err e = check_name(c, in->name);

    if (e)
        return e;
    CLEANUP(close_p)
    int fd = open(transcript_path(recorder(), c->arena, in->name),
                  O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return no_such(c, in->name);
    if (fd < 0 || fstat(fd, &st) < 0)
        return fail(c->op.fail, ERR_INTERNAL, "the transcript cannot be read: %s", strerror(errno));
    if (!S_ISREG(st.st_mode))
        return no_such(c, in->name);
    char *data = arena_raw(c->arena, (size_t)in->limit);
    ssize_t n = pread(fd, data, (size_t)in->limit, in->offset);
    if (n < 0)
        return fail(c->op.fail, ERR_INTERNAL, "the transcript cannot be read: %s", strerror(errno));
    *out = (struct read_out){.offset = in->offset,
                             .size = st.st_size,
                             .base64 = base64_encode(c->arena, data, (size_t)n),
                             .n = (size_t)n};
    return ERR_NONE;
}

static void encode_page(struct call *c, const void *out_, struct enc *e)
{
    const struct read_out *out = out_;

    (void)c;
    enc_int(e, "offset", out->offset);
    enc_int(e, "nextOffset", out->offset + (int64_t)out->n);
    enc_int(e, "size", out->size);
    enc_str(e, "data", out->base64);
}

const struct action op_read_transcript = {
    .name = "ReadTranscript",
    .summary = "Reads a piece of a recording's file, as base64.",
    .perm = PERM_CONTROL,
    .access = ACCESS_READ,
    .in_size = sizeof(struct read_in),
    .out_size = sizeof(struct read_out),
    .in = FIELDS(F_STR(struct read_in, name, "name", .required = true),
                 F_INT(struct read_in, offset, "offset", .min = 0, .max = INT64_C(1) << 40),
                 F_INT(struct read_in, limit, "limit", .def = PAGE, .min = 1, .max = MAX_PAGE)),
    .errors = ERRORS(ERR_NOT_THERE),
    .rows = CONTROL_NOT_THERE("TranscriptNotFound"),
    .run = read_page,
    .encode = encode_page,
};

/* ---- removing ---- */

static enum err remove_one(struct call *c, const void *in_, void *out)
{
    const struct name_in *in = in_;
    struct transcript_status now;
    enum err e = check_name(c, in->name);

    (void)out;
    if (e)
        return e;
    transcript_show(recorder(), c->arena, &now);
    if (now.on && streq(now.name, in->name))
        return fail(c->op.fail, ERR_TRANSCRIPT_ON,
                    "'%s' is being recorded; `ostler transcript stop` ends it", in->name);
    if (unlink(transcript_path(recorder(), c->arena, in->name)) < 0)
        return errno == ENOENT ? no_such(c, in->name)
                               : fail(c->op.fail, ERR_UNAVAILABLE,
                                      "the transcript cannot be removed: %s", strerror(errno));
    event_append(&c->op, in->name, "transcript-deleted", NULL);
    return ERR_NONE;
}

const struct action op_delete_transcript = {
    .name = "DeleteTranscript",
    .summary = "Removes a recording's file.",
    .perm = PERM_CONTROL,
    .access = ACCESS_WRITE,
    .in_size = sizeof(struct name_in),
    .in = FIELDS(F_STR(struct name_in, name, "name", .required = true)),
    .errors = ERRORS(ERR_NOT_THERE, ERR_TRANSCRIPT_ON),
    .rows = CONTROL_NOT_THERE("TranscriptNotFound"),
    .run = remove_one,
};
