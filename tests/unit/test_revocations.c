// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>

#include "auth/token_cache.h"

#define THREADS 4
#define ROUNDS  5000

static struct uuid user_of(unsigned number)
{
    struct uuid user = {{0}};

    user.bytes[14] = (uint8_t)(number >> 8);
    user.bytes[15] = (uint8_t)number;
    return user;
}

static void an_end_moves_the_users_counter(void **state)
{
    struct revocations *revocations = revocations_create();
    uint64_t before = 0;

    (void)state;
    assert_non_null(revocations);
    before = revocations_of(revocations, user_of(1));
    assert_true(revocations_of(revocations, user_of(1)) == before);
    revocations_add(revocations, user_of(1));
    assert_true(revocations_of(revocations, user_of(1)) == before + 1);
    revocations_add(revocations, user_of(1));
    assert_true(revocations_of(revocations, user_of(1)) == before + 2);
    revocations_destroy(&revocations);
    assert_null(revocations);
}

/* Others may share a counter, but hardly any do. */
static void other_users_counters_stay(void **state)
{
    struct revocations *revocations = revocations_create();
    unsigned moved = 0;

    (void)state;
    revocations_add(revocations, user_of(7));
    for (unsigned number = 0; number < 4096; number++) {
        moved += revocations_of(revocations, user_of(number)) != 0;
    }
    assert_int_equal(moved, 1);
    revocations_destroy(&revocations);
}

static void *add_many(void *argument)
{
    for (unsigned i = 0; i < ROUNDS; i++) {
        revocations_add(argument, user_of(3));
        revocations_add(argument, user_of(i));
    }
    return NULL;
}

static void no_end_is_lost_between_threads(void **state)
{
    struct revocations *revocations = revocations_create();
    pthread_t threads[THREADS];
    uint64_t sum = 0;

    (void)state;
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, add_many, revocations), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    for (unsigned number = 0; number < 4096; number++) {
        sum += revocations_of(revocations, user_of(number));
    }
    assert_true(sum == 2 * THREADS * ROUNDS);
    assert_true(revocations_of(revocations, user_of(3)) >= THREADS * (ROUNDS + 1));
    revocations_destroy(&revocations);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_end_moves_the_users_counter),
        cmocka_unit_test(other_users_counters_stay),
        cmocka_unit_test(no_end_is_lost_between_threads),
    };

    return cmocka_run_group_tests_name("revocations", tests, NULL, NULL);
}
