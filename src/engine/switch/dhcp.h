/*
 * DHCP for exactly one client: the guest behind a port gets its one address, and a refusal for any
 * other. A pure function from request frame to answer frame. (libslirp's own server would lend the
 * addresses after the guest's to whoever asks for them.)
 */
#ifndef OSTLER_ENGINE_SWITCH_DHCP_H
#define OSTLER_ENGINE_SWITCH_DHCP_H

#include "engine/switch/frame.h"

#define DHCP_LEASE_S  86400
#define DHCP_NAME_MAX 63

/*
 * `f` had the verdict FRAME_TO_DHCP; `name` is the guest's host name or NULL. Returns the answer's
 * length, or 0 when there is none (not for us, not understood, or a message that wants none). Needs
 * cap >= FRAME_MAX.
 */
size_t dhcp_answer(const struct frame_net *net, const struct frame_nic *nic, const char *name,
                   const struct frame *f, uint8_t *ret, size_t cap);

#endif
