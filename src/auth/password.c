// SPDX-License-Identifier: MIT
#include "auth/password.h"

#include <assert.h>
#include <stdio.h>

#include <sodium.h>

#include "base/machine.h"
#include "model/user.h"

/* common_passwords.txt as the build embeds it: one a line, lower case, in the order of bytes. */
extern const unsigned char embed_common_passwords_txt[];
extern const size_t embed_common_passwords_txt_len;

#define COMMON_LONGEST   64 /* bytes; no line is longer */
#define LOCAL_PART_LEAST 4  /* code points */

/* ---- the policy ---- */

static size_t code_points(struct slice text)
{
    size_t count = 0;

    for (size_t i = 0; i < text.len; i++) {
        count += ((unsigned char)text.ptr[i] & 0xc0) != 0x80;
    }
    return count;
}

/* The line of the list in which the byte at `at` stands, without its line feed. */
static struct slice line_at(struct slice list, size_t at)
{
    size_t start = at;
    size_t end = at;

    while (start > 0 && list.ptr[start - 1] != '\n') {
        start--;
    }
    while (end < list.len && list.ptr[end] != '\n') {
        end++;
    }
    return (struct slice){list.ptr + start, end - start};
}

/* Halves the text itself: no index, no memory, and a look touches a few lines of cache. */
static bool is_common(struct slice password)
{
    const struct slice list = {(const char *)embed_common_passwords_txt,
                               embed_common_passwords_txt_len};
    char lower[COMMON_LONGEST];
    size_t low = 0;
    size_t high = list.len;

    if (password.len > sizeof lower || memchr(password.ptr, '\n', password.len)) {
        return false;
    }
    (void)slice_lower(password, lower);
    while (low < high) {
        const struct slice line = line_at(list, low + (high - low) / 2);
        const size_t both = password.len < line.len ? password.len : line.len;
        const int order = memcmp(lower, line.ptr, both);
        if (order == 0 && password.len == line.len) {
            return true;
        }
        if (order < 0 || (order == 0 && password.len < line.len)) {
            high = (size_t)(line.ptr - list.ptr);
        } else {
            low = (size_t)(line.ptr - list.ptr) + line.len + 1;
        }
    }
    return false;
}

static bool contains_nocase(struct slice text, struct slice part)
{
    for (size_t i = 0; i + part.len <= text.len; i++) {
        if (slice_eq_nocase((struct slice){text.ptr + i, part.len}, part)) {
            return true;
        }
    }
    return false;
}

enum password_verdict password_judge(struct slice password, struct slice email, unsigned least)
{
    assert(password.ptr || password.len == 0);
    const char *at = email.len > 0 ? memrchr(email.ptr, '@', email.len) : NULL;
    const struct slice local = {email.ptr, at ? (size_t)(at - email.ptr) : email.len};

    if (code_points(password) < least || password.len == 0) {
        return PASSWORD_TOO_SHORT;
    }
    if (password.len > USER_PASSWORD_MOST) {
        return PASSWORD_TOO_LONG;
    }
    if (is_common(password)) {
        return PASSWORD_COMMON;
    }
    if (code_points(local) >= LOCAL_PART_LEAST && contains_nocase(password, local)) {
        return PASSWORD_CONTAINS_EMAIL;
    }
    return PASSWORD_OK;
}

/* ---- hashes ---- */

/* What OWASP's password storage cheat sheet and ASVS 5.0 appendix C ask for at least. */
#define PASSES     2
#define MEMORY_KIB 19456

/* Nothing of ours lies beyond, and nothing in the database may make a login cost more. */
#define PASSES_MOST     16
#define MEMORY_KIB_MOST (256 * 1024)

#define SALT_BYTES   crypto_pwhash_SALTBYTES
#define HASH_BYTES   32
#define VARIANT      sodium_base64_VARIANT_ORIGINAL_NO_PADDING
#define TEXT_OF(len) sodium_base64_ENCODED_LEN(len, VARIANT)

_Static_assert(MEMORY_KIB *UINT64_C(1024) == MACHINE_HASHER_BYTES, "what hashers are counted by");
_Static_assert(PASSWORD_HASH_MOST == crypto_pwhash_STRBYTES, "room for what libsodium writes");

struct encoded {
    uint64_t memory_kib;
    uint64_t passes;
    uint8_t salt[SALT_BYTES];
    uint8_t hash[HASH_BYTES];
};

static const char *bytes_of(struct slice password)
{
    return password.ptr ? password.ptr : "";
}

bool password_hash_make(struct slice password, char text[static PASSWORD_HASH_MOST])
{
    assert(text);
    return crypto_pwhash_str_alg(text, bytes_of(password), password.len, PASSES,
                                 MEMORY_KIB * (size_t)1024, crypto_pwhash_ALG_ARGON2ID13) == 0;
}

void password_hash_make_unknown(char text[static PASSWORD_HASH_MOST])
{
    uint8_t random[SALT_BYTES + HASH_BYTES];
    char salt[TEXT_OF(SALT_BYTES)];
    char hash[TEXT_OF(HASH_BYTES)];

    randombytes_buf(random, sizeof random);
    sodium_bin2base64(salt, sizeof salt, random, SALT_BYTES, VARIANT);
    sodium_bin2base64(hash, sizeof hash, random + SALT_BYTES, HASH_BYTES, VARIANT);
    snprintf(text, PASSWORD_HASH_MOST, "$argon2id$v=19$m=%d,t=%d,p=1$%s$%s", MEMORY_KIB, PASSES,
             salt, hash);
}

/* `NAME=NUMBER`, from `least` to `most`. */
static bool read_parameter(struct slice text, struct slice name, uint64_t least, uint64_t most,
                           uint64_t *value)
{
    return slice_starts(text, name) && slice_to_u64(slice_from(text, name.len), most, value) &&
           *value >= least;
}

static bool read_base64(struct slice text, uint8_t *bytes, size_t size)
{
    size_t len = 0;

    return text.len > 0 &&
           sodium_base642bin(bytes, size, text.ptr, text.len, NULL, &len, NULL, VARIANT) == 0 &&
           len == size;
}

static bool read_encoded(const char *text, struct encoded *encoded)
{
    struct slice rest = slice_of(text);
    const struct slice before = slice_next(&rest, '$');
    const struct slice algorithm = slice_next(&rest, '$');
    const struct slice version = slice_next(&rest, '$');
    struct slice parameters = slice_next(&rest, '$');
    const struct slice salt = slice_next(&rest, '$');
    const struct slice hash = slice_next(&rest, '$');
    const struct slice memory = slice_next(&parameters, ',');
    const struct slice passes = slice_next(&parameters, ',');

    return !rest.ptr && before.len == 0 && slice_eq(algorithm, SLICE("argon2id")) &&
           slice_eq(version, SLICE("v=19")) &&
           read_parameter(memory, SLICE("m="), 8, MEMORY_KIB_MOST, &encoded->memory_kib) &&
           read_parameter(passes, SLICE("t="), 1, PASSES_MOST, &encoded->passes) &&
           slice_eq(parameters, SLICE("p=1")) &&
           read_base64(salt, encoded->salt, sizeof encoded->salt) &&
           read_base64(hash, encoded->hash, sizeof encoded->hash);
}

/* By hand on crypto_pwhash, because crypto_pwhash_str_verify calls it another password when there
 * is no memory. */
enum password_match password_hash_compare(struct slice password, const char *text)
{
    assert(text);
    struct encoded encoded;
    uint8_t hash[HASH_BYTES];

    if (!read_encoded(text, &encoded)) {
        return PASSWORD_NO_HASH;
    }
    if (crypto_pwhash(hash, sizeof hash, bytes_of(password), password.len, encoded.salt,
                      encoded.passes, (size_t)encoded.memory_kib * 1024,
                      crypto_pwhash_ALG_ARGON2ID13) != 0) {
        return PASSWORD_NO_MEMORY;
    }
    const bool same = sodium_memcmp(hash, encoded.hash, sizeof hash) == 0;
    sodium_memzero(hash, sizeof hash);
    if (!same) {
        return PASSWORD_DIFFERS;
    }
    return encoded.memory_kib * encoded.passes < (uint64_t)MEMORY_KIB * PASSES
               ? PASSWORD_MATCHES_OUTDATED
               : PASSWORD_MATCHES;
}
