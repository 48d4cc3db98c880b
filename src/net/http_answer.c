/* The head of a reply as bytes. No header can end its line early or change how long the message is.
 */
#include <strings.h>

#include "base/util.h"
#include "net/http_impl.h"

static const struct status {
    int status;
    const char *text;
} statuses[] = {
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {206, "Partial Content"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Range Not Satisfiable"},
    {417, "Expectation Failed"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {426, "Upgrade Required"},
    {428, "Precondition Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
};

/* These are ours to say. */
static const char *const reserved[] = {"connection", "content-length",    "content-type", "date",
                                       "server",     "transfer-encoding", "keep-alive"};

const char *http_status_text(int status)
{
    for (size_t i = 0; i < ARRAY_LEN(statuses); i++)
        if (statuses[i].status == status)
            return statuses[i].text;
    return "Unknown";
}

bool answer_has_body(int status)
{
    return status != 204 && status != 304;
}

static bool token(const char *s)
{
    if (!*s)
        return false;
    for (; *s; s++)
        if (!((*s >= '0' && *s <= '9') || ((*s | 0x20) >= 'a' && (*s | 0x20) <= 'z') ||
              strchr("!#$%&'*+-.^_`|~", *s)))
            return false;
    return true;
}

static bool printable(const char *s)
{
    for (; *s; s++)
        if (((unsigned char)*s < ' ' && *s != '\t') || *s == 0x7f)
            return false;
    return true;
}

static bool is_reserved(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(reserved); i++)
        if (!strcasecmp(name, reserved[i]))
            return true;
    return false;
}

static void add_header(struct buf *out, const char *name, const char *value)
{
    buf_str(out, name);
    buf_add(out, ": ", 2);
    buf_str(out, value);
    buf_add(out, "\r\n", 2);
}

void answer_head(struct buf *out, const struct http_reply *reply, const char *date, bool close)
{
    int status = reply->status >= 200 && reply->status <= 599 ? reply->status : 500;

    buf_str(out, "HTTP/1.1 ");
    buf_i64(out, status);
    buf_char(out, ' ');
    buf_str(out, http_status_text(status));
    buf_str(out, "\r\nServer: ostler\r\nDate: ");
    buf_str(out, date);
    buf_str(out, close ? "\r\nConnection: close\r\n" : "\r\nConnection: keep-alive\r\n");
    if (answer_has_body(status)) {
        buf_str(out, "Content-Length: ");
        buf_i64(out, (long long)reply->len);
        buf_add(out, "\r\n", 2);
    }
    if (reply->content_type && printable(reply->content_type))
        add_header(out, "Content-Type", reply->content_type);
    for (size_t i = 0; i < reply->n_headers; i++) {
        const struct http_header *h = &reply->headers[i];

        if (h->name && h->value && token(h->name) && printable(h->value) && !is_reserved(h->name))
            add_header(out, h->name, h->value);
    }
    buf_add(out, "\r\n", 2);
}
