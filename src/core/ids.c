/* Snowflakes: milliseconds above a counter of the store. */
#include "core/ids.h"

#include <stdio.h>

/* 2015-01-01: keeps the number at 19 digits from 2022 to 2084; after that a moved clock's begin
 * anew. */
static const int64_t EPOCH_MS = 1420070400000;
enum { COUNTER_BITS = 22, BASE36_LEN = 20 };

static uint64_t snowflake(struct op *op)
{
    uint64_t count = (uint64_t)store_next(op->tx, "id");

    return ((uint64_t)(op->now - EPOCH_MS) << COUNTER_BITS & INT64_MAX) |
           (count & ((1U << COUNTER_BITS) - 1));
}

const char *id_decimal(struct op *op)
{
    return arena_fmt(op->arena, "%019llu", (unsigned long long)snowflake(op));
}

const char *id_base36(struct op *op, const char *prefix, const char *code)
{
    static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz";
    size_t start = strlen(prefix), n = start + BASE36_LEN, at = n;
    char *id = arena_fmt(op->arena, "%s%s%*s", prefix, code, (int)(BASE36_LEN - strlen(code)), "");
    uint8_t noise[BASE36_LEN];

    start += strlen(code);
    for (uint64_t v = snowflake(op); v && at > start; v /= 36)
        id[--at] = digits[v % 36];
    op->core->world->random(op->core->world, noise, sizeof(noise));
    for (size_t i = start; i < at; i++)
        id[i] = digits[noise[i - start] % 36];
    return id;
}

const char *id_new(struct op *op, bool decimal, const char *prefix, const char *code)
{
    return decimal ? id_decimal(op) : id_base36(op, prefix, code);
}
