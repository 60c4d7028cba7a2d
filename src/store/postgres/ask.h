// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_POSTGRES_ASK_H
#define TASKHOLD_STORE_POSTGRES_ASK_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

#include "store/postgres/params.h"

/* Waiting for the server with an end: one that is stopped, or a network that swallows all, would
 * hold PQexec for ever. For threads of their own, never for a loop. */

/* Runs a statement on a blocking connection on which nothing else is under way; `params` may be
 * NULL. Returns its result in text, perhaps an error. NULL: the connection was lost, `timeout_ms`
 * passed, or the descriptor `wake` (-1: none) became readable; it can only be closed then. */
PGresult *ask(PGconn *connection, const char *statement, const struct params *params,
              unsigned timeout_ms, int wake);

/* The same for a result of what was sent before, until the monotonic clock shows `until_ms`; sets
 * `*in_time` to false where ask() answers NULL. NULL alone is libpq's, as of PQgetResult. */
PGresult *ask_result(PGconn *connection, int64_t until_ms, int wake, bool *in_time);

#endif
