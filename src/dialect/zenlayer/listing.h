/* What the listing actions share: pages, filters by name and by tag. */
#ifndef OSTLER_DIALECT_ZENLAYER_LISTING_H
#define OSTLER_DIALECT_ZENLAYER_LISTING_H

#include "api/dialect.h"

struct zec_page {
    int64_t size, number; /* number counts from 1 */
};

/* The two fields of a page; a struct that holds a `struct zec_page page`. */
#define ZEC_PAGE_FIELDS(s)                                                                         \
    F_INT(s, page.size, "pageSize", .def = 20, .min = 1, .max = 1000, .text = "Items of a page."), \
        F_INT(s, page.number, "pageNum", .def = 1, .min = 1, .max = INT32_MAX,                     \
              .text = "The page, from 1. One beyond the last is empty.")

/* Limits a query to the page. */
void zec_page_query(struct query *q, const struct zec_page *p);

/* Newest first: of instances, and of what has no numbers. */
#define ZEC_INST_ORDER "-num"
#define ZEC_ORDER      "-created_at,id"

/* Only what belongs to who asks; an operator sees everything. */
void zec_mine(struct call *c, struct query *q);

/* The text occurs in the column; "^" before it and "$" behind it pin it to the column's ends. */
void zec_query_fuzzy(struct arena *a, struct query *q, const char *column, const char *text);
/* The same for what is already here. */
bool zec_fuzzy(struct arena *a, const char *value, const char *text);

struct zec_tag_filter {
    struct strs keys;
    struct objs tags; /* of struct zec_tag */
};

/* The two fields of a tag filter; a struct that holds a `struct zec_tag_filter by_tag`. */
#define ZEC_TAG_FILTER_FIELDS(s)                                                                   \
    F_STRS(s, by_tag.keys, "tagKeys", .max = 20, .text = "All of these keys."),                    \
        F_OBJS(s, by_tag.tags, "tags", struct zec_tag, zec_tag_fields, .max = 20,                  \
               .text = "All of these keys with these values.")

bool zec_tag_filter_empty(const struct zec_tag_filter *f);
/* Only rows whose tags hold everything that is asked for. Adds at most two conditions. */
void zec_tag_filter_query(struct arena *a, struct query *q, const struct zec_tag_filter *f);

#endif
