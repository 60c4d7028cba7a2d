// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_SQLITE_READER_H
#define TASKHOLD_STORE_SQLITE_READER_H

#include "store/sqlite/statement.h"
#include "store/store.h"

/* The reads, answered before they return, on the loop's own connection. */

void reader_user_by_email(struct store_user_by_email *op);
void reader_user_get(struct store_user_get *op);
void reader_user_list(struct store_user_list *op);
void reader_session_check(struct store_session_check *op);
void reader_session_list(struct store_session_list *op);
void reader_task_get(struct store_task_get *op);

/* Take a row in the order of columns that every statement on tasks and users has. Texts are copied
 * into `arena`; with NULL they live until the next row. */
struct task reader_take_task(struct query *q, struct arena *arena);
struct user reader_take_user(struct query *q, struct arena *arena);

#endif
