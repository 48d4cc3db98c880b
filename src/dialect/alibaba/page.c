/* Page numbers and tokens. A token is where the last page ended, in hex: opaque to clients, checked
 * when it returns. */
#include "dialect/alibaba/page.h"

#include "base/crypto.h"

const char *page_token(struct arena *a, int64_t num)
{
    const char *text = arena_fmt(a, "%lld", (long long)num);

    return hex_encode(a, text, strlen(text));
}

static bool read_token(struct arena *a, const char *token, struct page *ret)
{
    size_t n;
    const uint8_t *bytes = hex_decode(a, token, &n);
    char *text = bytes ? arena_strn(a, (const char *)bytes, n) : NULL;
    long long num;

    if (!text || strlen(text) != n || parse_i64(text, &num) < 0 || num < 1)
        return false;
    ret->below = num;
    return true;
}

enum err page_of(struct op *op, const struct page_in *in, int64_t least, int64_t most,
                 struct page *ret)
{
    int64_t max = in->has_max_results ? in->max_results : least;

    *ret = (struct page){.by_token = in->token || in->has_max_results};
    if (!ret->by_token) {
        ret->limit = (size_t)in->size;
        ret->offset = (size_t)((in->number - 1) * in->size);
        return ERR_NONE;
    }
    ret->limit = (size_t)(max < least ? least : max > most ? most : max);
    if (in->token && !read_token(op->arena, in->token, ret))
        return fail_param(op->fail, ERR_PARAM_VALUE, "NextToken", "this token was not given here");
    return ERR_NONE;
}

void page_encode(const struct page_out *p, struct enc *e)
{
    enc_int(e, "TotalCount", p->total);
    if (!p->by_token) {
        enc_int(e, "PageNumber", p->number);
        enc_int(e, "PageSize", p->size);
    }
    enc_str(e, "NextToken", p->next);
}
