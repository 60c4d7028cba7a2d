// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_SQLITE_CHANGE_ROWS_H
#define TASKHOLD_STORE_SQLITE_CHANGE_ROWS_H

#include "store/store.h"

/* What changed in a space, in the snapshot of the loop that asks: a page is bounded, and each row
 * of it is found by a key. */
void change_rows_read(struct store_changes *op);

#endif
