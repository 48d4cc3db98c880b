/* The RegionId that an action is asked with. */
#ifndef OSTLER_DIALECT_ALIBABA_REGION_H
#define OSTLER_DIALECT_ALIBABA_REGION_H

#include "api/dialect.h"

/* ERR_REGION_NOT_FOUND where there is none of this id. Every region can be listed. */
enum err region_check(struct call *c, const char *id);

/* The same also of another cloud's: it has nothing to create here. `ret` may be NULL. */
enum err region_own(struct call *c, const char *id, const struct region **ret);

#endif
