/* See power.h. */
#include "power.h"

#include "util.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/input.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { TERM_MS = 2000 };

size_t power_open(struct pollfd *buttons)
{
    char path[32];
    size_t count = 0;

    for (int i = 0; i < POWER_BUTTONS_MAX; i++) {
        snprintf(path, sizeof(path), "/dev/input/event%d", i);
        int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        if (fd >= 0)
            buttons[count++] = (struct pollfd){.fd = fd, .events = POLLIN};
    }
    return count;
}

bool power_pressed(int fd)
{
    struct input_event event;
    bool pressed = false;

    while (read(fd, &event, sizeof(event)) == sizeof(event))
        pressed |= event.type == EV_KEY && event.code == KEY_POWER && event.value == 1;
    return pressed;
}

/* False once no process but us is left. */
static bool reap(void)
{
    pid_t pid;

    while ((pid = waitpid(-1, NULL, WNOHANG)) > 0) {
    }
    return pid == 0;
}

static void end_processes(void)
{
    int64_t deadline = now_ms() + TERM_MS;
    sigset_t child;

    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    kill(-1, SIGTERM);
    kill(-1, SIGHUP); /* an interactive shell ignores SIGTERM */
    kill(-1, SIGCONT);
    while (reap() && ms_left(deadline) > 0) {
        struct timespec wait = {.tv_nsec = 100 * 1000 * 1000};
        (void)sigtimedwait(&child, NULL, &wait); /* a child or the time: both mean look again */
    }
    kill(-1, SIGKILL);
    (void)reap();
}

void power_go(enum power_end end)
{
    say("going down for %s", end == POWER_REBOOT ? "reboot" : "power off");
    end_processes();
    sync();
    if (mount(NULL, "/", NULL, MS_REMOUNT | MS_RDONLY, NULL) < 0 && errno != EINVAL)
        say("cannot make the root read-only: %s", strerror(errno));
    reboot(end == POWER_REBOOT ? RB_AUTOBOOT : RB_POWER_OFF);
    for (;;)
        pause(); /* only a kernel without power control comes here */
}
