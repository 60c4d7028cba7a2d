// SPDX-License-Identifier: MIT
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
    /* A clock that is behind, of another node say, puts no time before an earlier one. */
    const int64_t now = op->now > before->task.updated_at ? op->now : before->task.updated_at;
    op->outcome = STORE_UPDATED;
    op->task = before->task;
    if (!task_apply(&op->task, &op->change, now))
        return TASK_DECISION_NOTHING;
    op->task.revision = before->revision + 1;
    return TASK_DECISION_UPDATE;
}

static enum task_decision remove_task(struct store_task_write *op, const struct task_before *before)
{
    op->outcome = STORE_DELETED;
    op->task = before->task;
    op->task.title = op->task.description = (struct slice){0}; /* the answer does not show them */
    op->task.revision = before->revision + 1;
    return TASK_DECISION_DELETE;
}

/* Sets the outcome and answers false when the request must not be carried out. What a create is
 * asked of is the list, which always exists and has the user's revision. */
static bool may_change(struct store_task_write *op, const struct task_before *before)
{
    const bool creates = op->verb == STORE_TASK_CREATE;
    const bool exists = creates || before->exists;
    op->task = (struct task){.id = op->id};
    if (!exists && op->verb != STORE_TASK_REPLACE) {
        op->outcome = STORE_NOT_FOUND;
        return false;
    }
    const int64_t revision = creates ? before->revision : before->task.revision;
    op->verdict = store_precondition_judge(&op->precondition, exists, revision);
    if (op->verdict != STORE_HOLDS) {
        op->outcome = STORE_PRECONDITION_FAILED;
        op->task.revision = exists ? revision : 0;
    }
    return op->verdict == STORE_HOLDS;
}

static enum task_decision decide(struct store_task_write *op, const struct task_before *before)
{
    if (!may_change(op, before))
        return TASK_DECISION_NOTHING;
    if (op->verb == STORE_TASK_CREATE || !before->exists)
        return create(op, before);
    return op->verb == STORE_TASK_DELETE ? remove_task(op, before) : change(op, before);
}

bool task_is_kept(const struct store_task_write *op)
{
    return op->idempotency.key.ptr && op->outcome <= STORE_DELETED;
}

static void count(struct usage *change, const struct task *task, int sign)
{
    change->tasks[task->status] += sign;
    change->bytes += sign * usage_task_bytes(task);
}

static struct usage usage_change(const struct store_task_write *op,
                                 const struct task_before *before, enum task_decision decision)
{
    struct usage change = {0};
    const bool ends = decision == TASK_DECISION_UPDATE || decision == TASK_DECISION_DELETE;
    const bool begins = decision == TASK_DECISION_UPDATE || decision == TASK_DECISION_INSERT;
    if (ends)
        count(&change, &before->task, -1);
    if (begins)
        count(&change, &op->task, 1);
    if (decision == TASK_DECISION_DELETE)
        change.bytes += USAGE_TOMBSTONE_BYTES;
    if (decision == TASK_DECISION_INSERT && before->tombstone)
        change.bytes -= USAGE_TOMBSTONE_BYTES;
    if (task_is_kept(op))
        change.bytes += usage_key_bytes(op->idempotency.key, &op->task) - before->kept_bytes;
    return change;
}

/* A deletion makes room sooner or later, so it may take some first. */
static bool fits(const struct usage *usage, const struct usage *change,
                 const struct usage_limits *limits, enum task_decision decision)
{
    if (decision == TASK_DECISION_DELETE)
        return true;
    if (decision == TASK_DECISION_INSERT && usage_total(usage, 0) >= limits->tasks)
        return false;
    return change->bytes <= 0 || change->bytes <= limits->bytes - usage->bytes;
}

enum task_decision task_decide(struct store_task_write *op, const struct task_before *before,
                               const struct usage_limits *limits, struct usage *change)
{
    enum task_decision decision = decide(op, before);
    *change = usage_change(op, before, decision);
    if (!fits(&before->usage, change, limits, decision)) {
        op->op.result = ERROR_QUOTA_EXCEEDED;
        *change = (struct usage){0};
        return TASK_DECISION_REFUSE;
    }
    return decision;
}

int64_t task_kept_bytes(const struct store_task_write *op, const struct task_kept *kept)
{
    return usage_key_bytes(op->idempotency.key, &kept->task);
}

bool task_decide_kept(struct store_task_write *op, const struct task_kept *kept)
{
    const struct slice fingerprint = {(const char *)op->idempotency.fingerprint,
                                      sizeof op->idempotency.fingerprint};
    if (kept->used_at <= op->steady - KEEPING_KEY_MS)
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
