// SPDX-License-Identifier: MIT
#include "store/sqlite/report_rows.h"

#include "store/sqlite/item_rows.h"
#include "store/sqlite/readers.h"
#include "store/sqlite/session.h"

/* The row of the space in the snapshot of this turn. */
static int look(struct store_op *op, const struct uuid *id, struct space *space)
{
    bool found = false;
    int rc = session_snapshot(op->session);
    if (rc == SQLITE_OK)
        rc = item_rows_look_at_space(&op->session->statements, id, space, &found);
    return rc;
}

/* ---- labels ---- */

static int read_labels(struct store_session *session, struct store_op *asked)
{
    struct store_label_list *op = (struct store_label_list *)asked;
    op->items = arena_alloc(op->op.arena, op->limit * sizeof *op->items);
    op->revision = 0;
    op->count = 0;
    op->more = false;
    if (!op->items)
        return SQLITE_NOMEM;
    struct query q = SESSION_QUERY(session, SQL_LABEL_LIST, SQL_UUID(&op->space),
                                   SQL_TEXT(op->after), SQL_I64((int64_t)op->limit + 1));
    while (query_row(&q)) {
        op->revision = query_take_i64(&q);
        if (op->count == op->limit) {
            op->more = true;
            break;
        }
        struct store_label *label = &op->items[op->count];
        label->name = query_copy_text(&q, op->op.arena);
        label->tasks = query_take_i64(&q);
        label->open = query_take_i64(&q);
        op->count += label->name.ptr != NULL;
    }
    return query_end(&q);
}

void report_rows_labels(struct store_label_list *op)
{
    struct space space;
    assert(op->op.session && op->op.arena && op->op.done && op->after.ptr);
    assert(op->limit >= 1 && op->limit <= STORE_LIMIT_MOST);
    int rc = look(&op->op, &op->space, &space);
    op->revision = rc == SQLITE_OK ? space.revision : 0;
    op->count = 0;
    op->more = false;
    if (rc == SQLITE_OK && (!op->begin || op->begin(op)) && op->revision > 0) {
        if (item_rows_are_many(&space.usage)) {
            readers_run(op->op.session->readers, &op->op, &op->space, read_labels);
            return;
        }
        rc = read_labels(op->op.session, &op->op);
    }
    session_read_done(op->op.session, &op->op, rc, true);
}

/* ---- the summary ---- */

static int read_summary(struct store_session *session, struct store_op *asked)
{
    struct store_summary *op = (struct store_summary *)asked;
    op->lists = arena_alloc(op->op.arena, STORE_SUMMARY_LISTS_MOST * sizeof *op->lists);
    if (!op->lists)
        return SQLITE_NOMEM;
    struct query q =
        SESSION_QUERY(session, SQL_SUMMARY, SQL_UUID(&op->space), SQL_I64(op->overdue.even),
                      SQL_I64(op->overdue.odd), SQL_I64(op->today.even), SQL_I64(op->today.odd),
                      SQL_I64(op->tomorrow.even), SQL_I64(op->tomorrow.odd));
    store_summary_clear(op);
    while (op->list_count < STORE_SUMMARY_LISTS_MOST && query_row(&q)) {
        struct store_summary_row row = {.list = query_take_uuid(&q)};
        for (unsigned i = 0; i < TASK_STATUS_COUNT; i++)
            row.tasks[i] = query_take_i64(&q);
        row.overdue = query_take_i64(&q);
        row.today = query_take_i64(&q);
        row.blocked = query_take_i64(&q);
        store_summary_add(op, &row);
    }
    return query_end(&q);
}

void report_rows_summary(struct store_summary *op)
{
    struct space space;
    assert(op->op.session && op->op.arena && op->op.done);
    int rc = look(&op->op, &op->space, &space);
    if (rc == SQLITE_OK && item_rows_are_many(&space.usage)) {
        readers_run(op->op.session->readers, &op->op, &op->space, read_summary);
        return;
    }
    if (rc == SQLITE_OK)
        rc = read_summary(op->op.session, &op->op);
    session_read_done(op->op.session, &op->op, rc, true);
}
