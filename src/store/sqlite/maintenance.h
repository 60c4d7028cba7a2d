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

    /* Of the monotonic clock: */
    int64_t purge_at_ms;   /* what has expired goes */
    int64_t journal_at_ms; /* the next space's journal is looked at */
    int64_t stepped_ms;    /* the last step */

    bool leftovers;      /* an account may have been deleted whose rows are still there */
    struct uuid journal; /* the last space that was looked at; all zero: none in this round */
};

void maintenance_init(struct maintenance *m, struct statements *statements);

/* Moves the WAL when it has grown enough. Returns SQLITE_OK, or the error that is to be judged
 * like that of a commit; that readers were in the way is none. */
int maintenance_checkpoint(struct maintenance *m);

/* Moves all of it and empties it. */
int maintenance_checkpoint_all(struct maintenance *m);

/* Is there a step to make? While batches follow each other, one is due now and then only. */
bool maintenance_is_due(const struct maintenance *m, bool busy);

/* When there is one, unless somebody deletes an account before. */
int64_t maintenance_next_ms(const struct maintenance *m);

/* One small step in a commit of its own, of at most RETENTION_PURGE_ROWS rows of a kind: removes
 * what a deleted account left, or what has expired, or changes of some spaces that are too old. */
int maintenance_step(struct maintenance *m);

#endif
