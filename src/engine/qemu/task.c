/* Work on pool threads that may outlive the engine. */
#include <errno.h>
#include <fcntl.h>

#include "engine/qemu/spec.h"
#include "engine/qemu/vm.h"

struct task *task_new(struct engine *e, const char *id)
{
    struct task *t = xcalloc(1, sizeof(*t));

    *t = (struct task){.e = e,
                       .arena = arena_new(),
                       .dir = xstrdup(e->dir),
                       .self = xstrdup(e->self),
                       .id = xstrdup(id),
                       .dirfd = -1,
                       .up = {.switch_pidfd = -1}};
    return t;
}

static void task_free(struct task *t)
{
    close_p(&t->dirfd);
    close_p(&t->up.switch_pidfd);
    netport_done(&t->port);
    template_ask_free(t->ask);
    if (t->own_free)
        t->own_free(t->own);
    spec_free(t->owned);
    arena_free(t->arena);
    free(t->dir);
    free(t->self);
    free(t->id);
    free(t);
}

static void unlink_task(struct task *t)
{
    for (struct task **at = &t->e->tasks; *at; at = &(*at)->next)
        if (*at == t) {
            *at = t->next;
            return;
        }
}

static void on_work(void *arg)
{
    struct task *t = arg;

    t->work(t);
}

static void on_done(void *arg)
{
    struct task *t = arg;

    if (t->e) {
        unlink_task(t);
        t->done(t);
    }
    task_free(t);
}

void task_run(struct task *t)
{
    t->next = t->e->tasks;
    t->e->tasks = t;
    if (loop_work(t->e->loop, on_work, on_done, t) < 0)
        abort(); /* it refuses only calls that make no sense */
}

void tasks_detach(struct engine *e)
{
    while (e->tasks) {
        struct task *t = e->tasks;

        e->tasks = t->next;
        t->e = NULL;
        if (t->spec && t->vm && t->vm->op && t->vm->op->spec == t->spec) {
            t->owned = t->vm->op->spec;
            t->vm->op->spec = NULL;
        }
        t->vm = NULL;
    }
}
