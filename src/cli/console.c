/*
 * The serial console: the terminal, raw, on one side and the machine's socket on the other. One
 * attaches at a time, held by a lock on DIR/console.lock. The terminal is given back as it was
 * however this ends.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>

#include "base/crypto.h"
#include "cli/server.h"

enum {
    DETACH_KEY = 0x1d, /* Ctrl-] */
    REPLAY = 8 * 1024,
    CHUNK = 4096,
    HOLDER_MAX = 200,
    DRAIN_MS = 2000, /* how long a guest may take to read what was typed last */
    DRAIN_STEP_MS = 5,
};

/* ---- the terminal ---- */

static struct termios saved;
static bool is_raw;
static volatile sig_atomic_t ended;

static void terminal_restore(void)
{
    if (is_raw)
        (void)tcsetattr(STDIN_FILENO, TCSANOW, &saved);
    is_raw = false;
}

static void on_end(int signum)
{
    ended = signum;
}

static void terminal_raw(void)
{
    struct termios raw;

    if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, &saved) < 0)
        return;
    raw = saved;
    cfmakeraw(&raw);
    (void)atexit(terminal_restore);
    if (tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0)
        is_raw = true;
}

/* Signals end the loop, which then restores; they are let in only while it waits. */
static void catch_signals(sigset_t *ret_while_waiting)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
    struct sigaction act = {.sa_handler = on_end};
    sigset_t blocked;

    (void)sigemptyset(&blocked);
    for (size_t i = 0; i < ARRAY_LEN(signals); i++) {
        (void)sigaction(signals[i], &act, NULL);
        (void)sigaddset(&blocked, signals[i]);
    }
    (void)signal(SIGPIPE, SIG_IGN);
    (void)sigprocmask(SIG_BLOCK, &blocked, ret_while_waiting);
}

/* ---- the machine's side ---- */

/* The directory's descriptor stands for its path, which may be longer than a socket's address. */
static int connect_socket(int dirfd)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    CLEANUP(close_p) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -errno;
    (void)snprintf(at.sun_path, sizeof(at.sun_path), "/proc/self/fd/%d/serial.sock", dirfd);
    if (connect(fd, (struct sockaddr *)&at, sizeof(at)) < 0)
        return -errno;
    return fd_take(&fd);
}

/* What this holder tells the next one. */
static void write_holder(int fd)
{
    const char *user = getenv("USER"), *tty = ttyname(STDIN_FILENO);

    if (ftruncate(fd, 0) == 0)
        (void)dprintf(fd, "pid %d, user %s, on %s\n", (int)getpid(), user ? user : "?",
                      tty ? tty : "no terminal");
}

/* A descriptor that holds the lock, or -1 after saying who has it. */
static int take_lock(int dirfd, const char *id)
{
    CLEANUP(close_p)
    int fd = openat(dirfd, "console.lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    char holder[HOLDER_MAX] = "";

    if (fd < 0) {
        (void)say_error(CLI_FAILED, "%s: its console cannot be locked: %s", id, strerror(errno));
        return -1;
    }
    if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
        write_holder(fd);
        return fd_take(&fd);
    }
    ssize_t n = pread(fd, holder, sizeof(holder) - 1, 0);
    holder[n > 0 ? n : 0] = 0;
    holder[strcspn(holder, "\n")] = 0;
    (void)say_error(CLI_FAILED, "%s: somebody else is at its console: %s", id, holder);
    say_hint("they leave with Ctrl-]; `ostler log %s -f` watches meanwhile", id);
    return -1;
}

static bool write_all(int fd, const char *data, size_t n)
{
    while (n) {
        ssize_t done = write(fd, data, n);

        if (done < 0 && errno == EINTR && !ended)
            continue;
        if (done < 0)
            return false;
        data += done;
        n -= (size_t)done;
    }
    return true;
}

/* The end of what was said before, from the beginning of a line. */
static void replay(int dirfd)
{
    CLEANUP(close_p) int fd = openat(dirfd, "serial.log", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    char data[REPLAY];
    off_t size = fd < 0 ? 0 : lseek(fd, 0, SEEK_END);
    ssize_t n = size <= 0 ? 0 : pread(fd, data, sizeof(data), size > REPLAY ? size - REPLAY : 0);
    const char *from = data;

    if (n <= 0)
        return;
    if (size > REPLAY) {
        const char *line = memchr(data, '\n', (size_t)n);

        from = line ? line + 1 : data;
    }
    (void)write_all(STDOUT_FILENO, from, (size_t)(data + n - from));
}

/* ---- between the two ---- */

enum why { GOES_ON, DETACHED, MACHINE_ENDED, SIGNALLED, TERMINAL_GONE };

static enum why from_machine(int fd)
{
    char data[CHUNK];
    ssize_t n = read(fd, data, sizeof(data));

    if (n <= 0)
        return n < 0 && (errno == EINTR || errno == EAGAIN) ? GOES_ON : MACHINE_ENDED;
    return write_all(STDOUT_FILENO, data, (size_t)n) ? GOES_ON : TERMINAL_GONE;
}

static enum why from_terminal(int fd)
{
    char data[CHUNK];
    ssize_t n = read(STDIN_FILENO, data, sizeof(data));

    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return GOES_ON;
    if (n <= 0)
        return DETACHED;
    const char *key = memchr(data, DETACH_KEY, (size_t)n);
    if (!write_all(fd, data, key ? (size_t)(key - data) : (size_t)n))
        return MACHINE_ENDED;
    return key ? DETACHED : GOES_ON;
}

static enum why talk(int fd, const sigset_t *while_waiting)
{
    enum why w = GOES_ON;

    while (w == GOES_ON) {
        struct pollfd p[] = {{.fd = fd, .events = POLLIN}, {.fd = STDIN_FILENO, .events = POLLIN}};

        if (ended)
            return SIGNALLED;
        if (ppoll(p, ARRAY_LEN(p), NULL, while_waiting) < 0)
            continue;
        if (p[0].revents)
            w = from_machine(fd);
        if (w == GOES_ON && p[1].revents)
            w = from_terminal(fd);
    }
    return w;
}

/* QEMU takes what was typed as the guest reads it, a few bytes at a time, and forgets the rest when
 * its peer closes. There is no event for "all taken", so this looks, and goes on showing what the
 * machine says. */
static void let_it_read(int fd)
{
    int left;

    for (int ms = 0; ms < DRAIN_MS; ms += DRAIN_STEP_MS) {
        struct pollfd p = {.fd = fd, .events = POLLIN};

        if (ioctl(fd, SIOCOUTQ, &left) < 0 || !left)
            return;
        if (poll(&p, 1, DRAIN_STEP_MS) > 0 && from_machine(fd) != GOES_ON)
            return;
    }
}

static int say_end(enum why w, const char *id)
{
    switch (w) {
    case DETACHED:
        (void)fprintf(stderr, "\nDetached; %s runs on.\n", id);
        return CLI_OK;
    case MACHINE_ENDED:
        (void)fprintf(stderr, "\n%s has stopped.\n", id);
        return CLI_OK;
    case SIGNALLED:
        return 128 + ended;
    case GOES_ON:
    case TERMINAL_GONE:
        break;
    }
    return CLI_FAILED;
}

static int no_console(const json_t *shown, const char *id, int err)
{
    if (err != -ENOENT && err != -ECONNREFUSED)
        return say_error(CLI_FAILED, "%s: its console cannot be reached: %s", id, strerror(-err));
    if (streq(json_text(shown, "state"), "RUNNING"))
        return say_error(CLI_FAILED, "%s runs, but has no console (the sim engine has none)", id);
    (void)say_error(CLI_FAILED, "%s has no console now: it is %s", id, json_text(shown, "state"));
    say_hint("`ostler start %s --wait` starts it; `ostler log %s` shows what it said", id, id);
    return CLI_FAILED;
}

static json_t *about(const struct cli *c, const char *id)
{
    json_t *body = account_body(c);

    (void)json_object_set_new(body, "instanceId", json_string(id));
    return body;
}

static int console(struct cli *c)
{
    CLEANUP(json_free_p) json_t *shown = NULL;
    const char *id = c->args[0];
    sigset_t while_waiting;
    int e = operator_call(c, "ShowInstance", about(c, id), &shown);

    if (e)
        return e;
    CLEANUP(close_p)
    int dirfd = open(json_text(shown, "directory"), O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (dirfd < 0)
        return no_console(shown, id, -errno);
    CLEANUP(close_p) int lock = take_lock(dirfd, id);
    if (lock < 0)
        return CLI_FAILED;
    /* First the socket, then the log: what is said between the two may appear twice, but is not
     * lost. */
    CLEANUP(close_p) int fd = connect_socket(dirfd);
    if (fd < 0)
        return no_console(shown, id, fd);
    if (isatty(STDIN_FILENO))
        (void)fprintf(stderr, "Console of %s. Ctrl-] leaves it.\n", id);
    catch_signals(&while_waiting);
    terminal_raw();
    replay(dirfd);
    enum why w = talk(fd, &while_waiting);
    if (w == DETACHED)
        let_it_read(fd);
    terminal_restore();
    return say_end(w, id);
}

/* ---- log ---- */

enum { FOLLOW_MS = 300 };

static int print_chunk(struct cli *c, const json_t *j)
{
    size_t n;
    const uint8_t *data = base64_decode(c->arena, json_text(j, "data"), &n);

    if (!data)
        return say_error(CLI_FAILED, "the server's answer cannot be read");
    (void)fwrite(data, 1, n, stdout);
    return fflush(stdout) == 0 ? CLI_OK : CLI_FAILED;
}

/* One call for each piece, each in memory of its own: a log may be long, and be followed for days.
 */
static int read_piece(struct cli *c, const char *id, json_int_t *offset, bool *ret_more)
{
    CLEANUP(arena_free_p) struct arena *arena = arena_new();
    struct cli piece = *c;
    CLEANUP(json_free_p) json_t *j = NULL;
    struct refusal no = {0};
    json_t *body = about(c, id);

    piece.arena = arena;
    if (*offset >= 0)
        (void)json_object_set_new(body, "offset", json_integer(*offset));
    int e = operator_try(&piece, "ReadConsoleLog", body, &j, &no);
    if (no.code)
        return say_refusal(id, &no);
    if (e)
        return e;
    *offset = json_integer_value(json_object_get(j, "nextOffset"));
    *ret_more = *offset < json_integer_value(json_object_get(j, "size"));
    return print_chunk(&piece, j);
}

static int console_log(struct cli *c)
{
    json_int_t offset = 0;
    bool more = true;
    int e = server_dir(c);

    while (!e) {
        e = read_piece(c, c->args[0], &offset, &more);
        if (!more && !given(c, OPT_FOLLOW))
            break;
        if (!more)
            (void)poll(NULL, 0, FOLLOW_MS);
    }
    return e;
}

const struct verb verbs_console[] = {
    {.name = "console",
     .args = "ID",
     .min_args = 1,
     .max_args = 1,
     .opts = OPTS(OPT_ACCOUNT, OPT_DATA),
     .summary = "Attach to an instance's serial console",
     .more = "Shows the end of what it said, then is its terminal until Ctrl-]. One person at a "
             "time.",
     .example = "ostler console i-bp12345678901234567890",
     .run = console},
    {.name = "log",
     .args = "ID",
     .min_args = 1,
     .max_args = 1,
     .opts = OPTS(OPT_FOLLOW, OPT_ACCOUNT, OPT_DATA),
     .summary = "Print what an instance's console said",
     .example = "ostler log i-bp12345678901234567890 -f",
     .run = console_log},
    {.name = NULL},
};
