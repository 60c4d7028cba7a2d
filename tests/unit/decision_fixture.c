// SPDX-License-Identifier: MIT
#include "decision_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

const struct uuid id = {{1, 2, 3}};
const struct uuid other = {{1, 2, 4}};
const struct usage_limits no_limits = {INT64_MAX, INT64_MAX};
struct arena *decision_arena;

const struct task tea = {.id = {{1, 2, 3}},
                         .title = SLICE("Tea"),
                         .status = TASK_PENDING,
                         .position = SLICE("V"),
                         .labels = SLICE("[]"),
                         .start = FIELD_NULL_NUMBER,
                         .due = FIELD_NULL_NUMBER,
                         .blocked_by = SLICE("[]"),
                         .metadata = SLICE("{}"),
                         .created_at = 1000,
                         .updated_at = 1500,
                         .revision = TASK_REVISION};

struct item_before task_before(bool exists)
{
    return (struct item_before){.space.revision = SPACE_REVISION, .item = exists ? &tea : NULL};
}

struct store_item_write task_write(enum store_verb verb, const char *title)
{
    static struct task values[8];
    static unsigned count;
    struct task *task = &values[count++ % COUNT(values)];
    resource_clear(&task_resource, task);
    task->title = slice_of(title);
    return (struct store_item_write){
        .op.arena = decision_arena,
        .resource = &task_resource,
        .verb = verb,
        .id = id,
        .now = NOW,
        .steady = NOW,
        .values = task,
        .set = resource_settable(&task_resource),
    };
}

struct task *decision_values(const struct store_item_write *write)
{
    return (struct task *)(uintptr_t)write->values;
}

const struct task *task_after(const struct store_item_write *write)
{
    assert_non_null(write->item);
    return write->item;
}

int decision_set_up(void **state)
{
    (void)state;
    decision_arena = arena_create(1 << 20);
    return decision_arena ? 0 : -1;
}

int decision_tear_down(void **state)
{
    (void)state;
    arena_destroy(&decision_arena);
    return 0;
}
