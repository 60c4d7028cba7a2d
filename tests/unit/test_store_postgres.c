// SPDX-License-Identifier: MIT
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <libpq-fe.h>

#include "model/task_list.h"
#include "store/postgres/engine.h"
#include "store/postgres/link.h"
#include "store/retention.h"
#include "store/sql.h"
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

static void run(const char *command, const char *options)
{
    char text[512];
    char sql[128];
    (void)snprintf(text, sizeof text, "%s/postgres", server);
    (void)snprintf(sql, sizeof sql, "%s %s%s", command, name, options);
    PGconn *connection = PQconnectdb(text);
    PGresult *result = PQexec(connection, sql);
    if (PQresultStatus(result) != PGRES_COMMAND_OK)
        fail_msg("%s: %s", sql, PQerrorMessage(connection));
    PQclear(result);
    PQfinish(connection);
}

#ifdef FAILING
#include "failing.h"

#define BASE "contract_base"

static void make_base(void)
{
    static bool there;
    char why[512];
    if (there)
        return;
    (void)snprintf(name, sizeof name, BASE);
    (void)snprintf(url, sizeof url, "%s/%s", server, name);
    run("CREATE DATABASE", "");
    struct store_options options = {.url = url};
    struct store *store = postgres_engine.open(&options, why, sizeof why);
    if (!store)
        abort();
    postgres_engine.close(&store);
    there = true;
}

/* What the run left is opened again, as the next start does, and every count must be right. */
const char *failing_judge(const char *place)
{
    static char why[512];
    static struct buffer drift;
    const char *wrong = NULL;
    make_base();
    (void)snprintf(name, sizeof name, "%s", place);
    (void)snprintf(url, sizeof url, "%s/%s", server, name);
    struct store_options options = {.url = url};
    struct store *store = postgres_engine.open(&options, why, sizeof why);
    if (!store) {
        wrong = strstr(why, "an older taskhold") ? NULL : why; /* which a test made so */
    } else {
        PGconn *connection = PQconnectdb(url);
        if (!drift.data)
            contract_make_drift(&drift, SQL_POSTGRES);
        PGresult *result = PQexec(connection, drift.data);
        if (PQresultStatus(result) != PGRES_TUPLES_OK || strcmp(PQgetvalue(result, 0, 0), "0") != 0)
            wrong = "a count is wrong";
        PQclear(result);
        PQfinish(connection);
        postgres_engine.close(&store);
    }
    if (!wrong)
        run("DROP DATABASE", " WITH (FORCE)");
    return wrong;
}
#endif

static const char *make_database(void)
{
    (void)snprintf(name, sizeof name, "contract_%u", ++made);
#ifdef FAILING
    (void)snprintf(name, sizeof name, "contract_%u", (unsigned)getpid());
    (void)snprintf(failing_place, FAILING_PLACE_BYTES, "%s", name);
    /* What the first test made is kept for the others: migrations take most of the time. */
    run("CREATE DATABASE", failing_is_first() ? "" : " TEMPLATE " BASE);
#else
    run("CREATE DATABASE", "");
#endif
    (void)snprintf(url, sizeof url, "%s/%s", server, name);
    return url;
}

static void drop_database(void)
{
#ifndef FAILING
    run("DROP DATABASE", "");
#endif
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
    struct store_item_list op;
    unsigned rows;
};

static bool count_row(struct store_item_list *op, const void *row)
{
    (void)row;
    ((struct counted_list *)op)->rows++;
    return true;
}

static struct store_item_list list_of(struct uuid space)
{
    return (struct store_item_list){
        .resource = fixture_resource,
        .space = space,
        .orders = {{.field = resource_field(fixture_resource, SLICE("created_at"))}},
        .order_count = 1,
        .limit = 50,
        .each = count_row};
}

/* Reads leave in one flight: one that the server refuses is told, and its neighbours, before and
 * after it, give each row once. */
static void test_a_read_that_fails_is_alone(void **pointer)
{
    struct contract_state *state = *pointer;
    struct loop loop;
    loop_open(&loop, state->contract->engine, state->store);
    struct uuid ann = make_user(&loop, "ann");
    for (int64_t i = 0; i < 5; i++)
        (void)make_item(&loop, ann, (unsigned)i, TEST_NOW + i);
    run_inside("ALTER TABLE known_addresses RENAME TO gone");

    struct counted_list lists[6];
    struct store_user_get refused = {.id = ann, .client = SLICE("::1")};
    for (unsigned i = 0; i < 6; i++) {
        lists[i] = (struct counted_list){.op = list_of(ann)};
        loop_begin(&loop, &lists[i].op.op);
        loop.engine->item_list(&lists[i].op);
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
        const struct item made_now = make_item(&loop, ann, 0, TEST_NOW + i);
        assert_int_equal(made_now.revision, i);
        const void *found = NULL;
        assert_int_equal(get_item(&loop, ann, made_now.id, &found), ERROR_NONE);
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
    const struct item item = make_item(&loop, bob, 0, TEST_NOW);

    PGconn *other = PQconnectdb(url);
    PQclear(PQexec(other, "BEGIN"));
    PQclear(PQexec(other, "SELECT 1 FROM spaces WHERE space_id = (SELECT user_id FROM users "
                          "WHERE email = 'ann@example.org') FOR UPDATE"));
    struct write held = write_of(STORE_CREATE, ann, uuid_make_v7(), TEST_NOW);
    write_begin(&loop, &held);
    const void *found = NULL;
    assert_int_equal(get_item(&loop, bob, item.id, &found), ERROR_NONE);
    loop_finish(&loop);
    assert_int_equal(held.op.op.result, ERROR_OVERLOADED);
    PQfinish(other);

    assert_int_equal(make_item(&loop, ann, 0, TEST_NOW).revision, 1);
    assert_int_equal(get_item(&loop, ann, held.op.id, &found), ERROR_NOT_FOUND);
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
    PQclear(PQexec(other, "DELETE FROM spaces WHERE space_id = (SELECT user_id FROM users "
                          "WHERE email = 'ann@example.org')"));
    struct write held = write_of(STORE_CREATE, ann, uuid_make_v7(), TEST_NOW);
    write_begin(&loop, &held);
    loop.engine->turn_end(loop.session);
    while (number("SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid) "
                  "WHERE NOT l.granted AND a.datname = current_database()") == 0)
        loop.engine->ready(loop.session);
    PQclear(PQexec(other, "COMMIT"));
    loop_finish(&loop);
    assert_int_equal(held.op.op.result, ERROR_NOT_FOUND);
    PQfinish(other);
    loop_close(&loop);
}

/* ---- lists ---- */

/* More shapes of lists than a connection keeps prepared, and each of them again. */
static void test_every_shape_of_a_list(void **pointer)
{
    struct contract_state *state = *pointer;
    const struct resource *resource = fixture_resource;
    struct loop loop;
    loop_open(&loop, state->contract->engine, state->store);
    struct uuid ann = make_user(&loop, "ann");
    struct item item = {0};
    for (int64_t i = 0; i < 5; i++)
        item = make_item(&loop, ann, (unsigned)i, TEST_NOW + i);
    const void *found = NULL;
    assert_int_equal(get_item(&loop, ann, item.id, &found), ERROR_NONE);

    unsigned shapes = 0;
    for (unsigned i = 0; i < 2 * 16 * resource->count; i++) {
        const unsigned bits = i % 16;
        struct counted_list list = {.op = list_of(ann)};
        struct store_order *order = &list.op.orders[0];
        order->field = &resource->fields[i / 16 % resource->count];
        if (!(order->field->flags & FIELD_SORTABLE))
            continue;
        order->descending = bits & 1;
        list.op.after = bits >> 1 & 1;
        list.op.with_total = bits >> 2 & 1;
        list.op.term_count = bits >> 3 & 1;
        list.op.terms[0] = (struct store_term){.field = resource->counted, .choices = 1};
        list.op.position =
            (struct store_position){.keys = {field_get(order->field, found)}, .id = item.id};
        assert_int_equal(LOOP_CALL(&loop, item_list, &list.op), ERROR_NONE);
        assert_int_equal(list.op.total, list.op.term_count > 0 ? 2 : 5);
        if (!list.op.after)
            assert_int_equal(list.rows, list.op.total);
        shapes++;
    }
    assert_true(shapes > 2 * LINK_SHAPES_MOST);
    loop_close(&loop);
}

/* ---- the keeper ---- */

static void await(const char *sql, int64_t wanted)
{
    for (unsigned tries = 0; number(sql) != wanted; tries++) {
        if (tries == 2000)
            fail_msg("%s: %lld and not %lld", sql, (long long)number(sql), (long long)wanted);
        (void)poll(NULL, 0, 10);
    }
}

static struct store *open_again(struct contract_state *state)
{
    char why[256];
    struct store *store = state->contract->engine->open(&state->options, why, sizeof why);
    if (!store)
        fail_msg("%s", why);
    return store;
}

static struct buffer recount_text; /* made before anything can fail */

static void recount(void)
{
    run_inside(recount_text.data);
}

/* Of many spaces; of one that has more than leaves in one step, only what stands before the first
 * change that is young. */
static void test_the_journal_forgets_from_its_low_end(void **pointer)
{
    struct contract_state *state = *pointer;
    struct loop loop;
    loop_open(&loop, state->contract->engine, state->store);
    struct uuid ann = make_user(&loop, "ann");
    loop_close(&loop);
    state->contract->engine->close(&state->store);
    (void)ann;
    run_inside("INSERT INTO journal (space_id, revision, at, id, kind, verb, before) "
               "SELECT space_id, i, CASE i WHEN 500 THEN 4102444800000 ELSE 0 END, space_id, 1, 3, "
               "'{\"title\":\"x\"}' FROM spaces, generate_series(1, 600) i");
    run_inside("INSERT INTO spaces (space_id, owner_id, revision) SELECT gen_random_uuid(), "
               "gen_random_uuid(), 1 FROM generate_series(1, 2500)");
    run_inside("INSERT INTO journal (space_id, revision, at, id, kind, verb) "
               "SELECT space_id, 1, 0, space_id, 1, 1 FROM spaces WHERE revision = 1");
    run_inside("UPDATE spaces SET revision = 600 WHERE revision = 0");
    recount();

    state->store = open_again(state);
    await("SELECT count(*) FROM journal", 101);
    assert_int_equal(number("SELECT min(revision) FROM journal"), 500);
    assert_int_equal(number("SELECT forgotten FROM spaces WHERE revision = 600"), 499);
    assert_int_equal(number("SELECT count(*) FROM spaces WHERE forgotten = 1"), 2500);
    assert_int_equal(number(state->contract->drift), 0);
}

/* What ann's space holds, by the hundred. */
static void fill_space(void)
{
    run_inside("INSERT INTO tasks (space_id, id, created_at, updated_at, revision, status, title) "
               "SELECT space_id, gen_random_uuid(), i, i, i, 0, 'x' FROM spaces, "
               "generate_series(1, 700) i");
    run_inside("INSERT INTO journal (space_id, revision, at, id, kind, verb) "
               "SELECT space_id, i, 4102444800000, space_id, 1, 1 FROM spaces, "
               "generate_series(1, 700) i");
    run_inside("INSERT INTO idempotency_keys (space_id, key, fingerprint, used_at, outcome, id, "
               "revision) SELECT space_id, i::text, '', 4102444800000, 3, space_id, 1 "
               "FROM spaces, generate_series(1, 300) i");
    recount();
}

#define LEFT                                                                                       \
    "SELECT (SELECT count(*) FROM tasks) + (SELECT count(*) FROM journal) + "                      \
    "(SELECT count(*) FROM idempotency_keys) + "                                                   \
    "(SELECT count(*) FROM users WHERE deleted_at IS NOT NULL)"

/* Nobody sees the account from then on, and its address is free; what it left goes in small steps,
 * which two nodes make side by side, and after a restart too. */
static void test_what_deleted_accounts_left_goes(void **pointer)
{
    struct contract_state *state = *pointer;
    struct loop loop;
    run_inside("CREATE TABLE steps (kind text, rows bigint)");
    run_inside("CREATE FUNCTION note_step() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
               "INSERT INTO steps SELECT TG_TABLE_NAME, count(*) FROM gone; RETURN NULL; END $$");
    run_inside("CREATE TRIGGER note_step AFTER DELETE ON tasks REFERENCING OLD TABLE AS gone "
               "FOR EACH STATEMENT EXECUTE FUNCTION note_step()");
    struct store *other = open_again(state);
    for (unsigned restart = 0; restart < 2; restart++) {
        loop_open(&loop, state->contract->engine, state->store);
        struct store_user_delete gone = {.id = make_user(&loop, "ann"), .verified_hash = TEST_HASH};
        fill_space();
        if (restart)
            state->contract->engine->close(&other);
        assert_int_equal(LOOP_CALL(&loop, user_delete, &gone), ERROR_NONE);
        struct store_user_get get = {.id = gone.id};
        assert_int_equal(LOOP_CALL(&loop, user_get, &get), ERROR_NOT_FOUND);
        struct uuid again = make_user(&loop, "ann");
        assert_int_equal(make_item(&loop, again, 0, TEST_NOW).revision, 1);
        loop_close(&loop);
        if (restart) {
            state->contract->engine->close(&state->store);
            state->store = open_again(state);
        }
        await(LEFT, 2); /* the new account's item and change */
        assert_int_equal(number("SELECT count(*) FROM users"), 1);
        assert_int_equal(number("SELECT count(*) FROM spaces"), 1);
        run_inside("TRUNCATE tasks, journal, spaces, emails, users CASCADE");
    }
    assert_int_equal(number("SELECT sum(rows) FROM steps"), 1400);
    assert_true(number("SELECT max(rows) FROM steps") <= RETENTION_PURGE_ROWS);
}

/* ---- the schema ---- */

/* Tables of a program from before the first release are left as they are. */
static void test_the_old_form_is_refused(void **pointer)
{
    struct contract_state *state = *pointer;
    state->contract->engine->close(&state->store);
    run_inside("DROP TABLE spaces");
    char why[512] = "";
    assert_null(state->contract->engine->open(&state->options, why, sizeof why));
    assert_non_null(strstr(why, "`taskhold export FILE`"));
    assert_non_null(strstr(why, "`taskhold import FILE --database URL`"));
    assert_null(strchr(why, '\n'));
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
        CONTRACT_TEST(test_every_shape_of_a_list),
        CONTRACT_TEST(test_the_journal_forgets_from_its_low_end),
        CONTRACT_TEST(test_what_deleted_accounts_left_goes),
        CONTRACT_TEST(test_the_old_form_is_refused),
    };
    const struct CMUnitTest always[] = {
        CONTRACT_TEST(test_a_read_that_fails_is_alone),
        CONTRACT_TEST(test_connections_that_end),
        CONTRACT_TEST(test_a_create_while_its_user_goes),
        CONTRACT_TEST(test_every_shape_of_a_list),
        CONTRACT_TEST(test_what_deleted_accounts_left_goes),
    };
    if (unprepared)
        return cmocka_run_group_tests_name("store: PostgreSQL, unprepared", always, NULL, NULL);
    return cmocka_run_group_tests_name("store: PostgreSQL", tests, NULL, NULL);
}

int main(void)
{
    const char *prepared = getenv("TASKHOLD_TEST_PREPARED");
    struct buffer drift;
    server = getenv("TASKHOLD_TEST_POSTGRES");
    if (!server) {
        puts("SKIPPED: TASKHOLD_TEST_POSTGRES names no server; tests/with-postgres starts one");
        return SKIPPED;
    }
    contract_make_drift(&drift, SQL_POSTGRES);
    buffer_init(&recount_text, 16384);
    sql_recount(&recount_text, SQL_POSTGRES);
    buffer_add_char(&recount_text, '\0');
    struct store_contract contract = {
        .engine = &postgres_engine,
        .make_database = make_database,
        .drop_database = drop_database,
        .number = number,
        .drift = drift.data,
        .unprepared = prepared && strcmp(prepared, "off") == 0,
    };
    int failed = store_contract_run(&contract) + run_own_tests(contract.unprepared);
    contract.resource = &list_resource;
    failed += store_contract_run(&contract);
    buffer_finish(&recount_text);
    buffer_finish(&drift);
    return failed;
}
