/* A client of the metadata service at 100.100.100.200 or 169.254.169.254. */
#pragma once

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>

enum { METADATA_ANSWER_MAX = 128 * 1024 };

struct metadata {
    struct in_addr address;
    int fd; /* a connection that the service keeps open, or -1 */
    int64_t deadline;
    char answer[METADATA_ANSWER_MAX];
};

/* Finds which address answers and connects to it. Everything asked through `m` ends when now_ms()
   passes the deadline. 0 or a negative errno. */
int metadata_init(struct metadata *m, int64_t deadline);

/* One item. 0 and its bytes, which live in `m` until the next call; -ENOENT when the service says
   that there is none; another negative errno when it did not say. */
int metadata_get(struct metadata *m, const char *path, const char **ret_body, size_t *ret_length);

void metadata_done(struct metadata *m);
