// SPDX-License-Identifier: MIT
#include "store/list_writes.h"

#include <assert.h>

#include "model/task_list.h"

struct item_ask list_writes_ask(const struct store_item_write *op)
{
    return (struct item_ask){.question = op->tasks == STORE_TASKS_KEEP_LIST ? ITEM_ASK_LIST_COUNT
                                                                            : ITEM_ASK_LIST_TASKS,
                             .resource = &task_resource,
                             .id = op->id};
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

static bool add_task(struct item_walk *walk, const struct item_row *row)
{
    struct item_follower follower = {.resource = &task_resource,
                                     .step = ITEM_REMOVE,
                                     .id = row->id,
                                     .created_at = row->created_at,
                                     .revision = row->revision,
                                     .number = row->number};
    if (walk->op->tasks == STORE_TASKS_TO_INBOX) {
        follower.step = ITEM_UPDATE;
        follower.make = make_in_inbox;
    }
    return item_walk_add(walk, &follower);
}

bool list_writes_judge(struct item_walk *walk, const struct item *list)
{
    assert(walk && list && walk->op->resource == &list_resource);
    struct store_item_write *op = walk->op;
    const struct item_ask ask = list_writes_ask(op);
    const struct item_answer *tasks = item_walk_ask(walk, &ask);
    if (!tasks)
        return false;
    const bool counted = ask.question == ITEM_ASK_LIST_COUNT;
    op->task_count = counted && tasks->rows ? tasks->rows->number : tasks->count;
    if (counted && op->task_count > 0) {
        op->outcome = STORE_NOT_EMPTY;
        walk->decision = (struct item_decision){.step = ITEM_NOTHING};
        return false;
    }
    if (op->task_count > LIST_TASKS_MOST)
        item_walk_refuse(walk, ERROR_TOO_MANY);
    return walk->state == ITEM_WALK_ON;
}

bool list_writes_remove(struct item_walk *walk, const struct item *list)
{
    assert(walk && list && walk->op->resource == &list_resource);
    const struct item_ask ask = list_writes_ask(walk->op);
    const struct item_answer *tasks = item_walk_ask(walk, &ask);
    const bool follow = tasks && ask.question == ITEM_ASK_LIST_TASKS;
    for (const struct item_row *row = follow ? tasks->rows : NULL; row; row = row->next) {
        if (!add_task(walk, row))
            return false;
    }
    return tasks != NULL;
}
