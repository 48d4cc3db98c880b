/* The form of client tokens; the core keeps them. */
#include "dialect/alibaba/token.h"

#include "core/idem.h"

enum { TOKEN_MAX = 64 };

static bool well_formed(const char *token)
{
    for (const char *s = token; *s; s++)
        if (*s < ' ' || *s > '~')
            return false;
    return strlen(token) <= TOKEN_MAX;
}

enum err token_find(struct call *c, struct token *t, bool *ret_found, struct created *ret)
{
    *ret_found = false;
    if (!t->text)
        return ERR_NONE;
    if (!well_formed(t->text))
        return fail_param(&c->fail, ERR_TOKEN_FORMAT, "ClientToken", "up to %d ASCII characters",
                          TOKEN_MAX);
    if (t->dry_run)
        return ERR_NONE;
    t->digest = call_digest(c, "ClientToken");
    return idem_find(&c->op, c->action->name, t->text, t->digest, ret_found, ret);
}

void token_save(struct call *c, const struct token *t, const struct created *outcome)
{
    if (t->digest)
        idem_save(&c->op, c->action->name, t->text, t->digest, outcome);
}
