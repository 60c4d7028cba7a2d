#include <errno.h>
#include <jansson.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/json_reader.h"
#include "model/task.h"
#include "store/sqlite/database.h"
#include "store/sqlite/dump.h"
#include "store/sqlite/file.h"
#include "store/sqlite/migrate.h"

#define LINE_MOST (1024 * 1024)

struct importing {
    sqlite3 *db;
    sqlite3_stmt *inserts[DUMP_TABLES];
    FILE *in;
    const char *name;
    long long line;
    struct dump_counts announced;
    struct dump_counts *counts;
    char *why;
    size_t why_size;
};

/* The members of a line as they were found. */
struct row {
    struct dump_value values[DUMP_COLUMNS_MOST];
    struct uuid ids[DUMP_COLUMNS_MOST];
    bool found[DUMP_COLUMNS_MOST];
};

static bool fail(struct importing *m, const char *what, struct slice detail)
{
    (void)snprintf(m->why, m->why_size, "%s line %lld: %s%s%.*s", m->name, m->line, what,
                   detail.len > 0 ? " " : "", (int)detail.len, detail.ptr ? detail.ptr : "");
    return false;
}

static bool read_number(const struct json_member *member, int64_t *number)
{
    if (member->kind != JSON_KIND_NUMBER || !json_is_integer(member->value))
        return false;
    *number = json_integer_value(member->value);
    return *number >= 0;
}

/* Only the form that an export writes, so that the next one is the same. */
static bool read_time(struct slice text, int64_t *ms)
{
    char again[CLOCK_RFC3339_LEN];
    if (!clock_parse_rfc3339(text, ms))
        return false;
    clock_format_rfc3339(*ms, again);
    return slice_eq(text, (struct slice){again, sizeof again});
}

static bool read_text(const struct dump_column *column, struct slice text, struct dump_value *value,
                      struct uuid *id)
{
    enum task_status status = TASK_PENDING;
    bool good = false;
    switch (column->kind) {
    case DUMP_UUID:
        value->bytes = (struct slice){(const char *)id->bytes, sizeof id->bytes};
        return uuid_parse(text, id);
    case DUMP_TEXT:
        value->bytes = (struct slice){text.ptr ? text.ptr : "", text.len};
        return !column->valid || column->valid(text);
    case DUMP_TIME: return read_time(text, &value->number);
    case DUMP_STATUS:
        good = task_status_parse(text, &status);
        value->number = (int64_t)status;
        return good;
    case DUMP_NUMBER: break;
    }
    return false;
}

static bool read_member(struct importing *m, const struct dump_table *table,
                        const struct json_member *member, struct row *row)
{
    for (size_t i = 0; i < table->column_count; i++) {
        const struct dump_column *column = &table->columns[i];
        if (!slice_eq(column->name, member->name))
            continue;
        row->found[i] = true;
        row->values[i].null = member->kind == JSON_KIND_NULL;
        bool good = false;
        if (row->values[i].null)
            good = column->nullable;
        else if (column->kind == DUMP_NUMBER)
            good = read_number(member, &row->values[i].number);
        else
            good = member->kind == JSON_KIND_TEXT &&
                   read_text(column, member->text, &row->values[i], &row->ids[i]);
        return good || fail(m, "not a good value for", member->name);
    }
    return fail(m, "there is no such member here:", member->name);
}

static int bind(sqlite3_stmt *statement, const struct dump_table *table, const struct row *row)
{
    int rc = SQLITE_OK;
    for (size_t i = 0; i < table->column_count && rc == SQLITE_OK; i++) {
        const struct dump_value *value = &row->values[i];
        const int at = (int)i + 1;
        if (value->null)
            rc = sqlite3_bind_null(statement, at);
        else if (table->columns[i].kind == DUMP_UUID)
            rc = sqlite3_bind_blob64(statement, at, value->bytes.ptr, value->bytes.len,
                                     SQLITE_STATIC);
        else if (table->columns[i].kind == DUMP_TEXT)
            rc = sqlite3_bind_text64(statement, at, value->bytes.ptr, value->bytes.len,
                                     SQLITE_STATIC, SQLITE_UTF8);
        else
            rc = sqlite3_bind_int64(statement, at, value->number);
    }
    return rc;
}

static bool insert(struct importing *m, size_t index, const struct row *row)
{
    sqlite3_stmt *statement = m->inserts[index];
    int rc = bind(statement, &dump_tables[index], row);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(statement);
    const int inserted = rc == SQLITE_DONE ? sqlite3_changes(m->db) : 0;
    (void)sqlite3_reset(statement);
    m->counts->rows[index] += inserted;
    if (rc == SQLITE_DONE)
        return inserted == 1 ||
               fail(m, "no line before has its account, or with a lower revision", SLICE(""));
    if ((rc & 0xff) == SQLITE_CONSTRAINT)
        return fail(m, "the same id or e-mail stood in an earlier line", SLICE(""));
    return fail(m, "cannot write:", slice_of(database_error(m->db, rc)));
}

static bool take_row(struct importing *m, struct json_reader *reader, size_t index)
{
    const struct dump_table *table = &dump_tables[index];
    struct json_member member;
    struct row row = {0};
    while (json_reader_next(reader, &member)) {
        if (!read_member(m, table, &member, &row))
            return false;
    }
    for (size_t i = 0; i < table->column_count; i++) {
        if (!row.found[i])
            return fail(m, "there is no", table->columns[i].name);
    }
    if (table->valid && !table->valid(row.values))
        return fail(m, "its members do not fit together", SLICE(""));
    return insert(m, index, &row);
}

/* `{"format":"taskhold","version":1,…}` with all counts. */
static bool take_header(struct importing *m, struct json_reader *reader)
{
    struct json_member member;
    int64_t version = 0;
    unsigned found = 0;
    while (json_reader_next(reader, &member)) {
        bool good = false;
        if (slice_eq(member.name, SLICE("format")))
            good = slice_eq(member.text, SLICE("taskhold"));
        else if (slice_eq(member.name, SLICE("version")))
            good = read_number(&member, &version) && version == DUMP_VERSION;
        for (size_t i = 0; i < DUMP_TABLES && !good; i++)
            good = slice_eq(member.name, dump_tables[i].count) &&
                   read_number(&member, &m->announced.rows[i]);
        if (!good)
            return fail(m, "not a good value for", member.name);
        found++;
    }
    return found == DUMP_TABLES + 2 || fail(m, "this is no header of an export", SLICE(""));
}

static bool take_line(struct importing *m, struct slice text)
{
    char why[JSON_READER_WHY];
    struct json_reader reader = {0};
    struct json_member member = {0};
    bool good = json_reader_init(&reader, text, why) == JSON_READ_OK;
    if (!good) {
        fail(m, why, SLICE(""));
    } else if (m->line == 1) {
        good = take_header(m, &reader);
    } else {
        good = json_reader_next(&reader, &member) && slice_eq(member.name, SLICE("type"));
        size_t i = 0;
        while (good && i < DUMP_TABLES && !slice_eq(member.text, dump_tables[i].type))
            i++;
        good = good && i < DUMP_TABLES ? take_row(m, &reader, i)
                                       : fail(m, "its first member is not a known type", SLICE(""));
    }
    json_reader_finish(&reader);
    return good;
}

static bool take_lines(struct importing *m)
{
    char *line = NULL;
    size_t room = 0;
    bool good = true;
    ssize_t len = 0;
    while (good && (len = getline(&line, &room, m->in)) > 0) {
        m->line++;
        if (line[len - 1] == '\n')
            len--;
        good = len <= LINE_MOST ? take_line(m, (struct slice){line, (size_t)len})
                                : fail(m, "it is longer than any row", SLICE(""));
    }
    free(line);
    if (good && (ferror(m->in) || m->line == 0))
        good = fail(m, "there is nothing to read", SLICE(""));
    for (size_t i = 0; i < DUMP_TABLES && good; i++) {
        if (m->counts->rows[i] != m->announced.rows[i])
            good = fail(m, "this is the end, and the header announced another number of",
                        dump_tables[i].count);
    }
    return good;
}

static bool run(struct importing *m)
{
    int rc = sqlite3_exec(m->db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
    for (size_t i = 0; i < DUMP_TABLES && rc == SQLITE_OK; i++)
        rc = sqlite3_prepare_v2(m->db, dump_tables[i].insert, -1, &m->inserts[i], NULL);
    const bool good = rc == SQLITE_OK && take_lines(m);
    for (size_t i = 0; i < DUMP_TABLES; i++)
        sqlite3_finalize(m->inserts[i]);
    if (good)
        rc = sqlite3_exec(m->db, "COMMIT", NULL, NULL, NULL);
    if (rc != SQLITE_OK)
        return fail(m, "cannot write:", slice_of(database_error(m->db, rc)));
    return good; /* if not, closing rolls back */
}

static bool is_empty(struct importing *m, const char *path)
{
    sqlite3_int64 users = 1;
    if (database_read_i64(m->db, "SELECT count(*) FROM users", &users) == SQLITE_OK && users == 0)
        return true;
    (void)snprintf(m->why, m->why_size,
                   "%s holds accounts already: import into a new file (--database sqlite:PATH)",
                   path);
    return false;
}

bool dump_import(const char *url, FILE *in, const char *name, struct dump_counts *counts, char *why,
                 size_t why_size)
{
    struct importing m = {
        .in = in, .name = name, .counts = counts, .why = why, .why_size = why_size};
    struct file file = {.lock = -1};
    memset(counts, 0, sizeof *counts);
    database_setup();
    bool done = file_claim(&file, url, why, why_size);
    if (done)
        m.db = database_open_writer(file.path, why, why_size);
    done = m.db && migrate_to_head(m.db, why, why_size) && is_empty(&m, file.path) && run(&m);
    if (done && !file_sync_directory(&file))
        done = fail(&m, "cannot flush the directory:", slice_of(strerror(errno)));
    database_close(&m.db);
    if (!done)
        file_forget(&file);
    file_release(&file);
    return done;
}
