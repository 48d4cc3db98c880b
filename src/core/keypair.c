/* SSH key pairs. */
#include "core/keypair.h"

#include "base/crypto.h"
#include "core/ids.h"

static const char *const key_types[] = {
    "ssh-rsa",
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
};

static bool known_type(const char *type)
{
    for (size_t i = 0; i < ARRAY_LEN(key_types); i++)
        if (streq(type, key_types[i]))
            return true;
    return false;
}

/* The clouds show this old hash; it names a key and protects nothing. */
static const char *md5_pairs(struct arena *a, const void *data, size_t len)
{
    uint8_t md[MD5_LEN];
    char *text = arena_alloc(a, 3 * MD5_LEN);

    md5(data, len, md);
    const char *hex = hex_encode(a, md, MD5_LEN);
    for (size_t i = 0; i < MD5_LEN; i++) {
        memcpy(text + 3 * i, hex + 2 * i, 2);
        text[3 * i + 2] = i + 1 < MD5_LEN ? ':' : 0;
    }
    return text;
}

/* A blob is a row of texts, each behind its length in four bytes; the first repeats the type. */
static bool blob_is(const uint8_t *blob, size_t len, const char *type)
{
    size_t want = strlen(type), at = 0, texts = 0;

    for (; at < len; texts++) {
        if (len - at < 4)
            return false;
        size_t n = (size_t)blob[at] << 24 | (size_t)blob[at + 1] << 16 | (size_t)blob[at + 2] << 8 |
                   blob[at + 3];

        at += 4;
        if (n > len - at)
            return false;
        if (!texts && (n != want || memcmp(blob + at, type, n) != 0))
            return false;
        at += n;
    }
    return texts >= 2;
}

static const char *skip_blanks(const char *s)
{
    return s + strspn(s, " \t\r\n");
}

static const char *take_word(struct arena *a, const char **s)
{
    const char *at = skip_blanks(*s);
    size_t n = strcspn(at, " \t\r\n");

    *s = at + n;
    return arena_strn(a, at, n);
}

bool keypair_parse(struct arena *a, const char *text, const char **ret_line,
                   const char **ret_fingerprint)
{
    if (strlen(text) > KEYPAIR_MAX_TEXT)
        return false;
    const char *type = take_word(a, &text), *base64 = take_word(a, &text);
    const char *comment = text + strspn(text, " \t");
    size_t n_comment = strcspn(comment, "\r\n"), n;

    /* A second line would be a second key, or an option, in the guest's authorized_keys. */
    if (*skip_blanks(comment + n_comment) || !known_type(type))
        return false;
    for (size_t i = 0; i < n_comment; i++)
        if ((unsigned char)comment[i] < ' ' || comment[i] == 0x7f)
            return false;
    const uint8_t *blob = base64_decode(a, base64, &n);
    if (!blob || !blob_is(blob, n, type))
        return false;
    while (n_comment && comment[n_comment - 1] == ' ')
        n_comment--;
    *ret_line =
        arena_fmt(a, "%s %s%s%.*s", type, base64, n_comment ? " " : "", (int)n_comment, comment);
    *ret_fingerprint = md5_pairs(a, blob, n);
    return true;
}

enum err keypair_import(struct op *op, const char *name, const char *public_key, bool decimal_id,
                        struct keypair *ret)
{
    struct keypair k = {.account = op->account, .name = name, .created_at = op->now};
    struct query same = {0};

    if (!keypair_parse(op->arena, public_key, &k.public_key, &k.fingerprint))
        return fail(op->fail, ERR_KEYPAIR_FORMAT,
                    "not one line of OpenSSH's public key format, like 'ssh-ed25519 AAAA... me'");
    query_text(&same, "account", CMP_EQ, op->account);
    query_text(&same, "name", CMP_EQ, name);
    if (store_count(op->tx, &rec_keypair, &same))
        return fail(op->fail, ERR_KEYPAIR_EXISTS, "there is a key pair named '%s'", name);
    k.id = id_new(op, decimal_id, decimal_id ? "" : "ssh-", "");
    store_insert(op->tx, &rec_keypair, &k);
    event_append(op, k.id, "keypair-imported", name);
    *ret = k;
    return ERR_NONE;
}

enum err keypair_get(struct op *op, const char *id_or_name, struct keypair *ret)
{
    static const char *const columns[] = {"id", "name"};

    for (size_t i = 0; i < ARRAY_LEN(columns); i++) {
        struct query q = {.order = "created_at,id"};

        query_text(&q, columns[i], CMP_EQ, id_or_name);
        if (op->account)
            query_text(&q, "account", CMP_EQ, op->account);
        if (store_first(op->tx, &rec_keypair, &q, ret))
            return ERR_NONE;
    }
    return fail(op->fail, ERR_KEYPAIR_NOT_FOUND, "there is no key pair '%s'", id_or_name);
}

enum err keypair_delete(struct op *op, const char *id_or_name)
{
    struct keypair k;
    enum err e = keypair_get(op, id_or_name, &k);
    struct query users = {0};
    size_t n;

    if (e)
        return e;
    query_text(&users, "keypair", CMP_EQ, k.id);
    struct inst *in = store_find(op->tx, &rec_inst, &users, &n);
    for (size_t i = 0; i < n; i++) {
        in[i].keypair = "";
        store_update(op->tx, &rec_inst, &in[i]);
    }
    store_delete(op->tx, &rec_keypair, k.id);
    event_append(op, k.id, "keypair-deleted", k.name);
    return ERR_NONE;
}
