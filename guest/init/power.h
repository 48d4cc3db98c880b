/* The ways down: the power button, and the one clean end of everything. */
#pragma once

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

enum { POWER_BUTTONS_MAX = 8 };

enum power_end { POWER_OFF, POWER_REBOOT };

/* Opens the input devices into `buttons`; returns how many. */
size_t power_open(struct pollfd *buttons);

/* Drains one input device; true when the power button was pressed. */
bool power_pressed(int fd);

/* Ends all processes, brings what was written to the disk, and leaves. The caller is PID 1 with
   SIGCHLD blocked. */
__attribute__((noreturn)) void power_go(enum power_end end);
