/* The replay memory: what it knows, for how long, and what it does when it is full. */
#include "fixture.h"

#include <stdio.h>

#include "dialect/alibaba/nonce.h"

enum { WINDOW = 1000 };

static enum nonce_verdict add(struct nonces *n, const char *key, const char *nonce, int64_t made,
                              int64_t now)
{
    return nonces_add(n, key, nonce, made, made + WINDOW, now);
}

static void test_once(void **state)
{
    struct nonces *n = nonces_new(100);
    (void)state;

    assert_int_equal(add(n, "k1", "a", 5000, 5000), NONCE_NEW);
    assert_int_equal(add(n, "k1", "a", 5000, 5000), NONCE_USED);
    assert_int_equal(add(n, "k1", "a", 5100, 5100), NONCE_USED); /* whatever the time says */
    assert_int_equal(add(n, "k1", "b", 5000, 5000), NONCE_NEW);
    assert_int_equal(add(n, "k2", "a", 5000, 5000), NONCE_NEW); /* each key has its own */
    assert_int_equal(nonces_count(n), 3);
    nonces_free(n);
}

static void test_window(void **state)
{
    struct nonces *n = nonces_new(100);
    (void)state;

    assert_int_equal(add(n, "k", "a", 5000, 5000), NONCE_NEW);
    assert_int_equal(add(n, "k", "a", 5000, 5000 + WINDOW - 1), NONCE_USED);
    assert_int_equal(add(n, "k", "a", 5000 + WINDOW, 5000 + WINDOW), NONCE_NEW);
    nonces_free(n);
}

/* However many, each is known; and what counts no more takes no room. */
static void test_growth(void **state)
{
    struct nonces *n = nonces_new(100000);
    char nonce[32];
    (void)state;

    for (int round = 0; round < 2; round++)
        for (int i = 0; i < 5000; i++) {
            (void)snprintf(nonce, sizeof(nonce), "n%d", i);
            assert_int_equal(add(n, "k", nonce, 1000, 1000), round ? NONCE_USED : NONCE_NEW);
        }
    assert_int_equal(nonces_count(n), 5000);
    for (int i = 0; i < 20000; i++) { /* later, when the first ones count no more */
        (void)snprintf(nonce, sizeof(nonce), "m%d", i);
        assert_int_equal(add(n, "k", nonce, 9000, 9000), NONCE_NEW);
    }
    assert_int_equal(nonces_count(n), 20000);
    nonces_free(n);
}

/* Full: the window shrinks. Nothing that was accepted is accepted again, and fresh requests still
 * are. */
static void test_full(void **state)
{
    enum { MAX = 64, SENT = 1000 };
    struct nonces *n = nonces_new(MAX);
    char nonce[32];
    (void)state;

    for (int i = 0; i < SENT; i++) {
        (void)snprintf(nonce, sizeof(nonce), "n%d", i);
        assert_int_equal(nonces_add(n, "k", nonce, 1000 + i, 1000000, 1000 + i), NONCE_NEW);
        assert_true(nonces_count(n) <= MAX);
    }
    for (int i = 0; i < SENT; i++) {
        (void)snprintf(nonce, sizeof(nonce), "n%d", i);
        assert_int_not_equal(nonces_add(n, "k", nonce, 1000 + i, 1000000, 1000 + SENT), NONCE_NEW);
    }
    assert_int_equal(nonces_add(n, "k", "old", 1000, 1000000, 2000), NONCE_TOO_OLD);
    assert_int_equal(nonces_add(n, "other", "old", 1000, 1000000, 2000), NONCE_NEW);
    nonces_free(n);
}

/* All of one second: that second is over for this key, the next one is not. */
static void test_full_of_one_time(void **state)
{
    enum { MAX = 64 };
    struct nonces *n = nonces_new(MAX);
    char nonce[32];
    (void)state;

    for (int i = 0; i < MAX; i++) {
        (void)snprintf(nonce, sizeof(nonce), "n%d", i);
        assert_int_equal(add(n, "k", nonce, 1000, 1000), NONCE_NEW);
    }
    assert_int_equal(add(n, "k", "one more", 1000, 1000), NONCE_TOO_OLD);
    assert_int_equal(add(n, "k", "n0", 1000, 1000), NONCE_TOO_OLD);
    assert_int_equal(add(n, "k", "next", 1001, 1001), NONCE_NEW);
    nonces_free(n);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_once),
        cmocka_unit_test(test_window),
        cmocka_unit_test(test_growth),
        cmocka_unit_test(test_full),
        cmocka_unit_test(test_full_of_one_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
