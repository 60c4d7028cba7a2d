// SPDX-License-Identifier: MIT
#include "store/decision.h"
#include "store/postgres/job.h"
#include "store/postgres/operations.h"

/* What changed in a space. The changes of the journal are one statement, and so of one snapshot.
 * The walk is one statement a resource: what changes between two of them has a later revision than
 * the walk began at, and comes with the journal. */

#define CHANGES_MAGIC 0x3fd8e62bu

struct changes_job {
    struct job job;
    bool begun;
    bool ended;
    void *items[RESOURCES_MOST]; /* into which rows are taken */
};

static struct changes_job *changes_job_of(struct job *job)
{
    return job_owner(job, CHANGES_MAGIC);
}

/* The row of the space, which is the first part of a row; without a row the space is gone. Answers
 * whether changes are wanted. */
static bool take_space(struct job *job, const PGresult *result)
{
    struct store_changes *op = (struct store_changes *)job->op;
    struct changes_job *c = changes_job_of(job);
    int64_t revision = 0;
    int64_t forgotten = 0;
    if (PQntuples(result) > 0) {
        struct row r = row_of(result, 0, NULL);
        revision = row_i64(&r);
        forgotten = row_i64(&r);
    }
    const bool again = c->begun && op->next.from == STORE_CHANGES_WALKING;
    const bool wanted = again ? store_changes_look_again(op, revision, forgotten)
                              : store_changes_begin(op, revision, forgotten);
    c->begun = true;
    c->ended = !wanted;
    return wanted && PQntuples(result) > 0;
}

static void take_look(struct job *job, const PGresult *result)
{
    (void)take_space(job, result);
}

/* ---- the walk ---- */

#define WALK_AT 2 /* columns before those of an item */

static void take_walk(struct job *job, const PGresult *result)
{
    struct store_changes *op = (struct store_changes *)job->op;
    struct changes_job *c = changes_job_of(job);
    const bool wanted = take_space(job, result);
    if (!wanted && c->ended)
        return;
    const struct resource *resource = op->next.resource;
    void **item = &c->items[resource_index(resource)];
    const int rows = wanted && !PQgetisnull(result, 0, WALK_AT) ? PQntuples(result) : 0;
    for (int i = 0; i < rows && !op->full; i++) {
        struct row r = row_of(result, i, NULL);
        r.column = WALK_AT;
        if (!pg_take_item(job, &r, resource, item))
            return;
        const struct item *taken = *item;
        store_changes_give(op, &(struct store_change){.resource = resource,
                                                      .id = taken->id,
                                                      .revision = taken->revision,
                                                      .at = taken->updated_at,
                                                      .item = taken});
    }
    if (!op->full)
        store_changes_walked(op);
    c->ended = op->full || op->next.from != STORE_CHANGES_WALKING;
}

static void send_walk(struct job *job, const struct store_changes *op)
{
    struct store_changes_place from = op->next;
    unsigned count = op->count;
    if (!changes_job_of(job)->begun) {
        from = op->after;
        count = 0;
    }
    if (from.from == STORE_CHANGES_FROM_START)
        from = (struct store_changes_place){.resource = resources[0], .created_at = INT64_MIN};
    job_send(job, SQL_OF_ITEM(from.resource, SQL_ITEM_WALK), take_walk, SQL_UUID(&op->space),
             SQL_I64(from.created_at), SQL_UUID(&from.id), SQL_I64((int64_t)op->limit - count));
}

/* ---- the journal ---- */

#define CHANGE_AT 2

/* The item of a change, or NULL when it was deleted; its columns stand after those of the resources
 * before it. False: the operation fails. */
static bool take_changed(struct job *job, struct row *r, struct store_change *change)
{
    struct changes_job *c = changes_job_of(job);
    const unsigned place = resource_index(change->resource);
    for (unsigned i = 0; i < place; i++)
        r->column += (int)resources[i]->count;
    if (PQgetisnull(r->result, r->number, r->column))
        return true;
    if (!pg_take_item(job, r, change->resource, &c->items[place]))
        return false;
    const struct item *item = c->items[place];
    change->item = item;
    change->at = item->updated_at;
    return true;
}

static void take_changes(struct job *job, const PGresult *result)
{
    struct store_changes *op = (struct store_changes *)job->op;
    if (!take_space(job, result))
        return;
    const int rows = !PQgetisnull(result, 0, CHANGE_AT) ? PQntuples(result) : 0;
    for (int i = 0; i < rows && !op->full; i++) {
        struct row r = row_of(result, i, NULL);
        r.column = CHANGE_AT;
        struct store_change change = {.revision = row_i64(&r)};
        change.at = row_i64(&r);
        change.resource = resource_of_kind((int)row_i64(&r));
        change.id = row_uuid(&r);
        if (!change.resource)
            job_fail(job, ERROR_INTERNAL_ERROR);
        if (!change.resource || !take_changed(job, &r, &change))
            return;
        store_changes_give(op, &change);
    }
    store_changes_scanned(op);
}

/* ---- both ---- */

static bool step_changes(struct job *job, unsigned round)
{
    struct store_changes *op = job_op(job, step_changes);
    struct changes_job *c = changes_job_of(job);
    const bool journal = op->after.from == STORE_CHANGES_AFTER;
    const bool look = op->doubtful || op->after.from == STORE_CHANGES_FROM_NOW;
    if (c->ended)
        return false;
    if (look && round == 0) {
        job_send(job, SQL_SPACE_GET, take_look, SQL_UUID(&op->space));
        return true;
    }
    if (!journal) {
        send_walk(job, op);
        return true;
    }
    job_send(job, SQL_CHANGES, take_changes, SQL_UUID(&op->space), SQL_I64(op->after.revision),
             SQL_I64((int64_t)op->limit), SQL_I64(store_changes_last(op)));
    return false;
}

void pg_changes(struct store_changes *op)
{
    static const struct work work = {.lane = LANE_READ,
                                     .size = sizeof(struct changes_job),
                                     .magic = CHANGES_MAGIC,
                                     .step = step_changes};
    assert(op->each && op->limit >= 1 && op->limit <= STORE_CHANGES_MOST);
    job_start(&op->op, &work, &op->space);
}
