// SPDX-License-Identifier: MIT
#include <limits.h>
#include <string.h>

#include "store/postgres/session.h"

#define CHANGES_FEW    8 /* where fewer leave together the others wait for one another, not for us */
#define READS_LEAST    8   /* a flight of reads is not made smaller to fill another connection */
#define LOOK_MOST      512 /* waiting jobs looked at for one flight */
#define ALL_SHARE      2   /* long reads take a half of the connections at most, */
#define SPACE_SHARE    4   /* those of one space a quarter */
#define SCANS_WAITING  256
#define SCANS_OF_SPACE 32

/* Any number may wait while there is no overload: those that write are bounded for all sessions
 * together, those that read by the requests that a loop takes. */
void batches_init(struct store_session *session)
{
    for (unsigned lane = 0; lane <= LANE_ALONE; lane++) {
        struct queue *queue = &session->queues[lane];
        *queue = (struct queue){.end = &queue->first};
        admission_init(&queue->admission, LINK_BATCH_MOST * session->link_count, UINT_MAX);
    }
}

static bool is_batched(enum lane lane)
{
    return lane == LANE_READ || lane == LANE_CREATE || lane == LANE_CHANGE;
}

bool batches_may_wait(struct store_session *session, const struct job *job)
{
    struct queue *queue = &session->queues[job->lane];
    unsigned same = 0;
    if (job->lane != LANE_SCAN)
        return !is_batched(job->lane) || admission_asks(&queue->admission, queue->count);
    for (const struct job *other = queue->first; other; other = other->next)
        same += uuid_eq(other->space, job->space);
    return queue->count < SCANS_WAITING && same < SCANS_OF_SPACE;
}

static bool is_space_busy(const struct store_session *session, const struct uuid *space)
{
    for (unsigned i = 0; i < session->link_count; i++) {
        const struct link *link = &session->links[i];
        const bool locks = lane_writes(link->lane);
        for (unsigned k = 0; locks && k < link->job_count; k++) {
            if (uuid_eq(link->jobs[k]->space, *space))
                return true;
        }
    }
    return false;
}

/* Puts the job after those of spaces with smaller ids, so that all transactions take their locks in
 * one order; and keeps the order of one space's. */
static void insert_by_space(struct link *link, unsigned count, struct job *job)
{
    unsigned place = count;
    while (place > 0 && memcmp(link->jobs[place - 1]->space.bytes, job->space.bytes,
                               sizeof job->space.bytes) > 0) {
        link->jobs[place] = link->jobs[place - 1];
        place--;
    }
    link->jobs[place] = job;
}

unsigned batches_count_live(const struct store_session *session)
{
    unsigned live = 0;
    for (unsigned i = 0; i < session->link_count; i++)
        live += session->links[i].state != LINK_WANTED;
    return live;
}

/* Connections on which a read runs that may take long; of `space`, or of all (NULL). */
static unsigned count_scans(const struct store_session *session, const struct uuid *space)
{
    unsigned count = 0;
    for (unsigned i = 0; i < session->link_count; i++) {
        const struct link *link = &session->links[i];
        count += link->lane == LANE_SCAN && link->job_count > 0 &&
                 (!space || uuid_eq(link->jobs[0]->space, *space));
    }
    return count;
}

static unsigned scans_most(const struct store_session *session, unsigned share)
{
    const unsigned live = batches_count_live(session);
    return live > share ? live / share : 1;
}

/* One connection at a time for what changes one space: were its row locked by somebody else, more
 * would only wait beside it, and nobody else could write. */
static bool may_join(const struct store_session *session, const struct link *link, enum lane lane,
                     unsigned count, const struct job *job, int64_t now_us)
{
    static const struct uuid nobody;
    if (job->not_before_us > now_us)
        return false;
    if (count > 0 && (job->alone || link->jobs[0]->alone))
        return false;
    if (lane == LANE_SCAN)
        return count_scans(session, &job->space) < scans_most(session, SPACE_SHARE);
    if (lane == LANE_READ || (lane == LANE_ALONE && uuid_eq(job->space, nobody)))
        return true;
    for (unsigned i = 0; lane == LANE_CHANGE && i < count; i++) {
        if (uuid_eq(link->jobs[i]->space, job->space))
            return false;
    }
    return !is_space_busy(session, &job->space);
}

/* Begins a batch of up to `most` jobs of the lane. False: there are none for the link. */
static bool run_lane(struct store_session *session, struct link *link, enum lane lane,
                     unsigned most, int64_t now_us)
{
    struct queue *queue = &session->queues[lane];
    struct job **place = &queue->first;
    unsigned count = 0;
    int64_t newest_us = 0;
    for (unsigned seen = 0; *place && count < most && seen < LOOK_MOST; seen++) {
        if (!may_join(session, link, lane, count, *place, now_us)) {
            place = &(*place)->next;
            continue;
        }
        struct job *job = queue_take(queue, place);
        newest_us = job->op->queued_us > newest_us ? job->op->queued_us : newest_us;
        if (lane == LANE_CREATE || lane == LANE_CHANGE)
            insert_by_space(link, count, job);
        else
            link->jobs[count] = job;
        count++;
    }
    if (count == 0)
        return false;
    session->served = true;
    if (is_batched(lane)) {
        link->begun_us = now_us;
        link->begun = (struct admission_batch){.count = count, .waited_us = now_us - newest_us};
        if (queue->count == 0 || (lane == LANE_CHANGE && count < CHANGES_FEW))
            admission_idle(&queue->admission);
    }
    link_begin(link, lane, count, now_us + (int64_t)session->store->options.timeout_ms * 1000);
    return true;
}

bool batches_has_jobs(const struct store_session *session)
{
    bool any = false;
    for (unsigned lane = 0; lane <= LANE_ALONE; lane++)
        any = any || session->queues[lane].first;
    return any;
}

/* The lanes take turns to be the first, so that none waits for ever for another. */
static bool run_writes(struct store_session *session, struct link *link, int64_t now_us)
{
    static const enum lane lanes[] = {LANE_ALONE, LANE_CHANGE, LANE_CREATE};
    const unsigned first = session->first_lane++;
    for (unsigned i = 0; i < 3; i++) {
        const enum lane lane = lanes[(first + i) % 3];
        const unsigned most = lane == LANE_ALONE ? 1 : LINK_BATCH_MOST;
        if (run_lane(session, link, lane, most, now_us))
            return true;
    }
    return false;
}

/* Not on the connection that never writes, or short reads would wait; of two it is that one, or
 * writes would. Without it, on any. */
static bool run_scan(struct store_session *session, struct link *link, int64_t now_us)
{
    const unsigned live = batches_count_live(session);
    const struct link *kept = &session->links[0];
    const bool may = count_scans(session, NULL) < scans_most(session, ALL_SHARE) &&
                     (live < 2 || kept->state == LINK_WANTED || (link == kept) == (live == 2));
    return may && run_lane(session, link, LANE_SCAN, 1, now_us);
}

/* One connection is kept for reads while there are others. The only one takes short reads, writes
 * and long reads in turn. */
static void run_batch(struct store_session *session, struct link *link, unsigned reads,
                      int64_t now_us)
{
    const bool kept = link == &session->links[0];
    bool begun = false;
    if (batches_count_live(session) > 1) {
        if (!run_scan(session, link, now_us) && (kept || !run_writes(session, link, now_us)))
            (void)run_lane(session, link, LANE_READ, reads, now_us);
        return;
    }
    for (unsigned i = 0; i < 3 && !begun; i++) {
        const unsigned turn = session->turn++ % 3;
        if (turn == 0)
            begun = run_lane(session, link, LANE_READ, reads, now_us);
        else if (turn == 1)
            begun = run_writes(session, link, now_us);
        else
            begun = run_scan(session, link, now_us);
    }
}

/* The batch of an idle connection has ended, or the connection was lost with it. */
static void note_end(struct store_session *session, struct link *link, int64_t now_us)
{
    struct admission_batch ended = link->begun;
    link->begun.count = 0;
    if (ended.count == 0 || link->state == LINK_WANTED)
        return;
    ended.fixed_us = now_us - link->begun_us;
    ended.ran_us = ended.fixed_us / batches_count_live(session);
    admission_note(&session->queues[link->lane].admission, now_us, &ended);
}

void batches_run(struct store_session *session, int64_t now_us)
{
    unsigned idle = 0;
    for (unsigned i = 0; i < session->link_count; i++) {
        struct link *link = &session->links[i];
        idle += link->state == LINK_IDLE;
        if (link->state <= LINK_IDLE)
            note_end(session, link, now_us);
    }
    for (unsigned i = 0; i < session->link_count && idle > 0; i++) {
        struct link *link = &session->links[i];
        if (link->state != LINK_IDLE)
            continue;
        /* Reads that wait are shared out among the connections that are idle. */
        unsigned reads = (session->queues[LANE_READ].count + idle - 1) / idle;
        if (reads < READS_LEAST)
            reads = READS_LEAST;
        run_batch(session, link, reads < LINK_BATCH_MOST ? reads : LINK_BATCH_MOST, now_us);
        idle--;
    }
}
