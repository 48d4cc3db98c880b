/*
 * The single writer and its group commit; snapshots for reading, one connection a thread;
 * checkpoints on a thread of their own.
 *
 * Writers wait for one fsync together: while one batch is being committed the next gathers.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "base/log.h"
#include "store/tx.h"

enum {
    MAX_WAITING = 20000,
    MAX_BATCH = 512,
    MIB = 1 << 20,
    STEP = 4 * MIB,        /* the log is moved in steps, so that no fsync is a long one */
    BEGIN_ANEW = 24 * MIB, /* from here on the log is begun anew when that is quick */
    LOG_HIGH = 48 * MIB,   /* ... and from here on in any case; a batch more stays below 64 MiB */
    PATIENCE_MS = 20,      /* with those who read, when the log could go on growing */
    LAST_PATIENCE_MS = 1000,
};

struct queue {
    struct write *first, **last;
    size_t n;
};

/* What all ends of a store have in common. */
struct shared {
    char *path;
    struct db *writer_db, *checkpoint_db;
    struct tx writer_tx;
    pthread_t writer, checkpointer;
    bool threads;
    pthread_mutex_t lock;
    pthread_cond_t work, checkpoint_work, ran;
    struct queue waiting;
    struct store *ends;
    bool closing, checkpoint_wanted;
    pthread_mutex_t moving; /* who has it moves the log into the database */
    int64_t stepped;        /* the writer's: the log's size at the last step */
    atomic_bool moved;      /* a step ended: what is left to move is little */
    atomic_bool gate;       /* closed: no snapshot is opened */
    size_t snapshots;       /* that are open */
    pthread_cond_t gate_open, no_snapshots;
    atomic_ulong commits; /* how often something was committed; counted before anybody is told */
};

/* One thread's end. */
struct store {
    struct shared *shared;
    struct store *next;
    struct store_config config;
    bool first; /* closes the whole */
    struct db *reader_db;
    struct tx reader_tx;
    bool snapshot;          /* the reader's transaction is open, for the next reading too */
    unsigned long seen;     /* `commits` when it was opened */
    struct queue committed; /* under the shared lock, as the two below */
    size_t running;         /* submitted and not yet committed */
    bool ring;
};

static void queue_init(struct queue *q)
{
    *q = (struct queue){.last = &q->first};
}

static void queue_add(struct queue *q, struct write *w)
{
    w->next = NULL;
    *q->last = w;
    q->last = &w->next;
    q->n++;
}

static struct write *queue_take(struct queue *q)
{
    struct write *w = q->first;

    if (!w)
        return NULL;
    q->first = w->next;
    if (!q->first)
        q->last = &q->first;
    q->n--;
    return w;
}

/* ---- one batch ---- */

/* False: the transaction itself is broken and the batch is lost. */
static bool run_one(struct shared *s, struct write *w)
{
    struct tx *tx = &s->writer_tx;

    tx->failed = false;
    if (db_do(s->writer_db, "SAVEPOINT w"))
        return false;
    w->result = w->run(w, tx);
    if (tx->failed)
        w->result = ERR_INTERNAL;
    if (w->result && db_do(s->writer_db, "ROLLBACK TO w"))
        return false;
    return db_do(s->writer_db, "RELEASE w") == 0;
}

static void lose(struct shared *s, struct queue *batch)
{
    (void)db_exec(s->writer_db,
                  "ROLLBACK"); /* may be over already: a full disk ends a transaction by itself */
    for (struct write *w = batch->first; w; w = w->next)
        if (!w->result)
            w->result = ERR_INTERNAL;
}

static void run_batch(struct shared *s, struct queue *batch)
{
    struct queue ran;
    bool ok = db_do(s->writer_db, "BEGIN IMMEDIATE") == 0;
    struct write *w;

    queue_init(&ran);
    while ((w = queue_take(batch))) {
        if (ok)
            ok = run_one(s, w);
        else
            w->result = ERR_INTERNAL;
        queue_add(&ran, w);
    }
    if (!ok || db_do(s->writer_db, "COMMIT"))
        lose(s, &ran);
    atomic_fetch_add(&s->commits, 1);
    *batch = ran;
    if (!batch->first)
        batch->last = &batch->first;
}

/* ---- the log ---- */

/*
 * The log begins anew, instead of growing, with the first write after all of it was moved into the
 * database while nobody reads from it. Where requests overlap there is always somebody who reads,
 * so now and then the readers are held at a gate until the last snapshot has ended (they are as
 * short as a request) and the little that is left has been moved. Who reads next reads the database
 * itself, and is in nobody's way.
 */
static bool close_gate(struct shared *s, int64_t patience_ms)
{
    struct timespec until;

    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    patience_ms += until.tv_nsec / 1000000;
    until.tv_sec += patience_ms / 1000;
    until.tv_nsec = patience_ms % 1000 * 1000000;
    (void)pthread_mutex_lock(&s->lock);
    atomic_store(&s->gate, true);
    while (s->snapshots && pthread_cond_timedwait(&s->no_snapshots, &s->lock, &until) != ETIMEDOUT)
        ;
    bool closed = !s->snapshots;
    (void)pthread_mutex_unlock(&s->lock);
    return closed;
}

static void open_gate(struct shared *s)
{
    (void)pthread_mutex_lock(&s->lock);
    atomic_store(&s->gate, false);
    (void)pthread_cond_broadcast(&s->gate_open);
    (void)pthread_mutex_unlock(&s->lock);
}

/* On the writer's thread, between two batches. */
static void begin_anew(struct shared *s, bool must)
{
    if (must)
        (void)pthread_mutex_lock(&s->moving);
    else if (pthread_mutex_trylock(&s->moving))
        return; /* a step is under way: after it */
    if (close_gate(s, must ? LAST_PATIENCE_MS : PATIENCE_MS))
        (void)db_checkpoint(s->writer_db); /* if it fails the log goes on growing, and it is said */
    open_gate(s);
    (void)pthread_mutex_unlock(&s->moving);
    atomic_store(&s->moved, false);
}

static void mind_log(struct shared *s)
{
    int64_t size = db_log_size(s->writer_db);

    if (size < s->stepped)
        s->stepped = 0;
    if (size - s->stepped >= STEP) {
        s->stepped = size;
        (void)pthread_mutex_lock(&s->lock);
        s->checkpoint_wanted = true;
        (void)pthread_cond_signal(&s->checkpoint_work);
        (void)pthread_mutex_unlock(&s->lock);
    }
    if (size > LOG_HIGH || (size > BEGIN_ANEW && atomic_load(&s->moved)))
        begin_anew(s, size > LOG_HIGH);
}

/* Each write to the end that it came from. An end is there until it has all of its own. */
static void hand_back(struct shared *s, struct queue *batch)
{
    struct write *w;

    (void)pthread_mutex_lock(&s->lock);
    while ((w = queue_take(batch))) {
        queue_add(&w->end->committed, w);
        w->end->running--;
        w->end->ring = true;
    }
    for (struct store *end = s->ends; end; end = end->next) {
        if (end->ring && end->config.committed)
            end->config.committed(end->config.ctx);
        end->ring = false;
    }
    (void)pthread_cond_broadcast(&s->ran);
    (void)pthread_mutex_unlock(&s->lock);
}

static void *write_loop(void *arg)
{
    struct shared *s = arg;

    for (;;) {
        struct queue batch;
        struct write *w;

        queue_init(&batch);
        (void)pthread_mutex_lock(&s->lock);
        while (!s->waiting.n && !s->closing)
            (void)pthread_cond_wait(&s->work, &s->lock);
        while (batch.n < MAX_BATCH && (w = queue_take(&s->waiting)))
            queue_add(&batch, w);
        (void)pthread_mutex_unlock(&s->lock);
        if (!batch.n)
            return NULL; /* closing, and nothing waits */

        run_batch(s, &batch);
        hand_back(s, &batch);
        mind_log(s);
    }
}

static void *checkpoint_loop(void *arg)
{
    struct shared *s = arg;

    for (;;) {
        (void)pthread_mutex_lock(&s->lock);
        while (!s->checkpoint_wanted && !s->closing)
            (void)pthread_cond_wait(&s->checkpoint_work, &s->lock);
        bool end = s->closing;
        s->checkpoint_wanted = false;
        (void)pthread_mutex_unlock(&s->lock);
        if (end)
            return NULL;
        (void)pthread_mutex_lock(&s->moving);
        bool moved = !db_checkpoint(s->checkpoint_db); /* but for what readers hold back */
        (void)pthread_mutex_unlock(&s->moving);
        atomic_store(&s->moved, moved);
    }
}

/* ---- public ---- */

enum err store_submit(struct store *end, struct write *w)
{
    struct shared *s = end->shared;
    enum err e = ERR_NONE;

    (void)pthread_mutex_lock(&s->lock);
    if (s->closing || s->waiting.n >= MAX_WAITING) {
        e = ERR_UNAVAILABLE;
    } else {
        w->end = end;
        end->running++;
        queue_add(&s->waiting, w);
    }
    (void)pthread_cond_signal(&s->work);
    (void)pthread_mutex_unlock(&s->lock);
    return e;
}

void store_deliver(struct store *end)
{
    struct queue ready;
    struct write *w;

    (void)pthread_mutex_lock(&end->shared->lock);
    ready = end->committed;
    if (!ready.first)
        ready.last = &ready.first;
    queue_init(&end->committed);
    (void)pthread_mutex_unlock(&end->shared->lock);
    while ((w = queue_take(&ready)))
        w->done(w);
}

/* A write that another thread waits for. Its outcome is told through the wrapper, not through the
 * loop. */
struct waited {
    struct write write;
    struct write *inner;
    pthread_mutex_t lock;
    pthread_cond_t cond;
    bool done;
};

static enum err waited_run(struct write *w, struct tx *tx)
{
    struct waited *me = CONTAINER_OF(w, struct waited, write);

    return me->inner->run(me->inner, tx);
}

static void waited_done(struct write *w)
{
    CONTAINER_OF(w, struct waited, write)->done = true;
}

enum err store_write_now(struct store *s, struct write *w)
{
    struct waited me = {.write = {.run = waited_run, .done = waited_done}, .inner = w};
    enum err e = store_submit(s, &me.write);

    while (!e && !me.done) {
        store_deliver(
            s); /* start-up and tools: this is the loop's thread, and the loop is not running */
        if (!me.done)
            (void)usleep(200);
    }
    w->result = e ? e : me.write.result;
    return w->result;
}

static void pass_gate(struct shared *s)
{
    (void)pthread_mutex_lock(&s->lock);
    while (atomic_load(&s->gate))
        (void)pthread_cond_wait(&s->gate_open, &s->lock);
    s->snapshots++;
    (void)pthread_mutex_unlock(&s->lock);
}

static void leave_gate(struct shared *s)
{
    (void)pthread_mutex_lock(&s->lock);
    if (!--s->snapshots)
        (void)pthread_cond_signal(&s->no_snapshots);
    (void)pthread_mutex_unlock(&s->lock);
}

struct tx *store_read(struct store *s, struct arena *a)
{
    struct tx *tx = &s->reader_tx;

    if (s->snapshot &&
        (atomic_load(&s->shared->commits) != s->seen || atomic_load(&s->shared->gate)))
        store_rest(s);
    if (!s->snapshot)
        pass_gate(s->shared);
    unsigned long commits = atomic_load(&s->shared->commits);
    tx->arena = a;
    tx->failed = tx->open || (!s->snapshot && db_do(s->reader_db, "BEGIN") != 0);
    if (!s->snapshot)
        s->seen = commits;
    s->snapshot = tx->open = true;
    return tx;
}

void store_rest(struct store *s)
{
    if (s->snapshot && !s->reader_tx.open) {
        (void)db_do(s->reader_db, "COMMIT"); /* nothing was written */
        s->snapshot = false;
        leave_gate(s->shared);
    }
}

void store_read_end(struct tx *tx)
{
    struct store *s = CONTAINER_OF(tx, struct store, reader_tx);

    tx->open = false;
    tx->arena = NULL;
    if (!s->config.shares || tx->failed)
        store_rest(s);
}

/* ---- opening and closing ---- */

static enum err cannot_open(const struct shared *s, struct fail *f)
{
    return fail(f, ERR_INTERNAL, "the database %s cannot be opened; see the log", s->path);
}

static enum err open_shared(struct shared *s, struct fail *f)
{
    if (db_open(s->path, true, &s->writer_db))
        return cannot_open(s, f);
    if (store_migrate(s->writer_db, f))
        return ERR_INTERNAL;
    if (db_log_size(s->writer_db) > STEP) /* a migration's */
        (void)db_empty_log(s->writer_db); /* if it fails the first step says why */
    if (db_open(s->path, true, &s->checkpoint_db))
        return cannot_open(s, f);
    s->writer_tx.db = s->writer_db;
    if (pthread_create(&s->writer, NULL, write_loop, s))
        return fail(f, ERR_INTERNAL, "no thread can be made");
    if (pthread_create(&s->checkpointer, NULL, checkpoint_loop, s)) {
        (void)pthread_mutex_lock(&s->lock);
        s->closing = true;
        (void)pthread_cond_broadcast(&s->work);
        (void)pthread_mutex_unlock(&s->lock);
        (void)pthread_join(s->writer, NULL);
        return fail(f, ERR_INTERNAL, "no thread can be made");
    }
    s->threads = true;
    return ERR_NONE;
}

static struct shared *shared_new(const char *dir)
{
    struct shared *s = xcalloc(1, sizeof(*s));
    pthread_condattr_t monotonic;

    s->path = xasprintf("%s/ostler.db", dir);
    queue_init(&s->waiting);
    (void)pthread_mutex_init(&s->lock, NULL);
    (void)pthread_cond_init(&s->work, NULL);
    (void)pthread_cond_init(&s->checkpoint_work, NULL);
    (void)pthread_cond_init(&s->ran, NULL);
    (void)pthread_mutex_init(&s->moving, NULL);
    (void)pthread_cond_init(&s->gate_open, NULL);
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&s->no_snapshots, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    return s;
}

static void shared_stop(struct shared *s)
{
    if (!s->threads)
        return;
    (void)pthread_mutex_lock(&s->lock);
    s->closing = true;
    (void)pthread_cond_broadcast(&s->work);
    (void)pthread_cond_broadcast(&s->checkpoint_work);
    (void)pthread_mutex_unlock(&s->lock);
    (void)pthread_join(s->writer, NULL);
    (void)pthread_join(s->checkpointer, NULL);
}

static void shared_free(struct shared *s)
{
    db_close(s->checkpoint_db);
    db_close(s->writer_db);
    (void)pthread_mutex_destroy(&s->lock);
    (void)pthread_cond_destroy(&s->work);
    (void)pthread_cond_destroy(&s->checkpoint_work);
    (void)pthread_cond_destroy(&s->ran);
    (void)pthread_mutex_destroy(&s->moving);
    (void)pthread_cond_destroy(&s->gate_open);
    (void)pthread_cond_destroy(&s->no_snapshots);
    free(s->path);
    free(s);
}

static enum err end_new(struct shared *s, const struct store_config *config, struct store **ret,
                        struct fail *f)
{
    struct store *end = xcalloc(1, sizeof(*end));

    end->shared = s;
    end->config = *config;
    queue_init(&end->committed);
    if (db_open(s->path, false, &end->reader_db)) {
        free(end);
        return cannot_open(s, f);
    }
    end->reader_tx.db = end->reader_db;
    (void)pthread_mutex_lock(&s->lock);
    end->next = s->ends;
    s->ends = end;
    (void)pthread_mutex_unlock(&s->lock);
    *ret = end;
    return ERR_NONE;
}

enum err store_open(const struct store_config *config, struct store **ret, struct fail *f)
{
    struct shared *s = shared_new(config->dir);
    enum err e = open_shared(s, f);

    if (!e)
        e = end_new(s, config, ret, f);
    if (e) {
        shared_stop(s);
        shared_free(s);
        return e;
    }
    (*ret)->first = true;
    return ERR_NONE;
}

enum err store_attach(struct store *s, const struct store_config *config, struct store **ret,
                      struct fail *f)
{
    return end_new(s->shared, config, ret, f);
}

/* Takes the end off the store when nothing of it is under way, nor what that has set going. */
static void detach(struct store *end)
{
    struct shared *s = end->shared;

    (void)pthread_mutex_lock(&s->lock);
    for (;;) {
        while (end->running && !s->closing)
            (void)pthread_cond_wait(&s->ran, &s->lock);
        if (!end->committed.first)
            break;
        (void)pthread_mutex_unlock(&s->lock);
        store_deliver(end); /* a write that is done may hand over the next one */
        (void)pthread_mutex_lock(&s->lock);
    }
    for (struct store **at = &s->ends; *at; at = &(*at)->next)
        if (*at == end) {
            *at = end->next;
            break;
        }
    (void)pthread_mutex_unlock(&s->lock);
}

void store_close(struct store *end)
{
    if (!end)
        return;
    struct shared *s = end->shared;

    if (end->first)
        shared_stop(s);
    detach(end);
    store_rest(end);
    db_close(end->reader_db);
    if (end->first)
        shared_free(s);
    free(end);
}
