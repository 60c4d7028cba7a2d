// SPDX-License-Identifier: MIT
#include "api/item_move.h"

#include "api/context.h"
#include "api/handlers.h"
#include "api/items.h"
#include "api/respond.h"
#include "model/field_errors.h"
#include "model/task.h"

/* POST /v1/COLLECTION/{id}/move: to another list or parent, and to a place among the siblings. */

struct move {
    struct uuid list_id;
    struct uuid parent_id;
    struct uuid after;
    struct uuid before;
};

enum { AFTER, BEFORE, LIST_ID, PARENT_ID, COUNT };

#define MEMBER(place, member)                                                                      \
    [place] = {.name = FIELD_NAME(#member),                                                        \
               .type = FIELD_UUID,                                                                 \
               .flags = FIELD_NULLABLE,                                                            \
               .at = offsetof(struct move, member),                                                \
               .bit = 1U << (place)}

/* Lists have the first two. */
static const struct field fields[COUNT] = {
    MEMBER(AFTER, after),
    MEMBER(BEFORE, before),
    MEMBER(LIST_ID, list_id),
    MEMBER(PARENT_ID, parent_id),
};
#define LIST_COUNT (BEFORE + 1)

static bool has(unsigned set, unsigned member)
{
    return (set & 1U << member) != 0;
}

/* `null` after something is the first place, and before something the last. */
static struct store_place place_of(const struct move *move, unsigned set)
{
    static const struct uuid nothing;
    if (has(set, AFTER) && uuid_eq(move->after, nothing)) {
        return (struct store_place){.kind = STORE_PLACE_FIRST};
    }
    if (has(set, AFTER)) {
        return (struct store_place){STORE_PLACE_AFTER, move->after};
    }
    if (has(set, BEFORE) && !uuid_eq(move->before, nothing)) {
        return (struct store_place){STORE_PLACE_BEFORE, move->before};
    }
    return (struct store_place){.kind = STORE_PLACE_LAST};
}

/* False without memory. */
static bool judge(struct field_reading *reading, const struct store_place *place, struct uuid id)
{
    if (has(reading->set, AFTER) && has(reading->set, BEFORE)) {
        return field_complain(reading, SLICE("before"), "not_both",
                              "Cannot be sent with after; leave one of the two out.");
    }
    return place->kind < STORE_PLACE_AFTER || !uuid_eq(place->neighbour, id) ||
           field_complain(reading, has(reading->set, AFTER) ? SLICE("after") : SLICE("before"),
                          "itself", "Must name another one than the one that is moved.");
}

/* What it is moved to, as a patch of it. False without memory. */
static bool set_values(const struct move *move, unsigned set, struct arena *arena,
                       struct store_item_write *write)
{
    void *values = arena_alloc(arena, write->resource->size);
    if (!values) {
        return false;
    }
    resource_clear(write->resource, values);
    write->values = values;
    if (has(set, LIST_ID)) {
        ((struct task *)values)->list_id = move->list_id;
        write->set |= resource_field(&task_resource, SLICE("list_id"))->bit;
    }
    if (has(set, PARENT_ID)) {
        ((struct task *)values)->parent_id = move->parent_id;
        write->set |= resource_field(&task_resource, SLICE("parent_id"))->bit;
    }
    return true;
}

bool item_move_read(struct field_reading *reading, struct json_reader *reader,
                    struct store_item_write *write)
{
    struct move *move = arena_new(reading->arena, struct move);
    if (!move) {
        return false;
    }
    reading->fields = fields;
    reading->count = write->resource == &task_resource ? COUNT : LIST_COUNT;
    reading->mode = FIELD_SOME;
    reading->input = move;
    if (!field_read(reading, reader)) {
        return false;
    }
    write->place = place_of(move, reading->set);
    return (reading->errors.count > 0 || judge(reading, &write->place, write->id)) &&
           set_values(move, reading->set, reading->arena, write);
}

struct reading_move {
    struct field_reading reading; /* first: body_read_with gives it */
    struct store_item_write *write;
};

static bool read_move(struct field_reading *reading, struct json_reader *reader)
{
    struct reading_move *move = (struct reading_move *)(void *)reading;
    return item_move_read(reading, reader, move->write);
}

void items_move(struct http_exchange *x)
{
    struct reading_move move = {.write = items_write_begin(x, STORE_MOVE)};
    uint8_t content[JSON_READER_DIGEST];
    if (!move.write ||
        !body_read_with(x, &move.reading, read_move,
                        move.write->idempotency.key.ptr ? content : NULL) ||
        !body_valid(x, &move.reading.errors)) {
        return;
    }
    idempotency_bind(move.write, content);
    api_engine(x)->item_write(move.write);
}
