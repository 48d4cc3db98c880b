/*
 * Templates: a machine saved once at its guest's template point (guest/init/template.h), from which
 * machines of the same shape start without booting. The device state and the memory are files;
 * each machine maps the memory privately, so they share what none has changed.
 *
 * A template is found by its key: a hash of QEMU's program, kernel and processor of the host, the
 * image's kernel and initramfs, and the machine's command line without its own names, with the
 * sizes of its disks. Encrypted and local disks make no difference to the guest and so none to the
 * key. No key, and so no templates, have machines whose image does not offer it ("template": true),
 * that boot from their own disk, that are too large (8 GiB of memory), or that are no microvm.
 *
 * DIR/templates/KEY holds `ram`, `state` and manifest.json; a name that begins with a dot is
 * unfinished. A template is checked against its manifest before each use. It is made in the
 * background after a cold start of such a machine, one at a time, at the lowest priority. The least
 * recently used ones go when there are too many or they take too much; who runs from one keeps its
 * files until he ends. One whose making or use failed is removed, told once in the log, and its
 * key is left alone until the daemon starts again.
 */
#ifndef OSTLER_ENGINE_QEMU_TEMPLATE_H
#define OSTLER_ENGINE_QEMU_TEMPLATE_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"
#include "core/engine.h"
#include "engine/qemu/args.h"

struct engine;
struct op;
struct vm;
struct templates;
struct rebirth;

enum { TEMPLATE_KEY_SIZE = 33, TEMPLATE_FDS = 2 };

/* A machine's question for its template, and the answer. Owns what it names. */
struct template_ask {
    char *dir, *host; /* of the engine */
    struct platform platform;
    char key[TEMPLATE_KEY_SIZE]; /* "": no template for such a machine */
    int ram, state;              /* the template's open files, -1: there is none */
    const char *broken;          /* static text: it was not as it should be, and is removed */
};

/* ---- template.c: keys, files, lines; all but the first may block ---- */

/* NULL when the engine has no templates. */
struct template_ask *template_ask_new(const struct engine *e);
void template_ask_free(struct template_ask *ask); /* NULL is fine */

/* Finds the key and, if there is one that is whole, the template. */
void template_look(struct template_ask *ask, const struct machine *m,
                   const struct image_files *image);

/* The machine whose template serves every machine of its shape: no name, no address, no secrets. */
struct machine *template_machine(struct arena *a, const struct machine *m);

/* The command line that restores: `argv` with the memory from descriptor `fd`. */
char **template_restore_args(struct arena *a, char **argv, const struct machine *m, int fd);

/* The command line that makes one: memory in ./ram, blank disks, the word for the guest. `argv` is
 * of template_machine. */
char **template_make_args(struct arena *a, char **argv, const struct machine *m);

/*
 * The line that tells a restored guest who it is: time, random numbers, its card's address, and
 * what DHCP and metadata would answer it, if all of that can be said in words. The buffer holds
 * secrets afterwards: wipe it.
 */
void template_line(struct buf *b, const struct machine *m);

/* Directories below DIR/templates: the finished one's files get to the disk, then their name. NULL
 * or a sentence in the arena. */
const char *template_seal(struct arena *a, const char *dir, const char *unfinished,
                          const char *key);
void template_remove(const char *dir, const char *name);
/* Ends what a daemon that was killed left half made, and drops templates that nobody used for
 * long. */
void template_sweep(const char *dir);

/* ---- template_make.c: those of an engine ---- */

struct templates *templates_new(struct engine *e);
void templates_free(struct templates *t); /* ends a making; NULL is fine */
const char *templates_host(const struct templates *t);

/* May the answer be used? Not when its key has failed before. */
bool templates_allow(struct templates *t, const struct template_ask *ask);
/* A template, or the attempt to make one, failed: it is removed, and none is made again. `why` is
 * for the log. */
void templates_failed(struct templates *t, const char *key, const char *why);
/* A machine has just been started cold: perhaps the next one need not. */
void templates_started(struct templates *t, const struct template_ask *ask, const struct machine *m,
                       const struct image_files *image);

/* ---- template_birth.c: from a restored QEMU to a machine of its own ---- */

/* Around the spawn: while the mark is there the machine is nobody yet, and who finds it running
 * must end it. */
int birth_mark(int dirfd);
void birth_unmark(int dirfd);
bool birth_marked(int dirfd);

/* The restoring machine's monitor told its status. Ends with op_born, or with the process. */
void birth_status(struct vm *vm, const char *status);
void birth_free(struct rebirth *b); /* NULL is fine */

#endif
