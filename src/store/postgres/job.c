// SPDX-License-Identifier: MIT
#include "store/postgres/job.h"

#include "store/postgres/session.h"

void job_reset(struct job *job)
{
    memset((char *)job + sizeof *job, 0, job->work->size - sizeof *job);
    job->sessions_ended = job->sessions_ended && job->uncertain;
    job->more = true;
    job->sent = 0;
    job->op->result = ERROR_NONE;
}

void job_clear_results(struct job *job)
{
    while (job->result_count > 0)
        PQclear(job->results[--job->result_count]);
}

void job_start(struct store_op *op, const struct work *work, const struct uuid *space)
{
    assert(work->size >= sizeof(struct job));
    assert(op->session && op->arena && op->done);
    struct job *job = arena_alloc(op->arena, work->size);
    if (!job) {
        op->result = ERROR_OVERLOADED;
        op->done(op);
        return;
    }
    job->work = work;
    job->op = op;
    job->lane = work->lane;
    if (space)
        job->space = *space;
    session_queue(op->session, job);
}

/* One more statement of this round, which is still being sent. */
static void count_sent(struct job *job)
{
    assert(job->link && job->more && job->sent < JOB_STATEMENTS_MOST);
    job->sent++;
}

void job_send_values(struct job *job, unsigned sql, const struct sql_value *values, unsigned count,
                     job_take *take)
{
    count_sent(job);
    link_send(job->link, job, sql, values, count, take);
}

void job_send_list(struct job *job, const struct store_item_list *op, job_take *take)
{
    count_sent(job);
    link_send_list(job->link, job, op, take);
}

struct usage_limits job_limits(const struct job *job)
{
    return job->op->session->limits;
}

void job_fail(struct job *job, enum error error)
{
    assert(error != ERROR_NONE);
    link_fail(job->link, job, (struct translation){.error = error});
}

void job_end_sessions(struct job *job, const struct uuid *user)
{
    job_send(job, SQL_SESSIONS_ENDED, NULL, SQL_UUID(user));
    job->sessions_ended = true;
    job->ended = *user;
}
