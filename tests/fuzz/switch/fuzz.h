/* What a fuzz target offers: libFuzzer's entry, and seeds for the runs without it. */
#ifndef OSTLER_TESTS_FUZZ_SWITCH_FUZZ_H
#define OSTLER_TESTS_FUZZ_SWITCH_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* Writes a sensible input, chosen by `which`, and returns its length. */
size_t fuzz_seed(uint32_t which, uint8_t *data, size_t cap);

#endif
