// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_POSTGRES_SIDE_H
#define TASKHOLD_STORE_POSTGRES_SIDE_H

#include <libpq-fe.h>

#include "store/transfer/side.h"

/* A PostgreSQL database as one side of a transfer, over one connection. What is read is one
 * snapshot; what is written is one transaction, in which nobody else reaches the tables. */
extern const struct side_engine postgres_side;

/* Whether a move into the database was not finished. */
bool postgres_side_unfinished(PGconn *connection);

#endif
