// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_POSTGRES_CONNECT_H
#define TASKHOLD_STORE_POSTGRES_CONNECT_H

#include <libpq-fe.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/postgres/params.h"

/* How every connection of a store is made. */
struct connect_options {
    const char *url;
    unsigned timeout_ms; /* of an operation: bounds statements, locks and idle transactions */
    bool prepare;        /* sql.h's statements, and settings of the session; see store_options */
    bool serving;        /* holds LOCK_SERVE; not behind a pooler, where no session is ours */
    bool awaits_lock;    /* 10 s for the end of a move or an import, rather than not at all */
    atomic_uint *host;   /* which host of the URL is tried first, kept by connect_open: the one that
                            answered last, or the one after one that did not; NULL: the first */
};

/* Connects, waiting for it: tries the hosts of the URL in turn (2 s each) until one takes writes.
 * The connection is blocking, speaks UTF-8, runs READ COMMITTED, waits for the disk at each commit,
 * and ends by itself when the network goes silent. What the URL says of these things wins where it
 * is no weaker promise. NULL: `why` holds one line without the password. */
PGconn *connect_open(const struct connect_options *options, char *why, size_t why_size);

/* After a connect_open that failed: may trying again be of use? The server cannot be reached, is
 * starting, or is no primary yet; and not: it refuses us, or the URL makes no sense. Asks once more
 * and waits for it as connect_open does. */
bool connect_may_come(const struct connect_options *options);

/* The same, with every statement of sql.h prepared where the options say so. `*refused`: there was
 * a connection, and it does not take them. */
PGconn *connect_ready(const struct connect_options *options, bool *refused, char *why,
                      size_t why_size);

/* Is it a pooler that answers here? Then the server after it may become a standby while the
 * connection lives on. */
bool connect_is_pooled(const PGconn *connection);

/* For starts and tools: they wait for a blocking connection without an end. Runs statements; false
 * when one of them failed. */
bool connect_run(PGconn *connection, const char *statements);

/* False also where the transaction had failed: that its COMMIT is answered with ROLLBACK is no
 * error to libpq. */
bool connect_commit(PGconn *connection);

/* The number that a statement answers. False: it fails, or has not one row. */
bool connect_number(PGconn *connection, const char *statement, int64_t *number);

/* How many connections the server, the database and the role allow this role together, those kept
 * for superusers aside; 0: the server does not say. */
unsigned connect_allowed(PGconn *connection);

/* How many of `allowed` the sessions of one node take at most: half, less the keeper's, so that a
 * node that starts beside this one finds room. `allowed` 0 sets no limit (UINT_MAX). */
unsigned connect_share(unsigned allowed);

/* Runs a statement on a blocking connection on which nothing else is under way, and waits with an
 * end: a server that is stopped, or a network that swallows all, would hold PQexec for ever. For
 * threads of their own, never for a loop. Returns its result in text, perhaps an error. NULL: the
 * connection was lost, `timeout_ms` passed, or the descriptor `wake` (-1: none) became readable; it
 * can only be closed then. */
PGresult *connect_ask(PGconn *connection, const char *statement, const struct sql_value *values,
                      unsigned count, unsigned timeout_ms, int wake);

/* The same in steps, for who has something to do when the answer is late: sends; waits so long for
 * it to begin; takes it. */
bool connect_send(PGconn *connection, const char *statement, const struct sql_value *values,
                  unsigned count) __attribute__((warn_unused_result));
bool connect_wait(PGconn *connection, unsigned timeout_ms, int wake)
    __attribute__((warn_unused_result));
PGresult *connect_take(PGconn *connection, unsigned timeout_ms, int wake);

/* The first line of libpq's last message, for a log. */
void connect_reason(const PGconn *connection, char *why, size_t why_size);

/* The receiver of notices of every connection (PQsetNoticeReceiver): each is a line of the log.
 * libpq's own would write it to standard error, between the lines of the log. What a server
 * remarks, such as that its collations have another version than its indexes, is a warning; what
 * statements of ours raise (IF NOT EXISTS) is for who debugs. */
void connect_log_notice(void *context, const PGresult *notice);

/* The advisory locks of a database, as SQL writes their numbers: the word `taskhold`, counted up.
 */
#define LOCK_MIGRATE "x'7461736b686f6c64'::bigint" /* whoever changes the schema */
#define LOCK_PURGE   "x'7461736b686f6c65'::bigint" /* the node that deletes what has expired */

/* Shared by every connection of those who serve, for as long as it lives; a move or an import,
 * which has the database for itself, takes it alone. */
#define LOCK_SERVE     "x'7461736b686f6c66'::bigint"
#define LOCK_SERVE_WHY "a taskhold move or import has the database for itself: wait for its end"

/* One that was killed keeps it until the database ends the statement that it runs: so whoever finds
 * it taken asks again, at these intervals and for so long. */
#define LOCK_SERVE_STEP "0.1" /* seconds, as SQL writes them */
#define LOCK_SERVE_MS   10000

#endif
