/*
 * A histogram of latencies in microseconds: 128 buckets to each doubling, so that a percentile is
 * within one part in 128 of the truth, whatever its size. Grows with nothing; owned by the caller.
 */
#ifndef OSTLER_BENCH_HIST_H
#define OSTLER_BENCH_HIST_H

#include <stdint.h>

enum {
    HIST_SUB_BITS = 7,
    HIST_DOUBLINGS = 26,
    HIST_BUCKETS = (HIST_DOUBLINGS + 1) << HIST_SUB_BITS
};

struct hist {
    uint64_t bucket[HIST_BUCKETS];
    uint64_t n, sum, max;
};

/* Beyond about two hours everything lands in the last bucket; `max` stays exact. */
void hist_add(struct hist *h, uint64_t us);

/* The middle of the bucket below which `percent` of the values lie; 0 of an empty one. */
double hist_percentile(const struct hist *h, double percent);

double hist_mean(const struct hist *h);

/* The lowest value of a bucket, for who prints them all. */
uint64_t hist_floor(unsigned bucket);

#endif
