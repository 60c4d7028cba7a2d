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

static struct task existing_task(struct loop *loop, struct uuid user, struct uuid id)
{
    struct task task;
    assert_int_equal(get_task(loop, user, id, &task), ERROR_NONE);
    return task;
}

/* Reads within the turn: the turn of `loop` goes on behind it. */
static enum error get_in_turn(struct loop *loop, struct uuid user, struct uuid id)
{
    struct store_task_get op = {.user = user, .id = id};
    loop_begin(loop, &op.op);
    loop->engine->task_get(&op);
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
        struct store_task_write op = task_write(STORE_TASK_REPLACE, ann, id, TEST_NOW);
        assert_int_equal(LOOP_CALL(&a, task_write, &op), ERROR_NONE);
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
    struct store_task_write *ops = calloc(count, sizeof *ops);
    assert_non_null(ops);
    unsigned refused = 0;
    for (unsigned i = 0; i < count; i++) {
        ops[i] = task_write(STORE_TASK_CREATE, ann, uuid_make_v7(), TEST_NOW);
        loop_begin(&loop, &ops[i].op);
        loop.engine->task_write(&ops[i]);
    }
    loop_finish(&loop);
    assert_int_equal(loop.answered, 1 + count);
    for (unsigned i = 0; i < count; i++) {
        refused += ops[i].op.result == ERROR_OVERLOADED;
        assert_int_equal(ops[i].op.result, i < CONTRACT_QUEUE_MOST ? ERROR_NONE : ERROR_OVERLOADED);
    }
    assert_int_equal(refused, EXTRA);
    assert_int_equal(existing_task(&loop, ann, ops[CONTRACT_QUEUE_MOST - 1].id).revision,
                     CONTRACT_QUEUE_MOST);
    (void)make_task(&loop, ann, "the queue is free again", TEST_NOW);
    free(ops);
    loop_close(&loop);
}

/* An operation that the database itself refuses does not touch its neighbours. */
static void test_one_failure_is_alone(void **pointer)
{
    struct contract_state *state = *pointer;
    struct loop loop;
    loop_open(&loop, state->contract->engine, state->store);
    struct uuid ann = make_user(&loop, "ann");
    struct task there = make_task(&loop, ann, "there", TEST_NOW);
    struct store_task_write ops[9];
    for (unsigned i = 0; i < 9; i++) {
        struct uuid id = i % 3 == 1 ? there.id : uuid_make_v7(); /* a second task under one id */
        ops[i] = task_write(STORE_TASK_CREATE, ann, id, TEST_NOW);
        loop_begin(&loop, &ops[i].op);
        loop.engine->task_write(&ops[i]);
    }
    loop_finish(&loop);
    unsigned taken = 0; /* bit (1 << revision) */
    for (unsigned i = 0; i < 9; i++) {
        if (i % 3 == 1) {
            assert_int_equal(ops[i].op.result, ERROR_INTERNAL_ERROR);
            continue;
        }
        assert_int_equal(ops[i].op.result, ERROR_NONE);
        assert_in_range(ops[i].task.revision, 2, 7);
        taken |= 1u << ops[i].task.revision;
        assert_int_equal(existing_task(&loop, ann, ops[i].id).revision, ops[i].task.revision);
    }
    assert_int_equal(taken, 0xfc); /* each once, no gap */
    assert_true(slice_eq(existing_task(&loop, ann, there.id).title, SLICE("there")));
    loop_close(&loop);
}

/* A handler may ask again while it is being answered. */
struct chain {
    struct store_task_get op;
    struct loop *loop;
    struct chain *inner;
    char title[16]; /* the task's texts live only while it is answered */
};

static void on_chained(struct store_op *op)
{
    struct chain *chain = (struct chain *)op;
    if (chain->inner) {
        chain->inner->op.op =
            (struct store_op){.session = op->session, .arena = op->arena, .done = on_chained};
        chain->loop->engine->task_get(&chain->inner->op);
    }
    memcpy(chain->title, chain->op.task.title.ptr, chain->op.task.title.len);
    chain->loop->running--;
}

static void test_asking_while_answered(void **pointer)
{
    struct contract_state *state = *pointer;
    struct loop loop;
    loop_open(&loop, state->contract->engine, state->store);
    struct uuid ann = make_user(&loop, "ann");
    struct task one = make_task(&loop, ann, "one", TEST_NOW);
    struct task two = make_task(&loop, ann, "two", TEST_NOW);
    struct chain inner = {.op = {.user = ann, .id = two.id}, .loop = &loop};
    struct chain outer = {.op = {.user = ann, .id = one.id}, .loop = &loop, .inner = &inner};
    outer.op.op =
        (struct store_op){.session = loop.session, .arena = loop.arena, .done = on_chained};
    loop.running = 2;
    loop.engine->task_get(&outer.op);
    loop_finish(&loop);
    assert_string_equal(outer.title, "one");
    assert_string_equal(inner.title, "two");
    loop_close(&loop);
}

/* ---- several loops on threads of their own ---- */

#define THREADS 3
#define ROUNDS  60
#define BURST   8

struct worker {
    const struct contract_state *state;
    struct uuid user;
    struct uuid shared; /* a task all change */
    atomic_int_fast64_t *newest;
    pthread_t thread;
    unsigned wrong;
};

/* Writes, and checks that what was answered can be read, and that nobody reads what is older than
 * an answer that somebody had before. Counts what is wrong: asserting is the main thread's. */
static void work_once(struct worker *worker, struct loop *loop, int64_t round)
{
    struct store_task_write ops[BURST];
    for (unsigned i = 0; i < BURST; i++) {
        ops[i] = task_write(STORE_TASK_CREATE, worker->user, uuid_make_v7(), TEST_NOW + round);
        if (i == 0)
            ops[i] = task_write(STORE_TASK_PATCH, worker->user, worker->shared, TEST_NOW + round);
        ops[i].change.title = i % 2 == (unsigned)round % 2 ? SLICE("even") : SLICE("odd");
        loop_begin(loop, &ops[i].op);
        loop->engine->task_write(&ops[i]);
    }
    loop_finish(loop);
    for (unsigned i = 0; i < BURST; i++) {
        struct store_task_get get = {.user = worker->user, .id = ops[i].id};
        int64_t before = atomic_load(worker->newest);
        worker->wrong += ops[i].op.result != ERROR_NONE;
        worker->wrong += LOOP_CALL(loop, task_get, &get) != ERROR_NONE;
        worker->wrong += get.task.revision < ops[i].task.revision;
        if (i == 0) {
            worker->wrong += get.task.revision < before;
            while (before < get.task.revision &&
                   !atomic_compare_exchange_weak(worker->newest, &before, get.task.revision))
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
    struct task shared = make_task(&loop, ann, "shared", TEST_NOW);
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
    int64_t revision = make_task(&loop, ann, "last", TEST_NOW).revision;
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
    struct store_task_write ops[BURST];
    for (unsigned i = 0; i < BURST; i++) {
        ops[i] = task_write(STORE_TASK_CREATE, ann, uuid_make_v7(), TEST_NOW);
        loop_begin(&other, &ops[i].op);
        other.engine->task_write(&ops[i]);
    }
    loop_close(&other);
    for (unsigned i = 0; i < BURST; i++)
        (void)existing_task(&loop, ann, ops[i].id);
    loop_close(&loop);
}

static void test_kept_over_a_restart(void **pointer)
{
    struct contract_state *state = *pointer;
    char why[256];
    struct loop loop;
    loop_open(&loop, state->contract->engine, state->store);
    struct uuid ann = make_user(&loop, "ann");
    struct task made = make_task(&loop, ann, "kept", TEST_NOW);
    loop_close(&loop);
    state->contract->engine->close(&state->store);
    state->store = state->contract->engine->open(&state->options, why, sizeof why);
    assert_non_null(state->store);
    loop_open(&loop, state->contract->engine, state->store);
    struct task task = existing_task(&loop, ann, made.id);
    assert_true(slice_eq(task.title, SLICE("kept")));
    assert_int_equal(make_task(&loop, ann, "next", TEST_NOW).revision, made.revision + 1);
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
