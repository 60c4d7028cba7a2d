#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <libpq-fe.h>

#include "store/postgres/engine.h"
#include "store_contract.h"

/* TASKHOLD_TEST_POSTGRES: a server that databases may be made on, without a database's name:
 * `postgresql://user@127.0.0.1:5432`. See tests/with-postgres. */
#define SKIPPED 77

static const char *server;
static char name[32];
static char url[512];
static unsigned made;

static void run(const char *command)
{
    char text[512];
    char sql[128];
    (void)snprintf(text, sizeof text, "%s/postgres", server);
    (void)snprintf(sql, sizeof sql, "%s %s", command, name);
    PGconn *connection = PQconnectdb(text);
    PGresult *result = PQexec(connection, sql);
    if (PQresultStatus(result) != PGRES_COMMAND_OK)
        fail_msg("%s: %s", sql, PQerrorMessage(connection));
    PQclear(result);
    PQfinish(connection);
}

static const char *make_database(void)
{
    (void)snprintf(name, sizeof name, "contract_%u", ++made);
    run("CREATE DATABASE");
    (void)snprintf(url, sizeof url, "%s/%s", server, name);
    return url;
}

static void drop_database(void)
{
    run("DROP DATABASE");
}

int main(void)
{
    const struct store_contract contract = {
        .engine = &postgres_engine,
        .make_database = make_database,
        .drop_database = drop_database,
    };
    server = getenv("TASKHOLD_TEST_POSTGRES");
    if (!server) {
        puts("SKIPPED: TASKHOLD_TEST_POSTGRES names no server; tests/with-postgres starts one");
        return SKIPPED;
    }
    return store_contract_run(&contract);
}
