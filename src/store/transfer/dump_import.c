// SPDX-License-Identifier: MIT
#include "store/transfer/dump.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/json_reader.h"
#include "model/field_json.h"
#include "model/task.h"
#include "model/when.h"
#include "store/sqlite/statement.h"
#include "store/transfer/transfer_db.h"

static bool wrong(struct dump_reader *r, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static bool wrong(struct dump_reader *r, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(r->why, r->why_size, format, arguments);
    va_end(arguments);
    return false;
}

/* ---- the kinds of lines ---- */

static struct table *table_of(const struct resource *resource)
{
    return &tables[TABLE_ITEMS + resource_index(resource)];
}

/* Of older formats: the members in the order of their lines, and after a colon what the column of
 * one is called now; NULL: all that its table exports. The revision of an account became its
 * space's. */
static const struct {
    int version;
    enum table_id table; /* TABLES_MOST: that of task_resource */
    struct slice line;
    struct slice lines;
    const char *members;
} old_forms[] = {
    {1, TABLE_USERS, FIELD_NAME("user"), FIELD_NAME("users"),
     "id:user_id email name password_hash revision disabled_at created_at updated_at"},
    {1, TABLES_MOST, FIELD_NAME("task"), FIELD_NAME("tasks"),
     "user_id:space_id created_at id revision updated_at completed_at status title description"},
    {1, TABLE_JOURNAL, FIELD_NAME("tombstone"), FIELD_NAME("tombstones"),
     "user_id:space_id id revision deleted_at:at"},
    {2, TABLE_USERS, FIELD_NAME("user"), FIELD_NAME("users"),
     "user_id email name password_hash disabled_at created_at updated_at"},
    {2, TABLE_SPACES, FIELD_NAME("space"), FIELD_NAME("spaces"), NULL},
    {2, TABLES_MOST, FIELD_NAME("task"), FIELD_NAME("tasks"),
     "space_id id title description status created_at updated_at completed_at revision"},
    {2, TABLE_JOURNAL, FIELD_NAME("change"), FIELD_NAME("changes"), NULL},
};

#define OLD_FORMS        (sizeof old_forms / sizeof old_forms[0])
#define OLD_MEMBERS_MOST 9

/* What an account of format 1 is read into. */
struct old_user {
    struct user user;
    int64_t revision;
};

/* Makes `fields` those of a line's members; returns how many there are. */
static unsigned make_fields(const struct table *table, const char *members,
                            struct field fields[static OLD_MEMBERS_MOST])
{
    const struct table *spaces = &tables[TABLE_SPACES];
    struct slice rest = slice_of(members);
    unsigned count = 0;
    while (rest.ptr) {
        struct slice column = slice_next(&rest, ' ');
        const struct slice name = slice_next(&column, ':');
        const int at = table_find(table, column.ptr ? column : name);
        struct field *field = &fields[count];
        assert(count < OLD_MEMBERS_MOST);
        *field =
            at >= 0 ? table->columns[at] : spaces->columns[table_find(spaces, SLICE("revision"))];
        if (at < 0)
            field->at = offsetof(struct old_user, revision);
        field->name = name;
        field->bit = 1U << count++;
    }
    return count;
}

static void make_forms(struct dump_reader *r)
{
    static struct field fields[OLD_FORMS][OLD_MEMBERS_MOST];
    for (const struct table *t = NULL; r->version == DUMP_VERSION && (t = table_next(t));) {
        if (t->exported > 0)
            r->forms[r->form_count++] =
                (struct dump_form){t, t->line, t->lines, t->columns, t->exported};
    }
    for (size_t i = 0; i < OLD_FORMS; i++) {
        const struct table *table = old_forms[i].table < TABLES_MOST ? &tables[old_forms[i].table]
                                                                     : table_of(&task_resource);
        struct dump_form form = {table, old_forms[i].line, old_forms[i].lines, table->columns,
                                 table->exported};
        if (old_forms[i].version != r->version)
            continue;
        if (old_forms[i].members) {
            form.count = make_fields(table, old_forms[i].members, fields[i]);
            form.fields = fields[i];
        }
        r->forms[r->form_count++] = form;
    }
}

/* ---- reading a line ---- */

/* False, with the first thing that is wrong. `of` stands before the name of the member. */
static bool read_fields(struct dump_reader *r, struct field_reading *reading,
                        struct json_reader *json, const char *of)
{
    reading->arena = r->arena;
    if (!field_read(reading, json))
        return wrong(r, "there is no memory");
    if (reading->errors.count == 0)
        return true;
    const struct field_error *error = &reading->errors.list[0];
    const int len = (int)error->pointer.len - 1;
    const char *name = error->pointer.ptr + 1;
    if (strcmp(error->code, "unknown") == 0)
        return wrong(r, "there is no such member here: %s%.*s", of, len, name);
    if (strcmp(error->code, "required") == 0)
        return wrong(r, "there is no %s%.*s", of, len, name);
    return wrong(r, "not a good value for %s%.*s: %s", of, len, name, error->detail);
}

/* What a change replaced stands in a line as an object, and in its column as the text that the
 * journal has of it: makes that of this. */
static bool take_before(struct dump_reader *r, json_t *line)
{
    json_t *before = json_object_get(line, "before");
    const char *kind = json_string_value(json_object_get(line, "kind"));
    const struct resource *resource = kind ? resource_named(slice_of(kind)) : NULL;
    if (!json_is_object(before) || !resource)
        return json_is_object(before) || json_is_null(before) || !before ||
               wrong(r, "not a good value for before: Must be an object or null.");
    const struct table *table = table_of(resource);
    struct json_reader json = {before, json_object_iter(before)};
    struct field_reading reading = {.fields = table->columns + 1,
                                    .count = resource->count,
                                    .mode = FIELD_SOME,
                                    .input = arena_alloc(r->arena, resource->size)};
    struct buffer text;
    struct json_writer w;
    if (!reading.input)
        return wrong(r, "there is no memory");
    resource_clear(resource, reading.input);
    if (!read_fields(r, &reading, &json, "before/"))
        return false;
    buffer_init(&text, DUMP_LINE_MOST);
    json_writer_init(&w, &text);
    /* The first bit is the space's. */
    resource_encode(resource, reading.input, reading.set >> 1, &w);
    const bool set =
        !text.failed && json_object_set_new(line, "before", json_stringn(text.data, text.len)) == 0;
    buffer_finish(&text);
    return set || wrong(r, "there is no memory");
}

/* As an export writes a value of one word; ptr NULL: any form that is valid is that one. */
static struct slice exact_form(const struct field *field, const struct field_value *value,
                               char room[static UUID_TEXT_LEN])
{
    static_assert(UUID_TEXT_LEN >= WHEN_TEXT_MOST && WHEN_TEXT_MOST == CLOCK_RFC3339_LEN, "room");
    struct when when;
    switch (field->type) {
    case FIELD_TIME: clock_format_rfc3339(value->number, room); break;
    case FIELD_WHEN:
        return when_unpack(value->number, &when) ? when_write(&when, room) : (struct slice){0};
    case FIELD_UUID:
        uuid_format(*(const struct uuid *)(const void *)value->bytes.ptr, room);
        return (struct slice){room, UUID_TEXT_LEN};
    default: return (struct slice){0};
    }
    return (struct slice){room, CLOCK_RFC3339_LEN};
}

/* Only the form that an export writes, so that the next one is the same. */
static bool forms_are_exact(struct dump_reader *r, const struct dump_form *form, const void *row,
                            const struct json_reader *line)
{
    struct json_reader again = {line->root, json_object_iter(line->root)};
    struct json_member member;
    while (json_reader_next(&again, &member)) {
        char room[UUID_TEXT_LEN];
        const struct field *field = field_named(form->fields, form->count, member.name);
        if (!field || member.kind == JSON_KIND_NULL)
            continue;
        const struct field_value value = field_get(field, row);
        const struct slice exact = value.null ? (struct slice){0} : exact_form(field, &value, room);
        if (exact.ptr && !slice_eq(member.text, exact))
            return wrong(r, "not a good value for %.*s: Must be written as %.*s.",
                         (int)field->name.len, field->name.ptr, (int)exact.len, exact.ptr);
        if (field_is_json(field->type) && !field_json_is_exact(field, value.bytes, &member))
            return wrong(r, "not a good value for %.*s: Must have each once, and in order.",
                         (int)field->name.len, field->name.ptr);
    }
    return true;
}

static void add_row(struct dump_rows *rows, const struct table *table, const void *row)
{
    assert(rows->count < DUMP_ROWS_MOST);
    rows->list[rows->count].table = table;
    for (size_t i = 0; i < table->column_count; i++) {
        struct field_value *value = &rows->list[rows->count].values[i];
        const bool nullable = (table->columns[i].flags & FIELD_NULLABLE) != 0;
        *value = i < table->exported ? field_get(&table->columns[i], row)
                                     : (struct field_value){.null = nullable};
    }
    rows->count++;
}

/* The derived column of the row that was added last; it is the last one. False without memory. */
static bool derive(struct dump_reader *r, const struct table *table, const void *row,
                   struct dump_rows *rows)
{
    struct buffer room = {0};
    struct field_value *value = &rows->list[rows->count - 1].values[table->column_count - 1];
    if (!table->resource || !table->resource->derived.ptr)
        return true;
    bool made = resource_derive(table->resource, row, &room, value);
    if (made && !value->null) {
        value->bytes = arena_copy(r->arena, value->bytes);
        made = value->bytes.ptr != NULL;
    }
    buffer_finish(&room);
    return made;
}

/* The e-mail first, with which an account is checked. */
static bool add_user(struct dump_reader *r, struct dump_rows *rows, const struct old_user *old)
{
    const struct user *user = &old->user;
    const struct slice email = user->email;
    const struct slice id = {(const char *)user->id.bytes, sizeof user->id.bytes};
    char *lower = arena_alloc(r->arena, USER_EMAIL_MOST);
    struct space_row *space = arena_new(r->arena, struct space_row);
    if (!lower || !space)
        return wrong(r, "there is no memory");
    /* What a login looks for, in lower case (ASCII only). */
    (void)slice_lower(email, lower);
    rows->list[rows->count].table = &tables[TABLE_EMAILS];
    rows->list[rows->count].values[0] = (struct field_value){.bytes = {lower, email.len}};
    rows->list[rows->count++].values[1] = (struct field_value){.bytes = id};
    add_row(rows, &tables[TABLE_USERS], user);
    /* Of its changes nothing is known but some deletions. */
    *space = (struct space_row){user->id, user->id, old->revision, old->revision};
    if (r->version == 1)
        add_row(rows, &tables[TABLE_SPACES], space);
    return true;
}

/* All of its members are there. */
static bool read_line(struct dump_reader *r, struct json_reader *json, struct dump_rows *rows)
{
    const struct dump_form *form = NULL;
    struct json_member member = {0};
    const bool typed = json_reader_next(json, &member) && slice_eq(member.name, SLICE("type"));
    for (size_t i = 0; i < r->form_count && typed && !form; i++)
        form = slice_eq(member.text, r->forms[i].line) ? &r->forms[i] : NULL;
    if (!form)
        return wrong(r, "its first member is not a known type");
    const struct table *table = form->table;
    void *row = arena_alloc(r->arena, table->size + sizeof(int64_t)); /* see struct old_user */
    struct field_reading reading = {
        .fields = form->fields, .count = form->count, .mode = FIELD_WHOLE, .input = row};
    if (!row)
        return wrong(r, "there is no memory");
    if (table->resource)
        resource_clear(table->resource, row);
    if (table == &tables[TABLE_JOURNAL]) {
        /* What a tombstone is. */
        *(struct change_row *)row =
            (struct change_row){.kind = (unsigned)task_resource.kind, .verb = STORE_DELETE};
        if (r->version > 1 && !take_before(r, json->root))
            return false;
    }
    if (!read_fields(r, &reading, json, "") || !forms_are_exact(r, form, row, json))
        return false;
    /* Older formats know no positions: the order of the last changes is one. */
    if (table->resource && r->version < DUMP_VERSION &&
        !resource_put_last(table->resource, row, ((const struct item *)row)->revision, r->arena))
        return wrong(r, "there is no memory");
    if (table->fits && !table->fits(row))
        return wrong(r, "its members do not fit together");
    if (table == &tables[TABLE_USERS])
        return add_user(r, rows, row);
    add_row(rows, table, row);
    return derive(r, table, row, rows) || wrong(r, "there is no memory");
}

/* `{"format":"taskhold","version":3,…}` with all counts. */
static bool read_header(struct dump_reader *r, struct json_reader *json)
{
    const json_int_t version = json_integer_value(json_object_get(json->root, "version"));
    struct json_member member;
    size_t found = 0;
    r->version = version >= 1 && version <= DUMP_VERSION ? (int)version : 0;
    make_forms(r);
    while (json_reader_next(json, &member)) {
        bool good = slice_eq(member.name, SLICE("version")) && r->version > 0;
        if (slice_eq(member.name, SLICE("format")))
            good = slice_eq(member.text, SLICE("taskhold"));
        for (size_t i = 0; i < r->form_count && !good; i++) {
            int64_t *rows = &r->announced.rows[r->forms[i].table - tables];
            if (!slice_eq(member.name, r->forms[i].lines))
                continue;
            *rows = json_integer_value(member.value);
            good = json_is_integer(member.value) && *rows >= 0;
        }
        if (!good)
            return wrong(r, "not a good value for %.*s", (int)member.name.len, member.name.ptr);
        found++;
    }
    if (r->version == 1)
        r->announced.rows[TABLE_SPACES] = r->announced.rows[TABLE_USERS];
    return found == r->form_count + 2 || wrong(r, "this is no header of an export");
}

bool dump_reader_init(struct dump_reader *r, char *why, size_t why_size)
{
    assert(why_size > 0);
    tables_setup();
    *r = (struct dump_reader){
        .arena = arena_create(4 * DUMP_LINE_MOST), .why = why, .why_size = why_size};
    return r->arena;
}

void dump_reader_finish(struct dump_reader *r)
{
    arena_destroy(&r->arena);
}

bool dump_read(struct dump_reader *r, struct slice line, struct dump_rows *rows)
{
    char why[JSON_READER_WHY];
    struct json_reader json = {0};
    assert(r->arena);
    arena_reset(r->arena);
    rows->count = 0;
    bool good =
        json_reader_init(&json, line, JSON_TOKENS, why) == JSON_READ_OK || wrong(r, "%s", why);
    if (good)
        good = r->version == 0 ? read_header(r, &json) : read_line(r, &json, rows);
    json_reader_finish(&json);
    return good;
}

/* ---- whether rows fit to those before ---- */

/* What was read so far: the keys of everything. In a file without a name where they are many, so
 * memory stays bounded; and apart from the database, so every engine has the same verdicts. */
static const char checks_begin[] =
    "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"
    "CREATE TABLE users (id BLOB PRIMARY KEY, email TEXT UNIQUE) WITHOUT ROWID;"
    "CREATE TABLE spaces (id BLOB PRIMARY KEY, revision INTEGER) WITHOUT ROWID;"
    "CREATE TABLE items (space BLOB, id BLOB, PRIMARY KEY (space, id)) WITHOUT ROWID;"
    "CREATE TABLE revisions (space BLOB, revision INTEGER, id BLOB, parts INTEGER,"
    "PRIMARY KEY (space, revision)) WITHOUT ROWID; BEGIN";

enum check {
    CHECK_USER,
    CHECK_SPACE,
    CHECK_REVISION,
    CHECK_ITEM,
    CHECK_CHANGE,
    CHECK_TRASHED,
    CHECKS
};

static const char *const check_texts[CHECKS] = {
    [CHECK_USER] = "INSERT INTO users VALUES (?1, ?2)",
    [CHECK_SPACE] = "INSERT INTO spaces SELECT ?1, ?3 FROM users WHERE id = ?2",
    [CHECK_REVISION] = "UPDATE spaces SET revision = revision WHERE id = ?1 AND revision >= ?2",
    [CHECK_ITEM] = "INSERT INTO items VALUES (?1, ?3)",
    /* One counter numbers all changes of a space. A revision is one change, and the item that it
     * left, unless another followed or it was a deletion. */
    [CHECK_CHANGE] = ("INSERT INTO revisions VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE "
                      "SET parts = parts + ?4 WHERE id = ?3 AND parts + ?4 = 3"),
    /* What is in the trash was deleted, and is not there; its change has its content. */
    [CHECK_TRASHED] = ("INSERT INTO items SELECT ?1, ?3 FROM revisions WHERE space = ?1 "
                       "AND revision = ?2 AND id = ?3 AND parts = 3"),
};

/* Where it changes no row. */
static const char *const check_complaints[CHECKS] = {
    [CHECK_SPACE] = "no line before has its account",
    [CHECK_REVISION] = "no line before has its space, or with a lower revision",
    [CHECK_CHANGE] = "its revision stood in an earlier line of the same space",
    [CHECK_TRASHED] = "no line before has its deletion",
};

struct importing {
    struct transfer_db *db;
    sqlite3 *keys;
    struct statements checks;
    FILE *in;
    const char *name;
    long long line;
    struct dump_reader reader;
    struct dump_counts *counts;
    char *why;
    size_t why_size;
    char reason[1024];
};

static bool fail(struct importing *m, const char *what)
{
    (void)snprintf(m->why, m->why_size, "%s line %lld: %s", m->name, m->line, what);
    return false;
}

/* As many of the values as the check has parameters. */
static bool run_check(struct importing *m, enum check check,
                      const struct field_value *const *values)
{
    struct query q = query_begin(&m->checks, check);
    while (q.rc == SQLITE_OK && q.bound < sqlite3_bind_parameter_count(q.statement)) {
        const struct field_value *value = values[q.bound];
        query_bind(&q, (struct sql_value){value->bytes.ptr ? 'b' : 'i', *value});
    }
    const int rc = query_run(&q);
    if (rc == SQLITE_OK)
        return sqlite3_changes(m->keys) == 1 || fail(m, check_complaints[check]);
    if ((rc & 0xff) == SQLITE_CONSTRAINT)
        return fail(m, "the same id or e-mail stood in an earlier line");
    return fail(m, "there is no memory, or no room for temporary files (set SQLITE_TMPDIR)");
}

static bool check_row(struct importing *m, const struct table *table,
                      const struct field_value *values)
{
    if (table == &tables[TABLE_USERS])
        return true; /* with its e-mail, which came before */
    if (table == &tables[TABLE_EMAILS])
        return run_check(m, CHECK_USER, (const struct field_value *[]){&values[1], &values[0]});
    if (table == &tables[TABLE_SPACES])
        return run_check(m, CHECK_SPACE,
                         (const struct field_value *[]){&values[0], &values[1], &values[2]});
    struct field_value parts = {.number = 1};
    if (!table->resource && table != &tables[TABLE_TRASH])
        parts.number = values[table_find(table, SLICE("verb"))].number == STORE_DELETE ? 3 : 2;
    const struct field_value *const keys[] = {
        &values[table_find(table, SLICE("space_id"))],
        &values[table_find(table, SLICE("revision"))],
        &values[table_find(table, SLICE("id"))],
        &parts,
    };
    if (table == &tables[TABLE_TRASH])
        return run_check(m, CHECK_TRASHED, keys);
    return run_check(m, CHECK_REVISION, keys) &&
           (!table->resource || run_check(m, CHECK_ITEM, keys)) && run_check(m, CHECK_CHANGE, keys);
}

/* ---- into a database ---- */

static bool take_line(struct importing *m, struct slice text)
{
    struct dump_rows rows;
    if (text.len > DUMP_LINE_MOST)
        return fail(m, "it is longer than any row");
    if (!dump_read(&m->reader, text, &rows))
        return fail(m, m->reason);
    for (size_t i = 0; i < rows.count; i++) {
        const struct table *table = rows.list[i].table;
        const struct field_value *values = rows.list[i].values;
        if (!check_row(m, table, values) || !m->db->engine->put(m->db, table, values))
            return false;
        m->counts->rows[table - tables]++;
    }
    return true;
}

/* As many rows as the header announced. */
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
        good = take_line(m, (struct slice){line, (size_t)len});
    }
    free(line);
    if (good && (ferror(m->in) || m->line == 0))
        return fail(m, "there is nothing to read");
    for (size_t i = 0; good && i < m->reader.form_count; i++) {
        const struct dump_form *form = &m->reader.forms[i];
        const size_t place = (size_t)(form->table - tables);
        if (m->counts->rows[place] != m->reader.announced.rows[place]) {
            wrong(&m->reader, "this is the end, and the header announced another number of %.*s",
                  (int)form->lines.len, form->lines.ptr);
            return fail(m, m->reason);
        }
    }
    return good;
}

bool dump_import(const char *url, FILE *in, const char *name, struct dump_counts *counts, char *why,
                 size_t why_size)
{
    struct importing m = {
        .in = in, .name = name, .counts = counts, .why = why, .why_size = why_size};
    assert(url && in && name && why_size > 0);
    *counts = (struct dump_counts){0};
    (void)snprintf(why, why_size, "no memory, or no room for temporary files");
    if (dump_reader_init(&m.reader, m.reason, sizeof m.reason) &&
        sqlite3_open_v2("", &m.keys, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) ==
            SQLITE_OK &&
        sqlite3_exec(m.keys, checks_begin, NULL, NULL, NULL) == SQLITE_OK &&
        statements_init(&m.checks, m.keys, check_texts, CHECKS))
        m.db = transfer_db_open(url, TRANSFER_IMPORT, why, why_size);
    const bool done = m.db && take_lines(&m) && m.db->engine->finish(m.db);
    transfer_db_close(&m.db); /* gives back what was not finished */
    statements_finish(&m.checks);
    (void)sqlite3_close(m.keys);
    dump_reader_finish(&m.reader);
    return done;
}
