/* What a restored guest does with the line that tells it who it is. The kernel's calls are taken by
 * the linker (--wrap), so that what would reseed the kernel can be seen instead. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <linux/fs.h>
#include <linux/random.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "net.h"
#include "ready.h"
#include "template.h"

enum { SEED = 64 };

/* What was asked of the kernel, in order: C clock, E entropy, R reseed, M MAC, F flush of a disk.
 */
static struct {
    char order[64], said[64], mac[32];
    unsigned char seed[256];
    int seed_len, credited;
    struct timespec clock;
    int port;
} seen;

static void note(char what)
{
    size_t n = strlen(seen.order);

    /* However many disks the host has: each kind once in a row. */
    if (n + 1 < sizeof(seen.order) && !(n && seen.order[n - 1] == what))
        seen.order[n] = what;
}

int __wrap_ioctl(int fd, unsigned long request, ...);
int __wrap_ioctl(int fd, unsigned long request, ...)
{
    va_list ap;

    (void)fd;
    va_start(ap, request);
    if (request == RNDADDENTROPY) {
        const struct rand_pool_info *info = va_arg(ap, const struct rand_pool_info *);

        note('E');
        seen.credited = info->entropy_count;
        seen.seed_len = info->buf_size;
        memcpy(seen.seed, info->buf, (size_t)info->buf_size);
    } else if (request == RNDRESEEDCRNG) {
        note('R');
    } else if (request == BLKFLSBUF) {
        note('F');
    }
    va_end(ap);
    return 0;
}

int __wrap_clock_settime(clockid_t clock, const struct timespec *t);
int __wrap_clock_settime(clockid_t clock, const struct timespec *t)
{
    assert_int_equal(clock, CLOCK_REALTIME);
    note('C');
    seen.clock = *t;
    return 0;
}

int ready_open(int flags)
{
    (void)flags;
    return dup(seen.port);
}

bool ready_write(int fd, const char *line)
{
    (void)fd;
    (void)snprintf(seen.said + strlen(seen.said), sizeof(seen.said) - strlen(seen.said), "%s",
                   line);
    return true;
}

void net_set_mac(const char *mac)
{
    note('M');
    (void)snprintf(seen.mac, sizeof(seen.mac), "%s", mac);
}

/* The host says `line`; returns what the guest goes on with. */
static const char *told(const char *cmdline, const char *line)
{
    int ends[2];

    memset(&seen, 0, sizeof(seen));
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], line, strlen(line)), strlen(line));
    seen.port = ends[0];
    const char *got = template_point(cmdline);
    close(ends[0]);
    close(ends[1]);
    return got;
}

static void line_with(char *line, size_t size, const unsigned char *random)
{
    int n = snprintf(line, size, "GO time=1700000000.250000000 mac=00:16:3e:01:02:03 random=");

    for (size_t i = 0; i < SEED; i++)
        n += snprintf(line + n, size - (size_t)n, "%02x", random[i]);
    (void)snprintf(line + n, size - (size_t)n, "\n");
}

/* Two machines of one template begin from what each was given, all of it, and then anew. */
static void test_random_numbers_are_the_machines_own(void **state)
{
    unsigned char a[SEED], b[SEED], first[SEED];
    char line[512];

    (void)state;
    for (size_t i = 0; i < SEED; i++) {
        a[i] = (unsigned char)(i * 7 + 1);
        b[i] = (unsigned char)(250 - i);
    }
    line_with(line, sizeof(line), a);
    assert_non_null(told("console=ttyS0 ostler.template=1", line));
    assert_int_equal(seen.seed_len, SEED);
    assert_int_equal(seen.credited, 8 * SEED);
    assert_memory_equal(seen.seed, a, SEED);
    assert_non_null(strstr(seen.order, "ER"));
    memcpy(first, seen.seed, SEED);

    line_with(line, sizeof(line), b);
    assert_non_null(told("console=ttyS0 ostler.template=1", line));
    assert_memory_equal(seen.seed, b, SEED);
    assert_non_null(strstr(seen.order, "ER"));
    assert_memory_not_equal(seen.seed, first, SEED);
}

static void test_clock_and_card(void **state)
{
    unsigned char random[SEED] = {1};
    char line[512];

    (void)state;
    line_with(line, sizeof(line), random);
    assert_non_null(told("ostler.template=1", line));
    assert_string_equal(seen.said, "WAIT\nGONE\n");
    assert_string_equal(seen.mac, "00:16:3e:01:02:03");
    assert_int_equal(seen.clock.tv_sec, 1700000000);
    assert_int_equal(seen.clock.tv_nsec, 250000000);
    /* Random numbers before the card is touched: whatever the network draws is new. */
    assert_true(strchr(seen.order, 'R') < strchr(seen.order, 'M'));
}

static void test_a_boot_is_told_nothing(void **state)
{
    (void)state;
    assert_null(told("console=ttyS0 ostler.root=/dev/vda", "GO mac=00:16:3e:01:02:03\n"));
    assert_string_equal(seen.order, "");
    assert_string_equal(seen.said, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_numbers_are_the_machines_own),
        cmocka_unit_test(test_clock_and_card),
        cmocka_unit_test(test_a_boot_is_told_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
