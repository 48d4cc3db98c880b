/* See http.h. */
#include "http.h"

#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

enum { LENGTH_DIGITS_MAX = 9 };

static int parse_status(const char *line, size_t length)
{
    if (length < 12 || memcmp(line, "HTTP/1.", 7) != 0 || line[8] != ' ')
        return -EPROTO;
    int status = 0;
    for (int i = 9; i < 12; i++) {
        if (!isdigit((unsigned char)line[i]))
            return -EPROTO;
        status = status * 10 + (line[i] - '0');
    }
    return status;
}

static int parse_length(const char *text, size_t length, size_t *ret_value)
{
    size_t value = 0;

    if (length == 0 || length > LENGTH_DIGITS_MAX)
        return -EPROTO;
    for (size_t i = 0; i < length; i++) {
        if (!isdigit((unsigned char)text[i]))
            return -EPROTO;
        value = value * 10 + (size_t)(text[i] - '0');
    }
    *ret_value = value;
    return 0;
}

/* The value of a "Name: value" line, without the blanks around it; NULL for another name. */
static const char *header_value(const char *line, size_t length, const char *name,
                                size_t *ret_length)
{
    size_t at = strlen(name);

    if (length <= at || strncasecmp(line, name, at) != 0 || line[at] != ':')
        return NULL;
    at++;
    while (at < length && (line[at] == ' ' || line[at] == '\t'))
        at++;
    while (length > at && (line[length - 1] == ' ' || line[length - 1] == '\t'))
        length--;
    *ret_length = length - at;
    return line + at;
}

int http_parse(const char *data, size_t size, bool closed, struct http_reply *ret_reply)
{
    const char *end = memmem(data, size, "\r\n\r\n", 4);
    const char *value;
    size_t length, body_length = SIZE_MAX;
    bool keep = false;

    if (!end)
        return closed ? -EPROTO : 0;
    const char *line = data, *next = memmem(data, size, "\r\n", 2);
    int status = parse_status(line, (size_t)(next - line));
    if (status < 0)
        return status;
    while (next < end) {
        line = next + 2;
        next = memmem(line, (size_t)(end + 2 - line), "\r\n", 2);
        size_t line_length = (size_t)(next - line);
        if ((value = header_value(line, line_length, "Content-Length", &length))) {
            if (parse_length(value, length, &body_length) < 0)
                return -EPROTO;
        } else if (header_value(line, line_length, "Transfer-Encoding", &length)) {
            return -EPROTO; /* no answer to HTTP/1.0 may have one */
        } else if ((value = header_value(line, line_length, "Connection", &length))) {
            keep = length == 10 && strncasecmp(value, "keep-alive", 10) == 0;
        }
    }
    const char *body = end + 4;
    size_t have = size - (size_t)(body - data);
    if (body_length == SIZE_MAX && closed)
        body_length = have;
    if (have < body_length)
        return closed ? -EPROTO : 0;
    *ret_reply = (struct http_reply){
        .status = status, .body = body, .length = body_length, .keep = keep && !closed};
    return 1;
}
