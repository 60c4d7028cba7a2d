// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "store/migrations.h"
#include "store/postgres/job.h"
#include "store/postgres/operations.h"
#include "store_fixture.h"

/* Each write runs here as if its connection had been lost at the COMMIT: once, and then once more
 * without knowing whether the first run was committed. Both are tried, and either way the answer
 * and the database must be those of one run. In the place of the session and its links stands a
 * machine that waits for each statement. */

#define SKIPPED 77 /* see test_store_postgres.c */

/* What becomes of the first run. */
enum fate {
    FATE_COMMITTED,
    FATE_LOST,
    FATE_COUNT,
};

static enum fate fate;
static const char *between; /* a statement of somebody else, after the first run */
static unsigned runs;       /* of the last write */
static bool told;           /* the last write ended sessions, it said */

struct store_session {
    PGconn *connection;
};

/* ---- the machine ---- */

static struct {
    PGresult *result;
    job_take *take;
} answers[JOB_STATEMENTS_MOST];
static unsigned answer_count;

static PGresult *ask_text(PGconn *connection, const char *text, const struct sql_value *values,
                          unsigned count)
{
    struct params p;
    params_init(&p, values, count);
    PGresult *result =
        PQexecParams(connection, text, p.count, p.types, p.values, p.lengths, params_formats, 1);
    if (PQresultStatus(result) != PGRES_TUPLES_OK && PQresultStatus(result) != PGRES_COMMAND_OK)
        fail_msg("%s: %s", text, PQresultErrorMessage(result));
    return result;
}

static void note_answer(PGresult *result, job_take *take)
{
    assert_in_range(answer_count, 0, JOB_STATEMENTS_MOST - 1);
    answers[answer_count].result = result;
    answers[answer_count++].take = take;
}

void job_send_values(struct job *job, unsigned sql, const struct sql_value *values, unsigned count,
                     job_take *take)
{
    const struct sql_text *row = sql_text(sql);
    assert_int_equal(strlen(row->types), count);
    for (unsigned i = 0; i < count; i++)
        assert_int_equal(row->types[i], values[i].type);
    note_answer(ask_text(job->op->session->connection, row->text, values, count), take);
}

void job_send_list(struct job *job, const struct store_item_list *op, job_take *take)
{
    struct sql_value values[SQL_LIST_PARAMS_MOST];
    struct buffer text;
    const unsigned count = sql_list_params(op, values);
    buffer_init(&text, 16384);
    sql_list(&text, op);
    buffer_add_char(&text, '\0');
    assert_false(text.failed);
    note_answer(ask_text(job->op->session->connection, text.data, values, count), take);
    buffer_finish(&text);
}

struct usage_limits job_limits(const struct job *job)
{
    (void)job;
    return usage_limits_of(0, 0);
}

unsigned job_room(const struct job *job)
{
    (void)job;
    return JOB_STATEMENTS_MOST - answer_count;
}

struct arena *job_scratch(struct job *job, size_t most)
{
    arena_destroy(&job->scratch);
    job->scratch = arena_create(most);
    return job->scratch;
}

struct zones *job_zones(const struct job *job)
{
    (void)job;
    return NULL;
}

void job_fail(struct job *job, enum error error)
{
    fail_msg("error %d of %p", (int)error, (void *)job);
}

void job_end_sessions(struct job *job, const struct uuid *user)
{
    job_send(job, SQL_SESSIONS_ENDED, NULL, SQL_UUID(user));
    told = true;
}

static void clear_answers(void)
{
    while (answer_count > 0)
        PQclear(answers[--answer_count].result);
}

static void run_rounds(struct job *job)
{
    bool more = true;
    memset((char *)job + sizeof *job, 0, job->work->size - sizeof *job);
    job->op->result = ERROR_NONE;
    for (unsigned round = 0; more; round++) {
        clear_answers();
        more = job->work->step(job, round);
        for (unsigned i = 0; i < answer_count; i++) {
            if (answers[i].take)
                answers[i].take(job, answers[i].result);
        }
    }
}

static void run_write(struct job *job, unsigned end)
{
    PGconn *connection = job->op->session->connection;
    told = false;
    runs++;
    PQclear(ask_text(connection, sql_text(SQL_BEGIN)->text, NULL, 0));
    run_rounds(job);
    clear_answers();
    arena_destroy(&job->scratch);
    PQclear(ask_text(connection, sql_text(end)->text, NULL, 0));
}

static void run_twice(struct job *job)
{
    runs = 0;
    run_write(job, fate == FATE_COMMITTED ? SQL_COMMIT : SQL_ROLLBACK);
    if (between)
        PQclear(PQexec(job->op->session->connection, between));
    if (job->work->repeatable && !job->work->repeatable(job))
        return;
    job->uncertain = true;
    job->lane = LANE_ALONE;
    run_write(job, SQL_COMMIT);
}

void job_start(struct store_op *op, const struct work *work, const struct uuid *space)
{
    struct job *job = arena_alloc(op->arena, work->size);
    assert_non_null(job);
    job->work = work;
    job->op = op;
    job->lane = work->lane;
    if (space)
        job->space = *space;
    if (work->lane == LANE_READ)
        run_rounds(job);
    else
        run_twice(job);
    op->done(op);
    clear_answers();
}

static void turn_end(struct store_session *session)
{
    (void)session;
}

static const struct store_engine engine = {
    .turn_end = turn_end,
    .user_by_email = pg_user_by_email,
    .session_check = pg_session_check,
    .item_get = pg_item_get,
    .item_list = pg_item_list,
    .item_write = pg_item_write,
    .user_create = pg_user_create,
    .user_set_profile = pg_user_set_profile,
    .user_set_password = pg_user_set_password,
    .user_set_email = pg_user_set_email,
    .user_delete = pg_user_delete,
    .user_govern = pg_user_govern,
    .session_create = pg_session_create,
    .session_refresh = pg_session_refresh,
    .session_end = pg_session_end,
    .script_token_check = pg_script_token_check,
    .script_token_create = pg_script_token_create,
    .script_token_end = pg_script_token_end,
};

/* ---- what the tests look at ---- */

#define OTHER_HASH SLICE("$argon2id$v=19$m=19456,t=2,p=1$b3RoZXJvdGhlcm90aGVy$b3RoZXJvdGhlcg")

static struct loop loop;

static struct user find(const char *email)
{
    struct store_user_by_email op = {.email = slice_of(email)};
    assert_int_equal(LOOP_CALL(&loop, user_by_email, &op), ERROR_NONE);
    return op.user;
}

static enum error look_for(const char *email)
{
    struct store_user_by_email op = {.email = slice_of(email)};
    return LOOP_CALL(&loop, user_by_email, &op);
}

static enum error check(struct uuid user, struct uuid session)
{
    struct store_session_check op = {.user = user, .id = session, .now = TEST_NOW};
    return LOOP_CALL(&loop, session_check, &op);
}

static bool ignore(struct store_item_list *op, const void *row)
{
    (void)op;
    (void)row;
    return true;
}

static void assert_items(struct uuid space, int64_t revision, int64_t total)
{
    struct store_item_list op = {
        .resource = fixture_resource,
        .space = space,
        .orders = {{.field = resource_field(fixture_resource, SLICE("created_at"))}},
        .order_count = 1,
        .limit = 1,
        .each = ignore};
    assert_int_equal(LOOP_CALL(&loop, item_list, &op), ERROR_NONE);
    assert_int_equal(op.revision, revision);
    assert_int_equal(op.total, total);
}

/* A user of one letter, whom no other test has. */
static struct uuid fresh_user(void)
{
    static unsigned made;
    char name[16];
    (void)snprintf(name, sizeof name, "user-%u", ++made);
    return make_user(&loop, name);
}

static struct session fresh_session(struct uuid user)
{
    struct store_session_create op = session_of(user, "::1", TEST_NOW);
    assert_int_equal(LOOP_CALL(&loop, session_create, &op), ERROR_NONE);
    return op.session;
}

/* ---- items ---- */

static void test_create(void **state)
{
    (void)state;
    struct uuid ann = fresh_user();
    struct write write = write_of(STORE_CREATE, ann, uuid_make_v7(), TEST_NOW);
    assert_int_equal(write_run(&loop, &write), ERROR_NONE);
    assert_int_equal(write.op.outcome, STORE_CREATED);
    assert_int_equal(write.op.revision, 1);
    const struct item *item = write.op.item;
    assert_int_equal(item->revision, 1);
    assert_int_equal(resource_differ(fixture_resource, item, &write.values) & write.op.set, 0);
    assert_false(write.op.replayed);
    assert_int_equal(runs, 2);
    assert_items(ann, 1, 1);
}

/* Somebody had time to delete the new item: nobody can say whether it had been there. */
static void test_create_and_deleted(void **state)
{
    (void)state;
    struct uuid ann = fresh_user();
    struct write write = write_of(STORE_CREATE, ann, uuid_make_v7(), TEST_NOW);
    between = "WITH t AS (DELETE FROM tasks RETURNING space_id, id), "
              "s AS (UPDATE spaces SET tasks_pending = 0, tasks_in_progress = 0, "
              "tasks_completed = 0 FROM t WHERE spaces.space_id = t.space_id) "
              "INSERT INTO journal (space_id, revision, at, id, kind, verb) "
              "SELECT space_id, 2, 0, id, 1, 4 FROM t";
    const enum error result = write_run(&loop, &write);
    between = NULL;
    assert_int_equal(result, fate == FATE_COMMITTED ? ERROR_OUTCOME_UNKNOWN : ERROR_NONE);
    assert_items(ann, 1, fate == FATE_COMMITTED ? 0 : 1);
}

/* With a key every verb can be run again, and its answer is the first one. */
static void test_with_a_key(void **state)
{
    (void)state;
    struct uuid ann = fresh_user();
    struct uuid id = uuid_make_v7();
    static const struct {
        enum store_verb verb;
        enum store_outcome outcome;
        int64_t total;
    } steps[] = {
        {STORE_REPLACE, STORE_CREATED, 1}, {STORE_UPDATE, STORE_UPDATED, 1},
        {STORE_REPLACE, STORE_UPDATED, 1}, {STORE_DELETE, STORE_DELETED, 0},
        {STORE_CREATE, STORE_CREATED, 1},
    };
    for (unsigned i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        struct write write = write_of(steps[i].verb, ann, id, TEST_NOW + (int64_t)i);
        char text[] = "key-0";
        text[4] = (char)('0' + i);
        write.op.idempotency.key = slice_of(text);
        if (steps[i].verb != STORE_DELETE)
            sample_item(&write.values, i);
        assert_int_equal(write_run(&loop, &write), ERROR_NONE);
        assert_int_equal(write.op.outcome, steps[i].outcome);
        assert_int_equal(write.op.revision, i + 1);
        assert_true(uuid_eq(write.op.item_id, id));
        assert_int_equal(write.op.body.ptr != NULL, steps[i].outcome != STORE_DELETED);
        assert_false(write.op.replayed);
        assert_int_equal(runs, 2);
        assert_items(ann, (int64_t)i + 1, steps[i].total);
    }
}

/* Without one nothing would tell the own change from another's. */
static void test_without_a_key(void **state)
{
    (void)state;
    static const enum store_verb verbs[] = {STORE_REPLACE, STORE_UPDATE, STORE_DELETE};
    struct uuid ann = fresh_user();
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        struct write write = write_of(verbs[i], ann, uuid_make_v7(), TEST_NOW);
        assert_int_equal(write_run(&loop, &write), ERROR_NONE);
        assert_int_equal(runs, 1);
    }
}

/* ---- accounts ---- */

static void test_user_create(void **state)
{
    (void)state;
    char email[] = "Created0@example.org";
    email[7] = (char)('0' + fate);
    struct store_user_create op = {.user = {.id = uuid_make_v7(),
                                            .email = slice_of(email),
                                            .password_hash = TEST_HASH,
                                            .created_at = TEST_NOW,
                                            .updated_at = TEST_NOW}};
    assert_int_equal(LOOP_CALL(&loop, user_create, &op), ERROR_NONE);
    assert_true(uuid_eq(find(email).id, op.user.id));
    op.user.id = uuid_make_v7();
    assert_int_equal(LOOP_CALL(&loop, user_create, &op), ERROR_EMAIL_TAKEN);
}

static void test_user_changes(void **state)
{
    (void)state;
    struct uuid ann = fresh_user();
    char email[] = "Changed0@example.org";
    email[7] = (char)('0' + fate);
    struct store_user_set_profile name = {
        .id = ann, .sets_name = true, .name = SLICE("Ann"), .now = TEST_NOW + 1};
    assert_int_equal(LOOP_CALL(&loop, user_set_profile, &name), ERROR_NONE);
    struct store_user_set_profile zone = {
        .id = ann, .sets_time_zone = true, .time_zone = SLICE("Asia/Tokyo"), .now = TEST_NOW + 1};
    assert_int_equal(LOOP_CALL(&loop, user_set_profile, &zone), ERROR_NONE);
    assert_true(slice_eq(zone.user.name, SLICE("Ann")));
    assert_true(slice_eq(zone.user.time_zone, SLICE("Asia/Tokyo")));
    struct store_user_set_email move = {
        .id = ann, .verified_hash = TEST_HASH, .email = slice_of(email), .now = TEST_NOW + 2};
    assert_int_equal(LOOP_CALL(&loop, user_set_email, &move), ERROR_NONE);
    struct store_user_set_password hash = {
        .id = ann, .verified_hash = TEST_HASH, .hash = OTHER_HASH, .now = TEST_NOW + 3};
    assert_int_equal(LOOP_CALL(&loop, user_set_password, &hash), ERROR_NONE);
    assert_true(told);

    const struct user user = find(email);
    assert_true(slice_eq(user.name, SLICE("Ann")));
    assert_true(slice_eq(user.time_zone, SLICE("Asia/Tokyo")));
    assert_true(slice_eq(user.email, slice_of(email)));
    assert_true(slice_eq(user.password_hash, OTHER_HASH));
    assert_int_equal(user.updated_at, TEST_NOW + 3);
}

static void test_user_delete(void **state)
{
    (void)state;
    char email[] = "deleted0@example.org";
    email[7] = (char)('0' + fate);
    char name[] = "deleted0";
    name[7] = email[7];
    struct store_user_delete op = {.id = make_user(&loop, name), .verified_hash = TEST_HASH};
    assert_int_equal(LOOP_CALL(&loop, user_delete, &op), ERROR_NONE);
    assert_true(told);
    assert_int_equal(look_for(email), ERROR_NOT_FOUND);

    struct store_user_govern erase = {
        .verb = STORE_USER_ERASE, .id = make_user(&loop, name), .now = TEST_NOW};
    assert_int_equal(LOOP_CALL(&loop, user_govern, &erase), ERROR_NONE);
    assert_true(told);
    assert_true(slice_eq(erase.user.email, slice_of(email)));
    assert_int_equal(look_for(email), ERROR_NOT_FOUND);
    assert_int_equal(LOOP_CALL(&loop, user_govern, &erase), ERROR_NOT_FOUND);
}

/* ---- sessions ---- */

static void test_login_with_a_new_hash(void **state)
{
    (void)state;
    struct uuid ann = fresh_user();
    struct store_session_create op = session_of(ann, "::1", TEST_NOW);
    op.rehash = OTHER_HASH;
    assert_int_equal(LOOP_CALL(&loop, session_create, &op), ERROR_NONE);
    assert_int_equal(check(ann, op.session.id), ERROR_NONE);
    struct store_session_create old = session_of(ann, "::1", TEST_NOW);
    assert_int_equal(LOOP_CALL(&loop, session_create, &old), ERROR_INVALID_CREDENTIALS);
}

static struct store_session_refresh refresh_of(struct session session, int64_t counter)
{
    return (struct store_session_refresh){.id = session.id,
                                          .counter = counter,
                                          .now = TEST_NOW + counter,
                                          .ttl_ms = 1000,
                                          .lifetime_ms = 5000};
}

/* Even without a grace period the own rotation is no replay. */
static void test_refresh(void **state)
{
    (void)state;
    struct session session = fresh_session(fresh_user());
    for (int64_t counter = 1; counter <= 3; counter++) {
        struct store_session_refresh op = refresh_of(session, counter);
        assert_int_equal(LOOP_CALL(&loop, session_refresh, &op), ERROR_NONE);
        assert_int_equal(op.session.counter, counter + 1);
        assert_int_equal(op.session.expires_at, TEST_NOW + counter + 1000);
        assert_false(op.reuse);
    }
}

static void test_replay(void **state)
{
    (void)state;
    struct uuid ann = fresh_user();
    struct session session = fresh_session(ann);
    struct store_session_refresh op = refresh_of(session, -1);
    assert_int_equal(LOOP_CALL(&loop, session_refresh, &op), ERROR_INVALID_REFRESH_TOKEN);
    assert_true(op.reuse);
    assert_true(told);
    assert_int_equal(check(ann, session.id), ERROR_NOT_FOUND);
}

static void test_logout(void **state)
{
    (void)state;
    struct uuid ann = fresh_user();
    struct store_session_end op = {.user = ann, .id = fresh_session(ann).id};
    assert_int_equal(LOOP_CALL(&loop, session_end, &op), ERROR_NONE);
    assert_true(told);
    assert_int_equal(check(ann, op.id), ERROR_NOT_FOUND);
}

/* ---- tokens of scripts ---- */

static enum error check_token(const uint8_t *hash)
{
    struct store_script_token_check op = {.hash = hash, .now = TEST_NOW};
    return LOOP_CALL(&loop, script_token_check, &op);
}

/* The one that an earlier run made is no fifty-first. */
static void test_script_token(void **state)
{
    (void)state;
    struct uuid ann = fresh_user();
    uint8_t hash[STORE_SCRIPT_TOKEN_HASH_LEN] = {0};
    struct store_script_token_create op = {.hash = hash, .verified_hash = TEST_HASH};
    for (unsigned i = 0; i <= SCRIPT_TOKENS_MOST; i++) {
        hash[0] = (uint8_t)i;
        hash[1] = (uint8_t)fate;
        op.token = (struct script_token){.id = uuid_make_v7(),
                                         .user = ann,
                                         .scopes = SCOPE_TASKS_READ,
                                         .created_at = TEST_NOW,
                                         .name = SLICE("x")};
        const bool room = i < SCRIPT_TOKENS_MOST;
        assert_int_equal(LOOP_CALL(&loop, script_token_create, &op),
                         room ? ERROR_NONE : ERROR_TOO_MANY_TOKENS);
        assert_int_equal(check_token(hash), room ? ERROR_NONE : ERROR_NOT_FOUND);
        if (i == SCRIPT_TOKENS_MOST - 1) {
            struct store_script_token_end end = {.user = ann, .id = op.token.id};
            assert_int_equal(LOOP_CALL(&loop, script_token_end, &end), ERROR_NONE);
            assert_true(told);
            assert_int_equal(check_token(hash), ERROR_NOT_FOUND);
            op.token.id = uuid_make_v7();
            assert_int_equal(LOOP_CALL(&loop, script_token_create, &op), ERROR_NONE);
        }
    }
}

/* ---- the database ---- */

static struct store_session database;

static int open_database(void **state)
{
    (void)state;
    char url[512];
    (void)snprintf(url, sizeof url, "%s/postgres", getenv("TASKHOLD_TEST_POSTGRES"));
    database.connection = PQconnectdb(url);
    /* The tables are the connection's own and go with it. */
    PQclear(PQexec(database.connection, "CREATE TEMPORARY TABLE first (x bigint)"));
    PQclear(PQexec(database.connection, "SET search_path TO pg_temp"));
    for (size_t i = 0; i < postgres_migration_count; i++) {
        char *script =
            strndup((const char *)postgres_migrations[i].script, *postgres_migrations[i].len);
        assert_non_null(script);
        PGresult *result = PQexec(database.connection, script);
        if (PQresultStatus(result) != PGRES_COMMAND_OK)
            fail_msg("%s", PQerrorMessage(database.connection));
        PQclear(result);
        free(script);
    }
    loop = (struct loop){.engine = &engine, .session = &database};
    loop.arena = arena_create((size_t)1 << 22);
    return loop.arena ? 0 : -1;
}

static int close_database(void **state)
{
    (void)state;
    arena_destroy(&loop.arena);
    PQfinish(database.connection);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_create),      cmocka_unit_test(test_create_and_deleted),
        cmocka_unit_test(test_with_a_key),  cmocka_unit_test(test_without_a_key),
        cmocka_unit_test(test_user_create), cmocka_unit_test(test_user_changes),
        cmocka_unit_test(test_user_delete), cmocka_unit_test(test_login_with_a_new_hash),
        cmocka_unit_test(test_refresh),     cmocka_unit_test(test_replay),
        cmocka_unit_test(test_logout),      cmocka_unit_test(test_script_token),
    };
    int failed = 0;
    if (!getenv("TASKHOLD_TEST_POSTGRES")) {
        puts("SKIPPED: TASKHOLD_TEST_POSTGRES names no server; tests/with-postgres starts one");
        return SKIPPED;
    }
    assert_true(sql_init());
    for (fate = 0; fate < FATE_COUNT; fate++)
        failed += cmocka_run_group_tests(tests, open_database, close_database);
    return failed;
}
