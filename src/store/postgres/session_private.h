// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_POSTGRES_SESSION_PRIVATE_H
#define TASKHOLD_STORE_POSTGRES_SESSION_PRIVATE_H

#include "store/postgres/connector.h"
#include "store/postgres/session.h"

/* What a session consists of: session.c has its jobs and connections, batches.c chooses which jobs
 * leave together, and on which connection. */

/* Jobs that wait, first in first out. */
struct queue {
    struct job *first;
    struct job **end;
    unsigned count;
};

struct store_session {
    struct store *store;
    struct inbox *inbox;
    int epoll;
    int timer;
    bool ticking;
    bool closing; /* nobody is answered any more */
    bool hurried; /* the connector knows that there is work and no connection */
    bool lends;   /* another session needs a connection of ours */
    bool served;  /* a batch has run since the last connection came */
    struct connector_client client;
    unsigned writes; /* of this session that are not done */
    struct queue queues[LANE_ALONE + 1];
    unsigned first_lane; /* counts; see run_writes */
    unsigned turn;       /* counts; of the connection that is alone */
    unsigned link_count;
    struct link *links; /* the first one never writes */
};

static inline void queue_init(struct queue *queue)
{
    *queue = (struct queue){.end = &queue->first};
}

static inline void queue_add(struct queue *queue, struct job *job)
{
    job->next = NULL;
    *queue->end = job;
    queue->end = &job->next;
    queue->count++;
}

/* Takes out the job that `*place` points to. */
static inline struct job *queue_take(struct queue *queue, struct job **place)
{
    struct job *job = *place;
    *place = job->next;
    if (queue->end == &job->next)
        queue->end = place;
    queue->count--;
    return job;
}

/* ---- batches.c ---- */

/* Has a job of LANE_SCAN a place in its queue? One user cannot fill it, nor all of them the
 * memory. */
bool batches_may_wait(const struct store_session *session, const struct job *job);

/* Connections that there are. */
unsigned batches_count_live(const struct store_session *session);

/* Does any job wait? */
bool batches_has_jobs(const struct store_session *session);

/* Gives each idle connection a batch of what waits. */
void batches_run(struct store_session *session, int64_t now_us);

#endif
