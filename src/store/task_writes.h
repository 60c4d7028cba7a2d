// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_TASK_WRITES_H
#define TASKHOLD_STORE_TASK_WRITES_H

#include "store/item_walk.h"

/* What a write of one task has to do with others: its list, its parent and those below it, and what
 * it waits for. Pure functions. */

/* Judges what `task` refers to, and sets what follows from that: its list is its parent's, and what
 * is below it goes along. `old` NULL: it is new. The walk may end. */
void task_writes_judge(struct item_walk *walk, const struct task *old, struct task *task);

/* What is below a task lies in its list, that of op->item: what does not follow already does.
 * False: the walk ends. */
bool task_writes_take_along(struct item_walk *walk, const struct task *task);

/* What is below a task is removed with it. False: the walk ends. */
bool task_writes_remove(struct item_walk *walk, const struct task *task);

/* Might a write of these values ask for anything? */
bool task_writes_may_ask(const struct store_item_write *op);

/* What is below the task of that id. */
struct item_ask task_writes_subtree(const struct uuid *id);

/* How many ids a text of FIELD_UUIDS holds, and the one at a place, as text. */
size_t task_writes_count_ids(struct slice ids);
struct slice task_writes_id(struct slice ids, size_t place);

#endif
