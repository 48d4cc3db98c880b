/*
 * A recording of what the clouds' dialects were asked and answered: a file of one line of JSON
 * each, in the order of the answers, without secrets and signatures. docs/transcript.md says what
 * is in a line; the operator's dialect is never recorded.
 *
 * One recording at a time. That there is one is kept beside the files, not in the store: a store
 * that is reset or taken from a snapshot does not end it. Safe from any thread: a line is written
 * whole, by one write(2). What cannot be written ends the recording and is told by transcript_show;
 * answers go on. Lines are not synced: a crash of the computer may lose the last ones, one of the
 * program none.
 */
#ifndef OSTLER_API_TRANSCRIPT_H
#define OSTLER_API_TRANSCRIPT_H

#include "api/fault.h"

struct transcript;

#define TRANSCRIPT_MAX_BYTES (INT64_C(1) << 30) /* of one file */

struct transcript_status {
    const char *name; /* of the recording, or of the last one; "" there was none. In the arena */
    const char *why;  /* a sentence: why it has ended by itself; "" it has not */
    bool on;
    int64_t lines;
};

/* `dir` is made when it is first needed, mode 0700. */
struct transcript *transcript_new(const char *dir);
void transcript_free(struct transcript *t); /* NULL is fine */

/* DIR/NAME.jsonl in the arena; a NAME is a file_name_ok. */
const char *transcript_path(const struct transcript *t, struct arena *a, const char *name);
const char *transcript_dir(const struct transcript *t);

/*
 * Records into NAME.jsonl (mode 0600) from now on, also after a restart, behind what is there,
 * until `max_bytes`. Does nothing when it does so already. ERR_UNAVAILABLE: the file cannot be
 * written; then nothing is recorded.
 */
enum err transcript_open(struct transcript *t, const char *name, int64_t max_bytes, struct fail *f);
/* Goes on with what was being recorded when the last server of this directory ended, if anything
 * was. */
void transcript_resume(struct transcript *t);
void transcript_close(struct transcript *t);
void transcript_show(struct transcript *t, struct arena *a, struct transcript_status *ret);

/*
 * Writes the call and its answer down, if there is a recording: the answer as it was meant, before
 * a fault (`v`; NULL: none) decides what becomes of it on its way. `began`: ms since 1970.
 */
void transcript_note(struct transcript *t, struct call *c, const struct answer *a,
                     const struct verdict *v, int64_t began);

#endif
