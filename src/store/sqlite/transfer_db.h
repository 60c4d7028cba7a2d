// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_SQLITE_TRANSFER_DB_H
#define TASKHOLD_STORE_SQLITE_TRANSFER_DB_H

#include <sqlite3.h>

#include "store/transfer/transfer_db.h"

/* A SQLite file as one end of a transfer. Whoever writes, or wants nobody to write, takes the lock
 * that a server takes. What is written is one transaction. */
extern const struct transfer_engine sqlite_transfer;

/* Whether a move into the database was not finished. */
bool sqlite_transfer_unfinished(sqlite3 *db);

#endif
