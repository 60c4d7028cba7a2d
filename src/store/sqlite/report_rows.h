// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_SQLITE_REPORT_ROWS_H
#define TASKHOLD_STORE_SQLITE_REPORT_ROWS_H

#include "store/store.h"

/* What all tasks of a space come to: on the loop that asks where they are few, and on a reader
 * thread where they are many. */
void report_rows_labels(struct store_label_list *op);
void report_rows_summary(struct store_summary *op);

#endif
