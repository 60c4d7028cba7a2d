// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include <sodium.h>

#include "auth/password.h"

/* Made by npm's hash-wasm 4.12.0 (another implementation) with the password `correct horse battery
 * staple`. */
#define VECTOR_SALT "AAECAwQFBgcICQoLDA0ODw"
#define VECTOR_HASH "gYJZtjEAJqjg26xdLmknq8/bB7MiWPrE9hsYuA+SkIU"
#define VECTOR      "$argon2id$v=19$m=19456,t=2,p=1$" VECTOR_SALT "$" VECTOR_HASH
#define PASSWORD    SLICE("correct horse battery staple")

static int start_sodium(void **state)
{
    (void)state;
    return sodium_init() < 0 ? -1 : 0;
}

static void the_vector_matches(void **state)
{
    (void)state;
    assert_int_equal(password_hash_compare(PASSWORD, VECTOR), PASSWORD_MATCHES);
    assert_int_equal(password_hash_compare(SLICE("correct horse battery stapl"), VECTOR),
                     PASSWORD_DIFFERS);
}

/* What we make, libsodium's own function takes, and the other way round. */
static void libsodium_agrees(void **state)
{
    char text[PASSWORD_HASH_MOST];

    (void)state;
    assert_true(password_hash_make(PASSWORD, text));
    assert_int_equal(crypto_pwhash_str_verify(text, PASSWORD.ptr, PASSWORD.len), 0);
    assert_int_equal(crypto_pwhash_str_needs_rehash(text, 2, 19 * 1024 * 1024), 0);
    assert_int_equal(password_hash_compare(PASSWORD, text), PASSWORD_MATCHES);
    assert_int_equal(crypto_pwhash_str_alg(text, PASSWORD.ptr, PASSWORD.len, 3, 65536,
                                           crypto_pwhash_ALG_ARGON2ID13),
                     0);
    assert_int_equal(password_hash_compare(PASSWORD, text), PASSWORD_MATCHES_OUTDATED);
}

static void the_unknown_matches_nothing_at_the_same_cost(void **state)
{
    char text[PASSWORD_HASH_MOST];
    char other[PASSWORD_HASH_MOST];

    (void)state;
    password_hash_make_unknown(text);
    password_hash_make_unknown(other);
    assert_string_not_equal(text, other);
    assert_int_equal(crypto_pwhash_str_needs_rehash(text, 2, 19 * 1024 * 1024), 0);
    assert_int_equal(strlen(text), strlen(VECTOR));
    assert_int_equal(password_hash_compare(PASSWORD, text), PASSWORD_DIFFERS);
    assert_int_equal(password_hash_compare(SLICE(""), text), PASSWORD_DIFFERS);
}

static void other_texts_are_no_hashes(void **state)
{
#define REST "$" VECTOR_SALT "$" VECTOR_HASH
    static const char *const texts[] = {
        "",
        "$",
        "$$$$$",
        "!",
        VECTOR "$",
        VECTOR "=",
        VECTOR "A",
        " " VECTOR,
        "$argon2i$v=19$m=19456,t=2,p=1" REST,
        "$argon2id$v=16$m=19456,t=2,p=1" REST,
        "$argon2id$m=19456,t=2,p=1" REST,
        "$argon2id$v=19$t=2,m=19456,p=1" REST,
        "$argon2id$v=19$m=19456,t=2" REST,
        "$argon2id$v=19$m=19456,t=2,p=2" REST,
        "$argon2id$v=19$m=19456,t=2,p=1,q=1" REST,
        "$argon2id$v=19$m=19456,t=0,p=1" REST,
        "$argon2id$v=19$m=19456,t=17,p=1" REST,
        "$argon2id$v=19$m=19456,t=,p=1" REST,
        "$argon2id$v=19$m=19456,t=-2,p=1" REST,
        "$argon2id$v=19$m=7,t=2,p=1" REST,
        "$argon2id$v=19$m=262145,t=2,p=1" REST,
        "$argon2id$v=19$m=18446744073709551616,t=2,p=1" REST,
        "$argon2id$v=19$m=19456x,t=2,p=1" REST,
        "$argon2id$v=19$m=19456,t=2,p=1$" VECTOR_SALT,
        "$argon2id$v=19$m=19456,t=2,p=1$" VECTOR_SALT "$",
        "$argon2id$v=19$m=19456,t=2,p=1$$" VECTOR_HASH,
        "$argon2id$v=19$m=19456,t=2,p=1$" VECTOR_SALT "AA$" VECTOR_HASH,
        "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$" VECTOR_HASH,
        "$argon2id$v=19$m=19456,t=2,p=1$" VECTOR_SALT "$aGFzaA",
    };
#undef REST

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (password_hash_compare(PASSWORD, texts[i]) != PASSWORD_NO_HASH) {
            fail_msg("taken for a hash: %s", texts[i]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_vector_matches),
        cmocka_unit_test(libsodium_agrees),
        cmocka_unit_test(the_unknown_matches_nothing_at_the_same_cost),
        cmocka_unit_test(other_texts_are_no_hashes),
    };

    return cmocka_run_group_tests_name("password_hash", tests, start_sodium, NULL);
}
