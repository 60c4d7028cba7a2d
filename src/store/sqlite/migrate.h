#ifndef TASKHOLD_STORE_SQLITE_MIGRATE_H
#define TASKHOLD_STORE_SQLITE_MIGRATE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>

/* Brings the schema to the newest one this program knows: numbered scripts, each in a transaction
 * of its own that also raises PRAGMA user_version. A process that dies in between leaves a whole
 * older schema. A newer schema than the newest known is refused. Returns false with one line in
 * `why`. */
bool migrate_to_head(sqlite3 *db, char *why, size_t why_size);

/* The newest schema that this program knows. */
sqlite3_int64 migrate_head(void);

#endif
