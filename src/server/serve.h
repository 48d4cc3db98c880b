/* The server half of the program. */
#ifndef OSTLER_SERVER_SERVE_H
#define OSTLER_SERVER_SERVE_H

#include "api/dialect.h"

/* `ostler serve ...`; argv[0] is "serve". Returns what to exit with. */
int serve_main(int argc, char **argv);

/* The dialects that are served, ended by NULL. */
extern const struct dialect *const served_dialects[];

#endif
