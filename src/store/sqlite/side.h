// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_SQLITE_SIDE_H
#define TASKHOLD_STORE_SQLITE_SIDE_H

#include <sqlite3.h>

#include "store/transfer/side.h"

/* A SQLite file as one side of a transfer. Whoever writes, or wants nobody to write, takes the lock
 * that a server takes. What is written is one transaction. */
extern const struct side_engine sqlite_side;

/* Whether a move into the database was not finished. */
bool sqlite_side_unfinished(sqlite3 *db);

#endif
