#ifndef TASKHOLD_STORE_POSTGRES_LOCKS_H
#define TASKHOLD_STORE_POSTGRES_LOCKS_H

/* The advisory locks of a database, as SQL writes their numbers: the word `taskhold`, counted up.
 */
#define LOCK_MIGRATE "x'7461736b686f6c64'::bigint" /* whoever changes the schema */
#define LOCK_PURGE   "x'7461736b686f6c65'::bigint" /* the node that deletes what has expired */

/* Shared by every connection of those who serve, for as long as it lives; a move or an import,
 * which has the database for itself, takes it alone. */
#define LOCK_SERVE "x'7461736b686f6c66'::bigint"

#endif
