#include "store/task_decision.h"

#include "store/keeping.h"

static enum task_decision create(struct store_task_write *op, const struct task_before *before)
{
    op->outcome = STORE_CREATED;
    op->task = (struct task){.id = op->id, .created_at = op->now};
    (void)task_apply(&op->task, &op->change, op->now);
    op->task.updated_at = op->now;
    op->task.revision = before->revision + 1;
    return TASK_DECISION_INSERT;
}

static enum task_decision change(struct store_task_write *op, const struct task_before *before)
{
    op->outcome = STORE_UPDATED;
    op->task = before->task;
    if (!task_apply(&op->task, &op->change, op->now))
        return TASK_DECISION_NOTHING;
    op->task.revision = before->revision + 1;
    return TASK_DECISION_UPDATE;
}

static enum task_decision remove_task(struct store_task_write *op, const struct task_before *before)
{
    op->outcome = STORE_DELETED;
    op->task = before->task;
    op->task.revision = before->revision + 1;
    return TASK_DECISION_DELETE;
}

static bool matches(const struct store_precondition *precondition, int64_t revision)
{
    if (precondition->any)
        return true;
    for (unsigned i = 0; i < precondition->count; i++) {
        if (precondition->revisions[i] == revision)
            return true;
    }
    return false;
}

/* Sets the outcome and answers false when the request must not be carried out. */
static bool may_change(struct store_task_write *op, const struct task_before *before)
{
    op->task = (struct task){.id = op->id};
    if (!before->exists && op->verb != STORE_TASK_REPLACE) {
        op->outcome = STORE_NOT_FOUND;
        return false;
    }
    bool fits = before->exists ? !op->precondition.must_not_exist : !op->precondition.present;
    if (fits && before->exists && op->precondition.present)
        fits = matches(&op->precondition, before->task.revision);
    if (!fits) {
        op->outcome = STORE_PRECONDITION_FAILED;
        op->task.revision = before->exists ? before->task.revision : 0;
    }
    return fits;
}

enum task_decision task_decide(struct store_task_write *op, const struct task_before *before)
{
    if (op->verb == STORE_TASK_CREATE)
        return create(op, before);
    if (!may_change(op, before))
        return TASK_DECISION_NOTHING;
    if (!before->exists)
        return create(op, before);
    return op->verb == STORE_TASK_DELETE ? remove_task(op, before) : change(op, before);
}

bool task_decide_kept(struct store_task_write *op, const struct task_kept *kept)
{
    const struct slice fingerprint = {(const char *)op->idempotency.fingerprint,
                                      sizeof op->idempotency.fingerprint};
    if (kept->used_at <= op->now - KEEPING_KEY_MS)
        return false;
    if (!slice_eq(kept->fingerprint, fingerprint)) {
        op->outcome = STORE_KEY_REUSED;
        return true;
    }
    op->outcome = kept->outcome;
    op->task = kept->task;
    op->replayed = true;
    return true;
}
