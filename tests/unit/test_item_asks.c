// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "decision_fixture.h"
#include "model/position.h"

/* What a decision asks before it is made (decision.h), and what follows from the answers. */

#define ROWS_MOST 8

static struct item_decision decision; /* the last one */

/* An answer whose rows have these ids and numbers. */
static struct item_answer *answer_of(const struct item_ask *ask, const struct item_row *rows,
                                     unsigned count)
{
    struct item_answer *answer = arena_new(decision_arena, struct item_answer);
    const struct item_row **end = NULL;
    assert_non_null(answer);
    answer->ask = *ask;
    answer->count = count;
    end = &answer->rows;
    for (unsigned i = 0; i < count; i++) {
        struct item_row *row = arena_new(decision_arena, struct item_row);
        assert_non_null(row);
        *row = rows[i];
        *end = row;
        end = &row->next;
    }
    return answer;
}

/* Decides with the rows that each question has; a question without has none. */
static struct item_decision decide_with(struct store_item_write *op, struct item_before *before,
                                        struct item_row rows[][ROWS_MOST], const unsigned *counts)
{
    struct item_decision made = item_decide(op, before, &no_limits);
    for (unsigned asked = 0; made.step == ITEM_ASK; asked++) {
        const enum item_question question = made.ask.question;
        assert_in_range(asked, 0, 16);
        struct item_answer *answer = answer_of(&made.ask, rows[question], counts[question]);
        answer->next = before->answers;
        before->answers = answer;
        made = item_decide(op, before, &no_limits);
    }
    return made;
}

static void a_plain_create_asks_nothing(void **state)
{
    (void)state;
    struct store_item_write op = task_write(STORE_CREATE, "Milk");
    assert_false(item_may_ask(&op));
    assert_int_equal(item_decide(&op, &(struct item_before){0}, &no_limits).step, ITEM_INSERT);
    struct task *task = decision_values(&op);
    task->parent_id = other;
    assert_true(item_may_ask(&op));
    assert_int_equal(item_decide(&op, &(struct item_before){0}, &no_limits).step, ITEM_ASK);
    task->parent_id = (struct uuid){{0}};
    task->list_id = other;
    assert_true(item_may_ask(&op));
    task->list_id = (struct uuid){{0}};
    task->blocked_by = SLICE("[\"01020304-0000-0000-0000-000000000000\"]");
    assert_true(item_may_ask(&op));
}

/* The tree that a parent is in decides whether one more goes below it. */
static void trees_are_bounded(void **state)
{
    static const struct {
        unsigned levels; /* of the parent */
        unsigned height; /* of what is moved, but for itself */
        int64_t tree;
        const char *code; /* NULL: it goes */
    } cases[] = {
        {1, 0, 1, NULL},          {7, 0, 7, NULL},       {8, 0, 8, "too_deep"},
        {5, 2, 9, NULL},          {5, 3, 9, "too_deep"}, {1, 0, 999, NULL},
        {1, 0, 1000, "too_many"}, {1, 1, 998, NULL},     {1, 1, 999, "too_many"},
        {8, 0, 1000, "too_deep"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct item_row rows[ITEM_QUESTION_COUNT][ROWS_MOST] = {0};
        unsigned counts[ITEM_QUESTION_COUNT] = {0};
        struct store_item_write op = task_write(STORE_UPDATE, "Tea");
        struct item_before before = task_before(true);
        decision_values(&op)->parent_id = other;
        op.set = resource_field(&task_resource, SLICE("parent_id"))->bit;
        counts[ITEM_ASK_ANCESTORS] = cases[i].levels;
        for (unsigned k = 0; k < cases[i].levels; k++)
            rows[ITEM_ASK_ANCESTORS][k] = (struct item_row){.id = {{9, (uint8_t)k}}};
        counts[ITEM_ASK_SUBTREE] = cases[i].height;
        for (unsigned k = 0; k < cases[i].height; k++)
            rows[ITEM_ASK_SUBTREE][k] = (struct item_row){.id = {{8, (uint8_t)k}}, .number = k + 1};
        counts[ITEM_ASK_TREE] = 1;
        rows[ITEM_ASK_TREE][0].number = cases[i].tree;
        decision = decide_with(&op, &before, rows, counts);
        if (!cases[i].code) {
            assert_int_equal(decision.step, ITEM_UPDATE);
            assert_memory_equal(&task_after(&op)->parent_id, &other, sizeof other);
            continue;
        }
        assert_int_equal(decision.step, ITEM_NOTHING);
        assert_int_equal(op.outcome, STORE_INVALID);
        assert_string_equal(op.errors->list[0].code, cases[i].code);
        assert_true(slice_eq(op.errors->list[0].pointer, SLICE("/parent_id")));
    }
}

/* The task takes the first revision, and those below the ones after, level by level. */
static void a_deletion_is_followed(void **state)
{
    struct item_row rows[ITEM_QUESTION_COUNT][ROWS_MOST] = {
        [ITEM_ASK_SUBTREE] = {{.id = {{1}}, .number = 1, .revision = 3},
                              {.id = {{2}}, .number = 2, .revision = 4}}};
    const unsigned counts[ITEM_QUESTION_COUNT] = {[ITEM_ASK_SUBTREE] = 2};
    struct store_item_write op = task_write(STORE_DELETE, "");
    struct item_before before = task_before(true);
    (void)state;
    decision = decide_with(&op, &before, rows, counts);
    assert_int_equal(decision.step, ITEM_REMOVE);
    assert_int_equal(decision.follower_count, 2);
    assert_int_equal(decision.follower_revision, SPACE_REVISION + 2);
    assert_false(decision.followers_first);
    assert_int_equal(op.revision, SPACE_REVISION + 1);
    assert_int_equal(item_last_revision(&op, &decision, 2), SPACE_REVISION + 3);
    assert_int_equal(op.revision, SPACE_REVISION + 1);
    assert_int_equal(decision.followers->id.bytes[0], 1);
    assert_int_equal(decision.followers->next->id.bytes[0], 2);
    assert_null(decision.followers->next->next);
    struct item_followed followed;
    assert_true(
        item_follow(&op, &decision, decision.followers, 0, &tea, decision_arena, &followed));
    assert_null(followed.item);
    assert_int_equal(followed.revision, SPACE_REVISION + 2);
    assert_int_equal(followed.change.verb, STORE_DELETE);
    assert_int_equal(followed.usage.counts[TASK_PENDING], -1);
    assert_int_equal(followed.usage.bytes,
                     SPACE_CHANGE_BYTES + (int64_t)followed.change.before.len - TASK_BYTES);
}

/* Where no key is left between two neighbours, all siblings are numbered, in their order. */
static void siblings_are_numbered(void **state)
{
    char full[POSITION_MOST];
    struct task neighbour = tea;
    memset(full, 'V', sizeof full);
    full[sizeof full - 1] = '-' + 1;
    neighbour.id = other;
    neighbour.position = (struct slice){full, sizeof full};
    char next[POSITION_MOST];
    memcpy(next, full, sizeof full);
    next[sizeof full - 1]++;
    struct item_row rows[ITEM_QUESTION_COUNT][ROWS_MOST] = {
        [ITEM_ASK_NEXT] = {{.id = {{7}}, .position = {next, sizeof next}}},
        [ITEM_ASK_SIBLINGS] = {{.id = other}, {.id = {{7}}}, {.id = id}}};
    const unsigned counts[ITEM_QUESTION_COUNT] = {[ITEM_ASK_NEXT] = 1, [ITEM_ASK_SIBLINGS] = 3};
    struct store_item_write op = task_write(STORE_MOVE, "");
    struct item_before before = task_before(true);
    (void)state;
    op.set = 0;
    op.place = (struct store_place){STORE_PLACE_AFTER, other};
    struct item_decision made = item_decide(&op, &before, &no_limits);
    assert_int_equal(made.step, ITEM_ASK);
    assert_int_equal(made.ask.question, ITEM_ASK_ITEM);
    struct item_answer *answer = answer_of(&made.ask, NULL, 0);
    answer->item = &neighbour;
    before.answers = answer;
    decision = decide_with(&op, &before, rows, counts);
    assert_int_equal(decision.step, ITEM_UPDATE);
    assert_int_equal(decision.change.verb, STORE_MOVE);
    assert_int_equal(decision.follower_count, 2);
    assert_int_equal(decision.followers->number, 1);
    assert_int_equal(decision.followers->next->number, 3);
    char room[POSITION_MOST];
    assert_true(slice_eq(task_after(&op)->position, position_nth(2, room)));
    struct item_followed followed;
    assert_true(
        item_follow(&op, &decision, decision.followers, 0, &neighbour, decision_arena, &followed));
    assert_true(slice_eq(((const struct task *)(const void *)followed.item)->position,
                         position_nth(1, room)));
    assert_true(slice_starts(followed.change.before, SLICE("{\"position\":\"VVV")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_create_asks_nothing),
        cmocka_unit_test(trees_are_bounded),
        cmocka_unit_test(a_deletion_is_followed),
        cmocka_unit_test(siblings_are_numbered),
    };
    return cmocka_run_group_tests_name("item_asks", tests, decision_set_up, decision_tear_down);
}
