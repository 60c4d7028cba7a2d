// SPDX-License-Identifier: MIT
#include "store/sqlite/change_rows.h"

#include <assert.h>

#include "store/sqlite/item_rows.h"
#include "store/sqlite/session.h"

/* ---- the walk over all there is ---- */

static int walk_resource(struct store_changes *op)
{
    struct store_session *session = op->op.session;
    const struct resource *resource = op->next.resource;
    const struct uuid after = op->next.id; /* bound without a copy, while `next` moves */
    struct item *item = session->row;
    struct query q = QUERY(&session->statements, SQL_OF_ITEM(resource, SQL_ITEM_WALK),
                           SQL_UUID(&op->space), SQL_I64(op->next.created_at), SQL_UUID(&after),
                           SQL_I64((int64_t)op->limit - op->count));
    while (!op->full && query_row(&q)) {
        item_rows_take(&q, resource, item);
        if (q.rc != SQLITE_OK)
            break;
        store_changes_give(op, &(struct store_change){.resource = resource,
                                                      .id = item->id,
                                                      .revision = item->revision,
                                                      .at = item->updated_at,
                                                      .item = item});
    }
    const int rc = query_end(&q);
    if (rc == SQLITE_OK && !op->full)
        store_changes_walked(op);
    return rc;
}

/* ---- the journal ---- */

/* The item that a change names, as it is now: `change->item`, which lives in `q` until its end.
 * Returns SQLITE_OK or an error. */
static int find_item(struct store_changes *op, struct query *q, struct store_change *change)
{
    struct store_session *session = op->op.session;
    *q = QUERY(&session->statements, SQL_OF_ITEM(change->resource, SQL_ITEM_GET),
               SQL_UUID(&op->space), SQL_UUID(&change->id), SQL_I64(uuid_time_ms(change->id)));
    if (query_row(q)) {
        item_rows_take(q, change->resource, session->row);
        change->item = session->row;
    }
    return q->rc;
}

static int is_deleted_later(struct store_changes *op, const struct store_change *change,
                            bool *later)
{
    struct query q =
        QUERY(&op->op.session->statements, SQL_JOURNAL_DELETED_LATER, SQL_UUID(&op->space),
              SQL_UUID(&change->id), SQL_I64(change->resource->kind), SQL_I64(change->revision));
    *later = query_row(&q);
    return query_end(&q);
}

/* Gives the change when it is the last of its item: the one that an item which is there has its
 * revision from, or of one that is not, the last deletion. */
static int give_last(struct store_changes *op, struct store_change *change, enum store_verb verb)
{
    struct query q;
    bool later = false;
    int rc = find_item(op, &q, change);
    const struct item *item = change->item;
    if (rc == SQLITE_OK && !item && verb == STORE_DELETE)
        rc = is_deleted_later(op, change, &later);
    if (item)
        change->at = item->updated_at;
    if (rc == SQLITE_OK &&
        (item ? item->revision == change->revision : verb == STORE_DELETE && !later))
        store_changes_give(op, change);
    const int ended = query_end(&q);
    return rc == SQLITE_OK ? ended : rc;
}

static int read_journal(struct store_changes *op)
{
    struct statements *statements = &op->op.session->statements;
    int rc = SQLITE_OK;
    struct query q = QUERY(statements, SQL_JOURNAL_AFTER, SQL_UUID(&op->space),
                           SQL_I64(op->next.revision), SQL_I64(store_changes_last(op)));
    while (!op->full && rc == SQLITE_OK && query_row(&q)) {
        struct store_change change = {.revision = query_take_i64(&q)};
        change.at = query_take_i64(&q);
        change.resource = resource_of_kind((int)query_take_i64(&q));
        const enum store_verb verb = (enum store_verb)query_take_i64(&q);
        change.id = query_take_uuid(&q);
        rc = change.resource ? give_last(op, &change, verb) : SQLITE_CORRUPT;
    }
    const int ended = query_end(&q);
    rc = rc == SQLITE_OK ? ended : rc;
    if (rc == SQLITE_OK)
        store_changes_scanned(op);
    return rc;
}

void change_rows_read(struct store_changes *op)
{
    struct store_session *session = op->op.session;
    struct space space;
    bool found = false;
    assert(session && op->op.done && op->each);
    int rc = session_snapshot(session);
    if (rc == SQLITE_OK)
        rc = item_rows_look_at_space(&session->statements, &op->space, &space, &found);
    if (rc == SQLITE_OK && store_changes_begin(op, space.revision, space.forgotten)) {
        if (op->next.from == STORE_CHANGES_AFTER)
            rc = read_journal(op);
        while (rc == SQLITE_OK && !op->full && op->next.from == STORE_CHANGES_WALKING)
            rc = walk_resource(op);
    }
    session_read_done(session, &op->op, rc, true);
}
