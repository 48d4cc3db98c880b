/* How events are said. */
#ifndef OSTLER_CONTROL_EVENTS_H
#define OSTLER_CONTROL_EVENTS_H

#include "api/dialect.h"

/* A list "events". */
void control_enc_events(struct call *c, struct enc *e, const struct event *events, size_t n);

#endif
