/* Recordings: whole lines whatever happens, and nothing in them that is nobody else's business. */
#include "check.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "api/transcript.h"
#include "base/buf.h"

static int64_t now_ms(struct world *w)
{
    (void)w;
    return INT64_C(1795315746123);
}

static struct world world = {.now_ms = now_ms};
static struct core core = {.world = &world};
static const struct dialect cloud = {.name = "alibaba", .family = "alibaba"};

struct rec {
    char dir[64];
    struct arena *arena;
    struct transcript *t;
    struct fail fail;
};

static int setup(void **state)
{
    struct rec *r = xcalloc(1, sizeof(*r));

    memcpy(r->dir, "/tmp/ostler-rec-XXXXXX", sizeof("/tmp/ostler-rec-XXXXXX"));
    assert_non_null(mkdtemp(r->dir));
    r->arena = arena_new();
    r->t = transcript_new(r->dir);
    *state = r;
    return 0;
}

static const char *path(struct rec *r)
{
    return transcript_path(r->t, r->arena, "one");
}

static int teardown(void **state)
{
    struct rec *r = *state;

    (void)unlink(path(r));
    (void)unlink(arena_fmt(r->arena, "%s/.recording", r->dir));
    (void)rmdir(r->dir);
    transcript_free(r->t);
    arena_free(r->arena);
    free(r);
    return 0;
}

/* Records one request, with these parameters and this answer. */
static void note(struct transcript *t, struct arena *a, const char *params, const char *body)
{
    static const struct header headers[] = {{"authorization", "ACS3 Signature=abcdef"},
                                            {"x-acs-signature-nonce", "nonce-1"},
                                            {"user-agent", "tester"}};
    struct request req = {.method = "POST",
                          .path = "/",
                          .query = "Signature=abcdef",
                          .headers = headers,
                          .n_headers = ARRAY_LEN(headers),
                          .body = ""};
    struct call c = {.req = &req,
                     .arena = a,
                     .dialect = &cloud,
                     .action_name = "Test",
                     .version = "2014-05-26",
                     .params = json_loads(params, 0, NULL),
                     .key = {.id = "LTAI5tSomebody", .account = "5429895839551365"},
                     .op = {.core = &core}};
    struct answer answer = {.status = 200, .content_type = "application/json"};

    buf_str(&answer.body, body);
    transcript_note(t, &c, &answer, NULL, INT64_C(1795315746000));
    buf_done(&answer.body);
    json_decref(c.params);
}

static char *contents(struct rec *r)
{
    char *text = arena_alloc(r->arena, 1 << 20);
    CLEANUP(close_p) int fd = open(path(r), O_RDONLY);

    assert_true(fd >= 0);
    assert_true(read(fd, text, (1 << 20) - 1) >= 0);
    return text;
}

static void begin(struct rec *r)
{
    assert_int_equal(transcript_open(r->t, "one", TRANSCRIPT_MAX_BYTES, &r->fail), ERR_NONE);
}

static void what_is_left_out(void **state)
{
    struct rec *r = *state;
    static const char *const gone[] = {"geheim-1",       "abcdef",           "nonce-1", "IyEvYmlu",
                                       "LTAI5tSomebody", "5429895839551365", "geheim-2"};

    begin(r);
    note(r->t, r->arena,
         "{\"InstanceName\": \"geheim-1\", \"Password\": \"geheim-1\", \"UserData\": \"IyEvYmlu\","
         " \"PasswordInherit\": \"true\", \"ClientToken\": \"kept\"}",
         "{\"Text\": \"geheim-1 of 5429895839551365 by LTAI5tSomebody\", "
         "\"PrivateKeyBody\": \"geheim-2\"}");
    const char *line = contents(r);
    for (size_t i = 0; i < ARRAY_LEN(gone); i++)
        assert_null(strstr(line, gone[i]));
    json_t *j = json_loads(line, 0, NULL);
    json_t *params = json_object_get(j, "params"), *out = json_object_get(j, "leftOut");
    assert_string_equal(json_string_value(json_object_get(params, "Password")), "(left out)");
    assert_string_equal(json_string_value(json_object_get(params, "InstanceName")), "(left out)");
    assert_string_equal(json_string_value(json_object_get(params, "PasswordInherit")), "true");
    assert_string_equal(json_string_value(json_object_get(params, "ClientToken")), "kept");
    assert_int_equal(json_array_size(out), 2);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(out, 1), "length")), 8);
    assert_string_equal(json_string_value(json_object_get(j, "at")), "2026-11-22T02:49:06.000Z");
    assert_int_equal(json_integer_value(json_object_get(j, "ms")), 123);
    assert_true(str_starts(json_string_value(json_object_get(j, "account")), "account-"));
    json_decref(j);
}

static void a_line_that_a_crash_cut(void **state)
{
    struct rec *r = *state;

    begin(r);
    note(r->t, r->arena, "{}", "{}");
    transcript_close(r->t);
    CLEANUP(close_p) int fd = open(path(r), O_WRONLY | O_APPEND);
    assert_int_equal(write(fd, "{\"n\":2,\"at", 10), 10);
    begin(r);
    note(r->t, r->arena, "{}", "{}");
    const char *text = contents(r);
    assert_true(str_starts(text, "{\"n\":1,"));
    assert_true(str_starts(strchr(text, '\n'), "\n{\"n\":2,\"at\":\"2026"));
    struct stat st;
    assert_int_equal(stat(path(r), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

/* What a full disk does: the line is not there at all, and the recording has ended. */
static void a_line_that_does_not_fit(void **state)
{
    struct rec *r = *state;
    struct transcript_status s;
    struct rlimit old, less;
    struct stat before, after;

    begin(r);
    note(r->t, r->arena, "{}", "{}");
    assert_int_equal(stat(path(r), &before), 0);
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    less = (struct rlimit){(rlim_t)before.st_size + 40, old.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &less), 0);
    note(r->t, r->arena, "{}", "{}"); /* 40 bytes of it */
    note(r->t, r->arena, "{}", "{}"); /* nothing is recorded any more */
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_int_equal(stat(path(r), &after), 0);
    assert_int_equal(after.st_size, before.st_size);
    transcript_show(r->t, r->arena, &s);
    assert_false(s.on);
    assert_int_equal(s.lines, 1);
    assert_string_equal(s.why, "the disk is full");
}

static void a_file_that_is_full(void **state)
{
    struct rec *r = *state;
    struct transcript_status s;

    assert_int_equal(transcript_open(r->t, "one", 700, &r->fail), ERR_NONE);
    for (int i = 0; i < 5; i++)
        note(r->t, r->arena, "{}", "{}");
    transcript_show(r->t, r->arena, &s);
    assert_false(s.on);
    assert_true(s.lines >= 1 && s.lines < 5);
    assert_string_equal(s.why, "its file is as large as it may be");
    assert_true(strlen(contents(r)) <= 700);
}

static void where_nothing_can_be_written(void **state)
{
    struct rec *r = *state;
    struct transcript *t = transcript_new("/dev/null/there");

    (void)r;
    assert_int_equal(transcript_open(t, "one", 700, &r->fail), ERR_UNAVAILABLE);
    note(t, r->arena, "{}", "{}");
    transcript_free(t);
}

static void names(void **state)
{
    static const char *const bad[] = {"", ".", "../x", "a/b", "-a", "a b", ".hidden"};

    (void)state;
    assert_true(file_name_ok("one-2_3.x"));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(file_name_ok(bad[i]));
}

static void the_next_server_goes_on(void **state)
{
    struct rec *r = *state;
    struct transcript_status s;

    begin(r);
    note(r->t, r->arena, "{}", "{}");
    transcript_free(r->t);
    r->t = transcript_new(r->dir);
    transcript_resume(r->t);
    note(r->t, r->arena, "{}", "{}");
    transcript_show(r->t, r->arena, &s);
    assert_true(s.on);
    assert_int_equal(s.lines, 2);
    transcript_close(r->t);
    transcript_resume(r->t);
    transcript_show(r->t, r->arena, &s);
    assert_false(s.on);
}

enum { THREADS = 8, EACH = 200 };

static void *note_many(void *ctx)
{
    CLEANUP(arena_free_p) struct arena *a = arena_new();

    for (int i = 0; i < EACH; i++) {
        note(ctx, a, "{\"Description\": \"a long one, so that two writes would mix\"}", "{}");
        arena_clear(a);
    }
    return NULL;
}

static void many_threads_write_whole_lines(void **state)
{
    struct rec *r = *state;
    pthread_t threads[THREADS];
    int64_t n = 0;

    begin(r);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, note_many, r->t), 0);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    for (char *line = contents(r), *end; (end = strchr(line, '\n')); line = end + 1) {
        json_t *j = json_loadb(line, (size_t)(end - line), 0, NULL);

        assert_int_equal(json_integer_value(json_object_get(j, "n")), ++n);
        json_decref(j);
    }
    assert_int_equal(n, THREADS * EACH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_left_out, setup, teardown),
        cmocka_unit_test_setup_teardown(a_line_that_a_crash_cut, setup, teardown),
        cmocka_unit_test_setup_teardown(a_line_that_does_not_fit, setup, teardown),
        cmocka_unit_test_setup_teardown(a_file_that_is_full, setup, teardown),
        cmocka_unit_test_setup_teardown(where_nothing_can_be_written, setup, teardown),
        cmocka_unit_test_setup_teardown(the_next_server_goes_on, setup, teardown),
        cmocka_unit_test_setup_teardown(many_threads_write_whole_lines, setup, teardown),
        cmocka_unit_test(names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
