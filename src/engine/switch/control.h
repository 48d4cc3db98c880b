/*
 * How the daemon talks to a switch: one JSON object a line on DIR/control.sock, one answer line for
 * each, in order.
 *
 *   {"cmd":"ping"} {"ok":true,"name":"vsw-1","pid":42,"version":1,"cidr":…,"isolated":…,"ports":0}
 *   {"cmd":"list"} {"ok":true,"ports":[{"id":…,"ip":…,"mac":…,"ssh_port":…,"attached":…,…}]}
 *   {"cmd":"add-port","id":…,"dir":…,"ip":…,"mac":…,"ssh_port":0,"ssh_port_fallback":false,
 *    "metadata":{…},"user_data_b64":…}   {"ok":true,"ssh_port":40123}
 *   {"cmd":"set-metadata","id":…,"metadata":{…},"user_data_b64":…}
 *   {"cmd":"remove-port","id":…}
 *   {"cmd":"quit"}
 *   any refusal                          {"ok":false,"code":"conflict","error":"port i-1 has this
 * address"}
 *
 * add-port may be repeated: when address, MAC and directory are unchanged the guest's connections
 * live on and its metadata is replaced; else the port is made anew. A switch that starts has no
 * ports: after its death the daemon adds them again, under the same paths, and running guests
 * notice a pause.
 *
 * These are the client's functions. The first group only builds and reads lines; switch_call waits,
 * so it belongs on a worker thread.
 */
#ifndef OSTLER_ENGINE_SWITCH_CONTROL_H
#define OSTLER_ENGINE_SWITCH_CONTROL_H

#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/buf.h"

#define SWITCH_CONTROL_VERSION 1
#define SWITCH_LINE_MAX        (1024 * 1024) /* a request or answer with its newline */

#define SWITCH_SOCKET "control.sock" /* in the switch's directory */
#define SWITCH_LOCK   "lock"         /* flocked by a running switch, holds its pid */

/* The words of "code". */
#define SWITCH_ERR_BAD_REQUEST "bad-request"
#define SWITCH_ERR_NOT_FOUND   "not-found"
#define SWITCH_ERR_CONFLICT    "conflict"
#define SWITCH_ERR_PORT_TAKEN  "port-taken"
#define SWITCH_ERR_LIMIT       "limit"
#define SWITCH_ERR_SYSTEM      "system"

struct switch_port {
    const char *id, *dir, *ip,
        *mac;               /* dir is absolute; QEMU binds vm.sock in it, the switch sw.sock */
    int ssh_port;           /* of 127.0.0.1, forwarded to the guest's 22; 0: a free one */
    bool ssh_port_fallback; /* a taken port becomes a free one instead of a refusal */
    const json_t *metadata; /* borrowed; NULL: none */
    const void *user_data;  /* NULL: none */
    size_t user_data_len;
};

/* Each appends one request line, newline included. 0, or -E2BIG when it would exceed
 * SWITCH_LINE_MAX, then nothing. */
int switch_req_add_port(struct buf *b, const struct switch_port *p);
int switch_req_set_metadata(struct buf *b,
                            const struct switch_port *p); /* id, metadata and user data count */
int switch_req_remove_port(struct buf *b, const char *id);
int switch_req_ping(struct buf *b);
int switch_req_list(struct buf *b);
int switch_req_quit(struct buf *b);

/*
 * Reads one answer line, with or without its newline. Returns 0 and *ret (the caller's reference)
 * for an "ok"; -EREMOTEIO for a refusal, with "code: text" in ret_error; -EPROTO for what is no
 * answer.
 */
int switch_answer_parse(const char *line, size_t len, json_t **ret, struct buf *ret_error);

/*
 * One call on the socket in the directory `dirfd` (O_PATH will do): sends the line, which ends in a
 * newline, and appends the answer's line without its newline. Returns 0, -ETIMEDOUT, -ECONNREFUSED
 * or -ENOENT when no switch listens, -ECONNRESET when it went away, or another negative errno.
 * Blocks for at most timeout_ms.
 */
int switch_call(int dirfd, const char *json_line, int timeout_ms, struct buf *ret);

/*
 * Does a switch hold the lock of the directory? 1 (and its pid, 0 when it has not yet written it),
 * 0, or a negative errno. Holds the lock itself for an instant, which a starting switch waits out.
 */
int switch_is_running(int dirfd, pid_t *ret_pid);

#endif
