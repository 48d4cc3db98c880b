/*
 * The client half of the program: `ostler VERB ...`. It sees a server only over HTTP, a machine's
 * console only through its socket, and knows no more than what its caller gives it.
 */
#ifndef OSTLER_CLI_CLI_H
#define OSTLER_CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>

/* What the process ends with. */
enum cli_exit {
    CLI_OK = 0,
    CLI_FAILED = 1,    /* refused, or it failed */
    CLI_USAGE = 2,     /* the command line makes no sense */
    CLI_NO_SERVER = 3, /* nobody answers */
    CLI_INTERRUPTED = 130
};

/* A verb of the program's other half, listed in the help beside ours. */
struct cli_other {
    const char *name; /* NULL ends a list */
    const char *summary;
    bool hidden;                       /* for the program's own use */
    int (*run)(int argc, char **argv); /* argv[0] is the verb */
};

struct cli_env {
    const char *version;
    const struct cli_other *others; /* NULL: none */
    /*
     * Tries whether /dev/kvm runs machines; blocks for some seconds at most. False: `why` is a
     * sentence. NULL: the doctor says what a server found when it tried.
     */
    bool (*kvm_works)(char *why, size_t size);
    char *(*api_dump)(void); /* the declared actions as JSON, malloc'd; needs no server */
};

/* Runs the verb that argv[1] names; returns what to exit with. Sets up nothing that outlives it but
 * stdio. */
int cli_main(int argc, char **argv, const struct cli_env *env);

#endif
