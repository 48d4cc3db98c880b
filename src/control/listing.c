/* The walk that all list actions have in common. */
#include "control/listing.h"

enum err listing_run(struct call *c, const void *in_, void *out_)
{
    const struct listing *l = c->action->data;
    const struct listing_in *in = in_;
    struct listed *out = out_;
    struct query q = {.order = l->order, .limit = l->limit};
    enum err e = control_scope(c, in->account);
    const char *const whose[] = {"", c->op.account}; /* the query keeps what it is given */

    if (e)
        return e;
    if (c->op.account && l->shared)
        query_in(&q, "account", whose, ARRAY_LEN(whose));
    else if (c->op.account)
        query_text(&q, "account", CMP_EQ, c->op.account);
    out->rows = store_find(c->op.tx, l->rec, &q, &out->n);
    return ERR_NONE;
}

void listing_encode(struct call *c, const void *out, struct enc *e)
{
    const struct listing *l = c->action->data;
    const struct listed *found = out;
    const char *row = found->rows;

    enc_list(e, l->list, l->item);
    for (size_t i = 0; i < found->n; i++, row += l->rec ? l->rec->size : l->size) {
        enc_obj(e, NULL);
        l->encode(c, row, e);
        enc_end(e);
    }
    enc_end(e);
}
