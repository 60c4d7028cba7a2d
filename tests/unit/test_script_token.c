// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <sodium.h>

#include "auth/script_token.h"

/* Computed with Python's zlib.crc32 and hashlib; the last two checksums begin with zeros. */
static const struct {
    const char *token;
    const char *hash;
} vectors[] = {
    {"thk_000000000000000000000000000000000000000Fw3Y",
     "8abc274ce40828706338e036e35407e31dffc50a282bd9059393b409fc32b257"},
    {"thk_zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz97N7",
     "83f9a24c723c560c41b72183106ceb9421a17ddded6fce1f6a78c92b6b58ea1d"},
    {"thk_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcFtiW",
     "30ed54f0c901d3380d99bbbba6d57c3d565a70272999e5474503b85658a1c150"},
    {"thk_NOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyzgjeG",
     "8c6e07bad9132b17b7685d6a83a5b29a937005734267eb206ad4f3eb6d877b33"},
    {"thk_BpR5H8mfNLnD9IXvviZ5I76fPNJNwUZbSztFza80f29",
     "aaa2a5f3abfe05d396ba3905c0650d8d738eb158c6ef934150246e068c942757"},
    {"thk_Z9uj87GgDzMbELy28ZoBShTyYkJcFzsGglbRjpw00vd",
     "b4c0dbbb022857b304db9dec890e1afb7c4f39d6d16a5dbc8789ada54fa4c2ab"},
};
#define VECTORS (sizeof vectors / sizeof *vectors)

static int start(void **state)
{
    (void)state;
    return sodium_init() < 0 ? -1 : 0;
}

static void the_vectors_are_whole(void **state)
{
    (void)state;
    for (size_t i = 0; i < VECTORS; i++) {
        uint8_t hash[SCRIPT_TOKEN_HASH_LEN];
        char hex[2 * SCRIPT_TOKEN_HASH_LEN + 1];
        const struct slice token = slice_of(vectors[i].token);
        assert_true(script_token_is_whole(token));
        script_token_hash(token, hash);
        sodium_bin2hex(hex, sizeof hex, hash, sizeof hash);
        assert_string_equal(hex, vectors[i].hash);
    }
}

/* Every other character in every place is seen: CRC-32 finds all faults of up to 32 bits in a row,
 * but only 23.8 bits of it stand there, so all of them are tried. */
static void one_wrong_character_is_seen(void **state)
{
    (void)state;
    for (size_t i = 0; i < VECTORS; i++) {
        char text[SCRIPT_TOKEN_LEN];
        memcpy(text, vectors[i].token, sizeof text);
        for (size_t at = 0; at < sizeof text; at++) {
            const char right = text[at];
            for (unsigned c = 0; c < 256; c++) {
                text[at] = (char)c;
                assert_int_equal(script_token_is_whole((struct slice){text, sizeof text}),
                                 (char)c == right);
            }
            text[at] = right;
        }
    }
}

static void other_lengths_are_none(void **state)
{
    (void)state;
    char text[SCRIPT_TOKEN_LEN + 1];
    memcpy(text, vectors[0].token, SCRIPT_TOKEN_LEN);
    text[SCRIPT_TOKEN_LEN] = '0';
    for (size_t len = 0; len <= sizeof text; len++) {
        assert_int_equal(script_token_is_whole((struct slice){text, len}), len == SCRIPT_TOKEN_LEN);
    }
    assert_false(script_token_is_whole((struct slice){NULL, 0}));
}

/* 390,000 digits: each of 62 is there 6,290 times; six deviations are 473. */
static void what_is_made_is_whole_and_every_digit_as_likely(void **state)
{
    unsigned counts[256] = {0};
    char before[SCRIPT_TOKEN_LEN + 1] = "";
    (void)state;
    for (int i = 0; i < 10000; i++) {
        char text[SCRIPT_TOKEN_LEN + 1];
        uint8_t hash[SCRIPT_TOKEN_HASH_LEN];
        uint8_t again[SCRIPT_TOKEN_HASH_LEN];
        script_token_make(text, hash);
        assert_int_equal(strlen(text), SCRIPT_TOKEN_LEN);
        assert_true(script_token_is_whole(slice_of(text)));
        script_token_hash(slice_of(text), again);
        assert_memory_equal(hash, again, sizeof hash);
        assert_string_not_equal(text, before);
        memcpy(before, text, sizeof before);
        for (size_t at = 4; at < 43; at++) {
            counts[(unsigned char)text[at]]++;
        }
    }
    for (int c = 0; c < 256; c++) {
        if (ascii_is_alnum((char)c)) {
            assert_in_range(counts[c], 5817, 6763);
        } else {
            assert_int_equal(counts[c], 0);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_vectors_are_whole),
        cmocka_unit_test(one_wrong_character_is_seen),
        cmocka_unit_test(other_lengths_are_none),
        cmocka_unit_test(what_is_made_is_whole_and_every_digit_as_likely),
    };
    return cmocka_run_group_tests_name("script_token", tests, start, NULL);
}
