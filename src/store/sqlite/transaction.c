// SPDX-License-Identifier: MIT
#include "store/sqlite/transaction.h"

#include <assert.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/metrics.h"
#include "store/sqlite/database.h"
#include "store/sqlite/writer.h"

bool transaction_init(struct transaction *t, sqlite3 *db, const struct sql_texts *texts,
                      struct usage_limits limits, unsigned ended_most)
{
    *t = (struct transaction){.limits = limits, .ended_most = ended_most};
    t->ended = calloc(ended_most, sizeof *t->ended);
    t->spaces = calloc(TRANSACTION_SPACES, sizeof *t->spaces);
    return statements_init(&t->statements, db, texts->list, texts->count) && t->ended && t->spaces;
}

void transaction_finish(struct transaction *t)
{
    statements_finish(&t->statements);
    free(t->ended);
    free(t->spaces);
    *t = (struct transaction){0};
}

/* ---- spaces ---- */

static void forget_spaces(struct transaction *t)
{
    if (t->space_count > 0)
        memset(t->spaces, 0, TRANSACTION_SPACES * sizeof *t->spaces);
    t->space_count = 0;
}

static int write_space(struct transaction *t, const struct transaction_space *changed)
{
    const struct space *space = &changed->space;
    struct query q =
        QUERY(&t->statements, SQL_SPACE_SET, SQL_UUID(&changed->id), SQL_I64(space->revision));
    for (unsigned i = 0; i < SPACE_COUNTS; i++)
        query_bind(&q, SQL_I64(space->usage.counts[i]));
    query_bind(&q, SQL_I64(space->usage.bytes));
    return query_run_on_one(&q);
}

int transaction_settle(struct transaction *t)
{
    int rc = SQLITE_OK;
    for (unsigned i = 0; i < TRANSACTION_SPACES && t->space_count > 0 && rc == SQLITE_OK; i++) {
        if (t->spaces[i].changed)
            rc = write_space(t, &t->spaces[i]);
    }
    forget_spaces(t);
    return rc;
}

int transaction_look_at_space(struct statements *statements, const struct uuid *id,
                              struct space *space, bool *found)
{
    struct query q = QUERY(statements, SQL_SPACE_GET, SQL_UUID(id));
    *space = (struct space){0};
    *found = query_row(&q);
    if (*found) {
        space->revision = query_take_i64(&q);
        space->forgotten = query_take_i64(&q);
        for (unsigned i = 0; i < SPACE_COUNTS; i++)
            space->usage.counts[i] = query_take_i64(&q);
        space->usage.bytes = query_take_i64(&q);
    }
    return query_end(&q);
}

/* Where it is kept, or the free place where it would be: the last bytes of an id are random. */
static struct transaction_space *find_place(const struct transaction *t, const struct uuid *id)
{
    unsigned place = id->bytes[sizeof id->bytes - 1];
    while (t->spaces[place % TRANSACTION_SPACES].known &&
           !uuid_eq(t->spaces[place % TRANSACTION_SPACES].id, *id))
        place++;
    return &t->spaces[place % TRANSACTION_SPACES];
}

int transaction_read_space(struct transaction *t, const struct uuid *id,
                           struct transaction_space **space)
{
    struct transaction_space *place = find_place(t, id);
    int rc = SQLITE_OK;
    if (!place->known && t->space_count == TRANSACTION_SPACES / 2) {
        rc = transaction_settle(t);
        place = find_place(t, id);
    }
    if (!place->known && rc == SQLITE_OK) {
        rc = transaction_look_at_space(&t->statements, id, &place->space, &place->known);
        place->id = *id;
        t->space_count += place->known;
    }
    *space = place->known ? place : NULL;
    return rc;
}

void transaction_change_space(struct transaction_space *space, int64_t revision,
                              const struct usage *change)
{
    assert(space->known && revision >= space->space.revision);
    space->space.revision = revision;
    usage_add(&space->space.usage, change);
    space->changed = true;
}

/* ---- running ---- */

void transaction_end_sessions(struct transaction *t, const struct uuid *user)
{
    assert(t->ended_count < t->ended_most);
    t->ended[t->ended_count++] = *user;
}

static bool is_open(const struct transaction *t)
{
    return sqlite3_get_autocommit(t->statements.db) == 0;
}

/* Without memory it may stay open; then the next one tries again before it begins. */
static int roll_back(struct transaction *t)
{
    t->ended_count = 0;
    t->deleted = false;
    forget_spaces(t);
    return is_open(t) ? query_run_plain(&t->statements, SQL_ROLLBACK) : SQLITE_OK;
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
    const unsigned ended_count = t->ended_count;
    const bool deleted = t->deleted;
    int rc = query_run_plain(&t->statements, SQL_SAVEPOINT);
    if (rc != SQLITE_OK)
        return rc;
    rc = run_plain(t, op);
    if (rc == SQLITE_OK)
        rc = transaction_settle(t);
    if (rc == SQLITE_OK)
        return query_run_plain(&t->statements, SQL_RELEASE);
    forget_spaces(t);
    if (!is_open(t) || database_is_corrupt(rc) || database_is_lost_write(rc))
        return rc;
    op->result = database_result(rc);
    t->ended_count = ended_count;
    t->deleted = deleted;
    rc = query_run_plain(&t->statements, SQL_ROLLBACK_TO);
    return rc == SQLITE_OK ? query_run_plain(&t->statements, SQL_RELEASE) : rc;
}

static int run_all(struct transaction *t, struct store_op *first, bool careful)
{
    int rc = roll_back(t);
    if (rc == SQLITE_OK)
        rc = query_run_plain(&t->statements, SQL_BEGIN_WRITE);
    for (struct store_op *op = first; op && rc == SQLITE_OK; op = op->next) {
        if (op->work)
            rc = careful ? run_careful(t, op) : run_plain(t, op);
    }
    return rc == SQLITE_OK ? transaction_settle(t) : rc;
}

static int commit(struct transaction *t)
{
    const int64_t begun_us = clock_mono_us();
    int rc = query_run_plain(&t->statements, SQL_COMMIT);
    metrics_observe(METRIC_STORE_COMMIT, clock_mono_us() - begun_us);
    return rc;
}

int transaction_run(struct transaction *t, struct store_op *first, bool *at_commit)
{
    assert(first && t->space_count == 0);
    *at_commit = false;
    int rc = run_all(t, first, false);
    if (rc != SQLITE_OK && is_open(t) && !database_is_corrupt(rc) && !database_is_lost_write(rc))
        rc = run_all(t, first, true);
    if (rc == SQLITE_OK) {
        *at_commit = true;
        rc = commit(t);
    }
    if (rc != SQLITE_OK)
        (void)roll_back(t);
    return rc;
}
