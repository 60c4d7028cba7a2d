// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/position.h"
#include "series_fixture.h"
#include "store/decision.h"

/* What the completion of a task of a series asks for, and what changes along with it. */

#define SPACE_REVISION 40
#define ASKS_MOST      16

static const struct usage_limits full = {.items = 1, .bytes = 1};

/* What the database would answer, by question. */
struct world {
    struct task old;
    const struct item_row *rows[ITEM_QUESTION_COUNT];
    struct task values;
    struct store_item_write op;
    struct item_before before;
    struct item_answer answers[ASKS_MOST];
    unsigned asked[ASKS_MOST]; /* questions, in their order */
    unsigned ask_count;
    struct item_decision decision;
};

static unsigned bit(const char *name)
{
    return resource_field(&task_resource, slice_of(name))->bit;
}

static void make_world(struct world *world)
{
    *world = (struct world){.old = series_task("", "2026-12-01", "FREQ=WEEKLY")};
    world->old.created_at = 1000;
    world->old.updated_at = 1500;
    world->old.revision = 7;
    resource_clear(&task_resource, &world->values);
    world->values.status = TASK_COMPLETED;
    world->op = (struct store_item_write){
        .op.arena = series_arena,
        .resource = &task_resource,
        .verb = STORE_UPDATE,
        .id = world->old.id,
        .now = series_instant("2026-12-01T08:00:00Z"),
        .steady = 1,
        .values = &world->values,
        .set = bit("status"),
    };
    world->before.space.revision = SPACE_REVISION;
    world->before.item = &world->old;
}

static void decide(struct world *world)
{
    const struct usage_limits none = {.items = INT64_MAX, .bytes = INT64_MAX};
    const struct usage_limits *limits = world->op.verb == STORE_SKIP ? &none : &full;
    world->decision = item_decide(&world->op, &world->before, limits);
    while (world->decision.step == ITEM_ASK) {
        assert_true(world->ask_count < ASKS_MOST);
        struct item_answer *answer = &world->answers[world->ask_count];
        *answer = (struct item_answer){.next = world->before.answers,
                                       .ask = world->decision.ask,
                                       .rows = world->rows[world->decision.ask.question]};
        for (const struct item_row *row = answer->rows; row; row = row->next)
            answer->count++;
        world->asked[world->ask_count++] = answer->ask.question;
        world->before.answers = answer;
        world->decision = item_decide(&world->op, &world->before, limits);
    }
}

static const struct item_follower *follower(const struct world *world, unsigned place)
{
    const struct item_follower *one = world->decision.followers;
    for (unsigned i = 0; i < place && one; i++)
        one = one->next;
    assert_non_null(one);
    return one;
}

/* What is written of it, where its row is `row`. */
static const struct task *written(const struct world *world, unsigned place, const struct task *row)
{
    struct item_followed followed;
    assert_true(item_follow(&world->op, &world->decision, follower(world, place), place, row,
                            series_arena, &followed));
    assert_false(followed.same);
    assert_int_equal(followed.revision, SPACE_REVISION + 2 + place);
    return (const struct task *)(const void *)followed.item;
}

static const struct task *completed(const struct world *world)
{
    assert_int_equal(world->decision.step, ITEM_UPDATE);
    return world->op.item;
}

static struct uuid new_id(uint8_t number)
{
    return series_next_id(series_id(number), series_date("2026-12-08"));
}

static void one_alone(void **state)
{
    static const unsigned expected[] = {ITEM_ASK_ZONE, ITEM_ASK_SUBTREE, ITEM_ASK_COPIES,
                                        ITEM_ASK_NEXT, ITEM_ASK_WHICH};
    struct world world;
    char room[POSITION_MOST];
    (void)state;
    make_world(&world);
    decide(&world);
    assert_int_equal(world.ask_count, 5);
    assert_memory_equal(world.asked, expected, sizeof expected);
    assert_int_equal(world.decision.follower_count, 1);
    assert_int_equal(follower(&world, 0)->step, ITEM_INSERT);
    assert_true(uuid_eq(completed(&world)->next_id, new_id(1)));
    assert_int_equal(completed(&world)->revision, SPACE_REVISION + 1);
    const struct task *next = written(&world, 0, &world.old);
    assert_true(uuid_eq(next->id, new_id(1)));
    assert_int_equal(next->created_at, world.op.now);
    assert_true(slice_eq(next->position, position_nth(SPACE_REVISION + 2, room)));
}

static void between_its_neighbours(void **state)
{
    const struct item_row neighbour = {.id = series_id(50), .position = SLICE("b")};
    struct world world;
    (void)state;
    make_world(&world);
    world.rows[ITEM_ASK_NEXT] = &neighbour;
    decide(&world);
    const struct task *next = written(&world, 0, &world.old);
    const struct slice position = next->position;
    assert_true(position.len > 1 && position.ptr[0] == 'a');
    assert_true(slice_eq(completed(&world)->position, SLICE("a")));
}

/* Where no short key is left, all siblings are numbered: 50, the task, the next one, 51. */
static void where_no_key_is_left(void **state)
{
    static char low[POSITION_MOST];
    static char high[POSITION_MOST];
    char room[POSITION_MOST];
    struct slice lower = position_nth(5, low);
    struct slice upper = position_nth(6, high);
    struct world world;
    (void)state;
    for (unsigned turn = 0;; turn++) { /* always into the smaller gap */
        const struct slice between = position_between(lower, upper, room);
        if (!between.ptr)
            break;
        if (turn % 2 == 0) {
            memcpy(low, between.ptr, between.len);
            lower = (struct slice){low, between.len};
        } else {
            memcpy(high, between.ptr, between.len);
            upper = (struct slice){high, between.len};
        }
    }
    const struct item_row last = {.id = series_id(51), .position = upper};
    const struct item_row own = {.next = &last, .id = series_id(1), .position = lower};
    const struct item_row first = {.next = &own, .id = series_id(50), .position = SLICE("0")};
    make_world(&world);
    world.old.position = lower;
    world.rows[ITEM_ASK_NEXT] = &last;
    world.rows[ITEM_ASK_SIBLINGS] = &first;
    decide(&world);
    assert_int_equal(world.decision.follower_count, 3);
    struct task sibling = series_task("", "", NULL);
    sibling.position = SLICE("-");
    assert_true(uuid_eq(follower(&world, 0)->id, series_id(50)));
    assert_true(slice_eq(written(&world, 0, &sibling)->position, position_nth(1, room)));
    assert_true(slice_eq(completed(&world)->position, position_nth(2, room)));
    assert_true(uuid_eq(follower(&world, 1)->id, series_id(51)));
    assert_true(slice_eq(written(&world, 1, &sibling)->position, position_nth(4, room)));
    assert_true(slice_eq(written(&world, 2, &world.old)->position, position_nth(3, room)));
}

/* A task that gets another parent in the same write is the last one there, but for the next one. */
static void after_one_that_goes_elsewhere(void **state)
{
    const struct item_row below = {.id = series_id(2), .parent_id = series_id(1), .number = 1};
    char room[POSITION_MOST];
    struct world world;
    (void)state;
    make_world(&world);
    world.values.parent_id = (struct uuid){{0}};
    world.old.parent_id = series_id(3);
    world.op.set |= bit("parent_id");
    world.rows[ITEM_ASK_SUBTREE] = world.rows[ITEM_ASK_COPIES] = &below;
    decide(&world);
    assert_int_equal(world.decision.follower_count, 3);
    const struct task *task = completed(&world);
    assert_true(slice_eq(task->position, position_nth(SPACE_REVISION + 1, room)));
    const struct task *next = written(&world, 0, &world.old);
    assert_true(slice_eq(next->position, position_nth(world.op.revision + 1, room)));
    assert_true(uuid_eq(next->parent_id, (struct uuid){{0}}));
}

/* 2 with 3 below it, and 4, which is not copied, for it has a next one. */
static void what_comes_along(void **state)
{
    const struct item_row four = {.id = series_id(4), .parent_id = series_id(1), .number = 1};
    const struct item_row three = {.id = series_id(3), .parent_id = series_id(2), .number = 2};
    const struct item_row two = {.next = &three, .id = series_id(2), .parent_id = series_id(1)};
    const struct item_row all_three = {.next = NULL, .id = series_id(3), .parent_id = series_id(2)};
    const struct item_row all_four = {.next = &all_three, .id = four.id, .parent_id = series_id(1)};
    const struct item_row all = {.next = &all_four, .id = series_id(2), .parent_id = series_id(1)};
    struct world world;
    (void)state;
    make_world(&world);
    world.rows[ITEM_ASK_SUBTREE] = &all;
    world.rows[ITEM_ASK_COPIES] = &two;
    decide(&world);
    assert_int_equal(world.decision.follower_count, 6);
    struct task row = series_task("", "2026-11-30", NULL);
    row.id = series_id(3);
    row.parent_id = series_id(2);
    const struct task *copy = written(&world, 2, &row);
    assert_true(uuid_eq(copy->id, new_id(3)) && uuid_eq(copy->parent_id, new_id(2)));
    series_must_be(copy->due, "2026-12-07", "due");
    row.id = four.id;
    const struct task *closed = written(&world, 4, &row);
    assert_int_equal(closed->status, TASK_COMPLETED);
    assert_int_equal(closed->completed_at, completed(&world)->completed_at);

    /* what is completed already stays as it is */
    struct item_followed followed;
    row.status = TASK_COMPLETED;
    row.completed_at = 5;
    assert_true(item_follow(&world.op, &world.decision, follower(&world, 4), 4, &row, series_arena,
                            &followed));
    assert_true(followed.same);

    /* an id that is taken: neither it nor what would be below it */
    const struct item_row taken = {.id = new_id(2)};
    make_world(&world);
    world.rows[ITEM_ASK_SUBTREE] = &all;
    world.rows[ITEM_ASK_COPIES] = &two;
    world.rows[ITEM_ASK_WHICH] = &taken;
    decide(&world);
    assert_int_equal(world.decision.follower_count, 4);

    /* that of the next one: nothing is made, and it is the next one */
    const struct item_row next_taken = {.id = new_id(1)};
    make_world(&world);
    world.rows[ITEM_ASK_SUBTREE] = &all;
    world.rows[ITEM_ASK_COPIES] = &two;
    world.rows[ITEM_ASK_WHICH] = &next_taken;
    decide(&world);
    assert_int_equal(world.decision.follower_count, 3);
    assert_true(uuid_eq(completed(&world)->next_id, new_id(1)));
}

static void where_nothing_comes(void **state)
{
    const struct item_row below = {.id = series_id(2), .parent_id = series_id(1)};
    struct world world;
    (void)state;
    make_world(&world);
    world.old.recurrence = SLICE("FREQ=DAILY;COUNT=1");
    world.rows[ITEM_ASK_SUBTREE] = &below;
    decide(&world);
    assert_int_equal(world.decision.follower_count, 1);
    assert_int_equal(follower(&world, 0)->step, ITEM_UPDATE);
    assert_true(uuid_eq(completed(&world)->next_id, (struct uuid){{0}}));

    make_world(&world);
    world.old.next_id = series_id(9);
    decide(&world);
    assert_int_equal(world.decision.follower_count, 0);
    assert_true(uuid_eq(completed(&world)->next_id, series_id(9)));

    make_world(&world);
    world.old.recurrence = (struct slice){0};
    decide(&world);
    assert_int_equal(world.ask_count, 0);
    assert_int_equal(world.op.op.result, ERROR_QUOTA_EXCEEDED); /* that is what `full` is for */
}

static void a_skip(void **state)
{
    static const struct {
        const char *rule;
        enum task_status status;
        enum error error;
    } rows[] = {
        {"FREQ=WEEKLY;COUNT=2", TASK_PENDING, ERROR_NONE},
        {"FREQ=WEEKLY;COUNT=1", TASK_IN_PROGRESS, ERROR_SERIES_ENDED},
        {"FREQ=WEEKLY", TASK_COMPLETED, ERROR_COMPLETED},
        {NULL, TASK_PENDING, ERROR_NOT_RECURRING},
        {NULL, TASK_COMPLETED, ERROR_NOT_RECURRING},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct world world;
        make_world(&world);
        world.old = series_task("", "2026-12-01", rows[i].rule);
        world.old.status = rows[i].status;
        world.old.completed_at = rows[i].status == TASK_COMPLETED ? 1000 : 0;
        world.op.verb = STORE_SKIP;
        world.op.values = NULL;
        world.op.set = 0;
        decide(&world);
        assert_int_equal(world.op.op.result, rows[i].error);
        assert_int_equal(world.decision.step,
                         rows[i].error == ERROR_NONE ? ITEM_UPDATE : ITEM_REFUSE);
        if (rows[i].error == ERROR_NONE) {
            series_must_be(completed(&world)->due, "2026-12-08", "due");
            assert_true(slice_eq(completed(&world)->recurrence, SLICE("FREQ=WEEKLY;COUNT=1")));
            assert_int_equal(world.decision.change.verb, STORE_UPDATE);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_alone),
        cmocka_unit_test(between_its_neighbours),
        cmocka_unit_test(where_no_key_is_left),
        cmocka_unit_test(after_one_that_goes_elsewhere),
        cmocka_unit_test(what_comes_along),
        cmocka_unit_test(where_nothing_comes),
        cmocka_unit_test(a_skip),
    };
    return cmocka_run_group_tests(tests, series_set_up, series_tear_down);
}
