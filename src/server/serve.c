/*
 * `ostler serve`: opens everything in order, serves until it is told to end, closes everything in
 * the other order. Machines go on running.
 */
#include "server/serve.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "api/transcript.h"
#include "base/buf.h"
#include "base/timefmt.h"
#include "control/operator.h"
#include "core/clock.h"
#include "dialect/alibaba/alibaba.h"
#include "dialect/zenlayer/zenlayer.h"
#include "engine/clockwork.h"
#include "engine/supervisor.h"
#include "net/http.h"
#include "net/loop.h"
#include "net/tls.h"
#include "server/config.h"
#include "server/desk.h"
#include "server/front.h"
#include "server/opkey.h"
#include "server/seed.h"
#include "server/upkeep.h"
#include "version.h"

const struct dialect *const served_dialects[] = {&dialect_operator, &dialect_zenlayer,
                                                 &dialect_alibaba, NULL};

enum { MAX_CONNS = 4096, USUAL_THREADS = 4, MAX_CATALOGUE = 16 * 1024 * 1024 };

struct server {
    struct config config;
    struct arena *arena; /* what lives as long as the server */
    int lock_fd;
    struct loop *loop;
    struct loop_wake *changed, *drained;
    struct loop_rest *rest; /* of the fronts' `ready` */
    struct loop_signal *signals[2];
    struct loop_timer *patience; /* with requests in progress, when ending */
    struct core core;
    struct catalog *catalog;
    struct transcript *transcript; /* NULL without test controls */
    struct supervisor *supervisor;
    struct clockwork *clockwork;
    struct upkeep *upkeep;
    struct desk desk; /* has the store */
    struct tls_ctx *tls;
    struct front **fronts; /* other threads that answer requests */
    size_t n_fronts, next_front;
    atomic_bool ready;     /* as the fronts may ask it */
    atomic_uint undrained; /* threads with requests in progress, when ending */
    struct seeded seeded;
    const char *endpoints[3];
    const char *operator_key; /* NULL: none is needed */
    bool ending;
};

/* ---- the data directory is one server's ---- */

static enum err lock_dir(struct server *s, struct fail *f)
{
    const char *path = arena_fmt(s->arena, "%s/lock", s->config.dir);
    char pid[24] = "";

    s->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (s->lock_fd < 0)
        return fail(f, ERR_INTERNAL, "%s: %s", path, strerror(errno));
    if (flock(s->lock_fd, LOCK_EX | LOCK_NB) < 0) {
        if (read(s->lock_fd, pid, sizeof(pid) - 1) <= 0)
            (void)snprintf(pid, sizeof(pid), "unknown");
        pid[strcspn(pid, "\n")] = 0;
        return fail(f, ERR_UNAVAILABLE,
                    "another ostler (pid %s) serves %s; end it, or choose another --data", pid,
                    s->config.dir);
    }
    int n = snprintf(pid, sizeof(pid), "%d\n", (int)getpid());
    if (ftruncate(s->lock_fd, 0) < 0 || pwrite(s->lock_fd, pid, (size_t)n, 0) != n)
        return fail(f, ERR_INTERNAL, "%s: %s", path, strerror(errno));
    return ERR_NONE;
}

/* ---- the parts ---- */

static enum err open_catalog(struct server *s, struct fail *f)
{
    const char *path = s->config.catalogue_file;
    CLEANUP(buf_done) struct buf text = {0};
    int e = path ? buf_file(&text, path, MAX_CATALOGUE) : 0;

    if (e < 0)
        return fail(f, ERR_INTERNAL, "%s: %s", path, strerror(-e));
    return catalog_new(path ? buf_cstr(&text) : NULL, &s->catalog, f);
}

static void rest(void *ctx)
{
    struct server *s = ctx;

    atomic_store(&s->ready, supervisor_ready(s->supervisor));
}

static int64_t host_memory_mib(void)
{
    return (int64_t)sysconf(_SC_PHYS_PAGES) / 1024 * (sysconf(_SC_PAGESIZE) / 1024);
}

static enum err open_core(struct server *s, struct fail *f)
{
    char host[128] = "";
    enum err e;

    (void)gethostname(host, sizeof(host) - 1);
    s->core.settings = s->config.settings;
    s->core.world = s->core.settings.seed ? world_seeded(s->core.settings.seed) : world_real();
    s->core.clocks = clocks_new(s->core.world);
    s->core.settings.host = arena_str(s->arena, host);
    if (!s->config.capacity_given && s->config.driver == &engine_qemu)
        s->core.settings.capacity_mib = host_memory_mib();
    if ((e = vault_open(s->config.dir, world_real(), &s->core.vault, f)) ||
        (e = open_catalog(s, f)))
        return e;
    s->core.catalog = s->catalog;
    struct store_config store = desk_store_config(&s->desk);
    store.dir = s->config.dir;
    if ((e = store_open(&store, &s->desk.store, f)))
        return e;
    return seed(s->desk.store, &s->core, s->config.dir, s->config.driver == &engine_sim, s->arena,
                &s->seeded, f);
}

static void told(void *ctx)
{
    struct server *s = ctx;

    if (s->clockwork)
        clockwork_told(s->clockwork);
}

static enum err open_engine(struct server *s, struct fail *f)
{
    char self[4096];
    ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

    if (n < 0)
        return fail(f, ERR_INTERNAL, "/proc/self/exe: %s", strerror(errno));
    self[n] = 0;
    s->config.engine.dir = s->config.dir;
    s->config.engine.self = arena_str(s->arena, self);
    enum err e = supervisor_new(&(struct supervisor_config){.loop = s->loop,
                                                            .store = s->desk.store,
                                                            .core = &s->core,
                                                            .driver = s->config.driver,
                                                            .engine = s->config.engine,
                                                            .told = told,
                                                            .ctx = s,
                                                            .renews = upkeep_renews(s->desk.store)},
                                &s->supervisor, f);
    if (e)
        return e;
    s->clockwork = clockwork_new(&(struct clockwork_config){
        .loop = s->loop, .store = s->desk.store, .core = &s->core, .supervisor = s->supervisor});
    s->upkeep = upkeep_new(&(struct upkeep_config){.loop = s->loop,
                                                   .clockwork = s->clockwork,
                                                   .store = s->desk.store,
                                                   .core = &s->core,
                                                   .supervisor = s->supervisor,
                                                   .dir = s->config.dir,
                                                   .has_files = s->config.driver->lacks});
    return e;
}

static const char *describe(void *ctx)
{
    return supervisor_describe(((struct server *)ctx)->supervisor);
}

static bool ready(void *ctx)
{
    return supervisor_ready(((struct server *)ctx)->supervisor);
}

static void changed(void *ctx)
{
    struct server *s = ctx;

    supervisor_kick(s->supervisor);
    clockwork_kick(s->clockwork);
    upkeep_kick(s->upkeep);
}

/* ---- the other threads ---- */

static bool front_ready(void *ctx)
{
    return atomic_load(&((struct server *)ctx)->ready);
}

static void front_changed(void *ctx)
{
    loop_wake_send(((struct server *)ctx)->changed);
}

static void one_drained(void *ctx)
{
    struct server *s = ctx;

    if (atomic_fetch_sub(&s->undrained, 1) == 1)
        loop_wake_send(s->drained);
}

/* Connections go round, ours is the last of each. */
static bool pass(struct desk *d, int fd)
{
    struct server *s = CONTAINER_OF(d, struct server, desk);
    size_t next = s->next_front++ % (s->n_fronts + 1);

    return next < s->n_fronts && front_take(s->fronts[next], fd);
}

static size_t threads(const struct config *c)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);

    if (c->threads)
        return (size_t)c->threads;
    return processors < 1 ? 1 : processors > USUAL_THREADS ? USUAL_THREADS : (size_t)processors;
}

/* What all threads have alike. */
static struct desk_config desk_of(struct server *s, size_t n_threads, bool tls_only)
{
    return (struct desk_config){.api = {.core = &s->core,
                                        .dialects = served_dialects,
                                        .transcript = s->transcript,
                                        .ctx = s},
                                .web = {.tls_only = tls_only, .ctx = s},
                                .tls = s->tls,
                                .max_conns = MAX_CONNS / n_threads};
}

static enum err open_fronts(struct server *s, size_t n, bool tls_only, struct fail *f)
{
    struct front_config config = {.desk = desk_of(s, n + 1, tls_only),
                                  .store = s->desk.store,
                                  .drained = one_drained,
                                  .ctx = s};

    config.desk.api.changed = front_changed;
    config.desk.web.ready = front_ready;
    s->fronts = ARENA_ARRAY(s->arena, struct front *, n + 1);
    for (; s->n_fronts < n; s->n_fronts++) {
        enum err e = front_new(&config, &s->fronts[s->n_fronts], f);

        if (e)
            return e;
    }
    return ERR_NONE;
}

static bool is_loopback(const char *host)
{
    return streq(host, "localhost") || streq(host, "::1") || str_starts(host, "127.");
}

static int open_desk(struct server *s, size_t n_threads, bool tls_only)
{
    struct desk_config config = desk_of(s, n_threads, tls_only);

    config.api.changed = changed;
    config.web.ready = ready;
    config.pass = n_threads > 1 ? pass : NULL;
    s->rest = loop_rest_new(s->loop, rest, s);
    return desk_open(&s->desk, &config);
}

static enum err open_http(struct server *s, struct fail *f)
{
    const struct config *c = &s->config;
    bool tls_only = !is_loopback(c->host) && !c->insecure_http;
    size_t n = threads(c);
    enum err err;
    uint16_t port;
    int e;

    if ((e = tls_authority_open(c->dir, c->names, c->n_names)) < 0 ||
        (e = tls_ctx_new(c->dir, &s->tls)) < 0)
        return fail(f, ERR_INTERNAL, "the certificate in %s: %s", c->dir, strerror(-e));
    if ((err = open_fronts(s, n - 1, tls_only, f)))
        return err;
    if ((e = open_desk(s, n, tls_only)) < 0)
        return fail(f, ERR_INTERNAL, "no HTTP server: %s", strerror(-e));
    struct http_server *http = s->desk.http;
    if ((e = http_server_listen_tcp(http, c->host, c->port, &port)) < 0)
        return fail(
            f, ERR_INTERNAL,
            "cannot listen on %s:%u: %s; `ostler doctor` says who does, --listen chooses another",
            c->host, c->port, strerror(-e));
    const char *operator_socket = arena_fmt(s->arena, "%s/ostler.sock", c->dir);
    if ((e = http_server_listen_unix(http, operator_socket)) < 0)
        return fail(f, ERR_INTERNAL, "cannot listen on %s: %s", operator_socket, strerror(-e));
    bool v6 = strchr(c->host, ':') != NULL;
    const char *at = arena_fmt(s->arena, v6 ? "[%s]:%u" : "%s:%u", c->host, port);
    s->endpoints[0] = arena_fmt(s->arena, "%s://%s", tls_only ? "https" : "http", at);
    s->endpoints[1] = tls_only ? NULL : arena_fmt(s->arena, "https://%s", at);
    return ERR_NONE;
}

/* How clients of this directory find the server. Replaced whole, so that nobody reads half of it.
 */
static enum err write_server_json(struct server *s, struct fail *f)
{
    const char *path = arena_fmt(s->arena, "%s/server.json", s->config.dir);
    const char *tmp = arena_fmt(s->arena, "%s/.server.json.new", s->config.dir);
    const char *text =
        arena_fmt(s->arena, "{\"endpoint\":\"%s\",\"pid\":%d}\n", s->endpoints[0], (int)getpid());
    CLEANUP(close_p) int fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    if (fd < 0 || write(fd, text, strlen(text)) < 0 || rename(tmp, path) < 0)
        return fail(f, ERR_INTERNAL, "%s: %s", path, strerror(errno));
    return ERR_NONE;
}

/* Who is not on this computer needs it for the test controls. */
static enum err find_operator_key(struct server *s, struct fail *f)
{
    if (!s->core.settings.controls || is_loopback(s->config.host))
        return ERR_NONE;
    return operator_key(s->config.dir, s->arena, &s->operator_key, f);
}

static void setup_control(struct server *s)
{
    struct control_config c = {.version = OSTLER_VERSION,
                               .dir = s->config.dir,
                               .endpoints = s->endpoints,
                               .transcript = s->transcript,
                               .dialects = served_dialects,
                               .engine = describe,
                               .ctx = s,
                               .operator_key = s->operator_key,
                               .started_at = s->core.world->now_ms(s->core.world)};

    control_setup(&c);
}

/* The first line is for programs, the rest for people. */
static void announce(struct server *s)
{
    (void)printf("listening on %s\n", s->endpoints[0]);
    if (s->seeded.first)
        (void)printf("access key id      %s\naccess key secret  %s\n"
                     "(shown once; `ostler env alibaba --data %s` prints them for a shell)\n",
                     s->seeded.access_key, s->seeded.secret, s->config.dir);
    (void)fflush(stdout);
    log_write(LOG_INFO, "listening", "address", s->endpoints[0], "engine", describe(s), "data",
              s->config.dir, "version", OSTLER_VERSION, NULL);
}

/* ---- ending ---- */

enum { DRAIN_MS = 3000 };

/* Everything was answered, or the time for it is over. What was accepted is in the store either
 * way. */
static void drained(void *ctx)
{
    loop_stop(((struct server *)ctx)->loop);
}

static void drain(struct server *s)
{
    atomic_store(&s->undrained, (unsigned)s->n_fronts + 1);
    desk_drain(&s->desk, one_drained, s); /* nobody is passed on any more */
    for (size_t i = 0; i < s->n_fronts; i++)
        front_drain(s->fronts[i]);
    loop_timer_set(s->patience, DRAIN_MS, 0);
}

static void on_signal(void *ctx, int signum)
{
    struct server *s = ctx;

    if (s->ending)
        return; /* it is bounded in time; a second Ctrl-C changes nothing */
    s->ending = true;
    log_write(LOG_INFO, "ending; machines go on running", "signal",
              signum == SIGINT ? "INT" : "TERM", NULL);
    drain(s);
}

static enum err open_all(struct server *s, struct fail *f)
{
    enum err e;

    if ((e = lock_dir(s, f)))
        return e;
    if (loop_new(&s->loop) < 0)
        return fail(f, ERR_INTERNAL, "no event loop: %s", strerror(errno));
    s->changed = loop_wake_new(s->loop, changed, s);
    s->drained = loop_wake_new(s->loop, drained, s);
    desk_init(&s->desk, s->loop);
    if (s->config.settings.controls)
        s->transcript = transcript_new(arena_fmt(s->arena, "%s/transcripts", s->config.dir));
    if (s->transcript)
        transcript_resume(s->transcript);
    if ((e = open_core(s, f)) || (e = open_engine(s, f)) || (e = open_http(s, f)) ||
        (e = find_operator_key(s, f)) || (e = write_server_json(s, f)))
        return e;
    s->patience = loop_timer_new(s->loop, drained, s);
    s->signals[0] = loop_signal_new(s->loop, SIGINT, on_signal, s);
    s->signals[1] = loop_signal_new(s->loop, SIGTERM, on_signal, s);
    setup_control(s);
    return ERR_NONE;
}

static void close_all(struct server *s)
{
    clockwork_stop(s->clockwork);
    upkeep_stop(s->upkeep);
    supervisor_stop(s->supervisor);
    while (s->n_fronts)
        front_free(s->fronts[--s->n_fronts]);
    desk_done(&s->desk);
    clockwork_free(s->clockwork);
    upkeep_free(s->upkeep);
    supervisor_free(s->supervisor);
    transcript_free(s->transcript);
    tls_ctx_free(s->tls);
    for (size_t i = 0; i < ARRAY_LEN(s->signals); i++)
        loop_signal_free(s->signals[i]);
    loop_timer_free(s->patience);
    loop_rest_free(s->rest);
    loop_wake_free(s->changed);
    loop_wake_free(s->drained);
    loop_free(s->loop);
    catalog_free(s->catalog);
    vault_free(s->core.vault);
    clocks_free(s->core.clocks);
    if (s->lock_fd >= 0)
        (void)close(s->lock_fd);
    arena_free(s->arena);
}

/* A machine takes three descriptors, a client one; the usual soft limit of 1024 is for select(). */
static void raise_fd_limit(void)
{
    struct rlimit files;

    if (getrlimit(RLIMIT_NOFILE, &files) < 0)
        return;
    files.rlim_cur = files.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &files); /* refused: it works as far as the limit goes */
}

int serve_main(int argc, char **argv)
{
    struct server s = {.lock_fd = -1};
    struct fail f = {0};
    int e = config_read(argc - 1, argv + 1, &s.config);

    if (e >= 0) {
        config_done(&s.config);
        return e;
    }
    (void)umask(077); /* what is kept here is its owner's */
    raise_fd_limit();
    log_setup(s.config.log_level, s.config.log_format);
    s.arena = arena_new();
    if (open_all(&s, &f)) {
        (void)fprintf(stderr, "ostler serve: %s\n", f.detail);
        e = 1;
    } else {
        announce(&s);
        e = 0;
        (void)loop_run(s.loop);
    }
    close_all(&s);
    config_done(&s.config);
    return e;
}
