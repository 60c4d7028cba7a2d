// SPDX-License-Identifier: MIT
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <setjmp.h>

#include <cmocka.h>

#include <poll.h>

#include "store/keeping.h"
#include "store/usage.h"
#include "store_contract.h"
#include "store_contract_parts.h"
#include "store_fixture.h"

#define OPERATIONS 4000
#define IDS        24
#define KEYS       40

static char letters[4096];

static void reopen(struct contract_state *state, int64_t tasks_most, int64_t bytes_most)
{
    char why[256];
    state->contract->engine->close(&state->store);
    state->options.user_tasks_most = tasks_most;
    state->options.user_bytes_most = bytes_most;
    state->store = state->contract->engine->open(&state->options, why, sizeof why);
    if (!state->store)
        fail_msg("%s", why);
}

static int64_t bytes_of_all(const struct contract_state *state)
{
    return state->contract->number("SELECT CAST(coalesce(sum(bytes), 0) AS bigint) FROM users");
}

static void assert_counted(const struct contract_state *state)
{
    assert_int_equal(state->contract->number(state->contract->drift), 0);
}

static uint32_t number_below(uint32_t *seed, uint32_t most)
{
    *seed = *seed * 1664525U + 1013904223U;
    return (*seed >> 8) % most;
}

/* Any of the verbs, on a few ids, with texts of any size, half of them with one of a few keys; the
 * clock moves on so far that keys grow old and are used again. */
static struct store_task_write random_write(uint32_t *seed, struct uuid user, int64_t now,
                                            const struct uuid *ids, char key[16])
{
    const enum store_task_verb verb = (enum store_task_verb)number_below(seed, 4);
    const struct uuid id =
        verb == STORE_TASK_CREATE ? uuid_make_v7() : ids[number_below(seed, IDS)];
    struct store_task_write op = task_write(verb, user, id, now);
    op.change.status = (enum task_status)number_below(seed, TASK_STATUS_COUNT);
    op.change.title = (struct slice){letters, 1 + number_below(seed, 50)};
    if (number_below(seed, 2) == 0)
        op.change.description = (struct slice){letters, number_below(seed, sizeof letters)};
    if (verb == STORE_TASK_PATCH && number_below(seed, 3) == 0)
        op.change.set = 0;
    if (number_below(seed, 2) == 0) {
        (void)snprintf(key, 16, "key-%u", number_below(seed, KEYS));
        op.idempotency.key = slice_of(key);
        op.idempotency.fingerprint[0] = (uint8_t)number_below(seed, 2);
    }
    return op;
}

/* Whatever is done, in whatever company, the counters are what counting gives. */
static void test_random_operations(void **pointer)
{
    enum { AT_ONCE = 8 };
    struct contract_state *state = *pointer;
    struct loop loop;
    struct uuid users[2];
    struct uuid ids[IDS];
    uint32_t seed = 20261129;
    unsigned refused = 0;
    memset(letters, 'x', sizeof letters);
    reopen(state, 60, 300000);
    loop_open(&loop, state->contract->engine, state->store);
    users[0] = make_user(&loop, "ann");
    users[1] = make_user(&loop, "bob");
    for (unsigned i = 0; i < IDS; i++)
        ids[i] = uuid_make_v7();
    for (unsigned done = 0; done < OPERATIONS; done += AT_ONCE) {
        struct store_task_write ops[AT_ONCE];
        char keys[AT_ONCE][16];
        for (unsigned i = 0; i < AT_ONCE; i++) {
            const int64_t now = TEST_NOW + (int64_t)(done + i) * KEEPING_KEY_MS / 1000;
            ops[i] = random_write(&seed, users[number_below(&seed, 2)], now, ids, keys[i]);
            loop_begin(&loop, &ops[i].op);
            loop.engine->task_write(&ops[i]);
        }
        loop_finish(&loop);
        for (unsigned i = 0; i < AT_ONCE; i++) {
            assert_true(ops[i].op.result == ERROR_NONE || ops[i].op.result == ERROR_QUOTA_EXCEEDED);
            refused += ops[i].op.result == ERROR_QUOTA_EXCEEDED;
        }
        arena_reset(loop.arena);
        if (done % 500 < AT_ONCE)
            assert_counted(state);
    }
    assert_counted(state);
    assert_in_range(refused, 1, OPERATIONS / 2); /* the bounds were met, and work went on */
    assert_true(bytes_of_all(state) > 0);
    loop_close(&loop);
}

static enum error try_create(struct loop *loop, struct uuid user, size_t description)
{
    static char text[16384];
    struct store_task_write op = task_write(STORE_TASK_CREATE, user, uuid_make_v7(), TEST_NOW);
    memset(text, 'x', sizeof text);
    op.change.description = (struct slice){text, description};
    return LOOP_CALL(loop, task_write, &op);
}

/* At the bound reading, deleting and what grows nothing still work, for others everything. */
static void test_the_most_tasks(void **pointer)
{
    struct contract_state *state = *pointer;
    struct loop loop;
    struct task tasks[3];
    reopen(state, 3, 0);
    loop_open(&loop, state->contract->engine, state->store);
    struct uuid ann = make_user(&loop, "ann");
    struct uuid bob = make_user(&loop, "bob");
    for (int i = 0; i < 3; i++)
        tasks[i] = make_task(&loop, ann, "held", TEST_NOW + i);
    assert_int_equal(try_create(&loop, ann, 0), ERROR_QUOTA_EXCEEDED);
    struct store_task_write op = task_write(STORE_TASK_CREATE, ann, uuid_make_v7(), TEST_NOW);
    op.idempotency.key = SLICE("again");
    assert_int_equal(LOOP_CALL(&loop, task_write, &op), ERROR_QUOTA_EXCEEDED);
    op = task_write(STORE_TASK_REPLACE, ann, uuid_make_v7(), TEST_NOW);
    assert_int_equal(LOOP_CALL(&loop, task_write, &op), ERROR_QUOTA_EXCEEDED);
    op = task_write(STORE_TASK_REPLACE, ann, tasks[1].id, TEST_NOW);
    assert_int_equal(LOOP_CALL(&loop, task_write, &op), ERROR_NONE);
    (void)make_task(&loop, bob, "another's", TEST_NOW);
    op = task_write(STORE_TASK_DELETE, ann, tasks[0].id, TEST_NOW);
    assert_int_equal(LOOP_CALL(&loop, task_write, &op), ERROR_NONE);
    /* What was refused was not kept: the same request is judged afresh. */
    op = task_write(STORE_TASK_CREATE, ann, uuid_make_v7(), TEST_NOW);
    op.idempotency.key = SLICE("again");
    assert_int_equal(LOOP_CALL(&loop, task_write, &op), ERROR_NONE);
    assert_false(op.replayed);
    assert_int_equal(try_create(&loop, ann, 0), ERROR_QUOTA_EXCEEDED);
    assert_counted(state);
    loop_close(&loop);
}

static void test_the_most_bytes(void **pointer)
{
    struct contract_state *state = *pointer;
    struct loop loop;
    struct task found;
    char key[16];
    unsigned kept = 0;
    enum error result = ERROR_NONE;
    reopen(state, 0, 90000);
    loop_open(&loop, state->contract->engine, state->store);
    struct uuid ann = make_user(&loop, "ann");
    struct task small = make_task(&loop, ann, "small", TEST_NOW);
    for (int i = 0; i < 5; i++)
        assert_int_equal(try_create(&loop, ann, 16384), ERROR_NONE);
    assert_int_equal(try_create(&loop, ann, 16384), ERROR_QUOTA_EXCEEDED);
    assert_true(bytes_of_all(state) <= 90000);

    /* A change that changes nothing keeps an answer: those count as well. */
    while (result == ERROR_NONE) {
        struct store_task_write op = task_write(STORE_TASK_PATCH, ann, small.id, TEST_NOW);
        op.change.set = 0;
        (void)snprintf(key, sizeof key, "%u", kept);
        op.idempotency.key = slice_of(key);
        result = LOOP_CALL(&loop, task_write, &op);
        kept++;
        assert_in_range(kept, 1, 1000);
    }
    assert_int_equal(result, ERROR_QUOTA_EXCEEDED);
    assert_true(bytes_of_all(state) <= 90000);

    /* Larger is refused, smaller is not, and a deletion never. */
    struct store_task_write op = task_write(STORE_TASK_PATCH, ann, small.id, TEST_NOW + 1);
    op.change.title = SLICE("much longer than the title was, and than there is room left for, by "
                            "far: a text of more than two hundred bytes is not so short, and so "
                            "it goes on and on until there are enough of them, which is now; and "
                            "a few more to be sure");
    assert_int_equal(LOOP_CALL(&loop, task_write, &op), ERROR_QUOTA_EXCEEDED);
    assert_int_equal(get_task(&loop, ann, small.id, &found), ERROR_NONE);
    assert_true(slice_eq(found.title, SLICE("small")));
    op.change.title = SLICE("s");
    assert_int_equal(LOOP_CALL(&loop, task_write, &op), ERROR_NONE);
    op = task_write(STORE_TASK_DELETE, ann, small.id, TEST_NOW + 2);
    op.idempotency.key = SLICE("even with a key of its own");
    assert_int_equal(LOOP_CALL(&loop, task_write, &op), ERROR_NONE);
    assert_int_equal(op.outcome, STORE_DELETED);
    assert_counted(state);
    loop_close(&loop);
}

/* What the purge deletes no longer counts. */
static void test_purged_bytes_come_back(void **pointer)
{
    enum { PURGED = 700 };
    struct contract_state *state = *pointer;
    struct loop loop;
    struct uuid users[3];
    char key[16];
    loop_open(&loop, state->contract->engine, state->store);
    for (unsigned i = 0; i < 3; i++) {
        (void)snprintf(key, sizeof key, "user%u", i);
        users[i] = make_user(&loop, key);
    }
    for (unsigned i = 0; i < PURGED; i++) {
        struct store_task_write op =
            task_write(STORE_TASK_CREATE, users[i % 3], uuid_make_v7(), 1000000);
        (void)snprintf(key, sizeof key, "%u", i);
        op.idempotency.key = slice_of(key);
        assert_int_equal(LOOP_CALL(&loop, task_write, &op), ERROR_NONE);
        op = task_write(STORE_TASK_DELETE, users[i % 3], op.id, 1000001);
        assert_int_equal(LOOP_CALL(&loop, task_write, &op), ERROR_NONE);
        arena_reset(loop.arena);
    }
    struct task task = make_task(&loop, users[0], "stays", TEST_NOW);
    loop_close(&loop);
    reopen(state, 0, 0); /* the purge begins with it */
    for (int i = 0; i < 2000 && bytes_of_all(state) > usage_task_bytes(&task); i++)
        (void)poll(NULL, 0, 10);
    assert_int_equal(bytes_of_all(state), usage_task_bytes(&task));
    assert_counted(state);
}

/* A deletion shows no task, so none is kept for its answer. */
static void test_what_a_kept_deletion_takes(void **pointer)
{
    struct contract_state *state = *pointer;
    struct loop loop;
    loop_open(&loop, state->contract->engine, state->store);
    struct uuid ann = make_user(&loop, "ann");
    struct task task = make_task(&loop, ann, "a title of some length", TEST_NOW);
    struct store_task_write op = task_write(STORE_TASK_DELETE, ann, task.id, TEST_NOW);
    op.idempotency.key = SLICE("k");
    assert_int_equal(LOOP_CALL(&loop, task_write, &op), ERROR_NONE);
    assert_int_equal(bytes_of_all(state), USAGE_TOMBSTONE_BYTES + USAGE_KEY_BYTES + 1);
    assert_counted(state);
    op = task_write(STORE_TASK_DELETE, ann, task.id, TEST_NOW);
    op.idempotency.key = SLICE("k");
    assert_int_equal(LOOP_CALL(&loop, task_write, &op), ERROR_NONE);
    assert_int_equal(op.outcome, STORE_DELETED);
    assert_true(op.replayed);
    loop_close(&loop);
}

int store_contract_usage(void)
{
    const struct CMUnitTest tests[] = {
        CONTRACT_TEST(test_random_operations),
        CONTRACT_TEST(test_the_most_tasks),
        CONTRACT_TEST(test_the_most_bytes),
        CONTRACT_TEST(test_purged_bytes_come_back),
        CONTRACT_TEST(test_what_a_kept_deletion_takes),
    };
    return cmocka_run_group_tests_name("store: usage", tests, NULL, NULL);
}
