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
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define STATE_FOLDER     "/var/lib/ostler"
#define SEEN_INSTANCE    STATE_FOLDER "/instance-id"
#define SEEN_KEY         STATE_FOLDER "/ssh-key"
#define AUTHORIZED_KEYS  "/root/.ssh/authorized_keys"
#define USER_DATA_SCRIPT "/run/user-data"

enum {
    INTERFACE_MS = 200, /* its driver was loaded before us: it is there or there is none */
    DHCP_MS = 10000,
    METADATA_MS = 5000,
    FLAG_SIZE = 8,
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

    while (access("/sys/class/net/" NET_INTERFACE, F_OK) < 0) {
        if (ms_left(deadline) == 0)
            return false;
        usleep(10 * 1000);
    }
    return true;
}

static void be_connected(struct identity *me, const struct dhcp_lease *lease)
{
    net_configure(NET_INTERFACE, lease);
    me->connected = true;
    inet_ntop(AF_INET, &lease->address, me->address, sizeof(me->address));
    snprintf(me->hostname, sizeof(me->hostname), "%s", lease->hostname);
}

static void connect_network(struct identity *me)
{
    struct dhcp_lease lease;
    int error;

    if (!interface_exists())
        return;
    if ((error = net_dhcp(NET_INTERFACE, now_ms() + DHCP_MS, &lease)) < 0)
        say(NET_INTERFACE ": no address by DHCP: %s", strerror(-error));
    else
        be_connected(me, &lease);
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
static void take_key(const char *body, size_t length)
{
    static char new[KEY_MAX], old[KEY_MAX], keys[KEYS_FILE_MAX];
    static char out[KEYS_FILE_MAX + KEY_MAX + 2];
    int error;

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

static void ask_key(struct metadata *m)
{
    const char *body = "";
    size_t length = 0;
    int error = metadata_get(m, "/latest/meta-data/public-keys/0/openssh-key", &body, &length);

    if (error == 0 || error == -ENOENT)
        take_key(body, length);
}

static bool is_first_boot(const char *id)
{
    char seen[NAME_SIZE];

    return file_read(SEEN_INSTANCE, seen, sizeof(seen)) < 0 || strcmp(seen, id) != 0;
}

/* A script runs once in an instance's life, as in the clouds: the id of the last instance that ran
   its script on this disk tells a first boot from a later one. */
static void run_user_data(struct metadata *m, const char *id)
{
    static const char *const script[] = {USER_DATA_SCRIPT, NULL};
    const char *body;
    size_t length;

    if (!is_first_boot(id))
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
    ask_key(&m);
    run_user_data(&m, me->id);
    metadata_done(&m);
}

/* ---- what a line of the host said instead ---- */

static uint32_t told_address(const char *told, const char *word)
{
    struct in_addr address = {0};
    char text[INET_ADDRSTRLEN];

    if (cmdline_get(told, word, text, sizeof(text)))
        (void)inet_pton(AF_INET, text, &address); /* what is no address stays 0: not said */
    return address.s_addr;
}

static bool told_lease(const char *told, struct dhcp_lease *ret_lease)
{
    char mtu[FLAG_SIZE];
    struct dhcp_lease lease = {.address = told_address(told, "address"),
                               .netmask = told_address(told, "netmask"),
                               .dns = {told_address(told, "dns")},
                               .routes = {{.gateway = told_address(told, "gateway")}}};

    lease.dns_count = lease.dns[0] != 0;
    lease.route_count = lease.routes[0].gateway != 0;
    if (cmdline_get(told, "mtu", mtu, sizeof(mtu)))
        lease.mtu = (unsigned)strtoul(mtu, NULL, 10);
    (void)cmdline_get(told, "hostname", lease.hostname, sizeof(lease.hostname));
    *ret_lease = lease;
    return lease.address != 0;
}

static void take_told_key(const char *told)
{
    static char text[2 * KEY_MAX + 1], key[KEY_MAX];

    if (cmdline_get(told, "key", text, sizeof(text)))
        take_key(key, hex_decode(text, key, sizeof(key)));
}

/* The script itself is never in the line: it may be long, and is wanted once in a life. */
static bool has_user_data(const char *told)
{
    char flag[FLAG_SIZE];

    return !cmdline_get(told, "userdata", flag, sizeof(flag)) || strcmp(flag, "no") != 0;
}

static bool told_id(const char *told, char *id)
{
    struct dhcp_lease lease;

    return told && told_lease(told, &lease) && cmdline_get(told, "id", id, NAME_SIZE);
}

bool setup_is_told(const char *told)
{
    char id[NAME_SIZE];

    return told_id(told, id) && (!has_user_data(told) || !is_first_boot(id));
}

/* False when the line does not say enough. */
static bool take_told(const char *told, struct identity *me)
{
    static struct metadata m;
    struct dhcp_lease lease;

    m.fd = -1;
    if (!told_id(told, me->id) || !told_lease(told, &lease))
        return false;
    be_connected(me, &lease);
    apply_hostname(me);
    take_told_key(told);
    if (!is_first_boot(me->id))
        return true;
    if (!has_user_data(told))
        (void)file_write(SEEN_INSTANCE, me->id, strlen(me->id), 0644);
    else if (metadata_init(&m, now_ms() + METADATA_MS) == 0)
        run_user_data(&m, me->id);
    else
        say("no metadata service for the user data");
    metadata_done(&m);
    return true;
}

static void take_asked(struct identity *me)
{
    connect_network(me);
    if (me->connected)
        ask_metadata(me);
    else
        apply_hostname(me);
}

int setup_run(const char *told)
{
    struct identity me = {.id = "unknown", .address = "no network"};

    (void)mkdir(STATE_FOLDER, 0755);
    net_loopback_up();
    if (!take_told(told, &me))
        take_asked(&me);
    int64_t now = now_ms();
    say("%s is up: %s %s uptime=%d.%03d", me.id, me.address, me.hostname, (int)(now / 1000),
        (int)(now % 1000));
    return 0;
}
