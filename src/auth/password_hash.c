// SPDX-License-Identifier: MIT
#include "auth/password_hash.h"

#include <stdio.h>

#include <sodium.h>

#include "base/machine.h"

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
    return slice_starts(text, name) &&
           slice_to_u64((struct slice){text.ptr + name.len, text.len - name.len}, most, value) &&
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
    struct encoded encoded;
    uint8_t hash[HASH_BYTES];
    bool same = false;

    if (!read_encoded(text, &encoded)) {
        return PASSWORD_NO_HASH;
    }
    if (crypto_pwhash(hash, sizeof hash, bytes_of(password), password.len, encoded.salt,
                      encoded.passes, (size_t)encoded.memory_kib * 1024,
                      crypto_pwhash_ALG_ARGON2ID13) != 0) {
        return PASSWORD_NO_MEMORY;
    }
    same = sodium_memcmp(hash, encoded.hash, sizeof hash) == 0;
    sodium_memzero(hash, sizeof hash);
    if (!same) {
        return PASSWORD_DIFFERS;
    }
    return encoded.memory_kib * encoded.passes < (uint64_t)MEMORY_KIB * PASSES
               ? PASSWORD_MATCHES_OUTDATED
               : PASSWORD_MATCHES;
}
