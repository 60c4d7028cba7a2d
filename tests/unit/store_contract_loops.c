// SPDX-License-Identifier: MIT
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <setjmp.h>

#include <cmocka.h>

#include "store_contract.h"
#include "store_contract_parts.h"
#include "store_fixture.h"

static struct item existing_item(struct loop *loop, struct uuid space, struct uuid id)
{
    const void *item = NULL;
    assert_int_equal(get_item(loop, space, id, &item), ERROR_NONE);
    return *(const struct item *)item;
}

/* Reads within the turn: the turn of `loop` goes on after it. */
static enum error get_in_turn(struct loop *loop, struct uuid space, struct uuid id)
{
    struct store_item_get op = {.resource = fixture_resource, .space = space, .id = id};
    loop_begin(loop, &op.op);
    loop->engine->item_get(&op);
    if (loop->running > 0)
        loop_finish(loop);
    return op.op.result;
}

/* A loop that has read in this turn reads, in the same turn, what another was told since. */
static void test_reads_see_what_was_answered(void **pointer)
{
    struct contract_state *state = *pointer;
    struct loop a;
    struct loop b;
    loop_open(&a, state->contract->engine, state->store);
    loop_open(&b, state->contract->engine, state->store);
    struct uuid ann = make_user(&a, "ann");
    for (int i = 0; i < 50; i++) {
        struct uuid id = uuid_make_v7();
        assert_int_equal(get_in_turn(&b, ann, id), ERROR_NOT_FOUND);
        struct write write = write_of(STORE_REPLACE, ann, id, TEST_NOW);
        assert_int_equal(write_run(&a, &write), ERROR_NONE);
        assert_int_equal(get_in_turn(&b, ann, id), ERROR_NONE);
    }
    b.engine->turn_end(b.session);
    loop_close(&a);
    loop_close(&b);
}

/* More than the queue holds: those beyond are refused at once, the others are done. */
static void test_full_queue(void **pointer)
{
    struct contract_state *state = *pointer;
    enum { EXTRA = 7 };
    struct loop loop;
    loop_open(&loop, state->contract->engine, state->store);
    struct uuid ann = make_user(&loop, "ann");
    const unsigned count = CONTRACT_QUEUE_MOST + EXTRA;
    struct write *writes = calloc(count, sizeof *writes);
    assert_non_null(writes);
    unsigned refused = 0;
    for (unsigned i = 0; i < count; i++) {
        writes[i] = write_of(STORE_CREATE, ann, uuid_make_v7(), TEST_NOW);
        write_begin(&loop, &writes[i]);
    }
    loop_finish(&loop);
    assert_int_equal(loop.answered, 1 + count);
    for (unsigned i = 0; i < count; i++) {
        const enum error result = writes[i].op.op.result;
        refused += result == ERROR_OVERLOADED;
        assert_int_equal(result, i < CONTRACT_QUEUE_MOST ? ERROR_NONE : ERROR_OVERLOADED);
    }
    assert_int_equal(refused, EXTRA);
    assert_int_equal(existing_item(&loop, ann, writes[CONTRACT_QUEUE_MOST - 1].op.id).revision,
                     CONTRACT_QUEUE_MOST);
    (void)make_item(&loop, ann, 0, TEST_NOW); /* the queue is free again */
    free(writes);
    loop_close(&loop);
}

/* An operation that the database itself refuses does not touch its neighbours. */
static void test_one_failure_is_alone(void **pointer)
{
    struct contract_state *state = *pointer;
    struct loop loop;
    loop_open(&loop, state->contract->engine, state->store);
    struct uuid ann = make_user(&loop, "ann");
    struct write there = write_of(STORE_CREATE, ann, uuid_make_v7(), TEST_NOW);
    assert_int_equal(write_run(&loop, &there), ERROR_NONE);
    struct write writes[9];
    for (unsigned i = 0; i < 9; i++) {
        /* a second item under one id */
        struct uuid id = i % 3 == 1 ? there.op.id : uuid_make_v7();
        writes[i] = write_of(STORE_CREATE, ann, id, TEST_NOW);
        sample_item(&writes[i].values, 1);
        write_begin(&loop, &writes[i]);
    }
    loop_finish(&loop);
    unsigned taken = 0; /* bit (1 << revision) */
    for (unsigned i = 0; i < 9; i++) {
        if (i % 3 == 1) {
            assert_int_equal(writes[i].op.op.result, ERROR_INTERNAL_ERROR);
            continue;
        }
        assert_int_equal(writes[i].op.op.result, ERROR_NONE);
        assert_in_range(writes[i].op.revision, 2, 7);
        taken |= 1u << writes[i].op.revision;
        assert_int_equal(existing_item(&loop, ann, writes[i].op.id).revision,
                         writes[i].op.revision);
    }
    assert_int_equal(taken, 0xfc); /* each once, no gap */
    const void *item = NULL;
    assert_int_equal(get_item(&loop, ann, there.op.id, &item), ERROR_NONE);
    assert_int_equal(resource_differ(fixture_resource, item, there.op.item), 0);
    assert_int_equal(state->contract->number("SELECT count(*) FROM journal"), 7);
    loop_close(&loop);
}

/* A handler may ask again while it is being answered. */
struct chain {
    struct store_item_get op;
    struct loop *loop;
    struct chain *inner;
    unsigned differ; /* from what it should be; the item lives only while it is answered */
    struct fixture_item wanted;
};

static void on_chained(struct store_op *op)
{
    struct chain *chain = (struct chain *)op;
    if (chain->inner) {
        chain->inner->op.op =
            (struct store_op){.session = op->session, .arena = op->arena, .done = on_chained};
        chain->loop->engine->item_get(&chain->inner->op);
    }
    chain->differ =
        resource_differ(fixture_resource, chain->op.item, &chain->wanted) & fixture_settable();
    chain->loop->running--;
}

static void test_asking_while_answered(void **pointer)
{
    struct contract_state *state = *pointer;
    struct loop loop;
    struct chain chains[2];
    loop_open(&loop, state->contract->engine, state->store);
    struct uuid ann = make_user(&loop, "ann");
    for (unsigned i = 0; i < 2; i++) {
        const struct item item = make_item(&loop, ann, i, TEST_NOW);
        chains[i] = (struct chain){
            .op = {.resource = fixture_resource, .space = ann, .id = item.id},
            .loop = &loop,
            .inner = i == 0 ? &chains[1] : NULL,
            .differ = UINT32_MAX,
        };
        sample_item(&chains[i].wanted, i);
    }
    chains[0].op.op =
        (struct store_op){.session = loop.session, .arena = loop.arena, .done = on_chained};
    loop.running = 2;
    loop.engine->item_get(&chains[0].op);
    loop_finish(&loop);
    assert_int_equal(chains[0].differ, 0);
    assert_int_equal(chains[1].differ, 0);
    loop_close(&loop);
}

/* ---- several loops on threads of their own ---- */

#define THREADS 3
#define ROUNDS  60
#define BURST   8

struct worker {
    const struct contract_state *state;
    struct uuid user;
    struct uuid shared; /* an item all change */
    atomic_int_fast64_t *newest;
    pthread_t thread;
    unsigned wrong;
};

/* Writes, and checks that what was answered can be read, and that nobody reads what is older than
 * an answer that somebody had before. Counts what is wrong: asserting is the main thread's. */
static void work_once(struct worker *worker, struct loop *loop, int64_t round)
{
    struct write writes[BURST];
    for (unsigned i = 0; i < BURST; i++) {
        writes[i] = write_of(STORE_CREATE, worker->user, uuid_make_v7(), TEST_NOW + round);
        if (i == 0)
            writes[i] = write_of(STORE_UPDATE, worker->user, worker->shared, TEST_NOW + round);
        sample_item(&writes[i].values, (i + (unsigned)round) % 2);
        write_begin(loop, &writes[i]);
    }
    loop_finish(loop);
    for (unsigned i = 0; i < BURST; i++) {
        const void *item = NULL;
        int64_t before = atomic_load(worker->newest);
        worker->wrong += writes[i].op.op.result != ERROR_NONE;
        worker->wrong += get_item(loop, worker->user, writes[i].op.id, &item) != ERROR_NONE;
        const int64_t found = item ? ((const struct item *)item)->revision : 0;
        worker->wrong += found < writes[i].op.revision;
        if (i == 0) {
            worker->wrong += found < before;
            while (before < found && !atomic_compare_exchange_weak(worker->newest, &before, found))
                ;
        }
    }
    arena_reset(loop->arena);
}

static void *run_worker(void *context)
{
    struct worker *worker = context;
    struct loop loop;
    loop_open(&loop, worker->state->contract->engine, worker->state->store);
    for (int64_t round = 0; round < ROUNDS; round++)
        work_once(worker, &loop, round);
    loop_close(&loop);
    return NULL;
}

static void test_loops_together(void **pointer)
{
    struct contract_state *state = *pointer;
    struct loop loop;
    loop_open(&loop, state->contract->engine, state->store);
    struct uuid ann = make_user(&loop, "ann");
    const struct item shared = make_item(&loop, ann, 0, TEST_NOW);
    atomic_int_fast64_t newest = 0;
    struct worker workers[THREADS];
    for (unsigned i = 0; i < THREADS; i++) {
        workers[i] =
            (struct worker){.state = state, .user = ann, .shared = shared.id, .newest = &newest};
        assert_int_equal(pthread_create(&workers[i].thread, NULL, run_worker, &workers[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(workers[i].thread, NULL), 0);
        assert_int_equal(workers[i].wrong, 0);
    }
    /* Every change took one revision, none was lost: the next one says how many there were. Of the
     * changes of the shared task some set what was there already. */
    int64_t revision = make_item(&loop, ann, 0, TEST_NOW).revision;
    assert_in_range(revision, 2 + THREADS * ROUNDS * (BURST - 1), 2 + THREADS * ROUNDS * BURST);
    loop_close(&loop);
}

/* A session that is closed with writes on their way: they are made, and the rest goes on. */
static void test_close_with_writes_on_their_way(void **pointer)
{
    struct contract_state *state = *pointer;
    struct loop loop;
    struct loop other;
    loop_open(&loop, state->contract->engine, state->store);
    loop_open(&other, state->contract->engine, state->store);
    struct uuid ann = make_user(&loop, "ann");
    struct write writes[BURST];
    for (unsigned i = 0; i < BURST; i++) {
        writes[i] = write_of(STORE_CREATE, ann, uuid_make_v7(), TEST_NOW);
        write_begin(&other, &writes[i]);
    }
    loop_close(&other);
    for (unsigned i = 0; i < BURST; i++)
        (void)existing_item(&loop, ann, writes[i].op.id);
    loop_close(&loop);
}

static void test_kept_over_a_restart(void **pointer)
{
    struct contract_state *state = *pointer;
    char why[256];
    struct loop loop;
    loop_open(&loop, state->contract->engine, state->store);
    struct uuid ann = make_user(&loop, "ann");
    const struct item made = make_item(&loop, ann, 1, TEST_NOW);
    loop_close(&loop);
    state->contract->engine->close(&state->store);
    state->store = state->contract->engine->open(&state->options, why, sizeof why);
    assert_non_null(state->store);
    loop_open(&loop, state->contract->engine, state->store);
    assert_int_equal(existing_item(&loop, ann, made.id).revision, made.revision);
    assert_int_equal(make_item(&loop, ann, 0, TEST_NOW).revision, made.revision + 1);
    struct store_health health = {0};
    loop.engine->health(state->store, &health);
    assert_true(health.reachable && health.migrated && health.writable);
    loop_close(&loop);
}

int store_contract_loops(void)
{
    const struct CMUnitTest tests[] = {
        CONTRACT_TEST(test_reads_see_what_was_answered),
        CONTRACT_TEST(test_full_queue),
        CONTRACT_TEST(test_one_failure_is_alone),
        CONTRACT_TEST(test_asking_while_answered),
        CONTRACT_TEST(test_loops_together),
        CONTRACT_TEST(test_close_with_writes_on_their_way),
        CONTRACT_TEST(test_kept_over_a_restart),
    };
    return cmocka_run_group_tests_name("store: loops", tests, NULL, NULL);
}
