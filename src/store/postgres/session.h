// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_POSTGRES_SESSION_H
#define TASKHOLD_STORE_POSTGRES_SESSION_H

#include "store/postgres/link.h"
#include "store/usage.h"

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

/* ---- for jobs and links ---- */

/* What one user may hold. */
struct usage_limits session_limits(const struct store_session *session);

/* A new job; answers it at once when there is no room. */
void session_queue(struct store_session *session, struct job *job);

/* The job is done: op->result says how. */
void session_done(struct store_session *session, struct job *job);

/* The batch of `link` failed and its transaction is no more: `link->failure` says why. */
void session_failed(struct store_session *session, struct link *link);

/* The connection of `link` is gone, with the jobs that it still has. `committing`: nobody knows
 * whether they were committed. */
void session_lost(struct store_session *session, struct link *link, bool committing);

#endif
