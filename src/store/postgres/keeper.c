// SPDX-License-Identifier: MIT
#include "store/postgres/keeper.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"
#include "store/keeping.h"
#include "store/postgres/ask.h"
#include "store/postgres/locks.h"
#include "store/postgres/migrate.h"
#include "store/postgres/translate.h"
#include "store/usage.h"

#define PING_EVERY_MS 1000
#define PING_MOST_MS  2000 /* a server that needs longer is not there */
#define RETRY_MS      500

/* What a store_health says, as bits. */
#define REACHABLE 1U
#define MIGRATED  2U
#define WRITABLE  4U
#define ON_TIME   8U

/* Farther than this from the database's clock, a node is not ready. */
#define CLOCK_MOST_MS 30000

struct keeper {
    struct connect_options connect;
    struct store_options options;
    pthread_t thread;
    int wake; /* readable: end */
    atomic_bool stopping;
    atomic_uint health;

    /* The thread's own: */
    PGconn *connection;
    int64_t ping_at_ms; /* of the monotonic clock, as the next */
    int64_t purge_at_ms;
    bool clock_is_off;
};

static void lose(struct keeper *keeper)
{
    PQfinish(keeper->connection);
    keeper->connection = NULL;
    atomic_store(&keeper->health, 0);
}

/* ---- what other nodes ended ---- */

static void hear(struct keeper *keeper)
{
    const struct store_options *options = &keeper->options;
    for (PGnotify *said = PQnotifies(keeper->connection); said;
         said = PQnotifies(keeper->connection)) {
        struct uuid user;
        if (strcmp(said->relname, KEEPER_CHANNEL) == 0 && options->sessions_ended &&
            uuid_parse(slice_of(said->extra), &user))
            options->sessions_ended(options->context, user);
        PQfreemem(said);
    }
}

/* A pooler gives us another connection with each statement: to listen there is of no use. What is
 * remembered of sessions has a bound of its own. */
static bool begin_listening(struct keeper *keeper)
{
    if (!keeper->connect.prepare)
        return true;
    PGresult *result =
        ask(keeper->connection, "LISTEN " KEEPER_CHANNEL, NULL, PING_MOST_MS, keeper->wake);
    const bool listening = PQresultStatus(result) == PGRES_COMMAND_OK;
    PQclear(result);
    return listening;
}

/* ---- is it well? ---- */

static unsigned health_of(const PGresult *result)
{
    if (PQresultStatus(result) != PGRES_TUPLES_OK || PQntuples(result) != 1)
        return REACHABLE; /* it answers, and the table is not as it should be */
    const long version = strtol(PQgetvalue(result, 0, 0), NULL, 10);
    const bool writable = strcmp(PQgetvalue(result, 0, 1), "t") == 0;
    /* A newer program may have changed the schema while this one runs on. */
    return REACHABLE | (version >= migrate_postgres_head() ? MIGRATED : 0) |
           (writable ? WRITABLE : 0) | ON_TIME;
}

/* How far this machine's clock is ahead of the database's, when that answered at some moment
 * between the two. */
static int64_t ahead_ms(int64_t asked_ms, int64_t theirs_ms, int64_t answered_ms)
{
    return asked_ms > theirs_ms      ? asked_ms - theirs_ms
           : answered_ms < theirs_ms ? answered_ms - theirs_ms
                                     : 0;
}

/* Compares the clocks; false: they are too far from each other, which is logged once. */
static bool is_on_time(struct keeper *keeper, const PGresult *result, int64_t asked_ms)
{
    const int64_t theirs_ms = strtoll(PQgetvalue(result, 0, 2), NULL, 10);
    const int64_t ahead = ahead_ms(asked_ms, theirs_ms, clock_wall_ms());
    const bool good = llabs(ahead) <= CLOCK_MOST_MS;

    clock_steady_tell(theirs_ms);
    if (!good && !keeper->clock_is_off)
        log_message(LOG_ERROR, "clock_off",
                    "this machine's clock is %lld s %s the database's: not ready until they agree",
                    (long long)(llabs(ahead) / 1000), ahead > 0 ? "ahead of" : "behind");
    else if (good && keeper->clock_is_off)
        log_message(LOG_INFO, "clock_on_time", "the clocks agree again");
    keeper->clock_is_off = !good;
    return good;
}

/* False: the connection is of no use any more. */
static bool ping(struct keeper *keeper)
{
    static const char statement[] =
        "SELECT version, NOT (pg_is_in_recovery() OR current_setting('transaction_read_only') = "
        "'on'), (extract(epoch FROM clock_timestamp()) * 1000)::bigint FROM taskhold_schema";
    const int64_t asked_ms = clock_wall_ms();
    PGresult *result = ask(keeper->connection, statement, NULL, PING_MOST_MS, keeper->wake);
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const bool lost = !result || (state && translate(state).discard);
    unsigned health = lost ? 0 : health_of(result);
    if ((health & ON_TIME) != 0 && !is_on_time(keeper, result, asked_ms))
        health &= ~ON_TIME;
    PQclear(result);
    if (!lost)
        atomic_store(&keeper->health, health);
    keeper->ping_at_ms = clock_mono_ms() + PING_EVERY_MS;
    /* One that was the primary and is none now is left for the one that is. */
    return !lost && ((health & WRITABLE) != 0 || (health & MIGRATED) == 0);
}

/* ---- what has expired ---- */

/* Older than this: by the database's clock, and not when that was stepped forward; what is kept for
 * how long, and clock_steady_ms. */
#define BEFORE                                                                                     \
    "(least((extract(epoch FROM statement_timestamp()) * 1000)::bigint, $3::bigint) - $1::bigint)"

/* Only one node at a time deletes: the one with the lock, whose number is that of migrations and
 * one. Rows that are in use are left for the next time. */
#define I_PURGE "(SELECT pg_try_advisory_xact_lock(" LOCK_PURGE "))"
#define OLD(table, key, time)                                                                      \
    "WITH old AS MATERIALIZED (SELECT user_id, " key " FROM " table " WHERE " time " < " BEFORE    \
    " AND " I_PURGE " ORDER BY " time " LIMIT $2::bigint"

/* One batch of rows that count in no usage. */
#define PURGE(table, key, time)                                                                    \
    OLD(table, key, time)                                                                          \
    " FOR UPDATE SKIP LOCKED), gone AS (DELETE FROM " table " USING old WHERE " table              \
    ".user_id = old.user_id AND " table "." key " = old." key " RETURNING 1) "                     \
    "SELECT count(*) FROM gone"

/* One batch of rows that do, of `bytes` each. Writes lock the user first and then such a row, in
 * the order of users; so does this, and leaves those alone who are being written. */
#define PURGE_COUNTED(table, key, time, bytes)                                                     \
    OLD(table, key, time)                                                                          \
    "), locked AS MATERIALIZED (SELECT user_id FROM users WHERE user_id IN "                       \
    "(SELECT user_id FROM old) ORDER BY user_id FOR NO KEY UPDATE SKIP LOCKED), "                  \
    "gone AS (DELETE FROM " table " USING old JOIN locked ON locked.user_id = old.user_id "        \
    "WHERE " table ".user_id = old.user_id AND " table "." key " = old." key " AND " table         \
    "." time " < " BEFORE " RETURNING " table ".user_id, " bytes " AS bytes), "                    \
    "given AS (UPDATE users SET bytes = users.bytes - of_user.bytes FROM "                         \
    "(SELECT user_id, sum(bytes) AS bytes FROM gone GROUP BY user_id) of_user "                    \
    "WHERE users.user_id = of_user.user_id) SELECT count(*) FROM gone"

/* `key` stands in `old` as well. */
#define OCTETS_OF_KEY(text) "octet_length(idempotency_keys." text ")"

static const struct {
    const char *statement;
    int64_t age_ms;
} purges[] = {
    {PURGE_COUNTED("idempotency_keys", "key", "used_at", USAGE_SQL_KEY(OCTETS_OF_KEY)),
     KEEPING_KEY_MS},
    {PURGE_COUNTED("tombstones", "id", "deleted_at", USAGE_SQL_TOMBSTONE), KEEPING_TOMBSTONE_MS},
    {PURGE("sessions", "id", "expires_at"), 0},
    {"WITH old AS MATERIALIZED (SELECT hash FROM invitations WHERE expires_at < " BEFORE
     " AND " I_PURGE " ORDER BY expires_at LIMIT $2::bigint FOR UPDATE SKIP LOCKED), "
     "gone AS (DELETE FROM invitations USING old WHERE invitations.hash = old.hash RETURNING 1) "
     "SELECT count(*) FROM gone",
     0},
};

/* Deletes one batch. False: it failed, `*more` false; else whether there may be more. */
static bool purge(struct keeper *keeper, size_t which, bool *more)
{
    struct params params = {0};
    params_i64(&params, purges[which].age_ms);
    params_i64(&params, KEEPING_PURGE_ROWS);
    params_i64(&params, clock_steady_ms());
    PGresult *result = ask(keeper->connection, purges[which].statement, &params,
                           keeper->connect.timeout_ms, keeper->wake);
    const bool done = PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1;
    *more = done && strtol(PQgetvalue(result, 0, 0), NULL, 10) >= KEEPING_PURGE_ROWS;
    if (result && !done) {
        char why[256];
        connect_reason(keeper->connection, why, sizeof why);
        log_message(LOG_WARN, "purge_failed", "expired rows stay for now: %s", why);
    }
    PQclear(result);
    return result != NULL;
}

/* Small steps, so that whoever rings is heard between them. */
static bool purge_step(struct keeper *keeper)
{
    bool any = false;
    for (size_t i = 0; i < sizeof purges / sizeof purges[0]; i++) {
        bool more = false;
        if (!purge(keeper, i, &more))
            return false;
        any = any || more;
    }
    if (!any)
        keeper->purge_at_ms = clock_mono_ms() + KEEPING_PURGE_MS;
    return true;
}

/* ---- the thread ---- */

/* Waits for a notification, or until something is due. False: the connection was lost. */
static bool wait_for_input(struct keeper *keeper)
{
    struct pollfd ready[] = {{PQsocket(keeper->connection), POLLIN, 0}, {keeper->wake, POLLIN, 0}};
    const int64_t due_ms =
        keeper->ping_at_ms < keeper->purge_at_ms ? keeper->ping_at_ms : keeper->purge_at_ms;
    const int64_t left_ms = due_ms - clock_mono_ms();
    if (left_ms > 0)
        (void)poll(ready, 2, (int)left_ms);
    return PQconsumeInput(keeper->connection) == 1;
}

static bool serve(struct keeper *keeper)
{
    if (!wait_for_input(keeper))
        return false;
    hear(keeper);
    if (clock_mono_ms() >= keeper->ping_at_ms && !ping(keeper))
        return false;
    if (clock_mono_ms() >= keeper->purge_at_ms && !purge_step(keeper))
        return false;
    hear(keeper);
    return true;
}

static void reconnect(struct keeper *keeper)
{
    char why[256];
    keeper->connection = connect_open(&keeper->connect, why, sizeof why);
    keeper->ping_at_ms = clock_mono_ms();
    if (keeper->connection && begin_listening(keeper) && ping(keeper))
        return;
    lose(keeper);
    struct pollfd wake = {keeper->wake, POLLIN, 0};
    (void)poll(&wake, 1, RETRY_MS);
}

static void *run(void *argument)
{
    struct keeper *keeper = argument;
    while (!atomic_load(&keeper->stopping)) {
        if (!keeper->connection)
            reconnect(keeper);
        else if (!serve(keeper))
            lose(keeper);
    }
    lose(keeper);
    return NULL;
}

/* ---- the callers' side ---- */

struct keeper *keeper_create(const struct connect_options *connect,
                             const struct store_options *options)
{
    struct keeper *keeper = calloc(1, sizeof *keeper);
    if (!keeper)
        return NULL;
    keeper->connect = *connect;
    keeper->options = *options;
    keeper->purge_at_ms = clock_mono_ms();
    /* The store has just been opened. */
    atomic_init(&keeper->health, REACHABLE | MIGRATED | WRITABLE | ON_TIME);
    keeper->wake = eventfd(0, EFD_CLOEXEC);
    if (keeper->wake >= 0 && thread_start(&keeper->thread, "keeper", 0, run, keeper))
        return keeper;
    if (keeper->wake >= 0)
        close(keeper->wake);
    free(keeper);
    return NULL;
}

void keeper_destroy(struct keeper **keeper)
{
    struct keeper *k = *keeper;
    const uint64_t one = 1;
    if (!k)
        return;
    *keeper = NULL;
    atomic_store(&k->stopping, true);
    while (write(k->wake, &one, sizeof one) < 0) {
    }
    (void)pthread_join(k->thread, NULL);
    close(k->wake);
    free(k);
}

void keeper_health(const struct keeper *keeper, struct store_health *health)
{
    const unsigned found = atomic_load(&keeper->health);
    *health = (struct store_health){
        .reachable = (found & REACHABLE) != 0,
        .migrated = (found & MIGRATED) != 0,
        .writable = (found & WRITABLE) != 0,
        /* Unknown is no other reason. */
        .on_time = (found & (REACHABLE | ON_TIME)) != REACHABLE,
    };
}
