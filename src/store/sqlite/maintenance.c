// SPDX-License-Identifier: MIT
#include "store/sqlite/maintenance.h"

#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/point.h"
#include "store/retention.h"
#include "store/sqlite/database.h"
#include "store/sqlite/sql.h"
#include "store/sqlite/trash_rows.h"

/* At so many pages the writer waits for the readers, so that the WAL is begun anew. A reader that
 * did not end in that time is a long one, a backup say: the next wait is at twice as many pages, or
 * writes would stand still for most of it. */
#ifndef MAINTENANCE_MOST_PAGES /* a test has fewer */
#define MAINTENANCE_MOST_PAGES 16384
#endif
#define WAIT_MS      200
#define WAIT_STEP_NS 50000
#define BUSY_MS      5000

void maintenance_init(struct maintenance *m, struct statements *statements, int64_t keep_seconds)
{
    const int64_t now = clock_mono_ms();
    *m = (struct maintenance){
        .statements = statements,
        .keep_ms = retention_keep_ms(keep_seconds),
        .purge_at_ms = now,
        .journal_at_ms = now,
        .leftovers = true,
    };
}

static int checkpoint(struct maintenance *m, int mode)
{
    int pages = 0;
    int moved = 0;
    const int64_t begun_us = clock_mono_us();
    POINT(SQLITE_BEFORE_CHECKPOINT);
    POINT_CHECKPOINTS(true);
    int rc = database_code(m->statements->db,
                           sqlite3_wal_checkpoint_v2(m->statements->db, NULL, mode, &pages, &moved),
                           true);
    POINT_CHECKPOINTS(false);
    POINT(SQLITE_AFTER_CHECKPOINT);
    metrics_observe(METRIC_STORE_CHECKPOINT, clock_mono_us() - begun_us);
    m->tried_pages = m->wal_pages;
    return (rc & 0xff) == SQLITE_BUSY ? SQLITE_OK : rc;
}

/* SQLite's own waits grow from 1 to 100 ms, and at the end of each of them a loop that has much to
 * do reads again: between its turns it does not, but only for a moment. */
static int wait_for_readers(void *until_us, int tries)
{
    const struct timespec step = {.tv_nsec = WAIT_STEP_NS};
    (void)tries;
    (void)clock_nanosleep(CLOCK_MONOTONIC, 0, &step, NULL);
    return clock_mono_us() < *(const int64_t *)until_us;
}

int maintenance_checkpoint(struct maintenance *m)
{
    if (m->wal_pages < m->tried_pages)
        m->tried_pages = m->waited_pages = 0; /* it was begun anew */
    if (m->wal_pages - m->tried_pages < POINT_PAGES(MAINTENANCE_STEP_PAGES))
        return SQLITE_OK;
    if (m->wal_pages < MAINTENANCE_MOST_PAGES || m->wal_pages / 2 < m->waited_pages)
        return checkpoint(m, SQLITE_CHECKPOINT_PASSIVE);
    if (m->wal_pages >= 2 * MAINTENANCE_MOST_PAGES)
        log_message(LOG_WARN, "wal_large", "the WAL has %d pages: a reader holds it", m->wal_pages);
    m->waited_pages = m->wal_pages;
    int64_t until_us = clock_mono_us() + (int64_t)WAIT_MS * 1000;
    (void)sqlite3_busy_handler(m->statements->db, wait_for_readers, &until_us);
    int rc = checkpoint(m, SQLITE_CHECKPOINT_RESTART);
    (void)sqlite3_busy_timeout(m->statements->db, BUSY_MS);
    return rc;
}

int maintenance_checkpoint_all(struct maintenance *m)
{
    return checkpoint(m, SQLITE_CHECKPOINT_TRUNCATE);
}

/* ---- purging ---- */

#define JOURNAL_SPACES 64 /* whose journals one step looks at */

static int in_transaction(struct maintenance *m, int (*run)(struct maintenance *m, bool *more),
                          bool *more)
{
    int rc = query_run_plain(m->statements, SQL_BEGIN_WRITE);
    *more = false;
    if (rc == SQLITE_OK)
        rc = run(m, more);
    POINT(SQLITE_PURGE);
    if (rc == SQLITE_OK)
        rc = query_run_plain(m->statements, SQL_COMMIT);
    if (rc != SQLITE_OK && sqlite3_get_autocommit(m->statements->db) == 0)
        (void)query_run_plain(m->statements, SQL_ROLLBACK);
    return rc;
}

/* A step forward of the clock is not believed: it would delete what is still wanted. */
static int64_t sure_ms(void)
{
    const int64_t wall = clock_wall_ms();
    const int64_t steady = clock_steady_ms();
    return wall < steady ? wall : steady;
}

/* The account that was deleted first: rows of its space, and when none are left, itself. Without
 * one, what is left of a trash that was emptied. */
static int remove_leftovers(struct maintenance *m, bool *more)
{
    struct uuid user = {{0}};
    int64_t room = RETENTION_PURGE_ROWS;
    struct query q = query_begin(m->statements, SQL_DELETED_NEXT);
    *more = query_row(&q);
    if (*more)
        user = query_take_uuid(&q);
    int rc = query_end(&q);
    if (!*more)
        return rc == SQLITE_OK
                   ? trash_rows_remove_emptied(m->statements, RETENTION_PURGE_ROWS, more)
                   : rc;
    static const unsigned others[] = {SQL_DELETED_TRASH, SQL_DELETED_JOURNAL, SQL_DELETED_KEYS};
    const unsigned count = resource_count + sizeof others / sizeof others[0];
    for (unsigned i = 0; i < count && room > 0 && rc == SQLITE_OK; i++) {
        const unsigned sql = i < resource_count ? SQL_OF_ITEM(resources[i], SQL_ITEM_REMOVE_SOME)
                                                : others[i - resource_count];
        rc = QUERY_RUN(m->statements, sql, SQL_UUID(&user), SQL_I64(room));
        room -= rc == SQLITE_OK ? sqlite3_changes(m->statements->db) : 0;
    }
    if (rc == SQLITE_OK && room > 0)
        rc = QUERY_RUN(m->statements, SQL_DELETED_USER, SQL_UUID(&user));
    return rc;
}

/* What the deleted rows of one space took. */
struct given_back {
    struct uuid space;
    int64_t bytes;
};

/* Deletes some rows of what expired before `before`, and takes those that tell their space and
 * bytes out of its usage. */
static int purge_rows(struct maintenance *m, enum sql sql, int64_t before, bool *more)
{
    struct given_back spaces[RETENTION_PURGE_ROWS];
    unsigned count = 0;
    struct query q = QUERY(m->statements, sql, SQL_I64(before), SQL_I64(RETENTION_PURGE_ROWS));
    while (query_row(&q)) {
        const struct uuid space = query_take_uuid(&q);
        unsigned i = 0;
        while (i < count && !uuid_eq(spaces[i].space, space))
            i++;
        if (i == count)
            spaces[count++] = (struct given_back){.space = space};
        spaces[i].bytes += query_take_i64(&q);
    }
    int rc = query_end(&q);
    *more |= rc == SQLITE_OK && sqlite3_changes(m->statements->db) == RETENTION_PURGE_ROWS;
    for (unsigned i = 0; i < count && rc == SQLITE_OK; i++)
        rc = QUERY_RUN(m->statements, SQL_SPACE_ADD_BYTES, SQL_UUID(&spaces[i].space),
                       SQL_I64(-spaces[i].bytes));
    return rc;
}

static int purge_expired(struct maintenance *m, bool *more)
{
    const int64_t now = sure_ms();
    int rc = purge_rows(m, SQL_PURGE_KEYS, now - RETENTION_KEY_MS, more);
    if (rc == SQLITE_OK)
        rc = purge_rows(m, SQL_PURGE_SESSIONS, now, more);
    if (rc == SQLITE_OK)
        rc = purge_rows(m, SQL_PURGE_SCRIPT_TOKENS, now, more);
    if (rc == SQLITE_OK)
        rc = purge_rows(m, SQL_PURGE_INVITATIONS, now, more);
    return rc == SQLITE_OK ? purge_rows(m, SQL_PURGE_ACTORS, now - m->keep_ms, more) : rc;
}

/* ---- the journal ---- */

/* The oldest changes of a space go, at most `*room`. The order of changes is that of time, so what
 * comes before one that is too old is so too, even if a clock was ahead then. */
static int forget_changes(struct maintenance *m, const struct uuid *space, int64_t before,
                          int64_t *room)
{
    int64_t revision = 0;
    int64_t bytes = 0;
    struct query q =
        QUERY(m->statements, SQL_PURGE_JOURNAL, SQL_I64(before), SQL_I64(*room), SQL_UUID(space));
    while (query_row(&q)) {
        const int64_t deleted = query_take_i64(&q);
        revision = deleted > revision ? deleted : revision;
        bytes += query_take_i64(&q);
        (*room)--;
    }
    int rc = query_end(&q);
    if (rc != SQLITE_OK || revision == 0)
        return rc;
    rc = QUERY_RUN(m->statements, SQL_TRASH_FORGET, SQL_UUID(space), SQL_I64(revision));
    return rc == SQLITE_OK ? QUERY_RUN(m->statements, SQL_SPACE_FORGET, SQL_UUID(space),
                                       SQL_I64(bytes), SQL_I64(revision))
                           : rc;
}

/* The next spaces in the order of their ids: no index finds old changes, and none has to be kept
 * with each write. */
static int forget_some(struct maintenance *m, bool *more)
{
    struct uuid spaces[JOURNAL_SPACES];
    bool old[JOURNAL_SPACES];
    unsigned count = 0;
    const int64_t now = sure_ms();
    const int64_t before = now - m->keep_ms;
    int64_t room = RETENTION_PURGE_ROWS;
    struct query q =
        QUERY(m->statements, SQL_JOURNAL_NEXT, SQL_UUID(&m->journal), SQL_I64(JOURNAL_SPACES));
    while (query_row(&q)) {
        spaces[count] = query_take_uuid(&q);
        const int64_t at = query_take_i64(&q); /* 0: there is no change */
        old[count++] = at != 0 && (at < before || at > now);
    }
    int rc = query_end(&q);
    for (unsigned i = 0; i < count && rc == SQLITE_OK; i++) {
        if (old[i])
            rc = forget_changes(m, &spaces[i], before, &room);
        if (room == 0)
            break; /* and this space is the next again */
        m->journal = spaces[i];
    }
    *more = room == 0 || count == JOURNAL_SPACES;
    return rc;
}

void maintenance_expect(struct maintenance *m)
{
    m->leftovers = true;
    m->due_ms = m->stepped_ms;
}

int maintenance_step(struct maintenance *m)
{
    int rc = SQLITE_OK;
    bool more = false;
    m->stepped_ms = clock_mono_ms();
    if (m->leftovers) {
        rc = in_transaction(m, remove_leftovers, &m->leftovers);
    } else if (m->stepped_ms >= m->purge_at_ms) {
        rc = in_transaction(m, purge_expired, &more);
        if (rc == SQLITE_OK && !more) {
            m->purge_at_ms = clock_mono_ms() + RETENTION_PURGE_MS;
            m->leftovers = true; /* of a step that failed, say */
        }
    } else if (m->stepped_ms >= m->journal_at_ms) {
        rc = in_transaction(m, forget_some, &more);
        if (rc == SQLITE_OK && !more) {
            m->journal = (struct uuid){{0}};
            m->journal_at_ms = clock_mono_ms() + retention_look_ms(m->keep_ms);
        }
    }
    if (rc != SQLITE_OK) {
        m->leftovers = false;
        m->purge_at_ms = m->journal_at_ms = m->stepped_ms + RETENTION_PURGE_MS;
    }
    m->due_ms = m->purge_at_ms < m->journal_at_ms ? m->purge_at_ms : m->journal_at_ms;
    if (m->leftovers)
        m->due_ms = m->stepped_ms;
    return rc;
}
