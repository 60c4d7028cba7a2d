// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_POSTGRES_LIST_H
#define TASKHOLD_STORE_POSTGRES_LIST_H

#include "store/list_index.h"
#include "store/postgres/sql.h"
#include "store/store.h"

/* A statement for each sort, direction, with or without a position, with or without a filter: the
 * rows of sql.h from SQL_TASK_LIST. */
extern const struct sql_text pg_list_texts[LIST_INDEX_COUNT];

void pg_task_list(struct store_task_list *op);

#endif
