/* Small things every part of init needs: time, console lines, whole files, the kernel's line,
   child processes. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Milliseconds since the kernel started, suspended time included. */
int64_t now_ms(void);

/* Milliseconds left until `deadline` (of now_ms), never below 0; fit for poll(). */
int ms_left(int64_t deadline);

/* Writes one line "ostler: ..." to the console in a single write. Longer than 500 bytes: cut. */
__attribute__((format(printf, 1, 2))) void say(const char *format, ...);

/* Reads at most size - 1 bytes and ends them with a zero byte; a longer file is cut.
   Returns the number of bytes or a negative errno. */
ssize_t file_read(const char *path, char *buf, size_t size);

/* file_write, unless the file says so already: a read is cheaper than a journal. */
int file_keep(const char *path, const void *data, size_t size, mode_t mode);

/* Replaces a file through a temporary one beside it, so a reader or a crash sees the old or the
   new content. Returns 0 or a negative errno. */
int file_write(const char *path, const void *data, size_t size, mode_t mode);

/* The value of the last `key=value` on a kernel line into `value`; false (value untouched) when
   it is absent, empty or does not fit. */
bool cmdline_get(const char *line, const char *key, char *value, size_t size);

/* Keeps the leading part of `text` that consists of letters, digits and `extra`, at most
   size - 1 bytes; for names from outside that reach the console or a file. False if none is left.
 */
bool name_clean(const char *text, size_t length, const char *extra, char *ret_name, size_t size);

/* Bytes from hexadecimal text, up to its first other character and at most `size`; their number. */
size_t hex_decode(const char *text, char *ret_bytes, size_t size);

/* Starts argv[0] in a session of its own with no blocked signals; `output` (a path) becomes its
   standard output and error, its input is /dev/null. Returns the process id or a negative errno. */
pid_t spawn(const char *const argv[], const char *output);

/* The same with a connection as its standard input and output. */
pid_t spawn_on(const char *const argv[], int fd);
