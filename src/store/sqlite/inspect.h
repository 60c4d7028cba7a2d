// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_SQLITE_INSPECT_H
#define TASKHOLD_STORE_SQLITE_INSPECT_H

#include <sqlite3.h>

#include "store/transfer/digest.h"

/* Looking at a database without changing it: whose it is, whether it is whole, what it holds. */

#define INSPECT_TABLES_MOST 32
#define INSPECT_NAME_MOST   63

struct inspect_table {
    char name[INSPECT_NAME_MOST + 1];
    struct digest_sum sum; /* of every value of every row, in scan order */
};

/* In the order of the names. */
struct inspect_tables {
    struct inspect_table list[INSPECT_TABLES_MOST];
    size_t count;
};

/* Opens a database of this program that nobody writes, such as a backup: takes no lock and makes no
 * file beside it. NULL with one line in `why`, which calls it `name`. To be closed with
 * database_close. */
sqlite3 *inspect_open_still(const char *path, const char *name, char *why, size_t why_size);

/* Is it a database of this program, with a schema that it knows? `path` is for `why`. */
bool inspect_identity(sqlite3 *db, const char *path, int64_t *schema, char *why, size_t why_size);

/* Every page, every index, every reference. */
bool inspect_integrity(sqlite3 *db, const char *path, char *why, size_t why_size);

/* Counts and digests all tables, in one snapshot when the caller has begun one. Two connections
 * that see the same rows in files with the same pages answer the same. SQLITE_OK or the error. */
int inspect_tables(sqlite3 *db, struct inspect_tables *found);

/* The first table that is not the same in both; NULL when all are. */
const char *inspect_difference(const struct inspect_tables *a, const struct inspect_tables *b);

#endif
