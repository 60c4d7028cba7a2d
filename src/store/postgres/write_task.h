// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_POSTGRES_WRITE_TASK_H
#define TASKHOLD_STORE_POSTGRES_WRITE_TASK_H

#include "store/store.h"

/* Changes of tasks, with preconditions and idempotency keys. */
void pg_task_write(struct store_task_write *op);

#endif
