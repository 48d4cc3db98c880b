/* The word that somebody meant who mistyped it. */
#ifndef OSTLER_BASE_NEAREST_H
#define OSTLER_BASE_NEAREST_H

#include <stddef.h>

/* How many single letters must be changed, put in, left out or swapped with their neighbour to make
 * b of a. */
size_t text_distance(const char *a, const char *b);

/* The word of a NULL-ended list that `word` is likeliest to mean; NULL when none is near. */
const char *text_nearest(const char *word, const char *const *list);

#endif
