/* Damerau and Levenshtein's distance between short words. */
#include "base/nearest.h"

#include "base/util.h"

enum { MAX_WORD = 63 };

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t text_distance(const char *a, const char *b)
{
    size_t n = strlen(a), m = strlen(b);
    size_t rows[3][MAX_WORD + 1], *before = rows[0], *last = rows[1], *now = rows[2];

    if (n > MAX_WORD || m > MAX_WORD)
        return n > m ? n : m;
    for (size_t j = 0; j <= m; j++)
        last[j] = j;
    for (size_t i = 1; i <= n; i++) {
        now[0] = i;
        for (size_t j = 1; j <= m; j++) {
            now[j] = least(least(last[j], now[j - 1]) + 1, last[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                now[j] = least(now[j], before[j - 2] + 1);
        }
        size_t *spare = before;
        before = last;
        last = now;
        now = spare;
    }
    return last[m];
}

const char *text_nearest(const char *word, const char *const *list)
{
    const char *best = NULL;
    size_t best_distance = strlen(word) / 3 + 2;

    for (; *list; list++) {
        size_t d = text_distance(word, *list);

        if (d < best_distance && d < strlen(*list)) {
            best = *list;
            best_distance = d;
        }
    }
    return best;
}
