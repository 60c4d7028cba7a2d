// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "store/admission.h"
#include "store/operation.h"

#define LEAST 32
#define MOST  4096

static struct admission admission;

/* Batches of `count` operations for so many milliseconds; each operation takes 20 µs to run. */
static void run(int64_t *now_us, int64_t ms, unsigned count, int64_t waited_us,
                int64_t committed_us)
{
    const int64_t until_us = *now_us + ms * 1000;
    while (*now_us < until_us) {
        const struct admission_batch batch = {
            .count = count, .waited_us = waited_us, .ran_us = count * 20, .fixed_us = committed_us};
        *now_us += batch.ran_us + committed_us;
        admission_note(&admission, *now_us, &batch);
    }
}

static void test_a_burst_may_fill_the_queue(void **state)
{
    (void)state;
    int64_t now_us = 1000000;
    admission_init(&admission, LEAST, MOST);
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
    admission_init(&admission, LEAST, MOST);
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
    admission_init(&admission, LEAST, MOST);
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
    admission_init(&admission, LEAST, MOST);
    run(&now_us, 5000, 100, 500000, 500000);
    assert_true(admission_asks(&admission, MOST - 1));
    run(&now_us, 5000, 512, 1500000, 500000); /* but that of a queue of many batches is one */
    assert_false(admission_asks(&admission, 300));
}

/* ---- which of them come next ---- */

#define QUEUE_LEN 12

/* A queue, and what a transaction takes of it. */
struct queue {
    struct store_op ops[QUEUE_LEN];
    struct store_op *first;
    struct store_op **end;
};

/* `kinds`: of each operation, `s` or `L`. */
static void queue_add(struct queue *queue, const char *kinds)
{
    memset(queue, 0, sizeof *queue);
    queue->end = &queue->first;
    for (size_t i = 0; kinds[i] != '\0'; i++) {
        assert_true(i < QUEUE_LEN);
        queue->ops[i].large = kinds[i] == 'L';
        *queue->end = &queue->ops[i];
        queue->end = &queue->ops[i].next;
    }
}

static void assert_chain(const struct store_op *op, const char *kinds)
{
    for (; op; op = op->next) {
        assert_int_equal(op->large ? 'L' : 's', *kinds);
        kinds++;
    }
    assert_int_equal(*kinds, '\0');
}

static void assert_takes(struct queue *queue, unsigned most, const char *taken, const char *left)
{
    assert_chain(admission_take(&admission, &queue->first, &queue->end, most), taken);
    assert_chain(queue->first, left);
    assert_null(*queue->end);
    struct store_op **end = &queue->first;
    while (*end) {
        end = &(*end)->next;
    }
    assert_ptr_equal(queue->end, end);
}

static void test_who_changes_one_thing_overtakes_who_changes_many(void **state)
{
    (void)state;
    struct queue queue;
    admission_init(&admission, LEAST, MOST);
    queue_add(&queue, "LLsLs");
    assert_takes(&queue, 10, "ss", "LLL");
    assert_takes(&queue, 10, "L", "LL");
    /* Once: what is made of many is not put off for ever. */
    queue_add(&queue, "LsLs");
    assert_takes(&queue, 10, "ss", "LL");
    queue_add(&queue, "LLss");
    assert_takes(&queue, 10, "Lss", "L");
    queue_add(&queue, "Ls");
    assert_takes(&queue, 10, "s", "L");
}

static void test_a_transaction_takes_no_more_than_it_may(void **state)
{
    (void)state;
    struct queue queue;
    admission_init(&admission, LEAST, MOST);
    queue_add(&queue, "sssss");
    assert_takes(&queue, 2, "ss", "sss");
    assert_takes(&queue, 3, "sss", "");
}

/* Where a commit takes long, more of them share one. */
static void test_large_ones_share_a_commit_that_is_longer_than_they_are(void **state)
{
    (void)state;
    struct queue queue;
    int64_t now_us = 1000000;
    admission_init(&admission, LEAST, MOST);
    for (unsigned i = 0; i < 50; i++) {
        const struct admission_batch batch = {
            .count = 3, .large = 2, .ran_us = 4000, .fixed_us = 6500};
        admission_note(&admission, now_us += 20000, &batch);
    }
    queue_add(&queue, "LLLLLL");
    assert_takes(&queue, 10, "LLL", "LLL"); /* of 2 ms each */
    for (unsigned i = 0; i < 50; i++) {
        const struct admission_batch batch = {
            .count = 1, .large = 1, .ran_us = 2000, .fixed_us = 100000};
        admission_note(&admission, now_us += 102000, &batch);
    }
    queue_add(&queue, "LLLLLL");
    assert_takes(&queue, 10, "LLLL", "LL");
}

/* Who waited for a large one did not wait because there are too many. */
static void test_the_time_of_large_ones_is_no_overload(void **state)
{
    (void)state;
    int64_t now_us = 1000000;
    admission_init(&admission, LEAST, MOST);
    for (unsigned i = 0; i < 100; i++) {
        const struct admission_batch large = {
            .count = 1, .large = 1, .waited_us = 30000, .ran_us = 20000, .fixed_us = 150};
        admission_note(&admission, now_us += 20150, &large);
        const struct admission_batch others = {
            .count = 5, .waited_us = 20000, .ran_us = 100, .fixed_us = 150};
        admission_note(&admission, now_us += 250, &others);
    }
    assert_true(admission_asks(&admission, MOST - 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_burst_may_fill_the_queue),
        cmocka_unit_test(test_a_standing_queue_is_cut_to_the_target),
        cmocka_unit_test(test_a_writer_that_waits_is_not_overloaded),
        cmocka_unit_test(test_the_time_of_the_disk_is_no_overload),
        cmocka_unit_test(test_who_changes_one_thing_overtakes_who_changes_many),
        cmocka_unit_test(test_a_transaction_takes_no_more_than_it_may),
        cmocka_unit_test(test_large_ones_share_a_commit_that_is_longer_than_they_are),
        cmocka_unit_test(test_the_time_of_large_ones_is_no_overload),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
