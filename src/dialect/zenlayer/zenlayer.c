/* The dialect as one table, and the list of its actions. */
#include "dialect/zenlayer/zenlayer.h"

#include "dialect/zenlayer/rules.h"
#include "dialect/zenlayer/zec.h"

/* Sorted by name. */
static const struct action *const actions[] = {
    &zec_create_zec_instances, &zec_describe_images,
    &zec_describe_instances,   &zec_describe_instances_status,
    &zec_describe_time_zones,  &zec_describe_zone_instance_config_infos,
    &zec_describe_zones,       &zec_reboot_instances,
    &zec_release_instances,    &zec_start_instances,
    &zec_stop_instances,       NULL,
};

const struct dialect dialect_zenlayer = {
    .name = "zenlayer",
    .family = "zenlayer",
    .actions = actions,
    .errors = zec_errors,
    .strict_types = true,
    .claims = zec_claims,
    .name_request = zec_name_request,
    .parse = zec_parse,
    .verify = zec_verify,
    .find = zec_find,
    .good_name = zec_good_name,
    .answer = zec_answer,
    .refuse = zec_refuse,
    .instances = zec_instances,
    .say_retry = zec_say_retry,
};
