// SPDX-License-Identifier: MIT
#include "store/sqlite/session_rows.h"

#include "base/point.h"
#include "store/decision.h"
#include "store/retention.h"
#include "store/sqlite/session.h"
#include "store/sqlite/user_rows.h"

/* ---- reads ---- */

void session_rows_check(struct store_session_check *op)
{
    const unsigned sql = op->of_script ? SQL_SCRIPT_TOKEN_ALIVE : SQL_SESSION_CHECK;
    struct query q = SESSION_QUERY(op->op.session, sql, SQL_UUID(&op->user), SQL_UUID(&op->id),
                                   SQL_I64(op->now));
    const bool found = query_row(&q);
    if (found)
        op->expires_at = query_take_i64(&q);
    session_read_done(op->op.session, &op->op, query_end(&q), found);
}

void session_rows_list(struct store_session_list *op)
{
    struct query q =
        SESSION_QUERY(op->op.session, SQL_SESSION_LIST, SQL_UUID(&op->user), SQL_I64(op->now));
    assert(op->each);
    while (query_row(&q)) {
        struct session row = {.id = query_take_uuid(&q)};
        row.user = query_take_uuid(&q);
        row.counter = query_take_i64(&q);
        row.created_at = query_take_i64(&q);
        row.last_used_at = query_take_i64(&q);
        row.expires_at = query_take_i64(&q);
        row.user_agent = query_take_text(&q);
        row.ip = query_take_text(&q);
        if (q.rc == SQLITE_OK)
            op->each(op, &row);
    }
    session_read_done(op->op.session, &op->op, query_end(&q), true);
}

/* ---- login ---- */

static int run_create(struct transaction *t, struct store_session_create *op)
{
    const struct session *session = &op->session;
    struct user user;
    bool found = false;
    int rc = user_rows_read(t, &session->user, op->op.arena, &user, &found);
    if (rc != SQLITE_OK)
        return rc;
    op->op.result = user_decide_login(found ? &user : NULL, op->verified_hash);
    if (op->op.result != ERROR_NONE)
        return SQLITE_OK;
    if (op->rehash.ptr)
        rc = user_rows_put_hash(t, &session->user, op->rehash, 0);
    if (rc == SQLITE_OK)
        rc = QUERY_RUN(
            &t->statements, SQL_SESSION_INSERT, SQL_UUID(&session->user), SQL_UUID(&session->id),
            SQL_I64(session->counter), SQL_I64(session->created_at), SQL_I64(session->last_used_at),
            SQL_I64(session->expires_at), SQL_TEXT(session->user_agent), SQL_TEXT(session->ip));
    if (rc == SQLITE_OK)
        rc = QUERY_RUN(&t->statements, SQL_SESSION_PRUNE, SQL_UUID(&session->user),
                       SQL_I64(USER_SESSIONS_MOST));
    if (rc == SQLITE_OK && sqlite3_changes(t->statements.db) > 0)
        writer_note_ended(t, &session->user);
    if (rc != SQLITE_OK || !op->client.ptr)
        return rc;
    rc = QUERY_RUN(&t->statements, SQL_ADDRESS_PUT, SQL_UUID(&session->user), SQL_TEXT(op->client),
                   SQL_I64(session->created_at));
    if (rc == SQLITE_OK)
        rc = QUERY_RUN(&t->statements, SQL_ADDRESS_PRUNE, SQL_UUID(&session->user),
                       SQL_I64(RETENTION_ADDRESSES));
    return rc;
}

/* ---- rotation ---- */

static int read_session(struct transaction *t, const struct uuid *id,
                        struct session_standing *standing, bool *found)
{
    struct query q = QUERY(&t->statements, SQL_SESSION_GET, SQL_UUID(id));
    *found = query_row(&q);
    if (*found) {
        standing->session = (struct session){.id = *id, .user = query_take_uuid(&q)};
        standing->session.counter = query_take_i64(&q);
        standing->session.created_at = query_take_i64(&q);
        standing->session.last_used_at = query_take_i64(&q);
        standing->session.expires_at = query_take_i64(&q);
        session_set_superseded(standing, query_take_blob(&q));
        standing->disabled = query_take_i64(&q) != 0;
    }
    return query_end(&q);
}

static int delete_session(struct transaction *t, const struct uuid *id, const struct uuid *user)
{
    return QUERY_RUN(&t->statements, SQL_SESSION_DELETE, SQL_UUID(user), SQL_UUID(id));
}

static int run_refresh(struct transaction *t, struct store_session_refresh *op)
{
    struct session_standing standing = {0};
    const struct session *session = &standing.session;
    bool found = false;
    int rc = read_session(t, &op->id, &standing, &found);
    if (rc != SQLITE_OK)
        return rc;
    switch (session_decide_refresh(op, found ? &standing : NULL)) {
    case SESSION_DECISION_NOTHING: break;
    case SESSION_DECISION_ROTATE:
        rc = QUERY_RUN(&t->statements, SQL_SESSION_ROTATE, SQL_UUID(&session->user),
                       SQL_UUID(&session->id), SQL_I64(session->counter),
                       SQL_I64(session->last_used_at), SQL_I64(session->expires_at),
                       SQL_BLOB(standing.superseded, standing.superseded_size));
        POINT(SQLITE_ROTATION);
        break;
    case SESSION_DECISION_END:
        writer_note_ended(t, &session->user);
        return delete_session(t, &op->id, &session->user);
    }
    return rc;
}

/* ---- logout ---- */

static int run_end(struct transaction *t, struct store_session_end *op)
{
    if (op->others)
        return user_rows_end_sessions(t, &op->user, &op->id);
    const struct uuid nobody = {0};
    struct session_standing standing = {0};
    bool found = false;
    int rc = SQLITE_OK;
    if (uuid_eq(op->user, nobody)) {
        rc = read_session(t, &op->id, &standing, &found);
        op->user = standing.session.user; /* nobody when there is none */
    }
    if (rc == SQLITE_OK)
        rc = delete_session(t, &op->id, &op->user);
    if (rc != SQLITE_OK)
        return rc;
    if (sqlite3_changes(t->statements.db) > 0)
        writer_note_ended(t, &op->user);
    else
        op->op.result = ERROR_NOT_FOUND;
    return SQLITE_OK;
}

SESSION_WRITE(session_rows_create, store_session_create, run_create)
SESSION_WRITE(session_rows_refresh, store_session_refresh, run_refresh)
SESSION_WRITE(session_rows_end, store_session_end, run_end)
