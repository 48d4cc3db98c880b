/*
 * The bare disk: one thread that writes as many bytes as one of Ostler's commits adds to its
 * write-ahead log, and makes them durable, again and again. What durable writes are compared with.
 * Their group commit lets many requests share one sync, so more requests than syncs a second are
 * possible.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <time.h>

#include "base/util.h"
#include "bench/hist.h"

enum {
    FILE_BYTES = 4 << 20, /* a log is overwritten from its start after about as much */
    MAX_BYTES = 1 << 20,
};

struct options {
    const char *file;
    long long bytes, seconds;
    bool append;
};

static int64_t now_ns(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t); /* cannot fail */
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int write_all(int fd, const char *data, size_t n, off_t at)
{
    while (n) {
        ssize_t got = pwrite(fd, data, n, at);

        if (got < 0 && errno != EINTR)
            return -errno;
        if (got > 0) {
            data += got;
            at += got;
            n -= (size_t)got;
        }
    }
    return 0;
}

/* A log that was written through once: overwriting it moves no size, which costs a sync less. */
static int fill(int fd, const char *data, size_t bytes)
{
    for (off_t at = 0; at < FILE_BYTES; at += (off_t)bytes) {
        int e = write_all(fd, data, bytes, at);

        if (e)
            return e;
    }
    return fsync(fd) < 0 ? -errno : 0;
}

static int measure(int fd, const struct options *o, const char *data, struct hist *h)
{
    const int64_t end = now_ns() + (int64_t)o->seconds * 1000000000;
    const size_t bytes = (size_t)o->bytes;
    off_t at = 0;

    for (int64_t began = now_ns(), now; began < end; began = now) {
        if (!o->append && at + (off_t)bytes > FILE_BYTES)
            at = 0;
        int e = write_all(fd, data, bytes, at);
        if (e)
            return e;
        if (fdatasync(fd) < 0)
            return -errno;
        now = now_ns();
        hist_add(h, (uint64_t)(now - began) / 1000);
        at += (off_t)bytes;
    }
    return 0;
}

static void report(const struct options *o, const struct hist *h, double seconds)
{
    static const struct {
        const char *name;
        double percent;
    } rows[] = {{"p50_us", 50}, {"p90_us", 90}, {"p99_us", 99}, {"p999_us", 99.9}};

    (void)printf("{\"bytes\":%lld,\"mode\":\"%s\",\"syncs\":%llu,\"seconds\":%.3f,\"rps\":%.1f",
                 o->bytes, o->append ? "append" : "overwrite", (unsigned long long)h->n, seconds,
                 (double)h->n / seconds);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        (void)printf(",\"%s\":%.1f", rows[i].name, hist_percentile(h, rows[i].percent));
    (void)printf(",\"max_us\":%llu}\n", (unsigned long long)h->max);
}

static int run(const struct options *o)
{
    static struct hist h;
    static char data[MAX_BYTES];
    CLEANUP(close_p) int fd = open(o->file, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (char)(i * 2654435761U >> 13); /* no disk may think it knows it */
    int e = fd < 0 ? -errno : 0;
    if (!e && !o->append)
        e = fill(fd, data, (size_t)o->bytes);
    int64_t began = now_ns();
    if (!e)
        e = measure(fd, o, data, &h);
    if (e) {
        (void)fprintf(stderr, "fdatasync: %s: %s\n", o->file, strerror(-e));
        return 1;
    }
    report(o, &h, (double)(now_ns() - began) / 1e9);
    return unlink(o->file) < 0;
}

int main(int argc, char **argv)
{
    struct options o = {.bytes = 8192, .seconds = 3};

    for (int i = 1; i < argc; i++) {
        const char *name = argv[i], *value = i + 1 < argc ? argv[i + 1] : NULL;
        bool known = streq(name, "--append") ? (o.append = true) : false;

        if (!known && value && ++i) {
            if (streq(name, "--file"))
                known = (o.file = value) != NULL;
            else if (streq(name, "--bytes"))
                known = !parse_i64(value, &o.bytes) && o.bytes > 0 && o.bytes <= MAX_BYTES;
            else if (streq(name, "--seconds"))
                known = !parse_i64(value, &o.seconds) && o.seconds > 0 && o.seconds < 3600;
        }
        if (known)
            continue;
        (void)fprintf(stderr,
                      "usage: fdatasync --file FILE [--bytes N] [--seconds N] [--append]\n");
        return 2;
    }
    return o.file ? run(&o) : 2;
}
