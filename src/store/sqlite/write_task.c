#include "store/sqlite/write_task.h"

#include "store/sqlite/reader.h"
#include "store/sqlite/revision.h"
#include "store/sqlite/session.h"
#include "store/sqlite/sql.h"

/* What a write knows of the database before it writes. */
struct before {
    int64_t revision; /* of the user */
    bool exists;
    struct task task; /* when it exists */
};

static int read_task(struct transaction *t, struct store_task_write *op, struct before *before)
{
    struct query q = query_begin(&t->statements, SQL_TASK_GET);
    query_bind_uuid(&q, &op->user);
    query_bind_uuid(&q, &op->id);
    before->exists = query_row(&q);
    if (before->exists)
        before->task = reader_take_task(&q, op->op.arena);
    return query_end(&q);
}

/* ---- idempotency ---- */

static void take_answer(struct query *q, struct store_task_write *op)
{
    op->outcome = (enum store_outcome)query_take_i64(q);
    op->task = reader_take_task(q, op->op.arena);
    op->replayed = true;
}

/* Was the key used in the last 24 hours? Then `*decided`: the old answer, or that it is another
 * request. */
static int find_key(struct transaction *t, struct store_task_write *op, bool *decided)
{
    *decided = false;
    if (!op->idempotency.key.ptr)
        return SQLITE_OK;
    struct query q = query_begin(&t->statements, SQL_KEY_GET);
    query_bind_uuid(&q, &op->user);
    query_bind_text(&q, op->idempotency.key);
    if (query_row(&q)) {
        const struct slice fingerprint = {(const char *)op->idempotency.fingerprint,
                                          sizeof op->idempotency.fingerprint};
        bool same = slice_eq(query_take_blob(&q), fingerprint);
        *decided = query_take_i64(&q) > op->now - WRITE_TASK_KEY_MS;
        if (*decided && same)
            take_answer(&q, op);
        else if (*decided)
            op->outcome = STORE_KEY_REUSED;
    }
    return query_end(&q);
}

static int keep_answer(struct transaction *t, const struct store_task_write *op)
{
    if (!op->idempotency.key.ptr)
        return SQLITE_OK;
    struct query q = query_begin(&t->statements, SQL_KEY_PUT);
    query_bind_uuid(&q, &op->user);
    query_bind_text(&q, op->idempotency.key);
    query_bind_blob(&q, op->idempotency.fingerprint, sizeof op->idempotency.fingerprint);
    query_bind_i64(&q, op->now);
    query_bind_i64(&q, (int64_t)op->outcome);
    query_bind_uuid(&q, &op->task.id);
    query_bind_text(&q, op->task.title);
    query_bind_text(&q, op->task.description);
    query_bind_i64(&q, (int64_t)op->task.status);
    query_bind_i64(&q, op->task.created_at);
    query_bind_i64(&q, op->task.updated_at);
    query_bind_time(&q, op->task.completed_at);
    query_bind_i64(&q, op->task.revision);
    return query_run(&q);
}

/* ---- statements ---- */

static int insert_task(struct transaction *t, const struct store_task_write *op)
{
    struct query q = query_begin(&t->statements, SQL_TASK_INSERT);
    query_bind_uuid(&q, &op->user);
    query_bind_uuid(&q, &op->task.id);
    query_bind_text(&q, op->task.title);
    query_bind_text(&q, op->task.description);
    query_bind_i64(&q, (int64_t)op->task.status);
    query_bind_i64(&q, op->task.created_at);
    query_bind_i64(&q, op->task.updated_at);
    query_bind_time(&q, op->task.completed_at);
    query_bind_i64(&q, op->task.revision);
    return query_run(&q);
}

/* A statement that must have changed one row of what was just read. */
static int run_on_one(struct transaction *t, struct query *q)
{
    int rc = query_run(q);
    return rc == SQLITE_OK && sqlite3_changes(t->statements.db) != 1 ? SQLITE_ABORT : rc;
}

static int update_task(struct transaction *t, const struct store_task_write *op,
                       const struct before *before)
{
    struct query q = query_begin(&t->statements, SQL_TASK_UPDATE);
    query_bind_uuid(&q, &op->user);
    query_bind_i64(&q, before->task.created_at);
    query_bind_uuid(&q, &op->id);
    query_bind_i64(&q, before->task.revision);
    query_bind_text(&q, op->task.title);
    query_bind_text(&q, op->task.description);
    query_bind_i64(&q, (int64_t)op->task.status);
    query_bind_i64(&q, op->task.updated_at);
    query_bind_time(&q, op->task.completed_at);
    query_bind_i64(&q, op->task.revision);
    return run_on_one(t, &q);
}

static int delete_task(struct transaction *t, const struct store_task_write *op,
                       const struct before *before)
{
    struct query q = query_begin(&t->statements, SQL_TASK_DELETE);
    query_bind_uuid(&q, &op->user);
    query_bind_i64(&q, before->task.created_at);
    query_bind_uuid(&q, &op->id);
    query_bind_i64(&q, before->task.revision);
    int rc = run_on_one(t, &q);
    if (rc != SQLITE_OK)
        return rc;
    q = query_begin(&t->statements, SQL_TOMBSTONE_PUT);
    query_bind_uuid(&q, &op->user);
    query_bind_uuid(&q, &op->id);
    query_bind_i64(&q, op->task.revision);
    query_bind_i64(&q, op->now);
    return query_run(&q);
}

static int drop_tombstone(struct transaction *t, const struct store_task_write *op)
{
    struct query q = query_begin(&t->statements, SQL_TOMBSTONE_DROP);
    query_bind_uuid(&q, &op->user);
    query_bind_uuid(&q, &op->id);
    return query_run(&q);
}

/* ---- verbs ---- */

static int create(struct transaction *t, struct store_task_write *op, const struct before *before)
{
    op->outcome = STORE_CREATED;
    op->task = (struct task){.id = op->id, .created_at = op->now};
    (void)task_apply(&op->task, &op->change, op->now);
    op->task.updated_at = op->now;
    op->task.revision = before->revision + 1;
    int rc = insert_task(t, op);
    if (rc == SQLITE_OK && op->verb == STORE_TASK_REPLACE)
        rc = drop_tombstone(t, op);
    if (rc == SQLITE_OK)
        revision_set(t, op->task.revision);
    return rc;
}

static int change(struct transaction *t, struct store_task_write *op, const struct before *before)
{
    op->outcome = STORE_UPDATED;
    op->task = before->task;
    if (!task_apply(&op->task, &op->change, op->now))
        return SQLITE_OK;
    op->task.revision = before->revision + 1;
    int rc = update_task(t, op, before);
    if (rc == SQLITE_OK)
        revision_set(t, op->task.revision);
    return rc;
}

static int remove_task(struct transaction *t, struct store_task_write *op,
                       const struct before *before)
{
    op->outcome = STORE_DELETED;
    op->task = before->task;
    op->task.revision = before->revision + 1;
    int rc = delete_task(t, op, before);
    if (rc == SQLITE_OK)
        revision_set(t, op->task.revision);
    return rc;
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
static bool may_change(struct store_task_write *op, const struct before *before)
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

static int change_existing(struct transaction *t, struct store_task_write *op,
                           struct before *before)
{
    int rc = read_task(t, op, before);
    if (rc != SQLITE_OK || !may_change(op, before))
        return rc;
    if (!before->exists)
        return create(t, op, before);
    return op->verb == STORE_TASK_DELETE ? remove_task(t, op, before) : change(t, op, before);
}

static int run(struct transaction *t, struct store_op *base)
{
    struct store_task_write *op = (struct store_task_write *)base;
    struct before before = {0};
    bool found = false;
    bool decided = false;
    op->replayed = false;
    int rc = revision_read(t, &op->user, &before.revision, &found);
    if (rc == SQLITE_OK && !found) {
        op->op.result = ERROR_NOT_FOUND;
        return SQLITE_OK;
    }
    if (rc == SQLITE_OK)
        rc = find_key(t, op, &decided);
    if (rc != SQLITE_OK || decided)
        return rc;
    rc = op->verb == STORE_TASK_CREATE ? create(t, op, &before) : change_existing(t, op, &before);
    return rc == SQLITE_OK ? keep_answer(t, op) : rc;
}

static const struct writer_work work = {run};

void write_task(struct store_task_write *op)
{
    session_write(&op->op, &work);
}
