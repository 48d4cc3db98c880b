/* PID 1 of the small guest, twice: in the initramfs it loads drivers and moves to the disk named by
   ostler.root=; there (or in memory, without that word) it starts the services, listens to the
   power button and reaps. One static program instead of scripts, because each fork and exec costs
   5-20 ms under emulation. */
#include "power.h"
#include "ready.h"
#include "root.h"
#include "setup.h"
#include "ssh.h"
#include "template.h"
#include "util.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    CMDLINE_MAX = 4096,
    CONSOLE_SIZE = 32,
    LOGIN_PAUSE_MS = 1000, /* between two logins at least, so a broken one cannot spin */
};

struct init {
    char console[CONSOLE_SIZE];
    int ssh;     /* listens; -1: no server */
    pid_t setup; /* 0: not running */
    pid_t login;
    bool login_wanted;
    int64_t login_after;
};

static void open_console(void)
{
    int fd = open("/dev/console", O_RDWR | O_NOCTTY);

    if (fd < 0)
        return;
    for (int i = 0; i <= 2; i++)
        dup2(fd, i);
    if (fd > 2)
        close(fd);
}

/* The kernel's own file systems. From the initramfs they come to the disk already mounted. */
static void mount_kernel_file_systems(void)
{
    static const struct {
        const char *type, *where, *options;
        mode_t mode;
    } mounts[] = {
        {"devtmpfs", "/dev", "", 0755},   {"proc", "/proc", "", 0555},
        {"sysfs", "/sys", "", 0555},      {"tmpfs", "/run", "mode=0755", 0755},
        {"devpts", "/dev/pts", "", 0755},
    };

    if (access("/proc/self", F_OK) == 0)
        return;
    for (size_t i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++) {
        (void)mkdir(mounts[i].where, mounts[i].mode);
        /* EBUSY: the kernel mounted /dev itself. */
        if (mount(mounts[i].type, mounts[i].where, mounts[i].type, 0, mounts[i].options) < 0 &&
            errno != EBUSY)
            say("cannot mount %s: %s", mounts[i].where, strerror(errno));
    }
}

static void find_console(const char *cmdline, char *console)
{
    char value[CONSOLE_SIZE];

    snprintf(console, CONSOLE_SIZE, "ttyS0");
    if (cmdline_get(cmdline, "console", value, sizeof(value))) {
        value[strcspn(value, ",")] = '\0';
        snprintf(console, CONSOLE_SIZE, "%s", value);
    }
}

static int open_signals(void)
{
    static const int heard[] = {SIGCHLD, SIGTERM, SIGINT, SIGUSR1, SIGUSR2};
    sigset_t set;

    sigemptyset(&set);
    for (size_t i = 0; i < sizeof(heard) / sizeof(heard[0]); i++)
        sigaddset(&set, heard[i]);
    sigprocmask(SIG_BLOCK, &set, NULL);
    reboot(RB_DISABLE_CAD); /* Ctrl-Alt-Del becomes a SIGINT to us */
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void setup_ended(struct init *in, int status)
{
    in->setup = 0;
    in->login_wanted = true;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        ready_announce();
    else
        say("setting up this instance failed (wait status 0x%x)", (unsigned)status);
}

static void start_setup(struct init *in, const char *told)
{
    if (setup_is_told(told)) {
        setup_ended(in, setup_run(told));
        return;
    }
    pid_t pid = fork();
    if (pid == 0) {
        sigset_t none;
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        _exit(setup_run(told));
    }
    if (pid > 0) {
        in->setup = pid;
        return;
    }
    say("cannot set up the network: %s", strerror(errno));
    in->login_wanted = true;
}

static void start_login(struct init *in)
{
    const char *getty[] = {"/bin/busybox", "getty", "-L", "115200", in->console, "vt100", NULL};
    pid_t pid = spawn(getty, "/dev/null");

    in->login_after = now_ms() + LOGIN_PAUSE_MS;
    if (pid < 0)
        say("cannot start the console login: %s", strerror(-pid));
    else
        in->login = pid;
}

static void reap(struct init *in)
{
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        if (pid == in->setup)
            setup_ended(in, status);
        else if (pid == in->login)
            in->login = 0;
        else
            (void)ssh_ended(pid); /* or an orphan of somebody's */
    }
}

static void take_signals(struct init *in, int fd)
{
    struct signalfd_siginfo got;

    while (read(fd, &got, sizeof(got)) == sizeof(got)) {
        switch (got.ssi_signo) {
        case SIGTERM: /* busybox reboot */
        case SIGINT:  /* Ctrl-Alt-Del */
            power_go(POWER_REBOOT);
        case SIGUSR1: /* busybox halt */
        case SIGUSR2: /* busybox poweroff */
            power_go(POWER_OFF);
        default:
            reap(in);
        }
    }
}

static int login_wait(const struct init *in)
{
    return in->login_wanted && !in->login ? ms_left(in->login_after) : -1;
}

static void supervise(struct init *in, int signals)
{
    enum { SIGNALS, SSH, BUTTONS };
    struct pollfd fds[BUTTONS + POWER_BUTTONS_MAX] = {
        [SIGNALS] = {.fd = signals, .events = POLLIN}, [SSH] = {.events = POLLIN}};
    size_t buttons = power_open(fds + BUTTONS);

    for (;;) {
        if (login_wait(in) == 0)
            start_login(in);
        fds[SSH].fd = ssh_has_room() ? in->ssh : -1;
        if (poll(fds, BUTTONS + buttons, login_wait(in)) <= 0)
            continue;
        for (size_t i = BUTTONS; i < BUTTONS + buttons; i++) {
            if (fds[i].revents & POLLIN && power_pressed(fds[i].fd))
                power_go(POWER_OFF);
        }
        if (fds[SSH].revents & POLLIN)
            ssh_serve(in->ssh);
        take_signals(in, signals);
    }
}

/* From the initramfs to the disk: its init runs in our place, or we go on as it. Where that cannot
   be, or no disk is named, the system is in memory; true when a disk was wanted. */
static bool leave_memory(const char *cmdline, const char **told)
{
    char device[64];

    root_load_modules();
    *told = template_point(cmdline);
    bool wanted = cmdline_get(cmdline, "ostler.root", device, sizeof(device));
    if (wanted && root_switch(device, *told) == 0)
        return false;
    root_complete();
    return wanted;
}

int main(void)
{
    static char cmdline[CMDLINE_MAX];
    struct init in = {.ssh = -1};
    const char *told = getenv(SETUP_TOLD);
    bool rescue = false;

    mount_kernel_file_systems(); /* first: the console's device is on one of them */
    open_console();
    if (file_read("/proc/cmdline", cmdline, sizeof(cmdline)) < 0)
        cmdline[0] = '\0';
    find_console(cmdline, in.console);
    if (root_is_memory())
        rescue = leave_memory(cmdline, &told);
    int signals = open_signals();
    if (rescue) {
        /* An instance without its disk must not look as if it were up. */
        say("no root disk: log in here to look around in memory");
        in.login_wanted = true;
    } else {
        in.ssh = ssh_listen();
        start_setup(&in, told);
    }
    supervise(&in, signals);
}
