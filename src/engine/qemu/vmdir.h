/*
 * A machine's directory, and the lock by which it runs at most once. The lock is a flock on the
 * directory itself, held by the open file description that QEMU inherits as FD_DIR: it lives
 * exactly as long as QEMU, whatever becomes of us. All functions but vmdir_remove are short enough
 * for the loop; none follows a link in the directory.
 */
#ifndef OSTLER_ENGINE_QEMU_VMDIR_H
#define OSTLER_ENGINE_QEMU_VMDIR_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/buf.h"

/* Opens DIR/instances/ID, making it (0700) when asked. A descriptor or a negative errno. */
int vmdir_open(const char *dir, const char *id, bool make);

/* Moves DIR/instances/ID/FILE to DIR/disks/FILE, for good; 0 also when it was moved before. Blocks.
 */
int vmdir_keep(const char *dir, const char *id, const char *file);

/* Removes NAME in the directory with all that is in it. 0 or a negative errno. Blocks. */
int vmdir_remove_at(int at, const char *name);

/* DIR/instances/ID removed with all that is in it; 0 also when it was not there. Blocks. */
int vmdir_remove(const char *dir, const char *id);

/*
 * Takes the lock: a descriptor that holds it until its last copy is closed, or -EWOULDBLOCK when a
 * QEMU lives, or another negative errno.
 */
int vmdir_lock(int dirfd);

/* Does process `pid` hold the lock at FD_DIR? */
bool vmdir_holds(int dirfd, pid_t pid);

/* Looks through all processes for the holder; 0 when none is found. */
pid_t vmdir_holder(int dirfd);

/* The same for a lock on any file that the holder has as descriptor `number`. */
pid_t vmdir_find_holder(int file, int number);

/* A listening monitor socket at qmp.sock, for FD_MONITOR; replaces a stale one. */
int vmdir_listen(int dirfd);

/* Connects to qmp.sock; *ret_pid is who listens. -ECONNREFUSED and -ENOENT when nobody does. */
int vmdir_connect(int dirfd, pid_t *ret_pid);

/* Connects to another socket there. A descriptor or a negative errno. */
int vmdir_dial(int dirfd, const char *name);

/* Removes the sockets and the mark (birth_mark) of a QEMU that is gone. Hold the lock. */
void vmdir_tidy(int dirfd);

/* The end of a file, at most `max` bytes; empty when there is none. */
void vmdir_tail(int dirfd, const char *name, size_t max, struct buf *ret);

/* Writes a small file at once under its final name (0600). 0 or a negative errno. */
int vmdir_write(int dirfd, const char *name, const char *text);

/* Empties the file once it has grown beyond `max` bytes: it was opened for appending. */
void vmdir_cap(int dirfd, const char *name, off_t max);

#endif
