// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/uuid.h"

#define MANY 20000

static uint64_t milliseconds(struct uuid id)
{
    uint64_t ms = 0;

    for (unsigned i = 0; i < 6; i++) {
        ms = ms << 8 | id.bytes[i];
    }
    return ms;
}

static void has_version_variant_and_time(void **state)
{
    const int64_t before = clock_wall_ms();
    const struct uuid id = uuid_make_v7();
    const int64_t after = clock_wall_ms();

    (void)state;
    assert_int_equal(id.bytes[6] >> 4, 7);
    assert_int_equal(id.bytes[8] >> 6, 2);
    assert_true(milliseconds(id) >= (uint64_t)before);
    assert_true(milliseconds(id) <= (uint64_t)after);
    assert_int_equal(uuid_time_ms(id), (int64_t)milliseconds(id));
}

/* Far more than one millisecond's counter holds, so that it runs over, and more than one pool. */
static void ascends_within_one_thread(void **state)
{
    struct uuid last = uuid_make_v7();

    (void)state;
    for (unsigned i = 0; i < MANY; i++) {
        const struct uuid id = uuid_make_v7();
        assert_true(memcmp(last.bytes, id.bytes, sizeof id.bytes) < 0);
        assert_int_equal(id.bytes[6] >> 4, 7);
        assert_int_equal(id.bytes[8] >> 6, 2);
        last = id;
    }
}

static void *make_many(void *ids)
{
    for (unsigned i = 0; i < MANY; i++) {
        ((struct uuid *)ids)[i] = uuid_make_v7();
    }
    return NULL;
}

static int compare(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct uuid));
}

struct turns {
    pthread_mutex_t lock;
    struct uuid last;
    bool ordered;
};

/* Each id is asked for after the one before it was made, by whichever thread. */
static void *take_turns(void *argument)
{
    struct turns *turns = argument;
    for (unsigned i = 0; i < MANY; i++) {
        pthread_mutex_lock(&turns->lock);
        const struct uuid id = uuid_make_v7();
        turns->ordered = turns->ordered && memcmp(turns->last.bytes, id.bytes, sizeof id.bytes) < 0;
        turns->last = id;
        pthread_mutex_unlock(&turns->lock);
    }
    return NULL;
}

static void ascends_over_all_threads(void **state)
{
    struct turns turns = {.lock = PTHREAD_MUTEX_INITIALIZER, .ordered = true};
    pthread_t threads[4];

    (void)state;
    for (size_t i = 0; i < sizeof threads / sizeof *threads; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, take_turns, &turns), 0);
    }
    for (size_t i = 0; i < sizeof threads / sizeof *threads; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    assert_true(turns.ordered);
}

static void makes_unordered_ones_too(void **state)
{
    struct uuid last = uuid_make_v7_unordered();

    (void)state;
    for (unsigned i = 0; i < MANY; i++) {
        const struct uuid id = uuid_make_v7_unordered();
        assert_true(memcmp(last.bytes, id.bytes, sizeof id.bytes) < 0);
        assert_int_equal(id.bytes[6] >> 4, 7);
        last = id;
    }
}

static void differs_between_threads(void **state)
{
    struct uuid *ids = test_malloc(2 * MANY * sizeof *ids);
    pthread_t threads[2];

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, make_many, ids + i * MANY), 0);
    }
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    qsort(ids, 2 * MANY, sizeof *ids, compare);
    for (size_t i = 1; i < 2 * MANY; i++) {
        assert_false(uuid_eq(ids[i - 1], ids[i]));
    }
    test_free(ids);
}

static void formats_and_parses(void **state)
{
    static const char text[] = "01234567-89ab-cdef-fedc-ba9876543210";
    static const uint8_t bytes[16] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef,
                                      0xfe, 0xdc, 0xba, 0x98, 0x76, 0x54, 0x32, 0x10};
    struct uuid id;
    char out[UUID_TEXT_LEN];

    (void)state;
    assert_true(uuid_parse(slice_of(text), &id));
    assert_memory_equal(id.bytes, bytes, sizeof bytes);
    uuid_format(id, out);
    assert_memory_equal(out, text, UUID_TEXT_LEN);
    for (unsigned byte = 0; byte < 256; byte++) {
        struct uuid back;
        memset(id.bytes, (int)byte, sizeof id.bytes);
        uuid_format(id, out);
        assert_true(uuid_parse((struct slice){out, sizeof out}, &back));
        assert_true(uuid_eq(id, back));
    }
}

static void folds_case_where_it_is_asked_to(void **state)
{
    static const char *const bad[] = {"01234567-89AB-cdef-fedc-ba987654321G",
                                      "01234567-89AB-cdef-fedc\rba9876543210",
                                      "0123456\x10-89ab-cdef-fedc-ba9876543210", "01234567"};
    struct uuid lower;
    struct uuid upper;

    (void)state;
    assert_true(uuid_parse(SLICE("01234567-89ab-cdef-fedc-ba9876543210"), &lower));
    assert_true(uuid_parse_any_case(SLICE("01234567-89AB-CDEF-FEdc-BA9876543210"), &upper));
    assert_true(uuid_eq(lower, upper));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(uuid_parse_any_case(slice_of(bad[i]), &upper));
    }
}

static void refuses_every_other_form(void **state)
{
    static const char *const cases[] = {
        "",
        "01234567-89ab-cdef-fedc-ba987654321",
        "01234567-89ab-cdef-fedc-ba98765432100",
        "01234567-89AB-cdef-fedc-ba9876543210",
        "0123456789ab-cdef-fedc-ba9876543210-",
        "01234567_89ab-cdef-fedc-ba9876543210",
        "01234567-89ab-cdef-fedc-ba987654321g",
        "01234567-89ab-cdef-fedc-ba987654321`",
        "01234567-89ab-cdef-fedc-ba987654321/",
        "0123456:-89ab-cdef-fedc-ba9876543210",
        "{1234567-89ab-cdef-fedc-ba987654321}",
        "0123456--89ab-cdef-fedc-ba9876543210",
    };
    const struct uuid untouched = {{1, 2, 3}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct uuid id = untouched;
        assert_false(uuid_parse(slice_of(cases[i]), &id));
        assert_true(uuid_eq(id, untouched));
    }
}

static void is_made_of_a_digest(void **state)
{
    /* RFC 9562, appendix B.2 */
    static const uint8_t digest[] = {0x5c, 0x14, 0x6b, 0x14, 0x3c, 0x52, 0x4a, 0xfd,
                                     0x93, 0x8a, 0x37, 0x5d, 0x0d, 0xf1, 0xfb, 0xf6};
    char text[UUID_TEXT_LEN];

    (void)state;
    uuid_format(uuid_make_v8(digest), text);
    assert_memory_equal(text, "5c146b14-3c52-8afd-938a-375d0df1fbf6", sizeof text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_version_variant_and_time),
        cmocka_unit_test(ascends_within_one_thread),
        cmocka_unit_test(ascends_over_all_threads),
        cmocka_unit_test(makes_unordered_ones_too),
        cmocka_unit_test(differs_between_threads),
        cmocka_unit_test(formats_and_parses),
        cmocka_unit_test(folds_case_where_it_is_asked_to),
        cmocka_unit_test(is_made_of_a_digest),
        cmocka_unit_test(refuses_every_other_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
