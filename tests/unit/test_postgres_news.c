// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"
#include "store/postgres/news.h"

#define OTHER "01a203c9-2b03-70a1-81ce-0000000000aa"
#define SPACE "01a203c9-2b03-70a1-81ce-000000000001"

/* What was told. */
static unsigned committed, doubted;
static struct uuid last_space;
static int64_t last_revision;

static void on_commit(void *context, struct uuid space, int64_t revision)
{
    (void)context;
    committed++;
    last_space = space;
    last_revision = revision;
}

static void on_doubt(void *context)
{
    (void)context;
    doubted++;
}

static struct store_options options = {.committed = on_commit, .doubted = on_doubt};

static int begin(void **state)
{
    committed = doubted = 0;
    *state = news_create(&options);
    return *state ? 0 : -1;
}

static int end(void **state)
{
    struct news *news = *state;
    news_destroy(&news);
    return 0;
}

static void hear(struct news *news, const char *payload)
{
    news_hear(news, slice_of(payload));
}

static void test_what_another_node_says(void **state)
{
    struct uuid space;
    assert_true(uuid_parse(SLICE(SPACE), &space));
    hear(*state, OTHER " " SPACE "=42");
    assert_int_equal(committed, 1);
    assert_true(uuid_eq(last_space, space));
    assert_int_equal(last_revision, 42);
    hear(*state, OTHER " " SPACE "=43 " OTHER "=7");
    assert_int_equal(committed, 3);
    assert_int_equal(last_revision, 7);
    hear(*state, OTHER " *");
    assert_int_equal(doubted, 1);
    assert_int_equal(committed, 3);
}

static void test_what_makes_no_sense(void **state)
{
    static const char *const payloads[] = {
        "",
        " ",
        "x",
        OTHER,
        OTHER " ",
        OTHER " " SPACE,
        OTHER " " SPACE "=",
        OTHER " " SPACE "=x",
        OTHER " " SPACE "=-1",
        OTHER " " SPACE "=99999999999999999999",
        OTHER " " SPACE "0=1",
        OTHER " =1",
        OTHER " == = =",
        OTHER "  ",
    };
    for (size_t i = 0; i < sizeof payloads / sizeof *payloads; i++) {
        hear(*state, payloads[i]);
    }
    assert_int_equal(committed + doubted, 0);
}

/* Nothing is announced while no other node has somebody who waits. */
static void test_only_what_somebody_waits_for(void **state)
{
    struct news *news = *state;
    const struct uuid space = {{1, 2, 3}};
    news_add(news, space, 1);
    assert_true(news_due_ms(news) == INT64_MAX);
    hear(news, OTHER " ?");
    assert_true(news_due_ms(news) == INT64_MAX);
    news_add(news, space, 2);
    assert_true(news_due_ms(news) <= clock_mono_ms() + NEWS_EVERY_MS);
    /* However many there are. */
    for (unsigned i = 0; i < 10000; i++) {
        const struct uuid other = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, (uint8_t)(i >> 16),
                                    (uint8_t)(i >> 8), (uint8_t)i}};
        news_add(news, other, 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_what_another_node_says, begin, end),
        cmocka_unit_test_setup_teardown(test_what_makes_no_sense, begin, end),
        cmocka_unit_test_setup_teardown(test_only_what_somebody_waits_for, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
