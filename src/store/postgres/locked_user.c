// SPDX-License-Identifier: MIT
#include "store/postgres/locked_user.h"

static void take(struct job *job, const PGresult *result)
{
    struct locked_user *locked = (struct locked_user *)job;
    locked->found = PQntuples(result) > 0;
    if (!locked->found)
        return;
    struct row r = row_of(result, 0, job->op->arena);
    locked->user = row_user(&r);
    if (r.failed)
        job_no_memory(job);
}

void locked_user_ask(struct locked_user *locked, const struct uuid *id)
{
    struct params p = {0};
    params_uuid(&p, id);
    job_send(&locked->job, SQL_USER_GET_LOCKED, &p, take);
}

struct slice locked_user_expected(const struct locked_user *locked, struct slice verified,
                                  struct slice next)
{
    return locked->job.uncertain && slice_eq(locked->user.password_hash, next) ? next : verified;
}

void locked_user_put_hash(struct locked_user *locked, struct slice hash, int64_t now)
{
    struct params p = {0};
    params_uuid(&p, &locked->user.id);
    params_text(&p, hash);
    params_time(&p, now);
    job_send(&locked->job, SQL_USER_SET_HASH, &p, NULL);
}
