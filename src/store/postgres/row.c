// SPDX-License-Identifier: MIT
#include "store/postgres/row.h"

struct row row_of(const PGresult *result, int number, struct arena *arena)
{
    return (struct row){.result = result, .number = number, .arena = arena};
}

/* The bytes of the next column; ptr NULL: NULL. */
static struct slice take(struct row *r)
{
    const int column = r->column++;
    if (PQgetisnull(r->result, r->number, column))
        return (struct slice){0};
    return (struct slice){PQgetvalue(r->result, r->number, column),
                          (size_t)PQgetlength(r->result, r->number, column)};
}

int64_t row_i64(struct row *r)
{
    const struct slice bytes = take(r);
    if (bytes.len == 0)
        return 0;
    if (bytes.len > sizeof(int64_t)) {
        r->failed = true;
        return 0;
    }
    uint64_t value = (bytes.ptr[0] & 0x80) != 0 ? UINT64_MAX : 0;
    for (size_t i = 0; i < bytes.len; i++)
        value = value << 8 | (uint8_t)bytes.ptr[i];
    return (int64_t)value;
}

struct uuid row_uuid(struct row *r)
{
    const struct slice bytes = take(r);
    struct uuid id = {0};
    if (bytes.len == sizeof id.bytes)
        memcpy(id.bytes, bytes.ptr, sizeof id.bytes);
    else
        r->failed = true;
    return id;
}

struct slice row_text(struct row *r)
{
    const struct slice bytes = take(r);
    if (!bytes.ptr || !r->arena)
        return bytes;
    const struct slice copy = arena_copy(r->arena, bytes);
    if (!copy.ptr)
        r->failed = true;
    return copy;
}

struct slice row_blob(struct row *r)
{
    return take(r);
}

struct task row_task(struct row *r)
{
    struct task task = {.id = row_uuid(r)};
    task.title = row_text(r);
    task.description = row_text(r);
    task.status = (enum task_status)row_i64(r);
    task.created_at = row_i64(r);
    task.updated_at = row_i64(r);
    task.completed_at = row_i64(r);
    task.revision = row_i64(r);
    return task;
}

struct user row_user(struct row *r)
{
    struct user user = {.id = row_uuid(r)};
    user.email = row_text(r);
    user.name = row_text(r);
    user.password_hash = row_text(r);
    user.created_at = row_i64(r);
    user.updated_at = row_i64(r);
    user.disabled_at = row_i64(r);
    return user;
}
