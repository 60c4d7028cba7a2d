// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_SQLITE_TRANSACTION_H
#define TASKHOLD_STORE_SQLITE_TRANSACTION_H

#include "store/decision.h"
#include "store/sqlite/sql.h"
#include "store/sqlite/statement.h"
#include "store/store.h"

/* The running transaction of the writer: many operations in one commit.
 *
 * An operation's run function returns SQLITE_OK when it has decided: `op->result` is set, and
 * everything it meant to write is written. Any other code says that a statement failed; then
 * whatever it wrote is undone by the caller, and the function may be run once more. So a function
 * reads no output of its own, keeps nothing between runs, and makes every check before its first
 * write. */
struct transaction {
    struct statements statements; /* sql.h */
    struct uuid *ended;           /* users of whom a session ends with this commit */
    unsigned ended_count;
    unsigned ended_most;
    bool deleted; /* an account is deleted with this commit: it leaves rows to be removed */
    struct usage_limits limits;
    struct transaction_space *spaces; /* TRANSACTION_SPACES; whose items are being changed */
    unsigned space_count;
};

#define TRANSACTION_SPACES 128 /* a power of two; twice as many as are kept */

/* The row of a space: read once and written once for all writes of a transaction, or of a part of
 * it in which no more than half of TRANSACTION_SPACES are changed. Until then the row in the
 * database is behind. */
struct transaction_space {
    struct uuid id;
    struct space space;
    bool known; /* else the place is free */
    bool changed;
};

/* False without memory; finish it anyhow. `texts` outlives it. */
bool transaction_init(struct transaction *t, sqlite3 *db, const struct sql_texts *texts,
                      struct usage_limits limits, unsigned ended_most)
    __attribute__((warn_unused_result));
void transaction_finish(struct transaction *t);

/* `*space` stays good until the next call; NULL: there is none of that id. Returns SQLITE_OK or an
 * error. */
int transaction_read_space(struct transaction *t, const struct uuid *id,
                           struct transaction_space **space);

/* The row as it is in the database. */
int transaction_look_at_space(struct statements *statements, const struct uuid *id,
                              struct space *space, bool *found);

/* Sets the revision and adds to the usage of a space that was read. */
void transaction_change_space(struct transaction_space *space, int64_t revision,
                              const struct usage *change);

/* Writes what was changed and forgets all spaces: before anything else touches their rows, and
 * before the commit. Returns SQLITE_OK or an error. */
int transaction_settle(struct transaction *t);

/* Notes that a session of `user` ends with this commit; at most once an operation. */
void transaction_end_sessions(struct transaction *t, const struct uuid *user);

/* Runs the operations chained by `next` from `first` in one transaction up to the commit and sets
 * each `result`. An operation whose `work` is NULL was answered before and is passed over.
 * Returns SQLITE_OK: the commit is on stable storage. Else nothing was written, no result counts,
 * and `*at_commit` says whether it was the commit itself that failed.
 *
 * It runs them without savepoints first. When a statement fails, all is rolled back, which nobody
 * has been told of, and all run again with a savepoint each: the failing ones are answered with
 * their error and their neighbours are not touched. */
int transaction_run(struct transaction *t, struct store_op *first, bool *at_commit);

#endif
