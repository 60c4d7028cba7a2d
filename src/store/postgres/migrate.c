// SPDX-License-Identifier: MIT
#include "store/postgres/migrate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/postgres/connect.h"
#include "store/postgres/locks.h"

/* Made from the files in migrations/ when the program is built. */
extern const unsigned char embed_postgres_0001_init_sql[];
extern const size_t embed_postgres_0001_init_sql_len;

static const struct migration {
    const unsigned char *script;
    const size_t *len;
    const char *stamp;
} migrations[] = {
    {embed_postgres_0001_init_sql, &embed_postgres_0001_init_sql_len,
     "UPDATE taskhold_schema SET version = 1"},
};

#define HEAD ((int)(sizeof migrations / sizeof migrations[0]))

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

int migrate_postgres_version(PGconn *connection)
{
    PGresult *result = PQexec(connection, "SELECT version FROM taskhold_schema");
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    int version = -1;
    if (PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1)
        version = (int)strtol(PQgetvalue(result, 0, 0), NULL, 10);
    else if (state && strcmp(state, NO_TABLE) == 0)
        version = 0;
    PQclear(result);
    return version;
}

static bool run(PGconn *connection, const char *statements)
{
    PGresult *result = PQexec(connection, statements);
    const ExecStatusType status = PQresultStatus(result);
    PQclear(result);
    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
}

static bool run_script(PGconn *connection, const struct migration *migration)
{
    char *text = strndup((const char *)migration->script, *migration->len);
    const bool done = text && run(connection, text);
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
        const struct migration *migration = &migrations[*version];
        done = run_script(connection, migration) && run(connection, migration->stamp);
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
    if (version < 0) {
        connect_reason(connection, reason, sizeof reason);
        (void)snprintf(why, why_size, "the schema's version cannot be read: %s", reason);
        return false;
    }
    while (version < HEAD) {
        const int from = version;
        if (!take_step(connection, &version, reason, sizeof reason)) {
            (void)snprintf(why, why_size, "schema change %d failed: %s", from + 1, reason);
            return false;
        }
    }
    if (version > HEAD)
        (void)snprintf(why, why_size,
                       "the database has schema %d and this program knows up to %d: start the "
                       "newer program",
                       version, HEAD);
    return version == HEAD;
}
