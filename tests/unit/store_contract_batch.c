// SPDX-License-Identifier: MIT
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>

#include <cmocka.h>

#include "store_contract.h"
#include "store_contract_parts.h"
#include "store_fixture.h"

/* Several writes in one transaction. */

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
                     number(state, "SELECT CAST(sum(revision) AS bigint) FROM spaces"));
}

/* ---- a batch of writes ---- */

struct made {
    enum error result;
    enum store_outcome outcome;
    int64_t revision;
    bool item;
};

struct batch {
    struct store_batch op;
    struct write writes[STORE_BATCH_MOST];
    struct store_item_write list[STORE_BATCH_MOST];
    struct made made[STORE_BATCH_MOST]; /* as `judged` was told */
    unsigned judged;
};

static struct batch *batch_of(struct store_batch *op)
{
    return (struct batch *)(void *)op;
}

static void on_begin(struct store_batch *op)
{
    batch_of(op)->judged = 0;
}

static bool on_judged(struct store_batch *op, unsigned at)
{
    struct batch *batch = batch_of(op);
    const struct store_item_write *write = &op->writes[at];
    assert_true(op->filter || batch->judged == at);
    batch->made[op->filter ? 0 : at] =
        (struct made){write->op.result, write->outcome, write->revision, write->item != NULL};
    batch->judged++;
    return true;
}

static struct slice on_answer(struct store_batch *op)
{
    char text[64];
    (void)snprintf(text, sizeof text, "{\"judged\":%u,\"revision\":%lld}", batch_of(op)->judged,
                   (long long)op->revision);
    return arena_copy(op->op.arena, slice_of(text));
}

static struct batch *begin_batch(struct uuid space, bool atomic)
{
    struct batch *batch = calloc(1, sizeof *batch);
    assert_non_null(batch);
    batch->op.space = space;
    batch->op.atomic = atomic;
    batch->op.now = batch->op.steady = TEST_NOW;
    batch->op.begin = on_begin;
    batch->op.judged = on_judged;
    batch->op.answer = on_answer;
    batch->op.writes = batch->list;
    return batch;
}

static struct write *add(struct batch *batch, enum store_verb verb, struct uuid id)
{
    assert_true(batch->op.count < STORE_BATCH_MOST);
    struct write *write = &batch->writes[batch->op.count++];
    *write = write_of(verb, batch->op.space, id, TEST_NOW);
    return write;
}

static void make_list(struct batch *batch)
{
    for (unsigned i = 0; i < batch->op.count; i++) {
        batch->list[i] = batch->writes[i].op;
        batch->list[i].values =
            batch->list[i].verb == STORE_DELETE ? NULL : &batch->writes[i].values;
    }
}

static enum error run(struct loop *loop, struct batch *batch)
{
    make_list(batch);
    return LOOP_CALL(loop, batch_write, &batch->op);
}

static struct uuid make_task(struct loop *loop, struct uuid space, struct uuid parent)
{
    struct write write = write_of(STORE_CREATE, space, uuid_make_v7(), TEST_NOW);
    values_of(&write)->parent_id = parent;
    write.op.set |= bit("parent_id");
    assert_int_equal(write_outcome(loop, &write), STORE_CREATED);
    return write.op.id;
}

static void test_later_ones_see_earlier_ones(void **state)
{
    struct loop loop;
    const struct uuid ann = contract_open_with_user(state, &loop);
    const struct uuid id = uuid_make_v7();
    const struct uuid child = uuid_make_v7();
    struct batch *batch = begin_batch(ann, true);
    add(batch, STORE_CREATE, id)->op.chosen = true;
    struct write *below = add(batch, STORE_CREATE, child);
    values_of(below)->parent_id = id;
    below->op.set |= bit("parent_id");
    sample_item(&add(batch, STORE_REPLACE, id)->values, 1);
    (void)add(batch, STORE_DELETE, id);
    (void)add(batch, STORE_REPLACE, child);
    assert_int_equal(run(&loop, batch), ERROR_NONE);
    const struct made expected[] = {{ERROR_NONE, STORE_CREATED, 1, true},
                                    {ERROR_NONE, STORE_CREATED, 2, true},
                                    {ERROR_NONE, STORE_UPDATED, 3, true},
                                    {ERROR_NONE, STORE_DELETED, 4, false},
                                    {ERROR_NONE, STORE_CREATED, 6, true}};
    assert_int_equal(batch->judged, 5);
    for (unsigned i = 0; i < 5; i++)
        assert_memory_equal(&batch->made[i], &expected[i], sizeof expected[i]);
    assert_int_equal(batch->op.outcome, STORE_UPDATED);
    assert_int_equal(batch->op.revision, 6);
    assert_int_equal(batch->op.changed, 6);
    assert_null(batch->op.body.ptr);
    assert_int_equal(number(state, "SELECT count(*) FROM tasks"), 1);
    assert_counted(state);
    free(batch);
    loop_close(&loop);
}

static void test_all_or_nothing(void **state)
{
    struct loop loop;
    const void *item = NULL;
    const struct uuid ann = contract_open_with_user(state, &loop);
    const struct item before = make_item(&loop, ann, 0, TEST_NOW);
    struct batch *batch = begin_batch(ann, true);
    struct write first = write_of(STORE_CREATE, ann, uuid_make_v7(), TEST_NOW);
    struct write last = write_of(STORE_CREATE, ann, uuid_make_v7(), TEST_NOW);
    batch->op.idempotency.key = SLICE("k");
    (void)add(batch, STORE_DELETE, before.id);
    (void)add(batch, STORE_CREATE, uuid_make_v7());
    (void)add(batch, STORE_UPDATE, before.id);
    (void)add(batch, STORE_CREATE, uuid_make_v7());
    /* Its neighbours in the turn, and in the transaction of some engines, are not touched. */
    write_begin(&loop, &first);
    make_list(batch);
    loop_begin(&loop, &batch->op.op);
    loop.engine->batch_write(&batch->op);
    write_begin(&loop, &last);
    loop_finish(&loop);
    assert_int_equal(batch->op.op.result, ERROR_NONE);
    assert_int_equal(batch->op.outcome, STORE_INVALID);
    assert_int_equal(batch->op.refused, 2);
    assert_int_equal(batch->judged, 3);
    assert_int_equal(batch->made[2].outcome, STORE_NOT_FOUND);
    assert_int_equal(first.op.outcome, STORE_CREATED);
    assert_int_equal(last.op.outcome, STORE_CREATED);
    assert_int_equal(number(state, "SELECT count(*) FROM tasks"), 3);
    assert_int_equal(number(state, "SELECT revision FROM spaces"), 3);
    assert_int_equal(number(state, "SELECT count(*) FROM idempotency_keys"), 0);
    assert_int_equal(get_item(&loop, ann, before.id, &item), ERROR_NONE);
    assert_counted(state);
    free(batch);
    loop_close(&loop);
}

static void test_each_for_itself(void **state)
{
    struct loop loop;
    const struct uuid ann = contract_open_with_user(state, &loop);
    const struct item before = make_item(&loop, ann, 0, TEST_NOW);
    struct batch *batch = begin_batch(ann, false);
    add(batch, STORE_CREATE, before.id)->op.chosen = true;
    (void)add(batch, STORE_DELETE, uuid_make_v7());
    (void)add(batch, STORE_CREATE, uuid_make_v7());
    struct write *patch = add(batch, STORE_UPDATE, before.id);
    patch->op.precondition.match = (struct store_versions){.present = true};
    assert_int_equal(run(&loop, batch), ERROR_NONE);
    assert_int_equal(batch->op.outcome, STORE_UPDATED);
    assert_int_equal(batch->judged, 4);
    assert_int_equal(batch->made[0].result, ERROR_ID_TAKEN);
    assert_int_equal(batch->made[1].outcome, STORE_NOT_FOUND);
    assert_int_equal(batch->made[2].outcome, STORE_CREATED);
    assert_int_equal(batch->made[3].outcome, STORE_PRECONDITION_FAILED);
    assert_int_equal(batch->op.revision, 2);
    assert_int_equal(number(state, "SELECT count(*) FROM tasks"), 2);
    assert_counted(state);
    free(batch);
    loop_close(&loop);
}

static void test_one_key_for_all(void **state)
{
    struct loop loop;
    const struct uuid ann = contract_open_with_user(state, &loop);
    struct batch *batch = begin_batch(ann, false);
    batch->op.idempotency.key = SLICE("k");
    for (unsigned i = 0; i < STORE_BATCH_MOST; i++)
        (void)add(batch, i == 7 ? STORE_UPDATE : STORE_CREATE, uuid_make_v7());
    assert_int_equal(run(&loop, batch), ERROR_NONE);
    assert_int_equal(batch->judged, STORE_BATCH_MOST);
    assert_false(batch->op.replayed);
    const struct slice body = batch->op.body;
    assert_true(slice_eq(body, SLICE("{\"judged\":100,\"revision\":99}")));
    assert_int_equal(run(&loop, batch), ERROR_NONE);
    assert_true(batch->op.replayed);
    assert_int_equal(batch->op.outcome, STORE_UPDATED);
    assert_true(slice_eq(batch->op.body, body));
    batch->op.idempotency.fingerprint[0] = 1;
    assert_int_equal(run(&loop, batch), ERROR_NONE);
    assert_int_equal(batch->op.outcome, STORE_KEY_REUSED);
    assert_int_equal(number(state, "SELECT count(*) FROM tasks"), STORE_BATCH_MOST - 1);
    assert_counted(state);
    batch->op.space = uuid_make_v7(); /* nobody's */
    assert_int_equal(run(&loop, batch), ERROR_NOT_FOUND);
    free(batch);
    loop_close(&loop);
}

static void test_none_is_one_too(void **state)
{
    struct loop loop;
    const struct uuid ann = contract_open_with_user(state, &loop);
    struct batch *batch = begin_batch(ann, false);
    batch->op.idempotency.key = SLICE("k");
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(run(&loop, batch), ERROR_NONE);
        assert_int_equal(batch->op.outcome, STORE_UPDATED);
        assert_int_equal(batch->op.replayed, i == 1);
        assert_true(slice_eq(batch->op.body, SLICE("{\"judged\":0,\"revision\":0}")));
    }
    assert_counted(state);
    free(batch);
    loop_close(&loop);
}

/* What leaves the trash for good is in no kept answer either. */
static struct slice answer_with_ids(struct store_batch *op)
{
    char first[UUID_TEXT_LEN];
    char second[UUID_TEXT_LEN];
    char text[128];
    uuid_format(op->writes[0].id, first);
    uuid_format(op->writes[1].id, second);
    (void)snprintf(text, sizeof text, "[{\"id\":\"%.*s\"},{\"id\":\"%.*s\"}]", UUID_TEXT_LEN, first,
                   UUID_TEXT_LEN, second);
    return arena_copy(op->op.arena, slice_of(text));
}

static void test_what_is_purged_is_not_kept(void **state)
{
    struct loop loop;
    const struct uuid ann = contract_open_with_user(state, &loop);
    struct batch *batch = begin_batch(ann, true);
    struct batch *other = begin_batch(ann, true);
    for (unsigned i = 0; i < 2; i++) {
        (void)add(batch, STORE_CREATE, uuid_make_v7());
        (void)add(other, STORE_CREATE, uuid_make_v7());
    }
    batch->op.answer = other->op.answer = answer_with_ids;
    batch->op.idempotency.key = SLICE("k");
    other->op.idempotency.key = SLICE("other");
    assert_int_equal(run(&loop, batch), ERROR_NONE);
    assert_int_equal(run(&loop, other), ERROR_NONE);
    struct write removal = write_of(STORE_DELETE, ann, batch->writes[1].op.id, TEST_NOW);
    assert_int_equal(write_outcome(&loop, &removal), STORE_DELETED);
    assert_int_equal(run(&loop, batch), ERROR_NONE);
    assert_true(batch->op.replayed);
    assert_non_null(batch->op.body.ptr);
    removal.op.verb = STORE_PURGE;
    assert_int_equal(write_outcome(&loop, &removal), STORE_DELETED);
    assert_int_equal(run(&loop, batch), ERROR_NONE);
    assert_true(batch->op.replayed);
    assert_null(batch->op.body.ptr);
    assert_int_equal(run(&loop, other), ERROR_NONE);
    assert_non_null(other->op.body.ptr);
    assert_int_equal(number(state, ((struct contract_state *)*state)->contract->drift), 0);
    free(other);
    free(batch);
    loop_close(&loop);
}

/* ---- any of them ---- */

#define RANDOM_IDS  10
#define RANDOM_RUNS 40

static uint32_t number_below(uint32_t *seed, uint32_t most)
{
    *seed = *seed * 1664525U + 1013904223U;
    return (*seed >> 8) % most;
}

static void make_random(uint32_t *seed, struct batch *batch, const struct uuid *ids)
{
    static const enum store_verb verbs[] = {STORE_CREATE, STORE_REPLACE, STORE_UPDATE,
                                            STORE_UPDATE, STORE_DELETE,  STORE_MOVE};
    const enum store_verb verb = verbs[number_below(seed, 6)];
    struct write *write = add(batch, verb, ids[number_below(seed, RANDOM_IDS)]);
    const struct uuid other = ids[number_below(seed, RANDOM_IDS)];
    sample_item(&write->values, number_below(seed, 5));
    write->op.chosen = verb == STORE_CREATE;
    if (number_below(seed, 2) == 0)
        return;
    values_of(write)->parent_id = number_below(seed, 4) == 0 ? nobody : other;
    if (verb == STORE_UPDATE || verb == STORE_MOVE)
        write->op.set = bit("parent_id");
    else
        write->op.set |= bit("parent_id");
}

/* What comes of writes in a batch is what comes of the same writes one after the other, in the same
 * revisions. */
static void test_as_if_alone(void **state)
{
    struct loop loop;
    uint32_t seed = 4711;
    struct uuid ids[RANDOM_IDS];
    const struct uuid ann = contract_open_with_user(state, &loop);
    const struct uuid bob = make_user(&loop, "bob");
    unsigned refused = 0;
    for (unsigned i = 0; i < RANDOM_IDS; i++)
        ids[i] = uuid_make_v7();
    for (unsigned round = 0; round < RANDOM_RUNS; round++) {
        struct batch *batch = begin_batch(ann, false);
        const unsigned count = 1 + number_below(&seed, 30);
        for (unsigned i = 0; i < count; i++)
            make_random(&seed, batch, ids);
        assert_int_equal(run(&loop, batch), ERROR_NONE);
        assert_int_equal(batch->judged, count);
        for (unsigned i = 0; i < count; i++) {
            struct write *write = &batch->writes[i];
            write->op.space = bob;
            assert_int_equal(write_run(&loop, write), batch->made[i].result);
            refused += write->op.op.result != ERROR_NONE || write->op.outcome > STORE_DELETED;
            if (write->op.op.result != ERROR_NONE)
                continue;
            assert_int_equal(write->op.outcome, batch->made[i].outcome);
            assert_int_equal(write->op.revision, batch->made[i].revision);
        }
        free(batch);
        arena_reset(loop.arena);
    }
    assert_true(refused > 100);
    assert_int_equal(number(state, "SELECT count(DISTINCT revision) FROM spaces"), 1);
    assert_int_equal(number(state, "SELECT count(*) FROM (SELECT id FROM tasks GROUP BY id, "
                                   "revision, parent_id, title HAVING count(*) <> 2) x"),
                     0);
    assert_counted(state);
    loop_close(&loop);
}

/* ---- what a filter finds ---- */

struct filter {
    struct batch batch;
    struct store_filter filter;
    struct fixture_item values;
};

/* All tasks with no, or some, priority; the values set the title. */
static struct filter *begin_filter(struct uuid space, enum store_verb verb, unsigned most)
{
    struct filter *filter = calloc(1, sizeof *filter);
    assert_non_null(filter);
    struct batch *batch = &filter->batch;
    batch->op.space = space;
    batch->op.now = batch->op.steady = TEST_NOW;
    batch->op.begin = on_begin;
    batch->op.judged = on_judged;
    batch->op.answer = on_answer;
    batch->op.filter = &filter->filter;
    filter->filter = (struct store_filter){
        .list = {.resource = &task_resource,
                 .terms = {{.field = resource_field(&task_resource, SLICE("priority")),
                            .choices = UINT64_C(1) << TASK_PRIORITY_HIGH}},
                 .term_count = 1},
        .verb = verb,
        .most = most};
    sample_item(&filter->values, 0);
    ((struct task *)(void *)filter->values.bytes)->title = SLICE("New");
    if (verb == STORE_UPDATE) {
        filter->filter.values = &filter->values;
        filter->filter.set = bit("title");
    }
    return filter;
}

static enum error run_filter(struct loop *loop, struct filter *filter)
{
    return LOOP_CALL(loop, batch_write, &filter->batch.op);
}

/* `count` tasks of high priority below a parent; answers the last. */
static struct uuid make_high(struct loop *loop, struct uuid space, struct uuid parent,
                             unsigned count)
{
    struct uuid last = nobody;
    for (unsigned i = 0; i < count; i++) {
        struct write write = write_of(STORE_CREATE, space, uuid_make_v7(), TEST_NOW + i);
        values_of(&write)->priority = TASK_PRIORITY_HIGH;
        values_of(&write)->parent_id = parent;
        write.op.set |= bit("parent_id") | bit("priority");
        assert_int_equal(write_outcome(loop, &write), STORE_CREATED);
        last = write.op.id;
        arena_reset(loop->arena);
    }
    return last;
}

static void assert_answer(const struct filter *filter, int64_t matched, int64_t changed,
                          int64_t revision)
{
    const struct store_batch *op = &filter->batch.op;
    assert_int_equal(op->op.result, ERROR_NONE);
    assert_int_equal(op->outcome, STORE_UPDATED);
    assert_int_equal(op->matched, matched);
    assert_false(op->too_many);
    assert_int_equal(op->changed, changed);
    assert_int_equal(op->revision, revision);
}

#define HIGH 150 /* more than an engine reads ahead */

static void test_all_that_is_found_changes(void **state)
{
    struct loop loop;
    const struct uuid ann = contract_open_with_user(state, &loop);
    (void)make_task(&loop, ann, nobody);
    (void)make_high(&loop, ann, nobody, HIGH);
    struct filter *filter = begin_filter(ann, STORE_UPDATE, HIGH - 1);
    assert_int_equal(run_filter(&loop, filter), ERROR_NONE);
    assert_true(filter->batch.op.too_many);
    assert_int_equal(filter->batch.op.matched, HIGH);
    assert_int_equal(number(state, "SELECT revision FROM spaces"), HIGH + 1);
    filter->filter.most = HIGH;
    filter->filter.dry_run = true;
    assert_int_equal(run_filter(&loop, filter), ERROR_NONE);
    assert_answer(filter, HIGH, HIGH, 2 * HIGH + 1);
    assert_int_equal(number(state, "SELECT revision FROM spaces"), HIGH + 1);
    assert_counted(state);
    filter->filter.dry_run = false;
    filter->batch.op.idempotency.key = SLICE("k");
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(run_filter(&loop, filter), ERROR_NONE);
        assert_int_equal(filter->batch.op.replayed, i == 1);
        assert_non_null(filter->batch.op.body.ptr);
    }
    filter->batch.op.idempotency.key.ptr = NULL;
    assert_int_equal(number(state, "SELECT count(*) FROM tasks WHERE title = 'New'"), HIGH);
    assert_int_equal(run_filter(&loop, filter), ERROR_NONE); /* they are as they should be */
    assert_answer(filter, HIGH, 0, 2 * HIGH + 1);
    filter->batch.op.precondition.match =
        (struct store_versions){.present = true, .count = 1, .list = {HIGH}};
    assert_int_equal(run_filter(&loop, filter), ERROR_NONE);
    assert_int_equal(filter->batch.op.outcome, STORE_PRECONDITION_FAILED);
    assert_int_equal(filter->batch.op.revision, 2 * HIGH + 1);
    assert_counted(state);
    free(filter);
    loop_close(&loop);
}

/* What is below goes with what is found, and counts, once. */
static void test_all_that_is_found_goes(void **state)
{
    struct loop loop;
    const struct uuid ann = contract_open_with_user(state, &loop);
    const struct uuid kept = make_task(&loop, ann, nobody);
    const struct uuid root = make_high(&loop, ann, kept, 1);
    const struct uuid middle = make_task(&loop, ann, root);
    (void)make_high(&loop, ann, middle, HIGH); /* found, and below what is found */
    (void)make_task(&loop, ann, middle);
    (void)make_high(&loop, ann, nobody, 2);
    const int64_t all = 1 + 1 + HIGH + 1 + 2;
    struct filter *filter = begin_filter(ann, STORE_DELETE, (unsigned)all - 1);
    assert_int_equal(run_filter(&loop, filter), ERROR_NONE);
    assert_true(filter->batch.op.too_many);
    assert_int_equal(filter->batch.op.matched, all);
    filter->filter.most = 5;
    assert_int_equal(run_filter(&loop, filter), ERROR_NONE);
    assert_true(filter->batch.op.too_many);
    assert_int_equal(filter->batch.op.matched, all);
    assert_int_equal(number(state, "SELECT count(*) FROM tasks"), all + 1);
    filter->filter.most = (unsigned)all;
    filter->filter.dry_run = true;
    assert_int_equal(run_filter(&loop, filter), ERROR_NONE);
    assert_answer(filter, all, all, 2 * all + 1);
    assert_int_equal(number(state, "SELECT count(*) FROM tasks"), all + 1);
    filter->filter.dry_run = false;
    assert_int_equal(run_filter(&loop, filter), ERROR_NONE);
    assert_answer(filter, all, all, 2 * all + 1);
    assert_int_equal(number(state, "SELECT count(*) FROM tasks"), 1);
    assert_int_equal(run_filter(&loop, filter), ERROR_NONE);
    assert_answer(filter, 0, 0, 2 * all + 1);
    assert_counted(state);
    free(filter);
    loop_close(&loop);
}

/* One that cannot be changed is named, and none is. */
static void test_one_that_cannot(void **state)
{
    struct loop loop;
    const struct uuid ann = contract_open_with_user(state, &loop);
    const struct uuid first = make_high(&loop, ann, nobody, 1);
    (void)make_high(&loop, ann, first, 3);
    struct filter *filter = begin_filter(ann, STORE_UPDATE, 100);
    ((struct task *)(void *)filter->values.bytes)->parent_id = first;
    filter->filter.set |= bit("parent_id");
    assert_int_equal(run_filter(&loop, filter), ERROR_NONE);
    assert_int_equal(filter->batch.op.outcome, STORE_INVALID);
    assert_true(uuid_eq(filter->batch.op.writes[filter->batch.op.refused].id, first));
    assert_int_equal(filter->batch.judged, 1);
    assert_int_equal(filter->batch.made[0].outcome, STORE_INVALID);
    assert_int_equal(number(state, "SELECT count(*) FROM tasks WHERE title = 'New'"), 0);
    assert_int_equal(number(state, "SELECT revision FROM spaces"), 4);
    assert_counted(state);
    free(filter);
    loop_close(&loop);
}

int store_contract_batch(void)
{
    const struct CMUnitTest tests[] = {
        CONTRACT_TEST(test_later_ones_see_earlier_ones),
        CONTRACT_TEST(test_all_or_nothing),
        CONTRACT_TEST(test_each_for_itself),
        CONTRACT_TEST(test_one_key_for_all),
        CONTRACT_TEST(test_none_is_one_too),
        CONTRACT_TEST(test_what_is_purged_is_not_kept),
        CONTRACT_TEST(test_as_if_alone),
        CONTRACT_TEST(test_all_that_is_found_changes),
        CONTRACT_TEST(test_all_that_is_found_goes),
        CONTRACT_TEST(test_one_that_cannot),
    };
    return cmocka_run_group_tests_name("batches", tests, NULL, NULL);
}
