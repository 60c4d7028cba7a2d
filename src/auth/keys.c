// SPDX-License-Identifier: MIT
#include "auth/keys.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "base/disk.h"

#include "auth/base64url.h"
#include "base/point.h"

#define HEADER_HEAD    "{\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"kid\":\""
#define HEADER_TAIL    "\"}"
#define HEADER_LEN     (sizeof HEADER_HEAD - 1 + KEYS_KID_LEN + sizeof HEADER_TAIL - 1)
#define HEADER_B64_LEN BASE64URL_LEN(HEADER_LEN)

_Static_assert(KEYS_MAC_LEN == crypto_auth_hmacsha256_BYTES, "one length for every MAC");
_Static_assert(KEYS_MAC_LEN == crypto_generichash_BYTES, "one length for every MAC");
_Static_assert(KEYS_MAC_LEN == crypto_generichash_KEYBYTES, "a MAC serves as a derived key");

/* What comes from one secret. The states have the key already mixed in, so that a MAC costs no
 * more than its data. */
struct key {
    crypto_auth_hmacsha256_state access;
    crypto_auth_hmacsha256_state refresh;
    uint8_t cursor[crypto_generichash_KEYBYTES];
    char kid[KEYS_KID_LEN + 1];
    char header[HEADER_B64_LEN + 1];
};

struct keys {
    struct key key[2]; /* current, previous */
    unsigned count;
};

static void mac_of(const crypto_auth_hmacsha256_state *keyed, struct slice data,
                   uint8_t mac[static KEYS_MAC_LEN])
{
    crypto_auth_hmacsha256_state state = *keyed;

    crypto_auth_hmacsha256_update(&state, (const unsigned char *)data.ptr, data.len);
    crypto_auth_hmacsha256_final(&state, mac);
    sodium_memzero(&state, sizeof state);
}

/* Nobody else verifies a cursor, and nearly each page of a list makes one: keyed BLAKE2b costs
 * half.
 */
static void purpose_mac(const struct key *key, enum keys_purpose purpose, struct slice data,
                        uint8_t mac[static KEYS_MAC_LEN])
{
    if (purpose == KEYS_CURSOR) {
        crypto_generichash(mac, KEYS_MAC_LEN, (const unsigned char *)data.ptr, data.len,
                           key->cursor, sizeof key->cursor);
        return;
    }
    mac_of(purpose == KEYS_ACCESS ? &key->access : &key->refresh, data, mac);
}

/* Derives by HMAC under the secret. No token can collide with a label: what is signed for a token
 * begins with base64url of `{"alg"`, a label with `taskhold`. */
static void derive(struct key *key, struct slice secret)
{
    uint8_t derived[KEYS_MAC_LEN] = {0};
    char header[HEADER_LEN + 1];

    crypto_auth_hmacsha256_init(&key->access, (const unsigned char *)secret.ptr, secret.len);
    mac_of(&key->access, SLICE("taskhold refresh token v1"), derived);
    crypto_auth_hmacsha256_init(&key->refresh, derived, sizeof derived);
    mac_of(&key->access, SLICE("taskhold cursor v1"), key->cursor);
    mac_of(&key->access, SLICE("taskhold key id v1"), derived);
    sodium_bin2hex(key->kid, sizeof key->kid, derived, KEYS_KID_LEN / 2);
    sodium_memzero(derived, sizeof derived);
    snprintf(header, sizeof header, HEADER_HEAD "%s" HEADER_TAIL, key->kid);
    sodium_bin2base64(key->header, sizeof key->header, (const unsigned char *)header, HEADER_LEN,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

struct keys *keys_create(struct slice current, struct slice previous)
{
    assert(current.ptr || current.len == 0);
    const struct slice secrets[2] = {current, previous};
    const unsigned count = previous.len > 0 ? 2 : 1;
    struct keys *keys = NULL;

    for (unsigned i = 0; i < count; i++) {
        if (secrets[i].len < KEYS_SECRET_LEAST) {
            return NULL;
        }
    }
    keys = sodium_init() < 0 ? NULL : sodium_malloc(sizeof *keys);
    if (!keys) {
        return NULL;
    }
    memset(keys, 0, sizeof *keys);
    keys->count = count;
    for (unsigned i = 0; i < count; i++) {
        derive(&keys->key[i], secrets[i]);
    }
    sodium_mprotect_readonly(keys);
    return keys;
}

void keys_destroy(struct keys **keys)
{
    assert(keys);
    sodium_free(*keys); /* wipes */
    *keys = NULL;
}

bool keys_mac(const struct keys *keys, enum keys_purpose purpose, unsigned index, struct slice data,
              uint8_t mac[static KEYS_MAC_LEN])
{
    assert(keys && purpose < KEYS_PURPOSES);
    if (index >= keys->count) {
        return false;
    }
    purpose_mac(&keys->key[index], purpose, data, mac);
    return true;
}

bool keys_verify(const struct keys *keys, enum keys_purpose purpose, struct slice data,
                 const uint8_t mac[static KEYS_MAC_LEN])
{
    assert(keys && purpose < KEYS_PURPOSES && mac);
    uint8_t ours[KEYS_MAC_LEN];
    unsigned matches = 0;

    for (unsigned i = 0; i < keys->count; i++) {
        purpose_mac(&keys->key[i], purpose, data, ours);
        matches |= crypto_verify_32(ours, mac) == 0;
    }
    sodium_memzero(ours, sizeof ours);
    return matches != 0;
}

struct slice keys_jose_header(const struct keys *keys, unsigned index)
{
    assert(keys);
    return index < keys->count ? (struct slice){keys->key[index].header, HEADER_B64_LEN}
                               : (struct slice){0};
}

struct slice keys_kid(const struct keys *keys, unsigned index)
{
    assert(keys);
    return index < keys->count ? (struct slice){keys->key[index].kid, KEYS_KID_LEN}
                               : (struct slice){0};
}

/* ---- the secret beside the database file ---- */

#define MADE_BYTES 64 /* as base64url: 86 characters */

/* Reads the open file into `text`, which has room for KEYS_SECRET_MOST + 3 bytes. Returns NULL or
 * what is wrong. */
static const char *read_secret(int fd, char *text)
{
    struct stat status;

    if (fstat(fd, &status) != 0) {
        return strerror(errno);
    }
    if (!S_ISREG(status.st_mode)) {
        return "it is not a regular file";
    }
    if (status.st_mode & (S_IRWXG | S_IRWXO)) {
        return "others may read it: run chmod 600 on it";
    }
    const ssize_t len = disk_read(fd, text, KEYS_SECRET_MOST + 2);
    if (len < 0) {
        return strerror(errno);
    }
    /* As the settings do with JWT_SECRET_FILE: a copy of this file is the same secret. */
    const struct slice secret = slice_strip((struct slice){text, (size_t)len});
    if (slice_has_control(secret)) {
        return "it holds a control character, such as a zero byte or a line end, inside";
    }
    memmove(text, secret.ptr, secret.len);
    text[secret.len] = '\0';
    if (secret.len < KEYS_SECRET_LEAST) {
        return "it is shorter than 32 bytes";
    }
    return secret.len > KEYS_SECRET_MOST ? "it is longer than 4096 bytes" : NULL;
}

/* Returns the secret in `path`, or NULL: then `*absent` says that there is no file. */
static char *load_secret(const char *path, bool *absent, char *why, size_t why_size)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO must not hang us */

    *absent = fd < 0 && errno == ENOENT;
    if (fd < 0) {
        (void)snprintf(why, why_size, "cannot open the secret %s: %s", path, strerror(errno));
        return NULL;
    }
    char *text = calloc(1, KEYS_SECRET_MOST + 3);
    const char *problem = text ? read_secret(fd, text) : "out of memory";
    close(fd);
    if (problem) {
        (void)snprintf(why, why_size, "cannot use the secret %s: %s", path, problem);
        if (text) {
            sodium_memzero(text, KEYS_SECRET_MOST + 3);
        }
        free(text);
        return NULL;
    }
    return text;
}

/* Makes `path` whole or not at all: a starter beside us sees no half of it, and the first one's
 * secret stays. A file system without hard links gets a rename; there the lock of the database
 * keeps others out. */
static bool make_secret(const char *path)
{
    char *partial = NULL;
    char *folder = disk_folder_of(path);
    uint8_t bytes[MADE_BYTES];
    char text[BASE64URL_LEN(MADE_BYTES) + 1];
    bool ok = false;

    if (!folder || asprintf(&partial, "%s.XXXXXX", path) < 0) {
        free(folder);
        return false;
    }
    const int fd = mkostemp(partial, O_CLOEXEC); /* mode 0600 */
    if (fd >= 0) {
        randombytes_buf(bytes, sizeof bytes);
        sodium_bin2base64(text, sizeof text, bytes, sizeof bytes,
                          sodium_base64_VARIANT_URLSAFE_NO_PADDING);
        text[sizeof text - 1] = '\n';
        ok = disk_write(fd, text, sizeof text) && fsync(fd) == 0;
        POINT(SECRET_WRITTEN);
        ok = ok && (link(partial, path) == 0 || errno == EEXIST || rename(partial, path) == 0);
        POINT(SECRET_NAMED);
        ok = close(fd) == 0 && ok;
        unlink(partial);
        sodium_memzero(bytes, sizeof bytes);
        sodium_memzero(text, sizeof text);
    }
    ok = ok && disk_flush(folder);
    free(partial);
    free(folder);
    return ok;
}

char *keys_secret_file(const char *database_path, char *why, size_t why_size)
{
    assert(database_path && why && why_size > 0);
    char *path = NULL;
    bool absent = false;

    if (sodium_init() < 0 || asprintf(&path, "%s" BESIDE_SECRET, database_path) < 0) {
        (void)snprintf(why, why_size, "out of memory");
        return NULL;
    }
    char *text = load_secret(path, &absent, why, why_size);
    if (absent) {
        if (make_secret(path)) {
            text = load_secret(path, &absent, why, why_size);
        } else {
            (void)snprintf(why, why_size, "cannot make the secret %s: %s", path, strerror(errno));
        }
    }
    free(path);
    return text;
}
