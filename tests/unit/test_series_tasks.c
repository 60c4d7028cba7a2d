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
    series_settle(NULL, &task);
    assert_true(uuid_eq(task.series_id, (struct uuid){{0}}));
    struct task given = task;
    given.recurrence = SLICE("FREQ=DAILY");
    series_settle(&task, &given);
    assert_true(uuid_eq(given.series_id, given.id));
    struct task taken = given;
    taken.recurrence = (struct slice){0};
    series_settle(&given, &taken);
    assert_true(uuid_eq(taken.series_id, given.id));
    task = given;
    task.series_id = series_id(9);
    series_settle(&given, &task);
    assert_true(uuid_eq(task.series_id, series_id(9)));
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

/* ---- a task and all that is below it ---- */

#define BLOCKERS 3

/* `["…","…","…"]` */
static struct slice ids_text(const struct uuid ids[static BLOCKERS],
                             char room[static FIELD_UUIDS_MOST(BLOCKERS) + 1])
{
    char text[UUID_TEXT_LEN + 1] = "";
    size_t len = 0;
    for (unsigned i = 0; i < BLOCKERS; i++) {
        uuid_format(ids[i], text);
        len += (size_t)snprintf(room + len, FIELD_UUIDS_MOST(BLOCKERS) + 1 - len, "%c\"%s\"",
                                i == 0 ? '[' : ',', text);
    }
    (void)snprintf(room + len, FIELD_UUIDS_MOST(BLOCKERS) + 1 - len, "]");
    return slice_of(room);
}

/* The task 1 is completed; 2 and 3 come along. */
static struct series_roll make_roll(const struct task *task)
{
    static struct uuid ids[3];
    struct series_roll roll = {.ids = ids, .count = 3};
    for (uint8_t i = 0; i < 3; i++)
        ids[i] = series_id(i + 1);
    assert_true(series_find_next(task, zone_utc(), SERIES_COMPLETED,
                                 series_instant("2026-12-01T08:00:00Z"), &roll.step));
    return roll;
}

static struct task completed(const char *start, const char *due, const char *rule)
{
    struct task task = series_task(start, due, rule);
    task.status = TASK_COMPLETED;
    task.completed_at = series_instant("2026-12-01T07:00:00Z");
    return task;
}

static void the_next_one_is_like_the_old_one(void **state)
{
    const struct task old = completed("2026-11-30", "2026-12-01", "FREQ=WEEKLY;COUNT=5");
    const struct series_roll roll = make_roll(&old);
    struct task next = old;
    (void)state;
    assert_true(series_make_next(&roll, zone_utc(), series_arena, &next));
    assert_true(uuid_eq(next.id, series_next_id(series_id(1), series_date("2026-12-08"))));
    assert_true(uuid_eq(next.series_id, series_id(1)));
    assert_int_equal(next.status, TASK_PENDING);
    assert_int_equal(next.completed_at, 0);
    series_must_be(next.start, "2026-12-07", "start");
    series_must_be(next.due, "2026-12-08", "due");
    assert_true(slice_eq(next.recurrence, SLICE("FREQ=WEEKLY;COUNT=4")));
    next.id = old.id;
    next.status = old.status;
    next.completed_at = old.completed_at;
    next.start = old.start;
    next.due = old.due;
    next.recurrence = old.recurrence;
    assert_int_equal(resource_differ(&task_resource, &old, &next), 0);

    /* what no version has forgotten */
    next = old;
    next.series_id = (struct uuid){{0}};
    next.next_id = series_id(9);
    assert_true(series_make_next(&roll, zone_utc(), series_arena, &next));
    assert_true(uuid_eq(next.series_id, series_id(1)));
    assert_true(uuid_eq(next.next_id, (struct uuid){{0}}));
}

static void what_is_below_it_comes_along(void **state)
{
    const struct task root = completed("", "2026-12-01", "FREQ=WEEKLY");
    const struct series_roll roll = make_roll(&root);
    const int64_t due = series_date("2026-12-08");
    struct zone *tokyo = series_zone("Asia/Tokyo");
    char room[FIELD_UUIDS_MOST(BLOCKERS) + 1];
    char expected[FIELD_UUIDS_MOST(BLOCKERS) + 1];
    struct task task = completed("2026-11-28", "2026-11-29T01:00:00Z", "FREQ=DAILY;COUNT=3");
    (void)state;
    task.id = series_id(2);
    task.series_id = series_id(8);
    task.parent_id = series_id(3);
    task.blocked_by =
        ids_text((const struct uuid[]){series_id(3), series_id(1), series_id(9)}, room);
    assert_true(series_make_copy(&roll, tokyo, series_arena, &task));
    assert_true(uuid_eq(task.id, series_next_id(series_id(2), due)));
    assert_true(uuid_eq(task.parent_id, series_next_id(series_id(3), due)));
    assert_true(uuid_eq(task.series_id, series_id(8)));
    assert_true(slice_eq(task.recurrence, SLICE("FREQ=DAILY;COUNT=3")));
    assert_true(slice_eq(task.position, SLICE("a")));
    assert_int_equal(task.status, TASK_PENDING);
    assert_int_equal(task.completed_at, 0);
    series_must_be(task.start, "2026-12-05", "start");
    series_must_be(task.due, "2026-12-06T01:00:00Z", "due");
    ids_text((const struct uuid[]){series_next_id(series_id(3), due),
                                   series_next_id(series_id(1), due), series_id(9)},
             expected);
    assert_true(slice_eq(task.blocked_by, slice_of(expected)));
    zone_release(&tokyo);
}

static void what_is_open_is_completed_with_it(void **state)
{
    struct task task = series_task("", "2026-12-01", "FREQ=WEEKLY");
    (void)state;
    task.status = TASK_IN_PROGRESS;
    series_close(&task, 1000);
    assert_int_equal(task.status, TASK_COMPLETED);
    assert_int_equal(task.completed_at, 1000);
    assert_true(uuid_eq(task.next_id, (struct uuid){{0}}));
    series_close(&task, 2000);
    assert_int_equal(task.completed_at, 1000);
}

static void without_memory_nothing_comes(void **state)
{
    const struct task root = completed("", "2026-12-01", "FREQ=WEEKLY;COUNT=5");
    const struct series_roll roll = make_roll(&root);
    struct arena *small = arena_create(1);
    char room[FIELD_UUIDS_MOST(BLOCKERS) + 1];
    struct task next = root;
    (void)state;
    assert_non_null(small);
    assert_false(series_make_next(&roll, zone_utc(), small, &next));
    next = root;
    next.parent_id = series_id(3);
    next.blocked_by =
        ids_text((const struct uuid[]){series_id(3), series_id(1), series_id(9)}, room);
    assert_false(series_make_copy(&roll, zone_utc(), small, &next));
    arena_destroy(&small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_next_id_is_made_of_the_old_id_and_the_new_due),
        cmocka_unit_test(a_series_has_the_id_of_its_first),
        cmocka_unit_test(who_is_completed),
        cmocka_unit_test(a_skip_changes_dates_and_count),
        cmocka_unit_test(the_next_one_is_like_the_old_one),
        cmocka_unit_test(what_is_below_it_comes_along),
        cmocka_unit_test(what_is_open_is_completed_with_it),
        cmocka_unit_test(without_memory_nothing_comes),
    };
    return cmocka_run_group_tests(tests, series_set_up, series_tear_down);
}
