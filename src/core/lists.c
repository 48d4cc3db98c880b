/* Splitting and joining. */
#include "core/lists.h"

#include "base/buf.h"

const char **list_split(struct arena *a, const char *s, size_t *ret_n)
{
    size_t n = *s ? 1 : 0, i = 0;

    for (const char *p = s; *p; p++)
        n += *p == ',';
    const char **items = ARENA_ARRAY(a, const char *, n + 1);
    while (i < n) {
        size_t len = strcspn(s, ",");

        items[i++] = arena_strn(a, s, len);
        s += len + 1;
    }
    *ret_n = n;
    return items;
}

const char *list_join(struct arena *a, const char *const *items, size_t n)
{
    CLEANUP(buf_done) struct buf b = {0};

    for (size_t i = 0; i < n; i++) {
        if (i)
            buf_char(&b, ',');
        buf_str(&b, items[i]);
    }
    return arena_str(a, buf_cstr(&b));
}
