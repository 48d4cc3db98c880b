/*
 * Writes an answer while walking it, as JSON or XML, with one sequence of calls.
 *
 *   enc_str(e, "RequestId", id);
 *   enc_list(e, "Instances", "Instance");
 *       enc_obj(e, NULL);  enc_str(e, "InstanceId", "i-1");  enc_end(e);
 *   enc_end(e);
 *
 * Inside a list the name is NULL: the list knows what its items are called.
 */
#ifndef OSTLER_API_ENC_H
#define OSTLER_API_ENC_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

enum enc_format {
    ENC_JSON,         /* a list is an array */
    ENC_JSON_WRAPPED, /* a list is an object that holds one array under the item's name */
    ENC_XML           /* a list is an element that holds elements of the item's name */
};

enum { ENC_MAX_DEPTH = 16 };

struct enc {
    struct buf *out;
    enum enc_format format;
    unsigned depth;
    struct {
        bool list, any;
        const char *name, *item; /* borrowed until enc_end */
    } at[ENC_MAX_DEPTH];
};

/* Begins the outermost object; `root` is its XML element. XML begins with its declaration. */
void enc_init(struct enc *e, struct buf *out, enum enc_format format, const char *root);
/* Ends whatever is open. */
void enc_finish(struct enc *e);

void enc_obj(struct enc *e, const char *name);
void enc_list(struct enc *e, const char *name, const char *item);
void enc_end(struct enc *e); /* of the innermost object or list */

void enc_str(struct enc *e, const char *name, const char *value); /* NULL is said as "" */
void enc_int(struct enc *e, const char *name, int64_t value);
void enc_num(struct enc *e, const char *name,
             double value); /* shortest text that reads back the same */
void enc_bool(struct enc *e, const char *name, bool value);
void enc_null(struct enc *e, const char *name); /* XML: an empty element */

/* enc_str, or enc_null when the value is NULL or "". */
void enc_str_or_null(struct enc *e, const char *name, const char *value);
/* A whole list of texts. */
void enc_strs(struct enc *e, const char *name, const char *item, const char *const *v, size_t n);
/* An empty list. */
void enc_no_list(struct enc *e, const char *name, const char *item);

#endif
