// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_POSTGRES_MIGRATE_H
#define TASKHOLD_STORE_POSTGRES_MIGRATE_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>

/* Brings the schema to head, each step in a transaction, under an advisory lock so that nodes that
 * start together wait for one another. False: `why` holds one line; a newer schema than this
 * program knows is refused, and so is that of a program from before the first release. */
bool migrate_postgres(PGconn *connection, char *why, size_t why_size);

/* The version of the schema; 0: there is none; -1: it cannot be read. */
int migrate_postgres_version(PGconn *connection);
int migrate_postgres_head(void);

#define MIGRATE_OLD_FORM (-2) /* as the statement of migrate_postgres_version writes it */
#define MIGRATE_OLD_FORM_WHY                                                                       \
    "it was made by an older taskhold, whose tables are others: write it into a file with that "   \
    "program's `taskhold export FILE`, and read that with `taskhold import FILE --database URL` "  \
    "into an empty database"

/* Is `version` the one that this program works with? False: `why` holds one line. */
bool migrate_postgres_judge(PGconn *connection, int version, char *why, size_t why_size);

#endif
