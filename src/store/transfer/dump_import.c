// SPDX-License-Identifier: MIT
#include "store/transfer/dump.h"

#include <jansson.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/json_reader.h"
#include "model/task.h"
#include "model/user.h"
#include "store/transfer/seen.h"
#include "store/transfer/side.h"

#define LINE_MOST (1024 * 1024)

struct importing {
    struct side *side;
    struct seen *seen;
    FILE *in;
    const char *name;
    long long line;
    bool refused; /* by the database */
    struct dump_counts announced;
    struct dump_counts *counts;
    char *why;
    size_t why_size;
};

/* The members of a line as they were found. */
struct row {
    struct table_value values[DUMP_COLUMNS_MOST];
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

static bool read_text(const struct dump_column *column, struct slice text,
                      struct table_value *value, struct uuid *id)
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
    case DUMP_TIME: return clock_parse_exact(text, &value->number);
    case DUMP_STATUS:
        good = task_status_parse(text, &status);
        value->number = (int64_t)status;
        return good;
    case DUMP_NUMBER: break;
    }
    return false;
}

/* Only an account may have had no change yet. */
static bool read_revision(const struct dump_table *table, const struct json_member *member,
                          int64_t *number)
{
    return read_number(member, number) && *number <= DUMP_REVISION_MOST &&
           (*number > 0 || table->table == &tables[TABLE_USERS]);
}

static bool read_member(struct importing *m, const struct dump_table *table,
                        const struct json_member *member, struct row *row)
{
    for (size_t i = 0; i < table->table->column_count; i++) {
        const struct dump_column *column = &table->columns[i];
        if (!slice_eq(column->name, member->name))
            continue;
        row->found[i] = true;
        row->values[i].null = member->kind == JSON_KIND_NULL;
        bool good = false;
        if (row->values[i].null)
            good = table->table->columns[i].nullable;
        else if (column->kind == DUMP_NUMBER)
            good = read_revision(table, member, &row->values[i].number);
        else
            good = member->kind == JSON_KIND_TEXT &&
                   read_text(column, member->text, &row->values[i], &row->ids[i]);
        return good || fail(m, "not a good value for", member->name);
    }
    return fail(m, "there is no such member here:", member->name);
}

/* What a login looks for, in lower case (ASCII only). */
static enum side_insert insert_email(struct importing *m, const struct table_value *user)
{
    char lower[USER_EMAIL_MOST];
    const struct slice email = user[table_find(&tables[TABLE_USERS], "email")].bytes;
    const struct table_value values[] = {
        {.bytes = {lower, email.len}},
        user[table_find(&tables[TABLE_USERS], "user_id")],
    };
    (void)slice_lower(email, lower);
    return m->side->engine->insert(m->side, &tables[TABLE_EMAILS], values, m->line);
}

/* A verdict may be about an earlier line. */
static bool accept_verdict(struct importing *m, enum side_insert verdict)
{
    char reason[512];
    if (verdict != SIDE_INSERTED)
        m->line = m->side->line;
    switch (verdict) {
    case SIDE_INSERTED: return true;
    case SIDE_ORPHAN:
        return fail(m, "no line before has its account, or with a lower revision", SLICE(""));
    case SIDE_DOUBLE: return fail(m, "the same id or e-mail stood in an earlier line", SLICE(""));
    case SIDE_NOT_INSERTED: break;
    }
    (void)snprintf(reason, sizeof reason, "%s", m->why);
    return fail(m, reason, SLICE(""));
}

static bool insert(struct importing *m, size_t index, const struct row *row)
{
    const struct table *table = dump_tables[index].table;
    enum side_insert verdict = m->side->engine->insert(m->side, table, row->values, m->line);
    if (verdict == SIDE_INSERTED && table == &tables[TABLE_USERS])
        verdict = insert_email(m, row->values);
    m->counts->rows[index]++;
    m->refused = verdict != SIDE_INSERTED;
    return accept_verdict(m, verdict);
}

/* One counter numbers all changes of an account, so no two of its rows have the same revision. */
static bool check_revision(struct importing *m, const struct table *table,
                           const struct table_value *values)
{
    if (table == &tables[TABLE_USERS])
        return true;
    switch (seen_add(m->seen, values[table_find(table, "user_id")].bytes,
                     values[table_find(table, "revision")].number)) {
    case SEEN_NEW: return true;
    case SEEN_BEFORE:
        return fail(m, "its revision stood in an earlier line of the same account", SLICE(""));
    case SEEN_FAILED: break;
    }
    return fail(m, "there is no memory, or no room for temporary files (set SQLITE_TMPDIR)",
                SLICE(""));
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
    for (size_t i = 0; i < table->table->column_count; i++) {
        if (!row.found[i])
            return fail(m, "there is no", table->columns[i].name);
    }
    if (table->valid && !table->valid(row.values))
        return fail(m, "its members do not fit together", SLICE(""));
    return insert(m, index, &row) && check_revision(m, table->table, row.values);
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
    /* What is wrong with an earlier line is told first. */
    if (!m->refused)
        good = accept_verdict(m, m->side->engine->inserted(m->side)) && good;
    if (good && (ferror(m->in) || m->line == 0))
        good = fail(m, "there is nothing to read", SLICE(""));
    for (size_t i = 0; i < DUMP_TABLES && good; i++) {
        if (m->counts->rows[i] != m->announced.rows[i])
            good = fail(m, "this is the end, and the header announced another number of",
                        dump_tables[i].count);
    }
    return good;
}

bool dump_import(const char *url, FILE *in, const char *name, struct dump_counts *counts, char *why,
                 size_t why_size)
{
    struct importing m = {
        .in = in, .name = name, .counts = counts, .why = why, .why_size = why_size};
    memset(counts, 0, sizeof *counts);
    (void)snprintf(why, why_size, "no memory, or no room for temporary files");
    m.seen = seen_create();
    if (!m.seen)
        return false;
    m.side = side_open(url, SIDE_IMPORT, why, why_size);
    const bool done = m.side && take_lines(&m) && m.side->engine->finish(m.side);
    side_close(&m.side); /* gives back what was not finished */
    seen_destroy(&m.seen);
    return done;
}
