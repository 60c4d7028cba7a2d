// SPDX-License-Identifier: MIT
#include "store/postgres/reads.h"

#include "store/postgres/job.h"

/* ---- one user ---- */

/* Where the user goes, and whether the address is known; set by each first step. */
struct user_read {
    struct job job;
    struct uuid id;
    struct user *user;
    struct slice email; /* ptr NULL: any; else the user must still have it */
    bool *known;
};

static void take_user(struct job *job, const PGresult *result)
{
    struct user_read *read = (struct user_read *)job;
    if (PQntuples(result) == 0) {
        job->op->result = ERROR_NOT_FOUND;
        return;
    }
    struct row r = row_of(result, 0, job->op->arena);
    *read->user = row_user(&r);
    if (r.failed)
        job_no_memory(job);
    else if (read->email.ptr && !slice_eq_nocase(read->user->email, read->email))
        job->op->result = ERROR_NOT_FOUND;
}

static void take_known(struct job *job, const PGresult *result)
{
    *((struct user_read *)job)->known = PQntuples(result) > 0;
}

static void ask_user(struct user_read *read, struct slice client)
{
    struct params p = {0};
    params_uuid(&p, &read->id);
    job_send(&read->job, SQL_USER_GET, &p, take_user);
    *read->known = false;
    if (!client.ptr)
        return;
    params_text(&p, client);
    job_send(&read->job, SQL_ADDRESS_KNOWN, &p, take_known);
}

static void take_owner(struct job *job, const PGresult *result)
{
    if (PQntuples(result) == 0) {
        job->op->result = ERROR_NOT_FOUND;
        return;
    }
    struct row r = row_of(result, 0, NULL);
    ((struct user_read *)job)->id = row_uuid(&r);
}

static bool step_user_by_email(struct job *job, unsigned round)
{
    struct user_read *read = (struct user_read *)job;
    struct store_user_by_email *op = (struct store_user_by_email *)job->op;
    if (round == 0) {
        struct params p = {0};
        params_text(&p, op->email);
        job_send(job, SQL_EMAIL_OWNER, &p, take_owner);
        return true;
    }
    read->user = &op->user;
    read->email = op->email;
    read->known = &op->known_address;
    if (op->op.result == ERROR_NONE)
        ask_user(read, op->client);
    return false;
}

static bool step_user_get(struct job *job, unsigned round)
{
    struct user_read *read = (struct user_read *)job;
    struct store_user_get *op = (struct store_user_get *)job->op;
    (void)round;
    read->id = op->id;
    read->user = &op->user;
    read->known = &op->known_address;
    ask_user(read, op->client);
    return false;
}

void pg_user_by_email(struct store_user_by_email *op)
{
    static const struct work work = {
        .lane = LANE_READ, .size = sizeof(struct user_read), .step = step_user_by_email};
    op->known_address = false;
    job_start(&op->op, &work, NULL);
}

void pg_user_get(struct store_user_get *op)
{
    static const struct work work = {
        .lane = LANE_READ, .size = sizeof(struct user_read), .step = step_user_get};
    job_start(&op->op, &work, NULL);
}

/* ---- all users ---- */

static void take_users(struct job *job, const PGresult *result)
{
    struct store_user_list *op = (struct store_user_list *)job->op;
    const int count = PQntuples(result);
    op->more = count > (int)op->limit;
    for (int i = 0; i < count && i < (int)op->limit; i++) {
        struct row r = row_of(result, i, NULL);
        const struct user user = row_user(&r);
        op->each(op, &user);
    }
}

static bool step_user_list(struct job *job, unsigned round)
{
    struct store_user_list *op = (struct store_user_list *)job->op;
    struct params p = {0};
    (void)round;
    params_uuid(&p, &op->after);
    params_i64(&p, (int64_t)op->limit + 1);
    job_send(job, SQL_USER_LIST, &p, take_users);
    return false;
}

void pg_user_list(struct store_user_list *op)
{
    static const struct work work = {
        .lane = LANE_READ, .size = sizeof(struct job), .step = step_user_list};
    job_start(&op->op, &work, NULL);
}

/* ---- sessions ---- */

static void take_session_check(struct job *job, const PGresult *result)
{
    struct store_session_check *op = (struct store_session_check *)job->op;
    if (PQntuples(result) == 0) {
        op->op.result = ERROR_NOT_FOUND;
        return;
    }
    struct row r = row_of(result, 0, NULL);
    op->expires_at = row_i64(&r);
}

static bool step_session_check(struct job *job, unsigned round)
{
    struct store_session_check *op = (struct store_session_check *)job->op;
    struct params p = {0};
    (void)round;
    params_uuid(&p, &op->user);
    params_uuid(&p, &op->id);
    params_i64(&p, op->now);
    job_send(job, SQL_SESSION_CHECK, &p, take_session_check);
    return false;
}

void pg_session_check(struct store_session_check *op)
{
    static const struct work work = {
        .lane = LANE_READ, .size = sizeof(struct job), .step = step_session_check};
    job_start(&op->op, &work, NULL);
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

static bool step_session_list(struct job *job, unsigned round)
{
    struct store_session_list *op = (struct store_session_list *)job->op;
    struct params p = {0};
    (void)round;
    params_uuid(&p, &op->user);
    params_i64(&p, op->now);
    job_send(job, SQL_SESSION_LIST, &p, take_sessions);
    return false;
}

void pg_session_list(struct store_session_list *op)
{
    static const struct work work = {
        .lane = LANE_READ, .size = sizeof(struct job), .step = step_session_list};
    job_start(&op->op, &work, NULL);
}

/* ---- one task ---- */

/* The texts stay in the result, which lives until the answer was given. */
static void take_task(struct job *job, const PGresult *result)
{
    struct store_task_get *op = (struct store_task_get *)job->op;
    if (PQntuples(result) == 0) {
        op->op.result = ERROR_NOT_FOUND;
        return;
    }
    struct row r = row_of(result, 0, NULL);
    op->task = row_task(&r);
}

static bool step_task_get(struct job *job, unsigned round)
{
    struct store_task_get *op = (struct store_task_get *)job->op;
    struct params p = {0};
    (void)round;
    params_uuid(&p, &op->user);
    params_uuid(&p, &op->id);
    job_send(job, SQL_TASK_GET, &p, take_task);
    return false;
}

void pg_task_get(struct store_task_get *op)
{
    static const struct work work = {
        .lane = LANE_READ, .size = sizeof(struct job), .step = step_task_get};
    job_start(&op->op, &work, NULL);
}
