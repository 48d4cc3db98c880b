/* AcceptLanguage, and which of a place's names it asks for. */
#ifndef OSTLER_DIALECT_ALIBABA_LANGUAGE_H
#define OSTLER_DIALECT_ALIBABA_LANGUAGE_H

#include "api/action.h"

#define F_LANGUAGE(s, m)                                                                           \
    F_STR(s, m, "AcceptLanguage", .def_str = "zh-CN",                                              \
          .values = VALUES("zh-CN", "zh-TW", "en-US", "ja", "fr", "de", "ko"))

/* `name` is English, `local` Chinese and may be ""; other languages get the English one. */
static inline const char *name_in(const char *language, const char *name, const char *local)
{
    return str_starts(language, "zh") && !str_empty(local) ? local : name;
}

#endif
