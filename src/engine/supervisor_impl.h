/*
 * For the files of the supervisor only. What a file owns, the others do not write:
 *
 *   supervisor.c  life, clocks; what the engine says becomes news
 *   work.c        what is under way: at most one operation an instance
 *   jobs.c        the store's jobs become operations
 *   report.c      news become writes: those of an instance in order, each until it is committed
 *   survey.c      what runs? After a start, and after a load
 *   hold.c        nothing runs, so that the rows can become others
 *   renew.c       then all of it again, by what they say now
 */
#ifndef OSTLER_ENGINE_SUPERVISOR_IMPL_H
#define OSTLER_ENGINE_SUPERVISOR_IMPL_H

#include "base/map.h"
#include "core/inst.h"
#include "engine/faulty.h"
#include "engine/harms.h"
#include "engine/supervisor.h"
#include "net/loop.h"

enum {
    RETRY_MS = 500, /* the store could not be read or written */
    AT_ONCE = 128, /* machines that are asked about, stopped or started in a survey or for a hold */
};

/* Its way: each stage ends when the store has no more of its kind. */
enum survey_stage {
    SURVEY_NEWEST,    /* which jobs were there when it began? */
    SURVEY_LEFTOVERS, /* only after a load */
    SURVEY_JOBS,      /* what has a job */
    SURVEY_INSTS,     /* what should simply be running */
    SURVEY_OVER,
};

struct supervisor {
    struct supervisor_config config;
    struct engine *engine;
    struct faulty *faulty; /* what tests asked to fail */
    struct harms *harms;   /* and to happen */
    bool stopping;         /* the engine is closed; nothing begins any more */

    /* work.c */
    struct map *working; /* instance id -> struct work: an operation or its report is under way */
    size_t n_own;        /* of them, without a job */

    /* report.c */
    struct map *reports; /* instance id -> its oldest report that is not committed yet */

    struct {                      /* jobs.c */
        struct loop_timer *again; /* for those that were left when too many came at once */
        int64_t last;             /* up to this number they have been seen */
        bool behind;              /* there are more */
    } jobs;

    struct {                     /* survey.c */
        struct map *asked;       /* instance id -> the engine's answer is awaited */
        struct loop_timer *more; /* the next batch */
        enum survey_stage stage;
        bool renews;             /* what should be running is started */
        int64_t job_at, job_end; /* its place among the jobs that it found */
        int64_t inst_below;      /* and among the instances, by serial; 0: before the first */
    } survey;

    struct {           /* hold.c */
        bool on;       /* nothing begins, until supervisor_resume */
        bool halting;  /* ... and what was under way is over */
        bool all;      /* ... and every machine was told to stop */
        char *why;     /* ... and one cannot be stopped, for this reason */
        int64_t below; /* its place among the instances, by serial */
    } hold;

    char *drop_at; /* renew.c: its place among the leftovers */
};

/* ---- supervisor.c ---- */

/*
 * A few reads of the store as it is now. view_open, then reads through `op`, then view_close, which
 * says whether they can be believed; what was read stays until view_done.
 */
struct view {
    struct arena *arena;
    struct tx *tx;
    struct op op;
    struct fail fail;
};
void view_open(struct view *v, struct supervisor *s);
bool view_close(struct view *v);
void view_done(struct view *v); /* also of {0} */

/* The machine is not running any more, for this reason, and nobody asked for it. */
void machine_stopped(struct supervisor *s, const char *inst, const char *reason);

/* ---- work.c ---- */

/* A kind of operation that has no job. */
struct own {
    /* It has ended. Not called while the supervisor holds, unless `also_held`. */
    void (*done)(struct supervisor *s, const char *inst, const struct outcome *o);
    bool also_held;
};

struct work {
    const struct own *own; /* NULL: a job's */
    int64_t job;
    enum verb verb;
    char *account;    /* NULL: not known */
    char *request_id; /* for the log */
};

void work_init(struct supervisor *s);
void work_done(struct supervisor *s);

/* What is under way for the instance; NULL: nothing. */
const struct work *work_of(const struct supervisor *s, const char *inst);
/* Is something under way, or still to be told? */
bool work_busy(const struct supervisor *s, const char *inst);
/* To be called before the driver is told: it may have done it before it returns. */
void work_begin(struct supervisor *s, const struct job *j);
void work_begin_own(struct supervisor *s, const char *inst, const struct own *own);
/* Fine when nothing is under way. */
void work_end(struct supervisor *s, const char *inst);
/* What has no job has ended in the engine. */
void work_own_done(struct supervisor *s, const char *inst, const struct outcome *o);
void work_log(struct supervisor *s, const char *inst, const struct outcome *o);
/* Everything is to end as soon as it can. */
void work_hurry_all(struct supervisor *s);

/* ---- jobs.c ---- */

void jobs_init(struct supervisor *s);
void jobs_done(struct supervisor *s);

/* Begins the instance's job, if it has one and nothing is in its way; later, if the store cannot be
 * read. `runs`: its machine does, as far as is known. */
void jobs_take_up(struct supervisor *s, const char *inst, bool runs);
/* The store could not be read: every job is looked at again, soon. */
void jobs_look_again(struct supervisor *s);
/* The newest job's number; 0: there is none. All that there are count as seen. False: the store
 * could not be read. */
bool jobs_newest(struct supervisor *s, int64_t *ret);

/* ---- report.c ---- */

struct news;
struct news_kind {
    enum err (*write)(struct op *op, const struct news *n);
    bool ends; /* with it the instance's operation is over */
};

/* One thing that the store has to learn. What a kind does not use is left out. */
struct news {
    const struct news_kind *kind;
    const char *inst, *why;
    int64_t job, ssh_port;
};

void report_init(struct supervisor *s);
/* Nothing is tried again. */
void report_stop(struct supervisor *s);
void report_done(struct supervisor *s);

/* Copies the news and tells them, after what is still to be told of the instance, however long the
 * disk is full. Then its next job is taken up. */
void report_news(struct supervisor *s, const struct news *n);
bool report_waits(const struct supervisor *s, const char *inst);

/* ---- survey.c ---- */

/* Machines of a snapshot, to be gone through after it: the engine may answer at once, and its
 * answer opens a snapshot of its own. */
struct batch {
    struct machine *machines[AT_ONCE];
    size_t n;
};

void survey_init(struct supervisor *s);
void survey_done(struct supervisor *s);

/* The first batch is asked about at once: false, if the store cannot be read. */
bool survey_begin(struct supervisor *s);
/* From the beginning, and what should be running and has no machine is started. */
void survey_renew(struct supervisor *s);
/* The engine's answer, as its host's `surveyed`. */
void survey_answered(void *s, const char *inst, enum survey what);
/* `n` of those that it had begun are still under way: are they few enough for more? */
void survey_go_on(struct supervisor *s, size_t n);

/* ---- hold.c ---- */

void hold_end(struct supervisor *s);

/* ---- renew.c ---- */

/* The instance's machine is absent: makes what it lacks, then begins what the rows say. */
void renew(struct supervisor *s, const char *inst);
/* Was it whole once, and is now without files that it needs? */
bool renew_lacks(struct supervisor *s, struct op *op, const struct inst *in);
/* Removes the next leftovers. *ret_more: there may be others. False: the store could not be read.
 */
bool renew_drop_leftovers(struct supervisor *s, bool *ret_more);
void renew_done(struct supervisor *s);

#endif
