// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_POSTGRES_TRANSFER_DB_H
#define TASKHOLD_STORE_POSTGRES_TRANSFER_DB_H

#include <libpq-fe.h>

#include "store/transfer/transfer_db.h"

/* A PostgreSQL database as one end of a transfer, over one connection. What is read is one
 * snapshot; what is written is one transaction, in which nobody else reaches the tables. */
extern const struct transfer_engine postgres_transfer;

/* Whether a move into the database was not finished. */
bool postgres_transfer_unfinished(PGconn *connection);

#endif
