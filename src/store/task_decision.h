#ifndef TASKHOLD_STORE_TASK_DECISION_H
#define TASKHOLD_STORE_TASK_DECISION_H

#include "store/store.h"

/* What a write of a task comes to, given what the database holds: the same on every engine. Pure
 * functions; texts stay borrowed from where they were. */

/* What the engine has to do to the tasks of the user. */
enum task_decision {
    TASK_DECISION_NOTHING,
    TASK_DECISION_INSERT, /* op->task; a tombstone of that id goes */
    TASK_DECISION_UPDATE, /* to op->task */
    TASK_DECISION_DELETE, /* a tombstone with op->task.revision stays */
};

/* What a write knows of the user before it writes. */
struct task_before {
    int64_t revision; /* of the user */
    bool exists;      /* a task under op->id; not looked at for STORE_TASK_CREATE */
    struct task task; /* when it exists */
};

/* Sets op->outcome and op->task. Every decision but NOTHING takes the user's next revision, which
 * is op->task.revision. */
enum task_decision task_decide(struct store_task_write *op, const struct task_before *before);

/* An answer that was kept under an idempotency key. */
struct task_kept {
    struct slice fingerprint;
    int64_t used_at;
    enum store_outcome outcome;
    struct task task;
};

/* Does the kept answer decide the write, by being its answer or that of another request? Then
 * op->outcome, op->task and op->replayed are set. One that is too old decides nothing. */
bool task_decide_kept(struct store_task_write *op, const struct task_kept *kept);

#endif
