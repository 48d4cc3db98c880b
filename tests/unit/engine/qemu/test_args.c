/* Golden command lines: whoever changes one changes machines that exist, and should see it here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "engine/qemu/args.h"
#include "engine/qemu/reason.h"
#include "engine/qemu/spec.h"

/* Last: it defines fail as a macro. */
#include <cmocka.h>

#define CHANNELS_1                                                                                 \
    " -chardev socket,id=mon,fd=4,server=on,wait=off -mon chardev=mon,mode=control"                \
    " -chardev socket,id=ser0,path=/proc/self/fd/3/serial.sock,server=on,wait=off,"                \
    "logfile=/proc/self/fd/3/serial.log,logappend=on -serial chardev:ser0"
#define CHANNELS_2                                                                                 \
    " -chardev socket,id=rdy,path=/proc/self/fd/3/ready.sock,server=on,wait=off"                   \
    " -device virtserialport,id=rdyport,chardev=rdy,name=ostler.ready"
#define NETDEV                                                                                     \
    " -netdev dgram,id=n0,local.type=unix,local.path=/proc/self/fd/3/vm.sock,remote.type=unix,"    \
    "remote.path=/proc/self/fd/3/sw.sock"
#define SANDBOX " -sandbox on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"
#define HEAD                                                                                       \
    "qemu-system-x86_64 -nodefaults -no-user-config -display none -no-shutdown -name "             \
    "i-1,process=i-1"

static const struct machine_disk system_disk = {
    .id = "d-0123456789abcdefghij", .category = "cloud_essd", .kind = DISK_SYSTEM, .size_gib = 20};

static const struct machine tiny = {.id = "i-1",
                                    .cpu = 1,
                                    .memory_mib = 256,
                                    .direct_kernel = true,
                                    .disks = &system_disk,
                                    .n_disks = 1,
                                    .mac = "00:16:3e:00:00:01",
                                    .serial = "8d9b8c7e-0000-4000-8000-000000000001"};

static const struct image_files direct = {
    .kernel = "/img/vmlinux", .initrd = "/img/initramfs.cpio", .cmdline = "console=ttyS0 quiet"};

static void expect(const struct machine *m, const struct image_files *image,
                   const struct platform *p, const char *wanted)
{
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    CLEANUP(buf_done) struct buf line = {0};

    for (char **arg = args_build(a, m, image, p); *arg; arg++) {
        if (line.len)
            buf_char(&line, ' ');
        buf_str(&line, *arg);
    }
    assert_string_equal(buf_cstr(&line), wanted);
}

static void test_tiny_under_tcg(void **state)
{
    (void)state;
    expect(
        &tiny, &direct, &(struct platform){.sandbox = true, .io_uring = true, .tsc_khz = 2249996},
        HEAD
        " -accel tcg -M microvm,acpi=on -m 256 -smp 1 -kernel /img/vmlinux"
        " -initrd /img/initramfs.cpio"
        " -append console=ttyS0 quiet no_timer_check tsc_early_khz=2249996 tsc=reliable" CHANNELS_1
        " -device virtio-serial-device" CHANNELS_2
        " -device pvpanic -device virtio-rng-device" NETDEV
        " -device virtio-net-device,netdev=n0,mac=00:16:3e:00:00:01"
        " -blockdev driver=qcow2,node-name=d0,discard=unmap,file.driver=file,"
        "file.filename=/proc/self/fd/3/system.qcow2,file.aio=io_uring,file.discard=unmap"
        " -device virtio-blk-device,drive=d0,serial=d-0123456789abcdefgh,werror=enospc,"
        "rerror=report" SANDBOX);
}

/* KVM keeps time by itself, and shows the host's CPU where that works. */
static void test_tiny_under_kvm(void **state)
{
    struct image_files no_initrd = {.kernel = "/img/vmlinux", .cmdline = "console=ttyS0"};

    (void)state;
    expect(&tiny, &no_initrd, &(struct platform){.kvm = true, .cpu_host = true, .tsc_khz = 2249996},
           HEAD " -accel kvm -M microvm,acpi=on -cpu host -m 256 -smp 1 -kernel /img/vmlinux"
                " -append console=ttyS0" CHANNELS_1 " -device virtio-serial-device" CHANNELS_2
                " -device pvpanic -device virtio-rng-device" NETDEV
                " -device virtio-net-device,netdev=n0,mac=00:16:3e:00:00:01"
                " -blockdev driver=qcow2,node-name=d0,discard=unmap,file.driver=file,"
                "file.filename=/proc/self/fd/3/system.qcow2,file.aio=threads,file.discard=unmap"
                " -device virtio-blk-device,drive=d0,serial=d-0123456789abcdefgh,werror=enospc,"
                "rerror=report");
}

/* An ordinary cloud image boots from its own disk, and finds the cloud's name in its firmware. */
static void test_cloud_image(void **state)
{
    struct machine m = tiny;

    (void)state;
    m.direct_kernel = false;
    m.cpu = 2;
    m.memory_mib = 2048;
    expect(&m, &(struct image_files){.disk = "/img/disk.qcow2", .cmdline = ""},
           &(struct platform){.sandbox = true},
           HEAD " -accel tcg -M pc-q35-7.2 -cpu max -m 2048 -smp 2 -smbios type=1,"
                "manufacturer=Alibaba Cloud,product=Alibaba Cloud ECS,"
                "serial=8d9b8c7e-0000-4000-8000-000000000001" CHANNELS_1
                " -device virtio-serial-pci" CHANNELS_2
                " -device pvpanic -device virtio-rng-pci" NETDEV
                " -device virtio-net-pci,netdev=n0,mac=00:16:3e:00:00:01"
                " -blockdev driver=qcow2,node-name=d0,discard=unmap,file.driver=file,"
                "file.filename=/proc/self/fd/3/system.qcow2,file.aio=threads,file.discard=unmap"
                " -device virtio-blk-pci,drive=d0,serial=d-0123456789abcdefgh,werror=enospc,"
                "rerror=report,bootindex=0" SANDBOX);
}

/* Each encrypted disk has a descriptor of its own, numbered without gaps; no key is in sight. */
static void test_encrypted_disks(void **state)
{
    const struct bytes key = {.data = "0123456789abcdef0123456789abcdef", .len = 32};
    const struct machine_disk disks[] = {
        {.id = "d-sys", .kind = DISK_SYSTEM, .encrypted = true, .data_key = key},
        {.id = "d-data", .kind = DISK_DATA},
        {.id = "d-two,x=y", .kind = DISK_DATA, .encrypted = true, .data_key = key}};
    struct machine m = tiny;

    (void)state;
    m.disks = disks;
    m.n_disks = ARRAY_LEN(disks);
    expect(&m, &direct, &(struct platform){.io_uring = true},
           HEAD
           " -accel tcg -M microvm,acpi=on -m 256 -smp 1 -kernel /img/vmlinux"
           " -initrd /img/initramfs.cpio -append console=ttyS0 quiet" CHANNELS_1
           " -device virtio-serial-device" CHANNELS_2
           " -device pvpanic -device virtio-rng-device" NETDEV
           " -device virtio-net-device,netdev=n0,mac=00:16:3e:00:00:01"
           " -object secret,id=k0,format=raw,file=/dev/fd/5"
           " -blockdev driver=qcow2,node-name=d0,discard=unmap,encrypt.format=luks,"
           "encrypt.key-secret=k0,file.driver=file,"
           "file.filename=/proc/self/fd/3/system.qcow2,file.aio=io_uring,file.discard=unmap"
           " -device virtio-blk-device,drive=d0,serial=d-sys,werror=enospc,rerror=report"
           " -blockdev driver=qcow2,node-name=d1,discard=unmap,file.driver=file,"
           "file.filename=/proc/self/fd/3/d-data.qcow2,file.aio=io_uring,file.discard=unmap"
           " -device virtio-blk-device,drive=d1,serial=d-data,werror=enospc,rerror=report"
           " -object secret,id=k2,format=raw,file=/dev/fd/6"
           " -blockdev driver=qcow2,node-name=d2,discard=unmap,encrypt.format=luks,"
           "encrypt.key-secret=k2,file.driver=file,"
           "file.filename=/proc/self/fd/3/d-two,,x=y.qcow2,file.aio=io_uring,"
           "file.discard=unmap"
           " -device virtio-blk-device,drive=d2,serial=d-two,,x=y,werror=enospc,rerror=report");
}

/* A disk in trouble has a layer that makes it, by the name by which it is taken out again; a
 * machine that is to break asks for what QEMU does not have. */
static void test_trouble(void **state)
{
    const struct machine_disk disks[] = {
        {.id = "d-sys", .kind = DISK_SYSTEM, .trouble = DISK_ERRORS},
        {.id = "d-data", .kind = DISK_DATA, .trouble = DISK_FULL}};
    struct machine m = tiny;

    (void)state;
    m.disks = disks;
    m.n_disks = ARRAY_LEN(disks);
    m.broken = true;
    expect(&m, &direct, &(struct platform){.io_uring = true},
           HEAD " -accel tcg -M microvm,acpi=on -m 256 -smp 1 -kernel /img/vmlinux"
                " -initrd /img/initramfs.cpio -append console=ttyS0 quiet" CHANNELS_1
                " -device virtio-serial-device" CHANNELS_2
                " -device pvpanic -device virtio-rng-device" NETDEV
                " -device virtio-net-device,netdev=n0,mac=00:16:3e:00:00:01"
                " -blockdev driver=qcow2,node-name=d0,discard=unmap,file.driver=file,"
                "file.filename=/proc/self/fd/3/system.qcow2,file.aio=io_uring,file.discard=unmap"
                " -blockdev driver=blkdebug,node-name=f0,image=d0,inject-error.0.event=none,"
                "inject-error.0.once=off,inject-error.0.immediately=on,inject-error.0.errno=5"
                " -device virtio-blk-device,drive=f0,serial=d-sys,werror=enospc,rerror=report"
                " -blockdev driver=qcow2,node-name=d1,discard=unmap,file.driver=file,"
                "file.filename=/proc/self/fd/3/d-data.qcow2,file.aio=io_uring,file.discard=unmap"
                " -blockdev driver=blkdebug,node-name=f1,image=d1,inject-error.0.event=none,"
                "inject-error.0.once=off,inject-error.0.immediately=on,"
                "inject-error.0.iotype=write,inject-error.0.errno=28"
                " -device virtio-blk-device,drive=f1,serial=d-data,werror=enospc,rerror=report"
                " -device ostler-asked-to-fail");
}

/* What does not fit microvm's bus goes onto q35, with a firmware that loads the kernel. */
static void test_many_disks(void **state)
{
    struct machine_disk disks[17];
    struct machine m = tiny;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(disks); i++)
        disks[i] = (struct machine_disk){.id = "d-x", .kind = i ? DISK_DATA : DISK_SYSTEM};
    m.disks = disks;
    m.n_disks = 16;
    assert_string_equal(args_machine_type(&m), "microvm");
    m.n_disks = 17;
    assert_string_equal(args_machine_type(&m), "pc-q35-7.2");
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    size_t n_bios = 0, n_blk = 0;
    for (char **arg = args_build(a, &m, &direct, &(struct platform){0}); *arg; arg++) {
        n_bios += streq(*arg, "qboot.rom");
        n_blk += str_starts(*arg, "virtio-blk-pci,");
    }
    assert_int_equal(n_bios, 1);
    assert_int_equal(n_blk, 17);
}

static void test_key_pipe(void **state)
{
    const unsigned char raw[] = {0x00, 0xff, 0x0a, 0x80};
    char text[16] = "";

    (void)state;
    CLEANUP(close_p) int fd = spec_key_pipe(&(struct bytes){.data = raw, .len = sizeof(raw)});
    assert_true(fd >= 0);
    assert_int_equal(read(fd, text, sizeof(text)), 8);
    assert_string_equal(text, "00ff0a80");
    assert_int_equal(read(fd, text, sizeof(text)), 0); /* the end: nobody waits for more */
    assert_true(spec_key_pipe(&(struct bytes){0}) < 0);
}

static void test_spec_is_deep(void **state)
{
    char id[] = "i-1", disk_id[] = "d-1", key[] = "secret";
    struct machine_disk d = {.id = disk_id, .encrypted = true, .data_key = {.data = key, .len = 6}};
    struct machine m = {.id = id, .disks = &d, .n_disks = 1};

    (void)state;
    struct machine *spec = spec_new(&m);
    memset(id, 'x', 3);
    memset(disk_id, 'x', 3);
    memset(key, 'x', 6);
    assert_string_equal(spec->id, "i-1");
    assert_string_equal(spec->user_data, ""); /* NULL becomes "" */
    assert_string_equal(spec->disks[0].id, "d-1");
    assert_memory_equal(spec->disks[0].data_key.data, "secret", 6);
    spec_free(spec);
}

/* As QEMU 7.2 says it. */
static void test_reasons(void **state)
{
    static const struct {
        const char *said, *means;
    } cases[] = {
        {"qemu-system-x86_64: -blockdev driver=qcow2: Could not open backing file: Could not open "
         "'/img/root.qcow2': No such file or directory\n",
         "the image that a disk is based on is missing or unreadable"},
        {"qemu-system-x86_64: -device virtio-blk-device,drive=d0: Failed to get \"write\" lock\nIs "
         "another process using the image [system.qcow2]?\n",
         "a disk is in use by another process"},
        {"qemu-system-x86_64: -blockdev x: Invalid password, cannot unlock any keyslot\n",
         "an encrypted disk does not open with its key"},
        {"first\nqemu-system-x86_64: cannot do\tthis\033[0m\n\n \n",
         "qemu-system-x86_64: cannot do this [0m"},
        {"", NULL},
        {"\n\n", NULL},
    };
    CLEANUP(arena_free_p) struct arena *a = arena_new();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *means = reason_of(a, cases[i].said);

        if (cases[i].means)
            assert_string_equal(means, cases[i].means);
        else
            assert_null(means);
    }
    char longer[2000];
    memset(longer, 'y', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = 0;
    assert_int_equal(strlen(reason_of(a, longer)), 300);
    assert_string_equal(reason_status(a, 9), "killed by signal 9");
    assert_string_equal(reason_status(a, 1 << 8), "exit code 1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tiny_under_tcg), cmocka_unit_test(test_tiny_under_kvm),
        cmocka_unit_test(test_cloud_image),    cmocka_unit_test(test_encrypted_disks),
        cmocka_unit_test(test_trouble),        cmocka_unit_test(test_many_disks),
        cmocka_unit_test(test_key_pipe),       cmocka_unit_test(test_spec_is_deep),
        cmocka_unit_test(test_reasons)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
