/*
 * The log: one line an event, to standard error. logfmt when that is a terminal, JSON otherwise, or
 * as log_setup says. Fields are name/value pairs, ended by NULL; values are escaped. No secret is
 * ever a value.
 *
 *   log_write(LOG_INFO, "listening", "address", "127.0.0.1:8470", NULL);
 */
#ifndef OSTLER_BASE_LOG_H
#define OSTLER_BASE_LOG_H

#include <stdbool.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };
enum log_format { LOG_AUTO, LOG_LOGFMT, LOG_JSON };

void log_setup(enum log_level least, enum log_format format);
bool log_enabled(enum log_level level);

/* Safe from any thread; a line is written whole. */
void log_write(enum log_level level, const char *message, ...) __attribute__((sentinel));

/* Puts `text` before each line of a helper process ("switch"); NULL for none. Call before threads
 * start. */
void log_tag(const char *text);

#endif
