/* The error list's names, and fail(). */
#include "core/err.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

static const struct {
    const char *name, *text;
} errs[ERR_COUNT] = {[ERR_NONE] = {"ERR_NONE", "no error"},
#define X(n, t) [n] = {#n, t},
                     ERR_LIST(X)
#undef X
};

const char *err_name(enum err e)
{
    return e < ERR_COUNT ? errs[e].name : "ERR_?";
}

const char *err_text(enum err e)
{
    return e < ERR_COUNT ? errs[e].text : "unknown error";
}

static void PRINTF(4, 0)
    set(struct fail *f, enum err err, const char *param, const char *fmt, va_list ap)
{
    assert(err != ERR_NONE && err < ERR_COUNT);
    f->err = err;
    (void)snprintf(f->param, sizeof(f->param), "%s", param); /* a cut name is still a name */
    (void)vsnprintf(f->detail, sizeof(f->detail), fmt, ap);
}

enum err fail(struct fail *f, enum err err, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    set(f, err, "", fmt, ap);
    va_end(ap);
    return err;
}

enum err fail_param(struct fail *f, enum err err, const char *param, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    set(f, err, param, fmt, ap);
    va_end(ap);
    return err;
}

enum err fail_not_there(struct fail *f, const char *param, const char *thing, const char *id)
{
    return fail_param(f, ERR_NOT_THERE, param, "there is no %s '%s'; `ostler %s ls` lists them",
                      thing, id, thing);
}
