/*
 * What a client gives when it creates an instance and gets back whenever it looks, without effect
 * on the machine: kept as a JSON object in the instance's row.
 */
#ifndef OSTLER_DIALECT_ZENLAYER_ATTRS_H
#define OSTLER_DIALECT_ZENLAYER_ATTRS_H

#include "base/arena.h"

struct zec_attrs {
    const char *time_zone; /* NULL: the region's */
    const char *nic_network_type;
    bool agent, ip_forward;
    bool system_bursting, data_bursting;
    bool has_options,
        nested_virtualization; /* options that were not given are shown as null: clients compare */
};

/* As a JSON object in the arena. */
const char *zec_attrs_write(struct arena *a, const struct zec_attrs *attrs);

/* Reads what was written; what is missing, or was written by the other dialect, gets its default.
 */
struct zec_attrs zec_attrs_read(struct arena *a, const char *json);

#endif
