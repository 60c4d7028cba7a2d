// SPDX-License-Identifier: MIT
#include "store/sqlite/write_session.h"

#include "store/keeping.h"
#include "store/session_decision.h"
#include "store/sqlite/session.h"
#include "store/sqlite/sql.h"
#include "store/sqlite/write_user.h"
#include "store/user_decision.h"

static int delete_session(struct transaction *t, const struct uuid *id, const struct uuid *user)
{
    struct query q = query_begin(&t->statements, SQL_SESSION_DELETE);
    query_bind_uuid(&q, id);
    query_bind_uuid(&q, user);
    return query_run(&q);
}

/* ---- login ---- */

static int insert_session(struct transaction *t, const struct session *session)
{
    struct query q = query_begin(&t->statements, SQL_SESSION_INSERT);
    query_bind_uuid(&q, &session->id);
    query_bind_uuid(&q, &session->user);
    query_bind_i64(&q, session->counter);
    query_bind_i64(&q, session->created_at);
    query_bind_i64(&q, session->last_used_at);
    query_bind_i64(&q, session->expires_at);
    query_bind_text(&q, session->user_agent);
    query_bind_text(&q, session->ip);
    return query_run(&q);
}

/* Keeps the newest `most` rows of the user. */
static int prune(struct transaction *t, enum sql sql, const struct uuid *user, int64_t most)
{
    struct query q = query_begin(&t->statements, sql);
    query_bind_uuid(&q, user);
    query_bind_i64(&q, most);
    return query_run(&q);
}

static int remember_client(struct transaction *t, const struct store_session_create *op)
{
    struct query q = query_begin(&t->statements, SQL_ADDRESS_PUT);
    query_bind_uuid(&q, &op->session.user);
    query_bind_text(&q, op->client);
    query_bind_i64(&q, op->session.created_at);
    int rc = query_run(&q);
    return rc == SQLITE_OK ? prune(t, SQL_ADDRESS_PRUNE, &op->session.user, KEEPING_ADDRESSES) : rc;
}

static int run_create(struct transaction *t, struct store_op *base)
{
    struct store_session_create *op = (struct store_session_create *)base;
    struct user user;
    bool found = false;
    int rc = write_user_read(t, &op->session.user, op->op.arena, &user, &found);
    if (rc != SQLITE_OK)
        return rc;
    op->op.result = user_decide_login(found ? &user : NULL, op->verified_hash);
    if (op->op.result != ERROR_NONE)
        return SQLITE_OK;
    if (op->rehash.ptr)
        rc = write_user_put_hash(t, &op->session.user, op->rehash, 0);
    if (rc == SQLITE_OK)
        rc = insert_session(t, &op->session);
    if (rc == SQLITE_OK)
        rc = prune(t, SQL_SESSION_PRUNE, &op->session.user, USER_SESSIONS_MOST);
    if (rc == SQLITE_OK && sqlite3_changes(t->statements.db) > 0)
        transaction_end_sessions(t, &op->session.user);
    return rc == SQLITE_OK && op->client.ptr ? remember_client(t, op) : rc;
}

/* ---- rotation ---- */

static int read_session(struct transaction *t, const struct uuid *id,
                        struct session_standing *standing, bool *found)
{
    struct query q = query_begin(&t->statements, SQL_SESSION_GET);
    query_bind_uuid(&q, id);
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

static int rotate(struct transaction *t, const struct session_standing *standing)
{
    const struct session *session = &standing->session;
    struct query q = query_begin(&t->statements, SQL_SESSION_ROTATE);
    query_bind_uuid(&q, &session->id);
    query_bind_i64(&q, session->counter);
    query_bind_i64(&q, session->last_used_at);
    query_bind_i64(&q, session->expires_at);
    query_bind_blob(&q, standing->superseded, standing->superseded_size);
    return query_run(&q);
}

static int run_refresh(struct transaction *t, struct store_op *base)
{
    struct store_session_refresh *op = (struct store_session_refresh *)base;
    struct session_standing standing = {0};
    bool found = false;
    int rc = read_session(t, &op->id, &standing, &found);
    if (rc != SQLITE_OK)
        return rc;
    switch (session_decide_refresh(op, found ? &standing : NULL)) {
    case SESSION_DECISION_NOTHING: break;
    case SESSION_DECISION_ROTATE: rc = rotate(t, &standing); break;
    case SESSION_DECISION_END:
        transaction_end_sessions(t, &standing.session.user);
        rc = delete_session(t, &op->id, &standing.session.user);
        break;
    }
    return rc;
}

/* ---- logout ---- */

static int end_others(struct transaction *t, const struct store_session_end *op)
{
    struct query q = query_begin(&t->statements, SQL_SESSION_DELETE_OTHERS);
    query_bind_uuid(&q, &op->user);
    query_bind_uuid(&q, &op->id);
    transaction_end_sessions(t, &op->user);
    return query_run(&q);
}

static int find_owner(struct transaction *t, struct store_session_end *op)
{
    const struct uuid nobody = {0};
    struct session_standing standing = {0};
    bool found = false;
    if (!uuid_eq(op->user, nobody))
        return SQLITE_OK;
    int rc = read_session(t, &op->id, &standing, &found);
    op->user = found ? standing.session.user : nobody;
    return rc;
}

static int run_end(struct transaction *t, struct store_op *base)
{
    struct store_session_end *op = (struct store_session_end *)base;
    if (op->others)
        return end_others(t, op);
    int rc = find_owner(t, op);
    if (rc == SQLITE_OK)
        rc = delete_session(t, &op->id, &op->user);
    if (rc != SQLITE_OK)
        return rc;
    if (sqlite3_changes(t->statements.db) > 0)
        transaction_end_sessions(t, &op->user);
    else
        op->op.result = ERROR_NOT_FOUND;
    return SQLITE_OK;
}

void write_session_create(struct store_session_create *op)
{
    static const struct writer_work work = {run_create};
    session_write(&op->op, &work);
}

void write_session_refresh(struct store_session_refresh *op)
{
    static const struct writer_work work = {run_refresh};
    session_write(&op->op, &work);
}

void write_session_end(struct store_session_end *op)
{
    static const struct writer_work work = {run_end};
    session_write(&op->op, &work);
}
