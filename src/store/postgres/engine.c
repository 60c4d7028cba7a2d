// SPDX-License-Identifier: MIT
#include "store/postgres/engine.h"

#include <assert.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/postgres/conninfo.h"
#include "store/postgres/migrate.h"
#include "store/postgres/operations.h"
#include "store/postgres/session.h"
#include "store/postgres/transfer_db.h"

#define POOL          4
#define TIMEOUT_MS    5000
#define QUEUE_MOST    4096
#define START_MOST_MS 30000 /* a database that starts beside us is waited for */
#define START_STEP_MS 500

static void engine_close(struct store **store)
{
    struct store *s = *store;
    if (!s)
        return;
    *store = NULL;
    keeper_destroy(&s->keeper);
    news_destroy(&s->news);
    connector_destroy(&s->connector);
    free(s->url);
    free(s);
}

/* The first connection. NULL: there is none to wait for any longer. */
static PGconn *connect_first(const struct store *store, char *why, size_t why_size)
{
    const int64_t until_ms = clock_mono_ms() + START_MOST_MS;
    struct connect_options options = store->connect;
    options.awaits_lock = true;
    bool told = false;
    for (;;) {
        PGconn *connection = connect_open(&options, why, why_size);
        if (connection || store->options.impatient || !connect_may_come(&store->connect) ||
            clock_mono_ms() > until_ms)
            return connection;
        if (!told)
            log_message(LOG_WARN, "database_awaited", "waiting for PostgreSQL: %s", why);
        told = true;
        (void)poll(NULL, 0, START_STEP_MS);
    }
}

static bool bring_to_head(struct store *store, char *why, size_t why_size)
{
    PGconn *connection = connect_first(store, why, why_size);
    PGresult *epoch = NULL;
    bool good = connection && migrate_postgres(connection, why, why_size);
    if (good && postgres_transfer_unfinished(connection)) {
        (void)snprintf(why, why_size, "%s", TABLE_UNFINISHED_WHY);
        good = false;
    }
    if (good) {
        epoch = PQexec(connection, store->options.new_epoch
                                       ? "UPDATE meta SET epoch = gen_random_uuid() RETURNING epoch"
                                       : "SELECT epoch FROM meta");
        good =
            PQntuples(epoch) == 1 && uuid_parse(slice_of(PQgetvalue(epoch, 0, 0)), &store->epoch);
        if (!good)
            (void)snprintf(why, why_size, "the epoch of the database cannot be read");
    }
    PQclear(epoch);
    if (good)
        store->connections_most = connect_share(connect_allowed(connection));
    PQfinish(connection);
    return good;
}

static struct store *engine_open(const struct store_options *options, char *why, size_t why_size)
{
    assert(options && options->url && why_size > 0);
    struct store *store = sql_init() ? calloc(1, sizeof *store) : NULL;
    (void)snprintf(why, why_size, "no memory");
    if (!store)
        return NULL;
    store->options = *options;
    store->options.pool = options->pool ? options->pool : POOL;
    store->options.timeout_ms = options->timeout_ms ? options->timeout_ms : TIMEOUT_MS;
    store->options.queue_most = options->queue_most ? options->queue_most : QUEUE_MOST;
    store->url = strdup(options->url);
    store->options.url = store->url;
    store->connect = (struct connect_options){
        .url = store->url,
        .timeout_ms = store->options.timeout_ms,
        .prepare = !options->unprepared,
        .serving = true,
        .host = &store->host,
    };
    if (!store->url || !bring_to_head(store, why, why_size)) {
        engine_close(&store);
        return NULL;
    }
    store->connector = connector_create(&store->connect, store->connections_most);
    store->news = news_create(&store->options);
    store->keeper =
        store->news ? keeper_create(&store->connect, &store->options, store->news) : NULL;
    if (!store->connector || !store->keeper) {
        (void)snprintf(why, why_size, "no memory or no threads");
        engine_close(&store);
    }
    return store;
}

static struct uuid engine_epoch(const struct store *store)
{
    return store->epoch;
}

static const char *engine_file(const struct store *store)
{
    (void)store;
    return NULL;
}

static const char *engine_url_file(const char *url)
{
    (void)url;
    return NULL;
}

static void engine_health(const struct store *store, struct store_health *health)
{
    keeper_health(store->keeper, health);
    connector_count(store->connector, &health->connections, &health->connections_awaited,
                    &health->connections_full);
}

const struct store_engine postgres_engine = {
    .name = "postgres",
    .shared = true,
    .open = engine_open,
    .close = engine_close,
    .epoch = engine_epoch,
    .file = engine_file,
    .url_file = engine_url_file,
    .url_judge = conninfo_judge,
    .session_open = session_open,
    .session_close = session_close,
    .turn_end = session_flush,
    .descriptor = session_descriptor,
    .ready = session_ready,
    .health = engine_health,

    .user_by_email = pg_user_by_email,
    .user_get = pg_user_get,
    .user_list = pg_user_list,
    .session_check = pg_session_check,
    .session_list = pg_session_list,
    .script_token_check = pg_script_token_check,
    .script_token_list = pg_script_token_list,
    .item_get = pg_item_get,
    .item_list = pg_item_list,
    .label_list = pg_label_list,
    .summary = pg_summary,
    .history = pg_history,
    .trash_list = pg_trash_list,
    .changes = pg_changes,

    .item_write = pg_item_write,
    .batch_write = pg_batch_write,
    .user_create = pg_user_create,
    .invitation_create = pg_invitation_create,
    .user_set_profile = pg_user_set_profile,
    .user_set_password = pg_user_set_password,
    .user_set_email = pg_user_set_email,
    .user_delete = pg_user_delete,
    .user_govern = pg_user_govern,
    .session_create = pg_session_create,
    .session_refresh = pg_session_refresh,
    .session_end = pg_session_end,
    .script_token_create = pg_script_token_create,
    .script_token_end = pg_script_token_end,
    .script_token_use = pg_script_token_use,
};
