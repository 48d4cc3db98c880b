/* Lists of instances: which, in which order, which part. Newest first. */
#ifndef OSTLER_DIALECT_ALIBABA_INST_LIST_H
#define OSTLER_DIALECT_ALIBABA_INST_LIST_H

#include "dialect/alibaba/names.h"
#include "dialect/alibaba/page.h"

enum { INST_ATTR_FILTERS = 6 };

/* All that is set must hold; NULL, 0 and false ask nothing. */
struct inst_filter {
    bool none; /* something was asked for that no instance can have */
    const char *region, *zone, *vpc, *subnet, *image, *type, *type_family;
    const char *name;   /* with '*' */
    const char *status; /* a known word */
    const char *charge; /* "PrePaid", "PostPaid" */
    const char *secgroup;
    const char *keypair; /* its name */
    const char *lock;    /* "financial", "security", "Recycling" */
    bool by_ids, by_ips;
    struct strs ids, ips;
    int64_t created_from, created_to;
    struct objs tags; /* of struct tag; an empty value: any */
    struct {
        const char *name, *value, *def;
    } attrs[INST_ATTR_FILTERS];
};

struct inst_page {
    struct inst *rows;
    size_t n;
    int64_t total;
    const char *next; /* token, NULL when nothing remains */
};

void inst_list(struct op *op, const struct inst_filter *f, const struct page *page,
               struct inst_page *ret);

#endif
