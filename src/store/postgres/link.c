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
#include "base/point.h"
#include "store/postgres/session.h"

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

bool link_open(struct link *link, PGconn *connection)
{
    assert(connection && link->state == LINK_WANTED && link->job_count == 0);
    link->connection = connection;
    link->shapes = PQinstanceData(connection, on_event); /* NULL when it is new */
    link->pooled = !link->prepared || connect_is_pooled(connection);
    link->events = EPOLLIN;
    if (!link->shapes) {
        struct link_shapes *shapes = calloc(1, sizeof *shapes);
        if (shapes && PQregisterEventProc(connection, on_event, "shapes", NULL) == 1 &&
            PQsetInstanceData(connection, on_event, shapes) == 1)
            link->shapes = shapes;
        else
            free(shapes);
    }
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

/* The batch cannot be committed because of `job` (NULL: of the transaction); the first failure
 * counts. */
static void fail_batch(struct link *link, struct job *job, struct translation failure)
{
    if (link->failed)
        return;
    link->failed = true;
    link->culprit = job;
    link->failure = failure;
}

void job_fail(struct job *job, enum error error)
{
    assert(job->link && error != ERROR_NONE);
    fail_batch(job->link, job, (struct translation){.error = error});
}

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
        fail_batch(link, job, translate(NULL));
}

/* Of a job, or of the transaction (NULL). */
static void send_statement(struct link *link, struct job *job, unsigned sql,
                           const struct sql_value *values, unsigned count, job_take *take)
{
    const struct sql_text *statement = sql_text(sql);
    char name[SQL_NAME_LEN];
    struct params p;
    assert(strlen(statement->types) == count);
    for (unsigned i = 0; i < count; i++)
        assert(values[i].type == statement->types[i]);
    params_init(&p, values, count);
    sql_name(sql, name);
    note_sent(link, job, take, NULL);
    run_statement(link, job, link->prepared ? name : NULL, statement->text, &p);
}

/* Those after it in the round keep what each may send, and the transaction its own. */
unsigned job_room(const struct job *job)
{
    const struct link *link = job->link;
    unsigned place = 0;
    while (link->jobs[place] != job)
        place++;
    const unsigned kept = (link->job_count - place - 1) * JOB_STATEMENTS_MOST + LINK_SENT_OWN;
    return link->sent_count + kept < LINK_SENT_MOST ? LINK_SENT_MOST - kept - link->sent_count : 0;
}

void job_send_values(struct job *job, unsigned sql, const struct sql_value *values, unsigned count,
                     job_take *take)
{
    assert(job->link && job->more);
    assert(job->sent < JOB_STATEMENTS_MOST || job_room(job) > 0);
    job->sent++;
    send_statement(job->link, job, sql, values, count, take);
}

void job_send_text(struct job *job, struct buffer *text, const struct sql_value *values,
                   unsigned count, job_take *take)
{
    struct params p;
    assert(job->link && job->more && job->sent < JOB_STATEMENTS_MOST);
    buffer_add_char(text, '\0');
    if (text->failed)
        job_fail(job, ERROR_OVERLOADED);
    job->sent++;
    params_init(&p, values, count);
    note_sent(job->link, job, take, NULL);
    run_statement(job->link, job, NULL, text->failed ? "" : text->data, &p);
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

/* Its text is prepared before the first of its shape. */
void job_send_list(struct job *job, const struct store_item_list *op, job_take *take)
{
    struct link *link = job->link;
    uint8_t shape[SQL_SHAPE_LEN];
    char name[SQL_NAME_LEN];
    struct sql_value values[SQL_LIST_PARAMS_MOST];
    struct params p;
    struct buffer text;
    assert(link && job->more && job->sent < JOB_STATEMENTS_MOST);
    const unsigned count = sql_list_params(op, values);
    if (count == 0) {
        job_fail(job, ERROR_OVERLOADED);
        return;
    }
    job->sent++;
    params_init(&p, values, count);
    sql_list_shape(op, shape);
    struct link_shape *place = link->prepared ? place_of(link, shape) : NULL;
    const bool is_new = !place || place->name == 0;
    buffer_init(&text, LINK_TEXT_MOST);
    if (is_new) {
        sql_list(&text, op);
        buffer_add_char(&text, '\0');
    }
    if (text.failed)
        job_fail(job, ERROR_OVERLOADED);
    if (place) {
        place->name = is_new ? ++link->shapes->made : place->name;
        place->used_at = ++link->shapes->used;
        (void)snprintf(name, sizeof name, "thl%u", place->name);
    }
    if (place && is_new) {
        note_sent(link, NULL, NULL, place);
        if (PQsendPrepare(link->connection, name, text.failed ? "" : text.data, p.count, p.types) !=
            1)
            fail_batch(link, NULL, translate(NULL));
    }
    note_sent(link, job, take, NULL);
    run_statement(link, job, place ? name : NULL, text.failed ? "" : text.data, &p);
    buffer_finish(&text);
}

/* ---- rounds ---- */

/* Ends a flight; false when the connection was lost over it. */
static bool launch(struct link *link)
{
    const int left = PQpipelineSync(link->connection) == 1 ? PQflush(link->connection) : -1;
    if (link->state == LINK_COMMITTING)
        POINT(POSTGRES_COMMIT_SENT);
    if (left >= 0)
        watch(link, left > 0);
    return left >= 0 && !(link->failed && link->failure.discard);
}

static void begin_flight(struct link *link)
{
    link->sent_count = 0;
    link->answered = 0;
}

/* Takes the job out of the batch and ends it. */
static void end_job(struct link *link, unsigned place)
{
    struct job *job = link->jobs[place];
    link->jobs[place] = link->jobs[--link->job_count];
    session_done(link->session, job);
}

/* Sends the next round of all jobs, and the COMMIT when it is the last. */
static bool send_round(struct link *link)
{
    const bool writes = lane_writes(link->lane);
    bool more = false;
    begin_flight(link);
    if (link->round == 0 && writes)
        send_statement(link, NULL, SQL_BEGIN, NULL, 0, NULL);
    const bool uncertain = link->round == 0 && link->jobs[0]->uncertain;
    if ((!writes && link->pooled) || uncertain)
        send_statement(link, NULL, SQL_BE_PRIMARY, NULL, 0, NULL);
    if (uncertain)
        send_statement(link, NULL, SQL_BE_DURABLE, NULL, 0, NULL);
    for (unsigned i = 0; i < link->job_count; i++) {
        struct job *job = link->jobs[i];
        if (!job->more)
            continue;
        POINT(POSTGRES_BETWEEN_OPERATIONS);
        job->sent = 0;
        job->more = job->work->step(job, link->round);
        more = more || job->more;
    }
    link->round++;
    /* A job that reads is done when its last round asks for nothing. */
    for (unsigned place = link->job_count; !writes && place-- > 0;) {
        if (!link->jobs[place]->more && link->jobs[place]->sent == 0)
            end_job(link, place);
    }
    if (link->job_count == 0 && link->sent_count == 0) {
        link->state = LINK_IDLE;
        return true;
    }
    if (!more && writes && !link->failed) {
        POINT(POSTGRES_BEFORE_COMMIT);
        link->warned = false;
        link->commit_us = clock_mono_us();
        link->state = LINK_COMMITTING;
        send_statement(link, NULL, SQL_COMMIT, NULL, 0, NULL);
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
    if (lane_writes(lane))
        POINT(POSTGRES_BEFORE_BEGIN);
    if (!send_round(link))
        link_lose(link);
}

/* ---- a batch ends ---- */

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
    send_statement(link, NULL, SQL_ROLLBACK, NULL, 0, NULL);
    if (!launch(link))
        link_lose(link);
}

/* Every statement of the flight was answered. The COMMIT perhaps with a warning, that the server
 * gave up waiting for its standbys, or with word that there was nothing to commit. */
static void end_flight(struct link *link)
{
    if (link->failed) {
        end_failed(link);
    } else if (link->state == LINK_COMMITTING) {
        if (link->warned || !link->committed) {
            link_lose(link);
            return;
        }
        POINT(POSTGRES_AFTER_COMMIT);
        metrics_observe(METRIC_STORE_COMMIT, clock_mono_us() - link->commit_us);
        metrics_observe(METRIC_STORE_BATCH, (int64_t)link->job_count);
        link->state = LINK_IDLE;
        while (link->job_count > 0)
            end_job(link, 0);
    } else if (link->state == LINK_ROLLING_BACK || link->job_count == 0) {
        link->state = LINK_IDLE;
    } else {
        POINT(POSTGRES_BETWEEN_ROUNDS);
        if (!send_round(link))
            link_lose(link);
    }
}

/* ---- receiving ---- */

static bool is_commit(const struct link *link, const struct link_sent *sent)
{
    return link->state == LINK_COMMITTING && sent == &link->sent[link->sent_count - 1];
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
    if (link->failed || job->sent > 0)
        return;
    unsigned place = 0;
    while (link->jobs[place] != job)
        place++;
    end_job(link, place);
}

/* Whether an error of a statement before the COMMIT shows that the COMMIT was not carried out. A
 * pooler that lost its server says so in the server's place, and of the first statement that is not
 * answered, though all may have been done: so there only the codes that no pooler makes up count.
 */
static bool shows_undone(const struct link *link, const char *code)
{
    if (link->pooled)
        return strcmp(code, "25006") == 0 || strcmp(code, "26000") == 0 ||
               strcmp(code, "0A000") == 0;
    return strncmp(code, "08", 2) != 0;
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
    if (status != PGRES_PIPELINE_ABORTED) {
        const char *code = PQresultErrorField(result, PG_DIAG_SQLSTATE);
        const struct translation failure = translate(code);
        if (failure.error == ERROR_INTERNAL_ERROR && !failure.again)
            log_message(LOG_ERROR, "store_failed", "PostgreSQL: %s: %s", code ? code : "-",
                        PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY));
        /* When the server ends a connection over an earlier statement, the COMMIT was not carried
         * out. Without a code it is libpq that found the connection broken, and knows nothing of
         * that. */
        if (code && failure.discard && link->state == LINK_COMMITTING && !is_commit(link, sent) &&
            shows_undone(link, code))
            link->state = LINK_ROUND;
        fail_batch(link, sent->job, failure);
    }
    PQclear(result);
}

void link_event(struct link *link)
{
    unsigned nulls = 0;
    if (PQconsumeInput(link->connection) != 1) {
        link_lose(link);
        return;
    }
    /* A NULL stands after each statement; after two, all that has arrived is taken. */
    while (nulls < 2 && link->state > LINK_IDLE && !PQisBusy(link->connection)) {
        PGresult *result = PQgetResult(link->connection);
        nulls = result ? 0 : nulls + 1;
        if (PQresultStatus(result) == PGRES_PIPELINE_SYNC) {
            PQclear(result);
            end_flight(link);
        } else if (result) {
            take_result(link, result);
        }
    }
    if (link->state == LINK_WANTED)
        return;
    const int left = PQflush(link->connection);
    if (left < 0 || PQstatus(link->connection) == CONNECTION_BAD)
        link_lose(link);
    else
        watch(link, left > 0);
}
