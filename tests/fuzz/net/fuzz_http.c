/*
 * The request parser under arbitrary bytes. The input is parsed twice, once whole and once in
 * pieces whose sizes come from the input itself; both must come to the same result, and everything
 * published must be readable.
 *
 * To fuzz: clang -fsanitize=fuzzer,address,undefined -DFUZZING with src/net/http_request.c,
 * src/base and llhttp. Without FUZZING it replays the files and directories that are named.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/util.h"
#include "net/http_request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct http_config limits = {
    .max_head = 4096, .max_body = 4096, .max_headers = 16, .max_conns = 1};

static void must(bool ok)
{
    if (!ok)
        abort();
}

/* All that a handler could look at, as text. */
static void describe(struct buf *b, struct request *r)
{
    const struct http_exchange *x = &r->x;

    request_publish(r);
    buf_fmt(b, "%d %d %s %s %s %s %d %d\n", r->state, r->status, x->method ? x->method : "-",
            x->target ? x->target : "-", x->path ? x->path : "-", x->query, x->minor,
            r->keep_alive);
    for (size_t i = 0; i < x->n_headers; i++) {
        must(!strpbrk(x->headers[i].name, " \r\n:\t"));
        must(!strpbrk(x->headers[i].value, "\r\n"));
        buf_fmt(b, "%s: %s\n", x->headers[i].name, x->headers[i].value);
    }
    must(x->body_len <= limits.max_body && x->n_headers <= limits.max_headers);
    buf_add(b, x->body, x->body_len);
}

static size_t piece_at(const uint8_t *data, size_t size, size_t at, bool in_pieces)
{
    return in_pieces ? (size_t)(1 + data[(at * 7) % size] % 9) : size;
}

static void parse_all(struct buf *b, const uint8_t *data, size_t size, bool in_pieces)
{
    struct request *r = request_new(&limits);
    size_t used = 0;

    while (used < size) {
        size_t n = piece_at(data, size, used, in_pieces);
        CLEANUP(free_p) char *copy = NULL;

        n = n < size - used ? n : size - used;
        copy = xmalloc(n);
        memcpy(copy, data + used, n);
        size_t took = request_feed(r, copy, n);
        must(took <= n);
        used += took;
        if (r->state == REQUEST_REFUSED)
            break;
        if (r->state == REQUEST_DONE) {
            describe(b, r);
            request_clear(r);
        } else if (r->state == REQUEST_BODY) {
            r->wants_continue = false;
        }
    }
    describe(b, r);
    request_free(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(buf_done) struct buf whole = {0};
    CLEANUP(buf_done) struct buf pieces = {0};

    parse_all(&whole, data, size, false);
    parse_all(&pieces, data, size, true);
    must(whole.len == pieces.len && !memcmp(whole.data, pieces.data, whole.len));
    return 0;
}

#ifndef FUZZING
static int replay(const char *path)
{
    CLEANUP(buf_done) struct buf b = {0};
    FILE *f = fopen(path, "re");
    size_t n;

    if (!f) {
        perror(path);
        return 1;
    }
    while ((n = fread(buf_reserve(&b, 4096), 1, 4096, f)) > 0)
        b.len += n;
    (void)fclose(f); /* was only read */
    return LLVMFuzzerTestOneInput((const uint8_t *)buf_cstr(&b), b.len);
}

static int replay_directory(const char *path, int *count)
{
    DIR *dir = opendir(path);
    int bad = 0;

    if (!dir) {
        perror(path);
        return 1;
    }
    for (struct dirent *e; (e = readdir(dir));) {
        if (e->d_name[0] == '.')
            continue;
        CLEANUP(free_p) char *file = xasprintf("%s/%s", path, e->d_name);
        bad |= replay(file);
        ++*count;
    }
    (void)closedir(dir); /* was only read */
    return bad;
}

int main(int argc, char **argv)
{
    int bad = 0, count = 0;

    for (int i = 1; i < argc; i++) {
        struct stat st;

        if (!stat(argv[i], &st) && S_ISDIR(st.st_mode)) {
            bad |= replay_directory(argv[i], &count);
        } else {
            bad |= replay(argv[i]);
            count++;
        }
    }
    (void)printf("%d inputs\n", count);
    return bad || !count;
}
#endif
