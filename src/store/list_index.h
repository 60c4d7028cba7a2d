// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_LIST_INDEX_H
#define TASKHOLD_STORE_LIST_INDEX_H

#include <stdbool.h>

#include "store/store.h"

/* Both engines keep a text for each kind of list, in this order: by sort, then ascending and
 * descending, then from the beginning and after a cursor, then of all statuses and of some. */
#define LIST_INDEX_COUNT (STORE_SORT_COUNT * 2 * 2 * 2)

unsigned list_index_of(const struct store_task_list *op);

/* Whether only some statuses are asked for. */
bool list_index_filters(const struct store_task_list *op);

#endif
