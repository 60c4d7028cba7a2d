// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "http/connection.h"
#include "http/loop.h"
#include "http/ready.h"

#define COUNT 64

static struct http_loop loop;
static struct http_connection connections[COUNT];
static int64_t cost_us[COUNT];
static unsigned runs[COUNT];
static unsigned refusals[COUNT];
static bool comes_again[COUNT];
static int64_t now_us;

int64_t __wrap_clock_mono_us(void);
int64_t __wrap_clock_mono_us(void)
{
    return now_us;
}

void __wrap_http_connection_run(struct http_connection *c);
void __wrap_http_connection_run(struct http_connection *c)
{
    const ptrdiff_t at = c - connections;
    assert_true(at >= 0 && at < COUNT);
    runs[at] += c->late ? 0 : 1;
    refusals[at] += c->late ? 1 : 0;
    c->late = false;
    now_us += cost_us[at];
    if (comes_again[at]) {
        ready_add(&loop, c, READY_AGAIN);
    }
}

static int begin(void **state)
{
    (void)state;
    memset(&loop, 0, sizeof loop);
    memset(connections, 0, sizeof connections);
    memset(cost_us, 0, sizeof cost_us);
    memset(runs, 0, sizeof runs);
    memset(refusals, 0, sizeof refusals);
    memset(comes_again, 0, sizeof comes_again);
    now_us = loop.now_us = 1000000;
    return 0;
}

static void add(unsigned at, enum ready_class class, int64_t cost)
{
    cost_us[at] = cost;
    ready_add(&loop, &connections[at], class);
}

static void turn(void)
{
    loop.now_us = now_us;
    ready_run(&loop);
}

static void test_all_that_are_due_run(void **state)
{
    (void)state;
    for (unsigned i = 0; i < COUNT; i++) {
        add(i, READY_DUE, 1000);
    }
    turn();
    for (unsigned i = 0; i < COUNT; i++) {
        assert_int_equal(runs[i], 1);
    }
    assert_int_equal(ready_count(&loop), 0);
    assert_int_equal(ready_age_us(&loop, now_us), 0);
}

static void test_a_turn_is_short(void **state)
{
    (void)state;
    const int64_t begun_us = now_us;
    for (unsigned i = 0; i < COUNT; i++) {
        add(i, i % 2 ? READY_FRESH : READY_AGAIN, 50);
        comes_again[i] = i % 2 == 0;
    }
    turn();
    assert_in_range(now_us - begun_us, 250, 300);
    assert_true(ready_age_us(&loop, now_us) == now_us - begun_us);
    for (unsigned i = 0; i < COUNT; i++) {
        turn();
    }
    for (unsigned i = 0; i < COUNT; i++) {
        assert_true(runs[i] > 0);
        assert_int_equal(refusals[i], 0);
    }
}

static void test_who_is_due_is_taken_off_another_list(void **state)
{
    (void)state;
    add(0, READY_DEAR, 1);
    add(0, READY_FRESH, 1);
    assert_int_equal(connections[0].queued, READY_DEAR);
    add(0, READY_DUE, 1);
    assert_int_equal(connections[0].queued, READY_DUE);
    assert_int_equal(ready_count(&loop), 1);
    ready_drop(&loop, &connections[0]);
    ready_drop(&loop, &connections[0]);
    assert_int_equal(ready_count(&loop), 0);
}

/* Those who cost little, of whom there may be as many as an attacker has addresses, fill all turns
 * by themselves. */
static void test_light_ones_do_not_keep_others_out(void **state)
{
    (void)state;
    loop.overload.standing = true;
    add(1, READY_FRESH, 10);
    add(2, READY_DEAR, 10);
    add(3, READY_AGAIN, 10);
    add(0, READY_LIGHT, 400);
    turn();
    assert_int_equal(runs[0], 1);
    assert_int_equal(runs[1], 1);
    assert_int_equal(runs[2], 1);
    assert_int_equal(runs[3], 1);
}

static void test_light_ones_do_not_keep_others_from_a_refusal(void **state)
{
    (void)state;
    loop.overload.standing = true;
    add(1, READY_FRESH, 10);
    add(2, READY_DEAR, 10);
    now_us += 200000;
    add(0, READY_LIGHT, 400);
    turn();
    assert_int_equal(refusals[1] + refusals[2], 0);
    now_us += 100000;
    add(0, READY_LIGHT, 400);
    turn();
    assert_int_equal(refusals[1], 1);
    assert_int_equal(refusals[2], 1);
    assert_int_equal(runs[1] + runs[2], 0);
}

static void test_in_an_overload_the_newest_comes_first(void **state)
{
    (void)state;
    loop.overload.standing = true;
    add(0, READY_FRESH, 1000);
    add(1, READY_FRESH, 1000);
    turn();
    assert_int_equal(runs[0], 0);
    assert_int_equal(runs[1], 1);
    loop.overload.standing = false;
    turn();
    assert_int_equal(runs[0], 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_all_that_are_due_run, begin),
        cmocka_unit_test_setup(test_a_turn_is_short, begin),
        cmocka_unit_test_setup(test_who_is_due_is_taken_off_another_list, begin),
        cmocka_unit_test_setup(test_light_ones_do_not_keep_others_out, begin),
        cmocka_unit_test_setup(test_light_ones_do_not_keep_others_from_a_refusal, begin),
        cmocka_unit_test_setup(test_in_an_overload_the_newest_comes_first, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
