// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_POSTGRES_LIST_H
#define TASKHOLD_STORE_POSTGRES_LIST_H

#include "store/postgres/sql.h"
#include "store/store.h"

/* A statement for each sort, direction, with or without a position, with or without a filter: the
 * rows of sql.h from SQL_TASK_LIST. */
#define LIST_TEXTS (STORE_SORT_COUNT * 2 * 2 * 2)
extern const struct sql_text pg_list_texts[LIST_TEXTS];

void pg_task_list(struct store_task_list *op);

#endif
