// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sodium.h>

#include "auth/tokens.h"

#define CURRENT  SLICE("hT5-one-secret-for-the-unit-tests-q7Zw")
#define PREVIOUS SLICE("kL2-another-secret-for-the-tests-v9Xe")
#define SESSION  SLICE("01a203c9-2b04-7fff-bfff-fedcba987654")

/* Computed with Python's hmac and base64: session, counter 258, MAC under the derived key. */
#define VECTOR "AaIDySsEf_-___7cuph2VAAAAAAAAAECXb0-nvSlXgAi74d2LjITqRxzxHd0Deqetqtj4T-yMMk"

static const struct slice none = {NULL, 0};
static struct keys *keys;
static struct uuid session;

static int make_keys(void **state)
{
    (void)state;
    keys = keys_create(CURRENT, none);
    return keys && uuid_parse(SESSION, &session) ? 0 : -1;
}

static int drop_keys(void **state)
{
    (void)state;
    keys_destroy(&keys);
    return 0;
}

static void the_vector_is_what_we_make(void **state)
{
    struct buffer out;
    struct uuid id = {{0}};
    int64_t counter = 0;

    (void)state;
    buffer_init(&out, 256);
    refresh_token_make(keys, session, 258, &out);
    assert_false(out.failed);
    assert_int_equal(out.len, REFRESH_TOKEN_LEN);
    assert_memory_equal(out.data, VECTOR, REFRESH_TOKEN_LEN);
    assert_true(refresh_token_parse(keys, SLICE(VECTOR), &id, &counter));
    assert_true(uuid_eq(id, session));
    assert_true(counter == 258);
    buffer_finish(&out);
}

static void every_counter_comes_back(void **state)
{
    static const int64_t counters[] = {0, 1, 255, 256, INT64_C(1) << 40, INT64_MAX};

    (void)state;
    for (size_t i = 0; i < sizeof counters / sizeof *counters; i++) {
        struct buffer out;
        struct uuid id;
        int64_t counter = -1;
        buffer_init(&out, 256);
        refresh_token_make(keys, session, counters[i], &out);
        assert_true(refresh_token_parse(keys, buffer_slice(&out), &id, &counter));
        assert_true(counter == counters[i]);
        buffer_finish(&out);
    }
}

static void a_counter_above_int64_is_refused_even_if_signed(void **state)
{
    struct buffer out;
    struct uuid id;
    int64_t counter = 7;

    (void)state;
    buffer_init(&out, 256);
    refresh_token_make(keys, session, INT64_MIN, &out);
    assert_false(refresh_token_parse(keys, buffer_slice(&out), &id, &counter));
    assert_true(counter == 7);
    buffer_finish(&out);
}

static void rotation_keeps_tokens_while_the_previous_secret_is_there(void **state)
{
    struct keys *after = keys_create(PREVIOUS, CURRENT);
    struct keys *later = keys_create(PREVIOUS, none);
    struct uuid id;
    int64_t counter = 0;

    (void)state;
    assert_true(refresh_token_parse(after, SLICE(VECTOR), &id, &counter));
    assert_false(refresh_token_parse(later, SLICE(VECTOR), &id, &counter));
    keys_destroy(&after);
    keys_destroy(&later);
}

/* Any one character changed to any other, the two unused bits of the last one too. */
static void every_character_counts(void **state)
{
    char token[] = VECTOR;
    struct uuid id = {{0}};
    const struct uuid untouched = {{0}};
    int64_t counter = -1;

    (void)state;
    for (size_t i = 0; i < sizeof token - 1; i++) {
        const char right = token[i];
        for (int c = 0; c < 256; c++) {
            token[i] = (char)c;
            assert_true(refresh_token_parse(keys, (struct slice){token, REFRESH_TOKEN_LEN}, &id,
                                            &counter) == (token[i] == right));
            if (token[i] == right) {
                id = untouched;
                counter = -1;
            }
            assert_true(uuid_eq(id, untouched) && counter == -1);
        }
        token[i] = right;
    }
}

static void other_lengths_are_refused(void **state)
{
    static const char longer[] = VECTOR "=AAAA";
    struct uuid id;
    int64_t counter = 0;

    (void)state;
    for (size_t len = 0; len < sizeof longer; len++) {
        assert_true(refresh_token_parse(keys, (struct slice){longer, len}, &id, &counter) ==
                    (len == REFRESH_TOKEN_LEN));
    }
    assert_false(refresh_token_parse(keys, none, &id, &counter));
}

/* What a MAC of another purpose signs is no refresh token. */
static void other_purposes_do_not_sign(void **state)
{
    static const enum keys_purpose others[] = {KEYS_ACCESS, KEYS_CURSOR};
    unsigned char bytes[56];
    char text[REFRESH_TOKEN_LEN + 1];
    struct uuid id;
    int64_t counter = 0;
    size_t len = 0;

    (void)state;
    assert_int_equal(sodium_base642bin(bytes, sizeof bytes, VECTOR, REFRESH_TOKEN_LEN, NULL, &len,
                                       NULL, sodium_base64_VARIANT_URLSAFE_NO_PADDING),
                     0);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        assert_true(
            keys_mac(keys, others[i], 0, (struct slice){(const char *)bytes, 24}, bytes + 24));
        sodium_bin2base64(text, sizeof text, bytes, sizeof bytes,
                          sodium_base64_VARIANT_URLSAFE_NO_PADDING);
        assert_false(refresh_token_parse(keys, slice_of(text), &id, &counter));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_vector_is_what_we_make),
        cmocka_unit_test(every_counter_comes_back),
        cmocka_unit_test(a_counter_above_int64_is_refused_even_if_signed),
        cmocka_unit_test(rotation_keeps_tokens_while_the_previous_secret_is_there),
        cmocka_unit_test(every_character_counts),
        cmocka_unit_test(other_lengths_are_refused),
        cmocka_unit_test(other_purposes_do_not_sign),
    };

    return cmocka_run_group_tests_name("refresh_token", tests, make_keys, drop_keys);
}
