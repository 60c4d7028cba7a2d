// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "api/subscribers.h"
#include "base/clock.h"

#define LISTENER_MAGIC 0x2ad90c4bu
#define WRITERS        3
#define WORDS          2000

struct listener {
    unsigned magic; /* LISTENER_MAGIC */
    struct subscriber subscriber;
    unsigned woken;
    int64_t since_us;
};

static void on_word(struct subscriber *subscriber, int64_t since_us)
{
    struct listener *listener = OWNER_OF(subscriber, struct listener, subscriber, LISTENER_MAGIC);
    listener->woken++;
    listener->since_us = since_us;
}

static void init(struct listener *listener)
{
    *listener = (struct listener){.subscriber.wake = on_word};
    OWNER_SET(listener, LISTENER_MAGIC);
    OWNER_SET(&listener->subscriber, SUBSCRIBER_MAGIC);
}

static struct uuid user_of(unsigned number)
{
    struct uuid user = {{0}};
    user.bytes[12] = (uint8_t)(number >> 16);
    user.bytes[14] = (uint8_t)(number >> 8);
    user.bytes[15] = (uint8_t)number;
    return user;
}

/* Two loops and what they share. */
struct house {
    struct subscriptions *subscriptions;
    struct inbox *inboxes[2];
    struct subscribers *loops[2];
};

static void open_house(struct house *house)
{
    house->subscriptions = subscriptions_create();
    assert_non_null(house->subscriptions);
    for (unsigned i = 0; i < 2; i++) {
        house->inboxes[i] = inbox_create();
        house->loops[i] = subscribers_create(house->subscriptions, house->inboxes[i]);
        assert_non_null(house->loops[i]);
    }
}

static void close_house(struct house *house)
{
    for (unsigned i = 0; i < 2; i++) {
        subscribers_destroy(&house->loops[i]);
        inbox_destroy(&house->inboxes[i]);
    }
    subscriptions_destroy(&house->subscriptions);
}

static void join(struct house *house, unsigned loop, struct listener *listener, unsigned user)
{
    init(listener);
    assert_int_equal(subscribers_join(house->loops[loop], &listener->subscriber, user_of(user)),
                     SUBSCRIBERS_JOINED);
}

static void test_words_reach_who_listens(void **state)
{
    (void)state;
    struct house house;
    struct listener here, there, other;
    open_house(&house);
    subscriptions_committed(house.subscriptions, user_of(1), 1); /* nobody listens */
    join(&house, 0, &here, 1);
    join(&house, 1, &there, 1);
    join(&house, 0, &other, 2);
    assert_false(inbox_run(house.inboxes[0]));
    const int64_t before_us = clock_mono_us();
    subscriptions_committed(house.subscriptions, user_of(1), 2);
    assert_true(inbox_run(house.inboxes[0]));
    assert_true(inbox_run(house.inboxes[1]));
    assert_int_equal(here.woken, 1);
    assert_int_equal(there.woken, 1);
    assert_int_equal(other.woken, 0);
    assert_true(here.since_us >= before_us);
    subscribers_leave(&here.subscriber);
    subscribers_leave(&here.subscriber); /* it does not listen: fine */
    subscriptions_committed(house.subscriptions, user_of(1), 3);
    assert_false(inbox_run(house.inboxes[0]));
    assert_true(inbox_run(house.inboxes[1]));
    assert_int_equal(here.woken, 1);
    assert_int_equal(there.woken, 2);
    subscribers_leave(&there.subscriber);
    subscribers_leave(&other.subscriber);
    close_house(&house);
}

static void test_many_words_are_one(void **state)
{
    (void)state;
    struct house house;
    struct listener listener;
    open_house(&house);
    join(&house, 0, &listener, 1);
    for (int64_t revision = 1; revision <= 100; revision++) {
        subscriptions_committed(house.subscriptions, user_of(1), revision);
    }
    (void)inbox_run(house.inboxes[0]);
    assert_int_equal(listener.woken, 1);
    subscriptions_committed(house.subscriptions, user_of(1), 100); /* is known */
    assert_false(inbox_run(house.inboxes[0]));
    subscriptions_committed(house.subscriptions, user_of(1), 99); /* told in another order */
    (void)inbox_run(house.inboxes[0]);
    assert_int_equal(listener.woken, 2);
    subscribers_leave(&listener.subscriber);
    close_house(&house);
}

static void test_who_leaves_while_a_word_waits(void **state)
{
    (void)state;
    struct house house;
    struct listener one, two;
    open_house(&house);
    join(&house, 0, &one, 1);
    join(&house, 0, &two, 1);
    subscriptions_committed(house.subscriptions, user_of(1), 1);
    subscribers_leave(&one.subscriber);
    subscribers_leave(&two.subscriber);
    join(&house, 0, &one, 1); /* a new one, that the old word is not for */
    (void)inbox_run(house.inboxes[0]);
    assert_int_equal(one.woken + two.woken, 0);
    subscriptions_committed(house.subscriptions, user_of(1), 2);
    (void)inbox_run(house.inboxes[0]);
    assert_int_equal(one.woken, 1);
    /* And a loop that ends before it has heard. */
    subscriptions_committed(house.subscriptions, user_of(1), 3);
    subscribers_destroy(&house.loops[0]);
    assert_null(one.subscriber.of);
    subscribers_leave(&one.subscriber);
    subscriptions_committed(house.subscriptions, user_of(1), 4);
    close_house(&house);
}

static void test_so_many_of_one_user(void **state)
{
    (void)state;
    struct house house;
    struct listener listeners[SUBSCRIBERS_MOST + 1];
    struct listener other;
    open_house(&house);
    for (unsigned i = 0; i < SUBSCRIBERS_MOST; i++) {
        join(&house, i % 2, &listeners[i], 1);
    }
    struct listener *late = &listeners[SUBSCRIBERS_MOST];
    init(late);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(subscribers_join(house.loops[i], &late->subscriber, user_of(1)),
                         SUBSCRIBERS_TOO_MANY);
    }
    join(&house, 0, &other, 2);
    subscribers_leave(&listeners[1].subscriber);
    join(&house, 0, late, 1);
    for (unsigned i = 0; i <= SUBSCRIBERS_MOST; i++) {
        subscribers_leave(&listeners[i].subscriber);
    }
    subscribers_leave(&other.subscriber);
    close_house(&house);
}

static void test_sessions_in_doubt(void **state)
{
    (void)state;
    struct house house;
    struct listener one, two;
    const struct uuid user = user_of(1);
    open_house(&house);
    join(&house, 0, &one, 1);
    join(&house, 1, &two, 2);
    subscriptions_doubt(house.subscriptions, &user);
    (void)inbox_run(house.inboxes[0]);
    assert_false(inbox_run(house.inboxes[1]));
    assert_int_equal(one.woken, 1);
    assert_int_equal(one.since_us, 0);
    assert_int_equal(subscriptions_doubts(house.subscriptions), 0);
    subscriptions_doubt(house.subscriptions, NULL);
    (void)inbox_run(house.inboxes[0]);
    (void)inbox_run(house.inboxes[1]);
    assert_int_equal(one.woken, 2);
    assert_int_equal(two.woken, 1);
    assert_int_equal(subscriptions_doubts(house.subscriptions), 1);
    subscribers_leave(&one.subscriber);
    subscribers_leave(&two.subscriber);
    close_house(&house);
}

static void test_all_are_listed(void **state)
{
    (void)state;
    enum { COUNT = 100, MOST = 32 };
    static struct listener listeners[COUNT];
    bool seen[COUNT] = {false};
    struct house house;
    struct uuid spaces[MOST];
    size_t place = 0;
    open_house(&house);
    assert_int_equal(subscriptions_list(house.subscriptions, &place, spaces, MOST), 0);
    for (unsigned i = 0; i < COUNT; i++) {
        join(&house, i % 2, &listeners[i], i * 7); /* some in one bucket with others */
    }
    place = 0;
    for (size_t got = 1; got > 0;) {
        got = subscriptions_list(house.subscriptions, &place, spaces, MOST);
        assert_true(got <= MOST);
        for (size_t i = 0; i < got; i++) {
            const unsigned user = (unsigned)spaces[i].bytes[14] << 8 | spaces[i].bytes[15];
            assert_int_equal(user % 7, 0);
            seen[user / 7] = true;
        }
    }
    for (unsigned i = 0; i < COUNT; i++) {
        assert_true(seen[i]);
        subscribers_leave(&listeners[i].subscriber);
    }
    close_house(&house);
}

/* ---- all at once ---- */

static atomic_uint writers_left;

static void *write_words(void *argument)
{
    struct subscriptions *subscriptions = argument;
    for (unsigned i = 1; i <= WORDS; i++) {
        subscriptions_committed(subscriptions, user_of(i % 5), i);
        if (i % 100 == 0) {
            const struct uuid user = user_of(i % 3);
            subscriptions_doubt(subscriptions, &user);
        }
    }
    atomic_fetch_sub(&writers_left, 1);
    return NULL;
}

struct listening {
    struct house *house;
    unsigned loop;
};

static void *listen_on(void *argument)
{
    const struct listening *listening = argument;
    static struct listener all[2][5];
    struct listener *listeners = all[listening->loop];
    for (unsigned i = 0; i < 5; i++) {
        join(listening->house, listening->loop, &listeners[i], i);
    }
    for (unsigned turn = 0; atomic_load(&writers_left) > 0; turn++) {
        (void)inbox_run(listening->house->inboxes[listening->loop]);
        struct listener *one = &listeners[turn % 5];
        subscribers_leave(&one->subscriber);
        join(listening->house, listening->loop, one, turn % 5);
    }
    (void)inbox_run(listening->house->inboxes[listening->loop]);
    for (unsigned i = 0; i < 5; i++) {
        subscribers_leave(&listeners[i].subscriber);
    }
    return NULL;
}

static void test_writers_and_loops_at_once(void **state)
{
    (void)state;
    struct house house;
    pthread_t writers[WRITERS];
    pthread_t loops[2];
    open_house(&house);
    atomic_store(&writers_left, WRITERS);
    struct listening listening[2] = {{&house, 0}, {&house, 1}};
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(pthread_create(&loops[i], NULL, listen_on, &listening[i]), 0);
    }
    for (unsigned i = 0; i < WRITERS; i++) {
        assert_int_equal(pthread_create(&writers[i], NULL, write_words, house.subscriptions), 0);
    }
    for (unsigned i = 0; i < WRITERS; i++) {
        pthread_join(writers[i], NULL);
    }
    for (unsigned i = 0; i < 2; i++) {
        pthread_join(loops[i], NULL);
    }
    close_house(&house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words_reach_who_listens),
        cmocka_unit_test(test_many_words_are_one),
        cmocka_unit_test(test_who_leaves_while_a_word_waits),
        cmocka_unit_test(test_so_many_of_one_user),
        cmocka_unit_test(test_sessions_in_doubt),
        cmocka_unit_test(test_all_are_listed),
        cmocka_unit_test(test_writers_and_loops_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
