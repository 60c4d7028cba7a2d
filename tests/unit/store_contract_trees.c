// SPDX-License-Identifier: MIT
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <setjmp.h>

#include <cmocka.h>

#include "model/task_list.h"
#include "store_contract.h"
#include "store_contract_parts.h"
#include "store_fixture.h"

/* What changes with a task: what is below it, and what is in a list. */

#define MANY 300 /* more than an engine has in memory at once */

static unsigned bit(const char *name)
{
    return resource_field(&task_resource, slice_of(name))->bit;
}

static struct task *values_of(struct write *write)
{
    return (struct task *)(void *)write->values.bytes;
}

static int64_t number(void **state, const char *sql)
{
    const struct contract_state *contract = *state;
    return contract->contract->number(sql);
}

static void assert_counted(void **state)
{
    const struct contract_state *contract = *state;
    assert_int_equal(number(state, contract->contract->drift), 0);
    assert_int_equal(number(state, "SELECT count(*) FROM journal"),
                     number(state, "SELECT revision FROM spaces"));
}

/* A task below a parent, or in a list; either may be all zero. */
static struct uuid make_task(struct loop *loop, struct uuid space, struct uuid parent,
                             struct uuid list)
{
    struct write write = write_of(STORE_CREATE, space, uuid_make_v7(), TEST_NOW);
    values_of(&write)->parent_id = parent;
    values_of(&write)->list_id = list;
    write.op.set |= bit("parent_id") | bit("list_id");
    assert_int_equal(write_outcome(loop, &write), STORE_CREATED);
    arena_reset(loop->arena);
    return write.op.id;
}

static struct uuid make_list(struct loop *loop, struct uuid space)
{
    struct write write = write_of(STORE_CREATE, space, uuid_make_v7(), TEST_NOW);
    struct task_list *list = (struct task_list *)(void *)write.values.bytes;
    write.op.resource = &list_resource;
    resource_clear(&list_resource, list);
    list->name = SLICE("Household");
    write.op.set = resource_settable(&list_resource);
    assert_int_equal(write_outcome(loop, &write), STORE_CREATED);
    return write.op.id;
}

static const struct uuid nobody;

/* A root with MANY tasks below it, most of them below its first child. */
static struct uuid make_tree(struct loop *loop, struct uuid space, struct uuid list)
{
    const struct uuid root = make_task(loop, space, nobody, list);
    const struct uuid child = make_task(loop, space, root, nobody);
    for (unsigned i = 1; i < MANY; i++)
        (void)make_task(loop, space, i % 3 == 0 ? root : child, nobody);
    return root;
}

static void test_a_deletion_takes_all_below(void **state)
{
    struct loop loop;
    const struct uuid ann = contract_open_with_user(state, &loop);
    const struct uuid kept = make_task(&loop, ann, nobody, nobody);
    const struct uuid root = make_tree(&loop, ann, nobody);
    struct write write = write_of(STORE_DELETE, ann, root, TEST_NOW);
    write.op.idempotency.key = SLICE("k");
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(write_outcome(&loop, &write), STORE_DELETED);
        assert_int_equal(write.op.replayed, i == 1);
        assert_int_equal(write.op.revision, 1 + (MANY + 1) + 1);
    }
    assert_int_equal(number(state, "SELECT count(*) FROM tasks"), 1);
    assert_int_equal(number(state, "SELECT count(*) FROM journal WHERE verb = 4 AND "
                                   "before IS NOT NULL"),
                     MANY + 1);
    assert_int_equal(number(state, "SELECT revision FROM spaces"), 1 + 2 * (MANY + 1));
    const void *item = NULL;
    assert_int_equal(get_item(&loop, ann, kept, &item), ERROR_NONE);
    assert_counted(state);
    loop_close(&loop);
}

static void test_a_list_takes_all_below_along(void **state)
{
    struct loop loop;
    const struct uuid ann = contract_open_with_user(state, &loop);
    const struct uuid list = make_list(&loop, ann);
    const struct uuid root = make_tree(&loop, ann, nobody);
    struct write write = write_of(STORE_UPDATE, ann, root, TEST_NOW + 1);
    values_of(&write)->list_id = list;
    write.op.set = bit("list_id");
    assert_int_equal(write_outcome(&loop, &write), STORE_UPDATED);
    assert_int_equal(number(state, "SELECT count(*) FROM tasks WHERE list_id IS NOT NULL"),
                     MANY + 1);
    assert_int_equal(number(state, "SELECT count(DISTINCT revision) FROM tasks"), MANY + 1);
    assert_int_equal(write.op.revision, number(state, "SELECT min(revision) FROM tasks"));
    assert_counted(state);
    loop_close(&loop);
}

static void delete_list(struct loop *loop, struct uuid space, struct uuid list,
                        enum store_list_tasks tasks, enum store_outcome outcome)
{
    struct write write = write_of(STORE_DELETE, space, list, TEST_NOW + 2);
    write.op.resource = &list_resource;
    write.op.tasks = tasks;
    assert_int_equal(write_outcome(loop, &write), outcome);
    if (outcome == STORE_NOT_EMPTY)
        assert_int_equal(write.op.task_count, MANY + 2);
}

static void test_the_deletion_of_a_list(void **state)
{
    struct loop loop;
    const struct uuid ann = contract_open_with_user(state, &loop);
    for (unsigned i = 0; i < 2; i++) {
        const struct uuid list = make_list(&loop, ann);
        (void)make_tree(&loop, ann, list);
        (void)make_task(&loop, ann, nobody, list);
        delete_list(&loop, ann, list, STORE_TASKS_KEEP_LIST, STORE_NOT_EMPTY);
        delete_list(&loop, ann, list, i == 0 ? STORE_TASKS_TO_INBOX : STORE_TASKS_DELETE,
                    STORE_DELETED);
        assert_int_equal(number(state, "SELECT kind FROM journal ORDER BY revision DESC LIMIT 1"),
                         list_resource.kind);
        assert_int_equal(number(state, "SELECT count(*) FROM lists"), 0);
        assert_int_equal(number(state, "SELECT count(*) FROM tasks WHERE list_id IS NOT NULL"), 0);
        assert_int_equal(number(state, "SELECT count(*) FROM tasks"), MANY + 2);
        assert_counted(state);
    }
    loop_close(&loop);
}

/* Nothing of it is made when the space has no room for the lines of the journal. */
static void test_no_room_for_what_changes_along(void **state)
{
    struct contract_state *contract = *state;
    struct loop loop;
    char why[256];
    const struct uuid ann = contract_open_with_user(state, &loop);
    const struct uuid list = make_list(&loop, ann);
    const struct uuid root = make_tree(&loop, ann, nobody);
    loop_close(&loop);
    contract->contract->engine->close(&contract->store);
    contract->options.user_bytes_most = number(state, "SELECT bytes FROM spaces") + 1000;
    contract->store = contract->contract->engine->open(&contract->options, why, sizeof why);
    assert_non_null(contract->store);
    contract_open_loop(state, &loop);
    const int64_t revision = number(state, "SELECT revision FROM spaces");
    struct write write = write_of(STORE_UPDATE, ann, root, TEST_NOW + 1);
    values_of(&write)->list_id = list;
    write.op.set = bit("list_id");
    assert_int_equal(write_run(&loop, &write), ERROR_QUOTA_EXCEEDED);
    assert_int_equal(number(state, "SELECT revision FROM spaces"), revision);
    write = write_of(STORE_DELETE, ann, root, TEST_NOW + 1);
    assert_int_equal(write_outcome(&loop, &write), STORE_DELETED);
    assert_int_equal(number(state, "SELECT count(*) FROM tasks"), 0);
    assert_counted(state);
    loop_close(&loop);
}

int store_contract_trees(void)
{
    const struct CMUnitTest tests[] = {
        CONTRACT_TEST(test_a_deletion_takes_all_below),
        CONTRACT_TEST(test_a_list_takes_all_below_along),
        CONTRACT_TEST(test_the_deletion_of_a_list),
        CONTRACT_TEST(test_no_room_for_what_changes_along),
    };
    return cmocka_run_group_tests_name("store: trees", tests, NULL, NULL);
}
