/*
 * The event loop over libuv. Each object is one allocation that begins life with a handle and ends
 * in the handle's close callback, which libuv calls a round later; that is what makes freeing from
 * within a callback safe.
 */
#include "net/loop.h"

#include <errno.h>
#include <signal.h>
#include <uv.h>

#include "base/util.h"
#include "net/loop_uv.h"

struct loop {
    uv_loop_t uv;
};

struct loop_timer {
    uv_timer_t uv; /* first in each of these, so that one close callback serves all */
    void (*cb)(void *arg);
    void *arg;
};

struct loop_fd {
    uv_poll_t uv;
    void (*cb)(void *arg, unsigned events);
    void *arg;
    unsigned wanted;
};

struct loop_wake {
    uv_async_t uv;
    void (*cb)(void *arg);
    void *arg;
};

struct loop_rest {
    uv_prepare_t uv;
    void (*cb)(void *arg);
    void *arg;
};

struct loop_signal {
    uv_signal_t uv;
    void (*cb)(void *arg, int signum);
    void *arg;
};

struct work {
    uv_work_t uv;
    void (*work)(void *arg);
    void (*done)(void *arg);
    void *arg;
};

static void free_closed(uv_handle_t *h)
{
    free(h);
}

static void close_handle(void *h)
{
    if (h)
        uv_close(h, free_closed);
}

/* libuv fails to make a timer or a wake-up only when it is misused or out of memory. */
static void must(int r)
{
    if (r < 0)
        abort();
}

int loop_new(struct loop **ret_loop)
{
    struct loop *loop = xcalloc(1, sizeof(*loop));
    int r = uv_loop_init(&loop->uv);

    if (r < 0) {
        free(loop);
        return r;
    }
    (void)signal(SIGPIPE, SIG_IGN); /* cannot fail for a valid signal */
    *ret_loop = loop;
    return 0;
}

static void close_left(uv_handle_t *h, void *arg)
{
    (void)arg;
    if (!uv_is_closing(h))
        uv_close(h, NULL);
}

void loop_free(struct loop *loop)
{
    if (!loop)
        return;
    /* A handle still open here was forgotten by its owner: closed, so that we end, but left for a
     * leak check to see. */
    uv_walk(&loop->uv, close_left, NULL);
    while (uv_loop_close(&loop->uv) == UV_EBUSY)
        (void)uv_run(&loop->uv, UV_RUN_DEFAULT);
    free(loop);
}

int loop_run(struct loop *loop)
{
    (void)uv_run(&loop->uv,
                 UV_RUN_DEFAULT); /* says whether anything is left, which the caller knows */
    return 0;
}

void loop_stop(struct loop *loop)
{
    uv_stop(&loop->uv);
}

uint64_t loop_now_ms(struct loop *loop)
{
    return uv_now(&loop->uv);
}

struct uv_loop_s *loop_uv(struct loop *loop)
{
    return &loop->uv;
}

/* --- timers --- */

static void on_timer(uv_timer_t *h)
{
    struct loop_timer *t = CONTAINER_OF(h, struct loop_timer, uv);

    t->cb(t->arg);
}

struct loop_timer *loop_timer_new(struct loop *loop, void (*cb)(void *arg), void *arg)
{
    struct loop_timer *t = xcalloc(1, sizeof(*t));

    must(uv_timer_init(&loop->uv, &t->uv));
    t->cb = cb;
    t->arg = arg;
    return t;
}

void loop_timer_set(struct loop_timer *t, uint64_t delay_ms, uint64_t repeat_ms)
{
    must(uv_timer_start(&t->uv, on_timer, delay_ms, repeat_ms));
}

void loop_timer_stop(struct loop_timer *t)
{
    (void)uv_timer_stop(&t->uv); /* always 0 */
}

void loop_timer_free(struct loop_timer *t)
{
    close_handle(t);
}

/* --- descriptors --- */

static void on_fd(uv_poll_t *h, int status, int events)
{
    struct loop_fd *f = CONTAINER_OF(h, struct loop_fd, uv);
    unsigned got = 0;

    if (status < 0) {
        /* libuv has stopped polling. Say all that was wanted: the owner's next read or write shows
         * the error. */
        got = f->wanted | LOOP_HUP;
        f->wanted = 0;
    } else {
        if (events & UV_READABLE)
            got |= LOOP_READ;
        if (events & UV_WRITABLE)
            got |= LOOP_WRITE;
        if (events & UV_DISCONNECT)
            got |= LOOP_HUP;
    }
    f->cb(f->arg, got);
}

struct loop_fd *loop_fd_new(struct loop *loop, int fd, void (*cb)(void *arg, unsigned events),
                            void *arg)
{
    struct loop_fd *f = xcalloc(1, sizeof(*f));
    int r = uv_poll_init(&loop->uv, &f->uv, fd);

    if (r < 0) {
        free(f); /* libuv has not taken the handle in */
        errno = -r;
        return NULL;
    }
    f->cb = cb;
    f->arg = arg;
    return f;
}

void loop_fd_want(struct loop_fd *f, unsigned events)
{
    int want = 0;

    if (events == f->wanted)
        return;
    if (events & LOOP_READ)
        want |= UV_READABLE;
    if (events & LOOP_WRITE)
        want |= UV_WRITABLE;
    if (events & LOOP_HUP)
        want |= UV_DISCONNECT;
    f->wanted = events;
    must(want ? uv_poll_start(&f->uv, want, on_fd) : uv_poll_stop(&f->uv));
}

void loop_fd_free(struct loop_fd *f)
{
    close_handle(f);
}

/* --- waking --- */

static void on_wake(uv_async_t *h)
{
    struct loop_wake *w = CONTAINER_OF(h, struct loop_wake, uv);

    w->cb(w->arg);
}

struct loop_wake *loop_wake_new(struct loop *loop, void (*cb)(void *arg), void *arg)
{
    struct loop_wake *w = xcalloc(1, sizeof(*w));

    w->cb = cb;
    w->arg = arg;
    must(uv_async_init(&loop->uv, &w->uv, on_wake));
    return w;
}

void loop_wake_send(struct loop_wake *w)
{
    must(uv_async_send(&w->uv));
}

void loop_wake_free(struct loop_wake *w)
{
    close_handle(w);
}

/* --- the end of a round --- */

static void on_rest(uv_prepare_t *h)
{
    struct loop_rest *r = CONTAINER_OF(h, struct loop_rest, uv);

    r->cb(r->arg);
}

struct loop_rest *loop_rest_new(struct loop *loop, void (*cb)(void *arg), void *arg)
{
    struct loop_rest *r = xcalloc(1, sizeof(*r));

    r->cb = cb;
    r->arg = arg;
    must(uv_prepare_init(&loop->uv, &r->uv));
    must(uv_prepare_start(&r->uv, on_rest));
    uv_unref((uv_handle_t *)&r->uv);
    return r;
}

void loop_rest_free(struct loop_rest *r)
{
    close_handle(r);
}

/* --- work --- */

static void on_work(uv_work_t *req)
{
    struct work *w = CONTAINER_OF(req, struct work, uv);

    w->work(w->arg);
}

static void on_worked(uv_work_t *req, int status)
{
    struct work *w = CONTAINER_OF(req, struct work, uv);

    (void)status; /* we never cancel */
    if (w->done)
        w->done(w->arg);
    free(w);
}

int loop_work(struct loop *loop, void (*work)(void *arg), void (*done)(void *arg), void *arg)
{
    struct work *w = xcalloc(1, sizeof(*w));

    w->work = work;
    w->done = done;
    w->arg = arg;
    int r = uv_queue_work(&loop->uv, &w->uv, on_work, on_worked);
    if (r < 0)
        free(w);
    return r;
}

/* --- signals --- */

static void on_signal(uv_signal_t *h, int signum)
{
    struct loop_signal *s = CONTAINER_OF(h, struct loop_signal, uv);

    s->cb(s->arg, signum);
}

struct loop_signal *loop_signal_new(struct loop *loop, int signum,
                                    void (*cb)(void *arg, int signum), void *arg)
{
    struct loop_signal *s = xcalloc(1, sizeof(*s));

    must(uv_signal_init(&loop->uv, &s->uv));
    s->cb = cb;
    s->arg = arg;
    int r = uv_signal_start(&s->uv, on_signal, signum);
    if (r < 0) {
        close_handle(s);
        errno = -r;
        return NULL;
    }
    uv_unref((uv_handle_t *)&s->uv);
    return s;
}

void loop_signal_free(struct loop_signal *s)
{
    close_handle(s);
}
