/* The client's own settings of an instance, to JSON and back. */
#include "dialect/zenlayer/attrs.h"

#include <jansson.h>

#define DEFAULT_NIC_TYPE "Auto"

const char *zec_attrs_write(struct arena *a, const struct zec_attrs *attrs)
{
    json_auto_t *o = json_pack(
        "{s:s*, s:s*, s:b, s:b, s:b, s:b}", "timeZone", attrs->time_zone, "nicNetworkType",
        attrs->nic_network_type, "enableAgent", attrs->agent, "enableIpForward", attrs->ip_forward,
        "systemDiskBursting", attrs->system_bursting, "dataDiskBursting", attrs->data_bursting);

    if (attrs->has_options)
        (void)json_object_set_new(/* what cannot be kept is shown as not given */
                                  o, "instanceOptions",
                                  json_pack("{s:b}", "nestedVirtualization",
                                            attrs->nested_virtualization));
    CLEANUP(free_p) char *text = json_dumps(o, JSON_COMPACT);
    return arena_str(a, text ? text : "{}");
}

static const char *text_at(struct arena *a, const json_t *o, const char *key, const char *otherwise)
{
    const char *s = json_string_value(json_object_get(o, key));

    return str_empty(s) ? otherwise : arena_str(a, s);
}

static bool flag_at(const json_t *o, const char *key, bool otherwise)
{
    const json_t *v = json_object_get(o, key);

    return json_is_boolean(v) ? json_is_true(v) : otherwise;
}

struct zec_attrs zec_attrs_read(struct arena *a, const char *json)
{
    json_auto_t *o = json_loads(json ? json : "{}", 0, NULL);
    const json_t *options = json_object_get(o, "instanceOptions");

    return (struct zec_attrs){
        .time_zone = text_at(a, o, "timeZone", NULL),
        .nic_network_type = text_at(a, o, "nicNetworkType", DEFAULT_NIC_TYPE),
        .agent = flag_at(o, "enableAgent", true),
        .ip_forward = flag_at(o, "enableIpForward", false),
        .system_bursting = flag_at(o, "systemDiskBursting", false),
        .data_bursting = flag_at(o, "dataDiskBursting", false),
        .has_options = json_is_object(options),
        .nested_virtualization = flag_at(options, "nestedVirtualization", false),
    };
}
