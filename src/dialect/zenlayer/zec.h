/* What the dialect's table is wired from; for the files of this folder and their tests. */
#ifndef OSTLER_DIALECT_ZENLAYER_ZEC_H
#define OSTLER_DIALECT_ZENLAYER_ZEC_H

#include "api/dialect.h"

#define ZEC_SERVICE  "zec"
#define ZEC_VERSIONS VALUES("2024-04-01", "2025-09-01")

/* request.c */
bool zec_claims(const struct request *r);
void zec_name_request(struct call *c);
enum err zec_parse(struct call *c);
enum err zec_find(struct call *c, const struct action **ret);

enum { ZEC_MAX_BODY = 8 << 20, ZEC_MAX_DEPTH = 12, ZEC_MAX_VALUES = 20000 };

/*
 * Reads a body that must be one JSON object: valid UTF-8, no key twice, no NUL in a text, within
 * the limits above. ERR_BODY or ERR_TOO_LARGE. The caller owns *ret.
 */
enum err zec_read_body(const char *body, size_t len, json_t **ret, struct fail *f);

/* sign.c */
enum err zec_verify(struct call *c);

/* faults.c */
struct strs zec_instances(const struct call *c);
void zec_say_retry(struct call *c, int64_t ms, struct answer *a);

/* envelope.c */
void zec_answer(struct call *c, const void *out, struct answer *a);
void zec_refuse(struct call *c, const struct err_row *row, struct answer *a);

/* errors.c: a row for every error of the core; ended by ERR_NONE. */
extern const struct err_row zec_errors[];

/* The actions, one file each or a close family. */
extern const struct action zec_create_zec_instances;
extern const struct action zec_describe_images;
extern const struct action zec_describe_instances;
extern const struct action zec_describe_instances_status;
extern const struct action zec_describe_time_zones;
extern const struct action zec_describe_zone_instance_config_infos;
extern const struct action zec_describe_zones;
extern const struct action zec_reboot_instances;
extern const struct action zec_release_instances;
extern const struct action zec_start_instances;
extern const struct action zec_stop_instances;

#endif
