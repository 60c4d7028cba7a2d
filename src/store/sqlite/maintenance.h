// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_SQLITE_MAINTENANCE_H
#define TASKHOLD_STORE_SQLITE_MAINTENANCE_H

#include "store/sqlite/statement.h"

/* What the writer does between batches: moving the WAL into the file, and purging. It sees by the
 * members whether something is due, so that most batches call nothing here. */
struct maintenance {
    struct statements *statements; /* the writer's */
    int64_t keep_ms;               /* how long changes are kept */
    int wal_pages;                 /* in the WAL after the last commit; the writer sets it */
    int tried_pages;               /* in it when it was last moved */
    int waited_pages;              /* in it when readers were last waited for */

    /* Of the monotonic clock: */
    int64_t due_ms;        /* the next step, unless somebody deletes an account before */
    int64_t purge_at_ms;   /* what has expired goes */
    int64_t journal_at_ms; /* the next space's journal is looked at */
    int64_t stepped_ms;    /* the last step */

    bool leftovers;      /* an account may have been deleted whose rows are still there */
    struct uuid journal; /* the last space that was looked at; all zero: none in this round */
};

/* `keep_seconds`: of store_options. */
void maintenance_init(struct maintenance *m, struct statements *statements, int64_t keep_seconds);

/* Pages (4 KiB each) in the WAL: at each so many more they are moved as far as readers allow, which
 * is before its index needs a third table, at 8,158. */
#ifndef MAINTENANCE_STEP_PAGES /* a test has fewer */
#define MAINTENANCE_STEP_PAGES 8000
#endif

/* While batches follow each other, steps are at least so far apart. */
#define MAINTENANCE_BUSY_MS 20

/* To be called when the WAL has grown by MAINTENANCE_STEP_PAGES since `tried_pages`, or has fewer:
 * moves it. Returns SQLITE_OK, or the error that is to be judged like that of a commit; that
 * readers were in the way is none. */
int maintenance_checkpoint(struct maintenance *m);

/* Moves all of it and empties it. */
int maintenance_checkpoint_all(struct maintenance *m);

/* An account was deleted: its rows go with the next steps. */
void maintenance_expect(struct maintenance *m);

/* One small step in a commit of its own, of at most RETENTION_PURGE_ROWS rows of a kind: removes
 * what a deleted account left, or what has expired, or changes of some spaces that are too old. */
int maintenance_step(struct maintenance *m);

#endif
