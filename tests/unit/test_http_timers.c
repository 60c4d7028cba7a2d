// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "http/ledger.h"
#include "http/timers.h"

#define START 1000000

static void test_nothing_to_wait_for(void **state)
{
    (void)state;
    struct timers timers;
    timers_init(&timers, START);
    assert_int_equal(timers_wait_ms(&timers, START), -1);
    assert_null(timers_expired(&timers, START + 1000000));
}

static void test_expires_once_and_at_most_a_tick_late(void **state)
{
    (void)state;
    for (int64_t delay = 1; delay < 20000; delay += 37) {
        struct timers timers;
        struct timer timer = {0};
        int64_t now = START + delay % 19;
        timers_init(&timers, now);
        timers_set(&timers, &timer, now + delay);
        int64_t deadline = now + delay;
        struct timer *expired = NULL;
        while (!expired) {
            int wait = timers_wait_ms(&timers, now);
            assert_in_range(wait, 1, TIMERS_TICK_MS * TIMERS_SLOTS);
            now += wait;
            expired = timers_expired(&timers, now);
        }
        assert_ptr_equal(expired, &timer);
        assert_in_range(now, deadline, deadline + TIMERS_TICK_MS);
        assert_null(timers_expired(&timers, now + 100000));
    }
}

static void test_moves_later_without_being_touched(void **state)
{
    (void)state;
    struct timers timers;
    struct timer timer = {0};
    timers_init(&timers, START);
    timers_set(&timers, &timer, START + 100);
    int64_t tick = timer.tick;
    timers_set(&timers, &timer, START + 3000);
    assert_int_equal(timer.tick, tick);
    assert_null(timers_expired(&timers, START + 200));
    assert_int_not_equal(timer.tick, tick);
    assert_null(timers_expired(&timers, START + 2999));
    assert_ptr_equal(timers_expired(&timers, START + 3000 + TIMERS_TICK_MS), &timer);
}

static void test_moves_earlier_and_stops(void **state)
{
    (void)state;
    struct timers timers;
    struct timer timer = {0};
    timers_init(&timers, START);
    timers_set(&timers, &timer, START + 30000);
    timers_set(&timers, &timer, START + 50);
    assert_ptr_equal(timers_expired(&timers, START + 50 + TIMERS_TICK_MS), &timer);
    timers_set(&timers, &timer, START + 200);
    timers_set(&timers, &timer, TIMERS_NEVER);
    assert_int_equal(timers_wait_ms(&timers, START + 100), -1);
    assert_null(timers_expired(&timers, START + 1000));
}

/* Against the plain definition: whoever is due comes, nobody else does. */
static void test_many(void **state)
{
    (void)state;
    enum { COUNT = 500 };
    static struct timer list[COUNT];
    struct timers timers;
    uint32_t seed = 12345;
    int64_t now = START;
    timers_init(&timers, now);
    for (unsigned i = 0; i < COUNT; i++) {
        list[i] = (struct timer){0};
        timers_set(&timers, &list[i], TIMERS_NEVER);
    }
    for (unsigned round = 0; round < 5000; round++) {
        seed = seed * 1664525 + 1013904223;
        struct timer *timer = &list[(seed >> 8) % COUNT];
        timers_set(&timers, timer, now + 1 + (seed >> 16) % 40000);
        now += (seed >> 4) % 23;
        for (timer = timers_expired(&timers, now); timer; timer = timers_expired(&timers, now)) {
            assert_true(timer->deadline_ms <= now);
            timer->deadline_ms = TIMERS_NEVER;
        }
        for (unsigned i = 0; i < COUNT; i++) {
            assert_true(list[i].deadline_ms > now - 2 * TIMERS_TICK_MS);
        }
    }
}

static void test_overload_needs_a_standing_queue(void **state)
{
    (void)state;
    struct overload overload = {0};
    int64_t now = 1000000;
    /* Long waits with one short one in each interval are a burst. */
    for (unsigned i = 0; i < 100; i++, now += 10000) {
        overload_turn(&overload, now, i % 10 == 5 ? 1000 : 20000);
        assert_false(overload_refuses(&overload, 50000, true));
    }
    for (unsigned i = 0; i < 25; i++, now += 10000) {
        overload_turn(&overload, now, 20000);
    }
    /* Who spends much is refused first. */
    assert_true(overload_refuses(&overload, 2 * OVERLOAD_TARGET_US + 1, true));
    assert_false(overload_refuses(&overload, 2 * OVERLOAD_TARGET_US + 1, false));
    assert_true(overload_refuses(&overload, 50000, false));
    assert_false(overload_refuses(&overload, OVERLOAD_TARGET_US, true));
    overload_turn(&overload, now, 100);
    now += OVERLOAD_INTERVAL_US;
    overload_turn(&overload, now, 100);
    assert_false(overload_refuses(&overload, 50000, true));
}

/* A machine that gives the loop no processor for some time has not given it too much to do. */
static void test_one_long_turn_is_no_overload(void **state)
{
    (void)state;
    struct overload overload = {0};
    for (unsigned i = 1; i < 20; i++) {
        overload_turn(&overload, 1000000 + i * 300000, 120000);
        assert_false(overload.standing);
        overload_turn(&overload, 1000000 + i * 300000 + 200, 200);
        assert_false(overload.standing);
    }
}

/* Or all who were refused would come again and wait for each other for an interval. */
static void test_overload_lasts_while_refusals_make_it_short(void **state)
{
    (void)state;
    struct overload overload = {0};
    int64_t now = 1000000;
    for (unsigned i = 0; i < 25; i++, now += 10000) {
        overload_turn(&overload, now, 20000);
    }
    for (unsigned i = 0; i < 100; i++, now += 10000) {
        overload_refused(&overload);
        overload_turn(&overload, now, 100);
        assert_true(overload.standing);
    }
    for (unsigned i = 0; i < 25; i++, now += 10000) {
        overload_turn(&overload, now, 100);
    }
    assert_false(overload.standing);
}

static void test_turns_longer_than_an_interval_are_an_overload_too(void **state)
{
    (void)state;
    struct overload overload = {0};
    for (unsigned i = 1; i < 4; i++) {
        overload_turn(&overload, 1000000 + i * 300000, 300000);
    }
    assert_true(overload_refuses(&overload, 50000, true));
}

static void test_overload_forgets_while_idle(void **state)
{
    (void)state;
    struct overload overload = {0};
    for (unsigned i = 0; i < 25; i++) {
        overload_turn(&overload, 1000000 + i * 20000, 20000);
    }
    assert_true(overload_refuses(&overload, 50000, true));
    overload_refused(&overload);
    overload_idle(&overload);
    assert_false(overload_refuses(&overload, 50000, true));
    overload_turn(&overload, 9000000, 20000); /* one long turn after a pause */
    assert_false(overload_refuses(&overload, 50000, true));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_to_wait_for),
        cmocka_unit_test(test_expires_once_and_at_most_a_tick_late),
        cmocka_unit_test(test_moves_later_without_being_touched),
        cmocka_unit_test(test_moves_earlier_and_stops),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_overload_needs_a_standing_queue),
        cmocka_unit_test(test_turns_longer_than_an_interval_are_an_overload_too),
        cmocka_unit_test(test_overload_forgets_while_idle),
        cmocka_unit_test(test_overload_lasts_while_refusals_make_it_short),
        cmocka_unit_test(test_one_long_turn_is_no_overload),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
