/* Machines whose instances go. */
#include "server/leftovers.h"

#include "base/util.h"

enum { AT_ONCE = 500 };

static void note(struct leftovers *l, struct arena *a, const struct inst *in)
{
    if (l->n + 2 > l->room) {
        l->room = l->room ? 2 * l->room : 256;
        l->v = xrealloc(l->v, l->room * sizeof(*l->v));
    }
    l->v[l->n++] = arena_str(a, in->id);
    l->v[l->n++] = arena_str(a, in->subnet);
}

void leftovers_note(struct leftovers *l, struct tx *tx, struct arena *a)
{
    size_t n = AT_ONCE;

    l->n = 0;
    for (int64_t below = 0; n == AT_ONCE;) {
        CLEANUP(arena_free_p) struct arena *page = arena_new();
        struct query q = {.limit = AT_ONCE, .below = below};

        tx_use_arena(tx, page);
        struct inst *insts = store_find(tx, &rec_inst, &q, &n);
        for (size_t i = 0; i < n; i++)
            note(l, a, &insts[i]);
        if (n)
            below = insts[n - 1].num;
    }
    tx_use_arena(tx, a);
}

void leftovers_write(const struct leftovers *l, struct tx *tx)
{
    for (size_t i = 0; i < l->n; i += 2) {
        const struct leftover left = {.inst = l->v[i], .subnet = l->v[i + 1]};
        struct inst in;

        if (store_get(tx, &rec_inst, left.inst, &in))
            continue;
        store_delete(tx, &rec_leftover, left.inst);
        store_insert(tx, &rec_leftover, &left);
    }
}

void leftovers_clear(struct leftovers *l)
{
    free(l->v);
    *l = (struct leftovers){0};
}
