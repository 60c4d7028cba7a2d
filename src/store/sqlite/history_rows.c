// SPDX-License-Identifier: MIT
#include "store/sqlite/history_rows.h"

#include <assert.h>

#include "store/history.h"
#include "store/sqlite/database.h"
#include "store/sqlite/item_rows.h"
#include "store/sqlite/readers.h"
#include "store/sqlite/session.h"

/* Texts are those of the statement's row. */
static struct history_row take_row(struct query *q)
{
    struct history_row row = {.revision = query_take_i64(q)};
    row.at = query_take_i64(q);
    row.verb = (enum store_verb)query_take_i64(q);
    row.by.id = query_take_optional_uuid(q);
    row.before = query_take_text(q);
    row.previous = query_take_i64(q);
    row.undoes = query_take_i64(q);
    row.by.is_token = query_take_i64(q) != 0;
    row.by.name = query_take_text(q);
    return row;
}

static int read_part(struct store_session *session, struct history_walk *walk,
                     struct arena *scratch)
{
    const int64_t next = walk->next;
    struct query q = QUERY(&session->statements, SQL_HISTORY, SQL_UUID(&walk->op->space),
                           SQL_I64(next), SQL_I64(history_part(walk)), SQL_I64(HISTORY_PART_BYTES));
    while (walk->next > 0 && query_row(&q)) {
        const struct history_row row = take_row(&q);
        arena_reset(scratch);
        const enum error error = history_take(walk, &row, scratch);
        if (error != ERROR_NONE)
            q.rc = error == ERROR_OVERLOADED ? SQLITE_NOMEM : SQLITE_MISMATCH;
    }
    if (walk->next == next)
        walk->next = 0; /* it was forgotten */
    return query_end(&q);
}

/* The thing, or (NULL) the revision of its deletion, or 0: it is not there. */
static int find(struct store_session *session, struct store_history *op, const struct item **item,
                int64_t *revision)
{
    *revision = 0;
    int rc = item_rows_read(&session->statements, op->resource, &op->space, &op->id, op->op.arena,
                            (const void **)item);
    if (rc == SQLITE_OK && *item)
        *revision = (*item)->revision;
    if (rc != SQLITE_OK || *item || op->resource != &task_resource)
        return rc;
    struct query q =
        QUERY(&session->statements, SQL_TRASHED, SQL_UUID(&op->space), SQL_UUID(&op->id));
    if (query_row(&q))
        *revision = query_take_i64(&q);
    return query_end(&q);
}

/* On a reader. */
static int read_history(struct store_session *session, struct store_op *asked)
{
    struct store_history *op = (struct store_history *)asked;
    struct history_walk walk;
    const struct item *item = NULL;
    int64_t revision = 0;
    int rc = session_snapshot(session);
    op->count = 0;
    op->more = false;
    if (rc == SQLITE_OK)
        rc = find(session, op, &item, &revision);
    op->found = revision > 0;
    if (rc != SQLITE_OK || !op->found)
        return rc;
    struct arena *scratch = arena_create(HISTORY_ROW_MEMORY);
    if (!scratch || !history_begin(&walk, op, item, revision))
        rc = SQLITE_NOMEM;
    while (rc == SQLITE_OK && walk.next > 0)
        rc = read_part(session, &walk, scratch);
    arena_destroy(&scratch);
    return rc;
}

void history_rows_read(struct store_history *op)
{
    assert(op->resource && op->op.session && op->op.arena && op->op.done);
    assert(op->limit >= 1 && op->limit <= STORE_HISTORY_MOST);
    readers_run(op->op.session->readers, &op->op, &op->space, read_history);
}
