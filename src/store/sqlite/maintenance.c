// SPDX-License-Identifier: MIT
#include "store/sqlite/maintenance.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "store/keeping.h"
#include "store/sqlite/database.h"
#include "store/sqlite/sql.h"

/* Pages in the WAL (4 KiB each): at each `STEP` more they are moved as far as readers allow, which
 * is before its index needs a third table, at 8,158; at `MOST` the writer waits for the readers,
 * so that the WAL is begun anew. A reader that did not end in that time is a long one, a backup
 * say: the next wait is at twice as many pages, or writes would stand still for most of it. */
#define STEP_PAGES 8000
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
    int rc = database_code(m->statements->db,
                           sqlite3_wal_checkpoint_v2(m->statements->db, NULL, mode, &pages, &moved),
                           true);
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

/* What the deleted rows of one user took. */
struct given_back {
    struct uuid user;
    int64_t bytes;
};

static void add_bytes(struct given_back *users, unsigned *count, struct uuid user, int64_t bytes)
{
    unsigned i = 0;
    while (i < *count && !uuid_eq(users[i].user, user))
        i++;
    if (i == *count)
        users[(*count)++] = (struct given_back){.user = user};
    users[i].bytes += bytes;
}

static int give_back(struct maintenance *m, const struct given_back *given)
{
    struct query q = query_begin(m->statements, SQL_USER_GIVE_BACK);
    query_bind_uuid(&q, &given->user);
    query_bind_i64(&q, given->bytes);
    return query_run(&q);
}

/* Deletes a batch of rows, and takes those that tell their user and bytes out of the usage. */
static int purge_rows(struct maintenance *m, enum sql sql, int64_t before, bool *more)
{
    struct given_back users[KEEPING_PURGE_ROWS];
    unsigned count = 0;
    struct query q = query_begin(m->statements, sql);
    query_bind_i64(&q, before);
    query_bind_i64(&q, KEEPING_PURGE_ROWS);
    while (query_row(&q)) {
        const struct uuid user = query_take_uuid(&q);
        add_bytes(users, &count, user, query_take_i64(&q));
    }
    int rc = query_end(&q);
    if (rc == SQLITE_OK && sqlite3_changes(m->statements->db) == KEEPING_PURGE_ROWS)
        *more = true;
    for (unsigned i = 0; i < count && rc == SQLITE_OK; i++)
        rc = give_back(m, &users[i]);
    return rc;
}

static int run_sql(struct maintenance *m, enum sql sql)
{
    struct query q = query_begin(m->statements, sql);
    return query_run(&q);
}

static int purge(struct maintenance *m, enum sql sql, int64_t before, bool *more)
{
    int rc = run_sql(m, SQL_BEGIN_WRITE);
    if (rc == SQLITE_OK)
        rc = purge_rows(m, sql, before, more);
    if (rc == SQLITE_OK)
        rc = run_sql(m, SQL_COMMIT);
    if (rc != SQLITE_OK && sqlite3_get_autocommit(m->statements->db) == 0)
        (void)run_sql(m, SQL_ROLLBACK);
    return rc;
}

/* A step forward of the clock is not believed: it would delete what is still wanted. */
static int64_t sure_ms(void)
{
    const int64_t wall = clock_wall_ms();
    const int64_t steady = clock_steady_ms();
    return wall < steady ? wall : steady;
}

int maintenance_purge(struct maintenance *m, bool *more)
{
    int64_t now = sure_ms();
    *more = false;
    int rc = purge(m, SQL_PURGE_KEYS, now - KEEPING_KEY_MS, more);
    if (rc == SQLITE_OK)
        rc = purge(m, SQL_PURGE_TOMBSTONES, now - KEEPING_TOMBSTONE_MS, more);
    if (rc == SQLITE_OK)
        rc = purge(m, SQL_PURGE_SESSIONS, now, more);
    if (rc == SQLITE_OK)
        rc = purge(m, SQL_PURGE_INVITATIONS, now, more);
    if (rc != SQLITE_OK)
        *more = false;
    if (!*more)
        m->purge_at_ms = clock_mono_ms() + KEEPING_PURGE_MS;
    return rc;
}
