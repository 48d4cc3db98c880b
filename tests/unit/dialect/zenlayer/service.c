#include "service.h"

#include <dirent.h>
#include <poll.h>
#include <stdio.h>
#include <sys/eventfd.h>

#include "base/crypto.h"
#include "base/log.h"
#include "core/network.h"
#include "dialect/zenlayer/zenlayer.h"

#define ZONE "asia-east-1a"

enum { DEADLINE_MS = 10000 };

/* ---- a world that the test moves ---- */

static int64_t service_now(struct world *w)
{
    return CONTAINER_OF(w, struct service, world)->now;
}

static void service_random(struct world *w, void *data, size_t n)
{
    (void)w;
    random_bytes(data, n);
}

static void ring(void *ctx)
{
    struct service *s = ctx;
    uint64_t one = 1;

    assert_int_equal(write(s->committed, &one, sizeof(one)), sizeof(one));
}

/* ---- writing behind the API's back ---- */

struct own_write {
    struct write write;
    struct service *s;
    enum err (*fn)(struct op *op, void *ctx);
    void *ctx;
};

static enum err run_own(struct write *w, struct tx *tx)
{
    struct own_write *o = CONTAINER_OF(w, struct own_write, write);
    struct fail why = {0};
    struct op op = {.core = &o->s->core,
                    .tx = tx,
                    .arena = o->s->arena,
                    .account = o->s->account,
                    .now = o->s->now,
                    .fail = &why};

    tx_use_arena(tx, o->s->arena);
    enum err err = o->fn(&op, o->ctx);
    tx_use_arena(tx, NULL);
    if (err)
        print_error("%s: %s\n", err_name(err), why.detail);
    return err;
}

static void done_nothing(struct write *w)
{
    (void)w;
}

void service_write(struct service *s, enum err (*fn)(struct op *op, void *ctx), void *ctx)
{
    struct own_write o = {
        .write = {.run = run_own, .done = done_nothing}, .s = s, .fn = fn, .ctx = ctx};

    assert_int_equal(store_write_now(s->store, &o.write), ERR_NONE);
}

/* ---- beginning and end ---- */

static enum err populate(struct op *op, void *ctx)
{
    struct service *s = ctx;
    struct account account;
    struct subnet subnet;
    struct image image = {.id = "debian12_20260101",
                          .account = "",
                          .name = "Debian 12",
                          .description = "",
                          .family = "debian12",
                          .os_type = "linux",
                          .os_name = "Debian 12 64bit",
                          .platform = "Debian",
                          .arch = "x86_64",
                          .version = "12",
                          .size_gib = 2,
                          .path = "",
                          .digest = "",
                          .created_at = op->now};
    enum err err = account_create(op, NULL, "test", &account);

    if (err)
        return err;
    op->account = account.id;
    err = access_key_create(op, account.id, &s->key_id, &s->secret);
    if (!err)
        err = network_default(op, catalog_zone(s->catalog, ZONE), &subnet);
    store_insert(op->tx, &rec_image, &image);
    s->account = account.id;
    s->subnet = subnet.id;
    s->image = image.id;
    return err;
}

void service_init(struct service *s)
{
    static const struct dialect *const dialects[] = {&dialect_zenlayer, NULL};
    struct fail why = {0};

    memset(s, 0, sizeof(*s));
    log_setup(LOG_ERROR, LOG_LOGFMT);
    (void)snprintf(s->dir, sizeof(s->dir), "/tmp/ostler-zenlayer-XXXXXX");
    assert_non_null(mkdtemp(s->dir));
    s->arena = arena_new();
    s->now = 1700000000000;
    s->world = (struct world){.now_ms = service_now, .random = service_random};
    s->committed = eventfd(0, EFD_CLOEXEC);
    assert_true(s->committed >= 0);
    s->version = "2025-09-01";
    s->method = "POST";
    s->path = "/api/v2/zec";
    if (catalog_new(NULL, &s->catalog, &why) || vault_open(s->dir, &s->world, &s->vault, &why) ||
        store_open(&(struct store_config){.dir = s->dir, .committed = ring, .ctx = s}, &s->store,
                   &why))
        fail_saying("%s", why.detail);
    s->core = (struct core){.catalog = s->catalog, .vault = s->vault, .world = &s->world};
    s->api =
        api_new(&(struct api_config){.core = &s->core, .store = s->store, .dialects = dialects});
    service_write(s, populate, s);
}

static void remove_dir(const char *path)
{
    DIR *d = opendir(path);
    struct dirent *e;

    while (d && (e = readdir(d))) {
        char file[400];

        (void)snprintf(file, sizeof(file), "%s/%s", path, e->d_name);
        (void)unlink(file); /* "." and ".." stay, as they should */
    }
    if (d)
        (void)closedir(d);
    (void)rmdir(path);
}

void service_done(struct service *s)
{
    json_decref(s->reply);
    api_free(s->api);
    store_close(s->store);
    vault_free(s->vault);
    catalog_free(s->catalog);
    (void)close(s->committed);
    arena_free(s->arena);
    remove_dir(s->dir);
}

/* ---- requests ---- */

struct waiting {
    struct service *s;
    bool answered;
};

static void answered(void *ctx, const struct answer *a)
{
    struct waiting *w = ctx;

    assert_false(w->answered);
    w->answered = true;
    w->s->status = a->status;
    assert_string_equal(a->content_type, "application/json");
    json_decref(w->s->reply);
    w->s->reply = json_loadb(a->body.data, a->body.len, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(w->s->reply);
}

static void send(struct service *s, const struct request *r)
{
    struct arena *arena = arena_new();
    struct waiting w = {.s = s};
    uint64_t rings;

    api_handle(s->api, r, arena, answered, &w);
    while (!w.answered) {
        struct pollfd p = {.fd = s->committed, .events = POLLIN};

        assert_int_equal(poll(&p, 1, DEADLINE_MS), 1);
        assert_int_equal(read(s->committed, &rings, sizeof(rings)), sizeof(rings));
        store_deliver(s->store);
    }
    arena_free(arena);
}

/* Every answer has the same request id outside and inside, and refusals have the three keys. */
static void check_envelope(struct service *s)
{
    const char *id = json_string_value(json_object_get(s->reply, "requestId"));

    assert_non_null(id);
    assert_int_equal(strlen(id), 37);
    assert_int_equal(id[0], 'T');
    if (s->status == 200) {
        assert_string_equal(json_string_value(json_object_get(service_response(s), "requestId")),
                            id);
        return;
    }
    assert_int_equal(json_object_size(s->reply), 3);
    assert_true(json_is_string(json_object_get(s->reply, "code")));
    assert_true(json_is_string(json_object_get(s->reply, "message")));
}

int service_call_as(struct service *s, const char *action, const char *authorization,
                    const char *body)
{
    struct header headers[8] = {
        {"host", "127.0.0.1:8470"},
        {"content-type", "application/json"},
        {"x-zc-timestamp", arena_fmt(s->arena, "%lld", (long long)s->now / 1000)},
        {"x-zc-version", s->version},
        {"x-zc-action", action},
    };
    struct request r = {.method = s->method,
                        .target = s->path,
                        .path = s->path,
                        .query = "",
                        .headers = headers,
                        .n_headers = 5,
                        .body = body,
                        .body_len = strlen(body),
                        .peer = "127.0.0.1"};

    if (authorization)
        headers[r.n_headers++] = (struct header){"authorization", authorization};
    if (s->client)
        headers[r.n_headers++] = (struct header){"x-zc-request-client", s->client};
    send(s, &r);
    check_envelope(s);
    return s->status;
}

/* The algorithm once more, by hand. */
static const char *sign(struct service *s, const char *body)
{
    const char *canonical =
        arena_fmt(s->arena,
                  "POST\n/\n\ncontent-type:application/json\nhost:127.0.0.1:8470\n\n"
                  "content-type;host\n%s",
                  sha256_hex(s->arena, body, strlen(body)));
    const char *text = arena_fmt(s->arena, "ZC2-HMAC-SHA256\n%lld\n%s", (long long)s->now / 1000,
                                 sha256_hex(s->arena, canonical, strlen(canonical)));
    uint8_t mac[HMAC_MAX_LEN];
    size_t n = hmac(HMAC_SHA256, s->secret, strlen(s->secret), text, strlen(text), mac);

    return arena_fmt(s->arena,
                     "ZC2-HMAC-SHA256 Credential=%s, SignedHeaders=content-type;host, Signature=%s",
                     s->key_id, hex_encode(s->arena, mac, n));
}

int service_call(struct service *s, const char *action, const char *format, ...)
{
    CLEANUP(buf_done) struct buf body = {0};
    va_list ap;

    va_start(ap, format);
    buf_vfmt(&body, format, ap);
    va_end(ap);
    return service_call_as(s, action, sign(s, buf_cstr(&body)), buf_cstr(&body));
}

json_t *service_response(struct service *s)
{
    json_t *response = json_object_get(s->reply, "response");

    if (s->status != 200 || !json_is_object(response)) {
        char *text = json_dumps(s->reply, 0);

        print_error("%s\n", text);
        free(text);
    }
    assert_int_equal(s->status, 200);
    assert_true(json_is_object(response));
    return response;
}

void service_refused(struct service *s, int status, const char *code)
{
    const char *said = json_string_value(json_object_get(s->reply, "code"));

    if (s->status != status || !said || !streq(said, code)) {
        char *text = json_dumps(s->reply, 0);

        print_error("%d %s\n", s->status, text);
        free(text);
        fail_saying("wanted %d %s", status, code);
    }
}

const char *service_listed(struct service *s)
{
    json_t *ids = json_object_get(service_response(s), "instanceIds"), *id;
    const char *text = "";
    size_t i;

    assert_true(json_is_array(ids));
    json_array_foreach (ids, i, id)
        text = arena_fmt(s->arena, "%s%s%s", text, i ? " " : "", json_string_value(id));
    return text;
}

/* ---- instances ---- */

struct settling {
    const char *id, *error;
};

static enum err settle(struct op *op, void *ctx)
{
    const struct settling *what = ctx;
    bool next = true;
    struct job job;
    int jobs = 0;

    while (next && job_get(op, what->id, &job)) {
        enum err err = job_end(op, what->id, job.id, what->error, 0, &next);

        if (err)
            return err;
        assert_true(++jobs < 5);
    }
    return ERR_NONE;
}

void service_settle(struct service *s, const char *id, const char *error)
{
    struct settling what = {id, error};

    service_write(s, settle, &what);
}

const char **service_instances(struct service *s, size_t n)
{
    const char **ids = ARENA_ARRAY(s->arena, const char *, n);
    json_t *set, *id;
    size_t i;

    service_call(s, "CreateZecInstances",
                 "{\"zoneId\":\"" ZONE "\",\"imageId\":\"%s\",\"instanceType\":\"z2a.cpu.1\","
                 "\"subnetId\":\"%s\",\"instanceCount\":%zu,\"password\":\"Abcdef1~\"}",
                 s->image, s->subnet, n);
    set = json_object_get(service_response(s), "instanceIdSet");
    assert_int_equal(json_array_size(set), n);
    json_array_foreach (set, i, id)
        ids[i] = arena_str(s->arena, json_string_value(id));
    for (i = 0; i < n; i++)
        service_settle(s, ids[i], NULL);
    return ids;
}

const char *service_status(struct service *s, const char *id)
{
    json_t *set, *row;

    service_call(s, "DescribeInstancesStatus", "{\"instanceIds\":[\"%s\"]}", id);
    set = json_object_get(service_response(s), "dataSet");
    assert_int_equal(json_array_size(set),
                     json_integer_value(json_object_get(service_response(s), "totalCount")));
    row = json_array_get(set, 0);
    if (!row)
        return "";
    assert_string_equal(json_string_value(json_object_get(row, "instanceId")), id);
    return arena_str(s->arena, json_string_value(json_object_get(row, "instanceStatus")));
}
