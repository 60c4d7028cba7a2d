// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_POSTGRES_COPY_H
#define TASKHOLD_STORE_POSTGRES_COPY_H

#include "store/transfer/side.h"

/* The binary format of COPY (manual of PostgreSQL, COPY, "Binary Format"), in terms of table.h. */

/* What stands before the first row and after the last. */
void copy_add_head(struct buffer *out);
void copy_add_tail(struct buffer *out);

void copy_add_row(struct buffer *out, const struct table *table, const struct table_value *values);

/* Reads one message of the server, which is one row; before the first stands the head. SIDE_FAILED:
 * it is not what the table says. The values point into the message. */
enum side_next copy_read_row(struct slice message, bool first, const struct table *table,
                             struct table_value values[TABLE_COLUMNS_MOST]);

#endif
