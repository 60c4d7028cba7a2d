// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_SERIES_WRITES_H
#define TASKHOLD_STORE_SERIES_WRITES_H

#include "store/item_walk.h"

/* What a write does to the series that a task is in (model/series.h). Pure functions. */

/* Where the write completes `task`, which was `old` and is in a series: the next one comes, copies
 * of what is below it come along, and what is open there is completed. The walk may end. */
void series_writes_complete(struct item_walk *walk, const struct task *old, struct task *task,
                            int64_t now);

/* Makes of `task`, a copy of the one there is, what a skip leaves. Where there is nothing to skip
 * the walk ends. */
void series_writes_skip(struct item_walk *walk, struct task *task, int64_t now);

#endif
