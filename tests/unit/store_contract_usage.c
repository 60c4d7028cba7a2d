// SPDX-License-Identifier: MIT
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <setjmp.h>

#include <cmocka.h>

#include <poll.h>

#include "store/decision.h"
#include "store/retention.h"
#include "store_contract.h"
#include "store_contract_parts.h"
#include "store_fixture.h"

#define OPERATIONS 4000
#define IDS        24
#define KEYS       40

static char letters[16384];

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
    return state->contract->number("SELECT CAST(coalesce(sum(bytes), 0) AS bigint) FROM spaces");
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

/* A long text of that many bytes. */
static void set_text(struct write *write, size_t len)
{
    const struct field_value value = {.bytes = {letters, len}};
    assert_true(len <= sizeof letters && field_set(long_text(), &write->values, &value));
}

/* Any of the verbs, on a few ids, with texts of any size, half of them with one of a few keys; the
 * clock moves on so far that keys grow old and are used again. */
static struct write random_write(uint32_t *seed, struct uuid user, int64_t now,
                                 const struct uuid *ids, char key[16])
{
    const enum store_verb verb = STORE_CREATE + number_below(seed, 4);
    const struct uuid id = verb == STORE_CREATE ? uuid_make_v7() : ids[number_below(seed, IDS)];
    struct write write = write_of(verb, user, id, now);
    sample_item(&write.values, number_below(seed, 7));
    if (number_below(seed, 2) == 0)
        set_text(&write, number_below(seed, 4096));
    if (verb == STORE_UPDATE && number_below(seed, 3) == 0)
        write.op.set = 0;
    if (number_below(seed, 2) == 0) {
        (void)snprintf(key, 16, "key-%u", number_below(seed, KEYS));
        write.op.idempotency.key = slice_of(key);
        write.op.idempotency.fingerprint[0] = (uint8_t)number_below(seed, 2);
    }
    return write;
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
        struct write writes[AT_ONCE];
        char keys[AT_ONCE][16];
        for (unsigned i = 0; i < AT_ONCE; i++) {
            const int64_t now = TEST_NOW + (int64_t)(done + i) * RETENTION_KEY_MS / 1000;
            writes[i] = random_write(&seed, users[number_below(&seed, 2)], now, ids, keys[i]);
            write_begin(&loop, &writes[i]);
        }
        loop_finish(&loop);
        for (unsigned i = 0; i < AT_ONCE; i++) {
            const enum error result = writes[i].op.op.result;
            assert_true(result == ERROR_NONE || result == ERROR_QUOTA_EXCEEDED);
            refused += result == ERROR_QUOTA_EXCEEDED;
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

static enum error try_create(struct loop *loop, struct uuid user, size_t text)
{
    struct write write = write_of(STORE_CREATE, user, uuid_make_v7(), TEST_NOW);
    memset(letters, 'x', sizeof letters);
    set_text(&write, text);
    return write_run(loop, &write);
}

/* At the bound reading, deleting and what grows nothing still work, for others everything. */
static void test_the_most_items(void **pointer)
{
    struct contract_state *state = *pointer;
    struct loop loop;
    struct item items[3];
    if (!fixture_resource->counted)
        return;
    reopen(state, 3, 0);
    loop_open(&loop, state->contract->engine, state->store);
    struct uuid ann = make_user(&loop, "ann");
    struct uuid bob = make_user(&loop, "bob");
    for (unsigned i = 0; i < 3; i++)
        items[i] = make_item(&loop, ann, i, TEST_NOW + i);
    assert_int_equal(try_create(&loop, ann, 0), ERROR_QUOTA_EXCEEDED);
    struct write write = write_of(STORE_CREATE, ann, uuid_make_v7(), TEST_NOW);
    write.op.idempotency.key = SLICE("again");
    assert_int_equal(write_run(&loop, &write), ERROR_QUOTA_EXCEEDED);
    write = write_of(STORE_REPLACE, ann, uuid_make_v7(), TEST_NOW);
    assert_int_equal(write_run(&loop, &write), ERROR_QUOTA_EXCEEDED);
    write = write_of(STORE_REPLACE, ann, items[1].id, TEST_NOW);
    assert_int_equal(write_run(&loop, &write), ERROR_NONE);
    (void)make_item(&loop, bob, 0, TEST_NOW);
    write = write_of(STORE_DELETE, ann, items[0].id, TEST_NOW);
    assert_int_equal(write_run(&loop, &write), ERROR_NONE);
    /* What was refused was not kept: the same request is judged afresh. */
    write = write_of(STORE_CREATE, ann, uuid_make_v7(), TEST_NOW);
    write.op.idempotency.key = SLICE("again");
    assert_int_equal(write_run(&loop, &write), ERROR_NONE);
    assert_false(write.op.replayed);
    assert_int_equal(try_create(&loop, ann, 0), ERROR_QUOTA_EXCEEDED);
    assert_counted(state);
    loop_close(&loop);
}

static void test_the_most_bytes(void **pointer)
{
    struct contract_state *state = *pointer;
    struct loop loop;
    const void *found = NULL;
    char key[16];
    unsigned kept = 0;
    enum error result = ERROR_NONE;
    reopen(state, 0, 90000);
    loop_open(&loop, state->contract->engine, state->store);
    struct uuid ann = make_user(&loop, "ann");
    const struct item small = make_item(&loop, ann, 0, TEST_NOW);
    for (int i = 0; i < 5; i++)
        assert_int_equal(try_create(&loop, ann, 16384), ERROR_NONE);
    assert_int_equal(try_create(&loop, ann, 16384), ERROR_QUOTA_EXCEEDED);
    assert_true(bytes_of_all(state) <= 90000);

    /* A change that changes nothing keeps an answer: those count as well. */
    while (result == ERROR_NONE) {
        struct write write = write_of(STORE_UPDATE, ann, small.id, TEST_NOW);
        write.op.set = 0;
        (void)snprintf(key, sizeof key, "%u", kept);
        write.op.idempotency.key = slice_of(key);
        result = write_run(&loop, &write);
        kept++;
        assert_in_range(kept, 1, 1000);
    }
    assert_int_equal(result, ERROR_QUOTA_EXCEEDED);
    assert_true(bytes_of_all(state) <= 90000);

    /* Larger is refused, and a deletion never is. */
    struct write write = write_of(STORE_UPDATE, ann, small.id, TEST_NOW + 1);
    set_text(&write, 1000);
    assert_int_equal(write_run(&loop, &write), ERROR_QUOTA_EXCEEDED);
    assert_int_equal(get_item(&loop, ann, small.id, &found), ERROR_NONE);
    assert_int_equal(((const struct item *)found)->revision, small.revision);
    write = write_of(STORE_DELETE, ann, small.id, TEST_NOW + 2);
    write.op.idempotency.key = SLICE("even with a key of its own");
    assert_int_equal(write_run(&loop, &write), ERROR_NONE);
    assert_int_equal(write.op.outcome, STORE_DELETED);
    assert_counted(state);
    loop_close(&loop);
}

/* At the bound a change that makes an item smaller is not refused. */
static void test_smaller_at_the_bound(void **pointer)
{
    struct contract_state *state = *pointer;
    struct loop loop;
    reopen(state, 0, 40000);
    loop_open(&loop, state->contract->engine, state->store);
    struct uuid ann = make_user(&loop, "ann");
    struct write large = write_of(STORE_CREATE, ann, uuid_make_v7(), TEST_NOW);
    memset(letters, 'x', sizeof letters);
    set_text(&large, 16384);
    assert_int_equal(write_run(&loop, &large), ERROR_NONE);
    while (try_create(&loop, ann, 100) == ERROR_NONE)
        arena_reset(loop.arena);
    struct write smaller = patch_of(ann, large.op.id, long_text(), 0, TEST_NOW + 1);
    assert_int_equal(write_run(&loop, &smaller), ERROR_NONE);
    assert_int_equal(smaller.op.outcome, STORE_UPDATED);
    assert_counted(state);
    loop_close(&loop);
}

/* What the purge deletes no longer counts, and the space knows what its journal has forgotten. */
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
        struct write write = write_of(STORE_CREATE, users[i % 3], uuid_make_v7(), 1000000);
        (void)snprintf(key, sizeof key, "%u", i);
        write.op.idempotency.key = slice_of(key);
        assert_int_equal(write_run(&loop, &write), ERROR_NONE);
        write = write_of(STORE_DELETE, users[i % 3], write.op.id, 1000001);
        assert_int_equal(write_run(&loop, &write), ERROR_NONE);
        arena_reset(loop.arena);
    }
    struct write stays = write_of(STORE_CREATE, users[0], uuid_make_v7(), TEST_NOW);
    assert_int_equal(write_run(&loop, &stays), ERROR_NONE);
    const int64_t wanted = usage_item_bytes(fixture_resource, stays.op.item) + SPACE_CHANGE_BYTES;
    loop_close(&loop);
    reopen(state, 0, 0); /* the purge begins with it */
    for (int i = 0; i < 2000 && bytes_of_all(state) > wanted; i++)
        (void)poll(NULL, 0, 10);
    assert_int_equal(bytes_of_all(state), wanted);
    assert_counted(state);
    assert_int_equal(state->contract->number("SELECT count(*) FROM journal"), 1);
    assert_int_equal(state->contract->number("SELECT CAST(sum(forgotten) AS bigint) FROM spaces"),
                     2 * PURGED);
    assert_int_equal(state->contract->number("SELECT CAST(sum(revision) AS bigint) FROM spaces"),
                     2 * PURGED + 1);
}

/* A deletion shows no item, so none is kept for its answer; what it deleted is in the journal. */
static void test_what_a_kept_deletion_takes(void **pointer)
{
    struct contract_state *state = *pointer;
    struct loop loop;
    loop_open(&loop, state->contract->engine, state->store);
    struct uuid ann = make_user(&loop, "ann");
    const struct item item = make_item(&loop, ann, 0, TEST_NOW);
    for (unsigned i = 0; i < 2; i++) {
        struct write write = write_of(STORE_DELETE, ann, item.id, TEST_NOW);
        write.op.idempotency.key = SLICE("k");
        assert_int_equal(write_run(&loop, &write), ERROR_NONE);
        assert_int_equal(write.op.outcome, STORE_DELETED);
        assert_int_equal(write.op.replayed, i == 1);
    }
    const int64_t before =
        state->contract->number("SELECT CAST(sum(length(before)) AS bigint) FROM journal");
    assert_true(before > 0);
    assert_int_equal(bytes_of_all(state), 2 * SPACE_CHANGE_BYTES + before + SPACE_KEY_BYTES + 1);
    assert_counted(state);
    loop_close(&loop);
}

int store_contract_usage(void)
{
    const struct CMUnitTest tests[] = {
        CONTRACT_TEST(test_random_operations),      CONTRACT_TEST(test_the_most_items),
        CONTRACT_TEST(test_the_most_bytes),         CONTRACT_TEST(test_smaller_at_the_bound),
        CONTRACT_TEST(test_purged_bytes_come_back), CONTRACT_TEST(test_what_a_kept_deletion_takes),
    };
    return cmocka_run_group_tests_name("store: usage", tests, NULL, NULL);
}
