// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_POSTGRES_LOCKS_H
#define TASKHOLD_STORE_POSTGRES_LOCKS_H

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
