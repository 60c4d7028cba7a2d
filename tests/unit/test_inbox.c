// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/thread.h"

#define THREADS 4
#define EACH    5000

struct note {
    struct inbox_message message;
    unsigned thread;
    unsigned number;
};

/* The number each thread's next message must have. */
static unsigned expected[THREADS];
static unsigned ran;

static void run_note(struct inbox_message *message)
{
    struct note *note = (struct note *)message;

    assert_int_equal(note->number, expected[note->thread]);
    expected[note->thread]++;
    ran++;
    free(note);
}

static bool is_readable(const struct inbox *inbox, int timeout_ms)
{
    return poll(&(struct pollfd){.fd = inbox_fd(inbox), .events = POLLIN}, 1, timeout_ms) == 1;
}

static void post_note(struct inbox *inbox, unsigned thread, unsigned number)
{
    struct note *note = malloc(sizeof *note);

    if (!note) {
        abort();
    }
    *note = (struct note){.message = {.run = run_note}, .thread = thread, .number = number};
    inbox_post(inbox, &note->message);
}

static void start(void)
{
    for (unsigned i = 0; i < THREADS; i++) {
        expected[i] = 0;
    }
    ran = 0;
}

static void runs_in_the_order_of_posting(void **state)
{
    struct inbox *inbox = inbox_create();

    (void)state;
    start();
    assert_non_null(inbox);
    assert_false(is_readable(inbox, 0));
    assert_false(inbox_run(inbox));
    for (unsigned i = 0; i < 10; i++) {
        post_note(inbox, 0, i);
    }
    assert_true(is_readable(inbox, 0));
    assert_int_equal(ran, 0);
    assert_true(inbox_run(inbox));
    assert_int_equal(ran, 10);
    assert_false(is_readable(inbox, 0));
    assert_false(inbox_run(inbox));
    inbox_destroy(&inbox);
    assert_null(inbox);
    inbox_destroy(&inbox);
}

static struct inbox *shared;

static void *post_many(void *number)
{
    const unsigned thread = (unsigned)(uintptr_t)number;

    for (unsigned i = 0; i < EACH; i++) {
        post_note(shared, thread, i);
    }
    return NULL;
}

/* Nothing is lost, each thread's messages come in order, and the descriptor never sleeps on some.
 */
static void takes_from_many_threads(void **state)
{
    pthread_t threads[THREADS];

    (void)state;
    start();
    shared = inbox_create();
    assert_non_null(shared);
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, post_many, (void *)(uintptr_t)i), 0);
    }
    while (ran < THREADS * EACH) {
        assert_true(is_readable(shared, 10000));
        (void)inbox_run(shared);
    }
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    assert_int_equal(ran, THREADS * EACH);
    inbox_destroy(&shared);
}

struct again {
    struct inbox_message message;
    struct inbox *inbox;
    unsigned runs;
};

static void run_again(struct inbox_message *message)
{
    struct again *again = (struct again *)message;

    again->runs++;
    if (again->runs < 3) {
        inbox_post(again->inbox, message);
    }
}

/* A message may post itself again from its own run; it then waits for the next one. */
static void may_be_posted_from_a_run(void **state)
{
    struct inbox *inbox = inbox_create();
    struct again again = {.message = {.run = run_again}, .inbox = inbox};

    (void)state;
    inbox_post(inbox, &again.message);
    for (unsigned i = 1; i <= 3; i++) {
        assert_true(is_readable(inbox, 0));
        assert_true(inbox_run(inbox));
        assert_int_equal(again.runs, i);
    }
    assert_false(is_readable(inbox, 0));
    inbox_destroy(&inbox);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_in_the_order_of_posting),
        cmocka_unit_test(takes_from_many_threads),
        cmocka_unit_test(may_be_posted_from_a_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
