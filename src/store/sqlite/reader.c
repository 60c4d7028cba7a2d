// SPDX-License-Identifier: MIT
#include "store/sqlite/reader.h"

#include "store/sqlite/session.h"
#include "store/sqlite/sql.h"

static struct slice take_text(struct query *q, struct arena *arena)
{
    return arena ? query_copy_text(q, arena) : query_take_text(q);
}

struct task reader_take_task(struct query *q, struct arena *arena)
{
    struct task task = {.id = query_take_uuid(q)};
    task.title = take_text(q, arena);
    task.description = take_text(q, arena);
    task.status = (enum task_status)query_take_i64(q);
    task.created_at = query_take_i64(q);
    task.updated_at = query_take_i64(q);
    task.completed_at = query_take_i64(q);
    task.revision = query_take_i64(q);
    return task;
}

struct user reader_take_user(struct query *q, struct arena *arena)
{
    struct user user = {.id = query_take_uuid(q)};
    user.email = take_text(q, arena);
    user.name = take_text(q, arena);
    user.password_hash = take_text(q, arena);
    user.created_at = query_take_i64(q);
    user.updated_at = query_take_i64(q);
    user.disabled_at = query_take_i64(q);
    return user;
}

static int read_known(struct store_op *op, const struct uuid *user, struct slice client,
                      bool *known)
{
    struct query q = query_begin(&op->session->statements, SQL_ADDRESS_KNOWN);
    query_bind_uuid(&q, user);
    query_bind_text(&q, client);
    *known = query_row(&q);
    return query_end(&q);
}

/* Ends `q`, which selects a user, and looks up the address when there is one. */
static void finish_user(struct store_op *op, struct query *q, struct user *user,
                        struct slice client, bool *known)
{
    bool found = query_row(q);
    *known = false;
    if (found)
        *user = reader_take_user(q, op->arena);
    int rc = query_end(q);
    if (rc == SQLITE_OK && found && client.ptr)
        rc = read_known(op, &user->id, client, known);
    session_read_done(op->session, op, rc, found);
}

void reader_user_by_email(struct store_user_by_email *op)
{
    int rc = session_snapshot(op->op.session);
    if (rc != SQLITE_OK) {
        session_read_done(op->op.session, &op->op, rc, false);
        return;
    }
    struct query q = query_begin(&op->op.session->statements, SQL_USER_BY_EMAIL);
    query_bind_text(&q, op->email);
    finish_user(&op->op, &q, &op->user, op->client, &op->known_address);
}

void reader_user_get(struct store_user_get *op)
{
    int rc = session_snapshot(op->op.session);
    if (rc != SQLITE_OK) {
        session_read_done(op->op.session, &op->op, rc, false);
        return;
    }
    struct query q = query_begin(&op->op.session->statements, SQL_USER_GET);
    query_bind_uuid(&q, &op->id);
    finish_user(&op->op, &q, &op->user, op->client, &op->known_address);
}

static int read_users(struct store_user_list *op)
{
    unsigned given = 0;
    struct query q = query_begin(&op->op.session->statements, SQL_USER_LIST);
    query_bind_uuid(&q, &op->after);
    query_bind_i64(&q, (int64_t)op->limit + 1);
    op->more = false;
    while (query_row(&q) && !op->more) {
        struct user row = reader_take_user(&q, NULL);
        op->more = given == op->limit;
        if (q.rc == SQLITE_OK && !op->more) {
            op->each(op, &row);
            given++;
        }
    }
    return query_end(&q);
}

void reader_user_list(struct store_user_list *op)
{
    int rc = session_snapshot(op->op.session);
    if (rc == SQLITE_OK)
        rc = read_users(op);
    session_read_done(op->op.session, &op->op, rc, true);
}

void reader_session_check(struct store_session_check *op)
{
    bool found = false;
    int rc = session_snapshot(op->op.session);
    if (rc == SQLITE_OK) {
        struct query q = query_begin(&op->op.session->statements, SQL_SESSION_CHECK);
        query_bind_uuid(&q, &op->id);
        query_bind_uuid(&q, &op->user);
        query_bind_i64(&q, op->now);
        found = query_row(&q);
        if (found)
            op->expires_at = query_take_i64(&q);
        rc = query_end(&q);
    }
    session_read_done(op->op.session, &op->op, rc, found);
}

static int read_sessions(struct store_session_list *op)
{
    struct query q = query_begin(&op->op.session->statements, SQL_SESSION_LIST);
    query_bind_uuid(&q, &op->user);
    query_bind_i64(&q, op->now);
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
    return query_end(&q);
}

void reader_session_list(struct store_session_list *op)
{
    int rc = session_snapshot(op->op.session);
    if (rc == SQLITE_OK)
        rc = read_sessions(op);
    session_read_done(op->op.session, &op->op, rc, true);
}

/* The texts are copied so that the statement is free again when `done` asks for another task. */
static int read_task(struct store_task_get *op, bool *found)
{
    struct query q = query_begin(&op->op.session->statements, SQL_TASK_GET);
    query_bind_uuid(&q, &op->user);
    query_bind_uuid(&q, &op->id);
    *found = query_row(&q);
    if (*found)
        op->task = reader_take_task(&q, op->op.arena);
    return query_end(&q);
}

void reader_task_get(struct store_task_get *op)
{
    bool found = false;
    int rc = session_snapshot(op->op.session);
    if (rc == SQLITE_OK)
        rc = read_task(op, &found);
    session_read_done(op->op.session, &op->op, rc, found);
}
