// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <libpq-fe.h>

#include "store/postgres/engine.h"
#include "store/postgres/sql.h"
#include "store_contract.h"
#include "store_contract_parts.h"
#include "store_fixture.h"

/* TASKHOLD_TEST_POSTGRES: a server that databases may be made on, without a database's name:
 * `postgresql://user@127.0.0.1:5432`. See tests/with-postgres.
 * TASKHOLD_TEST_PREPARED=off: the suite runs without prepared statements. */
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

/* ---- what only an engine behind a network meets ---- */

/* Runs a statement in the test's own database, as somebody else. */
static void run_inside(const char *sql)
{
    PGconn *connection = PQconnectdb(url);
    PGresult *result = PQexec(connection, sql);
    if (PQresultStatus(result) != PGRES_COMMAND_OK && PQresultStatus(result) != PGRES_TUPLES_OK)
        fail_msg("%s: %s", sql, PQerrorMessage(connection));
    PQclear(result);
    PQfinish(connection);
}

static int64_t number(const char *sql)
{
    PGconn *connection = PQconnectdb(url);
    PGresult *result = PQexec(connection, sql);
    if (PQresultStatus(result) != PGRES_TUPLES_OK)
        fail_msg("%s: %s", sql, PQerrorMessage(connection));
    const int64_t value = strtoll(PQgetvalue(result, 0, 0), NULL, 10);
    PQclear(result);
    PQfinish(connection);
    return value;
}

struct counted_list {
    struct store_task_list op;
    unsigned rows;
};

static bool count_row(struct store_task_list *op, const struct task *row)
{
    (void)row;
    ((struct counted_list *)op)->rows++;
    return true;
}

/* Reads leave in one flight: one that the server refuses is told, and its neighbours, before and
 * behind it, give each row once. */
static void test_a_read_that_fails_is_alone(void **pointer)
{
    struct contract_state *state = *pointer;
    struct loop loop;
    loop_open(&loop, state->contract->engine, state->store);
    struct uuid ann = make_user(&loop, "ann");
    for (int64_t i = 0; i < 5; i++)
        (void)make_task(&loop, ann, "one of five", TEST_NOW + i);
    run_inside("ALTER TABLE known_addresses RENAME TO gone");

    struct counted_list lists[6];
    struct store_user_get refused = {.id = ann, .client = SLICE("::1")};
    for (unsigned i = 0; i < 6; i++) {
        lists[i] = (struct counted_list){.op = {.user = ann, .limit = 50, .each = count_row}};
        loop_begin(&loop, &lists[i].op.op);
        loop.engine->task_list(&lists[i].op);
        if (i == 2) {
            loop_begin(&loop, &refused.op);
            loop.engine->user_get(&refused);
        }
    }
    loop_finish(&loop);
    assert_int_equal(refused.op.result, ERROR_INTERNAL_ERROR);
    for (unsigned i = 0; i < 6; i++) {
        assert_int_equal(lists[i].op.op.result, ERROR_NONE);
        assert_int_equal(lists[i].rows, 5);
    }
    loop_close(&loop);
}

/* All connections are ended at once, again and again: what comes next is answered as ever. */
static void test_connections_that_end(void **pointer)
{
    struct contract_state *state = *pointer;
    struct loop loop;
    loop_open(&loop, state->contract->engine, state->store);
    struct uuid ann = make_user(&loop, "ann");
    for (int64_t i = 1; i <= 5; i++) {
        run_inside("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                   "WHERE datname = current_database() AND pid <> pg_backend_pid()");
        struct task task = make_task(&loop, ann, "kept", TEST_NOW + i);
        assert_int_equal(task.revision, i);
        struct task found;
        assert_int_equal(get_task(&loop, ann, task.id, &found), ERROR_NONE);
    }
    loop_close(&loop);
}

/* A lock that somebody else holds makes a write wait, not for ever; reads go on beside it. */
static void test_a_lock_of_somebody_else(void **pointer)
{
    struct contract_state *state = *pointer;
    struct loop loop;
    state->contract->engine->close(&state->store);
    state->options.timeout_ms = 500;
    char why[256];
    state->store = state->contract->engine->open(&state->options, why, sizeof why);
    assert_non_null(state->store);
    loop_open(&loop, state->contract->engine, state->store);
    struct uuid ann = make_user(&loop, "ann");
    struct uuid bob = make_user(&loop, "bob");
    struct task task = make_task(&loop, bob, "free", TEST_NOW);

    PGconn *other = PQconnectdb(url);
    PQclear(PQexec(other, "BEGIN"));
    PQclear(PQexec(other, "SELECT 1 FROM users WHERE email = 'ann@example.org' FOR UPDATE"));
    struct store_task_write held = task_write(STORE_TASK_CREATE, ann, uuid_make_v7(), TEST_NOW);
    loop_begin(&loop, &held.op);
    loop.engine->task_write(&held);
    struct task found;
    struct store_task_get get = {.user = bob, .id = task.id};
    assert_int_equal(LOOP_CALL(&loop, task_get, &get), ERROR_NONE);
    assert_int_equal(held.op.result, ERROR_OVERLOADED);
    PQfinish(other);

    assert_int_equal(make_task(&loop, ann, "free again", TEST_NOW).revision, 1);
    assert_int_equal(get_task(&loop, ann, held.id, &found), ERROR_NOT_FOUND);
    loop_close(&loop);
}

/* A create that waits for the deletion of its user finds nobody, and not somebody who holds too
 * much. */
static void test_a_create_while_its_user_goes(void **pointer)
{
    struct contract_state *state = *pointer;
    struct loop loop;
    loop_open(&loop, state->contract->engine, state->store);
    struct uuid ann = make_user(&loop, "ann");
    PGconn *other = PQconnectdb(url);
    PQclear(PQexec(other, "BEGIN"));
    PQclear(PQexec(other, "DELETE FROM users WHERE email = 'ann@example.org'"));
    struct store_task_write held = task_write(STORE_TASK_CREATE, ann, uuid_make_v7(), TEST_NOW);
    held.change.title = SLICE("too late");
    loop_begin(&loop, &held.op);
    loop.engine->task_write(&held);
    loop.engine->turn_end(loop.session);
    while (number("SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid) "
                  "WHERE NOT l.granted AND a.datname = current_database()") == 0)
        loop.engine->ready(loop.session);
    PQclear(PQexec(other, "COMMIT"));
    loop_finish(&loop);
    assert_int_equal(held.op.result, ERROR_NOT_FOUND);
    PQfinish(other);
    loop_close(&loop);
}

/* Without prepared statements no session gets timeouts, so a held lock is another matter: see
 * tests/cli/test_postgres_limits.py. */
static int run_own_tests(bool unprepared)
{
    const struct CMUnitTest tests[] = {
        CONTRACT_TEST(test_a_read_that_fails_is_alone),
        CONTRACT_TEST(test_connections_that_end),
        CONTRACT_TEST(test_a_lock_of_somebody_else),
        CONTRACT_TEST(test_a_create_while_its_user_goes),
    };
    const struct CMUnitTest always[] = {
        CONTRACT_TEST(test_a_read_that_fails_is_alone),
        CONTRACT_TEST(test_connections_that_end),
        CONTRACT_TEST(test_a_create_while_its_user_goes),
    };
    if (unprepared)
        return cmocka_run_group_tests_name("store: PostgreSQL, unprepared", always, NULL, NULL);
    return cmocka_run_group_tests_name("store: PostgreSQL", tests, NULL, NULL);
}

int main(void)
{
    const char *prepared = getenv("TASKHOLD_TEST_PREPARED");
    const struct store_contract contract = {
        .engine = &postgres_engine,
        .make_database = make_database,
        .drop_database = drop_database,
        .number = number,
        .drift = pg_sql_drift,
        .unprepared = prepared && strcmp(prepared, "off") == 0,
    };
    server = getenv("TASKHOLD_TEST_POSTGRES");
    if (!server) {
        puts("SKIPPED: TASKHOLD_TEST_POSTGRES names no server; tests/with-postgres starts one");
        return SKIPPED;
    }
    return store_contract_run(&contract) + run_own_tests(contract.unprepared);
}
