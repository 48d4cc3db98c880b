/* For the files of this folder only: unix socket addresses for paths of any length. */
#ifndef OSTLER_NET_UNIX_PATH_H
#define OSTLER_NET_UNIX_PATH_H

#include <sys/socket.h>
#include <sys/un.h>

/*
 * An address has room for 107 bytes. A longer path goes by way of its open directory,
 * /proc/self/fd/N/name. The address is good as long as `ret_dirfd`, the directory, is open; the
 * caller closes it. -ENAMETOOLONG when the name itself is too long, -EINVAL for a path that ends in
 * '/', or the errno of opening the directory.
 */
int unix_path(const char *path, struct sockaddr_un *ret_address, int *ret_dirfd);

/* The last part of the path. */
const char *unix_path_name(const char *path);

#endif
