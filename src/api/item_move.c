// SPDX-License-Identifier: MIT
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

/* False: 422 or 503 was sent. */
static bool judge(struct http_exchange *x, struct field_reading *reading,
                  const struct store_place *place, struct uuid id)
{
    bool room = true;
    if (has(reading->set, AFTER) && has(reading->set, BEFORE)) {
        room = field_complain(reading, SLICE("before"), "not_both",
                              "Cannot be sent with after; leave one of the two out.");
    } else if (place->kind >= STORE_PLACE_AFTER && uuid_eq(place->neighbour, id)) {
        room = field_complain(reading, has(reading->set, AFTER) ? SLICE("after") : SLICE("before"),
                              "itself", "Must name another one than the one that is moved.");
    }
    if (!room) {
        respond_no_memory(x);
    }
    return room && body_valid(x, &reading->errors);
}

/* What it is moved to, as a patch of it. False: 503 was sent. */
static bool set_values(struct http_exchange *x, const struct move *move, unsigned set,
                       struct store_item_write *write)
{
    void *values = arena_alloc(x->arena, write->resource->size);
    if (!values) {
        respond_no_memory(x);
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

void items_move(struct http_exchange *x)
{
    struct store_item_write *write = items_write_begin(x, STORE_MOVE);
    struct move *move = write ? arena_new(x->arena, struct move) : NULL;
    uint8_t content[JSON_READER_DIGEST];
    if (!write) {
        return;
    }
    if (!move) {
        respond_no_memory(x);
        return;
    }
    struct field_reading reading = {.fields = fields,
                                    .count = write->resource == &task_resource ? COUNT : LIST_COUNT,
                                    .mode = FIELD_SOME,
                                    .input = move};
    if (!body_decode(x, &reading, write->idempotency.key.ptr ? content : NULL)) {
        return;
    }
    write->place = place_of(move, reading.set);
    if (!judge(x, &reading, &write->place, write->id) || !set_values(x, move, reading.set, write)) {
        return;
    }
    idempotency_bind(write, content);
    api_engine(x)->item_write(write);
}
