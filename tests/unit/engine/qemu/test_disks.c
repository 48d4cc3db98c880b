/* Making disks with a qemu-img of our own, which writes down when it begins and ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/util.h"
#include "engine/qemu/disks.h"
#include "engine/qemu/vmdir.h"
#include "net/loop.h"

/* Last: it defines fail as a macro. */
#include <cmocka.h>

enum { MACHINES = 9, AT_ONCE = 2, DEADLINE_MS = 30000 };

/* The file is its last argument but one. */
static const char tool[] =
    ""
    "eval file=\\${$(($# - 1))}\n"
    "echo begin >>\"$LOG\"\n"
    "sleep 0.05\n"
    "case $file in *broken*) echo end >>\"$LOG\"; echo it broke; exit 1;; esac\n"
    ": >\"$file\"\n"
    "echo end >>\"$LOG\"\n";

struct bench;

struct one {
    struct bench *b;
    struct disks_job *job; /* NULL: over */
};

struct bench {
    char dir[64], *old_path;
    struct loop *loop;
    struct loop_timer *deadline;
    struct disks_queue queue;
    struct machine machines[MACHINES];
    struct machine_disk disks[MACHINES];
    char ids[MACHINES][16];
    int dirs[MACHINES];
    struct one ones[MACHINES];
    size_t n_done, n_wanted, n_failed;
    char *error;
};

static void on_deadline(void *arg)
{
    (void)arg;
    fail_msg("only some of the disks were made");
}

static int bench_open(void **state)
{
    struct bench *b = xcalloc(1, sizeof(*b));

    *state = b;
    (void)snprintf(b->dir, sizeof(b->dir), "/tmp/ostler-disks-XXXXXX");
    assert_non_null(mkdtemp(b->dir));
    CLEANUP(free_p) char *path = xasprintf("%s/qemu-img", b->dir);
    CLEANUP(free_p) char *text = xasprintf("LOG='%s/log'\n", b->dir);
    FILE *f = fopen(path, "we");
    assert_non_null(f);
    (void)fprintf(f, "#!/bin/sh\n%s%s", text, tool);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(chmod(path, 0700), 0);
    b->old_path = xstrdup(getenv("PATH"));
    CLEANUP(free_p) char *search = xasprintf("%s:%s", b->dir, b->old_path);
    assert_int_equal(setenv("PATH", search, 1), 0);
    assert_int_equal(loop_new(&b->loop), 0);
    b->deadline = loop_timer_new(b->loop, on_deadline, b);
    loop_timer_set(b->deadline, DEADLINE_MS, 0);
    disks_queue_init(&b->queue, b->loop, AT_ONCE);
    for (size_t i = 0; i < MACHINES; i++) {
        (void)snprintf(b->ids[i], sizeof(b->ids[i]), "i-%zu", i);
        b->disks[i] = (struct machine_disk){.id = "d-1", .kind = DISK_SYSTEM, .size_gib = 1};
        b->machines[i] = (struct machine){.id = b->ids[i], .disks = &b->disks[i], .n_disks = 1};
        b->dirs[i] = vmdir_open(b->dir, b->ids[i], true);
        assert_true(b->dirs[i] >= 0);
    }
    return 0;
}

static int bench_close(void **state)
{
    struct bench *b = *state;

    for (size_t i = 0; i < MACHINES; i++)
        (void)close(b->dirs[i]);
    disks_queue_done(&b->queue);
    loop_timer_free(b->deadline);
    loop_free(b->loop);
    assert_int_equal(setenv("PATH", b->old_path, 1), 0);
    CLEANUP(free_p) char *command = xasprintf("rm -rf '%s'", b->dir);
    assert_int_equal(system(command), 0);
    free(b->old_path);
    free(b->error);
    free(b);
    return 0;
}

static void on_made(void *arg, const char *error)
{
    struct one *one = arg;
    struct bench *b = one->b;

    one->job = NULL;
    if (error) {
        free(b->error);
        b->error = xstrdup(error);
        b->n_failed++;
    }
    if (++b->n_done == b->n_wanted)
        loop_stop(b->loop);
}

static void make(struct bench *b, size_t i)
{
    static const struct image_files no_image = {.cmdline = ""};

    b->ones[i].b = b;
    b->ones[i].job =
        disks_make(&b->queue, b->dirs[i], &b->machines[i], &no_image, false, on_made, &b->ones[i]);
}

static bool is_made(struct bench *b, size_t i)
{
    return faccessat(b->dirs[i], "system.qcow2", F_OK, 0) == 0;
}

/* How many ran at once, at most; *ret_runs how many there were. */
static int most_at_once(struct bench *b, int *ret_runs)
{
    CLEANUP(free_p) char *path = xasprintf("%s/log", b->dir);
    FILE *f = fopen(path, "re");
    char line[16];
    int now = 0, most = 0;

    assert_non_null(f);
    *ret_runs = 0;
    while (fgets(line, sizeof(line), f)) {
        bool begins = str_starts(line, "begin");

        *ret_runs += begins;
        now += begins ? 1 : -1;
        most = now > most ? now : most;
    }
    (void)fclose(f);
    return most;
}

static void test_only_so_many_run_at_once(void **state)
{
    struct bench *b = *state;
    int runs;

    for (size_t i = 0; i < MACHINES; i++)
        make(b, i);
    b->n_wanted = MACHINES;
    (void)loop_run(b->loop);
    assert_int_equal(b->n_failed, 0);
    for (size_t i = 0; i < MACHINES; i++)
        assert_true(is_made(b, i));
    assert_int_equal(most_at_once(b, &runs), AT_ONCE);
    assert_int_equal(runs, MACHINES);
    assert_int_equal(b->queue.running, 0);
}

static void test_one_that_fails_makes_room(void **state)
{
    struct bench *b = *state;
    int runs;

    for (size_t i = 0; i < 4; i++) {
        b->disks[i].kind = DISK_DATA;
        b->disks[i].id = "broken";
        make(b, i);
    }
    for (size_t i = 4; i < MACHINES; i++)
        make(b, i);
    b->n_wanted = MACHINES;
    (void)loop_run(b->loop);
    assert_int_equal(b->n_failed, 4);
    assert_non_null(strstr(b->error, "it broke"));
    assert_int_equal(most_at_once(b, &runs), AT_ONCE);
    assert_int_equal(b->queue.running, 0);
}

static void cancel(struct bench *b, size_t i)
{
    if (!b->ones[i].job)
        return; /* on a very slow host it may be over */
    disks_cancel(b->ones[i].job);
    b->ones[i].job = NULL;
    b->n_wanted--;
}

static void cancel_some(void *arg)
{
    struct bench *b = arg;

    assert_true(b->queue.running <= AT_ONCE);
    cancel(b, 0); /* runs */
    cancel(b, 4);
    cancel(b, MACHINES - 1); /* the last that waits */
    b->n_wanted++;
    make(b, 4); /* behind a last one that left */
}

static void test_cancelled_jobs_leave_the_queue(void **state)
{
    struct bench *b = *state;
    struct loop_timer *later = loop_timer_new(b->loop, cancel_some, b);

    for (size_t i = 0; i < MACHINES; i++)
        make(b, i);
    b->n_wanted = MACHINES;
    loop_timer_set(later, 20, 0); /* each takes at least 50 ms */
    (void)loop_run(b->loop);
    loop_timer_free(later);
    assert_int_equal(b->n_failed, 0);
    for (size_t i = 1; i + 1 < MACHINES; i++)
        assert_true(is_made(b, i));
    assert_int_equal(b->queue.running, 0);
    assert_null(b->queue.first);
}

int main(void)
{
#define STORY(f) cmocka_unit_test_setup_teardown(f, bench_open, bench_close)
    const struct CMUnitTest tests[] = {STORY(test_only_so_many_run_at_once),
                                       STORY(test_one_that_fails_makes_room),
                                       STORY(test_cancelled_jobs_leave_the_queue)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
