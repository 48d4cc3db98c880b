/* What every dialect does alike with a call: headers, secrets, messages. */
#include "api/dialect.h"
#include "base/crypto.h"

const char *request_header(const struct request *r, const char *name)
{
    for (size_t i = 0; i < r->n_headers; i++)
        if (streq(r->headers[i].name, name))
            return r->headers[i].value;
    return NULL;
}

const struct action *action_find(const struct action *const *list, const char *name)
{
    for (; *list; list++)
        if (streq((*list)->name, name))
            return *list;
    return NULL;
}

enum err call_mac(struct call *c, const char *access_key_id, enum hmac_hash hash,
                  const char *suffix, struct signing *ret)
{
    struct access_key *row = &ret->row;

    if (!store_get(c->op.tx, &rec_access_key, access_key_id, row))
        return fail(&c->fail, ERR_AUTH_KEY_UNKNOWN, "there is no access key '%s'", access_key_id);
    if (!row->active)
        return fail(&c->fail, ERR_AUTH_KEY_INACTIVE, "the access key '%s' is disabled",
                    access_key_id);
    return macs_get(c->macs, c->arena, row->id, row->secret, hash, suffix, &ret->mac, &c->fail);
}

static const struct err_row *find_row(const struct err_row *rows, enum err e)
{
    for (; rows && rows->err; rows++)
        if (rows->err == e)
            return rows;
    return NULL;
}

const struct err_row *dialect_row(const struct dialect *d, const struct action *a, enum err e)
{
    const struct err_row *row = a ? find_row(a->rows, e) : NULL;

    return row ? row : find_row(d->errors, e);
}

const struct err_row *call_err_row(const struct call *c)
{
    const struct err_row *row = dialect_row(c->dialect, c->action, c->fail.err);

    return row ? row : find_row(c->dialect->errors, ERR_INTERNAL);
}

const char *call_message(struct call *c, const struct err_row *row)
{
    CLEANUP(buf_done) struct buf b = {0};

    for (const char *s = row->message; *s; s++) {
        if (s[0] == '%' && s[1] == 'p')
            buf_str(&b, c->fail.param);
        else if (s[0] == '%' && s[1] == 'd')
            buf_str(&b, c->fail.detail);
        else if (s[0] == '%' && s[1] == 'a')
            buf_str(&b, c->action_name ? c->action_name : "");
        else {
            buf_char(&b, *s);
            continue;
        }
        s++;
    }
    return arena_str(c->arena, buf_cstr(&b));
}

const char *call_digest(struct call *c, const char *token_field)
{
    json_t *copy = json_copy(c->params); /* shallow: only the token is taken away */

    (void)json_object_del(copy, token_field);
    CLEANUP(free_p) char *text = json_dumps(copy, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(copy);
    return sha256_hex(c->arena, text ? text : "", text ? strlen(text) : 0);
}
