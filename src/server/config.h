/* What `ostler serve` is told by its options. */
#ifndef OSTLER_SERVER_CONFIG_H
#define OSTLER_SERVER_CONFIG_H

#include "base/log.h"
#include "core/core.h"
#include "core/engine.h"

enum { CONFIG_MAX_NAMES = 16, CONFIG_MAX_PREPARED = 256, CONFIG_MAX_THREADS = 64 };

struct config {
    char *dir;  /* absolute */
    char *host; /* to listen on */
    uint16_t port;
    const struct engine_driver *driver;
    struct engine_config engine;
    struct settings settings;
    bool capacity_given;
    char *catalogue_file; /* NULL: built in */
    enum log_level log_level;
    enum log_format log_format;
    int threads;                         /* that answer requests; 0: by the processors */
    bool insecure_http;                  /* plain HTTP also beyond loopback */
    const char *names[CONFIG_MAX_NAMES]; /* further names of this server in its certificate */
    size_t n_names;
    char *file; /* the text of --config, into which options may point; NULL: none */
};

/*
 * Reads the file of --config, if there is one, then the arguments after the verb, which count more.
 * A line of the file is an option without its dashes: `listen = 127.0.0.1:0`, or `controls`; empty
 * lines and those that begin with # say nothing. Returns -1 to go on, or what to exit with: 0 after
 * --help, 2 after a wrong option, which has been told on standard error.
 */
int config_read(int argc, char **argv, struct config *ret);
void config_done(struct config *c);

#endif
