/* An image's directory: its files, and image.json, which says what they are. */
#ifndef OSTLER_CONTROL_IMAGE_DIR_H
#define OSTLER_CONTROL_IMAGE_DIR_H

#include <stdbool.h>

#include "base/arena.h"
#include "core/model.h"

/*
 * An image's id is its directory's name below DATA/images, a file_name_ok.
 *
 * Reads DIR/image.json and looks at the files that it names; fills everything of the row but id,
 * account and created_at. Reads a few KiB of disk. Returns NULL, or a sentence in the arena that
 * says what is wrong: a disk that leads to other files of the host (a backing file) is refused.
 */
const char *image_dir_read(struct arena *a, const char *dir, struct image *ret);

#endif
