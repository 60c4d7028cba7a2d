// SPDX-License-Identifier: MIT
#include "store/sqlite/engine.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "store/sqlite/backup.h"
#include "store/sqlite/change_rows.h"
#include "store/sqlite/database.h"
#include "store/sqlite/file.h"
#include "store/sqlite/history_rows.h"
#include "store/sqlite/item_rows.h"
#include "store/sqlite/migrate.h"
#include "store/sqlite/report_rows.h"
#include "store/sqlite/script_token_rows.h"
#include "store/sqlite/session.h"
#include "store/sqlite/session_rows.h"
#include "store/sqlite/sql.h"
#include "store/sqlite/transfer_db.h"
#include "store/sqlite/trash_rows.h"
#include "store/sqlite/user_rows.h"

struct store {
    struct file file;
    struct uuid epoch;
    struct sql_texts texts;
    struct writer *writer;
    struct readers *readers;
};

static void engine_close(struct store **store)
{
    struct store *s = *store;
    if (!s)
        return;
    *store = NULL;
    readers_destroy(&s->readers);
    writer_destroy(&s->writer);
    sql_texts_finish(&s->texts);
    file_release(&s->file);
    free(s);
}

static struct store *engine_open(const struct store_options *options, char *why, size_t why_size)
{
    assert(options->url && why_size > 0);
    struct store *store = calloc(1, sizeof *store);
    sqlite3 *db = NULL;
    (void)snprintf(why, why_size, "no memory");
    if (!store)
        return NULL;
    store->file.lock = -1;
    if (!sql_texts_init(&store->texts))
        goto failed;
    database_setup();
    if (!file_claim(&store->file, options->url, why, why_size))
        goto failed;
    db = database_open_writer(store->file.path, why, why_size);
    if (!db || !migrate_to_head(db, why, why_size))
        goto failed;
    if (sqlite_transfer_unfinished(db)) {
        (void)snprintf(why, why_size, "%s", TABLE_UNFINISHED_WHY);
        goto failed;
    }
    if (options->new_epoch && database_renew_epoch(db) != SQLITE_OK) {
        (void)snprintf(why, why_size, "cannot write the epoch of %s", store->file.path);
        goto failed;
    }
    if (!database_read_epoch(db, &store->epoch)) {
        (void)snprintf(why, why_size, "cannot read the epoch of %s", store->file.path);
        goto failed;
    }
    if (!file_sync_directory(store->file.path)) {
        (void)snprintf(why, why_size, "cannot flush the directory of %s", store->file.path);
        goto failed;
    }
    (void)snprintf(why, why_size, "cannot start the writer");
    store->writer = writer_create(db, &store->texts, options);
    db = NULL;
    if (!store->writer)
        goto failed;
    (void)snprintf(why, why_size, "cannot start the readers");
    store->readers = readers_create(store->writer, &store->texts, store->file.path);
    if (!store->readers)
        goto failed;
    return store;
failed:
    database_close(&db);
    engine_close(&store);
    return NULL;
}

static struct uuid engine_epoch(const struct store *store)
{
    assert(store);
    return store->epoch;
}

static const char *engine_file(const struct store *store)
{
    return store->file.path;
}

static struct store_session *engine_session_open(struct store *store, struct inbox *inbox)
{
    assert(store && inbox);
    return session_create(store->writer, store->readers, &store->texts, store->file.path, inbox);
}

static void engine_health(const struct store *store, struct store_health *health)
{
    assert(store && health);
    bool writable = writer_writable(store->writer);
    *health = (struct store_health){.reachable = true,
                                    .migrated = true,
                                    .writable = writable,
                                    .moved = writer_moved(store->writer),
                                    .damaged = writer_damaged(store->writer),
                                    .on_time = true};
}

static int64_t engine_last_backup(const struct store *store)
{
    return backup_last_time(store->file.path);
}

const struct store_engine sqlite_engine = {
    .name = "sqlite",
    .open = engine_open,
    .close = engine_close,
    .epoch = engine_epoch,
    .file = engine_file,
    .url_file = file_named,
    .url_judge = file_judge,
    .session_open = engine_session_open,
    .session_close = session_destroy,
    .turn_end = session_turn_end,
    .health = engine_health,
    .last_backup = engine_last_backup,

    .user_by_email = user_rows_by_email,
    .user_get = user_rows_get,
    .user_list = user_rows_list,
    .session_check = session_rows_check,
    .session_list = session_rows_list,
    .script_token_check = script_token_rows_check,
    .script_token_list = script_token_rows_list,
    .item_get = item_rows_get,
    .item_list = item_rows_list,
    .label_list = report_rows_labels,
    .summary = report_rows_summary,
    .history = history_rows_read,
    .trash_list = trash_rows_list,
    .changes = change_rows_read,

    .item_write = item_rows_write,
    .batch_write = item_rows_write_batch,
    .user_create = user_rows_create,
    .invitation_create = user_rows_invite,
    .user_set_profile = user_rows_set_profile,
    .user_set_password = user_rows_set_password,
    .user_set_email = user_rows_set_email,
    .user_delete = user_rows_delete,
    .user_govern = user_rows_govern,
    .session_create = session_rows_create,
    .session_refresh = session_rows_refresh,
    .session_end = session_rows_end,
    .script_token_create = script_token_rows_create,
    .script_token_end = script_token_rows_end,
    .script_token_use = script_token_rows_use,
};
