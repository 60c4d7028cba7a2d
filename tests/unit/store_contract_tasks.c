// SPDX-License-Identifier: MIT
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "store_contract.h"
#include "store_contract_parts.h"
#include "store_fixture.h"

static enum store_outcome run(struct loop *loop, struct store_task_write *op)
{
    assert_int_equal(LOOP_CALL(loop, task_write, op), ERROR_NONE);
    return op->outcome;
}

static void assert_same(const struct task *a, const struct task *b)
{
    assert_true(uuid_eq(a->id, b->id));
    assert_true(slice_eq(a->title, b->title));
    assert_true(slice_eq(a->description, b->description));
    assert_int_equal(a->description.ptr == NULL, b->description.ptr == NULL);
    assert_int_equal(a->status, b->status);
    assert_int_equal(a->created_at, b->created_at);
    assert_int_equal(a->updated_at, b->updated_at);
    assert_int_equal(a->completed_at, b->completed_at);
    assert_int_equal(a->revision, b->revision);
}

static void test_create_and_get(void **state)
{
    struct loop loop;
    contract_open_loop(state, &loop);
    struct uuid ann = make_user(&loop, "ann");
    struct store_task_write op = task_write(STORE_TASK_CREATE, ann, uuid_make_v7(), TEST_NOW);
    op.change =
        (struct task_change){TASK_ALL, SLICE("a\xf0\x9f\x98\x80"), SLICE(""), TASK_COMPLETED};
    assert_int_equal(run(&loop, &op), STORE_CREATED);
    assert_int_equal(op.task.revision, 1);
    assert_int_equal(op.task.created_at, TEST_NOW);
    assert_int_equal(op.task.updated_at, TEST_NOW);
    assert_int_equal(op.task.completed_at, TEST_NOW);
    assert_int_equal(op.task.status, TASK_COMPLETED);
    assert_false(op.replayed);
    struct task task;
    assert_int_equal(get_task(&loop, ann, op.id, &task), ERROR_NONE);
    assert_same(&task, &op.task);
    assert_non_null(task.description.ptr); /* empty is not null */

    struct task second = make_task(&loop, ann, "second", TEST_NOW + 1);
    assert_int_equal(second.revision, 2);
    assert_int_equal(get_task(&loop, ann, second.id, &task), ERROR_NONE);
    assert_null(task.description.ptr);
    assert_int_equal(task.completed_at, 0);
    loop_close(&loop);
}

static void test_owner(void **state)
{
    struct loop loop;
    contract_open_loop(state, &loop);
    struct uuid ann = make_user(&loop, "ann");
    struct uuid bob = make_user(&loop, "bob");
    struct task task = make_task(&loop, ann, "hers", TEST_NOW);
    struct task found;
    assert_int_equal(get_task(&loop, bob, task.id, &found), ERROR_NOT_FOUND);
    struct store_task_write op = task_write(STORE_TASK_PATCH, bob, task.id, TEST_NOW);
    assert_int_equal(run(&loop, &op), STORE_NOT_FOUND);
    op = task_write(STORE_TASK_DELETE, bob, task.id, TEST_NOW);
    assert_int_equal(run(&loop, &op), STORE_NOT_FOUND);
    /* The same id may be his too: it is another task. */
    op = task_write(STORE_TASK_REPLACE, bob, task.id, TEST_NOW);
    assert_int_equal(run(&loop, &op), STORE_CREATED);
    assert_int_equal(op.task.revision, 1);
    assert_int_equal(get_task(&loop, ann, task.id, &found), ERROR_NONE);
    assert_same(&found, &task);
    op = task_write(STORE_TASK_PATCH, uuid_make_v7(), task.id, TEST_NOW);
    assert_int_equal(LOOP_CALL(&loop, task_write, &op), ERROR_NOT_FOUND);
    loop_close(&loop);
}

static void test_patch(void **state)
{
    struct loop loop;
    contract_open_loop(state, &loop);
    struct uuid ann = make_user(&loop, "ann");
    struct task made = make_task(&loop, ann, "one", TEST_NOW);
    struct store_task_write op = task_write(STORE_TASK_PATCH, ann, made.id, TEST_NOW + 10);
    op.change = (struct task_change){.set = TASK_STATUS, .status = TASK_COMPLETED};
    assert_int_equal(run(&loop, &op), STORE_UPDATED);
    assert_int_equal(op.task.revision, 2);
    assert_int_equal(op.task.updated_at, TEST_NOW + 10);
    assert_int_equal(op.task.completed_at, TEST_NOW + 10);
    assert_int_equal(op.task.created_at, TEST_NOW);
    assert_true(slice_eq(op.task.title, SLICE("one")));
    struct task task;
    assert_int_equal(get_task(&loop, ann, made.id, &task), ERROR_NONE);
    assert_same(&task, &op.task);

    /* The same again changes nothing, and takes no revision. */
    op.now = TEST_NOW + 20;
    assert_int_equal(run(&loop, &op), STORE_UPDATED);
    assert_int_equal(op.task.revision, 2);
    assert_int_equal(op.task.updated_at, TEST_NOW + 10);
    op.change = (struct task_change){.set = TASK_STATUS, .status = TASK_PENDING};
    assert_int_equal(run(&loop, &op), STORE_UPDATED);
    assert_int_equal(op.task.revision, 3);
    assert_int_equal(op.task.completed_at, 0);
    loop_close(&loop);
}

static void test_replace(void **state)
{
    struct loop loop;
    contract_open_loop(state, &loop);
    struct uuid ann = make_user(&loop, "ann");
    struct uuid id = uuid_make_v7();
    struct store_task_write op = task_write(STORE_TASK_REPLACE, ann, id, TEST_NOW);
    op.change.description = SLICE("text");
    assert_int_equal(run(&loop, &op), STORE_CREATED);
    op = task_write(STORE_TASK_REPLACE, ann, id, TEST_NOW + 1);
    assert_int_equal(run(&loop, &op), STORE_UPDATED);
    assert_int_equal(op.task.revision, 2);
    assert_int_equal(op.task.created_at, TEST_NOW);
    assert_null(op.task.description.ptr);
    struct task task;
    assert_int_equal(get_task(&loop, ann, id, &task), ERROR_NONE);
    assert_same(&task, &op.task);
    loop_close(&loop);
}

static void test_delete_and_come_again(void **state)
{
    struct loop loop;
    contract_open_loop(state, &loop);
    struct uuid ann = make_user(&loop, "ann");
    struct task made = make_task(&loop, ann, "one", TEST_NOW);
    struct store_task_write op = task_write(STORE_TASK_DELETE, ann, made.id, TEST_NOW + 1);
    struct task task;
    for (int round = 0; round < 2; round++) {
        op = task_write(STORE_TASK_DELETE, ann, made.id, TEST_NOW + 1);
        assert_int_equal(run(&loop, &op), STORE_DELETED);
        assert_int_equal(get_task(&loop, ann, made.id, &task), ERROR_NOT_FOUND);
        assert_int_equal(run(&loop, &op), STORE_NOT_FOUND);
        op = task_write(STORE_TASK_PATCH, ann, made.id, TEST_NOW + 2);
        assert_int_equal(run(&loop, &op), STORE_NOT_FOUND);
        op = task_write(STORE_TASK_REPLACE, ann, made.id, TEST_NOW + 3);
        assert_int_equal(run(&loop, &op), STORE_CREATED);
        assert_int_equal(op.task.revision, 3 + 2 * round); /* a deletion takes one too */
        assert_int_equal(op.task.created_at, TEST_NOW + 3);
    }
    loop_close(&loop);
}

/* ---- preconditions ---- */

static void test_preconditions(void **state)
{
    struct loop loop;
    contract_open_loop(state, &loop);
    const struct store_precondition none = {0};
    const struct store_precondition any = {.match = {.present = true, .any = true}};
    const struct store_precondition good = {.match = {.present = true, .count = 2, .list = {7, 1}}};
    const struct store_precondition bad = {.match = {.present = true, .count = 1, .list = {7}}};
    const struct store_precondition empty = {.match = {.present = true}};
    const struct store_precondition fresh = {.none_match = {.present = true, .any = true}};
    const struct store_precondition other = {
        .none_match = {.present = true, .count = 1, .list = {7}}};
    const struct store_precondition first = {
        .none_match = {.present = true, .count = 1, .list = {1}}};
    const struct {
        enum store_task_verb verb;
        bool exists;
        struct store_precondition precondition;
        enum store_outcome outcome;
    } cases[] = {
        {STORE_TASK_PATCH, true, none, STORE_UPDATED},
        {STORE_TASK_PATCH, true, any, STORE_UPDATED},
        {STORE_TASK_PATCH, true, good, STORE_UPDATED},
        {STORE_TASK_PATCH, true, bad, STORE_PRECONDITION_FAILED},
        {STORE_TASK_PATCH, true, empty, STORE_PRECONDITION_FAILED},
        {STORE_TASK_PATCH, true, other, STORE_UPDATED},
        {STORE_TASK_PATCH, true, first, STORE_PRECONDITION_FAILED},
        {STORE_TASK_PATCH, true, fresh, STORE_PRECONDITION_FAILED},
        {STORE_TASK_PATCH, false, any, STORE_NOT_FOUND},
        {STORE_TASK_PATCH, false, bad, STORE_NOT_FOUND},
        {STORE_TASK_DELETE, true, good, STORE_DELETED},
        {STORE_TASK_DELETE, true, bad, STORE_PRECONDITION_FAILED},
        {STORE_TASK_DELETE, true, first, STORE_PRECONDITION_FAILED},
        {STORE_TASK_DELETE, true, other, STORE_DELETED},
        {STORE_TASK_DELETE, false, bad, STORE_NOT_FOUND},
        {STORE_TASK_REPLACE, true, good, STORE_UPDATED},
        {STORE_TASK_REPLACE, true, bad, STORE_PRECONDITION_FAILED},
        {STORE_TASK_REPLACE, true, fresh, STORE_PRECONDITION_FAILED},
        {STORE_TASK_REPLACE, false, fresh, STORE_CREATED},
        {STORE_TASK_REPLACE, false, any, STORE_PRECONDITION_FAILED},
        {STORE_TASK_REPLACE, false, bad, STORE_PRECONDITION_FAILED},
        {STORE_TASK_REPLACE, false, none, STORE_CREATED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char name[2] = {(char)('a' + i), '\0'};
        struct uuid user = make_user(&loop, name);
        struct uuid id = uuid_make_v7();
        if (cases[i].exists)
            id = make_task(&loop, user, "title", TEST_NOW).id;
        struct store_task_write op = task_write(cases[i].verb, user, id, TEST_NOW + 1);
        op.change.title = SLICE("changed");
        op.precondition = cases[i].precondition;
        assert_int_equal(run(&loop, &op), cases[i].outcome);
        struct task task;
        enum error found = get_task(&loop, user, id, &task);
        if (cases[i].outcome == STORE_PRECONDITION_FAILED) {
            assert_int_equal(op.task.revision, cases[i].exists ? 1 : 0);
            assert_int_equal(found, cases[i].exists ? ERROR_NONE : ERROR_NOT_FOUND);
        }
        if (found == ERROR_NONE && cases[i].outcome == STORE_PRECONDITION_FAILED)
            assert_true(slice_eq(task.title, SLICE("title")));
    }
    loop_close(&loop);
}

/* Many in one turn say If-Match of the same revision: exactly one wins. */
static void test_one_wins(void **state)
{
    struct loop loop;
    contract_open_loop(state, &loop);
    struct uuid ann = make_user(&loop, "ann");
    struct task made = make_task(&loop, ann, "one", TEST_NOW);
    struct store_task_write ops[16];
    unsigned won = 0;
    for (unsigned i = 0; i < 16; i++) {
        ops[i] = task_write(STORE_TASK_PATCH, ann, made.id, TEST_NOW + 1);
        ops[i].change.title = SLICE("changed");
        ops[i].precondition = (struct store_precondition){
            .match = {.present = true, .count = 1, .list = {made.revision}}};
        loop_begin(&loop, &ops[i].op);
        loop.engine->task_write(&ops[i]);
    }
    loop_finish(&loop);
    for (unsigned i = 0; i < 16; i++) {
        won += ops[i].outcome == STORE_UPDATED;
        if (ops[i].outcome != STORE_UPDATED) {
            assert_int_equal(ops[i].outcome, STORE_PRECONDITION_FAILED);
            assert_int_equal(ops[i].task.revision, 2);
        }
    }
    assert_int_equal(won, 1);
    loop_close(&loop);
}

#define TURN 60

/* What one operation of a long turn is: three in a row of one user, then of the other. Some change
 * nothing; some must not be carried out. */
static struct store_task_write turn_write(unsigned i, const struct uuid users[2],
                                          const struct task made[2])
{
    const unsigned who = i / 3 % 2;
    if (i % 5 == 0) {
        struct store_task_write op =
            task_write(STORE_TASK_PATCH, users[who], made[who].id, TEST_NOW + 1);
        op.change.title = SLICE("first"); /* as it is */
        op.change.set = TASK_TITLE;
        return op;
    }
    if (i % 7 == 0)
        return task_write(STORE_TASK_DELETE, users[who], uuid_make_v7(), TEST_NOW + 1);
    struct store_task_write op =
        task_write(STORE_TASK_CREATE, users[who], uuid_make_v7(), TEST_NOW + 1);
    op.change.title = SLICE("more");
    return op;
}

/* In one turn, with another kind of write between them: each change takes the next revision of its
 * own user, and the last one is the user's. */
static void test_revisions_of_one_turn(void **state)
{
    struct loop loop;
    contract_open_loop(state, &loop);
    const struct uuid users[2] = {make_user(&loop, "ann"), make_user(&loop, "bob")};
    const struct task made[2] = {make_task(&loop, users[0], "first", TEST_NOW),
                                 make_task(&loop, users[1], "first", TEST_NOW)};
    struct store_task_write ops[TURN];
    struct store_user_rename rename = {.id = users[0], .name = SLICE("Ann"), .now = TEST_NOW};
    for (unsigned i = 0; i < TURN; i++) {
        ops[i] = turn_write(i, users, made);
        loop_begin(&loop, &ops[i].op);
        loop.engine->task_write(&ops[i]);
        if (i == TURN / 2) {
            loop_begin(&loop, &rename.op);
            loop.engine->user_rename(&rename);
        }
    }
    loop_finish(&loop);
    assert_int_equal(rename.op.result, ERROR_NONE);
    int64_t revisions[2] = {1, 1};
    for (unsigned i = 0; i < TURN; i++) {
        assert_int_equal(ops[i].op.result, ERROR_NONE);
        if (ops[i].outcome == STORE_CREATED)
            assert_int_equal(ops[i].task.revision, ++revisions[i / 3 % 2]);
    }
    for (unsigned who = 0; who < 2; who++) {
        struct task next = make_task(&loop, users[who], "next", TEST_NOW + 2);
        assert_true(revisions[who] > 10);
        assert_int_equal(next.revision, revisions[who] + 1);
    }
    loop_close(&loop);
}

/* A create may be bound to the list as it was seen. */
static void test_preconditions_of_a_create(void **state)
{
    struct loop loop;
    contract_open_loop(state, &loop);
    struct uuid ann = make_user(&loop, "ann");
    struct store_task_write op = task_write(STORE_TASK_CREATE, ann, uuid_make_v7(), TEST_NOW);
    op.precondition.match = (struct store_versions){.present = true, .count = 1, .list = {1}};
    assert_int_equal(run(&loop, &op), STORE_PRECONDITION_FAILED);
    assert_int_equal(op.task.revision, 0);
    op.precondition.match.list[0] = 0;
    assert_int_equal(run(&loop, &op), STORE_CREATED);
    assert_int_equal(op.task.revision, 1);
    op.id = uuid_make_v7();
    assert_int_equal(run(&loop, &op), STORE_PRECONDITION_FAILED);
    assert_int_equal(op.task.revision, 1);
    op.precondition = (struct store_precondition){.none_match = {.present = true, .any = true}};
    assert_int_equal(run(&loop, &op), STORE_PRECONDITION_FAILED);
    assert_int_equal(op.verdict, STORE_NONE_MATCH_FAILED);
    struct task task;
    assert_int_equal(get_task(&loop, ann, op.id, &task), ERROR_NOT_FOUND);
    loop_close(&loop);
}

/* ---- idempotency ---- */

static struct store_idempotency key_of(const char *key, uint8_t fill)
{
    struct store_idempotency idempotency = {.key = slice_of(key)};
    memset(idempotency.fingerprint, fill, sizeof idempotency.fingerprint);
    return idempotency;
}

static void test_create_twice_with_a_key(void **state)
{
    struct loop loop;
    contract_open_loop(state, &loop);
    struct uuid ann = make_user(&loop, "ann");
    struct store_task_write first = task_write(STORE_TASK_CREATE, ann, uuid_make_v7(), TEST_NOW);
    first.change.description = SLICE("text");
    first.change.status = TASK_COMPLETED;
    first.idempotency = key_of("k", 1);
    struct store_task_write again = first;
    again.id = uuid_make_v7();
    again.now = TEST_NOW + 5;
    loop_begin(&loop, &first.op);
    loop.engine->task_write(&first);
    loop_begin(&loop, &again.op);
    loop.engine->task_write(&again); /* in the same turn */
    loop_finish(&loop);
    assert_int_equal(first.outcome, STORE_CREATED);
    assert_false(first.replayed);
    assert_int_equal(again.outcome, STORE_CREATED);
    assert_true(again.replayed);
    assert_same(&again.task, &first.task);
    struct task task;
    assert_int_equal(get_task(&loop, ann, again.id, &task), ERROR_NOT_FOUND);

    /* What was answered is kept, whatever becomes of the task. */
    struct store_task_write patch = task_write(STORE_TASK_PATCH, ann, first.id, TEST_NOW + 6);
    patch.change.title = SLICE("changed");
    assert_int_equal(run(&loop, &patch), STORE_UPDATED);
    assert_int_equal(run(&loop, &again), STORE_CREATED);
    assert_same(&again.task, &first.task);

    /* Another request under the key; another user's key; another key. */
    again.idempotency = key_of("k", 2);
    assert_int_equal(run(&loop, &again), STORE_KEY_REUSED);
    struct uuid bob = make_user(&loop, "bob");
    again.user = bob;
    again.id = uuid_make_v7();
    assert_int_equal(run(&loop, &again), STORE_CREATED);
    assert_false(again.replayed);
    again.user = ann;
    again.id = uuid_make_v7();
    again.idempotency = key_of("K", 2);
    assert_int_equal(run(&loop, &again), STORE_CREATED);
    assert_false(again.replayed);
    loop_close(&loop);
}

/* A clock that is set back, or another node's that is behind, puts no time before an earlier one.
 */
static void test_times_of_a_task_go_forward(void **state)
{
    struct loop loop;
    contract_open_loop(state, &loop);
    struct uuid ann = make_user(&loop, "ann");
    struct task made = make_task(&loop, ann, "one", TEST_NOW);
    struct store_task_write op = task_write(STORE_TASK_PATCH, ann, made.id, TEST_NOW - 5000);
    op.change = (struct task_change){.set = TASK_STATUS, .status = TASK_COMPLETED};
    assert_int_equal(run(&loop, &op), STORE_UPDATED);
    assert_int_equal(op.task.updated_at, TEST_NOW);
    assert_int_equal(op.task.completed_at, TEST_NOW);
    struct store_user_rename rename = {.id = ann, .name = SLICE("Ann"), .now = 1};
    assert_int_equal(LOOP_CALL(&loop, user_rename, &rename), ERROR_NONE);
    assert_true(rename.user.updated_at >= rename.user.created_at);
    struct store_user_get get = {.id = ann};
    assert_int_equal(LOOP_CALL(&loop, user_get, &get), ERROR_NONE);
    assert_int_equal(get.user.updated_at, rename.user.updated_at);
    loop_close(&loop);
}

/* However far the clock was stepped: a repeat makes no second task. */
static void test_key_outlives_a_step(void **state)
{
    struct loop loop;
    contract_open_loop(state, &loop);
    struct uuid ann = make_user(&loop, "ann");
    struct store_task_write op = task_write(STORE_TASK_CREATE, ann, uuid_make_v7(), TEST_NOW);
    op.idempotency = key_of("k", 1);
    assert_int_equal(run(&loop, &op), STORE_CREATED);
    op.id = uuid_make_v7();
    op.now = TEST_NOW + 40 * INT64_C(86400000);
    assert_int_equal(run(&loop, &op), STORE_CREATED);
    assert_true(op.replayed);
    loop_close(&loop);
}

static void test_key_lives_a_day(void **state)
{
    struct loop loop;
    contract_open_loop(state, &loop);
    struct uuid ann = make_user(&loop, "ann");
    struct store_task_write op = task_write(STORE_TASK_CREATE, ann, uuid_make_v7(), TEST_NOW);
    op.idempotency = key_of("k", 1);
    assert_int_equal(run(&loop, &op), STORE_CREATED);
    op.id = uuid_make_v7();
    op.steady = TEST_NOW + INT64_C(86400000) - 1;
    assert_int_equal(run(&loop, &op), STORE_CREATED);
    assert_true(op.replayed);
    op.steady = TEST_NOW + INT64_C(86400000);
    op.idempotency = key_of("k", 2);
    assert_int_equal(run(&loop, &op), STORE_CREATED);
    assert_false(op.replayed);
    assert_int_equal(run(&loop, &op), STORE_CREATED);
    assert_true(op.replayed);
    loop_close(&loop);
}

/* What was done is kept; what was refused is judged afresh, and another content may follow. */
static void test_what_is_kept(void **state)
{
    struct loop loop;
    contract_open_loop(state, &loop);
    struct uuid ann = make_user(&loop, "ann");
    struct task made = make_task(&loop, ann, "one", TEST_NOW);

    struct store_task_write failed = task_write(STORE_TASK_PATCH, ann, made.id, TEST_NOW);
    failed.precondition = (struct store_precondition){.match = {.present = true}};
    failed.idempotency = key_of("failed", 1);
    assert_int_equal(run(&loop, &failed), STORE_PRECONDITION_FAILED);

    struct store_task_write patch = task_write(STORE_TASK_PATCH, ann, made.id, TEST_NOW + 1);
    patch.idempotency = key_of("patch", 1);
    assert_int_equal(run(&loop, &patch), STORE_UPDATED);
    struct task patched = patch.task;
    assert_int_equal(patched.revision, 2);

    struct store_task_write removal = task_write(STORE_TASK_DELETE, ann, made.id, TEST_NOW + 2);
    removal.idempotency = key_of("removal", 1);
    assert_int_equal(run(&loop, &removal), STORE_DELETED);
    assert_false(removal.replayed);

    struct store_task_write absent = task_write(STORE_TASK_PATCH, ann, made.id, TEST_NOW + 3);
    absent.idempotency = key_of("absent", 1);
    assert_int_equal(run(&loop, &absent), STORE_NOT_FOUND);

    struct store_task_write back = task_write(STORE_TASK_REPLACE, ann, made.id, TEST_NOW + 4);
    assert_int_equal(run(&loop, &back), STORE_CREATED);

    assert_int_equal(run(&loop, &patch), STORE_UPDATED);
    assert_true(patch.replayed);
    assert_same(&patch.task, &patched);
    assert_int_equal(run(&loop, &removal), STORE_DELETED);
    assert_true(removal.replayed);
    struct task task;
    assert_int_equal(get_task(&loop, ann, made.id, &task), ERROR_NONE);
    assert_same(&task, &back.task);

    assert_int_equal(run(&loop, &failed), STORE_PRECONDITION_FAILED);
    assert_int_equal(failed.task.revision, back.task.revision);
    assert_false(failed.replayed);
    failed.precondition.match = (struct store_versions){.present = true, .any = true};
    memset(failed.idempotency.fingerprint, 2, sizeof failed.idempotency.fingerprint);
    assert_int_equal(run(&loop, &failed), STORE_UPDATED);
    assert_false(failed.replayed);
    assert_int_equal(run(&loop, &absent), STORE_UPDATED);
    assert_false(absent.replayed);
    loop_close(&loop);
}

int store_contract_tasks(void)
{
    const struct CMUnitTest tests[] = {
        CONTRACT_TEST(test_create_and_get),
        CONTRACT_TEST(test_owner),
        CONTRACT_TEST(test_patch),
        CONTRACT_TEST(test_replace),
        CONTRACT_TEST(test_delete_and_come_again),
        CONTRACT_TEST(test_preconditions),
        CONTRACT_TEST(test_preconditions_of_a_create),
        CONTRACT_TEST(test_one_wins),
        CONTRACT_TEST(test_revisions_of_one_turn),
        CONTRACT_TEST(test_create_twice_with_a_key),
        CONTRACT_TEST(test_key_lives_a_day),
        CONTRACT_TEST(test_key_outlives_a_step),
        CONTRACT_TEST(test_times_of_a_task_go_forward),
        CONTRACT_TEST(test_what_is_kept),
    };
    return cmocka_run_group_tests_name("store: tasks", tests, NULL, NULL);
}
