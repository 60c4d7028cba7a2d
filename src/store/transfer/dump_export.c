// SPDX-License-Identifier: MIT
#include "store/transfer/dump.h"

#include <errno.h>

#include "base/json_writer.h"
#include "model/task.h"
#include "store/transfer/side.h"

/* More than the longest row takes: every byte of its texts escaped. */
#define LINE_MOST (1024 * 1024)

struct exporting {
    struct side *side;
    const struct uuid *user; /* NULL: all */
    FILE *out;
    struct buffer line;
    struct dump_counts *counts;
};

static bool write_line(struct exporting *e)
{
    buffer_add_char(&e->line, '\n');
    const bool made = !e->line.failed;
    const bool written = made && fwrite(e->line.data, 1, e->line.len, e->out) == e->line.len;
    if (!written)
        side_fail(e->side, "cannot write", made ? strerror(errno) : "no memory");
    buffer_clear(&e->line);
    return written;
}

static void write_value(struct json_writer *w, const struct dump_column *column,
                        const struct table_value *value)
{
    struct uuid id;
    jw_name(w, column->name);
    if (value->null) {
        jw_null(w);
        return;
    }
    switch (column->kind) {
    case DUMP_UUID:
        memcpy(id.bytes, value->bytes.ptr, sizeof id.bytes);
        jw_uuid(w, id);
        break;
    case DUMP_TEXT: jw_text(w, value->bytes); break;
    case DUMP_TIME: jw_time(w, value->number); break;
    case DUMP_NUMBER: jw_i64(w, value->number); break;
    case DUMP_STATUS: jw_text(w, task_status_name((enum task_status)value->number)); break;
    }
}

static bool write_row(struct exporting *e, const struct dump_table *table,
                      const struct table_value *values)
{
    struct json_writer w;
    json_writer_init(&w, &e->line);
    jw_open_object(&w);
    jw_name(&w, SLICE("type"));
    jw_text(&w, table->type);
    for (size_t i = 0; i < table->table->column_count; i++)
        write_value(&w, &table->columns[i], &values[i]);
    jw_close_object(&w);
    return write_line(e);
}

static bool write_table(struct exporting *e, const struct dump_table *table)
{
    struct table_value values[TABLE_COLUMNS_MOST];
    const struct side_engine *engine = e->side->engine;
    enum side_next next = SIDE_ROW;
    if (!engine->read(e->side, table->table, e->user))
        return false;
    while ((next = engine->next(e->side, values)) == SIDE_ROW) {
        if (!write_row(e, table, values))
            return false;
    }
    return next == SIDE_END;
}

static bool count_rows(struct exporting *e)
{
    for (size_t i = 0; i < DUMP_TABLES; i++) {
        if (!e->side->engine->count(e->side, dump_tables[i].table, e->user, &e->counts->rows[i]))
            return false;
    }
    return true;
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
    for (size_t i = 0; i < DUMP_TABLES; i++) {
        jw_name(&w, dump_tables[i].count);
        jw_i64(&w, e->counts->rows[i]);
    }
    jw_close_object(&w);
    return write_line(e);
}

static bool find_user(struct exporting *e, struct slice email, struct uuid *user)
{
    e->user = user;
    switch (e->side->engine->find_user(e->side, email, user)) {
    case SIDE_FOUND: return true;
    case SIDE_NOT_FOUND: return side_fail(e->side, "no account", "there is none with that e-mail");
    case SIDE_NOT_ASKED: break;
    }
    return false;
}

bool dump_export(const char *url, struct slice email, FILE *out, struct dump_counts *counts,
                 char *why, size_t why_size)
{
    struct exporting e = {.out = out, .counts = counts};
    struct uuid user;
    buffer_init(&e.line, LINE_MOST);
    e.side = side_open(url, SIDE_READ, why, why_size);
    bool good =
        e.side && (!email.ptr || find_user(&e, email, &user)) && count_rows(&e) && write_header(&e);
    for (size_t i = 0; i < DUMP_TABLES && good; i++)
        good = write_table(&e, &dump_tables[i]);
    if (good && fflush(out) != 0)
        good = side_fail(e.side, "cannot write", strerror(errno));
    side_close(&e.side);
    buffer_finish(&e.line);
    return good;
}
