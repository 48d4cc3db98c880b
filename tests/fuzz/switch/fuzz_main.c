/* Runs a fuzz target without a fuzzer: the files that are named, or a seeded number of mutated
 * inputs. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

#define ROUNDS    200000
#define INPUT_MAX 2048

static uint64_t seed = 0x9e3779b97f4a7c15u;

static uint32_t next(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)(seed >> 16);
}

static int run_file(const char *path)
{
    static uint8_t data[1 << 20];
    FILE *f = fopen(path, "rb");
    size_t len;

    if (!f)
        return 1;
    len = fread(data, 1, sizeof(data), f);
    (void)fclose(f);
    return LLVMFuzzerTestOneInput(data, len);
}

/* The input is copied to a block of exactly its size, so that a sanitizer sees every byte read
 * beyond it. */
static void run_mutated(void)
{
    uint8_t data[INPUT_MAX];
    size_t len = fuzz_seed(next(), data, sizeof(data));
    uint8_t *exact;

    for (uint32_t n = next() % 8; n && len; n--)
        data[next() % len] = (uint8_t)next();
    if (len && next() % 4 == 0)
        len = next() % len;
    exact = malloc(len ? len : 1);
    memcpy(exact, data, len);
    (void)LLVMFuzzerTestOneInput(exact, len);
    free(exact);
}

int main(int argc, char **argv)
{
    int r = 0;

    for (int i = 1; i < argc; i++)
        r |= run_file(argv[i]);
    for (int i = 0; argc == 1 && i < ROUNDS; i++)
        run_mutated();
    return r;
}
