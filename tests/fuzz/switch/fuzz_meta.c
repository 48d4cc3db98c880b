/* The metadata HTTP parser and tree walk on arbitrary bytes. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "engine/switch/meta.h"

static void must(bool truth)
{
    if (!truth)
        abort();
}

static struct meta *example(void)
{
    static struct meta *m;
    const char *why;
    json_t *tree;

    if (m)
        return m;
    tree = json_pack("{s:s, s:{s:{s:s}}}", "instance-id", "i-1", "public-keys", "0", "openssh-key",
                     "ssh-rsa");
    must(meta_new(tree, "AAAA", &m, &why) == 0);
    json_decref(tree);
    return m;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct buf out CLEANUP(buf_done) = {0};
    size_t at = 0;

    /* As a connection does: request after request until there is no whole one. */
    while (at < len) {
        struct meta_request r;
        size_t left = len - at < META_HEAD_MAX ? len - at : META_HEAD_MAX;
        ssize_t used = meta_request_parse((const char *)data + at, left, &r);

        must(used <= (ssize_t)left && used >= -1);
        if (used == 0)
            break;
        must(strlen(r.path) < META_PATH_MAX && (used > 0 || (r.status >= 400 && !r.keep_alive)));
        meta_answer(example(), &r, &out);
        must(str_starts(buf_cstr(&out), "HTTP/1.1 "));
        buf_clear(&out);
        if (used < 0)
            break;
        at += (size_t)used;
    }
    return 0;
}

size_t fuzz_seed(uint32_t which, uint8_t *data, size_t cap)
{
    static const char *const seeds[] = {
        "GET /latest/meta-data/ HTTP/1.1\r\nHost: 100.100.100.200\r\n\r\n",
        "GET /2016-01-01/meta-data/public-keys/0/openssh-key HTTP/1.0\r\nConnection: "
        "keep-alive\r\n\r\n",
        "PUT /latest/api/token HTTP/1.1\r\nContent-Length: 0\r\n\r\nGET http://x/latest/user-data "
        "HTTP/1.1\r\n\r\n",
        "GET /latest/meta%2ddata/%69nstance-id?x HTTP/1.1\nConnection: close\n\n",
    };
    const char *seed = seeds[which % ARRAY_LEN(seeds)];
    size_t len = strlen(seed);

    if (len > cap)
        return 0;
    memcpy(data, seed, len);
    return len;
}
