// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_TASK_DECISION_H
#define TASKHOLD_STORE_TASK_DECISION_H

#include "store/store.h"
#include "store/usage.h"

/* What a write of a task comes to, given what the database holds: the same on every engine. Pure
 * functions; texts stay borrowed from where they were. */

/* What the engine has to do to the tasks of the user. */
enum task_decision {
    TASK_DECISION_NOTHING,
    TASK_DECISION_INSERT, /* op->task; a tombstone of that id goes */
    TASK_DECISION_UPDATE, /* to op->task */
    TASK_DECISION_DELETE, /* a tombstone with op->task.revision stays */
    TASK_DECISION_REFUSE, /* op->op.result says why; nothing at all is written */
};

/* What a write knows of the user before it writes. */
struct task_before {
    int64_t revision;   /* of the user */
    struct usage usage; /* of the user */
    bool exists;        /* a task under op->id; not looked at for STORE_TASK_CREATE */
    struct task task;   /* when it exists */
    bool tombstone;     /* under op->id; looked at for STORE_TASK_REPLACE when no task exists */
    int64_t kept_bytes; /* of an older answer under the key, which the new one replaces */
};

/* Sets op->outcome and op->task. INSERT, UPDATE and DELETE take the user's next revision, which is
 * op->task.revision. `change`: what the write adds to the user's usage, the answer that
 * is kept included. */
enum task_decision task_decide(struct store_task_write *op, const struct task_before *before,
                               const struct usage_limits *limits, struct usage *change);

/* Is the answer to be kept under the key? Only what was done is, and what had nothing left to do: a
 * request that was refused may be mended and sent again under its key. */
bool task_is_kept(const struct store_task_write *op);

/* An answer that was kept under an idempotency key. */
struct task_kept {
    struct slice fingerprint;
    int64_t used_at;
    enum store_outcome outcome;
    struct task task;
};

/* The bytes that it takes. */
int64_t task_kept_bytes(const struct store_task_write *op, const struct task_kept *kept);

/* Does the kept answer decide the write, by being its answer or that of another request? Then
 * op->outcome, op->task and op->replayed are set. One that is too old decides nothing. */
bool task_decide_kept(struct store_task_write *op, const struct task_kept *kept);

#endif
