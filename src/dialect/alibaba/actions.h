/* The actions that are built, one file each or a close family; listed by name in alibaba.c. */
#ifndef OSTLER_DIALECT_ALIBABA_ACTIONS_H
#define OSTLER_DIALECT_ALIBABA_ACTIONS_H

#include "api/dialect.h"

#define ECS_VERSIONS VALUES("2014-05-26")

extern const struct action ali_create_instance, ali_delete_instance, ali_delete_instances,
    ali_describe_images, ali_describe_instance_attribute,
    ali_describe_instance_auto_renew_attribute, ali_describe_instance_status,
    ali_describe_instance_types, ali_describe_instances, ali_describe_regions, ali_describe_zones,
    ali_modify_instance_auto_release_time, ali_modify_instance_auto_renew_attribute,
    ali_reboot_instance, ali_reboot_instances, ali_renew_instance, ali_run_instances,
    ali_start_instance, ali_start_instances, ali_stop_instance, ali_stop_instances;

#endif
