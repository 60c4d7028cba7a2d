// SPDX-License-Identifier: MIT
#include "store/postgres/write_task.h"

#include "store/postgres/job.h"
#include "store/postgres/session.h"
#include "store/task_decision.h"

struct task_job {
    struct job job;
    bool found; /* the user is there */
    struct task_before before;
    struct usage usage; /* what the write adds to the user's */
    bool decided;       /* by the answer that was kept under the key */
};

static bool has_key(const struct store_task_write *op)
{
    return op->idempotency.key.ptr != NULL;
}

/* Run again, a create finds its task instead of its key. */
static bool looks_for_itself(const struct job *job)
{
    const struct store_task_write *op = (const struct store_task_write *)job->op;
    return job->uncertain && op->verb == STORE_TASK_CREATE && !has_key(op);
}

/* ---- what is there, read after the lock of the user ---- */

static void take_user(struct job *job, const PGresult *result)
{
    struct task_job *t = (struct task_job *)job;
    t->found = PQntuples(result) > 0;
    if (!t->found)
        return;
    struct row r = row_of(result, 0, NULL);
    t->before.revision = row_i64(&r);
    for (unsigned i = 0; i < TASK_STATUS_COUNT; i++)
        t->before.usage.tasks[i] = row_i64(&r);
    t->before.usage.bytes = row_i64(&r);
}

static void take_task(struct job *job, const PGresult *result)
{
    struct task_job *t = (struct task_job *)job;
    t->before.exists = PQntuples(result) > 0;
    if (!t->before.exists)
        return;
    struct row r = row_of(result, 0, job->op->arena);
    t->before.task = row_task(&r);
    if (r.failed)
        job_no_memory(job);
}

static void take_tombstone(struct job *job, const PGresult *result)
{
    ((struct task_job *)job)->before.tombstone = PQntuples(result) > 0;
}

/* Was it this very operation that kept the answer, in an earlier run? */
static bool is_own(const struct job *job, const struct task_kept *kept)
{
    const struct store_task_write *op = (const struct store_task_write *)job->op;
    return job->uncertain && kept->used_at == op->steady && uuid_eq(kept->task.id, op->id);
}

static void take_key(struct job *job, const PGresult *result)
{
    struct store_task_write *op = (struct store_task_write *)job->op;
    if (PQntuples(result) == 0)
        return;
    struct row r = row_of(result, 0, op->op.arena);
    struct task_kept kept = {.fingerprint = row_blob(&r)};
    kept.used_at = row_i64(&r);
    kept.outcome = (enum store_outcome)row_i64(&r);
    kept.task = row_task(&r);
    if (r.failed) {
        job_no_memory(job);
        return;
    }
    ((struct task_job *)job)->before.kept_bytes = task_kept_bytes(op, &kept);
    ((struct task_job *)job)->decided = task_decide_kept(op, &kept);
    if (is_own(job, &kept))
        op->replayed = false;
}

/* Sends a statement on the task of that id. */
static void send_on_task(struct job *job, enum sql sql, job_take *take)
{
    const struct store_task_write *op = (struct store_task_write *)job->op;
    struct params p = {0};
    params_uuid(&p, &op->user);
    params_uuid(&p, &op->id);
    job_send(job, sql, &p, take);
}

/* Sends a statement on the row of that key. */
static void send_on_key(struct job *job, enum sql sql, job_take *take)
{
    const struct store_task_write *op = (struct store_task_write *)job->op;
    struct params p = {0};
    params_uuid(&p, &op->user);
    params_text(&p, op->idempotency.key);
    job_send(job, sql, &p, take);
}

static void ask(struct job *job)
{
    const struct store_task_write *op = (struct store_task_write *)job->op;
    struct params p = {0};
    params_uuid(&p, &op->user);
    job_send(job, SQL_USER_LOCK, &p, take_user);
    if (op->verb != STORE_TASK_CREATE || looks_for_itself(job))
        send_on_task(job, SQL_TASK_GET, take_task);
    if (op->verb == STORE_TASK_REPLACE || looks_for_itself(job))
        send_on_task(job, SQL_TOMBSTONE_GET, take_tombstone);
    if (has_key(op))
        send_on_key(job, SQL_KEY_GET, take_key);
}

/* ---- writing ---- */

/* What a statement stores of a task that comes to be, but for its revision. */
static void bind_task(struct params *p, const struct task *task)
{
    params_uuid(p, &task->id);
    params_text(p, task->title);
    params_text(p, task->description);
    params_i64(p, (int64_t)task->status);
    params_i64(p, task->created_at);
    params_i64(p, task->updated_at);
    params_time(p, task->completed_at);
}

static void bind_usage(struct params *p, const struct usage *usage)
{
    for (unsigned i = 0; i < TASK_STATUS_COUNT; i++)
        params_i64(p, usage->tasks[i]);
    params_i64(p, usage->bytes);
}

static void insert_task(struct job *job)
{
    const struct task_job *t = (const struct task_job *)job;
    const struct store_task_write *op = (struct store_task_write *)job->op;
    struct params p = {0};
    params_uuid(&p, &op->user);
    bind_task(&p, &op->task);
    params_i64(&p, op->task.revision);
    bind_usage(&p, &t->usage);
    job_send(job, SQL_TASK_INSERT, &p, NULL);
    if (t->before.tombstone)
        send_on_task(job, SQL_TOMBSTONE_DROP, NULL);
}

static void update_task(struct job *job)
{
    const struct store_task_write *op = (struct store_task_write *)job->op;
    struct params p = {0};
    params_uuid(&p, &op->user);
    params_uuid(&p, &op->id);
    params_i64(&p, ((struct task_job *)job)->before.task.revision);
    params_text(&p, op->task.title);
    params_text(&p, op->task.description);
    params_i64(&p, (int64_t)op->task.status);
    params_i64(&p, op->task.updated_at);
    params_time(&p, op->task.completed_at);
    params_i64(&p, op->task.revision);
    bind_usage(&p, &((struct task_job *)job)->usage);
    job_send(job, SQL_TASK_UPDATE, &p, NULL);
}

static void delete_task(struct job *job)
{
    const struct store_task_write *op = (struct store_task_write *)job->op;
    struct params p = {0};
    params_uuid(&p, &op->user);
    params_uuid(&p, &op->id);
    params_i64(&p, ((struct task_job *)job)->before.task.revision);
    params_i64(&p, op->task.revision);
    bind_usage(&p, &((struct task_job *)job)->usage);
    job_send(job, SQL_TASK_DELETE, &p, NULL);

    struct params tombstone = {0};
    params_uuid(&tombstone, &op->user);
    params_uuid(&tombstone, &op->id);
    params_i64(&tombstone, op->task.revision);
    params_i64(&tombstone, op->steady);
    job_send(job, SQL_TOMBSTONE_PUT, &tombstone, NULL);
}

static void keep_answer(struct job *job)
{
    const struct store_task_write *op = (struct store_task_write *)job->op;
    struct params p = {0};
    params_uuid(&p, &op->user);
    params_text(&p, op->idempotency.key);
    params_blob(&p, op->idempotency.fingerprint, sizeof op->idempotency.fingerprint);
    params_i64(&p, op->steady);
    params_i64(&p, (int64_t)op->outcome);
    bind_task(&p, &op->task);
    params_i64(&p, op->task.revision);
    job_send(job, SQL_KEY_PUT, &p, NULL);
}

static void add_bytes(struct job *job, int64_t bytes)
{
    struct params p = {0};
    params_uuid(&p, &((const struct store_task_write *)job->op)->user);
    params_i64(&p, bytes);
    job_send(job, SQL_USER_ADD_BYTES, &p, NULL);
}

static void decide(struct job *job)
{
    struct task_job *t = (struct task_job *)job;
    struct store_task_write *op = (struct store_task_write *)job->op;
    const struct usage_limits limits = session_limits(op->op.session);
    switch (task_decide(op, &t->before, &limits, &t->usage)) {
    case TASK_DECISION_NOTHING:
        if (t->usage.bytes != 0)
            add_bytes(job, t->usage.bytes);
        break;
    case TASK_DECISION_INSERT: insert_task(job); break;
    case TASK_DECISION_UPDATE: update_task(job); break;
    case TASK_DECISION_DELETE: delete_task(job); break;
    case TASK_DECISION_REFUSE: return;
    }
    if (task_is_kept(op))
        keep_answer(job);
}

/* ---- steps ---- */

/* Round 0 reads, round 1 decides and writes. */
static bool step_change(struct job *job, unsigned round)
{
    struct task_job *t = (struct task_job *)job;
    struct store_task_write *op = (struct store_task_write *)job->op;
    if (round == 0) {
        op->replayed = false;
        ask(job);
        return true;
    }
    if (!t->found) {
        op->op.result = ERROR_NOT_FOUND;
    } else if (t->decided) {
        /* A repeated answer must be as durable as the first was. */
        if (op->outcome != STORE_KEY_REUSED)
            send_on_key(job, SQL_KEY_TOUCH, NULL);
    } else if (looks_for_itself(job) && t->before.exists) {
        op->outcome = STORE_CREATED;
        op->task = t->before.task;
    } else if (looks_for_itself(job) && t->before.tombstone) {
        op->op.result = ERROR_OUTCOME_UNKNOWN;
    } else {
        decide(job);
    }
    return false;
}

static void take_created(struct job *job, const PGresult *result)
{
    struct store_task_write *op = (struct store_task_write *)job->op;
    if (PQntuples(result) == 0) {
        op->op.result = ERROR_NOT_FOUND;
        return;
    }
    struct row r = row_of(result, 0, NULL);
    op->task.revision = row_i64(&r);
    if (op->task.revision == 0)
        op->op.result = ERROR_QUOTA_EXCEEDED;
}

/* Nothing need be known before, so one statement does it all. */
static bool step_create(struct job *job, unsigned round)
{
    struct store_task_write *op = (struct store_task_write *)job->op;
    const struct task_before unknown = {0};
    const struct usage_limits limits = session_limits(op->op.session);
    static const struct usage_limits none = {INT64_MAX, INT64_MAX};
    struct usage change; /* its statement counts by itself */
    if (job->uncertain)
        return step_change(job, round);
    op->replayed = false;
    (void)task_decide(op, &unknown, &none, &change);
    struct params p = {0};
    params_uuid(&p, &op->user);
    bind_task(&p, &op->task);
    params_i64(&p, change.bytes);
    params_i64(&p, limits.tasks);
    params_i64(&p, limits.bytes);
    job_send(job, SQL_TASK_CREATE, &p, take_created);
    return false;
}

/* A key tells what became of the first run; so does the task, for a create. */
static bool is_repeatable(const struct job *job)
{
    const struct store_task_write *op = (const struct store_task_write *)job->op;
    return has_key(op) || op->verb == STORE_TASK_CREATE;
}

void pg_task_write(struct store_task_write *op)
{
    static const struct work create = {
        .lane = LANE_CREATE, .size = sizeof(struct task_job), .step = step_create};
    static const struct work change = {.lane = LANE_CHANGE,
                                       .size = sizeof(struct task_job),
                                       .step = step_change,
                                       .repeatable = is_repeatable};
    const bool plain = op->verb == STORE_TASK_CREATE && !has_key(op) &&
                       !op->precondition.match.present && !op->precondition.none_match.present;
    job_start(&op->op, plain ? &create : &change, &op->user);
}
