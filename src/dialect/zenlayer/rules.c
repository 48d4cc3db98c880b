/* The rules for names, passwords, tags and scripts. */
#include "dialect/zenlayer/rules.h"

#include "base/crypto.h"
#include "core/naming.h"

enum {
    MIN_NAME = 2,
    MAX_NAME = 63,
    MAX_BEGIN_DIGITS = 5,
    MAX_BITS = 6,
    MIN_PASSWORD = 8,
    MAX_PASSWORD = 16,
    MAX_TAG_CHARS = 64,
    MAX_RAW_NAME = 256
};

static bool is_lower(char ch)
{
    return ch >= 'a' && ch <= 'z';
}

static bool is_upper(char ch)
{
    return ch >= 'A' && ch <= 'Z';
}

static bool is_digit(char ch)
{
    return ch >= '0' && ch <= '9';
}

static bool is_alnum(char ch)
{
    return is_lower(ch) || is_upper(ch) || is_digit(ch);
}

/* ---- names ---- */

/* A name without patterns. */
static bool good_plain_name(const char *s)
{
    size_t n = strlen(s);

    if (n < MIN_NAME || n > MAX_NAME || !is_alnum(s[0]) || !is_alnum(s[n - 1]))
        return false;
    for (; *s; s++)
        if (!is_alnum(*s) && *s != '-' && *s != '.')
            return false;
    return true;
}

/* Up to `max` digits; none leaves the default. NULL: more digits. */
static const char *read_number(const char *s, int max, int *ret)
{
    int n = 0, v = 0;

    for (; is_digit(*s); s++, n++) {
        if (n == max)
            return NULL;
        v = v * 10 + (*s - '0');
    }
    if (n)
        *ret = v;
    return s;
}

/* "[begin,bits]": its end, or NULL. Both numbers may be left out, and then the comma too. */
static const char *read_sequence(const char *s, int *ret_begin, int *ret_bits)
{
    *ret_begin = 0;
    *ret_bits = MAX_BITS;
    s = read_number(s + 1, MAX_BEGIN_DIGITS, ret_begin);
    if (s && *s == ',')
        s = read_number(s + 1, 1, ret_bits);
    if (!s || *s != ']' || *ret_bits < 1 || *ret_bits > MAX_BITS)
        return NULL;
    return s + 1;
}

/* Every pattern in full and the '_' before it gone; false: a bracket that is no pattern. */
static bool normalise(const char *s, struct buf *b)
{
    while (*s) {
        int begin, bits;

        if (s[0] == '_' && s[1] == '[')
            s++;
        if (*s != '[') {
            buf_char(b, *s++);
            continue;
        }
        s = read_sequence(s, &begin, &bits);
        if (!s)
            return false;
        buf_fmt(b, "[%d,%d]", begin, bits);
    }
    return true;
}

const char *zec_name_pattern(struct arena *a, const char *s, int64_t count)
{
    CLEANUP(buf_done) struct buf b = {0};
    const char *pattern;

    if (strlen(s) > MAX_RAW_NAME || !normalise(s, &b))
        return NULL;
    pattern = arena_str(a, buf_cstr(&b));
    for (int64_t i = 0; i < count; i++)
        if (!good_plain_name(name_of(a, pattern, (size_t)i, (size_t)count, false)))
            return NULL;
    return pattern;
}

static void arena_done(struct arena **a)
{
    arena_free(*a);
}

bool zec_good_name(const char *s)
{
    CLEANUP(arena_done) struct arena *a = arena_new();

    return zec_name_pattern(a, s, 1) != NULL;
}

/* ---- passwords ---- */

bool zec_good_password(const char *s)
{
    size_t n = strlen(s);
    bool lower = false, upper = false, digit = false, special = false;

    if (n < MIN_PASSWORD || n > MAX_PASSWORD)
        return false;
    for (; *s; s++) {
        bool is_special = strchr("~!@$^*-_=+|;:,.?", *s) != NULL;

        if (!is_alnum(*s) && !is_special)
            return false;
        lower |= is_lower(*s);
        upper |= is_upper(*s);
        digit |= is_digit(*s);
        special |= is_special;
    }
    return lower && upper && digit && special;
}

/* ---- tags ---- */

const struct field zec_tag_fields[] = {
    F_STR(struct zec_tag, key, "key", .required = true, .max = 4 * MAX_TAG_CHARS),
    F_STR(struct zec_tag, value, "value", .required = true, .max = 4 * MAX_TAG_CHARS),
    {.name = NULL},
};

/* Characters of a text that is known to be UTF-8. */
static size_t count_chars(const char *s)
{
    size_t n = 0;

    for (; *s; s++)
        n += ((unsigned char)*s & 0xc0) != 0x80;
    return n;
}

static bool good_tag_text(const char *s)
{
    size_t n = count_chars(s);

    return n >= 1 && n <= MAX_TAG_CHARS;
}

static enum err add_tag(struct call *c, json_t *o, const struct zec_tag *t)
{
    if (!good_tag_text(t->key))
        return fail_param(&c->fail, ERR_TAG_KEY, "tags", "it must have 1 to %d characters",
                          MAX_TAG_CHARS);
    if (!good_tag_text(t->value))
        return fail_param(&c->fail, ERR_TAG_VALUE, "tags", "it must have 1 to %d characters",
                          MAX_TAG_CHARS);
    if (json_object_get(o, t->key))
        return fail_param(&c->fail, ERR_TAG_DUPLICATE, "tags", "'%s'", t->key);
    if (json_object_set_new(o, t->key, json_string(t->value)) < 0)
        return fail(&c->fail, ERR_INTERNAL, "a tag cannot be kept");
    return ERR_NONE;
}

enum err zec_tags_json(struct call *c, const struct objs *tags, const char **ret)
{
    json_auto_t *o = json_object();
    const struct zec_tag *t = tags->v;

    for (size_t i = 0; i < tags->n; i++) {
        enum err err = add_tag(c, o, &t[i]);

        if (err)
            return err;
    }
    CLEANUP(free_p) char *text = json_dumps(o, JSON_COMPACT);
    *ret = arena_str(c->arena, text ? text : "{}");
    return ERR_NONE;
}

struct zec_tag *zec_tags_read(struct arena *a, const char *json, size_t *ret_n)
{
    json_auto_t *o = json_loads(json ? json : "{}", 0, NULL);
    struct zec_tag *tags = ARENA_ARRAY(a, struct zec_tag, json_object_size(o) + 1);
    const char *key;
    json_t *value;
    size_t n = 0;

    json_object_foreach (o, key, value) {
        tags[n].key = arena_str(a, key);
        tags[n].value = arena_str(a, json_is_string(value) ? json_string_value(value) : "");
        n++;
    }
    *ret_n = n;
    return tags;
}

/* ---- scripts ---- */

/* How everything begins that a guest's initialisation understands. */
static const char *const script_marks[] = {
    "#!",       "#cloud-config", "#cloud-boothook", "#include",      "#part-handler",
    "#upstart", "## template:",  "Content-Type:",   "MIME-Version:", "\x1f\x8b",
};

static bool is_script(const uint8_t *data, size_t n)
{
    for (size_t i = 0; i < ARRAY_LEN(script_marks); i++) {
        size_t len = strlen(script_marks[i]);

        if (n >= len && memcmp(data, script_marks[i], len) == 0)
            return true;
    }
    return false;
}

/* Could be kept and given back as text. */
static bool is_text(const uint8_t *data, size_t n)
{
    json_auto_t *s = memchr(data, 0, n) ? NULL : json_stringn((const char *)data, n);

    return s != NULL; /* the library refuses what is not UTF-8 */
}

/*
 * No source says whether the script is plain or in base64, and clients' users do both. A text that
 * is also base64 of something that begins like a script was meant as that: no script of its own
 * begins so.
 */
const char *zec_user_data(struct arena *a, const char *given, bool *ret_binary)
{
    size_t n = 0;
    const uint8_t *decoded = base64_decode(a, given, &n);

    *ret_binary = false;
    if (!decoded || !is_script(decoded, n))
        return given;
    if (is_text(decoded, n))
        return (const char *)decoded;
    *ret_binary = true;
    return given;
}
