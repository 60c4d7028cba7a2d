// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_SQLITE_LIST_H
#define TASKHOLD_STORE_SQLITE_LIST_H

#include "store/list_index.h"
#include "store/store.h"

/* A statement for each sort, direction, with or without a position, with or without a filter. */
extern const char *const list_texts[LIST_INDEX_COUNT];

void list_run(struct store_task_list *op);

/* Reads revision, total and rows on the connection of op->op.session and gives the rows, without
 * `begin` and `done`. Returns SQLITE_OK or an error. */
int list_read_page(struct store_task_list *op);

#endif
