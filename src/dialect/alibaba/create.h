/* What RunInstances and CreateInstance have in common: most of their parameters, and how those
 * become a new_inst. */
#ifndef OSTLER_DIALECT_ALIBABA_CREATE_H
#define OSTLER_DIALECT_ALIBABA_CREATE_H

#include "core/inst.h"
#include "dialect/alibaba/names.h"

struct disk_in {
    const char *category, *level, *name, *description, *device, *kms_key;
    const char *snapshot, *policy, *cluster, *algorithm;
    int64_t size, iops;
    bool encrypted, delete_with_inst, bursting;
};

struct interface_in {
    const char *type, *subnet, *secgroup, *ip, *id;
    struct strs secgroups, ipv6;
    int64_t ipv6_count, secondary_ips;
};

struct create_in {
    const char *region, *zone, *image, *image_family, *type;
    const char *secgroup, *subnet, *ip;
    struct strs secgroups;
    const char *name, *description, *hostname;
    bool unique_suffix;
    const char *password, *keypair, *user_data;
    bool password_inherit;
    int64_t amount, min_amount; /* min_amount 0: all or nothing */
    const char *charge, *period_unit;
    int64_t period, auto_renew_period;
    bool has_period, auto_renew;
    const char *io_optimized;
    struct disk_in system;
    struct objs data, interfaces, tags;
    bool deletion_protection, dry_run;
    const char *token;
    /* Kept and given back; see the table in create_attrs.c. */
    const char *internet_charge, *group, *credit, *isp;
    int64_t bandwidth_in, bandwidth_out, hop_limit;
    bool has_bandwidth_in, has_bandwidth_out, has_hop_limit;
    const char *http_endpoint, *http_tokens, *security_strategy;
    const char *spot_strategy, *spot_behavior;
    double spot_price;
    int64_t spot_duration;
    bool has_spot_price, has_spot_duration;
    struct {
        int64_t core, threads;
        bool has_core, has_threads;
        const char *numa, *topology, *nested;
    } cpu;
    struct {
        const char *id, *match;
    } pool;
    struct {
        const char *ptp;
    } clock;
    struct {
        const char *type;
        bool inst_a, inst_aaaa, ip_a, ip_ptr, has_inst_a, has_inst_aaaa, has_ip_a, has_ip_ptr;
    } dns;
    struct {
        bool jumbo, encryption, has_jumbo, has_encryption;
        const char *weighting;
    } network;
    /* Refused when they ask for something; see create_refuse in create_attrs.c. */
    const char *template_id, *template_name, *template_version, *dedicated_host, *deployment_set;
    const char *hpc_cluster, *storage_set, *ram_role, *release_time, *tenancy, *affinity;
    struct strs hostnames, ipv6;
    int64_t ipv6_count;
    struct {
        bool configured;
    } hibernation;
    struct {
        const char *cluster;
    } scheduler;
    struct {
        const char *confidential, *trusted;
        bool secure_boot;
    } security;
    struct {
        bool non_root;
    } image_options;
};

extern const struct field create_system_fields[], create_data_fields[], create_interface_fields[],
    create_cpu_fields[], create_pool_fields[], create_clock_fields[], create_dns_fields[],
    create_network_fields[], create_hibernation_fields[], create_scheduler_fields[],
    create_security_fields[], create_image_fields[];

/* Refuses what would be silently dropped and matters. */
enum err create_refuse(struct call *c, const struct create_in *in);
/* What only makes the round trip, as JSON in the arena; its ranges are checked. */
enum err create_attrs(struct call *c, const struct create_in *in, const struct inst_type *type,
                      const char **ret);
/* The disks. `image_gib`: the smallest size for the image, 0 unknown. */
enum err create_disks(struct call *c, const struct create_in *in, int64_t image_gib,
                      struct new_inst *n);

/* All of it, with the client token. `start`: the instances start when they are made. */
enum err create_run(struct call *c, const struct create_in *in, bool start, struct created *ret);

#define CREATE_ERRORS                                                                              \
    ERR_NAME, ERR_DESCRIPTION, ERR_HOSTNAME, ERR_PASSWORD, ERR_LOGIN_CONFLICT, ERR_TAG_KEY,        \
        ERR_TAG_VALUE, ERR_TAG_DUPLICATE, ERR_TAG_COUNT, ERR_USER_DATA, ERR_USER_DATA_SIZE,        \
        ERR_PERIOD, ERR_CHARGE_TYPE, ERR_REGION_NOT_FOUND, ERR_ZONE_NOT_FOUND, ERR_TYPE_NOT_FOUND, \
        ERR_TYPE_NOT_SOLD, ERR_IMAGE_NOT_FOUND, ERR_SUBNET_NOT_FOUND, ERR_SUBNET_ZONE,             \
        ERR_SECGROUP_NOT_FOUND, ERR_SECGROUP_VPC, ERR_KEYPAIR_NOT_FOUND, ERR_IP_FORMAT,            \
        ERR_IP_RANGE, ERR_IP_TAKEN, ERR_IP_EXHAUSTED, ERR_SYSTEM_DISK_CATEGORY,                    \
        ERR_SYSTEM_DISK_SIZE, ERR_SYSTEM_DISK_SMALL, ERR_DATA_DISK_CATEGORY, ERR_DATA_DISK_SIZE,   \
        ERR_DISK_COUNT, ERR_KMS_UNAUTHORIZED, ERR_KMS_NOT_FOUND, ERR_KMS_DISABLED,                 \
        ERR_KMS_UNTAGGED, ERR_NO_BALANCE, ERR_NO_STOCK, ERR_QUOTA, ERR_QUOTA_TYPE, ERR_QUOTA_CPU,  \
        ERR_TOKEN_FORMAT, ERR_TOKEN_MISMATCH, ERR_DRY_RUN, ERR_NEEDED, ERR_PARAM_VALUE,            \
        ERR_PARAM_TOO_BIG, ERR_PARAM_CONFLICT, ERR_UNSUPPORTED

/* The parameters that both actions take; `I` is struct create_in. Sorted by subject, as they are
 * read. */
#define CREATE_FIELDS(I)                                                                           \
    F_STR(I, region, "RegionId", .required = true), F_STR(I, zone, "ZoneId"),                      \
        F_STR(I, image, "ImageId", .text = "Or ImageFamily."),                                     \
        F_STR(I, image_family, "ImageFamily", .text = "The newest image of this family."),         \
        F_STR(I, secgroup, "SecurityGroupId"),                                                     \
        F_STR(I, subnet, "VSwitchId", .text = "Default: the zone's default one."),                 \
        F_STR(I, ip, "PrivateIpAddress", .format = FMT_IPV4, .bad = ERR_IP_FORMAT),                \
        F_STR(I, name, "InstanceName", .bad = ERR_NAME,                                            \
              .text = "May hold one sequence, prefix[begin,bits]suffix."),                         \
        F_STR(I, description, "Description", .bad = ERR_DESCRIPTION),                              \
        F_STR(I, hostname, "HostName", .bad = ERR_HOSTNAME),                                       \
        F_STR(I, password, "Password", .bad = ERR_PASSWORD, .secret = true),                       \
        F_BOOL(I, password_inherit, "PasswordInherit"),                                            \
        F_STR(I, keypair, "KeyPairName", .text = "Then no password lets in."),                     \
        F_STR(I, user_data, "UserData", .bad = ERR_USER_DATA, .text = "base64; 32 KiB decoded."),  \
        F_STR(I, charge, "InstanceChargeType", .def_str = "PostPaid",                              \
              .values = VALUES("PostPaid", "PrePaid"), .bad = ERR_CHARGE_TYPE),                    \
        F_INT(I, period, "Period", .has = HAS(I, has_period), .bad = ERR_PERIOD),                  \
        F_STR(I, period_unit, "PeriodUnit", .def_str = "Month", .values = VALUES("Month", "Week"), \
              .bad = ERR_PERIOD),                                                                  \
        F_BOOL(I, auto_renew, "AutoRenew"),                                                        \
        F_INT(I, auto_renew_period, "AutoRenewPeriod", .def = 1, .min = 1, .max = 60),             \
        F_STR(I, internet_charge, "InternetChargeType",                                            \
              .values = VALUES("PayByTraffic", "PayByBandwidth")),                                 \
        F_INT(I, bandwidth_in, "InternetMaxBandwidthIn", .min = 1, .max = 100,                     \
              .has = HAS(I, has_bandwidth_in)),                                                    \
        F_INT(I, bandwidth_out, "InternetMaxBandwidthOut", .min = 0, .max = 100,                   \
              .has = HAS(I, has_bandwidth_out)),                                                   \
        F_STR(I, io_optimized, "IoOptimized", .values = VALUES("optimized", "none")),              \
        F_OBJ(I, system, "SystemDisk", create_system_fields),                                      \
        F_OBJS(I, data, "DataDisk", struct disk_in, create_data_fields, .max = 16,                 \
               .bad = ERR_DISK_COUNT),                                                             \
        F_OBJS(I, tags, "Tag", struct tag, tag_fields, .max = TAGS_MAX, .bad = ERR_TAG_COUNT),     \
        F_STR(I, ram_role, "RamRoleName"), F_STR(I, group, "ResourceGroupId"),                     \
        F_STR(I, spot_strategy, "SpotStrategy",                                                    \
              .values = VALUES("NoSpot", "SpotWithPriceLimit", "SpotAsPriceGo")),                  \
        F_NUM(I, spot_price, "SpotPriceLimit", .has = HAS(I, has_spot_price)),                     \
        F_INT(I, spot_duration, "SpotDuration", .min = 0, .max = 6,                                \
              .has = HAS(I, has_spot_duration)),                                                   \
        F_STR(I, spot_behavior, "SpotInterruptionBehavior",                                        \
              .values = VALUES("Terminate", "Stop")),                                              \
        F_BOOL(I, deletion_protection, "DeletionProtection"),                                      \
        F_STR(I, credit, "CreditSpecification", .values = VALUES("Standard", "Unlimited")),        \
        F_STR(I, http_endpoint, "HttpEndpoint", .values = VALUES("enabled", "disabled")),          \
        F_STR(I, http_tokens, "HttpTokens", .values = VALUES("optional", "required")),             \
        F_INT(I, hop_limit, "HttpPutResponseHopLimit", .min = 1, .max = 64,                        \
              .has = HAS(I, has_hop_limit)),                                                       \
        F_STR(I, security_strategy, "SecurityEnhancementStrategy",                                 \
              .values = VALUES("Active", "Deactive")),                                             \
        F_STR(I, dedicated_host, "DedicatedHostId"),                                               \
        F_STR(I, tenancy, "Tenancy", .values = VALUES("default", "host")),                         \
        F_STR(I, affinity, "Affinity", .values = VALUES("default", "host")),                       \
        F_STR(I, deployment_set, "DeploymentSetId"), F_IGNORED("DeploymentSetGroupNo"),            \
        F_STR(I, hpc_cluster, "HpcClusterId"), F_STR(I, storage_set, "StorageSetId"),              \
        F_IGNORED("StorageSetPartitionNumber"),                                                    \
        F_OBJ(I, pool, "PrivatePoolOptions", create_pool_fields),                                  \
        F_OBJ(I, hibernation, "HibernationOptions", create_hibernation_fields),                    \
        F_STR(I, token, "ClientToken"), F_BOOL(I, dry_run, "DryRun")

/* The one message that these actions say without quotes around the parameter. */
#define CREATE_ROWS                                                                                \
    ERR_ROWS(                                                                                      \
        {ERR_NEEDED, 400, "MissingParameter",                                                      \
         "The input parameter %p that is mandatory for processing this request is not supplied."}, \
        {ERR_NO_BALANCE, 403, "InvalidAccountStatus.NotEnoughBalance",                             \
         "Your account does not have enough balance."})

#endif
