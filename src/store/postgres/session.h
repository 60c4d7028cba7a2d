#ifndef TASKHOLD_STORE_POSTGRES_SESSION_H
#define TASKHOLD_STORE_POSTGRES_SESSION_H

#include "store/postgres/job.h"

/* What one loop has of the store: up to `pool` connections, the jobs that wait for them, and one
 * descriptor (an epoll of its own) that is readable when any of them has something to do.
 *
 * Jobs wait for the end of the turn. Then those of a lane leave together on a connection that is
 * idle, in one flush; while all are busy they gather, and leave together later: so a busy server
 * sends few large flights instead of many small ones. One connection never writes, so that reads
 * do not wait for disks and locks. */
struct store_session *session_create(struct store *store, struct inbox *inbox);
void session_destroy(struct store_session **session);
void session_turn_end(struct store_session *session);
int session_descriptor(const struct store_session *session);
void session_ready(struct store_session *session);

#endif
