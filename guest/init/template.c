/* See template.h. */
#include "template.h"

#include "net.h"
#include "ready.h"
#include "util.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/random.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum {
    LINE_SIZE = 96 * 1024, /* an SSH key in hexadecimal is the most of it */
    RANDOM_MAX = 256,
    PORT_MS = 2000, /* the driver makes its ports in the background */
    LOOK_AGAIN_MS = 2,
    SECTOR = 512,
};

static int await_port(void)
{
    int64_t deadline = now_ms() + PORT_MS;
    int port;

    while ((port = ready_open(O_RDWR | O_CLOEXEC)) < 0 && ms_left(deadline) > 0)
        usleep(LOOK_AGAIN_MS * 1000);
    return port;
}

/* One line, however long the host takes. With nobody at its end a read returns 0 at once. */
static bool read_line(int port, char *line, size_t size)
{
    size_t used = 0;

    while (used < size - 1 && !(used && line[used - 1] == '\n')) {
        ssize_t got = read(port, line + used, size - 1 - used);

        if (got > 0)
            used += (size_t)got;
        else if (got < 0 && errno != EINTR && errno != EAGAIN)
            return false;
        else
            usleep(LOOK_AGAIN_MS * 1000);
    }
    line[used] = '\0';
    return used && line[used - 1] == '\n';
}

static void set_clock(const char *line)
{
    char text[48], *end;
    struct timespec now;

    if (!cmdline_get(line, "time", text, sizeof(text)))
        return;
    now.tv_sec = strtoll(text, &end, 10);
    now.tv_nsec = *end == '.' ? strtol(end + 1, NULL, 10) : 0;
    if (clock_settime(CLOCK_REALTIME, &now) < 0)
        say("cannot set the clock: %s", strerror(errno));
}

/* The kernel's random numbers begin anew from what the host gave: machines of one template would
   draw the same ones. */
static void reseed(const char *line)
{
    union {
        char room[sizeof(struct rand_pool_info) + RANDOM_MAX];
        struct rand_pool_info info; /* ends where the bytes begin */
    } seed = {{0}};
    char text[2 * RANDOM_MAX + 1] = "";

    (void)cmdline_get(line, "random", text, sizeof(text)); /* without it there are no bytes */
    size_t count = hex_decode(text, (char *)seed.info.buf, RANDOM_MAX);
    seed.info.buf_size = (int)count;
    seed.info.entropy_count = (int)count * 8;
    int fd = open("/dev/urandom", O_RDWR | O_CLOEXEC);
    if (count == 0 || fd < 0 || ioctl(fd, RNDADDENTROPY, &seed) < 0 || ioctl(fd, RNDRESEEDCRNG) < 0)
        say("cannot renew the random numbers: %s", strerror(errno));
    if (fd >= 0)
        close(fd);
    explicit_bzero(&seed, sizeof(seed));
    explicit_bzero(text, sizeof(text));
}

/* Nothing of the template's disks may be saved: nobody reads them between this and the mount. */
static void forget_content(int disk)
{
    if (ioctl(disk, BLKFLSBUF) < 0)
        say("cannot forget what was on a disk: %s", strerror(errno));
}

/* Every partition table that the kernel knows begins with a boot record's signature. */
static void find_partitions(int disk)
{
    unsigned char sector[SECTOR];

    if (pread(disk, sector, sizeof(sector), 0) == SECTOR && sector[510] == 0x55 &&
        sector[511] == 0xaa && ioctl(disk, BLKRRPART) < 0)
        say("cannot read the partitions of a disk: %s", strerror(errno));
}

static void each_disk(void (*act)(int disk))
{
    DIR *disks = opendir("/sys/block");
    struct dirent *entry;
    char path[300];

    while (disks && (entry = readdir(disks))) {
        if (strncmp(entry->d_name, "vd", 2) != 0)
            continue;
        snprintf(path, sizeof(path), "/dev/%s", entry->d_name);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd >= 0)
            act(fd);
        if (fd >= 0)
            close(fd);
    }
    if (disks)
        closedir(disks);
}

static void become(const char *line)
{
    char mac[24];

    (void)!write(STDOUT_FILENO, "\n", 1); /* the console may stand behind somebody's prompt */
    set_clock(line);
    reseed(line);
    if (cmdline_get(line, "mac", mac, sizeof(mac)))
        net_set_mac(mac);
    each_disk(find_partitions);
}

const char *template_point(const char *cmdline)
{
    static char line[LINE_SIZE];
    char word[8];

    if (!cmdline_get(cmdline, "ostler.template", word, sizeof(word)))
        return NULL;
    int port = await_port();
    if (port < 0)
        return NULL;
    each_disk(forget_content);
    bool told = ready_write(port, "WAIT\n") && read_line(port, line, sizeof(line)) &&
                ready_write(port, "GONE\n");
    close(port);
    if (!told)
        return NULL;
    become(line);
    return line;
}
