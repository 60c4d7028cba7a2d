// SPDX-License-Identifier: MIT
#include "store/sqlite/statement.h"

#include "store/sqlite/database.h"

#include <stdlib.h>

bool statements_init(struct statements *s, sqlite3 *db, const char *const *texts, unsigned count)
{
    *s = (struct statements){.db = db, .texts = texts, .count = count};
    s->prepared = calloc(count, sizeof(sqlite3_stmt *));
    return s->prepared != NULL;
}

void statements_finish(struct statements *s)
{
    for (unsigned i = 0; s->prepared && i < s->count; i++)
        sqlite3_finalize(s->prepared[i]);
    free(s->prepared);
    *s = (struct statements){0};
}

struct query query_begin(struct statements *s, unsigned index)
{
    struct query q = {.statement = s->prepared[index], .rc = SQLITE_OK};
    if (!q.statement) {
        q.rc = sqlite3_prepare_v3(s->db, s->texts[index], -1, SQLITE_PREPARE_PERSISTENT,
                                  &q.statement, NULL);
        s->prepared[index] = q.statement;
    }
    return q;
}

static void note(struct query *q, int rc)
{
    if (q->rc == SQLITE_OK)
        q->rc = rc;
}

void query_bind_i64(struct query *q, int64_t value)
{
    note(q, sqlite3_bind_int64(q->statement, ++q->bound, value));
}

void query_bind_uuid(struct query *q, const struct uuid *id)
{
    query_bind_blob(q, id->bytes, sizeof id->bytes);
}

void query_bind_text(struct query *q, struct slice text)
{
    note(q, sqlite3_bind_text64(q->statement, ++q->bound, text.ptr, text.len, SQLITE_STATIC,
                                SQLITE_UTF8));
}

void query_bind_blob(struct query *q, const void *bytes, size_t size)
{
    note(q, sqlite3_bind_blob64(q->statement, ++q->bound, bytes, size, SQLITE_STATIC));
}

void query_bind_null(struct query *q)
{
    note(q, sqlite3_bind_null(q->statement, ++q->bound));
}

void query_bind_time(struct query *q, int64_t ms)
{
    if (ms == 0)
        query_bind_null(q);
    else
        query_bind_i64(q, ms);
}

bool query_row(struct query *q)
{
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
    while (query_row(q))
        ;
    return query_end(q);
}
