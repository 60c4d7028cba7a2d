// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_SQLITE_MAINTENANCE_H
#define TASKHOLD_STORE_SQLITE_MAINTENANCE_H

#include "store/sqlite/statement.h"

/* What the writer does between batches: moving the WAL into the file, and purging. */
struct maintenance {
    struct statements *statements; /* the writer's */
    int wal_pages;                 /* in the WAL after the last commit */
    int tried_pages;               /* in it when it was last moved */
    int waited_pages;              /* in it when readers were last waited for */
    int64_t purge_at_ms;           /* of the monotonic clock */
};

void maintenance_init(struct maintenance *m, struct statements *statements);

/* Moves the WAL when it has grown enough. Returns SQLITE_OK, or the error that is to be judged
 * like that of a commit; that readers were in the way is none. */
int maintenance_checkpoint(struct maintenance *m);

/* Moves all of it and empties it. */
int maintenance_checkpoint_all(struct maintenance *m);

/* One small step: deletes some rows of what has expired. `*more`: call again when nothing waits;
 * else at `purge_at_ms`. A commit of its own. */
int maintenance_purge(struct maintenance *m, bool *more);

#endif
