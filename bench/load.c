/*
 * The load generator: keeps connections, signs each request afresh, and tells the throughput and
 * the distribution of the latencies. One thread; without --rate each connection sends as soon as it
 * has its answer, with --rate requests are due at even times and a late one counts from when it was
 * due.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>

#include "bench/conn.h"
#include "bench/hist.h"
#include "bench/sign.h"

enum { MAX_CONNECTIONS = 1024, MAX_PIDS = 8, EVENTS = 256, STALL_MS = 10000, ID_LEN = 64 };

static const char help[] =
    "Usage: load --url URL --op OP [OPTION]...\n"
    "Sends signed requests over kept connections and prints what came of them, as JSON.\n"
    "\n"
    "The access key comes from the environment: ACCESS_KEY_ID and ACCESS_KEY_SECRET.\n"
    "\n"
    "  --url URL           http://HOST:PORT or https://HOST:PORT\n"
    "  --cacert FILE       the authority that signed an https server's certificate\n"
    "  --scheme S          v3 or v1 (Alibaba ECS), zc2 (Zenlayer ZEC)           (v3)\n"
    "  --op OP             read   the status of one instance\n"
    "                      get    DescribeInstances of one instance\n"
    "                      page   DescribeInstances, --page-size instances\n"
    "                      filter the same, of the running ones only\n"
    "                      pair   stops and starts instances in turn\n"
    "  --ids FILE          instance ids, one a line; pair, read and get need them\n"
    "  --state S           running or stopped: how pair finds its instances (running)\n"
    "  --page-size N       (100)\n"
    "  --page N            PageNumber of page and filter                         (1)\n"
    "  --connections N     (64)\n"
    "  --seconds S         how long to count                                    (3)\n"
    "  --warmup S          how long not to count before                         (0.5)\n"
    "  --requests N        ends after so many instead, counted from the first\n"
    "  --rate R            so many requests a second; 0 is as many as possible  (0)\n"
    "  --pid PID           also tell this process's CPU time; up to 8 times\n"
    "  --histogram         also print every bucket of the histogram\n";

/* ---- what is asked for ---- */

enum op { OP_READ, OP_GET, OP_PAGE, OP_FILTER, OP_PAIR };

static const char *const op_names[] = {[OP_READ] = "read",
                                       [OP_GET] = "get",
                                       [OP_PAGE] = "page",
                                       [OP_FILTER] = "filter",
                                       [OP_PAIR] = "pair"};
static const char *const scheme_names[] = {
    [SCHEME_V1] = "v1", [SCHEME_V3] = "v3", [SCHEME_ZC2] = "zc2"};

struct target {
    char id[ID_LEN];
    bool running;
    unsigned refused; /* in a row */
};

struct options {
    char *host, *port;
    bool tls;
    const char *cacert, *page_size, *page;
    enum scheme scheme;
    enum op op;
    struct target *targets;
    size_t n_targets;
    bool running;
    unsigned connections;
    double seconds, warmup, rate;
    uint64_t requests;
    long pids[MAX_PIDS];
    size_t n_pids;
    bool histogram;
};

_Noreturn static void die(const char *what, const char *why)
{
    (void)fprintf(stderr, "load: %s%s%s\n", what, why ? ": " : "", why ? why : "");
    exit(2);
}

/* ---- one client ---- */

struct client {
    struct conn conn;
    bool busy;
    uint64_t due; /* when its request should have left, µs */
    struct target *target;
    size_t next; /* of its share of the targets */
};

struct run {
    const struct options *o;
    SSL_CTX *tls;
    struct signer *signer;
    int epoll;
    struct client *clients;
    uint64_t first_due, sent; /* of --rate */
    uint64_t begin, end;      /* of what counts */
    struct hist hist;
    uint64_t answers, refused, errors, reconnects, received;
};

static uint64_t now_us(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* Connection i has the targets i, i + connections, i + 2 * connections, … to itself. */
static struct target *next_target(struct run *r, struct client *c)
{
    const struct options *o = r->o;
    size_t first = (size_t)(c - r->clients);

    if (!o->n_targets)
        return NULL;
    size_t at = first + c->next * o->connections;
    if (at >= o->n_targets) {
        c->next = 0;
        at = first % o->n_targets;
    }
    c->next++;
    return &o->targets[at];
}

static void ask_ecs(struct run *r, struct client *c)
{
    const struct options *o = r->o;
    const char *id = c->target ? c->target->id : "";
    CLEANUP(free_p) char *ids = xasprintf("[\"%s\"]", id);
    const struct {
        const char *action;
        const char *params[9];
    } ask[] = {
        [OP_READ] = {"DescribeInstanceStatus", {"InstanceId.1", id, "RegionId", "cn-hangzhou"}},
        [OP_GET] = {"DescribeInstances", {"InstanceIds", ids, "RegionId", "cn-hangzhou"}},
        [OP_PAGE] = {"DescribeInstances",
                     {"PageNumber", o->page, "PageSize", o->page_size, "RegionId", "cn-hangzhou"}},
        [OP_FILTER] = {"DescribeInstances",
                       {"PageNumber", o->page, "PageSize", o->page_size, "RegionId", "cn-hangzhou",
                        "Status", "Running"}},
        [OP_PAIR] = {c->target && c->target->running ? "StopInstance" : "StartInstance",
                     {"InstanceId", id}},
    };

    signer_request(r->signer, &c->conn.out, ask[o->op].action, ask[o->op].params);
}

static void ask_zec(struct run *r, struct client *c)
{
    const struct options *o = r->o;
    const char *id = c->target ? c->target->id : "";
    CLEANUP(free_p) char *one = xasprintf("{\"instanceIds\":[\"%s\"]}", id);
    CLEANUP(free_p)
    char *page = xasprintf("{\"pageSize\":%s,\"pageNum\":%s%s}", o->page_size, o->page,
                           o->op == OP_FILTER ? ",\"status\":\"RUNNING\"" : "");
    const struct {
        const char *action, *body;
    } ask[] = {
        [OP_READ] = {"DescribeInstancesStatus", one},
        [OP_GET] = {"DescribeInstances", one},
        [OP_PAGE] = {"DescribeInstances", page},
        [OP_FILTER] = {"DescribeInstances", page},
        [OP_PAIR] = {c->target && c->target->running ? "StopInstances" : "StartInstances", one},
    };

    signer_request(r->signer, &c->conn.out, ask[o->op].action,
                   (const char *const[]){ask[o->op].body, NULL});
}

static void want(struct run *r, struct client *c, uint32_t events)
{
    struct epoll_event e = {.events = events, .data.ptr = c};

    if (epoll_ctl(r->epoll, EPOLL_CTL_MOD, c->conn.fd, &e) < 0)
        die("epoll", strerror(errno));
}

static void open_client(struct run *r, struct client *c)
{
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};
    int error = conn_open(&c->conn, r->o->host, r->o->port, r->tls);

    if (error)
        die("cannot connect", error == -EPROTO ? "the TLS handshake failed" : strerror(-error));
    if (epoll_ctl(r->epoll, EPOLL_CTL_ADD, c->conn.fd, &e) < 0)
        die("epoll", strerror(errno));
    c->busy = false;
}

static void lost(struct run *r, struct client *c)
{
    r->errors++;
    r->reconnects++;
    if (r->reconnects > 10 * (uint64_t)r->o->connections)
        die("the server keeps closing connections", NULL);
    conn_close(&c->conn);
    open_client(r, c);
}

static void send_more(struct run *r, struct client *c)
{
    int done = conn_send(&c->conn);

    if (done < 0)
        lost(r, c);
    else
        want(r, c, done ? EPOLLIN : EPOLLIN | EPOLLOUT);
}

static void begin(struct run *r, struct client *c, uint64_t due)
{
    c->busy = true;
    c->due = due;
    c->target = next_target(r, c);
    if (r->o->scheme == SCHEME_ZC2)
        ask_zec(r, c);
    else
        ask_ecs(r, c);
    r->sent++;
    int done = conn_send(&c->conn);
    if (done < 0)
        lost(r, c);
    else if (!done)
        want(r, c, EPOLLIN | EPOLLOUT);
}

/* Refused once, its last change was not through yet; refused again, it is not where we thought. */
static void learn(struct target *t, bool taken)
{
    t->refused = taken ? 0 : t->refused + 1;
    if (taken || t->refused % 2 == 0)
        t->running = !t->running;
}

/* A refusal is an answer: the instance's last change is not through yet, and it is asked again. */
static void answered(struct run *r, struct client *c, const struct answer *a)
{
    uint64_t now = now_us();

    if (now >= r->begin && now < r->end) {
        r->answers += a->status == 200;
        r->refused += a->status == 403 || a->status == 400;
        r->errors += a->status != 200 && a->status != 403 && a->status != 400;
        r->received += a->length;
        if (a->status == 200)
            hist_add(&r->hist, now - c->due);
    }
    if (c->target)
        learn(c->target, a->status == 200);
    if (a->status == 401 || a->status == 404)
        die("the server refuses", a->body);
    conn_next(&c->conn);
    c->busy = false;
}

static void on_event(struct run *r, struct client *c, uint32_t events)
{
    struct answer a;

    if ((events & EPOLLOUT) && c->busy && c->conn.sent < c->conn.out.len)
        send_more(r, c);
    if (!(events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
        return;
    int whole = conn_receive(&c->conn, &a);
    if (whole < 0)
        lost(r, c);
    else if (whole)
        answered(r, c, &a);
}

/* ---- the run ---- */

static uint64_t due_at(const struct run *r, uint64_t n)
{
    return r->first_due + (uint64_t)((double)n * 1e6 / r->o->rate);
}

/* Whoever is idle sends what is due. Returns when to look again, µs from now, or -1. */
static int64_t send_due(struct run *r)
{
    uint64_t now = now_us();

    for (unsigned i = 0; i < r->o->connections; i++) {
        struct client *c = &r->clients[i];

        if (c->busy)
            continue;
        if (r->o->requests && r->sent >= r->o->requests)
            return -1;
        if (r->o->rate > 0 && due_at(r, r->sent) > now)
            return (int64_t)(due_at(r, r->sent) - now);
        begin(r, c, r->o->rate > 0 ? due_at(r, r->sent) : now_us());
    }
    return -1;
}

static bool all_answered(const struct run *r)
{
    if (!r->o->requests || r->sent < r->o->requests)
        return false;
    for (unsigned i = 0; i < r->o->connections; i++)
        if (r->clients[i].busy)
            return false;
    return true;
}

static void drive(struct run *r)
{
    struct epoll_event events[EVENTS];
    uint64_t last = now_us();

    while (now_us() < r->end && !all_answered(r)) {
        int64_t us = send_due(r);
        struct timespec wait = {.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};
        int n = epoll_pwait2(r->epoll, events, EVENTS,
                             us >= 0 ? &wait : &(struct timespec){.tv_nsec = 100000000}, NULL);

        if (n < 0 && errno != EINTR)
            die("epoll", strerror(errno));
        for (int i = 0; i < n; i++)
            on_event(r, events[i].data.ptr, events[i].events);
        if (n > 0)
            last = now_us();
        else if (now_us() - last > STALL_MS * 1000ULL)
            die("no answer for ten seconds", NULL);
    }
}

/* ---- CPU time ---- */

static double own_cpu(void)
{
    struct rusage u;

    (void)getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

/* Of all threads, from fields 14 and 15 of /proc/PID/stat. */
static double cpu_of(long pid)
{
    CLEANUP(free_p) char *path = xasprintf("/proc/%ld/stat", pid);
    char text[1024];
    FILE *f = fopen(path, "re");
    unsigned long user = 0, kernel = 0;

    if (!f)
        return 0;
    size_t n = fread(text, 1, sizeof(text) - 1, f);
    (void)fclose(f); /* only read */
    text[n] = 0;
    const char *at = strrchr(text, ')');
    if (!at ||
        sscanf(at + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &kernel) != 2)
        return 0;
    return (double)(user + kernel) / (double)sysconf(_SC_CLK_TCK);
}

static double cpu_of_all(const struct options *o)
{
    double sum = 0;

    for (size_t i = 0; i < o->n_pids; i++)
        sum += cpu_of(o->pids[i]);
    return sum;
}

/* ---- the options ---- */

static double number(const char *name, const char *text)
{
    char *end;
    double d = strtod(text, &end);

    if (end == text || *end || d < 0)
        die("not a number", name);
    return d;
}

static int one_of(const char *const *names, size_t n, const char *text, const char *what)
{
    for (size_t i = 0; i < n; i++)
        if (streq(names[i], text))
            return (int)i;
    die(what, text);
}

static void read_ids(struct options *o, const char *path)
{
    FILE *f = fopen(path, "re");
    char line[ID_LEN + 2];
    size_t cap = 0;

    if (!f)
        die(path, strerror(errno));
    while (fgets(line, sizeof(line), f)) {
        line[strcspn(line, "\r\n")] = 0;
        if (!*line)
            continue;
        if (o->n_targets == cap) {
            cap = cap ? 2 * cap : 64;
            o->targets = xrealloc(o->targets, cap * sizeof(*o->targets));
        }
        struct target *t = &o->targets[o->n_targets++];
        *t = (struct target){0};
        memcpy(t->id, line, strnlen(line, ID_LEN - 1));
    }
    (void)fclose(f); /* only read */
}

static void read_url(struct options *o, const char *url)
{
    o->tls = str_starts(url, "https://");
    if (!o->tls && !str_starts(url, "http://"))
        die("the URL must begin with http:// or https://", url);
    char *host = xstrdup(strchr(url, '/') + 2), *colon = strrchr(host, ':');
    if (!colon)
        die("the URL must name a port", url);
    *colon = 0;
    o->host = host;
    o->port = colon + 1;
    o->port[strcspn(o->port, "/")] = 0;
}

static void read_options(struct options *o, int argc, char **argv)
{
    static const struct option names[] = {{"url", 1, NULL, 'u'},
                                          {"cacert", 1, NULL, 'c'},
                                          {"scheme", 1, NULL, 's'},
                                          {"op", 1, NULL, 'o'},
                                          {"ids", 1, NULL, 'i'},
                                          {"state", 1, NULL, 'S'},
                                          {"page-size", 1, NULL, 'z'},
                                          {"page", 1, NULL, 'p'},
                                          {"connections", 1, NULL, 'n'},
                                          {"seconds", 1, NULL, 't'},
                                          {"warmup", 1, NULL, 'w'},
                                          {"requests", 1, NULL, 'r'},
                                          {"rate", 1, NULL, 'R'},
                                          {"pid", 1, NULL, 'P'},
                                          {"histogram", 0, NULL, 'H'},
                                          {"help", 0, NULL, 'h'},
                                          {0}};
    bool has_op = false;

    for (int ch; (ch = getopt_long(argc, argv, "", names, NULL)) != -1;)
        switch (ch) {
        case 'u':
            read_url(o, optarg);
            break;
        case 'c':
            o->cacert = optarg;
            break;
        case 's':
            o->scheme = (enum scheme)one_of(scheme_names, ARRAY_LEN(scheme_names), optarg,
                                            "no such scheme");
            break;
        case 'o':
            o->op = (enum op)one_of(op_names, ARRAY_LEN(op_names), optarg, "no such operation");
            has_op = true;
            break;
        case 'i':
            read_ids(o, optarg);
            break;
        case 'S':
            o->running = streq(optarg, "running");
            break;
        case 'z':
            o->page_size = optarg;
            break;
        case 'p':
            o->page = optarg;
            break;
        case 'n':
            o->connections = (unsigned)number("--connections", optarg);
            break;
        case 't':
            o->seconds = number("--seconds", optarg);
            break;
        case 'w':
            o->warmup = number("--warmup", optarg);
            break;
        case 'r':
            o->requests = (uint64_t)number("--requests", optarg);
            break;
        case 'R':
            o->rate = number("--rate", optarg);
            break;
        case 'P':
            if (o->n_pids == MAX_PIDS)
                die("too many --pid", optarg);
            o->pids[o->n_pids++] = (long)number("--pid", optarg);
            break;
        case 'H':
            o->histogram = true;
            break;
        case 'h':
            (void)fputs(help, stdout);
            exit(0);
        default:
            die("see load --help", NULL);
        }
    if (!o->host || !has_op || optind != argc)
        die("--url and --op are needed; see load --help", NULL);
    if (!o->connections || o->connections > MAX_CONNECTIONS)
        die("--connections must be 1 to 1024", NULL);
    if (o->op != OP_PAGE && o->op != OP_FILTER && !o->n_targets)
        die("--ids is needed for this operation", NULL);
    if (o->op == OP_PAIR && o->n_targets < o->connections)
        die("pair needs at least one instance a connection", NULL);
    for (size_t i = 0; i < o->n_targets; i++)
        o->targets[i].running = o->running;
}

/* ---- what came of it ---- */

static void print_histogram(const struct hist *h)
{
    const char *comma = "";

    (void)printf(",\n \"histogram\": [");
    for (unsigned i = 0; i < HIST_BUCKETS; i++)
        if (h->bucket[i]) {
            (void)printf("%s[%" PRIu64 ",%" PRIu64 "]", comma, hist_floor(i), h->bucket[i]);
            comma = ",";
        }
    (void)printf("]");
}

static void print(const struct run *r, double seconds, double cpu, double server_cpu)
{
    static const double percents[] = {50, 90, 99, 99.9};
    static const char *const names[] = {"p50", "p90", "p99", "p999"};

    (void)printf("{\"op\": \"%s\", \"scheme\": \"%s\", \"connections\": %u, \"rate\": %.0f,\n"
                 " \"seconds\": %.3f, \"answers\": %" PRIu64 ", \"refused\": %" PRIu64
                 ", \"errors\": %" PRIu64 ", \"rps\": %.1f, \"bytes\": %" PRIu64 ",\n"
                 " \"latency_us\": {\"mean\": %.1f, ",
                 op_names[r->o->op], scheme_names[r->o->scheme], r->o->connections, r->o->rate,
                 seconds, r->answers, r->refused, r->errors, (double)r->answers / seconds,
                 r->received, hist_mean(&r->hist));
    for (size_t i = 0; i < ARRAY_LEN(percents); i++)
        (void)printf("\"%s\": %.1f, ", names[i], hist_percentile(&r->hist, percents[i]));
    (void)printf("\"max\": %" PRIu64 "},\n \"own_cpu_seconds\": %.3f, \"server_cpu_seconds\": %.3f",
                 r->hist.max, cpu, server_cpu);
    if (r->o->histogram)
        print_histogram(&r->hist);
    (void)printf("}\n");
}

static SSL_CTX *tls_new(const struct options *o)
{
    if (!o->tls)
        return NULL;
    SSL_CTX *tls = SSL_CTX_new(TLS_client_method());
    if (!tls)
        die("TLS cannot be set up", NULL);
    SSL_CTX_set_mode(tls, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_verify(tls, SSL_VERIFY_PEER, NULL);
    if (!(o->cacert ? SSL_CTX_load_verify_file(tls, o->cacert)
                    : SSL_CTX_set_default_verify_paths(tls)))
        die("the certificates cannot be read", o->cacert);
    return tls;
}

static struct signer *signer_from_env(const struct options *o)
{
    const char *key = getenv("ACCESS_KEY_ID"), *secret = getenv("ACCESS_KEY_SECRET");
    CLEANUP(free_p) char *host = xasprintf("%s:%s", o->host, o->port);

    if (str_empty(key) || str_empty(secret) || strlen(secret) > 60)
        die("ACCESS_KEY_ID and ACCESS_KEY_SECRET must be set, the secret at most 60 long", NULL);
    return signer_new(o->scheme, host, key, secret);
}

int main(int argc, char **argv)
{
    struct options o = {.scheme = SCHEME_V3,
                        .page_size = "100",
                        .page = "1",
                        .running = true,
                        .connections = 64,
                        .seconds = 3,
                        .warmup = 0.5};
    static struct run r;

    read_options(&o, argc, argv);
    r.o = &o;
    r.tls = tls_new(&o);
    r.signer = signer_from_env(&o);
    r.epoll = epoll_create1(EPOLL_CLOEXEC);
    r.clients = xcalloc(o.connections, sizeof(*r.clients));
    for (unsigned i = 0; i < o.connections; i++)
        open_client(&r, &r.clients[i]);

    uint64_t start = now_us();
    r.first_due = start;
    r.begin = r.end = o.requests ? start : start + (uint64_t)(o.warmup * 1e6);
    if (!o.requests)
        drive(&r);
    uint64_t from = now_us();
    double cpu = own_cpu(), server = cpu_of_all(&o);
    r.end = o.requests ? UINT64_MAX : r.begin + (uint64_t)(o.seconds * 1e6);
    drive(&r);
    double seconds = (double)(now_us() - from) / 1e6;
    print(&r, seconds, own_cpu() - cpu, cpu_of_all(&o) - server);

    for (unsigned i = 0; i < o.connections; i++)
        conn_close(&r.clients[i].conn);
    free(r.clients);
    free(o.targets);
    free(o.host);
    signer_free(r.signer);
    SSL_CTX_free(r.tls);
    (void)close(r.epoll);
    return r.errors ? 1 : 0;
}
