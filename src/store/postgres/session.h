// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_POSTGRES_SESSION_H
#define TASKHOLD_STORE_POSTGRES_SESSION_H

#include <stdatomic.h>

#include "store/admission.h"
#include "store/postgres/keeper.h"
#include "store/postgres/link.h"
#include "store/postgres/news.h"

/* What the sessions of one store share. */
struct store {
    struct connect_options connect;
    struct store_options options; /* every default filled in */
    char *url;
    struct uuid epoch;
    atomic_uint host;          /* see connect_options */
    unsigned connections_most; /* that the sessions may have together */
    struct connector *connector;
    struct news *news;
    struct keeper *keeper;
    atomic_size_t waiting; /* operations that write and are not answered, of all sessions */
};

/* What one loop has of the store: up to `pool` connections, the jobs that wait for them, and one
 * descriptor (an epoll of its own) that is readable when any of them has something to do.
 *
 * Jobs wait for the end of the turn. Then those of a lane leave together on a connection that is
 * idle, in one flush; while all are busy they gather, and leave together later: so a busy server
 * sends few large flights instead of many small ones. One connection never writes, so that reads
 * do not wait for disks and locks. */
struct store_session *session_open(struct store *store, struct inbox *inbox);
void session_close(struct store_session **session);
void session_flush(struct store_session *session);
int session_descriptor(const struct store_session *session);
void session_ready(struct store_session *session);

/* ---- for links ---- */

/* The job is done: op->result says how. */
void session_done(struct store_session *session, struct job *job);

/* The batch of `link` failed and its transaction is no more: `link->failure` says why. */
void session_failed(struct store_session *session, struct link *link);

/* The connection of `link` is gone, with the jobs that it still has. `committing`: nobody knows
 * whether they were committed. */
void session_lost(struct store_session *session, struct link *link, bool committing);

/* ---- what it consists of: session.c has its jobs and connections, batches.c chooses which jobs
 * leave together, and on which connection ---- */

/* Jobs that wait, first in first out. */
struct queue {
    struct job *first;
    struct job **end;
    unsigned count;
    struct admission admission; /* of a lane whose jobs leave many at once */
};

#define SESSION_MAGIC 0x94a7c250u

struct store_session {
    unsigned magic; /* SESSION_MAGIC */
    struct store *store;
    struct inbox *inbox;
    struct usage_limits limits; /* of a space */
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

void batches_init(struct store_session *session);

/* Has a job a place in its queue? In that of LANE_SCAN one space cannot fill it, nor all of them
 * the memory; in the others, see admission.h. */
bool batches_may_wait(struct store_session *session, const struct job *job);

/* Connections that there are. */
unsigned batches_count_live(const struct store_session *session);

/* Does any job wait? */
bool batches_has_jobs(const struct store_session *session);

/* Gives each idle connection a batch of what waits. */
void batches_run(struct store_session *session, int64_t now_us);

#endif
