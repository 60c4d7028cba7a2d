// SPDX-License-Identifier: MIT
#include "store/sqlite/transaction.h"

#include "base/clock.h"
#include "base/metrics.h"
#include "store/sqlite/revision.h"
#include "store/sqlite/sql.h"
#include "store/sqlite/translate.h"
#include "store/sqlite/writer.h"

void transaction_end_sessions(struct transaction *t, const struct uuid *user)
{
    t->ended[t->ended_count++] = *user;
}

static int run_sql(struct transaction *t, enum sql sql)
{
    struct query q = query_begin(&t->statements, sql);
    return query_run(&q);
}

static bool is_open(const struct transaction *t)
{
    return sqlite3_get_autocommit(t->statements.db) == 0;
}

/* Without memory it may stay open; then the next one tries again before it begins. */
static int roll_back(struct transaction *t)
{
    t->ended_count = 0;
    revision_forget(t);
    return is_open(t) ? run_sql(t, SQL_ROLLBACK) : SQLITE_OK;
}

static int run_plain(struct transaction *t, struct store_op *op)
{
    const struct writer_work *work = op->work;
    op->result = ERROR_NONE;
    return work->run(t, op);
}

/* Runs one operation between savepoints. An error is the operation's own unless it took the whole
 * transaction with it or says that the disk fails. */
static int run_careful(struct transaction *t, struct store_op *op)
{
    unsigned ended_count = t->ended_count;
    int rc = run_sql(t, SQL_SAVEPOINT);
    if (rc != SQLITE_OK)
        return rc;
    rc = run_plain(t, op);
    if (rc == SQLITE_OK)
        rc = revision_settle(t);
    if (rc == SQLITE_OK)
        return run_sql(t, SQL_RELEASE);
    revision_forget(t);
    if (!is_open(t) || translate_is_corrupt(rc) || translate_is_lost_write(rc))
        return rc;
    op->result = translate_error(rc);
    t->ended_count = ended_count;
    rc = run_sql(t, SQL_ROLLBACK_TO);
    return rc == SQLITE_OK ? run_sql(t, SQL_RELEASE) : rc;
}

/* Whatever is of another kind than the operation before it may look at the row of its user. */
static int run_next(struct transaction *t, struct store_op *op, const void *before)
{
    int rc = op->work == before ? SQLITE_OK : revision_settle(t);
    return rc == SQLITE_OK ? run_plain(t, op) : rc;
}

static int run_all(struct transaction *t, struct store_op *first, bool careful)
{
    const void *before = NULL;
    int rc = roll_back(t);
    if (rc == SQLITE_OK)
        rc = run_sql(t, SQL_BEGIN_WRITE);
    for (struct store_op *op = first; op && rc == SQLITE_OK; op = op->next) {
        if (!op->work)
            continue;
        rc = careful ? run_careful(t, op) : run_next(t, op, before);
        before = op->work;
    }
    return rc == SQLITE_OK ? revision_settle(t) : rc;
}

static int commit(struct transaction *t)
{
    const int64_t begun_us = clock_mono_us();
    int rc = run_sql(t, SQL_COMMIT);
    metrics_observe(METRIC_STORE_COMMIT, clock_mono_us() - begun_us);
    return rc;
}

int transaction_run(struct transaction *t, struct store_op *first, bool *at_commit)
{
    *at_commit = false;
    int rc = run_all(t, first, false);
    if (rc != SQLITE_OK && is_open(t) && !translate_is_corrupt(rc) && !translate_is_lost_write(rc))
        rc = run_all(t, first, true);
    if (rc == SQLITE_OK) {
        *at_commit = true;
        rc = commit(t);
    }
    if (rc != SQLITE_OK)
        (void)roll_back(t);
    return rc;
}
