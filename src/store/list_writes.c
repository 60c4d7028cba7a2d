// SPDX-License-Identifier: MIT
#include "store/list_writes.h"

#include <assert.h>

#include "model/task_list.h"

struct item_ask list_writes_tasks(const struct uuid *id)
{
    return (struct item_ask){
        .question = ITEM_ASK_LIST_TASKS, .resource = &task_resource, .id = *id};
}

/* To the end of the inbox, in the order in which they come; a subtask keeps its place among those
 * of its parent. */
static bool make_in_inbox(const struct store_item_write *op, const struct item_follower *follower,
                          int64_t revision, void *after, struct arena *arena)
{
    struct task *task = after;
    assert(op->resource == &list_resource && follower->resource == &task_resource);
    task->list_id = (struct uuid){{0}};
    return follower->number > 1 || resource_put_last(&task_resource, task, revision, arena);
}

/* Tasks that go are told of before those above them, and those that move after. */
static bool add_task(struct item_walk *walk, const struct item_row *row)
{
    struct item_follower follower = {.resource = &task_resource,
                                     .step = ITEM_REMOVE,
                                     .id = row->id,
                                     .created_at = row->created_at,
                                     .revision = row->revision,
                                     .number = row->number};
    if (walk->op->tasks == STORE_TASKS_DELETE)
        return item_walk_add_first(walk, &follower);
    follower.step = ITEM_UPDATE;
    follower.make = make_in_inbox;
    return item_walk_add(walk, &follower);
}

bool list_writes_remove(struct item_walk *walk, const struct item *list)
{
    assert(walk && list && walk->op->resource == &list_resource);
    struct store_item_write *op = walk->op;
    const struct item_ask ask = list_writes_tasks(&list->id);
    const struct item_answer *tasks = item_walk_ask(walk, &ask);
    if (!tasks)
        return false;
    op->task_count = tasks->count;
    if (tasks->count > 0 && op->tasks == STORE_TASKS_KEEP_LIST) {
        op->outcome = STORE_NOT_EMPTY;
        walk->decision.step = ITEM_NOTHING;
        return true;
    }
    if (tasks->count > LIST_TASKS_MOST) {
        item_walk_refuse(walk, ERROR_TOO_MANY);
        return false;
    }
    for (const struct item_row *row = tasks->rows; row; row = row->next) {
        if (!add_task(walk, row))
            return false;
    }
    return true;
}
