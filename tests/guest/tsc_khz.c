/* Prints how fast this host's time stamp counter runs, in kHz: a guest kernel under emulation on
   microvm has nothing to measure it against and is told on its command line. */
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <x86intrin.h>

static int64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC_RAW, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int main(void)
{
    int64_t start = now_ns(), end;
    uint64_t first = __rdtsc();

    do {
        end = now_ns();
    } while (end - start < 20000000);
    printf("%llu\n", (unsigned long long)((__rdtsc() - first) * 1000000 / (uint64_t)(end - start)));
    return 0;
}
