// SPDX-License-Identifier: MIT
#include "base/point.h"
#include "store/decision.h"
#include "store/postgres/operations.h"
#include "store/postgres/users.h"
#include "store/retention.h"

/* ---- reads ---- */

static void take_check(struct job *job, const PGresult *result)
{
    struct store_session_check *op = (struct store_session_check *)job->op;
    if (PQntuples(result) == 0) {
        op->op.result = ERROR_NOT_FOUND;
        return;
    }
    struct row r = row_of(result, 0, NULL);
    op->expires_at = row_i64(&r);
}

static bool step_check(struct job *job, unsigned round)
{
    struct store_session_check *op = job_op(job, step_check);
    (void)round;
    job_send(job, op->of_script ? SQL_SCRIPT_TOKEN_ALIVE : SQL_SESSION_CHECK, take_check,
             SQL_UUID(&op->user), SQL_UUID(&op->id), SQL_I64(op->now));
    return false;
}

static void take_sessions(struct job *job, const PGresult *result)
{
    struct store_session_list *op = (struct store_session_list *)job->op;
    for (int i = 0; i < PQntuples(result); i++) {
        struct row r = row_of(result, i, NULL);
        struct session row = {.id = row_uuid(&r)};
        row.user = row_uuid(&r);
        row.counter = row_i64(&r);
        row.created_at = row_i64(&r);
        row.last_used_at = row_i64(&r);
        row.expires_at = row_i64(&r);
        row.user_agent = row_text(&r);
        row.ip = row_text(&r);
        op->each(op, &row);
    }
}

static bool step_list(struct job *job, unsigned round)
{
    struct store_session_list *op = job_op(job, step_list);
    (void)round;
    job_send(job, SQL_SESSION_LIST, take_sessions, SQL_UUID(&op->user), SQL_I64(op->now));
    return false;
}

/* ---- login ---- */

#define CREATE_MAGIC 0xd4716be2u

struct create_job {
    struct locked_user locked;
    bool pruned;
};

static void take_pruned(struct job *job, const PGresult *result)
{
    struct create_job *create = job_owner(job, CREATE_MAGIC);
    create->pruned = PQntuples(result) > 0;
}

static bool step_create(struct job *job, unsigned round)
{
    struct create_job *c = job_owner(job, CREATE_MAGIC);
    struct locked_user *locked = &c->locked;
    const struct store_session_create *op = job_op(job, step_create);
    const struct session *session = &op->session;
    const struct sql_value user = SQL_UUID(&session->user);
    if (round == 0) {
        locked_user_ask(locked, &op->session.user);
        return true;
    }
    if (round == 1) {
        job->op->result =
            user_decide_login(locked->found ? &locked->user : NULL,
                              locked_user_expected(locked, op->verified_hash, op->rehash));
        if (job->op->result != ERROR_NONE)
            return false;
        if (op->rehash.ptr)
            locked_user_put_hash(locked, op->rehash, 0);
        /* One that is there already is what an earlier run of the job made. */
        job_send(job, SQL_SESSION_INSERT, NULL, user, SQL_UUID(&session->id),
                 SQL_I64(session->counter), SQL_I64(session->created_at),
                 SQL_I64(session->last_used_at), SQL_I64(session->expires_at),
                 SQL_TEXT(session->user_agent), SQL_TEXT(session->ip));
        job_send(job, SQL_SESSION_PRUNE, take_pruned, user, SQL_I64(USER_SESSIONS_MOST));
        if (op->client.ptr) {
            job_send(job, SQL_ADDRESS_PUT, NULL, user, SQL_TEXT(op->client),
                     SQL_I64(session->created_at));
            job_send(job, SQL_ADDRESS_PRUNE, NULL, user, SQL_I64(RETENTION_ADDRESSES));
        }
        return true;
    }
    /* What an earlier run pruned, only that run knew. */
    if (c->pruned || job->uncertain)
        job_end_sessions(job, &op->session.user);
    return false;
}

/* ---- rotation ---- */

#define REFRESH_MAGIC 0x2b93fa06u

struct refresh_job {
    struct job job;
    bool found; /* what the last round asked for */
    struct uuid user;
    struct session_standing standing;
};

static void take_refresh_owner(struct job *job, const PGresult *result)
{
    struct refresh_job *refresh = job_owner(job, REFRESH_MAGIC);
    refresh->found = row_first_uuid(result, &refresh->user);
}

static void take_standing(struct job *job, const PGresult *result)
{
    struct refresh_job *refresh = job_owner(job, REFRESH_MAGIC);
    const struct store_session_refresh *op = (struct store_session_refresh *)job->op;
    struct session *session = &refresh->standing.session;
    refresh->found = PQntuples(result) > 0;
    if (!refresh->found)
        return;
    struct row r = row_of(result, 0, NULL);
    *session = (struct session){.id = op->id, .user = refresh->user};
    session->counter = row_i64(&r);
    session->created_at = row_i64(&r);
    session->last_used_at = row_i64(&r);
    session->expires_at = row_i64(&r);
    session_set_superseded(&refresh->standing, row_blob(&r));
    refresh->standing.disabled = row_i64(&r) != 0;
}

/* A token names the session and not the user, so round 0 asks for that. */
static bool step_refresh(struct job *job, unsigned round)
{
    struct refresh_job *refresh = job_owner(job, REFRESH_MAGIC);
    struct store_session_refresh *op = job_op(job, step_refresh);
    struct session_standing *standing = refresh->found ? &refresh->standing : NULL;
    const struct session *session = &refresh->standing.session;
    if (round == 0) {
        op->reuse = op->reuse && job->uncertain;
        job_send(job, SQL_SESSION_OWNER, take_refresh_owner, SQL_UUID(&op->id));
        return true;
    }
    if (round == 1 && refresh->found) {
        job_send(job, SQL_SESSION_LOCK, take_standing, SQL_UUID(&refresh->user), SQL_UUID(&op->id));
        return true;
    }
    /* Did an earlier run of the job end it? op->session is then what that run found. */
    if (job->uncertain && !standing && op->reuse) {
        op->op.result = ERROR_INVALID_REFRESH_TOKEN;
        job_end_sessions(job, &op->session.user);
        return false;
    }
    /* Or did it rotate it? The grace period need not be long enough to tell. */
    if (job->uncertain && standing && session->counter == op->counter + 1 &&
        session->last_used_at == op->now) {
        op->reuse = false;
        op->session = *session;
        return false;
    }
    POINT(POSTGRES_ROTATION);
    switch (session_decide_refresh(op, standing)) {
    case SESSION_DECISION_NOTHING: break;
    case SESSION_DECISION_ROTATE:
        job_send(job, SQL_SESSION_ROTATE, NULL, SQL_UUID(&session->user), SQL_UUID(&session->id),
                 SQL_I64(session->counter), SQL_I64(session->last_used_at),
                 SQL_I64(session->expires_at),
                 SQL_BLOB(refresh->standing.superseded, refresh->standing.superseded_size));
        break;
    case SESSION_DECISION_END:
        job_send(job, SQL_SESSION_DELETE, NULL, SQL_UUID(&refresh->user), SQL_UUID(&op->id));
        job_end_sessions(job, &refresh->user);
        break;
    }
    return false;
}

/* ---- logout ---- */

#define END_MAGIC 0x8ac5170fu

struct end_job {
    struct job job;
    struct uuid owner; /* all zero: not asked for, or there is no such session */
    bool deleting;
    bool ended;
};

static void take_end_owner(struct job *job, const PGresult *result)
{
    struct end_job *end = job_owner(job, END_MAGIC);
    (void)row_first_uuid(result, &end->owner);
}

static void take_ended(struct job *job, const PGresult *result)
{
    struct end_job *end = job_owner(job, END_MAGIC);
    end->ended = PQntuples(result) > 0;
}

/* owner? -> delete -> tell */
static bool step_end(struct job *job, unsigned round)
{
    static const struct uuid nobody;
    struct end_job *end = job_owner(job, END_MAGIC);
    struct store_session_end *op = job_op(job, step_end);
    if (op->others) {
        job_send(job, SQL_SESSION_DELETE_OTHERS, NULL, SQL_UUID(&op->user), SQL_UUID(&op->id));
        job_end_sessions(job, &op->user);
        return false;
    }
    if (round == 0 && uuid_eq(op->user, nobody)) {
        job_send(job, SQL_SESSION_OWNER, take_end_owner, SQL_UUID(&op->id));
        return true;
    }
    if (!end->deleting) {
        op->user = uuid_eq(op->user, nobody) ? end->owner : op->user;
        end->deleting = true;
        job_send(job, SQL_SESSION_DELETE, take_ended, SQL_UUID(&op->user), SQL_UUID(&op->id));
        return true;
    }
    /* That it is gone already, an earlier run of the job may have done. */
    if (end->ended || job->uncertain)
        job_end_sessions(job, &op->user);
    else
        job->op->result = ERROR_NOT_FOUND;
    return false;
}

/* ---- the calls ---- */

JOB_CALL(session_check, LANE_READ, job, 0, step_check)
JOB_CALL(session_list, LANE_READ, job, 0, step_list)
JOB_CALL(session_create, LANE_ALONE, create_job, CREATE_MAGIC, step_create)
JOB_CALL(session_refresh, LANE_ALONE, refresh_job, REFRESH_MAGIC, step_refresh)
JOB_CALL(session_end, LANE_ALONE, end_job, END_MAGIC, step_end)
