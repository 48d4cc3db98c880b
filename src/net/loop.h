/*
 * The event loop: one a thread, with timers, descriptors, signals, wake-ups from other threads and
 * a pool for work that blocks. Everything here belongs to the loop's thread and is called only
 * there, but loop_wake_send. Callbacks run one at a time and may free any object, their own too.
 * Times are milliseconds of a clock that only goes forward. Constructors that return a pointer
 * never return NULL unless they say so. Free each object before its loop.
 *
 * loop_new makes the process ignore SIGPIPE: a peer that goes away is an error of the write, not
 * the end.
 */
#ifndef OSTLER_NET_LOOP_H
#define OSTLER_NET_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct loop;

int loop_new(struct loop **ret_loop);

/* Waits for work still in the pool and calls its `done`. NULL is fine. */
void loop_free(struct loop *loop);

/* Runs callbacks until loop_stop, or until nothing is left that could call one. Returns 0. May be
 * run again. */
int loop_run(struct loop *loop);

/* Makes loop_run return after the callbacks that are already due. */
void loop_stop(struct loop *loop);

/* The time at which this round of callbacks began; cheap. */
uint64_t loop_now_ms(struct loop *loop);

/* --- timers: made stopped --- */

struct loop_timer;

struct loop_timer *loop_timer_new(struct loop *loop, void (*cb)(void *arg), void *arg);

/* Fires once after `delay_ms`, then each `repeat_ms` (0: once only). Replaces what was set before.
 */
void loop_timer_set(struct loop_timer *t, uint64_t delay_ms, uint64_t repeat_ms);
void loop_timer_stop(struct loop_timer *t);
void loop_timer_free(struct loop_timer *t); /* NULL is fine */

/* --- descriptors: unix sockets, pipes, pidfds, anything that epoll takes --- */

enum {
    LOOP_READ = 1,
    LOOP_WRITE = 2,
    LOOP_HUP = 4, /* the peer will send no more, or the descriptor failed: read(2) or write(2) says
                     which */
};

struct loop_fd;

/*
 * Watches `fd`, which stays the caller's, becomes non-blocking, and may be watched only once at a
 * time. Nothing is wanted at first. NULL when the descriptor cannot be watched (a regular file, a
 * closed one), errno says why.
 */
struct loop_fd *loop_fd_new(struct loop *loop, int fd, void (*cb)(void *arg, unsigned events),
                            void *arg);

/*
 * Level-triggered: `cb` is called as long as a wanted event is there. After a failed descriptor was
 * reported (all wanted events with LOOP_HUP) nothing is wanted any more.
 */
void loop_fd_want(struct loop_fd *f, unsigned events);

/* Does not close the descriptor, which may be closed right afterwards. NULL is fine. */
void loop_fd_free(struct loop_fd *f);

/* --- waking the loop from another thread --- */

struct loop_wake;

struct loop_wake *loop_wake_new(struct loop *loop, void (*cb)(void *arg), void *arg);

/* From any thread and from signal handlers. Several sends before the loop comes round may be one
 * call of `cb`. */
void loop_wake_send(struct loop_wake *w);

/* No thread may send any more. NULL is fine. */
void loop_wake_free(struct loop_wake *w);

/* --- the end of a round --- */

struct loop_rest;

/* `cb` is called each time before the loop waits for something to happen. Keeps no loop running. */
struct loop_rest *loop_rest_new(struct loop *loop, void (*cb)(void *arg), void *arg);
void loop_rest_free(struct loop_rest *r); /* NULL is fine */

/* --- work that blocks --- */

/* Runs work(arg) on a pool thread, then done(arg) (may be NULL) on the loop. Returns 0 or a
 * negative errno. */
int loop_work(struct loop *loop, void (*work)(void *arg), void (*done)(void *arg), void *arg);

/* --- signals --- */

struct loop_signal;

/* NULL when the signal cannot be caught. Does not keep loop_run from returning. */
struct loop_signal *loop_signal_new(struct loop *loop, int signum,
                                    void (*cb)(void *arg, int signum), void *arg);
void loop_signal_free(struct loop_signal *s); /* NULL is fine */

#endif
