// SPDX-License-Identifier: MIT
#include "api/context.h"
#include "api/handlers.h"
#include "api/items.h"
#include "api/respond.h"

/* POST /v1/tasks/{id}/undo: takes the last change of a task back. */

#define REVISION_MOST ((INT64_C(1) << 53) - 1) /* what every client of JSON reads as it is */

struct undo {
    int64_t revision;
};

static const struct field fields[] = {
    {.name = FIELD_NAME("revision"),
     .type = FIELD_NUMBER,
     .flags = FIELD_REQUIRED,
     .at = offsetof(struct undo, revision),
     .bit = 1,
     .least_number = 1,
     .most_number = REVISION_MOST},
};

void undo_task(struct http_exchange *x)
{
    struct store_item_write *write = items_write_begin(x, STORE_UNDO);
    struct undo undo = {0};
    uint8_t content[JSON_READER_DIGEST];
    if (!write) {
        return;
    }
    struct field_reading reading = {
        .fields = fields, .count = 1, .mode = FIELD_WHOLE, .input = &undo};
    if (!body_decode(x, &reading, write->idempotency.key.ptr ? content : NULL)) {
        return;
    }
    write->undo = undo.revision;
    idempotency_bind(write, content);
    api_engine(x)->item_write(write);
}
