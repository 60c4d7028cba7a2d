// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "api/event_reading.h"

/* The store is ours: it keeps what it is asked, and answers when the test says so. */

#define MOST 4

static struct store_changes *asked[MOST];
static unsigned asked_count;
static bool at_once;
static enum error answer;

static void changes(struct store_changes *op)
{
    assert_true(asked_count < MOST);
    asked[asked_count++] = op;
    if (at_once) {
        op->op.result = answer;
        op->op.done(&op->op);
    }
}

static void answer_now(unsigned number)
{
    asked[number]->op.result = answer;
    asked[number]->op.done(&asked[number]->op);
}

static const struct store_engine engine = {.changes = changes};
static struct api api = {.options = {.engine = &engine}};
static struct api_loop on_loop = {.api = &api};

#define LISTENER_MAGIC 0x77c01be2u

struct listener {
    unsigned magic; /* LISTENER_MAGIC */
    struct event_reader reader;
    unsigned told;
    bool leaves; /* when it is told */
};

static void on_done(struct event_reader *reader)
{
    struct listener *listener = OWNER_OF(reader, struct listener, reader, LISTENER_MAGIC);
    listener->told++;
    if (listener->leaves) {
        event_reading_leave(reader);
    }
}

static void init(struct listener *listeners, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        listeners[i] = (struct listener){.reader.done = on_done};
        OWNER_SET(&listeners[i], LISTENER_MAGIC);
        OWNER_SET(&listeners[i].reader, EVENT_READER_MAGIC);
    }
    asked_count = 0;
    at_once = false;
    answer = ERROR_NONE;
}

static const struct uuid user = {{1}};

static struct store_changes_place after(int64_t revision)
{
    return (struct store_changes_place){.from = STORE_CHANGES_AFTER, .revision = revision};
}

static bool begin(struct listener *listener, int64_t revision)
{
    const struct store_changes_place place = after(revision);
    return event_reading_begin(&listener->reader, &on_loop, user, &place);
}

static bool joins(struct listener *listener, const struct listener *other, int64_t revision)
{
    const struct store_changes_place place = after(revision);
    return event_reading_join(&listener->reader, &other->reader, &place);
}

static void test_two_read_together(void **state)
{
    (void)state;
    struct listener listeners[2];
    init(listeners, 2);
    assert_true(begin(&listeners[0], 7));
    assert_true(joins(&listeners[1], &listeners[0], 7));
    assert_int_equal(asked_count, 1);
    assert_ptr_equal(listeners[0].reader.of, listeners[1].reader.of);
    answer_now(0);
    assert_int_equal(listeners[0].told, 1);
    assert_int_equal(listeners[1].told, 1);
    assert_true(listeners[1].reader.of->done);
    event_reading_leave(&listeners[0].reader);
    assert_true(listeners[1].reader.of->done); /* is still there for the other */
    event_reading_leave(&listeners[1].reader);
    assert_null(listeners[1].reader.of);
    event_reading_leave(&listeners[1].reader);
}

static void test_one_that_leaves_as_it_is_told(void **state)
{
    (void)state;
    struct listener listeners[3];
    init(listeners, 3);
    listeners[0].leaves = listeners[2].leaves = true;
    assert_true(begin(&listeners[0], 7));
    assert_true(joins(&listeners[1], &listeners[0], 7));
    assert_true(joins(&listeners[2], &listeners[1], 7));
    answer_now(0);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(listeners[i].told, 1);
    event_reading_leave(&listeners[1].reader);
}

/* What is read may lack what there was word of since, and what another place has before it. */
static void test_what_is_not_shared(void **state)
{
    (void)state;
    struct listener listeners[2];
    init(listeners, 2);
    assert_false(joins(&listeners[1], &listeners[0], 7)); /* nothing is read */
    assert_true(begin(&listeners[0], 7));
    assert_false(joins(&listeners[1], &listeners[0], 6));
    assert_false(joins(&listeners[1], &listeners[0], 8));
    const struct store_changes_place from_now = {.from = STORE_CHANGES_FROM_NOW, .revision = 7};
    assert_false(event_reading_join(&listeners[1].reader, &listeners[0].reader, &from_now));
    event_reading_outdate(&listeners[1].reader); /* reads nothing */
    event_reading_outdate(&listeners[0].reader);
    assert_false(joins(&listeners[1], &listeners[0], 7));
    answer_now(0);
    event_reading_leave(&listeners[0].reader);
    /* One that failed is asked for anew. */
    answer = ERROR_UNAVAILABLE;
    assert_true(begin(&listeners[0], 7));
    answer_now(1);
    assert_false(joins(&listeners[1], &listeners[0], 7));
    event_reading_leave(&listeners[0].reader);
}

static void test_an_answer_at_once_is_not_told(void **state)
{
    (void)state;
    struct listener listener;
    init(&listener, 1);
    at_once = true;
    assert_true(begin(&listener, 7));
    assert_true(listener.reader.of->done);
    assert_int_equal(listener.told, 0);
    event_reading_leave(&listener.reader);
}

/* Its answer ends it, and writes no event for nobody. */
static void test_all_have_left_before_the_answer(void **state)
{
    (void)state;
    struct listener listeners[2];
    init(listeners, 2);
    assert_true(begin(&listeners[0], 7));
    assert_true(joins(&listeners[1], &listeners[0], 7));
    event_reading_leave(&listeners[0].reader);
    event_reading_leave(&listeners[1].reader);
    assert_true(asked[0]->begin(asked[0]));
    assert_true(asked[0]->each(asked[0], &(struct store_change){.revision = 8}));
    answer_now(0);
    assert_int_equal(listeners[0].told + listeners[1].told, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_two_read_together),
        cmocka_unit_test(test_one_that_leaves_as_it_is_told),
        cmocka_unit_test(test_what_is_not_shared),
        cmocka_unit_test(test_an_answer_at_once_is_not_told),
        cmocka_unit_test(test_all_have_left_before_the_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
