/* Copies of machines, and keys on their way to a child. */
#include "engine/qemu/spec.h"

#include <errno.h>
#include <fcntl.h>

#include "base/arena.h"
#include "base/util.h"

enum { MAX_KEY = 512 }; /* its text fits into a pipe without anybody reading */

static const char *copy(struct arena *a, const char *s)
{
    return arena_str(a, s ? s : "");
}

static void copy_disk(struct arena *a, const struct machine_disk *from, struct machine_disk *to)
{
    *to = *from;
    to->id = copy(a, from->id);
    to->category = copy(a, from->category);
    to->data_key = (struct bytes){0};
    if (!from->data_key.len)
        return;
    void *key = arena_alloc(a, from->data_key.len);
    memcpy(key, from->data_key.data, from->data_key.len);
    to->data_key = (struct bytes){.data = key, .len = from->data_key.len};
}

struct machine *spec_new(const struct machine *m)
{
    struct arena *a = arena_new();
    struct machine *spec = ARENA_NEW(a, struct machine);
    struct machine_disk *disks = ARENA_ARRAY(a, struct machine_disk, m->n_disks + 1);

    *spec = *m;
    spec->arena = a;
    for (size_t i = 0; i < m->n_disks; i++)
        copy_disk(a, &m->disks[i], &disks[i]);
    spec->disks = disks;
    const char **texts[] = {&spec->id,     &spec->name,     &spec->hostname,  &spec->image,
                            &spec->subnet, &spec->cidr,     &spec->ip,        &spec->mac,
                            &spec->serial, &spec->metadata, &spec->user_data, &spec->image_path};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        *texts[i] = copy(a, *texts[i]);
    return spec;
}

void spec_free(struct machine *spec)
{
    if (!spec)
        return;
    for (size_t i = 0; i < spec->n_disks; i++)
        if (spec->disks[i].data_key.len)
            explicit_bzero((void *)spec->disks[i].data_key.data, spec->disks[i].data_key.len);
    arena_free(spec->arena);
}

const char *spec_disk_file(const struct machine_disk *d)
{
    return d->kind == DISK_SYSTEM ? "system" : d->id;
}

size_t spec_n_keys(const struct machine *spec)
{
    size_t n = 0;

    for (size_t i = 0; i < spec->n_disks; i++)
        n += spec->disks[i].encrypted;
    return n;
}

int spec_key_pipe(const struct bytes *key)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *bytes = key->data;
    char text[2 * MAX_KEY];
    int ends[2];

    if (!key->len || key->len > MAX_KEY)
        return -EINVAL;
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    for (size_t i = 0; i < key->len; i++) {
        text[2 * i] = digits[bytes[i] >> 4];
        text[2 * i + 1] = digits[bytes[i] & 15];
    }
    ssize_t n = write(ends[1], text, 2 * key->len);
    int r = n == (ssize_t)(2 * key->len) ? ends[0] : n < 0 ? -errno : -EIO;
    explicit_bzero(text, sizeof(text));
    (void)close(ends[1]); /* the reader must see the end */
    if (r < 0)
        (void)close(ends[0]);
    return r;
}
