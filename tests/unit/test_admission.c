// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/sqlite/admission.h"

#define MOST 4096

static struct admission admission;

/* Batches of `count` operations for so many milliseconds; each operation takes 20 µs to run. */
static void run(int64_t *now_us, int64_t ms, unsigned count, int64_t waited_us,
                int64_t committed_us)
{
    const int64_t until_us = *now_us + ms * 1000;
    while (*now_us < until_us) {
        const struct admission_batch batch = {.count = count,
                                              .waited_us = waited_us,
                                              .ran_us = count * 20,
                                              .committed_us = committed_us};
        *now_us += batch.ran_us + committed_us;
        admission_note(&admission, *now_us, &batch);
    }
}

static void test_a_burst_may_fill_the_queue(void **state)
{
    (void)state;
    int64_t now_us = 1000000;
    admission_init(&admission, MOST);
    assert_true(admission_asks(&admission, MOST - 1));
    assert_false(admission_asks(&admission, MOST));
    run(&now_us, 80, 512, 70000, 150);
    run(&now_us, 40, 10, 500, 150);
    assert_true(admission_asks(&admission, MOST - 1));
}

static void test_a_standing_queue_is_cut_to_the_target(void **state)
{
    (void)state;
    int64_t now_us = 1000000;
    admission_init(&admission, MOST);
    run(&now_us, 300, 512, 70000, 150);
    assert_true(admission_asks(&admission, 200));
    assert_false(admission_asks(&admission, 300)); /* 6 ms */
    /* What waits is short now, and it is the limit that keeps it so. */
    for (unsigned i = 0; i < 5; i++) {
        run(&now_us, 100, 250, 4000, 150);
        assert_false(admission_asks(&admission, 300));
    }
    run(&now_us, 300, 20, 500, 150);
    assert_true(admission_asks(&admission, MOST - 1));
}

/* Operations may have waited in a turn of their loop, and then the writer is not what is slow. */
static void test_a_writer_that_waits_is_not_overloaded(void **state)
{
    (void)state;
    int64_t now_us = 1000000;
    admission_init(&admission, MOST);
    for (unsigned i = 0; i < 50; i++) {
        admission_idle(&admission);
        run(&now_us, 10, 512, 70000, 150);
    }
    assert_true(admission_asks(&admission, MOST - 1));
}

/* With a slow disk all wait for the commit before theirs, however few they are. */
static void test_the_time_of_the_disk_is_no_overload(void **state)
{
    (void)state;
    int64_t now_us = 1000000;
    admission_init(&admission, MOST);
    run(&now_us, 5000, 100, 500000, 500000);
    assert_true(admission_asks(&admission, MOST - 1));
    run(&now_us, 5000, 512, 1500000, 500000); /* but that of a queue of many batches is one */
    assert_false(admission_asks(&admission, 300));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_burst_may_fill_the_queue),
        cmocka_unit_test(test_a_standing_queue_is_cut_to_the_target),
        cmocka_unit_test(test_a_writer_that_waits_is_not_overloaded),
        cmocka_unit_test(test_the_time_of_the_disk_is_no_overload),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
