// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "auth/throttle.h"

#define KEY     SLICE("192.0.2.1")
#define START   INT64_C(123456789)
#define THREADS 4

static const struct throttle_options auth = {"auth", 60, 60, 1024, false};
static const struct throttle_options slow = {"slow", 10, 900, 1024, false};
static const struct throttle_options failures = {"failures", 10, 900, 1024, .whole = true};
static const struct throttle_options api = {"api", 1200, 60, 1024, false};

static void assert_state(struct throttle_state is, struct throttle_state should)
{
    if (is.allowed != should.allowed || is.remaining != should.remaining ||
        is.reset_s != should.reset_s || is.retry_after != should.retry_after) {
        fail_msg("is {%d, %u, %u, %u}, should be {%d, %u, %u, %u}", is.allowed, is.remaining,
                 is.reset_s, is.retry_after, should.allowed, should.remaining, should.reset_s,
                 should.retry_after);
    }
}

static struct throttle *create(const struct throttle_options *options)
{
    struct throttle *throttle = throttle_create(options);

    assert_non_null(throttle);
    return throttle;
}

/* One key, step by step. */
static void a_bucket_empties_and_fills(void **state)
{
    static const struct {
        const struct throttle_options *options;
        int64_t after_ms; /* the start */
        uint32_t tokens;
        struct throttle_state state;
    } steps[] = {
        {&auth, 0, 0, {true, 60, 0, 0}},
        {&auth, 0, 1, {true, 59, 1, 0}},
        {&auth, 0, 1, {true, 58, 2, 0}},
        {&auth, 0, 58, {true, 0, 60, 0}},
        {&auth, 0, 0, {false, 0, 60, 1}},
        {&auth, 0, 1, {false, 0, 60, 1}},
        {&auth, 999, 1, {false, 0, 60, 1}},
        {&auth, 1000, 0, {true, 1, 59, 0}},
        {&auth, 1000, 2, {false, 1, 59, 1}},
        {&auth, 1000, 1, {true, 0, 60, 0}},
        {&auth, 1000, 5, {false, 0, 60, 5}},
        {&auth, 1000, 1000, {false, 0, 60, 60}},
        {&auth, 31000, 0, {true, 30, 30, 0}},
        {&auth, 61000, 0, {true, 60, 0, 0}},
        {&auth, 9000000, 60, {true, 0, 60, 0}},
        {&auth, 9000000, 1, {false, 0, 60, 1}},
        {&slow, 0, 10, {true, 0, 900, 0}},
        {&slow, 0, 1, {false, 0, 900, 90}},
        {&slow, 60000, 1, {false, 0, 840, 30}},
        {&slow, 89999, 1, {false, 0, 811, 1}},
        {&slow, 90000, 1, {true, 0, 900, 0}},
        {&slow, 990000, 0, {true, 10, 0, 0}},
        {&failures, 0, 0, {true, 10, 0, 0}},
        {&failures, 0, 11, {false, 10, 0, 1}},
        {&failures, 0, 9, {true, 1, 900, 0}},
        {&failures, 60000, 1, {true, 0, 840, 0}},
        {&failures, 60000, 0, {false, 0, 840, 840}},
        {&failures, 60000, 1, {false, 0, 840, 840}},
        {&failures, 899999, 1, {false, 0, 1, 1}},
        {&failures, 900000, 1, {true, 9, 900, 0}},
        {&failures, 1799999, 0, {true, 9, 1, 0}},
        {&failures, 1800000, 0, {true, 10, 0, 0}},
        {&api, 0, 1200, {true, 0, 60, 0}},
        {&api, 49, 1, {false, 0, 60, 1}},
        {&api, 50, 1, {true, 0, 60, 0}},
        {&api, 1000, 19, {true, 0, 60, 0}},
        {&api, 1000, 1, {false, 0, 60, 1}},
    };
    struct throttle *throttle = NULL;

    (void)state;
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        if (i == 0 || steps[i].options != steps[i - 1].options) {
            if (throttle) {
                throttle_destroy(&throttle);
            }
            throttle = create(steps[i].options);
        }
        assert_state(throttle_take(throttle, KEY, steps[i].tokens, START + steps[i].after_ms),
                     steps[i].state);
    }
    throttle_destroy(&throttle);
    assert_null(throttle);
}

/* In any second of a long run no more than the burst and what flowed in. */
static void the_rate_holds_in_the_long_run(void **state)
{
    struct throttle *throttle = create(&api);
    unsigned allowed = 0;

    (void)state;
    for (int64_t ms = 0; ms < 600000; ms += 7) {
        allowed += throttle_take(throttle, KEY, 1, START + ms).allowed;
    }
    assert_in_range(allowed, 1200 + 11999, 1200 + 12000);
    throttle_destroy(&throttle);
}

static void keys_do_not_share(void **state)
{
    struct throttle *throttle = create(&auth);

    (void)state;
    assert_true(throttle_take(throttle, KEY, 60, START).allowed);
    assert_false(throttle_take(throttle, KEY, 1, START).allowed);
    assert_state(throttle_take(throttle, SLICE("192.0.2.2"), 1, START),
                 (struct throttle_state){true, 59, 1, 0});
    assert_state(throttle_take(throttle, SLICE(""), 1, START),
                 (struct throttle_state){true, 59, 1, 0});
    throttle_destroy(&throttle);
}

/* Whatever the moments, and where the window ends. */
static void no_more_than_the_quota_in_a_window(void **state)
{
    struct throttle *throttle = create(&failures);
    unsigned allowed = 0;

    (void)state;
    for (int64_t ms = 0; ms < 900000; ms += 250) {
        allowed += throttle_take(throttle, KEY, 1, START + ms).allowed;
    }
    assert_int_equal(allowed, 10);
    throttle_destroy(&throttle);
}

static void what_was_not_used_comes_back(void **state)
{
    static const struct throttle_options *const both[] = {&slow, &failures};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct throttle *throttle = create(both[i]);
        const uint32_t each = both[i]->whole ? 900 : 90; /* seconds until one is back */

        assert_state(throttle_give(throttle, KEY, START), /* none was out */
                     (struct throttle_state){true, 10, 0, 0});
        assert_true(throttle_take(throttle, KEY, 10, START).allowed);
        assert_state(throttle_give(throttle, KEY, START),
                     (struct throttle_state){true, 1, both[i]->whole ? 900 : 810, 0});
        assert_true(throttle_take(throttle, KEY, 1, START).allowed);
        assert_false(throttle_take(throttle, KEY, 1, START).allowed);
        for (unsigned n = 0; n < 9; n++) {
            (void)throttle_give(throttle, KEY, START);
        }
        assert_state(throttle_take(throttle, KEY, 0, START),
                     (struct throttle_state){true, 9, each, 0});
        for (unsigned n = 0; n < 3; n++) {
            assert_state(throttle_give(throttle, KEY, START),
                         (struct throttle_state){true, 10, 0, 0});
        }
        assert_true(throttle_take(throttle, SLICE("other"), 10, START).allowed);
        (void)throttle_give(throttle, KEY, START);
        assert_false(throttle_take(throttle, SLICE("other"), 1, START).allowed);
        throttle_destroy(&throttle);
    }
}

static void forgetting_fills_the_bucket(void **state)
{
    struct throttle *throttle = create(&failures);

    (void)state;
    throttle_forget(throttle, KEY); /* was not there */
    assert_true(throttle_take(throttle, KEY, 10, START).allowed);
    assert_true(throttle_take(throttle, SLICE("other"), 10, START).allowed);
    throttle_forget(throttle, KEY);
    assert_state(throttle_take(throttle, KEY, 0, START), (struct throttle_state){true, 10, 0, 0});
    assert_false(throttle_take(throttle, SLICE("other"), 1, START).allowed);
    throttle_destroy(&throttle);
}

/* The loops' clocks are read at different moments: one a little behind must not find a full
 * bucket. */
static void a_clock_that_is_behind_gives_nothing_away(void **state)
{
    struct throttle *throttle = create(&auth);

    (void)state;
    assert_true(throttle_take(throttle, KEY, 60, START).allowed);
    for (int64_t behind = 1; behind <= 50000; behind += 777) {
        assert_false(throttle_take(throttle, KEY, 1, START - behind).allowed);
    }
    throttle_destroy(&throttle);
}

/* 2^40 units of 1/16 ms: the stored time goes round here. */
static void time_that_goes_round_is_no_matter(void **state)
{
    const int64_t round = (INT64_C(1) << 40) / 16;
    const int64_t starts[] = {0, 1, round - 60000, round - 1000, round - 1, round, 5 * round - 30};

    (void)state;
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
        struct throttle *throttle = create(&auth);
        assert_true(throttle_take(throttle, KEY, 60, starts[i]).allowed);
        assert_state(throttle_take(throttle, KEY, 1, starts[i] + 999),
                     (struct throttle_state){false, 0, 60, 1});
        assert_state(throttle_take(throttle, KEY, 1, starts[i] + 1000),
                     (struct throttle_state){true, 0, 60, 0});
        /* Idle for most of a round, and for more than one. */
        assert_true(throttle_take(throttle, KEY, 60, starts[i] + round / 4).allowed);
        assert_true(throttle_take(throttle, KEY, 60, starts[i] + round).allowed);
        throttle_destroy(&throttle);
    }
}

/* One set of four: the fifth key pushes out the one nearest to full, not the emptiest. */
static void a_full_table_forgets_the_bucket_nearest_to_full(void **state)
{
    const struct throttle_options options = {"small", 60, 60, 4, false};
    struct throttle *throttle = create(&options);
    static const struct {
        struct slice key;
        uint32_t tokens;
    } keys[] = {{SLICE("a"), 60}, {SLICE("b"), 2}, {SLICE("c"), 50}, {SLICE("d"), 40}};

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        assert_true(throttle_take(throttle, keys[i].key, keys[i].tokens, START).allowed);
    }
    assert_state(throttle_take(throttle, SLICE("e"), 30, START),
                 (struct throttle_state){true, 30, 30, 0});
    assert_int_equal(throttle_take(throttle, SLICE("a"), 0, START).remaining, 0);
    assert_int_equal(throttle_take(throttle, SLICE("b"), 0, START).remaining, 60);
    assert_int_equal(throttle_take(throttle, SLICE("c"), 0, START).remaining, 10);
    assert_int_equal(throttle_take(throttle, SLICE("d"), 0, START).remaining, 20);
    assert_int_equal(throttle_take(throttle, SLICE("e"), 0, START).remaining, 30);
    throttle_destroy(&throttle);
}

/* The same where tokens come back all at once: what was used up first must not be forgotten for
 * those that were hardly used, or a stranger's flood of other accounts would win new guesses. */
static void a_used_up_bucket_is_the_last_to_go(void **state)
{
    const struct throttle_options options = {"small", 10, 900, 4, .whole = true};
    struct throttle *throttle = create(&options);
    char key[32];

    (void)state;
    assert_true(throttle_take(throttle, KEY, 10, START).allowed);
    for (int i = 0; i < 100; i++) {
        const int len = snprintf(key, sizeof key, "flood %d", i);
        assert_true(
            throttle_take(throttle, (struct slice){key, (size_t)len}, 1, START + 1 + i).allowed);
    }
    assert_false(throttle_take(throttle, KEY, 1, START + 1000).allowed);
    throttle_destroy(&throttle);
}

/* Looking must push nobody out, and a stranger's flood locks nobody out. */
static void a_flood_of_keys_locks_nobody_out(void **state)
{
    const struct throttle_options options = {"small", 60, 60, 64, false};
    struct throttle *throttle = create(&options);
    char key[32];

    (void)state;
    assert_true(throttle_take(throttle, KEY, 60, START).allowed);
    for (int i = 0; i < 100000; i++) {
        const int len = snprintf(key, sizeof key, "flood %d", i);
        assert_true(throttle_take(throttle, (struct slice){key, (size_t)len}, 0, START).allowed);
    }
    assert_false(throttle_take(throttle, KEY, 1, START).allowed);
    for (int i = 0; i < 100000; i++) {
        const int len = snprintf(key, sizeof key, "flood %d", i);
        assert_true(throttle_take(throttle, (struct slice){key, (size_t)len}, 1, START).allowed);
    }
    throttle_destroy(&throttle);
}

static void the_options_are_kept(void **state)
{
    struct throttle *throttle = create(&failures);

    (void)state;
    assert_string_equal(throttle_options_of(throttle)->name, "failures");
    assert_int_equal(throttle_options_of(throttle)->quota, 10);
    assert_int_equal(throttle_options_of(throttle)->window_s, 900);
    throttle_destroy(&throttle);
}

struct takers {
    struct throttle *throttle;
    atomic_uint allowed;
    bool many_keys;
};

static void *take_many(void *argument)
{
    struct takers *takers = argument;
    char key[16];
    unsigned allowed = 0;

    for (unsigned i = 0; i < 20000; i++) {
        const int len = snprintf(key, sizeof key, "%u", takers->many_keys ? i % 500 : 0);
        allowed +=
            throttle_take(takers->throttle, (struct slice){key, (size_t)len}, 1, START).allowed;
        if (takers->many_keys && i % 7 == 0) {
            throttle_forget(takers->throttle, (struct slice){key, (size_t)len});
        }
    }
    atomic_fetch_add(&takers->allowed, allowed);
    return NULL;
}

static void run_takers(struct takers *takers)
{
    pthread_t threads[THREADS];

    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, take_many, takers), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
}

/* Exactly the quota, however the threads meet. */
static void threads_together_get_the_quota(void **state)
{
    struct takers takers = {create(&api), 0, false};

    (void)state;
    assert_false(throttle_take(takers.throttle, SLICE("0"), 1201, START).allowed);
    assert_true(throttle_take(takers.throttle, SLICE("0"), 1, START).allowed);
    run_takers(&takers);
    assert_int_equal(takers.allowed, 1199);
    throttle_destroy(&takers.throttle);
}

/* Many keys in a small table: what is taken, forgotten and pushed out at once stays sound. */
static void threads_with_many_keys(void **state)
{
    const struct throttle_options options = {"small", 60, 60, 64, false};
    struct takers takers = {create(&options), 0, true};

    (void)state;
    run_takers(&takers);
    assert_in_range(takers.allowed, 500 * 40, THREADS * 20000);
    throttle_destroy(&takers.throttle);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bucket_empties_and_fills),
        cmocka_unit_test(the_rate_holds_in_the_long_run),
        cmocka_unit_test(keys_do_not_share),
        cmocka_unit_test(no_more_than_the_quota_in_a_window),
        cmocka_unit_test(what_was_not_used_comes_back),
        cmocka_unit_test(forgetting_fills_the_bucket),
        cmocka_unit_test(a_clock_that_is_behind_gives_nothing_away),
        cmocka_unit_test(time_that_goes_round_is_no_matter),
        cmocka_unit_test(a_full_table_forgets_the_bucket_nearest_to_full),
        cmocka_unit_test(a_used_up_bucket_is_the_last_to_go),
        cmocka_unit_test(a_flood_of_keys_locks_nobody_out),
        cmocka_unit_test(the_options_are_kept),
        cmocka_unit_test(threads_together_get_the_quota),
        cmocka_unit_test(threads_with_many_keys),
    };

    return cmocka_run_group_tests_name("throttle", tests, NULL, NULL);
}
