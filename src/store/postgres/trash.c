// SPDX-License-Identifier: MIT
#include "store/postgres/job.h"
#include "store/postgres/operations.h"
#include "store/trash_operations.h"

/* The tasks that were deleted and may come back. */

#define TRASH_MAGIC 0x9b24e7c1u

static void take_trash(struct job *job, const PGresult *result)
{
    struct store_trash_list *op = (struct store_trash_list *)job->op;
    enum error error = ERROR_NONE;
    bool on = true;
    for (int i = 0; i < PQntuples(result) && on; i++) {
        struct row r = row_of(result, i, NULL);
        const int64_t revision = row_i64(&r);
        const int64_t at = row_i64(&r);
        on = store_trash_give(op, revision, at, row_text(&r), &error);
    }
    if (error != ERROR_NONE)
        job_fail(job, error);
}

static bool step_trash(struct job *job, unsigned round)
{
    struct store_trash_list *op = job_op(job, step_trash);
    (void)round;
    store_trash_begin(op);
    job_send(job, SQL_TRASH_LIST, take_trash, SQL_UUID(&op->space), SQL_I64(op->before),
             SQL_I64((int64_t)op->limit + 1));
    return false;
}

void pg_trash_list(struct store_trash_list *op)
{
    static const struct work work = {
        .lane = LANE_READ, .size = sizeof(struct job), .magic = TRASH_MAGIC, .step = step_trash};
    job_start(&op->op, &work, &op->space);
}
