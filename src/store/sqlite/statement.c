// SPDX-License-Identifier: MIT
#include "store/sqlite/statement.h"

#include "store/sqlite/database.h"

#include <assert.h>
#include <stdlib.h>

bool statements_init(struct statements *s, sqlite3 *db, const char *const *texts, unsigned count)
{
    assert(db && texts && count > 0);
    *s = (struct statements){.db = db, .texts = texts, .count = count};
    s->prepared = calloc(count, sizeof(sqlite3_stmt *));
    return s->prepared != NULL;
}

void statements_finish(struct statements *s)
{
    assert(s);
    for (unsigned i = 0; s->prepared && i < s->count; i++)
        sqlite3_finalize(s->prepared[i]);
    free(s->prepared);
    *s = (struct statements){0};
}

struct query query_of(sqlite3_stmt *statement, int rc)
{
    assert(statement || rc != SQLITE_OK);
    if (statement)
        (void)sqlite3_clear_bindings(statement); /* see query_bind */
    return (struct query){.statement = statement, .rc = rc};
}

struct query query_begin(struct statements *s, unsigned index)
{
    assert(index < s->count);
    sqlite3_stmt **statement = &s->prepared[index];
    const int rc = *statement ? SQLITE_OK
                              : sqlite3_prepare_v3(s->db, s->texts[index], -1,
                                                   SQLITE_PREPARE_PERSISTENT, statement, NULL);
    return query_of(*statement, rc);
}

static void note(struct query *q, int rc)
{
    if (q->rc == SQLITE_OK)
        q->rc = rc;
}

void query_bind(struct query *q, struct sql_value typed)
{
    const struct field_value *value = &typed.value;
    const int at = ++q->bound;
    assert(q->statement || q->rc != SQLITE_OK);
    if (q->rc != SQLITE_OK)
        return;
    /* Most members of most tasks are null, as a statement's parameters are when it begins. */
    if (value->null)
        return;
    if (typed.type == 'i')
        q->rc = sqlite3_bind_int64(q->statement, at, value->number);
    else if (typed.type == 't')
        q->rc = sqlite3_bind_text64(q->statement, at, value->bytes.ptr, value->bytes.len,
                                    SQLITE_STATIC, SQLITE_UTF8);
    else
        q->rc = sqlite3_bind_blob64(q->statement, at, value->bytes.ptr, value->bytes.len,
                                    SQLITE_STATIC);
}

void query_bind_field(struct query *q, const struct field *field, const void *item)
{
    query_bind(q, (struct sql_value){SQL_LETTER(field), field_get(field, item)});
}

struct query query_begin_with(struct statements *s, unsigned index, const struct sql_value *values,
                              size_t count)
{
    struct query q = query_begin(s, index);
    for (size_t i = 0; i < count; i++)
        query_bind(&q, values[i]);
    return q;
}

bool query_row(struct query *q)
{
    assert(q->statement || q->rc != SQLITE_OK);
    if (q->rc != SQLITE_OK)
        return false;
    q->column = 0;
    int rc = sqlite3_step(q->statement);
    if (rc == SQLITE_ROW)
        return true;
    if (rc != SQLITE_DONE)
        q->rc = database_code(sqlite3_db_handle(q->statement), rc, false);
    return false;
}

int64_t query_take_i64(struct query *q)
{
    return sqlite3_column_int64(q->statement, q->column++);
}

/* Text and its length by way of the value: one call with the bookkeeping of sqlite3_column_*
 * instead of two; a connection has one thread, so the value needs no protection. A fifth of the
 * time of a list. */
struct slice query_take_text(struct query *q)
{
    sqlite3_value *value = sqlite3_column_value(q->statement, q->column++);
    const unsigned char *text = sqlite3_value_text(value);
    if (!text && sqlite3_value_type(value) != SQLITE_NULL)
        note(q, SQLITE_NOMEM);
    if (!text)
        return (struct slice){NULL, 0};
    return (struct slice){(const char *)text, (size_t)sqlite3_value_bytes(value)};
}

struct slice query_take_blob(struct query *q)
{
    sqlite3_value *value = sqlite3_column_value(q->statement, q->column++);
    const char *bytes = sqlite3_value_blob(value);
    return (struct slice){bytes, bytes ? (size_t)sqlite3_value_bytes(value) : 0};
}

void query_take_field(struct query *q, const struct field *field, void *item)
{
    sqlite3_value *column = sqlite3_column_value(q->statement, q->column++);
    struct field_value value = {.null = sqlite3_value_type(column) == SQLITE_NULL};
    if (value.null && field_is_null_at_first(field))
        return; /* as most members of most items are */
    if (!value.null && field_is_number(field->type)) {
        value.number = sqlite3_value_int64(column);
    } else if (!value.null) {
        value.bytes.ptr = field_is_text(field->type) ? (const char *)sqlite3_value_text(column)
                                                     : sqlite3_value_blob(column);
        value.bytes.len = (size_t)sqlite3_value_bytes(column);
        if (!value.bytes.ptr) {
            note(q, field_is_text(field->type) ? SQLITE_NOMEM : SQLITE_CORRUPT);
            value = (struct field_value){.null = true};
        }
    }
    if (!field_set(field, item, &value))
        note(q, SQLITE_CORRUPT);
}

struct uuid query_take_uuid(struct query *q)
{
    struct uuid id = {{0}};
    struct slice bytes = query_take_blob(q);
    if (bytes.len == sizeof id.bytes)
        memcpy(id.bytes, bytes.ptr, sizeof id.bytes);
    else
        note(q, SQLITE_CORRUPT);
    return id;
}

struct uuid query_take_optional_uuid(struct query *q)
{
    if (sqlite3_column_type(q->statement, q->column) != SQLITE_NULL)
        return query_take_uuid(q);
    q->column++;
    return (struct uuid){{0}};
}

struct slice query_copy_text(struct query *q, struct arena *arena)
{
    struct slice text = query_take_text(q);
    if (!text.ptr)
        return text;
    struct slice copy = arena_copy(arena, text);
    if (!copy.ptr)
        note(q, SQLITE_NOMEM);
    return copy;
}

int query_end(struct query *q)
{
    if (q->statement)
        sqlite3_reset(q->statement);
    return q->rc;
}

int query_run(struct query *q)
{
    assert(q);
    while (query_row(q))
        ;
    return query_end(q);
}

int query_run_on_one(struct query *q)
{
    const int rc = query_run(q);
    return rc == SQLITE_OK && sqlite3_changes(sqlite3_db_handle(q->statement)) != 1 ? SQLITE_ABORT
                                                                                    : rc;
}

int query_run_all(struct query q)
{
    return query_run(&q);
}

int query_run_plain(struct statements *s, unsigned index)
{
    struct query q = query_begin(s, index);
    return query_run(&q);
}
