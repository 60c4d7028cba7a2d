// SPDX-License-Identifier: MIT
#include "store/postgres/write_session.h"

#include "store/keeping.h"
#include "store/postgres/locked_user.h"
#include "store/session_decision.h"
#include "store/user_decision.h"

static void delete_session(struct job *job, const struct uuid *user, const struct uuid *id,
                           job_take *take)
{
    struct params p = {0};
    params_uuid(&p, user);
    params_uuid(&p, id);
    job_send(job, SQL_SESSION_DELETE, &p, take);
}

/* ---- login ---- */

struct create_job {
    struct locked_user locked;
    bool pruned;
};

static void insert_session(struct job *job, const struct session *session)
{
    struct params p = {0};
    params_uuid(&p, &session->user);
    params_uuid(&p, &session->id);
    params_i64(&p, session->counter);
    params_i64(&p, session->created_at);
    params_i64(&p, session->last_used_at);
    params_i64(&p, session->expires_at);
    params_text(&p, session->user_agent);
    params_text(&p, session->ip);
    job_send(job, SQL_SESSION_INSERT, &p, NULL);
}

static void take_pruned(struct job *job, const PGresult *result)
{
    ((struct create_job *)job)->pruned = PQntuples(result) > 0;
}

/* Keeps the newest `most` rows of the user. */
static void prune(struct job *job, enum sql sql, const struct uuid *user, int64_t most,
                  job_take *take)
{
    struct params p = {0};
    params_uuid(&p, user);
    params_i64(&p, most);
    job_send(job, sql, &p, take);
}

static void remember_client(struct job *job, const struct store_session_create *op)
{
    struct params p = {0};
    params_uuid(&p, &op->session.user);
    params_text(&p, op->client);
    params_i64(&p, op->session.created_at);
    job_send(job, SQL_ADDRESS_PUT, &p, NULL);
    prune(job, SQL_ADDRESS_PRUNE, &op->session.user, KEEPING_ADDRESSES, NULL);
}

/* A session that is there already is what an earlier run of the job made. */
static void create(struct locked_user *locked, const struct store_session_create *op)
{
    struct job *job = &locked->job;
    if (op->rehash.ptr)
        locked_user_put_hash(locked, op->rehash, 0);
    insert_session(job, &op->session);
    prune(job, SQL_SESSION_PRUNE, &op->session.user, USER_SESSIONS_MOST, take_pruned);
    if (op->client.ptr)
        remember_client(job, op);
}

static bool step_create(struct job *job, unsigned round)
{
    struct create_job *c = (struct create_job *)job;
    struct locked_user *locked = &c->locked;
    const struct store_session_create *op = (struct store_session_create *)job->op;
    if (round == 0) {
        locked_user_ask(locked, &op->session.user);
        return true;
    }
    if (round == 1) {
        job->op->result =
            user_decide_login(locked->found ? &locked->user : NULL,
                              locked_user_expected(locked, op->verified_hash, op->rehash));
        if (job->op->result == ERROR_NONE)
            create(locked, op);
        return job->op->result == ERROR_NONE;
    }
    /* What an earlier run pruned, only that run knew. */
    if (c->pruned || job->uncertain)
        job_end_sessions(job, &op->session.user);
    return false;
}

/* ---- rotation ---- */

struct refresh_job {
    struct job job;
    bool found; /* what the last round asked for */
    struct uuid user;
    struct session_standing standing;
};

static void take_owner(struct job *job, const PGresult *result)
{
    struct refresh_job *refresh = (struct refresh_job *)job;
    refresh->found = PQntuples(result) > 0;
    if (!refresh->found)
        return;
    struct row r = row_of(result, 0, NULL);
    refresh->user = row_uuid(&r);
}

static void take_standing(struct job *job, const PGresult *result)
{
    struct refresh_job *refresh = (struct refresh_job *)job;
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

static void ask_standing(struct refresh_job *refresh, const struct uuid *id)
{
    struct params p = {0};
    params_uuid(&p, &refresh->user);
    params_uuid(&p, id);
    job_send(&refresh->job, SQL_SESSION_GET_LOCKED, &p, take_standing);
}

static void rotate(struct job *job, const struct session_standing *standing)
{
    struct params p = {0};
    params_uuid(&p, &standing->session.user);
    params_uuid(&p, &standing->session.id);
    params_i64(&p, standing->session.counter);
    params_i64(&p, standing->session.last_used_at);
    params_i64(&p, standing->session.expires_at);
    params_blob(&p, standing->superseded, standing->superseded_size);
    job_send(job, SQL_SESSION_ROTATE, &p, NULL);
}

/* Did an earlier run of the job rotate it? The grace period need not be long enough to tell. */
static bool is_rotated(const struct refresh_job *refresh, const struct store_session_refresh *op)
{
    const struct session *session = &refresh->standing.session;
    return refresh->job.uncertain && refresh->found && session->counter == op->counter + 1 &&
           session->last_used_at == op->now;
}

/* Did an earlier run of the job end it? op->session is then what that run found. */
static bool is_ended(const struct refresh_job *refresh, const struct store_session_refresh *op)
{
    return refresh->job.uncertain && !refresh->found && op->reuse;
}

static void decide_refresh(struct refresh_job *refresh, struct store_session_refresh *op)
{
    struct job *job = &refresh->job;
    if (is_ended(refresh, op)) {
        op->op.result = ERROR_INVALID_REFRESH_TOKEN;
        job_end_sessions(job, &op->session.user);
        return;
    }
    if (is_rotated(refresh, op)) {
        op->reuse = false;
        op->session = refresh->standing.session;
        return;
    }
    switch (session_decide_refresh(op, refresh->found ? &refresh->standing : NULL)) {
    case SESSION_DECISION_NOTHING: break;
    case SESSION_DECISION_ROTATE: rotate(job, &refresh->standing); break;
    case SESSION_DECISION_END:
        delete_session(job, &refresh->user, &op->id, NULL);
        job_end_sessions(job, &refresh->user);
        break;
    }
}

/* A token names the session and not the user, so round 0 asks for that. */
static bool step_refresh(struct job *job, unsigned round)
{
    struct refresh_job *refresh = (struct refresh_job *)job;
    struct store_session_refresh *op = (struct store_session_refresh *)job->op;
    if (round == 0) {
        struct params p = {0};
        params_uuid(&p, &op->id);
        job_send(job, SQL_SESSION_OWNER, &p, take_owner);
        return true;
    }
    if (round == 1 && refresh->found) {
        ask_standing(refresh, &op->id);
        return true;
    }
    decide_refresh(refresh, op);
    return false;
}

/* ---- logout ---- */

struct end_job {
    struct job job;
    struct uuid owner; /* all zero: not asked for, or there is no such session */
    bool deleting;
    bool ended;
};

static void take_end_owner(struct job *job, const PGresult *result)
{
    if (PQntuples(result) == 0)
        return;
    struct row r = row_of(result, 0, NULL);
    ((struct end_job *)job)->owner = row_uuid(&r);
}

static void take_ended(struct job *job, const PGresult *result)
{
    ((struct end_job *)job)->ended = PQntuples(result) > 0;
}

static void end_others(struct job *job, const struct store_session_end *op)
{
    struct params p = {0};
    params_uuid(&p, &op->user);
    params_uuid(&p, &op->id);
    job_send(job, SQL_SESSION_DELETE_OTHERS, &p, NULL);
    job_end_sessions(job, &op->user);
}

/* owner? -> delete -> tell */
static bool step_end(struct job *job, unsigned round)
{
    const struct uuid nobody = {0};
    struct end_job *end = (struct end_job *)job;
    struct store_session_end *op = (struct store_session_end *)job->op;
    if (op->others) {
        end_others(job, op);
        return false;
    }
    if (round == 0 && uuid_eq(op->user, nobody)) {
        struct params p = {0};
        params_uuid(&p, &op->id);
        job_send(job, SQL_SESSION_OWNER, &p, take_end_owner);
        return true;
    }
    if (!end->deleting) {
        op->user = uuid_eq(op->user, nobody) ? end->owner : op->user;
        end->deleting = true;
        delete_session(job, &op->user, &op->id, take_ended);
        return true;
    }
    /* That it is gone already, an earlier run of the job may have done. */
    if (end->ended || job->uncertain)
        job_end_sessions(job, &op->user);
    else
        job->op->result = ERROR_NOT_FOUND;
    return false;
}

void pg_session_create(struct store_session_create *op)
{
    static const struct work work = {
        .lane = LANE_ALONE, .size = sizeof(struct create_job), .step = step_create};
    job_start(&op->op, &work, NULL);
}

void pg_session_refresh(struct store_session_refresh *op)
{
    static const struct work work = {
        .lane = LANE_ALONE, .size = sizeof(struct refresh_job), .step = step_refresh};
    op->reuse = false;
    job_start(&op->op, &work, NULL);
}

void pg_session_end(struct store_session_end *op)
{
    static const struct work work = {
        .lane = LANE_ALONE, .size = sizeof(struct end_job), .step = step_end};
    job_start(&op->op, &work, NULL);
}
