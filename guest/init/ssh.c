/* See ssh.h. */
#include "ssh.h"

#include "util.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define SSH_SERVER "/usr/sbin/dropbear" /* may be missing */

enum { SSH_PORT = 22, SERVERS_MAX = 64, BACKLOG = 128 };

static pid_t servers[SERVERS_MAX]; /* 0: free */

static pid_t *find(pid_t pid)
{
    for (size_t i = 0; i < SERVERS_MAX; i++) {
        if (servers[i] == pid)
            return &servers[i];
    }
    return NULL;
}

int ssh_listen(void)
{
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(SSH_PORT)};
    int one = 1;

    if (access(SSH_SERVER, X_OK) < 0)
        return -1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) == 0 &&
        bind(fd, (struct sockaddr *)&here, sizeof(here)) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    say("cannot listen for SSH: %s", strerror(errno));
    if (fd >= 0)
        close(fd);
    return -1;
}

bool ssh_has_room(void)
{
    return find(0) != NULL;
}

void ssh_serve(int listener)
{
    /* -i: this connection only; -R: host keys are made at the first one; -s: keys, no passwords. */
    static const char *const dropbear[] = {SSH_SERVER, "-i", "-R", "-s", NULL};
    pid_t *place = find(0);

    if (!place)
        return;
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0)
        return; /* gone again before we came */
    (void)mkdir("/etc/dropbear", 0700);
    pid_t pid = spawn_on(dropbear, fd);
    if (pid < 0)
        say("cannot start dropbear: %s", strerror(-pid));
    else
        *place = pid;
    close(fd);
}

bool ssh_ended(pid_t pid)
{
    pid_t *place = find(pid);

    if (place)
        *place = 0;
    return place;
}
