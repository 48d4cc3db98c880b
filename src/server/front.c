/* A loop on a thread of its own, and the two ways to it: what it is to do, and connections. */
#include "server/front.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#include "net/loop.h"

struct front {
    struct front_config config;
    pthread_t thread;
    bool started;
    struct loop *loop;
    struct loop_wake *told;
    struct desk desk;

    pthread_mutex_t lock; /* of what others tell it: */
    int *fds;
    size_t n_fds, room;
    bool drain, stop;
    bool draining;
};

static void on_drained(void *ctx)
{
    struct front *f = ctx;

    f->config.drained(f->config.ctx);
}

/* Connections are adopted without the lock: the first bytes may be there already. */
static void on_told(void *ctx)
{
    struct front *f = ctx;

    (void)pthread_mutex_lock(&f->lock);
    CLEANUP(free_p) int *fds = f->fds;
    size_t n = f->n_fds;
    bool drain = f->drain, stop = f->stop;
    f->fds = NULL;
    f->n_fds = f->room = 0;
    (void)pthread_mutex_unlock(&f->lock);

    for (size_t i = 0; i < n; i++)
        http_server_adopt(f->desk.http, fds[i]);
    if (drain && !f->draining) {
        f->draining = true;
        desk_drain(&f->desk, on_drained, f);
    }
    if (stop)
        loop_stop(f->loop);
}

static void *run(void *ctx)
{
    struct front *f = ctx;

    (void)loop_run(f->loop);
    return NULL;
}

/* Signals are for the main thread. */
static int start_thread(struct front *f)
{
    sigset_t all, before;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int e = pthread_create(&f->thread, NULL, run, f);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    f->started = !e;
    return e;
}

static enum err open_all(struct front *f, struct fail *fail_)
{
    const struct store_config end = desk_store_config(&f->desk);
    enum err e = store_attach(f->config.store, &end, &f->desk.store, fail_);
    int r;

    if (e)
        return e;
    if ((r = desk_open(&f->desk, &f->config.desk)) < 0 || (r = -start_thread(f)) < 0)
        return fail(fail_, ERR_INTERNAL, "a thread for requests cannot be started: %s",
                    strerror(-r));
    return ERR_NONE;
}

enum err front_new(const struct front_config *config, struct front **ret, struct fail *fail_)
{
    struct front *f = xcalloc(1, sizeof(*f));

    f->config = *config;
    (void)pthread_mutex_init(&f->lock, NULL);
    if (loop_new(&f->loop) < 0) {
        (void)pthread_mutex_destroy(&f->lock);
        free(f);
        return fail(fail_, ERR_INTERNAL, "no event loop: %s", strerror(errno));
    }
    desk_init(&f->desk, f->loop);
    f->told = loop_wake_new(f->loop, on_told, f);
    enum err e = open_all(f, fail_);
    if (e)
        front_free(f);
    else
        *ret = f;
    return e;
}

bool front_take(struct front *f, int fd)
{
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);

    if (copy < 0)
        return false;
    (void)pthread_mutex_lock(&f->lock);
    if (f->n_fds == f->room) {
        f->room = f->room ? 2 * f->room : 16;
        f->fds = xrealloc(f->fds, f->room * sizeof(*f->fds));
    }
    f->fds[f->n_fds++] = copy;
    (void)pthread_mutex_unlock(&f->lock);
    loop_wake_send(f->told);
    return true;
}

static void tell(struct front *f, bool *what)
{
    (void)pthread_mutex_lock(&f->lock);
    *what = true;
    (void)pthread_mutex_unlock(&f->lock);
    loop_wake_send(f->told);
}

void front_drain(struct front *f)
{
    tell(f, &f->drain);
}

/* After the thread has ended everything here is ours. */
void front_free(struct front *f)
{
    if (!f)
        return;
    if (f->started) {
        tell(f, &f->stop);
        (void)pthread_join(f->thread, NULL);
    }
    desk_done(&f->desk);
    loop_wake_free(f->told);
    loop_free(f->loop);
    for (size_t i = 0; i < f->n_fds; i++)
        (void)close(f->fds[i]);
    free(f->fds);
    (void)pthread_mutex_destroy(&f->lock);
    free(f);
}
