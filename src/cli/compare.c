/* Comparing answers word by word, learning names on the way. */
#include "cli/compare.h"

#include <ctype.h>
#include <stdio.h>

#include "base/map.h"

enum { SHOWN = 160, CONTEXT = 40 };

/* ---- names ---- */

struct names {
    struct map *to, *from; /* texts of malloc */
};

static void free_value(void *ctx, const char *key, void *value)
{
    (void)ctx;
    (void)key;
    free(value);
}

static void map_clear(struct map *m)
{
    map_each(m, free_value, NULL);
    map_free(m);
}

struct names *names_new(void)
{
    struct names *n = xcalloc(1, sizeof(*n));

    n->to = map_new();
    n->from = map_new();
    return n;
}

void names_free(struct names *n)
{
    if (!n)
        return;
    map_clear(n->to);
    map_clear(n->from);
    free(n);
}

const char *names_get(const struct names *n, const char *recorded)
{
    return map_get(n->to, recorded);
}

bool names_learn(struct names *n, const char *recorded, const char *replayed)
{
    const char *to = map_get(n->to, recorded), *from = map_get(n->from, replayed);

    if (to || from)
        return to && from && streq(to, replayed) && streq(from, recorded);
    map_put(n->to, recorded, xstrdup(replayed));
    map_put(n->from, replayed, xstrdup(recorded));
    return true;
}

/* ---- words ---- */

static bool word_char(char c)
{
    return isalnum((unsigned char)c) || c == '-' || c == '_' || c == '*';
}

/* How long the word is that begins here: letters, digits, - _ *, and . : between two of them. 0:
 * none does. */
static size_t word_len(const char *s)
{
    size_t n = 0;

    while (word_char(s[n]) || (n && (s[n] == '.' || s[n] == ':') && word_char(s[n + 1])))
        n++;
    return n;
}

const char *names_apply(const struct names *names, struct arena *a, const char *text)
{
    CLEANUP(buf_done) struct buf b = {0};
    const char *whole = names_get(names, text);

    if (whole)
        return arena_str(a, whole);
    while (*text) {
        size_t n = word_len(text);
        const char *word = arena_strn(a, text, n ? n : 1);
        const char *to = n ? names_get(names, word) : NULL;

        buf_str(&b, to ? to : word);
        text += n ? n : 1;
    }
    return arena_str(a, buf_cstr(&b));
}

enum kind {
    KIND_PLAIN,
    KIND_UUID,
    KIND_ID,
    KIND_NUMBER,
    KIND_ADDRESS,
    KIND_MAC,
    KIND_TIME,
    KIND_HOST
};

/* A pattern: 9 a digit, x a hexadecimal one, anything else itself. */
static bool fits(const char *s, const char *pattern)
{
    for (; *pattern; s++, pattern++)
        if (*pattern == '9'   ? !isdigit((unsigned char)*s)
            : *pattern == 'x' ? !isxdigit((unsigned char)*s)
                              : *s != *pattern)
            return false;
    return !*s;
}

static bool is_uuid(const char *s)
{
    return fits(s + (*s == 'T'), "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx");
}

static bool is_time(const char *s)
{
    return fits(s, "9999-99-99T99:99:99Z") || fits(s, "9999-99-99T99:99Z") ||
           fits(s, "9999-99-99T99:99:99.999Z");
}

static bool is_mac(const char *s)
{
    return fits(s, "xx:xx:xx:xx:xx:xx");
}

static bool is_address(const char *s)
{
    unsigned a, b, c, d;
    int end = 0;

    return sscanf(s, "%3u.%3u.%3u.%3u%n", &a, &b, &c, &d, &end) == 4 && !s[end] && a < 256 &&
           b < 256 && c < 256 && d < 256;
}

static bool is_number(const char *s)
{
    size_t n = strspn(s, "0123456789");

    return n >= 15 && n <= 20 && !s[n];
}

/* "i-bp67acfmxazb4p....": a short word, '-', and eight or more of which one is a digit. */
static bool is_id(const char *s)
{
    size_t head = strspn(s, "abcdefghijklmnopqrstuvwxyz");
    const char *tail = s + head + 1;

    if (!head || head > 6 || s[head] != '-')
        return false;
    size_t n = strspn(tail, "abcdefghijklmnopqrstuvwxyz0123456789*");
    return n >= 8 && !tail[n] && strpbrk(tail, "0123456789*");
}

/* The host name that is made of an instance's id. */
static bool is_host(const char *s)
{
    return str_starts(s, "iZ") && strlen(s) >= 12 && s[strlen(s) - 1] == 'Z';
}

static enum kind kind_of(const char *word)
{
    static const struct {
        bool (*is)(const char *s);
        enum kind kind;
    } kinds[] = {{is_uuid, KIND_UUID},       {is_time, KIND_TIME}, {is_mac, KIND_MAC},
                 {is_address, KIND_ADDRESS}, {is_id, KIND_ID},     {is_number, KIND_NUMBER},
                 {is_host, KIND_HOST}};

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (kinds[i].is(word))
            return kinds[i].kind;
    return KIND_PLAIN;
}

/* May the one stand for the other? Ids of both clouds are either numbers or have a prefix. */
static bool same_kind(const char *recorded, const char *replayed)
{
    enum kind a = kind_of(recorded), b = kind_of(replayed);

    if (a == KIND_ID && b == KIND_ID) {
        size_t n = strcspn(recorded, "-") + 1;

        return strncmp(recorded, replayed, n) == 0;
    }
    if ((a == KIND_ID && b == KIND_NUMBER) || (a == KIND_NUMBER && b == KIND_ID))
        return true;
    return a == b && a != KIND_PLAIN;
}

static bool same_word(struct comparison *c, const char *recorded, const char *replayed)
{
    const char *known = names_get(c->names, recorded);

    if (kind_of(recorded) == KIND_TIME && kind_of(replayed) == KIND_TIME)
        return strlen(recorded) == strlen(replayed);
    if (known)
        return streq(known, replayed);
    if (streq(recorded, replayed))
        return true;
    return same_kind(recorded, replayed) && !map_get(c->names->from, replayed) &&
           names_learn(c->pairs, recorded, replayed);
}

/* Where the two part: a byte of each; NULL when they say the same. */
static const char *part(struct comparison *c, const char *recorded, const char *replayed,
                        const char **ret_replayed)
{
    while (*recorded || *replayed) {
        size_t n = word_len(recorded), m = word_len(replayed);

        *ret_replayed = replayed;
        if (!n || !m) {
            if (*recorded != *replayed)
                return recorded;
            n = m = 1;
        } else if (!same_word(c, arena_strn(c->arena, recorded, n),
                              arena_strn(c->arena, replayed, m))) {
            return recorded;
        }
        recorded += n;
        replayed += m;
    }
    return NULL;
}

/* ---- what was found ---- */

void compare_begin(struct comparison *c, struct arena *a, struct names *names)
{
    *c = (struct comparison){.arena = a, .names = names, .pairs = names_new()};
}

void compare_done(struct comparison *c)
{
    names_free(c->pairs);
    c->pairs = NULL;
}

static void keep_one(void *ctx, const char *recorded, void *replayed)
{
    (void)names_learn(ctx, recorded, replayed); /* was asked about when it was found */
}

void compare_keep(struct comparison *c)
{
    map_each(c->pairs->to, keep_one, c->names);
}

static void differ(struct comparison *c, const char *path, const char *recorded,
                   const char *replayed)
{
    if (c->quiet)
        return;
    if (c->n < COMPARE_MAX)
        c->v[c->n++] = (struct difference){path, recorded, replayed};
    c->total++;
}

static const char *shorten(struct arena *a, const char *s)
{
    return strlen(s) <= SHOWN ? arena_str(a, s) : arena_fmt(a, "%.*s...", SHOWN, s);
}

static const char *show(struct arena *a, const json_t *v)
{
    CLEANUP(free_p) char *text = v ? json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;

    return v ? shorten(a, text ? text : "") : "nothing";
}

void compare_numbers(struct comparison *c, const char *path, long long recorded, long long replayed)
{
    if (recorded != replayed)
        differ(c, path, arena_fmt(c->arena, "%lld", recorded),
               arena_fmt(c->arena, "%lld", replayed));
}

/* ---- states ---- */

static const char *const under_way[] = {
    "BOOTING",    "Creating",  "DEPLOYING", "PENDING",  "Pending",  "REBOOT",   "REBOOTING",
    "REBUILDING", "RECYCLING", "RELEASING", "STARTING", "STOPPING", "Starting", "Stopping",
};

static bool is_under_way(const char *word)
{
    for (size_t i = 0; i < ARRAY_LEN(under_way); i++)
        if (streq(under_way[i], word))
            return true;
    return false;
}

static const char *status_of(const json_t *o)
{
    static const char *const keys[] = {"Status", "status", "InstanceStatus", "instanceStatus"};

    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        if (json_is_string(json_object_get(o, keys[i])))
            return json_string_value(json_object_get(o, keys[i]));
    return NULL;
}

/* A thing that was seen on its way, and is elsewhere now: how far it has come is a matter of time.
 */
static bool moved_on(struct comparison *c, const json_t *recorded, const json_t *replayed)
{
    const char *was = status_of(recorded), *is = status_of(replayed);

    if (!was || !is || streq(was, is))
        return false;
    if (is_under_way(was))
        return true;
    c->under_way = c->under_way || is_under_way(is);
    return false;
}

/* ---- JSON ---- */

/* Values that are another on each server; that they are there, and their type, is what counts. */
static bool is_local(const char *name)
{
    return streq(name, "HostId") || streq(name, "RegionEndpoint") || str_ends(name, "OwnerId");
}

/* Pages' tokens have no form that could be told. */
static bool is_token(const char *name)
{
    return streq(name, "NextToken") || streq(name, "nextToken");
}

static void compare_tokens(struct comparison *c, const char *path, const json_t *recorded,
                           const json_t *replayed)
{
    const char *a = json_string_value(recorded), *b = json_string_value(replayed);

    if (!a || !b || !*a != !*b)
        differ(c, path, show(c->arena, recorded), show(c->arena, replayed));
    else if (*a)
        (void)names_learn(c->pairs, a, b); /* one that was asked for twice may be another */
}

static void compare_member(struct comparison *c, const char *path, const char *name,
                           const json_t *recorded, const json_t *replayed)
{
    const char *at = arena_fmt(c->arena, "%s.%s", path, name);

    if (!recorded || !replayed)
        differ(c, at, show(c->arena, recorded), show(c->arena, replayed));
    else if (is_token(name))
        compare_tokens(c, at, recorded, replayed);
    else if (!is_local(name) || json_typeof(recorded) != json_typeof(replayed))
        compare_json(c, at, recorded, replayed);
}

static void compare_objects(struct comparison *c, const char *path, const json_t *recorded,
                            const json_t *replayed)
{
    bool moved = moved_on(c, recorded, replayed);
    const char *name;
    json_t *v;

    c->quiet += moved;
    json_object_foreach ((json_t *)recorded, name, v)
        compare_member(c, path, name, v, json_object_get(replayed, name));
    json_object_foreach ((json_t *)replayed, name, v)
        if (!json_object_get(recorded, name))
            compare_member(c, path, name, NULL, v);
    c->quiet -= moved;
}

/* Of lists of different lengths nobody knows which items belong together. */
static void compare_lists(struct comparison *c, const char *path, const json_t *recorded,
                          const json_t *replayed)
{
    size_t n = json_array_size(recorded), m = json_array_size(replayed);

    if (n != m) {
        for (size_t i = 0; i < m; i++) {
            const char *is = status_of(json_array_get(replayed, i));

            c->under_way = c->under_way || (is && is_under_way(is));
        }
        differ(c, path, arena_fmt(c->arena, "%zu items", n), arena_fmt(c->arena, "%zu items", m));
        return;
    }
    for (size_t i = 0; i < n; i++)
        compare_json(c, arena_fmt(c->arena, "%s[%zu]", path, i), json_array_get(recorded, i),
                     json_array_get(replayed, i));
}

void compare_json(struct comparison *c, const char *path, const json_t *recorded,
                  const json_t *replayed)
{
    const char *rest;

    if (json_is_object(recorded) && json_is_object(replayed))
        compare_objects(c, path, recorded, replayed);
    else if (json_is_array(recorded) && json_is_array(replayed))
        compare_lists(c, path, recorded, replayed);
    else if (json_is_string(recorded) && json_is_string(replayed)
                 ? part(c, json_string_value(recorded), json_string_value(replayed), &rest) != NULL
                 : !recorded || !replayed || !json_equal(recorded, replayed))
        differ(c, path, show(c->arena, recorded), show(c->arena, replayed));
}

/* ---- other text ---- */

static bool shows_under_way(const char *text)
{
    for (; *text; text += strcspn(text, ">"), text += *text == '>') {
        char word[16];
        size_t n = strcspn(text, "<");

        if (n && n < sizeof(word)) {
            memcpy(word, text, n);
            word[n] = 0;
            if (is_under_way(word))
                return true;
        }
    }
    return false;
}

static const char *around(struct arena *a, const char *text, const char *at)
{
    size_t back = at - text < CONTEXT ? (size_t)(at - text) : CONTEXT;

    return arena_fmt(a, "%s%.*s", back < (size_t)(at - text) ? "..." : "", (int)back + CONTEXT,
                     at - back);
}

void compare_text(struct comparison *c, const char *path, const char *recorded,
                  const char *replayed)
{
    const char *is, *was = part(c, recorded, replayed, &is);

    if (!was || shows_under_way(recorded))
        return;
    c->under_way = c->under_way || shows_under_way(replayed);
    differ(c, path, around(c->arena, recorded, was), around(c->arena, replayed, is));
}
