// SPDX-License-Identifier: MIT
#include "store/postgres/job.h"

#include <assert.h>

#include "store/postgres/link.h"
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

void job_start(struct store_op *op, const struct work *work, const struct uuid *user)
{
    assert(work->size >= sizeof(struct job));
    struct job *job = arena_alloc(op->arena, work->size);
    if (!job) {
        op->result = ERROR_OVERLOADED;
        op->done(op);
        return;
    }
    job->work = work;
    job->op = op;
    job->lane = work->lane;
    if (user)
        job->user = *user;
    session_queue(op->session, job);
}

void job_send(struct job *job, enum sql sql, const struct params *params, job_take *take)
{
    assert(job->sent < JOB_STATEMENTS_MOST);
    job->sent++;
    link_send(job->link, job, sql, params, take);
}

void job_restart(struct job *job)
{
    link_fail(job->link, job, (struct translation){.error = ERROR_OVERLOADED, .again = true});
}

void job_no_memory(struct job *job)
{
    link_fail(job->link, job, (struct translation){.error = ERROR_OVERLOADED});
}

void job_end_sessions(struct job *job, const struct uuid *user)
{
    struct params p = {0};
    params_uuid(&p, user);
    job_send(job, SQL_SESSIONS_ENDED, &p, NULL);
    job->sessions_ended = true;
    job->ended = *user;
}
