/* Replays the exchanges in tests/qmp: a thread plays QEMU's side of the file, the client's
 * callbacks are compared. */
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/util.h"
#include "engine/qemu/qmp.h"
#include "net/loop.h"

/* Last: it defines fail as a macro. */
#include <cmocka.h>

enum { DEADLINE_MS = 20000, MAX_SEEN = 32 };

struct replay {
    json_t *file;
    struct loop *loop;
    struct loop_timer *deadline;
    struct qmp *qmp;
    int fds[2];
    size_t next_call;
    char *seen[MAX_SEEN];
    size_t n_seen;
};

/* ---- QEMU's side: a thread of its own, blocking ---- */

static bool put(int fd, const char *data, size_t len)
{
    while (len) {
        ssize_t n = send(fd, data, len, MSG_NOSIGNAL);

        if (n <= 0)
            return false;
        data += n;
        len -= (size_t)n;
    }
    return true;
}

static bool say(int fd, const json_t *j)
{
    CLEANUP(free_p) char *text = json_dumps(j, JSON_COMPACT);

    return put(fd, text, strlen(text)) && put(fd, "\r\n", 2);
}

/* The command's number, when it is the one that is expected; -1 else. */
static json_int_t hear(int fd, const char *command)
{
    CLEANUP(buf_done) struct buf line = {0};
    char c = 0;
    json_int_t id = -1;

    while (c != '\n') {
        if (recv(fd, &c, 1, 0) != 1)
            return -1;
        buf_char(&line, c);
    }
    json_t *j = json_loads(line.data, 0, NULL);
    if (streq(json_string_value(json_object_get(j, "execute")), command))
        id = json_integer_value(json_object_get(j, "id"));
    json_decref(j);
    return id;
}

static bool flood(int fd, size_t n)
{
    char block[4096];

    memset(block, 'x', sizeof(block));
    for (size_t i = 0; i < n; i += sizeof(block))
        if (!put(fd, block, sizeof(block)))
            return false;
    return true;
}

static bool play_step(int fd, const json_t *step, json_int_t *id)
{
    json_t *j;

    if ((j = json_object_get(step, "say")))
        return say(fd, j);
    if ((j = json_object_get(step, "raw")))
        return put(fd, json_string_value(j), json_string_length(j));
    if ((j = json_object_get(step, "flood")))
        return flood(fd, (size_t)json_integer_value(j));
    if ((j = json_object_get(step, "hear")))
        return (*id = hear(fd, json_string_value(j))) >= 0;
    if ((j = json_object_get(step, "answer"))) {
        (void)json_object_set_new(j, "id", json_integer(*id));
        return say(fd, j);
    }
    return false; /* hang up */
}

static void *play(void *arg)
{
    struct replay *r = arg;
    size_t i;
    json_t *step;
    json_int_t id = -1;

    json_array_foreach (json_object_get(r->file, "script"), i, step) {
        if (!play_step(r->fds[1], step, &id))
            break;
    }
    (void)close(r->fds[1]);
    return NULL;
}

/* ---- the client's side ---- */

static void saw(struct replay *r, const char *fmt, ...) PRINTF(2, 3);
static void saw(struct replay *r, const char *fmt, ...)
{
    va_list ap;

    assert_true(r->n_seen < MAX_SEEN);
    va_start(ap, fmt);
    assert_true(vasprintf(&r->seen[r->n_seen++], fmt, ap) >= 0);
    va_end(ap);
}

static const char *call_name(const struct replay *r, size_t i)
{
    return json_string_value(json_array_get(json_object_get(r->file, "calls"), i));
}

static void on_reply(void *arg, const json_t *result, const char *error);

static void call_next(struct replay *r)
{
    if (call_name(r, r->next_call))
        assert_int_equal(qmp_call(r->qmp, call_name(r, r->next_call), NULL, on_reply, r), 0);
}

static void on_reply(void *arg, const json_t *result, const char *error)
{
    struct replay *r = arg;
    const char *name = call_name(r, r->next_call++);

    if (result) {
        CLEANUP(free_p) char *text = json_dumps(result, JSON_COMPACT | JSON_SORT_KEYS);
        saw(r, "%s %s", name, text);
    } else {
        saw(r, "%s refused: %s", name, error);
    }
    call_next(r);
}

static void on_ready(void *arg)
{
    struct replay *r = arg;

    saw(r, "ready");
    call_next(r);
}

static void on_event(void *arg, const char *name, const json_t *data)
{
    CLEANUP(free_p) char *text = data ? json_dumps(data, JSON_COMPACT | JSON_SORT_KEYS) : NULL;

    saw(arg, "event %s%s%s", name, text ? " " : "", text ? text : "");
}

static void on_closed(void *arg, const char *why)
{
    struct replay *r = arg;

    saw(r, "closed %s", why);
    assert_int_equal(qmp_call(r->qmp, "quit", NULL, NULL, NULL), -ENOTCONN);
    qmp_free(r->qmp); /* from its own callback, as the engine does */
    r->qmp = NULL;
    loop_stop(r->loop);
}

static void on_deadline(void *arg)
{
    saw(arg, "nothing more within the deadline");
    loop_stop(((struct replay *)arg)->loop);
}

static void compare(struct replay *r)
{
    json_t *wanted = json_object_get(r->file, "seen"), *one;
    size_t i;

    json_array_foreach (wanted, i, one) {
        assert_true(i < r->n_seen);
        assert_string_equal(r->seen[i], json_string_value(one));
    }
    assert_int_equal(r->n_seen, json_array_size(wanted));
}

static void replay_file(const char *path)
{
    struct replay r = {.file = json_load_file(path, 0, NULL)};
    pthread_t qemu;

    assert_non_null(r.file);
    print_message("%s: %s\n", path, json_string_value(json_object_get(r.file, "about")));
    assert_int_equal(loop_new(&r.loop), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, r.fds), 0);
    r.deadline = loop_timer_new(r.loop, on_deadline, &r);
    loop_timer_set(r.deadline, DEADLINE_MS, 0);
    r.qmp = qmp_new(r.loop, r.fds[0],
                    &(struct qmp_handler){
                        .ready = on_ready, .event = on_event, .closed = on_closed, .arg = &r});
    assert_int_equal(pthread_create(&qemu, NULL, play, &r), 0);
    (void)loop_run(r.loop);
    qmp_free(r.qmp);
    assert_int_equal(pthread_join(qemu, NULL), 0);
    compare(&r);
    while (r.n_seen)
        free(r.seen[--r.n_seen]);
    loop_timer_free(r.deadline);
    loop_free(r.loop);
    json_decref(r.file);
}

static void test_replays(void **state)
{
    DIR *d = opendir(QMP_DIR);
    size_t n = 0;

    (void)state;
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d));) {
        if (!str_ends(e->d_name, ".json"))
            continue;
        CLEANUP(free_p) char *path = xasprintf("%s/%s", QMP_DIR, e->d_name);
        replay_file(path);
        n++;
    }
    (void)closedir(d);
    assert_true(n >= 10);
}

static void note_ready(void *arg)
{
    saw(arg, "ready");
}

/* QEMU's side sees both commands before it has said a word; the answers come in their order. */
static void test_commands_need_not_wait_for_the_greeting(void **state)
{
    struct replay r = {.file = json_pack("{s:[s]}", "calls", "query-status")};
    static const char rest[] =
        "{\"QMP\":{}}\n{\"return\":{},\"id\":1}\n{\"return\":{\"status\":\"running\"},\"id\":2}\n";

    (void)state;
    assert_int_equal(loop_new(&r.loop), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, r.fds), 0);
    r.deadline = loop_timer_new(r.loop, on_deadline, &r);
    r.qmp = qmp_new(r.loop, r.fds[0],
                    &(struct qmp_handler){
                        .ready = note_ready, .event = on_event, .closed = on_closed, .arg = &r});
    assert_int_equal(qmp_call(r.qmp, "query-status", NULL, on_reply, &r), 0);
    assert_int_equal(hear(r.fds[1], "qmp_capabilities"), 1);
    assert_int_equal(hear(r.fds[1], "query-status"), 2);
    assert_true(put(r.fds[1], rest, sizeof(rest) - 1));
    (void)close(r.fds[1]);
    loop_timer_set(r.deadline, DEADLINE_MS, 0);
    (void)loop_run(r.loop);
    assert_string_equal(r.seen[0], "ready");
    assert_string_equal(r.seen[1], "query-status {\"status\":\"running\"}");
    assert_string_equal(r.seen[2], "closed the monitor hung up");
    while (r.n_seen)
        free(r.seen[--r.n_seen]);
    loop_timer_free(r.deadline);
    loop_free(r.loop);
    json_decref(r.file);
}

/* A monitor that never answers cannot make the queue grow. */
static void test_pending_is_bounded(void **state)
{
    struct replay r = {.file = json_pack("{s:[]}", "calls")};
    static const char hello[] = "{\"QMP\":{}}\n{\"return\":{},\"id\":1}\n";

    (void)state;
    assert_int_equal(loop_new(&r.loop), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, r.fds), 0);
    r.deadline = loop_timer_new(r.loop, on_deadline, &r);
    r.qmp = qmp_new(r.loop, r.fds[0],
                    &(struct qmp_handler){
                        .ready = on_ready, .event = on_event, .closed = on_closed, .arg = &r});
    assert_true(put(r.fds[1], hello, sizeof(hello) - 1));
    loop_timer_set(r.deadline, 200, 0);
    (void)loop_run(r.loop);
    assert_string_equal(r.seen[0], "ready");
    for (int i = 0; i < QMP_MAX_PENDING; i++)
        assert_int_equal(qmp_call(r.qmp, "query-status", NULL, NULL, NULL), 0);
    assert_int_equal(qmp_call(r.qmp, "query-status", NULL, NULL, NULL), -EBUSY);
    qmp_free(r.qmp);
    while (r.n_seen)
        free(r.seen[--r.n_seen]);
    (void)close(r.fds[1]);
    loop_timer_free(r.deadline);
    loop_free(r.loop);
    json_decref(r.file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_replays),
        cmocka_unit_test(test_commands_need_not_wait_for_the_greeting),
        cmocka_unit_test(test_pending_is_bounded)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
