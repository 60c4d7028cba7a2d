// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_LIST_WRITES_H
#define TASKHOLD_STORE_LIST_WRITES_H

#include "store/item_walk.h"

/* What becomes of the tasks of a list that is deleted, as op->tasks says. Pure functions. */

/* May it be deleted? Where there are tasks and op->tasks says nothing, the outcome is
 * STORE_NOT_EMPTY; of too many the write is refused. False: it may not, or the walk ends. */
bool list_writes_judge(struct item_walk *walk, const struct item *list);

/* The tasks follow; after list_writes_judge. False: the walk ends. */
bool list_writes_remove(struct item_walk *walk, const struct item *list);

/* What list_writes_judge asks. */
struct item_ask list_writes_ask(const struct store_item_write *op);

#endif
