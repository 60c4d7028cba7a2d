// SPDX-License-Identifier: MIT
#include "store/batch_writes.h"
#include "store/sqlite/item_rows.h"
#include "store/sqlite/session.h"
#include "store/sqlite/sql.h"

/* Several writes of items in one transaction. Each makes every check before it writes anything, so
 * one that is refused has written nothing; what must go as a whole has one savepoint. */

#define SQL_MOST   32768             /* bytes of the text of a filter */
#define ARENA_MOST ITEM_ANSWER_BYTES /* of one write */

struct savepoint {
    bool open;
    struct space space; /* as it was; in the database it is older */
    bool changed;
};

/* ---- what a filter finds ---- */

static int prepare_filter(struct transaction *t, const struct store_filter *filter, bool count,
                          sqlite3_stmt **statement)
{
    const bool below = filter->verb == STORE_DELETE;
    struct buffer sql;
    int rc = SQLITE_NOMEM;
    buffer_init(&sql, SQL_MOST);
    if (count)
        sql_filter_count(&sql, &filter->list, below, SQL_SQLITE);
    else
        sql_filter_find(&sql, &filter->list, below, SQL_SQLITE);
    if (!sql.failed)
        rc = sqlite3_prepare_v3(t->statements.db, sql.data, (int)sql.len, 0, statement, NULL);
    buffer_finish(&sql);
    return rc;
}

static struct query begin_filter(const struct store_batch *batch, bool count,
                                 sqlite3_stmt *statement, int rc)
{
    struct sql_value values[SQL_LIST_VALUES_MOST];
    struct query q = query_of(statement, rc);
    query_bind(&q, SQL_UUID(&batch->space));
    if (count)
        q.bound++; /* its text has no limit */
    else
        query_bind(&q, SQL_I64(batch_hits_most(batch->filter)));
    const unsigned made = sql_list_values(&batch->filter->list, values);
    for (unsigned i = 0; i < made; i++)
        query_bind(&q, values[i]);
    return q;
}

static int find_hits(struct transaction *t, struct batch_run *run)
{
    sqlite3_stmt *statement = NULL;
    int rc = prepare_filter(t, run->batch->filter, false, &statement);
    struct query q = begin_filter(run->batch, false, statement, rc);
    while (query_row(&q)) {
        struct batch_hit hit = {.id = query_take_uuid(&q)};
        hit.created_at = query_take_i64(&q);
        hit.parent_id = query_take_optional_uuid(&q);
        hit.found = query_take_i64(&q) != 0;
        if (q.rc == SQLITE_OK && !batch_take_hit(run, &hit))
            q.rc = SQLITE_NOMEM;
    }
    rc = query_end(&q);
    sqlite3_finalize(statement);
    return rc;
}

static int count_hits(struct transaction *t, struct store_batch *batch)
{
    sqlite3_stmt *statement = NULL;
    int rc = prepare_filter(t, batch->filter, true, &statement);
    struct query q = begin_filter(batch, true, statement, rc);
    if (query_row(&q))
        batch->matched = query_take_i64(&q);
    rc = query_end(&q);
    sqlite3_finalize(statement);
    return rc;
}

/* Makes the writes; `*go`: they are to be made. */
static int find(struct transaction *t, struct batch_run *run, bool *go)
{
    int rc = find_hits(t, run);
    if (rc != SQLITE_OK)
        return rc;
    *go = batch_make_writes(run);
    return run->batch->too_many ? count_hits(t, run->batch) : SQLITE_OK;
}

/* ---- the writes ---- */

static int write_all(struct transaction *t, struct batch_run *run, struct changed_space *space,
                     enum batch_step *step)
{
    struct arena *arena = arena_create(ARENA_MOST);
    struct store_item_write *write = NULL;
    int rc = arena ? SQLITE_OK : SQLITE_NOMEM;
    while (rc == SQLITE_OK && *step == BATCH_ON && (write = batch_next(run, arena))) {
        struct item_decision decision;
        struct item_before before = {.answers = batch_answers(run, run->at, arena)};
        rc = item_rows_run(t, write, space, &before, &decision);
        if (rc == SQLITE_OK)
            *step = batch_judge(run, &before, &decision);
        arena_reset(arena);
    }
    arena_destroy(&arena);
    return rc;
}

static int save(struct transaction *t, const struct changed_space *space,
                struct savepoint *savepoint)
{
    *savepoint = (struct savepoint){true, space->space, space->changed};
    return query_run_plain(&t->statements, SQL_BATCH_SAVEPOINT);
}

static int end_savepoint(struct transaction *t, struct changed_space *space,
                         const struct savepoint *savepoint, bool undo)
{
    int rc = SQLITE_OK;
    if (!savepoint->open)
        return rc;
    if (undo) {
        rc = query_run_plain(&t->statements, SQL_BATCH_ROLLBACK_TO);
        space->space = savepoint->space;
        space->changed = savepoint->changed;
    }
    return rc == SQLITE_OK ? query_run_plain(&t->statements, SQL_BATCH_RELEASE) : rc;
}

static int keep(struct transaction *t, const struct store_batch *batch, struct changed_space *space,
                int64_t bytes)
{
    if (!batch->idempotency.key.ptr)
        return SQLITE_OK;
    space->space.usage.bytes += bytes;
    space->changed = true;
    return item_rows_keep_answer(t, &batch->whole);
}

/* `kept_bytes`: of an older answer under the key. */
static int make_batch(struct transaction *t, struct store_batch *batch, struct changed_space *space,
                      int64_t kept_bytes)
{
    struct batch_run run;
    struct savepoint savepoint = {0};
    enum batch_step step = BATCH_ON;
    int64_t key_bytes = 0;
    bool go = batch_begin(&run, batch, space->space.revision);
    int rc = go && batch->filter ? find(t, &run, &go) : SQLITE_OK;
    if (rc != SQLITE_OK || !go)
        return rc;
    /* With a key it may turn out at the end that its answer has no room. */
    if (batch->atomic || batch->filter || batch->idempotency.key.ptr)
        rc = save(t, space, &savepoint);
    if (rc == SQLITE_OK)
        rc = write_all(t, &run, space, &step);
    if (rc == SQLITE_OK && step == BATCH_ON)
        step = batch_end(&run, &space->space, &t->limits, kept_bytes, &key_bytes);
    if (rc == SQLITE_OK && step == BATCH_STOP && !savepoint.open)
        rc = SQLITE_NOMEM; /* the writer undoes what was written */
    if (rc == SQLITE_OK)
        rc = end_savepoint(t, space, &savepoint, step == BATCH_STOP);
    return rc == SQLITE_OK && step == BATCH_ON ? keep(t, batch, space, key_bytes) : rc;
}

static int run_batch(struct transaction *t, struct store_batch *batch)
{
    struct changed_space *space = NULL;
    struct item_before before = {0};
    bool decided = false;
    int rc = item_rows_hold_space(t, &batch->space, &space);
    if (rc == SQLITE_OK && !space) {
        batch->op.result = ERROR_NOT_FOUND;
        return SQLITE_OK;
    }
    if (rc == SQLITE_OK && batch->idempotency.key.ptr) {
        batch_ask_kept(batch);
        rc = item_rows_find_kept(t, &batch->whole, &before, &decided);
    }
    if (rc != SQLITE_OK)
        return rc;
    if (decided) {
        batch_take_kept(batch);
        return SQLITE_OK;
    }
    return make_batch(t, batch, space, before.kept_bytes);
}

SESSION_WRITE_MANY(item_rows_write_batch, store_batch, run_batch)
