// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_SQLITE_MIGRATE_H
#define TASKHOLD_STORE_SQLITE_MIGRATE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>

#include "store/migrations.h"

/* Brings the schema to the newest one this program knows: each script in a transaction of its own
 * that also raises PRAGMA user_version, with foreign keys off, so that a table that others refer to
 * can be built anew; what then refers to nothing ends the step. A process that dies in between
 * leaves a whole older schema. A newer schema than the newest known is refused, and tables of the
 * old form (database.h). Returns false with one line in `why`. */
bool migrate_to_head(sqlite3 *db, char *why, size_t why_size);

/* The same with the steps that are given; step `i` leads to schema `i` + 1. */
bool migrate_through(sqlite3 *db, const struct migration *migrations, size_t count, char *why,
                     size_t why_size);

/* The newest schema that this program knows. */
sqlite3_int64 migrate_head(void);

#endif
