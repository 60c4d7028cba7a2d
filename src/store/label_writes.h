// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_LABEL_WRITES_H
#define TASKHOLD_STORE_LABEL_WRITES_H

#include "store/item_walk.h"

/* Another label in place of one, or none, on all tasks that carry it: each is a follower, and there
 * is no item of the write itself. False: the walk ends. A pure function. */
bool label_writes_decide(struct item_walk *walk);

/* The tasks that carry the label which is replaced. */
struct item_ask label_writes_tasks(const struct store_item_write *op);

#endif
