// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_POSTGRES_READS_H
#define TASKHOLD_STORE_POSTGRES_READS_H

#include "store/store.h"

/* The reads but for the list of tasks (list.h). */
void pg_user_by_email(struct store_user_by_email *op);
void pg_user_get(struct store_user_get *op);
void pg_user_list(struct store_user_list *op);
void pg_session_check(struct store_session_check *op);
void pg_session_list(struct store_session_list *op);
void pg_task_get(struct store_task_get *op);

#endif
