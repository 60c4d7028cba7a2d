// SPDX-License-Identifier: MIT
#include "store/postgres/migrate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/migrations.h"
#include "store/postgres/connect.h"

#define HEAD ((int)postgres_migration_count)

#define NO_TABLE "42P01"

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

/* The number that a statement answers; -1 when it does not, 0 when a table is missing. */
static int ask_number(PGconn *connection, const char *statement)
{
    PGresult *result = PQexec(connection, statement);
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    int number = -1;
    if (PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1)
        number = (int)strtol(PQgetvalue(result, 0, 0), NULL, 10);
    else if (state && strcmp(state, NO_TABLE) == 0)
        number = 0;
    PQclear(result);
    return number;
}

int migrate_postgres_version(PGconn *connection)
{
    const int version = ask_number(connection, "SELECT version FROM taskhold_schema");
    const int old = version <= 0
                        ? 0
                        : ask_number(connection, "SELECT (to_regclass('tasks') IS NOT NULL AND "
                                                 "to_regclass('spaces') IS NULL)::int");
    return old > 0 ? MIGRATE_OLD_FORM : old < 0 ? -1 : version;
}

static bool run(PGconn *connection, const char *statements)
{
    PGresult *result = PQexec(connection, statements);
    const ExecStatusType status = PQresultStatus(result);
    PQclear(result);
    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
}

/* Makes version `to`. */
static bool run_script(PGconn *connection, const struct migration *migration, int to)
{
    char stamp[64];
    char *text = strndup((const char *)migration->script, *migration->len);
    (void)snprintf(stamp, sizeof stamp, "UPDATE taskhold_schema SET version = %d", to);
    const bool done = text && run(connection, text) && run(connection, stamp);
    free(text);
    return done;
}

/* COMMIT of a transaction that failed is answered with ROLLBACK, and is no error. */
static bool commit(PGconn *connection)
{
    PGresult *result = PQexec(connection, "COMMIT");
    const bool done = strcmp(PQcmdStatus(result), "COMMIT") == 0;
    PQclear(result);
    return done;
}

/* The step after `*version`, unless another node has made it meanwhile. */
static bool take_step(PGconn *connection, int *version, char *why, size_t why_size)
{
    bool done = run(connection, begin_script);
    if (done) {
        *version = migrate_postgres_version(connection);
        done = *version >= 0;
    }
    if (done && *version < HEAD) {
        done = run_script(connection, &postgres_migrations[*version], *version + 1);
        *version += done;
    }
    if (done)
        done = commit(connection);
    if (!done) {
        connect_reason(connection, why, why_size);
        (void)run(connection, "ROLLBACK");
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
