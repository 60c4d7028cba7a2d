// SPDX-License-Identifier: MIT
#include "store/sqlite/write_task.h"

#include "store/sqlite/reader.h"
#include "store/sqlite/revision.h"
#include "store/sqlite/session.h"
#include "store/sqlite/sql.h"
#include "store/task_decision.h"

static int read_task(struct transaction *t, struct store_task_write *op, struct task_before *before)
{
    struct query q = query_begin(&t->statements, SQL_TASK_GET);
    query_bind_uuid(&q, &op->user);
    query_bind_uuid(&q, &op->id);
    before->exists = query_row(&q);
    if (before->exists)
        before->task = reader_take_task(&q, op->op.arena);
    return query_end(&q);
}

/* A whole task, in the order of the columns. */
static void bind_task(struct query *q, const struct task *task)
{
    query_bind_uuid(q, &task->id);
    query_bind_text(q, task->title);
    query_bind_text(q, task->description);
    query_bind_i64(q, (int64_t)task->status);
    query_bind_i64(q, task->created_at);
    query_bind_i64(q, task->updated_at);
    query_bind_time(q, task->completed_at);
    query_bind_i64(q, task->revision);
}

/* The row that was read, by its key and its revision. */
static void bind_row_read(struct query *q, const struct store_task_write *op,
                          const struct task_before *before)
{
    query_bind_uuid(q, &op->user);
    query_bind_i64(q, before->task.created_at);
    query_bind_uuid(q, &op->id);
    query_bind_i64(q, before->task.revision);
}

/* ---- idempotency ---- */

/* Was the key used in the last 24 hours? Then `*decided`: the old answer, or that it is another
 * request. */
static int find_key(struct transaction *t, struct store_task_write *op, struct task_before *before,
                    bool *decided)
{
    *decided = false;
    if (!op->idempotency.key.ptr)
        return SQLITE_OK;
    struct query q = query_begin(&t->statements, SQL_KEY_GET);
    query_bind_uuid(&q, &op->user);
    query_bind_text(&q, op->idempotency.key);
    if (query_row(&q)) {
        struct task_kept kept = {.fingerprint = query_take_blob(&q)};
        kept.used_at = query_take_i64(&q);
        kept.outcome = (enum store_outcome)query_take_i64(&q);
        kept.task = reader_take_task(&q, op->op.arena);
        before->kept_bytes = task_kept_bytes(op, &kept);
        *decided = q.rc == SQLITE_OK && task_decide_kept(op, &kept);
    }
    return query_end(&q);
}

static int keep_answer(struct transaction *t, const struct store_task_write *op)
{
    if (!task_is_kept(op))
        return SQLITE_OK;
    struct query q = query_begin(&t->statements, SQL_KEY_PUT);
    query_bind_uuid(&q, &op->user);
    query_bind_text(&q, op->idempotency.key);
    query_bind_blob(&q, op->idempotency.fingerprint, sizeof op->idempotency.fingerprint);
    query_bind_i64(&q, op->steady);
    query_bind_i64(&q, (int64_t)op->outcome);
    bind_task(&q, &op->task);
    return query_run(&q);
}

/* ---- statements ---- */

static int insert_task(struct transaction *t, const struct store_task_write *op)
{
    struct query q = query_begin(&t->statements, SQL_TASK_INSERT);
    query_bind_uuid(&q, &op->user);
    bind_task(&q, &op->task);
    return query_run(&q);
}

/* A statement that must have changed one row of what was just read. */
static int run_on_one(struct transaction *t, struct query *q)
{
    int rc = query_run(q);
    return rc == SQLITE_OK && sqlite3_changes(t->statements.db) != 1 ? SQLITE_ABORT : rc;
}

static int update_task(struct transaction *t, const struct store_task_write *op,
                       const struct task_before *before)
{
    struct query q = query_begin(&t->statements, SQL_TASK_UPDATE);
    bind_row_read(&q, op, before);
    query_bind_text(&q, op->task.title);
    query_bind_text(&q, op->task.description);
    query_bind_i64(&q, (int64_t)op->task.status);
    query_bind_i64(&q, op->task.updated_at);
    query_bind_time(&q, op->task.completed_at);
    query_bind_i64(&q, op->task.revision);
    return run_on_one(t, &q);
}

static int delete_task(struct transaction *t, const struct store_task_write *op,
                       const struct task_before *before)
{
    struct query q = query_begin(&t->statements, SQL_TASK_DELETE);
    bind_row_read(&q, op, before);
    int rc = run_on_one(t, &q);
    if (rc != SQLITE_OK)
        return rc;
    q = query_begin(&t->statements, SQL_TOMBSTONE_PUT);
    query_bind_uuid(&q, &op->user);
    query_bind_uuid(&q, &op->id);
    query_bind_i64(&q, op->task.revision);
    query_bind_i64(&q, op->steady);
    return query_run(&q);
}

static int find_tombstone(struct transaction *t, const struct store_task_write *op, bool *found)
{
    struct query q = query_begin(&t->statements, SQL_TOMBSTONE_GET);
    query_bind_uuid(&q, &op->user);
    query_bind_uuid(&q, &op->id);
    *found = query_row(&q);
    return query_end(&q);
}

static int drop_tombstone(struct transaction *t, const struct store_task_write *op)
{
    struct query q = query_begin(&t->statements, SQL_TOMBSTONE_DROP);
    query_bind_uuid(&q, &op->user);
    query_bind_uuid(&q, &op->id);
    return query_run(&q);
}

/* ---- verbs ---- */

static int carry_out(struct transaction *t, struct store_task_write *op,
                     const struct task_before *before)
{
    int rc = SQLITE_OK;
    struct usage change;
    const enum task_decision decision = task_decide(op, before, &t->limits, &change);
    switch (decision) {
    case TASK_DECISION_NOTHING: break;
    case TASK_DECISION_INSERT:
        rc = insert_task(t, op);
        if (rc == SQLITE_OK && before->tombstone)
            rc = drop_tombstone(t, op);
        break;
    case TASK_DECISION_UPDATE: rc = update_task(t, op, before); break;
    case TASK_DECISION_DELETE: rc = delete_task(t, op, before); break;
    case TASK_DECISION_REFUSE: return SQLITE_OK;
    }
    if (rc == SQLITE_OK)
        rc = keep_answer(t, op);
    if (rc == SQLITE_OK && (decision != TASK_DECISION_NOTHING || change.bytes != 0))
        revision_set(t, decision == TASK_DECISION_NOTHING ? before->revision : op->task.revision,
                     &change);
    return rc;
}

static int run(struct transaction *t, struct store_op *base)
{
    struct store_task_write *op = (struct store_task_write *)base;
    struct task_before before = {0};
    bool found = false;
    bool decided = false;
    op->replayed = false;
    int rc = revision_read(t, &op->user, &before.revision, &before.usage, &found);
    if (rc == SQLITE_OK && !found) {
        op->op.result = ERROR_NOT_FOUND;
        return SQLITE_OK;
    }
    if (rc == SQLITE_OK)
        rc = find_key(t, op, &before, &decided);
    if (rc != SQLITE_OK || decided)
        return rc;
    if (op->verb != STORE_TASK_CREATE)
        rc = read_task(t, op, &before);
    if (rc == SQLITE_OK && op->verb == STORE_TASK_REPLACE && !before.exists)
        rc = find_tombstone(t, op, &before.tombstone);
    return rc == SQLITE_OK ? carry_out(t, op, &before) : rc;
}

static const struct writer_work work = {run};

void write_task(struct store_task_write *op)
{
    session_write(&op->op, &work);
}
