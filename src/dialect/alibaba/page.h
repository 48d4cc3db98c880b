/*
 * The two ways of paging. A request with NextToken or MaxResults walks by token; any other by page
 * number, and gets a token too while more remain, so that a client may go on with it.
 */
#ifndef OSTLER_DIALECT_ALIBABA_PAGE_H
#define OSTLER_DIALECT_ALIBABA_PAGE_H

#include "api/dialect.h"

struct page_in {
    int64_t number, size;
    const char *token;
    int64_t max_results;
    bool has_max_results;
};

enum { PAGE_MAX_NUMBER = 1000000000 };

/* The fields of `s`'s member `page` (a struct page_in) for page numbers, and for tokens besides. */
#define PAGE_FIELDS(s, max_size)                                                                   \
    F_INT(s, page.number, "PageNumber", .min = 1, .max = PAGE_MAX_NUMBER, .def = 1,                \
          .text = "From 1."),                                                                      \
        F_INT(s, page.size, "PageSize", .min = 1, .max = (max_size), .def = 10)
#define TOKEN_FIELDS(s)                                                                            \
    F_STR(s, page.token, "NextToken", .text = "Where the last answer ended."),                     \
        F_INT(s, page.max_results, "MaxResults", .has = HAS(s, page.has_max_results),              \
              .text = "How many an answer may hold; moved into the range that is allowed.")

/* Which part of a list is wanted. */
struct page {
    bool by_token;
    size_t offset, limit; /* offset: by number only */
    int64_t below;        /* by token: what follows this place; 0 at the beginning */
};

/* By token: MaxResults is moved into least..most, default `least`. ERR_PARAM_VALUE: a token we did
 * not give. */
enum err page_of(struct op *op, const struct page_in *in, int64_t least, int64_t most,
                 struct page *ret);

/* Of a page that ended with the instance at this place. */
const char *page_token(struct arena *a, int64_t num);

/* Says TotalCount, and PageNumber and PageSize or NextToken. */
struct page_out {
    int64_t total, number, size;
    const char *next; /* NULL: nothing remains */
    bool by_token;
};
void page_encode(const struct page_out *p, struct enc *e);

#endif
