// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_SQLITE_DATABASE_H
#define TASKHOLD_STORE_SQLITE_DATABASE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
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

/* What a result code of SQLite (extended or not) means to a caller. SQLITE_OK, SQLITE_ROW and
 * SQLITE_DONE are ERROR_NONE. */
enum error database_result(int rc);

/* The file is damaged: it must not be written to again before somebody has looked at it. */
bool database_is_corrupt(int rc);

/* The kernel failed to write or to flush. After that it may call pages clean that never reached
 * the disk, so nothing that is tried again can be believed. */
bool database_is_lost_write(int rc);

/* One integer from a statement of ours. Returns SQLITE_OK or the error. */
int database_read_i64(sqlite3 *db, const char *sql, sqlite3_int64 *value);

/* Whether the first row of a statement of ours is the text `wanted`; NULL: whether it gives none.
 * Returns SQLITE_OK or the error. */
int database_says(sqlite3 *db, const char *sql, const char *wanted, bool *said);

/* Whether its tables have the form that they had before there were spaces: version 0.1.0 and what
 * came soon after it counted their schema as 1 too. */
bool database_is_of_old_form(sqlite3 *db);

/* What to do with such a file. */
#define DATABASE_OLD_FORM_WHY                                                                      \
    "it was made by version 0.2.0 or an older one, whose tables are others: write it into a file " \
    "with version 0.2.0, `taskhold export FILE`, and read that with this version, `taskhold "      \
    "import FILE --database sqlite:NEW`"

/* See store_engine.epoch. Returns false when there is none to be read. */
bool database_read_epoch(sqlite3 *db, struct uuid *epoch);

/* Makes another one, in the transaction that is open. Returns SQLITE_OK or the error. */
int database_renew_epoch(sqlite3 *db);

/* Makes it that of another database, which this one goes on. */
int database_set_epoch(sqlite3 *db, const struct uuid *epoch);

#endif
