// SPDX-License-Identifier: MIT
#include "store/postgres/link.h"

#include <assert.h>
#include <sys/epoll.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "store/postgres/session.h"

/* ---- the connection ---- */

static void on_notice(void *context, const PGresult *notice)
{
    struct link *link = context;
    connect_log_notice(NULL, notice);
    const char *severity = PQresultErrorField(notice, PG_DIAG_SEVERITY_NONLOCALIZED);
    if (severity && strcmp(severity, "WARNING") == 0)
        link->warned = true;
}

bool link_open(struct link *link, PGconn *connection)
{
    link->connection = connection;
    link->events = EPOLLIN;
    struct epoll_event event = {.events = link->events, .data.ptr = link};
    if (PQsetnonblocking(connection, 1) != 0 || PQenterPipelineMode(connection) != 1 ||
        epoll_ctl(link->epoll, EPOLL_CTL_ADD, PQsocket(connection), &event) != 0) {
        link_close(link);
        return false;
    }
    PQsetNoticeReceiver(connection, on_notice, link);
    metrics_add(METRIC_STORE_CONNECTIONS, 1);
    link->state = LINK_IDLE;
    return true;
}

static PGconn *take_connection(struct link *link)
{
    PGconn *connection = link->connection;
    if (link->state != LINK_WANTED)
        metrics_add(METRIC_STORE_CONNECTIONS, -1);
    if (connection && PQsocket(connection) >= 0)
        (void)epoll_ctl(link->epoll, EPOLL_CTL_DEL, PQsocket(connection), NULL);
    link->connection = NULL;
    link->state = LINK_WANTED;
    return connection;
}

PGconn *link_release(struct link *link)
{
    assert(link->state == LINK_IDLE && link->job_count == 0);
    return take_connection(link);
}

void link_close(struct link *link)
{
    PQfinish(take_connection(link));
}

void link_lose(struct link *link)
{
    const bool committing = link->state == LINK_COMMITTING;
    link_close(link);
    session_lost(link->session, link, committing);
}

static void watch(struct link *link, bool writing)
{
    const uint32_t events = writing ? EPOLLIN | EPOLLOUT : EPOLLIN;
    if (events == link->events)
        return;
    link->events = events;
    struct epoll_event event = {.events = events, .data.ptr = link};
    (void)epoll_ctl(link->epoll, EPOLL_CTL_MOD, PQsocket(link->connection), &event);
}

/* ---- sending ---- */

static bool send_prepared(PGconn *connection, enum sql sql, const struct params *p)
{
    char name[SQL_NAME_LEN];
    sql_name(sql, name);
    return PQsendQueryPrepared(connection, name, p->count, p->values, p->lengths, params_formats,
                               1) == 1;
}

static bool send_text(PGconn *connection, enum sql sql, const struct params *p)
{
    Oid types[PARAMS_MOST];
    const int count = sql_types(sql, types);
    assert(count == p->count);
    return PQsendQueryParams(connection, sql_text(sql)->text, count, types, p->values, p->lengths,
                             params_formats, 1) == 1;
}

void link_send(struct link *link, struct job *job, enum sql sql, const struct params *params,
               job_take *take)
{
    static const struct params none = {0};
    const struct params *p = params ? params : &none;
    assert(link->sent_count < LINK_SENT_MOST);
    link->sent[link->sent_count++] = (struct link_sent){job, take};
    const bool sent = link->prepared ? send_prepared(link->connection, sql, p)
                                     : send_text(link->connection, sql, p);
    /* Without memory, or on a connection that broke: the flight cannot be whole. */
    if (!sent)
        link_fail(link, job, translate(NULL));
}

void link_fail(struct link *link, struct job *job, struct translation failure)
{
    if (link->failed)
        return;
    link->failed = true;
    link->culprit = job;
    link->failure = failure;
}

/* Ends a flight; false when the connection was lost over it. */
static bool launch(struct link *link)
{
    const int left = PQpipelineSync(link->connection) == 1 ? PQflush(link->connection) : -1;
    if (left >= 0)
        watch(link, left > 0);
    return left >= 0 && !(link->failed && link->failure.discard);
}

static void begin_flight(struct link *link)
{
    link->sent_count = 0;
    link->answered = 0;
}

static bool step_jobs(struct link *link)
{
    bool more = false;
    for (unsigned i = 0; i < link->job_count; i++) {
        struct job *job = link->jobs[i];
        if (!job->more)
            continue;
        job->sent = 0;
        job->more = job->work->step(job, link->round);
        more = more || job->more;
    }
    return more;
}

/* Takes the job out of the batch and ends it. */
static void end_job(struct link *link, unsigned place)
{
    struct job *job = link->jobs[place];
    link->jobs[place] = link->jobs[--link->job_count];
    session_done(link->session, job);
}

/* A job that reads is done when its last round asks for nothing. */
static void end_silent(struct link *link)
{
    for (unsigned place = link->job_count; !lane_writes(link->lane) && place-- > 0;) {
        if (!link->jobs[place]->more && link->jobs[place]->sent == 0)
            end_job(link, place);
    }
}

/* Sends the next round of all jobs, and the COMMIT when it is the last. */
static bool send_round(struct link *link)
{
    begin_flight(link);
    if (link->round == 0 && lane_writes(link->lane))
        link_send(link, NULL, SQL_BEGIN, NULL, NULL);
    if (link->round == 0 && link->jobs[0]->uncertain)
        link_send(link, NULL, SQL_BE_DURABLE, NULL, NULL);
    const bool more = step_jobs(link);
    link->round++;
    end_silent(link);
    if (link->job_count == 0) {
        link->state = LINK_IDLE;
        return true;
    }
    if (!more && lane_writes(link->lane) && !link->failed) {
        link->warned = false;
        link->commit_us = clock_mono_us();
        link->state = LINK_COMMITTING;
        link_send(link, NULL, SQL_COMMIT, NULL, NULL);
    }
    return launch(link);
}

static bool send_rollback(struct link *link)
{
    begin_flight(link);
    link->state = LINK_ROLLING_BACK;
    link_send(link, NULL, SQL_ROLLBACK, NULL, NULL);
    return launch(link);
}

void link_begin(struct link *link, enum lane lane, unsigned count, int64_t deadline_us)
{
    link->lane = lane;
    link->job_count = count;
    link->deadline_us = deadline_us;
    link->round = 0;
    link->state = LINK_ROUND;
    link->failed = false;
    link->committed = false;
    for (unsigned i = 0; i < count; i++)
        link->jobs[i]->link = link;
    if (!send_round(link))
        link_lose(link);
}

/* ---- a batch ends ---- */

/* A job that reads is done with the last rows that it asked for. */
static void end_if_answered(struct link *link, const struct job *job)
{
    if (lane_writes(link->lane) || job->more || job->sent > 0)
        return;
    unsigned place = 0;
    while (link->jobs[place] != job)
        place++;
    end_job(link, place);
}

static void end_committed(struct link *link)
{
    metrics_observe(METRIC_STORE_COMMIT, clock_mono_us() - link->commit_us);
    metrics_observe(METRIC_STORE_BATCH, (int64_t)link->job_count);
    link->state = LINK_IDLE;
    while (link->job_count > 0)
        end_job(link, 0);
}

/* The transaction is still open on the server's side, or is marked as failed there. */
static bool must_roll_back(const struct link *link)
{
    return PQtransactionStatus(link->connection) != PQTRANS_IDLE;
}

static void end_failed(struct link *link)
{
    if (link->failure.discard) {
        link_lose(link);
        return;
    }
    link->state = LINK_IDLE;
    session_failed(link->session, link);
    link->job_count = 0;
    link->failed = false;
    if (must_roll_back(link) && !send_rollback(link))
        link_lose(link);
}

/* The server said that it gave up waiting for its standbys, or that there was nothing to commit. */
static bool is_doubtful(const struct link *link)
{
    return link->warned || !link->committed;
}

static void end_commit(struct link *link)
{
    if (is_doubtful(link))
        link_lose(link);
    else
        end_committed(link);
}

/* Every statement of the flight was answered. */
static void end_flight(struct link *link)
{
    if (link->failed)
        end_failed(link);
    else if (link->state == LINK_COMMITTING)
        end_commit(link);
    else if (link->state == LINK_ROLLING_BACK || link->job_count == 0)
        link->state = LINK_IDLE;
    else if (!send_round(link))
        link_lose(link);
}

/* ---- receiving ---- */

static bool is_commit(const struct link *link, const struct link_sent *sent)
{
    return link->state == LINK_COMMITTING && sent == &link->sent[link->sent_count - 1];
}

static void fail_statement(struct link *link, const struct link_sent *sent, const PGresult *result)
{
    const char *code = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const struct translation failure = translate(code);
    if (failure.error == ERROR_INTERNAL_ERROR && !failure.again)
        log_message(LOG_ERROR, "store_failed", "PostgreSQL: %s: %s", code ? code : "-",
                    PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY));
    /* When the server ends a connection over an earlier statement, the COMMIT was not carried out.
     * Without a code it is libpq that found the connection broken, and knows nothing of that. */
    if (code && failure.discard && link->state == LINK_COMMITTING && !is_commit(link, sent))
        link->state = LINK_ROUND;
    link_fail(link, sent->job, failure);
}

/* What a read shows lives until it is answered. */
static void keep_result(struct job *job, PGresult *result)
{
    assert(job->result_count < JOB_RESULTS_MOST);
    job->results[job->result_count++] = result;
}

static void take_rows(struct link *link, const struct link_sent *sent, PGresult *result)
{
    struct job *job = sent->job;
    if (job)
        job->sent--;
    if (sent->take && !link->failed)
        sent->take(job, result);
    if (is_commit(link, sent))
        link->committed = strcmp(PQcmdStatus(result), "COMMIT") == 0;
    if (!job || lane_writes(job->work->lane) || job->more) {
        PQclear(result);
        return;
    }
    keep_result(job, result);
    if (!link->failed)
        end_if_answered(link, job);
}

static void take_result(struct link *link, PGresult *result)
{
    const ExecStatusType status = PQresultStatus(result);
    if (link->answered == link->sent_count) { /* nothing was asked: the connection broke */
        PQclear(result);
        return;
    }
    const struct link_sent *sent = &link->sent[link->answered++];
    if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) {
        take_rows(link, sent, result);
        return;
    }
    if (status != PGRES_PIPELINE_ABORTED)
        fail_statement(link, sent, result);
    PQclear(result);
}

/* Takes what has arrived. False when it is all taken or the link is no more. */
static bool take_next(struct link *link, unsigned *nulls)
{
    if (link->state == LINK_IDLE || link->state == LINK_WANTED || PQisBusy(link->connection))
        return false;
    PGresult *result = PQgetResult(link->connection);
    if (!result)
        return ++*nulls < 2; /* one stands after each statement */
    *nulls = 0;
    if (PQresultStatus(result) == PGRES_PIPELINE_SYNC) {
        PQclear(result);
        end_flight(link);
    } else {
        take_result(link, result);
    }
    return true;
}

void link_event(struct link *link)
{
    unsigned nulls = 0;
    if (PQconsumeInput(link->connection) != 1) {
        link_lose(link);
        return;
    }
    while (take_next(link, &nulls)) {
    }
    if (link->state == LINK_WANTED)
        return;
    const int left = PQflush(link->connection);
    if (left < 0 || PQstatus(link->connection) == CONNECTION_BAD)
        link_lose(link);
    else
        watch(link, left > 0);
}
