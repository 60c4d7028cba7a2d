#include "store/sqlite/maintenance.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "store/keeping.h"
#include "store/sqlite/sql.h"

/* Pages in the WAL (4 KiB each): at each `STEP` more they are moved as far as readers allow; at
 * `MOST` the writer waits for the readers, so that the WAL is begun anew. A reader that did not end
 * in that time is a long one, a backup say: the next wait is at twice as many pages, or writes
 * would stand still for most of it. */
#define STEP_PAGES 2048
#define MOST_PAGES 16384
#define WAIT_MS    200
#define BUSY_MS    5000

static int on_commit(void *context, sqlite3 *db, const char *name, int pages)
{
    struct maintenance *m = context;
    (void)db;
    (void)name;
    m->wal_pages = pages;
    metrics_set(METRIC_STORE_WAL_PAGES, pages);
    return SQLITE_OK;
}

void maintenance_init(struct maintenance *m, struct statements *statements)
{
    *m = (struct maintenance){.statements = statements, .purge_at_ms = clock_mono_ms()};
    sqlite3_wal_hook(statements->db, on_commit, m);
}

static int checkpoint(struct maintenance *m, int mode)
{
    int pages = 0;
    int moved = 0;
    const int64_t begun_us = clock_mono_us();
    int rc = sqlite3_wal_checkpoint_v2(m->statements->db, NULL, mode, &pages, &moved);
    metrics_observe(METRIC_STORE_CHECKPOINT, clock_mono_us() - begun_us);
    m->tried_pages = m->wal_pages;
    return (rc & 0xff) == SQLITE_BUSY ? SQLITE_OK : rc;
}

int maintenance_checkpoint(struct maintenance *m)
{
    if (m->wal_pages < m->tried_pages)
        m->tried_pages = m->waited_pages = 0; /* it was begun anew */
    if (m->wal_pages - m->tried_pages < STEP_PAGES)
        return SQLITE_OK;
    if (m->wal_pages < MOST_PAGES || m->wal_pages / 2 < m->waited_pages)
        return checkpoint(m, SQLITE_CHECKPOINT_PASSIVE);
    if (m->wal_pages >= 2 * MOST_PAGES)
        log_message(LOG_WARN, "wal_large", "the WAL has %d pages: a reader holds it", m->wal_pages);
    m->waited_pages = m->wal_pages;
    (void)sqlite3_busy_timeout(m->statements->db, WAIT_MS);
    int rc = checkpoint(m, SQLITE_CHECKPOINT_RESTART);
    (void)sqlite3_busy_timeout(m->statements->db, BUSY_MS);
    return rc;
}

int maintenance_checkpoint_all(struct maintenance *m)
{
    return checkpoint(m, SQLITE_CHECKPOINT_TRUNCATE);
}

static int purge(struct maintenance *m, enum sql sql, int64_t before, bool *more)
{
    struct query q = query_begin(m->statements, sql);
    query_bind_i64(&q, before);
    query_bind_i64(&q, KEEPING_PURGE_ROWS);
    int rc = query_run(&q);
    if (rc == SQLITE_OK && sqlite3_changes(m->statements->db) == KEEPING_PURGE_ROWS)
        *more = true;
    return rc;
}

int maintenance_purge(struct maintenance *m, bool *more)
{
    int64_t now = clock_wall_ms();
    *more = false;
    int rc = purge(m, SQL_PURGE_KEYS, now - KEEPING_KEY_MS, more);
    if (rc == SQLITE_OK)
        rc = purge(m, SQL_PURGE_TOMBSTONES, now - KEEPING_TOMBSTONE_MS, more);
    if (rc == SQLITE_OK)
        rc = purge(m, SQL_PURGE_SESSIONS, now, more);
    if (rc != SQLITE_OK)
        *more = false;
    if (!*more)
        m->purge_at_ms = clock_mono_ms() + KEEPING_PURGE_MS;
    return rc;
}
