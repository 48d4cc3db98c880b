/* See ready.h. */
#include "ready.h"

#include "util.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PORTS     "/sys/class/virtio-ports"
#define PORT_NAME "ostler.ready"

static bool has_name(const char *port)
{
    char path[300], name[64];

    snprintf(path, sizeof(path), PORTS "/%s/name", port);
    if (file_read(path, name, sizeof(name)) < 0)
        return false;
    name[strcspn(name, "\n")] = '\0';
    return strcmp(name, PORT_NAME) == 0;
}

int ready_open(int flags)
{
    DIR *ports = opendir(PORTS);
    struct dirent *entry;
    char path[300];
    int fd = -1;

    if (!ports)
        return -1;
    while (fd < 0 && (entry = readdir(ports))) {
        if (entry->d_name[0] == '.' || !has_name(entry->d_name))
            continue;
        snprintf(path, sizeof(path), "/dev/%s", entry->d_name);
        fd = open(path, flags);
    }
    closedir(ports);
    return fd;
}

bool ready_write(int fd, const char *line)
{
    size_t length = strlen(line);

    return write(fd, line, length) == (ssize_t)length;
}

void ready_announce(void)
{
    char line[32];
    int fd = ready_open(O_RDWR | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0)
        return;
    int64_t now = now_ms();
    snprintf(line, sizeof(line), "READY %d.%03d\n", (int)(now / 1000), (int)(now % 1000));
    /* A host that does not listen has lost nothing: the console line says the same. */
    (void)ready_write(fd, line);
}
