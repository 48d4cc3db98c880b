/* The operator's side: what it says of errors, what it accepts as an image or a key. */
#include "check.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "control/control.h"
#include "control/image_dir.h"
#include "core/keypair.h"
#include "world.h"

/* cmocka's own is said with fail(), which means something else here. */
#define FAIL(...)                                                                                  \
    do {                                                                                           \
        print_error(__VA_ARGS__);                                                                  \
        _fail(__FILE__, __LINE__);                                                                 \
    } while (0)

/* ---- declarations ---- */

static void every_error_is_said_once(void **state)
{
    unsigned seen[ERR_COUNT] = {0};

    (void)state;
    for (const struct err_row *r = control_errors; r->err; r++) {
        assert_true(r->err < ERR_COUNT);
        assert_in_range(r->status, 400, 599);
        assert_true(*r->code >= 'A' && *r->code <= 'Z');
        seen[r->err]++;
        for (const struct err_row *other = control_errors; other != r; other++)
            assert_string_not_equal(r->code, other->code);
    }
    for (int e = ERR_NONE + 1; e < ERR_COUNT; e++)
        if (seen[e] != 1)
            FAIL("%s is said %u times", err_name((enum err)e), seen[e]);
}

static void actions_are_the_operators_and_sorted(void **state)
{
    const char *last = "";

    (void)state;
    for (const struct action *const *a = dialect_operator.actions; *a; a++) {
        assert_true(strcmp(last, (*a)->name) < 0);
        last = (*a)->name;
        assert_true((*a)->perm == PERM_OPERATOR || (*a)->perm == PERM_CONTROL);
        assert_non_null((*a)->summary);
        assert_non_null((*a)->run);
        assert_true(!(*a)->encode || (*a)->out_size > 0);
    }
}

/* ---- images ---- */

struct image_test {
    char dir[64];
    struct arena *arena;
};

static int image_setup(void **state)
{
    struct image_test *t = xcalloc(1, sizeof(*t));

    memcpy(t->dir, "/tmp/ostler-image-XXXXXX", sizeof("/tmp/ostler-image-XXXXXX"));
    t->arena = arena_new();
    *state = t;
    return mkdtemp(t->dir) ? 0 : -1;
}

static int image_teardown(void **state)
{
    static const char *const files[] = {"image.json", "root.img", "vmlinux"};
    struct image_test *t = *state;

    for (size_t i = 0; i < ARRAY_LEN(files); i++)
        (void)unlink(arena_fmt(t->arena, "%s/%s", t->dir, files[i]));
    (void)rmdir(t->dir);
    arena_free(t->arena);
    free(t);
    return 0;
}

static void put(struct image_test *t, const char *name, const void *data, size_t n)
{
    const char *path = arena_fmt(t->arena, "%s/%s", t->dir, name);
    CLEANUP(close_p) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, n), n);
}

static void put_text(struct image_test *t, const char *name, const char *text)
{
    put(t, name, text, strlen(text));
}

static void image_is_read(void **state)
{
    struct image_test *t = *state;
    struct image im;

    put_text(t, "root.img", "bytes");
    put_text(t, "vmlinux", "bytes");
    put_text(t, "image.json",
             "{\"name\":\"tiny\",\"disk\":\"root.img\",\"kernel\":\"vmlinux\",\"minDiskGiB\":3,"
             "\"osName\":\"Tiny\",\"cloudInit\":true,\"digest\":\"sha256:00\",\"later\":[1]}");
    assert_null(image_dir_read(t->arena, t->dir, &im));
    assert_string_equal(im.name, "tiny");
    assert_string_equal(im.os_name, "Tiny");
    assert_string_equal(im.os_type, "linux");
    assert_string_equal(im.arch, "x86_64");
    assert_string_equal(im.digest, "sha256:00");
    assert_string_equal(im.path, t->dir);
    assert_int_equal(im.size_gib, 3);
    assert_true(im.direct_kernel);
    assert_true(im.cloud_init);
}

static void refused(struct image_test *t, const char *json, const char *because)
{
    struct image im;

    put_text(t, "image.json", json);
    const char *bad = image_dir_read(t->arena, t->dir, &im);
    if (!bad || !strstr(bad, because))
        FAIL("%s: %s, not %s", json, bad ? bad : "accepted", because);
}

static void image_that_is_none(void **state)
{
    struct image_test *t = *state;
    struct image im;

    assert_non_null(image_dir_read(t->arena, "/nonexistent", &im));
    assert_non_null(strstr(image_dir_read(t->arena, t->dir, &im), "image.json"));
    put_text(t, "root.img", "bytes");
    refused(t, "", "image.json");
    refused(t, "[]", "not a JSON object");
    refused(t, "{\"minDiskGiB\":1}", "names no disk");
    refused(t, "{\"disk\":\"root.img\"}", "minDiskGiB");
    refused(t, "{\"disk\":\"root.img\",\"minDiskGiB\":0}", "minDiskGiB");
    refused(t, "{\"disk\":\"root.img\",\"minDiskGiB\":\"1\"}", "minDiskGiB");
    refused(t, "{\"disk\":\"missing\",\"minDiskGiB\":1}", "missing");
    refused(t, "{\"disk\":7,\"minDiskGiB\":1}", "not a file name");
    refused(t, "{\"disk\":\"root.img\",\"kernel\":\"none\",\"minDiskGiB\":1}", "none");
}

static void image_reaches_no_other_file(void **state)
{
    struct image_test *t = *state;

    refused(t, "{\"disk\":\"/etc/passwd\",\"minDiskGiB\":1}", "not a file name");
    refused(t, "{\"disk\":\"../image.json\",\"minDiskGiB\":1}", "not a file name");
    refused(t, "{\"disk\":\"..\",\"minDiskGiB\":1}", "not a file name");
    refused(t, "{\"disk\":\".\",\"minDiskGiB\":1}", "not a file name");
}

static void qcow2_reaches_no_other_file(void **state)
{
    static const char json[] = "{\"disk\":\"root.img\",\"minDiskGiB\":1}";
    struct image_test *t = *state;
    unsigned char header[104] = {'Q', 'F', 'I', 0xfb, 0, 0, 0, 3};
    struct image im;

    put_text(t, "image.json", json);
    put(t, "root.img", header, sizeof(header));
    assert_null(image_dir_read(t->arena, t->dir, &im));
    header[15] = 104; /* where its backing file's name stands */
    put(t, "root.img", header, sizeof(header));
    refused(t, json, "backing file");
    header[15] = 0;
    header[79] = 1 << 2; /* external data */
    put(t, "root.img", header, sizeof(header));
    refused(t, json, "another file");
}

static void image_ids(void **state)
{
    char word[70];

    (void)state;
    assert_true(file_name_ok("m-bp1"));
    assert_true(file_name_ok("debian_12.vhd"));
    assert_true(file_name_ok("7"));
    assert_false(file_name_ok(""));
    assert_false(file_name_ok("."));
    assert_false(file_name_ok(".."));
    assert_false(file_name_ok(".import-abc"));
    assert_false(file_name_ok("a/b"));
    assert_false(file_name_ok("a b"));
    memset(word, 'a', 65);
    word[65] = 0;
    assert_false(file_name_ok(word));
    word[64] = 0;
    assert_true(file_name_ok(word));
}

/* ---- SSH keys ---- */

#define ED25519 "AAAAC3NzaC1lZDI1NTE5AAAAIOdEWIwwbsOLpsMuqq6rJrTib6QK48l8SbxnLveIOZyQ"
#define ECDSA                                                                                      \
    "AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBCdgFxVtvFDC2uwu1xQjdxVabU3d4UJdB33RBm4p" \
    "N4sHwzmHU+/dgDSBexx0ZRXgkYhVfQoj3jyxIqggnHgRIEE="

/* The fingerprints are ssh-keygen -l -E md5's. */
static void keys_are_read(void **state)
{
    static const struct {
        const char *text, *line, *fingerprint;
    } keys[] = {
        {"ssh-ed25519 " ED25519 " me@x\n", "ssh-ed25519 " ED25519 " me@x",
         "8e:0b:58:c1:df:e7:b6:df:a5:d0:26:3a:64:da:41:f0"},
        {"  ssh-ed25519\t" ED25519 "\r\n\n", "ssh-ed25519 " ED25519,
         "8e:0b:58:c1:df:e7:b6:df:a5:d0:26:3a:64:da:41:f0"},
        {"ecdsa-sha2-nistp256 " ECDSA " ec key ", "ecdsa-sha2-nistp256 " ECDSA " ec key",
         "32:3f:75:d9:c0:ae:30:b3:74:14:b1:fe:e9:53:f6:60"},
    };
    CLEANUP(arena_free_p) struct arena *a = arena_new();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        const char *line, *fingerprint;

        assert_true(keypair_parse(a, keys[i].text, &line, &fingerprint));
        assert_string_equal(line, keys[i].line);
        assert_string_equal(fingerprint, keys[i].fingerprint);
    }
}

static void keys_that_are_none(void **state)
{
    static const char *const texts[] = {
        "",
        "ssh-ed25519",
        "ssh-ed25519 " ED25519 "\nssh-ed25519 " ED25519, /* two */
        "command=\"x\" ssh-ed25519 " ED25519,
        "ssh-ed25519 " ECDSA, /* says it is something else */
        "ssh-dss AAAAB3NzaC1kc3M=",
        "ssh-ed25519 AAAA",
        "ssh-ed25519 !!!!",
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5",         /* only its type */
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOdE", /* cut off */
        "ssh-ed25519 " ED25519 " bell\a",
        "-----BEGIN OPENSSH PRIVATE KEY-----",
    };
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    char *huge = xcalloc(1, KEYPAIR_MAX_TEXT + 2);
    const char *line, *fingerprint;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        if (keypair_parse(a, texts[i], &line, &fingerprint))
            FAIL("accepted: %s", texts[i]);
    memset(huge, 'A', KEYPAIR_MAX_TEXT + 1);
    assert_false(keypair_parse(a, huge, &line, &fingerprint));
    free(huge);
}

static enum err import_me(struct op *op, void *arg)
{
    return keypair_import(op, "me", "ssh-ed25519 " ED25519, false, arg);
}

static enum err delete_me(struct op *op, void *arg)
{
    return keypair_delete(op, arg);
}

static enum err get_of_stranger(struct op *op, void *arg)
{
    struct keypair k;

    op->account = "1234567812345678";
    return keypair_get(op, arg, &k);
}

static void key_pairs_are_an_accounts_by_name(void **state)
{
    struct test_world *w = test_world_new();
    struct keypair k = {0}, again;

    (void)state;
    assert_int_equal(test_write(w, import_me, &k), ERR_NONE);
    assert_true(str_starts(k.id, "ssh-"));
    CLEANUP(free_p) char *id = xstrdup(k.id);
    assert_int_equal(test_write(w, import_me, &again), ERR_KEYPAIR_EXISTS);
    assert_int_equal(test_read(w, get_of_stranger, id), ERR_KEYPAIR_NOT_FOUND);
    assert_int_equal(test_read(w, get_of_stranger, (char *)"me"), ERR_KEYPAIR_NOT_FOUND);
    assert_int_equal(test_write(w, delete_me, (char *)"me"), ERR_NONE);
    assert_int_equal(test_write(w, delete_me, id), ERR_KEYPAIR_NOT_FOUND);
    assert_int_equal(test_write(w, import_me, &again), ERR_NONE);
    test_world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_error_is_said_once),
        cmocka_unit_test(actions_are_the_operators_and_sorted),
        cmocka_unit_test_setup_teardown(image_is_read, image_setup, image_teardown),
        cmocka_unit_test_setup_teardown(image_that_is_none, image_setup, image_teardown),
        cmocka_unit_test_setup_teardown(image_reaches_no_other_file, image_setup, image_teardown),
        cmocka_unit_test_setup_teardown(qcow2_reaches_no_other_file, image_setup, image_teardown),
        cmocka_unit_test(image_ids),
        cmocka_unit_test(keys_are_read),
        cmocka_unit_test(keys_that_are_none),
        cmocka_unit_test(key_pairs_are_an_accounts_by_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
