/*
 * What an image directory holds: its image.json names the files. An image with its own kernel gives
 * `kernel`, `initrd` and `cmdline`; every image that a disk is made from gives `disk`.
 */
#ifndef OSTLER_ENGINE_QEMU_IMAGE_H
#define OSTLER_ENGINE_QEMU_IMAGE_H

#include <stdbool.h>

#include "base/arena.h"

struct image_files {
    const char *kernel, *initrd; /* absolute paths, NULL when the image has none */
    const char *cmdline;         /* "" none */
    const char *disk;            /* absolute path of the base disk, NULL when it has none */
    const char *disk_format;     /* "qcow2" or "raw", from the file's first bytes */
    bool is_template;            /* its guest has a template point; see template.h */
};

/*
 * Reads DIR/image.json; the strings go into the arena. Blocks. Returns NULL, or a sentence in the
 * arena that says what is wrong. Names in image.json are plain file names: nothing outside the
 * directory is reached.
 */
const char *image_load(struct arena *a, const char *dir, struct image_files *ret);

#endif
