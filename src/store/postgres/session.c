// SPDX-License-Identifier: MIT
#include "store/postgres/session.h"

#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <poll.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/owner.h"

#define EVENTS_MOST   64
#define ATTEMPTS_MOST 5    /* runs of a transaction after the first */
#define PAUSE_US      4000 /* before the first of them; grows with each, and varies */
#define TICK_MS       20   /* while anything is under way */
#define CLOSE_MOST_MS 5000 /* more than that no write is waited for at the end */

static bool is_write(const struct job *job)
{
    return lane_writes(job->work->lane);
}

/* ---- for works ---- */

/* Makes it as it was before its first step, and lets it wait. */
static void queue_job(struct store_session *session, struct job *job)
{
    memset((char *)job + sizeof *job, 0, job->work->size - sizeof *job);
    job->sessions_ended = job->sessions_ended && job->uncertain;
    job->revision = 0;
    job->more = true;
    job->sent = 0;
    job->op->result = ERROR_NONE;
    queue_add(&session->queues[job->lane], job);
}

void job_start(struct store_op *op, const struct work *work, const struct uuid *space)
{
    assert(work->size >= sizeof(struct job));
    assert(op->session && op->arena && op->done);
    struct store_session *session = op->session;
    struct store *store = session->store;
    struct job *job = arena_alloc(op->arena, work->size);
    bool full = true;
    if (job) {
        job->work = work;
        job->op = op;
        job->lane = work->lane;
        job->space = space ? *space : (struct uuid){0};
        op->queued_us = clock_mono_us();
        job->deadline_us = op->queued_us + (int64_t)store->options.timeout_ms * 1000;
        full = !batches_may_wait(session, job);
        if (!full && is_write(job) &&
            atomic_fetch_add(&store->waiting, 1) >= store->options.queue_most) {
            atomic_fetch_sub(&store->waiting, 1);
            full = true;
        }
    }
    if (full) {
        if (job)
            metrics_count(METRIC_STORE_REFUSED, "queue_full");
        op->result = ERROR_OVERLOADED;
        op->done(op);
        return;
    }
    if (is_write(job)) {
        session->writes++;
        metrics_add(METRIC_STORE_QUEUE, 1);
    }
    queue_job(session, job);
}

struct usage_limits job_limits(const struct job *job)
{
    return job->op->session->limits;
}

struct zones *job_zones(const struct job *job)
{
    return job->op->session->store->options.zones;
}

struct arena *job_scratch(struct job *job, size_t most)
{
    if (job->scratch)
        arena_reset(job->scratch);
    else
        job->scratch = arena_create(most);
    return job->scratch;
}

void job_end_sessions(struct job *job, const struct uuid *user)
{
    job_send(job, SQL_SESSIONS_ENDED, NULL, SQL_UUID(user));
    job->sessions_ended = true;
    job->ended = *user;
}

/* ---- the end of a job ---- */

/* What a run of it holds besides the memory of its operation. */
static void clear_run(struct job *job)
{
    while (job->result_count > 0)
        PQclear(job->results[--job->result_count]);
    arena_destroy(&job->scratch);
}

void session_done(struct store_session *session, struct job *job)
{
    const struct store_options *options = &session->store->options;
    struct store_op *op = job->op;
    if (is_write(job)) {
        session->writes--;
        metrics_add(METRIC_STORE_QUEUE, -1);
        atomic_fetch_sub(&session->store->waiting, 1);
    }
    if (job->sessions_ended && options->sessions_ended)
        options->sessions_ended(options->context, job->ended);
    if (job->revision > 0) {
        news_add(session->store->news, job->space, job->revision);
        if (options->committed)
            options->committed(options->context, job->space, job->revision);
    }
    struct job copy = *job; /* `done` may give back the arena */
    if (!session->closing)
        op->done(op);
    clear_run(&copy);
}

static void answer(struct store_session *session, struct job *job, enum error error)
{
    job->op->result = job->uncertain ? ERROR_OUTCOME_UNKNOWN : error;
    if (job->uncertain)
        metrics_add(METRIC_STORE_UNKNOWN, 1);
    job->sessions_ended = job->sessions_ended && job->uncertain;
    job->revision = 0; /* of what may have been committed the keeper hears */
    session_done(session, job);
}

/* Lets it run once more from its start, alone and a little later, or answers it with `error`. */
static void run_again(struct store_session *session, struct job *job, enum error error)
{
    const int64_t pause_us = PAUSE_US * ((int64_t)1 << job->attempts);
    uint32_t random = 0;
    if (getrandom(&random, sizeof random, GRND_NONBLOCK) != (ssize_t)sizeof random)
        random = (uint32_t)clock_mono_us();
    const int64_t at_us = clock_mono_us() + pause_us / 2 + (int64_t)random % pause_us;
    clear_run(job);
    if (job->attempts >= ATTEMPTS_MOST || at_us >= job->deadline_us) {
        if (error == ERROR_INTERNAL_ERROR)
            log_message(LOG_ERROR, "store_failed", "PostgreSQL: a conflict that stays");
        answer(session, job, error);
        return;
    }
    metrics_add(METRIC_STORE_RETRIED, 1);
    job->attempts++;
    job->not_before_us = at_us;
    job->alone = true;
    job->lane = is_write(job) ? LANE_ALONE : job->work->lane;
    queue_job(session, job);
}

/* The one that failed is told or tried again; its neighbours run again, each alone. */
void session_failed(struct store_session *session, struct link *link)
{
    const struct translation failure = link->failure;
    const bool one = link->job_count == 1;
    for (unsigned i = 0; i < link->job_count; i++) {
        struct job *job = link->jobs[i];
        if (failure.again || (!one && job != link->culprit)) {
            run_again(session, job, failure.error);
        } else {
            clear_run(job);
            answer(session, job, failure.error);
        }
    }
}

static void want_connection(struct store_session *session, struct link *link);

void session_lost(struct store_session *session, struct link *link, bool committing)
{
    const unsigned count = link->job_count;
    link->job_count = 0;
    metrics_add(METRIC_STORE_LOST, 1);
    if (!session->closing)
        want_connection(session, link);
    for (unsigned i = 0; i < count; i++) {
        struct job *job = link->jobs[i];
        job->uncertain = job->uncertain || committing;
        if (job->uncertain && job->work->repeatable && !job->work->repeatable(job))
            answer(session, job, ERROR_OUTCOME_UNKNOWN);
        else
            run_again(session, job, ERROR_UNAVAILABLE);
    }
}

/* ---- time ---- */

/* Ends the wait of the jobs whose time is over, and the flights. */
static void expire(struct store_session *session)
{
    uint64_t times = 0;
    const int64_t now_us = clock_mono_us();
    const bool reachable = batches_count_live(session) > 0;
    session->ticking = false;
    if (read(session->timer, &times, sizeof times) != (ssize_t)sizeof times)
        return;
    for (unsigned lane = 0; lane <= LANE_ALONE; lane++) {
        struct queue *queue = &session->queues[lane];
        struct job **place = &queue->first;
        while (*place) {
            if ((*place)->deadline_us > now_us) {
                place = &(*place)->next;
                continue;
            }
            struct job *job = queue_take(queue, place);
            metrics_count(METRIC_STORE_REFUSED, "late");
            answer(session, job, reachable ? ERROR_OVERLOADED : ERROR_UNAVAILABLE);
            place = &queue->first; /* `done` may have added to the queue */
        }
    }
    for (unsigned i = 0; i < session->link_count; i++) {
        if (session->links[i].state > LINK_IDLE && session->links[i].deadline_us <= now_us)
            link_lose(&session->links[i]);
    }
}

/* ---- connections ---- */

static void on_connected(struct inbox_message *message)
{
    struct link *link = OWNER_OF(message, struct link, order.message, LINK_MAGIC);
    PGconn *connection = link->order.connection;
    link->order.connection = NULL;
    link->session->hurried = false;
    link->session->served = false;
    if (!link_open(link, connection))
        want_connection(link->session, link);
}

static void want_connection(struct store_session *session, struct link *link)
{
    link->order = (struct connector_order){.message.run = on_connected, .client = &session->client};
    connector_request(session->store->connector, &link->order, batches_count_live(session));
}

static void on_lend(struct inbox_message *message)
{
    struct store_session *session =
        OWNER_OF(message, struct store_session, client.lend, SESSION_MAGIC);
    session->lends = true; /* at the end of this turn, or when one is idle */
}

/* The last connection goes only when there is nothing to do, or after a batch: else two sessions
 * could pass one to and fro for ever. */
static void lend_one(struct store_session *session)
{
    if (batches_count_live(session) == 1 && batches_has_jobs(session) && !session->served)
        return;
    for (unsigned i = session->link_count; i-- > 0;) {
        struct link *link = &session->links[i];
        if (link->state != LINK_IDLE)
            continue;
        session->lends = false;
        PGconn *connection = link_release(link);
        connector_lend(session->store->connector, &session->client, connection,
                       batches_count_live(session));
        want_connection(session, link);
        return;
    }
}

static void give_back(struct store_session *session)
{
    if (session->epoll >= 0)
        close(session->epoll);
    if (session->timer >= 0)
        close(session->timer);
    free(session->links);
    OWNER_END(session);
    free(session);
}

struct store_session *session_open(struct store *store, struct inbox *inbox)
{
    struct store_session *session = calloc(1, sizeof *session);
    if (!session)
        return NULL;
    assert(store && inbox);
    OWNER_SET(session, SESSION_MAGIC);
    session->store = store;
    session->inbox = inbox;
    session->limits =
        usage_limits_of(store->options.user_tasks_most, store->options.user_bytes_most);
    session->epoll = epoll_create1(EPOLL_CLOEXEC);
    session->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    session->client = (struct connector_client){.inbox = inbox, .lend.run = on_lend};
    session->links = calloc(store->options.pool, sizeof *session->links);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    if (!session->links || session->epoll < 0 || session->timer < 0 ||
        epoll_ctl(session->epoll, EPOLL_CTL_ADD, session->timer, &event) != 0) {
        give_back(session);
        return NULL;
    }
    session->link_count = store->options.pool;
    batches_init(session);
    connector_join(store->connector, &session->client);
    for (unsigned i = 0; i < session->link_count; i++) {
        struct link *link = &session->links[i];
        OWNER_SET(link, LINK_MAGIC);
        link->session = session;
        link->epoll = session->epoll;
        link->prepared = store->connect.prepare;
        want_connection(session, link);
    }
    return session;
}

int session_descriptor(const struct store_session *session)
{
    return session->epoll;
}

void session_flush(struct store_session *session)
{
    const struct itimerspec next = {.it_value = {.tv_nsec = TICK_MS * 1000000L}};
    if (session->lends)
        lend_one(session);
    batches_run(session, clock_mono_us());
    bool busy = batches_has_jobs(session);
    if (!session->hurried && batches_count_live(session) == 0 && busy) {
        session->hurried = true;
        connector_hurry(session->store->connector, &session->client);
    }
    for (unsigned i = 0; i < session->link_count; i++)
        busy = busy || session->links[i].state > LINK_IDLE;
    if (busy && !session->ticking)
        session->ticking = timerfd_settime(session->timer, 0, &next, NULL) == 0;
}

void session_ready(struct store_session *session)
{
    struct epoll_event events[EVENTS_MOST];
    const int count = epoll_wait(session->epoll, events, EVENTS_MOST, 0);
    for (int i = 0; i < count; i++) {
        struct link *link = events[i].data.ptr;
        if (!link)
            expire(session);
        else if (link->connection)
            link_event(link);
    }
}

/* One that writes, while there is none. */
static void connect_now(struct store_session *session)
{
    char why[256];
    bool refused = false;
    struct link *link = &session->links[1];
    if (link->state != LINK_WANTED)
        return;
    PGconn *connection = connect_ready(&session->store->connect, &refused, why, sizeof why);
    if (connection)
        (void)link_open(link, connection);
}

void session_close(struct store_session **session)
{
    struct store_session *s = *session;
    if (!s)
        return;
    *session = NULL;
    assert(OWNER_IS(s, SESSION_MAGIC));
    s->closing = true;
    /* A connection that the connector made already is used. */
    for (unsigned i = 0; i < s->link_count; i++) {
        struct link *link = &s->links[i];
        if (link->state != LINK_WANTED)
            continue;
        connector_cancel(s->store->connector, &link->order);
        if (link->order.connection)
            (void)link_open(link, link->order.connection);
    }
    /* Writes that wait or are under way are made, as far as the database lets them. */
    const int64_t until_ms = clock_mono_ms() + CLOSE_MOST_MS;
    while (s->writes > 0 && clock_mono_ms() < until_ms) {
        connect_now(s);
        session_flush(s);
        struct pollfd ready = {s->epoll, POLLIN, 0};
        (void)poll(&ready, 1, TICK_MS);
        session_ready(s);
    }
    for (unsigned i = 0; i < s->link_count; i++) {
        struct link *link = &s->links[i];
        for (unsigned k = 0; k < link->job_count; k++)
            clear_run(link->jobs[k]);
        link_close(link);
    }
    connector_leave(s->store->connector, &s->client);
    atomic_fetch_sub(&s->store->waiting, s->writes);
    give_back(s);
}
