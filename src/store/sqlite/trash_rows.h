// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_SQLITE_TRASH_ROWS_H
#define TASKHOLD_STORE_SQLITE_TRASH_ROWS_H

#include "store/sqlite/statement.h"
#include "store/trash_operations.h"

void trash_rows_list(struct store_trash_list *op);

/* Removes some of what is in a trash that was emptied, at most `most` tasks, in the transaction
 * that is open. `*more`: there may be more. Returns SQLITE_OK or an error. */
int trash_rows_remove_emptied(struct statements *statements, int64_t most, bool *more);

#endif
