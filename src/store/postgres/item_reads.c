// SPDX-License-Identifier: MIT
#include "store/decision.h"
#include "store/postgres/job.h"
#include "store/postgres/operations.h"

/* Reads of items, whatever their resource. */

#define GET_MAGIC  0x5e1c07a3u
#define LIST_MAGIC 0xb94f2d68u

bool pg_take_item(struct job *job, struct row *r, const struct resource *resource, void **item)
{
    assert(job && r && resource && item);
    if (!*item)
        *item = arena_alloc(job->op->arena, resource->size);
    if (!*item) {
        job_fail(job, ERROR_OVERLOADED);
        return false;
    }
    row_item(r, resource, *item);
    if (r->error != ERROR_NONE)
        job_fail(job, r->error);
    return r->error == ERROR_NONE;
}

/* ---- one item ---- */

/* The texts stay in the result, which lives until the answer was given. */
static void take_got(struct job *job, const PGresult *result)
{
    struct store_item_get *op = (struct store_item_get *)job->op;
    void *item = NULL;
    if (PQntuples(result) == 0) {
        op->op.result = ERROR_NOT_FOUND;
        return;
    }
    struct row r = row_of(result, 0, NULL);
    if (pg_take_item(job, &r, op->resource, &item))
        op->item = item;
}

static bool step_get(struct job *job, unsigned round)
{
    struct store_item_get *op = job_op(job, step_get);
    (void)round;
    op->item = NULL;
    job_send(job, SQL_OF_ITEM(op->resource, SQL_ITEM_GET), take_got, SQL_UUID(&op->space),
             SQL_UUID(&op->id), SQL_I64(uuid_time_ms(op->id)));
    return false;
}

void pg_item_get(struct store_item_get *op)
{
    static const struct work work = {
        .lane = LANE_READ, .size = sizeof(struct job), .magic = GET_MAGIC, .step = step_get};
    assert(op->resource);
    job_start(&op->op, &work, &op->space);
}

/* ---- lists ---- */

#define ITEM_AT (SPACE_COUNTS + 2) /* columns before those of an item */

static void take_list(struct job *job, const PGresult *result)
{
    struct store_item_list *op = (struct store_item_list *)job->op;
    const bool found = PQntuples(result) > 0;
    struct usage usage = {0};
    op->revision = 0;
    op->total = sql_list_counts(op) ? 0 : -1;
    if (found) {
        struct row r = row_of(result, 0, NULL);
        op->revision = row_i64(&r);
        for (unsigned i = 0; i < SPACE_COUNTS; i++)
            usage.counts[i] = row_i64(&r);
        op->total = row_i64(&r);
    }
    if (usage_knows_total(op))
        op->total =
            usage_total(&usage, op->resource, op->term_count > 0 ? op->terms[0].choices : 0);
    if ((op->begin && !op->begin(op)) || !found || PQgetisnull(result, 0, ITEM_AT))
        return;
    void *item = NULL;
    int64_t bytes = 0;
    bool full = false;
    for (int i = 0; i < PQntuples(result) && !op->more; i++) {
        struct row r = row_of(result, i, NULL);
        r.column = ITEM_AT;
        op->more = full;
        if (full || !pg_take_item(job, &r, op->resource, &item))
            return;
        bytes += usage_item_bytes(op->resource, item);
        if (sql_list_has_place(op))
            op->place = row_text(&r);
        full = !op->each(op, item) || i + 1 == (int)op->limit || bytes > STORE_PAGE_BYTES;
    }
}

static bool step_list(struct job *job, unsigned round)
{
    struct store_item_list *op = (struct store_item_list *)job->op;
    (void)round;
    op->more = false;
    job_send_list(job, op, take_list);
    return false;
}

void pg_item_list(struct store_item_list *op)
{
    static const struct work page = {
        .lane = LANE_READ, .size = sizeof(struct job), .magic = LIST_MAGIC, .step = step_list};
    static const struct work scan = {
        .lane = LANE_SCAN, .size = sizeof(struct job), .magic = LIST_MAGIC, .step = step_list};
    assert(op->resource && op->order_count > 0 && op->each);
    assert(op->limit >= 1 && op->limit <= STORE_LIMIT_MOST && op->term_count <= STORE_TERMS_MOST);
    /* The order by creation has an index; others keep the first rows of a scan of the space. */
    const bool indexed = sql_list_is_in_order(op) && op->term_count == 0 && !sql_list_counts(op);
    job_start(&op->op, indexed ? &page : &scan, &op->space);
}
