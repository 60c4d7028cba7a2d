// SPDX-License-Identifier: MIT
#include "store/sqlite/engine.h"

#include <stdio.h>
#include <stdlib.h>

#include "store/sqlite/database.h"
#include "store/sqlite/file.h"
#include "store/sqlite/last_backup.h"
#include "store/sqlite/list.h"
#include "store/sqlite/migrate.h"
#include "store/sqlite/reader.h"
#include "store/sqlite/session.h"
#include "store/sqlite/side.h"
#include "store/sqlite/write_session.h"
#include "store/sqlite/write_task.h"
#include "store/sqlite/write_user.h"

struct store {
    struct file file;
    struct uuid epoch;
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
    file_release(&s->file);
    free(s);
}

static struct store *engine_open(const struct store_options *options, char *why, size_t why_size)
{
    struct store *store = calloc(1, sizeof *store);
    (void)snprintf(why, why_size, "no memory");
    if (!store)
        return NULL;
    database_setup();
    sqlite3 *db = NULL;
    if (!file_claim(&store->file, options->url, why, why_size))
        goto failed;
    db = database_open_writer(store->file.path, why, why_size);
    if (!db || !migrate_to_head(db, why, why_size))
        goto failed;
    if (sqlite_side_unfinished(db)) {
        (void)snprintf(why, why_size, "%s", TABLE_UNFINISHED_WHY);
        goto failed;
    }
    if (database_is_of_0_1_0(db)) {
        (void)snprintf(why, why_size, "%s: " DATABASE_OF_0_1_0_WHY, store->file.path);
        goto failed;
    }
    if (!database_read_epoch(db, &store->epoch)) {
        (void)snprintf(why, why_size, "cannot read the epoch of %s", store->file.path);
        goto failed;
    }
    if (!file_sync_directory(&store->file)) {
        (void)snprintf(why, why_size, "cannot flush the directory of %s", store->file.path);
        goto failed;
    }
    (void)snprintf(why, why_size, "cannot start the writer");
    store->writer = writer_create(db, options);
    db = NULL;
    if (!store->writer)
        goto failed;
    (void)snprintf(why, why_size, "cannot start the readers");
    store->readers = readers_create(store->writer, store->file.path);
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
    return store->epoch;
}

static const char *engine_file(const struct store *store)
{
    return store->file.path;
}

static struct store_session *engine_session_open(struct store *store, struct inbox *inbox)
{
    return session_create(store->writer, store->readers, store->file.path, inbox);
}

static void engine_health(const struct store *store, struct store_health *health)
{
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
    return last_backup_read(store->file.path);
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

    .user_by_email = reader_user_by_email,
    .user_get = reader_user_get,
    .user_list = reader_user_list,
    .session_check = reader_session_check,
    .session_list = reader_session_list,
    .task_get = reader_task_get,
    .task_list = list_run,

    .task_write = write_task,
    .user_create = write_user_create,
    .invitation_create = write_invitation_create,
    .user_rename = write_user_rename,
    .user_set_password = write_user_set_password,
    .user_set_email = write_user_set_email,
    .user_delete = write_user_delete,
    .user_govern = write_user_govern,
    .session_create = write_session_create,
    .session_refresh = write_session_refresh,
    .session_end = write_session_end,
};
