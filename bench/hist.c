#include "bench/hist.h"

#include <stddef.h>

enum { SUB = 1 << HIST_SUB_BITS };

/* Values below SUB have a bucket each; above, the top SUB_BITS + 1 bits choose. */
static unsigned bucket_of(uint64_t us)
{
    if (us < SUB)
        return (unsigned)us;
    unsigned shift = 63U - (unsigned)__builtin_clzll(us) - HIST_SUB_BITS;
    unsigned at = ((shift + 1) << HIST_SUB_BITS) + (unsigned)((us >> shift) & (SUB - 1));

    return at < HIST_BUCKETS ? at : HIST_BUCKETS - 1;
}

uint64_t hist_floor(unsigned bucket)
{
    unsigned doubling = bucket >> HIST_SUB_BITS;
    uint64_t low = bucket & (SUB - 1);

    return doubling ? (low | SUB) << (doubling - 1) : low;
}

void hist_add(struct hist *h, uint64_t us)
{
    h->bucket[bucket_of(us)]++;
    h->n++;
    h->sum += us;
    if (us > h->max)
        h->max = us;
}

double hist_percentile(const struct hist *h, double percent)
{
    double want = (double)h->n * percent / 100;
    uint64_t seen = 0;

    for (unsigned i = 0; i < HIST_BUCKETS; i++) {
        seen += h->bucket[i];
        if (h->bucket[i] && (double)seen >= want)
            return (double)(hist_floor(i) + hist_floor(i + 1) - 1) / 2;
    }
    return (double)h->max;
}

double hist_mean(const struct hist *h)
{
    return h->n ? (double)h->sum / (double)h->n : 0;
}
