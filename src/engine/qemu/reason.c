/* Complaints to sentences. */
#include "engine/qemu/reason.h"

#include <sys/wait.h>

#include "base/util.h"

enum { MAX_LINE = 300 };

/* The first that fits wins; all were seen with QEMU 7.2. */
static const struct {
    const char *said, *means;
} known[] = {
    {"Could not open backing file", "the image that a disk is based on is missing or unreadable"},
    {"Failed to get \"write\" lock", "a disk is in use by another process"},
    {"Failed to get shared \"write\" lock", "a disk is in use by another process"},
    {"Invalid password, cannot unlock any keyslot", "an encrypted disk does not open with its key"},
    {"No space left on device", "the host's disk is full"},
    {"Cannot allocate memory", "the host has not enough free memory"},
    {"cannot set up guest memory", "the host has not enough free memory"},
    {"could not load kernel", "the image's kernel cannot be loaded"},
    {"could not load PC BIOS", "QEMU's firmware is not installed"},
    {"Could not access KVM kernel module", "KVM is not usable any more"},
    {"Could not open '", "a disk's file is missing or unreadable"},
};

static size_t clean_line(char *to, const char *from, size_t len)
{
    size_t n = 0;

    for (size_t i = 0; i < len && n < MAX_LINE; i++)
        to[n++] = (unsigned char)from[i] < 0x20 || from[i] == 0x7f ? ' ' : from[i];
    while (n && to[n - 1] == ' ')
        n--;
    to[n] = 0;
    return n;
}

static const char *last_line(struct arena *a, const char *text)
{
    char line[MAX_LINE + 1];
    size_t end = strlen(text);

    while (end) {
        size_t begin = end;

        while (begin && text[begin - 1] != '\n')
            begin--;
        if (clean_line(line, text + begin, end - begin))
            return arena_str(a, line);
        end = begin ? begin - 1 : 0;
    }
    return NULL;
}

const char *reason_of(struct arena *a, const char *output)
{
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (strstr(output, known[i].said))
            return arena_str(a, known[i].means);
    return last_line(a, output);
}

const char *reason_status(struct arena *a, int status)
{
    if (WIFSIGNALED(status))
        return arena_fmt(a, "killed by signal %d", WTERMSIG(status));
    return arena_fmt(a, "exit code %d", WEXITSTATUS(status));
}
