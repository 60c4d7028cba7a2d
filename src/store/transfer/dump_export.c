// SPDX-License-Identifier: MIT
#include "store/transfer/dump.h"

#include <errno.h>

#include "store/transfer/transfer_db.h"

struct exporting {
    struct transfer_db *db;
    const struct uuid *user; /* NULL: all */
    FILE *out;
    struct arena *arena;
    struct buffer line;
    struct dump_counts *counts;
};

static bool write_line(struct exporting *e)
{
    buffer_add_char(&e->line, '\n');
    const bool made = !e->line.failed;
    const bool written = made && fwrite(e->line.data, 1, e->line.len, e->out) == e->line.len;
    if (!written)
        transfer_db_fail(e->db, "cannot write", made ? strerror(errno) : "no memory");
    buffer_clear(&e->line);
    return written;
}

static bool write_row(struct exporting *e, const struct table *table,
                      const struct field_value *values)
{
    struct json_writer w;
    arena_reset(e->arena);
    void *row = arena_alloc(e->arena, table->size);
    for (size_t i = 0; i < table->exported && row; i++) {
        if (!field_set(&table->columns[i], row, &values[i]))
            return transfer_db_fail(e->db, table->name, "a row is not as the schema says");
    }
    if (!row)
        return transfer_db_fail(e->db, "cannot write", "no memory");
    const struct change_row *change = table == &tables[TABLE_JOURNAL] ? row : NULL;
    json_writer_init(&w, &e->line);
    jw_open_object(&w);
    jw_name(&w, SLICE("type"));
    jw_text(&w, table->line);
    /* The last column of a change is JSON already. */
    field_write(table->columns, table->exported - (change ? 1 : 0), row, &w);
    if (change) {
        jw_name(&w, table->columns[table->exported - 1].name);
        jw_raw(&w, change->before.ptr ? change->before : SLICE("null"));
    }
    jw_close_object(&w);
    return write_line(e);
}

static bool write_table(struct exporting *e, const struct table *table)
{
    struct field_value values[TABLE_COLUMNS_MOST];
    const struct transfer_engine *engine = e->db->engine;
    enum transfer_next next = TRANSFER_ROW;
    if (!engine->read(e->db, table, e->user))
        return false;
    while ((next = engine->next(e->db, values)) == TRANSFER_ROW) {
        if (!write_row(e, table, values))
            return false;
    }
    return next == TRANSFER_END;
}

static bool write_header(struct exporting *e)
{
    struct json_writer w;
    json_writer_init(&w, &e->line);
    jw_open_object(&w);
    jw_name(&w, SLICE("format"));
    jw_text(&w, SLICE("taskhold"));
    jw_name(&w, SLICE("version"));
    jw_i64(&w, DUMP_VERSION);
    for (const struct table *table = NULL; (table = table_next(table));) {
        int64_t *rows = &e->counts->rows[table - tables];
        if (table->exported == 0)
            continue;
        if (!e->db->engine->count(e->db, table, e->user, rows))
            return false;
        jw_name(&w, table->lines);
        jw_i64(&w, *rows);
    }
    jw_close_object(&w);
    return write_line(e);
}

void dump_counts_add(struct buffer *out, const struct dump_counts *counts, bool json)
{
    const char *between = json ? "{" : "";
    assert(out && counts);
    for (const struct table *table = NULL; (table = table_next(table));) {
        const long long rows = counts->rows[table - tables];
        const int len = (int)table->lines.len;
        if (table->exported == 0)
            continue;
        if (json)
            buffer_add_format(out, "%s\"%.*s\":%lld", between, len, table->lines.ptr, rows);
        else
            buffer_add_format(out, "%s%lld %.*s", between, rows, len, table->lines.ptr);
        between = json ? "," : ", ";
    }
    buffer_add_text(out, json ? "}" : "");
}

bool dump_export(const char *url, struct slice email, FILE *out, struct dump_counts *counts,
                 char *why, size_t why_size)
{
    struct exporting e = {.out = out, .counts = counts};
    struct uuid user;
    assert(url && out && why_size > 0);
    *counts = (struct dump_counts){0};
    (void)snprintf(why, why_size, "no memory");
    buffer_init(&e.line, DUMP_LINE_MOST);
    e.arena = arena_create(DUMP_LINE_MOST);
    if (e.arena)
        e.db = transfer_db_open(url, TRANSFER_READ, why, why_size);
    bool good = e.db && (!email.ptr || e.db->engine->find_user(e.db, email, &user));
    e.user = email.ptr ? &user : NULL;
    good = good && write_header(&e);
    for (const struct table *table = NULL; good && (table = table_next(table));)
        good = table->exported == 0 || write_table(&e, table);
    if (good && fflush(out) != 0)
        good = transfer_db_fail(e.db, "cannot write", strerror(errno));
    transfer_db_close(&e.db);
    buffer_finish(&e.line);
    arena_destroy(&e.arena);
    return good;
}
