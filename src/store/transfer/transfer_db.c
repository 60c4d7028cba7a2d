// SPDX-License-Identifier: MIT
#include "store/transfer/transfer_db.h"

#include <stdio.h>

#include "store/postgres/transfer_db.h"
#include "store/sqlite/transfer_db.h"

struct transfer_db *transfer_db_open(const char *url, enum transfer_use use, char *why,
                                     size_t why_size)
{
    static const struct transfer_engine *const engines[] = {&sqlite_transfer, &postgres_transfer};
    /* Another name of the same scheme. */
    const char *scheme = slice_starts(slice_of(url), SLICE("postgresql:")) ? "postgres:" : url;

    assert(why_size > 0);
    tables_setup();
    for (size_t i = 0; i < sizeof engines / sizeof engines[0]; i++) {
        if (slice_starts(slice_of(scheme), slice_of(engines[i]->scheme)))
            return engines[i]->open(url, use, why, why_size);
    }
    (void)snprintf(why, why_size, "a database is sqlite:PATH, postgres://... or postgresql://...");
    return NULL;
}

void transfer_db_close(struct transfer_db **db)
{
    if (*db)
        (*db)->engine->close(*db);
    *db = NULL;
}

bool transfer_db_fail(struct transfer_db *db, const char *what, const char *detail)
{
    assert(db && what && detail);
    (void)snprintf(db->why, db->why_size, "%s: %s", what, detail);
    return false;
}

/* ---- statements ---- */

const char *transfer_db_text(struct buffer *sql)
{
    assert(sql);
    buffer_add_char(sql, '\0');
    return sql->failed ? "" : sql->data;
}

void transfer_db_columns(struct buffer *sql, const struct table *table)
{
    assert(table->column_count > 0);
    for (size_t i = 0; i < table->column_count; i++) {
        const struct slice name = table->columns[i].name;
        buffer_add_format(sql, "%s%.*s", i > 0 ? ", " : "", (int)name.len, name.ptr);
    }
}

/* `column = user`, as a literal. */
static void add_owner(struct buffer *sql, const char *before, const char *column,
                      const struct uuid *user, enum sql_dialect dialect)
{
    if (!user)
        return;
    buffer_add_format(sql, "%s%s = %s'", before, column, dialect == SQL_SQLITE ? "x" : "");
    for (size_t i = 0; i < sizeof user->bytes; i++)
        buffer_add_format(sql, "%02x", user->bytes[i]);
    buffer_add_char(sql, '\'');
}

void transfer_db_select(struct buffer *sql, const struct transfer_db *db, const struct table *table,
                        const struct uuid *user, bool count)
{
    const enum sql_dialect dialect = db->engine->dialect;
    const bool derived = dialect == SQL_SQLITE && table->in_sqlite;

    assert(table >= tables && table < tables + TABLES_MOST && table->name);
    assert(db->use == TRANSFER_READ ? table->exported > 0 : !user);
    buffer_add_text(sql, "SELECT ");
    if (count)
        buffer_add_text(sql, "count(*)");
    else
        transfer_db_columns(sql, table);
    buffer_add_format(sql, " FROM %s", derived ? table->in_sqlite : table->name);
    if (db->use == TRANSFER_READ && table == &tables[TABLE_USERS]) {
        buffer_add_text(sql, " WHERE deleted_at IS NULL");
        add_owner(sql, " AND ", "user_id", user, dialect);
    } else if (db->use == TRANSFER_READ && table == &tables[TABLE_SPACES]) {
        add_owner(sql, " WHERE ", "owner_id", user, dialect);
    } else if (db->use == TRANSFER_READ) {
        /* The space of an account that was deleted is gone at once, its rows are not. */
        buffer_add_text(sql, " WHERE space_id IN (SELECT space_id FROM spaces");
        add_owner(sql, " WHERE ", "owner_id", user, dialect);
        buffer_add_char(sql, ')');
        if (table == &tables[TABLE_TRASH])
            buffer_add_text(sql, " AND revision > (SELECT emptied FROM spaces s "
                                 "WHERE s.space_id = trash.space_id)");
    }
    if (!count)
        buffer_add_format(sql, " ORDER BY %s", table->order);
}
