/* What the guest's metadata service is given of an instance. */
#include "check.h"

#include <jansson.h>

#include "core/engine.h"
#include "world.h"

static int setup(void **state)
{
    *state = test_world_new();
    return 0;
}

static int teardown(void **state)
{
    test_world_free(*state);
    return 0;
}

static enum err get(struct op *op, void *arg)
{
    struct machine **m = arg;

    *m = machine_of(op, &(struct inst){.id = (*m)->id});
    return *m ? ERR_NONE : ERR_INST_NOT_FOUND;
}

static enum err give_key(struct op *op, void *arg)
{
    struct inst in = *(struct inst *)arg;
    struct keypair k = {.id = "kp-1",
                        .account = op->account,
                        .name = "mine",
                        .public_key = "ssh-ed25519 AAAA \"quoted\" \\ me"};

    in.keypair = "kp-1";
    in.hostname = "h\xc3\xb6st";
    store_insert(op->tx, &rec_keypair, &k);
    store_update(op->tx, &rec_inst, &in);
    return ERR_NONE;
}

/* The value at "a/b/c". */
static const char *at(const json_t *tree, const char *path)
{
    char copy[200];
    char *rest = copy;

    (void)snprintf(copy, sizeof(copy), "%s", path);
    for (const char *name; (name = strsep(&rest, "/"));)
        tree = json_object_get(tree, name);
    return json_string_value(tree);
}

static void test_metadata(void **state)
{
    struct test_world *w = *state;
    const char *id = test_stopped(w);
    struct inst in = test_inst(w, id);

    assert_int_equal(test_write(w, give_key, &in), ERR_NONE);
    in = test_inst(w, id);
    struct machine *m = &(struct machine){.id = id};
    assert_int_equal(test_read(w, get, &m), ERR_NONE);
    json_t *tree = json_loads(m->metadata, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(tree);

    char mac[120];
    (void)snprintf(mac, sizeof(mac), "network/interfaces/macs/%s/primary-ip-address", in.mac);
    const struct {
        const char *path, *value;
    } want[] = {
        {"instance-id", id},
        {"hostname", "h\xc3\xb6st"},
        {"zone-id", in.zone},
        {"instance/instance-type", in.type},
        {mac, in.ip},
        {"vswitch-id", in.subnet},
        {"public-keys/0/openssh-key", "ssh-ed25519 AAAA \"quoted\" \\ me"},
    };
    for (size_t i = 0; i < ARRAY_LEN(want); i++)
        assert_string_equal(at(tree, want[i].path), want[i].value);
    assert_int_equal(json_object_size(tree), 16);
    json_decref(tree);
    machine_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_metadata, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
