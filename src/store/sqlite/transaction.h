// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_SQLITE_TRANSACTION_H
#define TASKHOLD_STORE_SQLITE_TRANSACTION_H

#include "store/sqlite/statement.h"
#include "store/store.h"
#include "store/usage.h"

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
    struct usage_limits limits;
    struct { /* see revision.h */
        struct uuid user;
        int64_t number;
        struct usage usage;
        bool known;
        bool changed;
    } revision;
};

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
