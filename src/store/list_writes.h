// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_LIST_WRITES_H
#define TASKHOLD_STORE_LIST_WRITES_H

#include "store/item_walk.h"

/* What becomes of the tasks of a list that is deleted, as op->tasks says. Where there are some and
 * it says nothing, the outcome is STORE_NOT_EMPTY and nothing is to be done. False: the walk ends.
 * A pure function. */
bool list_writes_remove(struct item_walk *walk, const struct item *list);

/* The tasks of the list of that id. */
struct item_ask list_writes_tasks(const struct uuid *id);

#endif
