/* The client against the real server, and against scripted ones that misbehave. */
#include "net/client.h"

#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "base/util.h"
#include "site.h"

static const struct http_config plain;

static void asks_and_is_answered(void **state)
{
    struct site *s = site_new(&plain);
    CLEANUP(free_p) char *url = xasprintf("http://127.0.0.1:%u/a?b=c#not-sent", site_port(s));
    CLEANUP(free_p) char *bare = xasprintf("http://localhost:%u", site_port(s));
    struct http_answer a;

    (void)state;
    struct http_call call = {.url = url};
    assert_int_equal(http_call_run(&call, &a), 0);
    assert_int_equal(a.status, 200);
    assert_true(str_starts(a.body, "GET /a?b=c path=/a query=b=c"));
    assert_string_equal(http_answer_header(&a, "server"), "ostler");
    assert_null(http_answer_header(&a, "x-none"));
    http_answer_done(&a);

    struct http_header headers[] = {{"X-One", "1"}, {"Host", "other"}};
    call = (struct http_call){.url = bare,
                              .headers = headers,
                              .n_headers = ARRAY_LEN(headers),
                              .body = "hello",
                              .len = 5};
    assert_int_equal(http_call_run(&call, &a), 0);
    assert_true(str_starts(a.body, "POST / "));
    assert_non_null(strstr(a.body, "host=other\n"));
    assert_non_null(strstr(a.body, "x-one=1\n"));
    assert_true(str_ends(a.body, "body=hello"));
    http_answer_done(&a);

    call = (struct http_call){.url = url, .method = "HEAD"};
    assert_int_equal(http_call_run(&call, &a), 0);
    assert_int_equal(a.len, 0);
    http_answer_done(&a);

    call = (struct http_call){.url = url, .target = "/empty"};
    assert_int_equal(http_call_run(&call, &a), 0);
    assert_int_equal(a.status, 204);
    http_answer_done(&a);
    site_free(s);
}

static void speaks_to_unix_sockets(void **state)
{
    struct site *s = site_new(&plain);
    CLEANUP(free_p) char *url = xasprintf("unix:%s", site_unix(s));
    struct http_call call = {.url = url, .target = "/op?x"};
    struct http_answer a;

    (void)state;
    assert_int_equal(http_call_run(&call, &a), 0);
    assert_non_null(strstr(a.body, "GET /op?x path=/op query=x minor=1 peer=unix tls=0 local=1"));
    http_answer_done(&a);
    call.url = "unix:/nonexistent/a.sock";
    assert_int_equal(http_call_run(&call, &a), -ENOENT);
    assert_true(a.error[0]);
    http_answer_done(&a);
    site_free(s);
}

static void refuses_what_it_cannot_send(void **state)
{
    static const char *const urls[] = {"",
                                       "ftp://h/",
                                       "http://",
                                       "http://h:/",
                                       "http://[::1/",
                                       "http://h b/",
                                       "http://h/a b",
                                       "http://h/\r\nX: y",
                                       "unix:"};
    struct http_header evil[] = {{"X", "a\r\nY: b"}}, odd[] = {{"X Y", "a"}};
    struct http_answer a;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
        struct http_call call = {.url = urls[i]};

        if (http_call_run(&call, &a) != -EINVAL)
            fail_msg("'%s' was taken", urls[i]);
        http_answer_done(&a);
    }
    struct http_call call = {.url = "http://127.0.0.1:1/", .headers = evil, .n_headers = 1};
    assert_int_equal(http_call_run(&call, &a), -EINVAL);
    call.headers = odd;
    assert_int_equal(http_call_run(&call, &a), -EINVAL);
    call = (struct http_call){.url = "http://127.0.0.1:1/", .method = "GET /x HTTP/1.1\r\n"};
    assert_int_equal(http_call_run(&call, &a), -EINVAL);
    call.method = NULL;
    assert_int_equal(http_call_run(&call, &a), -ECONNREFUSED);
    call.url = "http://no-such-host.invalid:1/";
    assert_int_equal(http_call_run(&call, &a), -ENXIO);
    http_answer_done(&a);
}

static void timeouts_hold(void **state)
{
    struct site *s = site_new(&plain);
    CLEANUP(free_p) char *url = xasprintf("http://127.0.0.1:%u/hold", site_port(s));
    struct http_call call = {.url = url, .timeout_ms = 80};
    struct http_answer a;

    (void)state;
    assert_int_equal(http_call_run(&call, &a), -ETIMEDOUT);
    http_answer_done(&a);
    site_wait_held(s, 1);
    site_free(s);
}

static void reads_the_refusal_of_a_body(void **state)
{
    struct site *s = site_new(&plain);
    CLEANUP(free_p) char *url = xasprintf("http://127.0.0.1:%u/", site_port(s));
    CLEANUP(free_p) char *body = xcalloc(1, 12000000);
    struct http_call call = {.url = url, .body = body, .len = 12000000};
    struct http_answer a;

    (void)state;
    assert_int_equal(http_call_run(&call, &a), 0);
    assert_int_equal(a.status, 413);
    http_answer_done(&a);
    site_free(s);
}

/* --- a server that says what it is told to say --- */

struct script {
    int listener;
    const char *text;
};

static void *serve_script(void *arg)
{
    struct script *script = arg;
    char buf[4096];
    int fd = accept(script->listener, NULL, NULL);

    (void)recv(fd, buf, sizeof(buf), 0); /* the small request comes whole */
    (void)send(fd, script->text, strlen(script->text), MSG_NOSIGNAL);
    (void)close(fd);
    return NULL;
}

static int call_script(const char *text, size_t max_body, struct http_answer *a)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct script script = {.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0),
                            .text = text};
    socklen_t len = sizeof(address);
    pthread_t thread;

    assert_int_equal(bind(script.listener, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(script.listener, 1), 0);
    assert_int_equal(getsockname(script.listener, (struct sockaddr *)&address, &len), 0);
    assert_int_equal(pthread_create(&thread, NULL, serve_script, &script), 0);
    CLEANUP(free_p) char *url = xasprintf("http://127.0.0.1:%u/", ntohs(address.sin_port));
    struct http_call call = {.url = url, .timeout_ms = 10000, .max_body = max_body};
    int r = http_call_run(&call, a);
    assert_int_equal(pthread_join(thread, NULL), 0);
    (void)close(script.listener);
    return r;
}

static void answers_of_all_kinds(void **state)
{
    static const struct {
        const char *text;
        int result;
        const char *body;
    } cases[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 0, "ok"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n1\r\n!\r\n0\r\n\r\n", 0,
         "ok!"},
        {"HTTP/1.0 200 OK\r\n\r\nto the end", 0, "to the end"},
        {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 P\r\nX: y\r\n\r\nHTTP/1.1 200 "
         "OK\r\nContent-Length: 1\r\n\r\nz",
         0, "z"},
        {"HTTP/1.1 200 OK\r\nX-Empty:\r\nContent-Length: 0\r\n\r\n", 0, ""},
        {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nshor", -ECONNRESET, NULL},
        {"HTTP/1.1 200 OK\r\nContent-Le", -ECONNRESET, NULL},
        {"", -ECONNRESET, NULL},
        {"SSH-2.0-OpenSSH\r\n", -EPROTO, NULL},
        {"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello world", -EMSGSIZE, NULL},
    };
    struct http_answer a;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int r = call_script(cases[i].text, 10, &a);

        if (r != cases[i].result)
            fail_msg("%d (%s) for:\n%s", r, a.error, cases[i].text);
        if (!r) {
            assert_int_equal(a.status, 200);
            assert_string_equal(a.body, cases[i].body);
            assert_null(http_answer_header(&a, "x"));
        } else {
            assert_int_equal(a.status, 0);
            assert_true(a.error[0]);
        }
        http_answer_done(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(asks_and_is_answered),        cmocka_unit_test(speaks_to_unix_sockets),
        cmocka_unit_test(refuses_what_it_cannot_send), cmocka_unit_test(timeouts_hold),
        cmocka_unit_test(reads_the_refusal_of_a_body), cmocka_unit_test(answers_of_all_kinds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
