// SPDX-License-Identifier: MIT
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <setjmp.h>

#include <cmocka.h>

#include "base/clock.h"
#include "model/task_list.h"
#include "store/decision.h"
#include "store_contract.h"
#include "store_contract_parts.h"
#include "store_fixture.h"

/* What was deleted: it comes back as it was, or goes for good. */

#define MANY 999 /* below one root */

static const struct uuid nobody;

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
    assert_int_equal(number(state, "SELECT count(DISTINCT revision) FROM journal"),
                     number(state, "SELECT max(revision) FROM journal"));
}

static struct uuid make_task(struct loop *loop, struct uuid space, struct uuid parent,
                             struct uuid list, struct slice waits)
{
    struct write write = write_of(STORE_CREATE, space, uuid_make_v7(), TEST_NOW);
    values_of(&write)->parent_id = parent;
    values_of(&write)->list_id = list;
    values_of(&write)->blocked_by = waits;
    write.op.set |= bit("parent_id") | bit("list_id") | bit("blocked_by");
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

/* `["ID"]`, until the next call. */
static struct slice waits_for(struct uuid id)
{
    static char text[FIELD_UUIDS_MOST(1)];
    memcpy(text, "[\"", 2);
    uuid_format(id, text + 2);
    memcpy(text + 2 + UUID_TEXT_LEN, "\"]", 2);
    return (struct slice){text, UUID_TEXT_LEN + 4};
}

static void wait_for(struct loop *loop, struct uuid space, struct uuid id, struct uuid other)
{
    struct write write = write_of(STORE_UPDATE, space, id, TEST_NOW);
    values_of(&write)->blocked_by = waits_for(other);
    write.op.set = bit("blocked_by");
    assert_int_equal(write_outcome(loop, &write), STORE_UPDATED);
}

static enum store_outcome run(struct loop *loop, enum store_verb verb, struct uuid space,
                              struct uuid id)
{
    struct write write = write_of(verb, space, id, TEST_NOW + 1);
    return write_outcome(loop, &write);
}

static const struct task *get_task(struct loop *loop, struct uuid space, struct uuid id)
{
    const void *item = NULL;
    const enum error error = get_item(loop, space, id, &item);
    assert_true(error == ERROR_NONE || error == ERROR_NOT_FOUND);
    return item;
}

/* How many tasks the trash lists, page by page. */
static unsigned listed(struct loop *loop, struct uuid space, unsigned limit)
{
    unsigned count = 0;
    struct store_trash_list page = {.space = space, .before = INT64_MAX, .limit = limit};
    do {
        assert_int_equal(LOOP_CALL(loop, trash_list, &page), ERROR_NONE);
        assert_true(page.count <= limit && (page.count > 0 || !page.more));
        for (unsigned i = 0; i < page.count; i++) {
            assert_true(page.items[i].revision < page.before);
            assert_true(page.items[i].deleted_at > 0 && page.items[i].task->title.len > 0);
            page.before = page.items[i].revision;
        }
        count += page.count;
        arena_reset(loop->arena);
    } while (page.more);
    return count;
}

static void test_a_task_comes_back(void **state)
{
    struct loop loop;
    const struct uuid ann = contract_open_with_user(state, &loop);
    const struct uuid list = make_list(&loop, ann);
    const struct uuid id = make_task(&loop, ann, nobody, list, SLICE("[]"));
    const struct task before = *get_task(&loop, ann, id);
    const struct slice position = {strndup(before.position.ptr, before.position.len),
                                   before.position.len};
    assert_int_equal(run(&loop, STORE_RESTORE, ann, id), STORE_NOT_FOUND);
    assert_int_equal(run(&loop, STORE_DELETE, ann, id), STORE_DELETED);
    assert_null(get_task(&loop, ann, id));
    assert_int_equal(listed(&loop, ann, 50), 1);
    struct write restore = write_of(STORE_RESTORE, ann, id, TEST_NOW + 2);
    restore.op.idempotency.key = SLICE("once");
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(write_outcome(&loop, &restore), STORE_UPDATED);
        assert_int_equal(restore.op.replayed, i == 1);
        assert_int_equal(restore.op.revision, 4);
    }
    const struct task *after = get_task(&loop, ann, id);
    assert_non_null(after);
    assert_true(slice_eq(after->position, position));
    assert_true(uuid_eq(after->list_id, list));
    assert_int_equal(after->created_at, before.created_at);
    assert_int_equal(after->revision, 4);
    assert_int_equal(number(state, "SELECT verb FROM journal WHERE revision = 4"), STORE_RESTORE);
    assert_int_equal(number(state, "SELECT previous FROM journal WHERE revision = 4"), 3);
    assert_int_equal(number(state, "SELECT count(*) FROM trash"), 0);
    assert_int_equal(run(&loop, STORE_RESTORE, ann, id), STORE_NOT_FOUND);
    assert_int_equal(run(&loop, STORE_PURGE, ann, id), STORE_NOT_FOUND);
    assert_counted(state);
    free((void *)(uintptr_t)position.ptr);
    loop_close(&loop);
}

/* A tree of as many as there may be goes and comes back, parents before what is below them. */
static void test_a_tree_comes_back(void **state)
{
    struct loop loop;
    const struct uuid ann = contract_open_with_user(state, &loop);
    const struct uuid root = make_task(&loop, ann, nobody, nobody, SLICE("[]"));
    const struct uuid child = make_task(&loop, ann, root, nobody, SLICE("[]"));
    for (unsigned i = 1; i < MANY; i++)
        (void)make_task(&loop, ann, i % 3 == 0 ? root : child, nobody, SLICE("[]"));
    assert_int_equal(run(&loop, STORE_DELETE, ann, root), STORE_DELETED);
    assert_int_equal(number(state, "SELECT count(*) FROM trash"), MANY + 1);
    assert_int_equal(number(state, "SELECT count(DISTINCT root) FROM trash"), 1);
    assert_int_equal(listed(&loop, ann, 100), MANY + 1);
    assert_int_equal(run(&loop, STORE_RESTORE, ann, root), STORE_UPDATED);
    assert_int_equal(number(state, "SELECT count(*) FROM tasks"), MANY + 1);
    assert_int_equal(number(state, "SELECT count(*) FROM trash"), 0);
    assert_int_equal(number(state, "SELECT count(*) FROM tasks t JOIN tasks p ON p.id = "
                                   "t.parent_id WHERE p.revision > t.revision"),
                     0);
    assert_counted(state);
    /* A child that comes back alone is a root; what was below it comes along. */
    assert_int_equal(run(&loop, STORE_DELETE, ann, root), STORE_DELETED);
    assert_int_equal(run(&loop, STORE_RESTORE, ann, child), STORE_UPDATED);
    assert_true(uuid_eq(get_task(&loop, ann, child)->parent_id, nobody));
    const int64_t below = number(state, "SELECT count(*) FROM tasks");
    assert_true(below > MANY / 2 && below < MANY);
    assert_int_equal(number(state, "SELECT count(*) FROM trash"), MANY + 1 - below);
    assert_counted(state);
    loop_close(&loop);
}

static void test_what_went_meanwhile_is_left_out(void **state)
{
    struct loop loop;
    const struct uuid ann = contract_open_with_user(state, &loop);
    const struct uuid list = make_list(&loop, ann);
    const struct uuid other = make_task(&loop, ann, nobody, nobody, SLICE("[]"));
    const struct uuid parent = make_task(&loop, ann, nobody, list, SLICE("[]"));
    const struct uuid child = make_task(&loop, ann, parent, list, waits_for(other));
    const struct uuid lowest = make_task(&loop, ann, child, list, waits_for(child));
    assert_int_equal(run(&loop, STORE_DELETE, ann, child), STORE_DELETED);
    assert_int_equal(run(&loop, STORE_DELETE, ann, parent), STORE_DELETED);
    assert_int_equal(run(&loop, STORE_DELETE, ann, other), STORE_DELETED);
    struct write gone = write_of(STORE_DELETE, ann, list, TEST_NOW);
    gone.op.resource = &list_resource;
    assert_int_equal(write_outcome(&loop, &gone), STORE_DELETED);
    assert_int_equal(run(&loop, STORE_RESTORE, ann, child), STORE_UPDATED);
    const struct task *task = get_task(&loop, ann, child);
    assert_true(uuid_eq(task->parent_id, nobody) && uuid_eq(task->list_id, nobody));
    assert_true(slice_eq(task->blocked_by, SLICE("[]")));
    task = get_task(&loop, ann, lowest);
    assert_true(uuid_eq(task->parent_id, child) && uuid_eq(task->list_id, nobody));
    assert_true(slice_eq(task->blocked_by, waits_for(child)));
    assert_counted(state);
    loop_close(&loop);
}

/* While it was away, what it waits for came to wait for what waits for it. */
static void test_no_circle(void **state)
{
    struct loop loop;
    const struct uuid ann = contract_open_with_user(state, &loop);
    const struct uuid first = make_task(&loop, ann, nobody, nobody, SLICE("[]"));
    const struct uuid task = make_task(&loop, ann, nobody, nobody, waits_for(first));
    const struct uuid last = make_task(&loop, ann, nobody, nobody, waits_for(task));
    assert_int_equal(run(&loop, STORE_DELETE, ann, task), STORE_DELETED);
    assert_int_equal(run(&loop, STORE_RESTORE, ann, task), STORE_UPDATED);
    assert_true(slice_eq(get_task(&loop, ann, task)->blocked_by, waits_for(first)));
    assert_int_equal(run(&loop, STORE_DELETE, ann, task), STORE_DELETED);
    wait_for(&loop, ann, first, last);
    assert_int_equal(run(&loop, STORE_RESTORE, ann, task), STORE_UPDATED);
    assert_true(slice_eq(get_task(&loop, ann, task)->blocked_by, SLICE("[]")));
    loop_close(&loop);
}

static void test_the_tasks_of_a_list(void **state)
{
    struct loop loop;
    const struct uuid ann = contract_open_with_user(state, &loop);
    const struct uuid list = make_list(&loop, ann);
    const struct uuid one = make_task(&loop, ann, nobody, list, SLICE("[]"));
    const struct uuid below = make_task(&loop, ann, one, list, SLICE("[]"));
    const struct uuid two = make_task(&loop, ann, nobody, list, SLICE("[]"));
    struct write gone = write_of(STORE_DELETE, ann, list, TEST_NOW);
    gone.op.resource = &list_resource;
    gone.op.tasks = STORE_TASKS_DELETE;
    assert_int_equal(write_outcome(&loop, &gone), STORE_DELETED);
    assert_int_equal(number(state, "SELECT count(*) FROM trash"), 3);
    assert_int_equal(number(state, "SELECT max(root) FROM trash"), gone.op.revision);
    assert_int_equal(run(&loop, STORE_RESTORE, ann, one), STORE_UPDATED);
    assert_true(uuid_eq(get_task(&loop, ann, below)->parent_id, one));
    assert_null(get_task(&loop, ann, two));
    assert_true(uuid_eq(get_task(&loop, ann, one)->list_id, nobody));
    assert_counted(state);
    loop_close(&loop);
}

static void test_an_id_is_used_again(void **state)
{
    struct loop loop;
    const struct uuid ann = contract_open_with_user(state, &loop);
    const struct uuid id = make_task(&loop, ann, nobody, nobody, SLICE("[]"));
    assert_int_equal(run(&loop, STORE_DELETE, ann, id), STORE_DELETED);
    assert_int_equal(run(&loop, STORE_REPLACE, ann, id), STORE_CREATED);
    assert_int_equal(number(state, "SELECT count(*) FROM trash"), 0);
    assert_int_equal(run(&loop, STORE_DELETE, ann, id), STORE_DELETED);
    assert_int_equal(number(state, "SELECT count(*) FROM trash"), 1);
    loop_close(&loop);
}

/* Its place is taken by another one; both are there afterwards, in an order. */
static void test_a_place_that_is_taken(void **state)
{
    struct loop loop;
    const struct uuid ann = contract_open_with_user(state, &loop);
    struct uuid ids[4];
    for (unsigned i = 0; i < 4; i++)
        ids[i] = make_task(&loop, ann, nobody, nobody, SLICE("[]"));
    for (unsigned i = 0; i < 2; i++) { /* each is put between the first and the second */
        struct write move = write_of(STORE_MOVE, ann, ids[2 + i], TEST_NOW);
        move.op.set = move.op.given = 0;
        move.op.place = (struct store_place){STORE_PLACE_AFTER, ids[0]};
        assert_int_equal(write_outcome(&loop, &move), STORE_UPDATED);
        if (i == 0)
            assert_int_equal(run(&loop, STORE_DELETE, ann, ids[2]), STORE_DELETED);
    }
    assert_int_equal(run(&loop, STORE_RESTORE, ann, ids[2]), STORE_UPDATED);
    assert_int_equal(number(state, "SELECT count(DISTINCT position) FROM tasks"), 4);
    assert_counted(state);
    loop_close(&loop);
}

static void test_for_good(void **state)
{
    struct loop loop;
    const struct uuid ann = contract_open_with_user(state, &loop);
    const struct uuid kept = make_task(&loop, ann, nobody, nobody, SLICE("[]"));
    const struct uuid root = make_task(&loop, ann, nobody, nobody, SLICE("[]"));
    (void)make_task(&loop, ann, root, nobody, SLICE("[]"));
    struct write update = patch_of(ann, root, first_member(), 1, TEST_NOW);
    update.op.idempotency.key = SLICE("k");
    assert_int_equal(write_outcome(&loop, &update), STORE_UPDATED);
    assert_int_equal(run(&loop, STORE_DELETE, ann, root), STORE_DELETED);
    assert_int_equal(run(&loop, STORE_DELETE, ann, kept), STORE_DELETED);
    const int64_t revision = number(state, "SELECT revision FROM spaces");
    assert_int_equal(run(&loop, STORE_PURGE, ann, root), STORE_DELETED);
    assert_int_equal(run(&loop, STORE_PURGE, ann, root), STORE_NOT_FOUND);
    assert_int_equal(run(&loop, STORE_RESTORE, ann, root), STORE_NOT_FOUND);
    assert_int_equal(number(state, "SELECT revision FROM spaces"), revision);
    assert_int_equal(number(state, "SELECT count(*) FROM trash"), 1);
    assert_int_equal(number(state, "SELECT count(*) FROM journal WHERE before IS NOT NULL"), 1);
    assert_int_equal(number(state, "SELECT count(*) FROM journal WHERE verb = 4"), 3);
    assert_int_equal(number(state, "SELECT count(*) FROM idempotency_keys WHERE body IS NULL"), 1);
    assert_counted(state);
    loop_close(&loop);
}

/* It is empty at once; the rows go by themselves. */
static void test_emptied(void **state)
{
    struct loop loop;
    const struct uuid ann = contract_open_with_user(state, &loop);
    struct uuid ids[3];
    for (unsigned i = 0; i < 3; i++) {
        ids[i] = make_task(&loop, ann, nobody, nobody, SLICE("[]"));
        assert_int_equal(run(&loop, STORE_DELETE, ann, ids[i]), STORE_DELETED);
    }
    assert_int_equal(run(&loop, STORE_EMPTY, ann, nobody), STORE_DELETED);
    assert_int_equal(listed(&loop, ann, 50), 0);
    assert_int_equal(run(&loop, STORE_RESTORE, ann, ids[1]), STORE_NOT_FOUND);
    assert_int_equal(run(&loop, STORE_PURGE, ann, ids[1]), STORE_NOT_FOUND);
    const struct uuid id = make_task(&loop, ann, nobody, nobody, SLICE("[]"));
    assert_int_equal(run(&loop, STORE_DELETE, ann, id), STORE_DELETED);
    assert_int_equal(listed(&loop, ann, 50), 1);
    const int64_t until = clock_mono_ms() + 20000;
    while (number(state, "SELECT max(emptied) FROM spaces") > 0) {
        assert_true(clock_mono_ms() < until);
        usleep(10000);
    }
    assert_int_equal(number(state, "SELECT count(*) FROM trash"), 1);
    assert_int_equal(number(state, "SELECT count(*) FROM journal WHERE before IS NOT NULL"), 1);
    assert_counted(state);
    assert_int_equal(run(&loop, STORE_RESTORE, ann, id), STORE_UPDATED);
    assert_int_equal(run(&loop, STORE_EMPTY, ann, nobody), STORE_DELETED);
    loop_close(&loop);
}

static void relabel(struct loop *loop, struct uuid space, const char *from, struct slice to,
                    enum store_outcome outcome)
{
    struct write write = write_of(STORE_RELABEL, space, nobody, TEST_NOW);
    write.op.label = (struct store_relabel){.from = slice_of(from), .to = to};
    write.op.set = 0;
    assert_int_equal(write_outcome(loop, &write), outcome);
    arena_reset(loop->arena);
}

static struct uuid make_labelled(struct loop *loop, struct uuid space, const char *labels)
{
    struct write write = write_of(STORE_CREATE, space, uuid_make_v7(), TEST_NOW);
    values_of(&write)->labels = slice_of(labels);
    write.op.set |= bit("labels");
    assert_int_equal(write_outcome(loop, &write), STORE_CREATED);
    arena_reset(loop->arena);
    return write.op.id;
}

static void assert_labels(struct loop *loop, struct uuid space, struct uuid id, const char *labels)
{
    const struct task *task = get_task(loop, space, id);
    assert_non_null(task);
    assert_true(slice_eq(task->labels, slice_of(labels)));
    arena_reset(loop->arena);
}

/* A label is replaced in the trash too, and takes no revision for it. */
static void test_labels_in_the_trash(void **state)
{
    struct loop loop;
    const struct uuid ann = contract_open_with_user(state, &loop);
    const struct uuid there = make_labelled(&loop, ann, "[\"a\"]");
    const struct uuid gone = make_labelled(&loop, ann, "[\"a\",\"b\",\"z\"]");
    const struct uuid other = make_labelled(&loop, ann, "[\"z\"]");
    const struct uuid emptied = make_labelled(&loop, ann, "[\"a\"]");
    assert_int_equal(run(&loop, STORE_DELETE, ann, emptied), STORE_DELETED);
    assert_int_equal(run(&loop, STORE_PURGE, ann, emptied), STORE_DELETED);
    assert_int_equal(run(&loop, STORE_DELETE, ann, gone), STORE_DELETED);
    assert_int_equal(run(&loop, STORE_DELETE, ann, other), STORE_DELETED);
    const int64_t revision = number(state, "SELECT revision FROM spaces");
    relabel(&loop, ann, "z", SLICE("y"), STORE_NOT_FOUND); /* no task carries it */
    relabel(&loop, ann, "a", SLICE("much longer than it was"), STORE_UPDATED);
    assert_int_equal(number(state, "SELECT revision FROM spaces"), revision + 1);
    assert_counted(state);
    relabel(&loop, ann, "much longer than it was", SLICE("b"), STORE_UPDATED);
    assert_counted(state);
    assert_int_equal(run(&loop, STORE_RESTORE, ann, gone), STORE_UPDATED);
    assert_labels(&loop, ann, gone, "[\"b\",\"z\"]");
    assert_labels(&loop, ann, there, "[\"b\"]");
    assert_int_equal(run(&loop, STORE_DELETE, ann, gone), STORE_DELETED);
    relabel(&loop, ann, "b", (struct slice){0}, STORE_DELETED);
    assert_int_equal(run(&loop, STORE_RESTORE, ann, gone), STORE_UPDATED);
    assert_labels(&loop, ann, gone, "[\"z\"]");
    assert_int_equal(run(&loop, STORE_RESTORE, ann, other), STORE_UPDATED);
    assert_labels(&loop, ann, other, "[\"z\"]");
    assert_counted(state);
    loop_close(&loop);
}

static void open_again(void **state, struct loop *loop, int64_t tasks, int64_t bytes)
{
    struct contract_state *contract = *state;
    char why[256];
    loop_close(loop);
    contract->contract->engine->close(&contract->store);
    contract->options.user_tasks_most = tasks;
    contract->options.user_bytes_most = bytes;
    contract->store = contract->contract->engine->open(&contract->options, why, sizeof why);
    assert_non_null(contract->store);
    contract_open_loop(state, loop);
}

static void test_a_full_space(void **state)
{
    struct loop loop;
    const struct uuid ann = contract_open_with_user(state, &loop);
    const struct uuid root = make_task(&loop, ann, nobody, nobody, SLICE("[]"));
    const struct uuid below = make_task(&loop, ann, root, nobody, SLICE("[]"));
    assert_int_equal(run(&loop, STORE_DELETE, ann, root), STORE_DELETED);
    open_again(state, &loop, 1, 0);
    struct write restore = write_of(STORE_RESTORE, ann, root, TEST_NOW);
    assert_int_equal(write_run(&loop, &restore), ERROR_QUOTA_EXCEEDED);
    assert_int_equal(run(&loop, STORE_RESTORE, ann, below), STORE_UPDATED);
    open_again(state, &loop, 0, number(state, "SELECT bytes FROM spaces") + 100);
    restore = write_of(STORE_RESTORE, ann, root, TEST_NOW);
    assert_int_equal(write_run(&loop, &restore), ERROR_QUOTA_EXCEEDED);
    assert_int_equal(run(&loop, STORE_PURGE, ann, root), STORE_DELETED);
    assert_counted(state);
    loop_close(&loop);
}

int store_contract_trash(void)
{
    const struct CMUnitTest tests[] = {
        CONTRACT_TEST(test_a_task_comes_back),
        CONTRACT_TEST(test_a_tree_comes_back),
        CONTRACT_TEST(test_what_went_meanwhile_is_left_out),
        CONTRACT_TEST(test_no_circle),
        CONTRACT_TEST(test_the_tasks_of_a_list),
        CONTRACT_TEST(test_an_id_is_used_again),
        CONTRACT_TEST(test_a_place_that_is_taken),
        CONTRACT_TEST(test_for_good),
        CONTRACT_TEST(test_emptied),
        CONTRACT_TEST(test_labels_in_the_trash),
        CONTRACT_TEST(test_a_full_space),
    };
    return cmocka_run_group_tests_name("store: trash", tests, NULL, NULL);
}
