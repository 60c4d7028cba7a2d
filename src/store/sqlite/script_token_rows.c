// SPDX-License-Identifier: MIT
#include "store/sqlite/script_token_rows.h"

#include "store/decision.h"
#include "store/sqlite/session.h"
#include "store/sqlite/user_rows.h"

/* ---- reads ---- */

/* The columns of a token; texts are not among them. */
static struct script_token take_token(struct query *q)
{
    struct script_token token = {.id = query_take_uuid(q)};
    token.user = query_take_uuid(q);
    token.scopes = (unsigned)query_take_i64(q);
    token.created_at = query_take_i64(q);
    token.last_used_at = query_take_i64(q);
    token.expires_at = query_take_i64(q);
    return token;
}

void script_token_rows_check(struct store_script_token_check *op)
{
    struct store_session *session = op->op.session;
    const struct sql_value hash = SQL_BLOB(op->hash, STORE_SCRIPT_TOKEN_HASH_LEN);
    struct uuid user = {{0}};
    assert(op->hash);
    struct query q = SESSION_QUERY(session, SQL_SCRIPT_TOKEN_OWNER, hash);
    bool found = query_row(&q);
    if (found)
        user = query_take_uuid(&q);
    int rc = query_end(&q);
    if (rc == SQLITE_OK && found) {
        q = QUERY(&session->statements, SQL_SCRIPT_TOKEN_CHECK, SQL_UUID(&user), hash,
                  SQL_I64(op->now));
        found = query_row(&q);
        if (found)
            op->token = take_token(&q);
        rc = query_end(&q);
    }
    session_read_done(session, &op->op, rc, found);
}

void script_token_rows_list(struct store_script_token_list *op)
{
    struct query q =
        SESSION_QUERY(op->op.session, SQL_SCRIPT_TOKEN_LIST, SQL_UUID(&op->user), SQL_I64(op->now));
    assert(op->each);
    while (query_row(&q)) {
        struct script_token row = take_token(&q);
        row.name = query_take_text(&q);
        row.ip = query_take_text(&q);
        if (q.rc == SQLITE_OK)
            op->each(op, &row);
    }
    session_read_done(op->op.session, &op->op, query_end(&q), true);
}

/* ---- writes ---- */

static int run_create(struct transaction *t, struct store_script_token_create *op)
{
    const struct script_token *token = &op->token;
    struct user user;
    bool found = false;
    int64_t count = 0;
    int rc = user_rows_read(t, &token->user, op->op.arena, &user, &found);
    if (rc != SQLITE_OK)
        return rc;
    struct query q = QUERY(&t->statements, SQL_SCRIPT_TOKEN_COUNT, SQL_UUID(&token->user),
                           SQL_UUID(&token->id), SQL_I64(token->created_at));
    if (query_row(&q))
        count = query_take_i64(&q);
    rc = query_end(&q);
    op->op.result = script_token_decide_create(op, found ? &user : NULL, count);
    if (rc != SQLITE_OK || op->op.result != ERROR_NONE)
        return rc;
    return QUERY_RUN(&t->statements, SQL_SCRIPT_TOKEN_INSERT, SQL_UUID(&token->user),
                     SQL_UUID(&token->id), SQL_BLOB(op->hash, STORE_SCRIPT_TOKEN_HASH_LEN),
                     SQL_TEXT(token->name), SQL_I64(token->scopes), SQL_I64(token->created_at),
                     SQL_TIME(token->expires_at));
}

static int run_end(struct transaction *t, struct store_script_token_end *op)
{
    const int rc =
        QUERY_RUN(&t->statements, SQL_SCRIPT_TOKEN_DELETE, SQL_UUID(&op->user), SQL_UUID(&op->id));
    if (rc != SQLITE_OK)
        return rc;
    if (sqlite3_changes(t->statements.db) > 0)
        writer_note_ended(t, &op->user);
    else
        op->op.result = ERROR_NOT_FOUND;
    return SQLITE_OK;
}

static int run_use(struct transaction *t, struct store_script_token_use *op)
{
    return QUERY_RUN(&t->statements, SQL_SCRIPT_TOKEN_USE, SQL_UUID(&op->user), SQL_UUID(&op->id),
                     SQL_I64(op->now), SQL_TEXT(op->ip),
                     SQL_I64(op->now - SCRIPT_TOKEN_USED_MS / 2));
}

SESSION_WRITE(script_token_rows_create, store_script_token_create, run_create)
SESSION_WRITE(script_token_rows_end, store_script_token_end, run_end)
SESSION_WRITE(script_token_rows_use, store_script_token_use, run_use)
