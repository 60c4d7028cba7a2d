// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include <sodium.h>

#include "auth/jwt.h"
#include "auth/token_cache.h"
#include "base/clock.h"

#define ENTRIES 1024
#define NOW     1795000000

struct fixture {
    struct revocations *revocations;
    struct token_cache *cache;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    assert_non_null(f);
    f->revocations = revocations_create();
    f->cache = token_cache_create(f->revocations, ENTRIES, 0);
    assert_non_null(f->cache);
    *state = f;
    return sodium_init() < 0 ? -1 : 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    token_cache_destroy(&f->cache);
    assert_null(f->cache);
    revocations_destroy(&f->revocations);
    free(f);
    return 0;
}

static struct bearer claims_of(unsigned number)
{
    struct bearer claims = {.issued_at = NOW, .expires_at = NOW + 900};

    claims.user.bytes[15] = (uint8_t)number;
    claims.user.bytes[14] = (uint8_t)(number >> 8);
    claims.session.bytes[0] = 1;
    return claims;
}

/* Something like a token: a common beginning and a signature of its own. */
struct token {
    char text[391];
    struct slice slice;
};

static void make_token(struct token *token, unsigned number)
{
    unsigned char seed[randombytes_SEEDBYTES] = {(unsigned char)number,
                                                 (unsigned char)(number >> 8)};
    unsigned char random[32];
    char signature[64];

    randombytes_buf_deterministic(random, sizeof random, seed);
    sodium_bin2base64(signature, sizeof signature, random, sizeof random,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    memset(token->text, 'p', sizeof token->text);
    memcpy(token->text + sizeof token->text - 43, signature, 43);
    token->slice = (struct slice){token->text, sizeof token->text};
}

static void put(struct fixture *f, struct slice token, const struct bearer *claims)
{
    token_cache_put(f->cache, token, claims, revocations_of(f->revocations, claims->user));
}

static void what_was_put_in_is_found(void **state)
{
    struct fixture *f = *state;
    const struct bearer claims = claims_of(5);
    struct bearer *found = NULL;
    struct token token;

    make_token(&token, 5);
    assert_null(token_cache_find(f->cache, token.slice, NOW));
    put(f, token.slice, &claims);
    found = token_cache_find(f->cache, token.slice, NOW);
    assert_non_null(found);
    assert_memory_equal(found, &claims, sizeof claims);
}

static void a_cleared_cache_has_none_and_takes_new_ones(void **state)
{
    struct fixture *f = *state;
    struct token token;

    for (int round = 0; round < 2; round++) {
        for (unsigned i = 0; i < 100; i++) {
            const struct bearer claims = claims_of(i);
            make_token(&token, i);
            assert_null(token_cache_find(f->cache, token.slice, NOW));
            put(f, token.slice, &claims);
            assert_non_null(token_cache_find(f->cache, token.slice, NOW));
        }
        token_cache_clear(f->cache);
    }
}

static void only_the_same_bytes_are_found(void **state)
{
    struct fixture *f = *state;
    const struct bearer claims = claims_of(5);
    struct token token;

    make_token(&token, 5);
    put(f, token.slice, &claims);
    for (size_t i = 0; i < token.slice.len; i++) {
        token.text[i] ^= 1;
        assert_null(token_cache_find(f->cache, token.slice, NOW));
        token.text[i] ^= 1;
    }
    assert_null(token_cache_find(f->cache, (struct slice){token.text + 1, 390}, NOW));
    for (size_t len = 0; len < token.slice.len; len++) {
        assert_null(token_cache_find(f->cache, (struct slice){token.text, len}, NOW));
    }
    assert_non_null(token_cache_find(f->cache, token.slice, NOW));
}

static void what_expired_is_not_found(void **state)
{
    struct fixture *f = *state;
    const struct bearer claims = claims_of(5);
    struct token token;

    make_token(&token, 5);
    put(f, token.slice, &claims);
    assert_non_null(token_cache_find(f->cache, token.slice, NOW + 899));
    assert_null(token_cache_find(f->cache, token.slice, NOW + 900));
    assert_null(token_cache_find(f->cache, token.slice, NOW + 90000));
}

/* The clock was set back: a token of before would live for as long as the step. */
static void what_is_from_ahead_is_not_found(void **state)
{
    struct fixture *f = *state;
    struct token token;
    const struct bearer claims = claims_of(1);

    make_token(&token, 1);
    put(f, token.slice, &claims);
    assert_non_null(token_cache_find(f->cache, token.slice, NOW - JWT_SKEW_SECONDS));
    assert_null(token_cache_find(f->cache, token.slice, NOW - JWT_SKEW_SECONDS - 1));
}

/* Waits for the end of its time; only that end lets the test go on. */
static void what_was_put_in_long_ago_is_not_found(void **state)
{
    struct fixture *f = *state;
    const struct bearer claims = claims_of(5);
    struct token_cache *bounded = token_cache_create(f->revocations, ENTRIES, 200);
    struct token token;

    make_token(&token, 5);
    const int64_t begun_ms = clock_mono_ms();
    token_cache_put(bounded, token.slice, &claims, 0);
    const bool found = token_cache_find(bounded, token.slice, NOW) != NULL;
    assert_true(found || clock_mono_ms() - begun_ms >= 200);
    while (token_cache_find(bounded, token.slice, NOW)) {
        assert_in_range(clock_mono_ms() - begun_ms, 0, 20000);
    }
    assert_in_range(clock_mono_ms() - begun_ms, 200, 20000);
    token_cache_put(bounded, token.slice, &claims, 0);
    token_cache_destroy(&bounded);
}

static void an_ended_session_of_the_user_hides_it(void **state)
{
    struct fixture *f = *state;
    const struct bearer claims = claims_of(5);
    const struct bearer other = claims_of(6);
    struct token token;
    struct token others;

    make_token(&token, 5);
    make_token(&others, 6);
    put(f, token.slice, &claims);
    put(f, others.slice, &other);
    revocations_add(f->revocations, claims.user);
    assert_null(token_cache_find(f->cache, token.slice, NOW));
    assert_non_null(token_cache_find(f->cache, others.slice, NOW));
    /* The store was asked again and knows the session still. */
    put(f, token.slice, &claims);
    assert_non_null(token_cache_find(f->cache, token.slice, NOW));
}

/* The session ended while the store was being asked: its answer may be old. */
static void a_counter_from_before_the_question_does_not_hide_an_end(void **state)
{
    struct fixture *f = *state;
    const struct bearer claims = claims_of(5);
    const uint64_t counter = revocations_of(f->revocations, claims.user);
    struct token token;

    make_token(&token, 5);
    revocations_add(f->revocations, claims.user);
    token_cache_put(f->cache, token.slice, &claims, counter);
    assert_null(token_cache_find(f->cache, token.slice, NOW));
}

static void a_full_cache_gives_up_what_ends_first(void **state)
{
    struct fixture *f = *state;
    unsigned kept = 0;

    for (unsigned number = 0; number < 4 * ENTRIES; number++) {
        struct bearer claims = claims_of(number);
        struct token token;
        claims.expires_at += number;
        make_token(&token, number);
        put(f, token.slice, &claims);
        assert_non_null(token_cache_find(f->cache, token.slice, NOW));
    }
    for (unsigned number = 0; number < 4 * ENTRIES; number++) {
        struct token token;
        struct bearer *found = NULL;
        make_token(&token, number);
        found = token_cache_find(f->cache, token.slice, NOW);
        if (found) {
            const struct bearer claims = claims_of(number);
            assert_true(uuid_eq(found->user, claims.user));
            kept++;
        }
        /* Of the last hundred one could only go if five shared a set; of these none do. */
        assert_true(found || number < 4 * ENTRIES - 100);
    }
    assert_in_range(kept, ENTRIES * 9 / 10, ENTRIES);
}

static void few_tokens_do_not_push_one_another_out(void **state)
{
    struct fixture *f = *state;
    unsigned kept = 0;

    for (unsigned number = 0; number < ENTRIES / 8; number++) {
        const struct bearer claims = claims_of(number);
        struct token token;
        make_token(&token, number);
        put(f, token.slice, &claims);
        put(f, token.slice, &claims); /* a second time takes no second place */
    }
    for (unsigned number = 0; number < ENTRIES / 8; number++) {
        struct token token;
        make_token(&token, number);
        kept += token_cache_find(f->cache, token.slice, NOW) != NULL;
    }
    assert_int_equal(kept, ENTRIES / 8);
}

static void too_long_tokens_are_left_out(void **state)
{
    struct fixture *f = *state;
    const struct bearer claims = claims_of(5);
    char text[JWT_MOST];

    memset(text, 'x', sizeof text);
    put(f, (struct slice){text, 512}, &claims);
    assert_non_null(token_cache_find(f->cache, (struct slice){text, 512}, NOW));
    put(f, (struct slice){text, 513}, &claims);
    assert_null(token_cache_find(f->cache, (struct slice){text, 513}, NOW));
    put(f, (struct slice){text, sizeof text}, &claims);
    assert_null(token_cache_find(f->cache, (struct slice){text, sizeof text}, NOW));
    put(f, (struct slice){text, 3}, &claims);
    assert_null(token_cache_find(f->cache, (struct slice){text, 3}, NOW));
}

static void an_empty_place_matches_nothing(void **state)
{
    struct fixture *f = *state;
    static const char zeros[JWT_MOST];

    for (size_t len = 0; len <= sizeof zeros; len++) {
        assert_null(token_cache_find(f->cache, (struct slice){zeros, len}, 0));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_put_in_is_found, set_up, tear_down),
        cmocka_unit_test_setup_teardown(only_the_same_bytes_are_found, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_expired_is_not_found, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_from_ahead_is_not_found, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_was_put_in_long_ago_is_not_found, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_ended_session_of_the_user_hides_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_counter_from_before_the_question_does_not_hide_an_end,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_full_cache_gives_up_what_ends_first, set_up, tear_down),
        cmocka_unit_test_setup_teardown(few_tokens_do_not_push_one_another_out, set_up, tear_down),
        cmocka_unit_test_setup_teardown(too_long_tokens_are_left_out, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_cleared_cache_has_none_and_takes_new_ones, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(an_empty_place_matches_nothing, set_up, tear_down),
    };

    return cmocka_run_group_tests_name("token_cache", tests, NULL, NULL);
}
