/* The master key's file, and sealing under it. */
#include "core/vault.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/crypto.h"

struct vault {
    uint8_t key[VAULT_KEY_LEN];
    struct world *world;
};

static enum err read_key(int fd, const char *path, uint8_t *key, struct fail *f)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return fail(f, ERR_INTERNAL, "%s: %s", path, strerror(errno));
    if (st.st_mode & 077)
        return fail(f, ERR_INTERNAL, "%s can be read by others; run: chmod 600 '%s'", path, path);
    if (st.st_size != VAULT_KEY_LEN || read(fd, key, VAULT_KEY_LEN) != VAULT_KEY_LEN)
        return fail(f, ERR_INTERNAL, "%s is not a master key of %d bytes", path, VAULT_KEY_LEN);
    return ERR_NONE;
}

/* Written under another name first: a key that is half on disk would lock everything away. */
static enum err make_key(const char *dir, const char *path, struct world *w, uint8_t *key,
                         struct fail *f)
{
    CLEANUP(free_p) char *db = xasprintf("%s/ostler.db", dir);
    if (access(db, F_OK) == 0)
        return fail(f, ERR_INTERNAL, "%s is missing, and what is in %s is sealed with it", path,
                    db);
    CLEANUP(free_p) char *tmp = xasprintf("%s/.master.key.new", dir);
    CLEANUP(close_p) int fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    CLEANUP(close_p) int dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    w->random(w, key, VAULT_KEY_LEN);
    if (fd < 0 || dir_fd < 0 || write(fd, key, VAULT_KEY_LEN) != VAULT_KEY_LEN || fsync(fd) < 0 ||
        rename(tmp, path) < 0 || fsync(dir_fd) < 0)
        return fail(f, ERR_INTERNAL, "cannot write %s: %s", path, strerror(errno));
    return ERR_NONE;
}

enum err vault_open(const char *dir, struct world *w, struct vault **ret, struct fail *f)
{
    CLEANUP(free_p) char *path = xasprintf("%s/master.key", dir);
    CLEANUP(close_p) int fd = open(path, O_RDONLY | O_CLOEXEC);
    uint8_t key[VAULT_KEY_LEN];
    enum err e;

    if (fd >= 0)
        e = read_key(fd, path, key, f);
    else if (errno == ENOENT)
        e = make_key(dir, path, w, key, f);
    else
        e = fail(f, ERR_INTERNAL, "%s: %s", path, strerror(errno));
    if (e)
        return e;
    struct vault *v = xcalloc(1, sizeof(*v));
    memcpy(v->key, key, sizeof(key));
    v->world = w;
    wipe(key, sizeof(key));
    *ret = v;
    return ERR_NONE;
}

void vault_free(struct vault *v)
{
    if (!v)
        return;
    wipe(v->key, sizeof(v->key));
    free(v);
}

struct bytes vault_wrap(struct vault *v, struct arena *a, struct bytes key, const char *context,
                        struct bytes plain)
{
    uint8_t nonce[AEAD_NONCE_LEN];
    uint8_t *sealed = arena_alloc(a, plain.len + AEAD_OVERHEAD);

    v->world->random(v->world, nonce, sizeof(nonce));
    aead_seal(key.data, nonce, context, strlen(context), plain.data, plain.len, sealed);
    return (struct bytes){sealed, plain.len + AEAD_OVERHEAD};
}

enum err vault_unwrap(struct arena *a, struct bytes key, const char *context, struct bytes sealed,
                      struct bytes *ret, struct fail *f)
{
    uint8_t *plain = arena_alloc(a, sealed.len + 1);

    if (key.len != AEAD_KEY_LEN ||
        aead_open(key.data, context, strlen(context), sealed.data, sealed.len, plain) < 0)
        return fail(f, ERR_INTERNAL, "the secret of '%s' is damaged", context);
    *ret = (struct bytes){plain, sealed.len - AEAD_OVERHEAD};
    return ERR_NONE;
}

struct bytes vault_seal(struct vault *v, struct arena *a, const char *context, struct bytes plain)
{
    return vault_wrap(v, a, (struct bytes){v->key, sizeof(v->key)}, context, plain);
}

enum err vault_open_sealed(struct vault *v, struct arena *a, const char *context,
                           struct bytes sealed, struct bytes *ret, struct fail *f)
{
    return vault_unwrap(a, (struct bytes){v->key, sizeof(v->key)}, context, sealed, ret, f);
}
