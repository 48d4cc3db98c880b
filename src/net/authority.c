/*
 * The private authority. Two pairs of files, certificate and key; the key is written first, so that
 * a crash in between leaves a pair that does not match, which is seen and made anew.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/util.h"
#include "net/tls.h"

/* How our own authorities are told from an operator's. */
#define ORGANIZATION "Ostler private CA"

enum { DAY = 24 * 60 * 60, SKEW = 60 * 60 };

static const struct tls_policy standard = {.ca_days = 3650, .leaf_days = 397, .renew_days = 30};

static void bio_free_p(BIO **b)
{
    BIO_free_all(*b);
}

static void cert_free_p(X509 **c)
{
    X509_free(*c);
}

static void key_free_p(EVP_PKEY **k)
{
    EVP_PKEY_free(*k);
}

/* OpenSSL's own failures here are lack of memory or entropy. */
static void *must(void *p)
{
    if (!p)
        abort();
    return p;
}

static void must_be(bool ok)
{
    if (!ok)
        abort();
}

/* --- files --- */

static int write_all(int fd, const char *data, size_t len)
{
    while (len) {
        ssize_t n = write(fd, data, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        data += n;
        len -= (size_t)n;
    }
    return fsync(fd) < 0 ? -errno : 0;
}

static int write_temporary(int dirfd, const char *name, mode_t mode, const char *data, size_t len)
{
    /* What a crash left behind is ours to replace. */
    if (unlinkat(dirfd, name, 0) < 0 && errno != ENOENT)
        return -errno;
    CLEANUP(close_p)
    int fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    if (fd < 0)
        return -errno;
    if (fchmod(fd, mode) < 0) /* whatever the umask is */
        return -errno;
    return write_all(fd, data, len);
}

/* After this the file has the new contents or the old, whatever happens. */
static int write_file(const char *dir, const char *name, mode_t mode, BIO *contents)
{
    CLEANUP(free_p) char *temporary = xasprintf(".%s.new", name);
    CLEANUP(close_p) int dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    char *data;
    long len = BIO_get_mem_data(contents, &data);

    if (dirfd < 0)
        return -errno;
    int r = write_temporary(dirfd, temporary, mode, data, (size_t)len);
    if (r < 0)
        return r;
    if (renameat(dirfd, temporary, dirfd, name) < 0 || fsync(dirfd) < 0)
        return -errno;
    return 0;
}

static int write_pair(const char *dir, const char *name, X509 *cert, EVP_PKEY *key)
{
    CLEANUP(bio_free_p) BIO *cert_pem = must(BIO_new(BIO_s_mem()));
    CLEANUP(bio_free_p) BIO *key_pem = must(BIO_new(BIO_s_secmem()));
    CLEANUP(free_p) char *cert_name = xasprintf("%s.pem", name);
    CLEANUP(free_p) char *key_name = xasprintf("%s.key", name);

    must_be(PEM_write_bio_X509(cert_pem, cert) == 1);
    must_be(PEM_write_bio_PrivateKey(key_pem, key, NULL, NULL, 0, NULL, NULL) == 1);
    int r = write_file(dir, key_name, 0600, key_pem);
    return r ? r : write_file(dir, cert_name, 0644, cert_pem);
}

static int open_file(const char *dir, const char *name, BIO **ret)
{
    CLEANUP(free_p) char *path = xasprintf("%s/%s", dir, name);
    FILE *f = fopen(path, "re");

    if (!f)
        return -errno;
    *ret = must(BIO_new_fp(f, BIO_CLOSE));
    return 0;
}

static int read_cert(const char *dir, const char *name, X509 **ret)
{
    CLEANUP(bio_free_p) BIO *b = NULL;
    int r = open_file(dir, name, &b);

    if (r < 0)
        return r;
    *ret = PEM_read_bio_X509(b, NULL, NULL, NULL);
    ERR_clear_error();
    return *ret ? 0 : -EBADMSG;
}

/* A key with a passphrase is not asked for one: there is nobody to ask. */
static int no_passphrase(char *to, int size, int writing, void *arg)
{
    (void)to, (void)size, (void)writing, (void)arg;
    return -1;
}

static int read_key(const char *dir, const char *name, EVP_PKEY **ret)
{
    CLEANUP(bio_free_p) BIO *b = NULL;
    int r = open_file(dir, name, &b);

    if (r < 0)
        return r;
    *ret = PEM_read_bio_PrivateKey(b, NULL, no_passphrase, NULL);
    ERR_clear_error();
    return *ret ? 0 : -EBADMSG;
}

/* --- names --- */

struct names {
    char **all;
    size_t n;
};

static void names_done(struct names *names)
{
    for (size_t i = 0; i < names->n; i++)
        free(names->all[i]);
    free(names->all);
}

/* The address as its bytes; their number, or 0 when the text is no address. */
static size_t address_bytes(const char *text, unsigned char *to)
{
    if (inet_pton(AF_INET, text, to) == 1)
        return 4;
    return inet_pton(AF_INET6, text, to) == 1 ? 16 : 0;
}

static bool is_dns_name(const char *s)
{
    size_t label = 0;

    if (strlen(s) > 253)
        return false;
    if (str_starts(s, "*."))
        s += 2;
    for (; *s; s++) {
        if (*s == '.' ? label == 0 : !isalnum((unsigned char)*s) && *s != '-' && *s != '_')
            return false;
        label = *s == '.' ? 0 : label + 1;
        if (label > 63)
            return false;
    }
    return label > 0;
}

static int names_add(struct names *names, const char *name)
{
    unsigned char bytes[16];

    if (!address_bytes(name, bytes) && !is_dns_name(name))
        return -EINVAL;
    for (size_t i = 0; i < names->n; i++)
        if (!strcasecmp(names->all[i], name))
            return 0;
    names->all = xrealloc(names->all, (names->n + 1) * sizeof(*names->all));
    names->all[names->n++] = xstrdup(name);
    return 0;
}

static int names_init(struct names *names, const char *const *wanted, size_t n)
{
    static const char *const always[] = {"localhost", "127.0.0.1", "::1"};
    char host[HOST_NAME_MAX + 1] = "";
    int r = 0;

    *names = (struct names){0};
    for (size_t i = 0; i < ARRAY_LEN(always); i++)
        (void)names_add(names, always[i]); /* they are names */
    if (!gethostname(host, sizeof(host) - 1))
        (void)names_add(names,
                        host); /* one that cannot be in a certificate cannot be asked for either */
    for (size_t i = 0; !r && i < n; i++)
        r = names_add(names, wanted[i]);
    return r;
}

static bool is_this_name(const GENERAL_NAME *have, const char *name)
{
    unsigned char bytes[16];
    size_t n = address_bytes(name, bytes);
    int type;
    const ASN1_STRING *value = GENERAL_NAME_get0_value(have, &type);

    if (type != (n ? GEN_IPADD : GEN_DNS))
        return false;
    size_t len = (size_t)ASN1_STRING_length(value);
    const unsigned char *data = ASN1_STRING_get0_data(value);
    if (n)
        return len == n && !memcmp(data, bytes, n);
    return len == strlen(name) && !strncasecmp((const char *)data, name, len);
}

static bool covers(X509 *cert, const struct names *names)
{
    GENERAL_NAMES *have = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
    bool all = have != NULL;

    for (size_t i = 0; all && i < names->n; i++) {
        bool found = false;

        for (int k = 0; !found && k < sk_GENERAL_NAME_num(have); k++)
            found = is_this_name(sk_GENERAL_NAME_value(have, k), names->all[i]);
        all = found;
    }
    GENERAL_NAMES_free(have);
    return all;
}

/* As OpenSSL's extension syntax; the names were checked, so none can say more than itself. */
static char *names_text(const struct names *names)
{
    struct buf b = {0};
    unsigned char bytes[16];

    for (size_t i = 0; i < names->n; i++)
        buf_fmt(&b, "%s%s:%s", i ? "," : "", address_bytes(names->all[i], bytes) ? "IP" : "DNS",
                names->all[i]);
    return buf_take(&b);
}

/* --- certificates --- */

static void set_serial(X509 *cert)
{
    unsigned char bytes[16];
    BIGNUM *number;

    must_be(RAND_bytes(bytes, sizeof(bytes)) == 1);
    bytes[0] &= 0x7f; /* positive */
    number = must(BN_bin2bn(bytes, sizeof(bytes), NULL));
    must(BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert)));
    BN_free(number);
}

static void add_text(X509_NAME *name, const char *field, const char *text)
{
    must_be(X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8, (const unsigned char *)text, -1,
                                       -1, 0) == 1);
}

static void add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;

    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    X509_EXTENSION *e = must(X509V3_EXT_conf_nid(NULL, &ctx, nid, value));
    must_be(X509_add_ext(cert, e, -1) == 1);
    X509_EXTENSION_free(e);
}

/* Everything but names and extensions. The clocks of client and server may differ a little. */
static X509 *cert_begin(EVP_PKEY *key, int days)
{
    X509 *cert = must(X509_new());

    must_be(X509_set_version(cert, X509_VERSION_3) == 1);
    set_serial(cert);
    must(X509_gmtime_adj(X509_getm_notBefore(cert), -SKEW));
    must(X509_time_adj_ex(X509_getm_notAfter(cert), days, 0, NULL));
    must_be(X509_set_pubkey(cert, key) == 1);
    return cert;
}

static X509 *make_ca(EVP_PKEY *key, int days)
{
    X509 *cert = cert_begin(key, days);
    X509_NAME *name = X509_get_subject_name(cert);
    unsigned char tag[4];
    char common[64];

    /* A name of its own, so that trusting two of them at once confuses nobody. */
    must_be(RAND_bytes(tag, sizeof(tag)) == 1);
    (void)snprintf(common, sizeof(common), ORGANIZATION " %02x%02x%02x%02x", tag[0], tag[1], tag[2],
                   tag[3]);
    add_text(name, "O", ORGANIZATION);
    add_text(name, "CN", common);
    must_be(X509_set_issuer_name(cert, name) == 1);
    add_extension(cert, cert, NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
    add_extension(cert, cert, NID_key_usage, "critical,keyCertSign,cRLSign");
    add_extension(cert, cert, NID_subject_key_identifier, "hash");
    must_be(X509_sign(cert, key, EVP_sha256()) > 0);
    return cert;
}

static X509 *make_leaf(EVP_PKEY *key, X509 *ca, EVP_PKEY *ca_key, const struct names *names,
                       int days)
{
    X509 *cert = cert_begin(key, days);
    CLEANUP(free_p) char *text = names_text(names);

    if (ASN1_TIME_compare(X509_get0_notAfter(cert), X509_get0_notAfter(ca)) > 0)
        must_be(X509_set1_notAfter(cert, X509_get0_notAfter(ca)) == 1);
    add_text(X509_get_subject_name(cert), "CN", "ostler");
    must_be(X509_set_issuer_name(cert, X509_get_subject_name(ca)) == 1);
    add_extension(cert, ca, NID_basic_constraints, "critical,CA:FALSE");
    add_extension(cert, ca, NID_key_usage, "critical,digitalSignature");
    add_extension(cert, ca, NID_ext_key_usage, "serverAuth");
    add_extension(cert, ca, NID_subject_key_identifier, "hash");
    add_extension(cert, ca, NID_authority_key_identifier, "keyid");
    add_extension(cert, ca, NID_subject_alt_name, text);
    must_be(X509_sign(cert, ca_key, EVP_sha256()) > 0);
    return cert;
}

static bool ends_within(X509 *cert, int days)
{
    time_t then = time(NULL) + (time_t)days * DAY; /* certificates live by the wall clock */

    return X509_cmp_time(X509_get0_notAfter(cert), &then) <= 0;
}

/* --- what must be done --- */

static int open_ca(const char *dir, const struct tls_policy *policy, X509 **ret)
{
    CLEANUP(cert_free_p) X509 *ca = NULL;
    CLEANUP(key_free_p) EVP_PKEY *key = NULL;
    int r = read_cert(dir, "ca.pem", &ca);

    if (r < 0 && r != -ENOENT)
        return r;
    if (!ca || ends_within(ca, 0)) {
        X509_free(ca);
        key = must(EVP_EC_gen("P-256"));
        ca = make_ca(key, policy->ca_days);
        r = write_pair(dir, "ca", ca, key);
        if (r < 0)
            return r;
    }
    *ret = ca;
    ca = NULL;
    return 0;
}

/* Issued by one of ours, this one or an earlier one. */
static bool is_ours(X509 *cert)
{
    char organization[64] = "";
    X509_NAME *issuer = X509_get_issuer_name(cert); /* the certificate's own */

    (void)X509_NAME_get_text_by_NID(issuer, NID_organizationName, organization,
                                    sizeof(organization));
    return streq(organization, ORGANIZATION);
}

static bool belongs_together(X509 *cert, EVP_PKEY *key, X509 *ca)
{
    bool yes = X509_check_private_key(cert, key) == 1 && X509_check_issued(ca, cert) == X509_V_OK &&
               X509_verify(cert, X509_get0_pubkey(ca)) == 1;

    ERR_clear_error();
    return yes;
}

/* Whether the server's pair must be issued: 1, 0, or a negative errno. */
static int must_issue(const char *dir, X509 *ca, const struct names *names,
                      const struct tls_policy *policy)
{
    CLEANUP(cert_free_p) X509 *cert = NULL;
    CLEANUP(key_free_p) EVP_PKEY *key = NULL;
    int r = read_cert(dir, "server.pem", &cert);

    if (r < 0)
        return r == -ENOENT ? 1 : r;
    if (!is_ours(cert))
        return 0;
    r = read_key(dir, "server.key", &key);
    if (r < 0)
        return r == -ENOENT ? 1 : r;
    return !belongs_together(cert, key, ca) || ends_within(cert, policy->renew_days) ||
           !covers(cert, names);
}

static int issue(const char *dir, X509 *ca, const struct names *names,
                 const struct tls_policy *policy)
{
    CLEANUP(key_free_p) EVP_PKEY *ca_key = NULL;
    int r = read_key(dir, "ca.key", &ca_key);

    if (r < 0)
        return r == -ENOENT ? -ENOKEY : r;
    if (X509_check_private_key(ca, ca_key) != 1) {
        ERR_clear_error();
        return -ENOKEY;
    }
    CLEANUP(key_free_p) EVP_PKEY *key = must(EVP_EC_gen("P-256"));
    CLEANUP(cert_free_p) X509 *cert = make_leaf(key, ca, ca_key, names, policy->leaf_days);
    return write_pair(dir, "server", cert, key);
}

int tls_authority_open_policy(const char *dir, const char *const *names, size_t n_names,
                              const struct tls_policy *policy)
{
    CLEANUP(names_done) struct names all;
    CLEANUP(cert_free_p) X509 *ca = NULL;
    int r = names_init(&all, names, n_names);

    if (!r)
        r = open_ca(dir, policy, &ca);
    if (!r)
        r = must_issue(dir, ca, &all, policy);
    return r > 0 ? issue(dir, ca, &all, policy) : r;
}

int tls_authority_open(const char *dir, const char *const *names, size_t n_names)
{
    return tls_authority_open_policy(dir, names, n_names, &standard);
}
