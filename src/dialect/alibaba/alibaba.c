/* The dialect as a whole: its actions, and which function does what. */
#include "dialect/alibaba/alibaba.h"

#include "dialect/alibaba/actions.h"
#include "dialect/alibaba/documented.h"
#include "dialect/alibaba/envelope.h"
#include "dialect/alibaba/errors.h"
#include "dialect/alibaba/faults.h"
#include "dialect/alibaba/names.h"
#include "dialect/alibaba/request.h"
#include "dialect/alibaba/sign.h"

/* Sorted by name. */
static const struct action *const actions[] = {
    &ali_create_instance,
    &ali_delete_instance,
    &ali_delete_instances,
    &ali_describe_images,
    &ali_describe_instance_attribute,
    &ali_describe_instance_auto_renew_attribute,
    &ali_describe_instance_status,
    &ali_describe_instance_types,
    &ali_describe_instances,
    &ali_describe_regions,
    &ali_describe_zones,
    &ali_modify_instance_auto_release_time,
    &ali_modify_instance_auto_renew_attribute,
    &ali_reboot_instance,
    &ali_reboot_instances,
    &ali_renew_instance,
    &ali_run_instances,
    &ali_start_instance,
    &ali_start_instances,
    &ali_stop_instance,
    &ali_stop_instances,
    NULL,
};

/* Names are case-sensitive. One that the cloud knows and we have not built is answered like one
 * that nobody knows. */
static enum err find(struct call *c, const struct action **ret)
{
    *ret = action_find(c->dialect->actions, c->action_name);
    if (!*ret)
        return fail(&c->fail, ERR_ACTION_UNKNOWN, "there is no action '%s'", c->action_name);
    return ERR_NONE;
}

const struct dialect dialect_alibaba = {
    .name = "alibaba",
    .family = "alibaba",
    .actions = actions,
    .errors = alibaba_errors,
    .documented = alibaba_documented,
    .strict_types = false,
    .claims = request_claims,
    .name_request = envelope_name,
    .parse = request_parse,
    .verify = sign_verify,
    .find = find,
    .refine = errors_refine,
    .good_name = name_ok,
    .answer = envelope_answer,
    .refuse = envelope_refuse,
    .instances = faults_instances,
    .say_retry = faults_say_retry,
};
