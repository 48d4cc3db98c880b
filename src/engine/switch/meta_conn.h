/* One guest's HTTP connection to its metadata: bytes in, answers out, never blocking. */
#ifndef OSTLER_ENGINE_SWITCH_META_CONN_H
#define OSTLER_ENGINE_SWITCH_META_CONN_H

#include <stdint.h>

#include "engine/switch/meta.h"

#define META_CONN_IDLE_MS 60000

struct meta_conn;

/* Takes the connected, nonblocking descriptor. */
struct meta_conn *meta_conn_new(int fd, int64_t now_ms);
void meta_conn_free(struct meta_conn *c);

int meta_conn_fd(const struct meta_conn *c);
short meta_conn_events(const struct meta_conn *c); /* what to poll for */

/* What poll said (0 to check the idle limit only). Returns 0, or -1 when the connection is over:
 * free it. */
int meta_conn_ready(struct meta_conn *c, const struct meta *m, short revents, int64_t now_ms);

#endif
