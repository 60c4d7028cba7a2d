// SPDX-License-Identifier: MIT
#include "store/sqlite/side.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "store/sqlite/database.h"
#include "store/sqlite/file.h"
#include "store/sqlite/inspect.h"
#include "store/sqlite/migrate.h"
#include "store/sqlite/sql.h"

#define SQL_MOST 4096

struct sqlite_side {
    struct side base;
    enum side_use use;
    struct file file;
    char *path;
    sqlite3 *db;
    const struct table *table; /* that is read or written */
    bool finished;
    sqlite3_stmt *rows;                 /* what is read */
    sqlite3_stmt *puts[TABLE_COUNT];    /* what writes a row; made when it is needed */
    sqlite3_stmt *inserts[TABLE_COUNT]; /* the same, with a look at the account */
};

static bool fail(struct sqlite_side *s, const char *what, int rc)
{
    return side_fail(&s->base, what, database_error(s->db, rc));
}

static bool is_target(const struct sqlite_side *s)
{
    return s->use == SIDE_IMPORT || s->use == SIDE_MOVE;
}

static int run(struct sqlite_side *s, const char *sql)
{
    return sqlite3_exec(s->db, sql, NULL, NULL, NULL);
}

/* ---- statements ---- */

static const char *name_of(const struct table_column *column)
{
    return column->in_sqlite ? column->in_sqlite : column->name;
}

static void add_columns(struct buffer *sql, const struct table *table, bool named)
{
    for (size_t i = 0; i < table->column_count; i++) {
        const struct table_column *column = &table->columns[i];
        buffer_add_text(sql, i > 0 ? ", " : "");
        buffer_add_text(sql, name_of(column));
        if (named && column->in_sqlite)
            buffer_add_format(sql, " AS %s", column->name);
    }
}

/* The rows of ?1, or of all when that is NULL. */
static void add_from(struct buffer *sql, const struct table *table)
{
    const int user = table_find(table, "user_id");
    buffer_add_format(sql, " FROM %s WHERE ?1 IS NULL",
                      table->derived ? table->derived : table->name);
    if (user >= 0)
        buffer_add_format(sql, " OR %s = ?1", name_of(&table->columns[user]));
}

/* With `looked`: only when the account is there, and not older than the row. */
static void add_insert(struct buffer *sql, const struct table *table, bool looked)
{
    const int revision = table_find(table, "revision");
    const int user = table_find(table, "user_id");
    buffer_add_format(sql, "INSERT INTO %s (", table->name);
    add_columns(sql, table, false);
    buffer_add_text(sql, ") SELECT ");
    for (size_t i = 0; i < table->column_count; i++)
        buffer_add_format(sql, "%s?%zu", i > 0 ? ", " : "", i + 1);
    if (looked && table != &tables[TABLE_USERS] && user >= 0)
        buffer_add_format(sql, " FROM users WHERE users.id = ?%d", user + 1);
    if (looked && table != &tables[TABLE_USERS] && revision >= 0)
        buffer_add_format(sql, " AND users.revision >= ?%d", revision + 1);
}

static int prepare(struct sqlite_side *s, struct buffer *sql, sqlite3_stmt **statement)
{
    int rc = SQLITE_NOMEM;
    buffer_add_char(sql, '\0');
    if (!sql->failed)
        rc = sqlite3_prepare_v2(s->db, sql->data, -1, statement, NULL);
    buffer_finish(sql);
    return rc;
}

static int bind_user(sqlite3_stmt *statement, const struct uuid *user)
{
    return user ? sqlite3_bind_blob(statement, 1, user->bytes, sizeof user->bytes, SQLITE_STATIC)
                : SQLITE_OK;
}

/* ---- open and close ---- */

bool sqlite_side_unfinished(sqlite3 *db)
{
    sqlite3_int64 count = 0;
    return database_read_i64(
               db, "SELECT count(*) FROM sqlite_schema WHERE name = '" TABLE_UNFINISHED "'",
               &count) == SQLITE_OK &&
           count > 0;
}

static void close_side(struct side *side)
{
    struct sqlite_side *s = (struct sqlite_side *)side;
    sqlite3_finalize(s->rows);
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        sqlite3_finalize(s->puts[i]);
        sqlite3_finalize(s->inserts[i]);
    }
    database_close(&s->db); /* rolls back */
    if (is_target(s) && !s->finished)
        file_forget(&s->file);
    file_release(&s->file);
    free(s->path);
    free(s);
}

static bool open_read(struct sqlite_side *s, const char *url)
{
    int64_t schema = 0;
    s->path = file_find(url, s->base.why, s->base.why_size);
    if (!s->path ||
        (s->use == SIDE_READ_ALONE && !file_claim(&s->file, url, s->base.why, s->base.why_size)))
        return false;
    s->db = database_open_reader(s->path, s->base.why, s->base.why_size);
    if (!s->db)
        return false;
    /* What has to be sorted may be larger than memory. */
    int rc = run(s, "PRAGMA temp_store = FILE; BEGIN");
    if (rc != SQLITE_OK)
        return fail(s, "cannot read the database", rc);
    if (!inspect_identity(s->db, s->path, &schema, s->base.why, s->base.why_size))
        return false;
    if (schema < migrate_head())
        return side_fail(&s->base, s->path, "its schema is an older one: run taskhold migrate");
    return !sqlite_side_unfinished(s->db) || side_fail(&s->base, s->path, TABLE_UNFINISHED_WHY);
}

static bool begin_write(struct sqlite_side *s)
{
    sqlite3_int64 users = 0;
    const bool unfinished = sqlite_side_unfinished(s->db);
    int rc = database_read_i64(s->db, "SELECT count(*) FROM users", &users);
    if (rc == SQLITE_OK && users > 0) {
        (void)snprintf(s->base.why, s->base.why_size,
                       "%s holds accounts already: only an empty or new database is written",
                       s->path);
        return false;
    }
    if (unfinished && s->use != SIDE_MOVE)
        return side_fail(&s->base, s->path, TABLE_UNFINISHED_WHY);
    if (rc == SQLITE_OK && s->use == SIDE_MOVE && !unfinished)
        rc = run(s, "CREATE TABLE " TABLE_UNFINISHED " (note TEXT) STRICT");
    if (rc == SQLITE_OK)
        rc = run(s, "PRAGMA cache_size = -65536; BEGIN IMMEDIATE");
    return rc == SQLITE_OK || fail(s, "cannot write the database", rc);
}

static bool open_write(struct sqlite_side *s, const char *url)
{
    if (!file_claim(&s->file, url, s->base.why, s->base.why_size))
        return false;
    s->path = strdup(s->file.path);
    if (s->path)
        s->db = database_open_writer(s->path, s->base.why, s->base.why_size);
    return s->db && migrate_to_head(s->db, s->base.why, s->base.why_size) && begin_write(s);
}

static struct side *open_side(const char *url, enum side_use use, char *why, size_t why_size)
{
    struct sqlite_side *s = calloc(1, sizeof *s);
    (void)snprintf(why, why_size, "no memory");
    if (!s)
        return NULL;
    s->base = (struct side){&sqlite_side, why, why_size, 0};
    s->use = use;
    s->file.lock = -1;
    database_setup();
    if (is_target(s) ? open_write(s, url) : open_read(s, url))
        return &s->base;
    close_side(&s->base);
    return NULL;
}

/* ---- reading ---- */

static enum side_found find_user(struct side *side, struct slice email, struct uuid *user)
{
    struct sqlite_side *s = (struct sqlite_side *)side;
    sqlite3_stmt *statement = NULL;
    enum side_found found = SIDE_NOT_ASKED;
    int rc =
        sqlite3_prepare_v2(s->db, "SELECT id FROM users WHERE email = ?1", -1, &statement, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_bind_text64(statement, 1, email.ptr, email.len, SQLITE_STATIC, SQLITE_UTF8);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(statement);
    const void *id = rc == SQLITE_ROW ? sqlite3_column_blob(statement, 0) : NULL;
    if (id) {
        memcpy(user->bytes, id, sizeof user->bytes);
        found = SIDE_FOUND;
    } else if (rc == SQLITE_DONE) {
        found = SIDE_NOT_FOUND;
    } else {
        fail(s, "cannot read the database", rc);
    }
    sqlite3_finalize(statement);
    return found;
}

static bool count_rows(struct side *side, const struct table *table, const struct uuid *user,
                       int64_t *rows)
{
    struct sqlite_side *s = (struct sqlite_side *)side;
    sqlite3_stmt *statement = NULL;
    struct buffer sql;
    buffer_init(&sql, SQL_MOST);
    buffer_add_text(&sql, "SELECT count(*)");
    add_from(&sql, table);
    int rc = prepare(s, &sql, &statement);
    if (rc == SQLITE_OK)
        rc = bind_user(statement, user);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(statement);
    if (rc == SQLITE_ROW)
        *rows = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return rc == SQLITE_ROW || fail(s, "cannot read the database", rc);
}

static bool read_table(struct side *side, const struct table *table, const struct uuid *user)
{
    struct sqlite_side *s = (struct sqlite_side *)side;
    struct buffer sql;
    buffer_init(&sql, SQL_MOST);
    buffer_add_text(&sql, "SELECT ");
    add_columns(&sql, table, true);
    add_from(&sql, table);
    buffer_add_format(&sql, " ORDER BY %s", table->order);
    s->table = table;
    int rc = prepare(s, &sql, &s->rows);
    if (rc == SQLITE_OK)
        rc = bind_user(s->rows, user);
    return rc == SQLITE_OK || fail(s, "cannot read the database", rc);
}

static enum side_next next_row(struct side *side, struct table_value values[TABLE_COLUMNS_MOST])
{
    struct sqlite_side *s = (struct sqlite_side *)side;
    int rc = sqlite3_step(s->rows);
    if (rc != SQLITE_ROW) {
        sqlite3_finalize(s->rows);
        s->rows = NULL;
        if (rc != SQLITE_DONE)
            fail(s, "cannot read the database", rc);
        return rc == SQLITE_DONE ? SIDE_END : SIDE_FAILED;
    }
    for (size_t i = 0; i < s->table->column_count; i++) {
        const int at = (int)i;
        values[i] = (struct table_value){.null = sqlite3_column_type(s->rows, at) == SQLITE_NULL};
        if (table_is_number(&s->table->columns[i])) {
            values[i].number = sqlite3_column_int64(s->rows, at);
        } else {
            const char *bytes = sqlite3_column_blob(s->rows, at);
            values[i].bytes =
                (struct slice){bytes ? bytes : "", (size_t)sqlite3_column_bytes(s->rows, at)};
        }
    }
    return SIDE_ROW;
}

/* ---- writing ---- */

static int prepare_insert(struct sqlite_side *s, const struct table *table, bool looked,
                          sqlite3_stmt **statement)
{
    struct buffer sql;
    if (*statement)
        return SQLITE_OK;
    buffer_init(&sql, SQL_MOST);
    add_insert(&sql, table, looked);
    return prepare(s, &sql, statement);
}

static int bind(sqlite3_stmt *statement, const struct table *table,
                const struct table_value *values)
{
    int rc = SQLITE_OK;
    for (size_t i = 0; i < table->column_count && rc == SQLITE_OK; i++) {
        const struct slice bytes = values[i].bytes;
        const int at = (int)i + 1;
        if (values[i].null)
            rc = sqlite3_bind_null(statement, at);
        else if (table_is_number(&table->columns[i]))
            rc = sqlite3_bind_int64(statement, at, values[i].number);
        else if (table->columns[i].type == TABLE_TEXT)
            rc = sqlite3_bind_text64(statement, at, bytes.ptr, bytes.len, SQLITE_STATIC,
                                     SQLITE_UTF8);
        else
            rc = sqlite3_bind_blob64(statement, at, bytes.ptr, bytes.len, SQLITE_STATIC);
    }
    return rc;
}

/* `*changed`: rows that are there now. */
static int insert_row(struct sqlite_side *s, const struct table *table, bool looked,
                      const struct table_value *values, int *changed)
{
    sqlite3_stmt **statement = looked ? &s->inserts[table - tables] : &s->puts[table - tables];
    int rc = prepare_insert(s, table, looked, statement);
    if (rc == SQLITE_OK)
        rc = bind(*statement, table, values);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(*statement);
    *changed = rc == SQLITE_DONE ? sqlite3_changes(s->db) : 0;
    if (*statement)
        (void)sqlite3_reset(*statement);
    return rc;
}

static bool write_table(struct side *side, const struct table *table)
{
    ((struct sqlite_side *)side)->table = table;
    return true;
}

static bool put_row(struct side *side, const struct table_value *values)
{
    struct sqlite_side *s = (struct sqlite_side *)side;
    int changed = 0;
    if (s->table->derived)
        return true;
    const int rc = insert_row(s, s->table, false, values, &changed);
    return rc == SQLITE_DONE || fail(s, s->table->name, rc);
}

static bool end_write(struct side *side)
{
    (void)side;
    return true;
}

static enum side_insert insert_looked(struct side *side, const struct table *table,
                                      const struct table_value *values, int64_t line)
{
    struct sqlite_side *s = (struct sqlite_side *)side;
    int changed = 0;
    side->line = line;
    if (table->derived)
        return SIDE_INSERTED;
    const int rc = insert_row(s, table, true, values, &changed);
    if (rc == SQLITE_DONE)
        return changed == 1 ? SIDE_INSERTED : SIDE_ORPHAN;
    if ((rc & 0xff) == SQLITE_CONSTRAINT)
        return SIDE_DOUBLE;
    fail(s, "cannot write", rc);
    return SIDE_NOT_INSERTED;
}

static enum side_insert end_inserts(struct side *side)
{
    (void)side;
    return SIDE_INSERTED;
}

static bool commit(struct side *side)
{
    struct sqlite_side *s = (struct sqlite_side *)side;
    int rc = run(s, sql_recount);
    if (rc == SQLITE_OK && s->use == SIDE_MOVE)
        rc = run(s, "DROP TABLE " TABLE_UNFINISHED);
    if (rc == SQLITE_OK)
        rc = database_renew_epoch(s->db);
    if (rc == SQLITE_OK)
        rc = run(s, "COMMIT");
    if (rc != SQLITE_OK)
        return fail(s, "cannot write the database", rc);
    s->finished = true;
    /* All of it is in the WAL; the next start would move it too, only later. */
    (void)sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    return file_sync_directory(&s->file) ||
           side_fail(side, "cannot flush the directory", strerror(errno));
}

const struct side_engine sqlite_side = {
    .open = open_side,
    .close = close_side,
    .find_user = find_user,
    .count = count_rows,
    .read = read_table,
    .next = next_row,
    .write = write_table,
    .put = put_row,
    .written = end_write,
    .insert = insert_looked,
    .inserted = end_inserts,
    .finish = commit,
};
