#include <errno.h>

#include "base/json_writer.h"
#include "model/task.h"
#include "store/sqlite/database.h"
#include "store/sqlite/dump.h"
#include "store/sqlite/inspect.h"

/* More than the longest row takes: every byte of its texts escaped. */
#define LINE_MOST (1024 * 1024)

struct exporting {
    sqlite3 *db;
    struct uuid user;
    bool one_user;
    FILE *out;
    struct buffer line;
    struct dump_counts *counts;
    char *why;
    size_t why_size;
};

static bool fail(struct exporting *e, const char *what, const char *reason)
{
    (void)snprintf(e->why, e->why_size, "%s: %s", what, reason);
    return false;
}

static int prepare(struct exporting *e, const char *sql, sqlite3_stmt **statement)
{
    int rc = sqlite3_prepare_v2(e->db, sql, -1, statement, NULL);
    if (rc == SQLITE_OK && e->one_user)
        rc = sqlite3_bind_blob(*statement, 1, e->user.bytes, sizeof e->user.bytes, SQLITE_STATIC);
    return rc;
}

static bool find_user(struct exporting *e, struct slice email)
{
    sqlite3_stmt *statement = NULL;
    int rc =
        sqlite3_prepare_v2(e->db, "SELECT id FROM users WHERE email = ?1", -1, &statement, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_bind_text64(statement, 1, email.ptr, email.len, SQLITE_STATIC, SQLITE_UTF8);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(statement);
    const void *id = rc == SQLITE_ROW ? sqlite3_column_blob(statement, 0) : NULL;
    if (id)
        memcpy(e->user.bytes, id, sizeof e->user.bytes);
    e->one_user = true;
    sqlite3_finalize(statement);
    return id != NULL ||
           fail(e, "no account",
                rc == SQLITE_DONE ? "there is none with that e-mail" : sqlite3_errstr(rc));
}

static bool write_line(struct exporting *e)
{
    buffer_add_char(&e->line, '\n');
    const bool made = !e->line.failed;
    const bool written = made && fwrite(e->line.data, 1, e->line.len, e->out) == e->line.len;
    if (!written)
        fail(e, "cannot write", made ? strerror(errno) : "no memory");
    buffer_clear(&e->line);
    return written;
}

static void write_value(struct json_writer *w, const struct dump_column *column, sqlite3_stmt *row,
                        int index)
{
    struct uuid id = {0};
    const void *bytes = sqlite3_column_blob(row, index);
    const struct slice text = {bytes ? bytes : "", (size_t)sqlite3_column_bytes(row, index)};
    jw_name(w, column->name);
    if (sqlite3_column_type(row, index) == SQLITE_NULL) {
        jw_null(w);
        return;
    }
    switch (column->kind) {
    case DUMP_UUID:
        memcpy(id.bytes, text.ptr, text.len < sizeof id.bytes ? text.len : sizeof id.bytes);
        jw_uuid(w, id);
        break;
    case DUMP_TEXT: jw_text(w, text); break;
    case DUMP_TIME: jw_time(w, sqlite3_column_int64(row, index)); break;
    case DUMP_NUMBER: jw_i64(w, sqlite3_column_int64(row, index)); break;
    case DUMP_STATUS:
        jw_text(w, task_status_name((enum task_status)sqlite3_column_int(row, index)));
        break;
    }
}

static bool write_row(struct exporting *e, const struct dump_table *table, sqlite3_stmt *row)
{
    struct json_writer w;
    json_writer_init(&w, &e->line);
    jw_open_object(&w);
    jw_name(&w, SLICE("type"));
    jw_text(&w, table->type);
    for (size_t i = 0; i < table->column_count; i++)
        write_value(&w, &table->columns[i], row, (int)i);
    jw_close_object(&w);
    return write_line(e);
}

static bool write_table(struct exporting *e, const struct dump_table *table)
{
    sqlite3_stmt *statement = NULL;
    bool good = true;
    int rc = prepare(e, table->select, &statement);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(statement);
    while (rc == SQLITE_ROW && good) {
        good = write_row(e, table, statement);
        rc = sqlite3_step(statement);
    }
    if (good && rc != SQLITE_DONE)
        good = fail(e, "cannot read the database", sqlite3_errstr(rc));
    sqlite3_finalize(statement);
    return good;
}

static int count_rows(struct exporting *e)
{
    int rc = SQLITE_ROW;
    for (size_t i = 0; i < DUMP_TABLES && rc == SQLITE_ROW; i++) {
        sqlite3_stmt *statement = NULL;
        rc = prepare(e, dump_tables[i].count_sql, &statement);
        if (rc == SQLITE_OK)
            rc = sqlite3_step(statement);
        if (rc == SQLITE_ROW)
            e->counts->rows[i] = sqlite3_column_int64(statement, 0);
        sqlite3_finalize(statement);
    }
    return rc == SQLITE_ROW ? SQLITE_OK : rc;
}

static bool write_header(struct exporting *e)
{
    struct json_writer w;
    int rc = count_rows(e);
    if (rc != SQLITE_OK)
        return fail(e, "cannot read the database", sqlite3_errstr(rc));
    json_writer_init(&w, &e->line);
    jw_open_object(&w);
    jw_name(&w, SLICE("format"));
    jw_text(&w, SLICE("taskhold"));
    jw_name(&w, SLICE("version"));
    jw_i64(&w, DUMP_VERSION);
    for (size_t i = 0; i < DUMP_TABLES; i++) {
        jw_name(&w, dump_tables[i].count);
        jw_i64(&w, e->counts->rows[i]);
    }
    jw_close_object(&w);
    return write_line(e);
}

bool dump_export(const char *path, struct slice email, FILE *out, struct dump_counts *counts,
                 char *why, size_t why_size)
{
    struct exporting e = {.out = out, .counts = counts, .why = why, .why_size = why_size};
    int64_t schema = 0;
    bool good = false;
    buffer_init(&e.line, LINE_MOST);
    database_setup();
    e.db = database_open_reader(path, why, why_size);
    if (e.db && sqlite3_exec(e.db, "BEGIN", NULL, NULL, NULL) != SQLITE_OK)
        fail(&e, "cannot read the database", path);
    else if (e.db)
        good = inspect_identity(e.db, path, &schema, why, why_size) &&
               (!email.ptr || find_user(&e, email)) && write_header(&e);
    for (size_t i = 0; i < DUMP_TABLES && good; i++)
        good = write_table(&e, &dump_tables[i]);
    if (good && fflush(out) != 0)
        good = fail(&e, "cannot write", strerror(errno));
    database_close(&e.db);
    buffer_finish(&e.line);
    return good;
}
