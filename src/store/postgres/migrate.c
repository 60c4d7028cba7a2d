// SPDX-License-Identifier: MIT
#include "store/postgres/migrate.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/point.h"
#include "model/task.h"
#include "store/migrations.h"
#include "store/postgres/connect.h"

#define HEAD ((int)postgres_migration_count)

/* The lock is the transaction's, not the session's, so that a pooler may stand between; its number
 * is the word `taskhold`. A node that is stopped while it holds the lock loses it. */
static const char begin_script[] =
    "BEGIN;"
    "SET LOCAL statement_timeout = 0;"
    "SET LOCAL lock_timeout = 0;"
    "SET LOCAL idle_in_transaction_session_timeout = '30s';"
    "SELECT pg_advisory_xact_lock(" LOCK_MIGRATE ");"
    "CREATE TABLE IF NOT EXISTS taskhold_schema (version integer NOT NULL);"
    "INSERT INTO taskhold_schema SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM taskhold_schema);";

int migrate_postgres_head(void)
{
    return HEAD;
}

int migrate_postgres_version(PGconn *connection)
{
    int64_t there = 0, version = 0;
    assert(connection);
    if (!connect_number(connection, "SELECT (to_regclass('taskhold_schema') IS NOT NULL)::int",
                        &there) ||
        (there != 0 &&
         !connect_number(connection,
                         "SELECT CASE WHEN version > 0 AND to_regclass('tasks') IS NOT NULL "
                         "AND to_regclass('spaces') IS NULL THEN -2 ELSE version END "
                         "FROM taskhold_schema",
                         &version)))
        return -1;
    return (int)version;
}

/* ---- what SQL cannot do ---- */

#define FOLDED_AT 2 /* the schema that brings tasks.folded */
#define FOLD_MS   60000
#define FOLD_BEGIN                                                                                 \
    "DECLARE old_tasks NO SCROLL CURSOR FOR SELECT space_id, created_at, id, title, description "  \
    "FROM tasks"

static bool fold_row(PGconn *connection, const PGresult *rows, int number)
{
    struct row r = row_of(rows, number, NULL);
    struct task task;
    struct buffer room;
    struct field_value folded;
    resource_clear(&task_resource, &task);
    const struct uuid space = row_uuid(&r);
    task.created_at = row_i64(&r);
    task.id = row_uuid(&r);
    task.title = row_text(&r);
    task.description = row_text(&r);
    bool done = resource_derive(&task_resource, &task, &room, &folded) && r.error == ERROR_NONE;
    if (done && !folded.null) {
        const struct sql_value values[] = {
            SQL_UUID(&space), SQL_I64(task.created_at), SQL_UUID(&task.id), {'t', folded}};
        PGresult *result = connect_ask(connection,
                                       "UPDATE tasks SET folded = $4 WHERE space_id = $1 AND "
                                       "created_at = $2 AND id = $3",
                                       values, 4, FOLD_MS, -1);
        done = PQresultStatus(result) == PGRES_COMMAND_OK;
        PQclear(result);
    }
    buffer_finish(&room);
    return done;
}

/* Of the tasks that are there, some at a time. */
static bool fold_tasks(PGconn *connection)
{
    bool good = connect_run(connection, FOLD_BEGIN);
    int count = good ? 1 : 0;
    while (good && count > 0) {
        PGresult *rows =
            PQexecParams(connection, "FETCH 500 FROM old_tasks", 0, NULL, NULL, NULL, NULL, 1);
        good = PQresultStatus(rows) == PGRES_TUPLES_OK;
        count = good ? PQntuples(rows) : 0;
        for (int i = 0; i < count && good; i++)
            good = fold_row(connection, rows, i);
        PQclear(rows);
    }
    return good && connect_run(connection, "CLOSE old_tasks");
}

/* The step after `*version`, unless another node has made it meanwhile. */
static bool take_step(PGconn *connection, int *version, char *why, size_t why_size)
{
    POINT(POSTGRES_MIGRATION_BEGIN);
    bool done = connect_run(connection, begin_script);
    if (done) {
        *version = migrate_postgres_version(connection);
        done = *version >= 0;
    }
    if (done && *version < HEAD) {
        const struct migration *migration = &postgres_migrations[(*version)++];
        char stamp[64];
        char *text = strndup((const char *)migration->script, *migration->len);
        (void)snprintf(stamp, sizeof stamp, "UPDATE taskhold_schema SET version = %d", *version);
        done = text && connect_run(connection, text);
        POINT(POSTGRES_MIGRATION_SCRIPT);
        done = done && (*version != FOLDED_AT || fold_tasks(connection)) &&
               connect_run(connection, stamp);
        free(text);
    }
    POINT(POSTGRES_MIGRATION_COMMIT);
    done = done && connect_commit(connection);
    POINT(POSTGRES_MIGRATION_STEP);
    if (!done) {
        connect_reason(connection, why, why_size);
        (void)connect_run(connection, "ROLLBACK");
    }
    return done;
}

bool migrate_postgres(PGconn *connection, char *why, size_t why_size)
{
    char reason[200];
    int version = migrate_postgres_version(connection);
    while (version >= 0 && version < HEAD) {
        const int from = version;
        if (!take_step(connection, &version, reason, sizeof reason)) {
            (void)snprintf(why, why_size, "schema change %d failed: %s", from + 1, reason);
            return false;
        }
    }
    return migrate_postgres_judge(connection, version, why, why_size);
}

bool migrate_postgres_judge(PGconn *connection, int version, char *why, size_t why_size)
{
    char reason[200];
    if (version == MIGRATE_OLD_FORM) {
        (void)snprintf(why, why_size, "%s", MIGRATE_OLD_FORM_WHY);
    } else if (version < 0) {
        connect_reason(connection, reason, sizeof reason);
        (void)snprintf(why, why_size, "the schema's version cannot be read: %s", reason);
    } else if (version == 0) {
        (void)snprintf(why, why_size, "there is none of taskhold in it");
    } else if (version < HEAD) {
        (void)snprintf(why, why_size,
                       "it has schema %d and this program's is %d: run taskhold migrate", version,
                       HEAD);
    } else if (version > HEAD) {
        (void)snprintf(why, why_size,
                       "the database has schema %d and this program knows up to %d: start the "
                       "newer program",
                       version, HEAD);
    }
    return version == HEAD;
}
