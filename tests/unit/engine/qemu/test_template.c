/* Templates as files: what has one, whose it is, what it is refused for; the line for the guest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "engine/qemu/template.h"
#include "engine/qemu/vmdir.h"

/* Last: it defines fail as a macro. */
#include <cmocka.h>

static const struct machine_disk disks[] = {
    {.id = "d-1", .category = "cloud_essd", .kind = DISK_SYSTEM, .size_gib = 20},
    {.id = "d-2", .category = "cloud_essd", .kind = DISK_DATA, .size_gib = 40},
};

static const struct machine tiny = {.id = "i-1",
                                    .cpu = 1,
                                    .memory_mib = 64,
                                    .direct_kernel = true,
                                    .disks = disks,
                                    .n_disks = 2,
                                    .cidr = "10.1.0.0/16",
                                    .ip = "10.1.0.7",
                                    .mac = "00:16:3e:00:00:07",
                                    .metadata =
                                        "{\"instance-id\":\"i-1\",\"hostname\":\"web-1\","
                                        "\"public-keys\":{\"0\":{\"openssh-key\":\"ab c\"}}}",
                                    .user_data = "",
                                    .serial = "s"};

struct place {
    char dir[64];
    struct image_files image;
    struct arena *a;
};

static void put(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static int set_up(void **state)
{
    struct place *p = xcalloc(1, sizeof(*p));

    (void)snprintf(p->dir, sizeof(p->dir), "/tmp/ostler-template-XXXXXX");
    assert_non_null(mkdtemp(p->dir));
    p->a = arena_new();
    p->image = (struct image_files){.kernel = arena_fmt(p->a, "%s/vmlinux", p->dir),
                                    .initrd = arena_fmt(p->a, "%s/initramfs", p->dir),
                                    .cmdline = "console=ttyS0",
                                    .is_template = true};
    put(p->image.kernel, "kernel");
    put(p->image.initrd, "initramfs");
    *state = p;
    return 0;
}

static int tear_down(void **state)
{
    struct place *p = *state;
    int tmp = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    (void)vmdir_remove_at(tmp, p->dir + strlen("/tmp/"));
    (void)close(tmp);
    arena_free(p->a);
    free(p);
    return 0;
}

/* As template_ask_new would make it of an engine. */
static struct template_ask *ask(const struct place *p, const struct machine *m)
{
    struct template_ask *ask = xcalloc(1, sizeof(*ask));

    *ask = (struct template_ask){.dir = xstrdup(p->dir),
                                 .host = xstrdup("host"),
                                 .platform = {.tsc_khz = 2249996},
                                 .ram = -1,
                                 .state = -1};
    template_look(ask, m, &p->image);
    return ask;
}

static const char *key_of(struct place *p, const struct machine *m)
{
    struct template_ask *found = ask(p, m);
    const char *key = arena_str(p->a, found->key);

    template_ask_free(found);
    return key;
}

static void test_a_key_is_a_shape(void **state)
{
    struct place *p = *state;
    const char *key = key_of(p, &tiny);
    struct machine other = tiny;
    struct machine_disk changed[2] = {disks[0], disks[1]};

    assert_int_equal(strlen(key), TEMPLATE_KEY_SIZE - 1);
    /* Names, addresses and secrets are one machine's: */
    other.id = "i-2";
    other.ip = "10.1.0.8";
    other.mac = "00:16:3e:00:00:08";
    other.serial = "t";
    other.metadata = "{}";
    other.user_data = "#!/bin/sh";
    changed[1].id = "d-9";
    changed[1].encrypted = true;
    changed[1].kind = DISK_LOCAL;
    other.disks = changed;
    assert_string_equal(key_of(p, &other), key);
    /* and what the guest's drivers have seen is not. */
    changed[1].size_gib++;
    assert_string_not_equal(key_of(p, &other), key);
    other = tiny;
    other.memory_mib = 128;
    assert_string_not_equal(key_of(p, &other), key);
    other = tiny;
    other.cpu = 2;
    assert_string_not_equal(key_of(p, &other), key);
    other = tiny;
    other.n_disks = 1;
    assert_string_not_equal(key_of(p, &other), key);
    put(p->image.initrd, "another initramfs");
    assert_string_not_equal(key_of(p, &tiny), key);
}

static void test_some_have_none(void **state)
{
    struct place *p = *state;
    struct machine own_loader = tiny, large = tiny;

    own_loader.direct_kernel = false;
    large.memory_mib = 8193;
    assert_string_equal(key_of(p, &own_loader), "");
    assert_string_equal(key_of(p, &large), "");
    p->image.is_template = false;
    assert_string_equal(key_of(p, &tiny), "");
}

/* The directory as a maker leaves it. */
static const char *make(struct place *p, const char *key)
{
    const char *all = arena_fmt(p->a, "%s/templates", p->dir);

    (void)mkdir(all, 0700);
    assert_int_equal(mkdir(arena_fmt(p->a, "%s/.new", all), 0700), 0);
    put(arena_fmt(p->a, "%s/.new/ram", all), "memory");
    put(arena_fmt(p->a, "%s/.new/state", all), "state");
    return template_seal(p->a, p->dir, ".new", key);
}

static bool finds(struct place *p, const char **ret_broken)
{
    struct template_ask *found = ask(p, &tiny);
    bool has = found->ram >= 0 && found->state >= 0;

    *ret_broken = found->broken;
    template_ask_free(found);
    return has;
}

static void test_one_is_found_and_checked(void **state)
{
    struct place *p = *state;
    const char *key = key_of(p, &tiny), *broken;
    const char *at = arena_fmt(p->a, "%s/templates/%s", p->dir, key);

    assert_false(finds(p, &broken));
    assert_null(broken);
    assert_null(make(p, key));
    assert_true(finds(p, &broken));
    assert_true(finds(p, &broken));
    put(arena_fmt(p->a, "%s/state", at), "stale");
    assert_false(finds(p, &broken));
    assert_non_null(broken);
    assert_int_equal(access(at, F_OK), -1); /* and nobody meets it again */
    assert_false(finds(p, &broken));
    assert_null(broken);
}

static void test_another_key_in_the_manifest(void **state)
{
    struct place *p = *state;
    const char *key = key_of(p, &tiny), *broken;

    assert_null(make(p, "0123456789abcdef0123456789abcdef"));
    assert_int_equal(
        rename(arena_fmt(p->a, "%s/templates/0123456789abcdef0123456789abcdef", p->dir),
               arena_fmt(p->a, "%s/templates/%s", p->dir, key)),
        0);
    assert_false(finds(p, &broken));
    assert_non_null(broken);
}

static void test_the_least_used_go(void **state)
{
    struct place *p = *state;
    const char *name = NULL;

    for (int i = 0; i < 17; i++) {
        name = arena_fmt(p->a, "%032d", i);
        assert_null(make(p, name));
        /* Made long ago, one after the other. */
        assert_int_equal(
            utimensat(AT_FDCWD, arena_fmt(p->a, "%s/templates/%s/manifest.json", p->dir, name),
                      (struct timespec[]){{.tv_sec = 1000 + i}, {.tv_sec = 1000 + i}}, 0),
            0);
    }
    assert_int_equal(access(arena_fmt(p->a, "%s/templates/%032d", p->dir, 0), F_OK), -1);
    assert_int_equal(access(arena_fmt(p->a, "%s/templates/%032d", p->dir, 1), F_OK), 0);
    /* None was used for a month; and what was not finished goes too. */
    assert_int_equal(mkdir(arena_fmt(p->a, "%s/templates/.left", p->dir), 0700), 0);
    template_sweep(p->dir);
    assert_int_equal(access(arena_fmt(p->a, "%s/templates/%s", p->dir, name), F_OK), -1);
    assert_int_equal(access(arena_fmt(p->a, "%s/templates/.left", p->dir), F_OK), -1);
}

static const char *line_of(struct place *p, const struct machine *m)
{
    CLEANUP(buf_done) struct buf b = {0};

    template_line(&b, m);
    return arena_str(p->a, buf_cstr(&b));
}

static void test_the_line_says_what_dhcp_would(void **state)
{
    struct place *p = *state;
    const char *line = line_of(p, &tiny);

    assert_memory_equal(line, "GO time=", 8);
    assert_non_null(strstr(line, " mac=00:16:3e:00:00:07 address=10.1.0.7 netmask=255.255.0.0 "
                                 "gateway=10.1.255.253 dns=10.1.255.254 mtu=1500 id=i-1 "
                                 "hostname=web-1 key=61622063 userdata=no\n"));
    assert_string_not_equal(line_of(p, &tiny), line); /* never the same random numbers */
}

/* A word that is none would be read as two. Then the guest asks for itself. */
static void test_what_is_no_word_is_not_said(void **state)
{
    struct place *p = *state;
    struct machine m = tiny;

    m.metadata = "{\"instance-id\":\"i-1\",\"hostname\":\"web key=ff\"}";
    assert_null(strstr(line_of(p, &m), "address="));
    m.metadata = "{\"instance-id\":\"i-1\"}";
    assert_null(strstr(line_of(p, &m), "address="));
    m.metadata = "nonsense";
    assert_null(strstr(line_of(p, &m), "address="));
    m = tiny;
    m.cidr = "";
    assert_null(strstr(line_of(p, &m), "address="));
    m = tiny;
    m.metadata = "{\"instance-id\":\"i-1\",\"hostname\":\"a\"}";
    m.user_data = "x";
    assert_non_null(strstr(line_of(p, &m), " key=- userdata=yes\n"));
}

static const char *joined(struct place *p, char **argv)
{
    CLEANUP(buf_done) struct buf b = {0};

    for (; *argv; argv++)
        buf_fmt(&b, " %s", *argv);
    return arena_str(p->a, buf_cstr(&b));
}

static void test_command_lines(void **state)
{
    struct place *p = *state;
    const struct platform platform = {0};
    struct machine *m = template_machine(p->a, &tiny);
    const char *made =
        joined(p, template_make_args(p->a, args_build(p->a, m, &p->image, &platform), m));
    const char *restored = joined(
        p, template_restore_args(p->a, args_build(p->a, &tiny, &p->image, &platform), &tiny, 5));

    assert_non_null(strstr(made, " -append console=ttyS0 ostler.template=1"));
    assert_non_null(strstr(made, " -M microvm,acpi=on,memory-backend=ram"));
    assert_non_null(strstr(made, "mem-path=/proc/self/fd/3/ram,size=64M,share=on"));
    assert_non_null(strstr(made, " driver=null-co,node-name=d1,read-zeroes=on,size=42949672960 "));
    assert_null(strstr(made, "qcow2"));
    assert_null(strstr(restored, "ostler.template"));
    assert_non_null(strstr(restored, " -object memory-backend-file,id=ram,mem-path=/proc/self/fd/5,"
                                     "size=64M,share=off -incoming defer"));
    assert_non_null(strstr(restored, "file.filename=/proc/self/fd/3/system.qcow2"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        T(test_a_key_is_a_shape),
        T(test_some_have_none),
        T(test_one_is_found_and_checked),
        T(test_another_key_in_the_manifest),
        T(test_the_least_used_go),
        T(test_the_line_says_what_dhcp_would),
        T(test_what_is_no_word_is_not_said),
        T(test_command_lines),
#undef T
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
