// SPDX-License-Identifier: MIT
#include "store/postgres/params.h"

#include <assert.h>
#include <endian.h>

const int params_formats[PARAMS_MOST] = {
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
static_assert(PARAMS_MOST == 64, "params_formats has a 1 for each");

/* As pg_type.dat names them; they never change. */
Oid params_type(char letter)
{
    switch (letter) {
    case 'u': return 2950;
    case 'i': return 20;
    case 't': return 25;
    case 'a': return 1007; /* of int4 */
    default: assert(letter == 'b'); return 17;
    }
}

void params_init(struct params *p, const struct sql_value *values, unsigned count)
{
    assert(count <= PARAMS_MOST);
    p->count = (int)count;
    for (unsigned i = 0; i < count; i++) {
        const struct field_value *value = &values[i].value;
        const bool number = values[i].type == 'i';
        assert(number || value->null || value->bytes.ptr);
        p->types[i] = params_type(values[i].type);
        p->numbers[i] = (int64_t)htobe64((uint64_t)value->number);
        p->values[i] = number ? (const char *)&p->numbers[i] : value->bytes.ptr;
        p->lengths[i] = number ? (int)sizeof p->numbers[i] : (int)value->bytes.len;
        if (value->null)
            p->values[i] = NULL;
    }
}

/* ---- rows ---- */

struct row row_of(const PGresult *result, int number, struct arena *arena)
{
    assert(number >= 0 && number < PQntuples(result));
    return (struct row){.result = result, .number = number, .arena = arena};
}

/* The bytes of the next column; ptr NULL: NULL. */
static struct slice take(struct row *r)
{
    const int column = r->column++;
    assert(column < PQnfields(r->result));
    if (PQgetisnull(r->result, r->number, column))
        return (struct slice){0};
    return (struct slice){PQgetvalue(r->result, r->number, column),
                          (size_t)PQgetlength(r->result, r->number, column)};
}

/* The first reason stays. */
static void fail(struct row *r, enum error error)
{
    r->error = r->error == ERROR_NONE ? error : r->error;
}

static int64_t number_of(struct row *r, struct slice bytes)
{
    if (bytes.len == 0 || bytes.len > sizeof(int64_t)) {
        if (bytes.len > 0)
            fail(r, ERROR_INTERNAL_ERROR);
        return 0;
    }
    assert(bytes.ptr);
    uint64_t value = (bytes.ptr[0] & 0x80) != 0 ? UINT64_MAX : 0;
    for (size_t i = 0; i < bytes.len; i++)
        value = value << 8 | (uint8_t)bytes.ptr[i];
    return (int64_t)value;
}

static struct slice keep(struct row *r, struct slice bytes)
{
    if (!bytes.ptr || !r->arena)
        return bytes;
    const struct slice copy = arena_copy(r->arena, bytes);
    if (!copy.ptr)
        fail(r, ERROR_OVERLOADED);
    return copy;
}

int64_t row_i64(struct row *r)
{
    return number_of(r, take(r));
}

struct uuid row_uuid(struct row *r)
{
    const struct slice bytes = take(r);
    struct uuid id = {0};
    if (bytes.len == sizeof id.bytes)
        memcpy(id.bytes, bytes.ptr, sizeof id.bytes);
    else
        fail(r, ERROR_INTERNAL_ERROR);
    return id;
}

struct uuid row_optional_uuid(struct row *r)
{
    assert(r->column < PQnfields(r->result));
    if (!PQgetisnull(r->result, r->number, r->column))
        return row_uuid(r);
    r->column++;
    return (struct uuid){{0}};
}

struct slice row_text(struct row *r)
{
    return keep(r, take(r));
}

struct slice row_blob(struct row *r)
{
    return take(r);
}

bool row_first_uuid(const PGresult *result, struct uuid *id)
{
    if (PQntuples(result) == 0)
        return false;
    struct row r = row_of(result, 0, NULL);
    *id = row_uuid(&r);
    return r.error == ERROR_NONE;
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
    user.time_zone = user_time_zone(row_text(r));
    return user;
}

void row_item(struct row *r, const struct resource *resource, void *item)
{
    assert(r->column + (int)resource->count <= PQnfields(r->result));
    for (size_t i = 0; i < resource->count; i++) {
        const struct field *field = &resource->fields[i];
        const struct slice bytes = take(r);
        struct field_value value = {.null = !bytes.ptr};
        if (field_is_number(field->type))
            value.number = number_of(r, bytes);
        else if (field_is_text(field->type))
            value.bytes = keep(r, bytes);
        else
            value.bytes = bytes; /* field_set copies it */
        if (r->error == ERROR_NONE && !field_set(field, item, &value))
            r->error = ERROR_INTERNAL_ERROR;
    }
}
