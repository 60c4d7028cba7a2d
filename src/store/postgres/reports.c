// SPDX-License-Identifier: MIT
#include "store/postgres/job.h"
#include "store/postgres/operations.h"

/* What all tasks of a space come to. */

#define LABELS_MAGIC  0x2e90b7d4u
#define SUMMARY_MAGIC 0xc1f36a58u

/* ---- labels ---- */

/* The names stay in the result, which lives until the answer was given. */
static void take_labels(struct job *job, const PGresult *result)
{
    struct store_label_list *op = (struct store_label_list *)job->op;
    struct row first = row_of(result, 0, NULL);
    op->revision = PQntuples(result) > 0 ? row_i64(&first) : 0;
    op->items = arena_alloc(op->op.arena, op->limit * sizeof *op->items);
    if (!op->items) {
        job_fail(job, ERROR_OVERLOADED);
        return;
    }
    if (op->begin && !op->begin(op))
        return;
    for (int i = 0; i < PQntuples(result); i++) {
        struct row r = row_of(result, i, NULL);
        (void)row_i64(&r);
        const struct slice name = row_text(&r);
        op->more = op->count == op->limit;
        if (op->more || !name.ptr)
            return;
        struct store_label *label = &op->items[op->count++];
        label->name = name;
        label->tasks = row_i64(&r);
        label->open = row_i64(&r);
    }
}

static bool step_labels(struct job *job, unsigned round)
{
    struct store_label_list *op = job_op(job, step_labels);
    (void)round;
    op->count = 0;
    op->more = false;
    job_send(job, SQL_LABEL_LIST, take_labels, SQL_UUID(&op->space), SQL_TEXT(op->after),
             SQL_I64((int64_t)op->limit + 1));
    return false;
}

void pg_label_list(struct store_label_list *op)
{
    static const struct work work = {
        .lane = LANE_SCAN, .size = sizeof(struct job), .magic = LABELS_MAGIC, .step = step_labels};
    assert(op->after.ptr && op->limit >= 1 && op->limit <= STORE_LIMIT_MOST);
    job_start(&op->op, &work, &op->space);
}

/* ---- the summary ---- */

static void take_summary(struct job *job, const PGresult *result)
{
    struct store_summary *op = (struct store_summary *)job->op;
    op->lists = arena_alloc(op->op.arena, STORE_SUMMARY_LISTS_MOST * sizeof *op->lists);
    if (!op->lists) {
        job_fail(job, ERROR_OVERLOADED);
        return;
    }
    store_summary_clear(op);
    for (int i = 0; i < PQntuples(result) && op->list_count < STORE_SUMMARY_LISTS_MOST; i++) {
        struct row r = row_of(result, i, NULL);
        struct store_summary_row row = {.list = row_uuid(&r)};
        for (unsigned k = 0; k < TASK_STATUS_COUNT; k++)
            row.tasks[k] = row_i64(&r);
        row.overdue = row_i64(&r);
        row.today = row_i64(&r);
        row.blocked = row_i64(&r);
        store_summary_add(op, &row);
    }
}

static bool step_summary(struct job *job, unsigned round)
{
    struct store_summary *op = job_op(job, step_summary);
    (void)round;
    job_send(job, SQL_SUMMARY, take_summary, SQL_UUID(&op->space), SQL_I64(op->overdue.even),
             SQL_I64(op->overdue.odd), SQL_I64(op->today.even), SQL_I64(op->today.odd),
             SQL_I64(op->tomorrow.even), SQL_I64(op->tomorrow.odd));
    return false;
}

void pg_summary(struct store_summary *op)
{
    static const struct work work = {.lane = LANE_SCAN,
                                     .size = sizeof(struct job),
                                     .magic = SUMMARY_MAGIC,
                                     .step = step_summary};
    job_start(&op->op, &work, &op->space);
}
