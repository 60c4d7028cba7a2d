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
        .start = FIELD_NULL_NUMBER,
        .due = FIELD_NULL_NUMBER,
    };
}

static unsigned bit(const char *name)
{
    return 1U << (resource_field(&task_resource, slice_of(name)) - task_resource.fields);
}

/* What the store does with a change. */
static bool apply(struct task *task, const struct task *values, unsigned set)
{
    const struct task before = *task;
    if (resource_apply(&task_resource, task, values, set) == 0)
        return false;
    struct field_reading complaints = {.arena = NULL};
    const struct settling settling = {
        .before = &before, .after = task, .now = NOW, .complaints = &complaints};
    assert_true(task_resource.settle(&settling));
    assert_int_equal(complaints.errors.count, 0);
    return true;
}

static void what_changes_nothing(void **state)
{
    const struct {
        unsigned set;
        struct task values;
    } cases[] = {
        {0, {.title = {0}}},
        {bit("title"), {.title = SLICE("Buy milk")}},
        {bit("description"), {.description = SLICE("Two litres")}},
        {bit("status"), {.status = TASK_PENDING}},
        {resource_settable(&task_resource),
         {.title = SLICE("Buy milk"),
          .description = SLICE("Two litres"),
          .start = FIELD_NULL_NUMBER,
          .due = FIELD_NULL_NUMBER}},
        {0, {.title = SLICE("not set"), .status = TASK_COMPLETED}},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct task task = sample();
        assert_false(apply(&task, &cases[i].values, cases[i].set));
        assert_int_equal(task.revision, 7);
        assert_true(slice_eq(task.title, SLICE("Buy milk")));
    }
}

static void texts_change(void **state)
{
    const struct task values = {.title = SLICE("Tea")};
    (void)state;
    struct task task = sample();
    assert_int_equal(resource_apply(&task_resource, &task, &values, bit("title")), bit("title"));
    assert_true(slice_eq(task.title, SLICE("Tea")));
    assert_true(slice_eq(task.description, SLICE("Two litres")));
    assert_int_equal(task.created_at, 1000);
}

/* Null and the empty text are two things, both ways. */
static void description_clears(void **state)
{
    const struct task clear = {.description = {0}};
    const struct task empty = {.description = SLICE("")};
    const unsigned set = bit("description");
    (void)state;
    struct task task = sample();
    assert_true(apply(&task, &clear, set));
    assert_null(task.description.ptr);
    assert_false(apply(&task, &clear, set));
    assert_true(apply(&task, &empty, set));
    assert_non_null(task.description.ptr);
    assert_int_equal(task.description.len, 0);
    assert_false(apply(&task, &empty, set));
    assert_true(apply(&task, &clear, set));
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
        const struct task values = {.status = cases[i].to};
        assert_int_equal(apply(&task, &values, bit("status")), cases[i].differs);
        assert_int_equal(task.status, cases[i].to);
        assert_int_equal(task.completed_at, cases[i].completed_at);
        assert_true(task_resource.fits(&task));
    }
    struct task wrong = sample();
    wrong.completed_at = NOW;
    assert_false(task_resource.fits(&wrong));
}

/* A change of the title alone leaves the time of completion as it was. */
static void completed_at_stays(void **state)
{
    const struct task values = {.title = SLICE("Tea")};
    (void)state;
    struct task task = sample();
    task.status = TASK_COMPLETED;
    task.completed_at = 1200;
    assert_true(apply(&task, &values, bit("title")));
    assert_int_equal(task.completed_at, 1200);
}

static void the_texts_are_bounded(void **state)
{
    (void)state;
    for (unsigned i = 0; i < resource_count; i++) {
        size_t most = 0;
        for (size_t k = 0; k < resources[i]->count; k++) {
            const struct field *field = &resources[i]->fields[k];
            most += field_is_text(field->type) ? field_text_most(field) : 0;
        }
        assert_int_equal(resources[i]->text_most, most);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_changes_nothing), cmocka_unit_test(texts_change),
        cmocka_unit_test(description_clears),   cmocka_unit_test(completed_at_follows_the_status),
        cmocka_unit_test(completed_at_stays),   cmocka_unit_test(the_texts_are_bounded),
    };
    return cmocka_run_group_tests_name("task", tests, NULL, NULL);
}
