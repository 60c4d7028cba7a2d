// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_SQLITE_DATABASE_H
#define TASKHOLD_STORE_SQLITE_DATABASE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/uuid.h"

/* Connections to the file, with every setting that durability rests on read back after it was set.
 * A connection is used by one thread at a time; SQLite takes no lock of its own on it. */

#define DATABASE_APPLICATION_ID 0x5461736b /* "Task" */

/* Settings of the whole process; before any other use of SQLite, any number of times. */
void database_setup(void);

/* The one connection that writes and checkpoints: WAL, every commit flushed. What an earlier
 * process left in the WAL is moved into the file and flushed before this returns. NULL with one
 * line in `why`. */
sqlite3 *database_open_writer(const char *path, char *why, size_t why_size);

/* A connection that can neither write nor checkpoint. NULL with one line in `why`, which may be
 * NULL with the size 0. */
sqlite3 *database_open_reader(const char *path, char *why, size_t why_size);

/* Closes, and never checkpoints. */
void database_close(sqlite3 **db);

/* What an error code of `db` means, in the system's words where SQLite has only "disk I/O error".
 * To be asked before the next call on `db`, which may be NULL. */
const char *database_error(sqlite3 *db, int rc);

/* `rc`, or SQLITE_FULL where a write failed for want of room that SQLite knows no code for: a quota
 * (EDQUOT), the largest size of a file (EFBIG). `file`: the write was of a checkpoint, into the
 * database itself; all others go into the WAL. To be asked before the next call on `db`. */
int database_code(sqlite3 *db, int rc, bool file);

/* One integer from a statement of ours. Returns SQLITE_OK or the error. */
int database_read_i64(sqlite3 *db, const char *sql, sqlite3_int64 *value);

/* Whether the file was made by version 0.1.0, which counted its schema as 1 too and had no epoch.
 */
bool database_is_of_0_1_0(sqlite3 *db);

/* What to do with such a file. */
#define DATABASE_OF_0_1_0_WHY                                                                      \
    "it was made by version 0.1.0, whose tables are others: write it into a file with `taskhold "  \
    "export FILE`, and read that with `taskhold import FILE --database sqlite:NEW`"

/* See store_engine.epoch. Returns false when there is none to be read. */
bool database_read_epoch(sqlite3 *db, struct uuid *epoch);

/* Makes another one, in the transaction that is open. Returns SQLITE_OK or the error. */
int database_renew_epoch(sqlite3 *db);

#endif
