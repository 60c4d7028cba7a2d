// SPDX-License-Identifier: MIT
#include "store/decision.h"
#include "store/postgres/operations.h"
#include "store/postgres/users.h"

/* Tokens of scripts. */

#define TOKEN_MAGIC 0x6c1fd3e8u

struct token_job {
    struct locked_user locked; /* of a create */
    bool found;                /* what the last round asked for */
    struct uuid user;
    int64_t count; /* that the user has; and of them, that an earlier run of the job made */
    int64_t made;
};

static struct token_job *token_job_of(struct job *job)
{
    return job_owner(job, TOKEN_MAGIC);
}

/* ---- reads ---- */

static struct script_token take_token(struct row *r)
{
    struct script_token token = {.id = row_uuid(r)};
    token.user = row_uuid(r);
    token.scopes = (unsigned)row_i64(r);
    token.created_at = row_i64(r);
    token.last_used_at = row_i64(r);
    token.expires_at = row_i64(r);
    return token;
}

static void take_owner(struct job *job, const PGresult *result)
{
    struct token_job *t = token_job_of(job);
    t->found = row_first_uuid(result, &t->user);
}

static void take_check(struct job *job, const PGresult *result)
{
    struct store_script_token_check *op = (struct store_script_token_check *)job->op;
    if (PQntuples(result) == 0) {
        op->op.result = ERROR_NOT_FOUND;
        return;
    }
    struct row r = row_of(result, 0, NULL);
    op->token = take_token(&r);
}

/* A token does not name its user: whose? -> the token */
static bool step_check(struct job *job, unsigned round)
{
    struct token_job *t = token_job_of(job);
    struct store_script_token_check *op = job_op(job, step_check);
    const struct sql_value hash = SQL_BLOB(op->hash, STORE_SCRIPT_TOKEN_HASH_LEN);
    if (round == 0) {
        job_send(job, SQL_SCRIPT_TOKEN_OWNER, take_owner, hash);
        return true;
    }
    if (t->found)
        job_send(job, SQL_SCRIPT_TOKEN_CHECK, take_check, SQL_UUID(&t->user), hash,
                 SQL_I64(op->now));
    else
        op->op.result = ERROR_NOT_FOUND;
    return false;
}

static void take_tokens(struct job *job, const PGresult *result)
{
    struct store_script_token_list *op = (struct store_script_token_list *)job->op;
    for (int i = 0; i < PQntuples(result); i++) {
        struct row r = row_of(result, i, NULL);
        struct script_token row = take_token(&r);
        row.name = row_text(&r);
        row.ip = row_text(&r);
        op->each(op, &row);
    }
}

static bool step_list(struct job *job, unsigned round)
{
    struct store_script_token_list *op = job_op(job, step_list);
    (void)round;
    job_send(job, SQL_SCRIPT_TOKEN_LIST, take_tokens, SQL_UUID(&op->user), SQL_I64(op->now));
    return false;
}

/* ---- writes ---- */

static void take_count(struct job *job, const PGresult *result)
{
    struct token_job *t = token_job_of(job);
    struct row r = row_of(result, 0, NULL);
    t->count = row_i64(&r);
    t->made = row_i64(&r);
}

/* the user, locked -> how many are there? -> one more */
static bool step_create(struct job *job, unsigned round)
{
    struct token_job *t = token_job_of(job);
    const struct store_script_token_create *op = job_op(job, step_create);
    const struct script_token *token = &op->token;
    if (round == 0) {
        locked_user_ask(&t->locked, &token->user);
        return true;
    }
    if (round == 1) {
        job_send(job, SQL_SCRIPT_TOKEN_COUNT, take_count, SQL_UUID(&token->user),
                 SQL_UUID(&token->id), SQL_I64(token->created_at));
        return true;
    }
    if (t->made > 0)
        return false;
    job->op->result =
        script_token_decide_create(op, t->locked.found ? &t->locked.user : NULL, t->count);
    if (job->op->result == ERROR_NONE)
        job_send(job, SQL_SCRIPT_TOKEN_INSERT, NULL, SQL_UUID(&token->user), SQL_UUID(&token->id),
                 SQL_BLOB(op->hash, STORE_SCRIPT_TOKEN_HASH_LEN), SQL_TEXT(token->name),
                 SQL_I64(token->scopes), SQL_I64(token->created_at), SQL_TIME(token->expires_at));
    return false;
}

static void take_ended(struct job *job, const PGresult *result)
{
    token_job_of(job)->found = PQntuples(result) > 0;
}

/* delete -> tell */
static bool step_end(struct job *job, unsigned round)
{
    struct store_script_token_end *op = job_op(job, step_end);
    if (round == 0) {
        job_send(job, SQL_SCRIPT_TOKEN_DELETE, take_ended, SQL_UUID(&op->user), SQL_UUID(&op->id));
        return true;
    }
    /* That it is gone already, an earlier run of the job may have done. */
    if (token_job_of(job)->found || job->uncertain)
        job_end_sessions(job, &op->user);
    else
        op->op.result = ERROR_NOT_FOUND;
    return false;
}

static bool step_use(struct job *job, unsigned round)
{
    struct store_script_token_use *op = job_op(job, step_use);
    (void)round;
    job_send(job, SQL_SCRIPT_TOKEN_USE, NULL, SQL_UUID(&op->user), SQL_UUID(&op->id),
             SQL_I64(op->now), SQL_TEXT(op->ip), SQL_I64(op->now - SCRIPT_TOKEN_USED_MS / 2));
    return false;
}

/* ---- the calls ---- */

JOB_CALL(script_token_check, LANE_READ, token_job, TOKEN_MAGIC, step_check)
JOB_CALL(script_token_list, LANE_READ, job, 0, step_list)
JOB_CALL(script_token_create, LANE_ALONE, token_job, TOKEN_MAGIC, step_create)
JOB_CALL(script_token_end, LANE_ALONE, token_job, TOKEN_MAGIC, step_end)
JOB_CALL(script_token_use, LANE_ALONE, job, 0, step_use)
