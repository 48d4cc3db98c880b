/* The request parser alone: what is refused and how, and that pieces of any size make no
 * difference. */
#include "net/http_request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/util.h"

static const struct http_config limits = {
    .max_head = 2048, .max_body = 1000, .max_headers = 8, .max_conns = 1};

/* Feeds all of it in pieces of `piece` bytes; returns how much was used. */
static size_t feed(struct request *r, const char *text, size_t len, size_t piece)
{
    size_t used = 0;

    while (used < len && r->state != REQUEST_DONE && r->state != REQUEST_REFUSED) {
        size_t n = len - used < piece ? len - used : piece;
        /* A copy of its own, so that the sanitizer sees a read past the piece. */
        CLEANUP(free_p) char *copy = xmalloc(n);

        memcpy(copy, text + used, n);
        used += request_feed(r, copy, n);
    }
    return used;
}

static struct request *parsed(const char *text, size_t len, size_t piece)
{
    struct request *r = request_new(&limits);

    (void)feed(r, text, len, piece);
    return r;
}

struct refusal {
    const char *text;
    int status;
};

#define HEAD "GET / HTTP/1.1\r\nHost: h\r\n"
#define POST "POST / HTTP/1.1\r\nHost: h\r\n"

static const struct refusal refusals[] = {
    /* who is asked */
    {"GET / HTTP/1.1\r\n\r\n", 400},
    {HEAD "Host: h\r\n\r\n", 400},
    {HEAD "HOST: other\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: a,b\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", 400},
    {"GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n", 400},
    /* how long it is */
    {POST "Content-Length: 1\r\nContent-Length: 1\r\n\r\nx", 400},
    {POST "Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx", 400},
    {POST "Content-Length: 1, 1\r\n\r\nx", 400},
    {POST "Content-Length: +1\r\n\r\nx", 400},
    {POST "Content-Length: -1\r\n\r\nx", 400},
    {POST "Content-Length: 0x1\r\n\r\nx", 400},
    {POST "Content-Length: 1 1\r\n\r\nx", 400},
    {POST "Content-Length:\r\n\r\nx", 400},
    {POST "Content-Length: 99999999999999999999\r\n\r\nx", 400},
    {POST "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
    {POST "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n", 400},
    {POST "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n", 400},
    {"POST / HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
    {POST "Transfer-Encoding: chunked, gzip\r\n\r\n", 400},
    {POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
    {POST "Transfer-Encoding: gzip\r\n\r\n", 501},
    {POST "Transfer-Encoding: gzip, chunked\r\n\r\n", 501},
    {POST "Transfer-Encoding: identity\r\n\r\n", 501},
    {POST "Transfer-Encoding: xchunked\r\n\r\n", 501},
    {POST "Transfer-Encoding:\x0b"
          "chunked\r\n\r\n",
     400},
    {POST "Content-Length: 1001\r\n\r\n", 413},
    /* chunks */
    {POST "Transfer-Encoding: chunked\r\n\r\nx\r\n", 400},
    {POST "Transfer-Encoding: chunked\r\n\r\n-1\r\n", 400},
    {POST "Transfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n", 400},
    {POST "Transfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n", 400},
    {POST "Transfer-Encoding: chunked\r\n\r\n5\rxhello\r\n0\r\n\r\n", 400},
    {POST "Transfer-Encoding: chunked\r\n\r\n5\r\nhelloXX0\r\n\r\n", 400},
    {POST "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\n0\r\n\r\n", 400},
    {POST "Transfer-Encoding: chunked\r\n\r\n5\r\nhello0\r\n\r\n", 400},
    {POST "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n", 400},
    {POST "Transfer-Encoding: chunked\r\n\r\n\r\n", 400},
    {POST "Transfer-Encoding: chunked\r\n\r\n 5\r\nhello\r\n0\r\n\r\n", 400},
    {POST "Transfer-Encoding: chunked\r\n\r\n5 \r\nhello\r\n0\r\n\r\n", 400},
    {POST "Transfer-Encoding: chunked\r\n\r\n3e9\r\n", 0}, /* too large only once it comes */
    /* lines */
    {"GET / HTTP/1.1\nHost: h\n\n", 400},
    {"GET / HTTP/1.1\r\nHost: h\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: h\r\n\n", 400},
    {HEAD "A: b\rc\r\n\r\n", 400},
    {HEAD "A: b\r\r\n\r\n", 400},
    {HEAD "A: b\r\n c\r\n\r\n", 400},
    {HEAD "A: b\r\n\tc\r\n\r\n", 400},
    {HEAD "A:\r\n b\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n Host: h\r\n\r\n", 400},
    {"\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", 400},
    {"\rGET / HTTP/1.1\r\nHost: h\r\n\r\n", 400},
    {" GET / HTTP/1.1\r\nHost: h\r\n\r\n", 400},
    /* headers */
    {HEAD "A : b\r\n\r\n", 400},
    {HEAD "A\t: b\r\n\r\n", 400},
    {HEAD ": b\r\n\r\n", 400},
    {HEAD "no colon\r\n\r\n", 400},
    {HEAD "A(: b\r\n\r\n", 400},
    {HEAD "\xc3\xa4: b\r\n\r\n", 400},
    {HEAD "A: \x01\r\n\r\n", 400},
    {HEAD "A: \x7f\r\n\r\n", 400},
    {HEAD "a:1\r\nb:1\r\nc:1\r\nd:1\r\ne:1\r\nf:1\r\ng:1\r\nh:1\r\n\r\n", 431},
    /* the request line */
    {"GET  / HTTP/1.1\r\nHost: h\r\n\r\n", 400},
    {"GET /  HTTP/1.1\r\nHost: h\r\n\r\n", 400},
    {"GET / HTTP/1.1 \r\nHost: h\r\n\r\n", 400},
    {"GET\t/ HTTP/1.1\r\nHost: h\r\n\r\n", 400},
    {"GET /\xc3\xa4 HTTP/1.1\r\nHost: h\r\n\r\n", 400},
    {"GET /\x01 HTTP/1.1\r\nHost: h\r\n\r\n", 400},
    {"GET /#x HTTP/1.1\r\nHost: h\r\n\r\n", 400},
    {"GET x HTTP/1.1\r\nHost: h\r\n\r\n", 400},
    {"GET * HTTP/1.1\r\nHost: h\r\n\r\n", 400},
    {"GET ftp://h/ HTTP/1.1\r\nHost: h\r\n\r\n", 400},
    {"GET /\r\nHost: h\r\n\r\n", 400},
    {"GET / HTTQ/1.1\r\nHost: h\r\n\r\n", 400},
    {"GET / http/1.1\r\nHost: h\r\n\r\n", 400},
    {"GET / HTTP/1.2\r\nHost: h\r\n\r\n", 505},
    {"GET / HTTP/2.0\r\nHost: h\r\n\r\n", 505},
    {"GET / HTTP/0.9\r\nHost: h\r\n\r\n", 505},
    {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
    {"CONNECT h:443 HTTP/1.1\r\nHost: h\r\n\r\n", 501},
    {"FROB / HTTP/1.1\r\nHost: h\r\n\r\n", 501},
    {"get / HTTP/1.1\r\nHost: h\r\n\r\n", 501},
    {"\x16\x03\x01", 400},
    {"DESCRIBE / HTTP/1.1\r\nHost: h\r\n\r\n", 400},
    /* expectations */
    {POST "Expect: 200-ok\r\nContent-Length: 1\r\n\r\n", 417},
    {POST "Expect: 100-continue\r\nExpect: more\r\nContent-Length: 1\r\n\r\n", 417},
    {POST "Expect: 100-continue\r\nContent-Length: 1001\r\n\r\n", 413},
};

static void refuses_what_is_ambiguous(void **state)
{
    static const size_t pieces[] = {1, 2, 3, 7, 4096};
    int wrong = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(refusals); i++)
        for (size_t k = 0; k < ARRAY_LEN(pieces); k++) {
            const struct refusal *c = &refusals[i];
            struct request *r = parsed(c->text, strlen(c->text), pieces[k]);

            if (r->status != c->status) {
                print_error("pieces of %zu: status %d (%s), not %d, for:\n%s\n", pieces[k],
                            r->status, r->reason ? r->reason : "no reason", c->status, c->text);
                wrong++;
            } else if (c->status) {
                assert_true(r->reason && *r->reason);
            }
            request_publish(r); /* what is known must be readable */
            request_free(r);
        }
    assert_int_equal(wrong, 0);
}

static void refuses_a_nul(void **state)
{
    static const char in_value[] = HEAD "A: b\0c\r\n\r\n", in_target[] = "GET /\0 HTTP/1.1\r\n\r\n",
                      in_name[] = HEAD "A\0: b\r\n\r\n";
    struct request *r;

    (void)state;
    r = parsed(in_value, sizeof(in_value) - 1, 4096);
    assert_int_equal(r->status, 400);
    request_free(r);
    r = parsed(in_target, sizeof(in_target) - 1, 4096);
    assert_int_equal(r->status, 400);
    request_free(r);
    r = parsed(in_name, sizeof(in_name) - 1, 4096);
    assert_int_equal(r->status, 400);
    request_free(r);
}

static const char pair[] =
    "\r\nPOST /a/b%20c?x=1&y=?2 HTTP/1.1\r\nHost: example:80\r\nX-Empty:\r\nX-Spaced: \t a b \t "
    "\r\n"
    "Content-Length: 11\r\nX-High: \xe4\r\n\r\nhello\nworld"
    "PUT http://h:1?q HTTP/1.1\r\nhOsT: h:1\r\nTransfer-Encoding: Chunked\r\nConnection: "
    "close\r\n\r\n"
    "5;ext=\"v\"\r\nhello\r\nA\r\n 123456789\r\n0\r\nTrailer: t\r\nHost: evil\r\n\r\n"
    "GET /left";

static void check_first(struct request *r)
{
    struct http_exchange *x = &r->x;

    assert_int_equal(r->state, REQUEST_DONE);
    request_publish(r);
    assert_string_equal(x->method, "POST");
    assert_string_equal(x->target, "/a/b%20c?x=1&y=?2");
    assert_string_equal(x->path, "/a/b%20c");
    assert_string_equal(x->query, "x=1&y=?2");
    assert_int_equal(x->minor, 1);
    assert_int_equal(x->n_headers, 5);
    assert_string_equal(x->headers[0].name, "host");
    assert_string_equal(http_header(x, "host"), "example:80");
    assert_string_equal(http_header(x, "x-empty"), "");
    assert_string_equal(http_header(x, "x-spaced"), "a b");
    assert_string_equal(http_header(x, "x-high"), "\xe4");
    assert_null(http_header(x, "trailer"));
    assert_int_equal(x->body_len, 11);
    assert_string_equal(x->body, "hello\nworld");
    assert_true(r->keep_alive);
}

static void check_second(struct request *r)
{
    struct http_exchange *x = &r->x;

    assert_int_equal(r->state, REQUEST_DONE);
    request_publish(r);
    assert_string_equal(x->method, "PUT");
    assert_string_equal(x->target, "http://h:1?q");
    assert_string_equal(x->path, "/");
    assert_string_equal(x->query, "q");
    assert_int_equal(x->n_headers, 3); /* trailers are not headers */
    assert_string_equal(http_header(x, "host"), "h:1");
    assert_string_equal(x->body, "hello 123456789");
    assert_false(r->keep_alive);
}

/* One split at each place, and then every byte alone. */
static void splits_make_no_difference(void **state)
{
    size_t len = sizeof(pair) - 1;
    struct request *r = request_new(&limits);

    (void)state;
    for (size_t split = 0; split <= len + 1; split++) {
        size_t used = 0, piece = split > len ? 1 : len;

        request_clear(r);
        if (split <= len)
            used = feed(r, pair, split, len);
        if (r->state != REQUEST_DONE)
            used += feed(r, pair + used, len - used, piece);
        check_first(r);
        request_clear(r);
        size_t mark = split > used && split <= len ? split : used;
        used += feed(r, pair + used, mark - used, len);
        if (r->state != REQUEST_DONE)
            used += feed(r, pair + used, len - used, piece);
        check_second(r);
        assert_string_equal(pair + used, "GET /left");
        request_clear(r);
        (void)feed(r, pair + used, len - used, piece);
        assert_int_equal(r->state, REQUEST_HEAD);
    }
    request_free(r);
}

static void head_limit_is_exact(void **state)
{
    char text[2048 + 64];
    static const char start[] = HEAD "A: ";

    (void)state;
    for (int over = 0; over < 2; over++) {
        size_t len = 2048 + (size_t)over;

        memset(text, 'x', sizeof(text));
        memcpy(text, start, sizeof(start) - 1);
        memcpy(text + len - 4, "\r\n\r\n", 4);
        for (size_t piece = 1; piece <= 4096; piece += piece < 40 ? 13 : 700) {
            struct request *r = parsed(text, len, piece);

            assert_int_equal(r->state, over ? REQUEST_REFUSED : REQUEST_DONE);
            assert_int_equal(r->status, over ? 431 : 0);
            request_free(r);
        }
    }
    memset(text, 'x', sizeof(text));
    memcpy(text, "GET /", 5);
    struct request *r = parsed(text, sizeof(text), 100);
    assert_int_equal(r->status, 414);
    request_free(r);
}

static void body_limit_holds_for_chunks(void **state)
{
    struct buf b = {0};
    struct request *r;

    (void)state;
    buf_str(&b, POST "Transfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 1000; i++)
        buf_str(&b, "1\r\nx\r\n");
    size_t fits = b.len;
    buf_str(&b, "0\r\n\r\n");
    r = parsed(b.data, b.len, 61);
    assert_int_equal(r->state, REQUEST_DONE);
    assert_int_equal(r->body.len, 1000);
    request_free(r);
    b.len = fits;
    buf_str(&b, "1\r\nx\r\n");
    r = parsed(b.data, b.len, 61);
    assert_int_equal(r->status, 413);
    request_free(r);
    buf_done(&b);
}

static void endless_chunk_extensions_end(void **state)
{
    struct request *r = request_new(&limits);
    static const char start[] = POST "Transfer-Encoding: chunked\r\n\r\n1;a=";
    size_t fed = 0;

    (void)state;
    (void)feed(r, start, sizeof(start) - 1, 4096);
    while (r->state == REQUEST_BODY && fed < 100000)
        fed += request_feed(r, "xxxxxxxxxxxxxxxx", 16);
    assert_int_equal(r->status, 413);
    assert_true(fed < 10000);
    request_free(r);
}

static void partial_knowledge_is_shown(void **state)
{
    struct request *r;

    (void)state;
    r = parsed("GE", 2, 1);
    request_refuse(r, 408, "slow");
    request_publish(r);
    assert_null(r->x.method);
    assert_null(r->x.target);
    assert_null(r->x.path);
    assert_int_equal(r->x.n_headers, 0);
    request_free(r);

    static const char cut[] = "GET /p?q HTTP/1.1\r\nHost: h\r\nx-acs-action: Sta";
    r = parsed(cut, sizeof(cut) - 1, 5);
    request_refuse(r, 408, "slow");
    request_refuse(r, 503, "only the first counts");
    request_publish(r);
    assert_int_equal(r->status, 408);
    assert_string_equal(r->x.method, "GET");
    assert_string_equal(r->x.path, "/p");
    assert_string_equal(r->x.query, "q");
    assert_int_equal(r->x.n_headers, 1);
    assert_null(http_header(&r->x, "x-acs-action"));
    request_free(r);
}

static void stops_for_100_continue(void **state)
{
    static const char head[] = POST "Expect: 100-Continue\r\nContent-Length: 2\r\n\r\n";
    struct request *r = request_new(&limits);

    (void)state;
    struct buf b = {0};
    buf_str(&b, head);
    buf_str(&b, "ab");
    assert_int_equal(request_feed(r, b.data, b.len), sizeof(head) - 1);
    assert_int_equal(r->state, REQUEST_BODY);
    assert_true(r->wants_continue);
    assert_int_equal(request_feed(r, "ab", 2), 2);
    assert_int_equal(r->state, REQUEST_DONE);
    assert_string_equal(r->body.data, "ab");
    buf_done(&b);
    request_free(r);

    /* Nothing to continue with, or nobody who knows what it means. */
    static const char *const quiet[] = {
        POST "Expect: 100-continue\r\nContent-Length: 0\r\n\r\n",
        POST "Expect: 100-continue\r\n\r\n",
        "POST / HTTP/1.0\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n",
    };
    for (size_t i = 0; i < ARRAY_LEN(quiet); i++) {
        r = parsed(quiet[i], strlen(quiet[i]), 4096);
        assert_true(r->state == REQUEST_DONE || r->state == REQUEST_BODY);
        assert_false(r->wants_continue);
        request_free(r);
    }
}

static void accepts_what_is_merely_unusual(void **state)
{
    static const struct {
        const char *text, *path;
        bool keep_alive;
    } cases[] = {
        {"GET / HTTP/1.0\r\n\r\n", "/", false},
        {"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "/", true},
        {"OPTIONS * HTTP/1.1\r\nHost:\r\n\r\n", "*", true},
        {"GET / HTTP/1.1\r\nHost: [::1]:80\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n", "/",
         true},
        {"GET HTTP://h/p?q HTTP/1.1\r\nHost: h\r\n\r\n", "/p", true},
        {"GET //x//y HTTP/1.1\r\nHost: h\r\n\r\n", "//x//y", true},
        {"\r\n\r\nGET /a HTTP/1.1\r\nHost: h\r\n\r\n", "/a", true},
        {"GET /a HTTP/1.1\r\nHost:h\r\nConnection: close\r\n\r\n", "/a", false},
        {"DELETE /a HTTP/1.1\r\nHost:h\r\nContent-Length: 1\r\n\r\nx", "/a", true},
        {"M-SEARCH /a HTTP/1.1\r\nHost:h\r\n\r\n", "/a", true},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        for (size_t piece = 1; piece < 200; piece += 99) {
            struct request *r = parsed(cases[i].text, strlen(cases[i].text), piece);

            if (r->state != REQUEST_DONE)
                fail_msg("%d %s for:\n%s", r->status, r->reason, cases[i].text);
            request_publish(r);
            assert_string_equal(r->x.path, cases[i].path);
            assert_int_equal(r->keep_alive, cases[i].keep_alive);
            request_free(r);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_what_is_ambiguous),
        cmocka_unit_test(refuses_a_nul),
        cmocka_unit_test(splits_make_no_difference),
        cmocka_unit_test(head_limit_is_exact),
        cmocka_unit_test(body_limit_holds_for_chunks),
        cmocka_unit_test(endless_chunk_extensions_end),
        cmocka_unit_test(partial_knowledge_is_shown),
        cmocka_unit_test(stops_for_100_continue),
        cmocka_unit_test(accepts_what_is_merely_unusual),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
