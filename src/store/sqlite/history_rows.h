// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_SQLITE_HISTORY_ROWS_H
#define TASKHOLD_STORE_SQLITE_HISTORY_ROWS_H

#include "store/history_operations.h"

/* What was done to one thing. */
void history_rows_read(struct store_history *op);

#endif
