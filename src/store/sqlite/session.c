// SPDX-License-Identifier: MIT
#include "store/sqlite/session.h"

#include <assert.h>
#include <sched.h>
#include <stdlib.h>

#include "base/clock.h"
#include "store/sqlite/database.h"

#define READ_MOST_US    1000000
#define READ_YIELDS_US  50000 /* a read that took so long gives way no more, or it might starve */
#define TICK_OPERATIONS 20000 /* of SQLite's virtual machine, about 1 ms */
#define TICK_OF_READER  1000

/* Ends a read that takes too long: it would keep the WAL from being reused. The clock is read only
 * by reads that last one tick. A reader gives way to loops that have been woken meanwhile: its low
 * priority alone lets them wait for its slice of some milliseconds. */
static int on_tick(void *context)
{
    struct store_session *session = context;
    int64_t now = clock_mono_us();
    if (session->ticks++ == 0)
        session->deadline_us = now + READ_MOST_US;
    if (!session->inbox && now < session->deadline_us - READ_MOST_US + READ_YIELDS_US)
        (void)sched_yield();
    return now > session->deadline_us;
}

struct store_session *session_create(struct writer *writer, struct readers *readers,
                                     const struct sql_texts *texts, const char *path,
                                     struct inbox *inbox)
{
    struct store_session *session = calloc(1, sizeof *session);
    size_t largest = sizeof(struct item);
    assert(writer && path && !readers == !inbox);
    if (!session)
        return NULL;
    session->writer = writer;
    session->commits = writer_commits(writer);
    session->readers = readers;
    session->inbox = inbox;
    session->outgoing_end = &session->outgoing;
    for (unsigned i = 0; i < resource_count; i++)
        largest = resources[i]->size > largest ? resources[i]->size : largest;
    session->row = calloc(1, largest);
    session->db = database_open_reader(path, NULL, 0);
    if (!session->row || !session->db ||
        !statements_init(&session->statements, session->db, texts->list, texts->count)) {
        session_destroy(&session);
        return NULL;
    }
    sqlite3_progress_handler(session->db, inbox ? TICK_OPERATIONS : TICK_OF_READER, on_tick,
                             session);
    return session;
}

static bool in_snapshot(const struct store_session *session)
{
    return sqlite3_get_autocommit(session->db) == 0;
}

/* Without memory it may stay in it; then the next one tries again. */
static int leave_snapshot(struct store_session *session)
{
    return in_snapshot(session) ? query_run_plain(&session->statements, SQL_COMMIT) : SQLITE_OK;
}

int session_snapshot(struct store_session *session)
{
    const uint64_t commits = atomic_load_explicit(session->commits, memory_order_acquire);
    int rc = SQLITE_OK;
    session->ticks = 0;
    if (!in_snapshot(session) || session->seen != commits) {
        rc = leave_snapshot(session);
        if (rc == SQLITE_OK)
            rc = query_run_plain(&session->statements, SQL_BEGIN_READ);
        if (rc == SQLITE_OK)
            session->seen = commits;
        session->snapshots++;
    }
    session->snapshot_rc = rc;
    return rc;
}

static size_t place_of(const struct uuid *space)
{
    return space->bytes[sizeof space->bytes - 1] % SESSION_REVISIONS;
}

int64_t session_recall(const struct store_session *session, const struct uuid *space)
{
    const size_t place = place_of(space);
    const uint64_t commits = atomic_load_explicit(session->commits, memory_order_acquire);
    const bool known = session->seen == commits &&
                       session->revisions[place].snapshot == session->snapshots &&
                       uuid_eq(session->revisions[place].space, *space);
    return known ? session->revisions[place].revision : 0;
}

void session_remember(struct store_session *session, const struct uuid *space, int64_t revision)
{
    const size_t place = place_of(space);
    assert(revision > 0 && in_snapshot(session));
    session->revisions[place].space = *space;
    session->revisions[place].revision = revision;
    session->revisions[place].snapshot = session->snapshots;
}

void session_read_done(struct store_session *session, struct store_op *op, int rc, bool found)
{
    assert(op->session == session && op->done);
    if (rc == SQLITE_OK) {
        op->result = found ? ERROR_NONE : ERROR_NOT_FOUND;
    } else {
        op->result = database_result(rc);
        (void)leave_snapshot(session);
        if (database_is_corrupt(rc))
            writer_stop_writes(session->writer, rc);
    }
    op->done(op);
}

void session_write(struct store_op *op, const struct writer_work *work)
{
    struct store_session *session = op->session;
    assert(session->inbox && work->run && op->arena && op->done);
    const bool writable = writer_writable(session->writer);
    if (!writable || !writer_admit(session->writer, work)) {
        op->result = writable ? ERROR_OVERLOADED : ERROR_UNAVAILABLE;
        op->done(op);
        return;
    }
    op->work = work;
    op->large = work->large;
    op->next = NULL;
    op->queued_us = clock_mono_us();
    *session->outgoing_end = op;
    session->outgoing_end = &op->next;
    session->outgoing_count++;
}

void session_turn_end(struct store_session *session)
{
    assert(session->writer);
    (void)leave_snapshot(session);
    if (!session->outgoing)
        return;
    struct store_op *first = session->outgoing;
    unsigned count = session->outgoing_count;
    session->outgoing = NULL;
    session->outgoing_end = &session->outgoing;
    session->outgoing_count = 0;
    writer_send(session->writer, session, first, count);
}

void session_destroy(struct store_session **session)
{
    struct store_session *s = *session;
    if (!s)
        return;
    *session = NULL;
    if (s->db) {
        session_turn_end(s);
        writer_wait(s->writer, s);
        if (s->readers)
            readers_forget(s->readers, s);
    }
    statements_finish(&s->statements);
    list_statements_finish(&s->lists);
    database_close(&s->db);
    free(s->row);
    free(s);
}
