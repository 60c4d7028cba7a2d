// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/task.h"

#define COUNT(rows) (sizeof(rows) / sizeof(rows)[0])
#define NOW         2000

static struct task sample(void)
{
    return (struct task){
        .title = SLICE("Buy milk"),
        .description = SLICE("Two litres"),
        .status = TASK_PENDING,
        .created_at = 1000,
        .updated_at = 1500,
        .revision = 7,
    };
}

static void names_of_statuses(void **state)
{
    static const char *const names[] = {"pending", "in-progress", "completed"};
    static const char *const wrong[] = {"",         "Pending",     "done",
                                        "pending ", "in_progress", "complete"};
    (void)state;
    for (unsigned i = 0; i < COUNT(names); i++) {
        enum task_status status = TASK_STATUS_COUNT;
        assert_true(slice_eq(task_status_name((enum task_status)i), slice_of(names[i])));
        assert_true(task_status_parse(slice_of(names[i]), &status));
        assert_int_equal(status, i);
    }
    for (size_t i = 0; i < COUNT(wrong); i++) {
        enum task_status status;
        assert_false(task_status_parse(slice_of(wrong[i]), &status));
    }
}

static void what_changes_nothing(void **state)
{
    const struct task_change cases[] = {
        {.set = 0},
        {.set = TASK_TITLE, .title = SLICE("Buy milk")},
        {.set = TASK_DESCRIPTION, .description = SLICE("Two litres")},
        {.set = TASK_STATUS, .status = TASK_PENDING},
        {.set = TASK_ALL, .title = SLICE("Buy milk"), .description = SLICE("Two litres")},
        {.set = 0, .title = SLICE("not set"), .status = TASK_COMPLETED},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct task task = sample();
        assert_false(task_apply(&task, &cases[i], NOW));
        assert_int_equal(task.updated_at, 1500);
        assert_int_equal(task.revision, 7);
        assert_true(slice_eq(task.title, SLICE("Buy milk")));
    }
}

static void texts_change(void **state)
{
    (void)state;
    struct task task = sample();
    assert_true(
        task_apply(&task, &(struct task_change){.set = TASK_TITLE, .title = SLICE("Tea")}, NOW));
    assert_true(slice_eq(task.title, SLICE("Tea")));
    assert_true(slice_eq(task.description, SLICE("Two litres")));
    assert_int_equal(task.updated_at, NOW);
    assert_int_equal(task.created_at, 1000);
}

/* Null and the empty text are two things, both ways. */
static void description_clears(void **state)
{
    const struct task_change clear = {.set = TASK_DESCRIPTION};
    const struct task_change empty = {.set = TASK_DESCRIPTION, .description = SLICE("")};
    (void)state;
    struct task task = sample();
    assert_true(task_apply(&task, &clear, NOW));
    assert_null(task.description.ptr);
    assert_false(task_apply(&task, &clear, NOW));
    assert_true(task_apply(&task, &empty, NOW));
    assert_non_null(task.description.ptr);
    assert_int_equal(task.description.len, 0);
    assert_false(task_apply(&task, &empty, NOW));
    assert_true(task_apply(&task, &clear, NOW));
}

static void completed_at_follows_the_status(void **state)
{
    static const struct {
        enum task_status from;
        enum task_status to;
        int64_t completed_at;
        bool differs;
    } cases[] = {
        {TASK_PENDING, TASK_IN_PROGRESS, 0, true},
        {TASK_PENDING, TASK_COMPLETED, NOW, true},
        {TASK_IN_PROGRESS, TASK_COMPLETED, NOW, true},
        {TASK_COMPLETED, TASK_COMPLETED, 1200, false},
        {TASK_COMPLETED, TASK_PENDING, 0, true},
        {TASK_COMPLETED, TASK_IN_PROGRESS, 0, true},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct task task = sample();
        task.status = cases[i].from;
        task.completed_at = cases[i].from == TASK_COMPLETED ? 1200 : 0;
        const struct task_change change = {.set = TASK_STATUS, .status = cases[i].to};
        assert_int_equal(task_apply(&task, &change, NOW), cases[i].differs);
        assert_int_equal(task.status, cases[i].to);
        assert_int_equal(task.completed_at, cases[i].completed_at);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_of_statuses),
        cmocka_unit_test(what_changes_nothing),
        cmocka_unit_test(texts_change),
        cmocka_unit_test(description_clears),
        cmocka_unit_test(completed_at_follows_the_status),
    };
    return cmocka_run_group_tests_name("task", tests, NULL, NULL);
}
