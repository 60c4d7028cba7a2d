// SPDX-License-Identifier: MIT
#include "store/sqlite/trash_rows.h"

#include <assert.h>

#include "store/sqlite/session.h"
#include "store/sqlite/sql.h"

void trash_rows_list(struct store_trash_list *op)
{
    assert(op->op.session && op->op.arena && op->op.done);
    struct store_session *session = op->op.session;
    enum error error = ERROR_NONE;
    int rc = session_snapshot(session);
    store_trash_begin(op);
    if (rc == SQLITE_OK) {
        bool on = true;
        struct query q = SESSION_QUERY(session, SQL_TRASH_LIST, SQL_UUID(&op->space),
                                       SQL_I64(op->before), SQL_I64((int64_t)op->limit + 1));
        while (on && query_row(&q)) {
            const int64_t revision = query_take_i64(&q);
            const int64_t at = query_take_i64(&q);
            on = store_trash_give(op, revision, at, query_take_text(&q), &error);
        }
        rc = query_end(&q);
    }
    if (rc == SQLITE_OK && error != ERROR_NONE)
        rc = error == ERROR_OVERLOADED ? SQLITE_NOMEM : SQLITE_CORRUPT;
    session_read_done(session, &op->op, rc, true);
}

/* ---- what was emptied ---- */

static int read_bytes(struct statements *statements, const struct uuid *space, int64_t most,
                      int64_t *rows, int64_t *bytes)
{
    struct query q = QUERY(statements, SQL_EMPTIED_BYTES, SQL_UUID(space), SQL_I64(most));
    if (query_row(&q)) {
        *rows = query_take_i64(&q);
        *bytes = query_take_i64(&q);
    }
    return query_end(&q);
}

int trash_rows_remove_emptied(struct statements *statements, int64_t most, bool *more)
{
    static const unsigned steps[] = {SQL_EMPTIED_CHANGES, SQL_EMPTIED_ANSWERS, SQL_EMPTIED_TRASH};
    struct uuid space = {{0}};
    int64_t rows = 0;
    int64_t bytes = 0;
    assert(statements && most > 0 && more);
    struct query q = query_begin(statements, SQL_EMPTIED_NEXT);
    *more = query_row(&q);
    if (*more)
        space = query_take_uuid(&q);
    int rc = query_end(&q);
    if (!*more || rc != SQLITE_OK)
        return rc;
    rc = read_bytes(statements, &space, most, &rows, &bytes);
    for (unsigned i = 0; i < sizeof steps / sizeof steps[0] && rc == SQLITE_OK && rows > 0; i++)
        rc = QUERY_RUN(statements, steps[i], SQL_UUID(&space), SQL_I64(most));
    if (rc == SQLITE_OK && rows > 0)
        rc = QUERY_RUN(statements, SQL_SPACE_ADD_BYTES, SQL_UUID(&space), SQL_I64(-bytes));
    if (rc == SQLITE_OK && rows < most)
        rc = QUERY_RUN(statements, SQL_EMPTIED_END, SQL_UUID(&space));
    return rc;
}
