/* Buffers, arenas, maps, times, numbers, and the forms of bytes. */
#include "check.h"

#include <errno.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/crypto.h"
#include "base/map.h"
#include "base/timefmt.h"

static void buffers_grow_and_shrink(void **state)
{
    CLEANUP(buf_done) struct buf b = {0};

    (void)state;
    assert_string_equal(buf_cstr(&b), "");
    for (int i = 0; i < 1000; i++)
        buf_fmt(&b, "%d,", i);
    assert_int_equal(b.len, 10 * 2 + 90 * 3 + 900 * 4);
    buf_drop(&b, b.len - 4);
    assert_string_equal(buf_cstr(&b), "999,");
    buf_clear(&b);
    buf_i64(&b, INT64_MIN);
    assert_string_equal(buf_cstr(&b), "-9223372036854775808");
    buf_clear(&b);
    buf_i64(&b, 0);
    assert_string_equal(buf_cstr(&b), "0");
    char *taken = buf_take(&b);
    assert_string_equal(taken, "0");
    assert_null(b.data);
    free(taken);
}

static void arenas_are_zeroed_and_aligned(void **state)
{
    CLEANUP(arena_free_p) struct arena *a = arena_new();

    (void)state;
    for (size_t round = 0; round < 3; round++) {
        for (size_t n = 1; n < 5000; n += 97) {
            char *p = arena_alloc(a, n);

            assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
            for (size_t i = 0; i < n; i++)
                assert_int_equal(p[i], 0);
            memset(p, 0xff, n);
        }
        arena_clear(a);
    }
    assert_null(arena_str(a, NULL));
    assert_string_equal(arena_fmt(a, "%s-%d", "x", 7), "x-7");
    assert_string_equal(arena_strn(a, "abcdef", 3), "abc");
}

static void count_up(void *ctx, const char *key, void *value)
{
    (void)key;
    *(size_t *)ctx += *(int *)value ? 1 : 0;
}

static void maps_find_what_was_put(void **state)
{
    struct map *m = map_new();
    int values[500];
    char key[16];
    size_t seen = 0;

    (void)state;
    for (int i = 0; i < 500; i++) {
        values[i] = i + 1;
        (void)snprintf(key, sizeof(key), "i-%d", i);
        map_put(m, key, &values[i]);
    }
    assert_int_equal(map_count(m), 500);
    map_each(m, count_up, &seen);
    assert_int_equal(seen, 500);
    for (int i = 0; i < 500; i += 2) {
        (void)snprintf(key, sizeof(key), "i-%d", i);
        assert_ptr_equal(map_remove(m, key), &values[i]);
        assert_null(map_remove(m, key));
    }
    for (int i = 0; i < 500; i++) {
        (void)snprintf(key, sizeof(key), "i-%d", i);
        assert_ptr_equal(map_get(m, key), i % 2 ? &values[i] : NULL);
    }
    map_put(m, "i-1", &values[7]);
    assert_ptr_equal(map_get(m, "i-1"), &values[7]);
    assert_int_equal(map_count(m), 250);
    map_free(m);
}

static void times_are_read_as_written(void **state)
{
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    static const char *const wrong[] = {"",
                                        "2026-01-02",
                                        "2026-01-02T03:04:05",
                                        "2026-01-02T03:04:05+08:00",
                                        "2026-13-02T03:04:05Z",
                                        "2026-02-30T03:04:05Z",
                                        "2026-01-02T24:04:05Z",
                                        "2026-01-02T03:60Z",
                                        " 2026-01-02T03:04Z",
                                        "2026-01-02T03:04Z ",
                                        "20260-1-02T03:04Z"};
    int64_t ms;

    (void)state;
    assert_int_equal(time_parse("2026-01-02T03:04:05Z", &ms), 0);
    assert_int_equal(ms, 1767323045000);
    assert_string_equal(time_seconds(a, ms), "2026-01-02T03:04:05Z");
    assert_string_equal(time_minutes(a, ms), "2026-01-02T03:04Z");
    assert_int_equal(time_parse("2024-02-29T23:59Z", &ms), 0);
    assert_string_equal(time_seconds(a, ms), "2024-02-29T23:59:00Z");
    assert_string_equal(time_seconds(a, -1), "1969-12-31T23:59:59Z");
    assert_string_equal(time_seconds(a, 253402300799000), "9999-12-31T23:59:59Z");
    assert_string_equal(time_minutes(a, 253402300800000), "0000-00-00T00:00Z"); /* year 10000 */
    assert_string_equal(time_seconds(a, INT64_MAX), "0000-00-00T00:00:00Z");
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
        assert_int_equal(time_parse(wrong[i], &ms), -EINVAL);
}

static void numbers_are_whole_texts(void **state)
{
    long long v = 0;

    (void)state;
    assert_int_equal(parse_i64("-42", &v), 0);
    assert_int_equal(v, -42);
    assert_int_equal(parse_i64("9223372036854775807", &v), 0);
    assert_int_equal(parse_i64("9223372036854775808", &v), -ERANGE);
    assert_int_equal(parse_i64("", &v), -EINVAL);
    assert_int_equal(parse_i64("-", &v), -EINVAL);
    assert_int_equal(parse_i64("+1", &v), -EINVAL);
    assert_int_equal(parse_i64(" 1", &v), -EINVAL);
    assert_int_equal(parse_i64("1 ", &v), -EINVAL);
    assert_int_equal(parse_i64("0x1", &v), -EINVAL);
}

static void bytes_have_text_forms(void **state)
{
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    static const char *const words[] = {"", "f", "fo", "foo", "foob", "fooba", "foobar"};
    static const char *const base64[] = {
        "", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"}; /* RFC 4648, section 10 */
    static const char *const wrong[] = {
        "Z", "Zg=", "Zg", "Z===", "====", "Zm9v\n", "Zg==Zg==", "Zm!v"};
    size_t n;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        assert_string_equal(base64_encode(a, words[i], strlen(words[i])), base64[i]);
        assert_string_equal((char *)base64_decode(a, base64[i], &n), words[i]);
        assert_int_equal(n, strlen(words[i]));
    }
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
        assert_null(base64_decode(a, wrong[i], &n));
    assert_string_equal(hex_encode(a, "\x00\xff\x10", 3), "00ff10");
    assert_memory_equal(hex_decode(a, "00FF10", &n), "\x00\xff\x10", 3);
    assert_null(hex_decode(a, "0", &n));
    assert_null(hex_decode(a, "0g", &n));
}

/* RFC 2202 case 2, RFC 4231 case 2, and FIPS 180-4's "abc". */
static void digests_match_their_standards(void **state)
{
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    static const char text[] = "what do ya want for nothing?";
    uint8_t mac[HMAC_MAX_LEN];

    (void)state;
    assert_int_equal(hmac(HMAC_SHA1, "Jefe", 4, text, strlen(text), mac), SHA1_LEN);
    assert_string_equal(hex_encode(a, mac, SHA1_LEN), "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
    assert_int_equal(hmac(HMAC_SHA256, "Jefe", 4, text, strlen(text), mac), SHA256_LEN);
    assert_string_equal(hex_encode(a, mac, SHA256_LEN),
                        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    assert_string_equal(sha256_hex(a, "abc", 3),
                        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void sealed_bytes_open_only_unchanged(void **state)
{
    uint8_t key[AEAD_KEY_LEN] = {1}, nonce[AEAD_NONCE_LEN] = {2}, sealed[6 + AEAD_OVERHEAD],
            plain[6];

    (void)state;
    aead_seal(key, nonce, "ctx", 3, "secret", 6, sealed);
    assert_int_equal(aead_open(key, "ctx", 3, sealed, sizeof(sealed), plain), 0);
    assert_memory_equal(plain, "secret", 6);
    assert_int_equal(aead_open(key, "cty", 3, sealed, sizeof(sealed), plain), -EBADMSG);
    assert_int_equal(aead_open(key, "ctx", 3, sealed, AEAD_OVERHEAD - 1, plain), -EBADMSG);
    for (size_t i = 0; i < sizeof(sealed); i++) {
        sealed[i] ^= 1;
        assert_int_equal(aead_open(key, "ctx", 3, sealed, sizeof(sealed), plain), -EBADMSG);
        sealed[i] ^= 1;
    }
    key[0] = 3;
    assert_int_equal(aead_open(key, "ctx", 3, sealed, sizeof(sealed), plain), -EBADMSG);
}

/* Every byte at every place of a text, against a rule of one line. */
static void plain_text_is_what_json_leaves_alone(void **state)
{
    char text[27];

    (void)state;
    for (size_t at = 0; at < sizeof(text) - 1; at++)
        for (int c = 1; c < 256; c++) {
            bool plain = c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
            CLEANUP(buf_done) struct buf b = {0};

            memset(text, 'z', sizeof(text) - 1);
            text[sizeof(text) - 1] = 0;
            text[at] = (char)c;
            assert_int_equal(text_plain(text, sizeof(text) - 1), plain ? sizeof(text) - 1 : at);
            buf_json(&b, text);
            assert_int_equal(b.len, strlen(b.data));
            size_t grown = c == '"' || c == '\\' || c == '\n' ? 1 : c < 0x20 ? 5 : 0;
            assert_int_equal(b.len, sizeof(text) - 1 + 2 + grown);
            assert_int_equal(b.data[0], '"');
            assert_int_equal(b.data[b.len - 1], '"');
        }
    assert_int_equal(text_plain("", 0), 0);
}

static void a_file_is_read_up_to_a_limit(void **state)
{
    CLEANUP(buf_done) struct buf b = {0};
    char path[] = "/tmp/ostler-test-XXXXXX";
    CLEANUP(close_p) int fd = mkstemp(path);

    (void)state;
    assert_int_equal(write(fd, "hello", 5), 5);
    buf_str(&b, "> ");
    assert_int_equal(buf_file(&b, path, 5), 0);
    assert_string_equal(b.data, "> hello");
    assert_int_equal(buf_file(&b, path, 4), -EFBIG);
    assert_int_equal(buf_file(&b, "/tmp", 100), -EISDIR);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(buf_file(&b, path, 5), -ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_read_up_to_a_limit),
        cmocka_unit_test(buffers_grow_and_shrink),
        cmocka_unit_test(arenas_are_zeroed_and_aligned),
        cmocka_unit_test(maps_find_what_was_put),
        cmocka_unit_test(times_are_read_as_written),
        cmocka_unit_test(numbers_are_whole_texts),
        cmocka_unit_test(bytes_have_text_forms),
        cmocka_unit_test(plain_text_is_what_json_leaves_alone),
        cmocka_unit_test(digests_match_their_standards),
        cmocka_unit_test(sealed_bytes_open_only_unchanged),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
