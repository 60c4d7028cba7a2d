// SPDX-License-Identifier: MIT
#include "store/postgres/link.h"

#include <assert.h>
#include <libpq-events.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/owner.h"
#include "store/postgres/session.h"

#define LIST_TEXT_MOST 16384

/* ---- the connection ---- */

static void on_notice(void *context, const PGresult *notice)
{
    struct link *link = OWNER_CAST(context, struct link, LINK_MAGIC);
    connect_log_notice(NULL, notice);
    const char *severity = PQresultErrorField(notice, PG_DIAG_SEVERITY_NONLOCALIZED);
    if (severity && strcmp(severity, "WARNING") == 0)
        link->warned = true;
}

static int on_event(PGEventId event, void *info, void *context)
{
    (void)context;
    if (event == PGEVT_CONNDESTROY)
        free(PQinstanceData(((PGEventConnDestroy *)info)->conn, on_event));
    return 1;
}

/* What is prepared on a connection; none yet when it is new. NULL without memory. */
static struct link_shapes *shapes_of(PGconn *connection)
{
    struct link_shapes *shapes = PQinstanceData(connection, on_event);
    if (shapes)
        return shapes;
    shapes = calloc(1, sizeof *shapes);
    if (shapes && PQregisterEventProc(connection, on_event, "shapes", NULL) == 1 &&
        PQsetInstanceData(connection, on_event, shapes) == 1)
        return shapes;
    free(shapes);
    return NULL;
}

bool link_open(struct link *link, PGconn *connection)
{
    assert(connection && link->state == LINK_WANTED && link->job_count == 0);
    link->connection = connection;
    link->shapes = shapes_of(connection);
    link->events = EPOLLIN;
    struct epoll_event event = {.events = link->events, .data.ptr = link};
    if (!link->shapes || PQsetnonblocking(connection, 1) != 0 ||
        PQenterPipelineMode(connection) != 1 ||
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

static void note_sent(struct link *link, struct job *job, job_take *take, struct link_shape *shape)
{
    assert(link->state > LINK_IDLE && link->sent_count < LINK_SENT_MOST);
    link->sent[link->sent_count++] = (struct link_sent){job, take, shape};
}

/* A statement that is prepared, or its text. Without memory, or on a connection that broke, the
 * flight cannot be whole. */
static void run_statement(struct link *link, struct job *job, const char *name, const char *text,
                          const struct params *p)
{
    const bool sent = name ? PQsendQueryPrepared(link->connection, name, p->count, p->values,
                                                 p->lengths, params_formats, 1) == 1
                           : PQsendQueryParams(link->connection, text, p->count, p->types,
                                               p->values, p->lengths, params_formats, 1) == 1;
    if (!sent)
        link_fail(link, job, translate(NULL));
}

void link_send(struct link *link, struct job *job, unsigned sql, const struct sql_value *values,
               unsigned count, job_take *take)
{
    const struct sql_text *statement = sql_text(sql);
    char name[SQL_NAME_LEN];
    struct params p;
    p.count = 0;
    assert(strlen(statement->types) == count);
    for (unsigned i = 0; i < count; i++) {
        assert(values[i].type == statement->types[i]);
        params_add(&p, &values[i]);
    }
    sql_name(sql, name);
    note_sent(link, job, take, NULL);
    run_statement(link, job, link->prepared ? name : NULL, statement->text, &p);
}

/* ---- lists ---- */

/* The place of a shape, or for it: then it has no name yet. */
static struct link_shape *place_of(struct link *link, const uint8_t shape[static SQL_SHAPE_LEN])
{
    struct link_shape *oldest = &link->shapes->list[0];
    for (unsigned i = 0; i < LINK_SHAPES_MOST; i++) {
        struct link_shape *place = &link->shapes->list[i];
        if (place->name != 0 && memcmp(place->shape, shape, SQL_SHAPE_LEN) == 0)
            return place;
        if (place->name == 0 || (oldest->name != 0 && place->used_at < oldest->used_at))
            oldest = place;
    }
    if (oldest->name != 0) {
        char text[32];
        (void)snprintf(text, sizeof text, "DEALLOCATE thl%u", oldest->name);
        note_sent(link, NULL, NULL, NULL);
        run_statement(link, NULL, NULL, text, &(struct params){0});
    }
    memcpy(oldest->shape, shape, SQL_SHAPE_LEN);
    oldest->name = 0;
    return oldest;
}

static void prepare_shape(struct link *link, struct link_shape *place, const char *text,
                          const struct params *p)
{
    char name[SQL_NAME_LEN];
    place->name = ++link->shapes->made;
    (void)snprintf(name, sizeof name, "thl%u", place->name);
    note_sent(link, NULL, NULL, place);
    if (PQsendPrepare(link->connection, name, text, p->count, p->types) != 1)
        link_fail(link, NULL, translate(NULL));
}

void link_send_list(struct link *link, struct job *job, const struct store_item_list *op,
                    job_take *take)
{
    uint8_t shape[SQL_SHAPE_LEN];
    char name[SQL_NAME_LEN];
    struct sql_value values[SQL_LIST_PARAMS_MOST];
    struct params p = {0};
    struct buffer text;
    const unsigned count = sql_list_params(op, values);
    for (unsigned i = 0; i < count; i++)
        params_add(&p, &values[i]);
    sql_list_shape(op, shape);
    struct link_shape *place = link->prepared ? place_of(link, shape) : NULL;
    buffer_init(&text, LIST_TEXT_MOST);
    if (!place || place->name == 0) {
        sql_list(&text, op);
        buffer_add_char(&text, '\0');
    }
    if (text.failed) {
        link_fail(link, job, (struct translation){.error = ERROR_OVERLOADED});
        buffer_add_char(&text, '\0');
    }
    if (place && place->name == 0)
        prepare_shape(link, place, text.failed ? "" : text.data, &p);
    if (place) {
        place->used_at = ++link->shapes->used;
        (void)snprintf(name, sizeof name, "thl%u", place->name);
    }
    note_sent(link, job, take, NULL);
    run_statement(link, job, place ? name : NULL, text.failed ? "" : text.data, &p);
    buffer_finish(&text);
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
        link_send(link, NULL, SQL_BEGIN, NULL, 0, NULL);
    if (link->round == 0 && link->jobs[0]->uncertain)
        link_send(link, NULL, SQL_BE_DURABLE, NULL, 0, NULL);
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
        link_send(link, NULL, SQL_COMMIT, NULL, 0, NULL);
    }
    return launch(link);
}

void link_begin(struct link *link, enum lane lane, unsigned count, int64_t deadline_us)
{
    assert(link->state == LINK_IDLE && count > 0 && count <= LINK_BATCH_MOST);
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

/* The COMMIT was answered: perhaps with a warning, that the server gave up waiting for its
 * standbys, or with word that there was nothing to commit. */
static void end_commit(struct link *link)
{
    if (link->warned || !link->committed) {
        link_lose(link);
        return;
    }
    metrics_observe(METRIC_STORE_COMMIT, clock_mono_us() - link->commit_us);
    metrics_observe(METRIC_STORE_BATCH, (int64_t)link->job_count);
    link->state = LINK_IDLE;
    while (link->job_count > 0)
        end_job(link, 0);
}

/* What the server still holds of the transaction is rolled back. */
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
    if (PQtransactionStatus(link->connection) == PQTRANS_IDLE)
        return;
    begin_flight(link);
    link->state = LINK_ROLLING_BACK;
    link_send(link, NULL, SQL_ROLLBACK, NULL, 0, NULL);
    if (!launch(link))
        link_lose(link);
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
    assert(job->result_count < JOB_RESULTS_MOST);
    job->results[job->result_count++] = result; /* what a read shows lives until it is answered */
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
    if (sent->shape)
        sent->shape->name = 0; /* it is not prepared */
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
