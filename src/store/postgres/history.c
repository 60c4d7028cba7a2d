// SPDX-License-Identifier: MIT
#include "store/history.h"

#include "store/postgres/job.h"
#include "store/postgres/operations.h"

/* What was done to one thing. The rows of the journal never change, so each part of the chain may
 * be read by itself. */

#define HISTORY_MAGIC 0x84c1f05du

struct history_job {
    struct job job;
    struct history_walk walk;
    unsigned came_back; /* how often it did, between two statements */
    bool look_again;
};

#define LOOKS_MOST 8

static struct history_job *history_job_of(struct job *job)
{
    return job_owner(job, HISTORY_MAGIC);
}

static void take_item(struct job *job, const PGresult *result)
{
    struct store_history *op = (struct store_history *)job->op;
    void *item = NULL;
    if (PQntuples(result) == 0)
        return;
    struct row r = row_of(result, 0, job->op->arena);
    if (!pg_take_item(job, &r, op->resource, &item))
        return;
    op->found = true;
    if (!history_begin(&history_job_of(job)->walk, op, item, ((struct item *)item)->revision))
        job_fail(job, ERROR_OVERLOADED);
}

/* Each statement sees its own moment. A task that was deleted between the two is found by both, and
 * the first counts. One that came back is not among the tasks of the first and not in the trash of
 * the second, which says so: then both are asked again. */
static void take_trashed(struct job *job, const PGresult *result)
{
    struct store_history *op = (struct store_history *)job->op;
    struct history_job *history = history_job_of(job);
    if (op->found || PQntuples(result) == 0)
        return;
    struct row r = row_of(result, 0, NULL);
    const int64_t revision = row_i64(&r);
    history->look_again = revision == 0;
    op->found = revision > 0;
    if (op->found ? !history_begin(&history->walk, op, NULL, revision)
                  : ++history->came_back == LOOKS_MOST)
        job_fail(job, ERROR_OVERLOADED);
}

static struct history_row history_row_of(struct row *r)
{
    struct history_row row = {.revision = row_i64(r)};
    row.at = row_i64(r);
    row.verb = (enum store_verb)row_i64(r);
    row.by.id = row_optional_uuid(r);
    row.before = row_text(r);
    row.previous = row_i64(r);
    row.undoes = row_i64(r);
    row.by.is_token = row_i64(r) != 0;
    row.by.name = row_text(r);
    return row;
}

static void take_part(struct job *job, const PGresult *result)
{
    struct history_walk *walk = &history_job_of(job)->walk;
    if (PQntuples(result) == 0)
        walk->next = 0; /* it was forgotten */
    for (int i = 0; i < PQntuples(result) && walk->next > 0; i++) {
        struct arena *scratch = job_scratch(job, HISTORY_ROW_MEMORY);
        struct row r = row_of(result, i, NULL);
        const struct history_row row = history_row_of(&r);
        const enum error error = r.error != ERROR_NONE ? r.error
                                 : !scratch            ? ERROR_OVERLOADED
                                                       : history_take(walk, &row, scratch);
        if (error != ERROR_NONE) {
            job_fail(job, error);
            return;
        }
    }
}

static bool step_history(struct job *job, unsigned round)
{
    struct store_history *op = job_op(job, step_history);
    struct history_job *history = history_job_of(job);
    struct history_walk *walk = &history->walk;
    if (round == 0 || history->look_again) {
        history->look_again = false;
        op->found = false;
        op->count = 0;
        op->more = false;
        job_send(job, SQL_OF_ITEM(op->resource, SQL_ITEM_GET), take_item, SQL_UUID(&op->space),
                 SQL_UUID(&op->id), SQL_I64(uuid_time_ms(op->id)));
        if (op->resource == &task_resource)
            job_send(job, SQL_TRASHED, take_trashed, SQL_UUID(&op->space), SQL_UUID(&op->id));
        return true;
    }
    if (!op->found || walk->next == 0)
        return false;
    job_send(job, SQL_HISTORY, take_part, SQL_UUID(&op->space), SQL_I64(walk->next),
             SQL_I64(history_part(walk)), SQL_I64(HISTORY_PART_BYTES));
    return true;
}

void pg_history(struct store_history *op)
{
    static const struct work work = {.lane = LANE_SCAN,
                                     .size = sizeof(struct history_job),
                                     .magic = HISTORY_MAGIC,
                                     .step = step_history};
    assert(op->resource && op->limit >= 1 && op->limit <= STORE_HISTORY_MOST);
    job_start(&op->op, &work, &op->space);
}
