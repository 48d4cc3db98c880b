/* What the clouds' documents list beside what is raised here, for `ostler api dump`. */
#ifndef OSTLER_API_DOCUMENTED_H
#define OSTLER_API_DOCUMENTED_H

#include "api/dialect.h"

/*
 * Sets two members of an action's dump; none where the dialect has no documents.
 *
 * "documented": each code that the documents list for it, its own and then the common ones, as
 * {status, code, message, common, natural}. natural: something here raises it; else it comes only
 * when it is asked for.
 * "undocumented": {status, code, message} of what is raised though no document lists it for the
 * action, as it is said here.
 *
 * In a message "%s" stands for a sentence or a name.
 */
void documented_dump(const struct dialect *d, const struct action *a, json_t *to);

#endif
