/*
 * Around every answer. Clients take exactly 200 with a `response` object for success, and crash on
 * a failure that lacks one of the three keys.
 */
#include "dialect/zenlayer/zec.h"

#define JSON_TYPE "application/json"

/* The bytes of the UTF-8 character at `s`; 0: there is none. Text that does not decode makes
 * clients crash. */
static size_t char_len(const unsigned char *s)
{
    size_t n = s[0] < 0x80   ? 1
               : s[0] < 0xc2 ? 0
               : s[0] < 0xe0 ? 2
               : s[0] < 0xf0 ? 3
               : s[0] < 0xf5 ? 4
                             : 0;

    for (size_t i = 1; i < n; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
        (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
        return 0;
    return n;
}

/* A message quotes headers, which may hold any byte, and may have been cut inside a character. */
static const char *clean(struct arena *a, const char *text)
{
    CLEANUP(buf_done) struct buf b = {0};

    for (const unsigned char *s = (const unsigned char *)text; *s;) {
        size_t n = char_len(s);

        if (n)
            buf_add(&b, s, n);
        else
            buf_char(&b, '?');
        s += n ? n : 1;
    }
    return arena_str(a, buf_cstr(&b));
}

void zec_answer(struct call *c, const void *out, struct answer *a)
{
    struct enc e;

    a->status = 200;
    a->content_type = JSON_TYPE;
    enc_init(&e, &a->body, ENC_JSON, NULL);
    enc_str(&e, "requestId", c->request_id);
    enc_obj(&e, "response");
    enc_str(&e, "requestId", c->request_id);
    if (c->action->encode)
        c->action->encode(c, out, &e);
    enc_finish(&e);
}

void zec_refuse(struct call *c, const struct err_row *row, struct answer *a)
{
    struct enc e;

    a->status = row->status;
    a->content_type = JSON_TYPE;
    if (row->err == ERR_METHOD)
        a->headers[a->n_headers++] = (struct header){"allow", "POST"};
    enc_init(&e, &a->body, ENC_JSON, NULL);
    enc_str(&e, "requestId", c->request_id);
    enc_str(&e, "code", row->code);
    enc_str(&e, "message", clean(c->arena, call_message(c, row)));
    enc_finish(&e);
}
