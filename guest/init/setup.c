/* See setup.h. Nothing here is fatal: a machine without network or metadata still comes up, and
   its line says so. */
#include "setup.h"

#include "metadata.h"
#include "net.h"
#include "util.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define INTERFACE        "eth0"
#define STATE_FOLDER     "/var/lib/ostler"
#define SEEN_INSTANCE    STATE_FOLDER "/instance-id"
#define SEEN_KEY         STATE_FOLDER "/ssh-key"
#define AUTHORIZED_KEYS  "/root/.ssh/authorized_keys"
#define USER_DATA_SCRIPT "/run/user-data"

enum {
    INTERFACE_MS = 200, /* its driver was loaded before us: it is there or there is none */
    DHCP_MS = 10000,
    METADATA_MS = 5000,
    SSH_MS = 5000, /* it was started before us; only a crowded host makes it late */
    SSH_PORT = 22,
    NAME_SIZE = 65,
    KEY_MAX = 16 * 1024,
    KEYS_FILE_MAX = 128 * 1024,
};

struct identity {
    char id[NAME_SIZE];
    char hostname[NAME_SIZE];
    char address[INET_ADDRSTRLEN];
    bool connected;
};

static bool interface_exists(void)
{
    int64_t deadline = now_ms() + INTERFACE_MS;

    while (access("/sys/class/net/" INTERFACE, F_OK) < 0) {
        if (ms_left(deadline) == 0)
            return false;
        usleep(10 * 1000);
    }
    return true;
}

static void connect_network(struct identity *me)
{
    struct dhcp_lease lease;
    int error;

    net_loopback_up();
    if (!interface_exists())
        return;
    if ((error = net_dhcp(INTERFACE, now_ms() + DHCP_MS, &lease)) < 0) {
        say(INTERFACE ": no address by DHCP: %s", strerror(-error));
        return;
    }
    net_configure(INTERFACE, &lease);
    me->connected = true;
    inet_ntop(AF_INET, &lease.address, me->address, sizeof(me->address));
    snprintf(me->hostname, sizeof(me->hostname), "%s", lease.hostname);
}

static void ask_name(struct metadata *m, const char *path, char *name, size_t size)
{
    const char *body;
    size_t length;

    if (metadata_get(m, path, &body, &length) == 0)
        (void)name_clean(body, length, "._-", name, size); /* a bad name is no name */
}

/* The one line of a public key, or an empty string when the text is not such a line. */
static size_t clean_key(const char *body, size_t length, char *key, size_t size)
{
    while (length > 0 && (body[length - 1] == '\n' || body[length - 1] == '\r'))
        length--;
    if (length >= size)
        length = 0;
    for (size_t i = 0; i < length; i++) {
        if ((unsigned char)body[i] < ' ')
            length = 0;
    }
    memcpy(key, body, length);
    key[length] = '\0';
    return length;
}

static bool is_line(const char *line, size_t length, const char *text)
{
    return *text && strlen(text) == length && memcmp(line, text, length) == 0;
}

/* All lines of `text` but `old` and `new`, then `new`; what the user added by hand stays. */
static size_t exchange_line(const char *text, const char *old, const char *new, char *out)
{
    size_t used = 0;

    while (*text) {
        size_t length = strcspn(text, "\n");

        if (!is_line(text, length, old) && !is_line(text, length, new)) {
            memcpy(out + used, text, length);
            used += length;
            out[used++] = '\n';
        }
        text += length + (text[length] == '\n');
    }
    if (*new) {
        size_t length = strlen(new);
        memcpy(out + used, new, length);
        used += length;
        out[used++] = '\n';
    }
    return used;
}

/* The cloud's key replaces the cloud's former key, and goes when the cloud has none any more. */
static void take_key(struct metadata *m)
{
    static char new[KEY_MAX], old[KEY_MAX], keys[KEYS_FILE_MAX];
    static char out[KEYS_FILE_MAX + KEY_MAX + 2];
    const char *body = "";
    size_t length = 0;
    int error = metadata_get(m, "/latest/meta-data/public-keys/0/openssh-key", &body, &length);

    if (error && error != -ENOENT)
        return;
    clean_key(body, length, new, sizeof(new));
    if (file_read(SEEN_KEY, old, sizeof(old)) < 0)
        old[0] = '\0';
    if (strcmp(old, new) == 0)
        return;
    ssize_t got = file_read(AUTHORIZED_KEYS, keys, sizeof(keys));
    if (got == sizeof(keys) - 1) {
        say("%s is too long to be changed", AUTHORIZED_KEYS);
        return;
    }
    if (got < 0)
        keys[0] = '\0';
    (void)mkdir("/root/.ssh", 0700); /* if it is missing for another reason the write says so */
    error = file_write(AUTHORIZED_KEYS, out, exchange_line(keys, old, new, out), 0600);
    if (error == 0)
        error = file_write(SEEN_KEY, new, strlen(new), 0600);
    if (error)
        say("cannot write %s: %s", AUTHORIZED_KEYS, strerror(-error));
}

/* A script runs once in an instance's life, as in the clouds: the id of the last instance that ran
   its script on this disk tells a first boot from a later one. */
static void run_user_data(struct metadata *m, const char *id)
{
    static const char *const script[] = {USER_DATA_SCRIPT, NULL};
    char seen[NAME_SIZE];
    const char *body;
    size_t length;

    if (file_read(SEEN_INSTANCE, seen, sizeof(seen)) >= 0 && strcmp(seen, id) == 0)
        return;
    int error = metadata_get(m, "/latest/user-data", &body, &length);
    if (error && error != -ENOENT)
        return;
    (void)file_write(SEEN_INSTANCE, id, strlen(id), 0644); /* worst case: the script runs again */
    if (error || length == 0)
        return;
    if (length < 2 || memcmp(body, "#!", 2) != 0) {
        say("user data is no script (#!): not run");
        return;
    }
    if ((error = file_write(USER_DATA_SCRIPT, body, length, 0700)) < 0 ||
        (error = spawn(script, "/dev/console")) < 0)
        say("cannot run user data: %s", strerror(-error));
}

static void apply_hostname(struct identity *me)
{
    char saved[NAME_SIZE];
    ssize_t got = file_read("/etc/hostname", saved, sizeof(saved));

    if (!me->hostname[0] &&
        (got <= 0 || !name_clean(saved, (size_t)got, ".-", me->hostname, sizeof(me->hostname))))
        snprintf(me->hostname, sizeof(me->hostname), "ostler");
    if (sethostname(me->hostname, strlen(me->hostname)) < 0)
        say("cannot set the host name: %s", strerror(errno));
    if (got < 0 || strcmp(saved, me->hostname) != 0)
        (void)file_write("/etc/hostname", me->hostname, strlen(me->hostname), 0644);
}

static void ask_metadata(struct identity *me)
{
    static struct metadata m;
    int error = metadata_init(&m, now_ms() + METADATA_MS);

    if (error) {
        say("no metadata service: %s", strerror(-error));
        apply_hostname(me);
        return;
    }
    ask_name(&m, "/latest/meta-data/instance-id", me->id, sizeof(me->id));
    ask_name(&m, "/latest/meta-data/hostname", me->hostname, sizeof(me->hostname));
    apply_hostname(me); /* before the script, which may ask for it */
    take_key(&m);
    run_user_data(&m, me->id);
    metadata_done(&m);
}

/* Who reads that a machine is up logs in at once, and must not be turned away. */
static void await_ssh(void)
{
    if (access(SSH_SERVER, X_OK) == 0 && !net_await_listener(SSH_PORT, now_ms() + SSH_MS))
        say("the SSH server does not listen yet");
}

int setup_run(void)
{
    struct identity me = {.id = "unknown", .address = "no network"};

    (void)mkdir(STATE_FOLDER, 0755);
    connect_network(&me);
    if (me.connected)
        ask_metadata(&me);
    else
        apply_hostname(&me);
    await_ssh();
    int64_t now = now_ms();
    say("%s is up: %s %s uptime=%d.%03d", me.id, me.address, me.hostname, (int)(now / 1000),
        (int)(now % 1000));
    return 0;
}
