/* What every dialect does alike with a call: headers, secrets, messages. */
#include "api/dialect.h"

#include <ctype.h>

#include "base/crypto.h"
#include "core/clock.h"

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

int64_t call_signature_clock(struct call *c, const char *access_key_id)
{
    struct access_key key = {0};

    if (!c->op.core->settings.signatures_age)
        return c->op.now; /* nobody is known yet whose clock it could be */
    (void)store_get(c->op.tx, &rec_access_key, access_key_id, &key);
    return clock_now(c->op.core, key.account);
}

void call_uuid(struct call *c, char ret[37])
{
    (c->on_writer ? world_uuid : world_request_id)(c->op.core->world, ret);
}

void call_act_for(struct call *c, const char *account)
{
    c->op.account = account;
    if (clocks_moved(c->op.core))
        c->op.now = clock_now(c->op.core, account);
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

bool message_place(const char *s)
{
    return s[0] == '%' && s[1] && strchr("adps", s[1]);
}

const char *message_fill(struct arena *a, const char *message, const char *action,
                         const char *param, const char *words)
{
    CLEANUP(buf_done) struct buf b = {0};

    for (const char *s = message; *s; s++) {
        const char *with = !message_place(s) ? NULL
                           : s[1] == 'a'     ? action
                           : s[1] == 'p'     ? param
                                             : words;

        if (with) {
            buf_str(&b, with);
            s++;
        } else {
            buf_char(&b, *s);
        }
    }
    return arena_str(a, buf_cstr(&b));
}

const char *call_message(struct call *c, const struct err_row *row)
{
    return message_fill(c->arena, row->message, c->action_name ? c->action_name : "", c->fail.param,
                        c->fail.detail);
}

const char *code_of(struct arena *a, const struct err_row *row, const char *param)
{
    if (!strstr(row->code, "%p"))
        return row->code;
    char *name = arena_str(a, param);
    name[0] = (char)toupper((unsigned char)name[0]);
    return message_fill(a, row->code, NULL, name, NULL);
}

const char *call_digest(struct call *c, const char *token_field)
{
    json_t *copy = json_copy(c->params); /* shallow: only the token is taken away */

    (void)json_object_del(copy, token_field);
    CLEANUP(free_p) char *text = json_dumps(copy, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(copy);
    return sha256_hex(c->arena, text ? text : "", text ? strlen(text) : 0);
}
