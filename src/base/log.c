/* One line an event, written with a single write(2) so that threads never mix. */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "base/buf.h"

static enum log_level least_level = LOG_INFO;
static bool as_json;
static const char *tag;

static const char *const level_names[] = {
    [LOG_DEBUG] = "debug", [LOG_INFO] = "info", [LOG_WARN] = "warn", [LOG_ERROR] = "error"};

void log_setup(enum log_level least, enum log_format format)
{
    least_level = least;
    as_json = format == LOG_JSON || (format == LOG_AUTO && !isatty(STDERR_FILENO));
}

void log_tag(const char *text)
{
    tag = text;
}

bool log_enabled(enum log_level level)
{
    return level >= least_level;
}

static void add_quoted(struct buf *b, const char *s)
{
    buf_char(b, '"');
    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;

        if (c == '"' || c == '\\')
            buf_fmt(b, "\\%c", c);
        else if (c == '\n')
            buf_str(b, "\\n");
        else if (c < 0x20 || c == 0x7f)
            buf_fmt(b, "\\u%04x", c);
        else
            buf_char(b, (char)c);
    }
    buf_char(b, '"');
}

static bool plain(const char *s)
{
    if (!*s)
        return false;
    for (; *s; s++)
        if ((unsigned char)*s <= ' ' || *s == '"' || *s == '=' || *s == '\\' || *s == 0x7f)
            return false;
    return true;
}

static void add_pair(struct buf *b, const char *name, const char *value)
{
    if (as_json) {
        if (b->len > 1)
            buf_char(b, ',');
        add_quoted(b, name);
        buf_char(b, ':');
        add_quoted(b, value);
        return;
    }
    if (b->len)
        buf_char(b, ' ');
    buf_str(b, name);
    buf_char(b, '=');
    if (plain(value))
        buf_str(b, value);
    else
        add_quoted(b, value);
}

static void add_time(struct buf *b)
{
    struct timespec ts;
    struct tm tm;
    char text[80];

    /* The log's own stamp is the wall clock on purpose: it tells an operator when, not what the
     * product's clock said. */
    (void)clock_gettime(CLOCK_REALTIME, &ts);
    (void)gmtime_r(&ts.tv_sec, &tm);
    size_t n = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
    (void)snprintf(text + n, sizeof(text) - n, ".%03ldZ", ts.tv_nsec / 1000000);
    add_pair(b, "time", text);
}

void log_write(enum log_level level, const char *message, ...)
{
    CLEANUP(buf_done) struct buf b = {0};
    const char *name;
    va_list ap;

    if (!log_enabled(level))
        return;
    if (as_json)
        buf_char(&b, '{');
    add_time(&b);
    add_pair(&b, "level", level_names[level]);
    if (tag)
        add_pair(&b, "process", tag);
    add_pair(&b, "msg", message);
    va_start(ap, message);
    while ((name = va_arg(ap, const char *))) {
        const char *value = va_arg(ap, const char *);

        if (value)
            add_pair(&b, name, value);
    }
    va_end(ap);
    buf_str(&b, as_json ? "}\n" : "\n");
    if (write(STDERR_FILENO, b.data, b.len) < 0)
        return; /* nowhere left to say it */
}
