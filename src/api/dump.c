/* Every declaration as JSON: what documentation, forms and conformance lists are made from. */
#include "api/dispatch.h"
#include "api/documented.h"

static const char *const kind_names[] = {
    [FIELD_STR] = "string",   [FIELD_INT] = "integer",  [FIELD_BOOL] = "boolean",
    [FIELD_NUM] = "number",   [FIELD_STRS] = "strings", [FIELD_OBJ] = "object",
    [FIELD_OBJS] = "objects",
};

static const char *const format_names[] = {
    [FMT_ANY] = NULL,    [FMT_ID] = "id",     [FMT_TIME] = "time",
    [FMT_NAME] = "name", [FMT_IPV4] = "ipv4", [FMT_BASE64] = "base64",
};

static const char *const perm_names[] = {
    [PERM_NONE] = "none",       [PERM_READ] = "read",     [PERM_POWER] = "power",
    [PERM_CREATE] = "create",   [PERM_DELETE] = "delete", [PERM_OPERATOR] = "operator",
    [PERM_CONTROL] = "control",
};

static json_t *texts(const char *const *v)
{
    json_t *list = json_array();

    for (; v && *v; v++)
        json_array_append_new(list, json_string(*v));
    return list;
}

static void set_if(json_t *o, const char *name, bool wanted, json_t *value)
{
    if (wanted)
        json_object_set_new(o, name, value);
    else
        json_decref(value);
}

static json_t *dump_fields(const struct field *f)
{
    json_t *list = json_array();

    for (; f && f->name; f++) {
        json_t *o = json_object();

        json_object_set_new(o, "name", json_string(f->name));
        json_object_set_new(o, "type", json_string(kind_names[f->kind]));
        set_if(o, "required", f->required, json_true());
        set_if(o, "secret", f->secret, json_true());
        set_if(o, "ignored", f->ignored, json_true());
        set_if(o, "jsonText", f->json_text, json_true());
        set_if(o, "min", f->min != 0, json_integer(f->min));
        set_if(o, "max", f->max != 0, json_integer(f->max));
        set_if(o, "default", f->kind == FIELD_INT && f->def, json_integer(f->def));
        set_if(o, "default", f->kind == FIELD_BOOL, json_boolean(f->def));
        set_if(o, "default", f->def_str != NULL, json_string(f->def_str ? f->def_str : ""));
        set_if(o, "values", f->values != NULL, texts(f->values));
        set_if(o, "format", f->format != FMT_ANY,
               f->format ? json_string(format_names[f->format]) : json_null());
        set_if(o, "fields", f->sub != NULL, f->sub ? dump_fields(f->sub) : json_null());
        set_if(o, "text", f->text != NULL, json_string(f->text ? f->text : ""));
        json_array_append_new(list, o);
    }
    return list;
}

static const struct err_row *row_of(const struct dialect *d, const struct action *a, enum err e)
{
    struct call c = {.dialect = d, .action = a, .fail = {.err = e}};

    return call_err_row(&c);
}

static json_t *dump_errors(const struct dialect *d, const struct action *a)
{
    json_t *list = json_array();

    for (const enum err *e = a->errors; e && *e; e++) {
        const struct err_row *row = row_of(d, a, *e);

        json_array_append_new(list,
                              json_pack("{s:s, s:i, s:s, s:s}", "error", err_name(*e), "status",
                                        row->status, "code", row->code, "message", row->message));
    }
    return list;
}

static json_t *dump_action(const struct dialect *d, const struct action *a)
{
    json_t *o =
        json_pack("{s:s, s:s, s:s, s:s, s:s}", "dialect", d->name, "name", a->name, "summary",
                  a->summary ? a->summary : "", "permission", perm_names[a->perm], "access",
                  a->access == ACCESS_READ ? "read" : "write");

    set_if(o, "service", a->service != NULL, json_string(a->service ? a->service : ""));
    set_if(o, "versions", a->versions != NULL, texts(a->versions));
    json_object_set_new(o, "fields", dump_fields(a->in));
    json_object_set_new(o, "errors", dump_errors(d, a));
    documented_dump(d, a, o);
    return o;
}

char *api_dump(const struct dialect *const *dialects)
{
    json_t *list = json_array();

    for (; *dialects; dialects++)
        for (const struct action *const *a = (*dialects)->actions; *a; a++)
            json_array_append_new(list, dump_action(*dialects, *a));
    char *text = json_dumps(list, JSON_INDENT(2));
    json_decref(list);
    return text ? text : xstrdup("[]");
}
