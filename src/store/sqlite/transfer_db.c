// SPDX-License-Identifier: MIT
#include "store/sqlite/transfer_db.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/owner.h"
#include "store/sqlite/database.h"
#include "store/sqlite/file.h"
#include "store/sqlite/inspect.h"
#include "store/sqlite/migrate.h"
#include "store/sqlite/statement.h"

#define SQL_MOST 16384

#define SQLITE_TRANSFER_MAGIC 0x51d7a9c3u

struct sqlite_transfer {
    unsigned magic;
    struct transfer_db base;
    struct file file;
    char *path;
    sqlite3 *db;
    bool finished;
    const struct table *table;       /* that is read */
    sqlite3_stmt *rows;              /* what is read; NULL: nothing */
    sqlite3_stmt *puts[TABLES_MOST]; /* what writes a row; made when it is needed */
};

static struct sqlite_transfer *transfer_of(struct transfer_db *db)
{
    return OWNER_OF(db, struct sqlite_transfer, base, SQLITE_TRANSFER_MAGIC);
}

static bool fail(struct sqlite_transfer *s, const char *what, int rc)
{
    return transfer_db_fail(&s->base, what, database_error(s->db, rc));
}

static int run_sql(struct sqlite_transfer *s, const char *sql)
{
    return sqlite3_exec(s->db, sql, NULL, NULL, NULL);
}

/* Takes the text out of `sql`. */
static int prepare(struct sqlite_transfer *s, struct buffer *sql, sqlite3_stmt **statement)
{
    const char *text = transfer_db_text(sql);
    int rc = sql->failed ? SQLITE_NOMEM : sqlite3_prepare_v2(s->db, text, -1, statement, NULL);
    buffer_finish(sql);
    return rc;
}

static int prepare_select(struct sqlite_transfer *s, const struct table *table,
                          const struct uuid *user, bool count, sqlite3_stmt **statement)
{
    struct buffer sql;
    buffer_init(&sql, SQL_MOST);
    transfer_db_select(&sql, &s->base, table, user, count);
    return prepare(s, &sql, statement);
}

/* ---- open and close ---- */

bool sqlite_transfer_unfinished(sqlite3 *db)
{
    sqlite3_int64 count = 0;
    assert(db);
    return database_read_i64(
               db, "SELECT count(*) FROM sqlite_schema WHERE name = '" TABLE_UNFINISHED "'",
               &count) == SQLITE_OK &&
           count > 0;
}

static void close_db(struct transfer_db *db)
{
    struct sqlite_transfer *s = transfer_of(db);
    sqlite3_finalize(s->rows);
    for (size_t i = 0; i < TABLES_MOST; i++)
        sqlite3_finalize(s->puts[i]);
    database_close(&s->db); /* rolls back */
    if (transfer_db_writes(db) && !s->finished)
        file_forget(&s->file);
    file_release(&s->file);
    free(s->path);
    OWNER_END(s);
    free(s);
}

static bool open_read(struct sqlite_transfer *s, const char *url)
{
    struct transfer_db *db = &s->base;
    int64_t schema = 0;
    s->path = file_find(url, db->why, db->why_size);
    if (!s->path ||
        (db->use == TRANSFER_READ_ALONE && !file_claim(&s->file, url, db->why, db->why_size)))
        return false;
    s->db = database_open_reader(s->path, db->why, db->why_size);
    if (!s->db)
        return false;
    /* What has to be sorted may be larger than memory. */
    int rc = run_sql(s, "PRAGMA temp_store = FILE; BEGIN");
    if (rc != SQLITE_OK)
        return fail(s, "cannot read the database", rc);
    if (!inspect_identity(s->db, s->path, &schema, db->why, db->why_size))
        return false;
    if (schema < migrate_head())
        return transfer_db_fail(db, s->path, "its schema is an older one: run taskhold migrate");
    if (!database_read_epoch(s->db, &db->epoch))
        return transfer_db_fail(db, s->path, "its epoch cannot be read");
    return !sqlite_transfer_unfinished(s->db) ||
           transfer_db_fail(db, s->path, TABLE_UNFINISHED_WHY);
}

static bool open_write(struct sqlite_transfer *s, const char *url)
{
    struct transfer_db *db = &s->base;
    sqlite3_int64 users = 0;
    if (!file_claim(&s->file, url, db->why, db->why_size))
        return false;
    s->path = strdup(s->file.path);
    if (s->path)
        s->db = database_open_writer(s->path, db->why, db->why_size);
    if (!s->db || !migrate_to_head(s->db, db->why, db->why_size))
        return false;
    const bool unfinished = sqlite_transfer_unfinished(s->db);
    int rc = database_read_i64(s->db, "SELECT count(*) FROM users", &users);
    if (rc == SQLITE_OK && users > 0) {
        (void)snprintf(db->why, db->why_size,
                       "%s holds accounts already: only an empty or new database is written",
                       s->path);
        return false;
    }
    if (unfinished && db->use != TRANSFER_MOVE)
        return transfer_db_fail(db, s->path, TABLE_UNFINISHED_WHY);
    if (rc == SQLITE_OK && db->use == TRANSFER_MOVE && !unfinished)
        rc = run_sql(s, "CREATE TABLE " TABLE_UNFINISHED " (note TEXT) STRICT");
    if (rc == SQLITE_OK)
        rc = run_sql(s, "PRAGMA cache_size = -65536; BEGIN IMMEDIATE");
    return rc == SQLITE_OK || fail(s, "cannot write the database", rc);
}

static struct transfer_db *open_db(const char *url, enum transfer_use use, char *why,
                                   size_t why_size)
{
    struct sqlite_transfer *s = calloc(1, sizeof *s);
    (void)snprintf(why, why_size, "no memory");
    if (!s)
        return NULL;
    OWNER_SET(s, SQLITE_TRANSFER_MAGIC);
    s->base = (struct transfer_db){
        .engine = &sqlite_transfer, .use = use, .why = why, .why_size = why_size};
    s->file.lock = -1;
    database_setup();
    if (transfer_db_writes(&s->base) ? open_write(s, url) : open_read(s, url))
        return &s->base;
    close_db(&s->base);
    return NULL;
}

/* ---- reading ---- */

static bool find_user(struct transfer_db *db, struct slice email, struct uuid *user)
{
    struct sqlite_transfer *s = transfer_of(db);
    sqlite3_stmt *statement = NULL;
    int rc = sqlite3_prepare_v2(s->db, "SELECT user_id FROM users WHERE email = ?1", -1, &statement,
                                NULL);
    struct query q = query_of(statement, rc);
    query_bind(&q, SQL_TEXT(email));
    const bool found = query_row(&q);
    if (found)
        *user = query_take_uuid(&q);
    if (q.rc != SQLITE_OK)
        fail(s, "cannot read the database", q.rc);
    else if (!found)
        transfer_db_nobody(db);
    sqlite3_finalize(statement);
    return found && q.rc == SQLITE_OK;
}

static bool count_rows(struct transfer_db *db, const struct table *table, const struct uuid *user,
                       int64_t *rows)
{
    struct sqlite_transfer *s = transfer_of(db);
    sqlite3_stmt *statement = NULL;
    int rc = prepare_select(s, table, user, true, &statement);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(statement);
    if (rc == SQLITE_ROW)
        *rows = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return rc == SQLITE_ROW || fail(s, "cannot read the database", rc);
}

static bool read_table(struct transfer_db *db, const struct table *table, const struct uuid *user)
{
    struct sqlite_transfer *s = transfer_of(db);
    assert(!s->rows);
    s->table = table;
    int rc = prepare_select(s, table, user, false, &s->rows);
    return rc == SQLITE_OK || fail(s, "cannot read the database", rc);
}

static enum transfer_next next_row(struct transfer_db *db, struct field_value *values)
{
    struct sqlite_transfer *s = transfer_of(db);
    assert(s->rows);
    int rc = sqlite3_step(s->rows);
    if (rc != SQLITE_ROW) {
        sqlite3_finalize(s->rows);
        s->rows = NULL;
        if (rc != SQLITE_DONE)
            fail(s, "cannot read the database", rc);
        return rc == SQLITE_DONE ? TRANSFER_END : TRANSFER_FAILED;
    }
    for (size_t i = 0; i < s->table->column_count; i++) {
        const int at = (int)i;
        values[i] = (struct field_value){.null = sqlite3_column_type(s->rows, at) == SQLITE_NULL};
        if (field_is_number(s->table->columns[i].type)) {
            values[i].number = sqlite3_column_int64(s->rows, at);
        } else {
            const char *bytes = sqlite3_column_blob(s->rows, at);
            values[i].bytes =
                (struct slice){bytes ? bytes : "", (size_t)sqlite3_column_bytes(s->rows, at)};
        }
    }
    return TRANSFER_ROW;
}

/* ---- writing ---- */

static bool put_row(struct transfer_db *db, const struct table *table,
                    const struct field_value *values)
{
    struct sqlite_transfer *s = transfer_of(db);
    sqlite3_stmt **put = &s->puts[table - tables];
    assert(transfer_db_writes(db) && !s->rows);
    if (table->in_sqlite)
        return true;
    int rc = SQLITE_OK;
    if (!*put) {
        struct buffer sql;
        buffer_init(&sql, SQL_MOST);
        buffer_add_format(&sql, "INSERT INTO %s (", table->name);
        transfer_db_columns(&sql, table);
        for (size_t i = 0; i < table->column_count; i++)
            buffer_add_text(&sql, i > 0 ? ", ?" : ") VALUES (?");
        buffer_add_char(&sql, ')');
        rc = prepare(s, &sql, put);
    }
    struct query q = query_of(*put, rc);
    for (size_t i = 0; i < table->column_count && q.rc == SQLITE_OK; i++)
        query_bind(&q, (struct sql_value){table_letter(&table->columns[i]), values[i]});
    return query_run(&q) == SQLITE_OK || fail(s, table->name, q.rc);
}

static bool commit(struct transfer_db *db)
{
    struct sqlite_transfer *s = transfer_of(db);
    struct buffer recount;
    assert(transfer_db_writes(db) && !s->finished);
    buffer_init(&recount, SQL_MOST);
    if (db->use == TRANSFER_IMPORT) {
        sql_chain(&recount);
        buffer_add_text(&recount, "; ");
    }
    sql_recount(&recount, SQL_SQLITE);
    int rc = run_sql(s, transfer_db_text(&recount));
    if (recount.failed)
        rc = SQLITE_NOMEM;
    buffer_finish(&recount);
    if (rc == SQLITE_OK && db->use == TRANSFER_MOVE)
        rc = run_sql(s, "DROP TABLE " TABLE_UNFINISHED);
    if (rc == SQLITE_OK)
        rc = db->use == TRANSFER_MOVE ? database_set_epoch(s->db, &db->epoch)
                                      : database_renew_epoch(s->db);
    if (rc == SQLITE_OK)
        rc = run_sql(s, "COMMIT");
    if (rc != SQLITE_OK)
        return fail(s, "cannot write the database", rc);
    s->finished = true;
    /* All of it is in the WAL; the next start would move it too, only later. */
    (void)sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    return file_sync_directory(s->file.path) ||
           transfer_db_fail(db, "cannot flush the directory", strerror(errno));
}

const struct transfer_engine sqlite_transfer = {
    .scheme = "sqlite:",
    .dialect = SQL_SQLITE,
    .open = open_db,
    .close = close_db,
    .find_user = find_user,
    .count = count_rows,
    .read = read_table,
    .next = next_row,
    .put = put_row,
    .finish = commit,
};
