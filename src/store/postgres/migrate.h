// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_POSTGRES_MIGRATE_H
#define TASKHOLD_STORE_POSTGRES_MIGRATE_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>

/* Brings the schema to head, each step in a transaction, under an advisory lock so that nodes that
 * start together wait for one another. False: `why` holds one line; a newer schema than this
 * program knows is refused. */
bool migrate_postgres(PGconn *connection, char *why, size_t why_size);

/* The version of the schema, 0 for none, -1 when it cannot be read. */
int migrate_postgres_version(PGconn *connection);
int migrate_postgres_head(void);

#endif
