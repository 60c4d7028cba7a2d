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
#include "base/owner.h"
#include "base/thread.h"
#include "store/decision.h"
#include "store/postgres/migrate.h"
#include "store/postgres/sql.h"
#include "store/postgres/translate.h"
#include "store/retention.h"

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

#define KEEPER_MAGIC 0xe3580f7cu

struct keeper {
    unsigned magic; /* KEEPER_MAGIC */
    struct connect_options connect;
    struct store_options options;
    int64_t keep_ms; /* how long changes are kept */
    struct news *news;
    pthread_t thread;
    int wake; /* readable: end */
    atomic_bool stopping;
    atomic_uint health;

    /* The thread's own: */
    PGconn *connection;
    int64_t ping_at_ms; /* of the monotonic clock, as the next */
    int64_t purge_at_ms;
    bool clock_is_off;
    bool removal_is_due;       /* there are deleted accounts */
    struct uuid journal_after; /* the space up to which the journal was looked through */
    int64_t journal_at_ms;     /* when to begin again */
};

static void lose(struct keeper *keeper)
{
    PQfinish(keeper->connection);
    keeper->connection = NULL;
    atomic_store(&keeper->health, 0);
}

/* ---- what other nodes ended and committed ---- */

static void hear(struct keeper *keeper)
{
    const struct store_options *options = &keeper->options;
    for (PGnotify *said = PQnotifies(keeper->connection); said;
         said = PQnotifies(keeper->connection)) {
        struct uuid user;
        if (strcmp(said->relname, KEEPER_CHANNEL) == 0 && options->sessions_ended &&
            uuid_parse(slice_of(said->extra), &user))
            options->sessions_ended(options->context, user);
        else if (strcmp(said->relname, NEWS_CHANNEL) == 0)
            news_hear(keeper->news, slice_of(said->extra));
        PQfreemem(said);
    }
}

/* ---- is it well? ---- */

/* Compares the clocks, the database's as it was read after `asked_ms` and within `took_ms`; false:
 * they are too far from each other, which is logged once. */
static bool is_on_time(struct keeper *keeper, const PGresult *result, int64_t asked_ms,
                       int64_t took_ms)
{
    const int64_t theirs_ms = strtoll(PQgetvalue(result, 0, 2), NULL, 10);
    const int64_t answered_ms = clock_wall_ms();
    /* How far this machine's clock is ahead, when the database's was read at some moment between
     * the two. */
    const int64_t ahead = asked_ms > theirs_ms      ? asked_ms - theirs_ms
                          : answered_ms < theirs_ms ? answered_ms - theirs_ms
                                                    : 0;
    const bool good = llabs(ahead) <= CLOCK_MOST_MS;

    clock_steady_tell(theirs_ms, took_ms);
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
        "'on'), (extract(epoch FROM clock_timestamp()) * 1000)::bigint, "
        "EXISTS (SELECT FROM users WHERE deleted_at IS NOT NULL), "
        "EXISTS (SELECT FROM spaces WHERE emptied > 0) FROM taskhold_schema";
    const int64_t asked_ms = clock_wall_ms();
    const int64_t began_ms = clock_mono_ms();
    PGresult *result =
        connect_ask(keeper->connection, statement, NULL, 0, PING_MOST_MS, keeper->wake);
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const bool lost = !result || (state && translate(state).discard);
    unsigned health = REACHABLE; /* it answers, though the table may not be as it should be */
    if (!lost && PQntuples(result) == 1) {
        const long version = strtol(PQgetvalue(result, 0, 0), NULL, 10);
        /* A newer program may have changed the schema while this one runs on. */
        health |= version >= migrate_postgres_head() ? MIGRATED : 0;
        health |= strcmp(PQgetvalue(result, 0, 1), "t") == 0 ? WRITABLE : 0;
        health |=
            is_on_time(keeper, result, asked_ms, clock_mono_ms() - began_ms + 1) ? ON_TIME : 0;
        if ((health & WRITABLE) != 0)
            keeper->removal_is_due = strcmp(PQgetvalue(result, 0, 3), "t") == 0 ||
                                     strcmp(PQgetvalue(result, 0, 4), "t") == 0;
    }
    PQclear(result);
    if (!lost)
        atomic_store(&keeper->health, health);
    keeper->ping_at_ms = clock_mono_ms() + PING_EVERY_MS;
    /* One that was the primary and is none now is left for the one that is. */
    return !lost && ((health & WRITABLE) != 0 || (health & MIGRATED) == 0);
}

/* ---- what has expired ---- */

/* Of every purge: $1 how old what goes is, $2 how many rows, $3 clock_steady_ms. Old is what is so
 * by the database's clock too, and not when that was stepped forward. */
#define BEFORE "(least((extract(epoch FROM statement_timestamp()) * 1000)::bigint, $3) - $1)"

/* Only one node at a time deletes: the one with the lock, whose number is that of migrations and
 * one. Rows that are in use are left for the next time. */
#define I_PURGE "(SELECT pg_try_advisory_xact_lock(" LOCK_PURGE "))"

/* One batch of the oldest rows that count in no usage. */
#define PURGE(table, owner, key, time)                                                             \
    "WITH old AS MATERIALIZED (SELECT " owner ", " key " FROM " table " WHERE " time " < " BEFORE  \
    " AND " I_PURGE " ORDER BY " time " LIMIT $2 FOR UPDATE SKIP LOCKED), "                        \
    "gone AS (DELETE FROM " table " USING old WHERE " table "." owner " = old." owner              \
    " AND " table "." key " = old." key " RETURNING 1) SELECT count(*) FROM gone"

/* Rows that do count, $4 bytes each above their texts. Writes lock the space first and then such a
 * row, in the order of spaces; so do these, and leave those alone that are being written. */
#define LOCK_SPACES                                                                                \
    "locked AS MATERIALIZED (SELECT space_id FROM spaces WHERE space_id IN (SELECT space_id "      \
    "FROM old) ORDER BY space_id FOR NO KEY UPDATE SKIP LOCKED), "
#define GIVE_BACK                                                                                  \
    "given AS (UPDATE spaces SET bytes = spaces.bytes - g.bytes, "                                 \
    "forgotten = greatest(forgotten, g.revision) FROM (SELECT space_id, sum(bytes) AS bytes, "     \
    "max(revision) AS revision FROM gone GROUP BY space_id) g "                                    \
    "WHERE spaces.space_id = g.space_id) "

static const char purge_keys[] =
    "WITH old AS MATERIALIZED (SELECT space_id, key FROM idempotency_keys WHERE used_at < " BEFORE
    " AND " I_PURGE " ORDER BY used_at LIMIT $2), " LOCK_SPACES
    "gone AS (DELETE FROM idempotency_keys k USING old JOIN locked USING (space_id) "
    "WHERE k.space_id = old.space_id AND k.key = old.key AND k.used_at < " BEFORE
    " RETURNING k.space_id, 0 AS revision, "
    "$4 + octet_length(k.key) + coalesce(octet_length(k.body), 0) AS bytes), " GIVE_BACK
    "SELECT count(*) FROM gone";

/* The journal has no index by age: it is looked through space by space ($6 of them, after $5), at
 * its low end. So what a space has forgotten is always a whole beginning. Answers also how many
 * spaces were looked at, and the last of them. */
#define JOURNAL_SPACES 1000
#define LOWEST         " FROM journal j WHERE j.space_id = l.space_id "
static const char purge_journal[] =
    "WITH seen AS MATERIALIZED (SELECT space_id FROM spaces WHERE space_id > $5 "
    "ORDER BY space_id LIMIT $6), "
    "old AS MATERIALIZED (SELECT l.space_id FROM seen l CROSS JOIN LATERAL (SELECT at" LOWEST
    "ORDER BY revision LIMIT 1) f WHERE f.at < " BEFORE " AND " I_PURGE "), " LOCK_SPACES
    "low AS MATERIALIZED (SELECT l.space_id, f.revision FROM locked l CROSS JOIN LATERAL "
    "(SELECT revision" LOWEST "AND revision < coalesce((SELECT revision FROM (SELECT revision, "
    "at" LOWEST "ORDER BY revision LIMIT $2) young WHERE at >= " BEFORE
    " ORDER BY revision LIMIT 1), 9223372036854775807) ORDER BY revision LIMIT $2) f "
    "ORDER BY l.space_id, f.revision LIMIT $2), "
    "gone AS (DELETE FROM journal j USING low WHERE j.space_id = low.space_id "
    "AND j.revision = low.revision RETURNING j.space_id, j.revision, "
    "$4 + coalesce(octet_length(j.before), 0) AS bytes), "
    "trashed AS (DELETE FROM trash t USING low WHERE t.space_id = low.space_id "
    "AND t.revision = low.revision), " GIVE_BACK
    "SELECT (SELECT count(*) FROM gone), (SELECT count(*) FROM seen), "
    "(SELECT space_id FROM seen ORDER BY space_id DESC LIMIT 1)";

#define KEEP (-1)
static const struct purge {
    const char *statement;
    unsigned params;
    int64_t age_ms; /* KEEP: as long as changes are kept */
    int64_t row_bytes;
} purges[] = {
    {purge_keys, 4, RETENTION_KEY_MS, SPACE_KEY_BYTES},
    {PURGE("sessions", "user_id", "id", "expires_at"), 3, 0, 0},
    {PURGE("script_tokens", "user_id", "id", "expires_at"), 3, 0, 0},
    {PURGE("invitations", "hash", "expires_at", "expires_at"), 3, 0, 0},
    {PURGE("actors", "user_id", "id", "ended_at"), 3, KEEP, 0},
    {purge_journal, 6, KEEP, SPACE_CHANGE_BYTES},
};

static void log_failure(const struct keeper *keeper, const char *what)
{
    char why[256];
    connect_reason(keeper->connection, why, sizeof why);
    log_message(LOG_WARN, "purge_failed", "%s: %s", what, why);
}

/* Deletes one batch. False: it failed, `*more` false; else whether there may be more. */
static bool purge(struct keeper *keeper, const struct purge *purge, bool *more)
{
    const int64_t age_ms = purge->age_ms == KEEP ? keeper->keep_ms : purge->age_ms;
    const struct sql_value values[] = {
        SQL_I64(age_ms),           SQL_I64(RETENTION_PURGE_ROWS),    SQL_I64(clock_steady_ms()),
        SQL_I64(purge->row_bytes), SQL_UUID(&keeper->journal_after), SQL_I64(JOURNAL_SPACES)};
    PGresult *result = connect_ask(keeper->connection, purge->statement, values, purge->params,
                                   keeper->connect.timeout_ms, keeper->wake);
    const bool done = PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1;
    *more = done && strtol(PQgetvalue(result, 0, 0), NULL, 10) >= RETENTION_PURGE_ROWS;
    /* There may be more in these spaces, or in those after them. */
    if (done && !*more && purge->statement == purge_journal) {
        *more = strtol(PQgetvalue(result, 0, 1), NULL, 10) >= JOURNAL_SPACES &&
                uuid_parse(slice_of(PQgetvalue(result, 0, 2)), &keeper->journal_after);
        if (!*more) {
            keeper->journal_after = (struct uuid){0};
            keeper->journal_at_ms = clock_mono_ms() + retention_look_ms(keeper->keep_ms);
        }
    }
    if (result && !done)
        log_failure(keeper, "expired rows stay for now");
    PQclear(result);
    return result != NULL;
}

/* Small steps, so that whoever rings is heard between them. */
static bool purge_step(struct keeper *keeper)
{
    bool any = false;
    for (size_t i = 0; i < sizeof purges / sizeof purges[0]; i++) {
        bool more = false;
        if (purges[i].statement == purge_journal && clock_mono_ms() < keeper->journal_at_ms)
            continue;
        if (!purge(keeper, &purges[i], &more))
            return false;
        any = any || more;
    }
    if (!any)
        keeper->purge_at_ms = clock_mono_ms() + retention_look_ms(keeper->keep_ms);
    return true;
}

/* ---- what deleted accounts left ---- */

/* Runs a statement of sql.h. False: it failed. `*rows`: that it answered or changed. */
static bool run_statement(struct keeper *keeper, unsigned sql, const struct uuid *user,
                          int64_t most, int64_t *rows, struct uuid *found)
{
    const struct sql_text *statement = sql_text(sql);
    const struct sql_value values[] = {SQL_UUID(user), SQL_I64(most)};
    PGresult *result =
        connect_ask(keeper->connection, statement->text, values, (unsigned)strlen(statement->types),
                    keeper->connect.timeout_ms, keeper->wake);
    const ExecStatusType status = PQresultStatus(result);
    const bool done = status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK;
    *rows = done ? strtoll(PQcmdTuples(result), NULL, 10) : 0;
    if (done && found && *rows > 0 && !uuid_parse(slice_of(PQgetvalue(result, 0, 0)), found))
        *rows = 0;
    PQclear(result);
    return done;
}

/* The same of a trash that was emptied: at most RETENTION_PURGE_ROWS tasks of it, in the
 * transaction that is open. `*found`: there was one. */
static bool remove_emptied(struct keeper *keeper, bool *found)
{
    static const struct uuid nobody;
    static const unsigned steps[] = {SQL_EMPTIED_GIVE_BACK, SQL_EMPTIED_CHANGES,
                                     SQL_EMPTIED_ANSWERS, SQL_EMPTIED_TRASH};
    struct uuid space = nobody;
    int64_t rows = 0;
    bool done = run_statement(keeper, SQL_EMPTIED_LOCK, &nobody, 0, &rows, &space);
    *found = done && rows > 0;
    for (unsigned i = 0; *found && done && i < sizeof steps / sizeof steps[0]; i++)
        done = run_statement(keeper, steps[i], &space, RETENTION_PURGE_ROWS, &rows, NULL);
    if (*found && done && rows < RETENTION_PURGE_ROWS)
        done = run_statement(keeper, SQL_EMPTIED_END, &space, 0, &rows, NULL);
    return done;
}

/* One transaction: at most RETENTION_PURGE_ROWS rows of what the account's space held; then the
 * account. Its row is locked, so that of several nodes each removes what another account left. */
static bool removal_step(struct keeper *keeper)
{
    static const struct uuid nobody;
    static const unsigned others[] = {SQL_DELETED_TRASH, SQL_DELETED_JOURNAL, SQL_DELETED_KEYS};
    const unsigned count = resource_count + sizeof others / sizeof others[0];
    int64_t rows = 0;
    int64_t left = RETENTION_PURGE_ROWS;
    struct uuid user = nobody;
    bool done = run_statement(keeper, SQL_BEGIN, &nobody, 0, &rows, NULL) &&
                run_statement(keeper, SQL_DELETED_LOCK, &nobody, 0, &rows, &user);
    const bool deleted = done && rows > 0;
    keeper->removal_is_due = deleted;
    if (done && !deleted)
        done = remove_emptied(keeper, &keeper->removal_is_due);
    for (unsigned i = 0; deleted && done && left > 0 && i < count; i++) {
        const unsigned sql = i < resource_count ? SQL_OF_ITEM(resources[i], SQL_ITEM_REMOVE_SOME)
                                                : others[i - resource_count];
        done = run_statement(keeper, sql, &user, left, &rows, NULL);
        left -= rows;
    }
    if (deleted && done && left > 0)
        done = run_statement(keeper, SQL_DELETED_USER, &user, 0, &rows, NULL);
    done = done && run_statement(keeper, SQL_COMMIT, &nobody, 0, &rows, NULL);
    if (!done && PQstatus(keeper->connection) == CONNECTION_OK)
        log_failure(keeper, "what deleted accounts left stays for now");
    return done;
}

/* ---- the thread ---- */

/* What was told while nobody listened is not known. */
static void doubt(const struct keeper *keeper)
{
    if (keeper->options.doubted)
        keeper->options.doubted(keeper->options.context);
}

/* Waits for a notification, or until something is due, and does that. False: the connection was
 * lost. */
static bool serve(struct keeper *keeper)
{
    struct pollfd ready[] = {{PQsocket(keeper->connection), POLLIN, 0},
                             {keeper->wake, POLLIN, 0},
                             {news_descriptor(keeper->news), POLLIN, 0}};
    const int64_t told_ms = news_due_ms(keeper->news);
    int64_t due_ms =
        keeper->ping_at_ms < keeper->purge_at_ms ? keeper->ping_at_ms : keeper->purge_at_ms;
    due_ms = due_ms < told_ms ? due_ms : told_ms;
    const int64_t left_ms = keeper->removal_is_due ? 0 : due_ms - clock_mono_ms();
    if (left_ms > 0)
        (void)poll(ready, told_ms == INT64_MAX ? 3 : 2, (int)left_ms);
    if (PQconsumeInput(keeper->connection) != 1)
        return false;
    hear(keeper);
    if (clock_mono_ms() >= news_due_ms(keeper->news) &&
        !news_announce(keeper->news, keeper->connection, PING_MOST_MS, keeper->wake))
        return false;
    if (clock_mono_ms() >= keeper->ping_at_ms) {
        if (!news_ask(keeper->news, keeper->connection, PING_MOST_MS, keeper->wake) ||
            !ping(keeper))
            return false;
        hear(keeper);
        if (!news_is_heard(keeper->news))
            doubt(keeper); /* nobody can tell us */
    }
    if (keeper->removal_is_due && !removal_step(keeper))
        return false;
    if (clock_mono_ms() >= keeper->purge_at_ms && !purge_step(keeper))
        return false;
    hear(keeper);
    return true;
}

static bool listen_to(struct keeper *keeper, const char *statement)
{
    PGresult *result =
        connect_ask(keeper->connection, statement, NULL, 0, PING_MOST_MS, keeper->wake);
    const bool good = PQresultStatus(result) == PGRES_COMMAND_OK;
    PQclear(result);
    return good;
}

static void reconnect(struct keeper *keeper)
{
    char why[256];
    doubt(keeper);
    keeper->connection = connect_open(&keeper->connect, why, sizeof why);
    keeper->ping_at_ms = clock_mono_ms();
    bool good = keeper->connection;
    /* A pooler gives us another connection with each statement: to listen there is of no use. What
     * is remembered of sessions has a bound of its own. */
    if (good && keeper->connect.prepare) {
        good = listen_to(keeper, "LISTEN " KEEPER_CHANNEL) &&
               listen_to(keeper, "LISTEN " NEWS_CHANNEL);
    }
    if (good && ping(keeper)) {
        doubt(keeper);
        return;
    }
    lose(keeper);
    struct pollfd wake = {keeper->wake, POLLIN, 0};
    (void)poll(&wake, 1, RETRY_MS);
}

static void *run(void *argument)
{
    struct keeper *keeper = OWNER_CAST(argument, struct keeper, KEEPER_MAGIC);
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
                             const struct store_options *options, struct news *news)
{
    struct keeper *keeper = calloc(1, sizeof *keeper);
    if (!keeper)
        return NULL;
    OWNER_SET(keeper, KEEPER_MAGIC);
    keeper->connect = *connect;
    keeper->options = *options;
    keeper->keep_ms = retention_keep_ms(options->keep_seconds);
    keeper->news = news;
    keeper->purge_at_ms = keeper->journal_at_ms = clock_mono_ms();
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
