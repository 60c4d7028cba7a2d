// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "series_fixture.h"

static void must_be_id(struct uuid id, const char *expected)
{
    char text[UUID_TEXT_LEN + 1] = "";
    uuid_format(id, text);
    assert_string_equal(text, expected);
}

/* Made by Python: uuid.UUID(bytes=hashlib.sha256(old.bytes + due.encode()).digest()[:16]) with
 * version and variant set. */
static void the_next_id_is_made_of_the_old_id_and_the_new_due(void **state)
{
    (void)state;
    must_be_id(series_next_id(series_id(1), series_date("2026-12-08")),
               "1bed8f49-fe6c-867f-a609-86f0645f55ec");
    must_be_id(series_next_id(series_id(1), series_date("2026-12-08T07:00:00Z")),
               "e9a3648c-2049-8857-b7c6-2343b8131006");
    must_be_id(series_next_id(series_id(2), series_date("2026-12-08")),
               "300a9e01-0b74-87a5-833c-9de78b2e962a");
}

static void a_series_has_the_id_of_its_first(void **state)
{
    struct task task = series_task("", "2026-12-01", NULL);
    (void)state;
    task.series_id = (struct uuid){{0}};
    task_resource.settle(NULL, &task, 1);
    assert_true(uuid_eq(task.series_id, (struct uuid){{0}}));
    struct task given = task;
    given.recurrence = SLICE("FREQ=DAILY");
    task_resource.settle(&task, &given, 1);
    assert_true(uuid_eq(given.series_id, given.id));
    struct task taken = given;
    taken.recurrence = (struct slice){0};
    task_resource.settle(&given, &taken, 1);
    assert_true(uuid_eq(taken.series_id, given.id));
    given.series_id = series_id(9);
    task_resource.settle(&given, &given, 1);
    assert_true(uuid_eq(given.series_id, series_id(9)));
}

static void who_is_completed(void **state)
{
    struct task before = series_task("", "2026-12-01", "FREQ=DAILY");
    struct task after = before;
    (void)state;
    assert_false(series_is_completed(&before, &after));
    after.status = TASK_COMPLETED;
    assert_true(series_is_completed(&before, &after));
    assert_false(series_is_completed(NULL, &after));
    assert_false(series_is_completed(&after, &after));
    before.status = TASK_IN_PROGRESS;
    assert_true(series_is_completed(&before, &after));
    after.recurrence = (struct slice){0};
    assert_false(series_is_completed(&before, &after));
}

static void a_skip_changes_dates_and_count(void **state)
{
    struct task task = series_task("2026-11-30", "2026-12-01", "freq=daily;Count=10;INTERVAL=2");
    struct series_step step;
    struct task skipped;
    (void)state;
    assert_true(series_find_next(&task, zone_utc(), SERIES_SKIPPED,
                                 series_instant("2026-11-29T00:00:00Z"), &step));
    assert_true(series_skip(&task, zone_utc(), &step, series_arena, &skipped));
    series_must_be(skipped.start, "2026-12-02", "start");
    series_must_be(skipped.due, "2026-12-03", "due");
    assert_true(slice_eq(skipped.recurrence, SLICE("freq=daily;Count=9;INTERVAL=2")));
    skipped.start = task.start;
    skipped.due = task.due;
    skipped.recurrence = task.recurrence;
    assert_int_equal(resource_differ(&task_resource, &task, &skipped), 0);
}

/* A task with
 *   2, open, due two days before, blocked by 3, by the task and by 9
 *     3, completed, due at an instant in Tokyo
 *   4, completed, of a series that went on with 5
 *   5, open */
struct tree {
    struct task task;
    struct task below[4];
    struct series_row rows[4];
    struct zone *tokyo;
    char blocked_by[3 * (UUID_TEXT_LEN + 3) + 2];
    struct series_completion completion;
};

static void make_tree(struct tree *tree)
{
    static const int64_t now = INT64_C(1796083200000); /* 2026-12-01 */
    tree->tokyo = series_zone("Asia/Tokyo");
    tree->task = series_task("2026-11-30", "2026-12-01", "FREQ=WEEKLY;COUNT=5");
    tree->task.status = TASK_COMPLETED;
    tree->task.completed_at = now - 5000;
    tree->task.revision = 17;
    tree->task.parent_id = series_id(77);
    for (uint8_t i = 0; i < 4; i++) {
        tree->below[i] = series_task("", "", NULL);
        tree->below[i].id = series_id(i + 2);
        tree->below[i].parent_id = tree->task.id;
        tree->below[i].series_id = (struct uuid){{0}};
        tree->rows[i] = (struct series_row){&tree->below[i], zone_utc(), false};
    }
    char text[UUID_TEXT_LEN + 1] = "";
    size_t len = 0;
    for (unsigned i = 0; i < 3; i++) {
        const uint8_t numbers[] = {3, 1, 9};
        uuid_format(series_id(numbers[i]), text);
        len += (size_t)snprintf(tree->blocked_by + len, sizeof tree->blocked_by - len, "%c\"%s\"",
                                i == 0 ? '[' : ',', text);
    }
    (void)snprintf(tree->blocked_by + len, sizeof tree->blocked_by - len, "]");
    tree->below[0].blocked_by = slice_of(tree->blocked_by);
    tree->below[0].due = series_date("2026-11-29");
    tree->below[1].parent_id = tree->below[0].id;
    tree->below[1].due = series_date("2026-11-29T01:00:00Z");
    tree->below[1].status = TASK_COMPLETED;
    tree->below[1].completed_at = now - 9000;
    tree->rows[1].zone = tree->tokyo;
    tree->below[2].next_id = tree->below[3].id;
    tree->below[2].status = TASK_COMPLETED;
    tree->below[2].completed_at = now - 9000;
    tree->below[3].position = SLICE("b");
    tree->completion = (struct series_completion){
        .task = &tree->task,
        .zone = zone_utc(),
        .now = now,
        .position = SLICE("am"),
        .rows = tree->rows,
        .count = 4,
    };
    assert_true(
        series_find_next(&tree->task, zone_utc(), SERIES_COMPLETED, now, &tree->completion.step));
}

static const struct task *after(const struct series_change *changes, size_t count, struct uuid id)
{
    for (size_t i = 0; i < count; i++) {
        if (uuid_eq(changes[i].after->id, id))
            return changes[i].after;
    }
    return NULL;
}

static struct uuid copy_of(uint8_t number)
{
    return series_next_id(series_id(number), series_date("2026-12-08"));
}

static void the_whole_tree_comes_along(void **state)
{
    struct tree tree;
    struct series_change *changes;
    size_t count;
    (void)state;
    make_tree(&tree);
    assert_true(series_complete(&tree.completion, series_arena, &changes, &count));
    assert_int_equal(count, 6);

    /* 2 and 5 were open */
    for (size_t i = 0; i < 2; i++) {
        assert_ptr_equal(changes[i].before, &tree.below[i == 0 ? 0 : 3]);
        assert_int_equal(changes[i].after->status, TASK_COMPLETED);
        assert_int_equal(changes[i].after->completed_at, tree.task.completed_at);
        assert_int_equal(changes[i].after->updated_at, tree.completion.now);
        assert_true(uuid_eq(changes[i].after->next_id, (struct uuid){{0}}));
    }
    const struct task *next = changes[2].after;
    assert_null(changes[2].before);
    assert_true(uuid_eq(next->id, copy_of(1)));
    assert_true(uuid_eq(next->series_id, series_id(1)));
    assert_true(uuid_eq(next->parent_id, series_id(77)));
    assert_true(uuid_eq(next->next_id, (struct uuid){{0}}));
    assert_int_equal(next->status, TASK_PENDING);
    assert_int_equal(next->completed_at, 0);
    assert_int_equal(next->created_at, tree.completion.now);
    series_must_be(next->start, "2026-12-07", "start");
    series_must_be(next->due, "2026-12-08", "due");
    assert_true(slice_eq(next->recurrence, SLICE("FREQ=WEEKLY;COUNT=4")));
    assert_true(slice_eq(next->position, SLICE("am")));

    const struct task *two = after(changes, count, copy_of(2));
    assert_non_null(two);
    assert_true(uuid_eq(two->parent_id, next->id));
    assert_true(slice_eq(two->position, SLICE("a")));
    assert_int_equal(two->status, TASK_PENDING);
    assert_int_equal(two->completed_at, 0);
    series_must_be(two->due, "2026-12-06", "due of 2");
    char blockers[sizeof tree.blocked_by];
    char texts[3][UUID_TEXT_LEN + 1] = {"", "", ""};
    uuid_format(copy_of(3), texts[0]);
    uuid_format(copy_of(1), texts[1]);
    uuid_format(series_id(9), texts[2]);
    (void)snprintf(blockers, sizeof blockers, "[\"%s\",\"%s\",\"%s\"]", texts[0], texts[1],
                   texts[2]);
    assert_true(slice_eq(two->blocked_by, slice_of(blockers)));

    const struct task *three = after(changes, count, copy_of(3));
    assert_non_null(three);
    assert_true(uuid_eq(three->parent_id, two->id));
    series_must_be(three->due, "2026-12-06T01:00:00Z", "due of 3");
    assert_null(after(changes, count, copy_of(4)));
    assert_non_null(after(changes, count, copy_of(5)));
    zone_release(&tree.tokyo);
}

static void what_is_taken_is_not_made(void **state)
{
    struct tree tree;
    struct series_change *changes;
    size_t count;
    (void)state;
    make_tree(&tree);
    tree.rows[0].taken = true; /* and with it 3 */
    assert_true(series_complete(&tree.completion, series_arena, &changes, &count));
    assert_int_equal(count, 4);
    assert_non_null(after(changes, count, copy_of(1)));
    assert_non_null(after(changes, count, copy_of(5)));
    tree.completion.taken = true;
    assert_true(series_complete(&tree.completion, series_arena, &changes, &count));
    assert_int_equal(count, 2);
    tree.completion.taken = false;
    tree.completion.ended = true;
    assert_true(series_complete(&tree.completion, series_arena, &changes, &count));
    assert_int_equal(count, 2);
    assert_ptr_equal(changes[0].before, &tree.below[0]);
    zone_release(&tree.tokyo);
}

static void without_memory_nothing_comes(void **state)
{
    struct tree tree;
    struct series_change *changes;
    size_t count;
    bool done = false;
    (void)state;
    make_tree(&tree);
    for (size_t most = 16; !done; most += 512) {
        struct arena *small = arena_create(most);
        assert_non_null(small);
        done = series_complete(&tree.completion, small, &changes, &count);
        assert_true(most < SERIES_ARENA && (!done || count == 6));
        arena_destroy(&small);
    }
    zone_release(&tree.tokyo);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_next_id_is_made_of_the_old_id_and_the_new_due),
        cmocka_unit_test(a_series_has_the_id_of_its_first),
        cmocka_unit_test(who_is_completed),
        cmocka_unit_test(a_skip_changes_dates_and_count),
        cmocka_unit_test(the_whole_tree_comes_along),
        cmocka_unit_test(what_is_taken_is_not_made),
        cmocka_unit_test(without_memory_nothing_comes),
    };
    return cmocka_run_group_tests(tests, series_set_up, series_tear_down);
}
