/*
 * The network of one subnet's guests, as a process of its own: `ostler switch`. Single-threaded,
 * needs no root, and outlives the daemon that started it. README.md beside this file states what it
 * trusts and what it refuses.
 */
#ifndef OSTLER_ENGINE_SWITCH_SWITCH_H
#define OSTLER_ENGINE_SWITCH_SWITCH_H

/* What the process ends with. */
enum switch_exit {
    SWITCH_EXIT_OK = 0,      /* asked to end, or idle for --idle-exit seconds */
    SWITCH_EXIT_FAILED = 1,  /* the system refused something; the log says what */
    SWITCH_EXIT_USAGE = 2,   /* the command line makes no sense */
    SWITCH_EXIT_RUNNING = 3, /* another switch runs on this directory */
};

/*
 * Runs until it is told to end; returns an enum switch_exit. argv[0] is the verb. Changes the
 * process's working directory, umask and signal dispositions, so nothing else may run in the
 * process.
 */
int switch_main(int argc, char **argv);

#endif
