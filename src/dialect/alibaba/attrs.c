/* Attributes that only make the round trip. */
#include "dialect/alibaba/attrs.h"

#include "base/util.h"

json_t *attrs_load(const char *text)
{
    json_t *j = str_empty(text) || streq(text, "{}") ? NULL : json_loads(text, 0, NULL);

    if (json_is_object(j))
        return j;
    json_decref(j);
    return NULL;
}

const char *attrs_str(const json_t *attrs, const char *name, const char *def)
{
    const char *s = json_string_value(json_object_get(attrs, name));

    return s ? s : def;
}

int64_t attrs_int(const json_t *attrs, const char *name, int64_t def)
{
    const char *s = attrs_str(attrs, name, NULL);
    long long v;

    return s && parse_i64(s, &v) == 0 ? v : def;
}

bool attrs_bool(const json_t *attrs, const char *name, bool def)
{
    const char *s = attrs_str(attrs, name, NULL);

    return s ? streq(s, "true") : def;
}

void attrs_set(json_t *attrs, const char *name, const char *value)
{
    if (!str_empty(value))
        (void)json_object_set_new(attrs, name, json_string(value)); /* decoded text is UTF-8 */
}
